"""A figure with its interval: the one form in which statistics hand out what they estimated.

Beside the form stand the few steps that every interval shares: the check of the confidence, the
standard error of a jackknife, and bounds on the scale of log(1 - alpha).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit  # scipy.stats would take half a second to load

from labeler.errors import TableError

RARE = 10  # units (or clusters) below which an interval may be too narrow, and says so
NO_SPREAD = 1e-10  # a standard error below this is the rounding of zero
ZERO_EVENT = "zero-event bound"


class Interval(NamedTuple):
    """A figure and its interval at one confidence, 95% unless another was asked for.

    `low` and `high` hold the two-sided interval, `lower_one_sided` and `upper_one_sided` the
    one-sided bounds at the same confidence: the lower one is what a gate decides on, and both
    together are the interval at 1 - 2 (1 - confidence) that a test of equivalence looks at.
    `se` is the standard error. `n` counts what was sampled (units, or clusters). Numbers are nan
    where the method has none; where the figure or its interval is undefined `note` says why, else
    it is empty or says what to mind. `method` names the method.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    se: float = math.nan
    lower_one_sided: float = math.nan
    upper_one_sided: float = math.nan
    n: int = 0
    method: str = ""
    note: str = ""


def undefined(
    note: str, *, value: float = math.nan, n: int = 0, method: str = "", se: float = math.nan
) -> Interval:
    """No interval (and, without `value`, no figure), and why."""
    return Interval(value, se=se, n=n, method=method, note=note)


def check_confidence(confidence: float) -> None:
    """Raise TableError unless the confidence is a share between one half and one."""
    if not 0.5 < confidence < 1:
        raise TableError(f"confidence {confidence} must lie between 0.5 and 1, such as 0.95")


def joined_notes(*notes: str) -> str:
    """Notes in one line, the empty ones left out."""
    return "; ".join(note for note in notes if note)


def jackknife_error(
    without: NDArray[np.float64], times: NDArray[np.float64] | None = None
) -> float:
    """The standard error from the figures without one of n things, shape (things,).

    SE^2 = (n - 1)/n sum (a_(-u) - mean)^2. `times`, shape (things,): how many things are alike.
    """
    if times is None:
        squares, n = float(np.square(without - without.mean()).sum()), float(without.size)
    else:
        squares = float(times @ np.square(without - np.average(without, weights=times)))
        n = float(times.sum())
    return math.sqrt((n - 1) / n * squares)


def log_scale_bounds(
    value: float, se: float, degrees: float, quantile: float
) -> tuple[float, float]:
    """Bounds 1 - (1 - a) exp(+-t SE/(1 - a)) of an alpha below 1, t with `degrees` of freedom."""
    gap = 1 - value
    power = min(float(stdtrit(degrees, quantile)) * se / gap, 700.0)
    return 1 - gap * math.exp(power), 1 - gap * math.exp(-power)
