"""Dawid and Skene's model on their own data, MACE, and anchored coders who deceive both."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.errors import TableError
from labeler.statistics.estimation.consensus import dawid_skene, mace

# 45 patients, coder 1 three times, coders 2 to 5 once: Dawid and Skene (1979), Table 1
PATIENTS = (
    "1111111", "3334334", "1122122", "2223121", "2223222", "2223322", "1122111", "3333433",
    "2222223", "2322223", "4444444", "2223343", "1111111", "2223212", "1211111", "1112111",
    "1111111", "1111111", "2222221", "2221322", "2222222", "2222221", "2223222", "2212222",
    "1111111", "1111111", "2322222", "1111111", "1111111", "1121121", "1111111", "3333233",
    "1111111", "2222222", "2223232", "4334343", "2212232", "2323233", "3333432", "1111111",
    "1111111", "1212111", "2322222", "1211111", "2222222",
)  # fmt: skip
CODERS = (0, 0, 0, 1, 2, 3, 4)


def patients() -> tuple[list[int], list[int], list[int]]:
    """Unit, coder and value of each of the 315 codings."""
    rows = [
        (unit, coder, int(value) - 1)
        for unit, values in enumerate(PATIENTS)
        for coder, value in zip(CODERS, values, strict=True)
    ]
    units, coders, values = zip(*rows, strict=True)
    return list(units), list(coders), list(values)


def simulated(rng: np.random.Generator, *, adopts: float = 0.0, units: int = 400):
    """Four coders of three values, right in .9, .8, .7 and .5, who take over a suggestion."""
    truth = rng.integers(0, 3, units)
    suggestion = np.where(rng.random(units) < 0.75, truth, rng.integers(0, 3, units))
    skill = np.array([0.9, 0.8, 0.7, 0.5])
    own = np.where(rng.random((units, 4)) < skill, truth[:, None], rng.integers(0, 3, (units, 4)))
    given = np.where(rng.random((units, 4)) < adopts, suggestion[:, None], own)
    unit, coder = np.indices(given.shape)
    return truth, unit.ravel(), coder.ravel(), given.ravel()


def test_the_anaesthesia_data_as_published() -> None:
    """Shares of the classes .40 .42 .11 .07; patients 2, 12 and 36 are not the commonest value."""
    made = dawid_skene(*patients())
    assert made.converged
    assert made.prevalence == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=0.0051)
    assert made.prevalence[:3] == pytest.approx([0.3999690, 0.4215763, 0.1117880], abs=1e-6)
    assert made.posterior.sum(axis=1) == pytest.approx(np.ones(45))
    assert made.accuracy.sum(axis=2) == pytest.approx(np.ones((5, 4)))
    plurality = [max("1234", key=values.count) for values in PATIENTS]
    other = [
        place + 1
        for place, (one, two) in enumerate(zip(made.value + 1, plurality, strict=True))
        if one != int(two)
    ]
    assert set(other) <= {2, 12, 36}


def test_coders_are_told_apart() -> None:
    """Both models put the coders in the order of their skill, and beat the best of them."""
    truth, unit, coder, value = simulated(np.random.default_rng(1))
    for model in (dawid_skene, mace):
        made = model(unit, coder, value)
        assert made.converged
        assert np.argsort(-made.competence).tolist() == [0, 1, 2, 3]
        assert (made.value == truth).mean() > 0.91
    assert mace(unit, coder, value).competence == pytest.approx([0.9, 0.8, 0.7, 0.5], abs=0.1)


def test_anchored_coders_deceive_the_model() -> None:
    """Who takes over the suggestion agrees with the others: competence rises, truth is lost."""
    rng = np.random.default_rng(2)
    truth, unit, coder, value = simulated(rng, units=2000)
    free = dawid_skene(unit, coder, value)
    anchored_truth, unit, coder, value = simulated(rng, adopts=0.6, units=2000)
    bound = dawid_skene(unit, coder, value)
    assert bound.competence.mean() > free.competence.mean() + 0.05
    assert (bound.value == anchored_truth).mean() < (free.value == truth).mean() - 0.05


def test_two_that_disagree_stay_open() -> None:
    """One unit, two coders, one value each."""
    assert dawid_skene([0, 0], [0, 1], [0, 1]).value.tolist() == [-1]


def test_values_of_the_codebook_that_nobody_gave() -> None:
    """They have no share; a unit without codings stays open."""
    made = dawid_skene([0, 0, 2, 2, 3, 3], [0, 1, 0, 1, 0, 1], [0, 0, 1, 1, 0, 0], values=3)
    assert made.posterior.shape == (4, 3)
    assert made.value.tolist()[0] == 0
    assert made.value.tolist()[2] == 1


def test_no_codings_and_impossible_ones() -> None:
    """A TableError each."""
    with pytest.raises(TableError, match="at least"):
        dawid_skene([], [], [])
    with pytest.raises(TableError, match="from 0"):
        mace([0], [0], [3], values=2)
