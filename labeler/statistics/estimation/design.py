"""How many units a design needs, what it buys, and how many to draw from each stratum.

Everything is drawn as a stratified simple random sample: n_h of the N_h units of a stratum, so
that each of them is drawn with the probability n_h / N_h, exactly and without replacement. Unequal
probabilities come from unequal allocation, never from an approximate scheme.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri  # scipy.stats would take half a second to load

from labeler.errors import TableError
from labeler.statistics.agreement.distances import Floats


def allocated(sizes: Sequence[int], weights: Sequence[float], total: int) -> list[int]:
    """How many units to draw from each stratum: n_h near c N_h w_h, which add up to `total`.

    `sizes` are the N_h (each at least 1), `weights` the w_h >= 0 of a unit of the stratum against
    the others: equal ones give proportional allocation, 1/N_h an equal one. No n_h is below 1,
    or a unit could never be drawn, nor above N_h. One unit at a time goes to the stratum with
    the largest N_h w_h / (n_h + 1/2) that has room (Sainte-Lague's divisors; among equals the
    first stratum): a larger total only adds units.

    Raises TableError where `total` is below the number of strata or above the number of units.
    """
    many = np.asarray(sizes, dtype=np.int64)
    relative = np.asarray(weights, dtype=np.float64)
    if many.size != relative.size or (many < 1).any() or not (relative >= 0).all():
        raise TableError("strata: each needs a size of 1 or more and a weight of 0 or more")
    if not many.size <= total <= many.sum():
        raise TableError(f"strata: {total} units cannot be drawn from {many.size} with {sizes}")
    claims = many * (relative if relative.any() else 1.0)
    drawn = np.ones_like(many)
    for _ in range(total - many.size):
        due = np.where(drawn < many, claims / (drawn + 0.5), -1.0)
        drawn[int(due.argmax())] += 1
    return [int(size) for size in drawn]


def alpha_variance(shares: Sequence[float], *, alpha: float, coders: int = 2) -> float:
    """V = n SE^2 of nominal alpha: the variance of alpha for one unit, by its influence function.

    `shares` are those of the codes (they are scaled to add up to 1). Each of `coders` gives a
    unit's own code with probability sqrt(alpha), else one drawn by the shares, so that each pair
    agrees as alpha says. With d the share of a unit's ordered pairs that differ, x_c the share
    of its coders who gave c and De = 1 - sum p_c^2: V = Var[d + 2 (1 - alpha) sum p_c x_c] / De^2.
    For two coders of two codes this is exact; with more coders or codes it holds for this model
    of their errors. nan where only one code has a share, or with fewer than two coders.
    """
    p = np.asarray([share for share in shares if share > 0], dtype=np.float64)
    if p.size < 2 or coders < 2:
        return math.nan
    p = p / p.sum()
    expected = 1 - float(p @ p)
    keep = math.sqrt(max(0.0, min(1.0, alpha)))
    first = second = 0.0
    for counts in _compositions(coders, p.size):
        n = np.asarray(counts)
        differing = (coders**2 - float(n @ n)) / (coders * (coders - 1))
        value = differing + 2 * (1 - alpha) * float(p @ n) / coders
        chance = _chance(n, p, keep)
        first += chance * value
        second += chance * value * value
    return (second - first * first) / expected**2


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Every way to write `total` as a sum of so many counts."""
    if parts == 1:
        yield (total,)
        return
    for own in range(total + 1):
        for rest in _compositions(total - own, parts - 1):
            yield (own, *rest)


def _chance(counts: NDArray[np.int64], shares: Floats, keep: float) -> float:
    """The probability that the coders of a unit give these counts."""
    ways = math.factorial(int(counts.sum()))
    for count in counts:
        ways //= math.factorial(int(count))
    chance = 0.0
    for own, share in enumerate(shares):
        given = (1 - keep) * shares
        given[own] += keep
        chance += float(share) * ways * float(np.prod(given**counts))
    return chance


def half_width(variance: float, n: int, *, confidence: float = 0.95) -> float:
    """Half of the two-sided interval's width: z sqrt(V / n); nan without units."""
    z = float(ndtri((1 + confidence) / 2))
    return z * math.sqrt(variance / n) if n > 0 else math.nan


def lower_bound(alpha: float, variance: float, n: int, *, confidence: float = 0.95) -> float:
    """The one-sided bound to expect; nan where alpha is 1.

    1 - (1 - a) exp(z s) with s = sqrt(V/n) / (1 - a), not below -1.
    """
    if n < 1 or alpha >= 1 or math.isnan(variance):
        return math.nan
    spread = math.sqrt(variance / n) / (1 - alpha)
    return max(-1.0, 1 - (1 - alpha) * math.exp(float(ndtri(confidence)) * spread))


def units_for_bound(
    alpha: float, variance: float, threshold: float, *, power: float, confidence: float = 0.95
) -> float:
    """Units at which the one-sided bound exceeds `threshold` with this power (not rounded up).

    n = (z_a + z_b)^2 [V/(1 - a)^2] / ln((1 - t)/(1 - a))^2, on the scale of log(1 - alpha). inf
    where alpha is not above the threshold.
    """
    if alpha <= threshold:
        return math.inf
    if alpha >= 1 or math.isnan(variance):
        return math.nan
    z = float(ndtri(confidence) + ndtri(power))
    gap = math.log((1 - threshold) / (1 - alpha))
    return z * z * variance / (1 - alpha) ** 2 / gap**2


def share_variance(share: float) -> float:
    """V = n SE^2 of a share among units drawn by simple random sampling: p (1 - p)."""
    return share * (1 - share)


def units_to_decide(
    alpha: float, variance: float, threshold: float, *, power: float, confidence: float = 0.95
) -> float:
    """Units at which a one-sided bound falls on alpha's side of `threshold` with this power.

    `units_for_bound` where alpha lies above; where it lies below, the same formula for the upper
    bound, whose distance on the scale of log(1 - alpha) is the same with the other sign. inf
    where alpha is the threshold itself.
    """
    if alpha > threshold:
        return units_for_bound(alpha, variance, threshold, power=power, confidence=confidence)
    if alpha == threshold:
        return math.inf
    z = float(ndtri(confidence) + ndtri(power))
    gap = math.log((1 - threshold) / (1 - alpha))
    return z * z * variance / (1 - alpha) ** 2 / gap**2
