"""Calibration: numbers by hand, naive loops, and answers where there is nothing to measure."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from labeler.errors import TableError
from labeler.statistics.prediction.calibration import (
    aurc,
    auroc,
    binned,
    brier,
    diagram,
    ece,
    risk_coverage,
    unit_confidences,
)

# 20 units of confidence .6, of which 14 are right; 20 of .9, of which 15 are
CONFIDENCE = [0.6] * 20 + [0.9] * 20
RIGHT = [1] * 14 + [0] * 6 + [1] * 15 + [0] * 5
FIGURES = (ece, brier, auroc, aurc)

UNITS = st.lists(
    st.tuples(st.integers(0, 10).map(lambda k: k / 10), st.integers(0, 1)), min_size=2, max_size=60
)


def made(n, *, seed=0, levels=0):
    rng = np.random.default_rng(seed)
    confidence = rng.beta(4, 1, n)
    if levels:
        confidence = np.round(confidence * levels) / levels
    return confidence, (rng.random(n) < confidence - 0.05).astype(int)


def test_expected_calibration_error_by_hand() -> None:
    """Two bins of 20: .5 |.7 - .6| + .5 |.75 - .9| = .125."""
    found = ece(unit_confidences(CONFIDENCE, RIGHT))
    assert found.value == pytest.approx(0.125)
    assert found.low < 0.125 < found.high
    assert found.n == 40
    assert found.method.startswith("2 bins")


def test_brier_by_hand() -> None:
    """(14 x .16 + 6 x .36 + 15 x .01 + 5 x .81) / 40 = 8.6 / 40."""
    assert brier(unit_confidences(CONFIDENCE, RIGHT)).value == pytest.approx(0.215)


def test_auroc_by_hand() -> None:
    """15 x 6 pairs won, 14 x 6 + 15 x 5 tied, of 29 x 11: 169.5 / 319."""
    assert auroc(unit_confidences(CONFIDENCE, RIGHT)).value == pytest.approx(169.5 / 319)


def test_area_under_the_risk_coverage_curve_by_hand() -> None:
    """Risk 5/20 for the surer half, 11/40 for the others: mean .2625."""
    assert aurc(unit_confidences(CONFIDENCE, RIGHT)).value == pytest.approx(0.2625)


def test_the_curve_has_a_point_for_each_confidence() -> None:
    """The surest half is wrong in 5 of 20, all in 11 of 40; intervals are Wilson's."""
    first, second = risk_coverage(unit_confidences(CONFIDENCE, RIGHT))
    assert (*first[:3], first.risk.value) == (0.9, 20, 0.5, 0.25)
    assert (*second[:3], second.risk.value) == (0.6, 40, 1.0, 0.275)
    assert (first.risk.low, first.risk.high) == pytest.approx((0.1119, 0.4687), abs=1e-4)


def test_the_diagram_has_a_row_for_each_bin() -> None:
    """The least sure first, with the number of its units, mean confidence and accuracy."""
    rows = diagram(unit_confidences(CONFIDENCE, RIGHT))
    assert [(row.n, round(row.confidence, 9), row.accuracy.value) for row in rows] == [
        (20, 0.6, 0.7),
        (20, 0.9, 0.75),
    ]
    assert all(row.accuracy.low < row.accuracy.value < row.accuracy.high for row in rows)


def test_bins_hold_the_same_number_of_units() -> None:
    """100 different confidences make five bins of 20, or ten of 10 when those are asked for."""
    units = unit_confidences(np.arange(100) / 100, np.ones(100))
    assert np.bincount(binned(units)).tolist() == [20] * 5
    assert np.bincount(binned(units, 10)).tolist() == [10] * 10


@given(UNITS, st.integers(1, 12))
def test_units_of_one_confidence_share_a_bin(rows, bins) -> None:
    """Else the order of the units would decide; bins follow the confidence."""
    units = unit_confidences(*zip(*rows, strict=True))
    place = binned(units, bins)
    assert (np.diff(place) <= 0).all()  # units stand from the surest on
    for value in np.unique(units.confidence):
        assert np.unique(place[units.confidence == value]).size == 1


def test_the_interval_of_a_mean_is_the_textbook_one() -> None:
    """The jackknife of the Brier score is t with the standard error of a mean."""
    confidence, right = made(80)
    scores = np.square(confidence - right)
    reach = student.ppf(0.975, 79) * scores.std(ddof=1) / math.sqrt(80)
    found = brier(unit_confidences(confidence, right))
    assert (found.low, found.high) == pytest.approx((scores.mean() - reach, scores.mean() + reach))


@pytest.mark.parametrize("levels", [0, 5])
@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_are_those_of_a_loop_that_leaves_one_out(levels, clustered) -> None:
    """AUROC and AURC: each unit, or author, is left out in turn by hand, by naive definitions."""
    confidence, right = made(60, levels=levels)
    groups = np.arange(60) // (3 if clustered else 1)

    def naive_auroc(c, y):
        pairs = [(a > b) + (a == b) / 2 for a in c[y == 1] for b in c[y == 0]]
        return float(np.mean(pairs))

    def naive_aurc(c, y):
        return float(np.mean([1 - y[c >= value].mean() for value in c]))

    for figure, naive in ((auroc, naive_auroc), (aurc, naive_aurc)):
        found = figure(unit_confidences(confidence, right, clusters=groups if clustered else None))
        assert found.value == pytest.approx(naive(confidence, right))
        kept = [groups != g for g in np.unique(groups)]
        values = np.array([naive(confidence[k], right[k]) for k in kept])
        n = len(values)
        se = math.sqrt((n - 1) / n * np.square(values - values.mean()).sum())
        reach = student.ppf(0.975, n - 1) * se
        assert found.high == pytest.approx(min(1, found.value + reach))
        assert found.low == pytest.approx(max(0, found.value - reach))
        assert ("cluster" in found.method) == clustered


