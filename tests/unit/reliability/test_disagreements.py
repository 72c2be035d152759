"""Where coders of a batch differ, by hand. Everything is made up."""

from __future__ import annotations

import json

import pandas as pd
from builders import book, choice, numeric
from counting import lines

from labeler.coding.batch import BatchCodings
from labeler.coding.consensus import consensus
from labeler.reliability.disagreements import disagreements
from labeler.store import tables

BOOK = book(
    choice("mood", "good bad mixed"),
    numeric("points", 0, 100),
    choice("topic", "work home", of="segment", multiple=True),
)
ADA, BEN, MODEL = "human:ada", "human:ben", "model:small@1"
SILENT = json.dumps({"imported": {"variables": ["mood"]}})

Rows = list[tuple[str, str, str, str]]  # unit, coder, variable, value


def batch(rows: Rows, *, readings: Rows = (), suggester: str = MODEL, design: str = ""):
    """Codings by who coded; a value of `topic` is that of one segment. Humans code blind."""
    codings = [
        {"unit": unit, "coder": coder, "variable": variable, "value": value, "codebook": "k"}
        | {"arm": arm_of(coder), "replicate": 1, "segment": "1" if variable == "topic" else ""}
        for unit, coder, variable, value in rows
    ]
    coded = pd.DataFrame(
        [(unit, coder, arm_of(coder)) for unit, coder, *_ in [*rows, *readings]],
        columns=["unit", "coder", "arm"],
    ).drop_duplicates()
    row = {"batch": "b", "suggester": suggester, "design": design, "created": ""}
    frame = tables.frame(tables.CODINGS, codings)
    return BatchCodings.of_tables(row, BOOK, coded, {"codings": frame})


def arm_of(coder: str) -> str:
    return "blind" if coder.startswith("human:") else ""


def found(coded: BatchCodings):
    return disagreements(coded, consensus(coded.blind, BOOK, batch="b"))


def shown(rows: pd.DataFrame, variable: str) -> list[tuple[str, str, str, str]]:
    own = rows[rows["variable"] == variable][["panel", "unit", "coder", "value"]]
    return sorted(own.itertuples(index=False, name=None))


def counted(comparisons: pd.DataFrame) -> dict[tuple[str, str], tuple[int, int]]:
    """(variable, panel) → compared, differ."""
    return {
        (row.variable, row.panel): (int(row.compared), int(row.differ))
        for row in tables.rows(comparisons)
    }


def test_humans_and_the_suggester_by_hand() -> None:
    """u1: people differ, so nothing is kept. u2: people agree, the model differs. u3: all agree.

    u4 is ada's alone: nobody to differ from, but the model can differ from what she kept.
    """
    people = [("u1", "good", "bad"), ("u2", "bad", "bad"), ("u3", "good", "good")]
    rows = [(u, coder, "mood", v) for u, a, b in people for coder, v in ((ADA, a), (BEN, b))]
    rows += [("u4", ADA, "mood", "mixed")]
    rows += [(f"u{n}", MODEL, "mood", "good") for n in (1, 2, 3, 4)]
    result = found(batch(rows))
    against = f"{MODEL} vs humans"
    assert shown(result.rows, "mood") == [
        ("humans", "u1", ADA, "good"),
        ("humans", "u1", BEN, "bad"),
        (against, "u2", ADA, "bad"),
        (against, "u2", BEN, "bad"),
        (against, "u2", MODEL, "good"),
        (against, "u4", ADA, "mixed"),
        (against, "u4", MODEL, "good"),
    ]
    counts = counted(result.comparisons)
    assert counts["mood", "humans"] == (3, 1)
    assert counts["mood", against] == (3, 2)


def test_a_majority_is_what_the_suggester_is_compared_with() -> None:
    """Two of three people decide: the one who differs is a row, and the model agrees with none."""
    people = {ADA: "good", BEN: "good", "human:cy": "bad"}
    rows = [("u1", coder, "mood", value) for coder, value in people.items()]
    result = found(batch([*rows, ("u1", MODEL, "mood", "bad")]))
    assert counted(result.comparisons)["mood", f"{MODEL} vs humans"] == (1, 1)
    assert len(shown(result.rows, "mood")) == 3 + 4


