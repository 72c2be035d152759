"""Consensus: which value is kept for a unit, and when none is."""

from __future__ import annotations

import pandas as pd
import pytest
from builders import book, choice, numeric

from labeler.coding.consensus import consensus
from labeler.store import tables

BOOK = book(
    choice("mood", "good bad odd"),
    choice("topic", "work home art", of="segment", multiple=True),
    numeric("size", 0, 100, of="segment"),
)


def given(votes):
    """Blind human values of one unit, a coder each."""
    rows = [
        {"unit": "u", "coder": f"human:{place}", "value": vote} for place, vote in enumerate(votes)
    ]
    return pd.DataFrame(rows)


def kept(votes, variable="mood"):
    row = consensus({variable: given(votes)}, BOOK, batch="one").iloc[0]
    return row["value"], row["rule"], row["agreeing"], row["coders"]


@pytest.mark.parametrize(
    ("votes", "row"),
    [
        (["good"], ("good", "majority", 1, 1)),
        (["good", "good"], ("good", "majority", 2, 2)),
        (["good", "bad"], ("", "unresolved", 1, 2)),
        (["good", "bad", "good"], ("good", "majority", 2, 3)),
        (["good", "bad", "odd"], ("", "unresolved", 1, 3)),
        (["good", "good", "bad", "bad"], ("", "unresolved", 2, 4)),
        (["good", "good", "bad", "odd"], ("", "unresolved", 2, 4)),
    ],
)
def test_more_than_half_decide(votes, row):
    """A value is kept with more than half of the coders; a half is not enough."""
    assert kept(votes) == row


@pytest.mark.parametrize(
    ("votes", "row"),
    [
        (["work+home", "work", "work+art"], ("work", "majority", 1, 3)),
        (["work+art", "work+art", "home"], ("work+art", "majority", 2, 3)),
        # work has two of three, home has two of three: the set that no coder gave whole
        (["work", "work+home", "home"], ("work+home", "majority", 1, 3)),
        (["work", "home"], ("", "unresolved", 1, 2)),
        (["work+home", "work"], ("", "unresolved", 1, 2)),
        (["", ""], ("", "majority", 2, 2)),
        (["", "", "work"], ("", "majority", 2, 3)),
        # every coder saw something, and no two the same: that is no agreement on nothing
        (["work", "home", "art"], ("", "unresolved", 1, 3)),
        (["work", ""], ("", "unresolved", 1, 2)),
    ],
)
def test_a_set_is_decided_code_by_code(votes, row):
    """Each code needs more than half; a code with just half leaves the unit unresolved."""
    assert kept(votes, "topic") == row


def test_a_set_of_numbers_is_kept_in_order_of_size():
    """9+10 is what both coders gave, and is found as such."""
    assert kept(["9+10", "9+10"], "size") == ("9+10", "majority", 2, 2)


def test_each_unit_and_variable_has_its_row_in_any_order_of_the_votes():
    """Two units by two variables are four rows of the table, whatever order the values come in."""
    moods = pd.concat([given(["good", "bad", "good"]), given(["bad"]).assign(unit="v")])
    topics = pd.concat([given(["work", "work"]), given([""]).assign(unit="v")])
    rows = consensus({"mood": moods, "topic": topics}, BOOK, batch="one")
    turned = consensus({"mood": moods[::-1], "topic": topics[::-1]}, BOOK, batch="one")
    pd.testing.assert_frame_equal(rows, turned)
    assert rows["value"].tolist() == ["good", "bad", "work", ""]
    assert set(rows["codebook"]) == {BOOK.fingerprint}
    assert list(rows.columns) == tables.columns(tables.CONSENSUS)


def test_nobody_coded_is_no_row():
    """Without values there is no consensus, and no crash."""
    assert consensus({}, BOOK, batch="one").empty
    nothing = pd.DataFrame({name: [] for name in ("unit", "coder", "value")}, dtype="str")
    assert consensus({"mood": nothing}, BOOK, batch="one").empty
