"""A real Label Studio is started, moved, killed and stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from waiting import SECONDS, until

from labeler.errors import ProjectError, ServiceUnavailable
from labeler.studio.server import blank
from labeler.studio.server import server as studio_server


class Stranger(BaseHTTPRequestHandler):
    """Another program that answers every address as a healthy server would."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "UP", "email": "somebody@else.example"}')

    def log_message(self, *args: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a server of this module's own, which the tests may kill."""
    data = tmp_path_factory.mktemp("own") / "data"
    yield data
    studio_server.stop(data)


def gone(pid: int) -> bool:
    """Whether no process has this number, or it is only waiting to be forgotten."""
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_second_start_gives_the_same_server(studio, studio_environment):
    """Starting what already runs changes nothing and gives the same address, token and process."""
    again = studio_server.start(studio.data, environment=studio_environment)
    assert again == studio == studio_server.status(studio.data)


def test_the_token_is_not_shown(studio):
    """Neither the printed server nor its command line nor its log carries the token."""
    command = Path(f"/proc/{studio.pid}/cmdline").read_text()
    log = (studio.data / "label-studio.log").read_text()
    assert studio.token not in repr(studio) + command + log


def test_only_the_owner_may_read_the_data(studio):
    """No file or folder of the data lets the group or others in."""
    paths = [studio.data, *studio.data.rglob("*")]
    assert len(paths) > 3
    assert {
        path.name: oct(path.stat().st_mode) for path in paths if path.stat().st_mode & 0o77
    } == {}


def test_it_listens_on_loopback_only(studio):
    """The port is open at 127.0.0.1 and at no other address of this machine."""
    port = f"{int(studio.url.rpartition(':')[2]):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port}")]
    assert listening == [f"0100007F:{port}"]


def test_strangers_cannot_sign_up(studio):
    """Sign-up without an invitation is refused."""
    with requests.Session() as http:
        page = f"{studio.url}/user/signup/"
        http.get(page, timeout=SECONDS)
        token = http.cookies["csrftoken"]
        form = {"csrfmiddlewaretoken": token, "email": "x@y.example", "password": "long enough"}
        assert http.post(page, data=form, timeout=SECONDS).status_code == 403


def test_a_new_folder_begins_with_the_empty_database(studio_environment, tmp_path):
    """It is the environment's own, holds every table and nobody; a folder that has one keeps it."""
    blank.begin(tmp_path, studio_environment)
    with closing(sqlite3.connect(tmp_path / "label_studio.sqlite3")) as begun:
        steps = begun.execute("SELECT count(*) FROM django_migrations").fetchone()
        assert steps > (300,)
        assert begun.execute("SELECT count(*) FROM htx_user").fetchone() == (0,)
        begun.execute("DELETE FROM django_migrations")
        begun.commit()
    blank.begin(tmp_path, studio_environment)
    with closing(sqlite3.connect(tmp_path / "label_studio.sqlite3")) as kept:
        assert kept.execute("SELECT count(*) FROM django_migrations").fetchone() == (0,)


def test_an_environment_that_cannot_make_one_is_left_alone(tmp_path):
    """Label Studio makes its own tables then: nothing is copied, and nothing is said."""
    blank.begin(tmp_path / "data", tmp_path / "no-environment")
    assert not (tmp_path / "data").exists()


def test_a_port_taken_meanwhile_is_noticed(folder, studio_environment, monkeypatch):
    """When a stranger takes the port while Label Studio starts, it is moved and verified."""
    for name in ("DEBUG", "DJANGO_DB", "LABEL_STUDIO_HOST", "OPENAI_API_KEY", "USERNAME"):
        monkeypatch.setenv(name, "of-the-caller")
    strangers: list[ThreadingHTTPServer] = []

    def take_the_port(message: str) -> None:
        if not strangers:
            port = int(re.search(r":(\d+)", message)[1])
            strangers.append(ThreadingHTTPServer(("127.0.0.1", port), Stranger))
            threading.Thread(target=strangers[0].serve_forever).start()

    try:
        server = studio_server.start(folder, environment=studio_environment, report=take_the_port)
    finally:
        strangers[0].shutdown()
        strangers[0].server_close()
    assert not server.url.endswith(f":{strangers[0].server_port}")
    assert studio_server.status(folder) == server


