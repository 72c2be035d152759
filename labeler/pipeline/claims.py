"""Who is asking for which completion right now, so that several processes share the work."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from labeler import tables
from labeler.edges import store

STALE = timedelta(hours=1)
UPLOAD = "upload:"  # the holder of what a server's batch asks for: it needs no process
CLAIMS = tables.CLAIMS


def holder(at: str) -> str:
    """The name under which this process claims: machine, process id, and when it began."""
    return f"{socket.gethostname()} {os.getpid()} {at}"


def upload_holder(upload: str) -> str:
    """The name under which an upload claims what it asks for, until it is fetched."""
    return f"{UPLOAD}{upload}"


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


def release(engine: Engine, **equals: object) -> None:
    """Let go of claims."""
    store.replace(engine, (CLAIMS, equals, []))


def _dead(holder: str, taken: str) -> bool:
    """Whether the process of another's claim is gone: of this machine and not running, or silent
    too long. An upload never is: what it asks for is let go of when it is fetched."""
    if holder.startswith(UPLOAD):
        return False
    machine, pid, _ = holder.split(" ", 2)
    if datetime.now(UTC) - datetime.fromisoformat(taken) > STALE:
        return True
    if machine != socket.gethostname():
        return False
    if int(pid) == os.getpid():  # an earlier process with this one's number, as in a container
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
