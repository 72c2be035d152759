"""An empty database of Label Studio, made once an environment: each new one begins as its copy.

Label Studio makes its tables in some hundred steps, which take half a minute; a copy takes none.
Where it cannot be kept (an environment that may not be written), Label Studio makes its own.
"""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from labeler.studio.server import program
from labeler.studio.server.backup import DATABASE, duplicate
from labeler.studio.server.environment import locked, silent

_SECONDS = 1800


def begin(data: Path, environment: Path, report: Callable[[str], None] = silent) -> None:
    """Give the folder `data` a copy of the environment's empty database, unless it has one."""
    if not (data / DATABASE).exists():
        with contextlib.suppress(OSError, sqlite3.Error, subprocess.SubprocessError):
            duplicate(prepare(environment, report), data / DATABASE)


def prepare(environment: Path, report: Callable[[str], None] = silent) -> Path:
    """Where the environment's empty database is, which is made if missing.

    Raises OSError, sqlite3.Error and subprocess.SubprocessError.
    """
    blank = environment / f"empty-{program.version(environment)}.sqlite3"
    with locked(blank.with_suffix(".lock")):
        if not blank.exists():
            report("Making the tables of Label Studio, once for all projects: half a minute")
            with tempfile.TemporaryDirectory(dir=environment, prefix="empty-") as folder:
                _migrate(Path(folder), environment)
                duplicate(Path(folder) / DATABASE, blank)
    return blank


def _migrate(data: Path, environment: Path) -> None:
    subprocess.run(  # noqa: S603
        [*program.launcher(environment), "migrate"],
        cwd=data,
        env=program.surroundings(data),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=_SECONDS,
    )
