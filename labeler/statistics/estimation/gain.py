"""What blind coding buys, before it is done: from the correlation of the model with people.

With rho the correlation of the model's with the blind codes, the corrected estimate leaves the
share 1 - rho^2 of the blind variance: n blind units say as much as n/(1 - rho^2) of people alone,
and no method says more with this model. A model at rho = .6 makes 1.56 of each unit; one and a half
times needs .58. Below some 600 to 1,000 blind units corrected conclusions are often not better than
those of people alone (Yang et al. 2025).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from scipy.special import ndtri

from labeler.errors import TableError
from labeler.statistics.estimation.estimates import Target

PAYS_FROM = 600  # blind units, from which on correction has been seen to change conclusions rightly


class ExpectedGain(NamedTuple):
    """What `coded` blind units are expected to say of a share.

    `half_width` of the 95% interval (or another confidence) with correction, and `blind_alone`
    without; `effective_size`: units of people alone that would say as much; `factor`:
    effective_size by coded.
    """

    coded: int
    correlation: float
    half_width: float
    blind_alone: float
    effective_size: float
    factor: float


def expected_gain(
    share: float,
    correlation: float,
    *,
    coded: int,
    size: int,
    target: Target,
    confidence: float = 0.95,
) -> ExpectedGain:
    """For a share of `size` units, of which a simple random sample of `coded` is coded blind.

    Variance with correction (1 - n/N)(1 - rho^2) S^2/n, for the population + S^2/N, S^2 =
    p (1 - p). The effective size solves this for n with rho = 0; nan where all are coded.
    """
    if not 0 < coded <= size or not 0 <= share <= 1 or not abs(correlation) <= 1:
        raise TableError("expected gain: 1 to N units, a share in [0, 1], a correlation in [-1, 1]")
    spread = share * (1 - share)
    beyond = spread / size if target == "population" else 0.0
    alone = (1 / coded - 1 / size) * spread
    with_model = alone * (1 - correlation**2)
    z = float(ndtri((1 + confidence) / 2))
    rest = with_model + spread / size
    effective = spread / rest if rest > 0 else math.nan
    return ExpectedGain(
        coded,
        correlation,
        z * math.sqrt(with_model + beyond),
        z * math.sqrt(alone + beyond),
        effective,
        effective / coded,
    )


def gains(
    share: float,
    correlations: Sequence[float],
    *,
    coded: int,
    size: int,
    target: Target,
    confidence: float = 0.95,
) -> list[ExpectedGain]:
    """`expected_gain` at several correlations, which are not known before blind coding."""
    return [
        expected_gain(share, rho, coded=coded, size=size, target=target, confidence=confidence)
        for rho in correlations
    ]


def correlation_for(factor: float) -> float:
    """The correlation at which each blind unit counts `factor` times: sqrt(1 - 1/factor)."""
    if factor < 1:
        raise TableError(f"a factor of {factor}: correction never makes less of a unit than 1")
    return math.sqrt(1 - 1 / factor)


def units_for_width(
    share: float,
    half_width: float,
    *,
    correlation: float = 0.0,
    size: int,
    target: Target,
    confidence: float = 0.95,
) -> int | None:
    """Blind units for an interval of +- half_width; None where the frame is too small for it."""
    spread = share * (1 - share)
    z = float(ndtri((1 + confidence) / 2))
    allowed = (half_width / z) ** 2 - (spread / size if target == "population" else 0.0)
    if allowed < 0:
        return None
    left = spread * (1 - correlation**2)
    if left == 0:
        return 1
    return min(size, max(1, math.ceil(1 / (allowed / left + 1 / size))))
