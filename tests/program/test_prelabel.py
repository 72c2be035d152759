"""`labeler prelabel` against a server that fails as told: what leaves, is stored, and is spent.

Every post, answer, price and key is made up.
"""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai_server
import pytest
from openai_server import KEY, MODEL, Server
from running import Ended, Labeler
from waiting import SECONDS, until

from labeler.coders.llm import request_body, tokens
from labeler.store import database, tables

POSTS = 12
PROMPT_TOKENS, ANSWER_TOKENS = 900, 30  # what the server says that each request took
INPUT, OUTPUT = 100.0, 1000.0  # a million tokens of the made-up price
EACH = (PROMPT_TOKENS * INPUT + ANSWER_TOKENS * OUTPUT) / 1_000_000
ANSWER_LIMIT = 100
HANDLE, MAIL, SITE = "@made_up_handle", "ada.made.up@example.org", "https://example.org/made-up/"


def post(number: int) -> dict[str, str]:
    """A post of few words, one of them a handle, an address or a link."""
    hidden = (f"{HANDLE}{number}", f"{number}.{MAIL}", f"{SITE}{number}")[number % 3]
    return {
        "id": f"p{number}",
        "platform": "x",
        "date": "2026-01-01",
        "author": f"made_up_author_{number}",
        "url": f"{SITE}post/{number}",
        "text": f"number{number}x 😀 {hidden} says the bot helped 😀 {hidden}",
    }


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a few posts, to be copied."""
    root = tmp_path_factory.mktemp("ingested") / "study"
    root.mkdir()
    labeler = Labeler(root)
    labeler("init")
    lines = [json.dumps(post(number)) for number in range(POSTS)]
    (root / "posts.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
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
    return on(root, server)


def on(root: Path, server: Server, **settings: str) -> Labeler:
    """`labeler` on a project folder, with the loopback server as its model."""
    own = {"LABELER_LLM_MODEL": MODEL, "LABELER_LLM_URL": server.url, "OPENAI_API_KEY": KEY}
    return Labeler(root, own | settings)


def quiet(labeler: Labeler, *words: str | Path, code: int = 0) -> Ended:
    """Prelabel without a canary."""
    return labeler("prelabel", "--no-canary", *words, code=code)


def price_file(folder: Path, model: str = MODEL) -> Path:
    """A made-up price for a model, beside the one for servers of this machine: nothing."""
    price = f"in_job: 0.5\n    as_of: {time.strftime('%Y-%m-%d')}\n    source: made up\n"
    path = folder / "made-up-prices.yaml"
    path.write_text(
        f"currency: EUR\nmodels:\n  {model}:\n    input: {INPUT}\n    output: {OUTPUT}\n    {price}"
        f"  local:\n    input: 0.0\n    output: 0.0\n    {price}",
        "utf-8",
    )
    return path


def completions(labeler: Labeler) -> list[dict[Any, Any]]:
    """What is stored of the model's answers."""
    return labeler.rows(tables.COMPLETIONS)["completions"]


def good(labeler: Labeler) -> set[str]:
    """The units that have a good answer."""
    return {row["unit"] for row in completions(labeler) if not row["error"]}


def ledger(labeler: Labeler) -> list[dict[Any, Any]]:
    """What left to whom, as the ledger has it."""
    return labeler.rows(tables.LEDGER)["ledger"]


def test_what_leaves_is_hidden_and_quotes_stand_in_the_original(
    labeler: Labeler, server: Server
) -> None:
    """No handle, address or link reaches the server, and its quotes are found in the posts."""
    done = quiet(labeler, "--json").json
    assert (done["answered"], done["requests"], done["faults"]) == (POSTS, POSTS, {})
    seen = b"\n".join(server.bodies).decode()
    assert server.requests == POSTS
    for secret in ("made_up_handle", "ada.made.up", "example.org", "made_up_author"):
        assert secret not in seen
    rows = labeler.rows()
    texts = {row["unit"]: row["text"] for row in rows["posts"]}
    assert any(HANDLE in text for text in texts.values())
    quotes = rows["segments"]
    assert quotes
    for row in quotes:
        assert texts[row["unit"]][row["start"] : row["end"]] == row["quote"]
        assert "[user_" not in row["quote"] + row["found"]
    assert any("made_up_handle" in row["quote"] or "example" in row["quote"] for row in quotes)


