"""Engines: which database an address names, how it is opened, and what its errors mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from labeler import hints
from labeler.errors import StoreError

BUSY_SECONDS = 30
BUSY = "another program has written for over {seconds:g} s: end it, then run again"

ADVICE = {
    "disk is full": "free some space and give the command again: what was stored is safe",
    "no space left": "free some space and give the command again: what was stored is safe",
    "locked": BUSY,
    "lock timeout": BUSY,
    "readonly": "the file or its folder may not be written: change its rights",
    "not a database": "the file is something else: give another path",
}


def checked(url: str) -> URL:
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


def engine_of(url: URL) -> Engine:
    """An engine for an address that was checked; SQLite's transactions begin where ours do."""
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
def named(engine: Engine) -> Iterator[None]:
    """What a database says becomes a StoreError that names it and says what to do."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = " ".join(str(getattr(error, "orig", None) or error).split())
        advice = next(
            (hint for word, hint in ADVICE.items() if word in cause.lower()),
            "check the address, that the server runs and that the file may be written",
        )
        advice = advice.format(seconds=busy_seconds(engine))
        raise StoreError(f"{shown(engine)}: {cause}; {advice}") from error


def busy_seconds(engine: Engine) -> float:
    """The seconds that a writer waits for another one."""
    return float(engine.get_execution_options()["busy_seconds"])


def shown(engine: Engine) -> str:
    """The database's address without its password and options (which may hold one)."""
    return engine.url.set(query={}).render_as_string(hide_password=True)
