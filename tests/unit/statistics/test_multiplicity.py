"""Adjusted p-values: by hand, as scipy does, and tests without a p."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from labeler.statistics.multiplicity import benjamini_hochberg, benjamini_yekutieli, holm


def test_holm_by_hand() -> None:
    """.01 * 3, .02 * 2, then no less than the one before: .03, .04, .04."""
    assert holm([0.02, 0.01, 0.03]) == pytest.approx([0.04, 0.03, 0.04])


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg, benjamini_yekutieli])
def test_a_test_without_a_p_belongs_to_no_family(adjust) -> None:
    """nan stays nan, and the others are adjusted as if it were not there."""
    adjusted = adjust([0.01, math.nan, 0.04, 0.03])
    assert math.isnan(adjusted[1])
    assert adjusted[[0, 2, 3]] == pytest.approx(adjust([0.01, 0.04, 0.03]))
    assert np.isnan(adjust([math.nan])).all()


def test_holm_of_three_and_none_by_hand() -> None:
    """p .01, .04, .03, none: times 3, 2, 1 in order: .03, .06, then .04 raised to .06."""
    assert holm([0.01, 0.04, 0.03, math.nan])[:3] == pytest.approx([0.03, 0.06, 0.06])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_yekutieli_as_scipy_does(p: list[float]) -> None:
    """Benjamini-Yekutieli by scipy, for any p-values."""
    expected = false_discovery_control(p, method="by")
    np.testing.assert_allclose(benjamini_yekutieli(p), expected, atol=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_hochberg_as_scipy_does(p: list[float]) -> None:
    """Benjamini-Hochberg by scipy, for any p-values."""
    expected = false_discovery_control(p, method="bh")
    np.testing.assert_allclose(benjamini_hochberg(p), expected, atol=1e-12)
