"""Requests to a server that fails in every way. Posts, answers and keys are made up."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import openai_server
import pandas as pd
import pytest
from openai_server import KEY, Server
from places import ROOT
from waiting import SECONDS

from labeler.codebook import codebook as codebooks
from labeler.coders import requests as prelabels
from labeler.coders.llm.client import http
from labeler.coders.llm.client.complete import Completion, RequestTally, complete
from labeler.coders.requests import PromptTemplates
from labeler.errors import ServiceRejected, ServiceUnavailable
from labeler.keys import canonical
from labeler.store.tables import COMPLETIONS, frame

BOOK = codebooks.read(
    (ROOT / "codebook" / "llm-mental-health.yaml").read_text(encoding="utf-8"), source="codebook"
)
TEMPLATES = PromptTemplates("{{ codebook.title }}", "{{ delimiter }}\n{{ post }}")
SPEC = prelabels.spec(base_url="http://127.0.0.1/v1", model="made-up", templates=TEMPLATES)


@pytest.fixture
def server() -> Iterator[Server]:
    """A loopback server that answers well until it is told otherwise."""
    with openai_server.serve() as running:
        yield running


def posts(count: int) -> pd.DataFrame:
    """Posts with texts `post 0 …`, `post 1 …`"""
    texts = [f"post {n} says that the bot was kind to me tonight, 😀 truly" for n in range(count)]
    return pd.DataFrame({"unit": [f"u{n}" for n in range(count)], "text": texts})


def requests(count: int) -> list[tuple[str, str]]:
    """Keys and bodies of the requests for some posts."""
    prompt = prelabels.prompt(BOOK, SPEC, TEMPLATES)
    made = prelabels.requests(
        posts(count), BOOK, spec=SPEC, prompt=prompt, templates=TEMPLATES, secret=b"s"
    )
    return list(zip(made.completion, made.body, strict=True))


class Asked:
    """What a run handed over, and how it ended."""

    def __init__(self, server: Server | str, asked: list[tuple[str, str]], **how: Any) -> None:
        self.answers: list[Completion] = []
        self.reports = 0
        self.error: Exception | None = None
        self.tally = RequestTally()
        options: dict[str, Any] = {"api_key": KEY, "pause": 0.01, "deadline": 5.0} | how
        try:
            self.tally = complete(
                asked,
                base_url=server if isinstance(server, str) else server.url,
                on_answer=self.answers.append,
                report=self.report,
                **options,
            )
        except (ServiceRejected, ServiceUnavailable) as error:
            self.error = error

    def report(self, tally: RequestTally) -> None:
        self.reports += 1

    @property
    def keys(self) -> list[str]:
        return sorted(answer.completion for answer in self.answers)


def keys(asked: list[tuple[str, str]]) -> list[str]:
    """The keys of some requests, in order of the text."""
    return sorted(key for key, _ in asked)


def test_answers_come_raw_and_parse(server: Server) -> None:
    """What is sent is what was keyed; what came is handed over as it is, and fits the codebook."""
    asked = requests(12)
    run = Asked(server, asked)
    assert run.error is None
    assert run.keys == keys(asked)
    assert sorted(server.bodies) == sorted(body.encode() for _, body in asked)
    answer = run.answers[0]
    assert json.loads(answer.body)["object"] == "chat.completion"
    assert (answer.served, answer.prompt_tokens, answer.answer_tokens) == (
        "made-up-served",
        900,
        30,
    )
    assert 0 < answer.seconds < 5
    assert (run.tally.sent, run.tally.answered, run.tally.prompt_tokens) == (12, 12, 10_800)
    assert run.reports >= 1
    found = parsed(asked, run.answers)
    assert set(found.faults.kind) <= {"abstained"}
    assert found.codings.unit.nunique() == 12
    assert (found.segments.found == "exact").all()
    assert len(found.segments) > 0


def parsed(asked: list[tuple[str, str]], answers: list[Completion]) -> prelabels.ParsedCompletions:
    """The answers as codings; the n-th request is that of post n."""
    units = {key: f"u{n}" for n, (key, _) in enumerate(asked)}
    shared = {"codebook": BOOK.fingerprint, "coder": prelabels.coder(SPEC), "replicate": 1}
    rows = [
        shared
        | {"completion": answer.completion, "unit": units[answer.completion]}
        | {"answer": answer.body, "error": answer.error, "detail": answer.detail}
        for answer in answers
    ]
    return prelabels.parse(frame(COMPLETIONS, rows), posts(len(asked)), BOOK)


def test_no_more_fly_than_allowed(server: Server) -> None:
    """`concurrency` bounds the requests in flight, and is used."""
    server.together = 4
    Asked(server, requests(20), concurrency=4)
    assert server.most_flying == 4


def test_requests_are_drawn_as_they_are_sent(server: Server) -> None:
    """A stream of requests is read as workers become free, not all at once."""
    drawn: list[int] = []
    ahead: list[int] = []

    def stream() -> Iterator[tuple[str, str]]:
        for number, request in enumerate(requests(30)):
            drawn.append(number)
            yield request

    complete(
        stream(),
        base_url=server.url,
        api_key=KEY,
        concurrency=3,
        on_answer=lambda answer: ahead.append(len(drawn)),
    )
    assert ahead[0] <= 3
    assert len(ahead) == 30


# A good answer must come within the deadline however busy the machine is; these never come.
PASSING = {
    "500": {},
    "503": {},
    "reset": {},
    "torn": {},
    "broken": {},
    "empty": {},
    "429": {},
    "hang": {"seconds": 30.0},
    "drip": {"seconds": 30.0},
}


@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_is_asked_again(server: Server, kind: str) -> None:
    """Each failure that may pass costs another attempt, and every post has its answer."""
    server.fail(kind, times=3, **PASSING[kind])
    asked = requests(8)
    run = Asked(server, asked, deadline=2.0 if PASSING[kind] else 5.0)
    assert run.error is None
    assert run.keys == keys(asked)
    assert server.requests == run.tally.sent == 11
    assert sum(run.tally.failures.values()) == 3
    assert run.tally.unanswered == 0


def test_retry_after_holds_everybody_back(server: Server) -> None:
    """After a 429 with Retry-After nobody sends before that time, and then all goes on."""
    server.fail("429", times=1, retry_after="1")
    began = time.monotonic()
    run = Asked(server, requests(6), concurrency=1)
    assert run.error is None
    assert time.monotonic() - began >= 1
    assert server.requests == 7


def test_retry_after_as_a_date(server: Server) -> None:
    """Retry-After may be a date; one far away ends the run with what to do."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    server.fail("429", times=1, retry_after=soon)
    assert Asked(server, requests(2), concurrency=1).error is None
    server.fail("503", times=1, retry_after="86400")
    run = Asked(server, requests(2), concurrency=1)
    assert isinstance(run.error, ServiceUnavailable)
    assert "86400 s" in str(run.error)


