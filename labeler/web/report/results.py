"""Pages of a batch: reliability, disagreements, estimates, and their figures."""

from __future__ import annotations

from typing import Any, cast

import pandas as pd
from flask import Blueprint, Response, abort, request

from labeler.codebook.codebook import Codebook
from labeler.keys import canonical
from labeler.reliability import gate
from labeler.results.figures import calibration, draw
from labeler.results.figures import reliability as figures
from labeler.statistics.agreement.definitions import DEFINITIONS
from labeler.store import database, tables
from labeler.store.tables import ASSESSMENTS, CONSENSUS, ESTIMATES, RELIABILITY, VERDICTS
from labeler.web.report import agreement, differences, queries
from labeler.web.report.answers import answer

UNRESOLVED = "unresolved"
NARROW = 190
TYPES: dict[draw.Form, str] = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "pdf": "application/pdf",
}

pages = Blueprint("results", __name__)


@pages.get("/reliability")
def reliability() -> Response | str:
    """Verdicts of a batch, human-human and human-model apart, and every coefficient."""
    batch = queries.chosen_batch()
    rows, judged = _of(batch, RELIABILITY), _of(batch, VERDICTS)
    book = _codebook(batch)
    name = request.args.get("table", RELIABILITY.name)
    shown = {RELIABILITY.name: rows, VERDICTS.name: judged}.get(name)
    if shown is None:
        abort(404, f"There is no table {name!r} here; there are reliability and verdicts.")
    return answer(
        "reliability.html",
        shown,
        name=name,
        batch=batch,
        batches=queries.batch_names(),
        codebook=book,
        verdicts=agreement.verdicts(judged, rows, book),
        groups=agreement.coefficients(rows, book),
        definitions={
            coefficient: DEFINITIONS[coefficient]
            for coefficient in sorted(set(rows["coefficient"]))
            if coefficient in DEFINITIONS
        },
        has_figure=bool(len(figures.main_rows(rows))),
        thresholds=_thresholds(rows),
        families=[gate.MEANING[family] for family in gate.MEANING if family in _families(judged)],
    )


@pages.get("/assessments")
def assessments() -> Response | str:
    """Anchoring, stand-in test, calibration, skipping and drift of a batch."""
    batch = queries.chosen_batch()
    rows, book = _of(batch, ASSESSMENTS), _codebook(batch)
    return answer(
        "assessments.html",
        rows,
        name="assessments",
        batch=batch,
        batches=queries.batch_names(),
        codebook=book,
        groups=agreement.assessments(rows, book),
    )


@pages.get("/disagreements")
def disagreements() -> Response | str:
    """Units on which blind humans differ, or a model from them; of one variable or counted."""
    batch = queries.chosen_batch()
    book = _codebook(batch)
    variable = _variable(book)
    found = _differences(batch, book)
    rows = found.rows
    if variable:
        rows = rows[rows["variable"] == variable]
    remarks = queries.remarks(batch=batch["batch"]) if batch and not variable else []
    return answer(
        "disagreements.html",
        rows,
        name="disagreements",
        batch=batch,
        batches=queries.batch_names(),
        codebook=book,
        variable=variable,
        counts=found.counts.to_dict("records"),
        panels=[
            (panel, _units(rows[rows["panel"] == panel]))
            for panel in (differences.HUMANS, differences.MODEL)
        ],
        remarks=remarks,
        excerpts=queries.excerpts(batch["batch"]) if batch and (variable or remarks) else {},
    )


@pages.get("/estimates")
def estimates() -> Response | str:
    """Shares per code of a batch, with counts and intervals."""
    batch = queries.chosen_batch()
    book = _codebook(batch)
    variable = _variable(book)
    rows = _of(batch, ESTIMATES)
    shown = rows[rows["variable"] == variable] if variable else rows
    return answer(
        "estimates.html",
        shown,
        name="estimates",
        batch=batch,
        batches=queries.batch_names(),
        codebook=book,
        variable=variable,
        groups=_codes_by_variable(shown, book),
        named=sorted(set(rows["variable"])),
    )


@pages.get("/figures/reliability.<form>")
def reliability_figure(form: str) -> Response:
    """Alpha per variable and panel: svg, png, pdf, or the specification as json."""
    batch = queries.chosen_batch()
    rows = figures.main_rows(_of(batch, RELIABILITY))
    book = _codebook(batch)
    if book is None or rows.empty:
        abort(404, "This batch has no reliability yet: give `labeler reliability`.")
    return _drawn(figures.reliability(rows, book, width=_width()), form, RELIABILITY.name)


