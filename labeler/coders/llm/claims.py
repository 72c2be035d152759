"""Who is asking about what right now, so that several processes share the work.

A claim is a name that all of them make alike: that of a unit as a coder is asked about it, or of a
job that somebody works on.
"""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, update

from labeler.store import database, tables

STALE = timedelta(minutes=10)  # clocks of machines differ, and a database may be slow
RENEWED = timedelta(seconds=30)
CLAIMS = tables.CLAIMS
JOB = "job:"  # the holder of what a job at a server asks for: it needs no process
_LIVING: set[str] = set()


def holder(at: str) -> str:
    """A name under which this process claims: machine, process id, and when it began."""
    name = f"{socket.gethostname()} {os.getpid()} {at}"
    _LIVING.add(name)
    return name


def job_holder(job: str) -> str:
    """The name under which a job claims what it asks for, until it is fetched."""
    return f"{JOB}{job}"


def claimed(engine: Engine, names: list[str], *, holder: str, at: str) -> set[str]:
    """Those of some claims that are now this holder's; those of dead processes fall."""
    taken = database.read(engine, CLAIMS, claim=names)
    others = [row for row in tables.rows(taken) if row.holder != holder]
    fallen = [row for row in others if _dead(row.holder, row.taken)]
    if fallen:  # only as held by the dead: another process may have taken them meanwhile
        release(
            engine,
            claim=[row.claim for row in fallen],
            holder=[row.holder for row in fallen],
        )
    rows = [{"claim": name, "holder": holder, "taken": at} for name in names]
    database.add(engine, CLAIMS, tables.frame(CLAIMS, rows))
    return set(database.distinct(engine, CLAIMS.c.claim, claim=names, holder=holder))


def renew(engine: Engine, *, holder: str, at: str) -> None:
    """Say that a holder lives: it goes on asking for what it claimed some time ago."""
    with database.writing(engine) as connection:
        connection.execute(update(CLAIMS).where(CLAIMS.c.holder == holder).values(taken=at))


def of_portion(engine: Engine, portion: str) -> list[str]:
    """The holders of claims that ask on a portion (or in a run: on any of its portions)."""
    named = database.distinct(engine, CLAIMS.c.holder)
    return [holder for holder in named if f" {portion} " in f"{holder} "]


def release(engine: Engine, **equals: object) -> None:
    """Let go of claims."""
    database.replace(engine, (CLAIMS, equals, []))


def _dead(holder: str, taken: str) -> bool:
    """Whether the process of another's claim is gone: of this machine and not running, or silent
    too long. A job never is: what it asks for is let go of when it is fetched."""
    if holder.startswith(JOB):
        return False
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
