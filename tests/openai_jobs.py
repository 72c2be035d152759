"""Files and batches of the loopback server: in memory, and as slow or broken as they are told.

A batch stays `validating` until it is told otherwise by `POST /control` with `batches`: the state
to bring every batch to that is open. `completed` answers all; `expired` and `cancelled` answer the
first `answered` (the rest stand in the error file), `failed` none. Each line is answered as a
request of its own would be, faults included. `slow` holds seconds by what is slow: `upload` (before
a file is read), `file` (after it is stored, before the reply), `batch` (after it is made),
`content` (halfway through the bytes of a file), `delete` (after the deletion), `list` (before
anything); all but the first `slow_after` of each.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

OPEN = ("validating", "in_progress", "finalizing", "cancelling")
Complete = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]


@dataclass
class Desk:
    """The files and batches of an account, with what was done to them."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    slow_after: int = 0
    made: int = 0
    fails: dict[str, int] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    uploads: list[str] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """What a test may know: batches with the requests in them, files, calls."""
        return {
            "batches": [
                {**batch, "asked": list(self.lines(batch["input_file_id"]))}
                for batch in self.batches.values()
            ],
            "files": list(self.files.values()),
            "uploads": self.uploads,
            "calls": dict(self.calls),
        }

    def lines(self, file: str) -> dict[str, dict[str, Any]]:
        """custom_id → line of an input file, as it came up."""
        content = self.contents.get(f"was {file}", b"")
        return {line["custom_id"]: line for line in map(json.loads, content.splitlines())}

    def store(self, name: str, content: bytes, purpose: str) -> dict[str, Any]:
        """One more file."""
        self.made += 1
        number = f"file-{self.made}"
        self.contents[number] = self.contents[f"was {number}"] = content
        self.files[number] = {
            "id": number,
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "filename": name,
            "purpose": purpose,
            "status": "processed",
        }
        return self.files[number]

    def bring(self, told: dict[str, Any], complete: Complete) -> None:
        """Bring every open batch to the state that is told."""
        for batch in self.batches.values():
            if batch["status"] in OPEN:
                self._bring(batch, told, complete)

    def _bring(self, batch: dict[str, Any], told: dict[str, Any], complete: Complete) -> None:
        state = batch["status"] = told["state"]
        if state == "failed":
            batch["errors"] = {"object": "list", "data": told.get("errors", [])}
        if state in OPEN or state == "failed":
            return
        lines = list(self.lines(batch["input_file_id"]).values())
        random.Random(1).shuffle(lines)
        answered = len(lines) if state == "completed" else int(told.get("answered", 0))
        output, errors = [], []
        for line in lines[:answered]:
            status, body = complete(line["body"])
            response = {"status_code": status, "request_id": "made-up", "body": body}
            (output if status == 200 else errors).append(_line(line, response, None))
        for line in lines[answered:]:
            errors.append(_line(line, None, {"code": f"batch_{state}", "message": "made-up"}))
        output += told.get("more", [])
        counts = {"total": len(lines), "completed": len(output), "failed": len(errors)}
        batch["request_counts"] = counts
        for name, found in (("output_file_id", output), ("error_file_id", errors)):
            if found:
                content = "".join(
                    (one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)) + "\n"
                    for one in found
                )
                batch[name] = self.store(f"{batch['id']}.jsonl", content.encode(), "batch_output")[
                    "id"
                ]


