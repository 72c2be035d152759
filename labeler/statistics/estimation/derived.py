"""Figures made of estimated totals: means, ratios, differences, by the delta method.

A ratio of sums of cells is a share of a row, a column or all of a table, segments a post, or a
mean score (sum of the scores by the count): all from one covariance, so that differences between
figures of one table are judged rightly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy import sparse
from scipy.special import stdtrit

from labeler.statistics.agreement.distances import Floats
from labeler.statistics.estimation.estimates import (
    Estimates,
    Reason,
    carriers_of,
    degrees_of,
    thin_reason,
)
from labeler.statistics.estimation.sample import Ints
from labeler.statistics.interval import NO_SPREAD, Interval, check_confidence, undefined

Scale = Literal["share", "count", "score"]
LARGEST_CV = 1 / 3  # of a denominator; beyond it the delta method's line is no guide


class DerivedFigures(NamedTuple):
    """K functions of the totals of J cells.

    `value`, shape (K,); `gradient`, shape (K, J), by the totals; `scale`: a *share* lies between
    0 and 1, a *count* is not below 0, a *score* may be any number; `carriers` and `authors`,
    shape (K,), as in `Estimates`, of the numerator; `reason`, K of them.
    """

    value: Floats
    gradient: Floats
    scale: Scale
    carriers: Ints
    authors: Ints
    reason: tuple[Reason, ...]


def means(estimates: Estimates, *, scale: Scale) -> DerivedFigures:
    """Each cell's total by unit of the frame: a share of posts, or segments a post."""
    return DerivedFigures(
        estimates.mean,
        np.eye(estimates.total.size) / estimates.size,
        scale,
        estimates.carriers,
        estimates.authors,
        estimates.reason,
    )


def ratio(
    estimates: Estimates, numerator: Any, denominator: Any, *, scale: Scale
) -> DerivedFigures:
    """Sums of cells by sums of cells: r = A/B with var(r) = var(A - r B)/B^2.

    `numerator` and `denominator`, dense or sparse (K, J), hold the weight of each cell in each
    sum, mostly 0 and 1. Not estimable where the numerator's cells (those of a *score* apart) or
    the denominator's have too few carriers, the denominator's coefficient of variation is above
    1/3, or a sum that cannot be negative is.
    """
    top, bottom = (np.atleast_2d(_dense(part)) for part in (numerator, denominator))
    above, below = top @ estimates.total, bottom @ estimates.total
    with np.errstate(divide="ignore", invalid="ignore"):
        value = above / below
        gradient = (top - value[:, None] * bottom) / below[:, None]
        spread = np.sqrt(np.einsum("kj,kj->k", bottom @ estimates.covariance, bottom)) / below
    carriers, authors = carriers_of(estimates.carried, estimates.blind_author, top)
    under, writers = carriers_of(estimates.carried, estimates.blind_author, bottom)
    reasons: list[Reason] = []
    for k in range(value.size):
        own = thin_reason(estimates, top[k], int(carriers[k]), int(authors[k]))
        other = thin_reason(estimates, bottom[k], int(under[k]), int(writers[k]))
        if estimates.unfit:
            reasons.append(estimates.unfit)
        elif other or not below[k] > 0 or not spread[k] <= LARGEST_CV:
            reasons.append("denominator not estimable")
        elif scale == "score":
            reasons.append("")
        else:
            reasons.append(own or ("negative estimate" if value[k] < 0 else ""))
    return DerivedFigures(value, gradient, scale, carriers, authors, tuple(reasons))


def difference(first: DerivedFigures, second: DerivedFigures) -> DerivedFigures:
    """First less second, figure by figure (or all less one); estimable where both are."""
    value = first.value - second.value
    return _paired(value, first.gradient - second.gradient, first, second)


