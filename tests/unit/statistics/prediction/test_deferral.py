"""The skip rule: the published table, testing by hand, and the promise in a simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from labeler.errors import TableError
from labeler.statistics.prediction.deferral import least_accepted, rule, tail, thresholds

HALF = {"epsilon": 0.1, "delta": 0.05}


@pytest.mark.parametrize(
    ("epsilon", "needed"),
    [
        (0.02, [149, 236, 313, 386, 456]),
        (0.05, [59, 93, 124, 153, 181]),
        (0.10, [29, 46, 61, 76, 89]),
    ],
)
def test_units_needed_for_each_number_of_errors(epsilon, needed) -> None:
    """The table for delta .05 and 0 to 4 errors; the first row is the rule of ln(.05)/ln(1-e)."""
    assert [least_accepted(k, epsilon=epsilon, delta=0.05) for k in range(5)] == needed
    assert needed[0] == math.ceil(math.log(0.05) / math.log(1 - epsilon))


@given(st.integers(0, 12), st.floats(0.01, 0.5), st.floats(0.001, 0.4))
def test_the_least_number_is_the_least(errors, epsilon, delta) -> None:
    """With it the exact tail is at most delta, with one less it is not."""
    n = least_accepted(errors, epsilon=epsilon, delta=delta)
    assert binom.cdf(errors, n, epsilon) <= delta * (1 + 1e-9)
    assert binom.cdf(errors, n - 1, epsilon) > delta * (1 - 1e-9)


def test_the_tail_is_the_exact_binomial() -> None:
    """As scipy has it; nothing is shown by no unit."""
    assert tail(2, 50, 0.1) == pytest.approx(binom.cdf(2, 50, 0.1))
    assert tail(0, 0, 0.1) == 1


def blocks(*given):
    """Confidences and errors of (confidence, units, errors) blocks."""
    confidence = np.concatenate([np.full(n, c) for c, n, _ in given])
    wrong = np.concatenate([np.arange(n) < k for _, n, k in given])
    return confidence, wrong


def test_testing_ends_at_the_first_that_is_not_rejected() -> None:
    """0 of 29, then 1 of 46 reject at epsilon .1; 4 of 56 does not, so 4 of 156 is never asked."""
    confidence, wrong = blocks((0.9, 29, 0), (0.8, 17, 1), (0.7, 10, 3), (0.6, 100, 0))
    found = rule(confidence, wrong, [0.9, 0.8, 0.7, 0.6], **HALF)
    assert (found.threshold, found.accepted, found.errors) == (0.8, 46, 1)
    assert [(test.accepted, test.errors) for test in found.tests] == [(29, 0), (46, 1), (56, 4)]
    assert found.p == pytest.approx(binom.cdf(1, 46, 0.1))
    assert tail(4, 156, 0.1) < 0.05
    exact = binomtest(1, 46, alternative="less").proportion_ci(0.95).high
    assert found.upper == pytest.approx(exact)
    assert found.upper <= 0.1


def test_units_of_one_confidence_go_together() -> None:
    """46 units of one confidence with an error: all or none, and the order says nothing."""
    confidence, wrong = blocks((0.9, 46, 1))
    tested = thresholds(confidence, 46, **HALF)
    assert tested == [0.9]
    assert rule(confidence, wrong[::-1], tested, **HALF).accepted == 46


def test_too_few_units_are_told_how_many_it_takes() -> None:
    """28 sure units cannot show 10%; nor can 29 with an error: 46 would be needed."""
    few = rule(*blocks((0.9, 28, 0)), [0.9], **HALF)
    assert math.isnan(few.threshold)
    assert "even without an error 29 are needed" in few.note
    wrong = rule(*blocks((0.9, 29, 1)), [0.9], **HALF)
    assert "1 differ: with so many, 46 units" in wrong.note
    assert rule(np.empty(0), [], [], **HALF).note == "no unit has a confidence"


def test_where_all_accepted_are_wrong_nothing_is_kept() -> None:
    """A confidence that is upside down has no threshold."""
    assert math.isnan(rule(*blocks((0.9, 100, 100)), [0.9], **HALF).threshold)


def test_testing_begins_where_something_can_be_shown() -> None:
    """Four errors pass among 89: of 300 coded units about 30 reach a vote of 1.0, and 120 .8.

    Where only 20 are coded, even all of them let no error pass: the loosest stands alone.
    """
    frame = np.repeat([1.0, 0.8, 0.6], [100, 300, 600])
    assert thresholds(frame, 300, **HALF) == [0.8, 0.6]
    assert thresholds(frame, 20, **HALF) == [0.6]
    assert thresholds([], 20, **HALF) == []


def test_many_confidences_are_thinned_out() -> None:
    """At most 50 thresholds, strict to loose, ending with all units."""
    frame = np.random.default_rng(0).random(3000)
    found = thresholds(frame, 500, **HALF)
    assert len(found) == 50
    assert found == sorted(found, reverse=True)
    assert found[-1] == frame.min()
    assert 85 <= (frame >= found[0]).mean() * 500 <= 95  # the first lets four errors pass


@given(st.permutations(range(40)))
def test_the_frame_has_no_order(order) -> None:
    """The same thresholds for the same confidences."""
    frame = np.arange(40) / 40
    assert thresholds(frame[order], 40, **HALF) == thresholds(frame, 40, **HALF)


def test_shares_and_orders_that_make_no_sense_are_refused() -> None:
    """Epsilon and delta lie between 0 and 1; thresholds are strict to loose, each once."""
    for epsilon, delta in ((0, 0.05), (1, 0.05), (0.05, 0), (0.05, 1.5)):
        with pytest.raises(TableError, match="must lie between 0 and 1"):
            least_accepted(0, epsilon=epsilon, delta=delta)
    with pytest.raises(TableError, match="none or more"):
        least_accepted(-1, **HALF)
    for order in ([0.8, 0.9], [0.9, 0.9]):
        with pytest.raises(TableError, match="strict to loose"):
            rule(np.ones(2), [0, 0], order, **HALF)


@pytest.mark.parametrize(
    "error",
    [lambda c: np.full(c.shape, 0.11), lambda c: 0.2 * c, lambda c: 1 - 0.95 * c],
    ids=["says nothing", "upside down", "helps"],
)
def test_the_promise_is_kept(error) -> None:
    """400 made-up studies of 150 coded of 2000 units: in 5% or fewer (and noise) it is broken."""
    rng = np.random.default_rng(9)
    broken = 0
    for _ in range(400):
        confidence = rng.beta(6, 1, 2000)
        wrong = rng.random(2000) < error(confidence)
        coded = rng.choice(2000, 150, replace=False)
        tested = thresholds(confidence, 150, **HALF)
        found = rule(confidence[coded], wrong[coded], tested, **HALF)
        accepted = confidence >= found.threshold
        broken += accepted.any() and wrong[accepted].mean() > 0.1
    assert broken <= binom.ppf(0.999, 400, 0.05)
