"""Does a figure rise or fall over months? A straight line through it, with its test."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import fdtrc, stdtr

from labeler.statistics.agreement.distances import Floats
from labeler.statistics.estimation.derived import (
    DerivedFigures,
    combined,
    covariance_of,
    degrees_of_freedom,
    intervals,
)
from labeler.statistics.estimation.estimates import Estimates
from labeler.statistics.interval import Interval, undefined

LEAST_TIMES = 3


class Trend(NamedTuple):
    """A straight line through figures at several times.

    `slope`: change of the figure in one unit of time, with its interval; `p`: two-sided, of no
    slope; `p_line`: of the figures lying on the line but for their errors (small: they do not,
    and the slope says little); `times`: how many figures were used. nan with a note in `slope`
    where fewer than three are estimable.
    """

    slope: Interval
    p: float
    p_line: float
    times: int


def trend(
    estimates: Estimates,
    figures: DerivedFigures,
    times: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Trend:
    """The slope of K figures over `times`, shape (K,).

    b = sum k_i y_i with k_i = w_i (t_i - mean t)/sum w (t - mean t)^2, mean t weighted; its error
    comes from the full covariance of the figures, so that months which share authors are not
    taken for independent. Figures that are not estimable are left out. `weights`, shape (K,),
    must be known beforehand, such as the posts of each month; without them all months count
    alike. The figures' own precision is no weight: a small share is always precise, and a curve
    would be pulled towards its low end.
    """
    usable = np.array([not reason for reason in figures.reason], bool)
    at = np.asarray(times, np.float64)[usable]
    weight = np.ones(at.size) if weights is None else np.asarray(weights, np.float64)[usable]
    kept = combined(figures, np.eye(figures.value.size)[usable])
    if np.unique(at[weight > 0]).size < LEAST_TIMES:
        note = f"fewer than {LEAST_TIMES} times are estimable"
        return Trend(undefined(note), math.nan, math.nan, int(at.size))
    apart = at - np.average(at, weights=weight)
    line = weight * apart / float(weight @ apart**2)
    slope = combined(kept, line)
    own = intervals(estimates, slope, confidence=confidence)[0]
    degrees = float(degrees_of_freedom(estimates, slope)[0])
    p = 2 * float(stdtr(degrees, -abs(own.value) / own.se)) if own.se > 0 else math.nan
    return Trend(own, p, _off_the_line(estimates, kept, at), int(at.size))


def _off_the_line(estimates: Estimates, figures: DerivedFigures, at: Floats) -> float:
    """p of Wald's test that nothing but a line is in the figures; F with the design's degrees."""
    line = np.stack([np.ones(at.size), at], axis=1)
    free = np.linalg.svd(line, full_matrices=True)[0][:, 2:]
    if not free.shape[1]:
        return math.nan
    apart = free.T @ figures.value
    covariance = free.T @ covariance_of(estimates, figures) @ free
    if np.linalg.matrix_rank(covariance) < free.shape[1]:
        return math.nan
    many, most = free.shape[1], estimates.design_degrees
    left = most - many + 1
    if left < 1:
        return math.nan
    wald = float(apart @ np.linalg.solve(covariance, apart))
    return float(fdtrc(many, left, wald * left / (most * many)))