def log_ratio(first: DerivedFigures, second: DerivedFigures) -> DerivedFigures:
    """log(first/second), figure by figure (or all by one); nan where one is not above 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.log(first.value / second.value)
        gradient = first.gradient / first.value[:, None] - second.gradient / second.value[:, None]
    return _paired(value, gradient, first, second)


def combined(figures: DerivedFigures, weights: Any) -> DerivedFigures:
    """Sums of figures with given weights, dense or sparse (M, K): a contrast declared beforehand.

    Estimable where each figure with a weight other than 0 is; carriers are the fewest of these.
    """
    by = np.atleast_2d(_dense(weights))
    used = by != 0
    reasons: list[Reason] = [
        next((figures.reason[k] for k in np.flatnonzero(row) if figures.reason[k]), "")
        for row in used
    ]
    fewest, people = (
        np.where(used, part, np.iinfo(np.int64).max).min(axis=1)
        for part in (figures.carriers, figures.authors)
    )
    gradient = by @ figures.gradient
    return DerivedFigures(by @ figures.value, gradient, "score", fewest, people, tuple(reasons))


def covariance_of(estimates: Estimates, figures: DerivedFigures) -> Floats:
    """The covariance of the figures, shape (K, K), by their gradients."""
    return np.asarray(figures.gradient @ estimates.covariance @ figures.gradient.T, np.float64)


def standard_errors(estimates: Estimates, figures: DerivedFigures) -> Floats:
    """The figures' standard errors, shape (K,)."""
    spread = figures.gradient @ estimates.covariance
    squares = np.einsum("kj,kj->k", spread, figures.gradient)
    return np.asarray(np.sqrt(np.maximum(squares, 0)), np.float64)


def degrees_of_freedom(estimates: Estimates, figures: DerivedFigures) -> Floats:
    """Degrees of freedom of each figure's standard error, shape (K,); see `degrees_of`."""
    if not len(estimates.contributions):
        return np.full(figures.value.size, estimates.design_degrees)
    return degrees_of(estimates.contributions @ figures.gradient.T, estimates.design_degrees)


def intervals(
    estimates: Estimates, figures: DerivedFigures, *, confidence: float = 0.95
) -> list[Interval]:
    """The figures with intervals of t at `degrees_of_freedom`.

    A share more than three standard errors from 0 and 1 has its interval on the scale of the
    logit, a count that far from 0 on that of the logarithm; others on their own scale. What is
    not estimable keeps its value, has no interval, and its note says why. `n` counts the blind
    units that carry the figure.
    """
    check_confidence(confidence)
    errors = standard_errors(estimates, figures)
    degrees = degrees_of_freedom(estimates, figures)
    return [
        _interval(
            float(figures.value[k]),
            float(errors[k]),
            float(degrees[k]),
            figures.scale,
            confidence,
        )._replace(n=int(figures.carriers[k]))
        if not figures.reason[k]
        else undefined(
            figures.reason[k],
            value=float(figures.value[k]),
            n=int(figures.carriers[k]),
            method=estimates.method,
        )
        for k in range(figures.value.size)
    ]


def _interval(value: float, se: float, degrees: float, scale: Scale, confidence: float) -> Interval:
    if not math.isfinite(value) or not math.isfinite(se):
        return undefined("not defined", value=value)
    if se < NO_SPREAD:
        return Interval(value, value, value, 0.0, value, value, method="without error")
    two, lone = (float(stdtrit(degrees, p)) for p in ((1 + confidence) / 2, confidence))
    back: Callable[[float], float]
    if scale == "share" and 3 * se < min(value, 1 - value):
        step, place = se / (value * (1 - value)), math.log(value / (1 - value))
        named, back = "delta method, logit", _expit
    elif scale == "count" and 3 * se < value:
        step, place, named, back = se / value, math.log(value), "delta method, log", math.exp
    else:
        step, place, named, back = se, value, "delta method", float
    low, high, lower, upper = (
        back(place + sign * t * step) for t, sign in ((two, -1), (two, 1), (lone, -1), (lone, 1))
    )
    return Interval(
        value, low, high, se, lower, upper, method=f"{named}, t with {degrees:.0f} degrees"
    )


def _expit(at: float) -> float:
    return 1 / (1 + math.exp(-at))


def _paired(
    value: Floats, gradient: Floats, first: DerivedFigures, second: DerivedFigures
) -> DerivedFigures:
    many = value.size
    pairs = zip(_stretched(first.reason, many), _stretched(second.reason, many), strict=True)
    return DerivedFigures(
        value,
        gradient,
        "score",
        np.minimum(first.carriers, second.carriers),
        np.minimum(first.authors, second.authors),
        tuple(own or other for own, other in pairs),
    )


def _stretched(reasons: tuple[Reason, ...], many: int) -> tuple[Reason, ...]:
    return reasons if len(reasons) == many else reasons * many


def _dense(weights: Any) -> Floats:
    dense = weights.toarray() if sparse.issparse(weights) else weights
    return np.asarray(dense, np.float64)
