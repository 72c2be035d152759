"""The adjudication arm: which units, to whom, and what is shown. Every code is made up."""

from __future__ import annotations

import pandas as pd
import pytest
from places import ROOT

from labeler.codebook import codebook
from labeler.errors import InputError
from labeler.sampling import adjudication
from labeler.sampling.adjudication import AdjudicationDraw, UnitCoders
from labeler.store import tables

BOOK = codebook.read(
    (ROOT / "codebook" / "llm-mental-health.yaml").read_text("utf-8"),
    source="book.yaml",
)
NOBODY = UnitCoders({}, {})


def blind(units):
    """TASKS rows: each unit blind at ada and ben, with probability .25."""
    rows = [
        {
            "batch": "b",
            "arm": "blind",
            "coder": coder,
            "unit": unit,
            "position": place,
            "unit_probability": 0.25,
            "task_probability": 0.25,
        }
        for coder in ("human:ada", "human:ben")
        for place, unit in enumerate(units, start=1)
    ]
    return tables.frame(tables.TASKS, rows)


def test_disagreed_are_units_with_two_values_of_a_variable():
    """On v the unit b differs, on w the unit c; a has one coder, d is alike."""
    columns = ["unit", "coder", "value"]
    given = {
        "v": pd.DataFrame([("a", "x", "1"), ("b", "x", "1"), ("b", "y", "2")], columns=columns),
        "w": pd.DataFrame(
            [("c", "x", ""), ("c", "y", "1"), ("d", "x", "1"), ("d", "y", "1")], columns=columns
        ),
    }
    assert adjudication.disagreed(given) == ["b", "c"]


def test_unresolved_are_units_of_several_coders_without_a_consensus():
    """The rule says so; a unit of one coder cannot be unresolved between coders."""
    rows = [
        {"batch": "b", "unit": unit, "variable": "v", "rule": rule, "coders": coders}
        for unit, rule, coders in (
            ("a", "unresolved", 2),
            ("b", "majority", 2),
            ("c", "unresolved", 1),
        )
    ]
    kept = tables.frame(tables.CONSENSUS, rows)
    assert adjudication.unresolved(kept, ["v"]) == ["a"]
    assert adjudication.unresolved(kept, ["w"]) == []


def test_units_are_shared_by_those_who_may_have_them():
    """Two adjudicators, five units: three and two; a fifth of the chance where one of five goes."""
    units = ["p", "q", "r", "s", "t"]
    wish = AdjudicationDraw("disagreed", (), ("human:di", "human:eve"))
    tasks = adjudication.draw(units, wish, blind(units), NOBODY)
    assert sorted(tasks["coder"].value_counts()) == [2, 3]
    assert set(tasks["unit_probability"]) == {0.25}
    assert set(tasks["task_probability"]) == {0.125}
    assert set(tasks["arm"]) == {"adjudication"}
    one = adjudication.draw(units, wish._replace(size=1), blind(units), NOBODY)
    assert one["unit_probability"].tolist() == [0.05]


def test_the_least_sure_come_first():
    """`uncertain` takes the first of the order given, surely."""
    units = ["t", "p", "r"]
    wish = AdjudicationDraw("uncertain", (), ("human:di",), size=2)
    tasks = adjudication.draw(units, wish, blind(units), NOBODY)
    assert tasks["unit"].tolist() == ["t", "p"]
    assert set(tasks["unit_probability"]) == {0.25}


def test_what_the_arm_holds_stays():
    """Drawn again with one more unit, that one is added, after the others."""
    wish = AdjudicationDraw("disagreed", (), ("human:di",))
    first = adjudication.draw(["p", "q"], wish, blind("pqr"), NOBODY)
    both = tables.frame(tables.TASKS, pd.concat([blind("pqr"), first]))
    added = adjudication.draw(["p", "q", "r"], wish, both, NOBODY)
    assert (added["unit"].tolist(), added["position"].tolist()) == (["r"], [3])
    assert adjudication.draw(["p", "q"], wish, both, NOBODY).empty


def test_who_coded_a_unit_decides_on_it_only_if_asked_and_never_before_coding():
    """`own` opens what ada has coded; what she still has to code blind stays closed to her."""
    wish = AdjudicationDraw("disagreed", (), ("human:ada",))
    coded, still = UnitCoders({}, {"p": ["human:ada"]}), UnitCoders({"p": ["human:ada"]}, {})
    with pytest.raises(InputError, match="unit p: nobody of human:ada may adjudicate it"):
        adjudication.draw(["p"], wish, blind("p"), coded)
    assert len(adjudication.draw(["p"], wish._replace(own=True), blind("p"), coded)) == 1
    with pytest.raises(InputError, match="unit p"):
        adjudication.draw(["p"], wish._replace(own=True), blind("p"), still)


def codings(coder, arm, *values):
    """CODINGS rows of unit u, from (segment, variable, value)."""
    return [
        {
            "codebook": BOOK.fingerprint,
            "unit": "u",
            "segment": segment,
            "coder": coder,
            "arm": arm,
            "replicate": 1,
            "variable": name,
            "value": value,
        }
        for segment, name, value in values
    ]


def test_codes_are_shown_in_words_without_names():
    """Three parts: relevance alone, a segment with two codes, and nothing at all."""
    rows = codings("model:x", "", ("", "relevance", "not_relevant"))
    rows += codings(
        "human:ada", "blind", ("", "relevance", "relevant"), ("1", "condition", "anxiety+adhd")
    )
    spans = tables.frame(
        tables.SEGMENTS,
        [
            {
                "codebook": BOOK.fingerprint,
                "unit": "u",
                "coder": "human:ada",
                "arm": "blind",
                "replicate": 1,
                "segment": "1",
                "start": 0,
                "end": 9,
                "quote": "it\nhelped",
                "found": "selected",
            }
        ],
    )
    coded = pd.DataFrame(
        [("u", "human:ada", "blind"), ("u", "human:ben", "blind"), ("u", "model:x", "")],
        columns=["unit", "coder", "arm"],
    )
    orders = set()
    for secret in (b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h"):
        shown = adjudication.given(
            tables.frame(tables.CODINGS, rows), spans, coded, BOOK, secret=secret
        )["u"]
        parts = [part.split("\n", 1) for part in shown.text.split("\n\n")]
        whose = dict(zip(shown.coders, (codes for _, codes in parts), strict=True))
        assert whose["human:ben"] == "no codes"
        assert whose["model:x"] == "Relevance: Not relevant"
        assert [name for name, _ in parts] == ["Coding A", "Coding B", "Coding C"]
        assert sorted(codes for _, codes in parts) == [
            "Relevance: Not relevant",
            "Relevance: Relevant\n“it helped”\n– Condition: Anxiety, OCD, PTSD; ADHD",
            "no codes",
        ]
        orders.add(tuple(codes for _, codes in parts))
    assert len(orders) > 1
