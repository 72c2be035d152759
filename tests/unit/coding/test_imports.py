"""Tables of codings made elsewhere, row by row. The codebook, posts and codings are made up."""

from __future__ import annotations

import pandas as pd
import pytest

from labeler.codebook import codebook
from labeler.coding import imports
from labeler.coding.vocabulary import looks_like_model
from labeler.store import tables

BOOK = codebook.read(
    """
codebook: weather
version: "1"
title: Weather
about: Made-up posts about the weather.
segments: {segment: spot, label: Spot, definition: Where it says so.}
variables:
  - {variable: about, of: unit, label: About, question: Weather?, level: nominal, values: [
      {code: "1", label: "Yes", definition: It is.}, {code: "0", label: "No", definition: No.}]}
  - {variable: degrees, of: unit, label: Degrees, question: How warm?, level: interval,
     minimum: -50, maximum: 60, required: false, applies_when: {about: ["1"]}}
  - {variable: signs, of: unit, label: Signs, question: Which?, level: nominal, multiple: true,
     values: [{code: sun, label: Sun, definition: Sun.}, {code: rain, label: R, definition: R.}]}
  - {variable: tone, of: segment, label: Tone, question: Which?, level: nominal, values: [
      {code: glad, label: Glad, definition: Glad.}, {code: sad, label: Sad, definition: Sad.}]}
""",
    source="weather.yaml",
)
POSTS = tables.frame(
    tables.POSTS,
    [
        {"unit": "u1", "platform": "x", "platform_id": "7", "text": "Sun, sun and sun again."},
        {"unit": "u2", "platform": "x", "platform_id": "8", "text": "Rain 🌧 all day."},
    ],
)
FIELDS = ("unit", "coder", "variable", "value")


def parse(*rows: dict[str, str] | tuple[str, ...], arm: str = "blind") -> imports.ImportResult:
    """The table with these rows, from line 2 on."""
    given = [row if isinstance(row, dict) else dict(zip(FIELDS, row, strict=True)) for row in rows]
    table = pd.DataFrame(given, dtype="str").fillna("")
    table.index = pd.Index(range(2, len(table) + 2), name="line")
    return imports.parse(
        table, POSTS, BOOK, batch="b", arm=arm, origin="import:ab", created="2024-01-31T12:00:00Z"
    )


def segment(name: str, value: str, **place: str) -> dict[str, str]:
    row = {"unit": "u1", "coder": "ada", "variable": "tone", "value": value}
    return {**row, "segment": name, **place}


def faults(*rows: dict[str, str] | tuple[str, ...], arm: str = "blind") -> list[tuple[int, str]]:
    found = parse(*rows, arm=arm)
    assert found.codings.empty
    assert found.tasks.empty
    return found.faults


def test_values_are_written_as_the_tables_write_them() -> None:
    """1.0 is the code 1, 20.50 is 20.5, sets stand in codebook order, + is the empty set."""
    found = parse(
        ("u1", "ada", "about", "1.0"),
        ("u1", "ada", "degrees", "20.50"),
        ("u1", "ada", "signs", "rain + sun"),
        ("u2", "ada", "signs", "+"),
        ("u2", "ada", "about", ""),
    )
    assert found.faults == []
    given = found.codings[["unit", "variable", "value", "source"]].values.tolist()
    assert sorted(given) == [
        ["u1", "about", "1", "import:ab:2"],
        ["u1", "degrees", "20.5", "import:ab:2"],
        ["u1", "signs", "sun+rain", "import:ab:2"],
        ["u2", "signs", "", "import:ab:5"],
    ]
    assert found.tasks[["unit", "position"]].values.tolist() == [["u1", 1], ["u2", 2]]


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("about", "yes", "code 'yes' is not in the codebook"),
        ("about", "1+0", "takes one code, got 2"),
        ("degrees", "warm", "'warm' is no number"),
        ("degrees", "20,5", "'20,5' is no number"),
        ("degrees", "1_0", "'1_0' is no number"),
        ("degrees", "nan", "'nan' is no number"),
        ("degrees", "61", "lies outside -50 to 60"),
        ("signs", "sun+snow", "code 'snow' is not in the codebook"),
        ("signs", "sun+sun", "repeats a code"),
    ],
)
def test_values_that_do_not_fit(variable: str, value: str, words: str) -> None:
    """A text where a number is due, a code that is none, too many codes: with the line."""
    ((line, told),) = faults(("u1", "ada", variable, value))
    assert line == 2
    assert words in told


def test_answers_to_questions_that_do_not_apply() -> None:
    """Degrees of a post that is not about the weather; where nobody said so, it is not known."""
    told = faults(("u1", "ada", "about", "0"), ("u1", "ada", "degrees", "3"))
    assert told == [(3, "degrees does not apply, after the coder's codes")]
    assert parse(("u1", "ada", "degrees", "3")).faults == []


def test_codes_are_read_whatever_their_capitals_and_zeros() -> None:
    """SUN is sun, 01 is 1: where one code of the codebook alone is meant."""
    found = parse(("u1", "ada", "about", "01"), ("u1", "ada", "signs", "RAIN + Sun"))
    assert sorted(found.codings["value"]) == ["1", "sun+rain"]


