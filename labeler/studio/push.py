"""A batch → Label Studio: a project a seat, with exactly the seat's tasks."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import pandas as pd

from labeler import hints, resources
from labeler.codebook.codebook import Codebook
from labeler.coding.vocabulary import ADJUDICATION, ASSISTED, BLIND, Arm, name_of
from labeler.errors import ProjectError, ServiceRejected
from labeler.files import records
from labeler.keys import key
from labeler.store import database, results, tables
from labeler.studio import config as suggestions
from labeler.studio.accounts import SERVICE, Servers, same_server
from labeler.studio.adjudication_view import shown_codes
from labeler.studio.client.studio import Studio
from labeler.studio.repeats import waiting
from labeler.study.study import (
    Report,
    Study,
    batch_row,
    logged,
    now,
    same_codebook,
    seats_of,
    silent,
)

TITLE = 50
CHUNK = 1000


class Seat(NamedTuple):
    """One seat after a push: its project, tasks there, and how many came just now."""

    arm: str
    coder: str
    project: int
    url: str
    tasks: int
    new: int


class _Suggestions(NamedTuple):
    """What an assisted seat gets to see of the suggester, by unit."""

    predictions: dict[str, dict[str, Any]] | None
    notes: dict[str, str] | None


class _Counts(NamedTuple):
    """What a project must hold: tasks, and at least so many predictions."""

    tasks: int
    predictions: int


class _Page(NamedTuple):
    config: str
    instructions: str


class _Job(NamedTuple):
    """What all seats of a push share: the study, the BATCHES row, the servers, who hears."""

    study: Study
    row: pd.Series[str]
    servers: Servers
    report: Report


class _Sending(NamedTuple):
    """What the chunks of a seat share: where they go, and how many tasks they hold together."""

    job: _Job
    seat: Any
    studio: Studio
    project: int
    tasks: int


def push(study: Study, *, batch: str, report: Report = silent) -> list[Seat]:
    """Bring what Label Studio lacks of a batch there, seat by seat.

    A project of a blind seat never gets a prediction. The server would take the same task twice,
    so what it has is looked up first, and counted at the end; a push that was cut off goes on
    where it ended. At most `CHUNK` tasks are in memory at a time.
    """
    row = batch_row(study, batch)
    same_codebook(study, row)
    servers = Servers(study.project, report)
    where = {arm or "server": study.project.server_of(arm) for arm in ("", BLIND)}
    with database.kept_open(study.engine), logged(study, "push", {"batch": batch, **where}):
        seats = seats_of(study, batch)
        if seats.empty:
            raise ProjectError(
                f"batch {batch!r} was imported and is coded: nothing is to be pushed",
                hint=hints.COMPUTE_RELIABILITY.about(batch=batch),
            )
        same_server(study.project, seats)
        tasks = database.read(study.engine, tables.TASKS, batch=batch)
        job = _Job(study, row, servers, report)
        early = waiting(study, row, tasks)
        done = []
        for seat in tables.rows(seats):
            own = tasks[(tasks["arm"] == seat.arm) & (tasks["coder"] == seat.coder) & ~early]
            if not own.empty:
                done.append(_seat(job, seat, own))
        return done


def _seat(job: _Job, seat: Any, tasks: pd.DataFrame) -> Seat:
    """Bring one seat's tasks to its project, and look whether all is there and shows.

    What the store does (reading what is sent next, noting what was sent) is done beside it by a
    thread of its own, while Label Studio works.
    """
    ordered = tasks.sort_values(["position", "unit"])
    chunks = [ordered.iloc[start : start + CHUNK] for start in range(0, len(ordered), CHUNK)]
    with ThreadPoolExecutor(1) as aside:
        first = None
        if pd.isna(seat.project):  # nothing is there but after a cut: made while the project is
            first = aside.submit(_payload, job, seat.arm, chunks[0], frozenset())
        studio = job.servers.of(seat.arm)
        project, fresh = _project(job, seat, studio, len(tasks))
        new = 0
        due = _due(job, seat.arm, tasks)
        noted: Future[None] | None = None
        if tasks["studio_task"].isna().any() or studio.settings(project)["tasks"] != len(tasks):
            there = {} if fresh else studio.units(project, report=job.report)
            new = len(set(tasks["unit"]) - set(there))
            payloads = _ahead(aside, job, seat.arm, chunks, frozenset(there), first)
            sending = _Sending(job, seat, studio, project, len(tasks))
            noted = _send(aside, sending, payloads, there)
        if noted:
            noted.result()
        without = _completed(job, seat, studio, project, due)
        _verified(job, seat, studio, project, _Counts(len(tasks), len(due) - without))
    return Seat(seat.arm, seat.coder, project, f"{studio.url}/projects/{project}", len(tasks), new)


def _project(job: _Job, seat: Any, studio: Studio, tasks: int) -> tuple[int, bool]:
    """The seat's project, made and noted where there is none yet; whether it was made just now."""
    if not pd.isna(seat.project):
        return int(seat.project), False
    row, page = job.row, _page(job.study.codebook, seat.arm)
    name = name_of(seat.coder)
    project, fresh = studio.project(
        # no other study's seat
        key([row["codebook"], row["batch"], row["created"], seat.arm, seat.coder]),
        title=f"{row['batch']} · {seat.arm} · {name}"[:TITLE],
        config=page.config,
        instructions=page.instructions,
        suggestions=_suggests(job, seat.arm),
    )
    known = {**seat._asdict(), "server": studio.server, "project": project}
    database.mirror(job.study.engine, tables.SEATS, tables.frame(tables.SEATS, [known]))
    job.report(f"{row['batch']} {seat.arm} {name}: project {project} for {tasks} tasks")
    return project, fresh


