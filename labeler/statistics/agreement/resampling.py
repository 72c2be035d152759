"""Alpha without one unit, and alpha of resamples, over distinct count patterns.

Units with the same counts are exchangeable: deleting or drawing units is deleting or drawing
their patterns, so that the cost does not grow with the units once patterns repeat. Alpha needs
only sum_u D_u and the numbers of each value; ordinal distances follow from those numbers and are
made again for each replicate.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from labeler.errors import TableError
from labeler.statistics.agreement.alpha import (
    MANY,
    Counts,
    chance_disagreements,
    disagreements,
)
from labeler.statistics.agreement.distances import (
    Domain,
    Floats,
    Level,
    distances_between,
    mid_ranks,
    places_of,
)

BLOCK = 4_000_000  # resamples x patterns drawn at once


class Sample(NamedTuple):
    """What is deleted or drawn. A row is a unit, or a pattern that stands for `times` units.

    counts (rows, values seen), codings (rows,), weights (rows,), group (rows,): the thing that the
    row belongs to; times (things,): how many things are alike; n: their number; distance
    (values, values), or None where it is not needed: for `ordinal`, whose distances follow from
    the data, and for more than MANY values at `nominal` and `interval`. Of the latter `places` are
    the values as numbers, near 0.
    """

    counts: Floats
    codings: Floats
    weights: Floats
    group: NDArray[np.intp]
    times: Floats
    n: int
    distance: Floats | None
    level: Level
    places: Floats | None


def sample_of(
    counts: Counts,
    level: Level,
    domain: Domain,
    clusters: NDArray[Any] | None,
    weights: Floats | None,
    times: Counts | None = None,
) -> Sample:
    """The pairable units of `counts` and the values seen in them, as patterns or in clusters.

    `times`, shape (units,): a row of `counts` stands for so many units, all of one cluster.
    Needs a pairable unit; raises TableError for clusters that do not fit the units.
    """
    pairable = counts.sum(axis=1) >= 2
    kept = counts[pairable]
    seen = np.flatnonzero(kept.any(axis=0))
    kept = kept[:, seen]
    weight = np.ones(len(kept)) if weights is None else np.asarray(weights, float)[pairable]
    alike = None if times is None else times[pairable]
    if clusters is None:
        kinds = np.unique(weight, return_inverse=True)[1]
        rows, found = patterns(
            np.column_stack([kept, kinds]) if weights is not None else kept, alike
        )
        kept, weight = kept[rows], weight[rows]
        group, things = np.arange(rows.size), found.astype(float)
    else:
        ids = np.asarray(clusters)
        if ids.shape != counts.shape[:1]:
            raise TableError(f"clusters of shape {ids.shape} for {counts.shape[0]} units")
        group = np.unique(ids[pairable], return_inverse=True)[1]
        things = np.ones(group.max() + 1)
        weight = weight if alike is None else weight * alike
    distance = places = None
    values = [domain[c] for c in seen]
    if level == "interval" and seen.size > MANY:
        places = places_of(level, values)
        places = places - np.median(places)
    elif level != "ordinal" and not (level == "nominal" and seen.size > MANY):
        distance = distances_between(level, values, np.empty(0))
    n_uc, n = kept.astype(float), int(things.sum())
    return Sample(n_uc, n_uc.sum(axis=1), weight, group, things, n, distance, level, places)


def without_one(sample: Sample) -> Floats:
    """Alpha without each thing, shape (things,); nan where no variation is left."""
    counts, weight = sample.counts, sample.weights
    n_things = counts * weight[:, None]
    if not np.array_equal(sample.group, np.arange(sample.times.size)):
        of_rows, n_things = n_things, np.zeros((sample.times.size, counts.shape[1]))
        np.add.at(n_things, sample.group, of_rows)
    n_values = sample.times @ n_things - n_things
    if sample.level != "ordinal":
        own = np.bincount(sample.group, weight * _disagreements(sample))
        return alphas(sample.times @ own - own, n_values, sample)
    ranks = mid_ranks(n_values)
    alike = weight * sample.times[sample.group]
    share = alike / (sample.codings - 1)
    held = csr_array(counts) if counts.shape[1] > MANY else counts
    pooled = (held.T * share) @ held  # sum_u n_uc n_uc' w_u / (m_u - 1), c = c' corrected below
    alone = share @ counts
    products = ((pooled.T @ ranks.T).T * ranks).sum(axis=1) - np.square(ranks) @ alone
    everything = np.square(ranks) @ (np.asarray(pooled.sum(axis=0)) - alone) - products
    r = ranks[sample.group]
    own = sample.codings * (counts * r * r).sum(axis=1) - np.square((counts * r).sum(axis=1))
    gone = np.bincount(sample.group, weight * own / (sample.codings - 1))
    return alphas(2 * (everything - gone), n_values, sample)


def resampled(sample: Sample, resamples: int, seed: int) -> Floats:
    """Alpha of each resample, shape (resamples,); nan where it has no variation."""
    chance = np.random.default_rng(seed)
    block = max(1, BLOCK // max(sample.times.size, sample.group.size))
    values = []
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        drawn = chance.multinomial(sample.n, sample.times / sample.n, size=size)
        values.append(_drawn_alphas(sample, drawn[:, sample.group] * sample.weights))
    return np.concatenate(values)


def patterns(
    counts: Counts, times: Counts | None = None
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Distinct rows of `counts`: the position of one unit of each, and how many units are alike.

    `times`, shape (units,): a row counts as so many units.
    Each row becomes one whole number, column by column; before it would leave 63 bits, the
    numbers are replaced by their ranks. Exact, in O(units x values).
    """
    base = int(counts.max(initial=0)) + 1
    size = 1
    key: NDArray[np.int64] = np.zeros(counts.shape[0], np.int64)
    for column in counts.T:
        if size > 2**62 // base:
            ranks = np.unique(key, return_inverse=True)[1]
            key, size = ranks.astype(np.int64), counts.shape[0]
        key, size = key * base + column, size * base
    if times is None:
        _, first, alike = np.unique(key, return_index=True, return_counts=True)
        return first, alike
    _, first, kind = np.unique(key, return_index=True, return_inverse=True)
    return first, np.bincount(kind, times, first.size).astype(np.int64)


