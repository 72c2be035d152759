"""One answer of a coder that is no person: its text to codes and segments of the codebook.

The answer of a model and of the cues coder has one form:

    {"rationale": "…", "variables": {"relevance": "relevant"},
     "segments": [{"quote": "…", "codes": {"impact": "positive", "value": ["autonomy"]}}]}

A single variable takes a code, a multiple one a list of codes, one without values a number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

from labeler import quotes
from labeler.codebook import Codebook, Variable
from labeler.errors import AnswerError

_FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.S | re.I)

Codes = dict[str, tuple[str, ...]]


class Segment(NamedTuple):
    """A stretch of the text and its codings; start and end are -1 where `found` is 'missing'."""

    start: int
    end: int
    quote: str
    found: str
    codings: dict[str, str]


class Answer(NamedTuple):
    """Codings of the unit (variable to value), its segments by (start, end), faults (kind, detail).

    The faults here are those beside which the codings stay: `unsupported-quote`, `abstained`.
    """

    codings: dict[str, str]
    segments: list[Segment]
    faults: list[tuple[str, str]]


def content(body: str) -> str:
    """What the model wrote, from the whole response body (chat.completion JSON).

    Raises AnswerError: `refusal`, `truncated`, or `off-schema` where there is nothing to read.
    """
    response = _json(body, "response")
    choices = response.get("choices") if isinstance(response, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise AnswerError("response: holds no message of a model", kind="off-schema")
    if message.get("refusal"):
        raise AnswerError(f"the model refused: {_shown(message['refusal'])}", kind="refusal")
    if choice.get("finish_reason") == "content_filter":
        raise AnswerError("the server's content filter stopped the answer", kind="refusal")
    if choice.get("finish_reason") == "length":
        raise AnswerError("the answer was cut at its token limit; raise it", kind="truncated")
    written = message.get("content")
    if not isinstance(written, str) or not written.strip():
        raise AnswerError("response: the message is empty", kind="off-schema")
    return written


def read(answer: str, text: str, codebook: Codebook, *, abstains: bool = False) -> Answer:
    """The codings and segments that `answer` gives to the unit with this text.

    `abstains`: null is an answer to every question (the cues coder). Raises AnswerError
    (`off-schema`) where the answer is no answer to this codebook, whatever it holds.
    """
    fenced = _FENCE.fullmatch(answer)
    given = _json(fenced.group(1) if fenced else answer, "answer")
    names = ["rationale", "variables", *(["segments"] if codebook.segments else [])]
    parts = _members(given, names, "answer")
    if not isinstance(parts["rationale"], str):
        raise _misfit("rationale", "a text", parts["rationale"])
    faults: list[tuple[str, str]] = []
    asked = _Asked(abstains, faults)
    codes: Codes = {}
    codings = _codings(codebook.of_unit, parts["variables"], codes, "variables", asked)
    segments = []
    if codebook.segments is not None:
        if not isinstance(parts["segments"], list):
            raise _misfit("segments", "a list", parts["segments"])
        segments = list(_segments(parts["segments"], text, codebook, codes, asked))
    return Answer(codings, sorted(segments, key=lambda one: (one.start, one.end)), faults)


def applies(variable: Variable, given: Mapping[str, Iterable[str]]) -> bool:
    """Whether the codes given so far make this variable a question."""
    return all(
        set(codes).intersection(given.get(name, ()))
        for name, codes in variable.applies_when.items()
    )


def may_be_null(variable: Variable) -> bool:
    """Whether the schema admits null: a question that may not apply, or may be left open.

    A multiple variable says the same by an empty list.
    """
    return not variable.multiple and (bool(variable.applies_when) or not variable.required)


def storable(text: str) -> str:
    """Without NUL and lone surrogates, which databases refuse."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


class _Asked(NamedTuple):
    """How strictly null is read, and where faults beside which codings stay are noted."""

    abstains: bool
    faults: list[tuple[str, str]]


