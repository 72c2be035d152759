"""A ratio of two sums over units, and its interval: overlap of spans, shares of segments or quotes.

What is sampled is the unit (or a cluster of units), never the character, the token or the segment
in it: those of one unit hang together, and an interval that counted them as so many observations
would be far too narrow.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit  # scipy.stats would take half a second to load

from labeler.errors import TableError
from labeler.statistics.agreement.distances import Floats
from labeler.statistics.binomial import effective_size, unseen_share
from labeler.statistics.interval import (
    NO_SPREAD,
    RARE,
    ZERO_EVENT,
    Interval,
    check_confidence,
    jackknife_error,
    joined_notes,
    undefined,
)

LOGIT = "delete-one-{one} jackknife, t on logit"


def ratio(
    part: Floats,
    whole: Floats,
    *,
    clusters: NDArray[Any] | None = None,
    weights: Floats | None = None,
    confidence: float = 0.95,
    empty: str = "nothing to compare",
) -> Interval:
    """sum_u w_u part_u / sum_u w_u whole_u, a share from 0 to 1; all of shape (units,).

    Interval: with p the ratio, n the units (or clusters) of which whole_u > 0, and p_(-u) the
    ratio without one of them, SE^2 = (n - 1)/n sum_u (p_(-u) - mean)^2; the bounds are those of
    logit(p) +- t SE/(p (1 - p)), t of n - 1 degrees of freedom. `weights` are 1/inclusion
    probability. A ratio of 0 or 1, or one that every deletion leaves as it is, has no spread:
    its method is `zero-event bound`, see `_zero_event`.

    Undefined (nan, with the reason in the note) where the sum of `whole` is 0 (`empty` is the
    reason); with a single unit the value stands, its interval is nan. Raises TableError for
    shapes that do not fit, and for a part that is no part of its whole.
    """
    check_confidence(confidence)
    own, all_ = cluster_sums(part, whole, clusters=clusters, weights=weights)
    one = "unit" if clusters is None else "cluster"
    used = all_ > 0
    own, all_ = own[used], all_[used]
    n = int(all_.size)
    method = LOGIT.format(one=one)
    if not n:
        return undefined(empty, method=method)
    if (own < -1e-9).any() or (own > all_ * (1 + 1e-9)).any():
        raise TableError("a part must lie between 0 and its whole in every unit")
    p = min(max(float(own.sum() / all_.sum()), 0.0), 1.0)
    flag = few_note(n, one)
    if n < 2:
        return undefined(f"a single {one}: no interval", value=p, n=n, method=method)
    without = (own.sum() - own) / (all_.sum() - all_)
    se = jackknife_error(without)
    if se < NO_SPREAD or not 0 < p < 1:
        return _zero_event(p, all_, confidence, one, flag)

    def bounds(quantile: float) -> tuple[float, float]:
        reach = float(stdtrit(n - 1, quantile)) * se / (p * (1 - p))
        at = math.log(p / (1 - p))
        return _expit(at - reach), _expit(at + reach)

    (low, high), (lower, upper) = bounds((1 + confidence) / 2), bounds(confidence)
    return Interval(p, low, high, se, lower, upper, n, method, flag)


def cluster_sums(
    *columns: Floats, clusters: NDArray[Any] | None, weights: Floats | None
) -> list[Floats]:
    """The weighted sum of each column in each cluster (without `clusters`, of each unit)."""
    weight = 1.0 if weights is None else np.asarray(weights, float)
    weighted = [np.asarray(column, float) * weight for column in columns]
    if len({column.shape for column in weighted}) > 1:
        raise TableError("columns and weights need one number for each unit")
    if clusters is None:
        return weighted
    if np.shape(clusters) != weighted[0].shape:
        raise TableError(f"clusters of shape {np.shape(clusters)} for {weighted[0].size} units")
    group = np.unique(clusters, return_inverse=True)[1]
    return [np.bincount(group, column).astype(float) for column in weighted]


def few_note(n: int, one: str) -> str:
    """A warning where fewer than ten units say anything."""
    if n >= RARE:
        return ""
    return f"only {n} {one}s hold anything to compare: the interval may be too narrow"


def _zero_event(p: float, mass: Floats, confidence: float, one: str, flag: str) -> Interval:
    """What n units without spread leave open.

    A kind of unit not seen among n may have a share of q = `unseen_share`(n, g); with a ratio of
    its own of 0 or of 1 it moves the ratio to (1 - q) p or (1 - q) p + q. n is Kish's effective
    number of the wholes; the two-sided bounds take (1 + g)/2 for g. There is no standard error.
    """

    def bounds(g: float) -> tuple[float, float]:
        q = unseen_share(effective_size(mass), g)
        return (1 - q) * p, (1 - q) * p + q

    (low, high), (lower, upper) = bounds((1 + confidence) / 2), bounds(confidence)
    words = f"no {one} of {mass.size} differs from the others: the bound is what so many leave open"
    note = joined_notes(words, flag)
    return Interval(p, low, high, math.nan, lower, upper, mass.size, ZERO_EVENT, note)


def _expit(at: float) -> float:
    return 1 / (1 + math.exp(-at)) if at >= 0 else math.exp(max(at, -700)) / (1 + math.exp(at))
