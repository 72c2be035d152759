"""JSON that a stranger wrote: read strictly, its members checked, its faults named by path."""

from __future__ import annotations

import json
from typing import Any, cast

from labeler.errors import AnswerError


def load(text: str, path: str) -> object:
    """What the text says; AnswerError (`off-schema`) where that is not JSON or repeats a name."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise AnswerError(
            f"{path}: not readable as JSON: {error!s:.200}", kind="off-schema"
        ) from error


def members(given: object, names: list[str], path: str) -> dict[str, Any]:
    """The members of an object that has these and no others; else AnswerError."""
    if not isinstance(given, dict):
        raise misfit(path, "an object", given)
    for name in names:
        if name not in given:
            raise AnswerError(f"{path}: {name} is missing", kind="off-schema")
    for name in given:
        if name not in names:
            raise AnswerError(f"{path}: {shown(name)} is not asked for", kind="off-schema")
    return cast(dict[str, Any], given)


def misfit(path: str, expected: str, given: object) -> AnswerError:
    """The error that something else was expected at this path."""
    return AnswerError(f"{path}: expected {expected}, got {shown(given)}", kind="off-schema")


def shown(given: object) -> str:
    """A short ASCII picture of anything, however deep, that every database can store."""
    if isinstance(given, dict | list):
        return "an object" if isinstance(given, dict) else "a list"
    return ascii(given if not isinstance(given, str) else given[:80])[:200]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return members


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")
