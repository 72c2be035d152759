"""Who is asking for which completion right now, so that several processes share the work."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, update

from labeler import tables
from labeler.edges import store

STALE = timedelta(minutes=10)  # clocks of machines differ, and a database may be slow
RENEWED = timedelta(seconds=30)
CLAIMS = tables.CLAIMS
_LIVING: set[str] = set()


def holder(at: str) -> str:
    """A name under which this process claims: machine, process id, and when it began."""
    name = f"{socket.gethostname()} {os.getpid()} {at}"
    _LIVING.add(name)
    return name


def claimed(engine: Engine, names: list[str], *, holder: str, at: str) -> set[str]:
    """Those of some completions that are now this holder's; claims of dead processes fall."""
    taken = store.read(engine, CLAIMS, completion=names)
    others = [row for row in tables.rows(taken) if row.holder != holder]
    fallen = [row for row in others if _dead(row.holder, row.taken)]
    if fallen:  # only as held by the dead: another process may have taken them meanwhile
        release(
            engine,
            completion=[row.completion for row in fallen],
            holder=[row.holder for row in fallen],
        )
    rows = [{"completion": name, "holder": holder, "taken": at} for name in names]
    store.add(engine, CLAIMS, tables.frame(CLAIMS, rows))
    return set(store.distinct(engine, CLAIMS.c.completion, completion=names, holder=holder))


def renew(engine: Engine, *, holder: str, at: str) -> None:
    """Say that a holder lives: it goes on asking for what it claimed some time ago."""
    with store.writing(engine) as connection:
        connection.execute(update(CLAIMS).where(CLAIMS.c.holder == holder).values(taken=at))


def of_errand(engine: Engine, errand: str) -> list[str]:
    """The holders of claims that ask on an errand (or in a run: on any of its errands)."""
    named = store.distinct(engine, CLAIMS.c.holder)
    return [holder for holder in named if f" {errand} " in f"{holder} "]


def release(engine: Engine, **equals: object) -> None:
    """Let go of claims."""
    store.replace(engine, (CLAIMS, equals, []))


def _dead(holder: str, taken: str) -> bool:
    """Whether the process of another's claim is gone: of this machine and not running, or silent
    too long."""
    machine, pid, _ = holder.split(" ", 2)
    if datetime.now(UTC) - datetime.fromisoformat(taken) > STALE:
        return True
    if machine != socket.gethostname():
        return False
    if int(pid) == os.getpid():  # or an earlier process with this number, as in a container
        return holder not in _LIVING
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
