"""A table of codings made elsewhere → codings, segments and tasks of human coders.

The table is long, a row a coding, its cells are text and its index is the line of the file. Each
row is judged alone and against the others; whatever does not fit becomes a fault with its line, and
a table with one fault gives nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from labeler import tables
from labeler.answers import applies
from labeler.codebook import Codebook, Variable
from labeler.coding_tables import is_number

FIELDS = (
    "unit",
    "platform",
    "platform_id",
    "coder",
    "variable",
    "value",
    "segment",
    "start",
    "end",
    "quote",
    "arm",
    "replicate",
    "probability",
)
ARMS = ("blind", "assisted")
AGAIN = "repeat"  # the arm of a coder's second replicate
HELD = (*ARMS, AGAIN)  # the arms that a file may fill
NO_CODE = "+"  # a set without a code, where an empty cell is "not coded"
FOUND = "imported"

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_WHOLE = re.compile(r"([+-]?\d+)\.0+")

Faults = list[tuple[int, str]]


class Imported(NamedTuple):
    """Frames CODINGS, SEGMENTS, ANNOTATIONS (the rows as they stood) and TASKS; and the faults.

    A fault is a line and what is wrong there; the frames are empty where there is one.
    """

    codings: pd.DataFrame
    segments: pd.DataFrame
    annotations: pd.DataFrame
    tasks: pd.DataFrame
    faults: Faults


class _Row(NamedTuple):
    """A row that can be understood: who gave which value, where."""

    line: int
    unit: str
    coder: str
    arm: str
    segment: str
    variable: Variable
    value: str
    cells: Mapping[str, str]

    @property
    def seat(self) -> tuple[str, str, str]:
        return (self.arm, self.coder, self.unit)


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
) -> Imported:
    """The codings of a table whose columns are named as in FIELDS (those that there are).

    `posts` holds the POSTS that the table may name, by `unit` or by `platform` and `platform_id`.
    `arm` is that of every row, or '' where the column `arm` says it. A value is a code, a number,
    or codes joined by `+`; an empty one is not coded. A second replicate goes to the arm of
    repeats. `origin` begins the name of each annotation; `created` is its time.
    """
    faults: Faults = []
    found = list(_rows(table, _Known(posts), codebook, arm, faults))
    faults += _repeated(found)
    faults += [*_crossed(found), *_unmet(found, codebook)]
    places = _places(found, posts, codebook, faults)
    tasks = _tasks(found, batch, faults)
    if faults:
        return _nothing(sorted(set(faults)))
    coded = [row for row in found if row.value]
    names = _numbered(places)
    first = _first_lines(coded)
    return Imported(
        tables.frame(
            tables.CODINGS,
            [
                _common(row.seat, codebook)
                | {
                    "segment": names.get((row.seat, row.segment), ""),
                    "variable": row.variable.variable,
                    "value": row.value.removeprefix(NO_CODE),
                    "source": f"{origin}:{first[row.seat]}",
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
        _annotations(coded, first, batch=batch, origin=origin, created=created),
        tasks,
        [],
    )


def _nothing(faults: Faults) -> Imported:
    return Imported(
        tables.frame(tables.CODINGS),
        tables.frame(tables.SEGMENTS),
        tables.frame(tables.ANNOTATIONS),
        tables.frame(tables.TASKS),
        faults,
    )


class _Known:
    """Finds the unit that a row names."""

    def __init__(self, posts: pd.DataFrame) -> None:
        self.units = frozenset(posts["unit"])
        ids = zip(posts["platform"], posts["platform_id"], strict=True)
        self.by_id = dict(zip(ids, posts["unit"], strict=True))

    def unit(self, cells: Mapping[str, str]) -> tuple[str, str]:
        """The unit, or '' and what is wrong."""
        if unit := cells.get("unit", ""):
            fault = f"no post of this project has the key {unit!r}"
            return (unit, "") if unit in self.units else ("", fault)
        platform, number = cells.get("platform", ""), cells.get("platform_id", "")
        if not (platform and number):
            return "", "no unit is named: neither a key nor a platform and its id"
        unit = self.by_id.get((platform, number), "")
        return unit, "" if unit else f"no post of this project is {number!r} of {platform!r}"


def _rows(
    table: pd.DataFrame, known: _Known, codebook: Codebook, arm: str, faults: Faults
) -> Iterator[_Row]:
    """The rows that can be understood; faults for the others."""
    variables = {variable.variable: variable for variable in codebook.variables}
    for line, given in zip(table.index.tolist(), table.to_dict("records"), strict=True):
        cells = {str(name): str(text) for name, text in given.items()}
        wrong = []
        unit, fault = known.unit(cells)
        wrong.append(fault)
        name = cells.get("coder", "").removeprefix("human:")
        if not _NAME.fullmatch(name):
            wrong.append(f"coder {name!r} may only use a-z, 0-9, - and _")
        where, fault = _arm(cells, arm)
        wrong.append(fault)
        variable = variables.get(cells["variable"])
        value = ""
        if variable is None:
            there = ", ".join(variables)
            wrong.append(f"no variable is called {cells['variable']!r}; there are: {there}")
        else:
            value, fault = _value(variable, cells["value"])
            wrong += [fault, _of_segment(variable, cells.get("segment", ""))]
        told = [(int(line), fault) for fault in wrong if fault]
        faults += told
        if variable is not None and not told:
            segment = cells.get("segment", "")
            yield _Row(int(line), unit, f"human:{name}", where, segment, variable, value, cells)


def _arm(cells: Mapping[str, str], arm: str) -> tuple[str, str]:
    """The arm of a row, and what is wrong with it or with its replicate."""
    given = arm or cells.get("arm", "")
    if given not in ARMS:
        return "", f"arm {given!r} is none of {', '.join(ARMS)}"
    replicate = cells.get("replicate", "") or "1"
    if replicate not in ("1", "2"):
        return given, f"replicate {replicate!r}: a coder codes a unit once (1) or twice (2)"
    if replicate == "2" and given != "blind":
        return given, "replicate 2: only blind codings are evidence of a coder's stability"
    return (AGAIN if replicate == "2" else given), ""


def _value(variable: Variable, text: str) -> tuple[str, str]:
    """A value as the tables write it ('' not coded, NO_CODE the empty set); what is wrong."""
    if text == "":
        return "", ""
    name = variable.variable
    if not variable.values:
        if not is_number(text):
            return "", f"{name}: {text!r} is no number (write 1.5, with a point)"
        number = float(text)
        written = str(int(number)) if number.is_integer() else repr(number)
        return written, variable.fault(written)
    if text == NO_CODE and variable.multiple:
        return NO_CODE, ""
    codes = [_code(variable, part.strip()) for part in text.split("+")]
    if len(set(codes)) < len(codes):
        return "", f"{name}: {text!r} repeats a code"
    written = variable.written(codes)
    return written, variable.fault(written)


def _code(variable: Variable, text: str) -> str:
    """A code as the codebook writes it: `1` for the 1.0 of a spreadsheet."""
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole and text not in variable.codes else text


def _of_segment(variable: Variable, segment: str) -> str:
    if variable.of == "segment" and not segment:
        return f"{variable.variable} is of segments: the row names none"
    if variable.of == "unit" and segment:
        return f"{variable.variable} is of the whole unit: the row names segment {segment!r}"
    return ""


def _repeated(rows: Iterable[_Row]) -> Iterator[tuple[int, str]]:
    """Rows about what another row says already."""
    first: dict[object, int] = {}
    for row in rows:
        key = (row.seat, row.segment, row.variable.variable)
        if first.setdefault(key, row.line) != row.line:
            of = f", segment {row.segment!r}" if row.segment else ""
            what = f"{row.variable.variable} of unit {row.unit!r}{of} by {row.coder}"
            yield row.line, f"{what} stands already on line {first[key]}"


def _crossed(rows: Iterable[_Row]) -> Iterator[tuple[int, str]]:
    """A coder's unit in both arms, and a second replicate without a first."""
    arms: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        arms.setdefault((row.coder, row.unit), {}).setdefault(row.arm, row.line)
    for (coder, unit), lines in arms.items():
        if set(ARMS) <= set(lines):
            yield max(lines.values()), f"{coder} has unit {unit!r} in both arms: {', '.join(ARMS)}"
        if AGAIN in lines and "blind" not in lines:
            yield lines[AGAIN], f"{coder} has a replicate 2 of unit {unit!r}, and no replicate 1"


