"""Codings of one variable, from any table → every coefficient, for the whole and for each code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Literal, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler.coding.coder_groups import grouped, pairs_across
from labeler.coding.vocabulary import between, within
from labeler.errors import InputError
from labeler.statistics.agreement.alpha import Counts, count_columns
from labeler.statistics.agreement.coefficients import coefficients
from labeler.statistics.agreement.distances import Level
from labeler.statistics.agreement.intervals import bootstrap
from labeler.statistics.agreement.kalpha import pair_bootstrap
from labeler.statistics.interval import Interval
from labeler.text.coded_values import codes_of
from labeler.text.names import unknown

SETS = ("masi", "jaccard")
NUMBERS = ("interval", "ratio")
CELLS = 200_000_000  # units x values that fit into the memory of a small machine
CODES = 400  # codes that were merely seen, beyond which none is compared with the rest
VALUES = 5_000  # different values: what lies between them is a square table

SEED = 1  # of resamples: the same table, the same interval
ALPHA = "krippendorff_alpha."

Columns = NDArray[np.signedinteger[Any]]
Method = Literal["jackknife", "bootstrap", "bca", "kalpha-2007", "kalpha-2011"]


class TableCoefficients(NamedTuple):
    """The coefficients of a table, by name; and by code, that code against the rest.

    `n_units` counts the units with a coding, `n_pairable` the codings of units with two or more.
    """

    n_units: int
    n_coders: int
    n_pairable: int
    level: str
    coefficients: dict[str, Interval]
    per_code: dict[str, dict[str, Interval]]


class Pair(NamedTuple):
    """Two coders on the units that both coded."""

    first: str
    second: str
    n_units: int
    coefficients: dict[str, Interval]


class GroupAgreement(NamedTuple):
    """The coders of a group among themselves, or of one group with those of another."""

    panel: str
    coders: list[str]
    n_units: int
    n_pairs: int
    coefficients: dict[str, Interval]


class Matrix(NamedTuple):
    """Who gave what: positions in `domain`, shape (coders, units), -1 not coded.

    For sets `domain` holds the sets that were given.
    """

    coders: list[str]
    units: pd.Index[str]
    domain: list[str]
    columns: Columns


def matrix(codings: pd.DataFrame, domain: Sequence[str], level: Level) -> Matrix:
    """The codings (columns unit, coder, value, line) as a matrix: coders as they come first, units
    by their lines.

    `domain` names the codes in order. Raises InputError where nothing is coded, or where there
    are more values than can be compared with each other.
    """
    if codings.empty:
        raise InputError("no cell holds a coding: are the columns those of the coders?")
    values = sorted(codings["value"].unique()) if level in SETS else list(domain)
    seen, names = pd.factorize(codings["unit"])
    lines = np.full(len(names), np.iinfo(np.int64).max)
    np.minimum.at(lines, seen, codings["line"].to_numpy())
    order = np.argsort(lines, kind="stable")
    units = pd.Index(names.take(order))
    if len(values) > VALUES or len(values) * len(units) > CELLS:
        raise InputError(
            f"{len(values)} different values of {len(units)} units are too many to compare each "
            "with each: round the numbers, or group the values"
        )
    cells = np.argsort(order)[seen]
    del seen, names, lines, order  # of millions of codings: as much memory as they have themselves
    rows, coders = pd.factorize(codings["coder"])
    rows *= len(units)
    cells += rows
    del rows
    place = {value: number for number, value in enumerate(values)}
    given, texts = pd.factorize(codings["value"])
    columns = np.full(len(coders) * len(units), -1, dtype=np.int16)
    columns[cells] = np.array([place[text] for text in texts], dtype=np.int16)[given]
    return Matrix(list(coders), units, values, columns.reshape(len(coders), len(units)))


def agreement(
    given: Matrix,
    *,
    codes: Sequence[str],
    level: Level,
    declared: bool,
    method: Method = "jackknife",
) -> TableCoefficients:
    """Every coefficient that applies, for the whole and one code against the rest.

    `codes` are the codes in order, `declared` whether somebody declared them: numbers that were
    merely seen (interval, ratio) are no codes, and have no agreement of their own; nor have more
    than CODES that nobody declared. `method` is that of alpha's intervals.
    """
    times = (given.columns >= 0).sum(axis=0)
    by_code = codes if declared or (level not in NUMBERS and len(codes) <= CODES) else []
    return TableCoefficients(
        n_units=len(given.units),
        n_coders=len(given.coders),
        n_pairable=int(times[times > 1].sum()),
        level=level,
        coefficients=_estimated(given.columns, given.domain, level, method),
        per_code={code: one_against_the_rest(given, code, method) for code in by_code},
    )


def one_against_the_rest(
    given: Matrix, code: str, method: Method = "jackknife"
) -> dict[str, Interval]:
    """The coefficients of one code: given or not; of a set, whether the code is in it."""
    holds = np.array([code == value or code in codes_of(value) for value in given.domain])
    columns = np.where(given.columns < 0, np.int8(-1), holds[given.columns].astype(np.int8))
    return _estimated(columns, ["no", "yes"], "nominal", method)


def _estimated(
    columns: Columns, domain: list[str], level: Level, method: Method
) -> dict[str, Interval]:
    """All coefficients; alpha with intervals by another method than the default, where asked."""
    found = coefficients(columns, domain=domain, level=level)
    if method == "jackknife":
        return found
    counts = count_columns(columns, len(domain))
    for name, default in found.items():
        if name.startswith(ALPHA) and not np.isnan(default.value):
            kind = cast("Level", name.removeprefix(ALPHA))
            found[name] = _resampled(counts, domain, kind, method, n_coders=len(columns))
    return found


def _resampled(
    counts: Counts,
    domain: list[str],
    level: Level,
    method: Method,
    *,
    n_coders: int,
) -> Interval:
    """The same alpha with an interval from resamples; KALPHA's has no standard error."""
    if method in ("bootstrap", "bca"):
        of: Literal["percentile", "BCa"] = "BCa" if method == "bca" else "percentile"
        return bootstrap(counts, level=level, domain=domain, seed=SEED, kind=of)
    made = pair_bootstrap(
        counts,
        level=level,
        domain=domain,
        n_coders=n_coders,
        seed=SEED,
        rule=2007 if method == "kalpha-2007" else 2011,
    )
    return made.interval


