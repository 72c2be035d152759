"""Requests to an OpenAI-compatible server: as many as it takes, retried, answers as they came.

`complete` sends; `probe` asks an endpoint once what it can do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from labeler.coders.llm.client import http
from labeler.coders.llm.client.completions import Completion
from labeler.coders.llm.client.engine import RequestRun
from labeler.coders.llm.client.probe import Endpoint, probe
from labeler.coders.llm.client.progress import RequestTally
from labeler.coders.llm.client.rate_limits import Deadlines, RateLimits

__all__ = ["Completion", "Endpoint", "RateLimits", "RequestTally", "complete", "probe"]


def complete(
    requests: Iterable[tuple[str, str] | None],
    *,
    base_url: str,
    api_key: str,
    on_answer: Callable[[Completion], None] | None = None,
    on_answers: Callable[[list[Completion]], None] | None = None,
    concurrency: int = 8,
    limits: RateLimits | None = None,
    deadline: float = 120.0,
    floor: float = 5.0,
    attempts: int = 5,
    pause: float = 0.5,
    patience: float = 0.0,
    report: Callable[[RequestTally], None] | None = None,
) -> RequestTally:
    """Send each request (its completion's key, its body as JSON) and hand over what comes back.

    Give one of the two callbacks: `on_answer` is called for each answer from this thread,
    `on_answers` with up to 64 at a time from one other thread, 20 ms late at most (100 ms where
    storing is slow). What either raises ends the run, after those in flight have landed and all
    that is left was given once more. Answers come in any order. `requests` is read as they are
    sent, no further, from this thread; None in it says: not now, but perhaps when one of those in
    flight has been handed over (it ends the run where none is).

    `concurrency` is the most in flight. `limits` are those of `probe`, or given; None means that
    nothing is known, and 32 at most fly until the first reply. A given limit is kept, a lower one
    in the headers too; see `rate_limits`. An attempt has `deadline` seconds, and less once it is
    known how long answers take (never less than `floor`). Failures that pass (no connection,
    timeout, 429, 5xx, a body that is no completion) are tried `attempts` times, after `pause`
    seconds doubled each time, or after what Retry-After says, which holds back every request.
    With `patience`, a server that is gone or keeps saying 429 costs no attempts: one request at a
    time asks whether it is there, until it answers or has not for so many seconds.

    Raises ServiceRejected at once where no request can succeed (key, quota, address, or the first
    requests rejected one and all), ServiceUnavailable where requests stayed unanswered: when all
    others are done, or at once when as many as fly together gave up in a row, or when patience
    ends. What flies at that moment has some seconds more to arrive.
    """
    http.checked(base_url)
    run = RequestRun(
        source=iter(requests),
        base_url=base_url,
        api_key=api_key.strip(),
        concurrency=concurrency,
        limits=limits,
        attempts=attempts,
        pause=pause,
        patience=patience,
        report=report or (lambda _: None),
        deadlines=Deadlines(deadline, floor),
        on_answer=on_answer,
        on_answers=on_answers,
    )
    asyncio.run(run.all())
    return run.tally
