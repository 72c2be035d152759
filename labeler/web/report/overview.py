"""Pages of the whole study: overview, codebook, the log of runs."""

from __future__ import annotations

from typing import Any

import pandas as pd
from flask import Blueprint, Response, request

from labeler.codebook.codebook import Codebook
from labeler.results.figures import reliability
from labeler.store import database, tables
from labeler.store.tables import RELIABILITY
from labeler.web.report import selection
from labeler.web.report.answers import answer, grouped
from labeler.workflow import queries
from labeler.workflow.progress import progress

COLUMNS = ["variable", "of", "level", "multiple", "question", "code", "label", "definition"]
RUNS_SHOWN = 200
LISTS = ["include", "exclude", "examples"]

pages = Blueprint("overview", __name__)


@pages.get("/")
def overview() -> Response | str:
    """What is in the store, how far coding is, and what the gate says."""
    engine = selection.engine()
    seats = progress(engine)
    batch = selection.chosen_batch()
    book = selection.codebook(batch["codebook"]) if batch else None
    return answer(
        "overview.html",
        seats,
        name="batches",
        platforms=queries.posts_by_platform(engine),
        seats=grouped(tables.records(seats), "batch"),
        coders=grouped(queries.completions(engine), "coder"),
        batch=batch,
        batches=selection.batch_names(),
        codebook=book,
        gate=_gate(batch, book),
    )


@pages.get("/codebook")
def codebook() -> Response | str:
    """A codebook to read: `?codebook=` by key, else the newest."""
    found = selection.stored_codebook(request.args.get("codebook") or None)
    key, book = found.key, selection.read(found) if found.key else None
    return answer("codebook.html", _lines(book), name="codebook", codebook=book, key=key)


@pages.get("/runs")
def runs() -> Response | str:
    """The log: which command ran when, with which settings, how it ended, and what left to whom.

    The newest first, RUNS_SHOWN at a time: `?before=` continues behind a run. As CSV all of them.
    """
    engine = selection.engine()
    whole = request.args.get("format") == "csv"
    before = request.args.get("before", "")
    log = queries.runs(engine, before="" if whole else before, most=None if whole else RUNS_SHOWN)
    records = tables.records(log)
    return answer(
        "runs.html",
        log,
        name="runs",
        runs=records,
        ledger=queries.ledger(engine, [row["run"] for row in records]),
        before=before,
        more=records[-1]["run"] if len(records) == RUNS_SHOWN else "",
    )


def _gate(batch: dict[str, Any] | None, book: Codebook | None) -> list[dict[str, Any]]:
    """The alpha rows of the blind humans, by which the gate opens or not."""
    if batch is None or book is None:
        return []
    rows = database.read(
        selection.engine(), RELIABILITY, batch=batch["batch"], panel="humans", evidence=1
    )
    rows = reliability.main_rows(rows)
    order = [variable.variable for variable in book.variables]
    known = [row for row in tables.records(rows) if row["variable"] in order]
    return sorted(known, key=lambda row: order.index(row["variable"]))


def _lines(book: Codebook | None) -> pd.DataFrame:
    """A line for each code; a variable without codes has one line of its own."""
    lines = []
    for variable in book.variables if book else ():
        shared: dict[str, Any] = {
            "variable": variable.variable,
            "of": variable.of,
            "level": variable.level,
            "multiple": int(variable.multiple),
            "question": variable.question,
        }
        for value in variable.values:
            told = value.model_dump(include={"code", "label", "definition"})
            several = value.model_dump(include=set(LISTS))
            lines.append(shared | told | {k: " | ".join(v) for k, v in several.items()})
        if not variable.values:
            lines.append({**shared, "label": variable.label, "definition": variable.definition})
    return pd.DataFrame(lines, columns=[*COLUMNS, *LISTS]).fillna("")
