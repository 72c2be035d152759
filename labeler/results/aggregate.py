"""Verdicts and codings → the estimates of a recipe, of the variables whose gate is open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from labeler import hints
from labeler.codebook.codebook import Codebook
from labeler.coding import read
from labeler.coding.read import read_batch
from labeler.errors import GateError, ProjectError
from labeler.files import records
from labeler.keys import key
from labeler.reliability import gate
from labeler.results import recipe as recipes
from labeler.results.estimates import NOBODY, LeftOut, recipe_estimates
from labeler.results.phase_samples import ResponseRate, response
from labeler.results.read_frame import FrameFacts, read_frame
from labeler.results.recipe import Recipe
from labeler.store import database, tables
from labeler.store import results as stored
from labeler.study.study import Study, logged, now, same_codebook, sample_row
from labeler.text.names import unknown

OF_ESTIMATES = {
    tables.CODINGS: read.CODINGS,
    tables.SEGMENTS: read.SEGMENTS,
    tables.TASKS: ("unit", "arm", "unit_probability"),
}


class Aggregation(NamedTuple):
    """ESTIMATES rows, by which recipe, what of it was left out, and what they stand on."""

    rows: pd.DataFrame
    recipe: Recipe
    left_out: list[LeftOut]
    response: list[ResponseRate]
    facts: FrameFacts


class _Made(NamedTuple):
    found: Aggregation
    verdicts: pd.DataFrame


def recipe_of(study: Study, path: Path) -> Recipe:
    """The recipe in a file; RecipeError where it breaks a rule."""
    return recipes.read(records.read_text(path), study.codebook, source=str(path))


def aggregate(
    study: Study,
    *,
    batch: str,
    recipe: Recipe | None = None,
    variables: Sequence[str] = (),
    override: str = "",
) -> Aggregation:
    """Compute and store the ESTIMATES of a recipe, of the variables that the gate lets through.

    Without a recipe, of the default one; with `variables`, only tables of these. The gate is the
    verdict on the blind humans. Raises GateError, naming each variable it holds shut (tables of
    those that passed are written all the same), unless an `override` gives a reason: that reason
    then stands in every row. Outdated verdicts open no gate, with or without a reason; nor is
    anything estimated where nobody coded blind.
    """
    used = recipe or recipes.default(study.codebook)
    _known(variables, study.codebook)
    own = used.variables(study.codebook)
    asked = [name for name in own if name in variables] if variables else own
    settings = {"batch": batch, "variables": asked, "override": override}
    said = {"recipe": used.hash, "recipe_name": used.recipe}
    with logged(study, "aggregate", {**settings, **said}) as run:

        def attempt(standing: stored.Standing) -> _Made | None:
            made = _aggregated(study, batch, used, asked, override, standing)
            upon = stored.upon(standing, made.verdicts)
            kept = stored.keep(study.engine, batch, upon, {tables.ESTIMATES: made.found.rows})
            if not kept:
                return None
            return made._replace(found=made.found._replace(rows=kept[tables.ESTIMATES]))

        made = stored.steadily(study.engine, batch, attempt)
        ruled, shut = _of_humans(made.verdicts), gate.shut(made.verdicts, asked)
        if shut and override:
            _noted(study, run, batch, {name: ruled[name, ""].verdict for name in shut}, override)
        elif shut:
            open_ = [name for name in asked if name not in shut]
            raise GateError(_refusal(shut, open_, ruled, batch), hint=hints.SHUT_GATE)
        return made.found


def of_model(study: Study, batch: str) -> dict[str, str]:
    """Variable → verdict of the suggester against the blind humans; {} where there is none."""
    rows = database.read(
        study.engine, tables.VERDICTS, batch=batch, comparison=gate.MODEL, code=""
    ).set_index("variable")
    names = [v.variable for v in study.codebook.variables if v.variable in rows.index]
    return {name: str(rows.loc[name, "verdict"]) for name in names}


def _aggregated(
    study: Study,
    batch: str,
    recipe: Recipe,
    asked: list[str],
    override: str,
    standing: stored.Standing,
) -> _Made:
    """The estimates of what the gate lets through; GateError where its verdicts are outdated."""
    row = sample_row(study, batch)
    same_codebook(study, row)
    judged = _verdicts(study, batch, standing)
    shut = gate.shut(judged, asked)
    open_ = asked if override else [name for name in asked if name not in shut]
    coded = read_batch(study.engine, row, study.codebook, wanted=OF_ESTIMATES)
    frame, facts = read_frame(study, row, coded)
    if not frame.blind.unit.size:
        raise GateError(f"batch {batch!r}: {NOBODY}", hint=hints.CODE_BLIND)
    made = recipe_estimates(
        recipe,
        frame,
        study.codebook,
        batch=batch,
        verdicts={pair: ruling.verdict for pair, ruling in _of_humans(judged).items()},
        override=override,
        variables=open_,
    )
    settings = key({"variables": asked, "override": override, "recipe": recipe.hash})
    rows = made.rows.assign(computed_from=settings)
    return _Made(Aggregation(rows, recipe, made.left_out, response(frame), facts), judged)


def _verdicts(study: Study, batch: str, standing: stored.Standing) -> pd.DataFrame:
    rows = database.read(study.engine, tables.VERDICTS, batch=batch)
    if rows.empty:
        raise GateError(
            f"batch {batch!r}: reliability is not computed yet",
            hint=hints.COMPUTE_RELIABILITY.about(batch=batch),
        )
    if not stored.stands(rows["computed_from"].iloc[0], standing[tables.VERDICTS.name]):
        raise GateError(
            f"batch {batch!r}: its verdicts are outdated, since codes came, changed or went after "
            "they were computed",
            hint=hints.COMPUTE_RELIABILITY.about(batch=batch),
        )
    return rows


def _of_humans(judged: pd.DataFrame) -> dict[tuple[str, str], Any]:
    """Variable and code → the verdict on the blind humans."""
    own = judged[judged["comparison"] == gate.HUMAN]
    return {(row.variable, row.code): row for row in tables.rows(own)}


def _noted(study: Study, run: str, batch: str, shut: dict[str, str], reason: str) -> None:
    """An override stays on record: which verdicts it set aside, when and why."""
    rows = [
        {
            "run": run,
            "variable": name,
            "batch": batch,
            "verdict": verdict,
            "reason": reason,
            "created": now(),
        }
        for name, verdict in shut.items()
    ]
    database.add(study.engine, tables.OVERRIDES, tables.frame(tables.OVERRIDES, rows))


def _refusal(
    shut: list[str], written: list[str], ruled: dict[tuple[str, str], Any], batch: str
) -> str:
    lines = [f"batch {batch!r}: the gate is shut for {len(shut)} of {len(shut) + len(written)}:"]
    lines += [f"  {name}: {ruled[name, ''].verdict}: {ruled[name, ''].note}" for name in shut]
    if written:
        lines.append(f"Aggregated: {', '.join(written)}.")
    return "\n".join(lines)


def _known(names: Sequence[str], codebook: Codebook) -> None:
    there = [variable.variable for variable in codebook.variables]
    for name in names:
        if name not in there:
            raise ProjectError(unknown("variable", name, there))
