"""Do the codes of a table go with its groups? Its chi-square, Cramér's V and residuals. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeler.codebook.codebook import Codebook
from labeler.errors import TableError
from labeler.results.recipe import Measure, RecipeTable
from labeler.results.unit_totals import BASE, Cell, TableCells
from labeler.statistics.estimation.crosstab import AssociationTest, chi_square, rao_scott
from labeler.statistics.estimation.estimates import LEAST_CARRIERS, Estimates

Row = dict[str, Any]
FEW = f"fewer than two rows or columns have {LEAST_CARRIERS} carriers"


class _Tested(NamedTuple):
    """Rows and columns of a test, the places of its cells, and itself; None where too few."""

    codes: list[str]
    groups: list[str]
    place: Any
    test: AssociationTest | None


def association_rows(
    asked: Sequence[Measure],
    table: RecipeTable,
    cells: TableCells,
    estimates: Estimates,
    codebook: Codebook,
    few: NDArray[np.bool_],
    *,
    within: str,
) -> Iterator[Row]:
    """Rows of the test, of Cramér's V, and of the residual of each cell, as they are asked for.

    `few`, shape (cells,): which have fewer than ten carriers; rows and columns of these are left
    out, and said to be, as is the code that says that no other applies.
    """
    found = _tested(cells, estimates, codebook, few, within)
    test = found.test
    out = len(cells.codes) + len(cells.groups) - len(found.codes) - len(found.groups)
    left = f"; {out} codes left out, with few carriers or none" if out else ""
    same: Row = {
        "within": within,
        "method": f"{test.method if test else 'Rao-Scott, second order'}{left}",
        "reason": FEW if test is None else estimates.unfit or test.reason,
    }
    for measure in asked:
        if measure in ("residual", "pearson residual"):
            yield from (row | same for row in _residuals(measure, found, estimates))
        else:
            whole = {"measure": measure, "code": table.of, "by": table.by}
            yield whole | same | _summary(measure, test)


def _summary(measure: Measure, test: AssociationTest | None) -> Row:
    if test is None:
        return {"value": math.nan}
    if measure == "chi-square":
        degrees = test.degrees[0] if test.degrees else math.nan
        return {"value": test.statistic, "p": test.p, "df": degrees}
    return {"value": test.v if measure == "cramers v" else test.v_corrected}


def _residuals(measure: Measure, found: _Tested, estimates: Estimates) -> Iterator[Row]:
    if found.test is None:
        return
    values = found.test.adjusted if measure == "residual" else found.test.pearson
    for i, code in enumerate(found.codes):
        for j, by in enumerate(found.groups):
            place = found.place[i, j]
            row: Row = {"measure": measure, "code": code, "by": by, "value": float(values[i, j])}
            row["count"] = int(estimates.carriers[place])
            row["authors"] = int(estimates.authors[place])
            if measure == "residual":
                row["p"] = float(found.test.cell_p[i, j])
            yield row


def _tested(
    cells: TableCells,
    estimates: Estimates,
    codebook: Codebook,
    few: NDArray[np.bool_],
    within: str,
) -> _Tested:
    def enough(margin: Cell) -> bool:
        place = cells.place[margin]
        return not few[place] and bool(estimates.total[place] > 0)

    codes = [c for c in substantial(cells.codes, codebook) if enough((c, "", within))]
    groups = [g for g in substantial(cells.groups, codebook) if enough((BASE, g, within))]
    if min(len(codes), len(groups)) < 2:
        return _Tested(codes, groups, None, None)
    place = np.array([[cells.place[code, by, within] for by in groups] for code in codes])
    try:
        if estimates.unfit == "not corrected":
            return _Tested(codes, groups, place, chi_square(estimates.total[place]))
        return _Tested(codes, groups, place, rao_scott(estimates, place))
    except TableError:  # a row or a column adds up to nothing
        return _Tested(codes, groups, None, None)


def substantial(texts: Sequence[str], codebook: Codebook) -> list[str]:
    """The codes without the one that says that no other applies."""
    none = {f"{variable.variable}:{variable.none}" for variable in codebook.variables}
    return [text for text in texts if text not in none]
