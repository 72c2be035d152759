"""Estimated cells of a table → its figures: shares, counts, means, tests, differences. Pure.

Each function takes the cells of a table and their estimates (one estimator, one target) and
returns rows of ESTIMATES without what is the same for all of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from labeler.codebook.codebook import Codebook
from labeler.errors import TableError
from labeler.results.association_rows import association_rows, substantial
from labeler.results.coded_things import Ints
from labeler.results.recipe import (
    ASSOCIATION,
    COUNTED,
    Contrast,
    Measure,
    RecipeTable,
    TrendLine,
    measures_of,
)
from labeler.results.unit_totals import BASE, POSTS, SCORE, SCORED, Cell, TableCells
from labeler.statistics.estimation.derived import (
    DerivedFigures,
    Scale,
    degrees_of_freedom,
    difference,
    intervals,
    log_ratio,
    means,
    p_values,
    ratio,
)
from labeler.statistics.estimation.estimates import LEAST_CARRIERS, Estimates, Reason
from labeler.statistics.estimation.pointwise import delta_pmi
from labeler.statistics.estimation.trend import trend

Row = dict[str, Any]
GAIN = ("tuning", "correlation", "effective_size")
SCALES: dict[str, Scale] = {"rate": "count", "mean": "score"}


def figure_rows(
    table: RecipeTable,
    cells: TableCells,
    estimates: Estimates,
    codebook: Codebook,
    *,
    carriers: Ints,
) -> Iterator[Row]:
    """The rows of all measures of a table.

    `carriers`, shape (cells,): of the blind codes, which decide what is crossed in a test, so that
    the tests of all estimators are of the same rows and columns.
    """
    asked = measures_of(table, codebook)
    for measure in asked:
        if measure == "delta-pmi":
            yield from _pmi_rows(table, cells, estimates, codebook)
        elif measure not in ASSOCIATION:
            yield from _plain_rows(measure, table, cells, estimates, codebook)
    tests = [measure for measure in asked if measure in ASSOCIATION]
    if tests:
        for own in cells.within or [""]:
            few = carriers < LEAST_CARRIERS
            yield from association_rows(tests, table, cells, estimates, codebook, few, within=own)


def contrast_row(
    contrast: Contrast, table: RecipeTable, cells: TableCells, estimates: Estimates, book: Codebook
) -> Row:
    """The difference or ratio of two groups; a group that no post or codebook has is refused."""
    for group in (contrast.a, contrast.b):
        if group not in cells.groups:
            raise TableError(f"contrast of {table.table}: no post is of {group!r}")
    code = contrast.code or (SCORE if contrast.measure == "mean" else BASE)
    first, second = (
        _figures(contrast.measure, [(code, group, "")], table, cells, estimates, book)
        for group in (contrast.a, contrast.b)
    )
    made = difference if contrast.kind == "difference" else log_ratio
    figures = made(first, second)
    keys = [(contrast.code or table.of, contrast.a, contrast.b)]
    (row,) = _rows(contrast.kind, keys, figures, estimates, None)
    row["p"] = float(p_values(estimates, figures)[0])
    if contrast.kind == "ratio":
        row |= {name: _exponential(row[name]) for name in ("value", "low", "high")}
        row["se"] = row["value"] * row["se"]
    return row


def trend_row(
    line: TrendLine, table: RecipeTable, cells: TableCells, estimates: Estimates, book: Codebook
) -> Row:
    """The slope of a figure by month, weighted by the posts of each month."""
    code = line.code or (SCORE if line.measure == "mean" else BASE)
    keys = [(code, group, "") for group in cells.groups]
    figures = _figures(line.measure, keys, table, cells, estimates, book)
    times = [_month(group.partition(":")[2]) for group in cells.groups]
    posts = estimates.total[[cells.place[POSTS, group, ""] for group in cells.groups]]
    naive = estimates.unfit == "not corrected"
    if naive:  # its slope is told all the same, beside the corrected one
        none: Reason = ""
        figures = figures._replace(reason=(none,) * figures.value.size)
    found = trend(estimates, figures, times, weights=posts)
    off = "" if math.isnan(found.p_line) else f"; lies on it: p {found.p_line:.3f}"
    return {
        "measure": "trend",
        "code": line.code or table.of,
        "by": table.by,
        "within": "",
        "value": found.slope.value,
        "low": math.nan if naive else found.slope.low,
        "high": math.nan if naive else found.slope.high,
        "se": found.slope.se,
        "p": found.p,
        "method": f"straight line over {found.times} months, by their posts{off}",
        "reason": estimates.unfit or found.slope.note,
    }


def _month(text: str) -> int:
    """Months since year 0 of `2025-03`."""
    year, _, month = text.partition("-")
    return 12 * int(year) + int(month) - 1


def _exponential(value: float) -> float:
    return math.exp(value) if math.isfinite(value) else math.nan


def _plain_rows(
    measure: Measure,
    table: RecipeTable,
    cells: TableCells,
    estimates: Estimates,
    codebook: Codebook,
) -> list[Row]:
    """Rows of a measure that each code (or the variable as a whole) has in each group."""
    codes = [SCORE] if measure == "mean" else (cells.codes or [BASE])
    groups = cells.groups if table.by else [""]
    keys = [(code, by, own) for own in cells.within for by in groups for code in codes]
    if table.of in COUNTED and not estimates.known.all() and estimates.method.startswith("blind"):
        keys = [key for key in keys if not cells.known[cells.place[key]]]
    if not keys:
        return []
    figures = _figures(measure, keys, table, cells, estimates, codebook)
    named = [(table.of if code in (SCORE, BASE) else code, by, own) for code, by, own in keys]
    rows = _rows(measure, named, figures, estimates, [cells.place[key] for key in keys])
    if measure == "mean":  # of a mean all count who have a score, be it 0
        for row, (_, by, own) in zip(rows, keys, strict=True):
            place = cells.place[SCORED, by, own]
            row["count"] = int(estimates.carriers[place])
            row["authors"] = int(estimates.authors[place])
    return rows


def _figures(
    measure: str,
    keys: Sequence[Cell],
    table: RecipeTable,
    cells: TableCells,
    estimates: Estimates,
    codebook: Codebook,
) -> DerivedFigures:
    """The figures of a measure for each key: what is counted, the group, and within which."""
    place, scale = cells.place, SCALES.get(measure, "share")
    above = [place[key] for key in keys]
    if measure == "count":
        every = means(estimates, scale="count")
        return _some(every._replace(value=estimates.total, gradient=np.eye(len(place))), above)
    below = [place[_denominator(measure, key, table, codebook)] for key in keys]
    whole = place.get((BASE, "", "")) if cells.counted == "posts" else None
    if set(below) == {whole} and cells.known[below[0]]:
        return _some(means(estimates, scale=scale), above)
    unit = np.eye(len(place))
    return ratio(estimates, unit[above], unit[below], scale=scale)


def _denominator(measure: str, key: Cell, table: RecipeTable, codebook: Codebook) -> Cell:
    """The cell by which a figure is divided."""
    code, by, own = key
    of_codes = table.by in {variable.variable for variable in codebook.variables}
    if measure == "mean":
        return (SCORED, by, own)
    if measure == "rate":
        return (POSTS, "" if of_codes else by, own)
    if measure == "share of row":
        return (code, "", own)
    if measure == "share" and of_codes:
        return (BASE, "", own)
    return (BASE, by, own)


def _some(figures: DerivedFigures, places: Sequence[int]) -> DerivedFigures:
    at = np.asarray(places, np.int64)
    return figures._replace(
        value=figures.value[at],
        gradient=figures.gradient[at],
        carriers=figures.carriers[at],
        authors=figures.authors[at],
        reason=tuple(figures.reason[place] for place in places),
    )


def _rows(
    measure: str,
    keys: Sequence[Cell],
    figures: DerivedFigures,
    estimates: Estimates,
    places: Sequence[int] | None,
) -> list[Row]:
    """A row for each figure; `places`: the cell whose carriers, λ and correlation are told."""
    made = intervals(estimates, figures)
    degrees = degrees_of_freedom(estimates, figures)
    rows = []
    for at, (code, by, own) in enumerate(keys):
        row: Row = {
            "measure": measure,
            "code": code,
            "by": by,
            "within": own,
            "value": float(figures.value[at]),
            "low": made[at].low,
            "high": made[at].high,
            "se": made[at].se,
            "df": math.nan if figures.reason[at] else float(degrees[at]),
            "count": int(figures.carriers[at]),
            "authors": int(figures.authors[at]),
            "method": made[at].method,
            "reason": figures.reason[at],
        }
        if places is not None:
            place = places[at]
            row["count"] = int(estimates.carriers[place])
            row["authors"] = int(estimates.authors[place])
            if not estimates.known[place]:
                row |= {name: float(getattr(estimates, name)[place]) for name in GAIN}
        rows.append(row)
    return rows


def _pmi_rows(
    table: RecipeTable, cells: TableCells, estimates: Estimates, codebook: Codebook
) -> list[Row]:
    """Delta-PMI of each pair of codes; the code that says that no other applies is no code."""
    codes, groups = substantial(cells.codes, codebook), substantial(cells.groups, codebook)
    first, second = (
        np.array([[cells.place[code, by, own] for by in groups] for code in codes])
        for own in cells.within
    )
    figures = delta_pmi(estimates, first, second)
    keys = [(code, by, table.within) for code in codes for by in groups]
    rows = _rows("delta-pmi", keys, figures, estimates, None)
    p = p_values(estimates, figures)
    against = f"PMI in {cells.within[0]} less that in {cells.within[1]}, half a segment added"
    return [
        row | {"p": float(p[at]), "method": f"{against}; {row['method']}"}
        for at, row in enumerate(rows)
    ]
