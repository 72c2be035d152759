"""The page of what came back and does not fit: whom to send it back to, and where it is mended."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Response, abort, current_app, request

from labeler.project import Project
from labeler.store import tables
from labeler.store.sample_names import members
from labeler.studio.findings import TO_MEND
from labeler.web.report import selection
from labeler.web.report.answers import Row, answer, grouped
from labeler.web.report.hook import PROJECT
from labeler.workflow import queries
from labeler.workflow.findings import findings as found_of

MOST = 500  # findings that no coder can mend, as many as a page shows

pages = Blueprint("findings", __name__)


@pages.get("/findings")
def findings() -> Response | str:
    """What coders can mend, with the address of each task, and what else was found.

    Of the batch that `?batch=` names, else of all; as CSV all of it.
    """
    project = cast(Project, current_app.extensions[PROJECT])
    engine, named = selection.engine(), request.args.get("batch") or ""
    names = selection.batch_names()
    if named and named not in names:
        abort(404, f"There is no batch {named!r} in this store.")
    rows = found_of(engine, project, batches=members(named) if named else None, every=True)
    listed = tables.records(rows)
    to_mend = [row for row in listed if row["kind"] in TO_MEND]
    others = [row for row in listed if row["kind"] not in TO_MEND]
    shown = [*to_mend, *others[:MOST]]
    return answer(
        "findings.html",
        rows,
        name="findings",
        named=named,
        batches=names,
        coders=[(coder, _tasks(own)) for coder, own in grouped(to_mend, "coder")],
        kinds=[(kind, len(own)) for kind, own in grouped(others, "kind")],
        others=others[:MOST],
        words=TO_MEND,
        excerpts=queries.excerpts(engine, {row["unit"] for row in shown}),
    )


def _tasks(rows: list[Row]) -> list[tuple[Row, list[Row]]]:
    """(the first finding, all findings) of each task, in the order in which they come."""
    of: dict[tuple[str, str, str, int], list[Row]] = {}
    for row in rows:
        task = (row["batch"], row["arm"], row["unit"], row["studio_task"])
        of.setdefault(task, []).append(row)
    return [(own[0], own) for own in of.values()]
