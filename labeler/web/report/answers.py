"""A page, or its table as CSV that a spreadsheet can open without running anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
from flask import Response, abort, render_template, request
from pandas.api.types import is_object_dtype

from labeler.results.formats.csv_files import csv_text
from labeler.store import results
from labeler.web.report import selection

Row = dict[str, Any]


def answer(template: str, table: pd.DataFrame, *, name: str, **context: Any) -> Response | str:
    """The page, or for `?format=csv` its `table`; `name` is the file's, without ending.

    The file of a result table that is outdated is called so.
    """
    form = request.args.get("format", "html")
    if form == "csv":
        batch = selection.chosen_batch()
        if batch and name in results.outdated(selection.engine(), batch["batch"]):
            name = f"{name}-outdated"
        texts = {name: "str" for name, kind in table.dtypes.items() if is_object_dtype(kind)}
        return Response(
            csv_text(table.astype(texts)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
        )
    if form != "html":
        abort(400, f"There is no format {form!r}; there are html and csv.")
    return render_template(template, **context)


def grouped(rows: Iterable[Row], by: str) -> list[tuple[str, list[Row]]]:
    """(value of one column, its rows), in the order in which the values come."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(str(row[by]), []).append(row)
    return list(groups.items())
