"""Codings of one variable, from any table → every coefficient, for the whole and for each code."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler.errors import InputError
from labeler.statistics.coefficients import Estimate, coefficients
from labeler.statistics.distances import Level

SETS = ("masi", "jaccard")
NUMBERS = ("interval", "ratio")
CELLS = 200_000_000  # units x values that fit into the memory of a small machine
VALUES = 5_000  # different values: what lies between them is a square table

Columns = NDArray[np.int64]


class Agreed(NamedTuple):
    """The coefficients of a table, by name; and by code, that code against the rest.

    `n_units` counts the units with a coding, `n_pairable` the codings of units with two or more.
    """

    n_units: int
    n_coders: int
    n_pairable: int
    level: str
    coefficients: dict[str, Estimate]
    per_code: dict[str, dict[str, Estimate]]


class Pair(NamedTuple):
    """Two coders on the units that both coded."""

    first: str
    second: str
    n_units: int
    coefficients: dict[str, Estimate]


class Matrix(NamedTuple):
    """Who gave what: positions in `domain`, shape (coders, units), -1 not coded.

    For sets `domain` holds the sets that were given.
    """

    coders: list[str]
    units: list[str]
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
    rows, coders = pd.factorize(codings["coder"])
    by_line = codings.sort_values("line", kind="stable")["unit"]
    units = by_line.drop_duplicates().tolist()
    places = codings["unit"].map({unit: place for place, unit in enumerate(units)}).to_numpy()
    if len(values) > VALUES or len(values) * len(units) > CELLS:
        raise InputError(
            f"{len(values)} different values of {len(units)} units are too many to compare each "
            "with each: round the numbers, or group the values"
        )
    place = {value: number for number, value in enumerate(values)}
    columns = np.full((len(coders), len(units)), -1, dtype=np.int64)
    columns[rows, places] = codings["value"].map(place).to_numpy(dtype=np.int64)
    return Matrix(list(coders), units, values, columns)


def agreement(given: Matrix, *, codes: Sequence[str], level: Level, declared: bool) -> Agreed:
    """Every coefficient that applies, for the whole and one code against the rest.

    `codes` are the codes in order, `declared` whether somebody declared them: numbers that were
    merely seen (interval, ratio) are no codes, and have no agreement of their own.
    """
    times = (given.columns >= 0).sum(axis=0)
    by_code = [] if level in NUMBERS and not declared else codes
    return Agreed(
        n_units=len(given.units),
        n_coders=len(given.coders),
        n_pairable=int(times[times > 1].sum()),
        level=level,
        coefficients=coefficients(given.columns, domain=given.domain, level=level),
        per_code={code: one_against_the_rest(given, code) for code in by_code},
    )


def one_against_the_rest(given: Matrix, code: str) -> dict[str, Estimate]:
    """The coefficients of one code: given or not; of a set, whether the code is in it."""
    holds = np.array([code in value.split("+") or code == value for value in given.domain])
    columns = np.where(given.columns < 0, -1, holds[given.columns].astype(np.int64))
    return coefficients(columns, domain=["no", "yes"], level="nominal")


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


def table(given: Matrix) -> pd.DataFrame:
    """The table that the coefficients were computed from: a row a unit, a column a coder."""
    values = np.array([*given.domain, ""], dtype=object)
    frame = pd.DataFrame(values[given.columns].T, columns=given.coders, dtype="str")
    frame.insert(0, "unit", given.units, allow_duplicates=True)
    return frame
