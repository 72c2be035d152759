"""A table of codings made elsewhere → codings, segments and tasks of human coders.

The table is long, a row a coding, its cells are text and its index is the line of the file. Each
row is judged alone and against the others; whatever does not fit becomes a fault with its line, and
a table with one fault gives nothing.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from labeler.codebook.codebook import Codebook
from labeler.coding.import_rows import AGAIN, Faults, Row, Seat, read
from labeler.store import tables
from labeler.text.coded_values import EMPTY_SET, is_number

FOUND = "imported"


class ImportResult(NamedTuple):
    """Frames CODINGS, SEGMENTS, ANNOTATIONS (the rows as they stood) and TASKS; and the faults.

    A fault is a line and what is wrong there; the frames are empty where there is one.
    """

    codings: pd.DataFrame
    segments: pd.DataFrame
    annotations: pd.DataFrame
    tasks: pd.DataFrame
    faults: Faults


class _Place(NamedTuple):
    """Where a segment stands in its post."""

    start: int
    end: int
    quote: str


def parse(
    table: pd.DataFrame,
    posts: pd.DataFrame,
    codebook: Codebook,
    *,
    batch: str,
    arm: str,
    origin: str,
    created: str,
) -> ImportResult:
    """The codings of a table whose columns are named as in FIELDS (those that there are).

    `posts` holds the POSTS that the table may name, by `unit` or by `platform` and `platform_id`.
    `arm` is that of every row, or '' where the column `arm` says it. A value is a code, a number,
    or codes joined by `+`; an empty one is not coded. A second replicate goes to the arm of
    repeats. `origin` begins the name of each annotation; `created` is its time.
    """
    found, faults = read(table, posts, codebook, arm=arm)
    places = _places(found, posts, codebook, faults)
    tasks = _tasks(found, batch, faults)
    if faults:
        return _nothing(sorted(set(faults)))
    coded = [row for row in found if row.value]
    names = _numbered(places)
    sources = _sources(coded, origin)
    return ImportResult(
        tables.frame(
            tables.CODINGS,
            [
                _common(row.seat, codebook)
                | {
                    "segment": names.get((row.seat, row.segment), ""),
                    "variable": row.variable.variable,
                    "value": row.value.removeprefix(EMPTY_SET),
                    "source": sources[row.seat],
                }
                for row in coded
            ],
        ),
        tables.frame(
            tables.SEGMENTS,
            [
                _common(seat, codebook)
                | places[seat, segment]._asdict()
                | {"segment": name, "found": FOUND}
                for (seat, segment), name in names.items()
            ],
        ),
        _annotations(coded, sources, batch=batch, created=created),
        tasks,
        [],
    )


def _nothing(faults: Faults) -> ImportResult:
    return ImportResult(
        tables.frame(tables.CODINGS),
        tables.frame(tables.SEGMENTS),
        tables.frame(tables.ANNOTATIONS),
        tables.frame(tables.TASKS),
        faults,
    )


def _places(
    rows: list[Row], posts: pd.DataFrame, codebook: Codebook, faults: Faults
) -> dict[tuple[Seat, str], _Place]:
    """Seat and segment → where it stands; faults for those that cannot be placed."""
    texts = dict(zip(posts["unit"], posts["text"], strict=True))
    told: dict[tuple[Seat, str], tuple[int, dict[str, str]]] = {}
    for row in rows:
        if not row.segment:
            continue
        line, place = told.setdefault((row.seat, row.segment), (row.line, {}))
        for name in ("start", "end", "quote"):
            cell = row.cells.get(name, "")
            if cell and place.setdefault(name, cell) != cell:
                faults.append((row.line, f"segment {row.segment!r}: another {name} on line {line}"))
    placed = {}
    for (seat, segment), (line, place) in told.items():
        found = _place(place, texts[seat[2]]) if codebook.segments else "the codebook has none"
        if isinstance(found, str):
            faults.append((line, f"segment {segment!r}: {found}"))
        else:
            placed[seat, segment] = found
    return placed


def _place(told: Mapping[str, str], text: str) -> _Place | str:
    """Where a segment stands, or why that cannot be said."""
    quote, start, end = told.get("quote", ""), told.get("start", ""), told.get("end", "")
    if start or end:
        if not (start.isdecimal() and end.isdecimal() and int(start) < int(end) <= len(text)):
            return f"{start!r} to {end!r} is no stretch of a post of {len(text)} characters"
        words = text[int(start) : int(end)]
        if quote and "".join(quote.split()) != "".join(words.split()):
            return f"the post has other words from {start} to {end} than the quote"
        return _Place(int(start), int(end), words)
    if not quote:
        return "has no place: give start and end, or its quote"
    found = list(re.finditer(r"\s+".join(map(re.escape, quote.split())), text))
    if len(found) != 1:
        return f"its quote stands {len(found)} times in the post" + (
            ": give start and end" * (len(found) > 1)
        )
    return _Place(*found[0].span(), found[0][0])


def _numbered(
    places: Mapping[tuple[Seat, str], _Place],
) -> dict[tuple[Seat, str], str]:
    """Each segment's name in the tables: 1, 2, … in order of its place."""
    ordered = sorted(places, key=lambda which: (which[0], places[which][:2], which[1]))
    names: dict[tuple[Seat, str], str] = {}
    counted: dict[Seat, int] = {}
    for seat, segment in ordered:
        counted[seat] = counted.get(seat, 0) + 1
        names[seat, segment] = str(counted[seat])
    return names


