"""Samples: weights by hand, thin strata joined, response told, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.errors import TableError
from labeler.statistics.estimation.sample import (
    AssistedPhase,
    phase_sample,
    response_rates,
    sample_weights,
)


def test_a_coded_unit_stands_for_its_stratum_and_for_those_not_coded() -> None:
    """Of 6 and 4 units 3 and 2 were drawn, 2 and 2 coded: they weigh 6/2 and 4/2."""
    sample = phase_sample(
        model=np.zeros((10, 1)),
        blind_rows=[0, 1, 6, 7],
        blind=np.ones((4, 1)),
        stratum=[0] * 6 + [1] * 4,
        drawn=[3, 2],
    )
    assert sample_weights(sample).weight == pytest.approx([3, 3, 2, 2])
    assert sample.probability == pytest.approx([1 / 2, 1 / 2, 1 / 2, 1 / 2])
    rates = response_rates(sample)
    assert rates.drawn.tolist() == [3, 2]
    assert rates.rate == pytest.approx([2 / 3, 1])


def test_unequal_probabilities_within_a_stratum_add_up_to_its_size() -> None:
    """1/.5 and 1/.25 are 2 and 4, which become 3 and 6 of 9 units."""
    sample = phase_sample(
        model=np.zeros((9, 1)), blind_rows=[3, 5], blind=[[0], [1]], probability=[0.5, 0.25]
    )
    assert sample_weights(sample).weight == pytest.approx([3, 6])


def test_a_stratum_with_one_coded_unit_is_joined_with_the_next() -> None:
    """Strata of 4, 3, 5 units with 1, 1, 2 coded become two: 7 units by 2, 5 by 2."""
    sample = phase_sample(
        model=np.zeros((12, 1)),
        blind_rows=[0, 4, 7, 8],
        blind=np.zeros((4, 1)),
        stratum=[0] * 4 + [1] * 3 + [2] * 5,
        probability=[0.5] * 4,
    )
    weights = sample_weights(sample)
    assert weights.size.tolist() == [7, 5]
    assert weights.weight == pytest.approx([3.5, 3.5, 2.5, 2.5])


def test_the_last_stratum_without_a_coded_unit_goes_to_the_one_before() -> None:
    """3 and 2 units, 2 and none coded: the two stand for all five."""
    sample = phase_sample(
        model=np.zeros((5, 1)),
        blind_rows=[0, 1],
        blind=np.zeros((2, 1)),
        stratum=[0, 0, 0, 1, 1],
        probability=[0.5, 0.5],
    )
    assert sample_weights(sample).weight == pytest.approx([2.5, 2.5])


def test_a_stratum_that_is_coded_to_the_last_unit_stays_alone() -> None:
    """One unit of one needs no second."""
    sample = phase_sample(
        model=np.zeros((5, 1)),
        blind_rows=[0, 1, 2],
        blind=np.zeros((3, 1)),
        stratum=[0, 1, 1, 1, 1],
    )
    assert sample_weights(sample).size.tolist() == [1, 4]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"blind_rows": [0, 0]}, "twice"),
        ({"blind_rows": [0, 3]}, "outside"),
        ({"blind_rows": [0]}, "rows of the frame"),
        ({"blind": [[np.nan], [0]]}, "missing"),
        ({"probability": [0.0, 1.0]}, "probability"),
        ({"probability": [1.0]}, "probability"),
        ({"stratum": [0, 0]}, "strata and authors"),
        ({"author": [0, 0, -1]}, "count from 0"),
        ({"drawn": [1]}, "drawn"),
        ({"known": [True, False]}, "known"),
        ({"assisted": AssistedPhase(np.array([0]), np.ones((1, 1)), np.ones(1))}, "two phases"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, told) -> None:
    """Each fault by a TableError that names it."""
    given = {"model": np.zeros((3, 1)), "blind_rows": [0, 1], "blind": [[0], [1]], **wrong}
    with pytest.raises(TableError, match=told):
        phase_sample(**given)
