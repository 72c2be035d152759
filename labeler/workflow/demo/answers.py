"""What the made-up model answers: the reference codes of a post, with the errors of a model.

It knows the bundled posts by their text as it was sent, and no others. What it gets wrong a hash
of the post decides, so that every run is the same; how often is written down here, and tested. It
is kinder than people are: it takes much for relevant and for positive, sees emotional support and
human welfare where there is none, and overlooks what is rare or said in passing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from labeler.codebook.codebook import Codebook, Variable
from labeler.keys import canonical, key
from labeler.posts import deidentify
from labeler.workflow.demo.sample import SamplePost

REFUSES, OFF_SCHEMA, CUT = 0.006, 0.008, 0.004
CUT_BELOW = 4000  # tokens: with a higher limit the same answer comes whole
REWORDS, TRIMS = 0.03, 0.06  # of the quotes
OVERLOOKS = 0.16  # of the segments behind the first
MISTAKES: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "relevance": {
        "not_relevant": {"relevant": 0.12},
        "relevant": {"not_relevant": 0.03},
        "unclear": {"relevant": 0.6, "not_relevant": 0.2},
    },
    "impact": {
        "negative": {"positive": 0.1, "neutral": 0.07},
        "neutral": {"positive": 0.42, "negative": 0.05},
        "not_applicable": {"neutral": 0.3, "positive": 0.12},
        "positive": {"neutral": 0.03},
    },
    "condition": {"no_condition": {"general": 0.6}, "other_condition": {"general": 0.25}},
    "perspective": {
        "appraisal_support": {"emotional_support": 0.18},
        "sociocultural_impact": {"no_perspective": 0.3},
        "ethics": {"clinical_skepticism": 0.2, "no_perspective": 0.1},
        "maladaptive_usage": {"dependency": 0.3},
        "no_perspective": {"informational_support": 0.3},
    },
    "value": {
        "no_value": {"human_welfare": 0.3},
        "identity": {"autonomy": 0.2},
        "informed_consent": {"privacy": 0.3},
        "freedom_from_bias": {"trust": 0.2},
        "calmness": {"human_welfare": 0.12},
    },
    "product": {"unnamed": {"gpt": 0.22}, "other_product": {"gpt": 0.3}, "llama": {"unnamed": 0.1}},
}
ADDS: Mapping[str, Mapping[str, float]] = {
    "condition": {"general": 0.05, "anxiety": 0.03},
    "perspective": {"emotional_support": 0.12, "informational_support": 0.05},
    "value": {"human_welfare": 0.16, "trust": 0.04},
}
SUPPOSED: Mapping[str, Any] = {  # the codes of a use that it sees where there is none
    "impact": "positive",
    "condition": ["general"],
    "perspective": ["emotional_support"],
    "value": ["human_welfare"],
    "product": ["unnamed"],
}
UNKNOWN = "The made-up model knows the posts of the bundled sample, and this is none of them."
REFUSAL = "I cannot help with posts of this kind. (A made-up refusal.)"

_SECRET = b"a placeholder's digits are left out"
_PLACEHOLDER = re.compile(r"\[([a-z]+)_[0-9a-f]{6}\]")
_SURE = re.compile("\ue000([\\d.]+)\ue001(\\w+)\ue002")  # a probability, and a code
_BEGINNING = re.compile(r"\S+(?:\s+\S+){4,11}")

Chance = Callable[[str], float]


class Answer(NamedTuple):
    """What is answered: a content, or a refusal; `cut` where the limit of tokens ended it.

    `tokens` spell the content, each with its probability: a code is one token, and all between two
    codes another.
    """

    content: str
    refusal: str = ""
    cut: bool = False
    tokens: tuple[tuple[str, float], ...] = ()


class MadeUpModel:
    """The answers of the made-up model to the posts of a sample, by their texts as sent."""

    def __init__(self, posts: Iterable[SamplePost], codebook: Codebook) -> None:
        """Learn the posts by heart; those that can be coded with this codebook."""
        self._codebook = codebook
        listed = list(posts)
        hidden = deidentify.hide_all([post.text for post in listed], secret=_SECRET)
        self._known = {
            _bare(sent.text): (post, sent) for post, sent in zip(listed, hidden, strict=True)
        }

    def answer(self, text: str, *, limit: int | None = None) -> Answer:
        """The answer to a post, given its text as sent, of at most `limit` tokens."""
        bare = _bare(text)
        if bare not in self._known:
            return Answer("", refusal=UNKNOWN)
        chance = chances("made-up model", bare)
        if chance("refuses") < REFUSES:
            return Answer("", refusal=REFUSAL)
        tokens = _tokens(canonical(self._coded(*self._known[bare], text, chance)))
        content = "".join(part for part, _ in tokens)
        if chance("off schema") < OFF_SCHEMA:
            return Answer(content.replace('"variables":{', '"variables":{"mood":"hopeful",'))
        if chance("cut") < CUT and (limit is None or limit < CUT_BELOW):
            return Answer(content[: len(content) // 2], cut=True)
        return Answer(content, tokens=tokens)

    def _coded(
        self, post: SamplePost, sent: deidentify.DeidentifiedText, text: str, chance: Chance
    ) -> dict[str, Any]:
        """The answer in the form of the codebook's schema; each code says how sure it is."""
        variables = {
            variable.variable: _seen(
                variable, post.coding["variables"][variable.variable], chance, ""
            )
            for variable in self._codebook.of_unit
        }
        segments = []
        if _SURE.sub(r"\2", variables.get("relevance", "")) == "relevant":
            there = post.coding["segments"]
            listed = there or [{"quote": None, "codes": SUPPOSED}]
            for place, segment in enumerate(listed):
                if place and chance(f"overlooks {place}") < OVERLOOKS:
                    continue
                quote = _sent_quote(segment["quote"], post.text, sent, text)
                codes = {
                    variable.variable: _seen(
                        variable,
                        segment["codes"][variable.variable],
                        chance,
                        str(place),
                        real=bool(there),
                    )
                    for variable in self._codebook.of_segment
                }
                segments.append({"quote": _quoted(quote, chance, place), "codes": codes})
        reason = f"A made-up reason, for {len(segments)} of the uses that the post may hold."
        return {"rationale": reason, "variables": variables, "segments": segments}


