"""A loopback server that speaks the OpenAI protocol and fails in every way that it is told.

Its answers are made up, but fit the schema of the request and are the same for the same post and
schema. As a program: `python tests/openai_server.py --port 0` prints its address and serves until
it is ended; `POST /control` tells it how to fail, `GET /control` shows what it was asked.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import math
import re
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import openai_jobs
from aiohttp import web
from waiting import SECONDS

KEY = "made-up-key-for-tests"
MODEL = "made-up-model"
USED = {"prompt_tokens": 900, "completion_tokens": 30, "total_tokens": 930}
UNPAID = ("hang", "drip", "torn", "broken", "empty")
STATUS = {"500": 500, "503": 503, "400": 400, "401": 401, "403": 403, "404": 404}


@dataclass(kw_only=True)
class Fault:
    """How to fail: `kind`, for posts that hold `match`, `times` times, after `after` requests.

    Kinds: 500 503 400 401 403 404 429 (each with `retry_after`, where given), quota, filter,
    context (the prompt is too long), reset, torn (reset in the middle of an answer), hang and drip
    (`seconds`), broken (no JSON), empty (JSON, no completion), off-schema, length, refusal, code,
    quote, twice (a good answer that names a part twice), text (`content` as it is), late
    (`seconds`, then a good answer), obey (a good answer, but as the post demands), left-out
    (of several posts the first is passed over). Errors repeat the key and the address with its
    query, as some servers do.
    """

    kind: str
    match: str = ""
    times: int | None = None
    after: int = 0
    retry_after: str | None = None
    seconds: float = 60.0
    content: str = ""


@dataclass
class Server:
    """A running server: where, what it was asked, and how it is to fail (first match counts).

    `enforces` a schema, gives `logprobs` (of .9 for each sign), `rejects` parameters, `counts`
    tokens: what a probe finds. Probes are counted in `probes` and nowhere else. `headers` stand in
    every answer. Where it `wavers`, each second answer to the same post is another one. `paid`
    counts the whole completions that it gave, by post. `tokens_per_minute` is a limit that it
    keeps and names, a second's worth at once at most. What comes after the first `alone` requests
    is answered once as many as `together` have flown at the same time.
    """

    url: str = ""
    latency: float = 0.0
    key: str = KEY
    faults: list[Fault] = field(default_factory=list)
    posts: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    bodies: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    flying: int = 0
    most_flying: int = 0
    alone: int = 0
    together: int = 0
    enforces: bool = True
    logprobs: bool = False
    rejects: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    probes: int = 0
    paid: Counter[str] = field(default_factory=Counter)
    tokens_per_minute: float = 0.0
    tokens_left: float = 0.0
    filled: float = 0.0
    counts: bool = True
    wavers: bool = False
    desk: openai_jobs.Desk = field(default_factory=openai_jobs.Desk)

    @property
    def requests(self) -> int:
        """How many requests for a completion came."""
        return len(self.bodies)

    def fail(self, kind: str, **how: Any) -> None:
        """One more way to fail; see Fault."""
        self.faults.append(Fault(kind=kind, **how))

    def due(self, post: str) -> Fault | None:
        """The fault that this request meets, counted down."""
        for fault in self.faults:
            if fault.match in post and self.requests > fault.after and fault.times != 0:
                fault.times = fault.times if fault.times is None else fault.times - 1
                return fault
        return None

    def pays(self, tokens: float) -> bool:
        """Whether the limit of tokens lets a request through; one that it refuses costs none."""
        now, rate = time.monotonic(), self.tokens_per_minute / 60
        self.tokens_left = min(rate, self.tokens_left + (now - self.filled) * rate)
        self.filled = now
        if not rate or self.tokens_left < tokens:
            return not rate
        self.tokens_left -= tokens
        return True

    @property
    def told(self) -> dict[str, str]:
        """The headers of a reply."""
        if not self.tokens_per_minute:
            return self.headers
        named = {"limit": self.tokens_per_minute, "remaining": self.tokens_left}
        limits = {f"x-ratelimit-{what}-tokens": f"{number:.0f}" for what, number in named.items()}
        return self.headers | limits


SERVER = web.AppKey("server", Server)


@contextlib.contextmanager
def serve(port: int = 0, server: Server | None = None) -> Iterator[Server]:
    """A server on loopback in a thread of its own, for the length of a with block.

    One that was there before can be given with its port: it comes back with all its counts.
    """
    server, ready, loop = server or Server(), threading.Event(), asyncio.new_event_loop()
    done = asyncio.Event()

    async def run() -> None:
        async with listening(server, port):
            ready.set()
            await done.wait()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    if not ready.wait(timeout=SECONDS):
        raise RuntimeError("the loopback server did not start")
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(timeout=SECONDS)
        loop.close()


@contextlib.asynccontextmanager
async def listening(server: Server, port: int) -> AsyncIterator[None]:
    """The application, listening; `server.url` ends in /v1."""
    app = web.Application(client_max_size=2**24)
    app[SERVER] = server
    app.router.add_post("/v1/chat/completions", _completions)
    app.router.add_get("/v1/models", _models)
    openai_jobs.add(app, server.desk, lambda request: _wrong_key(request))
    app.router.add_get("/control", _shown)
    app.router.add_post("/control", _control)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, bound = runner.addresses[0][:2]
    server.url = f"http://{host}:{bound}/v1"
    try:
        yield
    finally:
        await runner.cleanup()


def post_of(body: dict[str, Any]) -> str:
    """The post of a request: the JSON string on the last line of the last message."""
    last = body["messages"][-1]["content"].rstrip("\n").split("\n")[-1]
    post = json.loads(last) if last[:1] in '"{' else last  # a probe asks about no post
    if isinstance(post, dict):
        post = post["text"]
    assert isinstance(post, str)
    return post


def answer_to(body: dict[str, Any], *, mood: str = "") -> dict[str, Any]:
    """An answer that fits the schema of the request, the same for the same post and mood."""
    schema = body["response_format"]["json_schema"]["schema"]
    if "posts" in schema["properties"]:
        return _in_company(body, schema["properties"])
    answer = _made_up(schema, post_of(body), mood)
    assert isinstance(answer, dict)
    return answer


def _in_company(body: dict[str, Any], lists: dict[str, Any]) -> dict[str, Any]:
    """An answer to several posts: lines of JSON with id and text behind the delimiter."""
    lines = body["messages"][-1]["content"].rstrip("\n").split("\n")[2:]
    answer: dict[str, Any] = {name: [] for name in lists}
    for post in map(json.loads, lines):
        for name, schema in lists.items():
            parts = _made_up(schema if name == "segments" else schema["items"], post["text"], "")
            for part in parts if name == "segments" else [parts]:
                answer[name].append(part | {"post": post["post"]})
    return answer


def obeying(body: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """The answer of a model that does what its post says: the rationale is the word it names."""
    demanded = re.search(r"must be the word (\w+)", post_of(body))
    return answer | {"rationale": demanded.group(1)} if demanded else answer


def _made_up(schema: dict[str, Any], post: str, path: str) -> Any:
    number = int.from_bytes(hashlib.sha256(f"{path}|{post}".encode()).digest()[:6], "big")
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "object" in kinds:
        return {
            name: _made_up(part, post, f"{path}.{name}")
            for name, part in schema["properties"].items()
        }
    if "array" in kinds:
        parts = [_made_up(schema["items"], post, f"{path}[{place}]") for place in range(number % 3)]
        return list(dict.fromkeys(parts)) if "enum" in schema["items"] else parts
    if "enum" in schema:
        return schema["enum"][number % len(schema["enum"])]
    if "number" in kinds:
        span = int(schema["maximum"] - schema["minimum"])
        return schema["minimum"] + number % (span + 1)
    if path.endswith(".quote"):
        words = post.split(" ")
        first = number % len(words)
        return " ".join(words[first : first + 8])
    return "A made-up reason."


def _spoilt(answer: dict[str, Any], kind: str) -> dict[str, Any]:
    """The answer with a code that no codebook has, or with a quote that no post holds."""
    if kind == "code":
        answer["variables"] = dict.fromkeys(answer["variables"], "no_such_code")
    elif kind == "quote":
        for segment in answer.get("segments", []):
            segment["quote"] = "zzyzx qqwx these words stand in no post at all"
    else:
        return {"surprise": 1}
    return answer


def _completion(body: dict[str, Any], fault: Fault | None, server: Server) -> dict[str, Any]:
    mood = "twice" * (server.wavers and server.posts[post_of(body)] % 2 == 0)
    kind = fault.kind if fault else ""
    content: str | None = fault.content if fault and kind == "text" else None
    if content is None:
        content = json.dumps(answer_to(body, mood=mood), ensure_ascii=False)
    if kind in ("code", "quote", "off-schema"):
        content = json.dumps(_spoilt(answer_to(body), kind))
    elif kind == "obey":
        content = json.dumps(obeying(body, answer_to(body)))
    elif kind == "twice" and content:
        content = '{"rationale": "one before", ' + content[1:]
    elif kind == "left-out":
        answer = answer_to(body)
        answer["posts"] = answer.get("posts", [])[1:]
        content = json.dumps(answer)
    elif kind == "length" and content:
        content = content[: len(content) // 2]
    message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None}
    if kind == "refusal":
        message |= {"content": None, "refusal": "I cannot help with that."}
    told = server.logprobs and body.get("logprobs")
    signs = [{"token": sign, "logprob": math.log(0.9)} for sign in content or ""]
    return {
        "id": "chatcmpl-made-up",
        "object": "chat.completion",
        "created": 0,
        "model": f"{body['model']}-served",
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": "length" if kind == "length" else "stop",
                "logprobs": {"content": signs} if told else None,
            }
        ],
        "usage": USED if server.counts else None,
    }


def _error(status: int, message: str, code: str = "", **headers: str) -> web.Response:
    content = {"error": {"message": message, "type": code or "error", "code": code or None}}
    return web.json_response(content, status=status, headers=headers)


async def _completions(request: web.Request) -> web.StreamResponse:
    server = request.app[SERVER]
    raw = await request.read()
    body = json.loads(raw)
    if _is_probe(body):
        return _probed(request, body)
    server.bodies.append(raw)
    server.times.append(time.monotonic())
    server.posts[post_of(body)] += 1
    fault = server.due(post_of(body))
    server.flying += 1
    server.most_flying = max(server.most_flying, server.flying)
    try:
        held = server.requests > server.alone
        while held and server.most_flying < server.together:
            await asyncio.sleep(0.01)
        await asyncio.sleep(server.latency)
        response = await _respond(request, body, fault)
    finally:
        server.flying -= 1
    server.statuses[str(response.status)] += 1
    return response


def _is_probe(body: dict[str, Any]) -> bool:
    form = body.get("response_format", {}).get("json_schema", {})
    return form.get("name") == "probe" or "response_format" not in body


def _probed(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """What a server does to a question about itself: obey the schema, or else the prompt."""
    server = request.app[SERVER]
    server.probes += 1
    if server.key and request.headers.get("Authorization") != f"Bearer {server.key}":
        return _error(401, "Incorrect API key provided", "invalid_api_key")
    for name in server.rejects:
        if name in body:
            return _error(400, f"{name} is not supported")
    said = {"answer": "yes"}
    if server.enforces and "response_format" in body:
        schema = body["response_format"]["json_schema"]["schema"]
        said = {name: part["enum"][0] for name, part in schema["properties"].items()}
    fault = Fault(kind="text", content=json.dumps(said))
    completion = _completion(body | {"response_format": None}, fault, server)
    return web.json_response(completion, headers=server.headers)


async def _respond(
    request: web.Request, body: dict[str, Any], fault: Fault | None
) -> web.StreamResponse:
    server, kind = request.app[SERVER], fault.kind if fault else ""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if kind == "401" or (server.key and given != server.key):
        return _error(401, f"Incorrect API key provided: {given}", "invalid_api_key")
    wait = {"Retry-After": fault.retry_after} if fault and fault.retry_after else {}
    if kind in STATUS:
        asked = f", at {request.path_qs}" if request.query_string else ""
        words = f"made-up failure {kind}, key {given}{asked}"
        return _error(STATUS[kind], words, **wait)
    if kind == "429":
        return _error(429, "slow down", "rate_limit_exceeded", **wait, **server.told)
    if not server.pays(USED["total_tokens"]):
        return _error(429, "too many tokens a minute", "rate_limit_exceeded", **server.told)
    if kind == "context":
        words = f"This model's maximum context length is 16 tokens; asked at {request.path_qs}"
        return _error(400, words, "context_length_exceeded")
    if kind == "quota":
        return _error(429, "You exceeded your current quota", "insufficient_quota")
    if kind == "filter":
        return _error(400, "the prompt was filtered", "content_filter")
    if kind == "reset":
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    if fault and kind in ("hang", "late"):
        await asyncio.sleep(fault.seconds)
    if kind == "empty":
        return web.json_response({"object": "list", "data": []})
    server.paid[post_of(body)] += kind not in UNPAID
    text = json.dumps(_completion(body, fault, server), ensure_ascii=False)
    if kind == "torn":
        return await _torn(request, text)
    if fault and kind == "drip":
        return await _drip(request, text, fault.seconds)
    if kind == "broken":
        text = text[: len(text) // 2]
    return web.Response(text=text, content_type="application/json", headers=server.told)


async def _drip(request: web.Request, text: str, seconds: float) -> web.StreamResponse:
    """The answer a byte at a time, far slower than anybody waits, but never silent for long."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for byte in text.encode():
        await response.write(bytes([byte]))
        await asyncio.sleep(seconds / len(text))
    return response


