"""The covariance of estimated totals, all cells at once, for both targets.

*Collection*: only the drawing is uncertain. Units are drawn one by one within strata, whoever
wrote them, so authors play no part, and a stratum that is coded to the last unit adds nothing.

*Population*: the frame itself is a sample of a wider stream, and authors are what it consists of.
With a unit's pseudo-value psi = lambda f + mean residual of its stratum (+ its own weighted
residual, where it is coded), the covariance is that of the sums of psi by author. For a simple
draw of units with an author each it is (1 - n/N) S^2(y - lambda f)/n + S^2(y)/N.

The frame's part stays sparse: no array of units by cells is ever made dense.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from labeler.statistics.agreement.distances import Floats
from labeler.statistics.estimation.sample import Ints, SampleWeights


class FramePart(NamedTuple):
    """What the frame contributes to the pseudo-values.

    `model`, sparse (N, J), and `tuning`, shape (J,); `author`, shape (N,); `stratum`, shape (N,);
    `level`, shape (strata, J): the mean pseudo-value of each stratum; `rows`: units of the first
    sample drawn from the frame.
    """

    model: Any
    tuning: Floats
    author: Ints
    stratum: Ints
    level: Floats
    rows: Ints


def centred(codes: Floats, weights: SampleWeights) -> tuple[Floats, Floats]:
    """Numbers of the blind units less their stratum's weighted mean, and these means.

    `codes`, shape (n, J); the means have shape (strata, J), and are 0 where nothing was coded.
    """
    means = by_group(codes * weights.weight[:, None], weights.stratum, weights.size.size)
    means /= np.maximum(weights.size, 1)[:, None]
    return codes - means[weights.stratum], means


def by_group(values: Any, group: Ints, many: int) -> Floats:
    """Sums of the rows of `values`, dense or sparse (things, J), by group: shape (many, J)."""
    sums = indicator(group, many) @ values
    return np.asarray(sums.toarray() if sparse.issparse(sums) else sums, np.float64)


def indicator(group: Ints, many: int) -> Any:
    """1 where a thing belongs to a group, sparse (many, things)."""
    places = (group, np.arange(group.size))
    return sparse.csr_array((np.ones(group.size), places), shape=(many, group.size))


def within_stratum(weights: SampleWeights) -> Floats:
    """n_h/(n_h - 1) of each blind unit's stratum, shape (n,); 1 where it is the only one."""
    coded = weights.coded[weights.stratum].astype(np.float64)
    return np.asarray(coded / np.maximum(coded - 1, 1), np.float64)


def collection_contributions(
    residuals: Floats, weights: SampleWeights, before: Floats | float = 1.0
) -> Floats:
    """z with V = z'z: w (e - mean) sqrt((1 - 1/w) n_h/(n_h - 1)), shape (n, J).

    `residuals`, shape (n, J), are centred by stratum. For equal weights w = N_h/n_h this is the
    variance of a stratified sample without replacement (Cochran 1977, chapter 5). `before`,
    shape (n,): what the units stood for in the phase from which they were drawn.
    """
    return np.asarray(residuals * np.sqrt(tuned_weights(weights, before))[:, None], np.float64)


def population_contributions(residuals: Floats, weights: SampleWeights) -> Floats:
    """w (e - mean) of each blind unit, shape (n, J), so that strata of few units count enough.

    The factor that `population_covariance` applies to all is taken out.
    """
    n = weights.weight.size
    scale = weights.weight * np.sqrt(within_stratum(weights) * (n - 1) / n)
    return np.asarray(residuals * scale[:, None], np.float64)


