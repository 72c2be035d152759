"""What seeing a suggestion does: numbers by hand, simulations with known truth. All made up."""

from __future__ import annotations

import math

import numpy as np
import pytest

from labeler.statistics.experiment import anchoring as an
from labeler.statistics.experiment import arms as armed
from labeler.statistics.experiment import randomisation as rz


def nested(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit, coder, arm of n units with an assisted and two blind codings by three coders."""
    unit = np.repeat(np.arange(n), 3)
    coder = np.array([(u + seat) % 3 for u in range(n) for seat in range(3)])
    return unit, coder, np.tile([True, False, False], n)


def effect_of(
    agree: np.ndarray, arms: armed.Arms, bound: float = 0.05, seed: int = 1
) -> armed.Effect:
    """The inflation of an outcome."""
    found = rz.ways(agree[:, None], arms.design, seed=seed)
    return armed.effect(agree, found, 0, arms, bound=bound)


def simulated(
    seed: int, n: int, adopts: float, coders: int = 4
) -> tuple[np.ndarray, np.ndarray, np.ndarray, armed.Arms]:
    """Whether codings are the model's; the codes themselves; the model's; arms. Three codes."""
    chance = np.random.default_rng([seed, n])  # not the one that draws the ways
    unit = np.repeat(np.arange(n), 3)
    coder = np.argsort(chance.random((n, coders)), axis=1)[:, :3].ravel()
    assisted = np.tile([True, False, False], n)
    truth = chance.integers(0, 3, n)
    model = np.where(chance.random(n) < 0.8, truth, chance.integers(0, 3, n))[unit]
    own = np.where(chance.random(3 * n) < 0.8, truth[unit], chance.integers(0, 3, 3 * n))
    value = np.where(assisted & (chance.random(3 * n) < adopts), model, own)
    return (value == model).astype(float), value, model, armed.arms(unit, coder, assisted)


#             unit 1    unit 2    unit 3    unit 4     assisted, blind, blind
AGREE = np.array([[1, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, 1]], float).ravel()


def test_inflation_and_adoption_by_hand() -> None:
    """A1 = 3/4; A0 = (0 + 1/2 + 1 + 1/2)/4 = 1/2: D = 1/4, phi = (1/4)/(1/2) = 1/2."""
    arms = armed.arms(*nested(4))
    assert armed.means(AGREE, arms) == (0.75, 0.5)
    found = effect_of(AGREE, arms)
    assert found.interval.value == pytest.approx(0.25)
    assert "81 ways, all" in found.interval.method
    assert an.adoption(AGREE, arms).interval.value == pytest.approx(0.5)


def test_over_and_under_reliance_by_hand() -> None:
    """The judge is a blind coder who is another; wrong = the judge's code is not the model's.

    Unit by unit, share of judges who say wrong, for assisted | blind 1 | blind 2:
        1: 1 | 1 | 1      2: 1/2 | 1 | 0      3: 0 | 0 | 0      4: 1/2 | 0 | 1
    Over-reliance. Assisted: (1*1 + 1/2*1 + 0 + 1/2*0)/(1 + 1/2 + 0 + 1/2) = 1.5/2 = 3/4.
    Blind, each half: agreeing and judged wrong: unit 2 (1 of weight 1), unit 4 (1): 2 of
    (2 + 1 + 0 + 1) = 4: 1/2. Difference 1/4.
    Under-reliance. Assisted, judged right and not agreeing: unit 4, 1/2 of (0 + 1/2 + 1 + 1/2) = 2:
    1/4. Blind, right is 0 0 | 0 1 | 1 1 | 1 0: not agreeing: unit 2 (blind 2), unit 4 (blind 1):
    2 of 4: 1/2. Difference -1/4.
    """
    over, under = an.reliance(AGREE == 1, armed.arms(*nested(4)))
    assert over.interval.value == pytest.approx(1 / 4)
    assert over.interval.note == "75% with the suggestion, 50% without"
    assert under.interval.value == pytest.approx(-1 / 4)
    assert over.interval.n == 4


def test_one_blind_coder_judges_nobody() -> None:
    """With a single blind coder a unit, the same coding would be judge and judged: undefined."""
    unit, assisted = np.repeat(np.arange(6), 2), np.tile([True, False], 6)
    arms = armed.arms(unit, np.tile([0, 1, 1, 0], 3), assisted)
    over, under = an.reliance(np.ones(12, bool), arms)
    assert math.isnan(over.interval.value)
    assert math.isnan(under.interval.value)
    assert "nobody independent" in over.interval.note


def test_nothing_to_adopt_is_told() -> None:
    """Where blind coders always agree with the model, phi has no meaning."""
    found = an.adoption(np.ones(12), armed.arms(*nested(4)))
    assert math.isnan(found.interval.value)
    assert "never disagreed" in found.interval.note


def test_variance_by_clusters_by_hand() -> None:
    """Scores 1, 1 | -1, -1 of two units, coders 0, 1 | 0, 1.

    By unit: 2/1 (2^2 + 2^2) = 16; by coder: 2/1 (0 + 0) = 0; both: 16 + 0 - 4 = 12: unit, 16.
    """
    unit, coder = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    arms = armed.arms(unit, coder, np.array([True, False, False, True]))
    se, df, method = armed.spread(np.array([1.0, 1, -1, -1]), arms, coders=True)
    assert (se, df) == (4, 1)
    assert method.startswith("clustered by unit")


def test_pull_by_hand() -> None:
    """One code: blind 1/4, assisted 3/4, model 1: shift 1/2 on a gap of 3/4: slope 2/3."""
    n = 4
    unit, assisted = np.repeat(np.arange(n), 2), np.tile([True, False], n)
    arms = armed.arms(unit, np.tile([0, 1, 1, 0], 2), assisted)
    has = np.array([1, 0, 1, 0, 1, 1, 0, 0], float)
    found = an.pull(rz.ways(has[:, None], arms.design, seed=1), [0], np.array([1.0]))
    assert found.interval.value == pytest.approx(2 / 3)
    assert "chance alone" in found.interval.note


def test_alpha_by_arm_is_alpha_of_each_arm() -> None:
    """Each arm's alpha is that of its codings with the model's, and the inflation the difference.

    Two codes, balanced: assisted always the model's: alpha 1. Blind of 4 units agree in 3:
    o_ab = 2 of n = 8 values; model a, a, b, b, blind a, a, b, a: n_a = 5, n_b = 3;
    alpha = 1 - (8 - 1) * 2/(2 * 15) = 1 - 7 * 2/30 = 16/30.
    """
    unit, assisted = np.repeat(np.arange(4), 2), np.tile([True, False], 4)
    arms = armed.arms(unit, np.tile([0, 1, 1, 0], 2), assisted)
    model = np.repeat([0, 0, 1, 1], 2)
    value = np.array([0, 0, 0, 0, 1, 1, 1, 0])
    seen, blind, inflation = an.alpha_by_arm(value, model, arms, level="nominal", domain=["a", "b"])
    assert seen.value == 1
    assert blind.value == pytest.approx(16 / 30)
    assert inflation.interval.value == pytest.approx(14 / 30)


def test_anchoring_is_found() -> None:
    """Half of the suggestions adopted: the verdict, an interval that holds the true D.

    P(own code = model's) = P(model true) P(own true) + the three ways of meeting by chance; with
    13/15 right each (.8 + .2/3): (13/15)^2 + 2 (1/15)^2 = .76; D = (1 - .76)/2 = .12.
    """
    agree, _, _, arms = simulated(5, 300, 0.5)
    found = effect_of(agree, arms)
    assert an.verdict(found, bound=0.05) == "anchored"
    assert found.interval.low < 0.12 < found.interval.high


def test_equivalence_both_ways() -> None:
    """No anchoring and many units: equivalent. Few units: not decided. Real anchoring: never."""
    agree, _, _, arms = simulated(3, 1500, 0.0)
    many = effect_of(agree, arms)
    assert an.verdict(many, bound=0.05) == "equivalent within ±0.05"
    assert -0.05 < many.interval.lower_one_sided < many.interval.upper_one_sided < 0.05
    agree, _, _, arms = simulated(3, 40, 0.0)
    few = effect_of(agree, arms)
    assert an.verdict(few, bound=0.05) == "not decided"
    assert few.p_equivalence > 0.05
    agree, _, _, arms = simulated(3, 1500, 0.6)
    strong = effect_of(agree, arms)
    assert an.verdict(strong, bound=0.05) == "anchored"
    assert strong.p_equivalence == 1 or strong.p_equivalence > 0.99
    loose = effect_of(agree, arms, bound=0.5)
    assert an.verdict(loose, bound=0.5) == "anchored, but within ±0.5"


def test_tost_is_the_narrow_interval() -> None:
    """p of TOST is at most .05 just where the 90% interval lies inside of the bound."""
    for seed in range(40):
        agree, _, _, arms = simulated(seed, 60, 0.1)
        bound = 0.12
        found = effect_of(agree, arms, bound=bound, seed=seed)
        inside = -bound < found.interval.lower_one_sided and found.interval.upper_one_sided < bound
        assert inside == (found.p_equivalence <= 0.05), seed


def test_no_change_in_few_units_shows_little() -> None:
    """All agree: of 20 units .95^20 = .36 would show no change at D = .05; of 60 .95^60 = .046.

    The 95% interval is the zero-event one: 1 - .025^(1/n) to either side.
    """
    few, many = (effect_of(np.ones(3 * n), armed.arms(*nested(n))) for n in (20, 60))
    assert few.p_equivalence == pytest.approx(0.95**20)
    assert an.verdict(few, bound=0.05) == "not decided"
    assert few.interval.high == pytest.approx(1 - 0.025 ** (1 / 20))
    assert few.interval.low == pytest.approx(-few.interval.high)
    assert few.interval.note == "only 0 of 20 units differ between the arms"
    assert many.p_equivalence == pytest.approx(0.95**60)
    assert an.verdict(many, bound=0.05) == "equivalent within ±0.05"


def test_many_coders_are_clusters() -> None:
    """From ten coders on, the interval is that of clusters of units and coders."""
    agree, _, _, arms = simulated(2, 200, 0.5, coders=12)
    found = effect_of(agree, arms)
    assert found.interval.method.startswith("clustered by")
    assert found.interval.low < 0.12 < found.interval.high
    few = simulated(2, 200, 0.5)
    assert effect_of(few[0], few[3]).interval.method.startswith("randomisation within units")


def test_intervals_hold_the_truth() -> None:
    """Over 200 made-up studies of 60 units, intervals hold D = .12 and phi = .5 in 90% or more."""
    held = []
    for seed in range(200):
        agree, _, _, arms = simulated(seed + 1000, 60, 0.5)
        found = rz.ways(agree[:, None], arms.design, draws=399, seed=seed)
        effect = armed.effect(agree, found, 0, arms, bound=0.05)
        phi = an.adoption(agree, arms)
        held.append(
            (
                effect.interval.low <= 0.12 <= effect.interval.high,
                phi.interval.low <= 0.5 <= phi.interval.high,
            )
        )
    shares = np.mean(held, axis=0)
    assert (shares >= 0.90).all(), shares
