"""The interval of the KALPHA macro, which is not the default.

It is kept so that a published one can be had again. It draws pairs of codings, not
units, and keeps the expected disagreement fixed: it is often half as wide as an interval over
units, and wrong in both directions. Nothing here decides anything.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from labeler.errors import TableError
from labeler.statistics.agreement.alpha import Counts, alpha, coincidences, distances
from labeler.statistics.agreement.distances import Domain, Level
from labeler.statistics.interval import Interval, undefined

PairRule = Literal[2007, 2011]


class PairBootstrap(NamedTuple):
    """KALPHA's interval, and the pairs that each resample drew.

    `below` is the share of resamples under each asked threshold ("q" in the macro's output).
    """

    interval: Interval
    pairs: int
    below: dict[float, float]


def pair_bootstrap(
    counts: Counts,
    *,
    level: Level,
    domain: Domain,
    n_coders: int,
    seed: int,
    rule: PairRule = 2011,
    resamples: int = 10_000,
    thresholds: tuple[float, ...] = (),
    confidence: float = 0.95,
) -> PairBootstrap:
    """The bootstrap of Hayes & Krippendorff's KALPHA macro, for comparison with what it printed.

    Each resample draws M cells of the coincidence matrix with chances o_cc'/n.. and takes
    alpha = 1 - mean(d_cc')/De, De as observed, cut at -1. By the rule of 2007 M is the number of
    pairs of codings within units, sum_u m_u (m_u - 1)/2; by that of 2011 min(25 Q, (m - 1) n../2),
    Q being the cells of the coincidence matrix that are not zero, m the coders (`n_coders`).
    The macro's correction of resamples without any disagreement is not made.
    """
    if rule not in (2007, 2011):
        raise TableError(f"rule {rule!r} is neither 2007 nor 2011")
    point = alpha(counts, level=level, domain=domain)
    method = f"KALPHA pair bootstrap ({rule}), {resamples} resamples, seed {seed}"
    if point.note:
        return PairBootstrap(undefined(point.note, method=method), 0, {})
    pooled = coincidences(counts)
    cells = np.flatnonzero(pooled)
    codings = counts.sum(axis=1)
    if rule == 2007:
        pairs = int((codings * (codings - 1)).sum()) // 2
    else:
        pairs = min(25 * cells.size, (n_coders - 1) * point.n_pairable // 2)
    apart = distances(level, domain, counts).ravel()[cells]
    share = pooled.ravel()[cells] / pooled.sum()
    drawn = np.random.default_rng(seed).multinomial(pairs, share / share.sum(), size=resamples)
    values = np.maximum(1 - drawn @ apart / (pairs * point.expected), -1.0)
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    below = {threshold: float(np.mean(values < threshold)) for threshold in thresholds}
    note = "pairs are drawn as if independent: for comparison with KALPHA's output only"
    interval = Interval(point.value, float(low), float(high), method=method, note=note)
    return PairBootstrap(interval, pairs, below)
