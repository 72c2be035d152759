"""What the page of a post says of each coder and variable, by hand. Everything is made up."""

from __future__ import annotations

import json

from builders import book, choice, numeric

from labeler.store import tables
from labeler.web.report import units
from labeler.web.report.units import Cell, Seat

BOOK = book(
    choice("mood", "good bad"),
    numeric("points", 0, 100, applies_when={"mood": ["good"]}),
    choice("topic", "work home", of="segment", multiple=True),
    choice("tone", "calm loud", of="segment", applies_when={"topic": ["work"]}),
)
SILENT = json.dumps({"imported": {"variables": ["mood"]}})
ADA = Seat("A", "human:ada", "blind", 1)


def cells(*given: tuple[str, str, str], seat: Seat = ADA, segments: int = 0) -> dict[str, Cell]:
    """What the page shows of one seat that gave (segment, variable, value) and marked segments."""
    whose = {"coder": seat.coder, "arm": seat.arm, "replicate": seat.replicate, "unit": "u"}
    rows = [
        whose | {"codebook": "k", "segment": segment, "variable": variable, "value": value}
        for segment, variable, value in given
    ]
    marked = [whose | {"segment": str(number + 1)} for number in range(segments)]
    lines = units._lines(tables.frame(tables.CODINGS, rows), marked, [seat], BOOK)
    return {line.variable.variable: line.cells[0] for line in lines}


def why(found: dict[str, Cell]) -> dict[str, str]:
    return {name: cell.why for name, cell in found.items()}


def test_without_a_segment_there_is_none_of_each_segment_variable() -> None:
    """Asked of everything: points do not apply to what is bad, and no segment was marked."""
    found = cells(("", "mood", "bad"))
    assert found["mood"] == Cell([("", "bad")], "")
    assert why(found) == {
        "mood": "",
        "points": "not asked",
        "topic": "no segment",
        "tone": "no segment",
    }


def test_a_segment_without_an_answer_is_not_no_segment() -> None:
    """A segment was marked: what is left open is not answered, what does not apply not asked."""
    open_ = cells(("", "mood", "good"), segments=1)
    assert why(open_) == {
        "mood": "",
        "points": "not answered",
        "topic": "not answered",
        "tone": "not asked",
    }
    loud = cells(("", "mood", "good"), ("1", "topic", "home+work"), segments=1)
    assert loud["topic"].pairs == [("A1", "home+work")]
    assert loud["tone"].why == "not answered"
    home = cells(("", "mood", "good"), ("1", "topic", "home"), segments=1)
    assert home["tone"].why == "not asked"


def test_each_segment_without_a_value_is_named_beside_those_that_have_one() -> None:
    """Of three: one was answered, one left open, and one asked of something else."""
    found = cells(
        ("", "mood", "good"),
        ("1", "topic", "work"),
        ("1", "tone", "calm"),
        ("2", "topic", "work"),
        ("3", "topic", "home"),
        segments=4,
    )
    assert found["tone"] == Cell(
        [("A1", "calm")], "", (("A2", "not answered"), ("A3", "not asked"), ("A4", "not asked"))
    )
    assert found["topic"].gaps == (("A4", "not answered"),)
    assert found["tone"].codes == frozenset({"calm"})
    assert found["mood"].gaps == ()


def test_who_was_not_asked_is_said_to_be() -> None:
    """An imported file that is silent about variables; an embedded coder, of segments."""
    imported = cells(("", "mood", "bad"), seat=ADA._replace(design=SILENT))
    assert set(why(imported).values()) == {"", "not asked"}
    drawn_later = ADA._replace(design=SILENT, arm="adjudication")
    assert cells(("", "mood", "bad"), seat=drawn_later)["topic"].why == "no segment"
    embedded = cells(("", "mood", "good"), seat=Seat("B", "embed@1", "", 1))
    assert why(embedded)["topic"] == "not asked"
    assert why(embedded)["points"] == "not answered"


def test_only_what_was_said_can_differ() -> None:
    """No segment is the empty set and differs from a code; not asked and not answered do not."""
    ben = Seat("B", "human:ben", "blind", 1)
    whose = {"codebook": "k", "unit": "u", "arm": "blind", "replicate": 1}
    rows = [
        whose | {"coder": coder, "segment": segment, "variable": variable, "value": value}
        for coder, segment, variable, value in (
            ("human:ada", "", "mood", "good"),
            ("human:ben", "", "mood", "good"),
            ("human:ada", "1", "topic", "home"),
        )
    ]
    marked = [{"coder": "human:ada", "arm": "blind", "replicate": 1, "segment": "1"}]

    def differing(second: Seat, segments: list[dict[str, object]]) -> list[str]:
        codings = tables.frame(tables.CODINGS, rows)
        lines = units._lines(codings, segments, [ADA, second], BOOK)
        return [line.variable.variable for line in lines if line.differ]

    assert differing(ben, marked) == ["topic"]
    assert differing(ben._replace(design=SILENT), marked) == []
    his = {"coder": "human:ben", "arm": "blind", "replicate": 1, "segment": "1"}
    assert differing(ben, [*marked, his]) == []
