"""Pages of a batch: reliability, assessments, disagreements, estimates."""

from __future__ import annotations

from typing import Any

import pandas as pd
from flask import Blueprint, Response, abort, request

from labeler.codebook.codebook import Codebook
from labeler.coding.read import left_out, seen_before
from labeler.coding.vocabulary import HUMANS
from labeler.reliability import gate
from labeler.reliability.sentences import hidden, sentences
from labeler.results.side_by_side import in_book_order, side_by_side, variables_of
from labeler.statistics.agreement.definitions import DEFINITIONS
from labeler.store import database, tables
from labeler.store.tables import ASSESSMENTS, ESTIMATES, RELIABILITY, VERDICTS
from labeler.web.report import agreement, figures, selection
from labeler.web.report import assessments as assessment_sections
from labeler.web.report.answers import Row, answer, grouped
from labeler.workflow import queries

LEFT = "left_out"  # a table of no home: tasks answered without a coding that counts
DISAGREE = tables.DISAGREEMENTS.name
TARGETS = ("collection", "population")
UNITS = 100  # that a page of disagreements shows

pages = Blueprint("results", __name__)


@pages.get("/reliability")
def reliability() -> Response | str:
    """Verdicts of a batch, human-human and human-model apart, and every coefficient."""
    batch = selection.chosen_batch()
    name = request.args.get("table", RELIABILITY.name)
    if name not in (RELIABILITY.name, VERDICTS.name, LEFT):
        there = f"{RELIABILITY.name}, {VERDICTS.name} and {LEFT}"
        abort(404, f"There is no table {name!r} here; there are {there}.")
    if request.args.get("format") == "csv" and name == LEFT:
        return answer("", left_out(selection.engine(), batch["batch"] if batch else ""), name=name)
    if request.args.get("format") == "csv":
        return answer("", _of(batch, tables.METADATA.tables[name]), name=name)
    rows = queries.coefficients(selection.engine(), batch["batch"] if batch else "")
    judged, book = _of(batch, VERDICTS), selection.codebook_of(batch)
    return answer(
        "reliability.html",
        rows,
        name=name,
        batch=batch,
        batches=selection.batch_names(),
        codebook=book,
        verdicts=agreement.verdicts(judged, rows, book),
        by_group=agreement.by_group(rows, book),
        sentences=sentences(rows),
        hidden=hidden(rows),
        groups=agreement.coefficients(rows, book),
        definitions={
            coefficient: DEFINITIONS[coefficient]
            for coefficient in sorted(set(rows["coefficient"]))
            if coefficient in DEFINITIONS
        },
        figures=figures.shown({RELIABILITY.name: rows, VERDICTS.name: judged}, book),
        thresholds=_thresholds(rows),
        looks=_looks(judged),
        seen=tables.records(seen_before(selection.engine(), batch["batch"])) if batch else [],
        families=[gate.MEANING[family] for family in gate.MEANING if family in _families(judged)],
    )


@pages.get("/assessments")
def assessments() -> Response | str:
    """What each assessment of a batch found."""
    batch = selection.chosen_batch()
    rows, book = _of(batch, ASSESSMENTS), selection.codebook_of(batch)
    drawn = figures.shown({ASSESSMENTS.name: rows}, book)
    sections = assessment_sections.sections(rows, drawn, book)
    placed = {section.name for section in sections}
    return answer(
        "assessments.html",
        rows,
        name="assessments",
        batch=batch,
        batches=selection.batch_names(),
        codebook=book,
        sections=sections,
        figures=[one for one in drawn if one.figure.assessment not in placed],
    )


