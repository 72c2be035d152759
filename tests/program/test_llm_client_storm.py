"""Everything that can go wrong, at once. Posts, answers and keys are made up."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator

import openai_server
import pytest
from openai_server import KEY, Fault, Server
from waiting import SECONDS, until

from labeler.coders.llm.client.complete import (
    Completion,
    Endpoint,
    RateLimits,
    RequestTally,
    complete,
    probe,
)
from labeler.errors import ServiceRejected, ServiceUnavailable, StoreError
from labeler.keys import canonical

SCHEMA = {
    "type": "object",
    "properties": {
        "rationale": {"type": "string"},
        "variables": {
            "type": "object",
            "properties": {"relevance": {"type": "string", "enum": ["yes", "no"]}},
        },
        "segments": {
            "type": "array",
            "items": {"type": "object", "properties": {"quote": {"type": "string"}}},
        },
    },
}
PASSING = ("500", "503", "reset", "torn", "hang", "drip", "broken", "empty", "429")
FINAL = ("off-schema", "length", "refusal", "code", "quote", "text")


@pytest.fixture
def server() -> Iterator[Server]:
    """A loopback server that answers well until it is told otherwise."""
    with openai_server.serve() as running:
        yield running


def asked(count: int) -> dict[str, str]:
    """Key → body for some posts; the n-th post begins with `post n.`"""
    form = {"type": "json_schema", "json_schema": {"name": "made_up", "schema": SCHEMA}}
    return {
        f"key {n}": canonical(
            {
                "model": "made-up",
                "messages": [{"role": "user", "content": f'"post {n}. these words are made up"'}],
                "response_format": form,
            }
        )
        for n in range(count)
    }


class Kept:
    """A store that counts, and may refuse."""

    def __init__(self, refuse: int = 0) -> None:
        self.answers: dict[str, Completion] = {}
        self.twice: list[str] = []
        self.sizes: list[int] = []
        self.refuse = refuse

    def __call__(self, answers: list[Completion]) -> None:
        if self.refuse and len(self.answers) >= 20:
            self.refuse -= 1
            raise StoreError("store.db: database or disk is full; free some space")
        self.sizes.append(len(answers))
        for answer in answers:
            if answer.completion in self.answers:
                self.twice.append(answer.completion)
            self.answers[answer.completion] = answer


def run(server: Server, bodies: dict[str, str], kept: Kept, **how: object) -> RequestTally:
    """Ask what is not kept yet; a good answer has time to come however busy the machine is."""
    missing = [(key, body) for key, body in bodies.items() if key not in kept.answers]
    options: dict[str, object] = {
        "concurrency": 32,
        "deadline": 5.0,
        "pause": 0.02,
        "patience": 20.0,
    }
    return complete(
        missing,
        base_url=server.url,
        api_key=KEY,
        on_answers=kept,
        **(options | how),  # type: ignore[arg-type]
    )


def storm(server: Server, count: int) -> None:
    """Every second post meets a fault, each kind in turn; those that pass do so once or twice."""
    kinds = (*PASSING, *FINAL, "400", "filter", "429 later")
    for number in range(1, count, 2):
        kind = kinds[number // 2 % len(kinds)]
        later = "0.2" if kind == "429 later" else None
        server.faults.append(
            Fault(
                kind=kind.split()[0],
                match=f"post {number}.",
                times=1 + number % 2 if kind in PASSING or later else None,
                retry_after=later,
                seconds=5.0,
                content="Nothing found.",
            )
        )


def test_every_request_ends_with_an_answer_or_a_named_error(server: Server) -> None:
    """All faults mixed, the key revoked halfway, the server away for two seconds; nothing twice."""
    server.latency = 0.02
    count, bodies, kept = 400, asked(400), Kept()
    how = {"deadline": 1.0, "floor": 0.5}  # some never come
    storm(server, count)
    server.faults.insert(0, Fault(kind="401", after=200))
    with pytest.raises(ServiceRejected) as revoked:
        run(server, bodies, kept, **how)
    assert revoked.value.status == 401
    assert KEY not in str(revoked.value)
    assert len(kept.answers) > 60
    server.faults.pop(0)
    tally = run(server, bodies, kept, **how)
    assert set(kept.answers) == set(bodies)
    assert kept.twice == []
    errors = Counter(answer.error for answer in kept.answers.values())
    assert errors == Counter({"": count - errors["rejected"] - errors["refusal"]}) + Counter(
        rejected=errors["rejected"], refusal=errors["refusal"]
    )
    assert errors["rejected"] == sum(fault.kind == "400" for fault in server.faults)
    assert errors["refusal"] == sum(fault.kind == "filter" for fault in server.faults)
    assert tally.stored == tally.answered + tally.rejected
    assert tally.sent == tally.stored + sum(tally.failures.values())
    assert all(answer.body for answer in kept.answers.values() if not answer.error)
    good = [post for post, times in server.posts.items() if times > 1]
    faulty = {fault.match for fault in server.faults}
    assert {f"{post.split('.')[0]}." for post in good} - faulty <= flew_at_the_stop(server, good)


def flew_at_the_stop(server: Server, posts: list[str]) -> set[str]:
    """Posts that met the revoked key: asked twice, answered once."""
    return {f"{post.split('.')[0]}." for post in posts if server.posts[post] == 2}


def test_a_server_that_is_gone_is_waited_for() -> None:
    """Nobody listens for two seconds: no attempt is lost, no answer asked for again."""
    bodies, kept, server = asked(150), Kept(), Server(latency=0.02)
    ended: list[RequestTally] = []
    with openai_server.serve(0, server):
        port = int(server.url.split(":")[2].split("/")[0])
        thread = threading.Thread(
            target=lambda: ended.append(run(server, bodies, kept, attempts=2, concurrency=8))
        )
        thread.start()
        until(lambda: len(kept.answers) >= 30)
    time.sleep(2)
    gone_at = server.requests
    with openai_server.serve(port, server):
        thread.join(timeout=SECONDS)
    assert [tally.answered for tally in ended] == [150]
    assert len(kept.answers) == 150
    assert 30 <= gone_at < 150
    assert server.requests <= 150 + 8


def test_patience_ends_with_what_to_do(server: Server) -> None:
    """A server that stays away is given up after so many seconds, with few requests."""
    server.fail("503")
    began = time.monotonic()
    with pytest.raises(ServiceUnavailable, match="no answer for 1 s") as gone:
        run(server, asked(50), Kept(), patience=1.0)
    assert time.monotonic() - began >= 1
    assert server.requests < 50
    assert "run the same command again" in str(gone.value)


def test_a_store_that_refuses_once_loses_nothing(server: Server) -> None:
    """What had come when the disk was full is given once more, and the run ends with the error."""
    server.latency = 0.01
    bodies, kept = asked(300), Kept(refuse=1)
    with pytest.raises(StoreError, match="disk is full"):
        run(server, bodies, kept)
    assert len(kept.answers) == server.statuses["200"]
    run(server, bodies, kept)
    assert set(kept.answers) == set(bodies)
    assert (kept.twice, server.requests) == ([], 300)


def test_a_store_that_refuses_for_good_says_what_is_lost(server: Server) -> None:
    """How many answers had come and are not stored stands in the error."""
    server.latency = 0.01
    kept = Kept(refuse=1_000_000)
    with pytest.raises(StoreError) as full:
        run(server, asked(300), kept)
    lost = server.statuses["200"] - len(kept.answers)
    assert f"{lost} answers that had come are not stored and will be asked again" in str(full.value)


def test_answers_come_in_portions(server: Server) -> None:
    """64 at most, and far fewer calls than answers."""
    kept = Kept()
    run(server, asked(500), kept, concurrency=64)
    assert max(kept.sizes) <= 64
    assert len(kept.sizes) < 100


def test_limits_are_read_from_the_first_reply(server: Server) -> None:
    """With 600 a minute in the headers, forty requests take no less than three seconds."""
    server.headers = {"x-ratelimit-limit-requests": "600", "x-ratelimit-remaining-requests": "9"}
    began = time.monotonic()
    tally = run(server, asked(40), Kept(), concurrency=4, limits=None)
    assert tally.limits.requests_per_minute == pytest.approx(600)
    assert time.monotonic() - began > 3


@pytest.mark.parametrize("retry_after", [None, "0.1"])
def test_refusals_cost_no_attempts(server: Server, retry_after: str | None) -> None:
    """Twenty 429s for two attempts each: with patience every post has its answer."""
    server.fail("429", times=20, retry_after=retry_after)
    kept = Kept()
    run(server, asked(30), kept, attempts=2)
    assert len(kept.answers) == 30


@pytest.mark.parametrize("enforces", [True, False])
@pytest.mark.parametrize("logprobs", [True, False])
def test_a_probe_sees_what_is_enforced(server: Server, enforces: bool, logprobs: bool) -> None:
    """Only a server that obeys the schema gives a word that the prompt does not ask for."""
    server.enforces, server.logprobs = enforces, logprobs
    server.headers = {"x-ratelimit-limit-requests": "6000"}
    found = probe(server.url, KEY, "made-up")
    assert found == Endpoint(
        enforces, logprobs, True, (openai_server.MODEL,), RateLimits(6000), found.detail
    )
    assert ("yes" in found.detail) is not enforces
    assert (server.probes, server.requests) == (1, 0)


@pytest.mark.parametrize("rejects", [("logprobs",), ("response_format",)])
def test_a_probe_asks_again_without(server: Server, rejects: tuple[str, ...]) -> None:
    """A parameter that is rejected is a finding, not an error."""
    server.logprobs, server.rejects = True, rejects
    found = probe(server.url, KEY, "made-up")
    assert found.enforces_schema is ("response_format" not in rejects)
    assert found.logprobs is ("logprobs" not in rejects)


def test_a_probe_with_a_wrong_key(server: Server) -> None:
    """It says so at once."""
    with pytest.raises(ServiceRejected, match="OPENAI_API_KEY"):
        probe(server.url, "another", "made-up")


def test_breaking_off_keeps_what_came(server: Server) -> None:
    """Ctrl-C: what has arrived is handed over before the program ends."""
    server.latency = 0.01
    kept, seen = Kept(), RequestTally()

    def broken_off(tally: RequestTally) -> None:
        nonlocal seen
        seen = tally
        if 40 <= tally.answered < 10_000 and not seen.held:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(server, asked(2000), kept, report=broken_off)
    assert 40 <= len(kept.answers) == seen.answered == seen.stored < 2000


def test_a_query_of_the_address_goes_with_each_request(server: Server) -> None:
    """As Azure wants its `api-version`; the rest of the address stays as it is."""
    server.url += "?api-version=2024-10-21"
    kept = Kept()
    run(server, asked(3), kept)
    assert len(kept.answers) == 3
    assert probe(server.url, KEY, "made-up").models == (openai_server.MODEL,)


def test_a_proxy_of_the_environment_is_used(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP_PROXY carries the requests, unless NO_PROXY names the server."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(ServiceUnavailable):
        run(server, asked(1), Kept(), patience=0.0, attempts=1)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    kept = Kept()
    run(server, asked(1), kept)
    assert len(kept.answers) == 1
