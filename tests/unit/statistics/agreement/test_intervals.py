"""Intervals: against naive loops, values by hand, and answers where there is no spread."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from places import CASES_FILE
from scipy.stats import gamma, norm
from scipy.stats import t as student
from thorough import examples

from labeler.errors import TableError
from labeler.statistics.agreement.alpha import alpha, count_columns, count_values
from labeler.statistics.agreement.intervals import bootstrap, jackknife
from labeler.statistics.agreement.resampling import (
    BLOCK,
    patterns,
    resampled,
    sample_of,
    without_one,
)

CASES = json.loads(CASES_FILE.read_text(encoding="utf-8"))
HAYES = next(case for case in CASES if case["id"] == "hayes_krippendorff2007")
LEVELS = ["nominal", "ordinal", "interval", "ratio", "masi", "jaccard"]
NUMBERS = ["0", "1", "2", "4"]
SETS = ["", "a", "a+b", "b+c"]
AB = ["a", "b"]


def domain_of(level):
    return SETS if level in ("masi", "jaccard") else NUMBERS


def made(units, *, coders=3, accuracy=0.8, seed=0):
    """Counts of a made-up panel: each coder gives the unit's value, or with some chance any."""
    rng = np.random.default_rng(seed)
    value = rng.integers(0, 4, units)
    guess = rng.integers(0, 4, (coders, units))
    columns = np.where(rng.random((coders, units)) < accuracy, value, guess)
    columns[rng.random((coders, units)) < 0.15] = -1
    return count_columns(columns, 4)


def naive(counts, level, *, groups, weights=None, confidence=0.95):
    """Delete-one jackknife as a loop over `alpha`: low, high, se, lower, upper."""
    domain = domain_of(level)
    values = []
    for group in np.unique(groups):
        kept = groups != group
        w = None if weights is None else weights[kept]
        values.append(alpha(counts[kept], level=level, domain=domain, weights=w).value)
    n, a = len(values), alpha(counts, level=level, domain=domain, weights=weights).value
    se = math.sqrt((n - 1) / n * sum((v - np.mean(values)) ** 2 for v in values))
    two, one = student.ppf([(1 + confidence) / 2, confidence], n - 1) * se / (1 - a)
    low, high, lower, upper = (1 - (1 - a) * math.exp(x) for x in (two, -two, one, -one))
    return [low, high, se, lower, upper]


def naive_unequal(counts, level, *, groups, weights):
    """The same for units that weigh differently: low, high, se, lower, upper.

    The lower bounds are limits of a gamma distribution after half of one more of the heaviest units
    (or of an author with the median number of such) disagreed; the upper bounds take as many
    degrees of freedom as the spread is worth.
    """
    domain = domain_of(level)

    def lowered(kept, more):
        own = alpha(counts[kept], level=level, domain=domain, weights=weights[kept])
        total = weights[kept] @ counts[kept].sum(axis=1)
        return 1 - (own.observed + more / total) / own.expected

    every = np.ones(len(counts), bool)
    n_values = weights @ counts
    varied = (n_values.sum() ** 2 - n_values @ n_values) / (n_values.sum() * (n_values.sum() - 1))
    whole = alpha(counts, level=level, domain=domain, weights=weights)
    one_more = 2 * 7.3 * np.median(np.bincount(groups)) * whole.expected / varied
    kept = [groups != group for group in np.unique(groups)]
    n, a = len(kept), lowered(every, 0)
    values = np.array([lowered(each, 0) for each in kept])
    squares = np.square(values - values.mean())
    se = math.sqrt((n - 1) / n * squares.sum())
    worth = 2 * squares.sum() ** 2 / np.square(squares - squares.mean()).sum()
    step = a - lowered(every, one_more)
    mean = 1 - a + step / 2
    spread = {q: student.ppf(q, n - 1) / norm.ppf(q) for q in (0.975, 0.95)}
    variances = [(se**2 + step**2 / 2) * wider**2 for wider in spread.values()]
    low, lower = (
        1 - gamma.ppf(q, mean**2 / variance, scale=variance / mean)
        for q, variance in zip(spread, variances, strict=True)
    )
    high, upper = (
        1 - (1 - a) * math.exp(-student.ppf(q, min(worth, n - 1)) * se / (1 - a))
        for q in (0.975, 0.95)
    )
    return [low, high, se, lower, upper]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("confidence", [0.95, 0.9])
