"""A virtual environment that holds Label Studio and nothing of this program.

Label Studio pins libraries that this program needs in other versions, so it is installed with
`venv` and `pip` in a folder of its own, once for all projects of a person.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from labeler import hints
from labeler.errors import ProjectError, ServiceError

VERSION = "1.23.2"

_REQUIREMENT = f"label-studio=={VERSION}"
_MARKER = "labeler-environment"
_BYTES = 2_000_000_000
_SECONDS = 3600


def silent(_message: str) -> None:
    """The report that tells nobody."""


def environment(*, folder: Path | None = None, report: Callable[[str], None] = silent) -> Path:
    """Path of a virtual environment that holds Label Studio `VERSION`; made when it is missing.

    Without `folder` it lies in the user's cache. An environment half made by a killed run is
    made again; one made by hand is used as it is; any other folder is refused, never removed.

    Raises:
        ProjectError: `folder` holds something else, cannot be written, or the disk is too full.
        ServiceError: `venv` or `pip` failed; the message ends with the log's last lines.
    """
    place = (folder or _cache()).expanduser().absolute()
    if _ready(place):
        return place
    with locked(place.with_name(place.name + ".lock")):
        if not _ready(place):
            try:
                _make_room(place)
                report(f"Installing Label Studio {VERSION} in {place}: about 1 GB, once.")
                _install(place)
            except OSError as error:
                raise ProjectError(f"{place}: cannot be written: {error}") from error
    return place


def _cache() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    python = f"py{sys.version_info.major}.{sys.version_info.minor}"
    return Path(cache).expanduser() / "labeler" / f"label-studio-{VERSION}-{python}"


def _ready(place: Path) -> bool:
    """Whether Label Studio of our version is there, runnable, and not half installed."""
    marker = place / _MARKER
    if marker.exists() and marker.read_text("utf-8") != _REQUIREMENT:
        return False
    metadata = f"lib/python*/site-packages/label_studio-{VERSION}.dist-info/METADATA"
    programs = [place / "bin" / "python", place / "bin" / "label-studio"]
    return all(program.exists() for program in programs) and any(place.glob(metadata))


def _make_room(place: Path) -> None:
    removed = place.with_name(place.name + ".removed")
    if (place / _MARKER).exists():
        place.rename(removed)
    if removed.exists():
        shutil.rmtree(removed)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise ProjectError(
            f"{place}: is no environment with {_REQUIREMENT}, and not empty",
            hint=hints.STUDIO_FOLDER,
        )
    free = shutil.disk_usage(place.parent).free
    if free < _BYTES:
        raise ProjectError(
            f"{place.parent}: {free / 1e9:.1f} GB free, but Label Studio needs {_BYTES / 1e9:.0f} "
            "GB",
            hint=hints.STUDIO_DISK,
        )


def _install(place: Path) -> None:
    """Build in place, since an environment does not move; the marker says when it is whole."""
    place.mkdir(exist_ok=True)
    marker = place / _MARKER
    marker.write_text("unfinished", "utf-8")
    log = place.with_name(place.name + ".log")
    python = str(place / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    hidden = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    with log.open("w", encoding="utf-8") as out:
        for command in ([sys.executable, "-m", "venv", str(place)], [*pip, _REQUIREMENT]):
            try:
                subprocess.run(  # noqa: S603
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env=env,
                    check=True,
                    timeout=_SECONDS,
                )
            except subprocess.SubprocessError as error:
                raise ServiceError(
                    f"Installing Label Studio {VERSION} failed; run it again once the cause is "
                    f"gone. {tail(log)}",
                    service="pip",
                ) from error
    marker.write_text(_REQUIREMENT, "utf-8")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; waits for another program that holds it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ProjectError(f"{path}: cannot be written: {error}") from error
    with os.fdopen(number) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, with its path, as they stand in an error; no log has none."""
    text = log.read_text("utf-8", errors="replace") if log.exists() else ""
    return f"The last lines of {log}:\n" + "\n".join(text.splitlines()[-lines:])
