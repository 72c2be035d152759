"""Codings → coefficients, verdicts, consensus and assessments of a batch, in one transaction."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from sqlalchemy import Table, select

from labeler.codebook.codebook import Codebook, Gate
from labeler.coding import consensus as consensus_stage
from labeler.coding import panels
from labeler.reliability import coefficients as reliability_stage
from labeler.reliability import gate as gate_stage
from labeler.reliability import segments as segments_stage
from labeler.reliability.assessments.assess import Material, assess, drawn
from labeler.store import database, tables
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

    A verdict whose ground is the same as before keeps the run that made it.
    """
    row = batch_row(study, batch)
    same_codebook(study, row)
    settings = {"batch": batch, "gate": gate and gate.model_dump(), "family": family}
    with logged(study, "reliability", settings) as run:
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
        judged = gate_stage.with_verdicts(found.rows, verdicts)
        rows = [
            row._asdict()
            for part in (judged, _segments(study, material))
            for row in tables.rows(part)
        ]
        database.replace(
            study.engine,
            (tables.RELIABILITY, {"batch": batch}, tables.frame(tables.RELIABILITY, rows)),
            (tables.VERDICTS, {"batch": batch}, _first_made(study, batch, verdicts)),
            (tables.ASSESSMENTS, {"batch": batch}, assess(study, material)),
            (
                tables.CONSENSUS,
                {"batch": batch},
                consensus_stage.consensus(given, study.codebook, batch=batch),
            ),
        )
        return stored(study, batch)


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


def _segments(study: Study, material: Material) -> pd.DataFrame:
    """RELIABILITY rows about segments."""
    posts = tables.POSTS
    units = {"unit": sorted(set(material.coded["unit"]))}
    query = select(posts.c.unit, posts.c.text).where(database.matching(study.engine, posts, units))
    known = {unit: author for unit, author in material.authors.items() if author}
    repeat = len(set(known.values())) < len(known)
    chances = drawn(material.tasks)
    unequal = chances["unit_probability"].nunique() > 1
    weights = {row.unit: 1 / row.unit_probability for row in tables.rows(chances)}
    rows = segments_stage.segments_reliability(
        material.segments,
        material.codings,
        material.coded,
        database.query_rows(study.engine, query),
        study.codebook,
        suggester=str(material.row["suggester"]),
        weights=weights if unequal else None,
        clusters={unit: known.get(unit, unit) for unit in units["unit"]} if repeat else None,
    )
    same = {"batch": material.row["batch"], "codebook": study.codebook.fingerprint}
    return _asked(rows, material.coded, study.codebook).assign(**same)


def _asked(rows: pd.DataFrame, coded: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """The rows of what an imported file speaks of: no segment at all is no segment marked."""
    unasked = set("+".join(coded["unasked"]).split("+"))
    own = {variable.variable for variable in codebook.variables if variable.of == "segment"}
    if own <= unasked:
        return rows[rows["kind"] == segments_stage.MODEL_POST]
    return rows[~rows["variable"].isin(unasked)]


def _first_made(study: Study, batch: str, verdicts: pd.DataFrame) -> pd.DataFrame:
    """The verdicts; one that stands as it was keeps the run that made it first."""
    before = database.read(study.engine, tables.VERDICTS, batch=batch)
    on = [*tables.keys(tables.VERDICTS), "computed_from", "verdict"]
    earlier = verdicts[on].merge(before[[*on, "run"]], on=on, how="left")["run"]
    kept = verdicts.assign(run=earlier.fillna(verdicts["run"]).to_numpy())
    return tables.frame(tables.VERDICTS, kept)