def test_jackknife_equals_a_loop(level, confidence):
    """Deleting patterns equals deleting units one by one, at every level."""
    counts = made(60)
    counts = counts[counts.sum(axis=1) >= 2]
    found = jackknife(counts, level=level, domain=domain_of(level), confidence=confidence)
    loop = naive(counts, level, groups=np.arange(len(counts)), confidence=confidence)
    assert list(found[1:6]) == pytest.approx(loop, abs=1e-11)
    assert found.method == "delete-one-unit jackknife on log(1-alpha), t"
    assert found.note == ""


@pytest.mark.parametrize("level", LEVELS)
def test_jackknife_of_clusters_and_weights_equals_a_loop(level):
    """Deleting all units of an author, with design weights, equals the loop."""
    counts = made(80, seed=2)
    counts = counts[counts.sum(axis=1) >= 2]
    rng = np.random.default_rng(5)
    authors = rng.integers(0, 15, len(counts))
    weights = rng.choice([1.0, 2.5, 7.3], len(counts))
    domain = domain_of(level)
    found = jackknife(counts, level=level, domain=domain, clusters=authors, weights=weights)
    loop = naive_unequal(counts, level, groups=authors, weights=weights)
    assert list(found[1:6]) == pytest.approx(loop, abs=1e-11)
    units = jackknife(counts, level=level, domain=domain, weights=weights)
    loop = naive_unequal(counts, level, groups=np.arange(len(counts)), weights=weights)
    assert list(units[1:6]) == pytest.approx(loop, abs=1e-11)
    assert units.method.endswith("drawn unequally")
    even = jackknife(counts, level=level, domain=domain, weights=np.full(len(counts), 7.3))
    loop = naive(counts, level, groups=np.arange(len(counts)), weights=np.full(len(counts), 7.3))
    assert list(even[1:6]) == pytest.approx(loop, abs=1e-11)


def test_jackknife_by_hand():
    """Coders aabb and abbb: units aa, ab, bb, bb.

    Alpha: n_a = 3, n_b = 5; Do = 2/8, De = 30/56, a = 1 - (1/4)(56/30) = 8/15.
    Without aa: n 1, 5: Do = 2/6, De = 10/30, 0. Without ab: 1. Without a bb: n 3, 3, as in
    4/9. The mean of 0, 1, 4/9, 4/9 is 17/36; the squared deviations are (289 + 361 + 1 + 1)/1296
    = 652/1296, SE^2 = (3/4)(652/1296) = 163/432.
    """
    counts = count_values([[*"aabb"], [*"abbb"]], AB)
    found = jackknife(counts, level="nominal", domain=AB)
    assert found.se == pytest.approx(math.sqrt(163 / 432))
    power = 3.182446305284263 * found.se / (7 / 15)
    assert found.low == -1
    assert found.high == pytest.approx(1 - 7 / 15 * math.exp(-power))
    assert found.note.startswith("fewer than 10 units carry the rarer code: 2 of 4")


@examples(60)
@given(seed=st.integers(0, 10_000), level=st.sampled_from(LEVELS), weighted=st.booleans())
def test_replicates_of_patterns_are_those_of_units(seed, level, weighted):
    """Alpha without a pattern's unit is alpha of the rows without it, nan where undefined."""
    counts = made(12, seed=seed)
    counts = counts[counts.sum(axis=1) >= 2]
    assume(len(counts) >= 2)
    weights = None
    if weighted:
        weights = np.random.default_rng(seed).choice([1.0, 3.0], len(counts))
    domain = domain_of(level)
    sample = sample_of(counts, level, domain, None, weights)
    fast = np.repeat(without_one(sample), sample.times.astype(int))
    slow = []
    for unit in range(len(counts)):
        w = None if weights is None else np.delete(weights, unit)
        slow.append(
            alpha(np.delete(counts, unit, axis=0), level=level, domain=domain, weights=w).value
        )
    assert np.allclose(np.sort(fast), np.sort(slow), atol=1e-11, equal_nan=True)


