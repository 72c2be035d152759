"""Bounds of an alpha whose units were drawn with unequal probability.

Where a code is rare and its units were drawn thinly, a handful of heavy units decides how large
the disagreement is: a jackknife sees little spread as long as few of them happened to disagree,
and its lower bound lies above the truth far too often. Two things help, both after what is known
of directly standardised rates (Fay and Feuer 1997, Statistics in Medicine 16, 791-801): the lower
bound lets EXTRA of one more unit of the largest weight disagree, and the upper bound takes t with
as many degrees of freedom as the spread itself is worth. `benchmarks/coverage.py` shows what that
covers; with strata told apart (stratified variance, Satterthwaite's degrees of freedom) it was the
same to the second digit, so strata need not be known.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeler.statistics.agreement.distances import Domain, Floats, name_of
from labeler.statistics.interval import jackknife_error, log_scale_bounds

EXTRA = 0.4  # of a unit of the largest weight; 1/4 misses too often, 1 covers 97%


class WeightedAlpha(NamedTuple):
    """A weighted alpha with what its bounds are made from.

    `without` and `times`, shape (things,): alpha without each thing, and how many are alike;
    `se`: the jackknife's; `step`: by how much alpha falls if one more unit of the largest weight
    disagreed; `without_stepped`, shape (things,): as `without`, after EXTRA of such a step.
    """

    value: float
    se: float
    without: Floats
    without_stepped: Floats
    times: Floats
    step: float


def weighted_bounds(alpha: WeightedAlpha, confidence: float) -> tuple[float, float, float, float]:
    """low, high, and the one-sided lower and upper bound, on the scale of log(1 - alpha).

    Lower: 1 - (1 - a') exp(t s'/(1 - a')) with a' = a - EXTRA step, s' the standard error over
    the n things and EXTRA of the step, t with n - 1 degrees of freedom. Upper: 1 - (1 - a)
    exp(-t s/(1 - a)), t with nu = 2 V^2 / sum (d^2 - mean)^2 degrees of freedom, V = sum d^2 over
    the deviations d of the jackknife, at least 1 and at most n - 1: where a single unit makes all
    the spread, nu is 2.
    """
    degrees = float(alpha.times.sum()) - 1
    lowered = alpha.value - EXTRA * alpha.step
    values = np.append(alpha.without_stepped, lowered + alpha.step)
    se = jackknife_error(values, np.append(alpha.times, EXTRA))
    worth = min(max(_worth(alpha.without, alpha.times), 1.0), degrees)
    two, lone = (1 + confidence) / 2, confidence
    return (
        log_scale_bounds(lowered, se, degrees, two)[0],
        log_scale_bounds(alpha.value, alpha.se, worth, two)[1],
        log_scale_bounds(lowered, se, degrees, lone)[0],
        log_scale_bounds(alpha.value, alpha.se, worth, lone)[1],
    )


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