def pairs(given: Matrix, *, level: Level) -> list[Pair]:
    """Each pair of coders: alpha of the level, Cohen's kappa (but of sets) and percent."""
    names = [f"krippendorff_alpha.{level}", "cohen_kappa", "percent_agreement"]
    found = []
    for first, second in combinations(range(len(given.coders)), 2):
        own = given.columns[[first, second]]
        both = (own >= 0).all(axis=0)
        asked = [name for name in names if level not in SETS or name != "cohen_kappa"]
        estimates = coefficients(own, domain=given.domain, level=level, names=asked)
        who = (given.coders[first], given.coders[second])
        found.append(Pair(*who, int(both.sum()), estimates))
    return found


def by_group(given: Matrix, groups: Mapping[str, str], *, level: Level) -> list[GroupAgreement]:
    """Alpha of the level and percent, within each group of two coders or more and between each two.

    `groups`: coder → group; see `coding.coder_groups`. Raises InputError for a coder that the table
    lacks.
    """
    for coder in groups:
        if coder not in given.coders:
            raise InputError(unknown("coder", coder, given.coders))
    of = grouped(given.coders, groups)
    rows = {name: [given.coders.index(coder) for coder in own] for name, own in of.items()}
    every = np.arange(len(given.units))
    found = [
        _of_group(given, level, within(name), own, given.columns[rows[name]], every)
        for name, own in of.items()
        if len(own) > 1
    ]
    for one, other in combinations(of, 2):
        columns, unit = pairs_across(given.columns, rows[one], rows[other])
        who = [*of[one], *of[other]]
        found.append(_of_group(given, level, between(one, other), who, columns, unit))
    return found


def _of_group(
    given: Matrix,
    level: Level,
    panel: str,
    coders: list[str],
    columns: Columns,
    unit: NDArray[np.intp],
) -> GroupAgreement:
    """`columns` (coders, rows) and the unit of each row; several rows of a unit are a cluster."""
    times = (columns >= 0).sum(axis=0)
    names = [f"{ALPHA}{level}", "percent_agreement"]
    several = np.unique(unit).size < unit.size
    found = coefficients(
        columns,
        domain=given.domain,
        level=level,
        names=names,
        clusters=unit if several else None,
    )
    n_pairs = int((times * (times - 1) // 2).sum())
    return GroupAgreement(panel, coders, len(np.unique(unit[times > 1])), n_pairs, found)


def table(given: Matrix) -> pd.DataFrame:
    """The table that the coefficients were computed from: a row a unit, a column a coder."""
    values = np.array([*given.domain, ""], dtype=object)
    frame = pd.DataFrame(values[given.columns].T, columns=given.coders, dtype="str")
    frame.insert(0, "unit", given.units, allow_duplicates=True)
    return frame
