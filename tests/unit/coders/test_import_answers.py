"""A model's codings made elsewhere, as answers. The codebook, posts and codings are made up."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from labeler.codebook import codebook
from labeler.coders import requests
from labeler.coders.import_answers import ImportedAnswers, imported_answers
from labeler.coding.vocabulary import is_imported, kind_of, says_of_segments
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
FIELDS = ("unit", "coder", "variable", "value", "replicate", "segment", "start", "end", "quote")
SEGMENTS, UNITS = "model:gpt-x@import", "model:gpt-x@import-units"


def read(*rows: tuple[str, ...], file: str = "codes.csv") -> ImportedAnswers:
    """The answers of a table with these rows, from line 2 on; short rows end in empty cells."""
    filled = [dict(zip(FIELDS, [*row, *[""] * len(FIELDS)], strict=False)) for row in rows]
    table = pd.DataFrame(filled, dtype="str")
    table.index = pd.Index(range(2, len(table) + 2), name="line")
    source = {"file": file, "sha256": "ab"}
    return imported_answers(table, POSTS, BOOK, source=source, created="2024-01-31T12:00:00Z")


def test_an_answer_holds_what_the_table_says_and_null_for_the_rest() -> None:
    """Codes, sets, numbers and the empty set; the model was not asked of segments."""
    found = read(
        ("u1", "gpt-x", "about", "1.0"),
        ("u1", "gpt-x", "degrees", "20.50"),
        ("u1", "gpt-x", "signs", "rain + sun"),
        ("u2", "gpt-x", "signs", "+"),
    )
    assert found.faults == []
    assert (found.values, found.models) == (4, {UNITS: "gpt-x"})
    answers = [json.loads(text) for text in found.completions["answer"]]
    assert [answer["variables"] for answer in answers] == [
        {"about": "1", "degrees": 20.5, "signs": ["sun", "rain"]},
        {"about": None, "degrees": None, "signs": []},
    ]
    assert set(found.completions["served"]) == {"codes.csv"}
    lines = [json.loads(text)["line"] for text in found.completions["request"]]
    assert lines == [2, 5]
    assert kind_of(UNITS) == "model"
    assert is_imported(UNITS)
    assert not says_of_segments(UNITS)
    assert not is_imported("model:gpt-x@1a2b3c")


def test_answers_are_parsed_as_those_of_any_model() -> None:
    """Codings have no arm; segments stand where they were, the empty set is '', gaps are none."""
    found = read(
        ("u1", "gpt-x", "about", "1"),
        ("u1", "gpt-x", "degrees", "20.50"),
        ("u1", "gpt-x", "tone", "glad", "", "b", "13", "16"),
        ("u1", "gpt-x", "tone", "sad", "", "a", "", "", "Sun,"),
        ("u2", "gpt-x", "signs", "+"),
        ("u2", "gpt-x", "tone", "sad", "", "c", "", "", "words that it made up"),
    )
    parsed = requests.parse(found.completions, POSTS, BOOK)
    names = ["unit", "segment", "variable", "value"]
    assert sorted(parsed.codings[names].values.tolist()) == [
        ["u1", "", "about", "1"],
        ["u1", "", "degrees", "20.5"],
        ["u1", "1", "tone", "sad"],
        ["u1", "2", "tone", "glad"],
        ["u2", "", "signs", ""],
        ["u2", "1", "tone", "sad"],
    ]
    assert set(parsed.codings["arm"]) == {""}
    assert set(parsed.codings["coder"]) == {SEGMENTS}
    columns = ["unit", "start", "end", "quote", "found"]
    placed = sorted(parsed.segments[columns].values.tolist())
    assert placed[0] == ["u1", 0, 4, "Sun,", "exact"]
    assert placed[1] == ["u1", 13, 16, "sun", "exact"]
    assert placed[2][1:] == [-1, -1, "words that it made up", "missing"]
    assert parsed.faults["kind"].tolist() == ["unsupported-quote"]


def test_a_code_of_a_question_that_does_not_apply_is_dropped_as_of_any_model() -> None:
    """Degrees of a post that is not about the weather."""
    found = read(("u1", "gpt-x", "about", "0"), ("u1", "gpt-x", "degrees", "3"))
    assert found.faults == []
    parsed = requests.parse(found.completions, POSTS, BOOK)
    assert parsed.codings["variable"].tolist() == ["about"]


def test_the_same_answers_in_another_file_are_the_same_rows() -> None:
    """The key goes by what was answered; another answer, or replicate, is another row."""
    one, same, other, again = (
        read(("u1", "gpt-x", "about", value, replicate), file=file).completions["completion"][0]
        for value, replicate, file in (
            ("1", "", "a.csv"),
            ("1", "1", "b.csv"),
            ("0", "", "a.csv"),
            ("1", "2", "a.csv"),
        )
    )
    assert one == same
    assert len({one, other, again}) == 3


@pytest.mark.parametrize(
    ("rows", "line", "words"),
    [
        ([("u9", "gpt-x", "about", "1")], 2, "no post of this project has the key 'u9'"),
        ([("u1", "gpt-x", "about", "yes")], 2, "code 'yes' is not in the codebook"),
        ([("u1", "gpt,x", "about", "1")], 2, "may only use"),
        ([("u1", "gpt-x", "about", "1", "0")], 2, "replicate '0'"),
        ([("u1", "gpt-x", "about", "1"), ("u1", "gpt-x", "about", "0")], 3, "already on line 2"),
        ([("u1", "gpt-x", "tone", "sad", "", "s")], 2, "has no place"),
        ([("u1", "gpt-x", "tone", "sad", "", "s", "3", "99")], 2, "is no stretch of a post"),
        ([("u1", "gpt x", "about", "1"), ("u1", "gpt-x", "about", "1")], 3, "would both be called"),
    ],
)
def test_what_does_not_fit_is_a_fault_with_its_line(
    rows: list[tuple[str, ...]], line: int, words: str
) -> None:
    """One fault and there is no answer at all."""
    found = read(*rows)
    assert found.completions.empty
    assert any(at == line and words in told for at, told in found.faults), found.faults


def test_segments_of_which_a_variable_is_never_told_are_refused() -> None:
    """Not told is not the empty set."""
    two = BOOK.model_copy(
        update={
            "variables": (
                *BOOK.variables,
                BOOK.variable("tone").model_copy(update={"variable": "mood"}),
            )
        }
    )
    row = dict(zip(FIELDS, ("u1", "gpt-x", "tone", "sad", "", "s", "", "", "Sun,"), strict=True))
    table = pd.DataFrame([row], index=pd.Index([2], name="line"), dtype="str")
    source = {"file": "a.csv", "sha256": "ab"}
    found = imported_answers(table, POSTS, two, source=source, created="2024-01-31T12:00:00Z")
    assert [at for at, _ in found.faults] == [0]
    assert "says nothing of mood" in found.faults[0][1]
