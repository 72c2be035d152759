"""`labeler` and `python -m labeler`."""

from __future__ import annotations

import sys

from labeler.cli import run


def main() -> None:
    """Run the command line and end with its exit code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
