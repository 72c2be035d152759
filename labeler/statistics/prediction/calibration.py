"""Whether a confidence means what it says, and whether it orders right before wrong.

A unit has a confidence between 0 and 1 and was right (1) or wrong (0). `UnitConfidences` holds the
coded units; every figure comes with an interval that speaks of further units drawn in the same
way: delete-one-unit jackknife with t, or one cluster (an author) at a time. Units drawn with
unequal probability carry the weight 1/probability.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtrit  # scipy.stats would take half a second to load

from labeler.errors import TableError
from labeler.statistics.agreement.distances import Floats
from labeler.statistics.binomial import effective_size, wilson
from labeler.statistics.interval import RARE, Interval, jackknife_error, joined_notes, undefined

BINS, PER_BIN = 10, 20
BLOCK = 2_000_000  # replicates x units weighed at once

Statistic = Callable[[Floats], Floats]
"""Weights, shape (replicates, units) → the statistic of each replicate."""


class UnitConfidences(NamedTuple):
    """Units from the surest on: confidence, right (0 or 1), weight, group (its cluster).

    `ends`, shape (distinct values,), is the place after the last unit of each confidence.
    """

    confidence: Floats
    right: Floats
    weight: Floats
    group: NDArray[np.intp]
    ends: NDArray[np.intp]


class DiagramBin(NamedTuple):
    """A row of the reliability diagram: `n` units of like confidence, and how many were right.

    `accuracy` comes with Wilson's interval, for as many independent units as Kish counts.
    """

    n: int
    confidence: float
    accuracy: Interval


class RiskPoint(NamedTuple):
    """A point of the risk-coverage curve: of the surest units, the share, and how many are wrong.

    `n` units have at least the confidence `threshold`; the interval of `risk` as for DiagramBin.
    """

    threshold: float
    n: int
    coverage: float
    risk: Interval


def unit_confidences(
    confidence: ArrayLike,
    right: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> UnitConfidences:
    """The units sorted; TableError for confidences outside 0 to 1 or arrays that do not fit."""
    sure, good = np.asarray(confidence, float), np.asarray(right, float)
    weight = np.ones(sure.size) if weights is None else np.asarray(weights, float)
    ids = np.arange(sure.size) if clusters is None else np.asarray(clusters)
    for name, given in (("right", good), ("weights", weight), ("clusters", ids)):
        if given.shape != sure.shape:
            raise TableError(f"{name} of shape {given.shape} for {sure.shape[0]} units")
    if not ((sure >= 0) & (sure <= 1)).all():
        raise TableError("a confidence lies between 0 and 1")
    if not np.isin(good, (0, 1)).all() or not (weight > 0).all():
        raise TableError("a unit is right (1) or wrong (0), and its weight is above 0")
    order = np.lexsort((good, -sure))
    group = np.unique(ids, return_inverse=True)[1].astype(np.intp)
    ends = np.append(np.flatnonzero(np.diff(sure[order])) + 1, sure.size)
    return UnitConfidences(sure[order], good[order], weight[order], group[order], ends)


def ece(units: UnitConfidences, *, bins: int | None = None, confidence: float = 0.95) -> Interval:
    """Expected calibration error: sum over bins of share x |accuracy - mean confidence|.

    Equal-mass bins (`binned`). What is estimated is the error as these bins show it: errors that
    cancel within a bin are not seen. The plug-in figure is too high by chance, as noise never
    cancels in an absolute value: a bin with difference d and standard error s adds
    e(d) = s sqrt(2/pi) exp(-d^2/2s^2) + d (1 - 2 Phi(-d/s)) - d on average, which falls in |d|.
    The interval is value +- t SE, its lower end lowered by sum share e(max(0, |d| - 2s)): the
    upper end needs no such care, as the figure is never too low on average. SE is the jackknife's,
    and at least what the smoothed accuracies of the bins imply. Coverage: benchmarks/calibration.
    """
    place = binned(units, bins)
    count = int(place.max(initial=-1)) + 1
    if not count:
        return undefined("no unit has both a confidence and a coding to judge it by")
    inside = np.eye(count)[place]
    off = (units.right - units.confidence)[:, None] * inside

    def statistic(weights: Floats) -> Floats:
        return np.asarray(np.abs(weights @ off).sum(axis=1) / weights.sum(axis=1))

    value = float(statistic(units.weight[None])[0])
    method = f"{count} bins of like size; {_method(units)}, lower end less the noise of the bins"
    se, note = _standard_error(units, statistic)
    share, gap, error = _bin_noise(units, inside)
    if note:
        return undefined(note, value=value, n=units.right.size, method=method)
    se = max(se, math.sqrt(float(np.square(share * error).sum())))
    t = float(stdtrit(units.group.max(), (1 + confidence) / 2))
    bias = float(share @ _excess(np.maximum(0, gap - 2 * error), error))
    noise = float(share @ error) * math.sqrt(2 / math.pi)
    told = f"a confidence without fault would show about {noise:.3f} by chance"
    low, high = max(0.0, value - bias - t * se), min(1.0, value + t * se)
    return Interval(value, low, high, se, n=units.right.size, method=method, note=told)


def brier(units: UnitConfidences, *, confidence: float = 0.95) -> Interval:
    """Mean squared difference of confidence and rightness (Brier 1950): 0 is best."""
    squares = np.square(units.right - units.confidence)

    def statistic(weights: Floats) -> Floats:
        return np.asarray(weights @ squares / weights.sum(axis=1))

    return _measured(units, statistic, confidence)


def auroc(units: UnitConfidences, *, confidence: float = 0.95) -> Interval:
    """The chance that a right unit has a higher confidence than a wrong one; ties count half.

    Undefined where all units are right, or all are wrong.
    """
    wrong = int((units.right == 0).sum())
    rarer = min(wrong, units.right.size - wrong)
    if units.right.size and not rarer:
        return undefined(
            f"all {units.right.size} units are {'wrong' if wrong else 'right'}: none to order "
            "before another"
        )

    def statistic(weights: Floats) -> Floats:
        good, bad = (_at_values(units, weights * side) for side in (units.right, 1 - units.right))
        below = bad.sum(axis=1, keepdims=True) - np.cumsum(bad, axis=1)
        pairs = good.sum(axis=1) * bad.sum(axis=1)
        share = np.full(len(weights), np.nan)
        won = (good * (below + bad / 2)).sum(axis=1)
        return np.asarray(np.divide(won, pairs, out=share, where=pairs > 0))

    found = _measured(units, statistic, confidence)
    if rarer < RARE and not math.isnan(found.value):
        few = f"only {rarer} units are {'wrong' if rarer == wrong else 'right'}"
        return found._replace(note=joined_notes(few, found.note))
    return found


def aurc(units: UnitConfidences, *, confidence: float = 0.95) -> Interval:
    """Area under the risk-coverage curve: the mean over units of the risk among those as sure.

    Geifman and El-Yaniv 2017. With a random order it is the share of wrong units.
    """

    def statistic(weights: Floats) -> Floats:
        mass, bad = _at_values(units, weights), _at_values(units, weights * (1 - units.right))
        reached = np.cumsum(mass, axis=1)
        risk = np.zeros_like(reached)
        np.divide(np.cumsum(bad, axis=1), reached, out=risk, where=reached > 0)
        return np.asarray((mass * risk).sum(axis=1) / mass.sum(axis=1))

    return _measured(units, statistic, confidence)


def binned(units: UnitConfidences, bins: int | None = None) -> NDArray[np.intp]:
    """The bin of each unit, from 0 for the least sure; units of one confidence share a bin.

    `bins` bins of the same number of units, as near as ties allow: a confidence goes where the
    middle of its units does. Default: 10, or fewer so that each holds at least twenty units.
    """
    n = units.right.size
    wanted = max(1, min(BINS, n // PER_BIN)) if bins is None else bins
    starts = np.concatenate([[0], units.ends[:-1]])
    middle = n - (starts + units.ends) / 2
    at = np.floor(wanted * middle / max(n, 1)).astype(np.intp)
    each = np.repeat(at, units.ends - starts) if n else np.empty(0, np.intp)
    return np.unique(each, return_inverse=True)[1].astype(np.intp)


def diagram(
    units: UnitConfidences, *, bins: int | None = None, confidence: float = 0.95
) -> list[DiagramBin]:
    """The rows of the reliability diagram, from the least sure bin on."""
    place = binned(units, bins)
    rows = []
    for number in range(int(place.max(initial=-1)) + 1):
        own = place == number
        weight = units.weight[own]
        sure = float(np.average(units.confidence[own], weights=weight))
        accuracy = float(np.average(units.right[own], weights=weight))
        found = wilson(min(accuracy, 1.0), _effective(weight), confidence=confidence)
        rows.append(DiagramBin(int(own.sum()), sure, found._replace(value=accuracy)))
    return rows


def risk_coverage(units: UnitConfidences, *, confidence: float = 0.95) -> list[RiskPoint]:
    """The risk-coverage curve, strict to loose: a point for each distinct confidence."""
    total = units.weight.sum()
    mass = np.cumsum(units.weight)
    bad = np.cumsum(units.weight * (1 - units.right))
    rows = []
    for end in units.ends if units.right.size else ():
        risk = float(np.clip(bad[end - 1] / mass[end - 1], 0, 1))
        found = wilson(risk, _effective(units.weight[:end]), confidence=confidence)
        threshold, coverage = float(units.confidence[end - 1]), float(mass[end - 1] / total)
        rows.append(RiskPoint(threshold, int(end), coverage, found))
    return rows


def _measured(units: UnitConfidences, statistic: Statistic, confidence: float) -> Interval:
    """A statistic with value +- t SE, cut at 0 and 1."""
    n = units.right.size
    if not n:
        return undefined("no unit has both a confidence and a coding to judge it by")
    value = float(statistic(units.weight[None])[0])
    se, note = _standard_error(units, statistic)
    if not note and se < 1e-12:
        note = "no unit changes the figure: there is no spread to make an interval from"
    if note:
        return undefined(note, value=value, n=n, method=_method(units))
    reach = float(stdtrit(units.group.max(), (1 + confidence) / 2)) * se
    low, high = max(0.0, value - reach), min(1.0, value + reach)
    return Interval(value, low, high, se, n=n, method=_method(units))


def _standard_error(units: UnitConfidences, statistic: Statistic) -> tuple[float, str]:
    """SE^2 = (G - 1)/G sum_g (T_(-g) - mean)^2 over clusters; nan with a reason."""
    things = int(units.group.max()) + 1
    one = "unit" if things == units.right.size else "cluster"
    if things < 2:
        return math.nan, f"a single {one}: nothing to compare it with"
    groups, times = _alike(units, things)
    step = max(1, BLOCK // units.right.size)
    found = []
    for start in range(0, groups.size, step):
        left_out = groups[start : start + step, None]
        found.append(statistic(units.weight * (units.group != left_out)))
    values = np.concatenate(found)
    if np.isnan(values).any():
        return math.nan, f"without one {one} the figure is undefined"
    return jackknife_error(values, times.astype(float)), ""


def _alike(units: UnitConfidences, things: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Clusters to leave out, and how many are just like each: units of the same row are."""
    if things < units.right.size:
        return np.arange(things), np.ones(things, np.intp)
    rows = np.column_stack([units.confidence, units.right, units.weight])
    _, first, times = np.unique(rows, axis=0, return_index=True, return_counts=True)
    return units.group[first], times


