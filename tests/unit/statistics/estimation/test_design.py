"""Sample sizes and allocation, against published numbers and hand-made ones."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from thorough import examples

from labeler.errors import TableError
from labeler.statistics.estimation import design

# share of the code, n for +-.10, n for the bound above .667 at power .8 and .9
TABLE = [
    (0.03, 1259, 1950, 2701),
    (0.10, 402, 622, 861),
    (0.30, 166, 256, 355),
    (0.50, 138, 214, 296),
]


@pytest.mark.parametrize(("share", "ten", "eight", "nine"), TABLE)
def test_sample_sizes_of_the_table(share, ten, eight, nine):
    """Two coders, two codes, alpha .8: the tabled numbers of units, within 1% (V was rounded)."""
    variance = design.alpha_variance([share, 1 - share], alpha=0.8)
    assert design.half_width(variance, ten) == pytest.approx(0.10, rel=0.01)
    for power, units in ((0.8, eight), (0.9, nine)):
        found = design.units_for_bound(0.8, variance, 0.667, power=power)
        assert found == pytest.approx(units, rel=0.01)


def test_variance_by_hand():
    """Binary at 50%, alpha .8: pairs differ with probability .1, V = .1 x .9 / .5^2 = .36.

    Five equal codes: De = .8, pairs differ with .16, V = .16 x .84 / .64 = .21.
    """
    assert design.alpha_variance([1, 1], alpha=0.8) == pytest.approx(0.36)
    assert design.alpha_variance([1] * 5, alpha=0.8) == pytest.approx(0.21)


def test_a_third_coder_saves_a_third_of_the_units():
    """Three coders need about 36% fewer units than two (binary, alpha .8)."""
    for share in (0.1, 0.3, 0.5):
        codes = [share, 1 - share]
        ratio = design.alpha_variance(codes, alpha=0.8, coders=3) / design.alpha_variance(
            codes, alpha=0.8, coders=2
        )
        assert ratio == pytest.approx(0.64, abs=0.04)


def test_a_published_share():
    """A share of .85 within .05 takes 196 units."""
    assert design.half_width(design.share_variance(0.85), 196) == pytest.approx(0.05, abs=1e-4)


def test_units_and_bound_are_each_other_s_inverse():
    """At power one half, the expected bound lies on the threshold: z_b is 0."""
    variance = design.alpha_variance([0.3, 0.7], alpha=0.8)
    units = design.units_for_bound(0.8, variance, 0.667, power=0.5)
    assert design.lower_bound(0.8, variance, round(units)) == pytest.approx(0.667, abs=1e-3)


def test_what_cannot_be_known_is_not_a_number():
    """One code, one coder, no unit, perfect or too low alpha: nan or infinity, never a number."""
    assert math.isnan(design.alpha_variance([1.0], alpha=0.8))
    assert math.isnan(design.alpha_variance([0.5, 0.5], alpha=0.8, coders=1))
    assert math.isnan(design.half_width(0.3, 0))
    assert math.isnan(design.lower_bound(1.0, 0.3, 10))
    assert math.isnan(design.units_for_bound(1.0, 0.3, 0.667, power=0.8))
    assert math.isinf(design.units_for_bound(0.6, 0.3, 0.667, power=0.8))


@pytest.mark.parametrize(
    ("sizes", "weights", "total", "drawn"),
    [
        ([60, 30, 10], [1, 1, 1], 10, [6, 3, 1]),
        ([60, 30, 10], [1 / 60, 1 / 30, 1 / 10], 9, [3, 3, 3]),
        ([60, 30, 2], [1 / 60, 1 / 30, 1 / 2], 12, [5, 5, 2]),  # the small one has but two
        ([97, 1, 2], [1, 1, 1], 10, [8, 1, 1]),  # nobody is left without a chance
        ([10, 10], [1, 0], 15, [10, 5]),
        ([10, 10], [0, 0], 5, [3, 2]),
        ([4], [1], 4, [4]),
    ],
)
def test_allocation_by_hand(sizes, weights, total, drawn):
    """Proportional, equal, with a stratum too small, with one that must not be forgotten."""
    assert design.allocated(sizes, weights, total) == drawn


@examples(100)
@given(st.data())
def test_allocation_adds_up_and_fits(data):
    """Whatever the weights: the sum is the total, and each part lies between 1 and its stratum."""
    sizes = data.draw(st.lists(st.integers(1, 50), min_size=1, max_size=8))
    weights = data.draw(st.lists(st.floats(0, 1e6), min_size=len(sizes), max_size=len(sizes)))
    total = data.draw(st.integers(len(sizes), sum(sizes)))
    drawn = design.allocated(sizes, weights, total)
    assert sum(drawn) == total
    assert all(1 <= own <= size for own, size in zip(drawn, sizes, strict=True))


@pytest.mark.parametrize(
    ("sizes", "weights", "total"),
    [([3, 3], [1, 1], 1), ([3, 3], [1, 1], 7), ([0, 3], [1, 1], 2), ([3], [-1], 2), ([3], [], 2)],
)
def test_an_impossible_allocation_is_refused(sizes, weights, total):
    """Fewer units than strata, more than there are, an empty stratum, a wrong weight."""
    with pytest.raises(TableError, match="strata: "):
        design.allocated(sizes, weights, total)
