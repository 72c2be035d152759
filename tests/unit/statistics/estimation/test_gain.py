"""What blind coding buys, by hand."""

from __future__ import annotations

import math

import pytest

from labeler.errors import TableError
from labeler.statistics.estimation.gain import (
    correlation_for,
    expected_gain,
    gains,
    units_for_width,
)


def test_a_correlation_of_six_tenths_makes_one_and_a_half() -> None:
    """1/(1 - .36) = 1.5625 of a large frame; half a time more needs sqrt(1/3)."""
    gain = expected_gain(0.3, 0.6, coded=500, size=10**9, target="collection")
    assert gain.factor == pytest.approx(1.5625, rel=1e-5)
    assert gain.half_width == pytest.approx(0.8 * gain.blind_alone, rel=1e-6)
    assert gain.blind_alone == pytest.approx(1.959964 * math.sqrt(0.21 / 500), rel=1e-6)
    assert correlation_for(1.5) == pytest.approx(math.sqrt(1 / 3))


def test_the_frame_bounds_what_there_is_to_know() -> None:
    """500 of 1,000: variance (1/500 - 1/1000) .64 .21, equal to that of 610 by people alone."""
    gain = expected_gain(0.3, 0.6, coded=500, size=1000, target="collection")
    assert gain.half_width == pytest.approx(1.959964 * math.sqrt(0.001 * 0.64 * 0.21), rel=1e-6)
    assert gain.effective_size == pytest.approx(1 / (0.001 * 0.64 + 0.001))
    stream = expected_gain(0.3, 0.6, coded=500, size=1000, target="population")
    assert stream.half_width == pytest.approx(1.959964 * math.sqrt(0.00164 * 0.21), rel=1e-6)


def test_several_correlations_in_a_row() -> None:
    """No correlation, no gain."""
    made = gains(0.1, [0.0, 0.5, 0.9], coded=300, size=20_000, target="collection")
    assert made[0].factor == pytest.approx(1)
    assert [gain.factor for gain in made] == sorted(gain.factor for gain in made)


@pytest.mark.parametrize("target", ["collection", "population"])
def test_units_for_a_width_give_that_width(target) -> None:
    """And one unit fewer does not."""
    n = units_for_width(0.3, 0.03, correlation=0.5, size=20_000, target=target)
    for coded, enough in ((n, True), (n - 1, False)):
        gain = expected_gain(0.3, 0.5, coded=coded, size=20_000, target=target)
        assert (gain.half_width <= 0.03) is enough


def test_no_number_of_units_makes_a_small_collection_a_stream() -> None:
    """All 100 posts leave +- .09 about the population."""
    assert units_for_width(0.3, 0.05, size=100, target="population") is None
    assert units_for_width(0.3, 0.05, size=100, target="collection") == 77


def test_impossible_plans_are_refused() -> None:
    """More units than there are; a factor below one."""
    with pytest.raises(TableError, match="expected gain"):
        expected_gain(0.3, 0.5, coded=11, size=10, target="collection")
    with pytest.raises(TableError, match="factor"):
        correlation_for(0.5)