def _suggests(job: _Job, arm: str) -> bool:
    return arm == ASSISTED and bool(job.row["suggester"])


def _send(
    aside: ThreadPoolExecutor,
    sending: _Sending,
    payloads: Iterator[tuple[pd.DataFrame, list[dict[str, Any]]]],
    there: dict[str, int],
) -> Future[None] | None:
    """Import what is not `there` chunk by chunk; the end of the last note.

    Each chunk's numbers are noted while the next one is under way: what a cut leaves unnoted is
    found by its unit.
    """
    sent = 0
    noted: Future[None] | None = None
    for chunk, payload in payloads:
        if payload:
            project, report = sending.project, sending.job.report
            there |= sending.studio.import_tasks(project, payload, known=there, report=report)
        if noted:
            noted.result()
        sent += len(chunk)
        pushed = chunk.assign(studio_task=chunk["unit"].map(there))
        noted = aside.submit(_note, sending, pushed, sent)
    return noted


def _note(sending: _Sending, pushed: pd.DataFrame, sent: int) -> None:
    """Note the numbers of tasks that are in Label Studio; `sent` with those before."""
    job, seat = sending.job, sending.seat
    database.mirror(job.study.engine, tables.TASKS, tables.frame(tables.TASKS, pushed))
    job.report(
        f"{seat.batch} {seat.arm} {name_of(seat.coder)}: {sent} of "
        f"{sending.tasks} tasks in Label Studio"
    )


def _ahead(
    aside: ThreadPoolExecutor,
    job: _Job,
    arm: str,
    chunks: list[pd.DataFrame],
    there: frozenset[str],
    first: Future[list[dict[str, Any]]] | None,
) -> Iterator[tuple[pd.DataFrame, list[dict[str, Any]]]]:
    """Each chunk with the payload of what it lacks; the next is made while the server works."""
    following = first or aside.submit(_payload, job, arm, chunks[0], there)
    for place, chunk in enumerate(chunks):
        payload = following.result()
        if place + 1 < len(chunks):
            following = aside.submit(_payload, job, arm, chunks[place + 1], there)
        yield chunk, payload


def _payload(
    job: _Job, arm: str, chunk: pd.DataFrame, there: frozenset[str]
) -> list[dict[str, Any]]:
    """What is imported for the tasks not `there`: checked, and blind where the arm is."""
    tasks = chunk[~chunk["unit"].isin(there)]
    if tasks.empty:
        return []
    posts = database.read(job.study.engine, tables.POSTS, unit=tasks["unit"].tolist())
    shown = _suggestions(job, tasks) if _suggests(job, arm) else _Suggestions(None, None)
    codes = _noted_codes(job, tasks) if arm == ADJUDICATION else None
    return suggestions.payload(tasks, posts, shown.predictions, shown.notes, codes)


def _noted_codes(job: _Job, tasks: pd.DataFrame) -> dict[str, str]:
    """Unit → the codes of others that its adjudicator is shown, noted before they are sent.

    So a push that is cut off leaves no task without a note; what was not sent then is noted anew,
    with the codes that there are by that time.
    """
    shown = shown_codes(job.study, job.row, tasks, at=now())
    database.mirror(job.study.engine, tables.SHOWN_CODES, shown)
    return dict(zip(shown["unit"], shown["text"], strict=True))


def _due(job: _Job, arm: str, tasks: pd.DataFrame) -> set[str]:
    """The units of an assisted seat for which the suggester has something to suggest."""
    if not _suggests(job, arm):
        return set()
    made = database.distinct(
        job.study.engine,
        tables.CODINGS.c.unit,
        codebook=job.study.codebook.fingerprint,
        coder=job.row["suggester"],
        replicate=1,
    )
    return set(made).intersection(tasks["unit"])


