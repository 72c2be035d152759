"""Bounds of an alpha whose units were drawn with unequal probability.

Where a code is rare and its units were drawn thinly, a handful of heavy units decides how large
the disagreement is: a jackknife sees little spread as long as few of them happened to disagree,
and its lower bound lies above the truth far too often. What is known of directly standardised
rates helps (Fay and Feuer 1997, Statistics in Medicine 16, 791-801): 1 - alpha is a weighted sum
of rare events, and its upper limit a quantile of the gamma distribution with its mean and variance
after EXTRA of one more unit of the largest weight disagreed. They take a whole one, which never
misses too often and is too wide; a half lies between that and none, as mid-p limits do. The upper
bound of alpha takes t with as many degrees of freedom as the spread itself is worth.

What that covers is measured by `benchmarks/coverage.py` (there are the figures): lower bounds miss
in 1.8% to 4.9%. Intervals stay too wide where one sample in ten is left without a bound since its
thin stratum shows no unit with the rarer code (`unseen_reason`): those are the samples in which the
bound would have missed. With strata told apart (stratified variance, Satterthwaite's degrees of
freedom) it was the same to the second digit, so strata need not be known.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtri, stdtrit  # scipy.stats would take half a second

from labeler.statistics.agreement.distances import Domain, Floats, name_of
from labeler.statistics.interval import log_scale_bounds

EXTRA = 0.5  # of a unit of the largest weight; .4 misses in up to 5.6%


class WeightedAlpha(NamedTuple):
    """A weighted alpha with what its bounds are made from.

    `without` and `times`, shape (things,): alpha without each thing, and how many are alike;
    `se`: the jackknife's; `step`: by how much alpha falls if one more unit of the largest weight
    disagreed.
    """

    value: float
    se: float
    without: Floats
    times: Floats
    step: float


def weighted_bounds(alpha: WeightedAlpha, confidence: float) -> tuple[float, float, float, float]:
    """low, high, and the one-sided lower and upper bound.

    Lower: 1 - q, q the quantile of the gamma distribution with the mean
    m = 1 - a + EXTRA step and the variance (s^2 + EXTRA step^2) (t/z)^2, s the jackknife's standard
    error, t with n - 1 degrees of freedom and z quantiles of the same level. Upper:
    1 - (1 - a) exp(-t s/(1 - a)), t with nu = 2 V^2 / sum (d^2 - mean)^2 degrees of freedom,
    V = sum d^2 over the deviations d of the jackknife, at least 1 and at most n - 1: where a single
    unit makes all the spread, nu is 2.
    """
    degrees = float(alpha.times.sum()) - 1
    worth = min(max(_worth(alpha.without, alpha.times), 1.0), degrees)
    two, lone = (1 + confidence) / 2, confidence
    return (
        _lower(alpha, degrees, two),
        log_scale_bounds(alpha.value, alpha.se, worth, two)[1],
        _lower(alpha, degrees, lone),
        log_scale_bounds(alpha.value, alpha.se, worth, lone)[1],
    )


def _lower(alpha: WeightedAlpha, degrees: float, level: float) -> float:
    mean = 1 - alpha.value + EXTRA * alpha.step
    wider = float(stdtrit(degrees, level) / ndtri(level))
    variance = (alpha.se**2 + EXTRA * alpha.step**2) * wider**2
    return 1 - float(gammaincinv(mean**2 / variance, level)) * variance / mean


def _worth(without: Floats, times: Floats) -> float:
    """Degrees of freedom of the jackknife's variance, by the fourth moment of its deviations."""
    squares = np.square(without - np.average(without, weights=times))
    total = float(times @ squares)
    spread = float(times @ np.square(squares - total / times.sum()))
    return 2 * total**2 / spread if spread > 0 else float(times.sum())


def drawn_unequally(weights: Floats | None, counts: NDArray[np.int64]) -> bool:
    """Whether pairable units of `counts`, shape (units, values), weigh differently."""
    if weights is None:
        return False
    own = np.asarray(weights, float)[counts.sum(axis=1) >= 2]
    return bool(own.size and np.ptp(own) > 1e-9 * own.max())


def heaviest_mass(
    counts: NDArray[np.int64],
    weights: Floats | None,
    times: NDArray[np.int64] | None,
    clusters: NDArray[Any] | None,
) -> float:
    """The largest weight of a pairable unit, times the units that a cluster holds (the median)."""
    pairable = counts.sum(axis=1) >= 2
    heaviest = 1.0 if weights is None else float(np.asarray(weights, float)[pairable].max())
    if clusters is None:
        return heaviest
    group = np.unique(np.asarray(clusters)[pairable], return_inverse=True)[1]
    alike = None if times is None else times[pairable]
    return heaviest * float(np.median(np.bincount(group, alike)))


def unseen_reason(
    counts: NDArray[np.int64],
    weights: Floats | None,
    times: NDArray[np.int64] | None,
    domain: Domain,
) -> str:
    """Why no bound holds: the heaviest units that stand for half of all carry one value only.

    How rare the other values are among all is then not known. '' where one of them carries
    another value than the commonest (by weight).
    """
    if weights is None:
        return ""
    pairable = counts.sum(axis=1) >= 2
    own, weight = counts[pairable], np.asarray(weights, float)[pairable]
    alike = np.ones(weight.size) if times is None else times[pairable].astype(float)
    commonest = int(((weight * alike) @ own).argmax())
    order = np.argsort(-weight, kind="stable")
    mass = np.cumsum((weight * alike)[order])
    least = weight[order][min(int(np.searchsorted(mass, mass[-1] / 2)), weight.size - 1)]
    heavy = weight >= least * (1 - 1e-9)
    carrying = own.sum(axis=1) > own[:, commonest]
    if (heavy & carrying).any() or not carrying.any():
        return ""
    n, share = int(alike[heavy].sum()), float((weight * alike)[heavy].sum() / mass[-1])
    return (
        f"none of the {n} units that were drawn most thinly, which stand for {share:.0%} of all, "
        f"carries another value than {name_of(domain[commonest])}: how rare it is among all is "
        "not known; draw more of them"
    )
