"""A made-up model behind a real server: OpenAI's chat completions on this machine's loopback.

So that the client, the prompt, the schema, the ledger and the costs of the demo are those of a
study. Nothing it says was computed by a model.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import http.client
import json
import math
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from aiohttp import web

from labeler.errors import ProjectError
from labeler.files import records
from labeler.workflow.demo.answers import Answer, MadeUpModel

MODEL = "made-up-model"
HOST, FIRST_PORT, PORTS = "127.0.0.1", 8322, 40
LARGEST = 2**23  # bytes of a request
CHARACTERS = 4  # of a made-up token
CACHED_FROM = 1024  # tokens


class ModelServer:
    """The server: its model is made when it is first needed, since a repeated demo asks nothing."""

    def __init__(self, made: Callable[[], MadeUpModel]) -> None:
        self._made = made
        self._model: MadeUpModel | None = None

    def application(self) -> web.Application:
        """The application: a list of one model, and completions."""
        app = web.Application(client_max_size=LARGEST)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._completions)
        return app

    async def _models(self, _request: web.Request) -> web.Response:
        listed = [{"id": MODEL, "object": "model", "created": 0, "owned_by": "made-up"}]
        return web.json_response({"object": "list", "data": listed})

    async def _completions(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
            told = [str(message["content"]) for message in body["messages"]]
            text = _post(told[-1])
        except (ValueError, LookupError, TypeError):
            return _error("the request is no chat completion about one post")
        if body.get("model") != MODEL:
            return _error(f"there is no model {body.get('model')!r} here, only {MODEL!r}", 404)
        if text is None:  # a question about the server itself
            said = '{"answer": "yes"}'
            return _completion(Answer(said, tokens=((said, 1.0),)), told, body)
        self._model = self._model or self._made()
        answer = self._model.answer(text, limit=body.get("max_tokens"))
        return _completion(answer, told, body)


@contextlib.contextmanager
def without_proxy() -> Iterator[None]:
    """For as long as the block runs, no proxy stands between this process and this machine."""
    before = {name: os.environ.get(name) for name in ("no_proxy", "NO_PROXY")}
    there = before["no_proxy"] or before["NO_PROXY"] or ""
    os.environ.update(dict.fromkeys(before, ",".join(filter(None, (there, HOST)))))
    try:
        yield
    finally:
        for name, value in before.items():
            del os.environ[name]
            if value is not None:
                os.environ[name] = value


@contextlib.contextmanager
def serving(
    state: Path, made: Callable[[], MadeUpModel], *, patience: float = 10.0
) -> Iterator[str]:
    """The address, with /v1, answered by a thread of this process for as long as the block runs.

    It is the same each time, since a model at another address is another coder: the port is noted
    in `state`, where one that was noted and is taken must be another made-up model's, which has
    `patience` seconds to say so.
    """
    noted = state / "made-up-model.port"
    before = int(noted.read_text("ascii")) if noted.is_file() else 0
    server, ready = ModelServer(made), threading.Event()
    found: list[int] = []
    loop, done = asyncio.new_event_loop(), asyncio.Event()
    wanted = range(before, before + 1) if before else range(FIRST_PORT, FIRST_PORT + PORTS)

    async def run() -> None:
        runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            found.extend([await _bound(runner, wanted)])
            ready.set()
            if found[0]:
                await done.wait()
        finally:
            ready.set()
            await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    ready.wait()
    try:
        port = found[0] if found and found[0] else _others(before, noted, patience)
        if not before:
            records.write(noted, str(port))
        yield f"http://{HOST}:{port}/v1"
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)
        loop.close()


async def _bound(runner: web.AppRunner, ports: range) -> int:
    """The first of some ports that could be had; 0 where none could."""
    for port in ports:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return port
    return 0


def _others(port: int, noted: Path, patience: float) -> int:
    """The port, if another demo's made-up model answers there; ProjectError where it does not."""
    if not port:
        last = FIRST_PORT + PORTS - 1
        raise ProjectError(f"the ports {FIRST_PORT} to {last} of this machine are all taken")
    asked = http.client.HTTPConnection(HOST, port, timeout=patience)
    with contextlib.closing(asked), contextlib.suppress(OSError, http.client.HTTPException):
        asked.request("GET", "/v1/models")
        if MODEL.encode() in asked.getresponse().read(LARGEST):
            return port
    raise ProjectError(
        f"port {port} is taken by another program, and the made-up model has answered there "
        f"before: end that program, or delete {noted.parent} to begin the demo anew"
    )


def _post(message: str) -> str | None:
    """The post of a user message: the JSON string on its last line; None where there is none."""
    last = message.rstrip("\n").rpartition("\n")[2]
    if not last.startswith('"'):
        return None
    text = json.loads(last)
    if not isinstance(text, str):
        raise TypeError(last)
    return text


def _completion(answer: Answer, told: list[str], asked: dict[str, Any]) -> web.Response:
    """A chat completion; its tokens are characters, counted by the fours."""
    prompt, shared = (sum(map(len, part)) // CHARACTERS for part in (told, told[:-1]))
    content = len(answer.content) // CHARACTERS
    listed = [{"token": part, "logprob": math.log(p)} for part, p in answer.tokens]
    completion = {
        "id": "chatcmpl-made-up",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": None if answer.refusal else answer.content,
                    "refusal": answer.refusal or None,
                },
                "finish_reason": "length" if answer.cut else "stop",
                "logprobs": {"content": listed} if asked.get("logprobs") else None,
            }
        ],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": content,
            "total_tokens": prompt + content,
            "prompt_tokens_details": {"cached_tokens": shared if shared >= CACHED_FROM else 0},
        },
    }
    return web.json_response(completion)


def _error(message: str, status: int = 400) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "error"}}, status=status)