def _tasks(rows: list[Row], batch: str, faults: Faults) -> pd.DataFrame:
    """A task for each coded unit of a seat, in the order of the file, with its probability.

    Where nothing says with which probability a unit was drawn, all count alike: 1.
    """
    said: dict[Seat, str] = {}
    held: dict[tuple[str, str], int] = {}
    tasks = []
    for row in rows:
        cell = row.cells.get("probability", "") or "1"
        if row.seat in said or not row.value:
            if said.get(row.seat, cell) != cell:
                faults.append((row.line, f"unit {row.unit!r} has two probabilities"))
            continue
        if not is_number(cell) or not 0 < float(cell) <= 1:
            faults.append((row.line, f"probability {cell!r} does not lie above 0 and up to 1"))
            continue
        said[row.seat] = cell
        arm, coder, unit = row.seat
        held[arm, coder] = held.get((arm, coder), 0) + 1
        tasks.append(
            {
                "batch": batch,
                "arm": arm,
                "coder": coder,
                "unit": unit,
                "position": held[arm, coder],
                "unit_probability": float(cell),
                "task_probability": float(cell),
            }
        )
    return tables.frame(tables.TASKS, tasks)


def _sources(rows: Iterable[Row], origin: str) -> dict[Seat, str]:
    """Each seat's name of its annotation: of which file, and its first line there.

    Where a line holds several coders, each one's name stands before the line.
    """
    first: dict[Seat, int] = {}
    for row in rows:
        first.setdefault(row.seat, row.line)
    several = Counter(first.values())
    return {
        seat: f"{origin}:{seat[1]}:{line}" if several[line] > 1 else f"{origin}:{line}"
        for seat, line in first.items()
    }


def _common(seat: Seat, codebook: Codebook) -> dict[str, Any]:
    arm, coder, unit = seat
    replicate = 2 if arm == AGAIN else 1
    return {
        "codebook": codebook.fingerprint,
        "unit": unit,
        "coder": coder,
        "arm": arm,
        "replicate": replicate,
    }


def _annotations(
    rows: Iterable[Row],
    sources: Mapping[Seat, str],
    *,
    batch: str,
    created: str,
) -> pd.DataFrame:
    """What stood in the file about each unit, as one annotation of its coder."""
    stood: dict[Seat, list[dict[str, object]]] = {}
    for row in rows:
        filled = {name: text for name, text in row.cells.items() if text}
        stood.setdefault(row.seat, []).append({"line": row.line, **filled})
    return tables.frame(
        tables.ANNOTATIONS,
        [
            {
                "annotation": sources[seat],
                "batch": batch,
                "arm": seat[0],
                "coder": seat[1],
                "unit": seat[2],
                "result": json.dumps(given, ensure_ascii=False),
                "cancelled": 0,
                "withdrawn": 0,
                "created": created,
                "updated": created,
            }
            for seat, given in stood.items()
        ],
    )
