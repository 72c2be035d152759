"""What people did with suggestions. Every coding is made up."""

from __future__ import annotations

import pandas as pd

from labeler.store import tables
from labeler.studio import changes

CODER, SUGGESTER = "human:ada", "cues@a1b2c3"
Rows = list[tuple[str, str, str, str]]


def codings(coder: str, *rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """CODINGS of one coder from (unit, segment, variable, value)."""
    names = ("unit", "segment", "variable", "value")
    arm = "assisted" if coder == CODER else ""
    common = {"codebook": "b", "coder": coder, "arm": arm, "replicate": 1}
    return tables.frame(
        tables.CODINGS, [common | dict(zip(names, row, strict=True)) for row in rows]
    )


def segments(coder: str, *rows: tuple[str, str, int, int], found: str = "exact") -> pd.DataFrame:
    """SEGMENTS of one coder from (unit, segment, start, end)."""
    names = ("unit", "segment", "start", "end")
    common = {"codebook": "b", "coder": coder, "replicate": 1, "found": found}
    return tables.frame(
        tables.SEGMENTS, [common | dict(zip(names, row, strict=True)) for row in rows]
    )


def told(found: pd.DataFrame) -> set[tuple[str, str, str, str, str, str]]:
    columns = ["segment", "suggested_segment", "variable", "suggested", "value", "change"]
    return set(found[columns].itertuples(index=False, name=None))


def test_each_variable_is_accepted_edited_added_or_deleted() -> None:
    """The four ways, on variables of the unit; what is left out is the empty set."""
    own = codings(
        CODER, ("u", "", "a", "x"), ("u", "", "b", "x+y"), ("u", "", "c", "z"), ("u", "", "e", "")
    )
    theirs = codings(
        SUGGESTER, ("u", "", "a", "x"), ("u", "", "b", "x"), ("u", "", "d", "q"), ("u", "", "f", "")
    )
    found = changes.compare(own, segments(CODER), theirs, segments(SUGGESTER))
    assert told(found) == {
        ("", "", "a", "x", "x", "accepted"),
        ("", "", "b", "x", "x+y", "edited"),
        ("", "", "c", "", "z", "added"),
        ("", "", "d", "q", "", "deleted"),
        ("", "", "e", "", "", "accepted"),
        ("", "", "f", "", "", "accepted"),
    }
    assert set(found["suggester"]) == {SUGGESTER}
    assert set(found["arm"]) == {"assisted"}


def test_segments_are_paired_by_what_they_share() -> None:
    """Own 0-10 shares 8/10 with suggested 0-8 and 2/12 with 8-12; 30-40 and 20-25 stand alone.

    The suggested 8-12 overlaps only a segment that is taken by a better one: it was deleted.
    """
    own = codings(CODER, ("u", "", "r", "yes"), ("u", "1", "v", "x"), ("u", "2", "v", "y"))
    theirs = codings(SUGGESTER, ("u", "1", "v", "x"), ("u", "2", "v", "x"), ("u", "3", "v", "y"))
    found = changes.compare(
        own,
        segments(CODER, ("u", "1", 0, 10), ("u", "2", 30, 40)),
        theirs,
        segments(SUGGESTER, ("u", "1", 0, 8), ("u", "2", 8, 12), ("u", "3", 20, 25)),
    )
    assert told(found) == {
        ("", "", "r", "", "yes", "added"),
        ("1", "1", "segment", "0-8", "0-10", "edited"),
        ("1", "1", "v", "x", "x", "accepted"),
        ("2", "", "segment", "", "30-40", "added"),
        ("2", "", "v", "", "y", "added"),
        ("", "2", "segment", "8-12", "", "deleted"),
        ("", "2", "v", "x", "", "deleted"),
        ("", "3", "segment", "20-25", "", "deleted"),
        ("", "3", "v", "y", "", "deleted"),
    }


def test_equal_segments_are_accepted_and_those_not_shown_left_out() -> None:
    """A quote that the post does not hold was never on the page: no row is about it."""
    hidden = segments(SUGGESTER, ("u", "2", -1, -1), found="missing")
    shown = segments(SUGGESTER, ("u", "1", 3, 9))
    found = changes.compare(
        codings(CODER, ("u", "1", "v", "x")),
        segments(CODER, ("u", "1", 3, 9)),
        codings(SUGGESTER, ("u", "1", "v", "x"), ("u", "2", "v", "y")),
        pd.concat([shown, hidden], ignore_index=True),
    )
    assert told(found) == {
        ("1", "1", "segment", "3-9", "3-9", "accepted"),
        ("1", "1", "v", "x", "x", "accepted"),
    }


def test_no_suggestion_or_no_coding_is_no_change() -> None:
    """A unit that nobody suggested for, or that the coder passed over, has no rows."""
    own = codings(CODER, ("alone", "", "a", "x"))
    theirs = codings(SUGGESTER, ("skipped", "", "a", "x"))
    none = segments(CODER)
    assert changes.compare(own, none, theirs, none).empty
    assert changes.compare(codings(CODER), none, theirs, none).empty
