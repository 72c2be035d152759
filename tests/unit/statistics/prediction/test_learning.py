"""The learning curve, with numbers made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from labeler.statistics.prediction import learning
from labeler.statistics.prediction.classifier import holds_of
from labeler.statistics.prediction.learning import CoderCodes, Scale

NOMINAL = Scale("nominal", ("a", "b"), multiple=False)


def test_sizes_double_up_to_all() -> None:
    """25, 50, 100, … and at last all there is."""
    assert learning.sizes(150) == [25, 50, 100, 150]
    assert learning.sizes(200) == [25, 50, 100, 200]
    assert learning.sizes(20) == [20]


def test_macro_f1_by_hand() -> None:
    """a: 1 right, 1 too many: 2/3; b: 1 right, 1 missed: 2/3 ... and c, which nobody gave, out."""
    truth = holds_of(["a", "b", "b"], ["a", "b", "c"])
    given = holds_of(["a", "a", "b"], ["a", "b", "c"])
    assert learning.macro_f1(truth, given) == pytest.approx(2 / 3)
    nobody = holds_of(["", ""], ["a"])
    assert math.isnan(learning.macro_f1(nobody, nobody))


def test_alpha_by_hand() -> None:
    """Two coders, four units, one disagreement: values a5 b3, so 1 - 7 · 2 / (2 · 15) = .533."""
    truth, given = holds_of(["a", "a", "b", "b"], "ab"), holds_of(["a", "a", "a", "b"], "ab")
    assert learning.alpha_between(truth, given, NOMINAL) == pytest.approx(1 - 7 * 2 / 30)


def test_alpha_of_sets() -> None:
    """Sets are compared whole, by MASI; equal sets agree, and the empty set is one."""
    sets = Scale("masi", ("a", "b"), multiple=True)
    truth = holds_of(["a+b", "a", "", "b"], "ab")
    assert learning.alpha_between(truth, truth, sets) == 1
    assert learning.alpha_between(truth, truth[::-1], sets) < 0.2


def test_alpha_of_nothing_is_undefined() -> None:
    """No unit, or no variation: nan, no figure."""
    assert math.isnan(learning.alpha_between(holds_of([], "ab"), holds_of([], "ab"), NOMINAL))
    same = holds_of(["a", "a"], "ab")
    assert math.isnan(learning.alpha_between(same, same, NOMINAL))


def two_heaps(units: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors that tell a from b, every fourth unit a b."""
    truth = holds_of(["b" if number % 4 == 0 else "a" for number in range(units)], "ab")
    vectors = truth + np.random.default_rng(2).normal(0, 0.3, truth.shape)
    return vectors, truth


def test_curve_has_sizes_then_baselines() -> None:
    """80 units: 20 held out, taught with 25, 50, 60; a quarter b, so always-a has F1 .857 / 2."""
    vectors, truth = two_heaps(80)
    half = np.arange(80) % 2 == 0  # codes every other unit, and those rightly
    found = learning.curve(
        vectors, truth, NOMINAL, others={"half": CoderCodes(truth, half)}, repeats=4, seed=1
    )
    assert [(one.coder, one.taught, one.held_out) for one in found] == [
        ("", 25, 20),
        ("", 50, 20),
        ("", 60, 20),
        ("majority", 60, 20),
        ("half", 0, 20),
    ]
    assert all(len(one.f1) == len(one.alpha) == len(one.coded) == 4 for one in found)
    assert (found[2].f1 > 0.9).all()
    np.testing.assert_allclose(found[3].f1, 30 / 35 / 2)  # 15 of 20 are a: 2·15 / (15 + 20)
    assert (found[4].alpha == 1).all() and (found[4].f1 < 1).all()
    assert found[4].coded.mean() == pytest.approx(0.5, abs=0.2)


def test_same_seed_same_curve() -> None:
    """Chance is an argument."""
    vectors, truth = two_heaps(60)

    def curve(seed: int) -> list[float]:
        found = learning.curve(vectors, truth, NOMINAL, others={}, repeats=3, seed=seed)
        return np.concatenate([one.alpha for one in found]).tolist()

    assert curve(1) == curve(1) != curve(2)


def test_what_cannot_be_told_is_not_told() -> None:
    """Vectors of pure chance: alpha on held-out units is near 0, whatever was learned."""
    chance = np.random.default_rng(3)
    truth = holds_of(list(chance.choice(["a", "b"], 400)), "ab")
    found = learning.curve(
        chance.normal(size=(400, 20)), truth, NOMINAL, others={}, repeats=5, seed=1
    )
    assert abs(found[-2].alpha.mean()) < 0.12


def test_mean_leaves_out_what_is_undefined() -> None:
    """1 and 3: mean 2, deviation √2; one number has no deviation, and none has no mean."""
    assert learning.mean([1, math.nan, 3]) == (2, pytest.approx(math.sqrt(2)))
    assert learning.mean([5])[0] == 5 and math.isnan(learning.mean([5])[1])
    assert math.isnan(learning.mean([])[0])
