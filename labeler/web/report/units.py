"""The page of one unit: its text with every coder's quotes, and their codes side by side."""

from __future__ import annotations

from itertools import cycle
from string import ascii_uppercase
from typing import Any, NamedTuple

import pandas as pd
from flask import Blueprint, Response, abort, request

from labeler.codebook.codebook import Codebook, Variable
from labeler.coding.asked import unasked
from labeler.coding.silence import Silence, silence
from labeler.coding.vocabulary import ADJUDICATION, ASSISTED, BLIND, REPEAT
from labeler.store import database, tables
from labeler.store.tables import CODINGS, CONFIDENCE, SEGMENTS
from labeler.text.coded_values import codes_of
from labeler.web.report import selection
from labeler.web.report.answers import Row, answer
from labeler.web.report.marks import Quote, pieces
from labeler.workflow import queries

ARMS = (BLIND, "", ASSISTED, ADJUDICATION, REPEAT)

pages = Blueprint("units", __name__)


class Seat(NamedTuple):
    """A coder in an arm, the letter by which the page calls them, the design of the batch."""

    letter: str
    coder: str
    arm: str
    replicate: int
    design: str = ""


class Cell(NamedTuple):
    """What one coder gave one variable: pairs of segment's name or '' and value, or why none.

    `no segment` where the coder was asked and marked none: for a comparison the empty set. `gaps`
    are pairs of a segment's name and why it has no value, where other segments have one.
    """

    pairs: list[tuple[str, str]]
    why: Silence
    gaps: tuple[tuple[str, Silence], ...] = ()

    @property
    def codes(self) -> frozenset[str] | None:
        """The codes over all segments; None where nothing was said."""
        if not self.pairs and self.why != "no segment":
            return None
        return frozenset(code for _, value in self.pairs for code in codes_of(value))


class Line(NamedTuple):
    """One variable: a cell for each seat, and whether those who said something differ."""

    variable: Variable
    cells: list[Cell]
    differ: bool


@pages.get("/units/<unit>")
def unit(unit: str) -> Response | str:
    """A post and all that was coded in it."""
    engine = selection.engine()
    post = queries.post(engine, unit)
    if post is None:
        abort(404, f"There is no unit {unit!r} in this store.")
    keys = queries.codebooks_of(engine, unit)
    asked = request.args.get("codebook") or (keys[0] if keys else None)
    found = selection.stored_codebook(asked)
    key, book = found.key, selection.read(found) if found.key else None
    codings = database.read(engine, CODINGS, unit=unit, codebook=key)
    segments = database.read(engine, SEGMENTS, unit=unit, codebook=key)
    notes, tasks = queries.annotated(engine, unit), queries.seated(engine, unit)
    seats = _seats(codings, segments, notes, [row for row in tasks if row["codebook"] == key])
    letters = {(s.coder, s.arm, s.replicate): s.letter for s in seats}
    named = _named(segments, letters)
    only = _only(seats)
    marked = [row for row in named if row["start"] >= 0 and only in ("", row["letter"])]
    return answer(
        "unit.html",
        codings,
        name=f"unit-{unit}",
        post=post,
        codebook=book,
        key=key,
        keys=keys,
        seats=seats,
        only=only,
        pieces=pieces(
            str(post["text"]),
            [Quote(row["name"], row["coder"], row["start"], row["end"]) for row in marked],
        ),
        segments=[{**row, "codes": _codes(row, codings, book)} for row in named],
        lines=_lines(codings, named, seats, book),
        codings=tables.records(codings),
        confidence=_sure(database.read(engine, CONFIDENCE, unit=unit, codebook=key), book),
        remarks=queries.remarks(notes),
        shown=[_shown(row) for row in queries.shown_codes(engine, unit)],
        batches=sorted({row["batch"] for row in tasks}),
    )


def _shown(row: Row) -> Row:
    """A SHOWN_CODES row with the letter of each coding and whose it was."""
    coders = str(row["coders"]).split(",") if row["coders"] else []
    return {**row, "letters": list(zip(cycle(ascii_uppercase), coders, strict=False))}


def _seats(
    codings: pd.DataFrame, segments: pd.DataFrame, notes: pd.DataFrame, tasks: list[Row]
) -> list[Seat]:
    """Everyone who coded the unit, blind humans first; also who found nothing to code."""
    present = notes[notes["cancelled"] != 1]
    present = present.assign(replicate=(present["arm"] == REPEAT) + 1)
    names = ["coder", "arm", "replicate"]
    everyone = pd.concat(
        [frame[names].astype({"replicate": "int64"}) for frame in (codings, segments, present)]
    ).drop_duplicates()
    found = sorted(
        everyone.itertuples(index=False, name=None),
        key=lambda who: (ARMS.index(who[1]) if who[1] in ARMS else len(ARMS), who[0], who[2]),
    )
    designs = {(row["coder"], row["arm"]): str(row["design"]) for row in tasks}
    return [
        Seat(_letter(place), coder, arm, replicate, designs.get((coder, arm), ""))
        for place, (coder, arm, replicate) in enumerate(found)
    ]


