"""A folder of a bundle → what does not fit in it."""

from __future__ import annotations

from pathlib import Path

from labeler.errors import InputError
from labeler.results.bundle_check import BundleCheck, check


def verify(folder: Path) -> BundleCheck:
    """Check a bundle by its own files alone: no project, no store, no network.

    Raises InputError where the folder holds no bundle.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    return check(
        {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    )
