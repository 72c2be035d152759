"""Codings → coefficients, verdicts, consensus and assessments of a batch, in one transaction."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from labeler.codebook.codebook import Gate
from labeler.coding import consensus as consensus_stage
from labeler.coding import read
from labeler.coding.batch import BatchCodings
from labeler.coding.read import read_batch
from labeler.reliability import coefficients as reliability_stage
from labeler.reliability import gate as gate_stage
from labeler.reliability.assessments.assess import Material, assessed
from labeler.store import database, tables
from labeler.study.study import Study, batch_row, logged, same_codebook

WANTED = {
    tables.CODINGS: read.CODINGS,
    tables.SEGMENTS: read.SEGMENTS,
    tables.TASKS: tables.columns(tables.TASKS),
    tables.POSTS: ("unit", "author", "text"),
}


class Judged(NamedTuple):
    """RELIABILITY, VERDICTS and ASSESSMENTS rows of a batch."""

    reliability: pd.DataFrame
    verdicts: pd.DataFrame
    assessments: pd.DataFrame


def reliability(
    study: Study,
    *,
    batch: str,
    gate: Gate | None = None,
    family: gate_stage.Family = "all",
) -> Judged:
    """Compute and store what coders agree on in a batch, and the gate's verdicts on it.

    A verdict whose ground is the same as before keeps the run that made it.
    """
    row = batch_row(study, batch)
    same_codebook(study, row)
    settings = {"batch": batch, "gate": gate and gate.model_dump(), "family": family}
    with logged(study, "reliability", settings) as run:
        coded = read_batch(study.engine, row, study.codebook, wanted=WANTED, replicates=True)
        drawn = reliability_stage.UnitSampling(coded.tasks, coded.authors)
        found = reliability_stage.reliability(coded, drawn=drawn, gate=gate)
        verdicts = gate_stage.verdicts(found.rows, found.basis, family=family, run=run)
        more = assessed(study, _material(row, coded))
        judged = gate_stage.ruled(found.rows, verdicts)
        rows = [row._asdict() for part in (judged, more.rows) for row in tables.rows(part)]
        database.replace(
            study.engine,
            (tables.RELIABILITY, {"batch": batch}, tables.frame(tables.RELIABILITY, rows)),
            (tables.VERDICTS, {"batch": batch}, _first_made(study, batch, verdicts)),
            (tables.ASSESSMENTS, {"batch": batch}, more.assessments),
            (
                tables.CONSENSUS,
                {"batch": batch},
                consensus_stage.consensus(coded.blind, study.codebook, batch=batch),
            ),
        )
        return stored(study, batch)


def stored(study: Study, batch: str) -> Judged:
    """What was computed last of a batch; empty frames where nothing was."""
    three = (tables.RELIABILITY, tables.VERDICTS, tables.ASSESSMENTS)
    return Judged(*(database.read(study.engine, table, batch=batch) for table in three))


def _material(row: pd.Series[str], coded: BatchCodings) -> Material:
    first = coded.coded[coded.coded["replicate"] == 1]
    return Material(
        row=row,
        codings=coded.codings,
        segments=coded.segments,
        coded=first,
        again=coded.again,
        tasks=coded.tasks,
        authors=coded.authors,
    )


def _first_made(study: Study, batch: str, verdicts: pd.DataFrame) -> pd.DataFrame:
    """The verdicts; one that stands as it was keeps the run that made it first."""
    before = database.read(study.engine, tables.VERDICTS, batch=batch)
    on = [*tables.keys(tables.VERDICTS), "computed_from", "verdict"]
    earlier = verdicts[on].merge(before[[*on, "run"]], on=on, how="left")["run"]
    kept = verdicts.assign(run=earlier.fillna(verdicts["run"]).to_numpy())
    return tables.frame(tables.VERDICTS, kept)