DESK = web.AppKey("desk", Desk)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add(app: web.Application, desk: Desk, refused: Callable[[web.Request], web.Response | None]):
    """Serve files and batches; `refused` answers where the key is wrong."""
    app[DESK] = desk

    def guarded(name: str, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            desk.calls[name] += 1
            answer = refused(request)
            if answer is not None:
                return answer
            if desk.fails.get(name, 0) > 0:
                desk.fails[name] -= 1
                return _error(500, "made-up failure")
            return await handler(request)

        return handle

    for method, path, name, handler in (
        ("POST", "/v1/files", "file", _post_file),
        ("GET", "/v1/files", "files", _get_files),
        ("DELETE", "/v1/files/{id}", "delete", _delete_file),
        ("GET", "/v1/files/{id}/content", "content", _get_content),
        ("POST", "/v1/batches", "batch", _post_batch),
        ("GET", "/v1/batches", "list", _get_batches),
        ("GET", "/v1/batches/{id}", "retrieve", _get_batch),
        ("POST", "/v1/batches/{id}/cancel", "cancel", _cancel),
    ):
        app.router.add_route(method, path, guarded(name, handler))


def _line(line: dict[str, Any], response: Any, error: Any) -> dict[str, Any]:
    return {
        "id": f"batch_req_{line['custom_id'][:8]}",
        "custom_id": line["custom_id"],
        "response": response,
        "error": error,
    }


def _error(status: int, message: str) -> web.Response:
    content = {"error": {"message": message, "type": "error", "code": None}}
    return web.json_response(content, status=status)


async def _late(desk: Desk, what: str) -> None:
    calls = desk.calls["file" if what == "upload" else what]
    if calls > desk.slow_after:
        await asyncio.sleep(desk.slow.get(what, 0.0))


async def _post_file(request: web.Request) -> web.StreamResponse:
    desk = request.app[DESK]
    await _late(desk, "upload")
    form = await request.post()
    given = form["file"]
    assert isinstance(given, web.FileField)
    with given.file as file:
        made = desk.store(given.filename, file.read(), str(form["purpose"]))
    desk.uploads.append(given.filename)
    await _late(desk, "file")
    return web.json_response(made)


async def _get_files(request: web.Request) -> web.StreamResponse:
    desk, purpose = request.app[DESK], request.query.get("purpose")
    found = [file for file in desk.files.values() if purpose in (None, file["purpose"])]
    return web.json_response({"object": "list", "data": found[::-1], "has_more": False})


async def _delete_file(request: web.Request) -> web.StreamResponse:
    desk, number = request.app[DESK], request.match_info["id"]
    there = desk.files.pop(number, None)
    desk.contents.pop(number, None)
    await _late(desk, "delete")
    if there is None:
        return _error(404, f"No such File object: {number}")
    return web.json_response({"id": number, "object": "file", "deleted": True})


async def _get_content(request: web.Request) -> web.StreamResponse:
    desk, number = request.app[DESK], request.match_info["id"]
    if number not in desk.contents:
        return _error(404, f"No such File object: {number}")
    content = desk.contents[number]
    response = web.StreamResponse(headers={"Content-Length": str(len(content))})
    await response.prepare(request)
    await response.write(content[: len(content) // 2])
    await _late(desk, "content")
    await response.write(content[len(content) // 2 :])
    return response


async def _post_batch(request: web.Request) -> web.StreamResponse:
    desk, told = request.app[DESK], await request.json()
    if told["input_file_id"] not in desk.files:
        return _error(400, "no such file")
    number = f"batch_{len(desk.batches)}"
    desk.batches[number] = {
        "id": number,
        "object": "batch",
        "endpoint": told["endpoint"],
        "completion_window": told["completion_window"],
        "input_file_id": told["input_file_id"],
        "metadata": told.get("metadata"),
        "status": "validating",
        "created_at": int(time.time()),
        "request_counts": {
            "total": len(desk.lines(told["input_file_id"])),
            "completed": 0,
            "failed": 0,
        },
    }
    await _late(desk, "batch")
    return web.json_response(desk.batches[number])


async def _get_batches(request: web.Request) -> web.StreamResponse:
    """Pages of 2 at most, so that a client has to turn them."""
    desk = request.app[DESK]
    await _late(desk, "list")
    names = list(desk.batches)[::-1]
    after = request.query.get("after")
    start = names.index(after) + 1 if after else 0
    size = min(2, int(request.query.get("limit", "20")))
    page = [desk.batches[name] for name in names[start : start + size]]
    more = start + size < len(names)
    return web.json_response(
        {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": more,
        }
    )


async def _get_batch(request: web.Request) -> web.StreamResponse:
    desk, number = request.app[DESK], request.match_info["id"]
    if number not in desk.batches:
        return _error(404, f"No batch found with id '{number}'")
    return web.json_response(desk.batches[number])


async def _cancel(request: web.Request) -> web.StreamResponse:
    batch = request.app[DESK].batches.get(request.match_info["id"])
    if batch is None:
        return _error(404, "no such batch")
    if batch["status"] not in OPEN:
        return _error(409, f"Cannot cancel a batch with status '{batch['status']}'.")
    batch["status"] = "cancelling"
    return web.json_response(batch)
