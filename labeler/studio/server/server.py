"""A local Label Studio in an environment of its own: made, started, asked, stopped.

Label Studio pins libraries that this program needs in other versions, so it lives in a virtual
environment of its own and is only spoken to over HTTP. It listens on loopback, with telemetry
off and sign-up closed. Everything it keeps lies in one data folder (mode 0700); `server.json`
there (mode 0600) holds the administrator's login, the port and the process.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypedDict

from labeler import hints
from labeler.errors import ProjectError, ServiceUnavailable
from labeler.studio.client.http import SERVICE, Account, Server, account, answer
from labeler.studio.server import blank, program
from labeler.studio.server import database as databases
from labeler.studio.server.backup import copied
from labeler.studio.server.environment import VERSION, environment, locked, silent, tail
from labeler.study.processes import identity

__all__ = [
    "VERSION",
    "Account",
    "Server",
    "account",
    "address",
    "environment",
    "log",
    "start",
    "status",
    "stop",
]

_SECONDS = 20
# Systems give higher ones to whoever asks for any, as may happen while Label Studio starts.
_PORTS = range(20_000, 32_768)
_EMAIL = "admin@localhost.example"
# The shell ends at once, so the server is nobody's child: it outlives us and leaves no zombie.
_DETACH = 'umask 077; "$@" </dev/null >>label-studio.log 2>&1 & echo $!'


class _Record(TypedDict):
    """What `server.json` keeps; `process` tells this process from a later one with its number.

    `version` is the Label Studio that made the data or last opened it ('' where it was not noted),
    `hooks` whether it may call this machine, `database` where its data lies, without a password.
    """

    email: str
    password: str
    token: str
    port: int
    pid: int
    process: str
    version: str
    hooks: bool
    database: str


def start(
    data: Path,
    *,
    environment: Path,
    port: int | None = None,
    timeout: float = 600,
    hooks: bool = False,
    database: str = "",
    report: Callable[[str], None] = silent,
) -> Server:
    """The Label Studio of the folder `data`, started when it does not run.

    Listens on 127.0.0.1 at `port`, else at the port of last time, else at any free one; a busy
    port is passed over. It runs on after this program ends, until `stop`. `timeout` is in seconds:
    one that ends is noticed at once, and a busy machine takes minutes to start one.
    Where another version than the one before opens the data, its database is copied first.
    `hooks` lets it call addresses of this machine and its network, which it else refuses.
    `database` is the address of a PostgreSQL for it; without one it keeps SQLite in `data`.

    Raises:
        ProjectError: `environment` holds no Label Studio, or `data` is another kind of folder; or
            it runs, but without `hooks`; or its data lies in another database.
        ServiceUnavailable: it did not answer in time, or ended; with the log's last lines.
    """
    environment = environment.expanduser().absolute()
    if not program.installed(environment):
        raise ProjectError(f"{environment}: holds no Label Studio: bin/label-studio is missing")
    data = _data_folder(data)
    deadline = time.monotonic() + timeout
    with locked(data / "lock"):
        record = _read(data)
        _same_database(record, database)
        if record is not None and _alive(record):
            if hooks and not record["hooks"]:
                raise ProjectError(
                    "Label Studio runs already and may not call this machine",
                    hint=hints.STUDIO_WITH_HOOK,
                )
            with contextlib.suppress(_Elsewhere, _Ended):
                return _awaited(data, record, deadline)
            _end(record)
        wanted = port or (record["port"] if record else None)
        if record is not None:
            copied(data, before=record["version"], now=program.version(environment), report=report)
        elif not database:
            blank.begin(data, environment, report)
        for _attempt in range(3):
            place = _Place(data, environment, database, hooks)
            record = _spawned(place, _free_port(wanted), record, report)
            with contextlib.suppress(_Elsewhere):
                return _awaited(data, record, deadline)
            _end(record)
    raise ServiceUnavailable(
        f"{data}: three times, what answered at the port did not know our token. {tail(log(data))}",
        service=SERVICE,
    )


def stop(data: Path) -> bool:
    """End the Label Studio of the folder `data`; False when none ran. Signals no other process."""
    record = _read(data)
    if record is None or not _alive(record):
        return False
    _end(record)
    return True


def status(data: Path) -> Server | None:
    """The Label Studio of the folder `data` when it runs, answers and is ours; else None."""
    record = _read(data)
    if record is None or not _alive(record):
        return None
    server = _server(data, record)
    return server if answer(server, email=record["email"]) == "ours" else None


def address(data: Path) -> str:
    """Where the Label Studio of the folder `data` answers, or last did; '' where none ever ran."""
    record = _read(data)
    return _server(data, record).url if record is not None else ""


def log(data: Path) -> Path:
    """Where the Label Studio of the folder `data` writes what it does."""
    return data.expanduser().absolute() / "label-studio.log"


# --- the process -------------------------------------------------------------------------------


class _Elsewhere(Exception):
    """Another program answers at our port: Label Studio has silently gone to a later one."""


class _Ended(ServiceUnavailable):
    """The process ended while its answer was awaited."""


class _Place(NamedTuple):
    """Where a Label Studio is started, from which environment, on which database, and whether it
    may call this machine."""

    data: Path
    environment: Path
    database: str
    hooks: bool


def _same_database(record: _Record | None, database: str) -> None:
    """Refuse to open another database than the one that holds the data."""
    if record is not None and record["database"] != databases.named(database):
        raise ProjectError(
            f"this project's Label Studio keeps its data in {record['database']}, not in "
            f"{databases.named(database)}; name the same database as before (setting "
            "studio_database), or start again in another project folder"
        )


def _spawned(
    place: _Place, port: int, record: _Record | None, report: Callable[[str], None]
) -> _Record:
    """Start the process and record it, with the login of before or a new one."""
    data, environment, database, hooks = place
    report(f"Starting Label Studio at http://127.0.0.1:{port} (log: {log(data)})")
    login = record or {
        "email": _EMAIL,
        "password": secrets.token_urlsafe(18)[:20],
        "token": secrets.token_hex(20),
    }
    env = program.surroundings(data, database=database) | {
        "LABEL_STUDIO_USERNAME": login["email"],
        "LABEL_STUDIO_PASSWORD": login["password"],
        "LABEL_STUDIO_USER_TOKEN": login["token"],
    }
    if hooks:
        env["LABEL_STUDIO_SSRF_PROTECTION_ENABLED"] = "false"
    options = ["--no-browser", "--internal-host", "127.0.0.1", "--log-level", "WARNING"]
    command = [*program.launcher(environment), "start", *options, "--port", str(port)]
    done = subprocess.run(  # noqa: S603
        ["/bin/sh", "-c", _DETACH, "sh", *command],
        cwd=data,
        env=env,
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=_SECONDS,
    )
    pid = int(done.stdout)
    record = {
        "email": login["email"],
        "password": login["password"],
        "token": login["token"],
        "port": port,
        "pid": pid,
        "process": identity(pid),
        "version": program.version(environment),
        "hooks": hooks,
        "database": databases.named(database),
    }
    _write(data, record)
    return record


def _awaited(data: Path, record: _Record, deadline: float) -> Server:
    """The server once it answers as ours; ended when it does not in time."""
    server = _server(data, record)
    while time.monotonic() < deadline:
        if not _alive(record):
            raise _Ended(f"Label Studio ended while it started. {tail(log(data))}", service=SERVICE)
        found = answer(server, email=record["email"])
        if found == "ours":
            return server
        if found == "other":
            raise _Elsewhere
        time.sleep(0.25)
    _end(record)
    raise ServiceUnavailable(
        f"Label Studio did not answer at {server.url} in time and was stopped. {tail(log(data))}",
        service=SERVICE,
    )


def _server(data: Path, record: _Record) -> Server:
    url = f"http://127.0.0.1:{record['port']}"
    return Server(url, record["token"], record["pid"], data.expanduser().absolute())


def _free_port(wanted: int | None) -> int:
    """The port `wanted` when nobody listens there, else any free one."""
    others = secrets.SystemRandom().sample(_PORTS, 20)
    for port in [*([wanted] if wanted else []), *others, 0]:
        with socket.socket() as ask, socket.socket() as bound:
            if port and ask.connect_ex(("127.0.0.1", port)) == 0:
                continue
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                bound.bind(("127.0.0.1", port))
                return int(bound.getsockname()[1])
    raise ServiceUnavailable("127.0.0.1: no port is free", service=SERVICE)


def _alive(record: _Record) -> bool:
    return record["pid"] > 1 and identity(record["pid"]) == record["process"] != ""


def _end(record: _Record) -> None:
    """Ask the process to end, then make it; each signal only while it is still ours."""
    for number, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        if not _alive(record):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(record["pid"], number)
        deadline = time.monotonic() + seconds
        while _alive(record) and time.monotonic() < deadline:
            time.sleep(0.05)


# --- the data folder ---------------------------------------------------------------------------


def _data_folder(data: Path) -> Path:
    data = data.expanduser().absolute()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = {path.name for path in data.iterdir()} - {"lock", "server.json.new"}
        if found and "server.json" not in found:
            raise ProjectError(f"{data}: is not empty and no data folder of ours: choose another")
        data.chmod(0o700)
    except OSError as error:
        raise ProjectError(f"{data}: cannot be Label Studio's data folder: {error}") from error
    return data


def _read(data: Path) -> _Record | None:
    path = data.expanduser().absolute() / "server.json"
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text("utf-8"))
        return _Record(
            email=str(found["email"]),
            password=str(found["password"]),
            token=str(found["token"]),
            port=int(found["port"]),
            pid=int(found["pid"]),
            process=str(found["process"]),
            version=str(found.get("version", "")),
            hooks=bool(found.get("hooks", False)),
            database=str(found.get("database", databases.SQLITE)),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ProjectError(
            f"{path}: cannot be read ({type(error).__name__}): restore it, or move {data} away to "
            "begin with an empty Label Studio"
        ) from error


def _write(data: Path, record: _Record) -> None:
    new = data / "server.json.new"
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(record, out, indent=2)
    new.replace(data / "server.json")
