"""From a coefficient and the influence of each unit on it to an estimate with its interval.

The sampled thing is the unit, or the cluster of units; design weights stand in the influence.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri, stdtrit  # scipy.stats would take half a second to load

from labeler.statistics.agreement.column_patterns import ColumnPatterns
from labeler.statistics.agreement.kappas import Linearisation, row_weights
from labeler.statistics.binomial import effective_size, unseen_share
from labeler.statistics.interval import NO_SPREAD, ZERO_EVENT, Interval, joined_notes, undefined


class IntervalSettings(NamedTuple):
    """How an interval is made.

    `large`: with Fleiss, Cohen & Everitt's standard error for large samples; `floor`: below it
    there is no coefficient; `flag`: what to mind, for the note.
    """

    confidence: float
    large: bool
    floor: float
    flag: str


def linearised(found: Linearisation, panel: ColumnPatterns, how: IntervalSettings) -> Interval:
    """The interval value +- t SE, SE from the influence of units, or of clusters added up.

    SE^2 = f sum (sum_u w_u influence_u)^2 / (sum_u w_u)^2 over things (units or clusters), f =
    N/(N - 1) and t of N - 1 degrees of freedom for N things (Gwet 2014, without finite-population
    correction); `large`: f = 1 and the normal distribution (Fleiss, Cohen & Everitt 1969).
    """
    w = np.ones(panel.times.size) if panel.weights is None else panel.weights
    total = float(w @ panel.times)
    if panel.group is None:
        one, n = "unit", int(panel.times.sum())
        squares = float(panel.times @ np.square(w * found.influence))
    else:
        one, n = "cluster", int(np.unique(panel.group).size)
        squares = float(
            np.square(np.bincount(panel.group, w * panel.times * found.influence)).sum()
        )
    large = how.large and panel.group is None
    if n < 2:
        note = joined_notes(f"a single {one}: no interval can be made", how.flag)
        return undefined(note, value=found.value, n=n)
    se = math.sqrt(squares * (1 if large else n / (n - 1))) / total
    if se < NO_SPREAD:
        return _zero_event(found, panel, how, one)
    two, lone = (1 + how.confidence) / 2, how.confidence
    t, t_one = (float(ndtri(p) if large else stdtrit(n - 1, p)) for p in (two, lone))
    of = f"over {one}s, " if panel.group is not None else ""
    named = "Fleiss-Cohen-Everitt standard error, normal" if large else f"linearised, {of}t"
    return Interval(
        value=found.value,
        low=max(found.value - t * se, how.floor),
        high=min(found.value + t * se, 1.0),
        se=se,
        lower_one_sided=max(found.value - t_one * se, how.floor),
        upper_one_sided=min(found.value + t_one * se, 1.0),
        n=n,
        method=named,
        note=how.flag,
    )


def _zero_event(
    found: Linearisation, panel: ColumnPatterns, how: IntervalSettings, one: str
) -> Interval:
    """The bound that n things without any spread leave open, as `intervals.jackknife` has it.

    A kind of unit not seen among n has at most a share of p = 1 - (1 - g)^(1/n): at worst nobody
    agrees in it, at best all do, so low = ((1 - p) pa - pe)/(1 - pe) and
    high = ((1 - p) pa + p - pe)/(1 - pe), with pe as seen. n is Kish's effective number.
    """
    w = row_weights(panel)
    used = found.used
    if panel.group is None:
        times = panel.times[used].astype(float)
        n = effective_size(w[used] / times, times)
    else:
        size = np.bincount(panel.group[used], w[used])
        n = effective_size(size)

    def bounds(g: float) -> tuple[float, float]:
        p = unseen_share(n, g)
        kept, chance = (1 - p) * found.observed - found.expected, 1 - found.expected
        return max(kept / chance, how.floor), min((kept + p) / chance, 1.0)

    low, high = bounds((1 + how.confidence) / 2)
    lower, upper = bounds(how.confidence)
    seen = (
        "no disagreement"
        if math.isclose(found.observed, 1)
        else f"no {one} that differs from the others"
    )
    note = joined_notes(f"{seen}: the bound is what so many {one}s leave open", how.flag)
    things = int(panel.times[used].sum()) if panel.group is None else size.size
    return Interval(found.value, low, high, math.nan, lower, upper, things, ZERO_EVENT, note)
