"""Small cells, and what may be shown beside them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.errors import TableError
from labeler.statistics.disclosure import SMALLEST, Relation, bounds, suppressed


def of_table(table: list[list[int]]) -> tuple[list[int], list[Relation]]:
    """Cells, row totals, column totals of a table, in this order, and how they hang together."""
    rows, columns = len(table), len(table[0])
    sizes = [size for row in table for size in row]
    sizes += [sum(row) for row in table]
    sizes += [sum(row[place] for row in table) for place in range(columns)]
    inner = rows * columns
    relations = [
        Relation(tuple(range(row * columns, (row + 1) * columns)), inner + row)
        for row in range(rows)
    ]
    relations += [
        Relation(tuple(range(column, inner, columns)), inner + rows + column)
        for column in range(columns)
    ]
    relations.append(Relation(tuple(range(inner, inner + rows))))
    relations.append(Relation(tuple(range(inner + rows, inner + rows + columns))))
    return sizes, relations


def test_two_hidden_in_each_line_are_not_enough() -> None:
    """sdcTable's example: two or more away in each row and column, and yet cell (0, 1) is 47."""
    table = [[30, 47, 64, 89], [90, 124, 5, 31], [92, 100, 59, 85], [800, 991, 651, 685]]
    away = {(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 1), (2, 3), (3, 1), (3, 3)}
    sizes, relations = of_table(table)
    hidden = [False] * len(sizes)
    for row, column in away:
        hidden[4 * row + column] = True
    assert bounds(sizes, relations, hidden, 1) == pytest.approx((47, 47))
    assert bounds(sizes, relations, hidden, 3) == (89, 89)


def test_the_fewest_of_a_small_table() -> None:
    """sdcTable's microdata: one sensitive cell (A, female) needs three others, no total."""
    sizes, relations = of_table([[18, 2], [14, 19], [12, 10], [11, 14]])
    hidden = suppressed(sizes, relations, smallest=3)
    assert hidden[1]
    assert hidden.sum() == 4
    assert not hidden[8:].any()


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([50, 20, 30], [0, 0, 0]),
        ([50, 5, 30], [0, 1, 1]),
        ([50, 0, 30], [0, 0, 0]),
        ([50, 5, 4, 30], [0, 1, 1, 1]),
        ([50, 5, 7], [0, 1, 1]),
        ([5, 0, 0], [1, 1, 1]),
        ([4, 5], [1, 1]),
    ],
)
def test_codes_that_exclude_each_other(sizes: list[int], expected: list[int]) -> None:
    """One row of codes: the next smallest until two are away and eleven people among them."""
    relation = [Relation(tuple(range(len(sizes))))]
    assert suppressed(sizes, relation).tolist() == [bool(away) for away in expected]


def test_codes_that_go_together_hide_themselves_alone() -> None:
    assert suppressed([50, 5, 30], []).tolist() == [False, True, False]
    assert bounds([50, 5, 30], [], [0, 1, 0], 1) == (0.0, math.inf)


def test_a_relation_of_a_cell_that_is_not_there() -> None:
    with pytest.raises(TableError, match="3 cells"):
        suppressed([1, 2, 3], [Relation((0, 3))])


def possible(sizes: list[int], relations: list[Relation], hidden: list[bool]) -> list[list[int]]:
    """Every table of whole numbers that agrees with what is shown, by trying all."""
    away = [place for place, own in enumerate(hidden) if own]
    top = sum(sizes[: len(sizes)])
    found = []
    for values in itertools.product(range(top + 1), repeat=len(away)):
        other = list(sizes)
        for place, value in zip(away, values, strict=True):
            other[place] = value
        if all(_kept(sizes, other, relation) for relation in relations):
            found.append(other)
    return found


def _kept(sizes: list[int], other: list[int], relation: Relation) -> bool:
    def rest(cells: list[int]) -> int:
        total = 0 if relation.total is None else cells[relation.total]
        return sum(cells[part] for part in relation.parts) - total

    return rest(sizes) == rest(other)


@given(st.lists(st.integers(0, 4), min_size=2, max_size=4))
def test_bounds_are_those_of_every_table_there_can_be(sizes: list[int]) -> None:
    """One row: what trying all tables gives, linear programming gives."""
    relations = [Relation(tuple(range(len(sizes))))]
    hidden = [place < 2 for place in range(len(sizes))]
    every = possible(sizes, relations, hidden)
    low, high = bounds(sizes, relations, hidden, 0)
    assert low == pytest.approx(min(table[0] for table in every))
    assert high == pytest.approx(max(table[0] for table in every))


@given(st.lists(st.lists(st.integers(0, 40), min_size=3, max_size=3), min_size=2, max_size=4))
def test_no_table_bounds_a_hidden_cell_more_narrowly_than_the_rule(table: list[list[int]]) -> None:
    """Moving people round a circle of hidden cells shows, without the solver, how far one can go.

    A sensitive cell is safe where the linear programme says that it can be 1 or less and ten or
    more; and it says so of all, unless there was nothing left to hold back.
    """
    sizes, relations = of_table(table)
    hidden = suppressed(sizes, relations)
    sensitive = [place for place, size in enumerate(sizes) if 0 < size < SMALLEST]
    assert all(hidden[place] for place in sensitive)
    for place in sensitive:
        low, high = bounds(sizes, relations, hidden, place)
        assert (low <= 1 + 1e-6 and high >= SMALLEST - 1 - 1e-6) or hidden[: len(table) * 3].all()


def test_hidden_cells_of_a_large_table_are_safe() -> None:
    """Twenty by twenty, a third of them small: proved cell by cell."""
    rng = np.random.default_rng(7)
    sizes, relations = of_table(rng.negative_binomial(0.8, 0.03, (20, 20)).tolist())
    hidden = suppressed(sizes, relations)
    small = [place for place, size in enumerate(sizes) if 0 < size < SMALLEST]
    assert len(small) > 60
    for place in small[::10]:
        low, high = bounds(sizes, relations, hidden, place)
        assert low <= 1 + 1e-6
        assert high >= SMALLEST - 1 - 1e-6
    assert hidden.mean() < 0.8
