"""What a run counts."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from labeler.coders.llm.client.completions import Completion
from labeler.coders.llm.client.rate_limits import RateLimits


@dataclass
class RequestTally:
    """Counts of a run so far.

    `failures` counts attempts that were given again, by kind, and `rows` the requests that ended
    with an error of their own, by kind. `answered` and `rejected` have come, `stored` of both is
    handed over. `flying`, `waiting` (for another attempt), `window` (how many may fly now),
    `limits` (known, a minute), `held` (seconds that the gate stays shut) and `rate` (answers a
    second of late) are the state at this moment.
    """

    sent: int = 0
    answered: int = 0
    rejected: int = 0
    unanswered: int = 0
    stored: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    cached_tokens: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    flying: int = 0
    waiting: int = 0
    window: int = 0
    limits: RateLimits = field(default_factory=RateLimits)
    held: float = 0.0
    rate: float = 0.0
    _marks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=10), repr=False)

    def count(self, answer: Completion) -> None:
        """One more has come."""
        self.rejected += bool(answer.error)
        self.answered += not answer.error
        self.rows.update([answer.error] if answer.error else [])
        self.prompt_tokens += answer.prompt_tokens or 0
        self.answer_tokens += answer.answer_tokens or 0
        self.cached_tokens += answer.cached_tokens or 0

    def clock(self, now: float) -> None:
        """Set `rate`: what came in the last ten seconds or so, a second."""
        done = self.answered + self.rejected
        if not self._marks or now - self._marks[-1][0] >= 1:
            self._marks.append((now, done))
        began, before = self._marks[0]
        self.rate = (done - before) / (now - began) if now > began else 0.0
