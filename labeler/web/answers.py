"""A page, or its table as CSV that a spreadsheet can open without running anything."""

from __future__ import annotations

import csv
from typing import Any

import pandas as pd
from flask import Response, abort, render_template, request

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def answer(template: str, table: pd.DataFrame, *, name: str, **context: Any) -> Response | str:
    """The page, or for `?format=csv` its `table`; `name` is the file's, without ending."""
    form = request.args.get("format", "html")
    if form == "csv":
        return Response(
            as_csv(table),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
        )
    if form != "html":
        abort(400, f"There is no format {form!r}; there are html and csv.")
    return render_template(template, **context)


def as_csv(table: pd.DataFrame) -> str:
    """CSV text (RFC 4180); a text that a spreadsheet would run gets a leading apostrophe."""
    safe = table.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column].dtype):
            safe[column] = [_inert(value) for value in safe[column]]
    return str(safe.to_csv(index=False, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL))


def _inert(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
