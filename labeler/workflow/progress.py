"""How far the coding of each seat is, counted in the store: for the pages and `labeler status`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Engine,
    FromClause,
    Select,
    and_,
    case,
    func,
    select,
    true,
    tuple_,
)

from labeler.coding.annotations import from_own_account
from labeler.coding.read import emails
from labeler.store import database, tables
from labeler.store.tables import ANNOTATIONS, BATCHES, CODERS, TASKS

SEAT = ("batch", "arm", "coder")
AGE = ("updated", "created", "annotation")  # by which the newest annotation of a task is known
COLUMNS = ["batch", "codebook", "suggester", "created", "arm", "coder"]
COLUMNS += ["coder_group", "tasks", "coded", "answered"]

Condition = Callable[[FromClause], ColumnElement[bool]]


def progress(engine: Engine, batch: str | None = None) -> pd.DataFrame:
    """A row for each seat: the columns COLUMNS, batches newest first; of one batch, or of all.

    `answered` are the tasks with an annotation that counts, be it a skip; `coded` those whose
    newest one is none. What another account than the coder's gave counts for nobody, as in
    `annotations.newest`.
    """
    counts = _counting(engine)
    seats = database.query_rows(engine, _seats(batch, counts))
    skips = database.query_rows(engine, _skips(batch, counts))
    found = seats.merge(skips, on=list(SEAT), how="left")
    skipped = found["skipped"].fillna(0).astype("int64")
    return found.assign(coded=found["answered"] - skipped)[COLUMNS]


def _seats(batch: str | None, counts: Condition) -> Select[Any]:
    """The seats with what their batch is, how many tasks they have and have answered."""
    seat = [TASKS.c[name] for name in SEAT]
    answered = select(ANNOTATIONS.c.unit).where(_same(ANNOTATIONS, TASKS), counts(ANNOTATIONS))
    counted = (
        select(
            *seat,
            func.count().label("tasks"),
            func.sum(case((answered.exists(), 1), else_=0)).label("answered"),
        )
        .where(_of(batch, TASKS))
        .group_by(*seat)
        .subquery()
    )
    about = (BATCHES.c.codebook, BATCHES.c.suggester, BATCHES.c.created)
    return (
        select(counted, *about, func.coalesce(CODERS.c.coder_group, "").label("coder_group"))
        .join(BATCHES, BATCHES.c.batch == counted.c.batch)
        .outerjoin(CODERS, CODERS.c.coder == counted.c.coder)
        .order_by(BATCHES.c.created.desc(), counted.c.batch, counted.c.arm.desc(), counted.c.coder)
    )


def _skips(batch: str | None, counts: Condition) -> Select[Any]:
    """How many tasks of a seat have a skip as their newest annotation; few, as a rule."""
    notes, later = ANNOTATIONS, ANNOTATIONS.alias()
    seat = [notes.c[name] for name in SEAT]
    newer = tuple_(*(later.c[name] for name in AGE)) > tuple_(*(notes.c[name] for name in AGE))
    return (
        select(*seat, func.count().label("skipped"))
        .where(
            _of(batch, notes),
            notes.c.cancelled == 1,
            counts(notes),
            select(TASKS.c.unit).where(_same(TASKS, notes)).exists(),
            ~select(later.c.unit).where(_same(later, notes), newer, counts(later)).exists(),
        )
        .group_by(*seat)
    )


def _of(batch: str | None, table: FromClause) -> ColumnElement[bool]:
    return true() if batch is None else table.c.batch == batch


def _same(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Whether two rows are about the same task."""
    return and_(*(one.c[name] == other.c[name] for name in (*SEAT, "unit")))


def _counting(engine: Engine) -> Condition:
    """The condition that a row of ANNOTATIONS counts, as in `annotations.newest`."""
    whose = select(ANNOTATIONS.c.coder, ANNOTATIONS.c.completed_by).distinct()
    known = emails(engine)
    others = [
        (row.coder, row.completed_by)
        for row in tables.rows(database.query_rows(engine, whose))
        if not from_own_account(known.get(row.coder, ""), row.completed_by)
    ]

    def counts(notes: FromClause) -> ColumnElement[bool]:
        stands = notes.c.withdrawn.is_distinct_from(1)
        by_others = tuple_(notes.c.coder, notes.c.completed_by).in_(others)
        return and_(stands, ~by_others) if others else stands

    return counts
