"""A study that is open: its project, store and codebook, and the log of what is run on it."""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import Engine, select, update

from labeler import __version__, hints
from labeler.codebook import codebook
from labeler.codebook.codebook import Codebook
from labeler.coding import study_sample
from labeler.coding.vocabulary import human, name_of
from labeler.errors import LabelerError, ProjectError
from labeler.files import records
from labeler.keys import canonical
from labeler.project import Project
from labeler.store import database, results, tables
from labeler.store.sample_names import members, sample_name
from labeler.study.processes import identity
from labeler.text.names import unknown

MADE_UP = "made-up"
RUNNING, KILLED = "running", "killed"  # outcomes of a run
IMPORTED = "import:"  # begins the server of a seat whose codings came from a file

Report = Callable[[str], None]


class Study(NamedTuple):
    """What every command works on."""

    project: Project
    engine: Engine
    codebook: Codebook


def silent(_line: str) -> None:
    """Report to nobody."""


def now() -> str:
    """The time as the tables write it: ISO-8601, UTC, microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def open_study(project: Project) -> Study:
    """Read and check the codebook, connect to the store, and note the codebook's version there."""
    text = records.read_text(project.codebook_path)
    book = codebook.read(text, source=str(project.codebook_path))
    project.prepare()
    engine = database.connect(project.database_url)
    row = {
        "codebook": book.fingerprint,
        "name": book.codebook,
        "version": book.version,
        "content": text,
        "created": now(),
    }
    database.add(engine, tables.CODEBOOKS, tables.frame(tables.CODEBOOKS, [row]))
    return Study(project, engine, book)


@contextmanager
def logged(study: Study, command: str, settings: Mapping[str, object]) -> Iterator[str]:
    """Note in RUNS who ran what, with which settings, and how it ended; the run's key.

    First a run whose process is gone is noted as killed; its `ended` is when that was found.
    """
    _note_killed(study.engine)
    started = now()
    row = {
        "run": f"{started} {secrets.token_hex(3)}",
        "command": command,
        "settings": canonical(dict(settings)),
        "version": __version__,
        "started": started,
        "outcome": RUNNING,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "process": identity(os.getpid()),
    }
    database.add(study.engine, tables.RUNS, tables.frame(tables.RUNS, [row]))
    outcome = KILLED
    try:
        yield str(row["run"])
        outcome = "done"
    except LabelerError as error:
        outcome = f"{type(error).__name__}: {error}"
        raise
    except (KeyboardInterrupt, GeneratorExit):  # the latter where who follows a watch ends
        outcome = "interrupted"
        raise
    finally:
        ended = {**row, "ended": now(), "outcome": outcome}
        database.mirror(study.engine, tables.RUNS, tables.frame(tables.RUNS, [ended]))


def _note_killed(engine: Engine) -> None:
    """Note as killed what ran on this machine and whose process is gone, however it went."""
    runs = tables.RUNS
    mine = {"outcome": RUNNING, "host": socket.gethostname()}
    gone = [
        row.run
        for row in tables.rows(database.read(engine, runs, **mine))
        if row.process and identity(int(row.pid)) != row.process
    ]
    if gone:  # unless it ended meanwhile as it should
        with database.writing(engine) as connection:
            here = database.matching(engine, runs, {"run": gone, "outcome": RUNNING})
            connection.execute(update(runs).where(here).values(outcome=KILLED, ended=now()))


def add_coder(
    study: Study, coder: str, *, kind: str, spec: Mapping[str, object], renew: bool = False
) -> None:
    """Note a coder; one who is there stays as noted first, unless noted `renew`."""
    row = {"coder": coder, "kind": kind, "spec": canonical(dict(spec)), "created": now()}
    if renew:
        row["coder_group"] = groups(study).get(coder, "")
    write = database.mirror if renew else database.add
    write(study.engine, tables.CODERS, tables.frame(tables.CODERS, [row]))


def groups(study: Study) -> dict[str, str]:
    """Human coder → group, of those who have one."""
    people = database.read(study.engine, tables.CODERS, kind="human")
    named = zip(people["coder"], people["coder_group"], strict=True)
    return {coder: group for coder, group in named if group}


def set_group(study: Study, name: str, group: str) -> str:
    """Note the group of a human coder ('' for none), and make void what was computed of it; the
    group as it is noted.

    Raises ProjectError for a coder that is not known, and for a group that differs from another
    in capitals alone.
    """
    group, coder = " ".join(group.split()), human(name)
    there = database.read(study.engine, tables.CODERS, kind="human")
    own = there[there["coder"] == coder]
    if own.empty:
        people = [name_of(known) for known in there["coder"]]
        raise ProjectError(
            unknown("coder", name_of(name), people), hint=hints.ADD_CODER.about(name=name_of(name))
        )
    for other in sorted(set(there.loc[there["coder"] != coder, "coder_group"]) - {"", group}):
        if other.casefold() == group.casefold():
            raise ProjectError(
                f"group {group!r}: there is one called {other!r}", hint=hints.SPELL_GROUP
            )
    with logged(study, "coders set", {"coder": coder, "group": group}):
        results.mirror(study.engine, tables.CODERS, own.assign(coder_group=group))
    return group


