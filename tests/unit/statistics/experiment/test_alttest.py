"""The alternative-annotator test: numbers by hand, and properties. All codings are made up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, ttest_1samp

from labeler.errors import TableError
from labeler.statistics.experiment import alttest

AB = ["a", "b"]


def columns(rows: list[list[int]], times: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Humans (all rows but the last) and model, each unit (column) repeated `times`."""
    whole = np.repeat(np.array(rows), times, axis=1)
    return whole[:-1], whole[-1]


# A unit (column) a pattern: all agree; the model alone errs; one of the humans errs.
PATTERNS = [
    [0, 0, 1, 0, 0],
    [0, 0, 0, 1, 0],
    [0, 0, 0, 0, 1],
    [0, 1, 0, 0, 0],
]


def crafted(agreed: int, model_errs: int, each_errs: int) -> alttest.AltTest:
    """Three humans: d is 1 where the model errs, -1 where the human does, else 0."""
    humans, model = columns(PATTERNS, [agreed, model_errs, *[each_errs] * 3])
    return alttest.alternative(humans, model, domain=AB, score="accuracy")


def test_numbers_by_hand() -> None:
    """30 units: 20 agreed, the model errs in 4, each human in 2.

    Of a human: d = 1 in 4 units, -1 in 2, else 0: mean 2/30; W^f = 26/30, W^h = 28/30.
    Sum of squares about the mean: 6 - 4/30, s^2 = that / 29; t = (2/30 - .2)/(s/sqrt(30)).
    """
    found = crafted(20, 4, 2)
    human = found.humans[0]
    s = math.sqrt((6 - 4 / 30) / 29)
    assert human.n == 30
    assert human.difference == pytest.approx(2 / 30)
    assert human.rho == pytest.approx(26 / 30)
    assert human.rho_human == pytest.approx(28 / 30)
    assert human.statistic == pytest.approx((2 / 30 - 0.2) / (s / math.sqrt(30)))
    assert human.p == pytest.approx(
        ttest_1samp([1] * 4 + [-1] * 2 + [0] * 24, 0.2, alternative="less").pvalue
    )
    assert found.rho.value == pytest.approx(26 / 30)
    assert found.rho.low < found.rho.value < found.rho.high
    assert found.epsilon == 0.2


def test_yekutieli_and_hochberg_differ() -> None:
    """Three humans with p = .033 each: Hochberg rejects up to .05, Yekutieli up to .05/1.83 = .027.

    40 units, the model errs in 5, each human in 2: mean d = 3/40. By Hochberg the model would
    win against all three and pass; it does not (statistics.md, A9: 5 of 48 published decisions).
    """
    found = crafted(29, 5, 2)
    p = [human.p for human in found.humans]
    assert all(0.05 / (1 + 1 / 2 + 1 / 3) < each <= 0.05 for each in p), p
    assert (false_discovery_control(p, method="bh") <= 0.05).all()
    assert found.omega == 0
    assert found.verdict == "fail"


def test_ties_count_for_both() -> None:
    """A model that always says what the humans say ties everywhere: rho 1, and it passes.

    Without spread p is the bound (1 - epsilon)^n = .8^30.
    """
    found = crafted(30, 0, 0)
    assert (found.rho.value, found.omega, found.verdict) == (1, 1, "pass")
    assert found.humans[0].p == pytest.approx(0.8**30)
    assert found.rho.low < 1 == found.rho.high
    assert all(human.rho_human == 1 for human in found.humans)


def test_a_model_that_always_errs_fails() -> None:
    """d = 1 in every unit: p = 1, no human is won, rho 0."""
    found = crafted(0, 30, 0)
    assert (found.rho.value, found.omega, found.verdict) == (0, 0, "fail")
    assert found.humans[0].p == 1


def test_few_units_are_refused_or_named() -> None:
    """29 shared units are not tested, with the reason; by Wilcoxon only where it is asked for."""
    humans, model = columns(PATTERNS, [26, 0, 1, 1, 1])
    found = alttest.alternative(humans, model, domain=AB, score="accuracy")
    assert math.isnan(found.omega)
    assert found.verdict == "undefined"
    assert found.note == "29 units shared with other humans, fewer than 30"
    asked = alttest.alternative(humans, model, domain=AB, score="accuracy", small="wilcoxon")
    assert asked.verdict == "pass"
    assert "Wilcoxon" in asked.humans[0].method


def test_two_humans_are_too_few() -> None:
    """With two humans the numbers are told, but the test decides nothing."""
    humans, model = columns(PATTERNS, [40, 0, 0, 0, 0])
    found = alttest.alternative(humans[:2], model, domain=AB, score="accuracy")
    assert found.omega == 1
    assert found.verdict == "undefined"
    assert found.note == "2 humans could be tested, the test needs 3"


