"""Commands that are killed, or whose services are down, go on where they ended.

Every post, answer and key is made up.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai_server
import pytest
import requests
from running import Labeler, same, sample_posts
from waiting import SECONDS, until
from wire import wire

from labeler.store import tables
from labeler.studio.client.studio import Studio
from labeler.studio.server.server import Server

BATCH = "killed"
BLIND, ASSISTED = 200, 40
POSTS, CONCURRENCY = 60, 4
LATE = 0.5  # seconds that each request to Label Studio travels: a kill comes between two of them


def killed(process: subprocess.Popen[bytes], reached: Callable[[], bool]) -> None:
    """SIGKILL the process at the moment that `reached` names, which must come before its end."""
    try:
        until(reached, process)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(SECONDS)
    assert process.returncode == -signal.SIGKILL


@contextlib.contextmanager
def model_server(latency: float) -> Iterator[str]:
    """The address of a model server in a process of its own; ended by process id."""
    program = [sys.executable, str(Path(openai_server.__file__)), "--latency", str(latency)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def asked(url: str) -> dict[str, Any]:
    """What the model server was asked so far."""
    answer = requests.get(url.replace("/v1", "/control"), timeout=SECONDS).json()
    assert isinstance(answer, dict)
    return answer


def projects(studio: Server) -> list[dict[str, Any]]:
    """The projects of the batch at the Label Studio, as it lists them."""
    given = {"Authorization": f"Token {studio.token}"}
    answer = requests.get(
        f"{studio.url}/api/projects/?page_size=1000", headers=given, timeout=SECONDS
    ).json()
    return [one for one in answer["results"] if one["title"].startswith(f"{BATCH} · ")]


def test_killed_push_brings_each_unit_once(studio: Server, tmp_path: Path) -> None:
    """Killed when a project, some tasks, or the next project is there, push ends as if never."""
    with wire(studio.url, late=LATE) as line:
        own = {"LABELER_STUDIO_URL": line.address, "LABEL_STUDIO_API_KEY": studio.token}
        _push_killed_thrice(Labeler(tmp_path, own), studio)


def _push_killed_thrice(labeler: Labeler, studio: Server) -> None:
    labeler("init")
    labeler("ingest", sample_posts(labeler.root / "made-up.jsonl", BLIND + ASSISTED))
    labeler("prelabel", "--coder", "cues")
    labeler("coders", "add", "ada", "--email", "ada@example.org")
    design = ["--overlap", "1", "--blind", str(BLIND), "--assisted", str(ASSISTED)]
    labeler("sample", "--batch", BATCH, "--coders", "ada", *design)
    moments: list[Callable[[], bool]] = [
        lambda: len(projects(studio)) == 1,
        lambda: any(one["task_number"] for one in projects(studio)),
        lambda: len(projects(studio)) == 2,
    ]
    for moment in moments:
        killed(labeler.begin("push"), moment)
    assert labeler.table(tables.TASKS)["studio_task"].isna().any()
    labeler("push")
    before = labeler.rows()
    assert {seat["new"] for seat in labeler("push", "--json").json} == {0}
    same(before, labeler.rows())
    tasks = labeler.table(tables.TASKS)
    assert len(projects(studio)) == 2
    admin = Studio(studio.url, studio.token, server="local")
    for seat in labeler.table(tables.SEATS).itertuples():
        wanted = tasks[tasks["arm"] == seat.arm]
        there = list(admin.changes(int(seat.project), since=""))
        assert len(there) == len(wanted)
        known = dict(zip(wanted["unit"], wanted["studio_task"], strict=True))
        assert {task.unit: task.task for task in there} == known
        settings = admin.settings(int(seat.project))
        blind = seat.arm == "blind"
        assert settings["tasks"] == (BLIND if blind else ASSISTED)
        assert settings["predictions"] == (0 if blind else ASSISTED)
        assert settings["show_collab_predictions"] is (not blind)


def test_killed_prelabel_asks_nothing_twice(tmp_path: Path) -> None:
    """Killed twice, prelabel loses no stored answer and repeats only what was on its way.

    On its way at a kill: what flew, and what came in the last tenth of a second, which at this
    latency is as much again at most, also where a busy machine makes more of the tenth.
    """
    labeler = Labeler(
        tmp_path,
        {"LABELER_LLM_MODEL": openai_server.MODEL, "OPENAI_API_KEY": openai_server.KEY},
    )
    labeler("init")
    labeler("ingest", sample_posts(tmp_path / "made-up.jsonl", POSTS))
    command = ["prelabel", "--no-canary", "--concurrency", str(CONCURRENCY)]
    with model_server(latency=0.25) as url:
        address = {"LABELER_LLM_URL": url}
        stored: list[dict[Any, Any]] = []
        lost = 2 * CONCURRENCY
        for kills, moment in enumerate((15, 35), start=1):
            killed(
                labeler.begin(*command, **address),
                lambda moment=moment: asked(url)["requests"] >= moment,
            )
            then = labeler.rows(tables.COMPLETIONS)["completions"]
            assert [row for row in then if row in stored] == stored
            assert len(then) >= asked(url)["statuses"].get("200", 0) - kills * lost
            stored = then
        assert 0 < len(stored) < POSTS
        done = labeler(*command, "--json", **address).json
        assert done["before"] == len(stored)
        assert done["answered"] == POSTS - len(stored)
        total = asked(url)
        assert total["requests"] <= POSTS + 2 * lost
        assert Counter(total["posts"]).most_common(1)[0][1] <= 3
        rows = labeler.rows()
        assert [row for row in rows["completions"] if row in stored] == stored
        assert len({row["unit"] for row in rows["completions"]}) == POSTS
        relevance = [row["unit"] for row in rows["codings"] if row["variable"] == "relevance"]
        assert sorted(relevance) == sorted(row["unit"] for row in rows["posts"])
        again = labeler(*command, "--json", **address).json
        assert (again["answered"], again["before"]) == (0, POSTS)
        assert asked(url)["requests"] == total["requests"]
        same(rows, labeler.rows())


def test_services_that_are_down_end_with_75(tmp_path: Path) -> None:
    """Without Label Studio or the model server a command ends with 75 and says what to do."""
    labeler = Labeler(tmp_path, {"LABELER_LLM_MODEL": openai_server.MODEL})
    labeler("init")
    labeler("ingest", sample_posts(tmp_path / "made-up.jsonl", 3))
    told = labeler("prelabel", code=75, LABELER_LLM_URL="http://127.0.0.1:9/v1").err
    assert "http://127.0.0.1:9/v1" in told
    assert "run the same command again" in told
    told = labeler("coders", "add", "ada", code=75).err
    assert "labeler studio start" in told
    outcomes = labeler.table(tables.RUNS)["outcome"].tolist()
    assert outcomes[0] == "done"
    assert outcomes[1].startswith("ServiceUnavailable: ")


@pytest.mark.parametrize("key", ["made-up-wrong-key-77", ""])
def test_wrong_key_ends_with_1_and_is_not_shown(tmp_path: Path, key: str) -> None:
    """A key that the model server refuses ends the run at once, and stands in no message."""
    labeler = Labeler(tmp_path, {"LABELER_LLM_MODEL": openai_server.MODEL})
    labeler("init")
    labeler("ingest", sample_posts(tmp_path / "made-up.jsonl", 30))
    with openai_server.serve() as server:
        given = {"OPENAI_API_KEY": key} if key else {}
        told = labeler("prelabel", code=1, LABELER_LLM_URL=server.url, **given)
        assert "OPENAI_API_KEY" in told.err
        assert not key or key not in told.err + told.out
        assert server.requests <= 8
    assert labeler.rows(tables.COMPLETIONS)["completions"] == []
