"""Codings of a blind and an assisted arm, and what an effect of the arm is: value, interval, p.

p-values come from `randomisation`. Intervals: up to MANY_CODERS - 1 coders those of
randomisation, or clustered by unit, which speak of further units of these coders; from MANY_CODERS
on the largest of the variances clustered by unit, by coder and by both (Cameron, Gelbach and
Miller 2011), with t. "No effect" is a claim by two one-sided tests (Schuirmann 1987).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, stdtr, stdtrit

from labeler.statistics.agreement.distances import Floats
from labeler.statistics.binomial import exact_upper
from labeler.statistics.experiment import randomisation
from labeler.statistics.experiment.randomisation import (
    Bools,
    Ints,
    Randomisation,
    Rerandomisations,
)
from labeler.statistics.interval import RARE, Interval, joined_notes, undefined

MANY_CODERS = 10


class Arms(NamedTuple):
    """The codings that are compared, one a row, and how they were put into arms.

    `unit`, `coder` (numbers from 0) and `assisted` hold the codings that `design.used` names.
    """

    unit: Ints
    coder: Ints
    assisted: Bools
    design: Randomisation

    @property
    def n_units(self) -> int:
        """How many units are compared."""
        return int(np.unique(self.unit).size)

    @property
    def n_coders(self) -> int:
        """How many coders are compared."""
        return int(np.unique(self.coder).size)


class Effect(NamedTuple):
    """A difference between the arms, and what is claimed of it.

    `interval` holds 95%; its one-sided bounds together are the 90% interval that two one-sided
    tests (TOST) look at. `p` is that of no effect, `p_equivalence` the larger of the two p-values
    of TOST for the bound. nan where the interval's note says why.
    """

    interval: Interval
    p: float = math.nan
    p_equivalence: float = math.nan


def arms(unit: NDArray[Any], coder: NDArray[Any], assisted: Bools) -> Arms:
    """The codings to compare, out of all human codings of the two arms."""
    design = randomisation.design_of(unit, coder, assisted)
    kept = design.used
    units = np.unique(unit[kept], return_inverse=True)[1]
    coders = np.unique(coder[kept], return_inverse=True)[1]
    return Arms(units, coders, assisted[kept], design)


def means(outcome: Floats, compared: Arms) -> tuple[float, float]:
    """The mean of an outcome in the assisted and in the blind arm, as D weighs it."""
    weight = randomisation.weights(compared.design)
    seen = compared.assisted
    return float(weight[seen] @ outcome[seen]), float(-weight[~seen] @ outcome[~seen])


def everywhere(outcome: Floats, compared: Arms) -> float:
    """The mean of an outcome over both arms, each as much as the other."""
    return sum(means(outcome, compared)) / 2


def effect(
    outcome: Floats,
    found: Rerandomisations,
    column: int,
    compared: Arms,
    *,
    bound: float,
    limit: float = 1.0,
) -> Effect:
    """The effect on an outcome that is column `column` of `found`, and its equivalence to 0.

    `limit`: no effect can be larger (inf: no limit), so that an interval ends there. Where fewer
    than RARE units differ between the arms, as where nearly everybody agrees, equivalence needs
    that P(Bin(units, bound) <= units that differ) is small too: seeing no change in 20 units
    shows little.
    """
    assisted, blind = means(outcome, compared)
    value = assisted - blind
    p = randomisation.p_two_sided(found, column)
    ways = f"{found.n - (not found.exact)} {'ways, all' if found.exact else 'random ways'}"
    method = f"randomisation {compared.design.kind} ({ways})"
    if compared.n_coders >= MANY_CODERS and compared.design.kind != "between coders":
        se, df, words = spread(influence(outcome, compared), compared, coders=True)
        wide, narrow = (_by_t(value, se, df, level) for level in (0.95, 0.90))
        away = float(stdtr(df, (abs(value) - bound) / se)) if se else float(abs(value) >= bound)
        p_equivalence, method = away, f"{words}; p: {method}"
    else:
        wide, narrow = (randomisation.interval(found, column, confidence=c) for c in (0.95, 0.90))
        p_equivalence = max(
            randomisation.p_greater(found, column, effect=-bound),
            randomisation.p_less(found, column, effect=bound),
        )
    note = "" if math.isfinite(wide[0]) else f"{found.n} ways are too few for a 95% interval"
    counted = math.isfinite(limit) and compared.design.kind != "between coders"
    moved = _moved(outcome, compared) if counted else None
    if moved is not None and moved.up + moved.down < RARE:
        note = joined_notes(note, moved.words)
        p_equivalence = max(p_equivalence, *(float(bdtr(k, moved.n, bound)) for k in moved[:2]))
        wide, narrow = _widened(wide, moved, 0.025), _widened(narrow, moved, 0.05)
    low, high, lower, upper = (max(-limit, min(limit, end)) for end in (*wide, *narrow))
    found_interval = Interval(
        value, low, high, math.nan, lower, upper, compared.n_units, method, note
    )
    return Effect(found_interval, p, p_equivalence)


def nothing(reason: str, n: int, *, value: float = math.nan) -> Effect:
    """An effect that is undefined (but for its `value`, if there is one), with the reason."""
    return Effect(undefined(reason, value=value, n=n))


def estimate(value: float, se: float, df: int, method: str, n: int, note: str = "") -> Effect:
    """An effect with t intervals of 95% and 90% and its p; none where the error is 0 or df is."""
    if df < 1 or se == 0:
        reason = "no spread between clusters: no interval" if df else "a single cluster"
        return nothing(joined_notes(note, reason), n, value=value)
    wide, narrow = _by_t(value, se, df, 0.95), _by_t(value, se, df, 0.90)
    p = 2 * float(stdtr(df, -abs(value) / se))
    return Effect(Interval(value, *wide, se, *narrow, n, method, note), p)


def spread(scores: Floats, compared: Arms, *, coders: bool) -> tuple[float, int, str]:
    """The standard error of a sum of scores that are dependent in clusters, df, the method.

    V = G/(G - 1) sum over clusters of (sum of their scores)^2, by unit; with `coders` the largest
    of those by unit, by coder, and by both (unit + coder - single coding), df = G - 1 of the
    coders, unless the units' is the largest.
    """
    by_unit, n_units = _clustered(scores, compared.unit)
    if not coders:
        return math.sqrt(by_unit), n_units - 1, "clustered by unit, t; these coders"
    by_coder, n_coders = _clustered(scores, compared.coder)
    both = by_unit + by_coder - float(np.square(scores).sum())
    variance = max(by_unit, by_coder, both)
    df = min(n_units, n_coders) - 1
    which = {by_unit: "unit", by_coder: "coder", both: "unit and coder"}[variance]
    return math.sqrt(variance), df, f"clustered by {which}, t with {df} df; further coders too"


def influence(outcome: Floats, compared: Arms) -> Floats:
    """What each coding adds to D beyond its arm's mean; they sum to 0."""
    assisted, blind = means(outcome, compared)
    centred = outcome - np.where(compared.assisted, assisted, blind)
    scores: Floats = randomisation.weights(compared.design) * centred
    return scores


