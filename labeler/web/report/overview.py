"""Pages of the whole study: overview, codebook, the log of runs."""

from __future__ import annotations

from typing import Any, cast

import pandas as pd
from flask import Blueprint, Response, request

from labeler.codebook.codebook import Codebook
from labeler.results.figures import reliability
from labeler.store import database
from labeler.store.tables import LEDGER, RELIABILITY, RUNS
from labeler.web.report import queries
from labeler.web.report.answers import answer

COLUMNS = ["variable", "of", "level", "multiple", "question", "code", "label", "definition"]
LISTS = ["include", "exclude", "examples"]

pages = Blueprint("overview", __name__)


@pages.get("/")
def overview() -> Response | str:
    """What is in the store, how far coding is, and what the gate says."""
    seats = queries.progress()
    batch = queries.chosen_batch()
    return answer(
        "overview.html",
        seats,
        name="batches",
        platforms=queries.posts_by_platform().to_dict("records"),
        seats=_grouped(seats, "batch"),
        coders=_grouped(queries.completions(), "coder"),
        batch=batch,
        batches=queries.batch_names(),
        codebook=queries.codebook(batch["codebook"]) if batch else None,
        gate=_gate(batch),
    )


@pages.get("/codebook")
def codebook() -> Response | str:
    """A codebook to read: `?codebook=` by key, else the newest."""
    key = request.args.get("codebook") or queries.newest_codebook()
    book = queries.codebook(key) if key else None
    return answer("codebook.html", _lines(book), name="codebook", codebook=book, key=key)


@pages.get("/runs")
def runs() -> Response | str:
    """The log: which command ran when, with which settings, how it ended, and what left to whom."""
    log = database.read(queries.engine(), RUNS).sort_values("started", ascending=False)
    left = database.read(queries.engine(), LEDGER).sort_values("started", ascending=False)
    records, ledger = log.to_dict("records"), left.to_dict("records")
    return answer("runs.html", log, name="runs", runs=records, ledger=ledger)


def _grouped(rows: pd.DataFrame, by: str) -> list[tuple[str, list[dict[str, Any]]]]:
    return [
        (str(name), cast(list[dict[str, Any]], own.to_dict("records")))
        for name, own in rows.groupby(by, sort=False)
    ]


def _gate(batch: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The alpha rows of the blind humans, by which the gate opens or not."""
    if batch is None:
        return []
    rows = database.read(
        queries.engine(), RELIABILITY, batch=batch["batch"], panel="humans", evidence=1
    )
    rows = reliability.main_rows(rows)
    order = [v.variable for v in queries.codebook(batch["codebook"]).variables]
    records = cast(list[dict[str, Any]], rows.to_dict("records"))
    known = [row for row in records if row["variable"] in order]
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
