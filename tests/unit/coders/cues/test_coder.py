"""The cues coder. Codebooks and posts are made up."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st
from thorough import examples

from labeler.codebook import codebook as codebooks
from labeler.codebook.codebook import Codebook
from labeler.coders import answers
from labeler.coders.answers import ParsedAnswer
from labeler.coders.cues import coder
from labeler.errors import AnswerError
from labeler.store.tables import COMPLETIONS, columns
from labeler.text.storable import storable

GARDEN = """
codebook: garden
version: "1"
title: Watering and plants (made up)
about: Made-up posts about watering plants.
segments:
  segment: use
  label: Use
  definition: A stretch in which a tool and a plant belong together.
  min_words: 4
  relates: [tool, plant]
  within: 2
variables:
  - variable: relevance
    of: unit
    label: Relevance
    question: Is it about watering?
    level: nominal
    default: "off"
    values:
      - {code: "on", label: "On", definition: Yes., cues: ["{segment}", "my garden"]}
      - {code: "off", label: "Off", definition: No., cues: ["video game*"]}
  - variable: tool
    of: segment
    label: Tool
    question: Which tool?
    level: nominal
    applies_when: {relevance: ["on"]}
    values:
      - {code: hose, label: Hose, definition: A hose., cues: [hose, "drip hose", "🚿"]}
      - {code: can, label: Can, definition: A can., cues: [can, "watering can"]}
  - variable: plant
    of: segment
    label: Plants
    question: Which plants?
    level: nominal
    multiple: true
    none: no_plant
    values:
      - {code: rose, label: Rose, definition: A rose., cues: ["ros*"]}
      - {code: herb, label: Herb, definition: A herb., cues: [basil, "sage*", "l'aneth"]}
      - {code: no_plant, label: None, definition: None named., cues: [soil]}
  - variable: mood
    of: segment
    label: Mood
    question: Which mood?
    level: nominal
    values:
      - {code: glad, label: Glad, definition: Glad., cues: [love, "don't mind"]}
      - {code: sad, label: Sad, definition: Sad., cues: [hate, wilted]}
  - variable: litres
    of: segment
    label: Litres
    question: How many litres?
    level: ratio
    minimum: 0
    maximum: 100
