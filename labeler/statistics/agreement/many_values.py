"""Alpha of codings with hundreds of different values, and alpha without each unit.

A table of units x values would be mostly zeros. Here a unit is its few codings: time and memory go
with the codings, for `ratio` (time) and `ordinal` (time) also with the square of the values seen.
The results are those of `alpha.alpha` and `resampling.without_one`, which hold the formulas: with
N codings, n_c of value c, S = sum_u D_u and C = sum_cc' n_c n_c' d_cc', alpha is 1 - (N - 1) S/C,
and without unit u it is the same of N - m_u, S - D_u and
C - 2 sum_i (d n)_(c_i) + (m_u - 1) D_u, c_i being the codings of u and (d n)_c = sum_c' d_cc' n_c'.
Ordinal distances change with each unit that is left out; see `_ordinal`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from labeler.statistics.agreement.alpha import (
    CHECK_CELLS,
    CHECK_TOLERANCE,
    Agreement,
    compare,
    count_columns,
    second_alpha,
)
from labeler.statistics.agreement.distances import (
    Domain,
    Floats,
    Level,
    mid_ranks,
    places_of,
)

Ints = NDArray[np.intp]

BLOCK = 256  # rows of a square table of values that are held at once


class PaddedCodings(NamedTuple):
    """The codings of the pairable units: positions among the values seen, -1 where there are less.

    value (most codings of a unit, units); m (units,): codings of a unit; domain: the values seen,
    in order; coded: units with a coding, pairable or not.
    """

    value: Ints
    m: Floats
    domain: list[Any]
    coded: int

    @property
    def n_values(self) -> Floats:
        """How often each value seen was given."""
        return np.bincount(self.value[self.value >= 0], minlength=len(self.domain)).astype(float)


class _Pairs(NamedTuple):
    """The pairs of codings of a unit that differ: values low < high, the unit, 2/(m_u - 1)."""

    low: Ints
    high: Ints
    unit: Ints
    weight: Floats


def padded(columns: NDArray[np.integer[Any]], domain: Domain) -> PaddedCodings:
    """Codings as `coefficients` takes them, shape (coders, units), -1 not coded."""
    given = columns.T
    unit, coder = np.nonzero(given >= 0)
    coded = np.bincount(unit, minlength=len(given))
    kept = coded[unit] >= 2
    unit, coder = unit[kept], coder[kept]
    seen, value = np.unique(given[unit, coder], return_inverse=True)
    ids, row, m = np.unique(unit, return_inverse=True, return_counts=True)
    place = np.arange(row.size) - (np.cumsum(m) - m)[row]
    cells = np.full((int(m.max(initial=0)), ids.size), -1)
    cells[place, row] = value
    return PaddedCodings(
        cells, m.astype(float), [domain[c] for c in seen], int(np.count_nonzero(coded))
    )


def labelled_within(codings: PaddedCodings) -> Ints:
    """The codings with a unit's first value as 0, its next as 1 …: who agrees with whom is kept."""
    labels = np.full_like(codings.value, -1)
    for place in reversed(range(len(codings.value))):
        labels[(codings.value == codings.value[place]) & (codings.value >= 0)] = place
    return labels


def rare_units(codings: PaddedCodings) -> tuple[int, Any]:
    """How many units carry another value than the commonest, and that one."""
    commonest = int(codings.n_values.argmax())
    others = (codings.value >= 0) & (codings.value != commonest)
    return int(others.any(axis=0).sum()), codings.domain[commonest]


def alpha_of_many(codings: PaddedCodings, level: Level) -> tuple[Agreement, Floats]:
    """Alpha, and alpha without each pairable unit, shape (units,), for nominal to ratio.

    Needs two units and more values than a unit has codings. The krippendorff package computes
    alpha again for every k-th unit, as many as a table of their values has room for; LabelerError
    where it finds another.
    """
    _check(codings, level)
    return _alphas(codings, level)


