"""A table with a column a variable, or a column a coder → a row a coding, as imports read it. Pure.

A table of counts (a column a code, in it how many coders gave the code) is refused. It says what
was given and not by whom: coders made up for it would be people who do not exist, each with
another person's codes from unit to unit, and whatever goes by single coders (pairs, stability, who
has seen what, adjudication by others) would be an invention in the shape of evidence. Alpha of the
whole table takes no names, and can be had without a project.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from labeler import hints
from labeler.codebook.codebook import Codebook
from labeler.errors import InputError
from labeler.files.coder_columns import coder_columns
from labeler.files.coding_tables import known_columns
from labeler.text.spellings import loosely


class TableRoles(NamedTuple):
    """What the columns of a table hold: `columns` maps names of FIELDS to them (those there are).

    `variable` is the one that every row is of ('' where the table says it), `coders` and `without`
    the columns that are coders and that are not (() where they are to be found).
    """

    columns: Mapping[str, str]
    variable: str = ""
    coders: Sequence[str] = ()
    without: Sequence[str] = ()


def long_rows(
    table: pd.DataFrame, roles: TableRoles, codebook: Codebook, *, source: str
) -> pd.DataFrame:
    """The rows of a table with the columns of FIELDS alone, called so; a row of a wide one as often
    as it has cells that are filled.

    A column a variable: there is a column of coders, none of values, and columns are called like
    variables of the codebook. A column a coder: neither of these, and `roles.variable` is told.
    Raises InputError where a wide table says neither, where columns may be no coders, and for a
    table of counts.
    """
    table = table.drop(columns=[*roles.without])
    own = {field: table[column] for field, column in roles.columns.items() if column in table}
    named = pd.DataFrame(own, index=table.index)
    if "value" in named and roles.variable:
        return named.assign(variable=roles.variable)
    if "value" in named or "variable" in named:
        return named
    rest = table.drop(columns=[c for c in roles.columns.values() if c in table])
    if "coder" in named:
        variables = [v.variable for v in codebook.variables if v.variable in rest]
        return _melted(named, rest[variables], "variable") if variables else named
    counted = _counted(rest, roles, codebook)
    if counted:
        raise InputError(
            f"{source}: columns {', '.join(map(repr, counted))} hold numbers and are called like "
            "codes: counts say how often a code was given, and not by whom, so that they are no "
            "codings of coders",
            hint=hints.COUNTS,
        )
    if not roles.variable:
        return named
    known_columns(table, roles.coders, source)
    unit = roles.columns.get("unit", "") if "unit" in named else ""
    asked = table[[*([unit] if unit else []), *rest.columns]]
    found = coder_columns(asked, unit=unit, coders=roles.coders, source=source)
    if found.unit and "unit" not in named and "platform_id" not in named:
        named = named.assign(unit=table[found.unit])
    return _melted(named, rest[found.coders], "coder").assign(variable=roles.variable)


def _melted(named: pd.DataFrame, cells: pd.DataFrame, into: str) -> pd.DataFrame:
    """A row for each filled cell, by line and then by column; its column's name is `into`."""
    parts = [named.assign(value=cells[name]).assign(**{into: str(name)}) for name in cells.columns]
    rows = pd.concat(parts).sort_index(kind="stable") if parts else named
    return rows[rows["value"] != ""].astype("str")


def _counted(rest: pd.DataFrame, roles: TableRoles, codebook: Codebook) -> list[str]:
    """The columns that count how often a code of one variable was given; none elsewhere."""
    if roles.coders:
        return []
    for variable in codebook.variables:
        if roles.variable not in ("", variable.variable):
            continue
        codes = {loosely(code) for code in variable.codes}
        called = [str(name) for name in rest.columns if loosely(str(name)) in codes]
        filled = rest[called].to_numpy(str).ravel()
        if len(called) > 1 and all(not text or text.isdecimal() for text in filled.tolist()):
            return called
    return []