def _unmet(rows: list[_Row], codebook: Codebook) -> Iterator[tuple[int, str]]:
    """Answers to questions that do not apply, after what the same coder said."""
    said: dict[tuple[tuple[str, str, str], str], dict[str, list[str]]] = {}
    for row in rows:
        if row.value:
            given = said.setdefault((row.seat, row.segment), {})
            given[row.variable.variable] = row.value.split("+")
    conditional = {v.variable for v in codebook.variables if v.applies_when}
    for row in rows:
        if row.value and row.variable.variable in conditional:
            known = said.get((row.seat, ""), {}) | said[row.seat, row.segment]
            asked = set(row.variable.applies_when) <= set(known)
            if asked and not applies(row.variable, known):
                yield row.line, f"{row.variable.variable} does not apply, after the coder's codes"


def _places(
    rows: list[_Row], posts: pd.DataFrame, codebook: Codebook, faults: Faults
) -> dict[tuple[tuple[str, str, str], str], _Place]:
    """Seat and segment → where it stands; faults for those that cannot be placed."""
    texts = dict(zip(posts["unit"], posts["text"], strict=True))
    told: dict[tuple[tuple[str, str, str], str], tuple[int, dict[str, str]]] = {}
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
        if quote and quote != words.strip():
            return f"the post has other words from {start} to {end} than the quote"
        return _Place(int(start), int(end), words)
    if not quote:
        return "has no place: give start and end, or its quote"
    times = text.count(quote)
    if times != 1:
        return f"its quote stands {times} times in the post" + (
            ": give start and end" * (times > 1)
        )
    begin = text.index(quote)
    return _Place(begin, begin + len(quote), quote)