def test_stored_request_makes_the_sent_body_again(labeler: Labeler, server: Server) -> None:
    """Prompt and request of each stored answer make, byte for byte, what the server received.

    A replicate is the same request once more: quallmer #125, #127, #185 dropped the temperature or
    the endpoint.
    """
    quiet(labeler, "--replicates", "2")
    rows = labeler.rows(tables.PROMPTS, tables.COMPLETIONS)
    contents = {row["prompt"]: row["content"] for row in rows["prompts"]}
    assert len(contents) == 1
    made = [
        request_body.body(contents[json.loads(row["request"])["prompt"]], row["request"])
        for row in rows["completions"]
    ]
    assert sorted(made) == sorted(body.decode() for body in server.bodies)
    replicates = Counter(row["replicate"] for row in rows["completions"])
    assert replicates == {1: POSTS, 2: POSTS}
    assert {row["replicate"] for row in labeler.rows(tables.CODINGS)["codings"]} == {1, 2}
    assert ledger(labeler)[0]["posts"] == POSTS
    assert server.requests == 2 * POSTS
    assert {json.loads(body)["temperature"] for body in server.bodies} == {0}
    assert set(Counter(json.dumps(json.loads(body)["messages"]) for body in made).values()) == {2}


def test_ledger_is_there_when_a_run_fails_halfway(labeler: Labeler, server: Server) -> None:
    """A run whose key is revoked halfway keeps its answers and its ledger; the next goes on."""
    server.fail("401", after=5)
    failed = quiet(labeler, "--concurrency", "1", code=1)
    assert "OPENAI_API_KEY" in failed.err
    assert KEY not in failed.out + failed.err
    stored = completions(labeler)
    assert len(stored) == server.statuses["200"] == 5
    (row,) = ledger(labeler)
    assert (row["host"], row["fields"], row["purpose"]) == ("127.0.0.1", "text", "prelabel")
    assert 5 <= row["posts"] <= 7
    assert "De-identification rules" in row["rules"]
    assert "names of persons" in row["rules"]
    run = labeler.table(tables.RUNS).set_index("run").loc[row["run"]]
    assert run["outcome"].startswith("ServiceRejected")
    assert run["started"] <= row["started"] < run["ended"]
    server.faults.clear()
    done = quiet(labeler, "--json").json
    assert (done["before"], done["answered"], done["requests"]) == (5, POSTS - 5, POSTS - 5)
    after = completions(labeler)
    assert [row for row in after if row in stored] == stored
    assert sorted(row["posts"] for row in ledger(labeler))[-1] == POSTS - 5
    assert labeler.rows(tables.CLAIMS)["claims"] == []


def test_wrong_key_lets_no_post_out(labeler: Labeler, server: Server) -> None:
    """The canary hears of a wrong key: no post has left, and the ledger has no row."""
    server.key = "another"
    assert "OPENAI_API_KEY" in labeler("prelabel", code=1).err
    assert all("NOTE TO THE SYSTEM" in sent for sent in server.posts)
    assert ledger(labeler) == []


def test_truncated_answers_are_asked_again_with_a_higher_limit(
    labeler: Labeler, server: Server
) -> None:
    """quallmer #153 (cut off was read as "nothing here"): what was cut off is asked once more under
    another key, with four times the limit."""
    server.fail("length", times=3)
    done = quiet(labeler, "--answer-limit", str(ANSWER_LIMIT), "--json").json
    assert (done["answered"], done["requests"]) == (POSTS, POSTS + 3)
    assert done["faults"] == {}
    rows = completions(labeler)
    cut = {row["unit"]: row["completion"] for row in rows if row["error"] == "truncated"}
    again = {
        row["unit"]: row for row in rows if json.loads(row["request"])["limit"] != ANSWER_LIMIT
    }
    assert cut.keys() == again.keys()
    assert len(cut) == 3
    for unit, row in again.items():
        assert row["completion"] != cut[unit]
        assert json.loads(row["request"])["limit"] == 4 * ANSWER_LIMIT
        assert row["error"] == ""
    coded = labeler.rows(tables.CODINGS)["codings"]
    assert {row["unit"] for row in coded} == {row["unit"] for row in rows}
    assert quiet(labeler, "--answer-limit", str(ANSWER_LIMIT), "--json").json["requests"] == 0


