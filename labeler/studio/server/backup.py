"""A copy of Label Studio's database before another version of it opens the data.

Label Studio changes its tables when a newer version starts, and knows no way back.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from labeler.errors import ProjectError

DATABASE = "label_studio.sqlite3"


def copied(data: Path, *, before: str, now: str, report: Callable[[str], None]) -> Path | None:
    """Copy the database of `data` into its folder `backups`, where the versions differ.

    The server must not run. The copy holds what its write-ahead log held too, and is there whole
    or not at all. None where nothing was copied. Raises ProjectError where it cannot be made.
    """
    source = data / DATABASE
    if before == now or not source.exists():
        return None
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = data / "backups" / f"label-studio-{before or 'unknown'}-{stamp}.sqlite3"
    try:
        target.parent.mkdir(mode=0o700, exist_ok=True)
        duplicate(source, target)
    except (OSError, sqlite3.Error) as error:
        raise ProjectError(
            f"{target}: Label Studio {now} would change the data of {before or 'an older one'}, "
            f"which could not be copied first ({error}): free some space, then start again"
        ) from error
    report(f"Label Studio {before or '(older)'} → {now}: its database is copied to {target}")
    return target


def duplicate(source: Path, target: Path) -> None:
    """Copy a SQLite database with what its write-ahead log holds; the copy is whole or not there.

    Raises OSError and sqlite3.Error.
    """
    fresh = target.with_suffix(".new")
    os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(fresh)) as new:
        old.backup(new)
    fresh.replace(target)
