"""A cheap loopback model server with fixed random latencies, for `benchmarks/prelabel.py`.

    python benchmarks/model_server.py [--rpm 6000] [--announce] [--slots 64 --queue 32]

It prints its port and serves until it is ended. It reads no more of a request than it must, so
that what is measured is the client: every answer is the same made-up completion, and the n-th
request takes the n-th latency of a fixed lognormal series (median 0.8 s). With `--rpm` a bucket
of one second's requests fills at that rate, and a refused request is charged as well; with
`--announce` the limit stands in the headers. With `--slots` that many requests are worked on,
`--queue` wait, and any more is refused with 429 and no word about when to come again.
`GET /stats` answers with counts and with the moments of the first request and the last answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import time
from collections import Counter, deque

MEDIAN, SIGMA = 0.8, 0.35
CONTENT = {
    "rationale": "A made-up reason that is about as long as a reason is.",
    "variables": {"relevance": "relevant", "sentiment": "positive"},
    "segments": [{"quote": "these words are made up", "codes": {"impact": "positive"}}],
}
COMPLETION = {
    "id": "chatcmpl-made-up",
    "object": "chat.completion",
    "created": 0,
    "model": "made-up-served",
    "system_fingerprint": "fp_made_up",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": json.dumps(CONTENT), "refusal": None},
            "finish_reason": "stop",
            "logprobs": None,
        }
    ],
    "usage": {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960},
}
SLOW_DOWN = {"error": {"message": "slow down", "type": "tokens", "code": "rate_limit_exceeded"}}


def latencies(count: int) -> list[float]:
    """The first `count` latencies of the fixed series, in seconds."""
    chance = random.Random(20)
    return [chance.lognormvariate(math.log(MEDIAN), SIGMA) for _ in range(count)]


class Load:
    """What all connections share: the series, the limits, the counts."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.rate = options.rpm / 60
        self.announce = options.announce
        self.slots, self.queue = options.slots, options.queue
        self.chance, self.scale = random.Random(20), options.median / MEDIAN
        self.level, self.filled = self.rate, time.monotonic()
        self.busy, self.waiting = 0, deque[Line]()
        self.counts: Counter[str] = Counter()
        self.moments: dict[str, float] = {}

    def latency(self) -> float:
        """The next of the series."""
        return self.scale * self.chance.lognormvariate(math.log(MEDIAN), SIGMA)

    def allowed(self) -> bool:
        """One request of the bucket, whether it is there or not: refusals are charged."""
        if not self.rate:
            return True
        now = time.monotonic()
        self.level = min(self.rate, self.level + (now - self.filled) * self.rate)
        self.filled = now
        enough = self.level >= 1
        self.level = max(self.level - 1, -self.rate)
        return enough

    def headers(self) -> str:
        """The limit and what is left of it, where the server says so."""
        if not self.announce:
            return ""
        left = max(0, int(self.level))
        return (
            f"x-ratelimit-limit-requests: {self.rate * 60:.0f}\r\n"
            f"x-ratelimit-remaining-requests: {left}\r\n"
        )

    def accept(self, line: Line) -> None:
        """Work on a request, let it wait, or refuse it."""
        self.counts["requests"] += 1
        self.moments.setdefault("first", time.monotonic())
        if not self.allowed() or (self.slots and len(self.waiting) >= self.queue > 0):
            self.counts["refused"] += 1
            line.write(429, SLOW)
        elif self.slots and self.busy >= self.slots:
            self.waiting.append(line)
        else:
            self.start(line)

    def start(self, line: Line) -> None:
        """Answer after the latency that is this request's."""
        self.busy += 1
        self.counts["most"] = max(self.counts["most"], self.busy + len(self.waiting))
        asyncio.get_running_loop().call_later(self.latency(), self.finish, line)

    def finish(self, line: Line) -> None:
        """The answer, and the next that waits."""
        self.busy -= 1
        self.counts["answered"] += 1
        self.moments["last"] = time.monotonic()
        line.write(200, GOOD)
        if self.waiting:
            self.start(self.waiting.popleft())


GOOD = json.dumps(COMPLETION).encode()
SLOW = json.dumps(SLOW_DOWN).encode()
WORDS = {200: "OK", 429: "Too Many Requests"}


class Line(asyncio.Protocol):
    """One connection: requests in, answers out, no more of HTTP than this needs."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.buffer = bytearray()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.load.counts["connections"] += 1

    def data_received(self, data: bytes) -> None:
        """Take every complete request."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.buffer[:end]).lower()
            place = head.find(b"content-length:")
            length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            del self.buffer[: end + 4 + length]
            if head.startswith(b"post"):
                self.load.accept(self)
            else:
                self.write(200, json.dumps({**self.load.counts, **self.load.moments}).encode())

    def write(self, status: int, body: bytes) -> None:
        """One answer, if anybody is still there."""
        if self.transport is None or self.transport.is_closing():
            return
        head = (
            f"HTTP/1.1 {status} {WORDS[status]}\r\nContent-Type: application/json\r\n"
            f"{self.load.headers()}Content-Length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)


async def serve(options: argparse.Namespace) -> None:
    """Listen on a free port of loopback, for ever."""
    load = Load(options)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Line(load), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A cheap loopback model server")
    parser.add_argument("--rpm", type=float, default=0, help="requests a minute; 0: no limit")
    parser.add_argument("--announce", action="store_true", help="name the limit in headers")
    parser.add_argument("--median", type=float, default=MEDIAN, help="latency in seconds")
    parser.add_argument("--slots", type=int, default=0, help="worked on at once; 0: all")
    parser.add_argument("--queue", type=int, default=0, help="may wait beside them")
    asyncio.run(serve(parser.parse_args()))
