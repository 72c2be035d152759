"""A page, or its table as CSV that a spreadsheet can open without running anything."""

from __future__ import annotations

from typing import Any

import pandas as pd
from flask import Response, abort, render_template, request
from pandas.api.types import is_object_dtype

from labeler.results import bundle
from labeler.store import results
from labeler.web.report import queries


def answer(template: str, table: pd.DataFrame, *, name: str, **context: Any) -> Response | str:
    """The page, or for `?format=csv` its `table`; `name` is the file's, without ending.

    A file of an outdated result table is called so.
    """
    form = request.args.get("format", "html")
    if form == "csv":
        batch = context.get("batch")
        if batch and name in results.outdated(queries.engine(), batch["batch"]):
            name = f"{name}-outdated"
        texts = {name: "str" for name, kind in table.dtypes.items() if is_object_dtype(kind)}
        return Response(
            bundle.csv(table.astype(texts)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
        )
    if form != "html":
        abort(400, f"There is no format {form!r}; there are html and csv.")
    return render_template(template, **context)