@pages.get("/figures/estimates.<form>")
def estimates_figure(form: str) -> Response:
    """Shares of one variable's codes: svg, png, pdf, or the specification as json."""
    batch = queries.chosen_batch()
    book = _codebook(batch)
    variable = _variable(book)
    rows = _of(batch, ESTIMATES)
    rows = rows[rows["variable"] == variable]
    if book is None or rows.empty:
        abort(404, "There are no estimates of this variable: name one with ?variable=.")
    return _drawn(
        figures.shares(rows, book, variable=variable, width=_width()), form, ESTIMATES.name
    )


@pages.get("/figures/calibration.<form>")
def calibration_figure(form: str) -> Response:
    """How far a variable's confidence can be trusted, and what the surest units err in."""
    batch = queries.chosen_batch()
    rows = _of(batch, ASSESSMENTS)
    variable = request.args.get("variable", "")
    own = rows[rows["assessment"].isin(("calibration", "skip")) & (rows["variable"] == variable)]
    if own.empty:
        abort(404, "There is no calibration of this variable: name one with ?variable=.")
    return _drawn(calibration.calibration(own[own["code"] == ""]), form, ASSESSMENTS.name)


def _drawn(spec: figures.Spec, form: str, table: str) -> Response:
    """A figure of a result table as an answer, with a warning where that is outdated.

    404 for a form that there is not.
    """
    batch = queries.chosen_batch()
    warning = queries.outdated(batch["batch"], only=table) if batch else ""
    drawn = draw.marked(spec, warning)
    if form == "json":
        return Response(canonical(drawn), content_type="application/json")
    known: draw.Form | None = next((name for name in TYPES if name == form), None)
    if known is None:
        abort(404, f"Figures come as {', '.join(TYPES)} and json; there is no {form!r}.")
    return Response(draw.draw(drawn, known), content_type=TYPES[known])


def _of(batch: dict[str, Any] | None, table: Any) -> pd.DataFrame:
    if batch is None:
        return tables.frame(table)
    return database.read(queries.engine(), table, batch=batch["batch"])


def _codebook(batch: dict[str, Any] | None) -> Codebook | None:
    return queries.codebook(batch["codebook"]) if batch else None


def _variable(book: Codebook | None) -> str:
    """The variable that `?variable=` names; '' for none; 404 for one the codebook lacks."""
    name = request.args.get("variable", "")
    if name and (book is None or name not in {v.variable for v in book.variables}):
        abort(404, f"The codebook has no variable {name!r}.")
    return name


def _width() -> int:
    return NARROW if request.args.get("width") == "narrow" else figures.WIDE


def _thresholds(rows: pd.DataFrame) -> list[tuple[float, float]]:
    pairs = rows[["tentative", "reliable"]].dropna().drop_duplicates()
    return sorted(pairs.itertuples(index=False, name=None))


def _families(judged: pd.DataFrame) -> set[str]:
    return {str(family) for family in judged["family"]}


def _codes_by_variable(
    rows: pd.DataFrame, book: Codebook | None
) -> list[tuple[str, list[dict[str, Any]]]]:
    """(variable, its rows): variables and codes as the codebook has them."""
    groups = []
    for name in _in_order(rows, book):
        known = book.variable(name) if book else None
        codes = list(known.codes) if known else []
        own = cast(list[dict[str, Any]], rows[rows["variable"] == name].to_dict("records"))
        end = len(codes)
        own.sort(key=lambda row: codes.index(row["code"]) if row["code"] in codes else end)
        groups.append((name, own))
    return groups


def _in_order(rows: pd.DataFrame, book: Codebook | None) -> list[str]:
    order = [variable.variable for variable in book.variables] if book else []
    return [name for name in order if name in set(rows["variable"])]


def _differences(batch: dict[str, Any] | None, book: Codebook | None) -> differences.Differences:
    if batch is None or book is None:
        none = pd.DataFrame(columns=differences.COLUMNS)
        return differences.Differences(none, pd.DataFrame(columns=["panel", "variable"]))
    name, key = batch["batch"], batch["codebook"]
    kept = database.read(queries.engine(), CONSENSUS, batch=name)
    kept = kept[kept["rule"] != UNRESOLVED]
    consensus = dict(
        zip(zip(kept["unit"], kept["variable"], strict=True), kept["value"], strict=True)
    )
    return differences.differences(
        queries.codings(name, key), queries.coded(name, key), book, consensus
    )


def _units(rows: pd.DataFrame) -> list[tuple[str, list[dict[str, Any]]]]:
    """(unit, each coder's value)."""
    return [
        (str(unit), cast(list[dict[str, Any]], own.to_dict("records")))
        for unit, own in rows.groupby("unit", sort=True)
    ]
