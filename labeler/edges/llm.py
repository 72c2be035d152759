"""Requests to an OpenAI-compatible server: bounded, retried, answers handed over as they came."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx2
import openai

from labeler.answers import storable
from labeler.errors import ServiceError, ServiceRejected, ServiceUnavailable

SERVICE = "model server"
LONGEST_PAUSE = 60.0
LONGEST_WAIT = 600.0
GRACE = 5.0
REJECTIONS = 5
PASSING = {408, 409, 425, 429}
FATAL = {401, 402, 403, 404, 405}
ADVICE = {
    401: "the key is wrong or missing; set OPENAI_API_KEY",
    402: "the account must be paid up",
    403: "the key may not use this model; check OPENAI_API_KEY and the account",
    404: "no such model or address; check the model's name, and that the base URL ends in /v1",
    405: "this is no address of chat completions; check that the base URL ends in /v1",
}


class Answer(NamedTuple):
    """What the server said to one request: its raw body, or why it refuses this request.

    `error` is '', `rejected`, or `refusal` by a content filter, with the server's words in
    `detail`. `served` is the model as the server names it; tokens are None where it does not
    count them; `seconds` is the last attempt.
    """

    completion: str
    body: str
    error: str
    detail: str
    served: str
    prompt_tokens: int | None
    answer_tokens: int | None
    seconds: float


@dataclass
class Tally:
    """Counts of a run so far. `failures` counts attempts that were given again, by kind."""

    sent: int = 0
    answered: int = 0
    rejected: int = 0
    unanswered: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    failures: Counter[str] = field(default_factory=Counter)


def complete(
    requests: Iterable[tuple[str, str]],
    *,
    base_url: str,
    api_key: str,
    on_answer: Callable[[Answer], None],
    concurrency: int = 8,
    deadline: float = 120.0,
    attempts: int = 5,
    pause: float = 0.5,
    report: Callable[[Tally], None] | None = None,
) -> Tally:
    """Send each request (its completion's key, its body as JSON) and hand over what comes back.

    `on_answer` is called as answers arrive, in any order, from this thread; what it raises ends
    the run. Each attempt has `deadline` seconds. Failures that pass (no connection, timeout, 429,
    5xx, a body that is no completion) are tried `attempts` times, after `pause` seconds doubled
    each time, or after what Retry-After says, which holds back every request.

    Raises ServiceRejected at once where no request can succeed (key, quota, address, or the first
    requests rejected one and all), ServiceUnavailable where requests stayed unanswered: when all
    others are done, or at once when as many as fly together gave up in a row. What flies at that
    moment has 5 seconds more to arrive.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ServiceRejected(
            f"{SERVICE}: the address must read http(s)://HOST/v1, without user or password; the "
            "key belongs in OPENAI_API_KEY",
            service=SERVICE,
        )
    run = _Run(
        waiting=iter(requests),
        base_url=base_url,
        api_key=api_key.strip(),
        on_answer=on_answer,
        concurrency=concurrency,
        deadline=deadline,
        attempts=attempts,
        pause=pause,
        report=report or (lambda _: None),
    )
    asyncio.run(run.all())
    return run.tally


class _Passing(Exception):
    """A failure that may pass: its kind, its words, and the seconds that the server asks for."""

    def __init__(self, kind: str, detail: str, *, wait: float | None = None) -> None:
        self.kind = kind
        self.wait = wait
        super().__init__(detail)


@dataclass(kw_only=True)
class _Run:
    waiting: Iterator[tuple[str, str]]
    base_url: str
    api_key: str = field(repr=False)
    on_answer: Callable[[Answer], None]
    concurrency: int
    deadline: float
    attempts: int
    pause: float
    report: Callable[[Tally], None]
    tally: Tally = field(default_factory=Tally)
    resume: float = 0.0
    in_a_row: int = 0
    held: list[Answer] = field(default_factory=list)
    last: str = ""
    stopped: bool = False
    flying: set[asyncio.Task[Any] | None] = field(default_factory=set)

    async def all(self) -> None:
        """Every waiting request by `concurrency` workers; the first error ends them all."""
        async with openai.AsyncOpenAI(
            base_url=self.base_url,
            api_key=self.api_key or "none",
            max_retries=0,
            timeout=self.deadline,
            http_client=openai.DefaultAioHttpClient(),
        ) as client:
            workers = [asyncio.create_task(self._work(client)) for _ in range(self.concurrency)]
            try:
                await asyncio.gather(*workers)
            except ServiceError:
                self.stopped = True
                if self.flying:
                    await asyncio.wait({*filter(None, self.flying)}, timeout=GRACE)
                raise
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)
        for answer in self.held:
            self._deliver(answer)
        if self.tally.unanswered:
            raise self._gone()

    async def _work(self, client: openai.AsyncOpenAI) -> None:
        for completion, body in self.waiting:
            if self.stopped:
                return
            answer = await self._ask(client, completion, json.loads(body))
            if answer is None:
                self.tally.unanswered += 1
                self.in_a_row += 1
                if self.in_a_row >= max(self.concurrency, 3):
                    raise self._gone()
            elif answer.error == "rejected" and not self.tally.answered:
                self._hold(answer)
            else:
                self.in_a_row = 0
                self._deliver(answer)
                while self.held and self.tally.answered:
                    self._deliver(self.held.pop())

    async def _ask(
        self, client: openai.AsyncOpenAI, completion: str, body: dict[str, Any]
    ) -> Answer | None:
        """The answer to one request; None where every attempt failed."""
        for attempt in range(1, self.attempts + 1):
            await self._gate()
            self.tally.sent += 1
            try:
                return await self._once(client, completion, body)
            except _Passing as failure:
                self.tally.failures[failure.kind] += 1
                self.last = f"{failure.kind}: {failure}"
                self.report(self.tally)
                if self.stopped:
                    return None
                if attempt < self.attempts:
                    await self._wait(failure.wait, attempt)
        return None

    async def _once(
        self, client: openai.AsyncOpenAI, completion: str, body: dict[str, Any]
    ) -> Answer:
        """One attempt. Raises _Passing, or ServiceRejected where no request can succeed."""
        began, task = _now(), asyncio.current_task()
        self.flying.add(task)
        try:
            async with asyncio.timeout(self.deadline):
                response = await client.post(
                    "/chat/completions", body=body, cast_to=httpx2.Response
                )
        except (TimeoutError, openai.APITimeoutError) as error:
            raise _Passing("timeout", f"no answer in {self.deadline:g} s") from error
        except openai.APIStatusError as error:
            return self._status(error, completion, _now() - began)
        except (openai.APIConnectionError, httpx2.RequestError) as error:
            raise _Passing("connection", _cause(error)) from error
        finally:
            self.flying.discard(task)
        return _answer(completion, response.content, _now() - began)

    def _status(self, error: openai.APIStatusError, completion: str, seconds: float) -> Answer:
        status, said = error.status_code, self._said(error)
        if error.code == "insufficient_quota" or error.type == "insufficient_quota":
            raise self._refused("the account's quota is used up; pay it up or raise its limit", 429)
        if status in PASSING or status >= 500:
            raise _Passing(str(status), said, wait=_retry_after(error.response.headers)) from error
        if status in FATAL:
            raise self._refused(ADVICE[status], status) from error
        kind = "refusal" if error.code == "content_filter" else "rejected"
        return Answer(completion, "", kind, f"{status}: {said}", "", None, None, seconds)

    def _said(self, error: openai.APIStatusError) -> str:
        """The server's words, one line, without the key should it repeat it."""
        body = error.body
        words = body.get("message") if isinstance(body, dict) else None
        text = " ".join(str(words or error.response.text).split())
        if self.api_key:
            text = text.replace(self.api_key, "[key]")
        return storable(text)[:500]

    def _hold(self, answer: Answer) -> None:
        """Keep early rejections back: where nothing succeeds, the fault is not theirs."""
        self.held.append(answer)
        if len(self.held) >= REJECTIONS:
            raise self._refused(
                f"it refuses every request ({answer.detail}); check the model's name and that the "
                "server takes structured outputs",
                int(answer.detail[:3]),
            )

    def _deliver(self, answer: Answer) -> None:
        self.on_answer(answer)
        self.tally.rejected += bool(answer.error)
        self.tally.answered += not answer.error
        self.tally.prompt_tokens += answer.prompt_tokens or 0
        self.tally.answer_tokens += answer.answer_tokens or 0
        self.report(self.tally)

    async def _gate(self) -> None:
        while (left := self.resume - _now()) > 0:
            await asyncio.sleep(left)

    async def _wait(self, asked: float | None, attempt: int) -> None:
        """Until the server's own time, for all; else some time that doubles, for this request."""
        if asked is None:
            longest = min(LONGEST_PAUSE, self.pause * 2 ** (attempt - 1))
            await asyncio.sleep(longest * random.uniform(0.75, 1))  # noqa: S311  (no secret)
        elif asked > LONGEST_WAIT:
            raise ServiceUnavailable(
                f"{self._where()} asks to wait {asked:.0f} s; run the same command again after "
                "that, it goes on where it stopped",
                service=SERVICE,
                status=429,
            )
        else:
            self.resume = max(self.resume, _now() + asked)

    def _where(self) -> str:
        return f"{SERVICE} {self.base_url.partition('?')[0]}"

    def _gone(self) -> ServiceUnavailable:
        return ServiceUnavailable(
            f"{self._where()}: {self.tally.unanswered} requests stayed unanswered after "
            f"{self.attempts} attempts each (last: {self.last}); what was answered is kept; run "
            "the same command again to ask the rest",
            service=SERVICE,
        )

    def _refused(self, advice: str, status: int) -> ServiceRejected:
        return ServiceRejected(
            f"{self._where()} answered {status}: {advice}; what was answered is kept",
            service=SERVICE,
            status=status,
        )


def _now() -> float:
    return asyncio.get_running_loop().time()


def _answer(completion: str, raw: bytes, seconds: float) -> Answer:
    """A body that is a completion, in its own words; else it is a failure that may pass."""
    body = storable(raw.decode("utf-8", "replace"))
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Passing("broken body", f"the answer is not JSON: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("choices"), list):
        raise _Passing("broken body", "the answer is no chat completion")
    usage = content.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    tokens = [counts.get(name) for name in ("prompt_tokens", "completion_tokens")]
    prompt, written = (count if isinstance(count, int) else None for count in tokens)
    served = content.get("model")
    named = served if isinstance(served, str) else ""
    return Answer(completion, body, "", "", storable(named), prompt, written, seconds)


def _cause(error: BaseException) -> str:
    """The innermost reason of a failed connection, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(f"{type(error).__name__} {error}".split())[:200]


def _retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds that the server asks to wait: Retry-After-Ms, or Retry-After (RFC 9110, 10.2.3)."""
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        given = headers.get(name, "")
        try:
            return max(0.0, float(given) / scale)
        except ValueError:
            continue
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