def test_giving_up_keeps_what_was_answered(server: Server) -> None:
    """One post that always fails does not stop the others; the run ends with exit code 75."""
    server.fail("500", match="post 3 ")
    asked = requests(10)
    run = Asked(server, asked, attempts=3)
    assert isinstance(run.error, ServiceUnavailable)
    assert run.error.exit_code == 75
    assert "1 requests stayed unanswered after 3 attempts" in str(run.error)
    assert len(run.answers) == 9
    assert server.requests == 9 + 3


def test_only_what_is_missing_is_asked_again(server: Server) -> None:
    """A second run with the missing requests pays for nothing twice."""
    server.fail("503", match="post 3 ", times=2)
    server.fail("broken", match="post 5 ", times=2)
    asked = requests(10)
    first = Asked(server, asked, attempts=2)
    assert first.error is not None
    had = set(first.keys)
    second = Asked(server, [request for request in asked if request[0] not in had], attempts=2)
    assert second.error is None
    assert sorted([*first.keys, *second.keys]) == keys(asked)
    answered = {post: count for post, count in server.posts.items() if count > 1}
    assert {post[:7] for post in answered} == {"post 3 ", "post 5 "}


def test_a_server_that_is_gone_stops_the_run_soon(server: Server) -> None:
    """Where all that fly give up in a row, the rest is not tried."""
    server.fail("503", after=10)
    asked = requests(60)
    run = Asked(server, asked, attempts=2, concurrency=4)
    assert isinstance(run.error, ServiceUnavailable)
    assert len(run.answers) == 10
    assert server.requests < 30
    assert "run the same command again" in str(run.error)