def _completed(job: _Job, seat: Any, studio: Studio, project: int, due: set[str]) -> int:
    """Give each task the suggestion that it lacks; how many stay without, since they are coded.

    Label Studio on SQLite may keep the tasks of a request and lose their suggestions where others
    write at the same time, and answers that all is well. What was coded without a suggestion in
    view is no assisted coding: it is marked so, and stays as it is.
    """
    if not due:
        return 0
    without: set[str] = set()
    given: set[str] = set()
    if studio.settings(project)["predictions"] < len(due):
        lacking = [
            one
            for one in studio.suggestion_states(project)
            if one.unit in due and not one.suggested
        ]
        still_open = {one.unit: one.task for one in lacking if not one.coded}
        made = _suggestions(job, pd.DataFrame({"unit": sorted(still_open)})).predictions or {}
        studio.suggest(project, {task: made[unit] for unit, task in still_open.items()})
        given = {
            one.unit for one in studio.suggestion_states(project) if one.suggested and not one.coded
        }
        without = {one.unit for one in lacking} - given
        where = f"{seat.batch} {seat.arm} {name_of(seat.coder)}"
        if still_open:
            job.report(
                f"{where}: {len(still_open)} tasks lacked their suggestion and were given it"
            )
        if without:
            job.report(
                f"{where}: {len(without)} tasks were coded without a suggestion in view: they are "
                "no assisted codings and count in none"
            )
    _mark(job, seat, due - without, given)
    return len(without)


def _mark(job: _Job, seat: Any, shown: set[str], given: set[str]) -> None:
    """Note which tasks of an assisted seat show a suggestion: `shown`, some `given` just now.

    What was coded without one stays marked so, though it should have one by now, and nothing is
    known of what its coder did with a suggestion. Results that this concerns are void.
    """
    who: dict[str, object] = {"arm": seat.arm, "coder": seat.coder}
    here = {"batch": seat.batch, **who}
    tasks = database.read(job.study.engine, tables.TASKS, **here)
    before, unit = tasks["suggested"], tasks["unit"]
    without = (before == 0).fillna(False) & ~unit.isin(given)
    now = (unit.isin(shown) & ~without).astype("Int64")
    differing = now.ne(before).fillna(True)
    if differing.any():
        marked = tables.frame(tables.TASKS, tasks.assign(suggested=now)[differing])
        blank = marked.loc[marked["suggested"] == 0, "unit"].tolist()
        book = job.study.codebook.fingerprint
        results.replace(
            job.study.engine,
            (tables.TASKS, {**here, "unit": marked["unit"].tolist()}, marked),
            (tables.CHANGES, {**who, "codebook": book, "unit": blank}, []),
        )


def _verified(job: _Job, seat: Any, studio: Studio, project: int, counts: _Counts) -> None:
    """Read the counts back and let the suggestions show; raises where they are not those sent."""
    found = studio.settings(project)
    if found["tasks"] > counts.tasks:  # an import that was given up as lost arrived after all
        studio.units(project, report=job.report)
        found = studio.settings(project)
    version = job.row["suggester"] if _suggests(job, seat.arm) else ""
    if version and found["predictions"] and found["model_version"] != version:
        studio.set_model_version(project, version)
        found = studio.settings(project)
    faults = []
    if found["tasks"] < counts.tasks:
        faults.append(f"{found['tasks']} tasks, not {counts.tasks}")
    if found["predictions"] < counts.predictions:
        faults.append(f"{found['predictions']} suggestions, not {counts.predictions}")
    if found["predictions"] and not version:
        faults.append(f"{found['predictions']} suggestions, although its arm shows none")
    if version and found["predictions"] and not _shows(found, version):
        faults.append("suggestions that do not show")
    where = f"project {project} ({seat.arm}, {seat.coder})"
    if faults:
        raise ServiceRejected(
            f"{SERVICE} at {studio.url}: {where} holds {' and '.join(faults)}: look at it there, "
            "then push again or draw a new batch",
            service=SERVICE,
        )
    if found["tasks"] > counts.tasks:
        job.report(f"{where} holds {found['tasks'] - counts.tasks} tasks that are not of the batch")


def _shows(found: dict[str, Any], version: str) -> bool:
    return bool(found["show_collab_predictions"]) and found["model_version"] == version


def _page(codebook: Codebook, arm: Arm) -> _Page:
    folder = resources.folder("templates") / "studio"
    return _Page(
        suggestions.config(
            codebook, template=records.read_text(folder / "config.jinja"), given=arm == ADJUDICATION
        ),
        suggestions.instructions(
            codebook, template=records.read_text(folder / "instructions.jinja"), arm=arm
        ),
    )


def _suggestions(job: _Job, tasks: pd.DataFrame) -> _Suggestions:
    """The suggester's codes for the units of some tasks, as Label Studio shows them."""
    which: dict[str, object] = {
        "codebook": job.study.codebook.fingerprint,
        "coder": job.row["suggester"],
        "replicate": 1,
        "unit": tasks["unit"].tolist(),
    }
    codings = database.read(job.study.engine, tables.CODINGS, **which)
    segments = database.read(job.study.engine, tables.SEGMENTS, **which)
    book, version = job.study.codebook, job.row["suggester"]
    return _Suggestions(
        suggestions.predictions(codings, segments, book, version=version),
        suggestions.unsupported(codings, segments, book),
    )