def test_names_of_people_become_names_of_coders() -> None:
    """Ada Müller is a coder; two people who would have one name are refused."""
    found = parse(("u1", "Ada Müller", "about", "1"), ("u2", "Ada Müller", "about", "0"))
    assert set(found.codings["coder"]) == {"human:Ada-Muller"}
    told = faults(("u1", "Ada Müller", "about", "1"), ("u2", "Ada Muller", "about", "0"))
    assert [line for line, _ in told] == [3]
    assert "would both be called 'Ada-Muller'" in told[0][1]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        *((name, True) for name in ("gpt-4o-mini", "human:GPT4", "claude-3-opus", "model_1")),
        *((name, True) for name in ("Llama 3 8B", "model:x@1", "cues@1", "o3-mini", "qwen2-7b")),
        *((name, False) for name in ("ada", "Robert", "Albert", "human:ben", "coder1", "Mai")),
    ],
)
def test_who_is_called_like_a_model(name: str, model: bool) -> None:
    """A model's codes must not enter as a person's."""
    assert looks_like_model(name) is model


def test_a_platform_without_posts_is_told_those_that_there_are() -> None:
    """Whoever writes `twitter` where posts are of `x` sees it."""
    row = {"platform": "twitter", "platform_id": "8", "coder": "ada", "variable": "about"}
    ((_, told),) = faults({**row, "value": "1"})
    assert told.endswith("are: x")


def test_segments_are_placed_and_numbered_by_their_place() -> None:
    """By a quote that stands once, or by start and end in code points; numbered from the front."""
    found = parse(
        segment("late", "glad", start="13", end="16", quote="sun"),
        segment("early", "sad", quote="Sun,"),
        {**segment("only", "sad", quote="🌧 all"), "unit": "u2"},
    )
    assert found.faults == []
    rows = found.segments[["unit", "segment", "start", "end", "quote"]].values.tolist()
    assert sorted(rows) == [
        ["u1", "1", 0, 4, "Sun,"],
        ["u1", "2", 13, 16, "sun"],
        ["u2", "1", 5, 10, "🌧 all"],
    ]
    tones = found.codings[["unit", "segment", "value"]].values.tolist()
    assert sorted(tones) == [["u1", "1", "sad"], ["u1", "2", "glad"], ["u2", "1", "sad"]]


@pytest.mark.parametrize("place", [{}, {"start": "0", "end": "23"}])
def test_white_space_of_a_quote_does_not_count(place: dict[str, str]) -> None:
    """As Label Studio exports words of several lines; what counts is how they stand in the post."""
    found = parse(segment("s", "glad", quote="Sun, sun\n and  sun again.", **place))
    assert found.segments[["start", "end", "quote"]].values.tolist() == [
        [0, 23, "Sun, sun and sun again."]
    ]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({}, "has no place"),
        ({"quote": "sun"}, "stands 2 times in the post"),
        ({"quote": "snow"}, "stands 0 times in the post"),
        ({"start": "5", "end": "99"}, "is no stretch of a post of 23 characters"),
        ({"start": "5", "end": "5"}, "is no stretch"),
        ({"start": "0", "end": "3", "quote": "snow"}, "other words from 0 to 3"),
    ],
)
def test_segments_that_cannot_be_placed(place: dict[str, str], words: str) -> None:
    """A segment without a place, with two possible ones, or with words that the post lacks."""
    ((line, told),) = faults(segment("s", "glad", **place))
    assert line == 2
    assert words in told


def test_a_segment_has_one_place() -> None:
    """Rows of one segment that name two places contradict each other."""
    first = segment("s", "glad", quote="Sun,")
    second = {**segment("s", "rain", quote="again."), "variable": "signs"}
    told = faults(first, {**second, "variable": "tone", "value": "sad"})
    assert [line for line, _ in told] == [3, 3]
    assert any("another quote on line 2" in words for _, words in told)


def test_units_by_platform_and_who_coded_in_which_arm() -> None:
    """A platform and its id name a post; without an arm for all, each row has to say its own."""
    row = {"platform": "x", "platform_id": "8", "coder": "human:ada", "variable": "about"}
    found = parse({**row, "value": "1", "arm": "assisted"}, arm="")
    assert found.tasks[["unit", "coder", "arm"]].values.tolist() == [
        ["u2", "human:ada", "assisted"]
    ]
    told = faults({**row, "value": "1", "arm": "both"}, {**row, "platform_id": "9"}, arm="")
    assert "arm 'both' is none of blind, assisted" in told[0][1]


def test_probabilities_lie_above_zero_and_are_one_for_a_unit() -> None:
    """0, 2 and a text are refused; two of one unit too."""
    row = dict(zip(FIELDS, ("u1", "ada", "about", "1"), strict=True))
    for wrong in ("0", "2", "often"):
        ((_, told),) = faults({**row, "probability": wrong})
        assert "does not lie above 0 and up to 1" in told
    other = {**row, "variable": "signs", "value": "sun", "probability": "0.2"}
    assert faults({**row, "probability": "0.1"}, other) == [(3, "unit 'u1' has two probabilities")]
