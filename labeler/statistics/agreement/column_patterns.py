"""A panel's codings as distinct columns and how often each occurs.

`columns`, shape (coders, units), holds positions in the declared domain, -1 for not coded: what
each coder gave each unit. Units with the same column (and weight, and cluster) are exchangeable,
so everything that follows works on the distinct ones; neither its time nor its memory grows with
the units once columns repeat.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeler.errors import TableError
from labeler.statistics.agreement.alpha import Counts, check_weights
from labeler.statistics.agreement.distances import Floats
from labeler.statistics.agreement.resampling import patterns

Columns = NDArray[np.integer[Any]]

SPARE = 8  # a table of all possible columns may have so many cells a unit; above, they are sorted


class ColumnPatterns(NamedTuple):
    """Distinct columns of the units that somebody coded. A row stands for `times` units.

    given (coders, rows): positions in the domain, -1 for not coded, of the coders that coded
    something; counts (rows, values): how many coders gave the value; weights (rows,): the design
    weight of a unit, None where all weigh the same; group (rows,): the cluster, or None.
    """

    given: NDArray[np.intp]
    counts: Counts
    times: NDArray[np.int64]
    weights: Floats | None
    group: NDArray[np.intp] | None


def column_patterns(
    columns: Columns,
    size: int,
    *,
    weights: Floats | None = None,
    clusters: NDArray[Any] | None = None,
) -> ColumnPatterns:
    """The distinct columns of `columns` for a domain of `size` values.

    Units and coders without any coding are left out. Raises TableError for positions outside the
    domain, and for weights or clusters that do not fit the units.
    """
    check_columns(columns, size)
    if weights is not None:
        check_weights(weights, columns.shape[1])
    if clusters is not None and np.shape(clusters) != columns.shape[1:]:
        raise TableError(f"clusters of shape {np.shape(clusters)} for {columns.shape[1]} units")
    digits = [(np.add(row, 1, dtype=np.int32), size + 1) for row in columns]
    weight_of: Floats = np.empty(0)
    if weights is not None:
        weight_of, kinds = np.unique(np.asarray(weights, float), return_inverse=True)
        digits.append((kinds, weight_of.size))
    if clusters is not None:
        ids, kinds = np.unique(np.asarray(clusters), return_inverse=True)
        digits.append((kinds, ids.size))
    rows, times = _distinct(digits)
    rows[: len(columns)] -= 1
    coded = (rows[: len(columns)] >= 0).any(axis=0)
    rows, times = rows[:, coded], times[coded]
    given = rows[: len(columns)]
    return ColumnPatterns(
        given=given[(given >= 0).any(axis=1)],
        counts=_counted(given, size),
        times=times,
        weights=None if weights is None else weight_of[rows[len(columns)]],
        group=None if clusters is None else np.unique(rows[-1], return_inverse=True)[1],
    )


def _distinct(digits: list[tuple[NDArray[Any], int]]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """The distinct columns of `digits`, shape (digits, distinct), and how often each occurs.

    A digit is an array of whole numbers from 0 and how many values it can take. Where all
    possible columns are not many more than the units, they are counted in a table.
    """
    n = digits[0][0].size
    bases = [base for _, base in digits]
    if math.prod(bases) > SPARE * n:
        first, times = patterns(np.column_stack([digit for digit, _ in digits]))
        return np.array([digit[first] for digit, _ in digits], np.intp), times
    key = np.zeros(n, np.intp)
    for digit, base in digits:
        key *= base
        key += digit
    table = np.bincount(key)
    kept = np.flatnonzero(table)
    rows = np.array(np.unravel_index(kept, bases), np.intp)
    return rows, table[kept]


def _counted(given: NDArray[np.intp], size: int) -> Counts:
    """How many coders gave each value, shape (columns, size)."""
    n = given.shape[1]
    cells = given + (1 + (size + 1) * np.arange(n))  # the first cell of a column: not coded
    counts: Counts = np.bincount(cells.ravel(), minlength=n * (size + 1)).reshape(n, size + 1)
    return counts[:, 1:]


def check_columns(columns: Columns, size: int) -> None:
    """Raise TableError unless `columns` hold positions in a domain of `size` values, or -1."""
    if columns.ndim != 2 or not np.issubdtype(columns.dtype, np.integer):
        raise TableError("columns must be whole numbers of the shape (coders, units)")
    if not len(columns):
        raise TableError("columns hold no coder: each row is the codings of one")
    if columns.size and not -1 <= columns.min() <= columns.max() < size:
        raise TableError(
            f"columns hold positions from {columns.min()} to {columns.max()}: "
            f"the domain has the positions 0 to {size - 1}, and -1 stands for not coded"
        )