def _letter(place: int) -> str:
    """A, B, … Z, AA, AB, …"""
    high, low = divmod(place, len(ascii_uppercase))
    return (_letter(high - 1) if high else "") + ascii_uppercase[low]


def _only(seats: list[Seat]) -> str:
    """The letter that `?show=` names, whose quotes alone are marked; '' for all."""
    letter = request.args.get("show", "")
    if letter and letter not in {seat.letter for seat in seats}:
        abort(404, f"No coder of this unit has the letter {letter!r}.")
    return letter


def _named(segments: pd.DataFrame, letters: dict[Any, str]) -> list[dict[str, Any]]:
    """Segments as records, each with its coder's letter and a name such as A1; by place."""
    named = []
    for row in tables.records(segments):
        letter = letters[row["coder"], row["arm"], row["replicate"]]
        start, end = (-1 if pd.isna(row[name]) else int(row[name]) for name in ("start", "end"))
        place = {"start": start, "end": end, "letter": letter}
        named.append({**row, **place, "name": f"{letter}{row['segment']}"})
    return sorted(named, key=lambda row: (row["letter"], row["start"] < 0, row["start"]))


def _codes(
    segment: dict[str, Any], codings: pd.DataFrame, book: Codebook | None
) -> list[tuple[str, str]]:
    """(variable, value) of a segment, in codebook order."""
    own = codings
    for name in ("coder", "arm", "replicate", "segment"):
        own = own[own[name] == segment[name]]
    given = dict(zip(own["variable"], own["value"], strict=True))
    order = [variable.variable for variable in book.of_segment] if book else []
    return [(name, given[name]) for name in order if name in given]


def _sure(rows: pd.DataFrame, book: Codebook | None) -> list[dict[str, Any]]:
    """CONFIDENCE rows as records, the least sure first; a segment's mere presence left out."""
    known = [variable.variable for variable in book.variables] if book else []
    own = rows[rows["variable"].isin(known)].sort_values(["confidence", "coder", "variable"])
    return tables.records(own)


def _lines(
    codings: pd.DataFrame, segments: list[Row], seats: list[Seat], book: Codebook | None
) -> list[Line]:
    """One line a variable, a cell for each seat."""
    if book is None:
        return []
    given = tables.records(codings)
    cells = [_cells(seat, given, segments, book) for seat in seats]
    lines = []
    for variable in book.variables:
        own = [of_seat[variable.variable] for of_seat in cells]
        said = {cell.codes for cell in own} - {None}
        lines.append(Line(variable, own, len(said) > 1))
    return lines


def _cells(seat: Seat, codings: list[Row], segments: list[Row], book: Codebook) -> dict[str, Cell]:
    """Variable → what one seat gave."""
    silent = unasked(seat.coder, seat.arm, codebook=book, design=seat.design)
    own = [row for row in codings if _of(seat, row)]
    numbers = {str(row["segment"]) for row in [*segments, *own] if _of(seat, row)} - {""}
    said = _said(own)
    cells = {}
    for variable in book.variables:
        given = {
            row["segment"]: row["value"] for row in own if row["variable"] == variable.variable
        }
        whole = numbers if variable.of == "segment" else set()
        reasons = {
            number: silence(variable, said, segments=[number], unasked=silent)
            for number in sorted(whole - set(given), key=_place)
        }
        named = {
            number: f"{seat.letter}{number}" if number else "" for number in (*given, *reasons)
        }
        cells[variable.variable] = Cell(
            [(named[number], value) for number, value in given.items()],
            "" if given else silence(variable, said, segments=whole, unasked=silent),
            tuple((named[number], why) for number, why in reasons.items()) if given else (),
        )
    return cells


def _place(number: str) -> tuple[int, str]:
    """Segments in order of their numbers."""
    return int(number) if number.isdecimal() else 0, number


def _said(codings: list[Row]) -> dict[str, dict[str, list[str]]]:
    """Segment ('' for the unit) → variable → codes."""
    of: dict[str, dict[str, list[str]]] = {}
    for row in codings:
        of.setdefault(str(row["segment"]), {})[row["variable"]] = codes_of(row["value"])
    return of


def _of(seat: Seat, row: Row) -> bool:
    whose = (row["coder"], row["arm"], int(row["replicate"]))
    return whose == (seat.coder, seat.arm, seat.replicate)
