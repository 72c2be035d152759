"""Label Studio → annotations → codings and segments."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import and_, func, select

from labeler import hints
from labeler.coding.read import emails, last
from labeler.coding.vocabulary import ASSISTED, BLIND
from labeler.errors import ProjectError
from labeler.store import database, results, tables
from labeler.studio import annotations as annotations_stage
from labeler.studio import changes, findings, merge
from labeler.studio.accounts import Servers, same_server
from labeler.studio.client.calls import PAGE
from labeler.studio.client.studio import OVERLAP, RawTask, Studio
from labeler.study.study import (
    Report,
    Study,
    batch_row,
    logged,
    same_codebook,
    seats_of,
    silent,
)

CHUNK = PAGE  # of the next portion nothing is read before this one is stored
SHOWN = ASSISTED  # the arm that sees the suggester's codes


class PullResult(NamedTuple):
    """What a pull found.

    `changed` tasks and the `codings` written now; of all `tasks` of the batch how many are
    `coded`, how many `skipped`, and how many submissions were `withdrawn`; `changes`: what people
    did with suggestions so far (accepted, edited, added, deleted → how often); `findings`: the
    FINDINGS of the tasks looked at now; `to_mend`: of all tasks those that their coder can mend.
    """

    changed: int
    codings: int
    coded: int
    skipped: int
    withdrawn: int
    tasks: int
    changes: dict[str, int]
    findings: pd.DataFrame
    to_mend: pd.DataFrame


class _Found(NamedTuple):
    """What was found at one seat, or at all; which tasks (arm, coder, Label Studio task)."""

    changed: int
    codings: int
    looked_at: set[tuple[str, str, int]]


def pull(study: Study, *, batch: str, report: Report = silent) -> PullResult:
    """Fetch what changed at a batch's seats since the last pull, and parse it.

    All annotations of a changed task are replaced, none by an older state of the server; one that
    is gone from the server, or a copy, is kept, marked as withdrawn, and gives no codings. What was
    computed from the codes before is outdated from then on (`store.results`). At most `CHUNK` tasks
    are in memory at a time.
    """
    with logged(study, "pull", told(study, batch)):
        return fetched(study, batch, Servers(study.project, report), report)


def told(study: Study, batch: str) -> dict[str, object]:
    """What RUNS says of a pull: the batch, and the servers."""
    where = {arm or "server": study.project.server_of(arm) for arm in ("", BLIND)}
    return {"batch": batch, **where}


def fetched(study: Study, batch: str, servers: Servers, report: Report) -> PullResult:
    """One pull through servers that are signed in already."""
    row = batch_row(study, batch)
    same_codebook(study, row)
    seats = seats_of(study, batch)
    if seats.empty:
        raise ProjectError(f"batch {batch!r} was imported: there is nothing to fetch")
    if seats["project"].isna().all():
        raise ProjectError(f"batch {batch!r} is not pushed yet", hint=hints.PUSH)
    same_server(study.project, seats)
    people: dict[str, dict[int, str]] = {}
    changed = codings = 0
    looked_at: set[tuple[str, str, int]] = set()
    for seat in tables.rows(seats[seats["project"].notna()]):
        studio = servers.of(seat.arm)
        if studio.server not in people:
            people[studio.server] = studio.users()
        found = _seat(study, studio, seat, people[studio.server], row["suggester"])
        changed += found.changed
        codings += found.codings
        looked_at |= found.looked_at
        if found.changed:
            report(f"{seat.arm} {seat.coder}: {found.changed} tasks changed")
    return _pulled(study, batch, _Found(changed, codings, looked_at))


def _seat(
    study: Study, studio: Studio, seat: Any, people: dict[int, str], suggester: str
) -> _Found:
    """What changed at one seat, a portion at a time; where the next pull begins is noted last.

    Where another pull was faster with a portion, what may be gone is looked for next time.
    """
    begun = results.ground(study.engine, seat.batch)
    raw = studio.changes(int(seat.project), since=seat.pulled)
    changed = codings = 0
    looked_at: set[tuple[str, str, int]] = set()
    newest, overtaken = "", False
    while portion := list(islice(raw, CHUNK)):
        stored = _stored(study, seat, portion, people, begun)
        codings += _derived(study, seat, portion, suggester)
        changed += stored.changed
        looked_at |= {(seat.arm, seat.coder, task.task) for task in portion}
        overtaken |= stored.overtaken
        newest = max(newest, *(task.updated for task in portion))
        begun = results.ground(study.engine, seat.batch)
    if newest and not overtaken and (changed or _moved(seat.pulled, newest)):
        row = {**seat._asdict(), "pulled": newest}
        database.mirror(study.engine, tables.SEATS, tables.frame(tables.SEATS, [row]))
    return _Found(changed, codings, looked_at)


def _moved(before: str, now: str) -> bool:
    """Whether to begin later next time although nothing changed: not to read the same for ever."""
    return not before or datetime.fromisoformat(now) - datetime.fromisoformat(before) > OVERLAP


def _pulled(study: Study, batch: str, found: _Found) -> PullResult:
    newest = last(study.engine, batch=batch)
    skipped = int((newest["cancelled"] == 1).sum())
    standing = database.read(study.engine, tables.FINDINGS, batch=batch)
    whose = zip(standing["arm"], standing["coder"], standing["studio_task"], strict=True)
    now = [task in found.looked_at for task in whose]
    return PullResult(
        changed=found.changed,
        codings=found.codings,
        coded=len(newest) - skipped,
        skipped=skipped,
        withdrawn=_withdrawn(study, batch),
        tasks=database.count(study.engine, tables.TASKS, batch=batch),
        changes=_changes(study, batch),
        findings=standing[now].reset_index(drop=True),
        to_mend=findings.to_mend(standing),
    )


def _withdrawn(study: Study, batch: str) -> int:
    """How many submissions are withdrawn; copies of one are one, which counts while any does."""
    notes, copies = tables.ANNOTATIONS, tables.ANNOTATIONS.alias()
    same = [copies.c[name] == notes.c[name] for name in ("batch", "arm", "coder", "unit")]
    counts = select(copies.c.annotation).where(
        *same, copies.c.withdrawn != 1, copies.c.copy_of == notes.c.annotation
    )
    query = select(notes.c.annotation).where(
        notes.c.batch == batch, notes.c.withdrawn == 1, notes.c.copy_of == "", ~counts.exists()
    )
    return len(database.query_rows(study.engine, query))


def _changes(study: Study, batch: str) -> dict[str, int]:
    """Change → how often, at the assisted seats of a batch."""
    made, tasks = tables.CHANGES, tables.TASKS
    same = [made.c[name] == tasks.c[name] for name in ("arm", "coder", "unit")]
    query = (
        select(made.c.change, func.count().label("times"))
        .join_from(made, tasks, and_(*same))
        .where(tasks.c.batch == batch, made.c.codebook == study.codebook.fingerprint)
        .group_by(made.c.change)
        .order_by(made.c.change)
    )
    rows = database.query_rows(study.engine, query)
    return {str(row.change): int(row.times) for row in tables.rows(rows)}


class _Stored(NamedTuple):
    """How many tasks of a portion changed; whether others stored annotations meanwhile."""

    changed: int
    overtaken: bool


def _stored(
    study: Study, seat: Any, raw: list[RawTask], people: dict[int, str], begun: int
) -> _Stored:
    """Store the annotations of a portion whose reading began at this ground of the batch."""
    there = _annotations(seat, raw, people)
    overtaken = False

    def merged(known: pd.DataFrame, ground: int) -> pd.DataFrame:
        nonlocal overtaken
        overtaken = ground != begun
        return merge.merged(known, there, overtaken=overtaken)

    here = _of(seat, raw)
    rows = results.merge(study.engine, tables.ANNOTATIONS, here, merged, batch=seat.batch)
    return _Stored(_changed(rows.before, rows.after), overtaken)


def _of(seat: Any, raw: list[RawTask]) -> dict[str, object]:
    """What rows about some tasks of a seat equal."""
    units = sorted({task.unit for task in raw})
    return {"batch": seat.batch, "arm": seat.arm, "coder": seat.coder, "unit": units}


def _changed(before: pd.DataFrame, after: pd.DataFrame) -> int:
    """How many tasks have an annotation that came, changed or went."""
    compared = after.merge(before, how="left", indicator="_in")
    return int(compared.loc[compared["_in"] == "left_only", "unit"].nunique())


def _annotations(seat: Any, raw: list[RawTask], people: dict[int, str]) -> pd.DataFrame:
    """ANNOTATIONS rows of some tasks as the server has them."""
    rows = [
        {
            "annotation": f"{seat.server}:{note['id']}",
            "batch": seat.batch,
            "arm": seat.arm,
            "coder": seat.coder,
            "unit": task.unit,
            "studio_task": task.task,
            "completed_by": people.get(note["completed_by"], str(note["completed_by"])),
            "result": json.dumps(note["result"], ensure_ascii=False),
            "cancelled": int(bool(note["was_cancelled"])),
            "withdrawn": 0,
            "lead_time": note["lead_time"],
            "created": note["created_at"],
            "updated": note["updated_at"],
            "draft": note["draft_created_at"] or "",
        }
        for task in raw
        for note in task.annotations
    ]
    return tables.frame(tables.ANNOTATIONS, rows)


def _derived(study: Study, seat: Any, raw: list[RawTask], suggester: str) -> int:
    """Parse the seat's annotations of some tasks again; how many codings were written.

    What was found before of these tasks gives way to what is found now.

    Annotations that changed while they were parsed, by another pull, are parsed once more.
    """
    here = _of(seat, raw)
    units = here["unit"]
    tasks = database.read(study.engine, tables.TASKS, **here)
    posts = database.read(study.engine, tables.POSTS, unit=units)
    whose = {"batch": seat.batch, "arm": seat.arm, "coder": seat.coder}
    shows = [
        {**whose, "unit": task.unit, "studio_task": task.task, "text": task.text} for task in raw
    ]
    altered = findings.altered(shows, posts)
    unseen = set(tasks.loc[(tasks["suggested"] == 0).fillna(False), "unit"])
    which: dict[str, object] = {
        "codebook": study.codebook.fingerprint,
        "arm": seat.arm,
        "coder": seat.coder,
        "unit": units,
    }
    written = False
    while not written:
        notes = database.read(study.engine, tables.ANNOTATIONS, **here)
        known = emails(study.engine)
        found = annotations_stage.parse(notes, tasks, posts, study.codebook, emails=known)
        blank = findings.without_suggestion(notes, unseen)
        shown = found.codings[~found.codings["unit"].isin(unseen)]
        segments = found.segments[~found.segments["unit"].isin(unseen)]
        changed = _compared(study, shown, segments, suggester if seat.arm == SHOWN else "")
        written = results.replace(
            study.engine,
            (tables.CODINGS, which, found.codings),
            (tables.SEGMENTS, which, found.segments),
            (tables.CHANGES, which, changed),
            (tables.FINDINGS, here, findings.numbered(altered, found.findings, blank)),
            upon=(tables.ANNOTATIONS, here, notes),
        )
    return len(found.codings)


def _compared(
    study: Study, coded: pd.DataFrame, marked: pd.DataFrame, suggester: str
) -> pd.DataFrame:
    """CHANGES of what was coded with the suggester's codes in view; none without a suggester.

    `coded` and `marked` are the CODINGS and SEGMENTS of the people who saw them.
    """
    units = sorted(set(coded["unit"]))
    if not suggester or not units:
        return tables.frame(tables.CHANGES)
    which: dict[str, object] = {
        "codebook": study.codebook.fingerprint,
        "coder": suggester,
        "replicate": 1,
        "unit": units,
    }
    codings = database.read(study.engine, tables.CODINGS, **which)
    segments = database.read(study.engine, tables.SEGMENTS, **which)
    return changes.compare(coded, marked, codings, segments)
