"""Estimates of all cells at once, with one covariance; figures made of them by the delta method."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from labeler.statistics.agreement.distances import Floats
from labeler.statistics.estimation.sample import Bools, Ints

Target = Literal["collection", "population"]
Reason = Literal[
    "",
    "no blind codes",
    "below ten carriers",
    "below ten authors",
    "negative estimate",
    "denominator not estimable",
    "not corrected",
    "no unit coded both blind and assisted",
]
LEAST_CARRIERS = 10
LEAST_DEGREES = 4.0


class Estimates(NamedTuple):
    """Estimated totals of J cells over the N units of a frame.

    `total`, shape (J,), and `covariance`, shape (J, J), of the totals; `mean` and `se` are by
    unit. `target`: *collection* is what blind coders would have said of the units there are, so
    that only the drawing is uncertain; *population* is the stream of authors they came from.
    `tuning`, shape (J,): how far the model's codes are used, 0 (not at all) to 1. `correlation`,
    shape (J,): of the model's with the blind codes, in the frame. `effective_size`, shape (J,):
    units of a simple random sample coded blind that would say as much. `carriers` and `authors`,
    shape (J,): blind units with a number other than 0, and their authors. `reason`, J of them:
    why the cell is not estimable, else ''. `signed`, shape (J,): numbers below 0 occur.

    For figures made of these: `design_degrees`, the most degrees of freedom there can be (blind
    units less strata, or authors less one), and `degrees`, shape (J,), what a cell's own error is
    worth; `unfit`, why none is estimable, else ''; `known`, shape (J,), as in the sample;
    `contributions`, shape (things, J): to the error of the totals, of each blind unit
    (collection) or author; `carried`, shape (n, J), and `blind_author`, shape (n,); `size` is N,
    `coded` n.
    """

    target: Target
    method: str
    size: int
    coded: int
    total: Floats
    covariance: Floats
    tuning: Floats
    correlation: Floats
    effective_size: Floats
    carriers: Ints
    authors: Ints
    reason: tuple[Reason, ...]
    signed: Bools
    design_degrees: float
    unfit: Reason
    known: Bools
    degrees: Floats
    contributions: Floats
    carried: Bools
    blind_author: Ints

    @property
    def mean(self) -> Floats:
        """Totals by unit of the frame, shape (J,)."""
        return self.total / self.size

    @property
    def se(self) -> Floats:
        """Standard errors of `mean`, shape (J,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)) / self.size, np.float64)

    @property
    def estimable(self) -> Bools:
        """Which cells can be reported, shape (J,)."""
        return np.array([not reason for reason in self.reason], bool)


def carriers_of(carried: Bools, author: Ints, weights: Any) -> tuple[Ints, Ints]:
    """Blind units that carry a cell of each combination, and their distinct authors.

    `carried`, shape (n, J); `author`, shape (n,); `weights`, shape (K, J): a cell is part of a
    combination where its weight is not 0.
    """
    part = (np.asarray(weights) != 0).astype(np.float64)
    has = (carried.astype(np.float64) @ part.T) > 0
    number = np.unique(author, return_inverse=True)[1]
    people = [int(np.unique(number[has[:, place]]).size) for place in range(part.shape[0])]
    return has.sum(axis=0).astype(np.int64), np.array(people, np.int64)


def thin_reason(estimates: Estimates, weights: Floats, carriers: int, authors: int) -> Reason:
    """Why a sum of cells says too little, or ''.

    `weights`, shape (J,): a sum of known cells alone is always good.
    """
    if estimates.unfit or estimates.known[weights != 0].all():
        return estimates.unfit
    if carriers < LEAST_CARRIERS:
        return "below ten carriers"
    if estimates.target == "population" and authors < LEAST_CARRIERS:
        return "below ten authors"
    return ""


def degrees_of(contributions: Floats, most: float) -> Floats:
    """Degrees of freedom of a variance that is a sum of squares, shape (K,).

    nu = 2 V^2 / sum (z^2 - mean)^2 with V = sum z^2, by the fourth moment of the contributions z,
    shape (things, K); at most `most`. Where few units make most of the error, as for a rare code
    or a thinly drawn stratum, few degrees are left, but no fewer than LEAST_DEGREES: with these
    `benchmarks/estimates.py` covers 94% and more, with fewer all, by intervals half as wide again.
    """
    squares = np.square(contributions)
    total = squares.sum(axis=0)
    spread = np.square(squares - squares.mean(axis=0)).sum(axis=0) if len(squares) else total
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = np.where(spread > 0, 2 * total**2 / spread, most)
    return np.asarray(np.clip(worth, min(LEAST_DEGREES, most), max(most, 1.0)), np.float64)
