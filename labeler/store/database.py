"""The store: SQLite or PostgreSQL through SQLAlchemy Core, one code path.

Three ways to write and only three: `add` (a row that is there stays as it is), `mirror` (a row
that is there is updated), `replace` (one slice is exchanged in one transaction). What results of
a batch are computed from is written by their namesakes in `results`, which make those void.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    ARRAY,
    URL,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    case,
    create_engine,
    delete,
    event,
    func,
    inspect,
    literal,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from labeler import hints
from labeler.errors import StoreError
from labeler.store import tables
from labeler.text.duplicates import words_key

Rows = pd.DataFrame | Sequence[Mapping[str, Any]]

BUSY_SECONDS = 30
BUSY = "another program has written for over {seconds:g} s: end it, then run again"


def connect(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql+psycopg://…`, migrated to this program.

    A writer waits BUSY_SECONDS for another one, or as long as the address says:
    `sqlite:///path?busy_seconds=5`.

    Raises StoreError where the database cannot be reached or is newer than this program.
    """
    engine = _engine(_checked(url))
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
    with _named(engine), engine.connect() as connection:
        if not _pending(connection):
            return
    with writing(engine) as connection:
        tables.MIGRATIONS.create(connection, checkfirst=True)
        for name, step in _pending(connection):
            step(connection)
            row = {"name": name, "applied": _now()}
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
    with _named(engine), engine.connect() as connection:
        result = connection.execute(query)
        rows = [tuple(row) for row in result.fetchall()]  # pandas would ask each for its names
        return pd.DataFrame.from_records(rows, columns=list(result.keys()))


def distinct(engine: Engine, column: Column[Any], /, **equals: object) -> list[Any]:
    """The different values of one column, in order, among the rows that equal what is given."""
    query = select(column).where(matching(engine, column.table, equals)).distinct()
    with _named(engine), engine.connect() as connection:
        return list(connection.scalars(query.order_by(column)))


def counts(engine: Engine, column: Column[Any], /, **equals: object) -> dict[Any, int]:
    """Value of one column → how many rows hold it, among those that equal what is given."""
    query = (
        select(column, func.count())
        .where(matching(engine, column.table, equals))
        .group_by(column)
        .order_by(column)
    )
    with _named(engine), engine.connect() as connection:
        return {row[0]: int(row[1]) for row in connection.execute(query)}


def count(engine: Engine, table: Table, /, **equals: object) -> int:
    """How many rows of a table equal what is given."""
    query = select(func.count()).select_from(table).where(matching(engine, table, equals))
    with _named(engine), engine.connect() as connection:
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
    with _named(engine), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction; what a database says becomes a StoreError that names it.

    One writer at a time, in PostgreSQL as in SQLite: two that exchange the same slice leave the
    rows of the later one and not those of both, and none waits for the other in a circle.
    """
    with _named(engine), engine.connect() as connection:
        connection = connection.execution_options(writes=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = '{_busy(engine):g}s'"))
                connection.execute(text("SELECT pg_advisory_xact_lock(5223720)"))
            yield connection


@contextmanager
def kept_open(engine: Engine) -> Iterator[None]:
    """Hold a connection: SQLite tidies its log up whenever the last one closes, which takes long
    where many small portions are written."""
    with _named(engine), engine.connect():
        yield


def shown(engine: Engine) -> str:
    """The database's address without its password and options (which may hold one)."""
    return engine.url.set(query={}).render_as_string(hide_password=True)


def _checked(url: str) -> URL:
    """The address, taken apart; StoreError (which never repeats it: it may hold a password)."""
    hint = hints.NAME_DATABASE
    try:
        parsed = make_url(url)
        parsed.get_dialect().import_dbapi()
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        raise StoreError("the database's address is not understood", hint=hint) from None
    kind = parsed.get_backend_name()
    if "@" in (parsed.host or ""):
        raise StoreError(
            "the database's address: in a password, write @ as %40, / as %2F, : as %3A"
        )
    if kind not in ("sqlite", "postgresql"):
        raise StoreError(f"a database of the kind {kind} is not supported", hint=hint)
    if kind == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise StoreError("the database's address names no file", hint=hint)
    waits = str(parsed.query.get("busy_seconds", BUSY_SECONDS))
    if not waits.replace(".", "", 1).isdecimal():
        raise StoreError("the database's address: busy_seconds takes a number of seconds")
    return parsed


def _engine(url: URL) -> Engine:
    seconds = float(str(url.query.get("busy_seconds", BUSY_SECONDS)))
    url = url.difference_update_query(["busy_seconds"])
    options = {"busy_seconds": seconds}
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, execution_options=options)
    waiting = {"timeout": seconds}
    engine = create_engine(url, poolclass=NullPool, connect_args=waiting, execution_options=options)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin below, not by the driver's guess
        with suppress(sqlite3.OperationalError):  # locked: another program is doing just this
            connection.execute("PRAGMA journal_mode=WAL").close()
        for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def _named(engine: Engine) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = " ".join(str(getattr(error, "orig", None) or error).split())
        advice = next(
            (hint for word, hint in ADVICE.items() if word in cause.lower()),
            "check the address, that the server runs and that the file may be written",
        )
        advice = advice.format(seconds=_busy(engine))
        raise StoreError(f"{shown(engine)}: {cause}; {advice}") from error


ADVICE = {
    "disk is full": "free some space and give the command again: what was stored is safe",
    "no space left": "free some space and give the command again: what was stored is safe",
    "locked": BUSY,
    "lock timeout": BUSY,
    "readonly": "the file or its folder may not be written: change its rights",
    "not a database": "the file is something else: give another path",
}


def _busy(engine: Engine) -> float:
    """The seconds that a writer waits for another one."""
    return float(engine.get_execution_options()["busy_seconds"])


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
        else_=func.coalesce(ruled.scalar_subquery(), _now()),
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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _findings(connection: Connection) -> None:
    """What does not fit is kept, and what adjudicators were shown.

    The next pull reads each seat from its beginning and finds what does not fit of it.
    """
    _all_tables(connection)
    seats = tables.SEATS
    connection.execute(update(seats).where(seats.c.project.is_not(None)).values(pulled=""))


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
]