def test_the_process_gets_our_switches_and_nothing_of_the_caller(folder, studio_environment):
    """Telemetry is off in the process, and no setting or key of the caller is in it."""
    server = studio_server.start(folder, environment=studio_environment)
    pairs = Path(f"/proc/{server.pid}/environ").read_text().split("\0")
    found = dict(pair.split("=", 1) for pair in pairs if pair)
    assert found["LABEL_STUDIO_COLLECT_ANALYTICS"] == "false"
    assert found["LABEL_STUDIO_LATEST_VERSION_CHECK"] == "false"
    assert found["LABEL_STUDIO_SENTRY_DSN"] == found["LABEL_STUDIO_FRONTEND_SENTRY_DSN"] == ""
    assert "of-the-caller" not in found.values()


def test_stop_leaves_no_process_and_start_serves_the_same_again(folder, studio_environment):
    """After stop no process is left; the next start has the port, the login and the data."""
    server = studio_server.start(folder, environment=studio_environment)
    login = {"Authorization": f"Token {server.token}"}
    body = {"title": "Made before the stop"}
    requests.post(f"{server.url}/api/projects", json=body, headers=login, timeout=SECONDS)
    assert studio_server.stop(folder)
    assert gone(server.pid)
    assert studio_server.status(folder) is None
    assert not studio_server.stop(folder)
    again = studio_server.start(folder, environment=studio_environment)
    assert (again.url, again.token) == (server.url, server.token)
    assert again.pid != server.pid
    found = requests.get(f"{again.url}/api/projects", headers=login, timeout=SECONDS).json()
    assert [project["title"] for project in found["results"]] == ["Made before the stop"]


def test_a_killed_server_is_noticed_and_brought_back_once(folder, studio_environment):
    """After SIGKILL, status says that nothing runs; two starts at once bring one server back."""
    server = studio_server.start(folder, environment=studio_environment)
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: studio_server.status(folder) is None, what="its end")
    with ThreadPoolExecutor(2) as pool:
        started = partial(studio_server.start, folder, environment=studio_environment)
        first, second = (pool.submit(started), pool.submit(started))
    assert first.result() == second.result() == studio_server.status(folder)
    assert (first.result().url, first.result().pid == server.pid) == (server.url, False)


def test_a_busy_port_is_passed_over(folder, studio_environment):
    """When the wanted port is busy, the server moves to another one and answers there."""
    studio_server.stop(folder)
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        server = studio_server.start(folder, environment=studio_environment, port=port)
        assert server.url != f"http://127.0.0.1:{port}"
        assert studio_server.status(folder) == server


def test_a_foreign_process_is_never_signalled(folder, studio_environment):
    """A number in server.json that now belongs to another process is left alone."""
    studio_server.stop(folder)
    path = folder / "server.json"
    kept = path.read_text()
    with subprocess.Popen(["sleep", "60"]) as foreign:
        path.write_text(json.dumps(json.loads(kept) | {"pid": foreign.pid}))
        assert studio_server.status(folder) is None
        assert not studio_server.stop(folder)
        assert foreign.poll() is None
        foreign.kill()
    path.write_text(kept)


def test_a_program_that_ends_is_told_with_its_last_words(tmp_path):
    """When the process ends while it starts, the error names the log and gives its last lines."""
    folder = tmp_path / "environment" / "bin"
    folder.mkdir(parents=True)
    for name in ("label-studio", "python"):  # which of them is run is the server's own affair
        (folder / name).write_text("#!/bin/sh\necho no such table: made up\nexit 1\n")
        (folder / name).chmod(0o755)
    with pytest.raises(ServiceUnavailable, match=r"label-studio\.log:\nno such table: made up"):
        studio_server.start(tmp_path / "data", environment=tmp_path / "environment")


def test_other_folders_are_refused(tmp_path):
    """A folder with other things is not taken as data, and one without a server not as ours."""
    (tmp_path / "diary.txt").write_text("mine")
    program = tmp_path / "environment" / "bin" / "label-studio"
    with pytest.raises(ProjectError, match="bin/label-studio is missing"):
        studio_server.start(tmp_path / "data", environment=tmp_path / "environment")
    program.parent.mkdir(parents=True)
    program.touch()
    with pytest.raises(ProjectError, match="not empty"):
        studio_server.start(tmp_path, environment=tmp_path / "environment")
    (tmp_path / "server.json").write_text("{")
    with pytest.raises(ProjectError, match=r"server\.json: cannot be read"):
        studio_server.status(tmp_path)