def test_a_bin_that_fits_by_chance_is_not_certain() -> None:
    """20 units of confidence .5, 10 right: ECE 0, and t x sqrt(.25 / 20) as the upper end."""
    found = ece(unit_confidences([0.5] * 20, [0, 1] * 10))
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(student.ppf(0.975, 19) * math.sqrt(0.25 / 20))
    assert "0.089 by chance" in found.note  # sqrt(.25/20) sqrt(2/pi)


@given(st.lists(st.integers(0, 10), min_size=1, max_size=8))
def test_a_confidence_that_means_what_it_says_has_no_error(tenths) -> None:
    """Of ten units with confidence k/10, k are right: ECE 0 whatever the bins."""
    confidence = [k / 10 for k in tenths for _ in range(10)]
    right = [int(i < k) for k in tenths for i in range(10)]
    found = ece(unit_confidences(confidence, right))
    assert found.value == pytest.approx(0, abs=1e-12)
    assert found.low == 0


@given(UNITS, st.randoms(use_true_random=False))
def test_the_order_of_units_changes_nothing(rows, chance) -> None:
    """Every figure and its interval, exactly or to the last digits of a sum."""
    mixed = chance.sample(rows, len(rows))
    for figure in FIGURES:
        one, other = (
            figure(unit_confidences(*zip(*given, strict=True))) for given in (rows, mixed)
        )
        assert one[:3] == pytest.approx(other[:3], nan_ok=True, abs=1e-12)
        assert one[3:] == other[3:]


@given(UNITS)
def test_figures_and_bounds_lie_between_0_and_1(rows) -> None:
    """And the value lies in its interval, where there is one."""
    for figure in FIGURES:
        found = figure(unit_confidences(*zip(*rows, strict=True)))
        if not math.isnan(found.value):
            assert -1e-12 <= found.value <= 1 + 1e-12
        if not math.isnan(found.low):
            assert 0 <= found.low <= found.value + 1e-12
            assert found.value - 1e-12 <= found.high <= 1
        else:
            assert found.note


@given(UNITS)
def test_a_weight_of_two_is_a_unit_twice(rows) -> None:
    """Values, not intervals: a weight is no further unit."""
    confidence, right = zip(*rows, strict=True)
    weights = [1 + (place % 2) for place in range(len(rows))]
    twice = [row for row, weight in zip(rows, weights, strict=True) for _ in range(weight)]
    for figure in (brier, auroc, aurc):
        heavy = figure(unit_confidences(confidence, right, weights=weights)).value
        assert heavy == pytest.approx(
            figure(unit_confidences(*zip(*twice, strict=True))).value, nan_ok=True
        )


def test_units_of_one_author_make_the_interval_wider() -> None:
    """Each unit four times, as one author's: as wide as the unit once, not half as wide."""
    confidence, right = made(100)
    once = brier(unit_confidences(confidence, right))
    four = {"confidence": np.repeat(confidence, 4), "right": np.repeat(right, 4)}
    grouped = brier(unit_confidences(**four, clusters=np.repeat(np.arange(100), 4)))
    assert (grouped.low, grouped.high) == pytest.approx((once.low, once.high))
    alone = brier(unit_confidences(**four))
    assert alone.high - alone.low < 0.6 * (once.high - once.low)


@pytest.mark.parametrize("figure", FIGURES)
def test_nothing_measured_is_said(figure) -> None:
    """No unit, and a single unit: nan with words."""
    nothing = figure(unit_confidences([], []))
    assert math.isnan(nothing.value)
    assert "no unit" in nothing.note
    single = figure(unit_confidences([0.9], [1]))
    assert math.isnan(single.low)
    assert single.note


def test_ordering_needs_right_and_wrong_units() -> None:
    """All right: undefined; only a few wrong: a warning."""
    assert (
        "all 30 units are right" in auroc(unit_confidences(np.linspace(0, 1, 30), np.ones(30))).note
    )
    few = auroc(unit_confidences(np.linspace(0, 1, 30), [0, 1, 0] + [1] * 27))
    assert few.note == "only 2 units are wrong"
    parted = auroc(unit_confidences(np.linspace(0, 1, 30), [0] * 10 + [1] * 20))
    assert parted.value == 1
    assert "no spread" in parted.note


@pytest.mark.parametrize(
    ("confidence", "right", "more"),
    [
        ([1.2], [1], {}),
        ([math.nan], [1], {}),
        ([0.5], [0.5], {}),
        ([0.5], [1, 0], {}),
        ([0.5], [1], {"weights": [0]}),
        ([0.5], [1], {"clusters": ["a", "b"]}),
    ],
)
def test_arrays_that_make_no_sense_are_refused(confidence, right, more) -> None:
    """A confidence is a share, right is 0 or 1, weights are above 0, shapes fit."""
    with pytest.raises(TableError):
        unit_confidences(confidence, right, **more)


def test_the_interval_holds_about_as_often_as_it_says() -> None:
    """150 made-up studies of 100 units, too sure by .1 (its true ECE): at least 94% are covered.

    The benchmark has more worlds and runs.
    """
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(150):
        confidence = rng.choice([0.4, 0.6, 0.8, 1.0], 100, p=[0.1, 0.15, 0.25, 0.5])
        found = ece(unit_confidences(confidence, rng.random(100) < confidence - 0.1))
        held += found.low <= 0.1 <= found.high
    assert held >= 0.94 * 150
