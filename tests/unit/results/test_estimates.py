"""Shares per code: how units are counted, and what is hidden."""

from __future__ import annotations

import pandas as pd
import pytest
from builders import book, choice, numeric

from labeler.results.estimates import estimates
from labeler.statistics.binomial import wilson
from labeler.store import tables

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
    return rows.set_index("code")


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
    assert rows["share"].tolist() == pytest.approx([5 / 6, 1 / 6, 0])
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
    assert plain["share"] == pytest.approx(63 / 200)
    assert weighted["share"] == pytest.approx(644 / 20_400)
    assert weighted["low"] < 0.02 and weighted["high"] > 0.06
    assert "weighted by 1/probability" in weighted["method"]
    assert (weighted["count"], weighted["units"]) == (plain["count"], plain["units"])


def test_codes_of_a_set_have_shares_of_their_own():
    """work+home, work, '': work 2/3, home 1/3, and the unit without a segment counts as well."""
    frame = values(("u", "a", "work+home"), ("v", "a", "work"), ("w", "a", ""))
    rows = rows_of(frame, {"u": "1", "v": "2", "w": "3"}, "topic")
    assert rows["share"].tolist() == pytest.approx([2 / 3, 1 / 3])


def test_numbers_are_listed_in_order_of_size():
    """A variable without values has a row for each number that was given, also within sets."""
    frame = values(("u", "a", "10"), ("v", "a", "9"))
    assert rows_of(frame, {"u": "1", "v": "2"}, "points").index.tolist() == ["9", "10"]
    sets = values(("u", "a", "9+10"), ("v", "a", ""))
    rows = rows_of(sets, {"u": "1", "v": "2"}, "size")
    assert rows["share"].to_dict() == {"9": 0.5, "10": 0.5}


def test_small_cells_and_what_would_give_them_away_are_hidden():
    """5 bad of 45: hidden, and odd (10), with it 15; good (30) and the 45 units are shown."""
    rows = rows_of(*many({"good": 30, "bad": 5, "odd": 10}), smallest=11)
    assert rows["share"].isna().to_dict() == {"good": False, "bad": True, "odd": True}
    assert rows["count"].isna().to_dict() == {"good": False, "bad": True, "odd": True}
    assert rows["low"].isna().tolist() == rows["high"].isna().tolist() == [False, True, True]
    assert rows.loc["bad", "note"].startswith("hidden: fewer than 11 authors")
    assert rows.loc["good", "note"] == ""
    assert set(rows["units"]) == {45}


def test_authors_are_counted_and_not_posts():
    """Twenty posts of one author are one person; zero may be shown where there are others."""
    frame, authors = many({"good": 30, "bad": 20})
    alone = {unit: "one" if unit.startswith("bad") else author for unit, author in authors.items()}
    rows = rows_of(frame, alone, smallest=11)
    assert rows["share"].isna().to_dict() == {"good": True, "bad": True, "odd": False}
    assert not rows_of(frame, authors, smallest=11)["share"].isna().any()


def test_where_everybody_together_is_too_few_nothing_is_shown():
    """Five authors in all: no share, no count, and not how many units there are."""
    rows = rows_of(*many({"good": 5}), smallest=11)
    assert rows[["share", "count", "units", "low", "high"]].isna().all(axis=None)
    sets = values(*((f"u{place}", "a", "work") for place in range(5)))
    rows = rows_of(sets, {f"u{place}": str(place) for place in range(5)}, "topic", smallest=11)
    assert rows[["share", "count", "units"]].isna().all(axis=None)


@pytest.mark.parametrize("unknown", [{"good0": ""}, {}])
def test_units_without_a_known_author_count_as_people_of_their_own(unknown):
    """Files without authors are not one single person: each of their units counts."""
    frame, authors = many({"good": 30, "bad": 20})
    nobody = {} if not unknown else dict.fromkeys(authors, "")
    assert not rows_of(frame, nobody, smallest=11)["share"].isna().any()


def test_cells_of_sets_are_hidden_alone():
    """Shares of codes of a set do not add up to anything: only the small one goes."""
    given = [(f"w{place}", "a", "work") for place in range(30)]
    given += [(f"h{place}", "a", "work+home") for place in range(3)]
    authors = {unit: unit for unit, _, _ in given}
    rows = rows_of(values(*given), authors, "topic", smallest=11)
    assert rows["share"].isna().to_dict() == {"work": False, "home": True}


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
    assert rows["code"].tolist() == ["good", "bad", "odd"]
    assert rows["share"].isna().all()
    assert rows["units"].tolist() == [0, 0, 0]


def test_a_code_that_did_not_pass_says_so_in_its_row():
    """The variable opens the gate; the verdict of a code of its own stands in the note."""
    frame, authors = many({"good": 12, "bad": 3})
    rows = estimates(
        {"mood": frame},
        pd.Series(authors, dtype="str"),
        BOOK,
        batch="one",
        verdicts={"mood": "pass"},
        override="",
        of_codes={("mood", "good"): "pass", ("mood", "bad"): "inconclusive"},
        smallest=1,
    ).set_index("code")
    assert rows.loc["good", "note"] == ""
    assert rows.loc["bad", "note"] == "agreement on this code: inconclusive"
