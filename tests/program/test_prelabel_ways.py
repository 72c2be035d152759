"""`labeler prelabel` in its other ways: several posts a request, examples, replicates, a probe.

Every post, code, answer and price is made up.
"""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai_server
import pytest
from openai_server import KEY, MODEL, Server
from running import Labeler
from waiting import SECONDS

from labeler.codebook import codebook
from labeler.store import database, tables

POSTS = 12
PRICE = """
currency: EUR
models:
  made-up-model-served:
    {input: 100.0, output: 1000.0, as_of: 2026-01-01, source: made up}
  made-up-model:
    {input: 100.0, output: 1000.0, as_of: 2026-01-01, source: made up}
"""
EACH = (900 * 100.0 + 30 * 1000.0) / 1_000_000  # what the server says that a request took


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a few posts, to be copied."""
    root = tmp_path_factory.mktemp("ways") / "study"
    root.mkdir()
    labeler = Labeler(root)
    labeler("init")
    lines = [
        json.dumps(
            {"id": f"p{n}", "platform": "x", "text": f"made up {n}: the bot helped me sleep"}
        )
        for n in range(POSTS)
    ]
    (root / "posts.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    (root / "prices.yaml").write_text(PRICE, "utf-8")
    labeler("ingest", root / "posts.jsonl")
    return root


@pytest.fixture
def server() -> Iterator[Server]:
    """A loopback server that answers well until it is told otherwise."""
    with openai_server.serve() as running:
        yield running


@pytest.fixture
def labeler(ingested: Path, server: Server, tmp_path: Path) -> Labeler:
    """`labeler` on a copy of the project, with the loopback server as its model."""
    root = Path(shutil.copytree(ingested, tmp_path / "study"))
    own = {"LABELER_LLM_MODEL": MODEL, "LABELER_LLM_URL": server.url, "OPENAI_API_KEY": KEY}
    return Labeler(root, own)


def prelabel(labeler: Labeler, *words: str, code: int = 0) -> Any:
    done = labeler("prelabel", "--no-canary", "--json", *words, code=code)
    return done.json if code == 0 else done


def pilot(labeler: Labeler, *words: str) -> Any:
    return labeler("pilot", "--no-canary", "--json", *words).json


def units(labeler: Labeler) -> list[str]:
    return [row["unit"] for row in labeler.rows(tables.POSTS)["posts"]]


def test_several_posts_share_a_request_after_a_pilot(labeler: Labeler, server: Server) -> None:
    """Refused without a pilot; the pilot codes both ways and compares; then nothing is left over.

    12 posts alone are 12 requests, in threes 4. A request costs the same either way here, so a
    thousand posts cost 1,000 or 1,000 / 3 times its price.
    """
    refused = prelabel(labeler, "--several", "3", code=1)
    assert "labeler pilot --posts 12 --several 3" in refused.err
    assert (server.requests, server.probes) == (0, 0)

    prices = ("--prices", str(labeler.root / "prices.yaml"))
    found = pilot(labeler, "--several", "3", "--posts", "12", *prices)
    assert server.requests == POSTS + POSTS // 3
    assert found["posts"] == POSTS
    assert found["alone"] == pytest.approx(1000 * EACH)
    assert found["together"] == pytest.approx(1000 * EACH / 3)
    shown = {row["variable"]: row for row in found["agreement"]}
    assert shown["relevance"]["comparison"] == "alone and together"
    assert (shown["relevance"]["value"], shown["relevance"]["percent"]) == (1.0, 1.0)
    assert shown["relevance"]["n_units"] == POSTS

    rows = labeler.table(tables.COMPLETIONS)
    together = rows[rows["request"].str.contains('"posts"')]
    assert len(together) == POSTS
    assert together["prompt_tokens"].sum() == 900 * POSTS // 3
    assert together["cost"].sum() == pytest.approx(EACH * POSTS / 3)
    assert prelabel(labeler, "--several", "3")["requests"] == 0
    told = labeler("pilot", "--no-canary", "--several", "3", "--posts", "12", *prices).out
    assert "12 posts coded alone and 3 together" in told
    assert told.count("Consistency between models (says nothing about whether") == 1
    assert "a thousand posts cost 120.0000 EUR alone, 40.0000 EUR together" in told


def test_a_post_left_out_in_company_is_asked_alone(labeler: Labeler, server: Server) -> None:
    """What an answer to several posts passes over is asked once more, by itself, and only that."""
    prelabel(labeler, "--limit", "12")  # alone, so that the pilot only has to ask together
    server.fail("left-out", times=1)
    asked = server.requests
    found = pilot(labeler, "--several", "4", "--posts", "12")
    assert found["posts"] == POSTS
    assert server.requests == asked + 3 + 1
    rows = labeler.table(tables.COMPLETIONS)
    (failed,) = rows[rows["error"] == "left-out"]["unit"]
    (again,) = rows[(rows["unit"] == failed) & ~rows["request"].str.contains('"posts"')][
        "coder"
    ].loc[lambda coders: coders.isin(rows[rows["request"].str.contains('"posts"')]["coder"])]
    assert again in set(rows["coder"])


def adjudicated(labeler: Labeler, chosen: list[str]) -> None:
    """Two units that a person adjudicated in the batch `pilot`, one coded blind in `later`."""
    path = labeler.root / "codebook" / "llm-mental-health.yaml"
    book = codebook.read(path.read_text("utf-8"), source=path.name)
    codes = {"codebook": book.fingerprint, "coder": "human:ada", "arm": "adjudication"}
    rows = [
        {**codes, "unit": unit, "replicate": 1, "variable": "relevance", "value": "not_relevant"}
        for unit in chosen[:2]
    ]
    seat = {"coder": "human:ada", "position": 1}
    tasks = [{**seat, "batch": "pilot", "arm": "adjudication", "unit": unit} for unit in chosen[:2]]
    tasks += [{**seat, "batch": "later", "arm": "blind", "unit": unit} for unit in chosen[2:]]
    engine = database.connect(f"sqlite:///{labeler.root}/.labeler/labeler.db")
    database.replace(
        engine,
        (tables.CODINGS, {"arm": "adjudication"}, tables.frame(tables.CODINGS, rows)),
        (tables.TASKS, {"coder": "human:ada"}, tables.frame(tables.TASKS, tasks)),
    )
    engine.dispose()


def test_examples_stand_in_the_prompt_and_are_not_asked_about(
    labeler: Labeler, server: Server
) -> None:
    """Adjudicated units are shown with their codes, by another coder than the one without."""
    chosen = units(labeler)[:3]
    adjudicated(labeler, chosen)
    assert "--examples-from" in prelabel(labeler, "--examples", "2", code=1).err
    done = prelabel(labeler, "--examples", "2", "--examples-from", "pilot")
    assert done["requests"] == POSTS - 2
    texts = {row["unit"]: row["text"] for row in labeler.rows(tables.POSTS)["posts"]}
    system = json.loads(server.bodies[0])["messages"][0]["content"]
    asked = {openai_server.post_of(json.loads(body)) for body in server.bodies}
    for unit in chosen[:2]:
        assert texts[unit] in system
        assert texts[unit] not in asked
    assert prelabel(labeler)["coder"] != done["coder"]


def test_a_unit_under_evaluation_is_never_an_example(labeler: Labeler, server: Server) -> None:
    """One that is coded blind in another batch as well stops the run before anything leaves."""
    chosen = units(labeler)[:2]
    adjudicated(labeler, [*chosen, chosen[1]])
    told = prelabel(labeler, "--examples", "2", "--examples-from", "pilot", code=1).err
    assert f"unit {chosen[1]} is under evaluation" in told
    assert (server.requests, server.probes) == (0, 0)


def test_replicates_tell_how_sure_a_model_is(labeler: Labeler, server: Server) -> None:
    """A model that wavers: the share of three answers that give each code, counted here."""
    server.wavers = True
    done = prelabel(labeler, "--replicates", "3", "--concurrency", "1")
    assert done["requests"] == 3 * POSTS
    (stable,) = (line for line in done["remarks"] if "each time" in line)
    codings = labeler.table(tables.CODINGS)
    counted = Counter(
        codings[codings["variable"] == "relevance"][["unit", "value"]].itertuples(
            index=False, name=None
        )
    )
    votes = labeler.table(tables.CONFIDENCE).query("kind == 'vote' and variable == 'relevance'")
    assert {(row.unit, row.code): row.confidence for row in tables.rows(votes)} == {
        pair: pytest.approx(times / 3) for pair, times in counted.items()
    }
    assert set(votes["replicates"]) == {3}
    assert 1 in counted.values()  # some post was not always coded alike
    every = labeler.table(tables.CONFIDENCE).query("kind == 'vote'").groupby("unit")
    alike = sum(every["confidence"].min() == 1)
    assert stable.startswith(f"{alike} of {POSTS} posts asked 3 times")
    labeler("prelabel", "--reparse", "--replicates", "3")
    assert len(labeler.table(tables.CONFIDENCE)) > len(votes)


def test_logprobs_where_the_server_tells_them(labeler: Labeler, server: Server) -> None:
    """Each sign has the probability .9, so a code of n signs and two marks has .9 ** (n + 2)."""
    told = prelabel(labeler, "--logprobs", code=1).err
    assert "the server gives no log-probabilities" in told
    assert "leave --logprobs out" in told
    assert (server.requests, server.probes) == (0, 1)
    server.logprobs = True
    labeler("doctor", "--json")
    prelabel(labeler, "--logprobs")
    rows = labeler.table(tables.CONFIDENCE)
    assert set(rows["kind"]) == {"logprob"}
    own = rows[rows["variable"] == "relevance"]
    assert len(own) == POSTS
    for row in tables.rows(own):
        assert row.confidence == pytest.approx(0.9 ** (len(row.code) + 2))


def test_an_endpoint_is_asked_once_what_it_can_do(labeler: Labeler, server: Server) -> None:
    """A schema that is not enforced is told of; a budget that nobody can count is refused."""
    server.enforces = False
    done = prelabel(labeler, "--limit", "2")
    assert any("does not enforce the answer's schema" in line for line in done["remarks"])
    assert server.probes == 1
    prelabel(labeler, "--limit", "2")
    assert server.probes == 1
    (row,) = labeler.rows(tables.ENDPOINTS)["endpoints"]
    assert (row["address"], row["model"], row["enforces"]) == (server.url, MODEL, 0)
    checks = {row["check"]: row for row in labeler("doctor", "--json").json}
    assert checks["model server"]["state"] == "ok"
    assert "not enforced" in checks["answers"]["seen"]
    assert server.probes == 2

    server.counts = False
    labeler("doctor")
    prices = ("--prices", str(labeler.root / "prices.yaml"))
    told = prelabel(labeler, "--budget", "5", *prices, code=1).err
    assert "does not count tokens" in told
    asked = server.requests
    prelabel(labeler, "--limit", "2", *prices)
    assert server.requests == asked + 2
    rows = labeler.table(tables.COMPLETIONS)
    assert "the server did not count tokens" in set(rows["cost_note"])


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(
    labeler: Labeler, server: Server
) -> None:
    """On a terminal a bar that counts posts; in a file the last state as a plain line."""
    plain = labeler("prelabel", "--no-canary", "--limit", "4").err
    assert re.search(r"4 of 4 answers, .* 0 in flight", plain)
    server.latency = 0.4
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        labeler.command(("prelabel", "--no-canary", "--concurrency", "2")),
        env=labeler.variables({"TERM": "xterm", "COLUMNS": "120"}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert done.wait(SECONDS) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert re.search(r"\d+/8", text)
    assert "in flight" in text
    assert "8 of 8 answers" in text