def _drawn_alphas(sample: Sample, drawn: Floats) -> Floats:
    """Alpha of each draw; `drawn`, shape (draws, rows), is how often each row counts."""
    n_values = drawn @ sample.counts
    if sample.level != "ordinal":
        return alphas(drawn @ _disagreements(sample), n_values, sample)
    ranks = mid_ranks(n_values)
    drawn = drawn / (sample.codings - 1)
    squares = (np.square(ranks) * ((drawn * sample.codings) @ sample.counts)).sum(axis=1)
    products = (drawn * np.square(ranks @ sample.counts.T)).sum(axis=1)
    return alphas(2 * (squares - products), n_values, sample)


def _disagreements(sample: Sample) -> Floats:
    """D_u = sum_cc' n_uc n_uc' d_cc' / (m_u - 1) of each row, for distances that are fixed."""
    if sample.distance is None:
        return disagreements(sample.counts, sample.codings, sample.places)
    if sample.counts.shape[1] > MANY:
        held = csr_array(sample.counts)
        apart = np.asarray(held.multiply(held @ sample.distance).sum(axis=1)).ravel()
    else:
        apart = ((sample.counts @ sample.distance) * sample.counts).sum(axis=1)
    return np.asarray(apart / (sample.codings - 1), float)


def alphas(disagreed: Floats, n_values: Floats, sample: Sample) -> Floats:
    """Alpha from sums: `disagreed` = sum_u D_u, shape (b,), and n_c, shape (b, values).

    alpha = 1 - (N - 1) sum_u D_u / sum_cc' n_c n_c' d_cc'. For ordinal distances, squared
    differences of mid-ranks R centred on 0, the divisor is 2 N sum_c n_c R_c^2.
    """
    total = n_values.sum(axis=1)
    if sample.level == "ordinal":
        by_chance = 2 * total * (n_values * np.square(mid_ranks(n_values))).sum(axis=1)
    elif sample.distance is not None:
        by_chance = ((n_values @ sample.distance) * n_values).sum(axis=1)
    else:
        by_chance = chance_disagreements(n_values, sample.places)
    varied = n_values.max(axis=1) < total * (1 - 1e-10)
    share = np.full(total.size, np.nan)
    np.divide((total - 1) * disagreed, by_chance, out=share, where=varied & (by_chance > 0))
    return np.asarray(1 - share, float)