"""


@pytest.fixture(scope="module")
def garden() -> Codebook:
    """A codebook with segments and every kind of variable."""
    return codebooks.read(GARDEN, source="garden.yaml")


def answer(codebook: Codebook, text: str) -> dict[str, Any]:
    """What the cues coder answers to one text."""
    posts = pd.DataFrame({"unit": ["u1"], "text": [text]})
    frame = coder.answers(posts, codebook, coder="cues@000000", created="2026-01-01T00:00:00Z")
    given = json.loads(frame.answer[0])
    assert isinstance(given, dict)
    return given


def test_segment_is_the_sentence_that_relates(garden: Codebook) -> None:
    """Of three sentences only the one with tool and plant is quoted, word for word."""
    given = answer(garden, "Hello all. I love my hose  for the roses! Rain tomorrow?")
    assert given["variables"] == {"relevance": "on"}
    assert given["segments"] == [
        {
            "quote": "I love my hose  for the roses!",
            "start": 11,
            "codes": {"tool": "hose", "plant": ["rose"], "mood": "glad", "litres": None},
        }
    ]


def test_a_run_of_two_sentences_where_one_is_not_enough(garden: Codebook) -> None:
    """Tool and plant in neighbouring sentences are one segment; three apart are none."""
    near = answer(garden, "I took the hose out.\nThe basil had wilted. Bye.")
    assert [one["quote"] for one in near["segments"]] == [
        "I took the hose out.\nThe basil had wilted."
    ]
    far = answer(garden, "I took the hose out. It was late. The basil had wilted.")
    assert far["segments"] == []
    assert far["variables"] == {"relevance": "off"}


def test_adjacent_runs_stay_apart_and_do_not_overlap(garden: Codebook) -> None:
    """Two sentences that each relate are two segments."""
    given = answer(garden, "The hose drowned my roses. A can is fine for basil. The can again.")
    assert [one["quote"] for one in given["segments"]] == [
        "The hose drowned my roses.",
        "A can is fine for basil.",
    ]


def test_too_few_words_are_no_segment_alone(garden: Codebook) -> None:
    """`min_words` holds for the run: three words take the neighbouring sentence in, or fall."""
    assert answer(garden, "Hose. Roses. Ok.")["segments"] == []
    longer = answer(garden, "So it was today. Hose, roses, done.")
    assert [one["quote"] for one in longer["segments"]] == ["So it was today. Hose, roses, done."]


def test_most_cues_win_then_the_earliest(garden: Codebook) -> None:
    """A single variable takes the code with the most cues, and the first of equals."""
    most = answer(garden, "I love it but hate that the roses wilted under the hose.")
    assert most["segments"][0]["codes"]["mood"] == "sad"
    first = answer(garden, "I hate to say I love the hose on my roses.")
    assert first["segments"][0]["codes"]["mood"] == "sad"


def test_multiple_takes_all_and_none_only_alone(garden: Codebook) -> None:
    """A multiple variable takes every code with a cue; its none stands only by itself."""
    both = answer(garden, "Sage, basil, soil and roses under the hose.")
    assert both["segments"][0]["codes"]["plant"] == ["rose", "herb"]
    alone = answer(garden, "The hose only wets the soil here.")
    assert alone["segments"][0]["codes"]["plant"] == ["no_plant"]


def test_nothing_found_is_default_or_abstention(garden: Codebook) -> None:
    """Without a cue: the default, else none, else null; a number is always null."""
    codes = answer(garden, "A hose is there for the roses.")["segments"][0]["codes"]
    assert (codes["mood"], codes["litres"]) == (None, None)
    assert answer(garden, "")["variables"] == {"relevance": "off"}


def test_a_unit_cue_counts_beside_the_segments(garden: Codebook) -> None:
    """Having a segment is one cue, the earliest; two others outweigh it and close the questions."""
    text = "Video games! A video game with a hose and roses in it."
    given = answer(garden, text)
    assert given["variables"] == {"relevance": "off"}
    codes = given["segments"][0]["codes"]
    assert codes["tool"] is None
    assert codes["plant"] == ["rose"]


@pytest.mark.parametrize(
    ("text", "tool", "plant", "mood"),
    [
        ("I can't stop: basil and the hose!", "hose", ["herb"], None),
        ("Yes I CAN water my Rosmarin today", "can", ["rose"], None),
        ("I don’t mind, the hose’s for the sages", "hose", ["herb"], "glad"),
        ("roses🚿 are what we do here", "hose", ["rose"], None),
        ("我用hose很好 and the rose too ok", "hose", ["rose"], None),
        ("la hose et l'aneth de ma maison", "hose", ["herb"], None),
        ("#hose for_all: the @rose is fine", "hose", ["rose"], None),
        ("İİİ the watering\n can and a rose", "can", ["rose"], None),
    ],
)
def test_cues_are_whole_words_in_any_writing(
    garden: Codebook, text: str, tool: str, plant: list[str], mood: str | None
) -> None:
    """Case, apostrophes, emoji, scripts without spaces and prefixes; `can` is not in `can't`."""
    found = answer(garden, text)["segments"]
    assert [one["codes"]["tool"] for one in found] == [tool]
    assert found[0]["codes"]["plant"] == plant
    assert found[0]["codes"]["mood"] == mood


@pytest.mark.parametrize("text", ["whose roses are these now", "a hoses heap, with the prose"])
def test_parts_of_words_are_no_cues(garden: Codebook, text: str) -> None:
    """A cue inside a longer word is none, before and behind."""
    assert answer(garden, text)["segments"] == []


def test_completions_fit_their_table_and_come_again(garden: Codebook) -> None:
    """Same posts, same rows; equal texts of two units are two completions."""
    posts = pd.DataFrame({"unit": ["u1", "u2"], "text": ["The hose and the roses."] * 2})
    one, two = (
        coder.answers(posts, garden, coder=coder.coder(garden), created="2026-01-01T00:00:00Z")
        for _ in range(2)
    )
    assert list(one.columns) == columns(COMPLETIONS)
    pd.testing.assert_frame_equal(one, two)
    assert one.completion.nunique() == 2
    assert set(one.codebook) == {garden.fingerprint}
    assert (one.request == "").all()


def test_the_name_changes_with_what_is_read(garden: Codebook) -> None:
    """Other cues make another coder; another title does not."""
    name = coder.coder(garden)
    assert name.startswith("cues@") and len(name) == 11
    other = codebooks.read(GARDEN.replace("basil", "thyme"), source="garden.yaml")
    title = codebooks.read(GARDEN.replace("Watering and", "Water and"), source="garden.yaml")
    assert coder.coder(other) != name
    negations = "cues: {negations: [not], negates: [mood]}\nvariables:"
    rules = GARDEN.replace("variables:", negations)
    flipped = rules.replace("cues: [hate, wilted]", "cues: [hate, wilted], negated: glad")
    abstains = GARDEN.replace("variables:", "cues: {ties: abstain}\nvariables:")
    texts = [GARDEN, rules, flipped, abstains]
    books = [codebooks.read(text, source="garden.yaml") for text in texts]
    assert len({coder.coder(book) for book in books}) == 4
    assert {book.fingerprint for book in books} == {garden.fingerprint}
    assert coder.coder(title) == name


def test_without_relates_there_are_no_segments() -> None:
    """A codebook that names no related variables gets no segments from cues."""
    text = GARDEN.replace("  relates: [tool, plant]\n", "")
    given = answer(codebooks.read(text, source="garden.yaml"), "I love my hose for the roses!")
    assert given == {"rationale": "", "variables": {"relevance": "off"}, "segments": []}


def with_rules(rules: str, *edits: tuple[str, str]) -> Codebook:
    """The garden with rules for its cues."""
    text = GARDEN.replace("variables:", f"cues: {rules}\nvariables:")
    for old, new in edits:
        text = text.replace(old, new)
    return codebooks.read(text, source="garden.yaml")


def test_negated_cues_count_otherwise_or_not_at_all() -> None:
    """`don't hate` is glad where sad says so, else nothing; a tool stays one where it is denied."""
    rules = '{negations: [not, "*n\'t"], negates: [mood]}'
    text = "I don't hate the roses, and I do not own a hose."
    (dropped,) = answer(with_rules(rules), text)["segments"]
    assert (dropped["codes"]["mood"], dropped["codes"]["tool"]) == (None, "hose")
    flip = ("cues: [hate, wilted]", "cues: [hate, wilted], negated: glad")
    assert answer(with_rules(rules, flip), text)["segments"][0]["codes"]["mood"] == "glad"
    (everywhere,) = answer(with_rules("{negations: [not]}"), text + " The hose!")["segments"]
    assert everywhere["quote"] == text + " The hose!"


@pytest.mark.parametrize(
    ("ties", "mood", "relevance"), [("earliest", "sad", "on"), ("abstain", None, None)]
)
def test_equal_counts(ties: str, mood: str | None, relevance: str | None) -> None:
    """The first of equals wins, or nobody does, whatever the default."""
    unconditional = ('    applies_when: {relevance: ["on"]}\n', "")
    given = answer(
        with_rules(f"{{ties: {ties}}}", unconditional),
        "I hate and love the hose and the roses in a video game.",
    )
    assert given["segments"][0]["codes"]["mood"] == mood
    assert given["variables"] == {"relevance": relevance}


def test_a_number_takes_its_default() -> None:
    """A variable without values is answered by its default, as a number."""
    text = GARDEN.replace("    maximum: 100\n", '    maximum: 100\n    default: "7"\n')
    codebook = codebooks.read(text, source="garden.yaml")
    posts = "The hose is for the roses."
    assert answer(codebook, posts)["segments"][0]["codes"]["litres"] == 7
    (segment,) = read(answer(codebook, posts), posts, codebook).segments
    assert segment.codings["litres"] == "7"


def test_the_rationale_names_the_cues_that_decided() -> None:
    """A line for each code that cues gave: of the unit, then of each segment by its number."""
    rules = "{negations: [not], negates: [mood]}"
    flip = ("cues: [hate, wilted]", "cues: [hate, wilted], negated: glad")
    text = (
        "My garden! I LOVE my Hose and rosés, sage, roses, Rosmarin, and do not hate Rosa.\n"
        "The can, not my hose, is for basil; a watering can."
    )
    assert answer(with_rules(rules, flip), text)["rationale"].splitlines() == [
        "relevance: on: {segment}, my garden",
        "use 1: tool: hose: hose",
        "use 1: plant: rose: ros*",
        "use 1: plant: herb: sage*",
        "use 1: mood: glad: love, not hate",
        "use 2: tool: can: can, watering can",
        "use 2: plant: herb: basil",
    ]
    many = 'cues: ["ros*", "tulip*", "lily", "iris"]'
    longer = with_rules("{}", ('cues: ["ros*"]', many))
    lines = answer(longer, "A hose for iris, rose, lily, rose and tulips")["rationale"]
    assert "use 1: plant: rose: iris, ros*, lily, …" in lines.splitlines()
    assert answer(longer, "nothing")["rationale"] == ""


def read(given: dict[str, Any], text: str, codebook: Codebook) -> ParsedAnswer:
    """An answer of the cues coder as it is parsed."""
    return answers.read(json.dumps(given), text, codebook, abstains=True)


def test_offsets_are_code_points_of_the_very_place() -> None:
    """After joined emoji, line breaks and signs that grow in small letters, quotes stand exact.

    The second segment is quoted where it stands, although its words stand inside the first too.
    """
    codebook = codebooks.read(GARDEN, source="garden.yaml")
    text = "👩‍💻🇪🇺 İİ ok.\r\nNow: “The can and the rose.”\r\nThe can and the rose.\r\nBye 👍🏽"
    parsed = read(answer(codebook, text), text, codebook)
    spans = [(one.start, one.end, one.found) for one in parsed.segments]
    first, second = text.index("Now"), text.index("\r\nThe can") + 2
    assert spans == [(first, first + 28, "exact"), (second, second + 21, "exact")]
    assert [one.quote for one in parsed.segments] == [text[s:e] for s, e, _ in spans]


def test_a_place_that_does_not_hold_is_searched(garden: Codebook) -> None:
    """An answer without a place, or with one where the quote does not stand, is found by search."""
    text = "Oh. The can and the rose."
    given = answer(garden, text)
    for start in (3, 0, None):
        given["segments"][0]["start"] = start
        assert [one.start for one in read(given, text, garden).segments] == [4]
    del given["segments"][0]["start"]
    assert [one.start for one in read(given, text, garden).segments] == [4]


@pytest.mark.parametrize("start", [-1, 99, True, "4"])
def test_a_place_outside_the_text_is_off_schema(garden: Codebook, start: object) -> None:
    """What is no offset in the text is refused by its path, and a model may give none at all."""
    text = "Oh. The can and the rose."
    given = answer(garden, text)
    with pytest.raises(AnswerError, match="start' is not asked for"):
        answers.read(json.dumps(given), text, garden)
    given["segments"][0]["start"] = start
    told = "an offset in the text" if start in (-1, 99) else "a whole number"
    with pytest.raises(AnswerError, match=rf"segments\[0\].start: expected {told}"):
        read(given, text, garden)


@examples(80)
@given(strategies.codebooks_accepted(), st.data())
def test_any_codebook_and_any_text(codebook: Codebook, data: st.DataObject) -> None:
    """Whatever check accepts: codings fit, quotes are exact and apart, reasons are the codebook's.

    Texts are drawn from the codebook's own phrases, among signs of every kind. What stands in the
    text alone (Ω) is never in the rationale.
    """
    listed = [cue for each in codebook.variables for value in each.values for cue in value.cues]
    rules = [*codebook.cues.negations, *codebook.cues.exceptions, *codebook.cues.ends]
    phrases = [part.strip("*> 0123456789") for cue in listed + rules for part in cue.split("~")]
    signs = [" ", " ", ". ", "\r\n", ",", "’", "İ", "👩‍💻", "x", "ß", "帮"]
    pieces = st.lists(st.sampled_from(phrases + signs), max_size=30).map("".join)
    text = storable(data.draw(pieces | st.lists(st.sampled_from(phrases or ["x"])).map(" ".join)))
    text += "Ω" + storable(data.draw(st.text(max_size=20)))
    given = answer(codebook, text)
    parsed = read(given, text, codebook)
    assert parsed.faults == []
    place = 0
    for segment in parsed.segments:
        assert segment.found == "exact"
        assert text[segment.start : segment.end] == segment.quote != ""
        assert segment.start >= place
        place = segment.end
    for name, value in [
        *parsed.codings.items(),
        *(coding for segment in parsed.segments for coding in segment.codings.items()),
    ]:
        assert codebook.variable(name).fault(value) == ""
    assert "Ω" not in given["rationale"]


@examples(100)
@given(
    st.text(max_size=80)
    | st.lists(st.sampled_from(["hose", "rose", ".", "!", "soil\n"])).map(" ".join)
)
def test_quotes_stand_in_any_text(text: str) -> None:
    """Whatever the text, every quote stands in it, none is empty, and none overlap."""
    codebook = codebooks.read(GARDEN, source="garden.yaml")
    place = 0
    for segment in answer(codebook, text)["segments"]:
        start = text.find(segment["quote"], place)
        assert segment["quote"].strip()
        assert start >= place
        place = start + len(segment["quote"])
