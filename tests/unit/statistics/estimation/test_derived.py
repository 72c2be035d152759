"""Ratios, differences and their intervals by the delta method."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import sparse
from scipy.stats import t as student

from labeler.statistics.estimation.derived import (
    combined,
    covariance_of,
    difference,
    intervals,
    log_ratio,
    means,
    ratio,
    standard_errors,
)
from labeler.statistics.estimation.estimates import degrees_of
from labeler.statistics.estimation.estimators import corrected, model_alone
from labeler.statistics.estimation.sample import PhaseSample, phase_sample


def table(seed: int = 1, *, size=3000, coded=600) -> PhaseSample:
    """Segments of a table of two by three in each of `size` posts, and a model that errs."""
    rng = np.random.default_rng(seed)
    truth = rng.poisson([0.3, 0.1, 0.2, 0.15, 0.1, 0.4], (size, 6))
    model = np.where(rng.random(truth.shape) < 0.8, truth, rng.poisson(0.2, truth.shape))
    rows = np.arange(coded)
    author = rng.integers(0, 2000, size)
    return phase_sample(model=model, blind_rows=rows, blind=truth[rows], author=author)


def jackknifed(sample: PhaseSample, figure) -> float:
    """The error of a figure of people alone, leaving out one blind unit at a time."""
    n = sample.coded
    without = np.array(
        [figure(np.delete(sample.blind, left, axis=0).sum(axis=0)) for left in range(n)]
    )
    return math.sqrt((n - 1) / n * np.square(without - without.mean()).sum())


def test_a_share_of_a_row_has_the_jackknife_s_error() -> None:
    """Blind alone from a large stream, so that nothing but the sample errs."""
    sample = table(size=200_000, coded=400)._replace(author=np.arange(200_000))
    estimates = corrected(sample, target="collection", tuning=0.0)
    row = ratio(estimates, np.eye(6)[0], [1, 1, 1, 0, 0, 0], scale="share")
    assert row.value[0] == pytest.approx(sample.blind[:, 0].sum() / sample.blind[:, :3].sum())
    error = jackknifed(sample, lambda sums: sums[0] / sums[:3].sum())
    assert standard_errors(estimates, row)[0] == pytest.approx(error, rel=0.01)


def test_shares_of_all_add_up_to_one_without_error() -> None:
    """Six cells of one table."""
    estimates = corrected(table(), target="population")
    shares = ratio(estimates, sparse.eye_array(6), np.ones((6, 6)), scale="share")
    assert shares.value.sum() == pytest.approx(1)
    assert combined(shares, np.ones(6)).value[0] == pytest.approx(1)
    assert covariance_of(estimates, shares).sum() == pytest.approx(0, abs=1e-12)


def test_a_difference_knows_that_its_parts_go_together() -> None:
    """var(a - b) = var a + var b - 2 cov."""
    estimates = corrected(table(), target="collection")
    each = means(estimates, scale="count")
    gap = difference(combined(each, np.eye(6)[0]), combined(each, np.eye(6)[1]))
    v = estimates.covariance / estimates.size**2
    assert standard_errors(estimates, gap)[0] ** 2 == pytest.approx(v[0, 0] + v[1, 1] - 2 * v[0, 1])
    assert gap.value[0] == pytest.approx(estimates.mean[0] - estimates.mean[1])


def test_a_log_ratio_by_hand() -> None:
    """log(a/b), its variance from relative errors."""
    estimates = corrected(table(), target="collection")
    each = means(estimates, scale="count")
    made = log_ratio(combined(each, np.eye(6)[0]), combined(each, np.eye(6)[1]))
    a, b = estimates.total[:2]
    v = estimates.covariance
    assert made.value[0] == pytest.approx(math.log(a / b))
    expected = v[0, 0] / a**2 + v[1, 1] / b**2 - 2 * v[0, 1] / (a * b)
    assert standard_errors(estimates, made)[0] ** 2 == pytest.approx(expected)


def test_intervals_of_shares_lie_on_the_scale_of_the_logit() -> None:
    """logit p +- t se/(p (1 - p)), back to a share."""
    estimates = corrected(table(), target="collection")
    shares = ratio(estimates, np.eye(6), np.ones((6, 6)), scale="share")
    own = intervals(estimates, shares)[0]
    degrees = float(own.method.rsplit(" with ", 1)[1].split()[0])
    t = student.ppf(0.975, degrees)
    step = t * own.se / (own.value * (1 - own.value))
    low = 1 / (1 + (1 - own.value) / own.value * math.exp(step))
    assert own.low == pytest.approx(low, rel=1e-3)
    assert own.low < own.lower_one_sided < own.value < own.upper_one_sided < own.high


def test_intervals_of_counts_lie_on_the_scale_of_the_logarithm() -> None:
    """low high = value^2; a score's interval is even."""
    estimates = corrected(table(), target="collection")
    for own in intervals(estimates, means(estimates, scale="count")):
        assert own.low * own.high == pytest.approx(own.value**2)
    for own in intervals(estimates, means(estimates, scale="score")):
        assert own.low + own.high == pytest.approx(2 * own.value)


