"""Codings → coefficients, verdicts, consensus and assessments of a batch, in one transaction."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from sqlalchemy import Table, select

from labeler.codebook.codebook import Gate
from labeler.coding import consensus as consensus_stage
from labeler.coding import panels
from labeler.keys import key
from labeler.reliability import coefficients as reliability_stage
from labeler.reliability import gate as gate_stage
from labeler.reliability.assessments.assess import Material, assessed
from labeler.store import database, results, tables
from labeler.study.study import Study, batch_row, coded, logged, same_codebook

DRAWN = ["unit", "coder", "arm", "unit_probability", "task_probability"]


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

    A verdict whose ground is the same as before keeps the run that made it. Where codes change
    meanwhile it is computed again; ProjectError where that does not end.
    """
    same_codebook(study, batch_row(study, batch))
    settings = {"batch": batch, "gate": gate and gate.model_dump(), "family": family}
    with logged(study, "reliability", settings) as run:
        results.kept(study.engine, batch, lambda _: _computed(study, batch, gate, family, run))
    return stored(study, batch)


def _computed(
    study: Study, batch: str, gate: Gate | None, family: gate_stage.Family, run: str
) -> dict[Table, pd.DataFrame]:
    """The rows of every table that is computed from the codings alone."""
    row = batch_row(study, batch)
    material = _material(study, row)
    found = reliability_stage.reliability(
        material.codings,
        material.coded,
        study.codebook,
        batch=batch,
        suggester=str(row["suggester"]),
        again=material.again,
        drawn=reliability_stage.Drawn(material.tasks[DRAWN], material.authors),
        gate=gate,
    )
    verdicts = gate_stage.verdicts(found.rows, found.basis, family=family, run=run)
    given = blind(study, material.coded)
    more = assessed(study, material)
    judged = gate_stage.ruled(found.rows, verdicts)
    rows = [row._asdict() for part in (judged, more.rows) for row in tables.rows(part)]
    settings = key({"gate": gate and gate.model_dump(), "family": family})
    return {
        tables.RELIABILITY: tables.frame(tables.RELIABILITY, rows).assign(computed_from=settings),
        tables.VERDICTS: _first_made(study, batch, verdicts),
        tables.ASSESSMENTS: more.assessments,
        tables.CONSENSUS: consensus_stage.consensus(given, study.codebook, batch=batch),
    }


def stored(study: Study, batch: str) -> Judged:
    """What was computed last of a batch; empty frames where nothing was."""
    three = (tables.RELIABILITY, tables.VERDICTS, tables.ASSESSMENTS)
    return Judged(*(database.read(study.engine, table, batch=batch) for table in three))


def blind(study: Study, who: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Variable → blind human values (columns unit, coder, arm, value), unasked ones left out."""
    humans = who[who["coder"].str.startswith(panels.HUMAN) & (who["arm"] == "blind")]
    codings = of_coded(study, tables.CODINGS, humans)
    return {
        variable.variable: panels.values(codings, humans, variable).dropna(subset="value")
        for variable in study.codebook.variables
    }


def of_coded(
    study: Study, table: Table, who: pd.DataFrame, *, replicates: bool = False
) -> pd.DataFrame:
    """Rows of a derived table that belong to those who coded.

    Without `replicates`, a model's first replicates only.
    """
    rows = database.read(
        study.engine,
        table,
        codebook=study.codebook.fingerprint,
        unit=sorted(set(who["unit"])),
    )
    if not replicates:
        rows = rows[(rows["replicate"] == 1) | (rows["arm"] == panels.REPEAT)]
    wanted = pd.MultiIndex.from_frame(who[panels.WHO])
    return rows[pd.MultiIndex.from_frame(rows[panels.WHO]).isin(wanted)]


def _material(study: Study, row: pd.Series[str]) -> Material:
    who = coded(study, str(row["batch"]))
    posts = tables.POSTS
    units = sorted(set(who["unit"]))
    query = select(posts.c.unit, posts.c.author).where(
        database.matching(study.engine, posts, {"unit": units})
    )
    known = database.query_rows(study.engine, query)
    return Material(
        row=row,
        codings=of_coded(study, tables.CODINGS, who, replicates=True),
        segments=of_coded(study, tables.SEGMENTS, who),
        coded=who,
        again=_again(study, row, who),
        tasks=database.read(study.engine, tables.TASKS, batch=row["batch"]),
        authors=dict(zip(known["unit"], known["author"], strict=True)),
    )


def _again(study: Study, row: pd.Series[str], who: pd.DataFrame) -> pd.DataFrame:
    """Who coded a unit a second time: humans in the arm of repeats, the suggester by replicates."""
    people = who[who["arm"] == panels.REPEAT].assign(replicate=2)
    answers = database.read(
        study.engine,
        tables.COMPLETIONS,
        codebook=row["codebook"],
        coder=row["suggester"],
        error="",
    )
    own = answers[(answers["replicate"] > 1) & answers["unit"].isin(set(who["unit"]))]
    machine = own[["unit", "coder", "replicate"]].drop_duplicates().assign(arm="")
    found = pd.concat([people, machine], ignore_index=True)[reliability_stage.AGAIN]
    return found.astype({"replicate": int})


def _first_made(study: Study, batch: str, verdicts: pd.DataFrame) -> pd.DataFrame:
    """The verdicts; one that stands as it was keeps the run that made it first."""
    before = database.read(study.engine, tables.VERDICTS, batch=batch)
    before = before.assign(computed_from=before["computed_from"].map(results.settings_of))
    on = [*tables.keys(tables.VERDICTS), "computed_from", "verdict"]
    earlier = verdicts[on].merge(before[[*on, "run"]], on=on, how="left")["run"]
    kept = verdicts.assign(run=earlier.fillna(verdicts["run"]).to_numpy())
    return tables.frame(tables.VERDICTS, kept)