@examples(60)
@given(
    rows=st.lists(st.lists(st.integers(0, 9), min_size=30, max_size=30), min_size=1, max_size=8),
    copies=st.integers(1, 3),
)
def test_patterns_are_the_distinct_rows(rows, copies):
    """Patterns and their numbers are those of numpy's unique rows, also beyond 63 bits."""
    counts = np.array(rows * copies, np.int64)
    first, times = patterns(counts)
    expected, numbers = np.unique(counts, axis=0, return_counts=True)
    found = sorted(zip(counts[first].tolist(), times.tolist(), strict=True))
    assert found == sorted(zip(expected.tolist(), numbers.tolist(), strict=True))


@pytest.mark.parametrize("level", LEVELS)
def test_resamples_are_alphas_of_drawn_units(level, monkeypatch):
    """A resample's alpha is alpha of the drawn counts, ordinal distances made anew.

    The test draws from the same generator in the same order and repeats the rows.
    """
    counts = made(40, seed=4)
    domain = domain_of(level)
    sample = sample_of(counts, level, domain, None, None)
    assert 20 * sample.times.size < BLOCK
    drawn = np.random.default_rng(9).multinomial(sample.n, sample.times / sample.n, size=20)
    seen = np.flatnonzero(counts[counts.sum(axis=1) >= 2].any(axis=0))
    values = [domain[column] for column in seen]
    rows = sample.counts.astype(np.int64)
    slow = [alpha(np.repeat(rows, d, axis=0), level=level, domain=values).value for d in drawn]
    assert resampled(sample, 20, 9) == pytest.approx(np.array(slow), abs=1e-11)


def test_bootstrap_of_published_data():
    """The unit bootstrap of Hayes & Krippendorff (2007) is [.632, .841], not [.708, .808].

    The narrower interval that KALPHA printed draws pairs, not units. Its point is .7598.
    """
    counts = count_values(HAYES["codings"], HAYES["domain"])
    found = bootstrap(counts, level="ordinal", domain=HAYES["domain"], resamples=10_000, seed=1)
    assert found.low == pytest.approx(0.632, abs=0.012)
    assert found.high == pytest.approx(0.841, abs=0.012)
    deleted = jackknife(counts, level="ordinal", domain=HAYES["domain"])
    assert deleted.se == pytest.approx(found.se, rel=0.15)


def bca(values, point, deleted, confidence):
    """BCa bounds as Efron & Tibshirani (1993, chapter 14) write them, one by one."""
    z0 = norm.ppf(np.mean(values < point))
    gaps = np.mean(deleted) - deleted
    a = (gaps**3).sum() / (6 * (gaps**2).sum() ** 1.5)
    bounds = []
    for share in ((1 - confidence) / 2, (1 + confidence) / 2):
        z = z0 + norm.ppf(share)
        bounds.append(np.quantile(values, norm.cdf(z0 + z / (1 - a * z))))
    return bounds


@pytest.mark.parametrize("level", ["nominal", "ordinal"])
def test_bca_bootstrap(level):
    """BCa bounds of pattern resamples equal those by the textbook from a loop of deletions."""
    counts = made(70, seed=4)
    counts = counts[counts.sum(axis=1) >= 2]
    options = {"level": level, "domain": NUMBERS}
    found = bootstrap(counts, **options, seed=6, resamples=800, kind="BCa")
    values = resampled(sample_of(counts, level, NUMBERS, None, None), 800, 6)
    loop = [alpha(np.delete(counts, u, axis=0), **options).value for u in range(len(counts))]
    expected = bca(values, alpha(counts, **options).value, np.array(loop), 0.95)
    assert [found.low, found.high] == pytest.approx(expected, abs=1e-9)
    assert found.method == "BCa bootstrap of units, 800 resamples, seed 6"
    assert found.low < found.lower_one_sided < found.upper_one_sided < found.high