def test_units_of_one_human_do_not_count() -> None:
    """A unit that one human coded, or the model did not, changes nothing but is not counted."""
    humans, model = columns(PATTERNS, [20, 4, 2, 2, 2])
    lone = np.array([[0, 1], [-1, 0], [-1, 0]])
    found = alttest.alternative(
        np.hstack([humans, lone]), np.append(model, [0, -1]), domain=AB, score="accuracy"
    )
    alone = crafted(20, 4, 2)
    assert found._replace(rho=alone.rho) == alone
    assert found.rho[:4] == pytest.approx(alone.rho[:4])
    assert found.rho[6:] == alone.rho[6:]


def test_numbers_by_distance() -> None:
    """rmse: the others say 1 and 3. Of 2: -sqrt((1+1)/2) = -1; of 4: -sqrt((9+1)/2): 2 is nearer.

    One unit, thirty times: for the human who says 4, the model (2) wins each time: d = -1.
    """
    rows = np.repeat(np.array([[3], [0], [2], [1]]), 30, axis=1)
    found = alttest.alternative(rows[:3], rows[3], domain=["1", "2", "3", "4"], score="rmse")
    assert found.humans[0].difference == -1
    assert found.humans[0].rho == 1


def test_sets_by_similarity() -> None:
    """Others say {a,b} and {a}; jaccard of {a}: (1/2 + 1)/2, of {b}: (1/2 + 0)/2: {a} is nearer."""
    domain = ["a", "a+b", "b"]
    rows = np.repeat(np.array([[2], [1], [0], [0]]), 30, axis=1)
    for score in ("jaccard", "masi"):
        found = alttest.alternative(rows[:3], rows[3], domain=domain, score=score)
        assert found.humans[0].difference == -1


@settings(deadline=None)
@given(st.permutations(range(4)), st.integers(0, 2**32 - 1))
def test_order_of_coders_and_units_does_not_matter(order: list[int], seed: int) -> None:
    """Omega, rho and the multiset of p-values are the same in any order."""
    chance = np.random.default_rng(seed)
    humans, model = chance.integers(-1, 3, (4, 60)), chance.integers(0, 3, 60)
    units = chance.permutation(60)
    one = alttest.alternative(humans, model, domain=["a", "b", "c"], score="accuracy")
    other = alttest.alternative(
        humans[order][:, units], model[units], domain=["a", "b", "c"], score="accuracy"
    )
    np.testing.assert_allclose(one.omega, other.omega)
    np.testing.assert_allclose(one.rho.value, other.rho.value)
    np.testing.assert_allclose(
        sorted(human.p for human in one.humans), sorted(human.p for human in other.humans)
    )


def test_shapes_and_epsilon_are_checked() -> None:
    """What does not fit is an error in words."""
    with pytest.raises(TableError, match="do not fit"):
        alttest.alternative(np.zeros((2, 3), int), np.zeros(2, int), domain=AB, score="accuracy")
    with pytest.raises(TableError, match="epsilon"):
        alttest.alternative(
            np.zeros((2, 3), int), np.zeros(3, int), domain=AB, score="accuracy", epsilon=1
        )


def test_weights_count_units_as_many_by_hand() -> None:
    """Each unit thrice as heavy as it stands, thrice: value and rho as if written out.

    t lets 2/5 of one more of the heaviest units go against the model, so that p is larger.
    """
    humans, model = columns(PATTERNS, [20, 4, 2, 2, 2])
    weights = np.where(np.arange(model.size) < 20, 1.0, 3.0)
    times = weights.astype(int)
    options = {"domain": AB, "score": "accuracy"}
    found = alttest.alternative(humans, model, **options, weights=weights)
    out = alttest.alternative(np.repeat(humans, times, axis=1), np.repeat(model, times), **options)
    for one, other in zip(found.humans, out.humans, strict=True):
        assert one.difference == pytest.approx(other.difference)
        assert (one.rho, one.rho_human) == pytest.approx((other.rho, other.rho_human))
        assert one.p > other.p
    assert found.rho.value == pytest.approx(out.rho.value)
    assert found.humans[0].method == "t, one-sided, weighted by 1/probability of drawing"


def test_a_model_good_among_the_marked_alone_does_not_pass() -> None:
    """It equals all humans in 80 units drawn densely, and none in 20 that stand for 2,000."""
    humans = np.zeros((3, 100), np.intp)
    model = np.r_[np.zeros(80, np.intp), np.ones(20, np.intp)]
    options = {"domain": AB, "score": "accuracy", "epsilon": 0.3}
    assert alttest.alternative(humans, model, **options).verdict == "pass"
    weights = np.r_[np.ones(80), np.full(20, 100.0)]
    found = alttest.alternative(humans, model, **options, weights=weights)
    assert found.verdict == "fail"
    assert found.humans[0].difference == pytest.approx(2000 / 2080)


def test_the_signed_rank_test_knows_no_weights() -> None:
    """Both together are refused."""
    humans, model = columns(PATTERNS, [20, 4, 2, 2, 2])
    with pytest.raises(TableError, match="knows no weights"):
        alttest.alternative(
            humans, model, domain=AB, score="accuracy", small="wilcoxon", weights=np.ones(30)
        )
