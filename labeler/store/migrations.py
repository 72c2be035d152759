"""Migrations: how a database of an earlier program gets the tables of this one.

A step is only ever added, at the end: each runs once in a database, in this order.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Connection, bindparam, case, func, inspect, select, text, update

from labeler.store import tables
from labeler.text.duplicates import words_key


def now() -> str:
    """The time as MIGRATIONS holds it: ISO-8601, UTC, seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _all_tables(connection: Connection) -> None:
    """Make the tables, columns and indexes that are missing; nothing is taken away."""
    present = set(inspect(connection).get_table_names())
    for table in tables.METADATA.sorted_tables:
        if table.name not in present:
            table.create(connection)
            continue
        there = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                _add_column(connection, column)
        for index in table.indexes:
            index.create(connection, checkfirst=True)


def _add_column(connection: Connection, column: Column[Any]) -> None:
    """Texts get '' in the rows there are, numbers NULL."""
    kind = column.type.compile(connection.dialect)
    rule = " NOT NULL DEFAULT ''" if not column.nullable else ""
    table, name = (
        connection.dialect.identifier_preparer.quote(part)
        for part in (column.table.name, column.name)
    )
    connection.execute(text(f"ALTER TABLE {table} ADD COLUMN {name} {kind}{rule}"))


def _claims_anew(connection: Connection) -> None:
    """Claims are of units now; they last no longer than the process that made them."""
    tables.CLAIMS.drop(connection, checkfirst=True)
    _all_tables(connection)


def _reliability_anew(connection: Connection) -> None:
    """Reliability has a longer key now; `labeler reliability` makes its rows again."""
    tables.RELIABILITY.drop(connection, checkfirst=True)
    _all_tables(connection)


RENAMED = {
    "uploads": (tables.JOBS, {"upload": "job", "server_batch": "server_job"}),
    "uploaded": (tables.JOB_REQUESTS, {"upload": "job"}),
}
"""Table as it was called → as it is called, and its columns likewise."""


def _batches_to_jobs(connection: Connection) -> None:
    """What a model server works on is a job; a batch is of units drawn for people."""
    there = set(inspect(connection).get_table_names())
    for old, (table, renamed) in RENAMED.items():
        if old in there:
            table.drop(connection, checkfirst=True)  # an earlier step may have made it, empty
            connection.execute(text(f"ALTER TABLE {old} RENAME TO {table.name}"))
            for before, after in renamed.items():
                connection.execute(text(f"ALTER TABLE {table.name} RENAME {before} TO {after}"))
    holder = tables.CLAIMS.c.holder
    claimed = tables.CLAIMS.update().where(holder.startswith("upload:"))
    connection.execute(claimed.values(holder=func.replace(holder, "upload:", "job:")))
    _all_tables(connection)


def _indexes_anew(connection: Connection) -> None:
    """Two tables of disagreements; indexes that hold what is counted, in place of narrower ones."""
    for name in ("completions_of", "annotations_of"):
        connection.execute(text(f"DROP INDEX IF EXISTS {name}"))
    _all_tables(connection)


def _suggested(connection: Connection) -> None:
    """Tasks say whether a suggestion was in view."""
    there = {column["name"] for column in inspect(connection).get_columns(tables.TASKS.name)}
    if "suggested" not in there:
        connection.execute(text("ALTER TABLE tasks ADD COLUMN suggested INTEGER"))
    _all_tables(connection)


def _words(connection: Connection) -> None:
    """Posts have a key of their words, by which equal texts are known."""
    _all_tables(connection)
    posts = tables.POSTS.c
    rows = connection.execute(select(posts.unit, posts.text, posts.words)).fetchall()
    keyed = [(row.unit, words_key(row.text), row.words) for row in rows]
    changed = [{"own": unit, "words": words} for unit, words, before in keyed if words != before]
    if changed:
        statement = tables.POSTS.update().where(posts.unit == bindparam("own"))
        connection.execute(statement, changed)


def _exposures(connection: Connection) -> None:
    """What coders had in view is kept apart from their tasks; retweets are the words they quote."""
    _words(connection)
    tasks, batches, notes, posts = (
        each.c for each in (tables.TASKS, tables.BATCHES, tables.ANNOTATIONS, tables.POSTS)
    )
    ruled = select(func.min(notes.created)).where(
        *(notes[name] == tasks[name] for name in tables.keys(tables.TASKS))
    )
    since = case(
        (tasks.arm == "assisted", batches.created),
        else_=func.coalesce(ruled.scalar_subquery(), now()),
    )
    words = case((posts.words != "", posts.words), else_=posts.unit)
    shown = (
        select(tasks.batch, tasks.arm, tasks.coder, tasks.unit, words, since)
        .join(tables.BATCHES, batches.batch == tasks.batch)
        .join(tables.POSTS, posts.unit == tasks.unit)
        .where(tasks.arm.in_(("assisted", "adjudication")))
    )
    there = connection.scalar(select(func.count()).select_from(tables.EXPOSURES))
    if not there:
        columns = tables.columns(tables.EXPOSURES)
        connection.execute(tables.EXPOSURES.insert().from_select(columns, shown))


def _findings(connection: Connection) -> None:
    """What does not fit is kept, and what adjudicators were shown.

    The next pull reads each seat from its beginning and finds what does not fit of it.
    """
    _all_tables(connection)
    seats = tables.SEATS
    connection.execute(update(seats).where(seats.c.project.is_not(None)).values(pulled=""))


def _estimates_anew(connection: Connection) -> None:
    """Estimates are of recipes now, by estimator and target; `labeler aggregate` makes them."""
    tables.ESTIMATES.drop(connection, checkfirst=True)
    _all_tables(connection)


MIGRATIONS: list[tuple[str, Callable[[Connection], None]]] = [
    ("0001-tables", _all_tables),
    ("0002-prompts-costs-ledger", _all_tables),
    ("0003-endpoints-confidence", _all_tables),
    ("0004-uploads", _claims_anew),
    ("0005-strata", _all_tables),
    ("0006-changes", _all_tables),
    ("0007-verdicts-assessments", _reliability_anew),
    ("0008-jobs", _batches_to_jobs),
    ("0009-disagreements", _indexes_anew),
    ("0010-grounds", _all_tables),
    ("0011-suggested", _suggested),
    ("0012-copies", _all_tables),
    ("0013-study-samples", _all_tables),
    ("0014-words", _words),
    ("0015-units-entered", _all_tables),
    ("0016-findings", _findings),
    ("0017-groups-of-coders", _all_tables),
    ("0018-exposures", _exposures),
    ("0019-estimates", _estimates_anew),
]
