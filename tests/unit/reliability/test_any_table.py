"""Coefficients of a table: what must not change them. All codings are made up."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labeler.errors import InputError
from labeler.files import coding_tables
from labeler.reliability import any_table
from labeler.reliability.any_table import TableCoefficients

CELLS = st.sampled_from(["", "1", "2", "10"])
GRIDS = st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=2, max_size=12)


def agreed(rows: list[tuple[str, ...]], level: str = "ordinal") -> TableCoefficients:
    """The coefficients of a wide table."""
    names = [f"c{number}" for number in range(len(rows[0]))]
    table = pd.DataFrame(rows, columns=names, dtype="str")
    table.index = pd.Index(range(2, len(rows) + 2), name="line")
    codings = coding_tables.wide(table, coders=names, source="t.csv")
    codings, codes = coding_tables.checked(codings, level=level, source="t.csv")
    matrix = any_table.matrix(codings, codes, level)
    return any_table.agreement(matrix, codes=codes, level=level, declared=False)


def values(found: TableCoefficients) -> dict[str, float]:
    return {name: one.value for name, one in found.coefficients.items()}


def same(first: TableCoefficients, second: TableCoefficients) -> None:
    assert values(first) == pytest.approx(values(second), abs=1e-12, nan_ok=True)
    assert first.n_pairable == second.n_pairable


@given(GRIDS, st.randoms())
def test_order_of_units_and_coders_does_not_matter(
    rows: list[tuple[str, ...]], chance: object
) -> None:
    """Rows and columns in any order: the same coefficients."""
    assume(any(cell for row in rows for cell in row))
    mixed = list(rows)
    chance.shuffle(mixed)
    same(agreed(rows), agreed([row[::-1] for row in mixed]))


@given(GRIDS)
def test_ten_and_ten_point_nought_are_one_code(rows: list[tuple[str, ...]]) -> None:
    """However a spreadsheet writes whole numbers, at every level."""
    assume(any(cell for row in rows for cell in row))
    floats = [tuple(f"{cell}.0" if cell else "" for cell in row) for row in rows]
    for level in ("nominal", "interval"):
        same(agreed(rows, level), agreed(floats, level))


def test_a_unit_coded_once_changes_no_alpha() -> None:
    """Only units with two codings or more are compared; all are counted."""
    rows = [("1", "1"), ("1", "2"), ("2", "2")]
    more = [*rows, ("2", "")]
    first, second = agreed(rows), agreed(more)
    assert (second.n_units, second.n_pairable) == (4, 6)
    for name in ("krippendorff_alpha.ordinal", "krippendorff_alpha.nominal"):
        assert first.coefficients[name].value == second.coefficients[name].value


def test_undefined_has_its_reason() -> None:
    """One code only: nan, and words; the percentage is there."""
    found = agreed([("1", "1"), ("1", "1")])
    alpha = found.coefficients["krippendorff_alpha.ordinal"]
    assert math.isnan(alpha.value)
    assert "no variation" in alpha.note
    assert found.coefficients["percent_agreement"].value == 1


def test_more_values_than_can_be_compared_are_refused() -> None:
    """A column of measurements with thousands of different values would fill the memory."""
    rows = [(f"{number}.5", f"{number}.25") for number in range(3000)]
    with pytest.raises(InputError, match="6000 different values of 3000 units"):
        agreed(rows, "interval")
