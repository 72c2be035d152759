"""What seeing a suggestion does to a code: blind and assisted codings of the same units compared.

With H a human's code and M the suggested one, A1 and A0 the agreement P(H = M) in the assisted and
in the blind arm:

    agreement inflation    D = A1 - A0
    adoption share         phi = (A1 - A0)/(1 - A0), the would-be disagreements that vanish
    over-reliance          P(H = M | M wrong, assisted) - P(H = M | M wrong, blind)
    under-reliance         P(H != M | M right, assisted) - P(H != M | M right, blind)
    prevalence shift       P(H has k | assisted) - P(H has k | blind), for each code k
    pull                   slope, through the origin, of the shifts on (model's - blind prevalence)
    alpha inflation        alpha of human and model, assisted - blind

Whether M is wrong is judged by one blind coder of the unit who is not the H in question; where
there are several, each judges with an equal share of the weight. So the judge of either arm is the
same: a single independent coder, who errs as often here as there.

p-values and intervals: see `arms`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from labeler.statistics.agreement import alpha, resampling
from labeler.statistics.agreement.distances import Domain, Floats, Level
from labeler.statistics.experiment import randomisation
from labeler.statistics.experiment.arms import (
    MANY_CODERS,
    Arms,
    Effect,
    estimate,
    influence,
    means,
    nothing,
    spread,
)
from labeler.statistics.experiment.randomisation import Bools, Ints, Rerandomisations
from labeler.statistics.interval import Interval, jackknife_error

ALPHA = 0.05


def for_further_coders(outcome: Floats, compared: Arms) -> Effect:
    """D with an interval that speaks of further coders too: the largest of the clusterings, t."""
    assisted, blind = means(outcome, compared)
    if compared.n_coders < 2:
        return nothing("a single coder says nothing of further ones", compared.n_units)
    se, df, method = spread(influence(outcome, compared), compared, coders=True)
    return estimate(assisted - blind, se, df, method, compared.n_units)


def adoption(agree: Floats, compared: Arms) -> Effect:
    """phi = (A1 - A0)/(1 - A0), linearised; undefined where blind coders agree with the model."""
    assisted, blind = means(agree, compared)
    if blind > 1 - 1e-12:
        reason = "blind coders and the model never disagreed: there was nothing to adopt"
        return nothing(reason, compared.n_units)
    slope = np.where(compared.assisted, 1, (1 - assisted) / (1 - blind))
    scores = influence(agree, compared) * slope / (1 - blind)
    many = compared.n_coders >= MANY_CODERS
    se, df, method = spread(scores, compared, coders=many)
    value = (assisted - blind) / (1 - blind)
    return estimate(value, se, df, f"linearised, {method}", compared.n_units)


def reliance(equal: Bools, compared: Arms) -> tuple[Effect, Effect]:
    """Over- and under-reliance; `equal`: the coding is the model's.

    Units count that have an assisted coding and two blind ones or more: with one, the blind coder
    would have no independent judge.
    """
    n_units = compared.n_units
    seen, blind = compared.assisted, ~compared.assisted
    n_blind = np.bincount(compared.unit, blind, n_units)
    against = np.bincount(compared.unit, blind & ~equal, n_units)
    judges = n_blind[compared.unit] - blind
    wrong = (against[compared.unit] - (blind & ~equal)) / np.maximum(judges, 1)
    kept = (n_blind >= 2) & (np.bincount(compared.unit, seen, n_units) > 0)
    inside = kept[compared.unit]
    if not inside.any():
        reason = "no unit has two blind coders and an assisted one: nobody independent judges"
        return nothing(reason, 0), nothing(reason, 0)
    shares = np.where(seen, np.bincount(compared.unit, seen, n_units)[compared.unit], judges + 1)
    base = np.where(inside, 1 / shares, 0)
    agrees = equal.astype(float)
    words = "suggestion that a blind coder contradicts", "suggestion that a blind coder confirms"
    return (
        _ratio(base * wrong, agrees, compared, words[0], int(kept.sum())),
        _ratio(base * (1 - wrong), 1 - agrees, compared, words[1], int(kept.sum())),
    )


def pull(found: Rerandomisations, columns: Sequence[int], model: Floats) -> Effect:
    """The slope of the prevalence shifts of `columns` on (`model` - blind prevalence).

    The blind prevalence stands on both sides, so that chance alone gives a slope above 0: p is
    the share of ways whose slope is as large, and `note` says what chance gives.
    """
    places = list(columns)
    shifts = np.vstack([found.observed[places], found.difference[:, places]])
    blind = np.vstack([found.observed_blind[places], found.blind[:, places]])
    gaps = model - blind
    size = np.square(gaps).sum(axis=1)
    slopes = (gaps * shifts).sum(axis=1) / np.where(size > 1e-12, size, np.nan)
    if np.isnan(slopes[0]):
        return nothing("the model's shares are those of the blind coders: no gap to close", 0)
    by_way = np.nan_to_num(slopes[1:], nan=0.0)
    p = float((by_way >= slopes[0] - randomisation.TIE).mean())
    method = "through the origin; p: randomisation, one-sided"
    note = f"chance alone gives {by_way.mean():.2f}"
    return Effect(Interval(float(slopes[0]), n=len(places), method=method, note=note), p)


def alpha_by_arm(
    value: Ints, model: Ints, compared: Arms, *, level: Level, domain: Domain
) -> tuple[alpha.Agreement, alpha.Agreement, Effect]:
    """Alpha of human and model in the assisted arm, in the blind arm, and the difference.

    A row is a coding with the model's of its unit; the interval deletes one unit at a time, in
    both arms at once (jackknife, t). `value` and `model` are positions in `domain`.
    """
    counts = np.zeros((value.size, len(domain)), np.int64)
    for given in (value, model):
        np.add.at(counts, (np.arange(value.size), given), 1)
    of_arm, without, units = [], [], []
    for arm in (compared.assisted, ~compared.assisted):
        of_arm.append(alpha.alpha(counts[arm], level=level, domain=domain))
        if of_arm[-1].note:
            continue
        sample = resampling.sample_of(counts[arm], level, domain, compared.unit[arm], None)
        without.append(resampling.without_one(sample))
        units.append(np.unique(compared.unit[arm]))
    if len(without) < 2:
        reason = next(each.note for each in of_arm if each.note)
        return of_arm[0], of_arm[1], nothing(f"no alpha in one arm: {reason}", compared.n_units)
    difference = of_arm[0].value - of_arm[1].value
    if np.array_equal(units[0], units[1]):
        se = jackknife_error(without[0] - without[1])
    else:
        se = math.hypot(*(jackknife_error(part) for part in without))
    df = min(part.size for part in units) - 1
    if not df or math.isnan(se):
        reason = "one unit carries all the variation"
        return of_arm[0], of_arm[1], nothing(reason, compared.n_units, value=difference)
    method = "delete-one-unit jackknife, t"
    found = estimate(difference, se, df, method, compared.n_units)
    return of_arm[0], of_arm[1], found


def verdict(found: Effect, *, bound: float, p: float | None = None) -> str:
    """The claim that an agreement inflation supports, in words; '' where there is none to judge.

    `p` replaces the effect's own where several are judged together.
    """
    if math.isnan(found.interval.value) or math.isnan(found.p):
        return "undefined"
    there = (found.p if p is None else p) <= ALPHA
    small = found.p_equivalence <= ALPHA
    if there:
        word = "anchored" if found.interval.value > 0 else "turned away"
        return f"{word}, but within ±{bound:g}" if small else word
    return f"equivalent within ±{bound:g}" if small else "not decided"


def _ratio(weight: Floats, outcome: Floats, compared: Arms, which: str, n: int) -> Effect:
    """The difference of two weighted means, linearised: sum w (y - mean)/sum w in each arm."""
    scores, shares = np.zeros(outcome.size), []
    for arm, sign in ((compared.assisted, 1), (~compared.assisted, -1)):
        total = float(weight[arm].sum())
        if total < 1e-12:
            return nothing(f"no {which}", n)
        mean = float(weight[arm] @ outcome[arm]) / total
        shares.append(mean)
        scores[arm] = sign * weight[arm] * (outcome[arm] - mean) / total
    se, df, method = spread(scores, compared, coders=compared.n_coders >= MANY_CODERS)
    note = f"{shares[0]:.0%} with the suggestion, {shares[1]:.0%} without"
    return estimate(shares[0] - shares[1], se, df, f"linearised, {method}", n, note)
