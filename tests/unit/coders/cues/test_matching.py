"""Cues in a text: phrases, distances, negations. Codebooks and texts are made up."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from counting import calls

from labeler.codebook import codebook as codebooks
from labeler.coders.cues.matching import VariableCues, cues_of, find, ready

RULES = {
    "negations": ["not", "*n't", "never", "no", "不"],
    "exceptions": ["not only", "no doubt"],
    "ends": ["but", ",", "，"],
    "reach": 2,
}
PLUS = [
    "helpful",
    "help*",
    "glad",
    "never better",
    "worried ~2 privacy",
    "got ~1> through",
    "帮助",
    "🙂",
]
MINUS = ["useless", "can't stop", "helps ~3> nicht", "*angst", "help desk"]


def sought(
    *, plus: str | None = "minus", minus: str | None = None, rules: dict[str, Any] = RULES
) -> VariableCues:
    """What is looked for: cues of two codes, and the code of each where it is negated."""
    values = [
        {"code": code, "label": code, "definition": code, "cues": cues, "negated": negated}
        for code, cues, negated in (("plus", PLUS, plus), ("minus", MINUS, minus))
    ]
    mood = {"variable": "mood", "of": "unit", "label": "M", "question": "M?", "level": "nominal"}
    content = {"codebook": "m", "version": "1", "title": "M", "about": "M.", "cues": rules}
    text = yaml.safe_dump({**content, "variables": [{**mood, "values": values}]})
    book = codebooks.read(text, source="m.yaml")
    return cues_of(book.variable("mood"), book)


def told(text: str, cues: VariableCues | None = None) -> list[str]:
    """Each hit as its codes, cues and the stretch of the text."""
    return [
        f"{one.code}: {one.cue} [{text[hit.start : hit.end]}]"
        for hit in find(cues or sought(), ready(text))
        for one in hit.cue_codes
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It was not helpful.", ["minus: not helpful [helpful]"]),
        ("It was NOT at all helpful.", ["minus: not helpful [helpful]"]),
        ("It was not at all really helpful.", ["plus: helpful [helpful]"]),
        ("It doesn’t help.", ["minus: *n't help* [help]"]),
        ("It was not. Helpful though.", ["plus: helpful [Helpful]"]),
        (
            "Not helpful\r\nhelpful",
            ["minus: not helpful [Helpful]".lower(), "plus: helpful [helpful]"],
        ),
        ("Not cheap but helpful", ["plus: helpful [helpful]"]),
        ("Not cheap, helpful", ["plus: helpful [helpful]"]),
        ("not only helpful", ["plus: helpful [helpful]"]),
        ("no doubt helpful", ["plus: helpful [helpful]"]),
        ("never not helpful", ["plus: helpful [helpful]"]),
        ("no, never not helpful", ["plus: helpful [helpful]"]),
        ("no never not helpful", ["minus: not helpful [helpful]"]),
        ("not helpful or glad", ["minus: not helpful [helpful]", "minus: not glad [glad]"]),
        ("helpful, not", ["plus: helpful [helpful]"]),
        ("never better", ["plus: never better [never better]"]),
        ("can't stop being glad", ["minus: can't stop [can't stop]", "plus: glad [glad]"]),
        ("knot helpful", ["plus: helpful [helpful]"]),
        ("👩‍💻 not 🙂", ["minus: not 🙂 [🙂]"]),
        ("不帮助", ["minus: 不 帮助 [帮助]"]),
        ("不是很帮助", ["minus: 不 帮助 [帮助]"]),
        ("不是我的帮助", ["plus: 帮助 [帮助]"]),
        ("不，帮助", ["plus: 帮助 [帮助]"]),
    ],
)
def test_negations(text: str, expected: list[str]) -> None:
    """Reach 2 within the sentence, ended by words and signs; pairs cancel, phrases are excepted."""
    assert told(text) == expected


def test_a_negated_cue_counts_for_nothing_without_a_code() -> None:
    """Where the value names no code for them, its negated cues are no hits."""
    assert told("not useless and not helpful") == ["minus: not helpful [helpful]"]
    assert told("not useless", sought(minus="plus")) == ["plus: not useless [useless]"]


def test_without_negations_nothing_is_negated() -> None:
    """A codebook without rules reads cues as they stand."""
    assert told("not helpful", sought(plus=None, rules={})) == ["plus: helpful [helpful]"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("worried about my privacy", ["worried about my privacy"]),
        ("Privacy: I'm worried", ["Privacy: I'm worried"]),
        ("worried about all of privacy", []),
        ("worried. My privacy", []),
        ("worried privacy worried privacy", ["worried privacy", "worried privacy"]),
        ("worried worried privacy privacy", ["worried privacy"]),
        ("it got me through", ["got me through"]),
        ("through it got", []),
        ("got all of us through", []),
    ],
)
def test_two_parts_at_a_distance(text: str, expected: list[str]) -> None:
    """At most so many words in between, one sentence, any order or `>`; no part in two pairs."""
    assert [text[hit.start : hit.end] for hit in find(sought(), ready(text))] == expected


def test_the_words_of_a_distance_serve_no_plain_cue() -> None:
    """`helps … nicht` outdoes the plain `help*` in it, and takes a negation before its start."""
    assert told("it helps me nicht") == ["minus: helps ~3> nicht [helps me nicht]"]
    assert told("not worried about privacy") == [
        "minus: not worried ~2 privacy [worried about privacy]"
    ]


def test_the_same_phrase_at_both_ends_pairs_two_places() -> None:
    """A distance of a phrase to itself needs it twice, in any order and in order."""
    for cue in ("a ~1 a", "a ~1> a"):
        text = "a b a"
        values = [
            {"code": "x", "label": "X", "definition": "X.", "cues": [cue]},
            {"code": "y", "label": "Y", "definition": "Y."},
        ]
        kind = {"variable": "v", "of": "unit", "label": "V", "question": "V?", "level": "nominal"}
        content = {"codebook": "m", "version": "1", "title": "M", "about": "M."}
        dumped = yaml.safe_dump({**content, "variables": [{**kind, "values": values}]})
        book = codebooks.read(dumped, source="m.yaml")
        spans = [
            (hit.start, hit.end) for hit in find(cues_of(book.variables[0], book), ready(text))
        ]
        assert spans == [(0, 5)]
        assert find(cues_of(book.variables[0], book), ready("a b")) == []


def test_stars_at_both_ends_and_the_longest_phrase() -> None:
    """`*angst` is the end of a compound; `help desk` goes before `help*`; stars need no star."""
    assert told("Flugangst") == ["minus: *angst [angst]"]
    assert told("a help desk") == ["minus: help desk [help desk]"]
    assert told("helpful help*") == ["plus: helpful [helpful]", "plus: help* [help]"]


HOSTILE = [
    "not ",
    "not helpful ",
    "worried ",
    "worried privacy ",
    "got got through ",
    "不帮助",
    "不",
    "can't ",
    "n't",
    "help\t",
    "!",
    '."',
    "a'",
    "a-",
    "👩‍💻",
    "İ",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_work_grows_with_the_text_and_no_faster(piece: str) -> None:
    """Four times the text takes at most some four times the calls, whatever is repeated in it.

    Calls within an expression are not seen; of those, the square of the length would never end.
    """
    cues, short = sought(), 10_000 // len(piece)

    def needed(text: str) -> int:
        return calls(lambda: find(cues, ready(text)))

    assert needed(piece * short * 4 + "x") <= 5 * needed(piece * short + "x") + 100
    assert find(cues, ready(piece + " " * 200_000 + "x" + "!" * 200_000 + "x")) is not None