def test_rows_that_stand_for_units():
    """Counts with `times` give the interval of the units written out, clusters or not."""
    counts = made(40, seed=7)
    rng = np.random.default_rng(2)
    times, authors = rng.integers(1, 5, 40), rng.integers(0, 9, 40)
    weights = rng.choice([1.0, 3.0], 40)
    options = {"level": "ordinal", "domain": NUMBERS}
    for clusters in (None, authors):
        short = {"clusters": clusters, "weights": weights, "times": times}
        whole = {"clusters": None if clusters is None else np.repeat(clusters, times)}
        whole["weights"] = np.repeat(weights, times)
        out = np.repeat(counts, times, axis=0)
        for method, extra in ((jackknife, {}), (bootstrap, {"seed": 3, "resamples": 50})):
            one = method(counts, **options, **short, **extra)
            other = method(out, **options, **whole, **extra)
            assert one[1:6] == pytest.approx(other[1:6], abs=1e-9)
            assert one[6:] == other[6:]


def test_seed_decides_the_bootstrap():
    """The same seed gives the same interval, another seed another one."""
    counts = made(50)
    one, two, three = (
        bootstrap(counts, level="ordinal", domain=NUMBERS, resamples=200, seed=s) for s in (1, 1, 2)
    )
    assert one == two
    assert one[1:6] != three[1:6]
    assert "seed 1" in one.method


def test_bootstrap_of_clusters_is_wider():
    """Ten copies of each unit say nothing new: drawn by author the interval stays as it was."""
    counts = made(40, seed=7)
    copies, authors = np.repeat(counts, 10, axis=0), np.repeat(np.arange(40), 10)
    options = {"level": "nominal", "domain": NUMBERS, "resamples": 2000, "seed": 3}
    once = bootstrap(counts, **options)
    by_author = bootstrap(copies, clusters=authors, **options)
    by_unit = bootstrap(copies, **options)
    assert by_author.se == pytest.approx(once.se, rel=0.1)
    assert by_unit.se == pytest.approx(once.se / math.sqrt(10), rel=0.15)


@examples(30)
@given(seed=st.integers(0, 1000), level=st.sampled_from(LEVELS))
def test_bounds_stand_in_order(seed, level):
    """low <= one-sided low <= alpha <= one-sided high <= high <= 1."""
    counts = made(25, seed=seed)
    point = alpha(counts, level=level, domain=domain_of(level))
    found = jackknife(counts, level=level, domain=domain_of(level))
    order = [found.low, found.lower_one_sided, point.value, found.upper_one_sided, found.high, 1]
    assert order == sorted(order)
    assert found.low >= -1


def test_a_unit_coded_once_leaves_the_interval_alone():
    """Units that are not pairable are neither deleted nor drawn."""
    counts = made(50)
    more = np.vstack([counts, np.eye(4, dtype=np.int64)])
    for method, options in ((jackknife, {}), (bootstrap, {"seed": 1, "resamples": 50})):
        one, other = (
            method(c, level="interval", domain=NUMBERS, **options) for c in (counts, more)
        )
        assert one == other


