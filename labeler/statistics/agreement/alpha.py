"""Agreement between coders: coincidences, Krippendorff's alpha, percent agreement.

The data form is `counts`, shape (units, values): how many coders gave unit u the value c, with a
column for each value of the declared domain, in codebook order. A coder who did not code a unit
leaves no trace in it, so "not coded" can never become a value. A unit is *pairable* when at least
two coders coded it; only pairable units enter a coefficient.

Formulas: Krippendorff, Content Analysis, 4th ed. (2018), chapter 12; Krippendorff (2011),
Computing Krippendorff's Alpha-Reliability.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import krippendorff
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from labeler.errors import LabelerError, TableError
from labeler.statistics.agreement.distances import (
    Domain,
    Floats,
    Level,
    as_sets,
    check_domain,
    distances_between,
    mid_ranks,
    name_of,
    places_of,
)

Counts = NDArray[np.int64]

CHECK_TOLERANCE = 1e-9
MANY = 64  # values (sets, mostly) from which counts are mostly zeros and kept as such
BY_MOMENTS = ("nominal", "ordinal", "interval")  # levels that need no table of distances
CHECK_CELLS = 2_000_000  # units x values^2 that the second computation may hold in memory, thrice


class Percent(NamedTuple):
    """Percent agreement by its two definitions, as shares from 0 to 1; nan without pairable unit.

    `of_units`: mean over pairable units of the share of agreeing pairs of coders (Gwet's pa).
    `of_pairable`: 1 minus the nominal observed disagreement, so that a unit weighs by its number
    of codings (Krippendorff). The two differ as soon as codings are missing.
    """

    of_units: float
    of_pairable: float


class Agreement(NamedTuple):
    """Alpha, and what it was made of.

    `value` is nan exactly when `note` says why. `observed` and `expected` are the disagreements
    Do and De in units of the squared distance of the level. `n_units` counts units with a coding,
    `n_pairable_units` those with two or more, `n_pairable` the codings in the latter.
    """

    value: float
    note: str
    observed: float
    expected: float
    n_units: int
    n_pairable_units: int
    n_pairable: int
    percent: float
    percent_pairable: float


def alpha_checked(
    counts: Counts,
    *,
    level: Level,
    domain: Domain,
    weights: Floats | None = None,
    times: Counts | None = None,
    tolerance: float = CHECK_TOLERANCE,
    cells: int = CHECK_CELLS,
) -> Agreement:
    """`alpha`, computed a second time by the krippendorff package.

    A difference above `tolerance` raises LabelerError with both values. The package knows no
    weights: a weighted alpha is not computed twice. It needs memory for units x values^2 numbers;
    above so many `cells` the two are compared on every k-th unit, the smallest k that fits.
    """
    agreement = alpha(counts, level=level, domain=domain, weights=weights, times=times)
    if weights is None and not math.isnan(agreement.value):
        n_units = counts.shape[0] if times is None else int(times.sum())
        step = math.ceil(n_units * counts.shape[1] ** 2 / cells)
        every = np.arange(0, n_units, max(step, 1))
        part = counts[every if times is None else np.cumsum(times).searchsorted(every, "right")]
        ours = alpha(part, level=level, domain=domain).value if step > 1 else agreement.value
        if not math.isnan(ours):
            compare(ours, second_alpha(part, level, domain), level, tolerance)
    return agreement


def alpha(
    counts: Counts,
    *,
    level: Level,
    domain: Domain,
    weights: Floats | None = None,
    times: Counts | None = None,
) -> Agreement:
    """Krippendorff's alpha, 1 - Do/De.

    `counts` has shape (units, values), `domain` names its columns in order: codes; numbers as
    text for `interval` and `ratio`; for `masi` and `jaccard` frozensets or codes joined by "+"
    (the empty text is the empty set). `weights`, shape (units,), are 1/inclusion probability: a
    unit counts as that many units, and alpha estimates what a coding of all units would give.
    `times`, shape (units,): a row stands for so many units with these counts (and this weight).

    Undefined (nan, with the reason in `note`) without a pairable unit or without variation.
    Raises TableError when shapes, counts, weights or domain break their rules.
    """
    check_counts(counts, domain, weights)
    units = _pairable(counts, weights, times)
    n_values = _summed(units.weights, units.counts)
    seen = np.flatnonzero(n_values)
    percent = _percent(units)
    note = "" if seen.size > 1 else reason_undefined(counts, domain)
    observed, expected, value = math.nan, math.nan, math.nan
    if seen.size:
        n = n_values[seen]
        values = [domain[column] for column in seen]
        if seen.size > MANY and level in BY_MOMENTS:
            disagreed, by_chance = _of_many(units, seen, values, level)
        else:
            apart = distances_between(level, values, n)
            disagreed = _disagreed(units, seen, apart, level)
            by_chance = float((np.outer(n, n) * apart).sum())
        observed = disagreed / float(n.sum())
        expected = by_chance / float(n.sum() * (n.sum() - 1))
    if not note:
        value = 1 - observed / expected
    return Agreement(
        value=value,
        note=note,
        observed=observed,
        expected=expected,
        n_units=units.coded,
        n_pairable_units=int(units.times.sum()),
        n_pairable=int((units.codings * units.times).sum()),
        percent=percent.of_units,
        percent_pairable=percent.of_pairable,
    )


def count_values(
    codings: NDArray[np.object_] | Sequence[Sequence[str | None]], domain: Sequence[str]
) -> Counts:
    """Codings, shape (coders, units), to counts, shape (units, values of the domain).

    A coding is a text of the domain; None or nan means that the coder did not code the unit.
    Raises TableError for a value outside the domain (a number is not a text), for coders with
    different numbers of units, and for a domain that repeats a value.
    """
    check_domain(domain)
    rows = np.array(codings, dtype=object)
    if rows.ndim != 2:
        raise TableError("codings must have the shape (coders, units): one row of units a coder")
    index: dict[object, int] = {value: column for column, value in enumerate(domain)}
    columns = np.fromiter((index.get(value, -1) for value in rows.flat), np.intp, rows.size)
    columns = columns.reshape(rows.shape)
    for coder, unit in np.argwhere(columns < 0):
        value = rows[coder, unit]
        if value is not None and not (isinstance(value, float) and math.isnan(value)):
            raise TableError(
                f"codings[{coder}][{unit}]: {value!r} is none of the declared values "
                f"({', '.join(map(repr, domain))}); declare it in the codebook or change the coding"
            )
    return count_columns(columns, len(domain))


def count_columns(columns: NDArray[np.integer[Any]], size: int) -> Counts:
    """Positions in the domain, shape (coders, units), -1 for not coded, to counts (units, size)."""
    counts = np.zeros((columns.shape[1], size), np.int64)
    for row in columns:
        coded = np.flatnonzero(row >= 0)
        counts[coded, row[coded]] += 1
    return counts


def coincidences(counts: Counts, *, weights: Floats | None = None) -> Floats:
    """The coincidence matrix, shape (values, values).

    o_cc' = sum_u w_u n_uc (n_uc' - 1[c = c']) / (m_u - 1) over pairable units. Its row sums are
    the numbers of pairable codings of each value, its total that of all.
    """
    return _pooled(_pairable(counts, weights))


def distances(level: Level, domain: Domain, counts: Counts) -> Floats:
    """Squared distances between the values of the domain, shape (values, values).

    See `distances_between`; the n_g of `ordinal` are the pairable codings in `counts`.
    """
    check_counts(counts, domain, None)
    return distances_between(
        level, domain, counts[counts.sum(axis=1) >= 2].sum(axis=0).astype(float)
    )


def check_counts(counts: Counts, domain: Domain, weights: Floats | None) -> None:
    """Raise TableError unless counts, domain and weights fit each other."""
    check_domain(domain)
    if counts.ndim != 2 or counts.shape[1] != len(domain):
        raise TableError(
            f"counts of shape {counts.shape} need one column for each of the {len(domain)} "
            "declared values"
        )
    if not np.issubdtype(counts.dtype, np.integer) or (counts < 0).any():
        raise TableError("counts must be whole numbers of codings, none below 0")
    if weights is None:
        return
    check_weights(weights, counts.shape[0])


def check_weights(weights: Floats, n_units: int) -> None:
    """Raise TableError unless there is a weight, 1/inclusion probability, for each unit."""
    weight = np.asarray(weights, float)
    if weight.shape != (n_units,):
        raise TableError(f"weights of shape {weight.shape} for {n_units} units")
    if not np.isfinite(weight).all() or (weight < 1 - CHECK_TOLERANCE).any():
        raise TableError("a weight is 1/inclusion probability of its unit: finite, at least 1")


class _Units(NamedTuple):
    """The pairable units: counts (units, values), codings m_u, and weights and times (units,).

    A weight is that of all units that a row stands for. `coded` is the number of units with a
    coding, pairable or not.
    """

    counts: Floats
    codings: Floats
    weights: Floats
    times: Floats
    coded: int


def _pairable(counts: Counts, weights: Floats | None, times: Counts | None = None) -> _Units:
    n = counts.astype(float)
    codings: Floats = np.einsum("uc->u", n)
    alike = np.ones(codings.size) if times is None else times.astype(float)
    coded = int(alike[codings > 0].sum())
    weight = alike if weights is None else np.asarray(weights, float) * alike
    kept = np.flatnonzero(codings >= 2)
    if kept.size < codings.size:
        n, codings, weight, alike = n.take(kept, axis=0), codings[kept], weight[kept], alike[kept]
    return _Units(n, codings, weight, alike, coded)


def _summed(weights: Floats, counts: Floats) -> Floats:
    """sum_u w_u n_uc, without BLAS, whose threads cost more than the sum on a busy machine."""
    n_values: Floats = np.einsum("u,uc->c", weights, counts)
    return n_values


def disagreements(counts: Floats, codings: Floats, places: Floats | None) -> Floats:
    """D_u = sum_cc' n_uc n_uc' d_cc' / (m_u - 1), shape (units,), without a table of distances.

    `places`, shape (values,): d is the squared difference of places, so that the sum is
    2 m_u sum_c n_uc (x_c - mean_u)^2; None: d is 1 for different values, m_u^2 - sum_c n_uc^2.
    """
    unit, value = np.nonzero(counts)
    n = counts[unit, value]
    apart: Floats
    if places is None:
        apart = np.square(codings) - np.bincount(unit, n * n, codings.size)
    else:
        x = places[value]
        mean = np.bincount(unit, n * x, codings.size) / codings
        spread = np.bincount(unit, n * np.square(x - mean[unit]), codings.size)
        apart = 2 * codings * spread
    return np.asarray(apart / (codings - 1), float)


def chance_disagreements(n_values: Floats, places: Floats | None) -> Floats:
    """sum_cc' n_c n_c' d_cc', for numbers of values of the shape (…, values); see `disagreements`.

    With squared differences it is 2 (N sum_c n_c x_c^2 - (sum_c n_c x_c)^2).
    """
    total = n_values.sum(axis=-1)
    if places is None:
        return np.asarray(np.square(total) - np.square(n_values).sum(axis=-1), float)
    moments = total * (n_values @ np.square(places)) - np.square(n_values @ places)
    return np.asarray(2 * moments, float)


def _of_many(
    units: _Units, seen: NDArray[np.intp], values: Domain, level: Level
) -> tuple[float, float]:
    """sum_u w_u D_u and sum_cc' n_c n_c' d_cc', of more values than a table should hold."""
    n = _summed(units.weights, units.counts)[seen]
    places: Floats | None = None
    if level != "nominal":
        places = mid_ranks(n) if level == "ordinal" else places_of(level, values)
        places = places - np.average(places, weights=n)
    everywhere = None if places is None else np.zeros(units.counts.shape[1])
    if everywhere is not None:
        everywhere[seen] = places
    own = disagreements(units.counts, units.codings, everywhere)
    return float(units.weights @ own), float(chance_disagreements(n, places))


def _disagreed(units: _Units, seen: NDArray[np.intp], apart: Floats, level: Level) -> float:
    """sum_u w_u D_u, D_u = sum_cc' n_uc n_uc' d_cc' / (m_u - 1); `apart`: d of the values seen."""
    if level != "nominal":
        return float((_pooled(units)[np.ix_(seen, seen)] * apart).sum())
    n, m = units.counts, units.codings
    return float((units.weights / (m - 1) * (m * m - np.einsum("uc,uc->u", n, n))).sum())


def _pooled(units: _Units) -> Floats:
    share = units.weights / (units.codings - 1)
    if units.counts.shape[1] > MANY:
        held = csr_array(units.counts)
        pooled: Floats = (held.T.multiply(share) @ held).toarray()
    else:
        pooled = (units.counts * share[:, None]).T @ units.counts
    pooled[np.diag_indices_from(pooled)] -= _summed(share, units.counts)
    return pooled


def _percent(units: _Units) -> Percent:
    n, m, weight = units.counts, units.codings, units.weights
    if not m.size:
        return Percent(math.nan, math.nan)
    same = (np.einsum("uc,uc->u", n, n) - m) / (m - 1)
    return Percent(
        of_units=float((weight * same / m).sum() / weight.sum()),
        of_pairable=float((weight * same).sum() / (weight * m).sum()),
    )


def reason_undefined(counts: Counts, domain: Domain) -> str:
    """Why alpha is undefined, for counts with fewer than two values in pairable units."""
    if not counts.any():
        return "no coding"
    pairable = counts[counts.sum(axis=1) >= 2]
    if not len(pairable):
        return "no pairable unit: no unit was coded by two or more coders"
    every = "coding" if np.count_nonzero(counts.any(axis=0)) == 1 else "pairable coding"
    return f"no variation: every {every} is {name_of(domain[int(pairable[0].argmax())])}"


def compare(ours: float, theirs: float, level: Level, tolerance: float) -> None:
    """LabelerError where two computations of alpha differ."""
    if not abs(ours - theirs) <= tolerance:
        raise LabelerError(
            f"two computations of the {level} alpha differ: {ours!r} (labeler) and {theirs!r} "
            "(krippendorff package); nothing was reported, please file this as a defect"
        )


def second_alpha(counts: Counts, level: Level, domain: Domain) -> float:
    """Alpha by the krippendorff package, of the pairable units and the values seen in them."""
    pairable = counts[counts.sum(axis=1) >= 2]
    seen = np.flatnonzero(pairable.any(axis=0))
    values = [domain[column] for column in seen]
    metric: str | Callable[..., Floats] = level
    numbers: Any = np.arange(len(values))
    if level in ("interval", "ratio"):
        numbers = np.array(values, dtype=float)
    elif level in ("masi", "jaccard"):
        metric = _set_metric(level, as_sets(values))
    return float(
        krippendorff.alpha(
            value_counts=pairable[:, seen], value_domain=numbers, level_of_measurement=metric
        )
    )


def _set_metric(level: Level, sets: list[frozenset[str]]) -> Callable[..., Floats]:
    """The distance of two sets for the package: written pair by pair, apart from the core's."""

    def distance(a: frozenset[str], b: frozenset[str]) -> float:
        if a == b:
            return 0.0
        jaccard = len(a & b) / len(a | b)
        if level == "jaccard":
            return 1 - jaccard
        return 1 - jaccard * (2 / 3 if a < b or b < a else 1 / 3)

    def metric(_v1: Any, _v2: Any, i1: Any, i2: Any, **_rest: Any) -> Floats:
        table: Floats = np.array([[distance(a, b) for b in sets] for a in sets])[i1, i2]
        return table

    return metric
