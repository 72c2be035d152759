"""Buckets, gates and deadlines, with the time made up."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.coders.llm.client.availability import Presence
from labeler.coders.llm.client.failures import of_status, retry_after
from labeler.coders.llm.client.rate_limits import Bucket, Deadlines, Governor, Limits, limits_in


def sent_in(governor: Governor, seconds: float, tokens: float = 0.0) -> int:
    """How many a client that always has another one sends, when each lands at once."""
    now, count = governor.now, 0
    end = now + seconds
    while now < end:
        wait = governor.wait(now, tokens)
        if wait > 0:
            now += max(wait, 1e-6)
            continue
        governor.sent(now, tokens)
        governor.landed()
        count += 1
    return count


def test_a_given_limit_is_used_to_98_of_100() -> None:
    """6,000 a minute: 98 a second and 24 at the start, so 1,004 in ten seconds."""
    governor = Governor(64, Limits(6000), 100.0)
    assert sent_in(governor, 10) == pytest.approx(98 * 10 + 24.5, abs=2)


def test_a_token_limit_is_used_to_98_of_100() -> None:
    """60,000 tokens a minute, 1,000 each: 980 a second, so about ten in ten seconds."""
    governor = Governor(64, Limits(tokens_per_minute=60_000), 0.0)
    assert sent_in(governor, 10, tokens=1000) == 10


@given(
    rate=st.floats(0.1, 1000),
    takes=st.lists(st.tuples(st.floats(0, 10), st.floats(0.1, 50)), max_size=60),
)
def test_no_bucket_gives_more_than_it_got(rate: float, takes: list[tuple[float, float]]) -> None:
    """Whoever waits as told never takes more than the capacity, the rate and one debt allow."""
    bucket = Bucket(rate, 0.0)
    now = total = 0.0
    for pause, amount in takes:
        now += pause
        now += bucket.wait(now, amount)
        bucket.take(now, amount)
        total += amount
        assert total <= bucket.capacity + rate * now + 50 + 1e-6


def test_usage_settles_what_was_reserved() -> None:
    """Of 1,000 tokens reserved and 200 used, 800 are there again."""
    governor = Governor(8, Limits(tokens_per_minute=600_000), 0.0)
    bucket = governor.tokens
    assert bucket is not None
    before = bucket.level
    governor.sent(0.0, 1000)
    governor.answered(0.0, signs=800, reserved=1000, used=(150, 50))
    assert bucket.level == before - 200


def test_limits_are_read_in_headers() -> None:
    """A minute by default; a day where what is missing takes so long to come back."""
    headers = {
        "x-ratelimit-limit-requests": "6000",
        "x-ratelimit-remaining-requests": "5999",
        "x-ratelimit-reset-requests": "10ms",
        "x-ratelimit-limit-tokens": "1440",
        "x-ratelimit-remaining-tokens": "1439",
        "x-ratelimit-reset-tokens": "1m0s",
    }
    assert limits_in(headers) == Limits(6000, 1)
    assert limits_in({"x-ratelimit-limit-requests": "many"}) == Limits()


def test_a_learned_limit_never_raises_a_given_one() -> None:
    """The lower of the two is kept, whichever side it comes from."""
    governor = Governor(8, Limits(60, None), 0.0)
    governor.learn(0.0, {"x-ratelimit-limit-requests": "6000", "x-ratelimit-limit-tokens": "900"})
    assert governor.learned == pytest.approx(Limits(60, 900))
    governor.learn(0.0, {"x-ratelimit-limit-requests": "30"})
    assert governor.learned.requests_per_minute == pytest.approx(30)


def test_nothing_known_means_a_careful_start() -> None:
    """32 fly until the first reply; then as many as allowed."""
    governor = Governor(100, None, 0.0)
    for _ in range(32):
        governor.sent(0.0, 0)
    assert governor.wait(0.0, 0) == math.inf
    governor.learn(0.1, {})
    assert governor.wait(0.1, 0) == 0


def test_a_hidden_limit_cuts_once_for_all_that_flew_together() -> None:
    """Ten refusals of one burst cut by a tenth, not by two thirds; a later one cuts again."""
    governor = Governor(100, Limits(), 0.0)
    for _ in range(100):
        governor.sent(0.0, 0)
    for _ in range(10):
        governor.throttled(0.1, sent=0.0, wait=None)
    assert governor.window == 90
    governor.flying = 90
    governor.throttled(0.3, sent=0.2, wait=None)
    assert governor.window == 81


def test_growth_is_one_a_round() -> None:
    """After as many answers as fly together, one more may."""
    governor = Governor(100, Limits(), 0.0, window=0.0)
    governor.window, governor.flying = 50.0, 50
    for _ in range(50):
        governor.answered(1.0, signs=1, reserved=0, used=None)
    assert governor.window == pytest.approx(51, abs=0.02)


def test_retry_after_shuts_the_gate_for_all() -> None:
    """Nobody is sent before, whoever was refused."""
    governor = Governor(8, Limits(6000), 0.0)
    governor.throttled(1.0, sent=0.5, wait=7.0)
    assert governor.wait(2.0, 0) == pytest.approx(6.0)
    assert governor.wait(8.5, 0) == 0


def test_refusals_without_an_answer_between_wait_longer_each_time() -> None:
    """A client that hammers is charged for it: the pause doubles to a minute at most."""
    governor = Governor(8, Limits(), 0.0, pause=0.5)
    pauses, now = [], 0.0
    for _ in range(12):
        now = max(now, governor.resume) + 1
        governor.flying = 1
        governor.throttled(now, sent=now - 0.5, wait=None)
        pauses.append(max(0.0, governor.resume - now))
    assert pauses[:5] == [0.0, 0.5, 1.0, 2.0, 4.0]
    assert pauses[-1] == 60.0


def test_deadlines_follow_what_answers_take() -> None:
    """Four times what 95 of 100 take, half as long again each attempt, between floor and cap."""
    deadlines = Deadlines(longest=120, floor=2)
    assert deadlines.after(1) == 120
    for number in range(100):
        deadlines.took(1 + number / 100)
    assert deadlines.after(1) == pytest.approx(4 * deadlines.p95) if deadlines.p95 else False
    assert deadlines.after(2) == pytest.approx(1.5 * deadlines.after(1))
    assert deadlines.after(30) == 120
    for _ in range(300):
        deadlines.took(0.001)
    assert deadlines.after(1) == 2


def test_one_bad_request_is_no_server_gone() -> None:
    """The same request again and again fails by itself; three different ones mean the server."""
    presence = Presence(patience=60, pause=0.5, alive=0.0)
    assert presence.silent(1, "a", surely=False)
    assert presence.silent(2, "a", surely=False)
    assert presence.silent(3, "b", surely=False)
    assert not presence.gone
    assert not presence.silent(4, "c", surely=False)
    assert presence.wait(4, flying=1) == math.inf
    assert presence.wait(4, flying=0) == pytest.approx(0.5)
    presence.answered(5)
    assert presence.wait(5, flying=3) == 0


def test_patience_ends() -> None:
    """Sixty seconds without an answer, a closed gate not counted."""
    presence = Presence(patience=60, pause=0.5, alive=0.0)
    assert not presence.over(59, resume=0, slack=0)
    assert presence.over(61, resume=0, slack=0)
    assert not presence.over(100, resume=90, slack=0)
    assert not Presence(patience=0, pause=0.5, alive=0.0).over(999, resume=0, slack=0)


@pytest.mark.parametrize(
    ("status", "body", "fate"),
    [
        (429, b'{"error": {"code": "rate_limit_exceeded"}}', "slower"),
        (429, b'{"error": {"type": "insufficient_quota"}}', "stop"),
        (400, b'{"error": {"code": "content_filter"}}', "row"),
        (400, b'{"error": "no such parameter"}', "row"),
        (422, b'{"detail": [{"loc": []}]}', "row"),
        (408, b"", "again"),
        (409, b"", "again"),
        (425, b"", "again"),
        (529, b"<html>", "again"),
        (204, b"", "again"),
        (401, b"", "stop"),
    ],
)
def test_what_a_status_means(status: int, body: bytes, fate: str) -> None:
    """Each status has one fate, whatever the shape of its body."""
    assert of_status(status, {}, body, api_key="k").fate == fate


@given(raw=st.binary(max_size=200), status=st.integers(100, 599), wait=st.text(max_size=20))
def test_no_body_and_no_header_raises(raw: bytes, status: int, wait: str) -> None:
    """Arbitrary bytes as a body and arbitrary text as a header are some failure."""
    failure = of_status(status, {"retry-after": wait}, raw, api_key="k")
    assert failure.fate in ("again", "slower", "row", "stop")
    assert (retry_after({"retry-after": wait}) or 0) >= 0


def test_a_burst_shows_how_many_fit() -> None:
    """Of 160 sent at once 64 are refused: about the 96 that were not may fly from then on."""
    governor = Governor(256, Limits(), 0.0)
    for _ in range(160):
        governor.sent(0.0, 0)
    for _ in range(64):
        governor.throttled(0.1, sent=0.0, wait=None)
        governor.landed()
    assert governor.flying == 96
    assert governor.window == 96
