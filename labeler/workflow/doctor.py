"""What could go wrong, looked at before it does."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from labeler import __version__, hints
from labeler.coders.llm import capabilities
from labeler.coding.vocabulary import ASSISTED, BLIND
from labeler.errors import LabelerError
from labeler.hints import Hint
from labeler.project import Project
from labeler.store import database, tables
from labeler.studio.accounts import Servers
from labeler.studio.client.studio import Studio
from labeler.studio.repeats import waiting
from labeler.study.study import Study, open_study

STUDIO_VERSION = "1.23.2"
FREE_BYTES = 2 * 1024**3
SQLITE_CODERS = 20  # who submit at once without waiting for long: 18 submissions a second

State = Literal["ok", "warn", "fail"]


class Check(NamedTuple):
    """One thing looked at: its state, what was seen, and what to do ('' where nothing)."""

    check: str
    state: State
    seen: str
    remedy: str | Hint = ""


def doctor(project: Project) -> list[Check]:
    """Look at Python, disk, store, codebook, Label Studio and the model server; never raises."""
    checks = [_python(), _disk(project.root)]
    try:
        study = open_study(project)
    except LabelerError as error:
        remedy = error.hint or "correct what it names"
        return [*checks, Check("store and codebook", "fail", str(error), remedy)]
    checks.append(Check("store", "ok", f"{database.shown(study.engine)}, migrated to this program"))
    book = study.codebook
    checks.append(Check("codebook", "ok", f"{book.codebook} {book.version} holds"))
    checks += [*_studio(study), *_model(study)]
    study.engine.dispose()
    return checks


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if not (3, 11) <= sys.version_info < (3, 14):
        return Check("python", "fail", version, "use Python 3.11, 3.12 or 3.13")
    return Check("python", "ok", f"{version}, labeler {__version__}")


def _disk(root: Path) -> Check:
    free = shutil.disk_usage(root).free
    seen = f"{free / 1024**3:.1f} GiB free at {root}"
    if free < FREE_BYTES:
        return Check("disk", "warn", seen, "free some space: Label Studio alone needs about 1 GiB")
    return Check("disk", "ok", seen)


def _studio(study: Study) -> list[Check]:
    """Each Label Studio of the project, then each pushed seat."""
    servers = Servers(study.project)
    checks = _server(study, servers, "", "label studio")
    if study.project.server_of(BLIND) != study.project.server:
        checks += _server(study, servers, BLIND, "label studio, blind arm")
    return [*checks, *_projects(study, servers)]


def _server(study: Study, servers: Servers, arm: str, name: str) -> list[Check]:
    try:
        studio = servers.of(arm)
        version, me = studio.version(), studio.me()
    except LabelerError as error:
        return [Check(name, "warn", str(error), error.hint or "")]
    checks = [Check(name, "ok", f"{studio.url} answers, the token is that of {me}")]
    if version != STUDIO_VERSION:
        remedy = f"labeler is tried with {STUDIO_VERSION}; expect surprises, or use that one"
        checks.append(Check(f"{name} version", "warn", version, remedy))
    else:
        checks.append(Check(f"{name} version", "ok", version))
    own = study.project.blind_studio_url if arm else study.project.studio_url
    return [*checks, *_database(study, studio, own), _telemetry(own)]


def _database(study: Study, studio: Studio, url: str) -> Iterator[Check]:
    """Whether the server's database takes the coders who work at once."""
    name = "label studio database"
    coders = len(database.distinct(study.engine, tables.SEATS.c.coder))
    if not studio.on_sqlite():
        yield Check(name, "ok", "not SQLite")
    elif url:
        yield Check(
            name,
            "warn",
            f"{studio.url} runs on SQLite: where two coders submit at once it stores some "
            "submissions twice (a pull counts one of them)",
            "ask whoever runs it for PostgreSQL",
        )
    elif coders > SQLITE_CODERS:
        yield Check(
            name,
            "warn",
            f"SQLite, for {coders} coders",
            hints.LARGER_STUDIO,
        )
    else:
        yield Check(name, "ok", f"SQLite, which takes {SQLITE_CODERS} coders at once")


