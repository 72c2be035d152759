"""A batch → Label Studio: a project a seat, with exactly the seat's tasks."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import pandas as pd

from labeler import resources, tables
from labeler.codebook import Codebook
from labeler.edges import files, store
from labeler.edges.studio import Studio
from labeler.keys import key
from labeler.pipeline.adjudicate import shown_codes
from labeler.pipeline.repeats import waiting
from labeler.pipeline.studio import connected, same_server
from labeler.pipeline.study import Report, Study, batch_row, logged, same_codebook, silent
from labeler.stages import suggestions
from labeler.stages.adjudication import ARM

TITLE = 50


class Seat(NamedTuple):
    """One seat after a push: its project, tasks there, and how many came just now."""

    arm: str
    coder: str
    project: int
    url: str
    tasks: int
    new: int


class _Shown(NamedTuple):
    """What an assisted seat gets to see of the suggester, by unit."""

    predictions: dict[str, dict[str, Any]] | None
    notes: dict[str, str] | None


class _Page(NamedTuple):
    config: str
    instructions: str


def push(study: Study, *, batch: str, report: Report = silent) -> list[Seat]:
    """Bring what Label Studio lacks of a batch there, seat by seat.

    A project of a blind seat never gets a prediction. The server would take the same task twice,
    so what it has is looked up first; a push that was cut off goes on where it ended.
    """
    row = batch_row(study, batch)
    same_codebook(study, row)
    with logged(study, "push", {"batch": batch, "server": study.project.server}):
        seats = store.read(study.engine, tables.SEATS, batch=batch)
        same_server(study.project, seats)
        studio = connected(study.project)
        tasks = store.read(study.engine, tables.TASKS, batch=batch)
        posts = store.read(study.engine, tables.POSTS, unit=sorted(set(tasks["unit"])))
        shown = _suggestions(study, row["suggester"], tasks)
        early = waiting(study, row, tasks)
        done = []
        for seat in tables.rows(seats):
            own = tasks[(tasks["arm"] == seat.arm) & (tasks["coder"] == seat.coder) & ~early]
            if own.empty:
                continue
            given = shown if seat.arm == "assisted" else None
            done.append(_seat(study, studio, seat, own, posts, given, row, report))
        return done


def _seat(
    study: Study,
    studio: Studio,
    seat: Any,
    tasks: pd.DataFrame,
    posts: pd.DataFrame,
    shown: _Shown | None,
    row: pd.Series[str],
    report: Report,
) -> Seat:
    batch, arm, coder = tasks[["batch", "arm", "coder"]].iloc[0]
    missing = int(tasks["studio_task"].isna().sum())
    name = coder.removeprefix("human:")
    if missing:
        page = _page(study.codebook, arm)
        project = studio.project(
            key([row["codebook"], batch, row["created"], arm, coder]),  # no other study's seat
            title=f"{batch} · {arm} · {name}"[:TITLE],
            config=page.config,
            instructions=page.instructions,
            suggestions=shown is not None,
        )
        known = {**seat._asdict(), "server": study.project.server, "project": project}
        store.mirror(study.engine, tables.SEATS, tables.frame(tables.SEATS, [known]))
        given = shown or _Shown(None, None)
        codes = shown_codes(study, row, tasks) if arm == ARM else None
        payload = suggestions.payload(tasks, posts, given.predictions, given.notes, codes)
        there = studio.import_tasks(project, payload, report=report)
        if shown is not None:
            studio.set_model_version(project, row["suggester"])
        pushed = tasks.assign(studio_task=tasks["unit"].map(there))
        store.mirror(study.engine, tables.TASKS, tables.frame(tables.TASKS, pushed))
        report(f"{batch} {arm} {name}: {len(tasks)} tasks in Label Studio")
    else:
        project = int(seat.project)
    return Seat(arm, coder, project, f"{studio.url}/projects/{project}", len(tasks), missing)


def _page(codebook: Codebook, arm: Literal["blind", "assisted", "adjudication", "repeat"]) -> _Page:
    folder = resources.folder("templates") / "studio"
    return _Page(
        suggestions.config(
            codebook, template=files.read_text(folder / "config.jinja"), given=arm == ARM
        ),
        suggestions.instructions(
            codebook, template=files.read_text(folder / "instructions.jinja"), arm=arm
        ),
    )


def _suggestions(study: Study, suggester: str, tasks: pd.DataFrame) -> _Shown | None:
    """The suggester's codes for the assisted units, as Label Studio shows them."""
    units = sorted(set(tasks[tasks["arm"] == "assisted"]["unit"]))
    if not suggester or not units:
        return None
    which: dict[str, object] = {
        "codebook": study.codebook.fingerprint,
        "coder": suggester,
        "replicate": 1,
        "unit": units,
    }
    codings = store.read(study.engine, tables.CODINGS, **which)
    segments = store.read(study.engine, tables.SEGMENTS, **which)
    return _Shown(
        suggestions.predictions(codings, segments, study.codebook, version=suggester),
        suggestions.unsupported(codings, segments, study.codebook),
    )