def test_nobody_listens() -> None:
    """No server at the address: the message names it, and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        run = Asked(f"http://127.0.0.1:{taken.getsockname()[1]}/v1", requests(1), attempts=2)
    assert isinstance(run.error, ServiceUnavailable)
    assert "model server http://127.0.0.1:" in str(run.error)
    assert "run the same command again" in str(run.error)


@pytest.mark.parametrize("url", ["http://user:hush@127.0.0.1:9/v1", "127.0.0.1:9/v1", "ftp://x"])
def test_an_address_that_cannot_be_used(url: str) -> None:
    """A password in the address, or no http at its front, is told before anything is sent."""
    run = Asked(url, requests(1))
    assert isinstance(run.error, ServiceRejected)
    assert "hush" not in str(run.error)
    assert "address" in str(run.error)
    assert run.tally.sent == 0


@pytest.mark.parametrize(
    ("kind", "status", "advice"),
    [
        ("401", 401, "OPENAI_API_KEY"),
        ("403", 403, "OPENAI_API_KEY"),
        ("404", 404, "model's name"),
        ("quota", 429, "quota"),
    ],
)
def test_what_cannot_succeed_stops_at_once(
    server: Server, kind: str, status: int, advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong key, a wrong address and a used-up quota end the run without another attempt."""
    caplog.set_level(logging.DEBUG)
    server.fail(kind, after=5)
    run = Asked(server, requests(30), concurrency=2)
    assert isinstance(run.error, ServiceRejected)
    assert run.error.status == status
    assert advice in str(run.error)
    assert len(run.answers) == 5
    assert server.requests <= 7
    assert KEY not in str(run.error) + repr(run.error) + caplog.text


def test_what_flies_at_the_stop_still_arrives(server: Server) -> None:
    """Answers that were paid for when the key was revoked are handed over."""
    server.fail("401", match="post 0 ")
    server.fail("late", seconds=0.4)
    run = Asked(server, requests(12), concurrency=4)
    assert isinstance(run.error, ServiceRejected)
    assert len(run.answers) == 3
    assert server.requests == 4


def test_a_rejected_request_is_a_row(server: Server) -> None:
    """A 400 for one post is its error, in the server's words without the key; others go on."""
    server.fail("400", match="post 0 ")
    run = Asked(server, requests(10), concurrency=1)
    assert run.error is None
    rejected = [answer for answer in run.answers if answer.error]
    assert [(answer.error, answer.body) for answer in rejected] == [("rejected", "")]
    assert rejected[0].detail == "400: made-up failure 400, key [key]"
    assert (run.tally.answered, run.tally.rejected) == (9, 1)
    assert server.requests == 10
    assert list(parsed(requests(10), run.answers).faults.kind) == ["rejected"]


def test_rejecting_every_request_is_an_error_of_the_run(server: Server) -> None:
    """When the first five are rejected one and all, nothing is stored and the run says why."""
    server.fail("400")
    run = Asked(server, requests(30), concurrency=2)
    assert isinstance(run.error, ServiceRejected)
    assert "refuses every request (400: made-up failure" in str(run.error)
    assert run.answers == []
    assert server.requests <= 7


def test_a_filtered_prompt_is_a_refusal(server: Server) -> None:
    """A content filter's 400 is a refusal of that post, not a fault of the request."""
    server.fail("filter", match="post 1 ")
    run = Asked(server, requests(3))
    assert sorted(answer.error for answer in run.answers) == ["", "", "refusal"]


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("refusal", "refusal"),
        ("length", "truncated"),
        ("off-schema", "off-schema"),
        ("code", "off-schema"),
        ("text", "off-schema"),
        ("quote", "unsupported-quote"),
    ],
)
def test_bad_answers_are_stored_and_told_apart(server: Server, kind: str, fault: str) -> None:
    """What the model said badly is kept raw, asked once, and is a fault of its row when parsed."""
    server.fail(kind, content="Nothing found.")
    asked = requests(9)
    run = Asked(server, asked)
    assert run.error is None
    assert server.requests == 9
    assert all(answer.body for answer in run.answers)
    found = parsed(asked, run.answers)
    assert set(found.faults.kind) - {"abstained"} == {fault}
    if fault != "unsupported-quote":
        assert len(found.faults) == 9
        assert len(found.codings) == 0