def coders(study: Study, kind: str) -> dict[str, dict[str, object]]:
    """Coder → spec, of one kind."""
    known = database.read(study.engine, tables.CODERS, kind=kind)
    return {row.coder: json.loads(row.spec) for row in tables.rows(known)}


def batch_row(study: Study, batch: str) -> pd.Series[str]:
    """The BATCHES row of a batch; ProjectError naming those there are, where it is unknown."""
    return named_batch(database.read(study.engine, tables.BATCHES), batch)


def named_batch(there: pd.DataFrame, batch: str) -> pd.Series[str]:
    """The row of a batch among the BATCHES rows there are; ProjectError where it is unknown."""
    found = there[there["batch"] == batch]
    if found.empty:
        hint = hints.DRAW_BATCH if there.empty else None
        raise ProjectError(unknown("batch", batch, there["batch"]), hint=hint)
    return found.iloc[0]


def sample_row(study: Study, sample: str) -> pd.Series[Any]:
    """The row of a batch, or of a study sample of several; see `study_sample.sample_row`."""
    return study_sample.sample_row(database.read(study.engine, tables.BATCHES), sample)


def sample_of(study: Study, named: Sequence[str] = ()) -> str:
    """The name of the study sample of the batches named; of none: of what belongs together.

    That is the newest batch that somebody has coded, with all others of its codebook and suggester
    that can be judged with it and that somebody has coded; the newest batch where none is coded.
    """
    there = study_sample.ordered(database.read(study.engine, tables.BATCHES))
    if named:
        several = sorted({one for name in named for one in members(name)})
        return str(study_sample.sample_row(there, sample_name(several))["batch"])
    if there.empty:
        raise ProjectError("no batch is drawn yet", hint=hints.DRAW_BATCH)
    started = there[there["batch"].isin(coded_batches(study.engine))]
    newest = (there if started.empty else started).iloc[-1]
    about = (newest["codebook"], newest["suggester"])
    own = [
        row.batch
        for row in tables.rows(started)
        if (row.codebook, row.suggester) == about and _joins(study.engine, row)
    ]
    return sample_name(own) if newest["batch"] in own else str(newest["batch"])


def coded_batches(engine: Engine) -> list[str]:
    """The batches of which some annotation counts, in order."""
    notes, batch = tables.ANNOTATIONS.c, tables.BATCHES.c.batch
    here = select(notes.annotation).where(
        notes.batch == batch, notes.cancelled == 0, notes.withdrawn == 0
    )
    found = database.query_rows(engine, select(batch).where(here.exists()).order_by(batch))
    return [str(name) for name in found["batch"]]


def _joins(engine: Engine, row: Any) -> bool:
    """Whether it is known with which probability the batch's draw takes units of other batches."""
    design = json.loads(row.design or "{}")
    if "imported" in design:
        return False
    simple = design.get("drawing", study_sample.SIMPLE) == study_sample.SIMPLE
    return simple or database.count(engine, tables.FRAMES, batch=row.batch) > 0


def same_codebook(study: Study, row: pd.Series[str]) -> None:
    """Refuse a batch (a BATCHES row) that was drawn under another codebook than the study's."""
    if row["codebook"] != study.codebook.fingerprint:
        raise ProjectError(
            f"batch {row['batch']!r} was drawn under another version of the codebook "
            f"({row['codebook'][:6]}, this one is {study.codebook.fingerprint[:6]})",
            hint=hints.OTHER_CODEBOOK,
        )


def seats_of(study: Study, batch: str) -> pd.DataFrame:
    """The SEATS of a batch that have, or will have, a project in Label Studio."""
    seats = database.read(study.engine, tables.SEATS, batch=batch)
    return seats[~seats["server"].str.startswith(IMPORTED)]


def newest_batch(study: Study) -> str:
    """The newest batch; ProjectError where none is drawn yet."""
    there = database.read(study.engine, tables.BATCHES)
    if there.empty:
        raise ProjectError("no batch is drawn yet", hint=hints.DRAW_BATCH)
    return str(there.sort_values("created")["batch"].iloc[-1])


def made_up(engine: Engine) -> bool:
    """Whether the store holds sample posts, which are made up and must say so."""
    here = database.begins(tables.POSTS.c.source, MADE_UP)
    return not database.query_rows(engine, select(tables.POSTS.c.unit).where(here).limit(1)).empty
