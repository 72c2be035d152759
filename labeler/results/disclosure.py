"""ESTIMATES rows → why a figure may not leave: too few people, or it gives such a cell away. Pure.

A cell is a combination of codes and values of posts ("impact:positive, condition:adhd"), whatever
the table, measure, estimator or target that tells of it: what is held back in one is held back in
all. The authors among whom it was found are its size; the model's own cells are others than those
of blind coders. Cells hang together where the codes of a variable exclude each other, and where
posts have one value each (platform, month): what they come to is the cell without that part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from labeler.codebook.codebook import Codebook
from labeler.statistics.disclosure import SMALLEST, Relation, suppressed
from labeler.store import tables

FEW = f"fewer than {SMALLEST} authors"
GUARD = f"would give away a cell of fewer than {SMALLEST} authors"
OF_TWO = ("difference", "ratio")
OF_TABLE = ("chi-square", "cramers v", "cramers v corrected", "trend")

Cell = tuple[bool, frozenset[str]]  # of the model; "name:value" of each part


def withheld(rows: pd.DataFrame, codebook: Codebook) -> list[str]:
    """For each of the ESTIMATES rows why it may not leave; '' where it may.

    A difference or ratio is held back with either of its two cells.
    """
    given = tables.records(rows)
    sizes: dict[Cell, int] = {}
    for row in given:
        if row["measure"] not in (*OF_TWO, *OF_TABLE) and pd.notna(row["authors"]):
            cell = _cell(row)
            sizes[cell] = max(sizes.get(cell, 0), int(row["authors"]))
    cells = sorted(sizes, key=lambda cell: (cell[0], sorted(cell[1])))
    place = {cell: at for at, cell in enumerate(cells)}
    hidden = suppressed([sizes[cell] for cell in cells], list(_relations(place, codebook)))
    why = {
        cell: FEW if 0 < sizes[cell] < SMALLEST else GUARD
        for cell, away in zip(cells, hidden, strict=True)
        if away
    }
    return [_reason(row, why) for row in given]


def _reason(row: Mapping[str, Any], why: Mapping[Cell, str]) -> str:
    if row["measure"] in OF_TABLE:
        return ""
    found = [why[cell] for cell in _cells(row) if cell in why]
    return min(found, default="", key=lambda text: text != FEW)


def _cells(row: Mapping[str, Any]) -> list[Cell]:
    """The cells that a row tells of: two of a difference, else one."""
    if row["measure"] not in OF_TWO:
        return [_cell(row)]
    model = row["estimator"] == "model"
    return [
        (model, frozenset(part for part in (row["code"], row[side]) if part))
        for side in ("by", "within")
    ]


def _cell(row: Mapping[str, Any]) -> Cell:
    parts = (row["code"], row["by"], row["within"])
    return row["estimator"] == "model", frozenset(part for part in parts if part)


def _relations(place: Mapping[Cell, int], codebook: Codebook) -> Iterator[Relation]:
    """The cells that differ in one exclusive part alone, with the cell that lacks the part."""
    groups: dict[tuple[bool, str, frozenset[str]], list[int]] = {}
    for (model, parts), at in place.items():
        for part in parts:
            name, of_code, _ = part.partition(":")
            if of_code and _exclusive(name, codebook):
                groups.setdefault((model, name, parts - {part}), []).append(at)
    for (model, _, rest), members in groups.items():
        if len(members) > 1 or (model, rest) in place:
            yield Relation(tuple(sorted(members)), place.get((model, rest)))


def _exclusive(name: str, codebook: Codebook) -> bool:
    """Whether a thing has one value of it: a single choice, or a column of posts."""
    known = {variable.variable: variable for variable in codebook.variables}
    return name not in known or not known[name].multiple
