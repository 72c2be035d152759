"""Drift: products by hand, the expectation by enumeration, the published figures by simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, chi2_contingency

from labeler.errors import TableError
from labeler.statistics.experiment.drift import bets, e_process, homogeneity, least_agreement, shift


def test_the_process_by_hand() -> None:
    """p0 .85; X = 0: mean of 1 + .85 l = 1.5525; 0 again: mean of squares; 1: times 1 - .15 l."""
    found = e_process([0, 0, 1], 0.85, alpha=0.05)
    twice = [1.17**2, 1.425**2, 1.68**2, 1.935**2]
    third = sum(a * b for a, b in zip(twice, [0.97, 0.925, 0.88, 0.835], strict=True)) / 4
    assert found.process.tolist() == pytest.approx([1.5525, sum(twice) / 4, third])
    assert found.alarm == 0
    assert found.p == pytest.approx(4 / sum(twice))


@pytest.mark.parametrize("p0", [0.05, 0.5, 0.85, 1.0])
def test_a_fair_game_where_agreement_is_as_it_was(p0) -> None:
    """Over all 2^8 streams at agreement p0 the process is 1 on average, and never below 0."""
    total = 0.0
    for stream in itertools.product((0, 1), repeat=8):
        chance = math.prod(p0 if x else 1 - p0 for x in stream)
        process = e_process(stream, p0, alpha=0.05).process
        assert (process > 0).all()
        total += chance * process[-1]
    assert total == pytest.approx(1)


def test_a_lambda_must_not_stake_more_than_there_is() -> None:
    """1 + l (p0 - 1) > 0: at p0 .85 all four, at .05 not 1.1, which needs p0 above .0909."""
    assert bets(0.85) == (0.2, 0.5, 0.8, 1.1)
    assert bets(0.05) == (0.2, 0.5, 0.8)
    assert bets(1 - 1 / 1.1 + 1e-9)[-1] == 1.1


def test_the_alarm_is_at_one_over_alpha() -> None:
    """Units that all differ: the first at which the process is 20; the p-value then is .05."""
    found = e_process([0] * 20, 0.85, alpha=0.05)
    assert found.process[found.alarm - 2] < 20 <= found.process[found.alarm - 1]
    assert e_process([0] * 20, 0.85, alpha=0.01).alarm > found.alarm
    assert e_process([], 0.85, alpha=0.05)[1:] == (0, 1)


def test_a_long_stream_does_not_overflow() -> None:
    """100,000 units: sums of logarithms, finite after a million to one."""
    agreeing = e_process(np.ones(100_000), 0.85, alpha=0.05)
    assert agreeing.alarm == 0
    assert np.isfinite(agreeing.process).all()


@pytest.mark.parametrize(("agree", "p0", "alpha"), [([2], 0.8, 0.05), ([math.nan], 0.8, 0.05)])
def test_agreement_is_a_share(agree, p0, alpha) -> None:
    """Values outside 0 to 1, and nan, are refused."""
    with pytest.raises(TableError, match="between 0 and 1"):
        e_process(agree, p0, alpha=alpha)


@pytest.mark.parametrize(("p0", "alpha"), [(0, 0.05), (1.1, 0.05), (0.8, 0), (0.8, 1)])
def test_references_and_levels_that_make_no_sense(p0, alpha) -> None:
    """No agreement is below 0, none above 1; alpha lies between."""
    with pytest.raises(TableError):
        e_process([1], p0, alpha=alpha)


def test_simulated_figures() -> None:
    """40 batches of 50, p0 .85: 5% false alarms at most; at .78 all alarm, median 152; at .72, 54.

    benchmarks/drift.py has more runs, and the rivals.
    """
    alarms = {}
    for true in (0.85, 0.78, 0.72):
        streams = np.random.default_rng(20).random((400, 2000)) < true
        alarms[true] = np.array([e_process(row, 0.85, alpha=0.05).alarm for row in streams])
    assert (alarms[0.85] > 0).sum() <= binom.ppf(0.999, 400, 0.05)
    assert (alarms[0.78] > 0).all()
    assert np.median(alarms[0.78]) == pytest.approx(152, abs=25)
    assert np.median(alarms[0.72]) == pytest.approx(54, abs=8)


@pytest.mark.parametrize(("agreed", "n"), [(43, 50), (50, 50), (1, 50)])
def test_the_lower_bound_of_the_reference_is_exact(agreed, n) -> None:
    """As scipy's Clopper-Pearson interval; none agreed: 0."""
    exact = binomtest(agreed, n, alternative="greater").proportion_ci(0.975).low
    assert least_agreement(agreed, n, alpha=0.025) == pytest.approx(exact)
    assert least_agreement(0, n, alpha=0.025) == 0
    with pytest.raises(TableError):
        least_agreement(n + 1, n, alpha=0.025)


def test_homogeneity_by_hand() -> None:
    """Alphas .8 and .7, both +- .05: z = ln .2 and ln .3 with errors 1/4 and 1/6, weights 16, 36.

    For two batches the statistic is (z1 - z2)^2 / (1/16 + 1/36).
    """
    found = homogeneity([0.8, 0.7], [0.05, 0.05])
    assert found.statistic == pytest.approx(math.log(1.5) ** 2 / (1 / 16 + 1 / 36))
    assert found.degrees == 1
    assert found.p == pytest.approx(0.17718, abs=1e-5)


def test_batches_without_alpha_are_left_out() -> None:
    """Undefined, perfect, or without a standard error; fewer than two left: undefined."""
    found = homogeneity([0.8, math.nan, 1.0, 0.7, 0.6], [0.05, 0.05, 0.0, 0.05, math.nan])
    assert found.statistic == homogeneity([0.8, 0.7], [0.05, 0.05]).statistic
    assert found.note == "3 batches without alpha or spread left out"
    assert "fewer than two" in homogeneity([0.8, math.nan], [0.05, 0.05]).note


def test_a_shift_of_codes_by_hand() -> None:
    """50:50 to 30:70: chi-square 2 (10^2/40 + 10^2/60) = 8.33; PSI from halves added."""
    found = shift([50, 50], [30, 70])
    assert found.chi2.statistic == pytest.approx(25 / 3)
    exact = chi2_contingency([[50, 50], [30, 70]], correction=False)
    assert found.chi2.p == pytest.approx(exact.pvalue)
    p, q = np.array([50.5, 50.5]) / 101, np.array([30.5, 70.5]) / 101
    assert found.psi == pytest.approx(((q - p) * np.log(q / p)).sum())


def test_codes_that_are_new_or_missing() -> None:
    """A code that is new keeps PSI finite; one code alone, or none, has no chi-square."""
    assert np.isfinite(shift([100, 0], [50, 50]).psi)
    assert "fewer than five" in shift([100, 2], [100, 1]).chi2.note
    assert shift([9, 0], [7, 0]).chi2.note == "a single code was given"
    assert math.isnan(shift([0, 0], [7, 0]).psi)


@given(st.lists(st.integers(0, 60), min_size=2, max_size=6).filter(any))
def test_the_same_shares_are_no_shift(counts) -> None:
    """Chi-square and PSI are 0 between a distribution and itself."""
    found = shift(counts, counts)
    assert found.psi == pytest.approx(0)
    if found.chi2.degrees:
        assert found.chi2.statistic == pytest.approx(0)
