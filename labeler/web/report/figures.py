"""The figures of a batch, as files; which there are, figures declare themselves."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from flask import Blueprint, Response, abort, request

from labeler.codebook.codebook import Codebook
from labeler.keys import canonical
from labeler.results.figures import draw
from labeler.results.figures.declaration import BatchFigure, declared, figures_of
from labeler.results.figures.style import WIDE
from labeler.store import database
from labeler.store.tables import METADATA
from labeler.web.report import selection

NARROW = 190
TYPES: dict[draw.Form, str] = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "pdf": "application/pdf",
}

pages = Blueprint("figures", __name__)


@pages.get("/figures/<name>.<form>")
def figure(name: str, form: str) -> Response:
    """A figure, of `?variable=` where there is one for each: svg, png, pdf, or its specification.

    `?width=narrow` makes it fit a phone.
    """
    variable = request.args.get("variable", "")
    own = [one for one in _of_batch(name) if one.variable == variable]
    if not own:
        of = f" of variable {variable!r}" if variable else ""
        abort(404, f"There is nothing to draw for {name}{of} in this batch.")
    width = NARROW if request.args.get("width") == "narrow" else WIDE
    batch = selection.chosen_batch()
    warning = selection.outdated(batch["batch"], own[0].figure.table) if batch else ""
    spec = draw.marked(own[0].spec(width=width), warning)
    if form == "json":
        return Response(canonical(spec), content_type="application/json")
    known: draw.Form | None = next((kind for kind in TYPES if kind == form), None)
    if known is None:
        abort(404, f"Figures come as {', '.join(TYPES)} and json; there is no {form!r}.")
    return Response(draw.draw(spec, known), content_type=TYPES[known])


def shown(frames: Mapping[str, pd.DataFrame], book: Codebook | None) -> list[BatchFigure]:
    """The figures that a page shows of the tables that it has read."""
    return figures_of(frames, book) if book else []


def _of_batch(name: str) -> list[BatchFigure]:
    """The figures called `name` of the chosen batch; 404 where none is called so."""
    tables = [one.table for one in declared() if one.name == name]
    if not tables:
        known = ", ".join(one.name for one in declared())
        abort(404, f"There is no figure {name!r}; there are {known}.")
    batch = selection.chosen_batch()
    if batch is None:
        return []
    table = METADATA.tables[tables[0]]
    rows = database.read(selection.engine(), table, batch=batch["batch"])
    figures = figures_of({table.name: rows}, selection.codebook(batch["codebook"]))
    return [one for one in figures if one.figure.name == name]
