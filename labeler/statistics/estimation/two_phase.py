"""The two-phase estimator: the model on all units, assisted on some, blind on some of these.

    gamma sum of f + sum of w1 (alpha a - gamma f) + sum of w2 (y - alpha a)

with a the assisted number of the units of the first phase, w1 what each of these stands for in
the frame, w2 what each blind unit stands for (Särndal, Swensson and Wretman 1992, Model Assisted
Survey Sampling, chapter 9). Assisted codes are pulled towards the suggestion: they are a better
guess than the model's, and the blind codes take out what bias is left.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from labeler.statistics.agreement.distances import Floats
from labeler.statistics.estimation.covariance import (
    FramePart,
    by_group,
    centred,
    collection_contributions,
    population_contributions,
    population_covariance,
    unseen_variance,
)
from labeler.statistics.estimation.estimates import Estimates, Reason, Target
from labeler.statistics.estimation.estimators import (
    Tuning,
    finished,
    lambdas,
    no_estimates,
    with_degrees,
)
from labeler.statistics.estimation.sample import (
    AssistedPhase,
    Ints,
    PhaseSample,
    SampleWeights,
    sample_weights,
    weights_of,
)


class _Draws(NamedTuple):
    """`first`: of the assisted units from the frame; `second`: of the blind ones from these.

    `whole`: of the blind units from the frame. `place`, shape (n,): where each blind unit stands
    among the assisted ones; `before`, shape (n,): its weight there; `assisted`, shape (n, J): its
    assisted number.
    """

    first: SampleWeights
    second: SampleWeights
    whole: SampleWeights
    place: Ints
    before: Floats
    assisted: Floats


def two_phase(
    sample: PhaseSample, *, target: Target, tuning: Tuning = "cell", unseen_errors: bool = True
) -> Estimates:
    """The model's totals, corrected by assisted codes, and these by blind ones.

    `tuning` (for both steps) and `unseen_errors` as in `corrected`; the `tuning` of the result is
    gamma. Without an assisted phase each cell says that no unit is coded both ways.
    """
    none, phase = no_estimates(sample, target), sample.assisted
    if sample.coded < 2:
        return none
    if phase is None:
        both: Reason = "no unit coded both blind and assisted"
        return none._replace(reason=(both,) * sample.cells, unfit=both)
    draws = _draws(sample, phase)
    guessed = sample.model[sample.blind_rows].toarray()
    gamma = lambdas(sample, guessed, draws.whole, tuning)
    alpha = lambdas(sample, draws.assisted, draws.second, tuning, draws.before)
    residuals, left = centred(sample.blind - alpha * draws.assisted, draws.second)
    gap = alpha * phase.codes - gamma * sample.model[phase.rows].toarray()
    gaps, level = centred(gap + left[draws.second.frame], draws.first)
    sums = np.asarray(sample.model.sum(axis=0), np.float64).ravel()
    if target == "collection":
        second = collection_contributions(residuals, draws.second, draws.before)
        beyond = _first_draw(sample.blind - gamma * guessed, draws)
        contributions = np.concatenate([second, beyond])
        covariance = contributions.T @ contributions
    else:
        size = np.maximum(draws.first.size, 1)[:, None]
        second = population_contributions(residuals, draws.second)
        means = gamma * by_group(sample.model, draws.first.frame, len(size)) / size
        covariance, contributions = population_covariance(
            FramePart(
                sample.model,
                gamma,
                sample.author,
                draws.first.frame,
                level + means,
                phase.rows,
            ),
            np.concatenate([phase.rows, sample.blind_rows]),
            np.concatenate([population_contributions(gaps, draws.first), second]),
        )
    lacking = unseen_variance(
        second, sample.blind, draws.second, finite=target == "collection", before=draws.before
    )
    unseen = np.where(sample.known | (not unseen_errors), 0.0, lacking)
    made = none._replace(
        method="two-phase",
        total=gamma * sums + draws.first.size @ level,
        covariance=covariance,
        tuning=gamma,
    )
    most = float(sample.coded - draws.second.size.size)
    return finished(with_degrees(made, contributions, unseen, most), sample, guessed, draws.whole)


def _draws(sample: PhaseSample, phase: AssistedPhase) -> _Draws:
    """Weights of both draws."""
    first = weights_of(sample.stratum, phase.rows, 1 / phase.probability)
    order = np.argsort(phase.rows)
    place = order[np.searchsorted(phase.rows[order], sample.blind_rows)]
    within = sample.stratum[phase.rows] if phase.within is None else phase.within
    second = weights_of(within, place, 1 / sample.probability, first.weight)
    return _Draws(
        first=first,
        second=second,
        whole=sample_weights(sample),
        place=place,
        before=first.weight[place],
        assisted=phase.codes[place],
    )


def _first_draw(beyond: Floats, draws: _Draws) -> Floats:
    """Contributions to the variance of the first draw, shape (2n, J).

    `beyond`, shape (n, J): y - gamma f, whose variance in the frame the first draw meets. It is
    estimated from the blind units: S^2 = n1/(n1 - 1) [mean of d^2 - mean^2 + v(mean)], with v the
    variance of the mean by the second draw (Särndal, Swensson and Wretman 1992, 9.3.7).
    """
    first, second = draws.first, draws.second
    stratum = first.stratum[draws.place]
    share = second.weight / np.bincount(stratum, second.weight)[stratum]
    level = by_group(beyond * share[:, None], stratum, first.size.size)
    apart = beyond - level[stratum]
    count = first.coded[stratum].astype(np.float64)
    left = np.clip(1 - 1 / draws.before, 0, None)
    spread = second.weight * draws.before * left * count / np.maximum(count - 1, 1)
    again, _ = centred(beyond, second)
    mean = collection_contributions(again, second, draws.before)
    return np.concatenate(
        [
            apart * np.sqrt(spread)[:, None],
            mean * np.sqrt(left / np.maximum(count - 1, 1))[:, None],
        ]
    )
