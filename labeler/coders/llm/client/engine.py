"""One run of requests: sent as the rate limiter allows, repeated after failures, delivered."""

from __future__ import annotations

import asyncio
import heapq
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from labeler.coders.llm.client import completions, http
from labeler.coders.llm.client.availability import ServerAvailability
from labeler.coders.llm.client.completions import PORTION, Completion, CompletionDelivery
from labeler.coders.llm.client.failures import Failure, of_status
from labeler.coders.llm.client.progress import RequestTally
from labeler.coders.llm.client.rate_limits import LONGEST_PAUSE, Deadlines, RateLimiter, RateLimits
from labeler.errors import ServiceError, StoreError

LONGEST_WAIT = 600.0
GRACE, LONGEST_GRACE = 5.0, 30.0
REJECTIONS = 5
AT_ONCE = 8
AHEAD = 8
TELL = 0.1
END = object()


class PendingRequest(NamedTuple):
    """A request on its way: what it is, which attempt comes next, how often it met a 429.

    `sent` is how often it was sent already: while the server is gone, that costs no attempt.
    """

    completion: str
    body: bytes
    tokens: float
    attempt: int = 1
    slowed: int = 0
    answered: int = -1
    sent: int = 0


@dataclass(kw_only=True)
class RequestRun:
    """What `llm.complete` was asked for, and where it stands."""

    source: Iterator[tuple[str, str] | None]
    base_url: str
    api_key: str = field(repr=False)
    concurrency: int
    limits: RateLimits | None
    attempts: int
    pause: float
    patience: float
    report: Callable[[RequestTally], None]
    deadlines: Deadlines
    on_answer: Callable[[Completion], None] | None
    on_answers: Callable[[list[Completion]], None] | None
    tally: RequestTally = field(default_factory=RequestTally)
    later: list[tuple[float, int, PendingRequest]] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    held: list[Completion] = field(default_factory=list)
    in_a_row: int = 0
    barren: int = 0
    last: str = ""
    drained: bool = False
    error: BaseException | None = None
    told: float = 0.0

    async def all(self) -> None:
        """Every request, until all are done or an error ends the run."""
        self.loop, self.wake = asyncio.get_running_loop(), asyncio.Event()
        now = self.loop.time()
        self.availability = ServerAvailability(self.patience, self.pause, now)
        self.limiter = RateLimiter(self.concurrency, self.limits, now, pause=self.pause)
        self.delivery = CompletionDelivery(
            each=self.on_answer, portions=self.on_answers, failed=self._fail, stored=self._stored
        )
        try:
            async with http.opened(self.base_url, self.api_key) as self.connection:
                try:
                    await self._dispatch()
                finally:
                    await self._land_all()
        finally:
            self._close()
        if self.error is not None:
            raise self.error
        if self.tally.unanswered:
            raise self._gone()

    async def _dispatch(self) -> None:
        """Start one request after another, each as soon as it may go."""
        request, started = None, 0
        while self.error is None:
            now = self.loop.time()
            request = request or self._next(now)
            if request is None and self.drained and not self.later and not self.tasks:
                return
            wait = self._wait(now, request)
            if request is None or wait > 0:
                await self._sleep(wait)
                continue
            self._start(now, request)
            request, started = None, started + 1
            if started % AT_ONCE == 0:
                await asyncio.sleep(0)

    def _next(self, now: float) -> PendingRequest | None:
        """The next that may fly: one that failed and is due, or a new one."""
        if not self.limiter.room() or self.availability.wait(now, len(self.tasks)) > 0:
            return None
        if self.later and self.later[0][0] <= now:
            return heapq.heappop(self.later)[2]
        ahead = AHEAD if self.barren < self.concurrency else 0  # nothing comes: begin no more
        crowded = len(self.tasks) + len(self.later) >= self.concurrency + ahead
        unstored = len(self.delivery.left) - PORTION  # what a kill would lose beside those flying
        if self.drained or crowded or len(self.tasks) + unstored >= self.concurrency:
            return None
        given = next(self.source, END)
        if given is END or (given is None and not self._busy()):
            self.drained = True
        if given is END or given is None:
            return None
        completion, body = cast(tuple[str, str], given)
        return PendingRequest(completion, body.encode(), self.limiter.tokens_of(len(body)))

    def _busy(self) -> bool:
        """Whether anything is in flight, waits for another attempt or is being handed over."""
        return bool(self.tasks or self.later or self.delivery.left)

    def _wait(self, now: float, request: PendingRequest | None) -> float:
        """Seconds until there may be something to do; inf where something has to land first."""
        scout = self.availability.wait(now, len(self.tasks))
        if request is not None:
            return max(scout, self.limiter.wait(now, request.tokens))
        if not self.limiter.room():
            return math.inf
        return max(scout, self.later[0][0] - now if self.later else math.inf)

    async def _sleep(self, seconds: float) -> None:
        """Until then, or until something lands or is stored; a second at most."""
        timer = self.loop.call_later(min(seconds, 1.0), self.wake.set)
        await self.wake.wait()
        self.wake.clear()
        timer.cancel()
        self._tell()

    def _start(self, now: float, request: PendingRequest) -> None:
        self.limiter.sent(now, request.tokens)
        self.tally.sent += 1
        task = self.loop.create_task(self._attempt(request, now))
        self.tasks.add(task)
        task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        self.limiter.landed()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fail(error)
        self.wake.set()

    async def _attempt(self, request: PendingRequest, sent: float) -> None:
        limit = self.deadlines.after(request.attempt)
        request = request._replace(sent=request.sent + 1)
        reply = await self.connection.post(request.body, deadline=limit, attempt=request.sent)
        now = self.loop.time()
        if isinstance(reply, Failure):
            if reply.kind == "timeout":
                self.deadlines.took(limit)
            self._failed(request, reply, sent, now)
            return
        self.limiter.learn(now, reply.headers)
        if reply.status != 200:
            failure = of_status(reply.status, reply.headers, reply.raw, api_key=self.api_key)
            self._failed(request, failure, sent, now)
            return
        answer = completions.read(request.completion, reply.raw, reply.seconds)
        if isinstance(answer, str):
            self._failed(request, Failure("broken body", "again", answer), sent, now)
            return
        self.deadlines.took(reply.seconds)
        self.availability.answered(now)
        self.limiter.answered(
            now, characters=len(request.body), reserved=request.tokens, used=answer.used
        )
        self._arrived(answer)

    def _failed(self, request: PendingRequest, failure: Failure, sent: float, now: float) -> None:
        """Give the request again, later; or end it, or the run, as the failure says."""
        if not failure.gone:
            self.availability.heard()
        if failure.fate == "row":
            error = failure.kind
            self._arrived(
                Completion(
                    request.completion, "", error, failure.detail, "", None, None, now - sent
                )
            )
            return
        if failure.fate == "stop":
            self._fail(http.refused(self.base_url, failure))
            return
        self.tally.failures[failure.kind] += 1
        self.barren += 1
        self.last = f"{failure.kind}: {failure.detail}"
        if failure.fate == "slower":
            request = self._slower(request, failure, sent, now)
        else:
            own = (
                self.availability.silent(
                    now, request.completion, surely=failure.kind == "refused connection"
                )
                if failure.gone
                else True
            )
            request = request._replace(attempt=request.attempt + own)
        self._again(request, failure, now)

    def _slower(
        self, request: PendingRequest, failure: Failure, sent: float, now: float
    ) -> PendingRequest:
        """After a 429: it costs an attempt only where nothing at all comes through."""
        self.limiter.throttled(now, sent=sent, wait=failure.wait)
        stuck = not self.patience and request.answered == self.tally.answered
        return request._replace(
            attempt=request.attempt + stuck, slowed=request.slowed + 1, answered=self.tally.answered
        )

    def _again(self, request: PendingRequest, failure: Failure, now: float) -> None:
        if failure.wait is not None and failure.wait > LONGEST_WAIT:
            why = f"asks to wait {failure.wait:.0f} s, longer than this waits"
            self._fail(http.unavailable(self.base_url, why, status=failure.status))
            return
        if failure.wait is not None:
            self.limiter.resume = max(self.limiter.resume, now + failure.wait)
        others = len(self.tasks) > 1
        slack = self.deadlines.longest if others else 0.0
        if self.availability.over(now, resume=self.limiter.resume, slack=slack):
            why = f"no answer for {self.patience:.0f} s (last: {self.last})"
            self._fail(http.unavailable(self.base_url, why, status=failure.status))
        elif request.attempt > self.attempts:
            self.tally.unanswered += 1
            self.in_a_row += 1
            if self.in_a_row >= max(self.concurrency, 3):
                self._fail(self._gone())
        else:
            tries = request.attempt - 1 + request.slowed if failure.wait is None else 0
            longest = min(LONGEST_PAUSE, self.pause * 2 ** min(max(0, tries - 1), 20))
            chance = random.uniform(0.75, 1)  # noqa: S311  (no secret)
            due = now + (longest * chance if tries else 0.0)
            heapq.heappush(self.later, (due, self.tally.sent, request))

    def _arrived(self, answer: Completion) -> None:
        """Hand it over; keep early rejections back: it may be that nothing succeeds."""
        if answer.error == "rejected" and not self.tally.answered:
            self.held.append(answer)
            if len(self.held) >= REJECTIONS:
                why = (
                    f"it refuses every request ({answer.detail}); check the model's name and that "
                    "the server takes structured outputs"
                )
                status = int(answer.detail[:3])
                self._fail(http.refused(self.base_url, Failure("", "stop", why, status=status)))
            return
        self.in_a_row = self.barren = 0
        for each in (answer, *self.held):
            self.tally.count(each)
            self.delivery.add(each)
        self.held.clear()

    def _stored(self, count: int) -> None:
        self.tally.stored += count
        self.wake.set()

    def _fail(self, error: BaseException) -> None:
        self.error = self.error or error
        self.wake.set()

    async def _land_all(self) -> None:
        """Some more seconds for what flies when the run ends early; none when it is broken off."""
        current = asyncio.current_task()
        broken_off = current is not None and current.cancelling()
        if self.tasks and not broken_off:
            usual = 2 * (self.deadlines.p95 or 0.0)
            await asyncio.wait(self.tasks, timeout=min(LONGEST_GRACE, max(GRACE, usual)))
        left = list(self.tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _close(self) -> None:
        """Hand over all that came; say how many the store would not take."""
        if self.error is None or self.tally.answered:
            for answer in self.held:
                self.tally.count(answer)
                self.delivery.left.append(answer)
        try:
            self.delivery.close()
        except StoreError as error:
            lost = len(self.delivery.left)
            raise StoreError(
                f"{error}; {lost} answers that had come are not stored and will be asked again"
            ) from error
        self._tell(last=True)

    def _tell(self, *, last: bool = False) -> None:
        """Show where the run stands, ten times a second at most."""
        now = self.loop.time()
        if not last and now - self.told < TELL:
            return
        self.told = now
        tally = self.tally
        tally.clock(now)
        tally.flying, tally.waiting = len(self.tasks), len(self.later)
        tally.window, tally.limits = int(self.limiter.window), self.limiter.learned
        tally.held = max(0.0, self.limiter.resume - now)
        self.report(tally)

    def _gone(self) -> ServiceError:
        return http.unavailable(
            self.base_url,
            f"{self.tally.unanswered} requests stayed unanswered after {self.attempts} attempts "
            f"each (last: {self.last})",
        )
