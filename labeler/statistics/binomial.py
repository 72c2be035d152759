"""What a count among n says of a share: Wilson, Clopper and Pearson, the zero-event bound, Kish.

n may be fractional where units weigh differently: it is then Kish's effective number.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, ndtri  # scipy.stats would take half a second to load

from labeler.statistics.interval import Interval


def wilson(value: float, n: float, *, confidence: float = 0.95) -> Interval:
    """Score interval of a share `value` among `n` independent units (Wilson 1927).

    `value` may lie between the steps of 1/n (the mean over units of a share of coders): such a
    mean varies less than a count, so the interval is wide rather than narrow. nan where n is 0.
    """
    method = "Wilson score"
    if n == 0:
        return Interval(math.nan, method=method)
    z = float(ndtri((1 + confidence) / 2))
    centre = (value + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(value * (1 - value) / n + z * z / (4 * n * n))
    low, high = min(value, centre - half), max(value, centre + half)  # else rounding, at 0 and 1
    return Interval(value, max(0.0, low), min(1.0, high), n=int(n), method=method)


def exact_lower(count: int, n: int, confidence: float) -> float:
    """The least share at which `count` or more of n have a chance of 1 - confidence.

    One-sided bound of Clopper and Pearson (1934).
    """
    return float(betaincinv(count, n - count + 1, 1 - confidence)) if count else 0.0


def exact_upper(count: int, n: int, confidence: float) -> float:
    """The largest share at which `count` or fewer of n have a chance of 1 - confidence.

    One-sided bound of Clopper and Pearson (1934); for a count of 0 it is `unseen_share`.
    """
    return float(betaincinv(count + 1, n - count, confidence)) if count < n else 1.0


def unseen_share(n: float, confidence: float) -> float:
    """The largest share of a kind of unit of which none is seen among n: 1 - (1 - g)^(1/n).

    The zero-event bound in its exact form; the rule of three, 3/n at 95%, is near it.
    """
    return float(1 - (1 - confidence) ** (1 / n))


def effective_size(mass: ArrayLike, times: ArrayLike | None = None) -> float:
    """Kish's effective number of things of unequal mass, (sum m)^2 / sum m^2.

    `times`, of the same shape: how many things have each mass.
    """
    m = np.asarray(mass, float)
    alike = np.ones(m.shape) if times is None else np.asarray(times, float)
    return float((alike @ m) ** 2 / (alike @ np.square(m)))
