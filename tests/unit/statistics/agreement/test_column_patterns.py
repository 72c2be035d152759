"""Distinct columns: nothing is lost, nothing grows with units that repeat."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from thorough import examples

from labeler.errors import TableError
from labeler.statistics.agreement.alpha import count_columns
from labeler.statistics.agreement.column_patterns import column_patterns


@examples(60)
@given(
    columns=st.integers(1, 5).flatmap(
        lambda coders: st.lists(
            st.lists(st.integers(-1, 2), min_size=coders, max_size=coders), min_size=1, max_size=30
        ).map(lambda units: np.array(units, np.int8).T)
    ),
    weighted=st.booleans(),
    clustered=st.booleans(),
    seed=st.integers(0, 9),
)
def test_distinct_columns_are_all_columns(columns, weighted, clustered, seed):
    """Written out again, a panel holds the coded units with weights and clusters, no more."""
    rng = np.random.default_rng(seed)
    n = columns.shape[1]
    weights = rng.choice([1.0, 2.5], n) if weighted else None
    clusters = rng.choice(["ada", "bob", "cy"], n) if clustered else None
    panel = column_patterns(columns, 3, weights=weights, clusters=clusters)
    coded = (columns >= 0).any(axis=0)
    active = (columns >= 0).any(axis=1)
    kept = [columns[active][:, coded].T]
    again = [panel.given.T]
    if weights is not None:
        kept.append(weights[coded, None])
        again.append(panel.weights[:, None])
    if clusters is not None:
        kept.append(np.unique(clusters[coded], return_inverse=True)[1][:, None])
        again.append(panel.group[:, None])
    written = np.repeat(np.hstack(again), panel.times, axis=0)
    assert sorted(written.tolist()) == sorted(np.hstack(kept).tolist())
    assert len(np.unique(np.hstack(again), axis=0)) == len(panel.times)
    assert (panel.counts == count_columns(panel.given, 3)).all()


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int64])
def test_128_values_fit_small_numbers(dtype):
    """The last of 128 values does not wrap around in eight bits."""
    columns = np.array([[127, 0, -1], [127, 1, -1]], dtype)
    panel = column_patterns(columns, 128)
    assert panel.given.tolist() == [[0, 127], [1, 127]]
    assert panel.counts[1, 127] == 2
    assert panel.times.tolist() == [1, 1]


def test_many_coders_do_not_overflow():
    """40 coders of 12 values, whose columns do not fit a whole number of 64 bits."""
    columns = np.random.default_rng(2).integers(-1, 12, (40, 50))
    panel = column_patterns(np.hstack([columns, columns]), 12)
    assert panel.times.tolist() == [2] * 50
    assert sorted(panel.given.T.tolist()) == sorted(columns.T.tolist())


def test_units_that_repeat_take_no_room():
    """A hundred thousand units of two coders and three values are at most 15 rows."""
    columns = np.random.default_rng(1).integers(-1, 3, (2, 100_000)).astype(np.int8)
    panel = column_patterns(columns, 3)
    assert panel.times.size == 4 * 4 - 1
    assert panel.times.sum() == ((columns >= 0).any(axis=0)).sum()


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (np.zeros((2, 3)), "whole numbers"),
        (np.zeros(3, int), "whole numbers"),
        (np.array([[0, 3]]), "positions from 0 to 3"),
        (np.array([[0, -2]]), "positions from -2 to 0"),
        (np.zeros((0, 3), int), "no coder"),
    ],
)
def test_bad_columns_are_refused(columns, words):
    """Columns hold positions in the domain or -1."""
    with pytest.raises(TableError, match=words):
        column_patterns(columns, 3)


def test_no_units():
    """No unit makes an empty panel."""
    panel = column_patterns(np.zeros((2, 0), int), 3)
    assert panel.times.size == 0
    assert panel.counts.shape == (0, 3)
