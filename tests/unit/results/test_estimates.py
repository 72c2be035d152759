"""Shares per code: how units are counted, and what is hidden."""

from __future__ import annotations

import pandas as pd
import pytest
from builders import book, choice, numeric

from labeler.results.estimates import estimates
from labeler.statistics.binomial import wilson
from labeler.store import tables
from labeler.text.coded_values import named_parts

BOOK = book(
    choice("mood", "good bad odd"),
    numeric("points", 0, 100),
    choice("topic", "work home", of="segment", multiple=True),
    numeric("size", 0, 100, of="segment"),
)


def values(*given):
    """Blind human values: (unit, coder, value) each."""
    return pd.DataFrame(given, columns=["unit", "coder", "value"], dtype="str")


def rows_of(frame, authors, variable="mood", smallest=1, **more):
    rows = estimates(
        {variable: frame},
        pd.Series(authors, dtype="str"),
        BOOK,
        batch="one",
        verdicts={variable: "pass"},
        override=more.get("override", ""),
        smallest=smallest,
        tasks=more.get("tasks"),
    )
    return rows.assign(code=[named_parts(code)[1] for code in rows["code"]]).set_index("code")


def many(counts):
    """One coder, `counts[code]` units of each code, each unit by an author of its own."""
    given = [
        (f"{code}{place}", "human:a", code) for code, n in counts.items() for place in range(n)
    ]
    return values(*given), {unit: f"author of {unit}" for unit, _, _ in given}


def test_a_unit_counts_once_however_many_coded_it():
    """u: good and bad, v and w: good. good = (1/2 + 1 + 1)/3 = 5/6; bad = 1/6; odd = 0."""
    frame = values(("u", "a", "good"), ("u", "b", "bad"), ("v", "a", "good"), ("w", "b", "good"))
    rows = rows_of(frame, {"u": "1", "v": "2", "w": "3"})
    assert rows["value"].tolist() == pytest.approx([5 / 6, 1 / 6, 0])
    assert rows["count"].tolist() == [3, 1, 0]
    assert rows["units"].tolist() == [3, 3, 3]
    expected = wilson(5 / 6, 3)
    assert (rows.loc["good", "low"], rows.loc["good", "high"]) == (expected.low, expected.high)


def test_units_drawn_unequally_count_as_many_units_by_hand():
    """60 good, 38 bad and 2 split, of 200; 96 bad and 4 split, of 10,000: 3.16% are good.

    644 of 20,400 codings by weight; of the units coded it would be 31.5%.
    """
    given = []
    for place in range(200):
        a = "good" if place < 60 or 98 <= place < 100 or place >= 196 else "bad"
        b = "good" if place < 60 else "bad"
        given += [(f"u{place}", "a", a), (f"u{place}", "b", b)]
    authors = {f"u{place}": f"author {place}" for place in range(200)}
    chance = [0.5] * 100 + [0.01] * 100
    tasks = pd.DataFrame({"unit": list(authors), "unit_probability": chance})
    plain = rows_of(values(*given), authors).loc["good"]
    weighted = rows_of(values(*given), authors, tasks=tasks).loc["good"]
    assert plain["value"] == pytest.approx(63 / 200)
    assert weighted["value"] == pytest.approx(644 / 20_400)
    assert weighted["low"] < 0.02 and weighted["high"] > 0.06
    assert (weighted["count"], weighted["units"]) == (plain["count"], plain["units"])


def test_codes_of_a_set_have_shares_of_their_own():
    """work+home, work, '': work 2/3, home 1/3, and the unit without a segment counts as well."""
    frame = values(("u", "a", "work+home"), ("v", "a", "work"), ("w", "a", ""))
    rows = rows_of(frame, {"u": "1", "v": "2", "w": "3"}, "topic")
    assert rows["value"].tolist() == pytest.approx([2 / 3, 1 / 3])


def test_numbers_are_listed_in_order_of_size():
    """A variable without values has a row for each number that was given, also within sets."""
    frame = values(("u", "a", "10"), ("v", "a", "9"))
    assert rows_of(frame, {"u": "1", "v": "2"}, "points").index.tolist() == ["9", "10"]
    sets = values(("u", "a", "9+10"), ("v", "a", ""))
    rows = rows_of(sets, {"u": "1", "v": "2"}, "size")
    assert rows["value"].to_dict() == {"9": 0.5, "10": 0.5}


def test_verdict_and_override_stand_in_every_row():
    """What the gate said, and the reason for going past it, go with every figure."""
    rows = rows_of(*many({"good": 3}), override="a pilot, not for print")
    assert set(rows["verdict"]) == {"pass"}
    assert set(rows["override"]) == {"a pilot, not for print"}


def test_nobody_coded_gives_rows_without_a_share():
    """Declared codes have their row, with zero units and no number; the frame fits its table."""
    rows = estimates(
        {"mood": values(), "points": values()},
        pd.Series({}, dtype="str"),
        BOOK,
        batch="one",
        verdicts={},
        override="",
    )
    assert list(rows.columns) == tables.columns(tables.ESTIMATES)
    assert rows["code"].tolist() == ["mood:good", "mood:bad", "mood:odd"]
    assert rows["value"].isna().all()
    assert rows["units"].tolist() == [0, 0, 0]
