"""The store: SQLite or PostgreSQL through SQLAlchemy Core, one code path.

Three ways to write and only three: `add` (a row that is there stays as it is), `mirror` (a row
that is there is updated), `replace` (one slice is exchanged in one transaction). What results of
a batch are computed from is written by their namesakes in `results`, which make those void.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    Text,
    and_,
    any_,
    delete,
    func,
    inspect,
    literal,
    select,
    text,
)
from sqlalchemy.dialects import sqlite

from labeler.errors import StoreError
from labeler.store import tables
from labeler.store.engine import busy_seconds, checked, engine_of, named
from labeler.store.engine import shown as shown
from labeler.store.migrations import MIGRATIONS as MIGRATIONS
from labeler.store.migrations import now

Rows = pd.DataFrame | Sequence[Mapping[str, Any]]


def connect(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql+psycopg://…`, migrated to this program.

    A writer waits BUSY_SECONDS for another one, or as long as the address says:
    `sqlite:///path?busy_seconds=5`.

    Raises StoreError where the database cannot be reached or is newer than this program.
    """
    engine = engine_of(checked(url))
    try:
        migrate(engine)
    except StoreError:
        engine.dispose()
        raise
    return engine


def migrate(engine: Engine) -> None:
    """Bring the database to the newest migration; two programs at once do it once.

    A database that is there already is only read, so that a long writer keeps nobody out.
    """
    with named(engine), engine.connect() as connection:
        if not _pending(connection):
            return
    with writing(engine) as connection:
        tables.MIGRATIONS.create(connection, checkfirst=True)
        for name, step in _pending(connection):
            step(connection)
            row = {"name": name, "applied": now()}
            connection.execute(tables.MIGRATIONS.insert().values(row))


def read(engine: Engine, table: Table, /, **equals: object) -> pd.DataFrame:
    """The rows of a table whose columns equal what is given (a list: any of it), in key order."""
    query = select(table).where(matching(engine, table, equals))
    return tables.frame(table, query_rows(engine, query.order_by(*table.primary_key.columns)))


def read_columns(
    engine: Engine, table: Table, columns: Sequence[str], /, *where: ColumnElement[bool]
) -> pd.DataFrame:
    """Some columns of the rows of a table that meet all conditions, typed, in key order."""
    query = select(*(table.c[name] for name in columns)).where(and_(True, *where))
    return tables.typed(table, query_rows(engine, query.order_by(*table.primary_key.columns)))


def query_rows(engine: Engine, query: Select[Any]) -> pd.DataFrame:
    """The answer to any SELECT as a frame of plain columns."""
    with named(engine), engine.connect() as connection:
        result = connection.execute(query)
        rows = [tuple(row) for row in result.fetchall()]  # pandas would ask each for its names
        return pd.DataFrame.from_records(rows, columns=list(result.keys()))


def portions(engine: Engine, query: Select[Any], *, size: int = 50_000) -> Iterator[list[Any]]:
    """The answer to a SELECT in lists of at most `size` rows, never all of it at once."""
    with named(engine), engine.connect() as connection:
        streamed = connection.execution_options(stream_results=True, max_row_buffer=size)
        for part in streamed.execute(query).partitions(size):
            yield list(part)


def distinct(engine: Engine, column: Column[Any], /, **equals: object) -> list[Any]:
    """The different values of one column, in order, among the rows that equal what is given."""
    query = select(column).where(matching(engine, column.table, equals)).distinct()
    with named(engine), engine.connect() as connection:
        return list(connection.scalars(query.order_by(column)))


def counts(engine: Engine, column: Column[Any], /, **equals: object) -> dict[Any, int]:
    """Value of one column → how many rows hold it, among those that equal what is given."""
    query = (
        select(column, func.count())
        .where(matching(engine, column.table, equals))
        .group_by(column)
        .order_by(column)
    )
    with named(engine), engine.connect() as connection:
        return {row[0]: int(row[1]) for row in connection.execute(query)}


def count(engine: Engine, table: Table, /, **equals: object) -> int:
    """How many rows of a table equal what is given."""
    query = select(func.count()).select_from(table).where(matching(engine, table, equals))
    with named(engine), engine.connect() as connection:
        return int(connection.scalar(query) or 0)


def add(engine: Engine, table: Table, frame: pd.DataFrame) -> int:
    """Add the rows whose key is not there; how many were new."""
    before = frame.drop_duplicates(tables.keys(table))
    with writing(engine) as connection:
        return insert(connection, table, before, update=False)


