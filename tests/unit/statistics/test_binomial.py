"""Shares with intervals: published examples, and the edges."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.statistics.binomial import (
    effective_size,
    exact_lower,
    exact_upper,
    unseen_share,
    wilson,
)


@pytest.mark.parametrize(
    ("times", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_score_intervals(times, n, low, high):
    """Newcombe (1998), Statistics in Medicine 17, 857-872, Table I, method 3 (score, 95%)."""
    share = wilson(times / n, n)
    assert (round(share.low, 4), round(share.high, 4)) == (low, high)
    assert share.value == times / n


def test_one_of_two_by_hand():
    """p = 1/2, n = 2, z = 1.95996: half = z/(1 + z²/2) sqrt(1/8 + z²/16) = z/(2 sqrt(2 + z²))."""
    share = wilson(0.5, 2)
    half = 1.959964 / (2 * math.sqrt(2 + 1.959964**2))
    assert share.low == pytest.approx(0.5 - half, abs=1e-6)
    assert share.high == pytest.approx(0.5 + half, abs=1e-6)


def test_nothing_counted_is_no_number():
    """Of no unit there is no share."""
    assert all(math.isnan(number) for number in wilson(0.0, 0)[:3])


@given(st.integers(1, 5000), st.floats(0, 1))
def test_an_interval_holds_its_share_and_lies_between_zero_and_one(n, value):
    """0 <= low <= share <= high <= 1, also at the very ends."""
    share = wilson(value, n)
    assert 0 <= share.low <= share.value <= share.high <= 1


@given(st.integers(1, 2000), st.floats(0, 1))
def test_the_interval_of_the_rest_is_the_mirror(n, value):
    """What holds for a share holds for its complement, turned round."""
    share, rest = wilson(value, n), wilson(1 - value, n)
    assert share.low == pytest.approx(1 - rest.high, abs=1e-9)


def test_more_confidence_is_wider():
    """99% reaches further than 95% on both sides."""
    wide, narrow = wilson(0.3, 50, confidence=0.99), wilson(0.3, 50)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_exact_bounds_of_clopper_and_pearson_by_hand():
    """0 of 20 at 95%: 1 - .05^(1/20) = .1391; 20 of 20 from below: .05^(1/20); 10 of 10: 1."""
    assert exact_upper(0, 20, 0.95) == pytest.approx(1 - 0.05 ** (1 / 20))
    assert exact_upper(0, 20, 0.95) == pytest.approx(unseen_share(20, 0.95))
    assert exact_lower(20, 20, 0.95) == pytest.approx(0.05 ** (1 / 20))
    assert (exact_lower(0, 9, 0.95), exact_upper(10, 10, 0.95)) == (0, 1)


def test_effective_size_by_hand():
    """Weights 1, 1, 1, 3: 6^2 / 12 = 3, written out or as three times 1 and once 3."""
    assert effective_size([1, 1, 1, 3]) == 3
    assert effective_size([1, 3], [3, 1]) == 3