async def _torn(request: web.Request, text: str) -> web.StreamResponse:
    """Half an answer, and then the connection is gone."""
    response = web.StreamResponse(headers={"Content-Length": str(len(text.encode()))})
    await response.prepare(request)
    await response.write(text.encode()[: len(text) // 2])
    if request.transport is not None:
        request.transport.abort()
    return response


def _wrong_key(request: web.Request) -> web.Response | None:
    server, given = request.app[SERVER], request.headers.get("Authorization", "")
    if server.key and given != f"Bearer {server.key}":
        return _error(401, f"Incorrect API key provided: {given}", "invalid_api_key")
    return None


def in_job(server: Server, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Status and body of what a request of a batch is answered: faults as of one of its own."""
    server.bodies.append(json.dumps(body).encode())
    server.posts[post_of(body)] += 1
    fault = server.due(post_of(body))
    status = STATUS.get(fault.kind, 200) if fault else 200
    if status != 200:
        return status, {"error": {"message": "made-up failure", "type": "error", "code": None}}
    return 200, _completion(body, fault, server)


async def _models(request: web.Request) -> web.Response:
    model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "tests"}
    return web.json_response({"object": "list", "data": [model]})


async def _shown(request: web.Request) -> web.Response:
    server = request.app[SERVER]
    return web.json_response(
        {
            "requests": server.requests,
            "posts": dict(server.posts),
            "statuses": dict(server.statuses),
            "flying": server.flying,
            "most_flying": server.most_flying,
            "faults": [asdict(fault) for fault in server.faults],
            **server.desk.shown(),
        }
    )


async def _control(request: web.Request) -> web.Response:
    """Take new `faults`, `latency` and `key`; what is not named stays."""
    server, told = request.app[SERVER], await request.json()
    if "faults" in told:
        server.faults = [Fault(**fault) for fault in told["faults"]]
    server.latency = told.get("latency", server.latency)
    server.key = told.get("key", server.key)
    server.desk.slow = told.get("slow", server.desk.slow)
    if "batches" in told:
        server.desk.bring(told["batches"], lambda body: in_job(server, body))
    return await _shown(request)


async def _main(port: int, latency: float) -> None:
    server = Server(latency=latency)
    async with listening(server, port):
        print(server.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="An OpenAI-compatible server with made-up answers")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(options.port, options.latency))
