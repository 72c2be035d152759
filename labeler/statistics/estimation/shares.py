"""Shares with intervals."""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy.special import ndtri  # scipy.stats would take half a second to load


class Share(NamedTuple):
    """A share between 0 and 1 with its two-sided interval; nan where nothing was counted."""

    value: float
    low: float
    high: float
    method: str


def wilson(value: float, n: int, *, confidence: float = 0.95) -> Share:
    """Score interval of a share `value` among `n` independent units (Wilson 1927).

    `value` may lie between the steps of 1/n (the mean over units of a share of coders): such a
    mean varies less than a count, so the interval is wide rather than narrow.
    """
    method = "Wilson score"
    if n == 0:
        return Share(math.nan, math.nan, math.nan, method)
    z = float(ndtri((1 + confidence) / 2))
    centre = (value + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(value * (1 - value) / n + z * z / (4 * n * n))
    low, high = min(value, centre - half), max(value, centre + half)  # else rounding, at 0 and 1
    return Share(value, max(0.0, low), min(1.0, high), method)