def chances(*about: str) -> Chance:
    """Question → a number from 0 to below 1 that depends on it and on what it is about."""
    return lambda question: int(key([*about, question])[:8], 16) / 16**8


def _seen(variable: Variable, given: Any, chance: Chance, place: str, *, real: bool = True) -> Any:
    """The code or codes that the model gives where these are right; `real`: they are."""
    mistakes = MISTAKES.get(variable.variable, {})
    name = f"{variable.variable} {place}"
    if not variable.multiple:
        code = _mistaken(given, mistakes, chance(name))
        return _surely(code, real and code == given, chance(f"{name} sure"))
    codes = {_mistaken(code, mistakes, chance(f"{name} {code}")) for code in given}
    for code, often in ADDS.get(variable.variable, {}).items():
        if chance(f"{name} adds {code}") < often:
            codes.add(code)
    if len(codes) > 1:
        codes.discard(variable.none or "")
    return [
        _surely(code, real and code in given, chance(f"{name} {code} sure"))
        for code in sorted(codes, key=variable.codes.index)
    ]


def _surely(code: str, right: bool, drawn: float) -> str:
    """A code with the probability of its token: higher on the whole where it is right."""
    probability = 1 - 0.5 * drawn**3 if right else 1 - 0.7 * drawn**0.7
    return f"\ue000{probability:.4f}\ue001{code}\ue002"


def _tokens(marked: str) -> tuple[tuple[str, float], ...]:
    """The parts of an answer that is marked with how sure the codes are."""
    found, done = list[tuple[str, float]](), 0
    for match in _SURE.finditer(marked):
        found += [(marked[done : match.start()], 1.0), (match.group(2), float(match.group(1)))]
        done = match.end()
    return (*found, (marked[done:], 1.0))


def _mistaken(code: str, mistakes: Mapping[str, Mapping[str, float]], drawn: float) -> str:
    for other, often in mistakes.get(code, {}).items():
        drawn -= often
        if drawn < 0:
            return other
    return code


def _sent_quote(
    quote: str | None, original: str, sent: deidentify.DeidentifiedText, text: str
) -> str:
    """A quote as it stands in the text that was sent; without one, how that text begins."""
    if quote is None:
        beginning = _BEGINNING.search(text)
        return beginning.group() if beginning else text
    start = original.index(quote)
    return text[_sent_offset(sent, start) : _sent_offset(sent, start + len(quote))]


def _sent_offset(sent: deidentify.DeidentifiedText, offset: int) -> int:
    """An offset of the original in the text as sent; placeholders have the same length always."""
    moved = offset
    for span in sent.spans:
        if span.original_end <= offset:
            moved = offset + span.end - span.original_end
        elif span.original_start < offset:
            return span.end
    return moved


def _quoted(quote: str, chance: Chance, place: int) -> str:
    """The quote as the model gives it: reworded now and then, or cut short."""
    drawn, words = chance(f"quotes {place}"), quote.split(" ")
    if drawn < REWORDS:
        return " ".join(["the", "writer", "says", "that", *reversed(words[len(words) // 2 :])])
    if drawn < REWORDS + TRIMS and len(words) > 7:
        return " ".join(words[:-2])
    return quote


def _bare(text: str) -> str:
    """A text without what differs from project to project: the digits of its placeholders."""
    return _PLACEHOLDER.sub(r"[\1]", text)
