"""Cells that hold JSON, as exports of annotation programs write what is more than a text. Pure."""

from __future__ import annotations

import json

GIVEN = ("choices", "taxonomy", "rating", "number", "text")  # what a control of a whole unit holds

Parsed = list[object] | dict[str, object]


def json_codes(text: str) -> list[str] | None:
    """The codes that a cell holds as JSON; None where it is plain text, or JSON of another kind.

    A list of codes (`["a", "b"]`), or what Label Studio keeps of one control: `{"choices": …}`,
    `[{"number": 3}]`, `[{"taxonomy": [["a"], ["b", "c"]]}]`. Of a path in a taxonomy the last name
    is the code.
    """
    found = parsed(text)
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], dict):
        found = found[0]
    if isinstance(found, dict):
        if len(found) != 1 or not set(found) <= set(GIVEN):
            return None
        (given,) = found.values()
        return _codes(given if isinstance(given, list) else [given])
    return None if found is None else _codes(found)


def of_regions(text: str) -> bool:
    """Whether a cell speaks of parts of a unit (regions with a place, or several controls' codes),
    as Label Studio flattens them: a list that is more than one control's answer."""
    found = parsed(text)
    if not isinstance(found, list) or not found:
        return False
    answer = found[0]
    whole = isinstance(answer, dict) and len(answer) == 1 and set(answer) <= set(GIVEN)
    return len(found) > 1 or not whole


def parsed(text: str) -> Parsed | None:
    """The list or the object that a text is as JSON; None for any other text."""
    if text[:1] not in ("[", "{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list | dict) else None


def _codes(given: list[object]) -> list[str] | None:
    """Codes, numbers and paths as codes; None where another thing stands between them."""
    codes = [_last(one) for one in given]
    return None if None in codes else [code for code in codes if code is not None]


def _last(one: object) -> str | None:
    """A code, or the last name of a path; None for what is neither."""
    if isinstance(one, list):
        one = one[-1] if one else None
    known = isinstance(one, str | int | float) and not isinstance(one, bool)
    return str(one).strip() if known else None
