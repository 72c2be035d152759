"""Is the server there at all? Arithmetic only: the time is an argument."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

DISTINCT = 3
LONGEST_SCOUT = 5.0


@dataclass
class ServerAvailability:
    """Tells a server that is gone from requests that fail, where there is patience to wait for it.

    It is gone when a connection is refused, or when three requests that have nothing to do with
    each other fail one after another as if it were. From then on one request at a time asks, a
    scout, with a pause that doubles up to five seconds, until there is any sign of life.
    """

    patience: float
    pause: float
    alive: float
    gone: bool = False
    _suspects: set[str] = field(default_factory=set)
    _scouts: int = 0
    _next: float = 0.0

    def heard(self) -> None:
        """The server said something, if only that it refuses."""
        self.gone = False
        self._suspects.clear()
        self._scouts = 0

    def answered(self, now: float) -> None:
        """The server answered."""
        self.heard()
        self.alive = now

    def silent(self, now: float, completion: str, *, surely: bool) -> bool:
        """A request failed as if nobody were there; whether that is the request's own failure."""
        if not self.patience:
            return True
        self._suspects.add(completion)
        if surely or len(self._suspects) >= DISTINCT:
            self.gone = True
        if self.gone and now >= self._next:
            self._next = now + min(LONGEST_SCOUT, self.pause * 2 ** min(self._scouts, 20))
            self._scouts += 1
        return not self.gone

    def wait(self, now: float, flying: int) -> float:
        """Seconds until a request may go out as scout; inf while another is out; 0 in peace."""
        if not self.gone:
            return 0.0
        return math.inf if flying else max(0.0, self._next - now)

    def over(self, now: float, *, resume: float, slack: float) -> bool:
        """Whether patience has ended: no answer for so long, closed gates not counted."""
        silence = now - max(self.alive, resume)
        return self.patience > 0 and silence > self.patience + slack
