"""The alternative-annotator test: may a model stand in for one of the human coders?

Each human j is left out in turn; the model and j are scored by how near they come to the other
humans. With S(x, i, -j) the score of x on unit i,

    W^f_i = 1[S(f) >= S(h_j)],  W^h_i = 1[S(h_j) >= S(f)]  (a tie counts for both),
    d_i = W^h_i - W^f_i,  H0: mean(d) >= epsilon  against  mean(d) < epsilon  (t, one-sided).

Over the humans the p-values are corrected by Benjamini and Yekutieli (2001), not by Benjamini and
Hochberg, which assumes that the tests, made of the same units, do not hinder each other. The
winning rate omega is the share of rejected hypotheses; the model passes from 1/2 on. The advantage
probability rho is the mean of W^f. Source: Calderon, Reichart and Dror (2025), The Alternative
Annotator Test for LLM-as-a-Judge.

Where units were drawn unequally, rho, mean(d) and t are weighted by 1/probability, so that they
speak of all units that could have been drawn; t then lets EXTRA of one more of the heaviest units
go against the model, as `agreement.unequal` does and for the same reason.

The humans must have coded blind. The test compares the model with single humans: it does not show
that shares counted from the model's codes are right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr  # scipy.stats would take half a second to load

from labeler.errors import TableError
from labeler.statistics.agreement.alpha import check_weights
from labeler.statistics.agreement.distances import Domain, Floats, Level, distances_between
from labeler.statistics.binomial import effective_size, wilson
from labeler.statistics.interval import Interval
from labeler.statistics.multiplicity import benjamini_yekutieli

Score = Literal["accuracy", "rmse", "jaccard", "masi"]
Small = Literal["refuse", "wilcoxon"]

LEAST_UNITS = 30
LEAST_HUMANS = 3
PASS = 0.5
Q = 0.05
EXTRA = 0.4  # of a unit of the largest weight, as of one that went against the model
TIE = 1e-9  # scores nearer than this are equal but for rounding


class HumanTest(NamedTuple):
    """One human left out: `coder` is the row in `columns`, `n` the units shared with others.

    `rho` is the mean of W^f, `rho_human` that of W^h, `difference` mean(d); `p` and `p_adjusted`
    are nan where `note` says why the human was not tested. `statistic` is t, nan where d has no
    spread (`p` is then an exact bound) and with Wilcoxon.
    """

    coder: int
    n: int
    rho: float
    rho_human: float
    difference: float
    statistic: float
    p: float
    p_adjusted: float
    rejected: bool
    method: str
    note: str


class AltTest(NamedTuple):
    """The test over all humans; `verdict` is pass, fail or undefined, `note` says why or what to
    mind. `rho` comes with a 95% interval for further units, the humans being fixed."""

    omega: float
    rho: Interval
    epsilon: float
    n_humans: int
    n_units: int
    humans: tuple[HumanTest, ...]
    verdict: str
    method: str
    note: str


def alternative(
    columns: NDArray[Any],
    model: NDArray[Any],
    *,
    domain: Domain,
    score: Score,
    epsilon: float = 0.2,
    q: float = Q,
    least: int = LEAST_UNITS,
    small: Small = "refuse",
    weights: Floats | None = None,
) -> AltTest:
    """The test of `model`, shape (units,), against `columns`, shape (coders, units).

    Both hold positions in `domain`, -1 where not coded. A human's units are those that the model,
    the human and another human coded. `score` is accuracy (share of the other humans with the same
    value), rmse (-sqrt of the mean squared difference to them; the domain holds numbers), jaccard
    or masi (mean similarity of sets). epsilon, the allowance for a human's cost: .2 for experts,
    .15 for skilled coders, .1 for crowds. A human with fewer than `least` units is not tested, or
    with `small="wilcoxon"` by the signed-rank test of d - epsilon.

    `weights`, shape (units,), are 1/probability of drawing.

    Raises TableError for shapes that do not fit, an epsilon outside of 0 to 1, and for weights
    beside the signed-rank test, which knows none.
    """
    if columns.ndim != 2 or model.shape != columns.shape[1:]:
        raise TableError(f"columns of shape {columns.shape} do not fit a model of {model.shape}")
    if not 0 <= epsilon < 1:
        raise TableError(f"epsilon {epsilon:g} must lie from 0 to 1 (1 left out)")
    if weights is not None:
        check_weights(weights, model.size)
        if small == "wilcoxon":
            raise TableError("the signed-rank test knows no weights: leave it, or the weights, out")
    apart = _distances(columns, model, domain, score)
    met = (columns >= 0) & (model >= 0) & ((columns >= 0).sum(axis=0) >= 2)
    found, wins = [], np.full(columns.shape, np.nan)
    for coder in range(len(columns)):
        units = np.flatnonzero(met[coder])
        of_model, of_human = _scores(columns, model, coder, units, apart, score)
        for_model = of_model >= of_human - TIE
        for_human = of_human >= of_model - TIE
        own = None if weights is None else weights[units]
        found.append(_human(coder, for_model, for_human, epsilon, least, small, own))
        if not math.isnan(found[-1].p):
            wins[coder, units] = for_model
    humans = decided(found, q=q)
    return _over_all(humans, wins, epsilon, score, q, weights)


def decided(humans: Sequence[HumanTest], *, q: float = Q) -> tuple[HumanTest, ...]:
    """The humans with `p_adjusted` and `rejected` for the family that they make up.

    Those without a p stay as they are. Several variables: give the humans of all of them.
    """
    tested = [place for place, human in enumerate(humans) if not math.isnan(human.p)]
    adjusted = benjamini_yekutieli([humans[place].p for place in tested])
    result = list(humans)
    for place, p in zip(tested, adjusted, strict=True):
        result[place] = humans[place]._replace(p_adjusted=float(p), rejected=bool(p <= q))
    return tuple(result)


def winning(humans: Sequence[HumanTest]) -> tuple[float, str, str]:
    """omega, the verdict and its reason, from humans as `decided` leaves them."""
    tested = [human for human in humans if not math.isnan(human.p)]
    if not tested:
        return math.nan, "undefined", _untested(humans)
    omega = sum(human.rejected for human in tested) / len(tested)
    if len(tested) < LEAST_HUMANS:
        reason = (
            f"{len(tested)} human{'s' * (len(tested) > 1)} could be tested, the test needs "
            f"{LEAST_HUMANS}"
        )
        return omega, "undefined", reason
    left_out = len(humans) - len(tested)
    reason = f"{left_out} humans were not tested: {_untested(humans)}" if left_out else ""
    return omega, "pass" if omega >= PASS else "fail", reason


def _untested(humans: Sequence[HumanTest]) -> str:
    return next((human.note for human in humans if math.isnan(human.p)), "no human coded")


def _distances(columns: NDArray[Any], model: NDArray[Any], domain: Domain, score: Score) -> Floats:
    """Distances of the values that were given, in the rows and columns of `domain`."""
    if max(columns.max(initial=-1), model.max(initial=-1)) >= len(domain):
        raise TableError("a coding lies outside of the domain")
    if score == "rmse":  # numbers may be many: they are subtracted, not tabled
        return np.array([float(value) for value in domain])  # type: ignore[arg-type]
    level: Level = "nominal" if score == "accuracy" else score
    return distances_between(level, domain, np.empty(0))


def _scores(
    columns: NDArray[Any],
    model: NDArray[Any],
    coder: int,
    units: NDArray[np.intp],
    apart: Floats,
    score: Score,
) -> tuple[Floats, Floats]:
    """S(f, i, -j) and S(h_j, i, -j) over `units`."""
    total = np.zeros((2, units.size))
    others = np.zeros(units.size)
    candidates = (model[units], columns[coder, units])
    for other in range(len(columns)):
        if other == coder:
            continue
        theirs = columns[other, units]
        there = theirs >= 0
        others += there
        for row, own in enumerate(candidates):
            if score == "rmse":
                distance = np.square(apart[own] - apart[theirs])
            else:
                distance = apart[own, theirs]
            total[row] += np.where(there, distance, 0)
    mean = total / np.maximum(others, 1)
    scores = -np.sqrt(mean) if score == "rmse" else 1 - mean
    return scores[0], scores[1]


def _human(
    coder: int,
    for_model: NDArray[np.bool_],
    for_human: NDArray[np.bool_],
    epsilon: float,
    least: int,
    small: Small,
    weights: Floats | None,
) -> HumanTest:
    d = for_human.astype(float) - for_model
    n = d.size
    rho, rho_human, difference = (
        float(np.average(part, weights=weights)) if n else math.nan
        for part in (for_model, for_human, d)
    )
    if n >= least and weights is not None:
        statistic, p, method = _weighted_t_test(d, epsilon, weights)
        note = ""
    elif n >= least:
        statistic, p, method = _t_test(d, epsilon)
        note = ""
    elif small == "wilcoxon" and n:
        statistic, p, method = math.nan, _wilcoxon(d, epsilon), "Wilcoxon signed-rank, one-sided"
        note = f"{n} units are fewer than {least}: tested by Wilcoxon, as asked"
    else:
        statistic, p, method = math.nan, math.nan, ""
        note = f"{n} units shared with other humans, fewer than {least}"
    return HumanTest(
        coder, n, rho, rho_human, difference, statistic, p, math.nan, False, method, note
    )


def _t_test(d: Floats, epsilon: float) -> tuple[float, float, str]:
    """t, its lower tail, the method. Without spread t says nothing; then an exact bound.

    Of variables from -1 to 1 with mean >= epsilon, n are all c < epsilon with probability at most
    ((1 - epsilon)/(1 - c))^n.
    """
    n, mean, spread = d.size, float(d.mean()), float(d.std(ddof=1)) if d.size > 1 else 0.0
    if spread == 0:
        p = ((1 - epsilon) / (1 - mean)) ** n if mean < epsilon else 1.0
        return math.nan, p, "exact bound: every unit gives the same difference"
    t = (mean - epsilon) / (spread / math.sqrt(n))
    return t, float(stdtr(n - 1, t)), "t, one-sided"


def _weighted_t_test(d: Floats, epsilon: float, weights: Floats) -> tuple[float, float, str]:
    """As `_t_test` for sum w d / sum w, linearised, with EXTRA of a heaviest unit of d = 1.

    SE^2 = n/(n - 1) sum w^2 (d - mean)^2 / (sum w)^2, t of n - 1 degrees of freedom.
    """
    n, heaviest = d.size, float(weights.max())
    values, mass = np.append(d, 1.0), np.append(weights, EXTRA * heaviest)
    mean = float(mass @ values / mass.sum())
    squares = float((np.append(weights, heaviest) * mass) @ np.square(values - mean))
    se = math.sqrt(n / (n - 1) * squares) / float(mass.sum())
    method = "t, one-sided, weighted by 1/probability of drawing"
    if se == 0:
        return math.nan, 1.0, method
    t = (mean - epsilon) / se
    return t, float(stdtr(n - 1, t)), method


def _wilcoxon(d: Floats, epsilon: float) -> float:
    from scipy.stats import wilcoxon  # noqa: PLC0415  (half a second to load, rarely asked for)

    shifted = d - epsilon
    if not shifted.any():
        return 1.0
    return float(wilcoxon(shifted, alternative="less", method="approx").pvalue)


def _over_all(
    humans: tuple[HumanTest, ...],
    wins: Floats,
    epsilon: float,
    score: Score,
    q: float,
    weights: Floats | None,
) -> AltTest:
    tested = [human for human in humans if not math.isnan(human.p)]
    omega, verdict, note = winning(humans)
    return AltTest(
        omega=omega,
        rho=_advantage(wins, weights),
        epsilon=epsilon,
        n_humans=len(tested),
        n_units=int((~np.isnan(wins)).any(axis=0).sum()),
        humans=humans,
        verdict=verdict,
        method=f"score: {score}; Benjamini-Yekutieli over {len(tested)} tests, q = {q:g}",
        note=note,
    )


def _advantage(wins: Floats, weights: Floats | None) -> Interval:
    """rho = mean over humans of mean(W^f), with an interval by units (z, linearised)."""
    there = ~np.isnan(wins)
    tested = there.any(axis=1)
    kept, own = wins[tested], there[tested]
    n = int(own.any(axis=0).sum())
    if not n:
        return Interval(math.nan)
    weight = own * (1.0 if weights is None else weights)
    counted = weight.sum(axis=1, keepdims=True)
    means = (weight * np.where(own, kept, 0)).sum(axis=1, keepdims=True) / counted
    rho = float(means.mean())
    of_unit = (weight * np.where(own, kept - means, 0) / counted).sum(axis=0) / len(kept)
    se = math.sqrt(n / max(n - 1, 1) * float(np.square(of_unit).sum()))
    if se == 0:
        there_at_all = weight.any(axis=0)
        size = n if weights is None else effective_size(weights[there_at_all])
        share = wilson(rho, size)
        return share._replace(n=n, method=f"{share.method}, {size:.0f} units")
    half = 1.959963984540054 * se
    method = "linearised, clustered by unit"
    return Interval(rho, max(0.0, rho - half), min(1.0, rho + half), se, n=n, method=method)
