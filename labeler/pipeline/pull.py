"""Label Studio → annotations → codings and segments."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pandas as pd

from labeler import tables
from labeler.edges import store
from labeler.edges.studio import RawTask
from labeler.errors import ProjectError
from labeler.pipeline.studio import connected, same_server
from labeler.pipeline.study import (
    Report,
    Study,
    batch_row,
    emails,
    logged,
    same_codebook,
    silent,
    standing,
)
from labeler.stages import annotations as annotations_stage


class Pulled(NamedTuple):
    """What a pull found: tasks changed, codings written, tasks coded so far of all, findings."""

    changed: int
    codings: int
    coded: int
    tasks: int
    findings: pd.DataFrame


def pull(study: Study, *, batch: str, report: Report = silent) -> Pulled:
    """Fetch what changed at a batch's seats since the last pull, and parse it.

    All annotations of a changed task are replaced; one that is gone from the server is kept,
    marked as withdrawn, and gives no codings. What was computed from the codes before is dropped,
    so that no verdict outlives what it was about.
    """
    same_codebook(study, batch_row(study, batch))
    with logged(study, "pull", {"batch": batch, "server": study.project.server}):
        seats = store.read(study.engine, tables.SEATS, batch=batch)
        if seats["project"].isna().all():
            raise ProjectError(f"pull: batch {batch!r} is not pushed yet; `labeler push` does that")
        same_server(study.project, seats)
        studio = connected(study.project)
        people = studio.users()
        changed = codings = 0
        findings = []
        for seat in tables.rows(seats[seats["project"].notna()]):
            raw = list(studio.changes(int(seat.project), since=seat.pulled))
            if not raw:
                continue
            before = _known(study, seat, raw)
            notes = _annotations(seat, raw, people, before)
            fresh = _changed(before, notes)
            if fresh:
                _drop_results(study, batch)
            store.mirror(study.engine, tables.ANNOTATIONS, notes)
            written, found = _derived(study, seat, sorted({task.unit for task in raw}))
            row = {**seat._asdict(), "pulled": max(task.updated for task in raw)}
            store.mirror(study.engine, tables.SEATS, tables.frame(tables.SEATS, [row]))
            changed += fresh
            codings += written
            findings.append(found)
            report(f"{seat.arm} {seat.coder}: {fresh} tasks changed")
        told = pd.concat(findings, ignore_index=True) if findings else pd.DataFrame()
        return Pulled(changed, codings, *_progress(study, batch), told)


def _drop_results(study: Study, batch: str) -> None:
    which: dict[str, object] = {"batch": batch}
    derived = (tables.RELIABILITY, tables.CONSENSUS, tables.ESTIMATES)
    store.replace(study.engine, *((table, which, []) for table in derived))


def _known(study: Study, seat: Any, raw: list[RawTask]) -> pd.DataFrame:
    """ANNOTATIONS rows that the store has of the changed tasks."""
    units = sorted({task.unit for task in raw})
    here = {"batch": seat.batch, "arm": seat.arm, "coder": seat.coder, "unit": units}
    return store.read(study.engine, tables.ANNOTATIONS, **here)


def _changed(before: pd.DataFrame, after: pd.DataFrame) -> int:
    """How many tasks have an annotation that came, changed or went."""
    compared = after.merge(before, how="left", indicator="_in")
    return int(compared.loc[compared["_in"] == "left_only", "unit"].nunique())


def _annotations(
    seat: Any, raw: list[RawTask], people: dict[int, str], before: pd.DataFrame
) -> pd.DataFrame:
    """ANNOTATIONS rows of the changed tasks, with those that are gone marked as withdrawn."""
    rows: dict[str, dict[Any, Any]] = {}
    for known in before.to_dict("records"):
        rows[known["annotation"]] = {**known, "withdrawn": 1}
    for task in raw:
        for note in task.annotations:
            name = f"{seat.server}:{note['id']}"
            rows[name] = {
                "annotation": name,
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
            }
    return tables.frame(tables.ANNOTATIONS, rows.values())


def _derived(study: Study, seat: Any, units: list[str]) -> tuple[int, pd.DataFrame]:
    """Parse the seat's annotations of some units anew; codings written, and findings."""
    here = {"batch": seat.batch, "arm": seat.arm, "coder": seat.coder, "unit": units}
    notes = store.read(study.engine, tables.ANNOTATIONS, **here)
    tasks = store.read(study.engine, tables.TASKS, **here)
    posts = store.read(study.engine, tables.POSTS, unit=units)
    found = annotations_stage.parse(notes, tasks, posts, study.codebook, emails=emails(study))
    which: dict[str, object] = {
        "codebook": study.codebook.fingerprint,
        "arm": seat.arm,
        "coder": seat.coder,
        "unit": units,
    }
    store.replace(
        study.engine,
        (tables.CODINGS, which, found.codings),
        (tables.SEGMENTS, which, found.segments),
    )
    return len(found.codings), found.findings


def _progress(study: Study, batch: str) -> tuple[int, int]:
    coded = len(standing(study, batch))
    return coded, store.count(study.engine, tables.TASKS, batch=batch)
