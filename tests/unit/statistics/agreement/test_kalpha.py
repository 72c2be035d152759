"""KALPHA's interval beside ours, and alpha without each coder (published: test_published)."""

from __future__ import annotations

import math

import pytest
from published import columns_of

from labeler.errors import TableError
from labeler.statistics.agreement.alpha import count_columns
from labeler.statistics.agreement.kalpha import pair_bootstrap

AB = ["a", "b"]


def drawn(rows, **options):
    counts = count_columns(columns_of(rows, "ab"), 2)
    settings = {"level": "nominal", "domain": AB, "n_coders": len(rows), "seed": 1}
    return pair_bootstrap(counts, **(settings | options))


def test_pairs_by_each_rule():
    """Three coders, units of 3, 3 and 2 codings: 7 pairs by 2007; by 2011 (3 - 1) x 8/2 = 8.

    Four cells of the coincidence matrix are not zero: 25 x 4 is more than 8.
    """
    rows = ["aab", "abb", "ab."]
    assert drawn(rows, rule=2007).pairs == 7
    assert drawn(rows, rule=2011).pairs == 8


def test_many_units_leave_the_width_where_it_is():
    """By the rule of 2011 binary codes never draw more than 100 pairs, however many units."""
    few, many = (drawn(["ab" * n + "a", "ab" * n + "b"]) for n in (100, 2_000))
    assert few.pairs == many.pairs == 25 * 4
    assert "for comparison with KALPHA's output only" in many.interval.note


def test_undefined_has_a_reason():
    """Without variation there is nothing to draw."""
    found = drawn(["aaa", "aaa"])
    assert math.isnan(found.interval.low)
    assert found.interval.note == "no variation: every coding is 'a'"


def test_unknown_rule_is_refused():
    """There are two rules."""
    with pytest.raises(TableError, match="neither 2007 nor 2011"):
        drawn(["ab", "ab"], rule=2020)