def _segments(
    given: list[object], text: str, codebook: Codebook, unit: Codes, asked: _Asked
) -> Iterable[Segment]:
    ends: dict[str, int] = {}
    for place, part in enumerate(given):
        path = f"segments[{place}]"
        segment = _members(part, ["quote", "codes"], path)
        if not isinstance(segment["quote"], str):
            raise _misfit(f"{path}.quote", "a text", segment["quote"])
        codes = dict(unit)
        codings = _codings(codebook.of_segment, segment["codes"], codes, f"{path}.codes", asked)
        if not any(applies(variable, codes) for variable in codebook.of_segment):
            continue
        quote = storable(segment["quote"]).strip()
        found = _place(quote, text, ends.get(quote, 0))
        if found is None:
            asked.faults.append(("unsupported-quote", f"{path}.quote: {_shown(quote)}"))
            yield Segment(-1, -1, quote, "missing", codings)
        else:
            ends[quote] = found.end
            yield Segment(found.start, found.end, text[found.start : found.end], found.how, codings)


def _place(quote: str, text: str, after: int) -> quotes.Found | None:
    """Where the quote stands; its next place where the answer quoted the same words before."""
    again = text.find(quote, after) if after else -1
    if again >= 0:
        return quotes.Found(again, again + len(quote), "exact")
    return quotes.find(quote, text)


def _codings(
    variables: tuple[Variable, ...], given: object, codes: Codes, path: str, asked: _Asked
) -> dict[str, str]:
    """The written values of the variables that apply; `codes` grows by them."""
    members = _members(given, [variable.variable for variable in variables], path)
    codings = {}
    for variable in variables:
        name = variable.variable
        value = _value(variable, members[name], f"{path}.{name}", abstains=asked.abstains)
        if not applies(variable, codes):
            continue
        if value is None:
            if variable.required and not asked.abstains:
                asked.faults.append(("abstained", f"{path}.{name}: null, though it applies"))
            continue
        codes[name] = value
        codings[name] = variable.written(value) if variable.values else value[0]
    return codings


def _value(
    variable: Variable, given: object, path: str, *, abstains: bool
) -> tuple[str, ...] | None:
    """The codes given to a variable, or its number as text; None for null."""
    if given is None and (abstains or may_be_null(variable)):
        return None
    if not variable.values:
        return (_number(variable, given, path),)
    if not variable.multiple:
        return (_code(variable, given, path),)
    if not isinstance(given, list):
        raise _misfit(path, "a list of codes", given)
    codes = tuple(dict.fromkeys(_code(variable, code, path) for code in given))
    chosen = tuple(code for code in codes if code != variable.none)
    return chosen or ((variable.none,) if variable.none else ())


def _code(variable: Variable, given: object, path: str) -> str:
    if not isinstance(given, str) or given not in variable.codes:
        raise _misfit(path, f"one of {', '.join(variable.codes)}", given)
    return given


def _number(variable: Variable, given: object, path: str) -> str:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise _misfit(path, "a number", given)
    whole = isinstance(given, int) or given.is_integer()
    written = str(int(given)) if whole else repr(given)
    fault = variable.fault(written)
    if fault:
        raise AnswerError(f"{path}: {fault[:200]}", kind="off-schema")
    return written


def _members(given: object, names: list[str], path: str) -> dict[str, Any]:
    """The members of an object that has these and no others."""
    if not isinstance(given, dict):
        raise _misfit(path, "an object", given)
    for name in names:
        if name not in given:
            raise AnswerError(f"{path}: {name} is missing", kind="off-schema")
    for name in given:
        if name not in names:
            raise AnswerError(f"{path}: {_shown(name)} is not asked for", kind="off-schema")
    return cast(dict[str, Any], given)


def _json(text: str, path: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise AnswerError(
            f"{path}: not readable as JSON: {error!s:.200}", kind="off-schema"
        ) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return members


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _misfit(path: str, expected: str, given: object) -> AnswerError:
    return AnswerError(f"{path}: expected {expected}, got {_shown(given)}", kind="off-schema")


def _shown(given: object) -> str:
    """A short ASCII picture of anything, however deep, that every database can store."""
    if isinstance(given, dict | list):
        return "an object" if isinstance(given, dict) else "a list"
    return ascii(given if not isinstance(given, str) else given[:80])[:200]