def population_covariance(
    frame: FramePart, rows: Ints, contributions: Floats
) -> tuple[Floats, Floats]:
    """The covariance of the totals, shape (J, J), and the contributions by author.

    `contributions`, shape (things, J), belong to the frame's units `rows` (a unit may come
    twice). The frame's part is centred apart among sampled units and others, as their number is
    fixed by design. Times A/(A - 1) for A authors among the sampled.
    """
    by_author = _summed_by(frame.author, frame.model)
    group = frame.stratum * 2 + np.isin(np.arange(frame.author.size), frame.rows)
    offsets = _offsets(frame, group)
    places = (frame.author, group)
    counts = sparse.csr_array(
        (np.ones(group.size), places), shape=(by_author.shape[0], offsets.shape[0])
    )
    who, number = np.unique(frame.author[rows], return_inverse=True)
    own = by_group(contributions, number, who.size)
    tuned = frame.tuning[:, None]
    cross = (
        -tuned * ((counts.T @ by_author).toarray().T @ offsets)
        + tuned * np.asarray(by_author[who].T @ own)
        - offsets.T @ np.asarray(counts[who].T @ own)
    )
    result = (
        tuned * (by_author.T @ by_author).toarray() * tuned.T
        + offsets.T @ (counts.T @ counts).toarray() @ offsets
        + own.T @ own
        + cross
        + cross.T
    )
    scale = who.size / max(who.size - 1, 1)
    return result * scale, own * np.sqrt(scale)


def _offsets(frame: FramePart, group: Ints) -> Floats:
    """What is taken from lambda f of a unit, by stratum and whether sampled: (2 strata, J)."""
    many = 2 * frame.level.shape[0]
    counts = np.bincount(group, minlength=many)
    mean = by_group(frame.model, group, many) / np.maximum(counts, 1)[:, None] * frame.tuning
    size = counts.reshape(-1, 2).sum(axis=1)
    overall = size @ frame.level / max(int(size.sum()), 1)
    return np.asarray(mean - np.repeat(frame.level - overall, 2, axis=0), np.float64)


def _summed_by(author: Ints, model: Any) -> Any:
    """The model's numbers added up by author, sparse (authors, J)."""
    many = int(author.max(initial=-1)) + 1
    if many == author.size and (author == np.arange(many)).all():
        return model
    return sparse.csr_array(indicator(author, many) @ model)


def unseen_variance(
    contributions: Floats,
    codes: Floats,
    weights: SampleWeights,
    *,
    finite: bool,
    before: Floats | float = 1.0,
) -> Floats:
    """What the variance of each total lacks for errors that n units need not show, shape (J,).

    In a stratum of n_h coded units at least one error in n_h + 2 draws is reckoned with (the mean
    of a share's posterior after none of n_h, from a uniform prior), so its variance is at least
    (1 - n_h/N_h) N_h^2/n_h p (1 - p) s^2 with p = 1/(n_h + 2), and s^2 the mean square of the
    cell's numbers that are not 0. Lacking is what the stratum whose own variance (the squares of
    `contributions`, shape (n, J)) falls shortest of this has too little: errors unseen in all
    strata at once are not reckoned with. Not `finite`: without 1 - n_h/N_h; `before` as in
    `collection_contributions`.
    """
    size, coded = weights.size, np.maximum(weights.coded, 1)
    reached = np.bincount(weights.stratum, weights.weight / before, minlength=size.size)
    left = np.clip(1 - coded / np.maximum(reached, 1), 0, None) if finite else np.ones(size.size)
    share = 1 / (coded + 2)
    least = left * size**2 / coded * share * (1 - share)
    counts = np.count_nonzero(codes, axis=0)
    square = np.where(counts > 0, np.square(codes).sum(axis=0) / np.maximum(counts, 1), 1.0)
    own = by_group(np.square(contributions), weights.stratum, size.size)
    lacking = (least[:, None] * square - own).max(axis=0)
    return np.asarray(np.maximum(lacking, 0.0), np.float64)


def tuned_weights(weights: SampleWeights, before: Floats | float = 1.0) -> Floats:
    """By how much each blind unit's squared residual enters the variance, shape (n,).

    w^2 (1 - 1/w) n_h/(n_h - 1), with `before` in place of the 1.
    """
    w = weights.weight
    return np.asarray(np.clip(1 - before / w, 0, None) * w**2 * within_stratum(weights), float)
