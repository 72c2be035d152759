"""How an alpha stands to a threshold: the p of lying at or below it, and the units that decide."""

from __future__ import annotations

import math

from labeler.statistics.binomial import unseen_share
from labeler.statistics.estimation.design import units_to_decide


def threshold_p(
    value: float,
    threshold: float,
    *,
    se: float,
    degrees: float,
    bound: float = math.nan,
    confidence: float = 0.95,
) -> float:
    """One-sided p of H0: alpha <= threshold, made as the one-sided bound is.

    With a standard error: t = ln((1 - threshold)/(1 - alpha)) (1 - alpha)/SE with `degrees` of
    freedom. Without one (nan) `bound` is a zero-event bound, which lowers alpha in proportion to
    the share 1 - (1 - g)^(1/n) of a kind of unit not seen among n = degrees + 1: the g at which it
    meets the threshold is known, and p = 1 - g.
    """
    if not math.isnan(se):
        from scipy.special import stdtr  # noqa: PLC0415  (a tenth of what `status` takes to load)

        t = math.log((1 - threshold) / (1 - value)) * (1 - value) / se
        return float(stdtr(degrees, -t))
    if bound >= value:
        return 0.0 if value >= threshold else 1.0
    n = degrees + 1
    share = (value - threshold) / (value - bound) * unseen_share(n, confidence)
    return float((1 - share) ** n) if 0 <= share < 1 else float(share < 0)


def bound_p(
    value: float,
    bound: float,
    threshold: float,
    *,
    se: float,
    degrees: float,
    confidence: float = 0.95,
) -> float:
    """One-sided p of H0: alpha <= threshold, from the one-sided `bound` alone.

    For bounds that let more units disagree than did (see `unequal`): p is 1 - confidence where
    the bound lies on the threshold, and elsewhere as if the distance of alpha and bound, on the
    scale of log(1 - alpha), were t standard errors; far out that is rather too large. Without a
    standard error (a zero-event bound) p = (1 - confidence)^((alpha - threshold)/(alpha - bound)).
    """
    if bound >= value:
        return 0.0 if value >= threshold else 1.0
    if math.isnan(se) or value >= 1:
        return float(min(1.0, (1 - confidence) ** ((value - threshold) / (value - bound))))
    share = math.log((1 - threshold) / (1 - value)) / math.log((1 - bound) / (1 - value))
    from scipy.special import stdtr, stdtrit  # noqa: PLC0415  (as above)

    return float(stdtr(degrees, -share * stdtrit(degrees, confidence)))


def bound_at(
    value: float, bound: float, *, se: float, degrees: float, given: float, wanted: float
) -> float:
    """The one-sided lower bound at the confidence `wanted`, from `bound`, that at `given`.

    It lies at the threshold for which `threshold_p` is 1 - wanted (and `bound_p`, which without a
    standard error is an approximation of it). With a standard error the distance of alpha and
    bound, on the scale of log(1 - alpha), goes with the quantile of t; -1, where bounds are cut,
    stays. Without one it goes with the share of a kind of unit not seen among n = degrees + 1,
    as a zero-event bound does.
    """
    if bound >= value or bound <= -1 or given == wanted:
        return bound
    if math.isnan(se) or value >= 1:
        n = degrees + 1
        return max(-1.0, value - (value - bound) * unseen_share(n, wanted) / unseen_share(n, given))
    from scipy.special import stdtrit  # noqa: PLC0415  (as above)

    ratio = float(stdtrit(degrees, wanted) / stdtrit(degrees, given))
    distance = min(math.log((1 - bound) / (1 - value)) * ratio, 700.0)
    return max(-1.0, 1 - (1 - value) * math.exp(distance))


def further_units(
    value: float, threshold: float, *, se: float, n: int, power: float, confidence: float
) -> int | None:
    """Units beyond the n there are at which a bound would decide; None where none can be told.

    From the standard error seen: V = n SE^2 is the variance for one unit. None too where more
    than a million would be needed.
    """
    if math.isnan(se) or value >= 1:
        return None
    needed = units_to_decide(value, n * se**2, threshold, power=power, confidence=confidence)
    if not math.isfinite(needed) or needed > 1e6:
        return None
    return max(1, math.ceil(needed) - n)
