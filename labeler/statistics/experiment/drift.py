"""Whether agreement has fallen, at whatever moment one looks; whether batches differ.

The e-process bets against "each unit agrees with probability p0 or more, whatever came before"
(testing by betting: Waudby-Smith and Ramdas 2024): under it, the product of 1 + lambda (p0 - X_s)
is a nonnegative supermartingale for each lambda, and so is a mean over several; by Ville's
inequality it ever reaches 1/alpha with probability alpha at most.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from labeler.errors import TableError
from labeler.statistics.agreement.distances import Floats
from labeler.statistics.binomial import exact_lower
from labeler.statistics.interval import joined_notes

BETS = (0.2, 0.5, 0.8, 1.1)


class DriftProcess(NamedTuple):
    """The e-process after each unit, and the first unit (from 1) at which it alarms; 0: never.

    `p` is the anytime-valid p-value 1 / max E, at most 1.
    """

    process: Floats
    alarm: int
    p: float


class HomogeneityTest(NamedTuple):
    """A chi-square statistic with its degrees of freedom and p; nan with a reason in `note`."""

    statistic: float
    degrees: int
    p: float
    note: str


class CodeShift(NamedTuple):
    """How far a distribution of codes moved: chi-square of homogeneity, and PSI."""

    chi2: HomogeneityTest
    psi: float


def bets(p0: float) -> tuple[float, ...]:
    """The lambdas that never stake more than there is: 1 + lambda (p0 - 1) > 0.

    X = 1 gives the least factor, so each lambda must be below 1 / (1 - p0); all four are for
    p0 > 1 - 1/1.1 = .091. p0 is fixed before the data, so choosing by it costs nothing. Raises
    TableError unless 0 < p0 <= 1: nothing is below an agreement of 0.
    """
    if not 0 < p0 <= 1:
        raise TableError(f"a reference agreement of {p0} must lie above 0, up to 1")
    return tuple(bet for bet in BETS if 1 + bet * (p0 - 1) > 0)


def e_process(agree: ArrayLike, p0: float, *, alpha: float) -> DriftProcess:
    """E_t = mean over lambda of prod_(s <= t) (1 + lambda (p0 - X_s)); alarm at E_t >= 1/alpha.

    `agree`, shape (units,) in the order in which they came, lies between 0 and 1: 1 where human
    and model agree. Valid at every look and for any stopping, if units are drawn at random.
    Raises TableError for other values and for another alpha.
    """
    if not 0 < alpha < 1:
        raise TableError(f"alpha {alpha} must lie between 0 and 1, such as 0.05")
    x = np.asarray(agree, float)
    if not ((x >= 0) & (x <= 1)).all():
        raise TableError("agreement of a unit lies between 0 and 1")
    stakes = np.asarray(bets(p0))[:, None]
    logs = np.cumsum(np.log1p(stakes * (p0 - x)), axis=1)
    process = np.exp(np.logaddexp.reduce(logs, axis=0) - math.log(len(stakes)))
    reached = np.flatnonzero(process >= 1 / alpha)
    highest = float(process.max(initial=1.0))
    return DriftProcess(process, int(reached[0]) + 1 if reached.size else 0, 1 / highest)


def least_agreement(agreed: int, n: int, *, alpha: float) -> float:
    """Exact lower bound of an agreement seen in `agreed` of `n` units, at confidence 1 - alpha.

    Clopper and Pearson 1934. Taken as p0 with alpha/2, and alarming at 2/alpha, it honours that
    the reference was itself estimated: a false alarm needs that the bound failed or that the
    process did, alpha/2 each.
    """
    if not 0 <= agreed <= n:
        raise TableError(f"{agreed} of {n} units cannot agree")
    return exact_lower(agreed, n, 1 - alpha)


def homogeneity(alphas: ArrayLike, errors: ArrayLike) -> HomogeneityTest:
    """Whether batches have the same alpha: sum (z_b - mean)^2 / SE_b^2, chi-square with B - 1.

    z = log(1 - alpha), whose standard error is that of alpha over 1 - alpha; the mean is weighted
    by 1/SE^2 (Cochran 1954). Batches without a standard error, or with alpha 1, are left out and
    counted in the note.
    """
    a, se = np.asarray(alphas, float), np.asarray(errors, float)
    usable = (a < 1) & (se > 0)  # nan compares as False
    left_out = int(a.size - usable.sum())
    note = f"{left_out} batches without alpha or spread left out" if left_out else ""
    if usable.sum() < 2:
        few = "fewer than two batches have alpha with a standard error"
        return HomogeneityTest(math.nan, 0, math.nan, joined_notes(few, note))
    z, spread = np.log(1 - a[usable]), se[usable] / (1 - a[usable])
    weight = 1 / np.square(spread)
    statistic = float(weight @ np.square(z - weight @ z / weight.sum()))
    degrees = int(usable.sum()) - 1
    return HomogeneityTest(statistic, degrees, float(chdtrc(degrees, statistic)), note)


def shift(before: ArrayLike, after: ArrayLike) -> CodeShift:
    """Whether a model gives its codes in other shares than before; needs no human codings.

    `before` and `after`: how often each code was given. Chi-square of homogeneity of the two
    rows, codes that nobody gave left out; PSI = sum (q - p) ln(q / p) with half a unit added to
    each count, so that a code that is new does not make it infinite. A shift says that posts or
    model changed, not that agreement did.
    """
    p, q = np.asarray(before, float), np.asarray(after, float)
    if not p.sum() or not q.sum():
        note = "one of the two has no code"
        return CodeShift(HomogeneityTest(math.nan, 0, math.nan, note), math.nan)
    seen = p + q > 0
    table = np.array([p[seen], q[seen]])
    smooth = (table + 0.5) / (table + 0.5).sum(axis=1, keepdims=True)
    psi = float(((smooth[1] - smooth[0]) * np.log(smooth[1] / smooth[0])).sum())
    degrees = int(seen.sum()) - 1
    if not degrees:
        return CodeShift(HomogeneityTest(math.nan, 0, math.nan, "a single code was given"), psi)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = float((np.square(table - expected) / expected).sum())
    few = "some codes are expected fewer than five times" if (expected < 5).any() else ""
    return CodeShift(
        HomogeneityTest(statistic, degrees, float(chdtrc(degrees, statistic)), few),
        psi,
    )
