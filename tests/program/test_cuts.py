"""Push and pull while processes are killed, servers go away and the network is cut.

Every post and code is made up.
"""

from __future__ import annotations

import json
import random
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import requests
from running import SAMPLE, Labeler, same
from spare_studio import Spare
from waiting import SECONDS, until
from wire import wire

from labeler.store import tables
from labeler.studio.client.studio import Studio
from labeler.studio.server import server as studio_server
from labeler.studio.server.server import Server

POSTS = 2500
CODED = 25
LATE = 0.4  # seconds that each request travels, so that a push takes longer than a kill waits
MOVED = 45
RELEVANT = [
    {
        "from_name": "relevance",
        "to_name": "text",
        "type": "choices",
        "value": {"choices": ["not_relevant"]},
    }
]


def study(root: Path, studio: Server, *, posts: int, url: str = "") -> Labeler:
    """A study with so many made-up posts, and a blind batch of all of them, not pushed."""
    own = {"LABELER_STUDIO_URL": url or studio.url, "LABEL_STUDIO_API_KEY": studio.token}
    labeler = Labeler(root, own)
    labeler("init")
    first = json.loads(SAMPLE.read_text("utf-8").splitlines()[0])
    path = root / "made-up.jsonl"
    with path.open("w") as file:
        for number in range(posts):
            own_text = {"id": f"cut-{number}", "text": f"Made-up post {number}: I slept well."}
            file.write(json.dumps(first | own_text) + "\n")
    labeler("ingest", path)
    studio_server.account(studio, email="ada@example.org", password="made-up-pass")
    labeler("coders", "add", "ada", "--email", "ada@example.org")
    design = ["--overlap", "1", "--blind", str(posts), "--assisted", "0"]
    labeler("sample", "--batch", "cut", "--coders", "ada", *design)
    return labeler


def counted(studio: Studio, labeler: Labeler) -> Counter[str]:
    """Unit → how often it is on the server, over all the batch's projects."""
    seats = labeler.table(tables.SEATS)
    found: Counter[str] = Counter()
    for project in seats["project"]:
        found.update(task.unit for task in studio.changes(int(project), since=""))
    return found


def whole(studio: Studio, labeler: Labeler) -> None:
    """Assert that each task of the batch is on the server exactly once, under its number."""
    tasks = labeler.table(tables.TASKS)
    assert counted(studio, labeler) == Counter(tasks["unit"])
    [project] = labeler.table(tables.SEATS)["project"]
    there = {task.unit: task.task for task in studio.changes(int(project), since="")}
    assert there == dict(zip(tasks["unit"], tasks["studio_task"], strict=True))