def test_failures_have_names_and_only_they_are_asked_again(
    labeler: Labeler, server: Server
) -> None:
    """quallmer #128, #134 (a schema that nobody enforced), #132, #136 (partial failures that looked
    complete): refused, off-schema, rejected, wrong code: an error each; --retry-errors asks just
    those."""
    bad = {"number1x": "refusal", "number2x": "off-schema", "number3x": "400"}
    server.faults = [openai_server.Fault(kind=kind, match=text) for text, kind in bad.items()]
    server.fail("code", match="number4x")
    server.fail("text", match="number5x", content="no JSON at all \x00")
    server.fail("broken", match="number6x", times=1)
    done = quiet(labeler, "--json").json
    assert done["faults"] == {"refusal": 1, "off-schema": 3, "rejected": 1}
    texts = {row["unit"]: row["text"].split(" ")[0] for row in labeler.rows(tables.POSTS)["posts"]}
    errors = {texts[row["unit"]]: row["error"] for row in completions(labeler) if row["error"]}
    assert errors == {
        "number1x": "refusal",
        "number2x": "off-schema",
        "number3x": "rejected",
        "number4x": "off-schema",
        "number5x": "off-schema",
    }
    assert all(row["detail"] for row in completions(labeler) if row["error"])
    asked = server.requests
    server.faults.clear()
    done = quiet(labeler, "--retry-errors", "--json").json
    assert (done["requests"], done["faults"]) == (5, {})
    kept = completions(labeler)
    assert len(kept) == POSTS + 5
    assert {texts[row["unit"]]: row["error"] for row in kept if row["error"]} == errors
    again = [sent.split(" ")[0] for sent in list(map(sent_post, server.bodies))[asked:]]
    assert sorted(again) == sorted(errors)
    assert len(good(labeler)) == POSTS
    assert {row["unit"] for row in labeler.rows(tables.CODINGS)["codings"]} == good(labeler)
    assert quiet(labeler, "--retry-errors", "--json").json["requests"] == 0


def sent_post(body: bytes) -> str:
    """The post of a body, as it was sent."""
    return openai_server.post_of(json.loads(body))


def test_budget_stops_and_a_higher_one_goes_on(labeler: Labeler, server: Server) -> None:
    """Nothing is sent that could overrun the budget; what was spent is the sum of a column."""
    prices = price_file(labeler.root)
    command = ("--prices", prices, "--answer-limit", "16", "--concurrency", "2", "--json")
    budget = 10 * EACH
    server.latency = 0.15  # longer than an answer waits to be stored
    done = quiet(labeler, *command, "--budget", str(budget)).json
    assert 0 < done["answered"] < POSTS
    assert any("budget" in remark for remark in done["remarks"])
    first = completions(labeler)
    assert [row["cost"] for row in first] == pytest.approx([EACH] * len(first))
    assert {row["currency"] for row in first} == {"EUR"}
    spent = sum(row["cost"] for row in first)
    assert spent <= budget
    assert done["spent"] == f"{spent:.4f} EUR"
    done = quiet(labeler, *command, "--budget", str(40 * EACH)).json
    assert (done["answered"], done["remarks"]) == (POSTS - len(first), [])
    assert sum(row["cost"] for row in completions(labeler)) == pytest.approx(POSTS * EACH)
    assert done["spent"] == f"{POSTS * EACH:.4f} EUR"
    assert server.requests == POSTS


def test_budget_holds_back_only_what_flies(labeler: Labeler, server: Server) -> None:
    """What waits for its turn reserves nothing: a budget that pays for all stops nobody.

    Twelve at once would reserve 12 × 8,000 tokens of answer, more than this budget.
    """
    prices = price_file(labeler.root)
    command = ("--prices", prices, "--concurrency", "1", "--json", "--budget", "40")
    assert 12 * 8000 * OUTPUT / 1_000_000 > 40
    server.latency = 0.15  # longer than an answer waits to be stored
    done = quiet(labeler, *command).json
    assert (done["answered"], done["remarks"]) == (POSTS, [])


def test_budget_too_small_for_the_canary_as_well(labeler: Labeler, server: Server) -> None:
    """A budget that pays for one request at a time sends no canary beside it, and says so."""
    prices = price_file(labeler.root)
    shown = quiet(labeler, "--prices", prices, "--answer-limit", "16", "--dry-run").out
    (size,) = tokens.count([shown.rstrip("\n").split("\n")[-1]], model=MODEL)
    most = (size * INPUT + 4 * 16 * OUTPUT) / 1_000_000
    budget = ("--prices", prices, "--answer-limit", "16", "--budget", str(1.5 * most))
    done = labeler("prelabel", "--json", *budget).json
    assert 1 <= done["requests"] == done["answered"] == server.requests < POSTS
    assert server.most_flying == 1
    assert not any(b"NOTE TO THE SYSTEM" in body for body in server.bodies)
    assert sum(row["cost"] for row in completions(labeler)) <= 1.5 * most
    assert any("budget" in remark for remark in done["remarks"])


