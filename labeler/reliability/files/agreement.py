"""A table of codings, without a project → coefficients of agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from labeler.files import records, spreadsheets
from labeler.files.coded_cells import CellReading, CellSettings, read_cells, together
from labeler.files.coding_tables import NUMBERS, SETS
from labeler.files.spreadsheets import TableSettings
from labeler.reliability import any_table
from labeler.reliability.any_table import GroupAgreement, Matrix, Method, Pair, TableCoefficients
from labeler.statistics.agreement.coefficients import coefficients
from labeler.statistics.agreement.distances import Level

ALIKE_MISSING = ("na", "n/a", "nan", "null", "none", "nil", "-", ".", "?")


class AgreementReport(NamedTuple):
    """What a table says; `doubts` are texts that look like gaps, with how often they stand there.

    `remarks` say what was left out and how cells were understood; `apart` maps groups of codes that
    look alike and count apart to the alpha of the level as if each were one code.
    `pairs` and `groups` are empty unless they were asked for; `codes` are the codes in their order.
    """

    agreed: TableCoefficients
    matrix: Matrix
    codes: list[str]
    pairs: list[Pair]
    doubts: dict[str, int]
    remarks: list[str]
    apart: dict[tuple[str, ...], float]
    groups: list[GroupAgreement]


def agreement(
    given: TableSettings,
    *,
    level: Level,
    domain: Sequence[str] = (),
    pairs: bool = False,
    groups: Mapping[str, str] | None = None,
    method: Method = "jackknife",
    cells: CellSettings | None = None,
) -> AgreementReport:
    """Every coefficient of a table of codings at a level of measurement.

    `method` is that of alpha's intervals, `cells` how values are to be read; `groups` (coder →
    group) asks for agreement within and between groups of coders.
    """
    table = spreadsheets.codings(given._replace(sets=level in SETS))
    read = read_cells(table.codings, level=level, domain=domain, wish=cells, source=str(given.path))
    codes, declared = read.codes, bool(domain)
    matrix = any_table.matrix(read.codings, codes, level)
    doubts, apart = _doubts(read.codings, domain), _as_one(read, level)
    remarks = [*table.remarks, *read.remarks, *_uncounted(codes, level, declared=declared)]
    del table, read  # a million rows need not lie beside what is computed from them
    return AgreementReport(
        any_table.agreement(matrix, codes=codes, level=level, declared=declared, method=method),
        matrix,
        codes,
        any_table.pairs(matrix, level=level) if pairs else [],
        doubts,
        remarks,
        apart,
        any_table.by_group(matrix, groups, level=level) if groups else [],
    )


def _doubts(codings: pd.DataFrame, domain: Sequence[str]) -> dict[str, int]:
    """Texts that look like gaps and were not declared, and how often they stand there."""
    declared = {code.casefold() for code in domain}
    return {
        str(text): int(times)
        for text, times in codings["value"].value_counts().items()
        if str(text).casefold() in ALIKE_MISSING and str(text).casefold() not in declared
    }


def _uncounted(codes: Sequence[str], level: Level, *, declared: bool) -> list[str]:
    """The remark that no code is compared with the rest, since they are too many to be codes."""
    if declared or level in NUMBERS or len(codes) <= any_table.CODES:
        return []
    return [
        f"{len(codes)} different codes: none is compared with the rest, unless they are declared"
    ]


def _as_one(read: CellReading, level: Level) -> dict[tuple[str, ...], float]:
    """For each group of codes that count apart: alpha if they were one code."""
    name = f"krippendorff_alpha.{level}"
    found = {}
    for group in read.apart:
        codings = together(read.codings, [group], level)
        codes = [code for code in read.codes if code not in group[1:]]
        one = any_table.matrix(codings, codes, level)
        asked = coefficients(one.columns, domain=one.domain, level=level, names=[name])
        found[group] = asked[name].value
    return found


def write_table(matrix: Matrix, path: Path) -> None:
    """Write the table behind the coefficients: a row a unit, a column a coder, as CSV."""
    records.write(path, any_table.table(matrix).to_csv(index=False, lineterminator="\n"))
