"""How much more two codes go together under one impact than under another: delta-PMI.

Pointwise mutual information of value v and perspective s among the segments of one impact is
PMI = log p(v, s) - log p(v) - log p(s): 0 where they meet as often as their margins say. Delta-PMI
is PMI among the positive less PMI among the negative segments (natural logarithms). A pair that is
rare or absent has a logarithm that is wild or undefined, so shares are smoothed, openly:
`smoothing` blind segments are added to each pair of a table, in both impacts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from labeler.errors import TableError
from labeler.statistics.agreement.distances import Floats
from labeler.statistics.estimation.derived import DerivedFigures
from labeler.statistics.estimation.estimates import (
    Estimates,
    Reason,
    carriers_of,
    thin_reason,
)
from labeler.statistics.estimation.sample import Ints

SMOOTHING = 0.5  # blind segments a pair; half a count, after Haldane (1956) and Anscombe (1956)


def delta_pmi(
    estimates: Estimates, positive: ArrayLike, negative: ArrayLike, *, smoothing: float = SMOOTHING
) -> DerivedFigures:
    """Delta-PMI of each pair of a table, R C figures row by row.

    `positive` and `negative`, shape (R, C): places of the pairs' cells among the estimates. A
    share of a pair is (T + a)/(sum of T + R C a) with T its estimated total, a = smoothing N/n
    (what so many blind segments stand for), and the margins are those of the smoothed table. A
    pair is estimable where it has ten carriers over both impacts, and both its row and its column
    have ten in each of them: an absent pair is a finding only where its margins are well known.
    Where one of its two totals is negative, which counts as 0 here, it is not estimable.
    """
    above, below = np.asarray(positive, np.int64), np.asarray(negative, np.int64)
    if above.shape != below.shape or above.ndim != 2 or not smoothing > 0:
        raise TableError("delta-PMI: two tables of one shape, and a smoothing above 0")
    first, first_gradient = _pmi(estimates, above, smoothing)
    second, second_gradient = _pmi(estimates, below, smoothing)
    both = _indicators(estimates, np.stack([above.ravel(), below.ravel()], axis=1))
    carriers, authors = carriers_of(estimates.carried, estimates.blind_author, both)
    reasons = _reasons(estimates, (above, below), both, carriers, authors)
    return DerivedFigures(
        first - second, first_gradient - second_gradient, "score", carriers, authors, reasons
    )


def _pmi(estimates: Estimates, place: Ints, smoothing: float) -> tuple[Floats, Floats]:
    """Smoothed PMI of each pair, shape (R C,), and its gradient by the totals, (R C, J).

    With t the smoothed totals: log t_rc - log t_r. - log t_.c + log t_..
    """
    extra = smoothing * estimates.size / max(estimates.coded, 1)
    total = np.maximum(estimates.total[place], 0.0) + extra
    by_row, by_column, whole = total.sum(axis=1), total.sum(axis=0), total.sum()
    value = np.log(total * whole / np.outer(by_row, by_column))
    row, column = np.divmod(np.arange(place.size), place.shape[1])
    gradient = (
        np.diag(1 / total.ravel())
        - (row[:, None] == row) / by_row[row][:, None]
        - (column[:, None] == column) / by_column[column][:, None]
        + 1 / whole
    )
    full = np.zeros((place.size, estimates.total.size))
    full[:, place.ravel()] = gradient
    return value.ravel(), full


def _reasons(
    estimates: Estimates, tables: tuple[Ints, Ints], both: Floats, carriers: Ints, authors: Ints
) -> tuple[Reason, ...]:
    """Why a pair is not estimable, for each."""
    many = carriers.size
    reasons: list[Reason] = [
        thin_reason(estimates, both[k], int(carriers[k]), int(authors[k])) for k in range(many)
    ]
    for place in tables:
        for k in np.flatnonzero(estimates.total[place.ravel()] < 0):
            reasons[k] = reasons[k] or "negative estimate"
        rows = np.repeat(np.arange(place.shape[0]), place.shape[1])
        columns = np.tile(np.arange(place.shape[1]), place.shape[0])
        for lines, own in ((place, rows), (place.T, columns)):
            weights = _indicators(estimates, lines)
            has, people = carriers_of(estimates.carried, estimates.blind_author, weights)
            for k in range(many):
                line = own[k]
                thin = thin_reason(estimates, weights[line], int(has[line]), int(people[line]))
                if thin and not reasons[k]:
                    reasons[k] = "denominator not estimable"
    return tuple(reasons)


def _indicators(estimates: Estimates, groups: Ints) -> Floats:
    """1 for the cells of each group, shape (groups, J)."""
    weights = np.zeros((groups.shape[0], estimates.total.size))
    np.put_along_axis(weights, groups, 1.0, axis=1)
    return weights