@contextmanager
def begun(labeler: Labeler, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs while the block does, its words kept; ended by process id."""
    given = labeler.variables({})
    pipe = subprocess.PIPE
    command = labeler.command(words)
    with subprocess.Popen(command, env=given, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def told(process: subprocess.Popen[str], words: str) -> str:
    """What a program that runs writes on stderr up to the line that holds these words."""
    assert process.stderr is not None
    lines = [process.stderr.readline()]
    while lines[-1] and words not in lines[-1]:
        lines.append(process.stderr.readline())
    assert words in lines[-1], "".join(lines)
    return "".join(lines)


def runs(labeler: Labeler, command: str) -> int:
    return int((labeler.table(tables.RUNS)["command"] == command).sum())


def on_server(studio: Server) -> int:
    """How many tasks all projects there hold."""
    given = {"Authorization": f"Token {studio.token}"}
    listed = f"{studio.url}/api/projects/?page_size=1000&include=id,task_number"
    answer = requests.get(listed, headers=given, timeout=SECONDS).json()
    return sum(int(project["task_number"]) for project in answer["results"])


def test_push_killed_at_ten_random_moments(studio: Server, tmp_path: Path) -> None:
    """Killed ten times anywhere between its start and its end, push brings each task once."""
    chance, kills = random.Random(20), 0
    with wire(studio.url, late=LATE) as line:
        labeler = study(tmp_path, studio, posts=POSTS, url=line.address)
        for _ in range(10):
            started = runs(labeler, "push")
            with begun(labeler, "push") as process:
                until(lambda started=started: runs(labeler, "push") > started)
                time.sleep(chance.uniform(0, 1.5))
                ended = process.poll()
            kills += ended is None
        assert kills >= 5
        labeler("push")
        whole(Studio(studio.url, studio.token, server="local"), labeler)
        rows = labeler.rows()
        assert [seat["new"] for seat in labeler("push", "--json").json] == [0]
        same(rows, labeler.rows())


def test_reassign_killed_midway_and_given_again(studio: Server, tmp_path: Path) -> None:
    """Killed while tasks leave a coder's project, twice: each ends with one coder, once."""
    with wire(studio.url, late=LATE / 8) as line:
        _reassign_killed(study(tmp_path, studio, posts=MOVED, url=line.address), studio)


def _reassign_killed(labeler: Labeler, studio: Server) -> None:
    studio_server.account(studio, email="ben@example.org", password="made-up-pass")
    labeler("coders", "add", "ben", "--email", "ben@example.org")
    labeler("push")
    ada = studio_server.account(studio, email="ada@example.org", password="made-up-pass")
    own = Studio(studio.url, ada.token, server="local")
    tasks = labeler.table(tables.TASKS)
    for task in tasks["studio_task"][:3]:
        own.submit(int(task), RELEVANT, lead_time=3.0)
    coded = set(tasks["unit"][:3])
    move = ["reassign", "cut", "--from", "ada", "--to", "ben"]
    for left in (30, 15):
        with begun(labeler, *move) as process:
            until(lambda left=left: sum(counted(own, labeler).values()) <= left)
            assert process.poll() is None
    assert sum(counted(own, labeler).values()) < MOVED
    moved = labeler(*move, "--json").json["moved"]
    assert moved == {"blind": MOVED - 3}
    labeler("push")
    assert counted(own, labeler) == Counter(tasks["unit"])
    held = labeler.table(tables.TASKS)
    assert sorted(held["unit"]) == sorted(tasks["unit"])
    assert set(held.loc[held["coder"] == "human:ada", "unit"]) == coded
    notes = labeler.table(tables.ANNOTATIONS)
    assert set(notes["unit"]) == coded
    assert set(notes["withdrawn"]) == {0}
    kept = (tables.TASKS, tables.ANNOTATIONS, tables.CODINGS)
    rows = labeler.rows(*kept)
    assert labeler(*move, "--json").json["moved"] == {}
    labeler("push")
    same(rows, labeler.rows(*kept))


def test_server_killed_in_the_middle_of_push_and_of_pull(spare: Spare, tmp_path: Path) -> None:
    """The server dies and is started again: push and pull wait, say so and end as if never."""
    server = spare.server
    labeler = study(tmp_path, server, posts=POSTS)
    before = on_server(server)
    with begun(labeler, "push") as pushing:
        until(lambda: on_server(server) > before)
        spare.kill()
        spare.start()
        out, err = pushing.communicate(timeout=SECONDS)
    assert pushing.returncode == 0, err
    assert "does not answer" in err
    admin = Studio(server.url, server.token, server="local")
    whole(admin, labeler)
    account = studio_server.account(server, email="ada@example.org", password="made-up-pass")
    own = Studio(server.url, account.token, server="local")
    tasks = labeler.table(tables.TASKS)
    for task in tasks["studio_task"][:CODED]:
        own.submit(int(task), RELEVANT, lead_time=3.0)
    with begun(labeler, "pull", "--json") as pulling:
        until(lambda: runs(labeler, "pull") > 0)
        spare.kill()
        spare.start()
        out, err = pulling.communicate(timeout=SECONDS)
    if pulling.returncode == 75:  # it was gone before it had answered once
        out = labeler("pull", "--json").out
    assert json.loads(out)["coded"] == CODED, err
    notes = labeler.table(tables.ANNOTATIONS)
    assert sorted(notes["unit"]) == sorted(tasks["unit"][:CODED])
    codings = labeler.table(tables.CODINGS)
    assert len(codings[codings["variable"] == "relevance"]) == CODED
    rows = labeler.rows()
    assert labeler("pull", "--json").json["changed"] == 0
    same(rows, labeler.rows())


def test_network_cut_is_waited_for(studio: Server, tmp_path: Path) -> None:
    """A cable that is pulled for 12 s in the middle of push: it waits, says so and goes on."""
    with wire(studio.url) as line:
        labeler = study(tmp_path, studio, posts=POSTS, url=line.address)
        before = on_server(studio)
        with begun(labeler, "push") as pushing:
            until(lambda: on_server(studio) > before)
            line.cut()
            threading.Timer(12, line.mend).start()
            _, err = pushing.communicate(timeout=SECONDS)
    assert pushing.returncode == 0, err
    assert "no answer for 10 s" in err
    assert "has answered" in err
    whole(Studio(studio.url, studio.token, server="local"), labeler)


def test_watch_follows_live_and_ends_with_ctrl_c(spare: Spare, tmp_path: Path) -> None:
    """What is coded meanwhile comes in, also after the server was away; Ctrl-C ends with 0."""
    server = spare.server
    labeler = study(tmp_path, server, posts=3)
    labeler("push")
    account = studio_server.account(server, email="ada@example.org", password="made-up-pass")
    first, second, _ = labeler.table(tables.TASKS)["studio_task"]

    with begun(labeler, "pull", "--watch", "--every", "1") as watching:
        assert watching.stdout is not None
        assert "0 of 3 tasks coded" in watching.stdout.readline()
        Studio(server.url, account.token, server="local").submit(int(first), RELEVANT, 1.0)
        assert "1 of 3 tasks coded" in watching.stdout.readline()
        spare.kill()
        err = told(watching, "does not answer")
        spare.start()
        Studio(server.url, account.token, server="local").submit(int(second), RELEVANT, 1.0)
        assert "2 of 3 tasks coded" in watching.stdout.readline()
        watching.send_signal(signal.SIGINT)  # Ctrl-C
        err += watching.communicate(timeout=SECONDS)[1]
    assert watching.returncode == 0, err
    assert "answers again" in err
    assert "Traceback" not in err
    assert "ended" in err
    assert set(labeler.table(tables.RUNS)["outcome"]) <= {"done", "interrupted"}


def test_hook_makes_the_pull_sooner(spare: Spare, tmp_path: Path) -> None:
    """Label Studio's own call, with the secret, brings a code at once; without it 403, no pull."""
    studio_server.stop(spare.data)
    server = spare.start(hooks=True)
    labeler = study(tmp_path, server, posts=2)
    labeler("push")
    account = studio_server.account(server, email="ada@example.org", password="made-up-pass")
    task = labeler.table(tables.TASKS)["studio_task"][0]
    with begun(labeler, "serve", "--port", str(free_port())) as serving:
        assert serving.stdout is not None
        address = serving.stdout.readline().split()[-1] + "hook"
        touched = tmp_path / ".labeler" / "hook"
        for wrong in ({}, {"X-Labeler-Secret": "made up"}, {"X-Labeler-Secret": "ä".encode()}):
            assert requests.post(address, headers=wrong, timeout=SECONDS).status_code == 403
        assert requests.get(address, timeout=SECONDS).status_code == 405
        assert not touched.exists()
        options = ["--every", "600", "--hook", address]
        with begun(labeler, "pull", "--watch", *options) as watching:
            assert watching.stdout is not None
            assert "0 of 2 tasks coded" in watching.stdout.readline()
            Studio(server.url, account.token, server="local").submit(int(task), RELEVANT, 1.0)
            assert "1 of 2 tasks coded" in watching.stdout.readline()
            watching.terminate()
            _, err = watching.communicate(timeout=SECONDS)
        assert watching.returncode == 0, err
        assert touched.exists()
    secret = next(iter(hooks(server)[0]["headers"].values()))
    assert secret not in err + repr(labeler.rows(tables.RUNS))
    assert hooks(server)[0]["send_payload"] is False
    studio_server.stop(spare.data)


def test_hook_that_may_not_be_is_told(studio: Server, tmp_path: Path) -> None:
    """A server that does not call this machine refuses the hook; watching goes on without."""
    labeler = study(tmp_path, studio, posts=2)
    labeler("push")
    with begun(labeler, "pull", "--watch", "--hook", "http://127.0.0.1:9/hook") as watching:
        assert watching.stdout is not None
        assert "0 of 2 tasks coded" in watching.stdout.readline()
        watching.terminate()
        _, err = watching.communicate(timeout=SECONDS)
    assert "studio start --hook" in err
    assert watching.returncode == 0


def hooks(server: Server) -> list[dict[str, Any]]:
    given = {"Authorization": f"Token {server.token}"}
    answer = requests.get(f"{server.url}/api/webhooks/", headers=given, timeout=SECONDS).json()
    assert isinstance(answer, list)
    return answer


def free_port() -> int:
    with socket.socket() as ask:
        ask.bind(("127.0.0.1", 0))
        return int(ask.getsockname()[1])


def test_data_of_another_version_is_copied_first(spare: Spare) -> None:
    """Another version than the one before opens the data: its database is copied, whole, once."""
    version = "1.22.0"
    server = spare.server
    admin = Studio(server.url, server.token, server="local")
    people = admin.users()
    studio_server.stop(spare.data)
    record = spare.data / "server.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"version": version}))
    told: list[str] = []
    spare.start(report=told.append)
    [copy] = (spare.data / "backups").glob(f"label-studio-{version}-*.sqlite3")
    assert any(str(copy) in line for line in told)
    assert copy.stat().st_mode & 0o77 == 0
    with closing(sqlite3.connect(copy)) as held:
        assert held.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        emails = {row[0] for row in held.execute("SELECT email FROM htx_user")}
    assert emails == set(people.values())
    studio_server.stop(spare.data)
    spare.start()
    assert len(list((spare.data / "backups").iterdir())) == 1