@pytest.mark.parametrize("method", ["jackknife", "bootstrap"])
def test_perfect_agreement_is_not_certainty(method):
    """Coders a x 10, b x 10, twice the same: alpha 1, and a bound below it.

    n = 20 units, no disagreement. One-sided: p = 1 - .05^(1/20) = .13911; V = 1 - 2*20*19/(40*39)
    = 20/39; lower = 1 - .13911*39/20 = .72874. Two-sided: p = 1 - .025^(1/20) = .16843,
    low = .67156.
    """
    counts = count_values([[*"a" * 10, *"b" * 10]] * 2, AB)
    found = jackknife(counts, level="nominal", domain=AB)
    if method == "bootstrap":
        found = bootstrap(counts, level="nominal", domain=AB, seed=1)
    assert found.lower_one_sided == pytest.approx(0.72874, abs=1e-5)
    assert found.low == pytest.approx(0.67156, abs=1e-5)
    assert (found.high, found.upper_one_sided) == (1, 1)
    assert math.isnan(found.se)
    assert found.method == "zero-event bound"
    assert found.note.startswith("no disagreement among 20 pairable units")


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_zero_event_bound_is_the_same_at_every_level(level):
    """After perfect agreement the bound is 1 - p/V whatever the distances are."""
    counts = count_values([[*"0" * 9, *"1" * 7, *"4" * 8]] * 3, NUMBERS)
    found = jackknife(counts, level=level, domain=NUMBERS)
    n = np.array([27, 21, 24])
    varied = 1 - (n * (n - 1)).sum() / (72 * 71)
    assert found.lower_one_sided == pytest.approx(1 - (1 - 0.05 ** (1 / 24)) / varied)


def test_zero_event_bound_of_unequal_clusters():
    """Clusters of 1, 1 and 6 units weigh as (1 + 1 + 6)^2/(1 + 1 + 36) = 64/38 clusters."""
    counts = count_values([[*"aabbbaab"]] * 2, AB)
    found = jackknife(counts, level="nominal", domain=AB, clusters=np.array([*"xyzzzzzz"]))
    varied = 1 - 2 * 8 * 7 / (16 * 15)
    expected = 1 - (1 - 0.05 ** (38 / 64)) / varied
    assert found.lower_one_sided == pytest.approx(expected)


SMALLEST = ([[0, 2], [2, 0], [1, 1], [2, 0], [1, 1]], [60, 38, 2, 96, 4], [2.0, 2, 2, 100, 100])


def test_the_smallest_case_of_unequal_drawing():
    """60 yes, 38 no, 2 differ at probability .5; 96 no, 4 differ at .01.

    By hand, weighted: 2 * 2 + 4 * 100 = 404 units differ; 644 codings yes, 19,756 no, 20,400 in
    all: alpha = 1 - 20,399 * 808 / (2 * 644 * 19,756) = .352. The bound of the same units without
    weights is .865.
    """
    counts, times, weights = (np.array(part) for part in SMALLEST)
    options = {"level": "nominal", "domain": ["no", "yes"], "times": times}
    found = jackknife(counts, **options, weights=weights)
    assert found.value == pytest.approx(0.352, abs=5e-4)
    assert -0.1 < found.lower_one_sided < 0.06
    assert found.upper_one_sided < 0.667
    plain = jackknife(counts, **options)
    assert plain.lower_one_sided == pytest.approx(0.865, abs=5e-4)


def test_no_bound_where_the_thinly_drawn_show_nothing():
    """Not one of the hundred units that stand for 98% of all carries the code."""
    counts, times, weights = (np.array(part) for part in SMALLEST)
    times[4] = 0
    kept = times > 0
    found = jackknife(
        counts[kept],
        level="nominal",
        domain=["no", "yes"],
        times=times[kept],
        weights=weights[kept],
    )
    assert found.value > 0.9
    assert math.isnan(found.lower_one_sided)
    assert found.note.startswith("none of the 96 units that were drawn most thinly, which stand")


def test_zero_event_bound_of_units_drawn_unequally():
    """Weights 1 (10 units a, 10 b) and 4 (15 a, 5 b): an unseen kind among the heavy ones.

    n = (20 + 80)/4 = 25; by weight 70 of 100 pairs are a: V = 2 * 140 * 60 / (200 * 199).
    """
    counts = np.array([[2, 0]] * 10 + [[0, 2]] * 10 + [[2, 0]] * 15 + [[0, 2]] * 5)
    weights = np.array([1.0] * 20 + [4.0] * 20)
    found = jackknife(counts, level="nominal", domain=AB, weights=weights)
    varied = 2 * 140 * 60 / (200 * 199)
    assert found.lower_one_sided == pytest.approx(1 - (1 - 0.05 ** (1 / 25)) / varied)