def _check(codings: PaddedCodings, level: Level) -> None:
    most = len(codings.value)
    units = codings.m.size
    step = math.ceil(units / max(2, round((CHECK_CELLS / most**2) ** (1 / 3))))
    part = padded(codings.value[:, ::step], codings.domain)
    counts = count_columns(part.value, len(part.domain))
    ours = _alphas(part, level)[0].value
    theirs = second_alpha(counts, level, part.domain)
    if not (math.isnan(ours) and math.isnan(theirs)):
        compare(ours, theirs, level, CHECK_TOLERANCE)


def _alphas(codings: PaddedCodings, level: Level) -> tuple[Agreement, Floats]:
    n, total = codings.n_values, codings.m.sum()
    pairs = _pairs(codings)
    same = _counted_twice(codings)
    known = same[codings.value >= 0]
    alike = _summed(_units(codings), known, codings.m.size)
    if level == "ordinal":
        disagreed, chance, left, left_chance = _ordinal(codings, pairs, n, same)
    else:
        own, around = _fixed(codings, pairs, n, alike, level)
        disagreed, chance = float(own.sum()), float(n @ around)
        left = disagreed - own
        left_chance = chance - 2 * _by_unit(codings, around) + own * (codings.m - 1)
    share = np.full(codings.m.size, np.nan)
    np.divide((total - codings.m - 1) * left, left_chance, out=share, where=left_chance > 0)
    value = 1 - (total - 1) * disagreed / chance if chance > 0 else math.nan
    agreed = (alike - codings.m) / (codings.m - 1)
    point = Agreement(
        value=float(value),
        note="",
        observed=disagreed / float(total),
        expected=chance / float(total * (total - 1)),
        n_units=codings.coded,
        n_pairable_units=codings.m.size,
        n_pairable=int(total),
        percent=float((agreed / codings.m).mean()) if codings.m.size else math.nan,
        percent_pairable=float(agreed.sum() / total) if codings.m.size else math.nan,
    )
    return point, 1 - share


def _pairs(codings: PaddedCodings) -> _Pairs:
    low, high, units = [], [], []
    for first in range(len(codings.value)):
        for second in range(first + 1, len(codings.value)):
            one, other = codings.value[first], codings.value[second]
            unit = np.flatnonzero((other >= 0) & (one != other))
            low.append(np.minimum(one, other)[unit])
            high.append(np.maximum(one, other)[unit])
            units.append(unit)
    unit = np.concatenate(units)
    return _Pairs(np.concatenate(low), np.concatenate(high), unit, 2 / (codings.m[unit] - 1))


def _units(codings: PaddedCodings) -> Ints:
    """The unit of each coding, as `codings.value[codings.value >= 0]` has them."""
    return np.asarray(np.nonzero(codings.value >= 0)[1], np.intp)


def _summed(of: Ints, what: Floats, size: int) -> Floats:
    """The sums of `what` by the places `of`, shape (size,)."""
    return np.asarray(np.bincount(of, what, size), float)


def _by_unit(codings: PaddedCodings, of_value: Floats) -> Floats:
    """The sum over a unit's codings of what belongs to their values, shape (units,)."""
    known = codings.value[codings.value >= 0]
    return _summed(_units(codings), of_value[known], codings.m.size)


def _counted_twice(codings: PaddedCodings) -> Floats:
    """How many codings of its unit have a coding's value, shape as `codings.value`."""
    same = np.zeros(codings.value.shape)
    for row in codings.value:
        same += codings.value == row
    return same


def _fixed(
    codings: PaddedCodings, pairs: _Pairs, n: Floats, alike: Floats, level: Level
) -> tuple[Floats, Floats]:
    """D_u, shape (units,), and (d n)_c, shape (values,), of distances that are fixed."""
    if level == "nominal":
        return (np.square(codings.m) - alike) / (codings.m - 1), n.sum() - n
    x = places_of(level, codings.domain)
    if level == "interval":
        x = x - np.average(x, weights=n)
        apart = np.square(x[pairs.high] - x[pairs.low])
        around = n.sum() * np.square(x) - 2 * x * (n @ x) + n @ np.square(x)
    else:
        apart = np.square((x[pairs.high] - x[pairs.low]) / (x[pairs.high] + x[pairs.low]))
        around = np.concatenate(
            [_ratios(x[start : start + BLOCK], x) @ n for start in range(0, x.size, BLOCK)]
        )
    return _summed(pairs.unit, pairs.weight * apart, codings.m.size), around


