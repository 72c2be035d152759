"""p-values of several tests, adjusted for being several: Holm, Hochberg, Yekutieli.

All take and give p-values of shape (tests,). A test without a p (nan) stays nan and belongs to no
family.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjusted by Holm (1979): max over j <= k of (m - j + 1) p_(j), at most 1.

    Controls the chance of one false rejection or more, under any dependence.
    """
    p = np.asarray(p_values, float)
    order = _order(p)
    steps = np.maximum.accumulate(p[order] * np.arange(order.size, 0, -1))
    return _placed(np.minimum(1, steps), order, p.size)


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p-values: min over j >= k of p_(j) m / j.

    Controls the false discovery rate where tests are independent or positively dependent
    (Benjamini and Hochberg 1995).
    """
    p = np.asarray(p_values, float)
    order = _order(p)
    ranks = np.arange(1, order.size + 1)
    steps = p[order] * order.size / ranks
    return _placed(np.minimum(1, np.minimum.accumulate(steps[::-1])[::-1]), order, p.size)


def benjamini_yekutieli(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p-values: min over j >= k of p_(j) m H_m / j, H_m = 1 + 1/2 + … + 1/m.

    Controls the false discovery rate under any dependence (Benjamini and Yekutieli 2001).
    """
    p = np.asarray(p_values, float)
    order = _order(p)
    ranks = np.arange(1, order.size + 1)
    steps = p[order] * order.size * (1 / ranks).sum() / ranks
    return _placed(np.minimum(1, np.minimum.accumulate(steps[::-1])[::-1]), order, p.size)


def _order(p: NDArray[np.float64]) -> NDArray[np.intp]:
    """Places of the tests that have a p, the smallest p first."""
    order = np.argsort(p, kind="stable")
    return np.asarray(order[~np.isnan(p[order])], np.intp)


def _placed(
    adjusted: NDArray[np.float64], order: NDArray[np.intp], size: int
) -> NDArray[np.float64]:
    result = np.full(size, np.nan)
    result[order] = adjusted
    return result
