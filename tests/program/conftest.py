"""Real parts for the tests: a Label Studio, a PostgreSQL, a browser. What lacks, fails."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import studio_place
from playwright.sync_api import Browser, expect, sync_playwright
from spare_studio import Spare
from waiting import SECONDS
from warm import warm

from labeler.studio.server import server as studio_server
from labeler.studio.server.server import Server

CHROMIUM = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update"
)


def pytest_unconfigure() -> None:
    """End the program that forks the commands, where one was started."""
    if warm.cache_info().currsize:
        warm().close()


@pytest.fixture(scope="session")
def studio_environment() -> Path:
    """The environment of Label Studio: LABELER_STUDIO_ENV, or the one in the user's cache."""
    return studio_place.place()


@pytest.fixture(scope="session")
def studio(studio_environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Label Studio shared by the whole session: make projects and accounts of your own in it."""
    data = tmp_path_factory.mktemp("studio")
    try:
        yield studio_server.start(data, environment=studio_environment)
    finally:
        studio_server.stop(data)


@pytest.fixture(scope="session")
def spare(
    studio: Server, studio_environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Spare]:
    """A second Label Studio: begun with a copy of the first one's data, which saves half a minute.

    It has the same accounts, passwords and tokens.
    """
    data = tmp_path_factory.mktemp("spare") / "data"
    data.mkdir(mode=0o700)
    name = "label_studio.sqlite3"
    first, second = sqlite3.connect(studio.data / name), sqlite3.connect(data / name)
    with closing(first), closing(second):
        first.backup(second)
    record = json.loads((studio.data / "server.json").read_text())
    (data / "server.json").write_text(json.dumps(record | {"pid": 0, "process": ""}))
    made = Spare(data, studio_environment)
    try:
        yield made
    finally:
        studio_server.stop(data)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A private PostgreSQL cluster on loopback, ended by process id."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    if initdb is None:
        pytest.fail("PostgreSQL is missing: install the Debian package postgresql", pytrace=False)
    folder = Path(tempfile.mkdtemp(prefix="labeler-postgresql-"))
    who = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    if who:  # PostgreSQL refuses to run as root
        shutil.chown(folder, **who)
    made = [initdb, "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(made, cwd=folder, check=True, capture_output=True, timeout=SECONDS, **who)
    program = str(Path(initdb).with_name("postgres"))
    server, port = serving(program, folder, who)
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(SECONDS)
        shutil.rmtree(folder)


def serving(program: str, folder: Path, who: dict[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    """The cluster in `folder`, answering, and its port: another one where somebody was faster."""
    told = folder / "log"
    for _attempt in range(5):
        with socket.socket() as ask:
            ask.bind(("127.0.0.1", 0))
            port = ask.getsockname()[1]
        options = ["-D", "data", "-h", "127.0.0.1", "-p", str(port), "-F"]
        sockets = ["-c", "unix_socket_directories="]
        with told.open("w") as log:
            server = subprocess.Popen(
                [program, *options, *sockets], cwd=folder, stdout=log, stderr=log, **who
            )
        deadline = time.monotonic() + 60
        while server.poll() is None and time.monotonic() < deadline:
            if ours(port, folder):
                return server, port
            time.sleep(0.1)
        server.kill()
        server.wait(SECONDS)
        if "Address already in use" not in told.read_text():
            break
    pytest.fail(f"PostgreSQL did not answer: {told.read_text()}")


def ours(port: int, folder: Path) -> bool:
    """Whether the cluster that answers at the port is the one in `folder`."""
    try:
        address = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        with psycopg.connect(address, connect_timeout=5) as connection:
            row = connection.execute("SELECT current_setting('data_directory')").fetchone()
    except psycopg.OperationalError:
        return False
    return row == (str(folder / "data"),)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh, empty database, once for each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'labeler.sqlite'}"
        return
    cluster = request.getfixturevalue("postgresql_url")
    name = f"labeler_{secrets.token_hex(6)}"
    door = cluster.replace("+psycopg", "")
    with psycopg.connect(door, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield cluster.removesuffix("postgres") + name
    finally:
        with psycopg.connect(door, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium, a module long: while it is open, `asyncio.run` fails in the tests' thread."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("Chromium is missing: install the Debian package chromium", pytrace=False)
    expect.set_options(timeout=30_000)  # milliseconds; as long as an action waits
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=CHROMIUM.split())
        yield opened
        opened.close()
