"""What came back and does not fit, with the addresses at which coders can mend it."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import Engine, and_, select

from labeler.project import Project
from labeler.store import database, tables
from labeler.store.tables import BATCHES, FINDINGS, SEATS
from labeler.studio.accounts import Servers, address_of
from labeler.studio.findings import TO_MEND, FindingKind
from labeler.study.study import Report, Study, logged, silent

TAB = "To mend"  # how Label Studio's tab of such tasks is called
TASK = ("batch", "arm", "coder", "studio_task")


def findings(
    engine: Engine,
    project: Project,
    *,
    batches: list[str] | None = None,
    coder: str = "",
    every: bool = False,
) -> pd.DataFrame:
    """FINDINGS that their coder can mend (`every`: all), with `address`, by coder and batch.

    Of some batches (None: of all) and one coder ('': of all). The address is that of the task in
    Label Studio; '' where it is not known, as where the seat lies at another Label Studio than the
    project uses now.
    """
    where: dict[str, object] = {} if batches is None else {"batch": batches}
    where |= {"coder": coder} if coder else {}
    where |= {} if every else {"kind": list(TO_MEND)}
    seat = [FINDINGS.c[name] == SEATS.c[name] for name in ("batch", "arm", "coder")]
    query = (
        select(FINDINGS, SEATS.c.server, SEATS.c.project)
        .outerjoin(SEATS, and_(*seat))
        .where(database.matching(engine, FINDINGS, where))
        .order_by(FINDINGS.c.coder, FINDINGS.c.batch, FINDINGS.c.arm, FINDINGS.c.unit)
        .order_by(FINDINGS.c.studio_task, FINDINGS.c.number)
    )
    found = database.query_rows(engine, query)
    addresses: dict[str, str] = {}
    links = [_address(project, row, addresses) for row in tables.rows(found)]
    return found[tables.columns(FINDINGS)].assign(address=pd.Series(links, dtype="str"))


class TasksToMend(NamedTuple):
    """How many tasks their coders can mend, and by kind of finding how many of them have it."""

    tasks: int
    by_kind: dict[FindingKind, int]


def to_mend(engine: Engine, codebook: str) -> TasksToMend:
    """The tasks, in batches of a codebook, that their coders can mend."""
    query = (
        select(*(FINDINGS.c[name] for name in TASK), FINDINGS.c.kind)
        .join(BATCHES, BATCHES.c.batch == FINDINGS.c.batch)
        .where(BATCHES.c.codebook == codebook)
        .where(database.matching(engine, FINDINGS, {"kind": list(TO_MEND)}))
        .distinct()
    )
    found = database.query_rows(engine, query)
    counts = {kind: int((found["kind"] == kind).sum()) for kind in TO_MEND}
    return TasksToMend(
        len(found.drop_duplicates(list(TASK))), {kind: n for kind, n in counts.items() if n}
    )


class SentBack(NamedTuple):
    """A seat that has tasks to mend: how many, and the address of the tab that shows them."""

    batch: str
    arm: str
    coder: str
    tasks: int
    address: str


def send_back(study: Study, *, report: Report = silent) -> list[SentBack]:
    """Show the tasks to mend in Label Studio: a tab of each seat's project, for its coder.

    Of all batches of the study's codebook. Where nothing is to be mended any more the tab goes. A
    seat at another Label Studio than the project uses now is passed over and told.
    """
    seats = database.query_rows(
        study.engine,
        select(SEATS)
        .join(BATCHES, BATCHES.c.batch == SEATS.c.batch)
        .where(BATCHES.c.codebook == study.codebook.fingerprint, SEATS.c.project.is_not(None))
        .order_by(*SEATS.primary_key.columns),
    )
    found = findings(study.engine, study.project)
    servers, done = Servers(study.project, report), []
    with logged(study, "findings", {"sent back": len(found)}):
        for seat in tables.rows(seats):
            whose = (seat.batch, seat.arm, seat.coder)
            if seat.server != study.project.server_of(seat.arm):
                report(f"{' '.join(whose)}: lies at {seat.server!r}, which is not used now")
                continue
            own = found[(found[["batch", "arm", "coder"]] == whose).all(axis=1)]
            tasks = sorted({int(task) for task in own["studio_task"]} - {0})
            address = servers.of(seat.arm).tab(int(seat.project), TAB, tasks)
            if tasks:
                done.append(SentBack(*whose, len(tasks), address))
    return done


def _address(project: Project, row: Any, addresses: dict[str, str]) -> str:
    """The address of the task of a finding; `addresses` has those of the arms asked before."""
    if pd.isna(row.project) or not row.studio_task or row.server != project.server_of(row.arm):
        return ""
    if row.arm not in addresses:
        addresses[row.arm] = address_of(project, row.arm)
    base = addresses[row.arm]
    return f"{base}/projects/{int(row.project)}/data?task={int(row.studio_task)}" if base else ""