def test_no_spread_without_agreement():
    """Every unit is split ab: each deletion gives the same alpha, yet the interval has a width.

    n = 20 units, Do = 1, De = 20/39, alpha = 1 - 39/20 = -.95. No unit seen agrees, so a share of
    at most p = 1 - .05^(1/20) does: upper = 1 - .05^(1/20) * 39/20.
    """
    counts = count_values([[*"ab" * 10], [*"ba" * 10]], AB)
    found = jackknife(counts, level="nominal", domain=AB)
    assert found.method == "zero-event bound"
    assert found.lower_one_sided == pytest.approx(-0.95)
    assert found.upper_one_sided == pytest.approx(1 - 0.05**0.05 * 39 / 20)
    assert found.note.startswith("no unit that differs from the others among 20 pairable units")


@pytest.mark.parametrize(
    ("coders", "note"),
    [
        (["aaa", "aaa"], "no variation: every coding is 'a'"),
        (["ab.", "..a"], "no pairable unit"),
        (["ab", "b."], "a single pairable unit"),
    ],
)
def test_undefined_has_words(coders, note):
    """Without alpha, or with one unit, there is no interval and the note says why."""
    counts = count_values([[None if v == "." else v for v in row] for row in coders], AB)
    for found in (
        jackknife(counts, level="nominal", domain=AB),
        bootstrap(counts, level="nominal", domain=AB, seed=1),
    ):
        assert all(math.isnan(number) for number in found[1:6])
        assert found.note.startswith(note)


def test_variation_that_hangs_on_one_unit():
    """One unit ab among thirty aa: without it no variation is left, so no jackknife interval.

    The bootstrap leaves out the resamples that miss the unit, and counts them.
    """
    counts = count_values([[*"a" * 31], [*"a" * 30, "b"]], AB)
    found = jackknife(counts, level="nominal", domain=AB)
    assert math.isnan(found.lower_one_sided)
    assert found.note.startswith("without one unit there is no variation left; fewer than 10")
    drawn = bootstrap(counts, level="nominal", domain=AB, seed=1)
    assert "of 1000 resamples had no variation and were left out" in drawn.note


def test_rare_code_is_flagged():
    """Nine units with the rarer code are flagged, ten are not."""
    for rare, flagged in ((9, True), (10, False)):
        codings = [[*"b" * rare, *"a" * 60], [*"b" * (rare - 1), *"a" * 61]]
        found = jackknife(count_values(codings, AB), level="nominal", domain=AB)
        assert found.note.startswith("fewer than 10 units carry the rarer code") is flagged


def test_bad_settings_are_refused():
    """Confidence, resamples and clusters that make no sense are refused in words."""
    counts = made(20)
    with pytest.raises(TableError, match="confidence 95"):
        jackknife(counts, level="nominal", domain=NUMBERS, confidence=95)
    with pytest.raises(TableError, match="1 resamples"):
        bootstrap(counts, level="nominal", domain=NUMBERS, resamples=1, seed=1)
    with pytest.raises(TableError, match="clusters of shape"):
        jackknife(counts, level="nominal", domain=NUMBERS, clusters=np.arange(3))


@pytest.mark.parametrize(("accuracy", "units"), [(0.9, 100), (0.97, 40)])
def test_coverage_of_the_jackknife(accuracy, units):
    """In 300 made-up panels of two coders, the interval holds the true alpha nearly always.

    Two coders who each give the unit's value with chance g, or else draw from the same two
    equally common values, agree beyond chance with g^2 = the true alpha. 300 runs at 95% have a
    standard error of 1.3 points.
    """
    rng = np.random.default_rng(11)
    held, above = 0, 0
    for _ in range(300):
        value = rng.integers(0, 2, units)
        guess = rng.integers(0, 2, (2, units))
        columns = np.where(rng.random((2, units)) < accuracy, value, guess)
        found = jackknife(count_columns(columns, 2), level="nominal", domain=AB)
        held += found.low <= accuracy**2 <= found.high
        above += found.lower_one_sided <= accuracy**2
    assert held / 300 > 0.91
    assert above / 300 > 0.91
