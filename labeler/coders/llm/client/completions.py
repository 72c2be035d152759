"""Answers of a model server: read no further than it takes to store them, handed over in portions.

Handing over happens in a thread of its own, so that a store that is slow or locked for a while
does not make the clock run out for answers that are on their way.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from labeler.text.storable import storable

PORTION = 64
DELAY, LONGEST_DELAY = 0.02, 0.1
STORING = 3  # times as long as storing takes is what the next portion waits to fill


class Completion(NamedTuple):
    """What the server said to one request: its raw body, or why it refuses this request.

    `error` is '', `rejected`, or `refusal` by a content filter, with the server's words in
    `detail`. `served` is the model as the server names it; tokens are None where it does not
    count them; `seconds` is the last attempt. `cached_tokens` are those of the prompt that the
    server had kept, `fingerprint` the build that it names.
    """

    completion: str
    body: str
    error: str
    detail: str
    served: str
    prompt_tokens: int | None
    answer_tokens: int | None
    seconds: float
    cached_tokens: int | None = None
    fingerprint: str = ""

    @property
    def used(self) -> tuple[int, int] | None:
        """Tokens of the prompt and of the answer, where the server counts both."""
        if self.prompt_tokens is None or self.answer_tokens is None:
            return None
        return self.prompt_tokens, self.answer_tokens


def read(completion: str, raw: bytes, seconds: float) -> Completion | str:
    """A body that is a completion, in its own words; else why it is none."""
    body = storable(raw.decode("utf-8", "replace"))
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        return f"the answer is not JSON: {error!s:.200}"
    if not isinstance(content, dict) or not isinstance(content.get("choices"), list):
        return "the answer is no chat completion"
    usage = content.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    details = counts.get("prompt_tokens_details")
    return Completion(
        completion,
        body,
        "",
        "",
        _text(content.get("model")),
        _count(counts.get("prompt_tokens")),
        _count(counts.get("completion_tokens")),
        seconds,
        _count(details.get("cached_tokens")) if isinstance(details, dict) else None,
        _text(content.get("system_fingerprint")),
    )


class CompletionDelivery:
    """Gives answers to one of two callbacks: each at once, or in portions from another thread.

    `failed` is called with what the callback raised; the answers it was given stay, and `close`
    gives all that is left once more.
    """

    def __init__(
        self,
        *,
        each: Callable[[Completion], None] | None,
        portions: Callable[[list[Completion]], None] | None,
        failed: Callable[[BaseException], None],
        stored: Callable[[int], None],
    ) -> None:
        if (each is None) == (portions is None):
            raise TypeError("give either on_answer or on_answers")
        self._each, self._portions = each, portions
        self._failed, self._stored = failed, stored
        self.left: list[Completion] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="answers")
        self._job: Future[None] | None = None
        self._size, self._began = 0, 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._delay = DELAY
        self._broken = self._closed = False

    def add(self, answer: Completion) -> None:
        """One more answer; what `on_answer` raises comes through."""
        self.left.append(answer)
        if self._each is None:
            self._soon()
        elif not self._broken:
            self._broken = True
            self._each(answer)
            self._broken = False
            self.left.pop()
            self._stored(1)

    def close(self) -> None:
        """Wait for what is being stored, and give what is left once more, from this thread."""
        self._closed = True
        if self._timer:
            self._timer.cancel()
        self._thread.shutdown(wait=True)
        self._settle()
        while self.left:
            portion = self.left[: PORTION if self._portions else 1]
            if self._portions:
                self._portions(portion)
            elif self._each:
                self._each(portion[0])
            del self.left[: len(portion)]
            self._stored(len(portion))

    def _soon(self) -> None:
        if self._closed or self._broken or self._job is not None or not self.left:
            return
        if len(self.left) >= PORTION:
            self._give()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._delay, self._give)

    def _give(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._closed or self._job is not None or self._portions is None:
            return
        portion = self.left[:PORTION]
        self._size = len(portion)
        self._began = time.monotonic()
        self._job = self._thread.submit(self._portions, portion)
        loop = asyncio.get_running_loop()
        self._job.add_done_callback(lambda _: loop.call_soon_threadsafe(self._settle))

    def _settle(self) -> None:
        job, self._job = self._job, None
        if job is None:
            return
        error = job.exception()
        if error is not None:
            self._broken = True
            self._failed(error)
            return
        took = time.monotonic() - self._began
        self._delay = min(LONGEST_DELAY, max(DELAY, STORING * took))
        del self.left[: self._size]
        self._stored(self._size)
        self._soon()


def _text(given: object) -> str:
    return storable(given) if isinstance(given, str) else ""


def _count(given: object) -> int | None:
    if not isinstance(given, int) or isinstance(given, bool):
        return None
    return given if 0 <= given < 2**31 else None
