"""The cues coder. Codebooks and posts are made up."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler import codebook as codebooks
from labeler.codebook import Codebook
from labeler.stages import cues
from labeler.tables import COMPLETIONS, columns

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
    frame = cues.answers(posts, codebook, coder="cues@000000", created="2026-01-01T00:00:00Z")
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
        cues.answers(posts, garden, coder=cues.coder(garden), created="2026-01-01T00:00:00Z")
        for _ in range(2)
    )
    assert list(one.columns) == columns(COMPLETIONS)
    pd.testing.assert_frame_equal(one, two)
    assert one.completion.nunique() == 2
    assert set(one.codebook) == {garden.fingerprint}
    assert (one.request == "").all()


def test_the_name_changes_with_what_is_read(garden: Codebook) -> None:
    """Other cues make another coder; another title does not."""
    name = cues.coder(garden)
    assert name.startswith("cues@") and len(name) == 11
    other = codebooks.read(GARDEN.replace("basil", "thyme"), source="garden.yaml")
    title = codebooks.read(GARDEN.replace("Watering and", "Water and"), source="garden.yaml")
    assert cues.coder(other) != name
    assert cues.coder(title) == name


def test_without_relates_there_are_no_segments() -> None:
    """A codebook that names no related variables gets no segments from cues."""
    text = GARDEN.replace("  relates: [tool, plant]\n", "")
    given = answer(codebooks.read(text, source="garden.yaml"), "I love my hose for the roses!")
    assert given == {"rationale": "", "variables": {"relevance": "off"}, "segments": []}


@settings(max_examples=100, deadline=None)
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
