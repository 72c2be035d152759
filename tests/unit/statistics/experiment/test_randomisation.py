"""Randomisation tests: ways counted by hand, intervals by brute force. All data are made up."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from thorough import examples

from labeler.statistics.experiment import randomisation as rz


def paired(
    first: list[float], second: list[float], k: int = 4
) -> tuple[np.ndarray, rz.Randomisation]:
    """Units with an assisted and a blind coding by k coders in turn."""
    n = len(first)
    unit = np.repeat(np.arange(n), 2)
    coder = np.array([(u + arm) % k for u in range(n) for arm in (0, 1)])
    assisted = np.tile([True, False], n)
    outcome = np.column_stack([first, second]).ravel().astype(float)
    return outcome[:, None], rz.design_of(unit, coder, assisted)


def test_three_units_by_hand() -> None:
    """Differences 1, 1, 0: D = 2/3; of 8 ways 2 reach 2/3 (the third changes nothing): p = .5."""
    outcome, design = paired([1, 1, 1], [0, 0, 1])
    found = rz.ways(outcome, design, seed=1)
    assert design.kind == "within units"
    assert (found.n, found.exact) == (8, True)
    assert found.observed[0] == pytest.approx(2 / 3)
    assert found.observed_blind[0] == pytest.approx(1 / 3)
    assert rz.p_greater(found, 0) == 2 / 8
    assert rz.p_less(found, 0) == 1
    assert rz.p_two_sided(found, 0) == 0.5
    assert rz.interval(found, 0) == (-math.inf, math.inf)


def test_two_blind_coders_have_three_ways() -> None:
    """Of three codings of a unit each could have been the assisted one: 3 x 3 ways of two units."""
    unit = np.repeat([0, 1], 3)
    assisted = np.tile([True, False, False], 2)
    design = rz.design_of(unit, np.array([0, 1, 2, 1, 2, 0]), assisted)
    found = rz.ways(np.array([[1.0], [0], [0], [1], [0], [0]]), design, seed=1)
    assert found.n == 9
    assert rz.p_greater(found, 0) == 1 / 9


def test_four_coders_in_six_ways() -> None:
    """No coder in both arms: coders are swapped, and no two-sided p falls below 2/6."""
    unit = np.tile(np.arange(50), 4)
    coder = np.repeat(np.arange(4), 50)
    design = rz.design_of(unit, coder, coder < 2)
    found = rz.ways((coder < 2).astype(float)[:, None], design, seed=1)
    assert design.kind == "between coders"
    assert (found.n, found.observed[0]) == (6, 1)
    assert rz.p_two_sided(found, 0) == pytest.approx(2 / 6)


def test_units_of_one_arm_are_swapped_whole() -> None:
    """No unit in both arms: two of four units were assisted, 6 ways, and coders cross the arms."""
    unit, coder = np.array([0, 1, 2, 2, 3, 3]), np.array([0, 1, 0, 1, 0, 1])
    assisted = np.array([True, True, False, False, False, False])
    design = rz.design_of(unit, coder, assisted)
    found = rz.ways(np.array([[1.0], [1], [0], [1], [0], [0]]), design, seed=1)
    assert design.kind == "between units"
    assert found.n == 6
    assert found.observed[0] == pytest.approx(1 - 0.25)


def test_an_arm_that_is_empty_is_told() -> None:
    """Nothing to compare is a reason, not a number."""
    one = np.zeros(3, int)
    assert rz.design_of(one, one, np.ones(3, bool)).reason == "no blind coding"
    assert rz.design_of(one, one, np.zeros(3, bool)).reason == "no assisted coding"
    empty = np.empty(0, int)
    assert rz.design_of(empty, empty, np.empty(0, bool)).reason == "no coding"


@examples(25)
@given(
    st.lists(st.tuples(*[st.integers(0, 4)] * 2), min_size=7, max_size=9),
    st.sampled_from([-0.5, 0.0, 0.25, 1.0]),
)
def test_ratios_are_the_brute_force(pairs: list[tuple[int, int]], effect: float) -> None:
    """p of every effect equals that of swapping y - effect z in all 2^n ways, one by one."""
    first, second = zip(*pairs, strict=True)
    outcome, design = paired(list(first), list(second))
    found = rz.ways(outcome, design, seed=1)
    apart = np.array(first) - effect - np.array(second)
    sums = [float(np.dot(signs, apart)) for signs in product([1, -1], repeat=len(pairs))]
    reached = sum(each >= apart.sum() - 1e-6 for each in sums)
    assert rz.p_greater(found, 0, effect=effect) == pytest.approx(reached / len(sums))
    low, high = rz.interval(found, 0)
    assert low <= found.observed[0] + 1e-9
    assert high >= found.observed[0] - 1e-9
    if math.isfinite(low):
        assert rz.p_greater(found, 0, effect=low) > 0.025
        assert rz.p_greater(found, 0, effect=low - 1e-6) <= 0.025


def test_random_ways_come_near_all_ways_and_repeat_by_seed() -> None:
    """With 14 units all 16,384 ways are taken; random ones of the same differ by little."""
    chance = np.random.default_rng(3)
    outcome, design = paired(list(chance.random(14)), list(chance.random(14) - 0.2))
    every = rz.ways(outcome, design, seed=1)
    again = np.vstack([outcome, outcome + 0.0])
    assert every.exact
    unit = np.repeat(np.arange(28), 2)
    large = rz.design_of(unit, np.tile([0, 1, 1, 0], 14), np.tile([True, False], 28))
    drawn = [rz.ways(again, large, draws=4000, seed=seed) for seed in (1, 1, 2)]
    assert not drawn[0].exact
    assert drawn[0].n == 4001
    np.testing.assert_array_equal(drawn[0].difference, drawn[1].difference)
    p = [rz.p_two_sided(each, 0) for each in drawn]
    assert p[0] == p[1]
    assert p[0] == pytest.approx(p[2], abs=0.03)


def test_p_is_uniform_without_an_effect() -> None:
    """300 made-up studies of difficult and easy units and unlike coders: p below q in about q."""
    p = []
    for seed in range(300):
        chance = np.random.default_rng([seed, 1])  # not the one that draws the ways
        seats = np.argsort(chance.random((40, 4)), axis=1)[:, :3]
        agrees = 1.2 + chance.normal(0, 1, 40)[:, None] + chance.normal(0, 1, 4)[seats]
        outcome = agrees + chance.normal(0, 1, (40, 3))
        design = rz.design_of(
            np.repeat(np.arange(40), 3), seats.ravel(), np.tile([True, False, False], 40)
        )
        found = rz.ways(outcome.reshape(-1, 1), design, draws=199, seed=seed)
        p.append(rz.p_two_sided(found, 0))
    for q in (0.05, 0.2, 0.5):
        share = float(np.mean(np.array(p) <= q))
        assert abs(share - q) < 3.5 * math.sqrt(q * (1 - q) / 300) + 0.01, (q, share)
