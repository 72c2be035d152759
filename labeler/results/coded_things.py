"""Codings as matrices: which reading, and which segment of it, carries which code. Pure.

A *reading* is one coder's coding of one unit; a model has one of each unit, a unit coded by two
people two. Everything is numbers: units, readings and segments by their places, codes by columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from labeler.codebook.codebook import Codebook, Variable
from labeler.text.coded_values import codes_of, is_number

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

MOST_SEGMENTS = 1 << 20  # of a reading; segments are numbered from 1


class CodingColumns(NamedTuple):
    """CODINGS as numbers, arrays of shape (codings,).

    `reading`: its place; `segment`: the number of the segment, 0 for the unit as a whole;
    `variable` and `value`: places in `variables` and `values`.
    """

    reading: Ints
    segment: Ints
    variable: Ints
    value: Ints
    variables: Sequence[str]
    values: Sequence[str]


class VariableCodes(NamedTuple):
    """What readings (or segments, `of_segment`) carry of one variable, a row each.

    `has`, sparse (rows, codes): 1 where it carries the code; `coded`, shape (rows,): whether it has
    a value; `score` and `scored`, shape (rows,): the value's number, 0 where it has none, and
    whether it has one.
    """

    of_segment: bool
    has: Any
    coded: Floats
    score: Floats
    scored: Floats


class CodedThings(NamedTuple):
    """All readings of some coders.

    `unit`, shape (readings,): the place of each one's unit; `segment`, shape (segments,): the
    reading that each segment belongs to; `asked`: variable → whether each reading was asked it.
    """

    unit: Ints
    segment: Ints
    codes: Mapping[str, VariableCodes]
    asked: Mapping[str, Bools]


def coded_things(
    codings: CodingColumns,
    segments: tuple[Ints, Ints],
    unit: Ints,
    codebook: Codebook,
    *,
    asked: Mapping[str, Bools] | None = None,
) -> CodedThings:
    """Of codings, segments (reading and number of each) and readings (the unit of each).

    A segment counts whether or not it has a code. Without `asked` everybody was asked everything.
    """
    own = codings.segment > 0
    keys = codings.reading[own] * MOST_SEGMENTS + codings.segment[own]
    marked = segments[0] * MOST_SEGMENTS + segments[1]
    known = np.unique(np.concatenate([keys, marked]))
    row = codings.reading.copy()
    row[own] = np.searchsorted(known, keys)
    codes = {}
    for variable in codebook.variables:
        name, of_segment = variable.variable, variable.of == "segment"
        rows = known.size if of_segment else unit.size
        here = np.flatnonzero(
            (codings.variable == _place(codings.variables, name)) & (own == of_segment)
        )
        codes[name] = _codes(variable, row[here], codings.value[here], codings.values, rows)
    everybody = {v.variable: np.ones(unit.size, bool) for v in codebook.variables}
    return CodedThings(unit, known // MOST_SEGMENTS, codes, {**everybody, **(asked or {})})


def _place(names: Sequence[str], name: str) -> int:
    return list(names).index(name) if name in names else -1


def _codes(
    variable: Variable, row: Ints, value: Ints, values: Sequence[str], rows: int
) -> VariableCodes:
    """The codes of one variable: of each coding its row, and its value as a place in `values`."""
    seen, number = np.unique(value, return_inverse=True)
    texts = [values[place] for place in seen]
    column = {code: place for place, code in enumerate(variable.codes)}
    member = sparse.lil_array((len(texts), len(column)))
    score, scored = np.zeros(len(texts)), np.zeros(len(texts))
    for place, text in enumerate(texts):
        for code in codes_of(text):
            if code in column:
                member[place, column[code]] = 1.0
        found = _number(variable, text)
        if found is not None:
            score[place], scored[place] = found, 1.0
    placed = (np.ones(row.size), (row, np.arange(row.size)))
    given = sparse.csr_array(placed, shape=(rows, row.size))
    of_text = member.tocsr()[number] if row.size else sparse.csr_array((0, len(column)))
    return VariableCodes(
        variable.of == "segment",
        sparse.csr_array(given @ of_text),
        np.asarray(given @ np.ones(row.size), np.float64),
        np.asarray(given @ score[number], np.float64),
        np.asarray(given @ scored[number], np.float64),
    )


def _number(variable: Variable, text: str) -> float | None:
    """The number that a value stands for; None where it has none."""
    if not variable.values:
        return float(text) if is_number(text) else None
    codes = [] if variable.multiple else codes_of(text)
    return variable.value(codes[0]).number if codes and codes[0] in variable.codes else None