def _clustered(scores: Floats, cluster: Ints) -> tuple[float, int]:
    sums = np.bincount(cluster, scores)
    n = sums.size
    return (float(np.square(sums).sum() * n / (n - 1)) if n > 1 else 0.0), n


def _by_t(value: float, se: float, df: int, confidence: float) -> tuple[float, float]:
    half = float(stdtrit(df, (1 + confidence) / 2)) * se
    return value - half, value + half


class _UnitChanges(NamedTuple):
    """How many of n units (or other things compared) lie above, and below, in the assisted arm."""

    up: int
    down: int
    n: int
    words: str


def _moved(outcome: Floats, compared: Arms) -> _UnitChanges:
    """Units whose arms differ; without pairs, the things that differ from the commonest."""
    design = compared.design
    if design.kind == "within units":
        scores = np.bincount(design.stratum, randomisation.weights(design) * outcome)
        up, down, n = int((scores > 1e-9).sum()), int((scores < -1e-9).sum()), scores.size
        return _UnitChanges(up, down, n, f"only {up + down} of {n} units differ between the arms")
    total = np.bincount(design.thing, outcome) / np.bincount(design.thing)
    differ = total.size - int(np.unique(total.round(9), return_counts=True)[1].max())
    n = int(min(design.assisted.sum(), (~design.assisted).sum()))
    return _UnitChanges(min(differ, n), min(differ, n), n, f"only {differ} of {total.size} differ")


def _widened(ends: tuple[float, float], moved: _UnitChanges, tail: float) -> tuple[float, float]:
    """An interval around 0 with room for what so few units cannot show.

    D is at most P(unit lies above), whose upper limit of Clopper and Pearson is the room upwards;
    below alike.
    """
    if ends[0] > randomisation.TIE or ends[1] < -randomisation.TIE:
        return ends
    up, down = (exact_upper(k, moved.n, 1 - tail) for k in (moved.up, moved.down))
    return min(ends[0], -down), max(ends[1], up)
