"""The page of one unit: its text with every coder's quotes, and their codes side by side."""

from __future__ import annotations

from string import ascii_uppercase
from typing import Any, NamedTuple, cast

import pandas as pd
from flask import Blueprint, Response, abort, request
from sqlalchemy import select

from labeler.codebook.codebook import Codebook, Variable
from labeler.coding.vocabulary import ADJUDICATION, ASSISTED, BLIND, REPEAT
from labeler.store import database
from labeler.store.tables import CODEBOOKS, CODINGS, CONFIDENCE, SEGMENTS, TASKS
from labeler.text.coded_values import codes_of
from labeler.web.report import queries
from labeler.web.report.answers import answer
from labeler.web.report.marks import Quote, pieces

ARMS = (BLIND, "", ASSISTED, ADJUDICATION, REPEAT)

pages = Blueprint("units", __name__)


class Seat(NamedTuple):
    """A coder in an arm, and the letter by which the page calls them."""

    letter: str
    coder: str
    arm: str
    replicate: int


class Line(NamedTuple):
    """One variable: for each seat its (segment, value) pairs; None where it was not asked."""

    variable: Variable
    cells: list[list[tuple[str, str]] | None]
    differ: bool


@pages.get("/units/<unit>")
def unit(unit: str) -> Response | str:
    """A post and all that was coded in it."""
    post = queries.post(unit)
    if post is None:
        abort(404, f"There is no unit {unit!r} in this store.")
    keys = _codebooks(unit)
    key = request.args.get("codebook") or (keys[0] if keys else queries.newest_codebook())
    book = queries.codebook(key) if key else None
    codings = database.read(queries.engine(), CODINGS, unit=unit, codebook=key)
    segments = database.read(queries.engine(), SEGMENTS, unit=unit, codebook=key)
    sure = database.read(queries.engine(), CONFIDENCE, unit=unit, codebook=key)
    seats = _seats(unit, codings, segments)
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
        lines=_lines(codings, seats, book),
        codings=codings.to_dict("records"),
        confidence=_sure(sure, book),
        remarks=queries.remarks(unit=unit),
        batches=sorted(set(database.read(queries.engine(), TASKS, unit=unit)["batch"])),
    )


def _codebooks(unit: str) -> list[str]:
    """Keys of the codebooks by which the unit was coded, the newest first."""
    used = select(CODINGS.c.codebook).where(CODINGS.c.unit == unit)
    query = (
        select(CODEBOOKS.c.codebook)
        .where(CODEBOOKS.c.codebook.in_(used))
        .order_by(CODEBOOKS.c.created.desc(), CODEBOOKS.c.codebook)
    )
    return [str(key) for key in queries.rows(query)["codebook"]]


def _seats(unit: str, codings: pd.DataFrame, segments: pd.DataFrame) -> list[Seat]:
    """Everyone who coded the unit, blind humans first; also who found nothing to code."""
    present = queries.humans(unit=unit)
    present["replicate"] = (present["arm"] == REPEAT) + 1
    names = ["coder", "arm", "replicate"]
    everyone = pd.concat(
        [frame[names].astype({"replicate": "int64"}) for frame in (codings, segments, present)]
    ).drop_duplicates()
    found = sorted(
        everyone.itertuples(index=False, name=None),
        key=lambda who: (ARMS.index(who[1]) if who[1] in ARMS else len(ARMS), who[0], who[2]),
    )
    return [
        Seat(_letter(place), coder, arm, replicate)
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
    for row in cast(list[dict[str, Any]], segments.to_dict("records")):
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
    return cast(list[dict[str, Any]], own.to_dict("records"))


def _lines(codings: pd.DataFrame, seats: list[Seat], book: Codebook | None) -> list[Line]:
    """One line a variable, a cell for each seat."""
    lines = []
    for variable in book.variables if book else ():
        own = codings[codings["variable"] == variable.variable]
        cells = [_cell(own, seat, variable) for seat in seats]
        given = {
            frozenset(code for _, value in cell for code in codes_of(value))
            for cell in cells
            if cell is not None
        }
        lines.append(Line(variable, cells, len(given) > 1))
    return lines


def _cell(own: pd.DataFrame, seat: Seat, variable: Variable) -> list[tuple[str, str]] | None:
    """(segment's name or '', value) pairs; [] without a segment; None where it was not asked."""
    theirs = own[
        (own["coder"] == seat.coder)
        & (own["arm"] == seat.arm)
        & (own["replicate"] == seat.replicate)
    ]
    pairs = zip(theirs["segment"], theirs["value"], strict=True)
    found = [(f"{seat.letter}{segment}" if segment else "", value) for segment, value in pairs]
    return found if found or variable.of == "segment" else None