def test_what_is_not_estimable_has_a_value_no_interval_and_a_reason() -> None:
    """A cell with three carriers; and each share of it."""
    sample = table()
    blind = sample.blind.copy()
    blind[:, 1] = 0
    blind[:3, 1] = 1
    thin = corrected(sample._replace(blind=blind), target="collection")
    own = intervals(thin, means(thin, scale="count"))[1]
    assert (own.n, own.note) == (3, "below ten carriers")
    assert math.isnan(own.low)
    assert not math.isnan(own.value)
    share = ratio(thin, np.eye(6)[0], np.eye(6)[1], scale="share")
    assert share.reason == ("denominator not estimable",)
    assert ratio(thin, np.eye(6)[1], np.ones(6), scale="share").reason == ("below ten carriers",)
    whole = ratio(thin, [1, 1, 0, 0, 0, 0], np.ones(6), scale="share")
    assert whole.reason == ("",)


def test_ten_authors_are_needed_for_the_population_alone() -> None:
    """Twenty carriers by nine authors."""
    sample = table()
    blind = sample.blind.copy()
    blind[:, 0] = 0
    blind[:20, 0] = 1
    author = np.arange(sample.size) + 100
    author[:20] = np.arange(20) % 9
    few = sample._replace(blind=blind, author=author)
    assert corrected(few, target="collection").reason[0] == ""
    estimates = corrected(few, target="population")
    assert estimates.reason[0] == "below ten authors"
    assert ratio(estimates, np.eye(6)[0], np.ones(6), scale="share").reason == (
        "below ten authors",
    )


def test_a_mean_score_needs_carriers_below_it_only() -> None:
    """Three of forty segments are not neutral: the mean is estimable, its count decides."""
    score = np.zeros((40, 1))
    score[:3] = [[1], [-1], [1]]
    blind = np.concatenate([score, np.ones((40, 1))], axis=1)
    sample = phase_sample(model=np.zeros((400, 2)), blind_rows=np.arange(40), blind=blind)
    estimates = corrected(sample, target="collection")
    mean = ratio(estimates, [1, 0], [0, 1], scale="score")
    assert mean.value == pytest.approx([1 / 40])
    assert mean.reason == ("",)


def test_an_uncertain_denominator_is_no_denominator() -> None:
    """A coefficient of variation above 1/3."""
    blind = np.zeros((200, 2))
    blind[:10] = 1
    blind[0] = 200
    sample = phase_sample(model=np.zeros((9000, 2)), blind_rows=np.arange(200), blind=blind)
    estimates = corrected(sample, target="collection")
    assert ratio(estimates, [1, 0], [0, 1], scale="count").reason == ("denominator not estimable",)


def test_the_model_alone_has_no_interval() -> None:
    """Its reason goes along into whatever is made of it."""
    alone = model_alone(table(), target="collection")
    assert set(means(alone, scale="count").reason) == {"not corrected"}
    assert ratio(alone, np.eye(6)[0], np.ones(6), scale="share").reason == ("not corrected",)


def test_degrees_of_freedom_by_hand() -> None:
    """z^2 of 1 1 1 1 leave all there can be; 4 1 1 1 1: 2 * 64/7.2; one that is all leaves four."""
    assert degrees_of(np.ones((4, 1)), 3.0) == pytest.approx([3.0])
    assert degrees_of(np.array([[2.0], [1], [1], [1], [1]]), 99.0) == pytest.approx([128 / 7.2])
    assert degrees_of(np.array([[2.0], [0], [0], [0], [0], [0]]), 5.0) == pytest.approx([4.0])
    assert degrees_of(np.array([[2.0], [0], [0], [0]]), 2.0) == pytest.approx([2.0])
