"""When review may be skipped: a threshold of confidence that keeps the error among the accepted.

Learn then Test (Angelopoulos, Bates, Candès, Jordan, Lei 2021; Annals of Applied Statistics
2025) with fixed-sequence testing. H_t says that among all units whose confidence reaches t, more
than a share epsilon is wrong. The thresholds are tested from strict to loose, each by the exact
binomial tail, and testing ends at the first that is not rejected; so the chance that the
threshold kept lets through more than epsilon is at most delta, whatever the confidence is worth.
This needs thresholds that were fixed without looking at the codings, and units that were drawn
with equal probability.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr  # scipy.stats would take half a second to load

from labeler.errors import TableError
from labeler.statistics.agreement.distances import Floats
from labeler.statistics.binomial import exact_upper

MOST = 50
COMFORT = 4  # errors that the first test should be able to bear, where there are units enough


class ThresholdTest(NamedTuple):
    """One threshold: how many units reach it, how many of those are wrong, and the tail p."""

    threshold: float
    accepted: int
    errors: int
    p: float


class DeferralRule(NamedTuple):
    """The threshold kept (nan: none was), its test, and every test that was made.

    `upper` is the exact one-sided bound (Clopper and Pearson 1934) on the error among the units
    accepted, at confidence 1 - delta. `note` says in words why there is no threshold.
    """

    threshold: float
    accepted: int
    errors: int
    p: float
    upper: float
    tests: tuple[ThresholdTest, ...]
    note: str


def tail(errors: int, accepted: int, epsilon: float) -> float:
    """P(Bin(accepted, epsilon) <= errors), the p-value of "more than epsilon is wrong"."""
    return float(bdtr(errors, accepted, epsilon)) if accepted else 1.0


def least_accepted(errors: int, *, epsilon: float, delta: float) -> int:
    """The least number of accepted units at which so many errors still reject H.

    Raises TableError for shares outside 0 to 1 and for less than no error.
    """
    _check(epsilon, delta)
    if errors < 0:
        raise TableError(f"{errors} errors: there are none or more")
    low, high = errors, errors + 1
    while tail(errors, high, epsilon) > delta:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if tail(errors, middle, epsilon) <= delta else (middle, high)
    return high


def thresholds(
    confidences: ArrayLike, coded: int, *, epsilon: float, delta: float, most: int = MOST
) -> list[float]:
    """Thresholds to test, strict to loose: distinct values of `confidences`.

    `confidences` are those of the whole frame, from which `coded` units were drawn and coded, so
    that no coding and no draw decides where testing begins. It begins at the strictest value
    which about m of the coded units are to reach, where m lets one error pass, and up to five
    where half of the units are as many; a stricter one could hardly ever be shown. Where even all
    units are fewer, the loosest value stands alone. Of more than `most` values as many are kept,
    evenly over the frame. Units of one confidence are accepted together or not at all.
    """
    values, counts = np.unique(np.asarray(confidences, float), return_counts=True)
    if not values.size:
        return []
    values, share = values[::-1], np.cumsum(counts[::-1]) / counts.sum()
    one, several = (least_accepted(k, epsilon=epsilon, delta=delta) for k in (1, COMFORT))
    enough = max(one, min(several, coded / 2))
    first = min(int(np.searchsorted(share * coded, enough)), values.size - 1)
    values, share = values[first:], share[first:]
    if values.size > most:
        places = np.searchsorted(share, np.linspace(share[0], 1, most) - 1e-12)
        values = values[np.unique(np.minimum(places, values.size - 1))]
    return [float(value) for value in values]


def rule(
    confidence: Floats, wrong: ArrayLike, tested: Sequence[float], *, epsilon: float, delta: float
) -> DeferralRule:
    """The loosest threshold that fixed-sequence testing reaches.

    `confidence` and `wrong` (0 or 1), shape (units,): the coded units. `tested`: the thresholds,
    strict to loose. Raises TableError where they are in another order, and for other shares.
    """
    _check(epsilon, delta)
    if any(second >= first for first, second in pairwise(tested)):
        raise TableError("thresholds are tested from strict to loose, each once")
    sure, bad = np.asarray(confidence, float), np.asarray(wrong, bool)
    made: list[ThresholdTest] = []
    kept: ThresholdTest | None = None
    for threshold in tested:
        reached = sure >= threshold
        accepted, errors = int(reached.sum()), int((reached & bad).sum())
        test = ThresholdTest(threshold, accepted, errors, tail(errors, accepted, epsilon))
        made.append(test)
        if test.p > delta:
            break
        kept = test
    if kept is None:
        reason = _reason(made, sure.size, epsilon, delta)
        return DeferralRule(math.nan, 0, 0, math.nan, math.nan, tuple(made), reason)
    return DeferralRule(*kept, exact_upper(kept.errors, kept.accepted, 1 - delta), tuple(made), "")


def _reason(made: Sequence[ThresholdTest], coded: int, epsilon: float, delta: float) -> str:
    """Why no threshold was kept."""
    least = least_accepted(0, epsilon=epsilon, delta=delta)
    if not made:
        return "no unit has a confidence"
    first = made[0]
    if first.accepted < least:
        return (
            f"{first.accepted} of {coded} coded units reach the strictest threshold: even without "
            f"an error {least} are needed for an error of at most {epsilon:g}"
        )
    needed = least_accepted(first.errors, epsilon=epsilon, delta=delta)
    return (
        f"among the {first.accepted} surest units {first.errors} differ: with so many, {needed} "
        f"units would be needed to show an error of at most {epsilon:g}"
    )


def _check(epsilon: float, delta: float) -> None:
    for name, value in (("epsilon", epsilon), ("delta", delta)):
        if not 0 < value < 1:
            raise TableError(f"{name} {value} must lie between 0 and 1, such as 0.05")
