"""Why a coder gave no value: three reasons, which pages and tables call by three names. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

import pandas as pd

from labeler.codebook.codebook import Variable
from labeler.coding.batch import BatchCodings
from labeler.coding.panels import WHO
from labeler.store import tables
from labeler.text.coded_values import codes_of

Silence = Literal["", "not asked", "not answered", "no segment"]

Said = Mapping[str, Mapping[str, list[str]]]
"""Segment ('' for the unit) → variable → codes: what one coder gave one unit."""


def silence(
    variable: Variable, said: Said, *, segments: Collection[str], unasked: Collection[str]
) -> Silence:
    """Why a coder gave none of these segments (of the unit) a value of a variable.

    `segments` are the numbers of the segments that the coder marked, of which the variable has no
    value; of a variable of the unit none is looked at. `unasked` names the variables that the coder
    was not asked at all. A question that applies to no segment was not asked either.
    """
    if variable.variable in unasked:
        return "not asked"
    if variable.of == "segment" and not segments:
        return "no segment"
    of_unit = dict(said.get("", {}))
    places = segments if variable.of == "segment" else [""]
    applies = any(variable.applies(of_unit | dict(said.get(place, {}))) for place in places)
    return "not answered" if applies else "not asked"


def reasons(values: pd.DataFrame, coded: BatchCodings) -> list[Silence]:
    """Of each value (columns unit, coder, arm, variable, value) why it is an empty set, or ''.

    That is of variables of the segment alone, in the first replicate, and '' where the coder gave
    the empty set to a segment. Only units with such a value are looked at. Without the table of
    segments those count as marked that have a code.
    """
    book = {variable.variable: variable for variable in coded.codebook.of_segment}
    empty = ((values["value"] == "") & values["variable"].isin(list(book))).to_numpy(bool)
    found: list[Silence] = [""] * len(values)
    if not empty.any():
        return found
    units = set(values.loc[empty, "unit"])
    said, marked = _said(coded, units), _marked(coded, units)
    rows = zip(*(values[name].tolist() for name in (*WHO, "variable")), strict=True)
    for place, (*who, name) in enumerate(rows):
        own = said.get(tuple(who), {})
        numbers = marked.get(tuple(who), set()) | set(own) - {""}
        if empty[place] and not any(name in own.get(number, {}) for number in numbers):
            found[place] = silence(book[name], own, segments=numbers, unasked=())
    return found


def _said(coded: BatchCodings, units: set[str]) -> dict[tuple[str, ...], dict[str, Any]]:
    """Unit, coder, arm → what they gave, by segment and variable."""
    codings = coded.codings
    own = codings[codings["unit"].isin(units) & (codings["replicate"] == 1)]
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in tables.rows(own):
        of_coder = found.setdefault((row.unit, row.coder, row.arm), {})
        of_coder.setdefault(row.segment, {})[row.variable] = codes_of(row.value)
    return found


def _marked(coded: BatchCodings, units: set[str]) -> dict[tuple[str, ...], set[str]]:
    """Unit, coder, arm → the numbers of the segments that they marked."""
    if "segments" not in coded.tables:
        return {}
    segments = coded.segments
    own = segments[segments["unit"].isin(units) & (segments["replicate"] == 1)]
    found: dict[tuple[str, ...], set[str]] = {}
    for row in tables.rows(own):
        found.setdefault((row.unit, row.coder, row.arm), set()).add(row.segment)
    return found
