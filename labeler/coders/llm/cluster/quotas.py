"""What each of several machines may use of one account: its rate limits, flights and budget.

Arithmetic only: the time is an argument. The shares in use never add up to more than the whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

from labeler.coders.llm.client.complete import RateLimits

WHOLE = Fraction(1)
ROUNDS = 32
MINUTE = 60.0


@dataclass
class RateShares:
    """Fractions of `limits` and `concurrency`, one for each worker that asks."""

    concurrency: int
    limits: RateLimits
    held: dict[str, Fraction] = field(default_factory=dict)
    _until: dict[str, float] = field(default_factory=dict)

    def take(self, worker: str, *, workers: int, now: float) -> Fraction | None:
        """An even share, now that there are so many workers; None: none is free yet.

        A worker that comes later waits until others have handed theirs back and got smaller ones.
        """
        self._expire(now)
        even = Fraction(1, max(1, min(workers, self.concurrency)))
        if worker in self.held or sum(self.held.values()) + even > WHOLE:
            return None
        self.held[worker] = even
        return even

    def back(self, worker: str, *, began: float, sent: int, tokens: int, now: float) -> None:
        """Hand a share back once what was used has come in at its rate.

        Each portion begins with a burst; without this wait, many short ones would be above the
        limit.
        """
        share = float(self.held[worker])
        due = [
            MINUTE * used / (limit * share)
            for used, limit in zip((sent, tokens), self.limits, strict=True)
            if limit is not None
        ]
        self._until[worker] = max(now, began + max(due, default=0.0))
        self._expire(now)

    def lost(self, worker: str) -> None:
        """A worker is gone, and asks no more."""
        self.held.pop(worker, None)
        self._until.pop(worker, None)

    def flights(self, share: Fraction) -> int:
        """Requests in flight at most."""
        return max(1, int(self.concurrency * share))

    def rates(self, share: Fraction) -> RateLimits:
        """Requests and tokens a minute; None where no limit is known."""
        return RateLimits(*(None if one is None else one * float(share) for one in self.limits))

    def units(self, share: Fraction, *, pending: int, workers: int, replicates: int) -> int:
        """How many units go on a portion: a minute's worth or some rounds, and less at the end,
        so that all workers end at the same time."""
        flights, rate = self.flights(share), self.rates(share).requests_per_minute
        most = min(ROUNDS * flights, math.inf if rate is None else rate) / replicates
        even = math.ceil(pending / (2 * workers))
        return max(1, min(pending, math.ceil(most), max(even, math.ceil(flights / replicates))))

    def _expire(self, now: float) -> None:
        for worker in [worker for worker, until in self._until.items() if until <= now]:
            self.lost(worker)


@dataclass
class BudgetShares:
    """What is left of a budget: `left` is neither spent nor given; None: there is no budget."""

    left: float | None
    given: dict[str, float] = field(default_factory=dict)
    gone: float = 0.0

    def take(self, worker: str, *, workers: int) -> float | None:
        """An even part of what is left, given once to each worker; None without a budget."""
        if self.left is None:
            return None
        part = self.left / max(1, workers - len(self.given))
        self.left -= part
        self.given[worker] = part
        return part

    def back(self, worker: str, *, unspent: float) -> None:
        """What a worker did not spend of its part."""
        part = self.given.pop(worker, None)
        if self.left is not None and part is not None:
            self.left += min(part, max(0.0, unspent))

    def lost(self, worker: str) -> None:
        """A worker is gone: nobody knows yet what it spent of its part."""
        self.gone += self.given.pop(worker, 0.0)

    def recount(self, left: float) -> None:
        """All are back, and the store says that so much is left."""
        if self.left is not None:
            self.left, self.gone = min(self.left + self.gone, left), 0.0
