"""A regression in which the model's codes stand for people's, corrected by the blind ones.

Codes of a model put into a regression as if they were true give wrong coefficients with small
errors, even where most codes are right, since the errors go along with the other variables. Design-
based supervised learning (Egami, Hinck, Stewart and Wei 2023, NeurIPS) solves the corrected moment
equations instead:

    sum over all units of m(model) + sum over the blind units of w (m(blind) - m(model)) = 0,

with m = x (y - g(x'b)) of one unit and w = 1/probability. The code may be y or a column of x.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from labeler.errors import TableError
from labeler.statistics.agreement.distances import Floats
from labeler.statistics.estimation.covariance import by_group

Link = Literal["linear", "logit"]
STEPS = 100
SETTLED = 1e-10


class RegressionRows(NamedTuple):
    """`design`, shape (units, p), a column of ones among them if wanted; `outcome`, (units,)."""

    design: Floats
    outcome: Floats


class Coefficients(NamedTuple):
    """`value` and `se`, shape (p,), `covariance`, shape (p, p); nan with a `reason` if unsolved."""

    value: Floats
    se: Floats
    covariance: Floats
    reason: str


def plain_regression(
    rows: RegressionRows, *, link: Link, author: ArrayLike | None = None
) -> Coefficients:
    """The regression of one kind of codes alone (the model's, or blind ones), sandwich errors.

    `author`, shape (units,): clusters. No correction: with a model's codes this is what is wrong.
    """
    nobody = RegressionRows(np.empty((0, rows.design.shape[1])), np.empty(0))
    none = np.empty(0, np.int64)
    return corrected_regression(rows, nobody, none, np.empty(0), link=link, author=author)


def corrected_regression(
    model: RegressionRows,
    blind: RegressionRows,
    blind_rows: ArrayLike,
    weights: ArrayLike,
    *,
    link: Link,
    author: ArrayLike | None = None,
) -> Coefficients:
    """Solve the corrected moment equations by Newton's method from the model's own solution.

    `model` has all N units with the model's codes; `blind` the n units of `blind_rows` with
    people's, in the same columns; `weights`, shape (n,): 1/probability of being coded blind.
    Covariance J^-1 (sum of M_a M_a') J^-T with J the derivative and M_a an author's sum of
    moments, as in the authors' R package dsl (without a factor for small samples). Where no
    solution is found (perfect separation, a column without spread) the reason says so.
    """
    rows, w = np.asarray(blind_rows, np.int64), np.asarray(weights, np.float64)
    size, columns = model.design.shape
    if blind.design.shape != (rows.size, columns) or w.shape != rows.shape:
        raise TableError("regression: blind rows, codes and weights do not fit")
    guess = RegressionRows(model.design[rows], model.outcome[rows])
    parts = [(model, np.ones(size)), (blind, w), (guess, -w)]
    start = _solved(parts[:1], np.zeros(columns), link)
    solution = None if start is None else _solved(parts, start, link)
    if solution is None:
        nan = np.full(columns, np.nan)
        return Coefficients(nan, nan, np.full((columns, columns), np.nan), "no solution was found")
    moments = _moments(model, solution, link)
    moments[rows] += w[:, None] * (
        _moments(blind, solution, link) - _moments(guess, solution, link)
    )
    if author is not None:
        number = np.unique(np.asarray(author), return_inverse=True)[1]
        moments = by_group(moments, number, int(number.max(initial=-1)) + 1)
    inverse = np.linalg.inv(_derivative(parts, solution, link))
    covariance = inverse @ (moments.T @ moments) @ inverse.T
    return Coefficients(solution, np.sqrt(np.diag(covariance)), covariance, "")


def _solved(parts: list[tuple[RegressionRows, Floats]], start: Floats, link: Link) -> Floats | None:
    """The root of the summed moments, or None. A step that makes them larger is halved."""
    at, value = start, _total(parts, start, link)
    for _ in range(STEPS):
        derivative = _derivative(parts, at, link)
        if not np.isfinite(derivative).all() or np.linalg.matrix_rank(derivative) < at.size:
            return None
        step = np.linalg.solve(derivative, value)
        while True:
            new = at + step
            after = _total(parts, new, link)
            if np.linalg.norm(after) <= np.linalg.norm(value) or np.abs(step).max() < SETTLED:
                break
            step = step / 2
        at, value = new, after
        if np.abs(step).max() < SETTLED:
            left = float(np.linalg.norm(value)) / max(len(parts[0][0].outcome), 1)
            return at if left < SETTLED else None
    return None


def _total(parts: list[tuple[RegressionRows, Floats]], at: Floats, link: Link) -> Floats:
    total = np.zeros(at.size)
    for rows, weights in parts:
        total += weights @ _moments(rows, at, link)
    return total


def _moments(rows: RegressionRows, at: Floats, link: Link) -> Floats:
    """x (y - g(x'b)) of each unit, shape (units, p)."""
    fitted = rows.design @ at
    expected = expit(fitted) if link == "logit" else fitted
    return np.asarray(rows.design * (rows.outcome - expected)[:, None], np.float64)


def _derivative(parts: list[tuple[RegressionRows, Floats]], at: Floats, link: Link) -> Floats:
    """Minus the derivative of the summed moments: sum of weights x x' g'(x'b), shape (p, p)."""
    total = np.zeros((at.size, at.size))
    for rows, weights in parts:
        slope = np.ones(len(rows.outcome))
        if link == "logit":
            share = expit(rows.design @ at)
            slope = share * (1 - share)
        total += rows.design.T @ (rows.design * (weights * slope)[:, None])
    return total
