"""The two-phase estimator: a published variance, and what it becomes at its edges."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.statistics.estimation.estimators import corrected
from labeler.statistics.estimation.sample import AssistedPhase, PhaseSample, phase_sample
from labeler.statistics.estimation.two_phase import two_phase


def made(rng: np.random.Generator, *, first=400, coded=100) -> PhaseSample:
    """2,000 units with two codes, a model and an assisted coder who err, in two strata."""
    truth = rng.random((2000, 2)) < [0.3, 0.5]
    model = np.where(rng.random(truth.shape) < 0.75, truth, ~truth)
    assisted = np.where(rng.random(truth.shape) < 0.9, truth, ~truth)
    stratum = np.arange(2000) % 2
    phase = np.sort(rng.choice(2000, first, replace=False))
    blind = np.sort(rng.choice(phase, coded, replace=False))
    chance = np.full(first, first / 2000)
    return phase_sample(
        model=model,
        blind_rows=blind,
        blind=truth[blind],
        stratum=stratum,
        probability=np.full(coded, coded / 2000),
        assisted=AssistedPhase(phase, assisted[phase].astype(float), chance),
    )


def test_the_variance_of_two_phases_as_published() -> None:
    """Särndal, Swensson and Wretman 1992, 9.4.14: 300 units, 20 of them, 5 of 12 and 3 of 8.

    As R's survey package has it (tests/twophase.R): 36522.63, of which 24072.63 by the first
    draw and 12450 by the second. No model, and nothing assisted: y alone.
    """
    second = np.repeat([20 / 300 * 5 / 12, 20 / 300 * 3 / 8], [5, 3])
    sample = phase_sample(
        model=np.zeros((300, 1)),
        blind_rows=[0, 1, 2, 3, 4, 12, 13, 14],
        blind=np.arange(1, 9)[:, None],
        probability=second,
        assisted=AssistedPhase(
            np.arange(20), np.zeros((20, 1)), np.full(20, 20 / 300), np.repeat([0, 1], [12, 8])
        ),
    )
    estimates = two_phase(sample, target="collection", unseen_errors=False)
    parts = np.square(estimates.contributions).ravel()
    assert estimates.covariance[0, 0] == pytest.approx(36522.63, abs=5e-3)
    assert parts[:8].sum() == pytest.approx(12450)
    assert parts[8:-1].sum() == pytest.approx(24072.63, abs=5e-3)
    assert estimates.total[0] == pytest.approx(300 / 20 * (12 * 3 + 8 * 7))


@pytest.mark.parametrize("target", ["collection", "population"])
def test_assisted_codes_that_are_the_model_s_add_nothing(target) -> None:
    """a = f: the same point as `corrected` with the same lambda, whatever was assisted."""
    sample = made(np.random.default_rng(1))
    phase = sample.assisted
    same = sample._replace(
        stratum=np.zeros(2000, np.int64),
        drawn=np.array([100]),
        assisted=phase._replace(codes=sample.model[phase.rows].toarray()),
    )
    both = two_phase(same, target=target, tuning=0.7)
    one = corrected(same, target=target, tuning=0.7)
    assert both.total == pytest.approx(one.total)
    assert both.se == pytest.approx(one.se, rel=0.05)


def test_a_blind_code_for_every_assisted_unit_is_one_phase() -> None:
    """Nothing is left to be guessed in the second phase: point and error of `corrected`."""
    sample = made(np.random.default_rng(2), first=300, coded=300)
    both = two_phase(sample, target="collection", tuning=0.5)
    one = corrected(sample, target="collection", tuning=0.5)
    assert both.total == pytest.approx(one.total)
    assert both.covariance.ravel() == pytest.approx(one.covariance.ravel())


def test_better_guesses_make_a_smaller_error() -> None:
    """Assisted codes right in nine of ten: more is known than from the model alone."""
    sample = made(np.random.default_rng(3), first=800, coded=200)
    for target in ("collection", "population"):
        both, one = two_phase(sample, target=target), corrected(sample, target=target)
        assert (both.se < one.se).all()
        assert (both.effective_size > one.effective_size).all()


def test_without_units_coded_both_ways_it_says_so() -> None:
    """No assisted phase, and no blind code."""
    sample = made(np.random.default_rng(4))
    alone = two_phase(sample._replace(assisted=None), target="collection")
    assert set(alone.reason) == {"no unit coded both blind and assisted"}
    nobody = sample._replace(blind_rows=np.empty(0, np.int64), blind=np.empty((0, 2)))
    assert set(two_phase(nobody, target="collection").reason) == {"no blind codes"}
