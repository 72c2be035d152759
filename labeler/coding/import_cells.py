"""Cells of an imported table, read as any table of codings is: sets, JSON, broken cells. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import pandas as pd

from labeler.codebook.codebook import Codebook, Variable
from labeler.files import label_studio
from labeler.files.coded_cells import CellSettings, plain_cells
from labeler.files.json_cells import json_codes
from labeler.files.json_tables import ANNOTATOR
from labeler.text.coded_values import EMPTY_SET, typed_codes

REGIONS = ("segment", "start", "end", "quote")  # fields that a flat export cannot fill


def readable_values(
    table: pd.DataFrame, codebook: Codebook, wish: CellSettings, *, column: str = "", source: str
) -> pd.DataFrame:
    """A long table (columns variable, value …) with values as plain text: sets joined by `+`.

    A variable that takes several codes has sets, whose notation is found out as `read_cells` does.
    `column` is what errors call the place, '' the name of the variable. Raises InputError as
    `plain_cells` does.
    """
    rows = table.reset_index(names="line")
    values = rows["value"].copy()
    for variable in codebook.variables:
        own = rows.loc[rows["variable"] == variable.variable, ["line", "value"]]
        read, _ = plain_cells(
            own.assign(column=column or variable.variable),
            sets=variable.multiple,
            known=variable.codes,
            wish=wish,
            source=source,
        )
        values[own.index] = ""
        values[read.index] = read["value"]
    return table.assign(value=values.array)


def exported_annotations(table: pd.DataFrame, codebook: Codebook, *, source: str) -> pd.DataFrame:
    """An export of Label Studio as a table with a column a variable of the unit; others unchanged.

    The coder is who annotated. Codes of regions are left out: a flat export does not say which
    region they are of. A variable that takes several codes and applies has the set without a code
    where its control holds none.
    """
    if not label_studio.is_export(table):
        return table
    table, _ = label_studio.annotated_rows(table, source=source)
    regions = [*REGIONS, *(variable.variable for variable in codebook.of_segment)]
    table = table.drop(columns=[name for name in regions if name in table.columns])
    if "coder" not in table.columns:
        table = table.rename(columns={ANNOTATOR: "coder"})
    return _with_empty_sets(table, codebook)


def _with_empty_sets(table: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    asked = [variable for variable in codebook.of_unit if variable.variable in table.columns]
    several = [variable for variable in asked if variable.multiple]
    if not several:
        return table
    filled = table.copy()
    for variable in several:
        gaps = filled[variable.variable] == ""
        applies = [_applies(variable, row) for row in filled[gaps].to_dict("records")]
        filled.loc[gaps, variable.variable] = [EMPTY_SET if one else "" for one in applies]
    return filled


def _applies(variable: Variable, row: Mapping[Hashable, str]) -> bool:
    """Whether a variable is a question after the other cells of an annotation."""
    given = {name: row.get(name, "") for name in variable.applies_when}
    codes = {name: json_codes(text) or typed_codes(text) for name, text in given.items()}
    return variable.applies(codes)
