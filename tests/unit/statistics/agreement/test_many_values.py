"""More values than a table of distances should hold: the same figures, by moments and ranks."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from numpy.typing import NDArray

from labeler.statistics.agreement.alpha import alpha, count_columns
from labeler.statistics.agreement.coefficients import coefficients
from labeler.statistics.agreement.distances import Level
from labeler.statistics.agreement.intervals import jackknife
from labeler.statistics.agreement.many_values import alpha_of_many, padded
from labeler.statistics.agreement.resampling import sample_of, without_one


def made(units: int, values: int, seed: int) -> NDArray[np.int64]:
    """Three coders near the same place of many, one in ten codings missing."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, values, units)
    columns = np.clip(truth + chance.integers(-3, 4, (3, units)), 0, values - 1)
    columns[chance.random((3, units)) < 0.1] = -1
    return columns


def package(columns: NDArray[np.int64], numbers: NDArray[np.float64], level: Level) -> float:
    data = np.where(columns < 0, np.nan, numbers[columns])
    return float(krippendorff.alpha(data, level_of_measurement=level))


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
@pytest.mark.parametrize("values", [40, 200])  # below and above MANY
def test_alpha_of_many_values_and_without_each_unit(level: Level, values: int) -> None:
    """Alpha, and alpha without each unit in turn, as the krippendorff package has them."""
    columns = made(60, values, seed=values)
    numbers = np.cumsum(np.random.default_rng(2).integers(1, 90, values)) / 4
    domain = [f"{number}" for number in numbers]
    counts = count_columns(columns, values)
    found = alpha(counts, level=level, domain=domain).value
    assert found == pytest.approx(package(columns, numbers, level), abs=1e-9)
    pairable = np.flatnonzero((columns >= 0).sum(axis=0) >= 2)
    wanted = [package(np.delete(columns, unit, axis=1), numbers, level) for unit in pairable]
    sample = sample_of(counts, level, domain, None, None)
    assert np.sort(np.repeat(without_one(sample), sample.times.astype(int))) == pytest.approx(
        np.sort(wanted), abs=1e-9
    )


def test_what_would_compare_each_value_with_each_is_left_out_with_its_reason() -> None:
    """Of 500 numbers alpha and percent agreement are computed; kappa says why it is not."""
    columns = made(300, 500, seed=3)
    found = coefficients(columns, domain=[str(n) for n in range(500)], level="interval")
    assert found["krippendorff_alpha.interval"].value > 0.99
    assert not np.isnan(found["percent_agreement.units"].value)
    assert np.isnan(found["fleiss_kappa"].value)
    assert "500 values" in found["fleiss_kappa"].note


def test_a_number_that_lies_very_far_out_divides_nothing_by_zero() -> None:
    """Where one value makes alpha 1 to the last digit, there is a value and no interval."""
    columns = np.array([[3, 1, 2, 0], [3, 1, 2, 1]])
    domain = ["1", "2", "3", "1e20"]
    found = jackknife(count_columns(columns, 4), level="interval", domain=domain)
    assert (found.value, np.isnan(found.low)) == (1.0, True)
    assert "so far out that alpha rounds to 1" in found.note


def spread(units: int, values: int, seed: int) -> NDArray[np.int64]:
    """Four coders, some units by one or none, equal and repeated values among them."""
    chance = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(values), chance.integers(0, values, units - values)])
    columns = np.clip(truth + chance.integers(-2, 3, (4, units)), 0, values - 1)
    columns[chance.random((4, units)) < 0.3] = -1
    return columns


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
def test_codings_unit_by_unit_give_what_a_table_of_values_gives(level: Level) -> None:
    """Every coefficient of 450 values, as with the weight 1, which goes by the table."""
    columns = spread(600, 450, seed=7)
    numbers = np.cumsum(np.random.default_rng(4).integers(1, 90, 450)) / 4 - 30 * (level != "ratio")
    domain = [f"{number}" for number in numbers]
    found = coefficients(columns, domain=domain, level=level)
    wanted = coefficients(columns, domain=domain, level=level, weights=np.ones(600))
    assert list(found) == list(wanted)
    for name, one in found.items():
        assert one.note == wanted[name].note
        assert one.method == wanted[name].method
        assert one.n == wanted[name].n
        assert one[:6] == pytest.approx(wanted[name][:6], rel=1e-9, nan_ok=True), name


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
def test_each_unit_left_out_of_many(level: Level) -> None:
    """One by one, as the table of values has it; zero is a number like any."""
    columns = spread(90, 70, seed=5)
    domain = [f"{number}" for number in range(70)]
    many = padded(columns, domain)
    point, without = alpha_of_many(many, level)
    counts = count_columns(columns, 70)
    whole = alpha(counts, level=level, domain=domain)
    assert point[:1] + point[2:] == pytest.approx(whole[:1] + whole[2:], rel=1e-12)
    pairable = np.flatnonzero((columns >= 0).sum(axis=0) >= 2)
    wanted = [
        alpha(np.delete(counts, unit, axis=0), level=level, domain=domain).value
        for unit in pairable
    ]
    assert without == pytest.approx(wanted, rel=1e-11)


def test_perfect_agreement_of_many_numbers_has_its_bound() -> None:
    """Nobody differs: the bound that so many units leave open."""
    columns = np.tile(np.arange(500), (2, 1))
    found = coefficients(columns, domain=[str(n) for n in range(500)], level="interval")
    one = found["krippendorff_alpha.interval"]
    assert (one.value, one.high) == (1.0, 1.0)
    assert 0.98 < one.low < 1
    assert "no disagreement among 500 pairable units" in one.note
