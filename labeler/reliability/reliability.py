"""Codings → coefficients, verdicts, consensus, disagreements and assessments of a batch.

All are stored in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import pandas as pd
from sqlalchemy import Table

from labeler.codebook.codebook import Gate
from labeler.coding import read
from labeler.coding.asked import silent
from labeler.coding.batch import BatchCodings
from labeler.coding.read import read_stream
from labeler.coding.study_sample import sample_row
from labeler.keys import key
from labeler.reliability.assessments.assess import assess, drawn
from labeler.reliability.from_codings import from_codings
from labeler.reliability.gate import Family
from labeler.reliability.looks import taken
from labeler.reliability.segments import MODEL_POST, segments_reliability
from labeler.reliability.units_entered import UnitTasks, segments_entered, unit_tasks
from labeler.store import database, results, tables
from labeler.store.sample_names import members
from labeler.study.study import Study, logged, now, same_codebook

WANTED = {
    tables.CODINGS: read.CODINGS,
    tables.SEGMENTS: read.SEGMENTS,
    tables.CHANGES: tables.columns(tables.CHANGES),
    tables.TASKS: tables.columns(tables.TASKS),
    tables.POSTS: ("unit", "author", "text"),
}


class ReliabilityResult(NamedTuple):
    """RELIABILITY, VERDICTS and ASSESSMENTS rows of a batch."""

    reliability: pd.DataFrame
    verdicts: pd.DataFrame
    assessments: pd.DataFrame


def reliability(
    study: Study,
    *,
    batch: str,
    gate: Gate | None = None,
    family: Family = "all",
) -> ReliabilityResult:
    """Compute and store what coders agree on in a batch, and the gate's verdicts on it.

    `batch` may name several as one study sample (`a+b`). A verdict whose ground is the same as
    before keeps the run that made it; one on other codings is a further look, which is noted.
    Where codes change meanwhile it is computed again; ProjectError where that does not end.
    """
    settings = {"batch": batch, "gate": gate and gate.model_dump(), "family": family}
    with logged(study, "reliability", settings) as run:

        def attempt(standing: results.Standing) -> dict[Table, pd.DataFrame] | None:
            made = _computed(study, batch, gate, family, run)
            looks = made.pop(tables.LOOKS)
            return results.keep(study.engine, batch, standing, made, looks=looks)

        found = results.steadily(study.engine, batch, attempt)
        three = (tables.RELIABILITY, tables.VERDICTS, tables.ASSESSMENTS)
        return ReliabilityResult(*(_in_key_order(table, found[table]) for table in three))


def _computed(
    study: Study, batch: str, gate: Gate | None, family: Family, run: str
) -> dict[Table, pd.DataFrame]:
    """The rows of every table that is computed from codings alone."""
    batches = database.read(study.engine, tables.BATCHES)
    row = sample_row(batches, batch)
    same_codebook(study, row)
    coded, stream = read_stream(study.engine, row, batches, study.codebook, wanted=WANTED)
    before = _looks(study, coded)
    found = from_codings(coded, before, gate=gate, family=family, run=run)
    about = {"suggester": coded.suggester, "created": now()}
    assessments = assess(coded, stream, batches, stored=_stored(study, coded))
    of_segments = _segments(coded, unit_tasks(coded, coded.tasks, coded.tables["left_out"]))
    rows = [r._asdict() for part in (found.reliability, of_segments) for r in tables.rows(part)]
    settings = key({"gate": gate and gate.model_dump(), "family": family})
    return {
        tables.RELIABILITY: tables.frame(tables.RELIABILITY, rows).assign(computed_from=settings),
        tables.VERDICTS: _first_made(study, batch, found.verdicts),
        tables.ASSESSMENTS: assessments,
        tables.LOOKS: taken(found.tested, found.looks, before, found.verdicts, **about),
        tables.CONSENSUS: found.consensus,
        tables.DISAGREEMENTS: found.disagreements,
        tables.COMPARISONS: found.comparisons,
    }


def _looks(study: Study, coded: BatchCodings) -> pd.DataFrame:
    """The LOOKS rows of the study sample's codebook and suggester."""
    which = {"codebook": coded.codebook.fingerprint, "suggester": coded.suggester}
    return database.read(study.engine, tables.LOOKS, **which)


def stored(study: Study, batch: str) -> ReliabilityResult:
    """What was computed last of a batch; empty frames where nothing was."""
    three = (tables.RELIABILITY, tables.VERDICTS, tables.ASSESSMENTS)
    return ReliabilityResult(*(database.read(study.engine, table, batch=batch) for table in three))


def _in_key_order(table: Table, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as they come back from the store."""
    return rows.sort_values(tables.keys(table), ignore_index=True)


def _stored(study: Study, coded: BatchCodings) -> Callable[[Table], pd.DataFrame]:
    """A table → its rows about the batch: those read already, else from the store."""

    @cache
    def rows(table: Table) -> pd.DataFrame:
        if table.name in coded.tables:
            return coded.tables[table.name]
        if "batch" in table.c:
            return database.read(study.engine, table, batch=members(coded.batch))
        about = {"codebook": coded.codebook.fingerprint, "unit": coded.units}
        which = {name: of for name, of in about.items() if name in table.c}
        return database.read(study.engine, table, **which)

    return rows


def _segments(coded: BatchCodings, tasks: UnitTasks) -> pd.DataFrame:
    """RELIABILITY rows about segments."""
    known = {unit: author for unit, author in coded.authors.items() if author}
    repeat = len(set(known.values())) < len(known)
    chances = drawn(coded.tasks)
    unequal = chances["unit_probability"].nunique() > 1
    weights = {row.unit: 1 / row.unit_probability for row in tables.rows(chances)}
    first = coded.coded[coded.coded["replicate"] == 1]
    rows = segments_reliability(
        coded.segments,
        coded.codings,
        first,
        coded.tables["posts"][["unit", "text"]],
        coded.codebook,
        suggester=coded.suggester,
        groups=coded.groups,
        weights=weights if unequal else None,
        clusters={unit: known.get(unit, unit) for unit in coded.units} if repeat else None,
    )
    same = {"batch": coded.batch, "codebook": coded.codebook.fingerprint}
    entered = segments_entered(rows, coded, tasks)
    return _asked(entered, coded).assign(**same)


def _asked(rows: pd.DataFrame, coded: BatchCodings) -> pd.DataFrame:
    """The rows of what an imported file speaks of: no segment at all is no segment marked."""
    unasked = set(silent(coded.codebook, coded.design))
    own = {variable.variable for variable in coded.codebook.of_segment}
    if own <= unasked:
        return rows[rows["kind"] == MODEL_POST]
    return rows[~rows["variable"].isin(unasked)]


def _first_made(study: Study, batch: str, verdicts: pd.DataFrame) -> pd.DataFrame:
    """The verdicts; one that stands as it was keeps the run that made it first."""
    before = database.read(study.engine, tables.VERDICTS, batch=batch)
    before = before.assign(computed_from=before["computed_from"].map(results.settings_of))
    on = [*tables.keys(tables.VERDICTS), "computed_from", "verdict"]
    earlier = verdicts[on].merge(before[[*on, "run"]], on=on, how="left")["run"]
    kept = verdicts.assign(run=earlier.fillna(verdicts["run"]).to_numpy())
    return tables.frame(tables.VERDICTS, kept)