@pages.get("/disagreements")
def disagreements() -> Response | str:
    """Units on which blind humans differ, or a model from them; of one variable or counted."""
    batch = selection.chosen_batch()
    book = selection.codebook_of(batch)
    variable = selection.variable(book)
    engine, name = selection.engine(), batch["batch"] if batch else ""
    if request.args.get("format") == "csv":
        return answer("", queries.disagreements(engine, name, variable=variable), name=DISAGREE)
    after = request.args.get("after", "")
    units = queries.differing(engine, name, variable, after=after, most=UNITS) if variable else []
    rows = queries.disagreements(engine, name, variable=variable, units=units)
    remarks = queries.remarks(queries.remarked(engine, name)) if batch and not variable else []
    counts = sorted(queries.comparisons(engine, name), key=_humans_first)
    return answer(
        "disagreements.html",
        rows,
        name=DISAGREE,
        batch=batch,
        batches=selection.batch_names(),
        codebook=book,
        variable=variable,
        counts=_in_book(counts, book),
        panels=_panels(counts, tables.records(rows), variable),
        after=after,
        more=units[-1] if len(units) == UNITS else "",
        remarks=remarks,
        excerpts=queries.excerpts(engine, {*units, *(row["unit"] for row in remarks)}),
    )


@pages.get("/estimates")
def estimates() -> Response | str:
    """What each estimator says, of each table of the analysis, for one target; of one variable."""
    batch = selection.chosen_batch()
    book = selection.codebook_of(batch)
    variable = selection.variable(book)
    target = request.args.get("target", TARGETS[0])
    if target not in TARGETS:
        abort(404, f"There is no target {target!r}; there are {' and '.join(TARGETS)}.")
    rows = _of(batch, ESTIMATES)
    analyses = _analyses(rows, book)
    chosen = request.args.get("analysis", "")
    if chosen and chosen not in analyses:
        abort(404, f"There is no table {chosen!r} here; there are {', '.join(analyses)}.")
    named = variables_of(rows["code"])
    shown = rows[[variable in variables_of((code,)) for code in rows["code"]]] if variable else rows
    if chosen:
        shown = shown[shown["analysis"] == chosen]
    elif not variable:  # those of one variable each; crossed ones are long, and come one by one
        whole = set(rows.loc[rows["by"] != "", "analysis"])
        shown = shown[~shown["analysis"].isin(whole)] if len(whole) < len(analyses) else shown
    csv = request.args.get("format") == "csv" and not chosen and not variable
    return answer(
        "estimates.html",
        rows if csv else shown,
        name="estimates",
        batch=batch,
        batches=selection.batch_names(),
        codebook=book,
        variable=variable,
        target=target,
        targets=[name for name in TARGETS if name in set(rows["target"])],
        sections=side_by_side(in_book_order(shown, book) if book else shown, target=target),
        figures=figures.shown({ESTIMATES.name: shown}, book),
        analyses=analyses,
        chosen=chosen,
        named=named,
    )


def _analyses(rows: pd.DataFrame, book: Codebook | None) -> list[str]:
    """The names of the tables of the recipe, in the order of the codebook."""
    ordered = in_book_order(rows, book) if book and len(rows) else rows
    return list(dict.fromkeys(ordered["analysis"]))


def _of(batch: dict[str, Any] | None, table: Any) -> pd.DataFrame:
    if batch is None:
        return tables.frame(table)
    return database.read(selection.engine(), table, batch=batch["batch"])


def _thresholds(rows: pd.DataFrame) -> list[tuple[float, float]]:
    pairs = rows[["tentative", "reliable"]].dropna().drop_duplicates()
    return sorted(pairs.itertuples(index=False, name=None))


def _looks(judged: pd.DataFrame) -> list[Row]:
    """look, level of each look that the verdicts are."""
    found = judged[["look", "level"]].dropna().drop_duplicates().sort_values("look")
    return tables.records(found)


def _families(judged: pd.DataFrame) -> set[str]:
    return {str(family) for family in judged["family"]}


def _humans_first(row: Row) -> tuple[bool, str]:
    return row["panel"] != HUMANS, row["panel"]


def _in_book(rows: list[Row], book: Codebook | None) -> list[tuple[str, list[Row]]]:
    """(variable, its rows), as the codebook has them."""
    of = dict(grouped(rows, "variable"))
    order = [variable.variable for variable in book.variables] if book else []
    return [(name, of[name]) for name in order if name in of]


def _panels(counts: list[Row], rows: list[Row], variable: str) -> list[tuple[Row, Any]]:
    """(its COMPARISONS row, units with each coder's value) of each panel of a variable."""
    of_panel = dict(grouped(rows, "panel"))
    return [
        (row, grouped(of_panel.get(row["panel"], []), "unit"))
        for row in counts
        if row["variable"] == variable
    ]