def _numbered(
    places: Mapping[tuple[tuple[str, str, str], str], _Place],
) -> dict[tuple[tuple[str, str, str], str], str]:
    """Each segment's name in the tables: 1, 2, … in order of its place."""
    ordered = sorted(places, key=lambda which: (which[0], places[which][:2], which[1]))
    names: dict[tuple[tuple[str, str, str], str], str] = {}
    counted: dict[tuple[str, str, str], int] = {}
    for seat, segment in ordered:
        counted[seat] = counted.get(seat, 0) + 1
        names[seat, segment] = str(counted[seat])
    return names


def _tasks(rows: list[_Row], batch: str, faults: Faults) -> pd.DataFrame:
    """A task for each coded unit of a seat, in the order of the file, with its probability.

    Where nothing says with which probability a unit was drawn, all count alike: 1.
    """
    said: dict[tuple[str, str, str], str] = {}
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


def _first_lines(rows: Iterable[_Row]) -> dict[tuple[str, str, str], int]:
    first: dict[tuple[str, str, str], int] = {}
    for row in rows:
        first.setdefault(row.seat, row.line)
    return first


def _common(seat: tuple[str, str, str], codebook: Codebook) -> dict[str, Any]:
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
    rows: Iterable[_Row],
    first: Mapping[tuple[str, str, str], int],
    *,
    batch: str,
    origin: str,
    created: str,
) -> pd.DataFrame:
    """What stood in the file about each unit, as one annotation of its coder."""
    stood: dict[tuple[str, str, str], list[dict[str, object]]] = {}
    for row in rows:
        filled = {name: text for name, text in row.cells.items() if text}
        stood.setdefault(row.seat, []).append({"line": row.line, **filled})
    return tables.frame(
        tables.ANNOTATIONS,
        [
            {
                "annotation": f"{origin}:{first[seat]}",
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
