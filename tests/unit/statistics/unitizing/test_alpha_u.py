"""alpha_U: the published examples, by hand, the slow way, without each unit, and no variation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from made_up_spans import rows_of, slow_alpha_u, spans_of, studies
from scipy.stats import t as student

from labeler.errors import TableError
from labeler.statistics.unitizing.alpha_u import alpha_u, disagreement

# Krippendorff (2004: 254): a continuum from 150 to 450, here from 0; (coder, start, end)
C_2004 = [(0, 75, 145), (0, 220, 250), (1, 70, 150), (1, 205, 225), (1, 250, 270)]
K_2004 = [(0, 30, 90), (0, 150, 200), (1, 30, 90), (1, 150, 200)]

# Krippendorff (1995: 57): four pairs of coders on a continuum of 24; (coder, start, length)
EXAMPLES_1995 = {
    "A": [(0, 2, 8), (0, 14, 6), (1, 4, 4), (1, 15, 2)],
    "B": [
        *((0, 0, 18), (1, 0, 2), (1, 2, 1), (1, 3, 1)),
        *((1, 4, 1), (1, 5, 1), (1, 6, 3), (1, 9, 1)),
    ],
    "C": [
        *((0, 2, 6), (0, 10, 2), (0, 14, 4), (0, 20, 2)),
        *((1, 0, 2), (1, 4, 4), (1, 10, 4), (1, 16, 2), (1, 20, 2)),
    ],
    "D": [
        *((0, 0, 2), (0, 2, 8), (0, 10, 4), (0, 14, 6), (0, 20, 4)),
        *((1, 0, 4), (1, 4, 4), (1, 8, 7), (1, 15, 2), (1, 17, 7)),
    ],
}


def of_one(given, length):
    """The disagreement of spans (coder, start, end) in one text."""
    spans = spans_of([(0, *one) for one in given])
    return disagreement(spans, rows_of([length]), np.zeros(1, np.int64))


def of_1995(name, stretch):
    given = [
        (coder, round(start * stretch), round((start + size) * stretch))
        for coder, start, size in EXAMPLES_1995[name]
    ]
    return of_one(given, round(24 * stretch))


def of_study(study):
    spans, length, m = study
    return disagreement(spans_of(spans), rows_of(length, m), np.arange(len(length)))


def test_krippendorff_2004():
    """Published: Do .0144 and De .0532 for c, 0 and .0490 for k; alpha .7286, 1 and .8591.

    The last from rounded disagreements; unrounded they give .8587 (so does dkpro-statistics).
    """
    c, k = of_one(C_2004, 300), of_one(K_2004, 300)
    assert c.observed / 300 == pytest.approx(0.0144, abs=5e-5)
    assert c.expected / 300 == pytest.approx(0.0532, abs=5e-5)
    assert (k.observed, k.expected / 300) == (0, pytest.approx(0.0490, abs=5e-5))
    assert alpha_u([c]).value == pytest.approx(0.7286, abs=5e-5)
    assert alpha_u([k]).value == 1
    rounded = 1 - 0.0144 / (0.0532 + 0.0490)
    assert rounded == pytest.approx(0.8591, abs=5e-5)
    assert alpha_u([c, k]).value == pytest.approx(0.8587, abs=5e-5)


def test_krippendorff_2004_observed_by_hand():
    """c: [75, 145) and [70, 150) 25 + 25; [220, 250) and [205, 225) 225 + 625; [250, 270) 400.

    Both orders of the coders: 2·1300; Do = 2600/(2·1·300²).
    """
    assert of_one(C_2004, 300).observed / 300 == pytest.approx(2600 / (2 * 300**2))


@pytest.mark.parametrize(
    ("name", "observed", "expected", "alpha"),
    [
        ("A", 0.03125, 0.06990, 0.553),
        ("B", 2.26736, 1.17578, -0.928),
        ("C", 0.02777, 0.09050, 0.693),
        ("D", 0.38715, 0.41445, 0.066),
    ],
)
def test_krippendorff_1995_finely_measured(name, observed, expected, alpha):
    """The four examples measured in ever finer signs (here 1,200,000 of them).

    Printed in 1995: Do as here; De .06990, 1.17731, .08642, .41445; alpha .553, -.926, .679, .066.
    A and D are met. For B and C the formula gives 1.17578 and .09050, alpha -.928 and .693: the
    printed De of C is known to be in error (dkpro-statistics notes it as well).
    """
    found = of_1995(name, 50_000)
    assert found.observed / 1_200_000 == pytest.approx(observed, abs=1e-5)
    assert found.expected / 1_200_000 == pytest.approx(expected, abs=1e-5)
    assert alpha_u([found]).value == pytest.approx(alpha, abs=5e-4)


def test_krippendorff_1995_coarsely_measured():
    """Example C on a continuum of 12: printed De .05494 and alpha .494, which are met."""
    found = of_1995("C", 0.5)
    assert found.expected / 12 == pytest.approx(0.05494, abs=5e-6)
    assert alpha_u([found]).value == pytest.approx(0.494, abs=5e-4)


def test_dkpro_example():
    """[1, 9) against three single signs in a text of 10 (a test of dkpro-statistics).

    Observed .9100, expected .5351, alpha -.7003.
    """
    found = of_one([(0, 1, 9), (1, 2, 3), (1, 4, 5), (1, 6, 7)], 10)
    assert found.observed / 10 == pytest.approx(0.91)
    assert found.expected / 10 == pytest.approx(0.5351, abs=1e-4)
    assert alpha_u([found]).value == pytest.approx(-0.7003, abs=5e-5)


def test_by_hand():
    """A text of 4: one coder marks [0, 2), the other nothing. T = 8.

    Observed: 2·2²/(2 - 1)/8 = 1. Expected: one span, so only gaps count: its own of 2 has
    2² · 1, the other's of 4 has 2² · 3: 2·16/(8·7 - 2·1) = 32/54. alpha = 1 - 54/32.
    """
    found = of_one([(0, 0, 2)], 4)
    assert (found.observed, found.expected) == (1, pytest.approx(32 / 54))
    assert alpha_u([found]).value == pytest.approx(1 - 54 / 32)


@given(studies(apart=True))
def test_disagreements_are_what_loops_give(study):
    """Sums over sorted spans and gaps are those of the formulas, pair by pair."""
    found = of_study(study)
    assert (found.observed, found.expected) == pytest.approx(slow_alpha_u(*study))


@given(studies(apart=True))
def test_without_each_unit_is_what_a_study_without_it_gives(study):
    """The vectorised deletion of a unit equals computing everything anew without it."""
    spans, length, m = study
    assume(len(length) > 1)
    found = of_study(study)
    for gone in range(len(length)):
        rest = [(row - (row > gone), *one) for row, *one in spans if row != gone]
        expected = slow_alpha_u(rest, length[:gone] + length[gone + 1 :], m)
        without = found.observed_without[gone], found.expected_without[gone]
        assert without == pytest.approx(expected, abs=1e-9)


@given(studies(), st.randoms(use_true_random=False))
def test_knows_no_order(study, chance):
    """The order of spans, of coders and of texts changes nothing."""
    spans, length, m = study
    names, places = list(range(m)), list(range(len(length)))
    chance.shuffle(names)
    chance.shuffle(places)
    moved = [(places[row], names[coder], start, end) for row, coder, start, end in spans]
    sizes = [size for _, size in sorted(zip(places, length, strict=True))]
    one, other = of_study(study), of_study((moved, sizes, m))
    assert (one.observed, one.expected) == pytest.approx((other.observed, other.expected))


@given(studies(), st.integers(2, 4))
def test_a_weight_is_so_many_texts(study, times):
    """A text that weighs 3 gives what three such texts give."""
    spans, length, m = study
    weights = np.ones(len(length))
    weights[0] = times
    one = disagreement(spans_of(spans), rows_of(length, m), np.arange(len(length)), weights=weights)
    extra = [
        (len(length) + again, *span)
        for again in range(times - 1)
        for row, *span in spans
        if not row
    ]
    other = of_study(([*spans, *extra], length + [length[0]] * (times - 1), m))
    assert (one.observed, one.expected) == pytest.approx((other.observed, other.expected))


def test_coders_who_missed_texts():
    """Three read one text, two another: the first weighs by 1/(3 - 1), as codings do in alpha.

    Row 0 (length 4): [0, 2), [0, 2), nothing: the third lacks both, 2·(4 + 4) = 16, halved: 8.
    Row 1 (length 4): [0, 1) and nothing: 2·1 = 2. T = 3·4 + 2·4 = 20; observed 10/20.
    """
    spans = spans_of([(0, 0, 0, 2), (0, 1, 0, 2), (1, 0, 0, 1)])
    found = disagreement(spans, rows_of([4, 4], [3, 2]), np.arange(2))
    assert found.observed == pytest.approx(0.5)


def made(units, seed=0, wander=3):
    """Made-up markings of two coders, the second near the first."""
    rng = np.random.default_rng(seed)
    spans = []
    for row in range(units):
        start = int(rng.integers(5, 40))
        spans.append((row, 0, start, start + 20))
        moved = start + int(rng.integers(-wander, wander + 1))
        spans.append((row, 1, moved, moved + 20))
    return spans, [80] * units, 2


def test_interval_is_the_jackknife_on_log_one_minus_alpha():
    """Bounds by the formula, from alphas computed anew without each of 30 units."""
    spans, length, m = made(30)
    measured = alpha_u([of_study((spans, length, m))])
    without = []
    for gone in range(30):
        # the slow way numbers rows 0 to 28: the last row takes the place of the one that is gone
        moved = [(gone if row == 29 else row, *one) for row, *one in spans if row != gone]
        seen, chance = slow_alpha_u(moved, length[1:], m)
        without.append(1 - seen / chance)
    se = math.sqrt(29 / 30 * np.square(np.array(without) - np.mean(without)).sum())
    gap = 1 - measured.value
    reach = student.ppf(0.975, 29) * se / gap
    assert measured.se == pytest.approx(se)
    assert measured.low == pytest.approx(1 - gap * math.exp(reach))
    assert measured.high == pytest.approx(1 - gap * math.exp(-reach))
    assert measured.lower_one_sided > measured.low


def test_the_same_spans_agree_wholly_and_leave_a_bound():
    """Twenty units without any disagreement: 1, and at least 1 - q with q = 1 - .025^(1/20)."""
    measured = alpha_u([of_study(made(20, wander=0))])
    assert measured.value == 1
    assert measured.low == pytest.approx(0.025 ** (1 / 20))
    assert measured.method == "zero-event bound"
    assert "no disagreement among 20 marked units" in measured.note


def test_nothing_marked_is_undefined():
    """Never 1 for marking nothing: nan, and the reason."""
    measured = alpha_u([of_study(([], [10, 10], 2))], empty="nobody marked it")
    assert math.isnan(measured.value)
    assert measured.note == "nobody marked it"


def test_everything_marked_as_one_is_undefined_where_chance_has_no_room():
    """Two coders mark the only sign of the only text: chance could not do otherwise."""
    measured = alpha_u([of_study(([(0, 0, 0, 1), (0, 1, 0, 1)], [1], 2))])
    assert math.isnan(measured.value)
    assert "no variation" in measured.note


def test_one_unit_that_holds_everything_has_no_interval():
    """Spans in one of two texts: a value, no interval, and why."""
    measured = alpha_u([of_study(([(0, 0, 1, 5), (0, 1, 2, 5)], [10, 10], 2))])
    assert not math.isnan(measured.value)
    assert math.isnan(measured.low)
    assert measured.note == "one unit holds all that was marked"


def test_overlapping_spans_of_one_coder_are_joined_and_counted():
    """[0, 4) and [2, 6) of one coder are [0, 6), as the other marked: agreement, one joined."""
    found = of_one([(0, 0, 4), (0, 2, 6), (1, 0, 6)], 20)
    assert (found.observed, found.joined) == (0, 1)


def test_a_row_of_one_coder_is_refused():
    """There is nobody to compare with."""
    with pytest.raises(TableError, match="needs two"):
        disagreement(spans_of([]), rows_of([5], 1), np.zeros(1, np.int64))
