"""A table of codings, without a project → coefficients of agreement."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from labeler.files import records, spreadsheets
from labeler.files.coding_tables import checked
from labeler.files.spreadsheets import TableSettings
from labeler.reliability import any_table
from labeler.reliability.any_table import Matrix, Method, Pair, TableCoefficients
from labeler.statistics.agreement.distances import Level

ALIKE_MISSING = ("na", "n/a", "nan", "null", "none", "nil", "-", ".", "?")


class AgreementReport(NamedTuple):
    """What a table says; `doubts` are texts that look like gaps, with how often they stand there.

    `pairs` is empty unless it was asked for; `codes` are the codes in their order.
    """

    agreed: TableCoefficients
    matrix: Matrix
    codes: list[str]
    pairs: list[Pair]
    doubts: dict[str, int]


def agreement(
    given: TableSettings,
    *,
    level: Level,
    domain: Sequence[str] = (),
    pairs: bool = False,
    method: Method = "jackknife",
) -> AgreementReport:
    """Every coefficient of a table of codings at a level of measurement.

    `method` is that of alpha's intervals.
    """
    read = spreadsheets.codings(**given._asdict())
    codings, codes = checked(read, level=level, domain=domain, source=str(given.path))
    matrix = any_table.matrix(codings, codes, level)
    declared = {code.casefold() for code in domain}
    seen = codings["value"].value_counts()
    return AgreementReport(
        any_table.agreement(matrix, codes=codes, level=level, declared=bool(domain), method=method),
        matrix,
        codes,
        any_table.pairs(matrix, level=level) if pairs else [],
        {
            str(text): int(times)
            for text, times in seen.items()
            if str(text).casefold() in ALIKE_MISSING and str(text).casefold() not in declared
        },
    )


def write_table(matrix: Matrix, path: Path) -> None:
    """Write the table behind the coefficients: a row a unit, a column a coder, as CSV."""
    records.write(path, any_table.table(matrix).to_csv(index=False, lineterminator="\n"))
