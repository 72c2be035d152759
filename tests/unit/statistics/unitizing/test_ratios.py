"""Ratios of sums: the jackknife by loops, clusters, weights, and what has no spread."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import t as student

from labeler.errors import TableError
from labeler.statistics.unitizing.ratios import ratio

RNG = np.random.default_rng(5)
WHOLE = RNG.integers(1, 9, 40).astype(float)
PART = np.floor(WHOLE * RNG.random(40))


def slow(part, whole):
    """p and its interval, by deleting one unit at a time."""
    n = len(part)
    p = sum(part) / sum(whole)
    without = [(sum(part) - part[u]) / (sum(whole) - whole[u]) for u in range(n)]
    mean = sum(without) / n
    se = math.sqrt((n - 1) / n * sum((one - mean) ** 2 for one in without))
    reach = student.ppf(0.975, n - 1) * se / (p * (1 - p))
    return p, se, expit(logit(p) - reach), expit(logit(p) + reach)


def test_the_interval_is_the_jackknife_on_the_logit():
    """Value, standard error and bounds as loops give them."""
    found = ratio(PART, WHOLE)
    spread = found
    assert (found.value, spread.se, spread.low, spread.high) == pytest.approx(slow(PART, WHOLE))
    assert spread.low < spread.lower_one_sided < found.value < spread.upper_one_sided < spread.high
    assert (found.n, spread.method) == (40, "delete-one-unit jackknife, t on logit")


def test_clusters_are_deleted_whole():
    """Pairs of units as clusters: as if each pair were one unit with the sums of both."""
    found = ratio(PART, WHOLE, clusters=np.repeat(np.arange(20), 2))
    expected = slow(PART.reshape(20, 2).sum(axis=1), WHOLE.reshape(20, 2).sum(axis=1))
    spread = found
    assert (found.value, spread.se, spread.low, spread.high) == pytest.approx(expected)
    assert "one-cluster" in spread.method


def test_design_weights_multiply_both_sums():
    """A unit drawn with a probability of one half counts as two."""
    weights = np.where(np.arange(40) < 10, 2.0, 1.0)
    found = ratio(PART, WHOLE, weights=weights)
    assert found.value == pytest.approx((weights @ PART) / (weights @ WHOLE))
    assert found.se == pytest.approx(slow(PART * weights, WHOLE * weights)[1])


def test_units_without_anything_say_nothing():
    """Units of which the whole is 0 change neither value nor interval."""
    zeros = np.zeros(100)
    padded = ratio(np.concatenate([PART, zeros]), np.concatenate([WHOLE, zeros]))
    assert padded == ratio(PART, WHOLE)


def test_perfect_agreement_leaves_a_bound():
    """Ten equal units that agree wholly: at least 1 - q, q = 1 - .025^(1/10); upper end 1."""
    found = ratio(np.full(10, 4.0), np.full(10, 4.0))
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(0.025**0.1)
    assert found.lower_one_sided == pytest.approx(0.05**0.1)
    assert found.method == "zero-event bound"


def test_no_agreement_at_all_leaves_a_bound():
    """The other end: from 0 to q. With unequal units n is (4 + 1)²/(16 + 1) = 25/17."""
    found = ratio(np.zeros(2), np.array([4.0, 1.0]))
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(1 - 0.025 ** (17 / 25))
    assert "only 2 units hold anything" in found.note


def test_nothing_to_compare_is_undefined():
    """0 of 0 is no share: nan, with the reason that was given."""
    found = ratio(np.zeros(3), np.zeros(3), empty="nobody marked it")
    assert math.isnan(found.value)
    assert found.note == "nobody marked it"


def test_a_single_unit_has_a_value_and_no_interval():
    """There is nothing to tell how much units differ."""
    found = ratio(np.array([1.0]), np.array([4.0]))
    assert found.value == 0.25
    assert math.isnan(found.low)
    assert found.note == "a single unit: no interval"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"part": PART + WHOLE + 1, "whole": WHOLE}, "between 0 and its whole"),
        ({"part": PART[1:], "whole": WHOLE}, "one number for each unit"),
        ({"part": PART, "whole": WHOLE, "clusters": np.zeros(3)}, "clusters of shape"),
        ({"part": PART, "whole": WHOLE, "confidence": 95}, "confidence 95"),
    ],
)
def test_what_makes_no_ratio_is_refused(given, words):
    """Parts beyond their whole, shapes that do not fit, a confidence in per cent."""
    with pytest.raises(TableError, match=words):
        ratio(**given)