def test_what_the_store_raises_ends_the_run(server: Server) -> None:
    """An error of `on_answer` comes through, and nothing more is sent."""

    class Full(Exception):
        pass

    def store(answer: Completion) -> None:
        raise Full

    with pytest.raises(Full):
        complete(requests(30), base_url=server.url, api_key=KEY, on_answer=store, concurrency=2)
    assert server.requests <= 4


def test_a_server_without_a_key(server: Server) -> None:
    """No key is fine where the server asks for none."""
    server.key = ""
    assert Asked(server, requests(2), api_key="").error is None


def test_nothing_to_ask(server: Server) -> None:
    """No requests, no call."""
    run = Asked(server, [])
    assert (run.error, run.answers, server.requests) == (None, [], 0)


def test_the_server_as_a_program() -> None:
    """Started as a program it says where it is, answers, and is told how to fail over HTTP."""
    program = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "openai_server.py"), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdout is not None
        url = program.stdout.readline().strip()
        control = url.removesuffix("/v1") + "/control"
        told = canonical({"faults": [{"kind": "500", "times": 1}], "latency": 0.01}).encode()
        urllib.request.urlopen(urllib.request.Request(control, data=told), timeout=SECONDS).close()
        run = Asked(url, requests(2))
        assert run.error is None
        with urllib.request.urlopen(control, timeout=SECONDS) as answer:
            counts = json.load(answer)
        assert (counts["requests"], sorted(counts["posts"].values())) == (3, [1, 2])
        assert counts["statuses"] == {"200": 2, "500": 1}
    finally:
        program.terminate()
        program.communicate(timeout=SECONDS)


@pytest.mark.parametrize(
    ("address", "given"),
    [
        ("https://made-up.openai.azure.com/openai/deployments/d?api-version=2024-10-21", KEY),
        ("https://api.openai.com/v1", None),
        ("https://made-up-azure.com.example.org/v1", None),
    ],
)
def test_azure_gets_the_key_in_its_own_header(address: str, given: str | None) -> None:
    """Azure's deployments want `api-key`; nobody else is sent the key a second time."""

    async def header() -> str | None:
        async with http.opened(address, KEY) as door:
            found: str | None = door.session.headers.get("api-key")
            assert door.completions.startswith(address.partition("?")[0])
            return found

    assert asyncio.run(header()) == given


def test_what_cannot_be_sent_now_is_sent_later(server: Server) -> None:
    """None in the requests waits for what flies; it ends the run where nothing does."""
    made, stored = requests(6), list[str]()

    def given() -> Iterator[tuple[str, str] | None]:
        for number, request in enumerate(made):
            while len(stored) < number - 1:
                yield None
            yield request
        yield None

    tally = complete(
        given(),
        base_url=server.url,
        api_key=KEY,
        on_answers=lambda answers: stored.extend(answer.completion for answer in answers),
    )
    assert sorted(stored) == sorted(key for key, _ in made)
    assert tally.answered == 6
    assert server.most_flying <= 2


@pytest.mark.parametrize("kind", ["400", "context", "500", "text"])
def test_what_a_server_repeats_of_secrets_is_hidden(server: Server, kind: str) -> None:
    """Key and query of the address stand in no error and no answer; the version of an API may."""
    key, inside = "sk-made-up/key+0123456789", "zq7-made-up-query/0123"
    server.key = key
    address = f"{server.url}?api-version=2024-10-21&key={inside}"
    repeated = json.dumps([key, inside]).replace("/", "\\/")
    server.fail(kind, content=f"you sent {key}, {repeated}, api-version=2024-10-21")
    run = Asked(address, requests(3), api_key=key, attempts=1)
    assert len(run.answers) == (0 if kind == "500" else 3)
    for said in (str(run.error), *(answer.detail + answer.body for answer in run.answers)):
        assert key not in said and inside not in said
        assert key.replace("/", "\\/") not in said and inside.replace("/", "\\/") not in said
    assert (
        any("2024-10-21" in answer.detail + answer.body for answer in run.answers) or kind == "500"
    )


def test_a_short_key_does_not_change_answers(server: Server) -> None:
    """Servers on one's own machine take any word for a key, which may stand in a post as well."""
    server.key = "ollama"
    server.fail("text", content="I talk to ollama.")
    run = Asked(server, requests(1), api_key="ollama")
    assert ["I talk to ollama." in answer.body for answer in run.answers] == [True]
