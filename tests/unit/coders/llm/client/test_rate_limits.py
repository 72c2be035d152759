"""Buckets, gates and deadlines, with the time made up."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.coders.llm.client.availability import ServerAvailability
from labeler.coders.llm.client.failures import of_status, retry_after
from labeler.coders.llm.client.rate_limits import (
    Bucket,
    Deadlines,
    RateLimiter,
    RateLimits,
    limits_in,
)


def sent_in(limiter: RateLimiter, seconds: float, tokens: float = 0.0) -> int:
    """How many a client that always has another one sends, when each lands at once."""
    now, count = limiter.now, 0
    end = now + seconds
    while now < end:
        wait = limiter.wait(now, tokens)
        if wait > 0:
            now += max(wait, 1e-6)
            continue
        limiter.sent(now, tokens)
        limiter.landed()
        count += 1
    return count


def test_a_given_limit_is_used_to_98_of_100() -> None:
    """6,000 a minute: 98 a second and 24 at the start, so 1,004 in ten seconds."""
    limiter = RateLimiter(64, RateLimits(6000), 100.0)
    assert sent_in(limiter, 10) == pytest.approx(98 * 10 + 24.5, abs=2)


def test_a_token_limit_is_used_to_98_of_100() -> None:
    """60,000 tokens a minute, 1,000 each: 980 a second, so about ten in ten seconds."""
    limiter = RateLimiter(64, RateLimits(tokens_per_minute=60_000), 0.0)
    assert sent_in(limiter, 10, tokens=1000) == 10


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
    limiter = RateLimiter(8, RateLimits(tokens_per_minute=600_000), 0.0)
    bucket = limiter.tokens
    assert bucket is not None
    before = bucket.level
    limiter.sent(0.0, 1000)
    limiter.answered(0.0, characters=800, reserved=1000, used=(150, 50))
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
    assert limits_in(headers) == RateLimits(6000, 1)
    assert limits_in({"x-ratelimit-limit-requests": "many"}) == RateLimits()


def test_a_learned_limit_never_raises_a_given_one() -> None:
    """The lower of the two is kept, whichever side it comes from."""
    limiter = RateLimiter(8, RateLimits(60, None), 0.0)
    limiter.learn(0.0, {"x-ratelimit-limit-requests": "6000", "x-ratelimit-limit-tokens": "900"})
    assert limiter.learned == pytest.approx(RateLimits(60, 900))
    limiter.learn(0.0, {"x-ratelimit-limit-requests": "30"})
    assert limiter.learned.requests_per_minute == pytest.approx(30)


def test_nothing_known_means_a_careful_start() -> None:
    """32 fly until the first reply; then as many as allowed."""
    limiter = RateLimiter(100, None, 0.0)
    for _ in range(32):
        limiter.sent(0.0, 0)
    assert limiter.wait(0.0, 0) == math.inf
    limiter.learn(0.1, {})
    assert limiter.wait(0.1, 0) == 0


def test_a_hidden_limit_cuts_once_for_all_that_flew_together() -> None:
    """Ten refusals of one burst cut by a tenth, not by two thirds; a later one cuts again."""
    limiter = RateLimiter(100, RateLimits(), 0.0)
    for _ in range(100):
        limiter.sent(0.0, 0)
    for _ in range(10):
        limiter.throttled(0.1, sent=0.0, wait=None)
    assert limiter.window == 90
    limiter.flying = 90
    limiter.throttled(0.3, sent=0.2, wait=None)
    assert limiter.window == 81


def test_growth_is_one_a_round() -> None:
    """After as many answers as fly together, one more may."""
    limiter = RateLimiter(100, RateLimits(), 0.0, window=0.0)
    limiter.window, limiter.flying = 50.0, 50
    for _ in range(50):
        limiter.answered(1.0, characters=1, reserved=0, used=None)
    assert limiter.window == pytest.approx(51, abs=0.02)


def test_retry_after_shuts_the_gate_for_all() -> None:
    """Nobody is sent before, whoever was refused."""
    limiter = RateLimiter(8, RateLimits(6000), 0.0)
    limiter.throttled(1.0, sent=0.5, wait=7.0)
    assert limiter.wait(2.0, 0) == pytest.approx(6.0)
    assert limiter.wait(8.5, 0) == 0


def test_refusals_without_an_answer_between_wait_longer_each_time() -> None:
    """A client that hammers is charged for it: the pause doubles to a minute at most."""
    limiter = RateLimiter(8, RateLimits(), 0.0, pause=0.5)
    pauses, now = [], 0.0
    for _ in range(12):
        now = max(now, limiter.resume) + 1
        limiter.flying = 1
        limiter.throttled(now, sent=now - 0.5, wait=None)
        pauses.append(max(0.0, limiter.resume - now))
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
    availability = ServerAvailability(patience=60, pause=0.5, alive=0.0)
    assert availability.silent(1, "a", surely=False)
    assert availability.silent(2, "a", surely=False)
    assert availability.silent(3, "b", surely=False)
    assert not availability.gone
    assert not availability.silent(4, "c", surely=False)
    assert availability.wait(4, flying=1) == math.inf
    assert availability.wait(4, flying=0) == pytest.approx(0.5)
    availability.answered(5)
    assert availability.wait(5, flying=3) == 0


def test_patience_ends() -> None:
    """Sixty seconds without an answer, a closed gate not counted."""
    availability = ServerAvailability(patience=60, pause=0.5, alive=0.0)
    assert not availability.over(59, resume=0, slack=0)
    assert availability.over(61, resume=0, slack=0)
    assert not availability.over(100, resume=90, slack=0)
    assert not ServerAvailability(patience=0, pause=0.5, alive=0.0).over(999, resume=0, slack=0)


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
    limiter = RateLimiter(256, RateLimits(), 0.0)
    for _ in range(160):
        limiter.sent(0.0, 0)
    for _ in range(64):
        limiter.throttled(0.1, sent=0.0, wait=None)
        limiter.landed()
    assert limiter.flying == 96
    assert limiter.window == 96