def _telemetry(url: str) -> Check:
    if not url:
        return Check("telemetry", "ok", "off: labeler starts the server with it switched off")
    return Check(
        "telemetry",
        "warn",
        "cannot be seen from outside; with its defaults the server sends posts' text abroad",
        "see that it runs with LABEL_STUDIO_COLLECT_ANALYTICS=false",
    )


def _projects(study: Study, servers: Servers) -> Iterator[Check]:
    """Each pushed seat: are its tasks there, and do suggestions show (or not, where blind)?"""
    seats = database.read(study.engine, tables.SEATS)
    batches = database.read(study.engine, tables.BATCHES).set_index("batch", drop=False)
    for seat in tables.rows(seats[seats["project"].notna()]):
        name = f"{seat.batch} {seat.arm} {seat.coder}"
        used = study.project.server_of(seat.arm)
        if seat.server != used:
            seen = f"lies at {seat.server!r}, not at {used!r}"
            yield Check(name, "warn", seen, hints.LOOK_BACK)
            continue
        which = {"batch": seat.batch, "arm": seat.arm, "coder": seat.coder}
        tasks = database.read(study.engine, tables.TASKS, **which)
        row = batches.loc[seat.batch]
        wanted = len(tasks) - int(waiting(study, row, tasks).sum())
        try:
            there = servers.of(seat.arm).settings(int(seat.project))
        except LabelerError as error:
            yield Check(
                name, "fail", str(error), "was the project deleted? its codes are kept here"
            )
            continue
        yield _seat(name, seat.arm, wanted, there, row["suggester"])


def _seat(name: str, arm: str, wanted: int, there: dict[str, object], suggester: str) -> Check:
    tasks, predictions = there["tasks"], there["predictions"]
    if tasks != wanted:
        return Check(name, "fail", f"{tasks} tasks, not {wanted}", hints.PUSH)
    if arm != ASSISTED:
        if predictions:
            remedy = "what was coded here is not blind: draw a new batch"
            return Check(name, "fail", f"{predictions} suggestions in a blind project", remedy)
        return Check(name, "ok", f"{tasks} tasks, no suggestion")
    if not there["show_collab_predictions"] or there["model_version"] != suggester:
        remedy = "in its settings, show predictions and choose the model version " + suggester
        return Check(name, "fail", "suggestions do not show", remedy)
    return Check(name, "ok", f"{tasks} tasks, {predictions} suggestions, shown")


def _model(study: Study) -> Iterator[Check]:
    """The model server: is it there, is the key good, and what does it do with a schema?"""
    name, project = "model server", study.project
    if not project.llm_model:
        yield Check(name, "warn", "no model is named", hints.NAME_MODEL)
        return
    try:
        found = capabilities.probed(study, again=True)
    except LabelerError as error:
        yield Check(name, "fail", str(error), error.hint or hints.CHECK_MODEL)
        return
    shown = _shown(project.llm_url)
    if found is None:
        seen = f"{shown} did not take a small question with a schema"
        yield Check(name, "warn", seen, "expect every request to be refused")
        return
    listed = "" if found.listed else f", which does not list {project.llm_model!r}"
    yield Check(name, "ok", f"{shown} answers{listed}")
    counts = "counts tokens" if found.counts else "does not count tokens: no budget can be kept"
    logprobs = "gives log-probabilities" if found.logprobs else "gives no log-probabilities"
    if found.enforces:
        yield Check("answers", "ok", f"the schema is enforced; {counts}; {logprobs}")
    else:
        seen = f"the schema is not enforced ({found.detail}); {counts}; {logprobs}"
        yield Check("answers", "warn", seen, "each answer is checked here; expect more off-schema")


def _shown(url: str) -> str:
    """An address without the name and password that it may hold."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
