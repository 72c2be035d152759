"""How many requests may fly, and when the next may go. Arithmetic only: the time is an argument.

A limit that is known (given, or read in `x-ratelimit-*` headers) is a bucket that fills at 98% of
it and holds a quarter of a second's worth. Where none is known and the server says 429, the
number in flight is cut by a tenth and grows by one a round (additive increase, multiplicative
decrease; Chiu and Jain 1989). `Retry-After` shuts one gate for all requests. A refused request may
be charged, so nothing is sent to find out whether a limit has gone.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

SHARE = 0.98
BURST = 0.25
CUT = 0.9
CAUTIOUS = 32
LONGEST_PAUSE = 60.0
DAY = 86_400.0
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": DAY}


class RateLimits(NamedTuple):
    """What the server allows a minute; None: it names no such limit."""

    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None


@dataclass
class Bucket:
    """An amount that fills at `rate` a second up to `capacity`, and may be owed."""

    rate: float
    at: float
    capacity: float = 0.0
    level: float = 0.0
    share: float = 1.0

    def __post_init__(self) -> None:
        self.capacity = max(1.0, self.rate * BURST)
        self.level = self.capacity

    def wait(self, now: float, amount: float) -> float:
        """Seconds until `amount` may be taken; more than the capacity is owed afterwards."""
        self._fill(now)
        missing = min(amount, self.capacity) - self.level
        return max(0.0, missing / (self.rate * self.share))

    def take(self, now: float, amount: float) -> None:
        """Take it, or with a negative amount give it back."""
        self._fill(now)
        self.level = min(self.capacity, self.level - amount)

    def empty(self, now: float) -> None:
        """The server refused although there was something left: go more slowly for a while."""
        self._fill(now)
        self.level = min(self.level, 0.0)
        self.share = max(0.1, self.share * CUT)

    def _fill(self, now: float) -> None:
        passed, self.at = max(0.0, now - self.at), max(now, self.at)
        self.share = min(1.0, self.share + 0.01 * passed)
        self.level = min(self.capacity, self.level + passed * self.rate * self.share)


@dataclass
class RateLimiter:
    """One for all requests of a run. `limits` None: nothing is known before the first answer."""

    most: int
    limits: RateLimits | None
    now: float
    pause: float = 0.5
    flying: int = 0
    resume: float = 0.0
    window: float = 0.0
    requests: Bucket | None = None
    tokens: Bucket | None = None
    told: RateLimits = field(default_factory=RateLimits)
    _cut: float = -math.inf
    _least: float = 1.0
    _cuts_in_a_row: int = 0
    _prompt_per_character: float = 0.25
    _answer: float = 256.0

    def __post_init__(self) -> None:
        self.window = float(self.most)
        if self.limits is not None:
            self._set(self.now, *self.limits)

    def room(self) -> bool:
        """Whether one more may fly, by their number alone."""
        careful = self.limits is None
        return self.flying < min(self.window, CAUTIOUS if careful else self.window)

    def tokens_of(self, characters: int) -> float:
        """The tokens that a body of so many characters is expected to cost, with its answer."""
        return characters * self._prompt_per_character + self._answer

    def wait(self, now: float, tokens: float) -> float:
        """Seconds until the next may be sent; inf where one has to land first."""
        if now < self.resume:
            return self.resume - now
        if not self.room():
            return math.inf
        return max(
            self.requests.wait(now, 1) if self.requests else 0.0,
            self.tokens.wait(now, tokens) if self.tokens else 0.0,
        )

    def sent(self, now: float, tokens: float) -> None:
        """One more flies; its tokens are reserved."""
        self.flying += 1
        if self.requests:
            self.requests.take(now, 1)
        if self.tokens:
            self.tokens.take(now, tokens)

    def landed(self) -> None:
        """One less flies, however it ended."""
        self.flying -= 1

    def answered(
        self, now: float, *, characters: int, reserved: float, used: tuple[int, int] | None
    ) -> None:
        """An answer came: settle its tokens (prompt, answer), allow more in flight."""
        self._cuts_in_a_row = 0
        if self.flying >= self.window - 1:
            self.window = min(float(self.most), self.window + 1 / max(1.0, self.window))
        if used is None:
            return
        if self.tokens:
            self.tokens.take(now, sum(used) - reserved)
        self._prompt_per_character += 0.05 * (
            used[0] / max(1, characters) - self._prompt_per_character
        )
        self._answer += 0.05 * (used[1] - self._answer)

    def throttled(self, now: float, *, sent: float, wait: float | None) -> None:
        """A 429: shut the gate as asked; else slow down, once for all that flew together."""
        if self.limits is None:
            self.limits = RateLimits()
        if wait is not None:
            self.resume = max(self.resume, now + wait)
        known = [bucket for bucket in (self.requests, self.tokens) if bucket]
        if sent <= self._cut:  # the same burst: no more fit in than those that still fly
            if not known:
                self.window = min(self.window, max(self._least, self.flying - 1))
            return
        self._cut = now
        self._cuts_in_a_row += 1
        for bucket in known:
            bucket.empty(now)
        if not known:
            self.window = max(1.0, min(self.window, self.flying) * CUT)
            self._least = max(1.0, self.window / 2)
        if wait is None and self._cuts_in_a_row > 1:
            longer = min(LONGEST_PAUSE, self.pause * 2 ** min(self._cuts_in_a_row - 2, 10))
            self.resume = max(self.resume, now + longer)

    def learn(self, now: float, headers: Mapping[str, str]) -> None:
        """Take what the headers say of limits; a limit that was given is never raised by them."""
        found, first = limits_in(headers), self.limits is None
        given = self.limits or RateLimits()
        self.limits = given
        if found != self.told:
            self.told = found
            lower = [
                min((limit for limit in pair if limit is not None), default=None)
                for pair in zip(given, found, strict=True)
            ]
            self._set(now, *lower)
        for bucket, what in ((self.requests, "requests"), (self.tokens, "tokens")):
            left = _number(headers.get(f"x-ratelimit-remaining-{what}")) if bucket else None
            if bucket and left is not None:
                bucket.level = min(bucket.level, left - (self.flying if first else 0))

    @property
    def learned(self) -> RateLimits:
        """The limits that are kept."""
        return RateLimits(
            *(
                None if bucket is None else bucket.rate * 60 / SHARE
                for bucket in (self.requests, self.tokens)
            )
        )

    def _set(self, now: float, requests: float | None, tokens: float | None) -> None:
        self.requests = _bucket(now, requests, self.requests)
        self.tokens = _bucket(now, tokens, self.tokens)


@dataclass
class Deadlines:
    """How long to wait for one answer: four times what 95 of 100 took of late, 1.5 times a try."""

    longest: float
    floor: float
    _took: deque[float] = field(default_factory=lambda: deque(maxlen=256))
    _since: int = 0
    p95: float | None = None

    def took(self, seconds: float) -> None:
        """An answer took so long (or a request was given up after so long)."""
        self._took.append(seconds)
        self._since += 1
        if self._since >= 16 and len(self._took) >= 32:
            self._since = 0
            self.p95 = sorted(self._took)[math.ceil(0.95 * len(self._took)) - 1]

    def after(self, attempt: int) -> float:
        """Seconds for the n-th attempt, from 1; the longest until enough answers have come."""
        if self.p95 is None:
            return self.longest
        return min(self.longest, max(self.floor, 4 * self.p95) * 1.5 ** (attempt - 1))


def limits_in(headers: Mapping[str, str]) -> RateLimits:
    """The limits a minute that `x-ratelimit-limit-*` names; a limit a day is spread over it."""
    return RateLimits(_limit(headers, "requests"), _limit(headers, "tokens"))


def _limit(headers: Mapping[str, str], what: str) -> float | None:
    limit = _number(headers.get(f"x-ratelimit-limit-{what}"))
    if limit is None or limit <= 0:
        return None
    left = _number(headers.get(f"x-ratelimit-remaining-{what}"))
    reset = _seconds(headers.get(f"x-ratelimit-reset-{what}"))
    if left is not None and reset is not None and limit > left:
        filled_in = reset * limit / (limit - left)
        if filled_in > 3600:
            return limit * 60 / DAY
    return limit


def _bucket(now: float, limit: float | None, before: Bucket | None) -> Bucket | None:
    if limit is None:
        return None
    bucket = Bucket(limit * SHARE / 60, now)
    if before is not None:
        bucket.level = min(before.level, bucket.capacity)
        bucket.share = before.share
    return bucket


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _seconds(text: str | None) -> float | None:
    """A span as OpenAI writes it (`6m0s`, `20ms`), or a plain number of seconds."""
    parts = _SPAN.findall(text or "")
    if parts:
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
    return _number(text)
