"""Intervals for Krippendorff's alpha: jackknife and bootstrap over distinct count patterns.

The sampled thing is the unit (or the cluster of units, such as an author), never the coding and
never the pair: the interval speaks of further units coded by the same coders, not of further
coders. Units with the same counts are exchangeable, so both methods work on the distinct
patterns and how often each occurs; the cost does not grow with the units once patterns repeat.
`counts`, `level`, `domain`, `weights` and `times` are those of `agreement.alpha`.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri  # scipy.stats would take half a second to load

from labeler.errors import TableError
from labeler.statistics.agreement.alpha import Agreement, Counts, alpha
from labeler.statistics.agreement.distances import Domain, Floats, Level, name_of
from labeler.statistics.agreement.resampling import Sample, resampled, sample_of, without_one
from labeler.statistics.agreement.unequal import (
    WeightedAlpha,
    drawn_unequally,
    heaviest_mass,
    unseen_reason,
    weighted_bounds,
)
from labeler.statistics.binomial import effective_size, unseen_share
from labeler.statistics.interval import (
    NO_SPREAD,
    RARE,
    ZERO_EVENT,
    Interval,
    check_confidence,
    jackknife_error,
    joined_notes,
    log_scale_bounds,
    undefined,
)

JACKKNIFE = "delete-one-unit jackknife on log(1-alpha), t"


def jackknife(
    counts: Counts,
    *,
    level: Level,
    domain: Domain,
    confidence: float = 0.95,
    clusters: NDArray[Any] | None = None,
    weights: Floats | None = None,
    times: Counts | None = None,
) -> Interval:
    """Delete-one-unit jackknife on log(1 - alpha), with t of n - 1 degrees of freedom.

    With a = alpha, n pairable units and a_(-u) alpha without unit u:
    SE^2 = (n - 1)/n sum_u (a_(-u) - mean)^2; the bounds are 1 - (1 - a) exp(+-t SE/(1 - a)), cut
    at -1. `clusters`, shape (units,), holds an id for each unit: then one cluster is deleted at a
    time, and n counts clusters. Where units were drawn unequally (`weights` differ) the bounds
    are those of `unequal.weighted_bounds`, undefined where the most thinly drawn units show
    nothing of the rarer values.

    Where alpha has no spread (perfect agreement, or every deletion gives the same alpha) the
    method is `zero-event bound`, see `_zero_event`. Undefined (nan, with the reason in `note`)
    when alpha is, with a single unit, or when one unit carries all the variation. Raises
    TableError as `alpha` does, and for clusters that do not fit the units.
    """
    check_confidence(confidence)
    point = alpha(counts, level=level, domain=domain, weights=weights, times=times)
    one = "unit" if clusters is None else "cluster"
    method = JACKKNIFE.replace("unit", one)
    if point.note:
        return undefined(point.note, method=method)
    sample = sample_of(counts, level, domain, clusters, weights, times)
    lacking = partial(undefined, value=point.value, n=sample.n, method=method)
    if sample.n < 2:
        return lacking(f"a single pairable {one}: nothing to compare it with")
    unequal = drawn_unequally(weights, counts)
    flag = rare_flag(counts, domain, times)
    reason = unseen_reason(counts, weights, times, domain) if unequal else ""
    if reason:
        return lacking(joined_notes(reason, flag))
    if point.observed == 0:
        return _zero_event(point, sample, confidence, one, flag, unequal=unequal)
    values = without_one(sample)
    if np.isnan(values).any():
        return lacking(joined_notes(f"without one {one} there is no variation left", flag))
    se = jackknife_error(values, sample.times)
    if se < NO_SPREAD:
        return _zero_event(point, sample, confidence, one, flag, unequal=unequal)
    if point.value >= 1:
        return lacking(joined_notes("a few values lie so far out that alpha rounds to 1", flag))
    if not unequal:
        return _spread(point, se, sample.n, confidence, method, flag)
    mass = heaviest_mass(counts, weights, times, clusters)
    weighted = _weighted(point, sample, values, se, mass)
    low, high, lower, upper = weighted_bounds(weighted, confidence)
    low, lower = _cut(low, point), _cut(lower, point)
    method = f"{method}; drawn unequally"
    return Interval(point.value, low, high, se, lower, upper, sample.n, method, flag)


def jackknife_of_many(
    point: Agreement, values: Floats, *, confidence: float, flag: str
) -> Interval | None:
    """The interval of `jackknife` for units drawn alike, from alpha without each of them.

    None where alpha has no spread or cannot be told from 1, where `jackknife` knows what to say.
    """
    if math.isnan(point.value) or point.value >= 1 or np.isnan(values).any():
        return None
    se = jackknife_error(values, np.ones(values.size))
    if se < NO_SPREAD or point.observed == 0:
        return None
    return _spread(point, se, values.size, confidence, JACKKNIFE, flag)


def _spread(
    point: Agreement, se: float, n: int, confidence: float, method: str, flag: str
) -> Interval:
    """The interval that a standard error over n things makes."""
    low, high = log_scale_bounds(point.value, se, n - 1, (1 + confidence) / 2)
    lower, upper = log_scale_bounds(point.value, se, n - 1, confidence)
    low, lower = _cut(low, point), _cut(lower, point)
    return Interval(point.value, low, high, se, lower, upper, n, method, flag)


def bootstrap(
    counts: Counts,
    *,
    level: Level,
    domain: Domain,
    resamples: int = 1000,
    seed: int,
    kind: Literal["percentile", "BCa"] = "percentile",
    confidence: float = 0.95,
    clusters: NDArray[Any] | None = None,
    weights: Floats | None = None,
    times: Counts | None = None,
) -> Interval:
    """Bootstrap: as many units (or clusters) as there are, drawn with replacement.

    A draw of units is a multinomial draw over the distinct patterns; ordinal distances are made
    again from each resample. `kind` says how bounds are read from the resamples: as percentiles,
    or bias-corrected and accelerated, see `_bca_shares`. Resamples without variation have no
    alpha: they are left out and counted in `note`. Perfect agreement and a sample without spread
    give the `zero-event bound` of `jackknife`; the same seed gives the same interval.
    """
    check_confidence(confidence)
    if resamples < 2:
        raise TableError(f"{resamples} resamples make no interval: ask for at least 1000")
    point = alpha(counts, level=level, domain=domain, weights=weights, times=times)
    one = "unit" if clusters is None else "cluster"
    method = f"{kind} bootstrap of {one}s, {resamples} resamples, seed {seed}"
    if point.note:
        return undefined(point.note, method=method)
    sample = sample_of(counts, level, domain, clusters, weights, times)
    lacking = partial(undefined, value=point.value, n=sample.n, method=method)
    if sample.n < 2:
        return lacking(f"a single pairable {one}: nothing to draw from")
    flag = rare_flag(counts, domain, times)
    if point.observed == 0:
        return _zero_event(point, sample, confidence, one, flag)
    drawn = resampled(sample, resamples, seed)
    values = drawn[~np.isnan(drawn)]
    if values.size < resamples:
        left_out = f"{resamples - values.size} of {resamples} resamples had no variation"
        flag = joined_notes(f"{left_out} and were left out", flag)
    if values.size < 2:
        return lacking(flag)
    se = float(np.std(values, ddof=1))
    if se < NO_SPREAD:
        return _zero_event(point, sample, confidence, one, flag)
    tail = 1 - confidence
    shares = np.array([tail / 2, tail, 1 - tail, 1 - tail / 2])
    if kind == "BCa":
        shares = _bca_shares(shares, values, point.value, sample)
        if np.isnan(shares).any():
            return lacking(joined_notes("the point lies beyond all resamples", flag))
    low, lower, upper, high = (float(bound) for bound in np.quantile(values, shares))
    return Interval(point.value, low, high, se, lower, upper, sample.n, method, flag)


def _bca_shares(shares: Floats, values: Floats, point: float, sample: Sample) -> Floats:
    """Where BCa reads the resamples instead of at `shares`: Phi(z0 + (z0 + z)/(1 - a (z0 + z))).

    z0 = Phi^-1 of the share of resamples below the point, ties half; a, the acceleration, is
    sum (mean - a_(-u))^3 / (6 (sum (mean - a_(-u))^2)^(3/2)) over deletions of one thing, 0 where
    one of them leaves no variation (Efron 1987; Efron & Tibshirani 1993, chapter 14). nan where
    all resamples lie on one side of the point.
    """
    below = np.mean(values < point - NO_SPREAD) + np.mean(np.abs(values - point) <= NO_SPREAD) / 2
    if not 0 < below < 1:
        return np.full(shares.size, np.nan)
    deleted = without_one(sample)
    apart = np.average(deleted, weights=sample.times) - deleted
    squares = float(sample.times @ np.square(apart))
    known = squares > 0 and not math.isnan(squares)
    speed = float(sample.times @ apart**3) / (6 * squares**1.5) if known else 0.0
    z = ndtri(below) + ndtri(shares)
    return np.asarray(ndtr(ndtri(below) + z / (1 - speed * z)), float)


def _weighted(
    point: Agreement, sample: Sample, values: Floats, se: float, mass: float
) -> WeightedAlpha:
    """What `weighted_bounds` needs; `mass` is the weight of one of the heaviest things.

    One more of them that disagrees adds 2 (a pair of coders that differ) times its mass times the
    mean distance of different values to sum_u w_u D_u.
    """
    n_values = (sample.times[sample.group] * sample.weights) @ sample.counts
    disagreed = 2 * mass * _apart(point, n_values)
    return WeightedAlpha(
        value=point.value,
        se=se,
        without=values,
        times=sample.times,
        step=disagreed / (float(n_values.sum()) * point.expected),
    )


def _apart(point: Agreement, n_values: Floats) -> float:
    """The mean squared distance of two different values drawn at random, De/V."""
    total = n_values.sum()
    varied = float((total**2 - n_values @ n_values) / (total * (total - 1)))
    return point.expected / varied


def _zero_event(
    point: Agreement,
    sample: Sample,
    confidence: float,
    one: str,
    flag: str,
    *,
    unequal: bool = False,
) -> Interval:
    """The bound that n units without any spread leave open (`zero-event bound`).

    A kind of unit not seen among n has, at confidence g, a share of at most p = 1 - (1 - g)^(1/n)
    (the exact form of the rule of three, p = 3/n at 95%). Let such a unit disagree at worst as
    much as two *different* values drawn at random, De/V, where V is the share of chance pairs that
    differ (the nominal De), or as the units seen where that is more; and at best not at all:
    low = 1 - ((1 - p) Do + p max(Do, De/V))/De, high = 1 - (1 - p) Do/De. After perfect agreement
    this reads low = 1 - p/V and high = 1, at every level of measurement. The two-sided bounds take
    (1 + g)/2 for g. V is taken as seen; there is no standard error. For clusters of
    unequal size n is Kish's effective number (sum w)^2 / sum w^2; where units were drawn
    `unequal`ly it is sum w / max w, as if the unseen kind were all among the heaviest, where it
    does the most harm.
    """
    n_values = (sample.times[sample.group] * sample.weights) @ sample.counts
    worst = max(point.observed, _apart(point, n_values))
    size = np.bincount(sample.group, sample.weights)
    n = float(sample.times @ size / size.max()) if unequal else effective_size(size, sample.times)

    def bounds(g: float) -> tuple[float, float]:
        p = unseen_share(n, g)
        rest = (1 - p) * point.observed
        return 1 - (rest + p * worst) / point.expected, 1 - rest / point.expected

    (low, high), (lower, upper) = bounds((1 + confidence) / 2), bounds(confidence)
    seen = "no disagreement" if point.observed == 0 else f"no {one} that differs from the others"
    note = f"{seen} among {sample.n} pairable {one}s: the bound is what so many leave open"
    return Interval(
        value=point.value,
        low=_cut(low, point),
        high=high,
        se=math.nan,
        lower_one_sided=_cut(lower, point),
        upper_one_sided=upper,
        n=sample.n,
        method=ZERO_EVENT,
        note=joined_notes(note, flag),
    )


def rare_flag(counts: Counts, domain: Domain, times: Counts | None = None) -> str:
    """A warning when fewer than ten pairable units carry another value than the commonest."""
    pairable = counts.sum(axis=1) >= 2
    kept = counts[pairable]
    alike = np.ones(len(kept), np.int64) if times is None else times[pairable]
    commonest = int(np.einsum("u,uc->c", alike, kept).argmax())
    carrying = int(alike[kept.sum(axis=1) > kept[:, commonest]].sum())
    return rare_note(carrying, int(alike.sum()), domain[commonest])


def rare_note(carrying: int, units: int, commonest: str | frozenset[str]) -> str:
    """The same from how many units carry another value than the commonest."""
    if carrying >= RARE:
        return ""
    return (
        f"fewer than {RARE} units carry the rarer code: {carrying} of {units} have another "
        f"value than {name_of(commonest)}; the interval may be too narrow"
    )


def _cut(bound: float, point: Agreement) -> float:
    """No alpha lies below -1, but for the point itself."""
    return min(point.value, max(bound, -1.0))