def mirror(engine: Engine, table: Table, frame: pd.DataFrame) -> int:
    """Add the rows, or update those whose key is there; how many were written."""
    with writing(engine) as connection:
        return insert(connection, table, frame, update=True)


def replace(engine: Engine, *slices: tuple[Table, dict[str, object], Rows]) -> None:
    """Exchange slices (table, what its rows equal, the new rows), all in one transaction.

    The rows are a frame, or mappings that name every column: a frame costs 8 ms to make, which
    tells where a few rows are written at a time.
    """
    with writing(engine) as connection:
        for table, equals, rows in slices:
            exchange(connection, table, equals, rows)


def exchange(
    connection: Connection, table: Table, equals: Mapping[str, object], rows: Rows
) -> None:
    """Exchange one slice within a transaction that is open (`writing`)."""
    connection.execute(delete(table).where(matching(connection.engine, table, equals)))
    insert(connection, table, rows, update=True)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads, and sees what stood at its first read until it ends."""
    with named(engine), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction; what a database says becomes a StoreError that names it.

    One writer at a time, in PostgreSQL as in SQLite: two that exchange the same slice leave the
    rows of the later one and not those of both, and none waits for the other in a circle.
    """
    with named(engine), engine.connect() as connection:
        connection = connection.execution_options(writes=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = '{busy_seconds(engine):g}s'"))
                connection.execute(text("SELECT pg_advisory_xact_lock(5223720)"))
            yield connection


@contextmanager
def kept_open(engine: Engine) -> Iterator[None]:
    """Hold a connection: SQLite tidies its log up whenever the last one closes, which takes long
    where many small portions are written."""
    with named(engine), engine.connect():
        yield


def matching(engine: Engine, table: Table, equals: Mapping[str, object]) -> Any:
    """The condition that a row's columns equal what is given (a list: any of it)."""
    conditions = []
    for name, value in equals.items():
        column = table.c[name]
        conditions.append(
            _any_of(engine, column, value) if isinstance(value, list) else column == value
        )
    return and_(True, *conditions)


def begins(column: ColumnElement[str], start: str) -> ColumnElement[bool]:
    """The condition that a text begins so, as a range: an index serves it, and none serves LIKE."""
    return and_(column >= start, column < start[:-1] + chr(ord(start[-1]) + 1))


def _any_of(engine: Engine, column: Column[Any], values: list[Any]) -> Any:
    """column IN values, with the list as one parameter: databases limit how many there may be."""
    if engine.dialect.name == "postgresql":
        return column == any_(literal(values, ARRAY(type(column.type))))
    listed = func.json_each(literal(json.dumps(values), Text)).table_valued("value")
    return column.in_(select(listed.c.value))


def _pending(connection: Connection) -> list[tuple[str, Callable[[Connection], None]]]:
    """The migrations that the database lacks; StoreError where it has one that is not ours."""
    applied: set[str] = set()
    if inspect(connection).has_table(tables.MIGRATIONS.name):
        applied = set(connection.scalars(select(tables.MIGRATIONS.c.name)))
    unknown = applied - {name for name, _ in MIGRATIONS}
    if unknown:
        raise StoreError(
            f"{shown(connection.engine)}: holds migration {min(unknown)!r}, which this program "
            "does not know; it was made by a newer labeler: install that one"
        )
    return [(name, step) for name, step in MIGRATIONS if name not in applied]


def insert(connection: Connection, table: Table, given: Rows, *, update: bool) -> int:
    """Add rows within a transaction; those whose key is there are updated, or stay as they are."""
    rows = records(given) if isinstance(given, pd.DataFrame) else [dict(row) for row in given]
    if not rows:
        return 0
    keys = tables.keys(table)
    rest = [name for name in tables.columns(table) if name not in keys]
    statement = _insert_into(connection, table)
    if update and rest:
        changed = {name: statement.excluded[name] for name in rest}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    counted = {"preserve_rowcount": True}
    return connection.execute(statement, rows, execution_options=counted).rowcount


def _insert_into(connection: Connection, table: Table) -> Any:
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    # loading it takes .1 s, for which no command on SQLite need wait
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(table)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame by column, as a database takes them: what is missing is None."""
    lists = {
        name: [None if missing else value for value, missing in zip(column, absent, strict=True)]
        for name, column, absent in (
            (name, frame[name].tolist(), frame[name].isna().tolist()) for name in frame.columns
        )
    }
    names = list(lists)
    return [dict(zip(names, row, strict=True)) for row in zip(*lists.values(), strict=True)]
