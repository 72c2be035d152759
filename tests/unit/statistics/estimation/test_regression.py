"""Regressions on a model's codes: wrong alone, right when corrected."""

from __future__ import annotations

import numpy as np
import pytest
from thorough import repetitions

from labeler.errors import TableError
from labeler.statistics.estimation.regression import (
    RegressionRows,
    corrected_regression,
    plain_regression,
)


def study(rng: np.random.Generator, *, size: int = 3000, coded: int = 800):
    """Outcome by a code (slope 1 on the logit) that a model errs on along with the outcome."""
    code = (rng.random(size) < 0.4).astype(float)
    outcome = (rng.random(size) < 1 / (1 + np.exp(0.5 - code))).astype(float)
    wrong = rng.random(size) < np.where(outcome == 1, 0.05, 0.35)
    guess = np.where(wrong, 1 - code, code)
    rows = rng.choice(size, coded, replace=False)
    one = np.ones(size)
    return (
        RegressionRows(np.stack([one, guess], axis=1), outcome),
        RegressionRows(np.stack([one, code], axis=1)[rows], outcome[rows]),
        rows,
        np.full(coded, size / coded),
    )


def test_a_mean_with_unequal_probabilities_as_published() -> None:
    """data_unequal of the R package dsl: 3,000 units, .1 or .3: .4455556, SE .0405989 (HC0)."""
    groups = [  # coded, f, y, probability, units
        (0, 0, 0, 0.1, 248), (0, 0, 0, 0.3, 10), (0, 1, 0, 0.1, 2316), (0, 1, 0, 0.3, 92),
        (1, 0, 0, 0.1, 14), (1, 0, 0, 0.3, 2), (1, 0, 1, 0.1, 12), (1, 0, 1, 0.3, 4),
        (1, 1, 0, 0.1, 142), (1, 1, 0, 0.3, 26), (1, 1, 1, 0.1, 113), (1, 1, 1, 0.3, 21),
    ]  # fmt: skip
    coded, f, y, chance, _ = np.repeat(np.array(groups), [group[4] for group in groups], axis=0).T
    rows = np.flatnonzero(coded)
    one = np.ones((f.size, 1))
    made = corrected_regression(
        RegressionRows(one, f),
        RegressionRows(one[rows], y[rows]),
        rows,
        1 / chance[rows],
        link="linear",
    )
    assert made.value[0] == pytest.approx(0.4455555555555555, abs=1e-9)
    assert made.se[0] == pytest.approx(0.04059890630812163, abs=1e-9)


def test_the_model_s_codes_lead_astray_and_correction_leads_back() -> None:
    """True slope 1: the model's own interval misses it, the corrected one holds it."""
    rng = np.random.default_rng(1)
    held = {"model": 0, "corrected": 0}
    runs = repetitions(30)
    for _ in range(runs):
        model, blind, rows, weights = study(rng)
        alone = plain_regression(model, link="logit")
        both = corrected_regression(model, blind, rows, weights, link="logit")
        held["model"] += abs(alone.value[1] - 1) < 1.96 * alone.se[1]
        held["corrected"] += abs(both.value[1] - 1) < 1.96 * both.se[1]
    assert held["model"] == 0
    assert held["corrected"] >= 0.8 * runs


def test_linear_regression_is_least_squares() -> None:
    """Without a correction: numpy's solution and the sandwich by hand."""
    rng = np.random.default_rng(2)
    x = np.stack([np.ones(50), rng.normal(size=50)], axis=1)
    y = x @ [1.0, 2.0] + rng.normal(size=50)
    made = plain_regression(RegressionRows(x, y), link="linear")
    solution = np.linalg.lstsq(x, y, rcond=None)[0]
    inverse = np.linalg.inv(x.T @ x)
    bread = inverse @ (x * (y - x @ solution)[:, None] ** 2).T @ x @ inverse
    assert made.value == pytest.approx(solution)
    assert made.covariance.ravel() == pytest.approx(bread.ravel())


def test_doubled_units_of_one_author_say_no_more() -> None:
    """The same errors where each unit comes twice, by author."""
    model, _, _, _ = study(np.random.default_rng(3))
    twice = RegressionRows(np.repeat(model.design, 2, axis=0), np.repeat(model.outcome, 2))
    once = plain_regression(model, link="logit")
    by_author = plain_regression(twice, link="logit", author=np.repeat(np.arange(3000), 2))
    assert by_author.se == pytest.approx(once.se)


def test_what_has_no_solution_says_so() -> None:
    """Perfect separation, and two equal columns."""
    x = np.stack([np.ones(20), np.repeat([0.0, 1.0], 10)], axis=1)
    apart = plain_regression(RegressionRows(x, x[:, 1]), link="logit")
    assert apart.reason == "no solution was found"
    assert np.isnan(apart.value).all()
    same = RegressionRows(np.ones((20, 2)), x[:, 1])
    assert plain_regression(same, link="linear").reason == "no solution was found"


def test_shapes_that_do_not_fit_are_refused() -> None:
    """A weight too few."""
    model, blind, rows, weights = study(np.random.default_rng(4))
    with pytest.raises(TableError, match="do not fit"):
        corrected_regression(model, blind, rows, weights[1:], link="logit")
