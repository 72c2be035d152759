"""A value for each unit from several coders who err: Dawid and Skene's model, and MACE.

Both need three coders or more who erred independently of each other. Coders who saw one suggestion
did not: their shared errors count as proof, and the model's own accuracy comes out near 1 (see
`labeler/statistics/experiment/`). So only blind codings belong here, and never the suggester.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from labeler.errors import TableError
from labeler.statistics.agreement.distances import Floats

Ints = NDArray[np.int64]
STEPS = 2000
SETTLED = 1e-10  # largest change of a posterior at which the steps end


class ModelledConsensus(NamedTuple):
    """What a model of coders' errors says.

    `posterior`, shape (units, values): of each unit's true value; `prevalence`, shape (values,).
    `accuracy`, shape (coders, values, values): the chance that a coder gives a value (last)
    where another is true (middle); of MACE as its competence implies. `competence`, shape
    (coders,): the share of units that a coder codes rightly and not at random. `steps` taken,
    and whether they `converged`.
    """

    posterior: Floats
    prevalence: Floats
    accuracy: Floats
    competence: Floats
    steps: int
    converged: bool

    @property
    def value(self) -> Ints:
        """The likeliest value of each unit, shape (units,); -1 where two are just as likely."""
        likeliest = self.posterior.argmax(axis=1)
        best = np.sort(self.posterior, axis=1)[:, ::-1]
        tied = best[:, 0] - best[:, 1] < 1e-9 if best.shape[1] > 1 else np.zeros(len(best), bool)
        return np.where(tied, -1, likeliest)


class _Counts(NamedTuple):
    """How often a coder gave a unit a value, sparse (units, coders x values), and the numbers."""

    given: sparse.csr_array
    coders: int
    values: int


def dawid_skene(
    unit: ArrayLike, coder: ArrayLike, value: ArrayLike, *, values: int | None = None
) -> ModelledConsensus:
    """Dawid and Skene (1979), Applied Statistics 28, 20-28: maximum likelihood by EM.

    `unit`, `coder` and `value`, shape (codings,): numbers from 0. A coder may code a unit several
    times (replicates). Started from the shares of the codings of each unit, as the authors did;
    another start may end elsewhere. `values`: how many the codebook has, where not all were given.
    """
    counts = _counts(unit, coder, value, values)
    posterior = _shares(counts)
    step, change = 0, math.inf
    while step < STEPS and change >= SETTLED:
        prevalence = posterior.mean(axis=0)
        accuracy = _confusion(counts, posterior)
        with np.errstate(divide="ignore"):
            log = np.log(prevalence) + _log_likelihood(counts, accuracy)
        new = _normalised(log)
        change = float(np.abs(new - posterior).max())
        posterior, step = new, step + 1
    right = np.einsum("ckk->ck", accuracy) @ prevalence
    return ModelledConsensus(posterior, prevalence, accuracy, right, step, change < SETTLED)


def mace(
    unit: ArrayLike,
    coder: ArrayLike,
    value: ArrayLike,
    *,
    values: int | None = None,
    prior: float = 0.5,
) -> ModelledConsensus:
    """MACE (Hovy, Berg-Kirkpatrick, Vaswani and Hovy 2013, NAACL): who codes, and who just clicks.

    Coder j codes rightly with chance theta_j and else gives a value at random by habits of its
    own; all values are equally likely beforehand. Maximum a posteriori by EM with `prior` added
    to both counts of theta and to the counts of the habits. Arguments as in `dawid_skene`; fewer
    parameters a coder, so it settles on fewer codings.
    """
    counts = _counts(unit, coder, value, values)
    many, kinds = counts.coders, counts.values
    competence, habits = np.full(many, 0.5), np.full((many, kinds), 1 / kinds)
    total = np.asarray(counts.given.sum(axis=0)).ravel().reshape(many, kinds)
    posterior = _shares(counts)
    step, change = 0, math.inf
    while step < STEPS and change >= SETTLED:
        random = (1 - competence)[:, None] * habits
        knew = competence[:, None] / (competence[:, None] + random)
        right = knew * _given_where(counts, posterior)
        by_coder = right.sum(axis=1)
        competence = (by_coder + prior) / (total.sum(axis=1) + 2 * prior)
        clicked = total - right + prior
        habits = clicked / clicked.sum(axis=1, keepdims=True)
        accuracy = (1 - competence)[:, None, None] * habits[:, None, :] + (
            competence[:, None, None] * np.eye(kinds)
        )
        new = _normalised(_log_likelihood(counts, accuracy))
        change = float(np.abs(new - posterior).max())
        posterior, step = new, step + 1
    return ModelledConsensus(
        posterior, posterior.mean(axis=0), accuracy, competence, step, change < SETTLED
    )


def _counts(unit: ArrayLike, coder: ArrayLike, value: ArrayLike, values: int | None) -> _Counts:
    units, coders, codes = (np.asarray(part, np.int64) for part in (unit, coder, value))
    if not units.size or not units.size == coders.size == codes.size:
        raise TableError(
            "codings: a unit, a coder and a value are needed for each, of one at least"
        )
    kinds = int(codes.max()) + 1 if values is None else values
    if min(units.min(), coders.min(), codes.min()) < 0 or codes.max() >= kinds:
        raise TableError("codings: units, coders and values are numbers from 0")
    shape = (int(units.max()) + 1, (int(coders.max()) + 1) * kinds)
    given = sparse.coo_array((np.ones(units.size), (units, coders * kinds + codes)), shape=shape)
    return _Counts(given.tocsr(), int(coders.max()) + 1, kinds)


def _shares(counts: _Counts) -> Floats:
    """Shares of the codings of each unit, shape (units, values); equal where it has none."""
    folded = np.tile(np.eye(counts.values), (counts.coders, 1))
    sums = np.asarray(counts.given @ folded)
    empty = sums.sum(axis=1) == 0
    sums[empty] = 1.0
    return np.asarray(sums / sums.sum(axis=1, keepdims=True), np.float64)


def _confusion(counts: _Counts, posterior: Floats) -> Floats:
    """Shares of the values that each coder gave by true value, (coders, values, values)."""
    sums = np.asarray((counts.given.T @ posterior).T)
    cube = sums.reshape(counts.values, counts.coders, counts.values).transpose(1, 0, 2)
    rows = cube.sum(axis=2, keepdims=True)
    equal = np.full_like(cube, 1 / counts.values)
    return np.asarray(np.divide(cube, rows, out=equal, where=rows > 0), np.float64)


def _given_where(counts: _Counts, posterior: Floats) -> Floats:
    """How often each coder gave each value where it was true, expected: (coders, values)."""
    sums = np.asarray(counts.given.T @ posterior)
    cube = sums.reshape(counts.coders, counts.values, counts.values)
    return np.asarray(np.einsum("cvv->cv", cube), np.float64)


def _log_likelihood(counts: _Counts, accuracy: Floats) -> Floats:
    """log P(codings of a unit | its value), shape (units, values)."""
    log = np.log(np.maximum(accuracy, 1e-300))
    flat = log.transpose(0, 2, 1).reshape(counts.coders * counts.values, counts.values)
    return np.asarray(counts.given @ flat, np.float64)


def _normalised(log: Floats) -> Floats:
    shares = np.exp(log - log.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float64)
