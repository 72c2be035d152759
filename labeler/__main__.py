"""`labeler` and `python -m labeler`."""

from __future__ import annotations

import io
import sys

from labeler.cli import run


def main() -> None:
    """Run the command line and end with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        _speaks_every_language(stream)
    sys.exit(run())


def _speaks_every_language(stream: object) -> None:
    """Let no character end a command: files and pipes get UTF-8, a terminal what it can show."""
    if isinstance(stream, io.TextIOWrapper):
        if stream.isatty():
            stream.reconfigure(errors="backslashreplace")
        else:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


if __name__ == "__main__":
    main()
