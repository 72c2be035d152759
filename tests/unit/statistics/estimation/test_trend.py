"""A line through months: by hand, its false alarms, and a curve that is no line."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import sparse
from thorough import repetitions

from labeler.statistics.estimation.derived import DerivedFigures, ratio
from labeler.statistics.estimation.estimators import blind_alone
from labeler.statistics.estimation.sample import phase_sample
from labeler.statistics.estimation.trend import Trend, trend


def months(shares: list[float], rng: np.random.Generator | None):
    """Posts of several months, all coded, with a code in such shares, at random or exactly."""
    many, each = len(shares), 150
    month = np.repeat(np.arange(many), each)
    place = np.tile((np.arange(each) + 0.5) / each, many) if rng is None else rng.random(month.size)
    y = place < np.array(shares)[month]
    blind = np.concatenate([np.eye(many)[month] * y[:, None], np.eye(many)[month]], axis=1)
    sample = phase_sample(
        model=sparse.csr_array((9000, 2 * many)), blind_rows=np.arange(month.size), blind=blind
    )
    estimates = blind_alone(sample, target="collection")
    eye = np.eye(2 * many)
    return estimates, ratio(estimates, eye[:many], eye[many:], scale="share")


def line(shares: list[float], rng: np.random.Generator | None) -> Trend:
    """The trend of such months."""
    estimates, figures = months(shares, rng)
    return trend(estimates, figures, np.arange(len(shares)))


def test_a_slope_by_hand() -> None:
    """(-1.5, -.5, .5, 1.5)/5 of the months' figures; each month is an independent share."""
    estimates, figures = months([0.2, 0.4, 0.5, 0.7], np.random.default_rng(1))
    y = figures.value
    made = trend(estimates, figures, range(4))
    by = np.array([-0.3, -0.1, 0.1, 0.3])
    assert made.slope.value == pytest.approx(by @ y)
    assert made.slope.se == pytest.approx(math.sqrt(by**2 @ (y * (1 - y) / 150)), rel=0.1)
    assert made.p < 1e-6
    assert made.slope.low > 0
    assert made.times == 4


def test_months_of_different_size_by_weight() -> None:
    """Weighted least squares of numpy."""
    estimates, figures = months([0.2, 0.4, 0.5, 0.7], np.random.default_rng(1))
    made = trend(estimates, figures, range(4), weights=[4, 1, 2, 9])
    slope = np.polyfit(range(4), figures.value, 1, w=[2, 1, math.sqrt(2), 3])[0]
    assert made.slope.value == pytest.approx(slope)


def test_nothing_that_changes_is_seldom_called_a_trend() -> None:
    """At 5%, by either test; five standard errors more would be a chance of one in a million."""
    rng = np.random.default_rng(2)
    runs = repetitions(80)
    made = [line([0.3] * 5, rng) for _ in range(runs)]
    most = 0.05 + 5 * math.sqrt(0.05 * 0.95 / runs)
    assert np.mean([one.p < 0.05 for one in made]) < most
    assert np.mean([one.p_line < 0.05 for one in made]) < most


def test_a_curve_is_told_from_a_line() -> None:
    """Up and down again: no slope, and no line."""
    made = line([0.1, 0.4, 0.6, 0.4, 0.1], None)
    assert made.p > 0.05
    assert made.p_line < 1e-6


def test_months_that_are_not_estimable_are_left_out() -> None:
    """Three of four are used; of two there is no trend."""
    estimates, figures = months([0.2, 0.0, 0.5, 0.7], np.random.default_rng(4))
    assert figures.reason[1] == "below ten carriers"
    assert trend(estimates, figures, range(4)).times == 3
    few = DerivedFigures(*figures[:5], reason=("negative estimate", *figures.reason[1:]))
    told = trend(estimates, few, range(4))
    assert math.isnan(told.slope.value)
    assert told.slope.note == "fewer than 3 times are estimable"
