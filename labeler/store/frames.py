"""Frames that fit the tables: their columns and types, and their keys checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd
from sqlalchemy import Float, Integer, Table, Text

from labeler.errors import TableError

MAY_BE_EMPTY = (
    "arm",
    "segment",
    "suggested_segment",
    "code",
    "weighting",
    "suggester",
    "by",
    "within",
)  # the only parts of a key that may be the empty text

_PANDAS = {Text: "str", Integer: "Int64", Float: "float64"}


def columns(table: Table) -> list[str]:
    """The column names of a table, in order."""
    return [column.name for column in table.columns]


def keys(table: Table) -> list[str]:
    """The names of the key columns of a table, in order."""
    return [column.name for column in table.primary_key.columns]


def rows(given: pd.DataFrame) -> Iterator[Any]:
    """The rows of a frame as named tuples, the index left out."""
    yield from given.itertuples(index=False)


def records(given: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame by column, as its `to_dict` has them, in a seventh of the time."""
    names = list(given.columns)
    lists = (given[name].tolist() for name in names)
    return [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)]


def frame(table: Table, content: Iterable[Mapping[str, Any]] | pd.DataFrame = ()) -> pd.DataFrame:
    """A frame with exactly the table's columns and types; missing texts become ''.

    Raises TableError where a column is unknown, a key is empty or repeated, or a type is wrong.
    """
    given = content if isinstance(content, pd.DataFrame) else pd.DataFrame(list(content))
    unknown = [name for name in given.columns if name not in columns(table)]
    if unknown:
        raise TableError(f"table {table.name}: no column is called {unknown[0]!r}")
    absent = {
        name: pd.Series([None] * len(given), index=given.index, dtype="object")
        for name in columns(table)
        if name not in given.columns
    }
    whole = given.assign(**absent)[columns(table)]
    return check(table, typed(table, whole))


def typed(table: Table, given: pd.DataFrame) -> pd.DataFrame:
    """The same frame (some or all of the table's columns), each column in its type.

    Missing texts become ''. Raises TableError where a type is wrong.
    """
    result = {}
    for name in given.columns:
        series, kind = given[name], _PANDAS[type(table.c[name].type)]
        if kind == "str" and not isinstance(series.dtype, pd.StringDtype):
            series = series.astype("object")  # '' would not fit in numbers that are all missing
        try:
            result[name] = (
                series.fillna("").astype("str")
                if kind == "str"
                else (
                    series.astype(kind)  # type: ignore[call-overload]
                )
            )
        except (TypeError, ValueError) as error:
            raise TableError(f"table {table.name}: column {name}: {error}") from error
    return pd.DataFrame(result, columns=list(given.columns))


def of_texts(table: Table, given: pd.DataFrame) -> pd.DataFrame:
    """`typed`, of a frame whose cells are all texts, as a CSV file has them; '' is missing.

    Raises TableError for a column that the table lacks, and for a number that is none.
    """
    unknown = [name for name in given.columns if name not in table.c]
    if unknown:
        raise TableError(f"table {table.name}: no column is called {unknown[0]!r}")
    try:
        numbers = {
            name: given[name].map(lambda text: float(text) if text else None).astype("float64")
            for name in given.columns
            if isinstance(table.c[name].type, Float | Integer)
        }
    except ValueError as error:
        raise TableError(f"table {table.name}: {error}") from error
    return typed(table, given.assign(**numbers))


def check(table: Table, given: pd.DataFrame) -> pd.DataFrame:
    """The same frame, when its columns are the table's and its key names each row once.

    No part of a key may be missing; of the texts only those of `MAY_BE_EMPTY` may be ''.
    """
    if list(given.columns) != columns(table):
        raise TableError(
            f"table {table.name}: columns are {list(given.columns)}, not {columns(table)}"
        )
    for name in keys(table):
        lacking = given[name].isna() | ((given[name] == "") & (name not in MAY_BE_EMPTY))
        if lacking.any():
            raise TableError(
                f"table {table.name}: {int(lacking.sum())} rows have no {name}, which is part of "
                f"the key; first: row {int(lacking.to_numpy().argmax())}"
            )
    repeated = given[given.duplicated(keys(table))]
    if len(repeated):
        row = repeated.iloc[0]
        which = ", ".join(f"{name}={row[name]!r}" for name in keys(table))
        raise TableError(f"table {table.name}: {len(repeated)} rows repeat a key, first: {which}")
    return given