def test_budget_needs_a_price(labeler: Labeler, server: Server) -> None:
    """Without a price for the model, a budget is refused, and a cost is unknown and says why."""
    text = price_file(labeler.root, "another-model").read_text("utf-8")
    prices = labeler.root / "no-price.yaml"
    prices.write_text(text[: text.index("  local:")], "utf-8")
    told = quiet(labeler, "--prices", prices, "--budget", "1", code=1).err
    assert MODEL in told
    assert "--prices" in told
    assert server.requests == 0
    done = quiet(labeler, "--prices", prices, "--limit", "2", "--json").json
    assert "2 answers of unknown cost" in done["spent"]
    for row in completions(labeler):
        assert row["cost"] is None
        assert "no price for model" in row["cost_note"]


def test_dry_run_sends_nothing(labeler: Labeler, server: Server) -> None:
    """A dry run says requests, tokens and cost, shows one request, and sends none."""
    told = quiet(labeler, "--dry-run", "--prices", price_file(labeler.root)).out
    assert f"requests: {POSTS}\n" in told
    assert "tokens sent: " in told
    assert "cost at full price: " in told
    assert "cost as jobs: " in told
    assert " EUR" in told
    shown = json.loads(told.rstrip("\n").split("\n")[-1])
    assert shown["model"] == MODEL
    assert "number" in openai_server.post_of(shown)
    assert "made_up_handle" not in told
    assert server.requests + server.probes == 0
    rows = labeler.rows(tables.COMPLETIONS, tables.PROMPTS, tables.LEDGER, tables.CLAIMS)
    assert not any(rows.values())


def test_canary_rings_when_the_model_obeys_posts(labeler: Labeler, server: Server) -> None:
    """A model that does what a post says is reported; the canary itself is no data."""
    server.fail("obey")
    told = labeler("prelabel").out
    assert "ALARM: the model obeys posts" in told
    assert server.requests == POSTS + 1
    assert "NOTE TO THE SYSTEM" in sent_post(server.bodies[0])
    rows = labeler.rows()
    units = {row["unit"] for row in rows["posts"]}
    assert len(units) == POSTS
    for name in ("codings", "segments"):
        assert {row["unit"] for row in rows[name]} <= units
    (heard,) = (row for row in rows["completions"] if row["unit"] not in units)
    assert heard["unit"].startswith("canary:")
    assert "obeys posts" in heard["detail"]
    status = labeler("status", "--json").json
    (stage,) = (stage for stage in status["stages"] if stage["stage"] == "prelabel")
    assert (stage["done"], stage["pending"]) == (POSTS, 0)
    assert "ALARM" in stage["what"]
    assert ledger(labeler)[0]["posts"] == POSTS
    engine = database.connect(f"sqlite:///{labeler.root}/.labeler/labeler.db")
    ada = {
        "coder": "human:ada",
        "kind": "human",
        "spec": '{"email":"ada@example.org"}',
        "created": "",
    }
    database.add(engine, tables.CODERS, tables.frame(tables.CODERS, [ada]))
    engine.dispose()
    design = ("--overlap", "1", "--blind", "6", "--assisted", "6")
    labeler("sample", "--batch", "all", "--coders", "ada", *design)
    assert {row["unit"] for row in labeler.rows(tables.TASKS)["tasks"]} <= units


def test_canary_is_silent_where_it_should_be(labeler: Labeler, server: Server) -> None:
    """A model that obeys nobody rings nothing; with --no-canary none is sent."""
    assert "ALARM" not in labeler("prelabel", "--limit", "2").out
    assert server.requests == 3
    server.fail("obey")
    assert "ALARM" not in quiet(labeler).out
    assert server.requests == POSTS + 1
    assert sum("NOTE TO THE SYSTEM" in sent for sent in server.posts) == 1


def moved(labeler: Labeler, url: str, server: Server) -> Labeler:
    """The same project with its posts in another store."""
    there = on(labeler.root, server, LABELER_DATABASE=url)
    there("ingest", labeler.root / "posts.jsonl")
    return there


def test_two_processes_ask_each_post_once(labeler: Labeler, server: Server, store_url: str) -> None:
    """Two that run at once on one store share the posts: no post is asked twice."""
    shared = moved(labeler, store_url, server)
    server.latency = 0.4
    command = ("prelabel", "--no-canary", "--concurrency", "2")
    both = [shared.begin(*command) for _ in range(2)]
    assert [process.wait(SECONDS) for process in both] == [0, 0]
    quiet(shared)
    assert server.requests == POSTS
    assert set(server.posts.values()) == {1}
    rows = shared.rows(tables.COMPLETIONS, tables.CODINGS, tables.CLAIMS)
    assert len(rows["completions"]) == POSTS
    assert len({row["unit"] for row in rows["codings"]}) == POSTS
    assert rows["claims"] == []


