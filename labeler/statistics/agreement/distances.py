"""How far two values lie apart, by level of measurement.

Formulas: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability; Passonneau (2006),
Measuring Agreement on Set-valued Items (MASI).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labeler.errors import TableError
from labeler.text.coded_values import codes_of, joined

Level = Literal["nominal", "ordinal", "interval", "ratio", "masi", "jaccard"]
Domain = Sequence[str] | Sequence[frozenset[str]]
Floats = NDArray[np.float64]


def distances_between(level: Level, values: Domain, n_values: Floats) -> Floats:
    """Squared distances between `values`, shape (values, values).

    `n_values` counts the pairable codings of each value: only `ordinal` depends on it. nominal
    1[c != c']; interval (c - c')^2; ratio ((c - c')/(c + c'))^2; ordinal
    (sum_{g=c..c'} n_g - (n_c + n_c')/2)^2; jaccard 1 - |A & B|/|A | B|; masi 1 - M |A & B|/|A | B|
    with M = 1 for equal sets, 2/3 for a subset, 1/3 for an overlap. Two empty sets are at
    distance 0. Raises TableError for values that the level cannot measure.
    """
    if level == "nominal":
        return _unequal(len(values))
    if level == "ordinal":
        return _squared_differences(mid_ranks(n_values))
    if level == "interval":
        return _squared_differences(_numbers(level, values))
    if level == "ratio":
        numbers = _numbers(level, values)
        total = numbers[:, None] + numbers
        shares: Floats = _squared_differences(numbers) / np.square(np.where(total == 0, 1, total))
        return shares
    if level in ("masi", "jaccard"):
        return _set_distances(level, as_sets(values))
    raise TableError(f"level {level!r} is none of nominal, ordinal, interval, ratio, masi, jaccard")


def _unequal(size: int) -> Floats:
    unequal: Floats = 1 - np.eye(size)
    return unequal


def _squared_differences(numbers: Floats) -> Floats:
    apart: Floats = np.square(numbers[:, None] - numbers)
    return apart


def mid_ranks(n_values: Floats) -> Floats:
    """Mid-ranks of ordered values, centred on 0; values on the last axis.

    Krippendorff's ordinal distance is the squared difference of mid-ranks, since
    sum_{g=c..c'} n_g - (n_c + n_c')/2 = (sum_{g<=c'} n_g - n_c'/2) - (sum_{g<=c} n_g - n_c/2).
    """
    ranks = np.cumsum(n_values, axis=-1) - n_values / 2
    centred: Floats = ranks - n_values.sum(axis=-1, keepdims=True) / 2
    return centred


def _numbers(level: Level, values: Domain) -> Floats:
    """The values as numbers; TableError for a text, a repeat, a ratio below 0."""
    try:
        numbers = np.array([float(value) for value in values])  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TableError(f"level {level!r} needs numbers, the domain holds {values!r}") from None
    if not np.isfinite(numbers).all() or np.unique(numbers).size < numbers.size:
        raise TableError(f"level {level!r} needs finite numbers, each once, not {values!r}")
    if level == "ratio" and (numbers < 0).any():
        raise TableError(f"level 'ratio' has an absolute zero, but {values!r} goes below it")
    return numbers


def places_of(level: Level, values: Domain) -> Floats:
    """Where values lie on their scale: numbers for `interval` and `ratio`, else their positions."""
    if level in ("interval", "ratio"):
        return _numbers(level, values)
    return np.arange(len(values), dtype=float)


def as_sets(values: Domain) -> list[frozenset[str]]:
    """The values as sets: codes joined by "+" are split, the empty text is the empty set."""
    sets = [frozenset(codes_of(value)) if isinstance(value, str) else value for value in values]
    check_domain(sets)
    return sets


def _set_distances(level: Level, sets: list[frozenset[str]]) -> Floats:
    codes = {code: column for column, code in enumerate(sorted(frozenset().union(*sets)))}
    holds = np.zeros((len(sets), len(codes)))
    for row, members in enumerate(sets):
        holds[row, [codes[code] for code in members]] = 1
    size, both = holds.sum(axis=1), holds @ holds.T
    either = size[:, None] + size - both
    jaccard = np.where(either == 0, 1, both / np.where(either == 0, 1, either))
    if level == "jaccard":
        return 1 - jaccard
    subset = both == np.minimum(size[:, None], size)
    closeness = np.where(both == either, 1, np.where(subset, 2 / 3, 1 / 3))
    apart: Floats = 1 - jaccard * closeness
    return apart


def check_domain(domain: Domain) -> None:
    """Raise TableError for an empty domain, or one that repeats a value."""
    if not len(domain):
        raise TableError("the domain is empty: declare the values that could have been given")
    for value, times in Counter[str | frozenset[str]](domain).items():
        if times > 1:
            raise TableError(f"the domain repeats {name_of(value)}: declare each value once")


def name_of(value: str | frozenset[str]) -> str:
    """A value as a message shows it."""
    return repr(value if isinstance(value, str) else joined(sorted(value)))
