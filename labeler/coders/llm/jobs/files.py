"""Requests to the files of jobs, and the lines of what a server made of them.

The files are those of OpenAI's jobs, which `vllm run-job` reads and writes as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from labeler import hints
from labeler.errors import InputError
from labeler.keys import canonical
from labeler.text.storable import storable

HEAD = '{"body":'
RESULTS = ["line", "asked", "status", "raw", "code", "detail", "fault"]
OK = 200


class FileLimits(NamedTuple):
    """What a file of a job holds at most. OpenAI takes 50,000 lines and 200 MB."""

    lines: int = 50_000
    bytes: int = 200_000_000


def line(asked: str, body: str, *, endpoint: str) -> str:
    """A line of a job's file: a request (its body as JSON) under the key that comes back."""
    rest = canonical({"custom_id": asked, "method": "POST", "url": endpoint})
    return f"{HEAD}{body},{rest[1:]}"


def shards(chunks: Iterable[pd.DataFrame], *, limits: FileLimits) -> Iterator[pd.DataFrame]:
    """Requests in portions that fit a file each.

    `chunks` are frames with the columns completion, unit, asked, and bytes, those of the request's
    line with its end; rows with the same `asked` follow each other and share a line. A portion has
    the same columns. Order is kept and a file is filled before the next is begun. InputError where
    a line alone is more than a file may hold.
    """
    held: list[pd.DataFrame] = []
    lines = size = 0
    for chunk in chunks:
        first = 0
        for row, more, unit in _lines(chunk):
            if more > limits.bytes:
                raise InputError(
                    f"unit {unit}: its request has {more:,} bytes, more than the {limits.bytes:,} "
                    "that a file may hold",
                    hint=hints.LARGER_FILES,
                )
            if lines and (lines == limits.lines or size + more > limits.bytes):
                yield pd.concat([*held, chunk.iloc[first:row]], ignore_index=True)
                held, first, lines, size = [], row, 0, 0
            lines, size = lines + 1, size + more
        held.append(chunk.iloc[first:])
    if lines:
        yield pd.concat(held, ignore_index=True)


def results(lines: Iterable[tuple[int, Mapping[str, Any] | None, str]]) -> pd.DataFrame:
    """Lines of an output or error file (number, content, fault) as a frame of RESULTS.

    `asked` is the line's custom_id; `status` and `raw` are the reply's, as JSON. Where the request
    was never answered, status is 0 and `code` and `detail` are the server's reason. A line that is
    no result has a `fault` and no `asked`.
    """
    rows = [_result(*one) for one in lines]
    kinds = dict.fromkeys(RESULTS, "str") | {"line": "int64", "status": "int64", "raw": "object"}
    return pd.DataFrame(rows, columns=RESULTS).astype(kinds)


def _lines(chunk: pd.DataFrame) -> Iterator[tuple[int, int, str]]:
    """Where the rows of each line begin, the line's bytes, and its first unit."""
    begins = (~chunk.duplicated("asked")).to_numpy().nonzero()[0]
    for row in begins.tolist():
        yield row, int(chunk["bytes"].iloc[row]), str(chunk["unit"].iloc[row])


def _result(
    number: int, content: Mapping[str, Any] | None, fault: str
) -> tuple[int, str, int, str, str, str, str]:
    if content is None:
        return number, "", 0, "", "", "", fault or "no JSON"
    asked = content.get("custom_id")
    if not isinstance(asked, str) or not asked:
        return number, "", 0, "", "", "", "no custom_id"
    asked = storable(asked)
    code, detail = _reason(content.get("error"))
    response = content.get("response")
    if not isinstance(response, dict):
        if not code and not detail:
            return number, "", 0, "", "", "", "neither a response nor an error"
        return number, asked, _status(code), _text(content.get("error")), code, detail, ""
    status = response.get("status_code")
    if not isinstance(status, int) or isinstance(status, bool):
        return number, "", 0, "", "", "", "a response without a status_code"
    body = response.get("body")
    raw = _text(content.get("error") if body is None else body)
    return number, asked, status, raw, code, detail, ""


def _reason(error: object) -> tuple[str, str]:
    """Code and words of an error, at OpenAI beside the response, at others one level deeper."""
    if not isinstance(error, dict):
        return "", storable(error) if isinstance(error, str) else ""
    inner = error.get("error")
    about = inner if isinstance(inner, dict) else error
    code = about.get("code")
    words = about.get("message")
    return (
        "" if code is None else storable(str(code))[:100],
        storable(" ".join(words.split()))[:500] if isinstance(words, str) else "",
    )


def _status(code: str) -> int:
    """The HTTP status that a server gave as an error's code; 0 where it is none."""
    return int(code) if code.isascii() and code.isdigit() and len(code) == 3 else 0


def _text(content: object) -> str:
    return json.dumps(content, ensure_ascii=False)
