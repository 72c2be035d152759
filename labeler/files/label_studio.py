"""Which columns of an export of Label Studio name units, coders and values. Pure.

CSV and JSON-MIN have a row an annotation and the same columns, and `json_tables` makes rows of
JSON with them: the task's data, its `id`, a column for each control of the annotation page, then
`annotator`, `annotation_id` and times. JSON keeps that order, CSV sorts the columns by name; there,
data and controls are told apart by what differs among the annotations of one task.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import pandas as pd

from labeler import hints
from labeler.errors import InputError
from labeler.files.coder_columns import called_like_metadata
from labeler.files.json_cells import of_regions
from labeler.files.json_tables import ANNOTATION, ANNOTATOR, DATA, ID, TIMES
from labeler.text.coded_values import EMPTY_SET
from labeler.text.names import unknown

OWN_KEY = "unit"  # the column of a task's data that names its unit, where there is one
LEAD_TIME = "lead_time"
OWN = {ID, ANNOTATOR, ANNOTATION, *TIMES, "agreement", "history"}


class ExportColumns(NamedTuple):
    """The columns that hold what, and what was understood, in words."""

    unit: str
    coder: str
    value: str
    remarks: list[str]


def is_export(table: pd.DataFrame) -> bool:
    """Whether a table has the columns that every export of Label Studio has."""
    return {ID, ANNOTATOR, ANNOTATION, *TIMES} <= set(table.columns)


def annotated_rows(
    table: pd.DataFrame, *, models: Collection[str] = (), source: str
) -> tuple[pd.DataFrame, list[str]]:
    """The rows of an export that are annotations, or suggestions of `models`; and what is left out.

    Tasks that nobody annotated have a row without an annotation, suggestions one that names their
    model. Raises InputError for one of `models` that is neither a coder nor a model here.
    """
    made = table[ANNOTATION] != ""
    suggested = table[~made & (table[ANNOTATOR] != "")]
    for model in models:
        if model not in set(table[ANNOTATOR]):
            there = sorted(set(table[ANNOTATOR]) - {""})
            raise InputError(f"{source}: {unknown('coder', model, there)}")
    remarks = []
    others = suggested[~suggested[ANNOTATOR].isin(list(models))]
    if len(others):
        named = ", ".join(sorted(set(others[ANNOTATOR])))
        remarks.append(f"left out, as suggestions and no codings: {len(others)} of {named}")
    alone = int((~made).sum()) - len(suggested)
    if alone:
        remarks.append(f"left out, as nobody annotated them: {alone} tasks")
    return table[made | table[ANNOTATOR].isin(list(models))], remarks


def suggesting(table: pd.DataFrame) -> list[str]:
    """The models whose suggestions an export as JSON holds."""
    return sorted(set(table.loc[table[ANNOTATION] == "", ANNOTATOR]) - {""})


def roles(
    table: pd.DataFrame, *, unit: str = "", coder: str = "", value: str = "", source: str
) -> ExportColumns:
    """The columns of the annotations of an export: those that are named, else those it has.

    The unit is the task, or what its data call `unit`; the value is the one control of the whole
    unit. InputError where there are several, with their names.
    """
    unit = unit or (OWN_KEY if OWN_KEY in table.columns else ID)
    coder = coder or ANNOTATOR
    value = value or _one_control(table, {unit, coder}, source)
    told = f"read as an export of Label Studio: units {unit!r}, coders {coder!r}, values {value!r}"
    return ExportColumns(unit, coder, value, [told])


def with_empty_sets(table: pd.DataFrame, value: str) -> tuple[pd.DataFrame, list[str]]:
    """The annotations with the set without a code where a control holds none, and how many do.

    Label Studio writes nothing for boxes of which none is ticked.
    """
    gaps = table[value] == ""
    if not gaps.any():
        return table, []
    told = f"{int(gaps.sum())} annotations without a code of {value!r} count as sets without a code"
    return table.assign(**{value: table[value].where(~gaps, EMPTY_SET)}), [told]


def controls(table: pd.DataFrame) -> list[str]:
    """The columns that are controls of the whole unit, as far as the export tells.

    They are the columns that differ between two annotations of a task; in the order of JSON also
    those between the task's `id` and the annotator, else, where none differs, all that may be one.
    """
    names = [str(name) for name in table.columns]
    may_be = [
        name
        for name in names
        if name not in OWN and not name.startswith(DATA) and (table[name] != "").any()
    ]
    whole = [name for name in may_be if not any(map(of_regions, table[name].unique().tolist()))]
    several = table[table.duplicated(ID, keep=False)]
    kinds = several.groupby(ID)[whole].nunique()
    differing = [name for name in whole if (kinds[name] > 1).any()]
    first, last = names.index(ID), names.index(ANNOTATOR)
    if first > last:
        return differing or whole
    between = names[first + 1 : last]
    return [name for name in whole if name in between or name in differing]


def _one_control(table: pd.DataFrame, others: set[str], source: str) -> str:
    """The one control that can be coded with; free text and metadata give way to others."""
    found = [name for name in controls(table) if name not in others]
    plain = [name for name in found if not called_like_metadata(name) and not _free(table[name])]
    left = plain or found
    if len(left) == 1:
        return left[0]
    if not left:
        raise InputError(f"{source}: no column of Label Studio's export holds codes of whole units")
    raise InputError(
        f"{source}: which variable is meant? Label Studio's export has the columns "
        f"{', '.join(map(repr, left))}",
        hint=hints.WHICH_CONTROL.about(value=left[0]),
    )


def _free(column: pd.Series[str]) -> bool:
    """Whether a column holds free text: other words in most of its cells."""
    filled = column[column != ""]
    long = filled.str.contains(" ", regex=False) & ~filled.str.startswith(("[", "{"))
    return bool(2 * filled[long].nunique() > len(filled))