def test_no_segment_is_a_value_and_not_asked_is_none() -> None:
    """Who marked nothing gave the empty set, which differs; who was not asked gave nothing."""
    rows = [("u1", ADA, "mood", "good"), ("u1", BEN, "mood", "good"), ("u1", ADA, "topic", "work")]
    rows += [("u1", MODEL, "mood", "good"), ("u1", MODEL, "topic", "home")]
    drawn = found(batch(rows))
    assert shown(drawn.rows, "topic") == [("humans", "u1", ADA, "work"), ("humans", "u1", BEN, "")]
    assert counted(drawn.comparisons)["topic", "humans"] == (1, 1)
    silent = [row for row in rows if row[1:3] != (ADA, "topic")]
    imported = found(batch(silent, design=SILENT))
    assert counted(imported.comparisons) == {
        ("mood", "humans"): (1, 0),
        ("mood", f"{MODEL} vs humans"): (1, 0),
        **{
            (variable, panel): (0, 0)
            for variable in ("points", "topic")
            for panel in ("humans", f"{MODEL} vs humans")
        },
    }
    assert imported.rows.empty


def test_an_empty_set_says_why_it_is_empty() -> None:
    """Of tone, which is asked of work: none marked, left open, not asked; no code is an answer."""
    own = book(
        choice("mood", "good bad"),
        choice("topic", "work home", of="segment", multiple=True),
        choice("tone", "calm loud", of="segment", applies_when={"topic": ["work"]}),
    )
    coders = {
        ADA: [("topic", "work"), ("tone", "calm")],
        BEN: [],
        "human:cy": [("topic", "work")],
        "human:di": [("topic", "home")],
        "human:ed": [("topic", "")],
    }
    common = {"unit": "u1", "codebook": "k", "arm": "blind", "replicate": 1}
    codings = [
        {**common, "coder": coder, "segment": "1", "variable": name, "value": value}
        for coder, given in coders.items()
        for name, value in given
    ]
    marked = [{**common, "coder": coder, "segment": "1"} for coder in [*coders][2:]]
    coded = BatchCodings.of_tables(
        {"batch": "b", "suggester": "", "design": ""},
        own,
        pd.DataFrame(
            [("u1", coder, "blind") for coder in coders], columns=["unit", "coder", "arm"]
        ),
        {
            "codings": tables.frame(tables.CODINGS, codings),
            "segments": tables.frame(tables.SEGMENTS, marked),
        },
    )
    rows = disagreements(coded, consensus(coded.blind, own, batch="b")).rows
    why = {(row.variable, row.coder): row.why for row in tables.rows(rows)}
    assert [why["tone", coder] for coder in coders] == [
        "", "no segment", "not answered", "not asked", "not asked",
    ]  # fmt: skip
    assert [why["topic", coder] for coder in coders] == ["", "no segment", "", "", ""]


def test_an_embedded_coder_says_nothing_of_segments() -> None:
    """It reads whole units: it is compared by the unit's variable alone."""
    embedded = "embed@1"
    rows = [("u1", coder, "topic", "work") for coder in (ADA, BEN)]
    rows += [("u1", coder, "mood", "good") for coder in (ADA, BEN, embedded)]
    counts = counted(found(batch(rows, suggester=embedded)).comparisons)
    assert counts["mood", f"{embedded} vs humans"] == (1, 0)
    assert counts["topic", f"{embedded} vs humans"] == (0, 0)


def test_without_a_suggester_there_are_people_alone() -> None:
    """A blind batch needs no suggestions; without any coder there are counts of nothing."""
    rows = [("u1", ADA, "mood", "good"), ("u1", BEN, "mood", "bad")]
    result = found(batch(rows, suggester=""))
    assert set(result.comparisons["panel"]) == {"humans"}
    empty = found(batch([], suggester=""))
    assert empty.rows.empty
    assert set(empty.comparisons["compared"]) == {0}


def test_the_work_does_not_grow_with_the_units() -> None:
    """Twenty times the units, the same lines of Python: no loop walks the codings."""

    def work(units: int) -> int:
        coders = (ADA, BEN, MODEL)
        codes = ("good", "bad", "good")
        rows = [
            (f"u{number}", coder, "mood", code)
            for number in range(units)
            for coder, code in zip(coders, codes, strict=True)
        ]
        coded = batch(rows)
        kept = consensus(coded.blind, BOOK, batch="b")
        return lines(lambda: disagreements(coded, kept))

    assert work(400) < 1.5 * work(20)
