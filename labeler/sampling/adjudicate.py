"""Coded units of a batch → its adjudication arm."""

from __future__ import annotations

import json

import pandas as pd
from sqlalchemy import select

from labeler import hints
from labeler.coding import consensus, read
from labeler.coding.read import read_batch
from labeler.coding.vocabulary import ADJUDICATION, BLIND
from labeler.errors import ProjectError
from labeler.keys import canonical
from labeler.sampling import adjudication, strata
from labeler.sampling.adjudication import AdjudicationDraw, UnitCoders
from labeler.sampling.exposure import Exposure, exposure_rows
from labeler.sampling.sample import SampleResult, known_coders
from labeler.sampling.seen_texts import exposures, words_of
from labeler.store import database, tables
from labeler.study.study import Study, batch_row, logged, now, same_codebook
from labeler.text.names import unknown


def adjudicate(study: Study, wish: AdjudicationDraw, *, batch: str) -> SampleResult:
    """Draw units of a coded batch into its adjudication arm.

    The batch's other tasks stay as they are. The same call again adds the units that came to
    belong there since; with a size it adds none. Another wish for the same batch is refused.
    """
    row = batch_row(study, batch)
    same_codebook(study, row)
    _variables(study, wish)
    known_coders(study, wish.coders)
    with logged(study, "sample", {"batch": batch, "adjudication": wish._asdict()}):
        tasks = database.read(study.engine, tables.TASKS, batch=batch)
        design = json.loads(row["design"])
        wanted = json.loads(canonical(wish._asdict()))
        if design.get(ADJUDICATION, wanted) != wanted:
            raise ProjectError(
                f"batch {batch!r} has an adjudication arm already, drawn in another way "
                f"({canonical(design[ADJUDICATION])})",
                hint=hints.SAME_WISH,
            )
        units = _units(study, wish, row, batch)
        there = tasks[tasks["arm"] == ADJUDICATION]
        if wish.size is not None and not there.empty:
            return SampleResult(batch, tasks, len(units), new=False)
        seen = exposures(study.engine, units)
        drawn = adjudication.draw(units, wish, tasks, _unit_coders(study, row, units, seen))
        if not drawn.empty:
            _write(study, row, {**design, ADJUDICATION: wanted}, drawn)
        held = database.read(study.engine, tables.TASKS, batch=batch)
        return SampleResult(batch, held, len(units), new=not drawn.empty)


def _variables(study: Study, wish: AdjudicationDraw) -> list[str]:
    there = [variable.variable for variable in study.codebook.variables]
    for name in wish.variables:
        if name not in there:
            raise ProjectError(unknown("variable", name, there))
    return list(wish.variables) or there


def _units(study: Study, wish: AdjudicationDraw, row: pd.Series[str], batch: str) -> list[str]:
    """The units that the wish is about, of those that somebody coded blind."""
    names = _variables(study, wish)
    wanted = {} if wish.source == "uncertain" else {tables.CODINGS: read.CODINGS}
    coded = read_batch(study.engine, row, study.codebook, wanted=wanted)
    units = sorted(set(coded.coded.loc[coded.coded["arm"] == BLIND, "unit"]))
    if wish.source == "uncertain":
        which: dict[str, object] = {
            "codebook": row["codebook"],
            "coder": row["suggester"],
            "unit": units,
            "variable": names,
        }
        sure = strata.least_sure(database.read(study.engine, tables.CONFIDENCE, **which))
        if units and not sure:
            raise ProjectError(
                f"nothing says how sure {row['suggester'] or 'a model'} is",
                hint=hints.GET_CONFIDENCE,
            )
        return sorted(sure, key=lambda unit: (sure[unit], unit))
    given = {name: coded.blind[name] for name in names}
    if wish.source == "disagreed":
        return adjudication.disagreed(given)
    kept = consensus.consensus(given, study.codebook, batch=batch)
    return adjudication.unresolved(kept, names)


def _unit_coders(study: Study, row: pd.Series[str], units: list[str], seen: Exposure) -> UnitCoders:
    """Who has a task of the units under this codebook, in any batch, still open, or their words
    to code blind under any; and who coded them under this one."""
    tasks, notes, batches = tables.TASKS, tables.ANNOTATIONS, tables.BATCHES
    query = (
        select(tasks.c.unit, tasks.c.coder, tasks.c.arm, notes.c.annotation)
        .join(batches, batches.c.batch == tasks.c.batch)
        .outerjoin(
            notes,
            (notes.c.batch == tasks.c.batch)
            & (notes.c.arm == tasks.c.arm)
            & (notes.c.coder == tasks.c.coder)
            & (notes.c.unit == tasks.c.unit)
            & (notes.c.withdrawn == 0),
        )
        .where(
            batches.c.codebook == row["codebook"],
            database.matching(study.engine, tasks, {"unit": units}),
        )
    )
    found = database.query_rows(study.engine, query)
    found = found[found["arm"] != ADJUDICATION]
    open_, coded = (
        {str(unit): set(own["coder"]) for unit, own in part.groupby("unit")}
        for part in (found[found["annotation"].isna()], found[found["annotation"].notna()])
    )
    return UnitCoders(
        {unit: sorted(open_.get(unit, set()) | seen.open_to(unit)) for unit in units},
        {unit: sorted(coders) for unit, coders in coded.items()},
    )


def _write(
    study: Study, row: pd.Series[str], design: dict[str, object], drawn: pd.DataFrame
) -> None:
    """Add tasks, and the seats that are new, and note the wish in the batch: all or nothing."""
    batch = row["batch"]
    seats = database.read(study.engine, tables.SEATS, batch=batch, arm=ADJUDICATION)
    new = sorted(set(drawn["coder"]) - set(seats["coder"]))
    here: dict[str, object] = {"batch": batch, "arm": ADJUDICATION}
    units = sorted(drawn["unit"])
    words = words_of(study.engine, units)
    database.replace(
        study.engine,
        (
            tables.BATCHES,
            {"batch": batch},
            tables.frame(tables.BATCHES, [dict(row) | {"design": canonical(design)}]),
        ),
        (
            tables.SEATS,
            {**here, "coder": new},
            tables.frame(tables.SEATS, [{**here, "coder": coder} for coder in new]),
        ),
        (tables.TASKS, {**here, "unit": units}, drawn),
        (tables.EXPOSURES, {**here, "unit": units}, exposure_rows(drawn, words, since=now())),
    )
