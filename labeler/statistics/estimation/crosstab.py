"""Is a table of estimated counts more than its margins? Chi-square, residuals, Cramér's V.

The cells are estimated, so their errors are not those of a multinomial: the statistic is judged by
Rao and Scott (1984, Annals of Statistics 12, 46-60), second order, with the covariance of the cells
from the estimate itself. Never Yates's correction. For counted tables (every unit coded, nothing
estimated) there is Pearson's test, and Fisher's where expected counts are small.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, fdtrc, gammaln, ndtr, stdtr

from labeler.errors import TableError
from labeler.statistics.agreement.distances import Floats
from labeler.statistics.estimation.estimates import Estimates

LEAST_EXPECTED = 5  # Cochran (1954): below it in more than a fifth of the cells, or below 1 in one
TOLERANCE = 1e-7  # two tables of the same probability, but for rounding


class AssociationTest(NamedTuple):
    """Whether rows and columns of a table go together.

    `statistic` with its `degrees` (two for F, one for chi-square, none for the exact test) and
    `p`; `phi_squared`: sum of (p - p0)^2/p0 over cells; `effective_n`: of a simple sample whose
    plain chi-square, effective_n * phi_squared, would have the degrees of freedom as its mean if
    nothing went together; Cramér's V plain and corrected for bias (Bergsma 2013, Journal of the
    Korean Statistical Society 42, 323-328). `least_expected`: the smallest expected count among
    so many. Arrays of the table's shape (R, C): `expected` shares, `pearson` residuals (their
    squares add up to the chi-square), `adjusted` residuals (standard normal if nothing goes
    together) and their two-sided `cell_p`. `reason`: why the test must
    not be reported, else ''; its figures are there to look at.
    """

    method: str
    statistic: float
    degrees: tuple[float, ...]
    p: float
    phi_squared: float
    effective_n: float
    v: float
    v_corrected: float
    least_expected: float
    shares: Floats
    expected: Floats
    pearson: Floats
    adjusted: Floats
    cell_p: Floats
    reason: str


def rao_scott(
    estimates: Estimates, cells: ArrayLike, *, degrees: float | None = None
) -> AssociationTest:
    """The test of a table of estimated cells, F of Rao and Scott's second order.

    `cells`, shape (R, C): places of the cells among the estimates. F = X^2/trace(D) with D =
    (C'P^-1 C)^-1 C'P^-1 V P^-1 C and trace(D)^2/trace(D^2) degrees of freedom, as `svychisq` of
    R's survey package has it; `degrees` of the covariance are by default those of the design. A
    table with a negative cell, or whose expected counts are too small for its effective number,
    has a reason not to be reported. TableError where a row's or a column's sum is not above 0:
    leave it out.
    """
    place = np.asarray(cells, np.int64)
    total = estimates.total[place]
    if estimates.unfit or (total < 0).any():
        return _refused(estimates, total)
    _check_margins(total)
    shares = total / total.sum()
    gradient = _share_gradient(estimates, place)
    covariance = gradient @ estimates.covariance @ gradient.T
    design = _design_effects(shares, covariance)
    trace = float(np.trace(design))
    first = trace**2 / float(np.trace(design @ design))
    most = estimates.design_degrees if degrees is None else degrees
    free = (place.shape[0] - 1) * (place.shape[1] - 1)
    made = _described(
        "Rao-Scott, second order", shares, free / trace, _adjusted(shares, covariance), most
    )
    ratio = made.phi_squared / trace
    return made._replace(
        statistic=ratio,
        degrees=(first, first * most),
        p=float(fdtrc(first, first * most, ratio)),
    )


def chi_square(counts: ArrayLike) -> AssociationTest:
    """Pearson's test of a table of counts, shape (R, C), of independent things, without Yates.

    Where expected counts are small (below 5 in more than a fifth of the cells, or below 1 in one:
    Cochran 1954) a table of two by two is tested by Fisher's exact test, two-sided by adding the
    tables no more likely; a larger one has a reason not to be reported.
    """
    table = np.asarray(counts, np.float64)
    if (table < 0).any():
        raise TableError("table: a count is negative")
    _check_margins(table)
    n = float(table.sum())
    shares = table / n
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    expected = np.outer(rows, columns)
    spread = np.sqrt(expected * np.outer(1 - rows, 1 - columns) / n)
    df = (table.shape[0] - 1) * (table.shape[1] - 1)
    made = _described("Pearson, without Yates", shares, n, (shares - expected) / spread, math.inf)
    if made.reason and table.shape == (2, 2):
        return made._replace(method="Fisher, exact", p=fisher(table), reason="")
    x2 = n * made.phi_squared
    return made._replace(statistic=x2, degrees=(float(df),), p=float(chdtrc(df, x2)))


def fisher(counts: ArrayLike) -> float:
    """p of Fisher's exact test of a table of two by two, two-sided: tables no more likely."""
    table = np.asarray(counts, np.int64)
    row, column, n = int(table[0].sum()), int(table[:, 0].sum()), int(table.sum())
    first = np.arange(max(0, row + column - n), min(row, column) + 1)
    log = (
        -gammaln(first + 1)
        - gammaln(row - first + 1)
        - gammaln(column - first + 1)
        - gammaln(n - row - column + first + 1)
    )
    chance = np.exp(log - log.max())
    own = chance[int(table[0, 0]) - first[0]]
    return float(min(1.0, chance[chance <= own * (1 + TOLERANCE)].sum() / chance.sum()))


def _described(
    method: str, shares: Floats, n: float, adjusted: Floats, degrees: float
) -> AssociationTest:
    """All of a test but its statistic, for `n` (effective) things in the table."""
    expected = np.outer(shares.sum(axis=1), shares.sum(axis=0))
    phi = float((np.square(shares - expected) / expected).sum())
    rows, columns = shares.shape
    smaller = min(rows, columns) - 1
    counts = n * expected
    small = bool((counts < 1).any() or (counts < LEAST_EXPECTED).mean() > 0.2)
    far = -np.abs(adjusted)
    two_sided = 2 * (stdtr(degrees, far) if math.isfinite(degrees) else ndtr(far))
    return AssociationTest(
        method=method,
        statistic=math.nan,
        degrees=(),
        p=math.nan,
        phi_squared=phi,
        effective_n=n,
        v=math.sqrt(phi / smaller),
        v_corrected=corrected_v(phi, n, rows, columns),
        least_expected=float(counts.min()),
        shares=shares,
        expected=expected,
        pearson=(shares - expected) * np.sqrt(n / expected),
        adjusted=adjusted,
        cell_p=two_sided,
        reason="expected counts are too small" if small else "",
    )


def corrected_v(phi_squared: float, n: float, rows: int, columns: int) -> float:
    """Cramér's V corrected for its bias (Bergsma 2013), of phi^2 among n things; nan for n < 3.

    sqrt(phi+/min(r - 1, c - 1)) with phi+ = max(0, phi^2 - (R - 1)(C - 1)/(n - 1)), r = R -
    (R - 1)^2/(n - 1) and c alike.
    """
    if n < 3:
        return math.nan
    left = max(0.0, phi_squared - (rows - 1) * (columns - 1) / (n - 1))
    fewer = (many - (many - 1) ** 2 / (n - 1) for many in (rows, columns))
    smaller = min(fewer) - 1
    return min(1.0, math.sqrt(left / smaller)) if smaller > 0 else math.nan


def _share_gradient(estimates: Estimates, place: NDArray[np.int64]) -> Floats:
    """Gradient of the table's shares by the totals of all J cells, shape (R C, J)."""
    flat = place.ravel()
    total = estimates.total[flat]
    gradient = np.zeros((flat.size, estimates.total.size))
    gradient[:, flat] = -(total / total.sum() ** 2)[:, None]
    gradient[np.arange(flat.size), flat] += 1 / total.sum()
    return gradient


def _design_effects(shares: Floats, covariance: Floats) -> Floats:
    """Rao and Scott's matrix D of generalised design effects, for one thing: (df, df).

    C spans what the margins leave free: the interactions of rows and columns, orthogonal to both.
    """
    rows, columns = shares.shape
    free = np.kron(_contrasts(rows), _contrasts(columns))
    inverse = 1 / np.where(shares == 0, np.inf, shares).ravel()
    plain = free.T @ (inverse[:, None] * free)
    weighted = free.T @ (inverse[:, None] * covariance * inverse) @ free
    return np.asarray(np.linalg.solve(plain, weighted), np.float64)


def _contrasts(many: int) -> Floats:
    """Differences of each but the first from the mean of all, shape (many, many - 1)."""
    return np.eye(many)[:, 1:] - 1 / many


def _adjusted(shares: Floats, covariance: Floats) -> Floats:
    """Shares less the products of their margins, by standard errors of this difference."""
    rows, columns = shares.shape
    by_row, by_column = shares.sum(axis=1), shares.sum(axis=0)
    same_row = np.kron(np.eye(rows), np.ones((columns, columns)))
    same_column = np.kron(np.ones((rows, rows)), np.eye(columns))
    gradient = (
        np.eye(shares.size)
        - same_row * np.tile(by_column, rows)[:, None]
        - same_column * np.repeat(by_row, columns)[:, None]
    )
    variance = np.einsum("ij,ij->i", gradient @ covariance, gradient).reshape(shares.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = shares - np.outer(by_row, by_column)
        return np.asarray(np.where(variance > 0, apart / np.sqrt(variance), np.nan), np.float64)


def _check_margins(table: Floats) -> None:
    whole = table.ndim == 2 and min(table.shape) >= 2
    if not whole or min(table.sum(axis=0).min(), table.sum(axis=1).min()) <= 0:
        raise TableError("table: two rows and two columns are needed, each with a sum above 0")


def _refused(estimates: Estimates, total: Floats) -> AssociationTest:
    """No test, no expected shares, and why."""
    nan = np.full(total.shape, np.nan)
    return AssociationTest(
        method="Rao-Scott, second order",
        statistic=math.nan,
        degrees=(),
        p=math.nan,
        phi_squared=math.nan,
        effective_n=math.nan,
        v=math.nan,
        v_corrected=math.nan,
        least_expected=math.nan,
        shares=total / total.sum(),
        expected=nan,
        pearson=nan,
        adjusted=nan,
        cell_p=nan,
        reason=estimates.unfit or "negative estimate",
    )
