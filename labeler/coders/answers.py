"""One answer of a coder that is no person: its text to codes and segments of the codebook.

The answer of a model, of the cues coder and of an embedded coder has one form:

    {"rationale": "…", "variables": {"relevance": "relevant"},
     "segments": [{"quote": "…", "codes": {"impact": "positive", "value": ["autonomy"]}}]}

The cues coder adds to a segment where its quote begins (`start`, in code points of the text).
A single variable takes a code, a multiple one a list of codes, one without values a number.
An answer to several posts names each by the id that its request gave it:

    {"posts": [{"post": "9f3c…", "rationale": "…", "variables": {…}}],
     "segments": [{"post": "9f3c…", "quote": "…", "codes": {…}}]}
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from labeler.codebook.codebook import Codebook, Variable
from labeler.errors import AnswerError
from labeler.text import quotes, strict_json
from labeler.text.storable import storable

_FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.S | re.I)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([nrt\"\\/]))")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}

Codes = dict[str, tuple[str, ...]]


class Example(NamedTuple):
    """A unit that people coded together: its text as sent, and its codes as answer (JSON)."""

    unit: str
    text: str
    answer: str


class PostInRequest(NamedTuple):
    """Which of the posts of one request is meant: its id, and the ids of all."""

    post: str
    posts: tuple[str, ...]


class AnsweredSegment(NamedTuple):
    """A stretch of the text and its codings; start and end are -1 where `found` is 'missing'.

    `place` is where it stands in the list of segments as answered, from 0.
    """

    start: int
    end: int
    quote: str
    found: str
    codings: dict[str, str]
    place: int = 0


class ParsedAnswer(NamedTuple):
    """Codings of the unit (variable to value), its segments by (start, end), faults (kind, detail).

    The faults here are those beside which the codings stay: `unsupported-quote`, `abstained`.
    """

    codings: dict[str, str]
    segments: list[AnsweredSegment]
    faults: list[tuple[str, str]]


def content(body: str) -> str:
    """What the model wrote, from the whole response body (chat.completion JSON).

    Raises AnswerError: `refusal`, `truncated`, or `off-schema` where there is nothing to read.
    """
    response = strict_json.load(body, "response")
    choices = response.get("choices") if isinstance(response, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise AnswerError("response: holds no message of a model", kind="off-schema")
    if message.get("refusal"):
        raise AnswerError(
            f"the model refused: {strict_json.shown(message['refusal'])}", kind="refusal"
        )
    if choice.get("finish_reason") == "content_filter":
        raise AnswerError("the server's content filter stopped the answer", kind="refusal")
    if choice.get("finish_reason") == "length":
        raise AnswerError("the answer was cut at its token limit; raise it", kind="truncated")
    written = message.get("content")
    if not isinstance(written, str) or not written.strip():
        raise AnswerError("response: the message is empty", kind="off-schema")
    return written


def bare(answer: str) -> str:
    """The answer without the fence that some models put around it."""
    fenced = _FENCE.fullmatch(answer)
    return fenced.group(1) if fenced else answer


def read(
    answer: str,
    text: str,
    codebook: Codebook,
    *,
    abstains: bool = False,
    among: PostInRequest | None = None,
) -> ParsedAnswer:
    """The codings and segments that `answer` gives to the unit with this text.

    `abstains`: null is an answer to every question (cues and embedded coder). `among`: the
    request asked about several posts, of which this is one. Raises AnswerError: `off-schema`
    where the answer is no answer to this codebook or names a post that was not asked about,
    whatever it holds; `left-out` where it passes over this one of several posts, or
    answers it twice.
    """
    given = strict_json.load(bare(answer), "answer")
    if among is not None:
        given = _one(given, among, codebook)
    names = ["rationale", "variables", *(["segments"] if codebook.segments else [])]
    parts = strict_json.members(given, names, "answer")
    if not isinstance(parts["rationale"], str):
        raise strict_json.misfit("rationale", "a text", parts["rationale"])
    faults: list[tuple[str, str]] = []
    asked = _AnswerReading(abstains, faults)
    codes: Codes = {}
    codings = _codings(codebook.of_unit, parts["variables"], codes, "variables", asked)
    segments = []
    if codebook.segments is not None:
        if not isinstance(parts["segments"], list):
            raise strict_json.misfit("segments", "a list", parts["segments"])
        segments = list(_segments(parts["segments"], text, codebook, codes, asked))
    return ParsedAnswer(codings, sorted(segments, key=lambda one: (one.start, one.end)), faults)


def may_be_null(variable: Variable) -> bool:
    """Whether the schema admits null: a question that may not apply, or may be left open.

    A multiple variable says the same by an empty list.
    """
    return not variable.multiple and (bool(variable.applies_when) or not variable.required)


def _one(given: object, among: PostInRequest, codebook: Codebook) -> dict[str, Any]:
    """What an answer to several posts says of one of them, in the form of an answer to one."""
    lists = strict_json.members(
        given, ["posts", *(["segments"] if codebook.segments else [])], "answer"
    )
    own: dict[str, list[dict[str, Any]]] = {}
    for name, parts in lists.items():
        if not isinstance(parts, list):
            raise strict_json.misfit(name, "a list", parts)
        own[name] = []
        for place, part in enumerate(parts):
            which = part.get("post") if isinstance(part, dict) else None
            if which not in among.posts:
                raise strict_json.misfit(
                    f"{name}[{place}].post", "the id of a post of this request", which
                )
            if which == among.post:
                own[name].append({key: part[key] for key in part if key != "post"})
    if len(own["posts"]) != 1:
        times = len(own["posts"])
        raise AnswerError(
            f"posts: {times} answers to this one of {len(among.posts)} posts", kind="left-out"
        )
    post = own["posts"][0]
    return post | {"segments": own["segments"]} if codebook.segments else post


class _AnswerReading(NamedTuple):
    """How strictly null is read, and where faults beside which codings stay are noted."""

    abstains: bool
    faults: list[tuple[str, str]]


def _segments(
    given: list[object], text: str, codebook: Codebook, unit: Codes, asked: _AnswerReading
) -> Iterable[AnsweredSegment]:
    ends: dict[str, int] = {}
    for place, part in enumerate(given):
        path = f"segments[{place}]"
        at = ["start"] if asked.abstains and isinstance(part, dict) and "start" in part else []
        segment = strict_json.members(part, ["quote", "codes", *at], path)
        if not isinstance(segment["quote"], str):
            raise strict_json.misfit(f"{path}.quote", "a text", segment["quote"])
        codes = dict(unit)
        codings = _codings(codebook.of_segment, segment["codes"], codes, f"{path}.codes", asked)
        if not any(variable.applies(codes) for variable in codebook.of_segment):
            continue
        quote = storable(segment["quote"]).strip()
        found = _told_place(quote, text, segment.get("start"), f"{path}.start")
        found = found or _place(quote, text, ends.get(quote, 0))
        if found is None:
            asked.faults.append(("unsupported-quote", f"{path}.quote: {strict_json.shown(quote)}"))
            yield AnsweredSegment(-1, -1, quote, "missing", codings, place)
        else:
            start, end, how = found
            ends[quote] = end
            yield AnsweredSegment(start, end, text[start:end], how, codings, place)


def _told_place(quote: str, text: str, start: object, path: str) -> quotes.Found | None:
    """Where the coder said that its quote begins, if it stands there; None without a place."""
    if start is None:
        return None
    if isinstance(start, bool) or not isinstance(start, int) or not 0 <= start <= len(text):
        raise strict_json.misfit(path, "an offset in the text", start)
    stands = bool(quote) and text.startswith(quote, start)
    return quotes.Found(start, start + len(quote), "exact") if stands else None


def _place(quote: str, text: str, after: int) -> quotes.Found | None:
    """Where the quote stands; its next place where the answer quoted the same words before.

    A quote copied with the escapes of the JSON string in which the post was sent is read so.
    """
    again = text.find(quote, after) if after else -1
    if again >= 0:
        return quotes.Found(again, again + len(quote), "exact")
    found = quotes.find(quote, text)
    if found is None and "\\" in quote:
        found = quotes.find(_unescaped(quote), text)
        return found and found._replace(how="fuzzy" if found.how == "fuzzy" else "normalised")
    return found


def _unescaped(quote: str) -> str:
    def sign(match: re.Match[str]) -> str:
        digits, short = match.groups()
        return chr(int(digits, 16)) if digits else _ESCAPED.get(short, short)

    halves = _ESCAPE.sub(sign, quote).encode("utf-16-le", "surrogatepass")
    return halves.decode("utf-16-le", "replace")


def _codings(
    variables: tuple[Variable, ...], given: object, codes: Codes, path: str, asked: _AnswerReading
) -> dict[str, str]:
    """The written values of the variables that apply; `codes` grows by them."""
    members = strict_json.members(given, [variable.variable for variable in variables], path)
    codings = {}
    for variable in variables:
        name = variable.variable
        value = _value(variable, members[name], f"{path}.{name}", abstains=asked.abstains)
        if not variable.applies(codes):
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
        raise strict_json.misfit(path, "a list of codes", given)
    codes = tuple(dict.fromkeys(_code(variable, code, path) for code in given))
    chosen = tuple(code for code in codes if code != variable.none)
    return chosen or ((variable.none,) if variable.none else ())


def _code(variable: Variable, given: object, path: str) -> str:
    if not isinstance(given, str) or given not in variable.codes:
        raise strict_json.misfit(path, f"one of {', '.join(variable.codes)}", given)
    return given


def _number(variable: Variable, given: object, path: str) -> str:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise strict_json.misfit(path, "a number", given)
    whole = isinstance(given, int) or given.is_integer()
    written = str(int(given)) if whole else repr(given)
    fault = variable.fault(written)
    if fault:
        raise AnswerError(f"{path}: {fault[:200]}", kind="off-schema")
    return written