def test_claims_of_a_killed_process_fall(labeler: Labeler, server: Server) -> None:
    """What a killed process had claimed, the next one asks; its ledger row is there."""
    server.latency = 0.5  # the run takes three seconds, so that the moment is not missed
    process = labeler.begin("prelabel", "--no-canary", "--concurrency", "2")
    try:
        until(lambda: server.requests >= 5)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(SECONDS)
    assert labeler.rows(tables.CLAIMS)["claims"]
    assert [row["host"] for row in ledger(labeler)] == ["127.0.0.1"]
    assert ledger(labeler)[0]["posts"] >= 5
    before = len(completions(labeler))
    server.latency = 0.0
    done = quiet(labeler, "--json").json
    assert (done["answered"], done["remarks"]) == (POSTS - before, [])
    assert server.requests <= POSTS + 4
    assert labeler.rows(tables.CLAIMS)["claims"] == []


def test_server_that_is_gone_comes_back(labeler: Labeler, server: Server, tmp_path: Path) -> None:
    """With patience a run outlasts a server that is gone for some seconds."""
    port = int(server.url.rsplit(":", 1)[1].removesuffix("/v1"))
    with openai_server.serve() as own:
        own.latency = 0.5  # the run takes three seconds, so that the moment is not missed
        port = int(own.url.rsplit(":", 1)[1].removesuffix("/v1"))
        there = on(labeler.root, own)
        process = there.begin("prelabel", "--no-canary", "--concurrency", "2", "--patience", "30")
        until(lambda: own.requests >= 4)
    try:
        time.sleep(2.0)
        assert process.poll() is None
        with openai_server.serve(port, own):
            assert process.wait(SECONDS) == 0
    finally:
        if process.poll() is None:
            process.kill()
    assert len(good(there)) == POSTS
    assert own.statuses["200"] <= POSTS + 2


def test_store_that_is_locked_loses_nothing(labeler: Labeler, server: Server) -> None:
    """Locked for longer than it waits, the store stays whole; the error says what to do."""
    server.latency = 1.0  # the run takes six seconds, so that the moment is not missed
    words = ("prelabel", "--no-canary", "--concurrency", "2")
    store = f"sqlite:///{labeler.root}/.labeler/labeler.db?busy_seconds=3"
    with subprocess.Popen(
        labeler.command(words),
        env=labeler.variables({"LABELER_DATABASE": store}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until(lambda: len(completions(labeler)) >= 2)
        lock = sqlite3.connect(labeler.root / ".labeler" / "labeler.db", timeout=20)
        lock.isolation_level = None
        lock.execute("BEGIN IMMEDIATE")
        stored = completions(labeler)
        until(lambda: server.statuses["200"] >= len(stored) + 2)
        told = process.communicate(timeout=SECONDS)[1]
        lock.execute("ROLLBACK")
        lock.close()
    assert process.returncode == 1, told
    assert "Traceback" not in told
    assert "another program has written for over 3 s: end it" in told
    after = completions(labeler)
    assert [row for row in after if row in stored] == stored
    server.latency = 0.0
    quiet(labeler)
    assert len(good(labeler)) == POSTS


def test_full_disk_loses_nothing_that_was_stored(
    ingested: Path, server: Server, tmp_path: Path
) -> None:
    """On a full disk the error says to free space; what was stored stays, and the next goes on."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk can be mounted by root only")
    try:
        labeler = on(Path(shutil.copytree(ingested, disk / "study")), server)
        quiet(labeler, "--limit", "2")
        stored = completions(labeler)
        assert len(stored) == 2
        ballast = disk / "ballast"
        server.fail("text", content="x" * 2_000_000)
        with ballast.open("wb") as full:
            full.write(bytes(shutil.disk_usage(disk).free - 600_000))
        told = quiet(labeler, "--concurrency", "1", code=1).err
        assert "free some space" in told
        ballast.unlink()
        after = completions(labeler)
        assert [row for row in after if row in stored] == stored
        server.faults.clear()
        quiet(labeler)
        assert len(good(labeler)) == POSTS
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_no_key_is_stored_or_shown(labeler: Labeler, server: Server) -> None:
    """quallmer #154 (keys in the trail): the key stands in no file of the project, and in nothing
    that a command says."""
    server.fail("503", times=1)
    server.fail("400", match="number3x")
    ended = [labeler("prelabel"), labeler("status", "--json")]
    assert all(KEY not in one.out + one.err for one in ended)
    found = [path for path in labeler.root.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in found)
    assert not [path for path in found if KEY.encode() in path.read_bytes()]
