"""What enters a figure, and why the rest fell out, counted by hand."""

from __future__ import annotations

import numpy as np

from labeler.reliability.units_entered import units_entered


def test_units_are_counted_by_what_became_of_them() -> None:
    """Of ten drawn: two compared (one by three), two coded once, one without a value, five not."""
    columns = np.array([[0, 1, 0, -1, -1], [0, 1, -1, -1, 1], [-1, 0, -1, -1, -1]])
    unit = np.array([0, 1, 2, 3, 4])
    found = units_entered(columns, unit, coded=range(5), drawn=10)
    assert (found.n_compared, found.n_pairs, found.n_there) == (2, 1 + 3, 10)
    assert found.left_out == (
        "2 coded by one; 1 without a value (not asked, not applicable or left open); "
        "5 not coded, or skipped"
    )


def test_a_unit_that_stands_in_several_rows_is_one() -> None:
    """The model against two humans: two rows a unit, each of which is a pair."""
    columns = np.array([[0, 0, 1, 1], [0, 1, 1, -1]])
    found = units_entered(columns, np.array([0, 0, 1, 1]), coded={0, 1}, drawn=2)
    assert (found.n_compared, found.n_pairs, found.n_there, found.left_out) == (2, 3, 2, "")


def test_nothing_is_nothing() -> None:
    """No coder, no unit."""
    empty = np.empty((0, 0), dtype=np.int64)
    assert units_entered(empty, np.empty(0, dtype=np.intp), coded=(), drawn=0) == (0, 0, 0, "")
