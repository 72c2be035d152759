"""Cells and the number of each unit for each, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from analysis_frames import frame, things
from builders import book, choice, numeric

from labeler.results.phase_samples import response, table_sample
from labeler.results.recipe import RecipeTable
from labeler.results.unit_totals import (
    BASE,
    POSTS,
    SCORE,
    SCORED,
    cells_of,
    reading_totals,
    unit_means,
)

BOOK = book(
    choice("kind", "report advice"),
    choice("mood", {"good": 1, "bad": -1, "so_so": 0}, of="segment", required=False),
    choice("topic", "work home", of="segment", multiple=True, required=False),
    numeric("age", 0, 100, required=False),
    choice("tone", "loud quiet", applies_when={"kind": ["advice"]}),
)
# u0: advice, of two good and one bad use; u1: a report of one use at home, without a mood
FIRST = [
    {"kind": "advice", "age": "30", "tone": "loud"},
    {"mood": "good", "topic": "work+home"},
    {"mood": "good", "topic": "home"},
    {"mood": "bad", "topic": "work"},
]
SECOND = [{"kind": "report", "age": "50"}, {"topic": "home"}]


def totals(table: RecipeTable, *readings, columns=None):
    made = frame([given for _, given in readings], [], BOOK, columns=columns)
    cells = cells_of(table, BOOK, made.columns)
    found = reading_totals(table, cells, things(readings, BOOK), BOOK, made.columns).toarray()
    return {cell: found[:, at].tolist() for cell, at in cells.place.items()}


def test_posts_with_a_code_are_counted_once() -> None:
    """A variable of the unit: posts; the count of all posts is known."""
    found = totals(RecipeTable(table="kind", of="kind"), (0, FIRST), (1, SECOND))
    assert found["kind:advice", "", ""] == [1, 0]
    assert found["kind:report", "", ""] == [0, 1]
    assert found[BASE, "", ""] == found[POSTS, "", ""] == [1, 1]


def test_segments_with_a_code_are_counted_with_their_scores() -> None:
    """3 uses of which 2 are good and 1 bad: a score of 1; the use without a mood has none."""
    found = totals(RecipeTable(table="mood", of="mood"), (0, FIRST), (1, SECOND))
    assert found["mood:good", "", ""] == [2, 0]
    assert found[BASE, "", ""] == [3, 1]
    assert found[SCORE, "", ""] == [1, 0]
    assert found[SCORED, "", ""] == [3, 0]
    assert found[POSTS, "", ""] == [1, 1]


def test_a_joint_cell_is_counted_where_one_segment_has_both() -> None:
    """Good at work: one use; no product of margins (2 good x 2 at work)."""
    table = RecipeTable(table="t", of="mood", by="topic")
    found = totals(table, (0, FIRST), (1, SECOND))
    assert found["mood:good", "topic:work", ""] == [1, 0]
    assert found["mood:good", "topic:home", ""] == [2, 0]
    assert found[BASE, "topic:home", ""] == [2, 1]
    assert found["mood:bad", "", ""] == [1, 0]
    posts = totals(table.model_copy(update={"count": "posts"}), (0, FIRST), (1, SECOND))
    assert posts["mood:good", "topic:home", ""] == [1, 0]
    assert posts[BASE, "topic:home", ""] == [1, 1]


def test_segments_have_what_their_post_has() -> None:
    """By kind of post, within a mood; groups of posts divide segments as well."""
    table = RecipeTable(table="t", of="topic", by="kind", within="mood")
    found = totals(table, (0, FIRST), (1, SECOND))
    assert found["topic:home", "kind:advice", "mood:good"] == [2, 0]
    assert found["topic:home", "kind:report", "mood:good"] == [0, 0]
    columns = {"platform": ["x", ""]}
    table = RecipeTable(table="t", of="mood", by="platform")
    found = totals(table, (0, FIRST), (1, SECOND), columns=columns)
    assert found["mood:good", "platform:x", ""] == [2, 0]
    assert found[POSTS, "platform:x", ""] == [1, 0]
    assert found[POSTS, "", ""] == [1, 1]


def test_free_numbers_are_scores() -> None:
    found = totals(RecipeTable(table="age", of="age"), (0, FIRST), (1, SECOND))
    assert found[SCORE, "", ""] == [30, 50]
    assert found[SCORED, "", ""] == [1, 1]


def test_a_question_that_does_not_apply_is_in_no_denominator() -> None:
    found = totals(RecipeTable(table="tone", of="tone"), (0, FIRST), (1, SECOND))
    assert found[BASE, "", ""] == [1, 0]


def test_delta_pmi_has_the_cells_of_two_codes_alone() -> None:
    table = RecipeTable(table="t", of="topic", by="kind", within="mood", between=("bad", "good"))
    found = totals(table, (0, FIRST))
    assert {own for _, _, own in found} == {"mood:bad", "mood:good"}
    assert found["topic:work", "kind:advice", "mood:bad"] == [1]
    assert found["topic:work", "kind:advice", "mood:good"] == [1]


def test_a_unit_has_the_mean_over_its_coders() -> None:
    """Two coders found 2 and 1 good uses: 1.5; who was not asked does not count."""
    table = RecipeTable(table="mood", of="mood")
    made = things([(4, FIRST), (4, FIRST[:2]), (7, SECOND)], BOOK)
    cells = cells_of(table, BOOK, {})
    found = reading_totals(table, cells, made, BOOK, {})
    units, means = unit_means(found, made, np.array([True, True, True]), 9)
    good = cells.place["mood:good", "", ""]
    assert units.tolist() == [4, 7]
    assert means.toarray()[:, good].tolist() == [1.5, 0]
    units, means = unit_means(found, made, np.array([False, True, False]), 9)
    assert (units.tolist(), means.toarray()[:, good].tolist()) == ([4], [1.0])


def test_drawn_and_not_coded_is_told_by_stratum() -> None:
    """3 of 4 drawn in one stratum, 1 of 1 in the other."""
    made = frame(
        [SECOND] * 6,
        [(0, SECOND), (1, SECOND), (2, SECOND), (5, SECOND)],
        BOOK,
        stratum=[0, 0, 0, 0, 0, 1],
        drawn=[0, 1, 2, 3, 5],
    )
    assert [tuple(own) for own in response(made)] == [
        ("stratum 0", 5, 4, 3),
        ("stratum 1", 1, 1, 1),
    ]
    sample = table_sample(RecipeTable(table="kind", of="kind"), made, BOOK).sample
    assert sample.drawn.tolist() == [4, 1]
    assert sample.probability == pytest.approx([0.8, 0.8, 0.8, 1])