def _bin_noise(units: UnitConfidences, inside: Floats) -> tuple[Floats, Floats, Floats]:
    """For each bin: its share, |accuracy - confidence|, and the standard error of that.

    The variance of a unit is that seen, or p (1 - p) of the smoothed accuracy p = (k + 1)/(n + 2)
    where that is more, so that a bin in which all were right does not count as certain.
    """
    mass = units.weight @ inside
    off = units.right - units.confidence
    gap = (units.weight * off) @ inside / mass
    n = np.square(mass) / (np.square(units.weight) @ inside)
    spread = (units.weight * np.square(off - inside @ gap)) @ inside / mass
    smooth = ((units.weight * units.right) @ inside / mass * n + 1) / (n + 2)
    error = np.sqrt(np.maximum(spread, smooth * (1 - smooth)) / n)
    return mass / mass.sum(), np.abs(gap), error


def _excess(gap: Floats, error: Floats) -> Floats:
    """How much the mean of |N(gap, error^2)| lies above gap (the folded normal)."""
    z = gap / error
    return np.asarray(
        error * math.sqrt(2 / math.pi) * np.exp(-np.square(z) / 2) - 2 * gap * ndtr(-z)
    )


def _at_values(units: UnitConfidences, given: Floats) -> Floats:
    """Sums over the units of each distinct confidence, shape (replicates, values)."""
    starts = np.concatenate([[0], units.ends[:-1]])
    return np.asarray(np.add.reduceat(given, starts, axis=1))


def _effective(weight: Floats) -> int:
    """Kish's number of units of equal weight, (sum w)^2 / sum w^2, rounded down."""
    return max(1, math.floor(effective_size(weight) + 1e-9))


def _method(units: UnitConfidences) -> str:
    alike = int(units.group.max(initial=-1)) + 1 == units.right.size
    return f"delete-one-{'unit' if alike else 'cluster'} jackknife, t"
