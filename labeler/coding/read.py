"""A batch's codings from the store: each table once, the columns asked for, filtered there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd
from sqlalchemy import ColumnElement, Engine, Select, Table, select

from labeler.codebook.codebook import Codebook
from labeler.coding.annotations import newest
from labeler.coding.batch import READING, BatchCodings
from labeler.store import database, tables

CODINGS = ("unit", "segment", "coder", "arm", "replicate", "variable", "value")
SEGMENTS = ("unit", "coder", "arm", "replicate", "segment", "start", "end", "found")
ANNOTATIONS = tuple(name for name in tables.columns(tables.ANNOTATIONS) if name != "result")

Machines = Literal["suggester", "all"]
Wanted = Mapping[Table, Sequence[str]]  # table → the columns to read, which hold whose a row is


def read_batch(
    engine: Engine,
    row: Mapping[str, Any] | pd.Series[str],
    codebook: Codebook,
    *,
    wanted: Wanted,
    machines: Machines = "suggester",
    replicates: bool = False,
) -> BatchCodings:
    """The batch of a BATCHES row, with the tables wanted (POSTS, TASKS, CODINGS, SEGMENTS …).

    The machines that coded are the batch's suggester, or all that there are; with `replicates`
    every replicate of theirs counts as a reading, else the first alone.
    """
    batch = str(row["batch"])
    notes = standing(engine, batch=batch)
    notes = notes[~_places(notes).isin(_places(without_suggestion(engine, batch)))]
    people = notes[["unit", "coder", "arm"]].assign(replicate=(notes["arm"] == "repeat") + 1)
    read = _machines(engine, row, machines, replicates=replicates)
    met = read[read["unit"].isin(set(people["unit"]))]
    coded = pd.concat([people, met], ignore_index=True)[READING]
    own = {table.name: _rows(engine, table, row, columns) for table, columns in wanted.items()}
    return BatchCodings.of_tables(row, codebook, coded, {**own, "annotations": notes})


def without_suggestion(engine: Engine, batch: str) -> pd.DataFrame:
    """Tasks of the assisted arm with no suggestion in view: columns unit, coder, arm.

    What was coded there is neither assisted nor drawn as blind: it counts nowhere.
    """
    tasks = tables.TASKS.c
    query = select(tasks.unit, tasks.coder, tasks.arm)
    return database.query_rows(
        engine, query.where(tasks.batch == batch, tasks.arm == "assisted", tasks.suggested == 0)
    )


def _places(frame: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(frame[["unit", "coder", "arm"]].astype("str"))


def standing(engine: Engine, **equals: object) -> pd.DataFrame:
    """The ANNOTATIONS that count, without their results; `equals` says which."""
    found = last(engine, **equals)
    return found[found["cancelled"] != 1].reset_index(drop=True)


def last(engine: Engine, **equals: object) -> pd.DataFrame:
    """The newest annotation of each seat's coder for a unit, skips among them, without results."""
    where = database.matching(engine, tables.ANNOTATIONS, equals)
    return newest(
        database.read_columns(engine, tables.ANNOTATIONS, ANNOTATIONS, where), emails(engine)
    )


def emails(engine: Engine) -> dict[str, str]:
    """Human coder → e-mail of the account, '' where there is none."""
    people = database.read(engine, tables.CODERS, kind="human")
    return {
        coder: str(json.loads(spec or "{}").get("email", ""))
        for coder, spec in zip(people["coder"], people["spec"], strict=True)
    }


def _machines(
    engine: Engine, row: Mapping[str, Any] | pd.Series[str], machines: Machines, *, replicates: bool
) -> pd.DataFrame:
    """Which units of the batch were answered without an error: columns READING."""
    made = tables.COMPLETIONS.c
    query = select(made.unit, made.coder, made.replicate).where(
        made.codebook == str(row["codebook"]),
        made.error == "",
        made.unit.in_(_units(str(row["batch"]))),
    )
    if machines == "suggester":
        query = query.where(made.coder == str(row["suggester"]))
    if not replicates:
        query = query.where(made.replicate == 1)
    found = database.query_rows(engine, query.distinct().order_by(made.unit, made.coder))
    return found.assign(arm="")[READING]


def _rows(
    engine: Engine, table: Table, row: Mapping[str, Any] | pd.Series[str], columns: Sequence[str]
) -> pd.DataFrame:
    """The rows of a table that are about the batch's units, or about the batch."""
    batch = str(row["batch"])
    where: list[ColumnElement[bool]] = []
    if "batch" in table.c:
        where.append(table.c.batch == batch)
    else:
        where.append(table.c.unit.in_(_units(batch)))
    if "codebook" in table.c:
        where.append(table.c.codebook == str(row["codebook"]))
    return database.read_columns(engine, table, columns, *where)


def _units(batch: str) -> Select[Any]:
    """The units of a batch that somebody has coded."""
    notes = tables.ANNOTATIONS.c
    return select(notes.unit).where(notes.batch == batch)
