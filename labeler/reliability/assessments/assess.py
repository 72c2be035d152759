"""Codings of a batch → what each assessment of this folder tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pandas as pd
from sqlalchemy import Table, select

from labeler.coding import panels
from labeler.reliability.assessments.confidence_targets import agreements
from labeler.reliability.assessments.declaration import AssessmentInput, by_variable, declared
from labeler.reliability.assessments.drift import HISTORY
from labeler.store import database, tables
from labeler.study.study import Study, coded

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


def assess(study: Study, material: Material) -> pd.DataFrame:
    """ASSESSMENTS rows of a batch, of whatever this folder declares.

    An assessment whose ground is absent says so in its rows, or has none.
    """
    suggester = str(material.row["suggester"])
    wanted = [one for one in declared() if suggester or not one.needs_model]
    if not wanted or material.coded.empty:
        return tables.frame(tables.ASSESSMENTS)
    given = _input(study, material)
    same = {"batch": given.batch, "codebook": study.codebook.fingerprint}
    rows = [
        row._asdict()
        for one in wanted
        for row in tables.rows(one.rows(given).assign(**same, assessment=one.name))
    ]
    return tables.frame(tables.ASSESSMENTS, rows)


def _input(study: Study, material: Material) -> AssessmentInput:
    """What the assessments are made from, read from the store."""
    batch, suggester = str(material.row["batch"]), str(material.row["suggester"])
    codebook = study.codebook
    values = _values(study, material.coded, material.codings)
    people = {name: own[own["coder"] != suggester] for name, own in values.items()}
    model = _of_model(study, suggester)
    units = sorted(set(material.coded["unit"]))

    @cache
    def stored(table: Table) -> pd.DataFrame:
        if "batch" in table.c:
            return database.read(study.engine, table, batch=batch)
        about = {"codebook": codebook.fingerprint, "unit": units}
        return database.read(
            study.engine, table, **{name: of for name, of in about.items() if name in table.c}
        )

    return AssessmentInput(
        batch=batch,
        codebook=codebook,
        suggester=suggester,
        people=people,
        model_values=model,
        confidence=database.read(
            study.engine, tables.CONFIDENCE, codebook=codebook.fingerprint, coder=suggester
        ),
        drawn=drawn(material.tasks),
        authors={unit: author for unit, author in material.authors.items() if author},
        history=_history(study, material.row, model),
        stored=stored,
        seed=SEED,
    )


def _history(study: Study, row: pd.Series[str], model: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Whether the model's value is that of a blind human, in all batches of this suggester."""
    which = {"suggester": row["suggester"], "codebook": row["codebook"]}
    parts = list(_histories(study, database.read(study.engine, tables.BATCHES, **which), model))
    columns = [*HISTORY, "unit_probability"]
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)


def _histories(
    study: Study, batches: pd.DataFrame, model: dict[str, pd.DataFrame]
) -> Iterator[pd.DataFrame]:
    """Whether the model's value is that of a blind human, by batch."""
    for row in tables.rows(batches):
        who = coded(study, row.batch)
        people = who[who["coder"].str.startswith(panels.HUMAN) & (who["arm"] == "blind")]
        if people.empty:
            continue
        which = {"codebook": row.codebook, "unit": sorted(set(people["unit"]))}
        codings = database.read(study.engine, tables.CODINGS, **which)
        values = by_variable(_values(study, people, codings))
        agree = agreements(values, by_variable(model), study.codebook, seed=SEED)
        whole = agree[(agree["code"] == "") & (agree["variable"] != "all")]
        chances = drawn(database.read(study.engine, tables.TASKS, batch=row.batch))
        yield whole.merge(chances, on="unit").assign(
            batch=row.batch, created=row.created, model=row.suggester, codebook=row.codebook
        )


def drawn(tasks: pd.DataFrame) -> pd.DataFrame:
    """unit, unit_probability of the blind units."""
    blind = tasks[tasks["arm"] == panels.BLIND]
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
