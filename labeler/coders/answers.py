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
from typing import Any, NamedTuple, cast

from labeler.codebook.codebook import Codebook, Variable
from labeler.coders.schema import check, form, shallow
from labeler.errors import AnswerError
from labeler.text import quotes, strict_json
from labeler.text.coded_values import number_text
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
    check(given, form(codebook, abstains=abstains))
    parts = cast(dict[str, Any], given)
    faults: list[tuple[str, str]] = []
    reading = _AnswerReading(abstains, faults)
    codes: Codes = {}
    codings = _codings(codebook.of_unit, parts["variables"], codes, "variables", reading)
    segments = list(_segments(parts.get("segments", []), text, codebook, codes, reading))
    return ParsedAnswer(codings, sorted(segments, key=lambda one: (one.start, one.end)), faults)


def _one(given: object, among: PostInRequest, codebook: Codebook) -> dict[str, Any]:
    """What an answer to several posts says of one of them, in the form of an answer to one."""
    check(given, shallow(codebook))
    own: dict[str, list[dict[str, Any]]] = {}
    for name, parts in cast(dict[str, list[object]], given).items():
        own[name] = []
        for place, part in enumerate(parts):
            which = part.get("post") if isinstance(part, dict) else None
            if not isinstance(part, dict) or which not in among.posts:
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
    given: list[dict[str, Any]],
    text: str,
    codebook: Codebook,
    unit: Codes,
    reading: _AnswerReading,
) -> Iterable[AnsweredSegment]:
    ends: dict[str, int] = {}
    for place, segment in enumerate(given):
        path = f"segments[{place}]"
        codes = dict(unit)
        codings = _codings(codebook.of_segment, segment["codes"], codes, f"{path}.codes", reading)
        if not any(variable.applies(codes) for variable in codebook.of_segment):
            continue
        quote = storable(segment["quote"]).strip()
        found = _told_place(quote, text, segment.get("start"), f"{path}.start")
        found = found or _place(quote, text, ends.get(quote, 0))
        if found is None:
            reading.faults.append(
                ("unsupported-quote", f"{path}.quote: {strict_json.shown(quote)}")
            )
            yield AnsweredSegment(-1, -1, quote, "missing", codings, place)
        else:
            start, end, how = found
            ends[quote] = end
            yield AnsweredSegment(start, end, text[start:end], how, codings, place)


def _told_place(quote: str, text: str, start: int | None, path: str) -> quotes.QuotePlace | None:
    """Where the coder said that its quote begins, if it stands there; None without a place."""
    if start is None:
        return None
    if not 0 <= start <= len(text):
        raise strict_json.misfit(path, "an offset in the text", start)
    stands = bool(quote) and text.startswith(quote, start)
    return quotes.QuotePlace(start, start + len(quote), "exact") if stands else None


def _place(quote: str, text: str, after: int) -> quotes.QuotePlace | None:
    """Where the quote stands; its next place where the answer quoted the same words before.

    A quote copied with the escapes of the JSON string in which the post was sent is read so.
    """
    again = text.find(quote, after) if after else -1
    if again >= 0:
        return quotes.QuotePlace(again, again + len(quote), "exact")
    found = quotes.find(quote, text)
    if found is None and "\\" in quote:
        found = quotes.find(_unescaped(quote), text)
        return found and found._replace(how="fuzzy" if found.how == "fuzzy" else "normalised")
    return found


def _unescaped(quote: str) -> str:
    def character(match: re.Match[str]) -> str:
        digits, short = match.groups()
        return chr(int(digits, 16)) if digits else _ESCAPED.get(short, short)

    halves = _ESCAPE.sub(character, quote).encode("utf-16-le", "surrogatepass")
    return halves.decode("utf-16-le", "replace")


def _codings(
    variables: tuple[Variable, ...],
    given: dict[str, Any],
    codes: Codes,
    path: str,
    reading: _AnswerReading,
) -> dict[str, str]:
    """The written values of the variables that apply; `codes` grows by them."""
    codings = {}
    for variable in variables:
        name = variable.variable
        if not variable.applies(codes):
            continue
        value = _value(variable, given[name])
        if value is None:
            if variable.required and not reading.abstains:
                reading.faults.append(("abstained", f"{path}.{name}: null, though it applies"))
            continue
        codes[name] = value
        codings[name] = variable.written(value) if variable.values else value[0]
    return codings


def _value(variable: Variable, given: Any) -> tuple[str, ...] | None:
    """The codes given to a variable, or its number as text; None for null."""
    if given is None:
        return None
    if not variable.values:
        return (number_text(given),)
    if not variable.multiple:
        return (given,)
    chosen = tuple(code for code in dict.fromkeys(given) if code != variable.none)
    return chosen or ((variable.none,) if variable.none else ())
