"""A table of codings, without a project → coefficients of agreement."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from labeler.coding_tables import checked
from labeler.edges import codings_file, files
from labeler.edges.codings_file import Given
from labeler.stages import coding_agreement
from labeler.stages.coding_agreement import Agreed, Matrix, Method, Pair
from labeler.statistics.distances import Level

ALIKE_MISSING = ("na", "n/a", "nan", "null", "none", "nil", "-", ".", "?")


class Answer(NamedTuple):
    """What a table says; `doubts` are texts that look like gaps, with how often they stand there.

    `pairs` is empty unless it was asked for; `codes` are the codes in their order.
    """

    agreed: Agreed
    matrix: Matrix
    codes: list[str]
    pairs: list[Pair]
    doubts: dict[str, int]


def agreement(
    given: Given,
    *,
    level: Level,
    domain: Sequence[str] = (),
    pairs: bool = False,
    method: Method = "jackknife",
) -> Answer:
    """Every coefficient of a table of codings at a level of measurement.

    `method` is that of alpha's intervals.
    """
    read = codings_file.codings(**given._asdict())
    codings, codes = checked(read, level=level, domain=domain, source=str(given.path))
    matrix = coding_agreement.matrix(codings, codes, level)
    declared = {code.casefold() for code in domain}
    seen = codings["value"].value_counts()
    return Answer(
        coding_agreement.agreement(
            matrix, codes=codes, level=level, declared=bool(domain), method=method
        ),
        matrix,
        codes,
        coding_agreement.pairs(matrix, level=level) if pairs else [],
        {
            str(text): int(times)
            for text, times in seen.items()
            if str(text).casefold() in ALIKE_MISSING and str(text).casefold() not in declared
        },
    )


def write_table(matrix: Matrix, path: Path) -> None:
    """Write the table behind the coefficients: a row a unit, a column a coder, as CSV."""
    files.write(path, coding_agreement.table(matrix).to_csv(index=False, lineterminator="\n"))
