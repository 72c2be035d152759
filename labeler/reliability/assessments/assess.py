"""Codings of a batch → what each assessment of this folder tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pandas as pd
from sqlalchemy import Table, select

from labeler.coding import panels, read
from labeler.coding.batch import BatchCodings
from labeler.coding.read import read_batch
from labeler.reliability.assessments.confidence_targets import agreements
from labeler.reliability.assessments.declaration import AssessmentInput, by_variable, declared
from labeler.reliability.assessments.drift import HISTORY
from labeler.reliability.confidence import ALL
from labeler.store import database, tables
from labeler.study.study import Study

OF_HISTORY = {
    tables.CODINGS: read.CODINGS,
    tables.TASKS: ("unit", "arm", "unit_probability"),
}
SEED = 1  # of the permutations, of the coder whom calibration takes, of what drift leaves out


def assess(study: Study, coded: BatchCodings) -> pd.DataFrame:
    """ASSESSMENTS rows of a batch, of whatever this folder declares.

    `coded` holds TASKS, POSTS (authors) and CODINGS. An assessment whose ground is absent says so
    in its rows, or has none.
    """
    wanted = [one for one in declared() if coded.suggester or not one.needs_model]
    if not wanted or coded.coded.empty:
        return tables.frame(tables.ASSESSMENTS)
    given = _input(study, coded)
    same = {"batch": coded.batch, "codebook": coded.codebook.fingerprint}
    rows = [
        row._asdict()
        for one in wanted
        for row in tables.rows(one.rows(given).assign(**same, assessment=one.name))
    ]
    return tables.frame(tables.ASSESSMENTS, rows)


def _input(study: Study, coded: BatchCodings) -> AssessmentInput:
    """What the assessments are made from; what is about more than the batch is read here."""
    own = {"codebook": coded.codebook.fingerprint, "coder": coded.suggester}
    model = _of_model(study, coded.suggester)

    @cache
    def stored(table: Table) -> pd.DataFrame:
        if "batch" in table.c:
            return database.read(study.engine, table, batch=coded.batch)
        about = {"codebook": own["codebook"], "unit": coded.units}
        return database.read(
            study.engine, table, **{name: of for name, of in about.items() if name in table.c}
        )

    return AssessmentInput(
        batch=coded.batch,
        codebook=coded.codebook,
        suggester=coded.suggester,
        people={name: _of_humans(frame) for name, frame in _values(coded).items()},
        model_values=model,
        annotations=coded.annotations,
        confidence=database.read(study.engine, tables.CONFIDENCE, **own),
        drawn=drawn(coded.tasks),
        authors={unit: author for unit, author in coded.authors.items() if author},
        history=_history(study, coded, model),
        stored=stored,
        seed=SEED,
    )


def _history(study: Study, coded: BatchCodings, model: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Whether the model's value is that of a blind human, in all batches of this suggester."""
    which = {"suggester": coded.suggester, "codebook": coded.codebook.fingerprint}
    parts = []
    for row in tables.rows(database.read(study.engine, tables.BATCHES, **which)):
        batch = coded
        if row.batch != coded.batch:
            batch = read_batch(study.engine, row._asdict(), coded.codebook, wanted=OF_HISTORY)
        values, theirs = by_variable(_values(batch)), by_variable(model)
        agree = agreements(values, theirs, coded.codebook, seed=SEED)
        whole = agree[(agree["code"] == "") & (agree["variable"] != ALL)]
        about = {"batch": batch.batch, "created": batch.created, "model": batch.suggester}
        own = whole.merge(drawn(batch.tasks), on="unit")
        parts.append(own.assign(**about, codebook=which["codebook"]))
    return pd.concat(parts)[[*HISTORY, "unit_probability"]]


def drawn(tasks: pd.DataFrame) -> pd.DataFrame:
    """unit, unit_probability of the blind units."""
    blind = tasks[tasks["arm"] == panels.BLIND]
    return blind[["unit", "unit_probability"]].drop_duplicates("unit")


def _of_humans(values: pd.DataFrame) -> pd.DataFrame:
    """The rows of people."""
    return values[values["coder"].str.startswith(panels.HUMAN)]


def _values(coded: BatchCodings) -> dict[str, pd.DataFrame]:
    """Variable → unit, coder, arm, value (None: was not asked, or gave none)."""
    return {one.variable: coded.values(one.variable) for one in coded.codebook.variables}


def _of_model(study: Study, coder: str) -> dict[str, pd.DataFrame]:
    """Variable → unit, value of every unit that the model coded."""
    which = {"codebook": study.codebook.fingerprint, "coder": coder, "replicate": 1}
    answers, columns = tables.COMPLETIONS, tables.COMPLETIONS.c
    there = database.matching(study.engine, answers, {**which, "error": ""})
    query = select(columns.unit, columns.coder).where(there).distinct()
    who = database.query_rows(study.engine, query).assign(arm="")
    codings = database.read(study.engine, tables.CODINGS, **which)
    found = {}
    for variable in study.codebook.variables:
        own = panels.values(codings, who, variable).dropna(subset="value")
        found[variable.variable] = own[["unit", "value"]]
    return found
