"""What a coder of a batch has not coded yet → another coder."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from sqlalchemy import Table

from labeler.coding.vocabulary import REPEAT, name_of
from labeler.errors import ProjectError
from labeler.sampling import reassignment
from labeler.sampling.exposure import IN_VIEW, exposure_rows
from labeler.sampling.sample import known_coders
from labeler.sampling.seen_texts import exposures, words_of
from labeler.store import database, tables
from labeler.studio.accounts import Servers
from labeler.studio.pull import pull
from labeler.study.study import Report, Study, batch_row, logged, now, same_codebook, silent
from labeler.text.names import did_you_mean

JUST_NOW = "submitted just now: pull it"


class ReassignmentResult(NamedTuple):
    """Tasks that moved, by arm; repeats that were dropped; what was refused (arm, unit, why)."""

    moved: dict[str, int]
    dropped: int
    refused: pd.DataFrame


def reassign(
    study: Study, *, batch: str, giver: str, taker: str, report: Report = silent
) -> ReassignmentResult:
    """Move the giver's tasks that have no annotation to the taker; `labeler push` sends them.

    What Label Studio has is pulled first, and a task leaves the giver's project before it moves:
    one that was submitted meanwhile stays where it is. Killed in between, the same call goes on.
    """
    row = batch_row(study, batch)
    same_codebook(study, row)
    known_coders(study, (taker,))
    if giver == taker:
        raise ProjectError(f"{name_of(taker)!r} is the one who has them")
    seats = database.read(study.engine, tables.SEATS, batch=batch, coder=giver)
    if seats.empty:
        there = database.distinct(study.engine, tables.SEATS.c.coder, batch=batch)
        names = [name_of(coder) for coder in there]
        raise ProjectError(
            f"{name_of(giver)!r} has no seat in batch {batch!r}"
            f"{did_you_mean(name_of(giver), names)}; there are: {', '.join(names)}"
        )
    settings = {"batch": batch, "from": giver, "to": taker}
    pushed = seats[seats["project"].notna()]
    if not pushed.empty:
        pull(study, batch=batch, report=report)
    with logged(study, "reassign", settings):
        open_ = _open(study, batch, giver)
        theirs = _tasks_of(study, str(row["codebook"]), taker)
        seen = exposures(study.engine, list(open_["unit"]))
        wanted = reassignment.reassign(open_, theirs, to=taker, exposure=seen)
        left = _left(study, wanted.gone, pushed)
        gone = wanted.gone[left]
        late = wanted.gone[~left][["arm", "unit"]]
        moved = wanted.tasks.merge(gone[["arm", "unit"]], on=["arm", "unit"])
        _write(study, batch, giver, taker, gone, tables.frame(tables.TASKS, moved))
        return ReassignmentResult(
            {str(arm): int(size) for arm, size in moved["arm"].value_counts().items()},
            int((gone["arm"] == REPEAT).sum()),
            pd.concat([wanted.refused, late.assign(why=JUST_NOW)], ignore_index=True),
        )


def _open(study: Study, batch: str, coder: str) -> pd.DataFrame:
    """The coder's TASKS of the batch without an annotation; a skip is one, a withdrawn one none."""
    here = {"batch": batch, "coder": coder}
    tasks = database.read(study.engine, tables.TASKS, **here)
    notes = database.read(study.engine, tables.ANNOTATIONS, **here, withdrawn=0)
    done = pd.MultiIndex.from_frame(notes[["arm", "unit"]])
    return tasks[~pd.MultiIndex.from_frame(tasks[["arm", "unit"]]).isin(done)]


def _tasks_of(study: Study, codebook: str, coder: str) -> pd.DataFrame:
    """All TASKS of a coder in batches of this codebook."""
    batches = database.distinct(study.engine, tables.BATCHES.c.batch, codebook=codebook)
    return database.read(study.engine, tables.TASKS, coder=coder, batch=batches)


def _left(study: Study, tasks: pd.DataFrame, pushed: pd.DataFrame) -> pd.Series[bool]:
    """Which of the tasks are not, or no longer, in Label Studio."""
    left, servers = pd.Series(True, index=tasks.index), Servers(study.project)
    for seat in tables.rows(pushed):
        own = tasks["arm"] == seat.arm
        if own.any():
            units = list(tasks[own]["unit"])
            removed = servers.of(seat.arm).remove_uncoded(int(seat.project), units)
            left[own] = tasks[own]["unit"].isin(removed)
    return left


def _write(
    study: Study, batch: str, giver: str, taker: str, gone: pd.DataFrame, moved: pd.DataFrame
) -> None:
    """Exchange the tasks, and the seats that come to be or are left empty: all or nothing.

    What the giver's project has shown stays in EXPOSURES; a task that was in none showed nothing.
    """
    slices: list[tuple[Table, dict[str, object], pd.DataFrame]] = []
    kept = database.read(study.engine, tables.TASKS, batch=batch, coder=giver)
    seats = database.read(study.engine, tables.SEATS, batch=batch, coder=taker)
    for arm, own in gone.groupby("arm"):
        here: dict[str, object] = {"batch": batch, "arm": arm}
        units = list(own["unit"])
        theirs = {**here, "coder": giver}
        others = {**here, "coder": taker}
        if arm in IN_VIEW:
            unseen = sorted(own.loc[own["studio_task"].isna(), "unit"])
            shown = exposure_rows(moved, words_of(study.engine, units), since=now())
            mine = shown[shown["arm"] == arm]
            slices.append(
                (tables.EXPOSURES, {**theirs, "unit": unseen}, tables.frame(tables.EXPOSURES))
            )
            slices.append((tables.EXPOSURES, {**others, "unit": units}, mine))
        for table in (tables.TASKS, tables.FINDINGS):
            slices.append((table, {**theirs, "unit": units}, tables.frame(table)))
        if set(kept.loc[kept["arm"] == arm, "unit"]) == set(units):
            slices.append((tables.SEATS, theirs, tables.frame(tables.SEATS)))
        new = moved[moved["arm"] == arm]
        if new.empty:
            continue
        slices.append((tables.TASKS, {**others, "unit": units}, new))
        if arm not in set(seats["arm"]):
            slices.append((tables.SEATS, others, tables.frame(tables.SEATS, [others])))
    database.replace(study.engine, *slices)
