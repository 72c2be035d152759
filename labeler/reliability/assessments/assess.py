"""What a batch shows beyond agreement: segments, anchoring, stand-in test, calibration, drift."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd
from sqlalchemy import select

from labeler.codebook.codebook import Codebook
from labeler.coding import panels
from labeler.coding.vocabulary import BLIND, is_human
from labeler.reliability import segments as segments_stage
from labeler.reliability.assessments import alttest, anchoring, calibration, drift
from labeler.store import database, tables
from labeler.study.study import Study, coded
from labeler.text.coded_values import codes_of

SEED = 1  # of the permutations, of the coder whom calibration takes, of what drift leaves out


class Material(NamedTuple):
    """What is known of a batch's codings.

    `row`: its row of BATCHES; `codings`, `segments`: those of who coded, replicates among the
    codings; `coded`: columns unit, coder, arm; `again`: the same and replicate; `tasks`: TASKS
    rows; `authors`: unit → author.
    """

    row: pd.Series[str]
    codings: pd.DataFrame
    segments: pd.DataFrame
    coded: pd.DataFrame
    again: pd.DataFrame
    tasks: pd.DataFrame
    authors: dict[str, str]


class Assessed(NamedTuple):
    """ASSESSMENTS rows, and further RELIABILITY rows."""

    assessments: pd.DataFrame
    rows: pd.DataFrame


def assessed(study: Study, material: Material) -> Assessed:
    """Every assessment of a batch; one whose ground is absent says so, or has no rows."""
    batch, suggester = str(material.row["batch"]), str(material.row["suggester"])
    parts = []
    if suggester and len(material.coded):
        given = _values(study, material.coded, material.codings)
        model = _of_model(study, suggester)
        people = {name: own[own["coder"] != suggester] for name, own in given.items()}
        parts.append(_anchoring(study, batch, people, model))
        parts.append(alttest.alternative(people, model, study.codebook, model=suggester))
        parts.append(_calibration(study, material, people, model))
        parts.append(_drift(study, material, model))
    same = {"batch": batch, "codebook": study.codebook.fingerprint}
    rows = [row for part in parts for row in tables.rows(part.assign(**same))]
    return Assessed(
        tables.frame(tables.ASSESSMENTS, [row._asdict() for row in rows]),
        _segments(study, material).assign(**same),
    )


def _anchoring(
    study: Study,
    batch: str,
    people: dict[str, pd.DataFrame],
    model: dict[str, pd.DataFrame],
) -> pd.DataFrame:
    notes = database.read(study.engine, tables.ANNOTATIONS, batch=batch, withdrawn=0, cancelled=0)
    units = sorted(set(notes["unit"]))
    changes = database.read(
        study.engine, tables.CHANGES, codebook=study.codebook.fingerprint, unit=units
    )
    own = pd.MultiIndex.from_frame(notes[panels.WHO])
    changes = changes[pd.MultiIndex.from_frame(changes[panels.WHO]).isin(own)]
    return anchoring.anchoring(people, model, changes, notes, study.codebook, seed=SEED)


def _calibration(
    study: Study,
    material: Material,
    people: dict[str, pd.DataFrame],
    model: dict[str, pd.DataFrame],
) -> pd.DataFrame:
    batch, suggester = str(material.row["batch"]), str(material.row["suggester"])
    sure = database.read(
        study.engine, tables.CONFIDENCE, codebook=study.codebook.fingerprint, coder=suggester
    )
    if sure.empty:
        return tables.frame(tables.ASSESSMENTS)
    return calibration.calibration(
        _long(people),
        _long(model),
        sure,
        study.codebook,
        batch=batch,
        model=suggester,
        seed=SEED,
        drawn=_drawn(material.tasks),
        authors={unit: author for unit, author in material.authors.items() if author},
    )


def _drift(study: Study, material: Material, model: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """What concerns this batch in the stream of all that had this suggester and codebook."""
    row = material.row
    which = {"suggester": row["suggester"], "codebook": row["codebook"]}
    parts = list(_histories(study, database.read(study.engine, tables.BATCHES, **which), model))
    columns = [*drift.HISTORY, "unit_probability"]
    history = pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)
    if history.empty:
        return tables.frame(tables.ASSESSMENTS)
    found = drift.drift(history, seed=SEED)
    return found[found["batch"] == row["batch"]]


def _histories(
    study: Study, batches: pd.DataFrame, model: dict[str, pd.DataFrame]
) -> Iterator[pd.DataFrame]:
    """Whether the model's value is that of a blind human, by batch."""
    for row in tables.rows(batches):
        who = coded(study, row.batch)
        people = who[is_human(who["coder"]) & (who["arm"] == BLIND)]
        if people.empty:
            continue
        which = {"codebook": row.codebook, "unit": sorted(set(people["unit"]))}
        codings = database.read(study.engine, tables.CODINGS, **which)
        values = _long(_values(study, people, codings))
        agree = calibration.agreements(values, _long(model), study.codebook, seed=SEED)
        whole = agree[(agree["code"] == "") & (agree["variable"] != "all")]
        chances = _drawn(database.read(study.engine, tables.TASKS, batch=row.batch))
        yield whole.merge(chances, on="unit").assign(
            batch=row.batch, created=row.created, model=row.suggester, codebook=row.codebook
        )


def _segments(study: Study, material: Material) -> pd.DataFrame:
    posts = tables.POSTS
    units = {"unit": sorted(set(material.coded["unit"]))}
    query = select(posts.c.unit, posts.c.text).where(database.matching(study.engine, posts, units))
    known = {unit: author for unit, author in material.authors.items() if author}
    repeat = len(set(known.values())) < len(known)
    chances = _drawn(material.tasks)
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
    return _asked(rows, material.coded, study.codebook)


def _asked(rows: pd.DataFrame, coded: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """The rows of what an imported file speaks of: no segment at all is no segment marked."""
    unasked = {name for names in set(coded["unasked"]) for name in codes_of(names)}
    own = {variable.variable for variable in codebook.variables if variable.of == "segment"}
    if own <= unasked:
        return rows[rows["kind"] == segments_stage.MODEL_POST]
    return rows[~rows["variable"].isin(unasked)]


def _drawn(tasks: pd.DataFrame) -> pd.DataFrame:
    """unit, unit_probability of the blind units."""
    blind = tasks[tasks["arm"] == BLIND]
    return blind[["unit", "unit_probability"]].drop_duplicates("unit")


def _values(study: Study, who: pd.DataFrame, codings: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Variable → unit, coder, arm, value."""
    return {
        variable.variable: panels.values(codings, who, variable)
        for variable in study.codebook.variables
    }


def _of_model(study: Study, coder: str) -> dict[str, pd.DataFrame]:
    """Variable → unit, value of every unit that the model coded."""
    which = {"codebook": study.codebook.fingerprint, "coder": coder, "replicate": 1}
    answers, columns = tables.COMPLETIONS, tables.COMPLETIONS.c
    there = database.matching(study.engine, answers, {**which, "error": ""})
    query = select(columns.unit, columns.coder).where(there).distinct()
    who = database.query_rows(study.engine, query).assign(arm="")
    codings = database.read(study.engine, tables.CODINGS, **which)
    return {
        name: own.dropna(subset="value")[["unit", "value"]]
        for name, own in _values(study, who, codings).items()
    }


def _long(values: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([own.assign(variable=name) for name, own in values.items()])
