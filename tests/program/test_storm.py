"""Everything that can go wrong, at once, through `labeler prelabel` as a person runs it.

Every post, answer, limit and key is made up.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai_server
import pytest
from openai_server import KEY, MODEL, Fault, Server
from running import Ended, Labeler
from waiting import SECONDS, until

from labeler.store import tables

POSTS, CONCURRENCY = 300, 16
PASSING = ("500", "503", "reset", "torn", "broken", "empty", "429", "429 with Retry-After")
SILENT = ("hang", "drip")  # asked again when the deadline passes: few of them, as each takes 5 s
NAMED = {
    "off-schema": "off-schema",
    "code": "off-schema",
    "text": "off-schema",
    "twice": "off-schema",
    "refusal": "refusal",
    "filter": "refusal",
    "length": "truncated",
    "400": "rejected",
    "context": "rejected",
}
KINDS = (*PASSING, *NAMED, "cut once", "quote")
GONE_SECONDS = 3.0


def made_up(number: int) -> dict[str, str]:
    """A post that its first word tells from the others."""
    text = f"number{number}x The made-up bot listened to my worries all night and then I slept."
    return {"id": f"p{number}", "platform": "x", "text": text}


@pytest.fixture
def server() -> Iterator[Server]:
    """A loopback server that answers well until it is told otherwise."""
    with openai_server.serve() as running:
        yield running


def project(root: Path, count: int, **settings: str) -> Labeler:
    """`labeler` on a new project with so many posts, and some of them twice in the file."""
    labeler = Labeler(root, {"LABELER_LLM_MODEL": MODEL, "OPENAI_API_KEY": KEY} | settings)
    labeler("init")
    lines = [json.dumps(made_up(number)) for number in [*range(count), *range(0, count, 10)]]
    (root / "posts.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    labeler("ingest", root / "posts.jsonl")
    return labeler


def storm() -> list[Fault]:
    """Every second post meets a fault, each kind in turn; those that pass do so once or twice."""
    faults = []
    for place, number in enumerate(range(1, POSTS, 2)):
        kind = KINDS[place % len(KINDS)]
        passes = kind in PASSING or kind == "cut once"
        faults.append(
            Fault(
                kind={"cut once": "length"}.get(kind, kind.split()[0]),
                match=f"number{number}x",
                times=1 + place % 2 if passes and kind != "cut once" else 1 if passes else None,
                retry_after="0.2" if kind == "429 with Retry-After" else None,
                content="Nothing found.",
            )
        )
    for place in range(6):
        match = f"number{2 * place + 100}x"
        faults.append(Fault(kind=SILENT[place % 2], match=match, times=1, after=100))
    return faults


def expected(faults: list[Fault]) -> dict[str, str]:
    """First word of a post → the error that it must end with, while its fault lasts."""
    return {f.match: NAMED[f.kind] for f in faults if f.times is None and f.kind in NAMED}


def words(labeler: Labeler) -> dict[str, str]:
    """Unit → the first word of its post."""
    posts = labeler.rows(tables.POSTS)["posts"]
    return {row["unit"]: row["text"].split(" ")[0] for row in posts}


def errors(labeler: Labeler) -> dict[str, str]:
    """First word of a post → how it ends in the store: '' where an answer can be read."""
    first, found = words(labeler), dict[str, str]()
    for row in labeler.rows(tables.COMPLETIONS)["completions"]:
        word = first[row["unit"]]
        found[word] = row["error"] if found.get(word, "-") else ""
        assert row["answer"] or (row["error"] and row["detail"])
    return found


def free_port() -> int:
    """A port of loopback where nobody listens now."""
    with socket.socket() as ask:
        ask.bind(("127.0.0.1", 0))
        return int(ask.getsockname()[1])


def paid(server: Server) -> Counter[str]:
    """First word of a post → how many whole completions the server gave about it."""
    return Counter({post.split(" ")[0]: times for post, times in server.paid.items()})


def counted(done: dict[str, Any], labeler: Labeler, before: dict[str, Any]) -> None:
    """Assert that what the command says are the sums of what the store holds."""
    answered = {row["unit"] for row in labeler.rows(tables.COMPLETIONS)["completions"]}
    assert done["before"] == len({row["unit"] for row in before["completions"]})
    assert done["before"] + done["answered"] == len(answered)
    named = Counter(error for error in errors(labeler).values() if error)
    told = {kind: n for kind, n in done["faults"].items() if kind in set(NAMED.values())}
    assert told == named


def outlasting(labeler: Labeler, server: Server, port: int, *options: str) -> Ended:
    """A run during which the server is stopped, and started again at the same port."""
    began = server.requests
    with openai_server.serve(port, server):
        process = subprocess.Popen(
            labeler.command(("prelabel", "--no-canary", "--json", *options)),
            env=labeler.variables({}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until(lambda: server.requests >= began + 40, process)
    try:
        time.sleep(GONE_SECONDS)
        assert process.poll() is None
        with openai_server.serve(port, server):
            out, err = process.communicate(timeout=SECONDS)
    finally:
        if process.poll() is None:
            process.kill()
    assert process.returncode == 0, err
    return Ended(out, err)


def test_storm(tmp_path: Path) -> None:
    """All faults at once, the key revoked halfway, the server away: nothing is lost or paid twice.

    300 posts (30 of them twice in the file): the first run ends when the key is revoked, the
    second outlasts an absence and leaves each post with codings or a named error, the third asks
    again where an error was, and the fourth asks nothing.
    """
    server = Server(latency=0.1, tokens_per_minute=4_000_000)
    port = free_port()
    labeler = project(tmp_path, POSTS, LABELER_LLM_URL=f"http://127.0.0.1:{port}/v1")
    assert len(words(labeler)) == POSTS
    options = ("--concurrency", str(CONCURRENCY))
    server.faults = [Fault(kind="401", after=150), *storm()]
    with openai_server.serve(port, server):
        failed = labeler("prelabel", "--no-canary", *options, code=1)
        assert "OPENAI_API_KEY" in failed.err
        assert KEY not in failed.out + failed.err
    first = labeler.rows(tables.COMPLETIONS, tables.CODINGS)
    assert 0 < len(first["completions"]) < POSTS
    server.faults.pop(0)
    faults = list(server.faults)

    done = outlasting(labeler, server, port, *options).json
    found = errors(labeler)
    assert len(found) == POSTS
    assert {word: error for word, error in found.items() if error} == expected(faults)
    counted(done, labeler, first)
    second, first_words = labeler.rows(tables.COMPLETIONS, tables.CODINGS), words(labeler)
    assert done["codings"] == len(second["codings"]) - len(first["codings"])
    coded = {first_words[row["unit"]] for row in second["codings"]}
    assert coded == {word for word, error in found.items() if not error}
    kept = [row for row in first["completions"] if not row["error"]]
    assert [row for row in second["completions"] if row in kept] == kept
    cut = {fault.match for fault in faults if fault.kind == "length"}
    for word, times in paid(server).items():
        assert times == 1 + (word in cut), (word, times)

    server.faults.clear()
    with openai_server.serve(port, server):
        command = ("prelabel", "--no-canary", "--retry-errors", "--json", *options)
        before = server.requests
        done = labeler(*command).json
        assert done["requests"] == server.requests - before
        assert set(errors(labeler).values()) == {""}
        counted(done, labeler, second)
        again = paid(server)
        for word in found:
            assert again[word] <= 1 + (word in cut) + (word in expected(faults))
        asked = server.requests
        assert labeler(*command).json["requests"] == 0
        assert server.requests == asked
    assert labeler.rows(tables.CLAIMS)["claims"] == []


def test_a_cut_answer_that_is_asked_again_is_paid_once(tmp_path: Path, server: Server) -> None:
    """Cut off at both limits, then well: --retry-errors takes one good answer and not two."""
    labeler = project(tmp_path, 3, LABELER_LLM_URL=server.url)
    server.fail("length", match="number1x")
    labeler("prelabel", "--no-canary")
    assert errors(labeler) == {"number0x": "", "number1x": "truncated", "number2x": ""}
    server.faults.clear()
    before = paid(server)
    assert before == {"number0x": 1, "number1x": 2, "number2x": 1}
    labeler("prelabel", "--no-canary", "--retry-errors")
    assert set(errors(labeler).values()) == {""}
    assert paid(server) - before == {"number1x": 1}


def test_invented_quotes_are_told(tmp_path: Path, server: Server) -> None:
    """The command says how many segments have a quote that stands in no post, as the store does."""
    labeler = project(tmp_path, 12, LABELER_LLM_URL=server.url)
    server.fail("quote")
    done = labeler("prelabel", "--no-canary", "--json").json
    segments = labeler.rows(tables.SEGMENTS)["segments"]
    missing = [row for row in segments if row["found"] == "missing"]
    assert len(missing) > 0
    assert done["faults"] == {"unsupported-quote": len(missing)}


def test_a_run_that_asks_nothing_writes_no_coding(tmp_path: Path, server: Server) -> None:
    """What was cut off and answered well at the higher limit is counted by the run that did it."""
    labeler = project(tmp_path, 3, LABELER_LLM_URL=server.url)
    server.fail("length", match="number1x", times=1)
    command = ("prelabel", "--no-canary", "--json")
    assert labeler(*command).json["codings"] == len(labeler.rows(tables.CODINGS)["codings"])
    done = labeler(*command).json
    assert (done["requests"], done["codings"]) == (0, 0)