def _ratios(some: Floats, x: Floats) -> Floats:
    total = some[:, None] + x
    return np.asarray(np.square((some[:, None] - x) / np.where(total == 0, 1, total)), float)


def _ordinal(
    codings: PaddedCodings, pairs: _Pairs, n: Floats, same: Floats
) -> tuple[float, float, Floats, Floats]:
    """S and C, then both without each unit, of squared differences of mid-ranks R.

    Without a coding of value v the mid-ranks above v are 1 less, that of v is 1/2 less: they are
    R - h_v (up to a constant, which no difference sees). With Q(x, y) the sum over pairs of
    codings of their weights times the differences of x and of y, S = Q(R, R) becomes, without the
    codings v_i of unit u and before its own pairs are taken off,
    Q(R, R) - 2 sum_i Q(R, h_(v_i)) + sum_ij Q(h_(v_i), h_(v_j)). And since
    sum_c n_c R_c^2 = (N^3 - sum_c n_c^3)/12, C = 2 N sum_c n_c R_c^2 = N (N^3 - sum_c n_c^3)/6.
    """
    ranks = mid_ranks(n)
    apart = ranks[pairs.high] - ranks[pairs.low]
    disagreed = float(pairs.weight @ np.square(apart))
    size = n.size
    linear = _between(pairs, pairs.weight * apart, size, 1 / 2)  # Q(R, h_v) of each v
    alone = _between(pairs, pairs.weight, size, 1 / 4)  # Q(h_v, h_v)
    moved = _by_unit(codings, -2 * linear)
    known = codings.value >= 0
    moved += _summed(_units(codings), (alone[codings.value] * same)[known], codings.m.size)
    moved += _summed(pairs.unit, 2 * _both(pairs, size), codings.m.size)
    less = np.zeros(pairs.low.size)  # by how much the pair's own distance shrinks without its unit
    for row in codings.value:
        v = row[pairs.unit]
        inner = (pairs.low < v) & (v < pairs.high)
        less += (v >= 0) * (inner + 0.5 * ((v == pairs.low) | (v == pairs.high)))
    own = _summed(pairs.unit, pairs.weight * np.square(apart - less), codings.m.size)
    total, cubes = n.sum(), float((n**3).sum())
    gone = np.zeros(codings.m.size)
    for row, times in zip(codings.value, same, strict=True):
        there = row >= 0
        k, of = times[there], n[row[there]]
        gone[there] += (of**3 - (of - k) ** 3) / k
    rest = total - codings.m
    chance = float(total * (total**3 - cubes) / 6)
    return disagreed, chance, disagreed + moved - own, rest * (rest**3 - cubes + gone) / 6


def _between(pairs: _Pairs, weight: Floats, size: int, end: float) -> Floats:
    """For each value the sum of the weights of pairs that it lies between; `end` of it at ends."""
    low, high = (np.bincount(of, weight, size + 1) for of in (pairs.low, pairs.high))
    inside = np.cumsum(low - np.append(0.0, high[:-1]))
    return np.asarray((inside - (1 - end) * (low + high))[:size], float)


def _both(pairs: _Pairs, size: int) -> Floats:
    """Q(h_v, h_v') for v = low and v' = high of each pair: the weights of all pairs from at or
    below v to at or above v', half where they begin at v, and half where they end at v'."""
    table = csr_array((pairs.weight, (pairs.low, pairs.high)), shape=(size, size))
    order = np.argsort(pairs.low, kind="stable")
    starts = np.searchsorted(pairs.low[order], np.arange(0, size + BLOCK, BLOCK))
    found = np.zeros(pairs.low.size)
    below = np.zeros(size)
    for block, start in enumerate(range(0, size, BLOCK)):
        rows = table[start : start + BLOCK].toarray()
        until = np.cumsum(rows, axis=0)
        begun = below + until - rows / 2
        above = np.cumsum(begun[:, ::-1], axis=1)[:, ::-1] - begun / 2
        asked = order[starts[block] : starts[block + 1]]
        found[asked] = above[pairs.low[asked] - start, pairs.high[asked]]
        below += until[-1]
    return found
