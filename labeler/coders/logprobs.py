"""The log-probabilities of a chat completion, laid on the values of the JSON that it wrote."""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from itertools import accumulate
from json import JSONDecoder
from typing import Any, NamedTuple

from labeler.text import strict_json
from labeler.text.coded_values import number_text

_STRING = JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_PLAIN = re.compile(r"[^\s,\]}]+")

Path = tuple[str | int, ...]


class _WrittenValue(NamedTuple):
    """A value and where it is written, with its quotation marks: `text[start:end]`."""

    path: Path
    value: str
    start: int
    end: int


class _TokenProbabilities(NamedTuple):
    """The bytes of all tokens, the end of each in them, and each one's log-probability."""

    told: bytes
    ends: list[int]
    logs: list[float]


def probabilities(body: str, answer: str) -> dict[Path, float]:
    """The probability of each value in `answer`, by its path and itself.

    `body` is a readable response, `answer` the JSON object in it that was read. A path ends in the
    name and the value; a list counts as its members: `("variables", "needs", "autonomy")`. The
    probability of a value is the product over the tokens that write it, its quotation marks
    included: they tell null from a code and a code from a longer one. Empty where the response has
    no log-probabilities, or its tokens do not spell the answer.
    """
    tokens = _tokens(strict_json.load(body, "response"))
    start = tokens.told.find(_utf8(answer)) if tokens else -1
    if tokens is None or start < 0:
        return {}
    found: list[_WrittenValue] = []
    _walk(answer, 0, (), found)
    shares: dict[Path, float] = {}
    for written in found:
        first = start + len(_utf8(answer[: written.start]))
        last = first + len(_utf8(answer[written.start : written.end]))
        within = slice(bisect_right(tokens.ends, first), bisect_left(tokens.ends, last) + 1)
        path = written.path[:-1] if isinstance(written.path[-1], int) else written.path
        shares.setdefault((*path, written.value), math.exp(sum(tokens.logs[within])))
    return shares


def _tokens(response: Any) -> _TokenProbabilities | None:
    """The tokens of the first choice; None where there are none, or one is not as it should be."""
    told = response["choices"][0].get("logprobs")
    listed = told.get("content") if isinstance(told, dict) else None
    if not isinstance(listed, list) or not listed:
        return None
    parts, logs = [], []
    for token in listed:
        part = _bytes(token) if isinstance(token, dict) else None
        log = token.get("logprob") if part is not None else None
        if part is None or not isinstance(log, int | float) or not math.isfinite(log):
            return None
        parts.append(part)
        logs.append(min(0.0, float(log)))
    return _TokenProbabilities(b"".join(parts), list(accumulate(map(len, parts))), logs)


def _bytes(token: dict[str, Any]) -> bytes | None:
    """What a token writes: its bytes where they are told (it may be half a letter), or its text."""
    told, text = token.get("bytes"), token.get("token")
    if isinstance(told, list) and all(type(byte) is int and 0 <= byte < 256 for byte in told):
        return bytes(told)
    return _utf8(text) if isinstance(text, str) else None


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _walk(text: str, place: int, path: Path, found: list[_WrittenValue]) -> int:
    """Note every value of the JSON that begins at `place`; where it ends."""
    place = _skip(text, place)
    if text[place] in "{[":
        return _walk_members(text, place, path, found)
    if text[place] == '"':
        value, end = _STRING.raw_decode(text, place)
    else:
        end = place + len(_literal(text, place))
        value = _number(text[place:end])
    found.append(_WrittenValue(path, value, place, end))
    return end


def _walk_members(text: str, place: int, path: Path, found: list[_WrittenValue]) -> int:
    named, number = text[place] == "{", 0
    place = _skip(text, place + 1)
    while text[place] not in "}]":
        name: str | int = number
        if named:
            name, place = _STRING.raw_decode(text, place)
            place = _skip(text, place) + 1
        place = _skip(text, _walk(text, place, (*path, name), found))
        number += 1
        if text[place] == ",":
            place = _skip(text, place + 1)
    return place + 1


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _literal(text: str, place: int) -> str:
    match = _PLAIN.match(text, place)
    return match.group() if match else ""


def _number(literal: str) -> str:
    """A number as codings have it; null, true and false as they are."""
    if literal in ("null", "true", "false"):
        return literal
    return number_text(literal)
