"""Strata and their weights, from made-up values."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from labeler import hints
from labeler.errors import InputError
from labeler.sampling import strata


def test_strata_of_values():
    """Three of one platform, one of another: proportional weighs units alike, equal the strata."""
    values = {"a": "x", "b": "x", "c": "x", "d": "reddit"}
    assert strata.stratified(values, allocation="proportional").weight == {"x": 1, "reddit": 1}
    found = strata.stratified(values, allocation="equal")
    assert found.of == values
    assert found.weight == {"x": pytest.approx(1 / 3), "reddit": 1}


def test_the_rarest_code_of_a_unit_decides():
    """harm is given once, good twice, none once: b has both good and harm, and goes with harm.

    The strata good, harm and none then have 1, 1 and 1 unit, c of no code its own.
    """
    found = strata.enriched(
        {"a": ["v=good"], "b": ["v=good", "v=harm"], "c": [], "d": ["v=good"], "e": ["v=good"]}
    )
    assert found.of == {"a": "v=good", "b": "v=harm", "c": "no code", "d": "v=good", "e": "v=good"}
    assert found.weight["v=good"] == pytest.approx(1 / math.sqrt(3))
    assert found.weight["v=harm"] == found.weight["no code"] == 1


def test_less_sure_units_weigh_more_and_sure_ones_something():
    """c of .75, .75 and 1: u = .5, .5, 0 with the mean 1/3: .8 x 1.5 + .2 = 1.4, and the floor."""
    found = strata.uncertain(["a", "b", "c", "d"], {"a": 0.75, "b": 0.75, "c": 1.0}, floor=0.2)
    assert found.of == {
        "a": "confidence 0.750",
        "b": "confidence 0.750",
        "c": "confidence 1.000",
        "d": "unknown",
    }
    assert found.weight == {
        "confidence 0.750": pytest.approx(1.4),
        "confidence 1.000": pytest.approx(0.2),
        "unknown": 1.0,
    }


def test_everybody_sure_is_an_even_draw():
    """Where no unit is in doubt, all weigh the same."""
    assert strata.uncertain(["a", "b"], {"a": 1.0, "b": 1.0}, floor=0.2).weight == {
        "confidence 1.000": 1.0
    }


def test_many_levels_become_ten_bands():
    """35 different confidences: ten bands of 3 or 4 units, from the least sure on."""
    sure = {f"u{place:02}": place / 40 for place in range(35)}
    found = strata.uncertain(list(sure), sure, floor=0.2)
    sizes = pd.Series(found.of).value_counts()
    assert len(sizes) == 10
    assert set(sizes) == {3, 4}
    weights = [found.weight[found.of[unit]] for unit in sorted(sure)]
    assert weights == sorted(weights, reverse=True)


@pytest.mark.parametrize(("floor", "said"), [(0.0, "the floor is"), (1.5, "the floor is")])
def test_a_floor_is_above_zero(floor, said):
    """A floor of zero would leave sure units out for ever."""
    with pytest.raises(InputError, match=said):
        strata.uncertain(["a"], {"a": 0.5}, floor=floor)


def test_without_a_confidence_it_says_where_it_comes_from():
    """A model asked once, without log-probabilities, says nothing about how sure it is."""
    with pytest.raises(InputError, match="no unit has a confidence") as caught:
        strata.uncertain(["a"], {}, floor=0.2)
    assert caught.value.hint == hints.GET_CONFIDENCE


def test_the_smallest_confidence_of_a_unit():
    """a: a vote of .2 is .8 sure, one of .9 is .9; its log-probability does not count. b: .6."""
    rows = pd.DataFrame(
        [
            ("a", "vote", 0.2),
            ("a", "vote", 0.9),
            ("a", "logprob", 0.1),
            ("b", "logprob", 0.6),
            ("b", "logprob", 0.7),
            ("b", "segment", 0.1),
            ("c", "logprob", math.nan),
        ],
        columns=["unit", "kind", "confidence"],
    )
    assert strata.least_sure(rows) == {"a": 0.8, "b": 0.6}
