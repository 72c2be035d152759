"""Four estimators of the same totals: the model alone, people alone, corrected, and two-phase.

With f the model's number of each unit of the frame, y the blind one of the units drawn and w what
each of these stands for (`sample_weights`), the total of a cell is estimated by

    lambda sum of f + sum over the blind units of w (y - lambda f),

by prediction-powered inference with power tuning (Angelopoulos, Duchi and Zrnic 2023, PPI++), in
the terms of surveys a difference estimator, post-stratified by the strata of the draw. lambda is
0 for people alone; lambda = 1 trusts the model but for its mean error. Codes given with a
suggestion in view are a second model (`two_phase`), never y.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from labeler.errors import TableError
from labeler.statistics.agreement.distances import Floats
from labeler.statistics.estimation.covariance import (
    FramePart,
    by_group,
    centred,
    collection_contributions,
    population_contributions,
    population_covariance,
    tuned_weights,
    unseen_variance,
)
from labeler.statistics.estimation.estimates import (
    Estimates,
    Reason,
    Target,
    carriers_of,
    degrees_of,
    thin_reason,
)
from labeler.statistics.estimation.sample import PhaseSample, SampleWeights, sample_weights

Tuning = Literal["cell", "common"] | float


def model_alone(sample: PhaseSample, *, target: Target) -> Estimates:
    """The model's own totals: no blind code is used, and no bias of the model is seen.

    Its interval speaks of how the frame varies and of nothing else; each cell that is not known
    is therefore told to be `not corrected`.
    """
    nobody = np.empty(0, np.int64)
    total = np.asarray(sample.model.sum(axis=0), np.float64).ravel()
    covariance: Floats = np.zeros((sample.cells, sample.cells))
    if target == "population":
        frame = FramePart(
            sample.model,
            np.ones(sample.cells),
            sample.author,
            np.zeros(sample.size, np.int64),
            total[None, :] / max(sample.size, 1),
            nobody,
        )
        covariance, _ = population_covariance(frame, nobody, np.empty((0, sample.cells)))
    unfit: Reason = "not corrected"
    writers = float(np.unique(sample.author).size)
    return no_estimates(sample, target)._replace(
        method="model alone",
        total=total,
        covariance=covariance,
        tuning=np.ones(sample.cells),
        reason=tuple("" if known else unfit for known in sample.known),
        unfit=unfit,
        degrees=np.full(sample.cells, max(writers - 1, 1.0)),
        design_degrees=max(writers - 1, 1.0),
    )


def blind_alone(sample: PhaseSample, *, target: Target, unseen_errors: bool = True) -> Estimates:
    """People's blind codes alone, weighted by the design: `corrected` with lambda 0.

    Known columns are estimated from the blind units too, so that their ratios are Hajek's.
    """
    people = sample._replace(known=np.zeros(sample.cells, bool))
    made = corrected(people, target=target, tuning=0.0, unseen_errors=unseen_errors)
    return made._replace(method="blind codes alone")


def corrected(
    sample: PhaseSample, *, target: Target, tuning: Tuning = "cell", unseen_errors: bool = True
) -> Estimates:
    """The model's totals, corrected by the blind codes.

    `tuning`: `cell` gives each cell the lambda in [0, 1] that makes its variance least (the
    regression of y on f within strata); `common` one for all, so that cells add up to their
    margins exactly; a number is taken as it is. `unseen_errors`: whether the variance reckons with
    errors too rare to be seen (`unseen_variance`), as it must for codes; without them it is the
    textbooks'. Without any blind code, or with one, nothing is
    estimated and each cell says why.
    """
    if sample.coded < 2:
        return no_estimates(sample, target)
    weights = sample_weights(sample)
    guessed = sample.model[sample.blind_rows].toarray()
    power = lambdas(sample, guessed, weights, tuning)
    residuals, means = centred(sample.blind - power * guessed, weights)
    sums = np.asarray(sample.model.sum(axis=0), np.float64).ravel()
    total = power * sums + weights.size @ means
    if target == "collection":
        own = contributions = collection_contributions(residuals, weights)
        covariance = contributions.T @ contributions
        most = float(sample.coded - weights.size.size)
    else:
        size = np.maximum(weights.size, 1)[:, None]
        level = means + power * by_group(sample.model, weights.frame, weights.size.size) / size
        frame = FramePart(
            sample.model, power, sample.author, weights.frame, level, sample.blind_rows
        )
        own = population_contributions(residuals, weights)
        covariance, contributions = population_covariance(frame, sample.blind_rows, own)
        most = float(len(contributions) - 1)
    lacking = unseen_variance(own, sample.blind, weights, finite=target == "collection")
    unseen = np.where(sample.known | (not unseen_errors), 0.0, lacking)
    made = no_estimates(sample, target)._replace(
        method="corrected", total=total, covariance=covariance, tuning=power
    )
    made = with_degrees(made, contributions, unseen, most)
    return finished(made, sample, guessed, weights)


def with_degrees(
    estimates: Estimates, contributions: Floats, unseen: Floats, most: float
) -> Estimates:
    """The estimates with the variance that is not seen, shape (J,), and what errors are worth."""
    everything = np.concatenate([contributions, np.sqrt(unseen)[None, :]])
    return estimates._replace(
        covariance=estimates.covariance + np.diag(unseen),
        degrees=degrees_of(everything, most),
        design_degrees=most,
        contributions=everything,
    )


def finished(
    estimates: Estimates, sample: PhaseSample, guessed: Floats, weights: SampleWeights
) -> Estimates:
    """The estimates with correlation, effective size, carriers, and reasons.

    `guessed`, shape (n, J): the model's numbers of the blind units.
    """
    w = weights.weight / weights.weight.sum()
    y, f = sample.blind - w @ sample.blind, guessed - w @ guessed
    spread_y, spread_f = w @ np.square(y), w @ np.square(f)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = (w @ (y * f)) / np.sqrt(spread_y * spread_f)
        spread = spread_y * sample.coded / (sample.coded - 1)
        variance = np.diag(estimates.covariance) / sample.size**2
        if estimates.target == "collection":
            variance = variance + spread / sample.size
        effective = np.where(sample.known, np.nan, spread / variance)
    done = estimates._replace(
        correlation=correlation,
        effective_size=effective,
        signed=np.minimum(sample.blind, guessed).min(axis=0) < 0,
        unfit="",
    )
    return done._replace(reason=_reasons(done))


def _reasons(estimates: Estimates) -> tuple[Reason, ...]:
    """Why a cell is not estimable, for each cell."""
    reasons: list[Reason] = []
    for place, cell in enumerate(np.eye(estimates.total.size)):
        own = thin_reason(
            estimates, cell, int(estimates.carriers[place]), int(estimates.authors[place])
        )
        below = estimates.total[place] < 0 and not estimates.signed[place]
        reasons.append(own or ("negative estimate" if below else ""))
    return tuple(reasons)


def lambdas(
    sample: PhaseSample,
    guessed: Floats,
    weights: SampleWeights,
    tuning: Tuning,
    before: Floats | float = 1.0,
) -> Floats:
    """lambda of each cell, shape (J,); 1 for what is known.

    `guessed`, shape (n, J): another's numbers of the blind units. The lambda in [0, 1] at which
    the variance of y - lambda guessed is least is Cov(y, guessed)/Var(guessed), pooled over
    strata as they enter the variance; 0 where the guesses do not vary among the blind units.
    """
    if not isinstance(tuning, str):
        return np.where(sample.known, 1.0, float(tuning))
    if tuning not in ("cell", "common"):
        raise TableError(f"tuning {tuning!r} is neither 'cell' nor 'common' nor a number")
    y, _ = centred(sample.blind, weights)
    f, _ = centred(guessed, weights)
    importance = tuned_weights(weights, before)
    shared, own = importance @ (y * f), importance @ np.square(f)
    if tuning == "common":
        free = ~sample.known
        shared, own = (np.full(own.size, part[free].sum()) for part in (shared, own))
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.where(own > 0, np.clip(shared / own, 0, 1), 0.0)
    return np.where(sample.known, 1.0, power)


def no_estimates(sample: PhaseSample, target: Target) -> Estimates:
    """Estimates without a number: only what was coded is there."""
    nan = np.full(sample.cells, np.nan)
    carried = sample.blind != 0
    who = sample.author[sample.blind_rows]
    carriers, authors = carriers_of(carried, who, np.eye(sample.cells))
    unfit: Reason = "no blind codes" if not sample.coded else "below ten carriers"
    return Estimates(
        target=target,
        method="",
        size=sample.size,
        coded=sample.coded,
        total=nan,
        covariance=np.full((sample.cells, sample.cells), np.nan),
        tuning=nan,
        correlation=nan,
        effective_size=nan,
        carriers=carriers,
        authors=authors,
        reason=(unfit,) * sample.cells,
        signed=np.zeros(sample.cells, bool),
        design_degrees=1.0,
        unfit=unfit,
        known=sample.known,
        degrees=np.ones(sample.cells),
        contributions=np.empty((0, sample.cells)),
        carried=carried,
        blind_author=who,
    )
