"""A batch's codings from the store: each table once, the columns asked for, filtered there.

The batch may be a study sample of several (`study_sample.sample_row`): its tasks then have the
probabilities of coming in by any of its draws.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
from sqlalchemy import ColumnElement, Engine, Select, Table, and_, case, func, or_, select

from labeler.codebook.codebook import Codebook
from labeler.coding import panels
from labeler.coding.annotations import BARE, SEEN, answered, newest
from labeler.coding.batch import CODED, READING, BatchCodings, with_unasked
from labeler.coding.stream import Stream
from labeler.coding.study_sample import member_draws, with_joint_probabilities
from labeler.coding.vocabulary import ASSISTED, BLIND, CANARY, REPEAT
from labeler.store import database, tables
from labeler.store.sample_names import members

if TYPE_CHECKING:
    Row = Mapping[str, Any] | pd.Series[str]
    Condition = ColumnElement[bool]

CODINGS = ("unit", "segment", "coder", "arm", "replicate", "variable", "value")
SEGMENTS = ("unit", "coder", "arm", "replicate", "segment", "start", "end", "found")
_ONLY_PULLED = ("result", "draft", "copy_of")  # what a pull alone looks at
ANNOTATIONS = tuple(n for n in tables.columns(tables.ANNOTATIONS) if n not in _ONLY_PULLED)

IN_DRAWS = ("batch", "unit", "arm", "unit_probability")  # what the probability of any draw needs

Wanted = Mapping[Table, Sequence[str]]  # table → the columns to read, which hold whose a row is


class BatchInStream(NamedTuple):
    """A batch, and all batches of its suggester and codebook."""

    batch: BatchCodings
    stream: Stream


def read_batch(
    engine: Engine, row: Row, codebook: Codebook, *, wanted: Wanted, replicates: bool = False
) -> BatchCodings:
    """The batch of a BATCHES row, with the tables wanted (POSTS, TASKS, CODINGS, SEGMENTS …).

    With `replicates` every replicate of the suggester counts as a reading, else the first alone.
    """
    own = {
        table.name: _rows(engine, table, row, columns)
        for table, columns in wanted.items()
        if table is not tables.TASKS
    }
    if tables.TASKS in wanted:
        own["tasks"] = _own_tasks(engine, row, wanted[tables.TASKS])
    notes, left, own["coders"] = _answered(engine, _of(row))
    own["left_out"] = left.drop(columns="batch")
    machine = _suggester(engine, row, _coded_in(_of(row)))
    if not replicates:
        machine = machine[machine["replicate"] == 1]
    return _batch(row, codebook, notes, machine, own)


def read_stream(
    engine: Engine, row: Row, batches: pd.DataFrame, codebook: Codebook, *, wanted: Wanted
) -> BatchInStream:
    """The batch of a BATCHES row with the tables wanted and all replicates, and its stream.

    `batches`: BATCHES rows, those of the same suggester and codebook among them. `wanted` holds
    CODINGS and TASKS, which are read for all of them at once, as are annotations and answers.
    """
    same = batches[
        (batches["suggester"] == row["suggester"]) & (batches["codebook"] == row["codebook"])
    ]
    if not row["suggester"]:
        same = batches[batches["batch"].isin(members(row["batch"]))]
    which = _within(engine, row, same["batch"].tolist())
    confidence = _confidence(engine, row)
    every = not confidence.empty
    notes, left, people = _answered(engine, which(tables.ANNOTATIONS))
    machine = _suggester(engine, row, None if every else _coded_in(which(tables.ANNOTATIONS)))
    codings = database.read_columns(
        engine,
        tables.CODINGS,
        wanted[tables.CODINGS],
        _codings_within(row, which(tables.ANNOTATIONS), every=every),
    )
    tasks = database.read_columns(engine, tables.TASKS, wanted[tables.TASKS], which(tables.TASKS))
    rest = {
        table.name: _rows(engine, table, row, columns)
        for table, columns in wanted.items()
        if table not in (tables.CODINGS, tables.TASKS)
    }
    mine, ours, out = (each["batch"].isin(members(row["batch"])) for each in (notes, tasks, left))
    drawn = _jointly_drawn(engine, row, tasks[ours].reset_index(drop=True))
    own = {**rest, "codings": codings, "tasks": drawn, "coders": people}
    own["left_out"] = left[out].drop(columns="batch").reset_index(drop=True)
    read = _batch(row, codebook, notes[mine].reset_index(drop=True), machine, own)
    first = machine[machine["replicate"] == 1]
    blind = tasks[tasks["arm"] == BLIND]
    return BatchInStream(
        read,
        Stream(
            codebook=codebook,
            people=_blind(notes, same, codebook),
            suggester=with_unasked(first, codebook, ""),
            codings=codings,
            confidence=confidence,
            probabilities=blind[["batch", "unit", "unit_probability"]].drop_duplicates(
                ["batch", "unit"]
            ),
        ),
    )


def standing(engine: Engine, **equals: object) -> pd.DataFrame:
    """The ANNOTATIONS that count, without their results; `equals` says which."""
    equal = database.matching(engine, tables.ANNOTATIONS, equals)
    return _coded(_newest(engine, and_(equal, _evidence())))


def seen_before(engine: Engine, batch: str) -> pd.DataFrame:
    """The blind codings of a batch that are no evidence, since the coder had seen the text with
    codes in view: columns coder, units; none where all is well."""
    notes = tables.ANNOTATIONS
    query = (
        select(notes.c.coder, func.count(notes.c.unit.distinct()).label("units"))
        .where(
            notes.c.batch.in_(members(batch)),
            notes.c.cancelled != 1,
            notes.c.withdrawn.is_distinct_from(1),
            _seen_before(),
        )
        .group_by(notes.c.coder)
        .order_by(notes.c.coder)
    )
    return database.query_rows(engine, query)


def last(engine: Engine, **equals: object) -> pd.DataFrame:
    """The newest annotation of each seat and unit, skips among them, without results."""
    return _newest(engine, database.matching(engine, tables.ANNOTATIONS, equals))


def left_out(engine: Engine, batch: str) -> pd.DataFrame:
    """The tasks of a batch that were answered and have no coding that counts: LEFT_OUT."""
    return _answered(engine, tables.ANNOTATIONS.c.batch.in_(members(batch)))[1]


def emails(engine: Engine) -> dict[str, str]:
    """Human coder → e-mail of the account, '' where there is none."""
    return _emails(_people(engine))


def _people(engine: Engine) -> pd.DataFrame:
    """coder, spec, coder_group of the human coders."""
    known = tables.CODERS.c
    columns = ("coder", "spec", "coder_group")
    return database.read_columns(engine, tables.CODERS, columns, known.kind == "human")


def _emails(people: pd.DataFrame) -> dict[str, str]:
    return {
        coder: str(json.loads(spec or "{}").get("email", ""))
        for coder, spec in zip(people["coder"], people["spec"], strict=True)
    }


def _answered(engine: Engine, which: Condition) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The ANNOTATIONS that count, LEFT_OUT rows of tasks answered without one, and who people are
    (coder, coder_group)."""
    notes, people = tables.ANNOTATIONS, _people(engine)
    why = case((_seen_before(), SEEN), (~_suggested(), BARE), else_="").label("why")
    query = select(*(notes.c[name] for name in ANNOTATIONS), why).where(which)
    found = database.query_rows(engine, query.order_by(*notes.primary_key.columns))
    read = tables.typed(notes, found[list(ANNOTATIONS)]).assign(why=found["why"].astype("str"))
    tasks = answered(read, _emails(people))
    return tasks.coded, tasks.left_out, people.drop(columns="spec")


def _newest(engine: Engine, which: Condition) -> pd.DataFrame:
    read = database.read_columns(engine, tables.ANNOTATIONS, ANNOTATIONS, which)
    return newest(read, emails(engine))


def _suggested() -> Condition:
    """Not of an assisted task without a suggestion in view: neither assisted nor drawn as blind."""
    notes, tasks = tables.ANNOTATIONS.c, tables.TASKS.c
    same = [notes[name] == tasks[name] for name in tables.keys(tables.TASKS)]
    without = select(tasks.unit).where(*same, tasks.arm == ASSISTED, tasks.suggested == 0)
    return ~without.exists()


def _evidence() -> Condition:
    """That an annotation counts: a suggestion was in view, or none had been before."""
    return and_(_suggested(), ~_seen_before())


def _seen_before() -> Condition:
    """Coded blind, or changed, after the coder had the same words with codes in view; in whatever
    batch, and whether or not that task is still there."""
    notes, own, shown = tables.ANNOTATIONS.c, tables.POSTS.alias().c, tables.EXPOSURES.c
    given = func.coalesce(func.nullif(notes.updated, ""), notes.created)
    before = select(shown.unit).where(
        own.unit == notes.unit,
        shown.words == own.words,
        shown.coder == notes.coder,
        shown.since <= given,
    )
    return and_(notes.arm.in_((BLIND, REPEAT)), before.exists())


def _coded(notes: pd.DataFrame) -> pd.DataFrame:
    """Those of the newest annotations that are no skips."""
    return notes[notes["cancelled"] != 1].reset_index(drop=True)


def _batch(
    row: Row,
    codebook: Codebook,
    notes: pd.DataFrame,
    machine: pd.DataFrame,
    own: Mapping[str, pd.DataFrame],
) -> BatchCodings:
    people = notes[panels.WHO].assign(replicate=(notes["arm"] == REPEAT) + 1)
    met = machine[machine["unit"].isin(set(people["unit"]))]
    coded = pd.concat([people, met], ignore_index=True)[READING]
    return BatchCodings.of_tables(row, codebook, coded, {**own, "annotations": notes})


def _blind(notes: pd.DataFrame, batches: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Who of all batches coded blind: columns batch, CODED."""
    blind = notes[notes["arm"] == BLIND]
    parts = [
        with_unasked(own[panels.WHO], codebook, str(design)).assign(batch=batch)
        for batch, design in zip(batches["batch"], batches["design"], strict=True)
        if len(own := blind[blind["batch"] == batch])
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["batch", *CODED])


def _suggester(engine: Engine, row: Row, units: Select[Any] | None) -> pd.DataFrame:
    """Which of the units (None: all) the suggester answered without an error: columns READING."""
    made = tables.COMPLETIONS.c
    query = select(made.unit, made.coder, made.replicate).where(
        made.codebook == str(row["codebook"]),
        made.coder == str(row["suggester"]),
        made.error == "",
        ~made.unit.startswith(CANARY, autoescape=True) if units is None else made.unit.in_(units),
    )
    found = database.query_rows(engine, query.distinct().order_by(made.unit, made.replicate))
    return found.assign(arm="")[READING]


def _confidence(engine: Engine, row: Row) -> pd.DataFrame:
    """How sure the suggester is, of every unit: CONFIDENCE rows."""
    sure = tables.CONFIDENCE
    columns = [name for name in tables.columns(sure) if name not in ("codebook", "coder")]
    own = (sure.c.codebook == str(row["codebook"])) & (sure.c.coder == str(row["suggester"]))
    return database.read_columns(engine, sure, columns, own)


def _rows(engine: Engine, table: Table, row: Row, columns: Sequence[str]) -> pd.DataFrame:
    """The rows of a table that are about the batch's coded units, or about the batch."""
    where: list[Condition] = []
    if "batch" in table.c:
        where.append(table.c.batch.in_(members(str(row["batch"]))))
    else:
        where.append(table.c.unit.in_(_coded_in(_of(row))))
    if "codebook" in table.c:
        where.append(table.c.codebook == str(row["codebook"]))
    return database.read_columns(engine, table, columns, *where)


def _own_tasks(engine: Engine, row: Row, columns: Sequence[str]) -> pd.DataFrame:
    """The TASKS rows of the batch; of a study sample with the probabilities of any draw."""
    if len(members(str(row["batch"]))) == 1:
        return _rows(engine, tables.TASKS, row, columns)
    needed = [name for name in tables.columns(tables.TASKS) if name in {*columns, *IN_DRAWS}]
    return _jointly_drawn(engine, row, _rows(engine, tables.TASKS, row, needed))[list(columns)]


def _jointly_drawn(engine: Engine, row: Row, tasks: pd.DataFrame) -> pd.DataFrame:
    """TASKS rows of a batch as they are; of a study sample with the probabilities of any draw."""
    own = members(str(row["batch"]))
    if len(own) == 1:
        return tasks
    units = sorted(set(tasks["unit"]))
    frames = database.read(engine, tables.FRAMES, batch=own, unit=units)
    draws = member_draws(row, tasks, frames, _known_since(engine, row, units))
    return with_joint_probabilities(tasks, draws)


def _known_since(engine: Engine, row: Row, units: list[str]) -> dict[str, str]:
    """Unit → when it could first be drawn: ingested, or answered by the suggester."""
    posts, made = tables.POSTS, tables.COMPLETIONS
    if not row["suggester"]:
        found = database.read_columns(
            engine, posts, ("unit", "ingested"), database.matching(engine, posts, {"unit": units})
        )
        return dict(zip(found["unit"], found["ingested"], strict=True))
    about = {"codebook": row["codebook"], "coder": row["suggester"], "error": "", "unit": units}
    first = func.min(made.c.created).label("first")
    query = select(made.c.unit, first).where(database.matching(engine, made, about))
    answered = database.query_rows(engine, query.group_by(made.c.unit))
    return dict(zip(answered["unit"], answered["first"], strict=True))


def _of(row: Row) -> Condition:
    """That an annotation is of the batch."""
    return tables.ANNOTATIONS.c.batch.in_(members(str(row["batch"])))


def _within(engine: Engine, row: Row, batches: list[str]) -> Callable[[Table], Condition]:
    """That an annotation or a task is of the batch, or a blind one of these batches."""
    return lambda table: or_(
        table.c.batch.in_(members(str(row["batch"]))),
        and_(database.matching(engine, table, {"batch": batches}), table.c.arm == BLIND),
    )


def _codings_within(row: Row, which: Condition, *, every: bool) -> Condition:
    """That a coding is of the batch's units, or of the stream's: blind, or the suggester's.

    `every`: whatever the suggester coded.
    """
    codes = tables.CODINGS.c
    own = codes.unit.in_(_coded_in(_of(row)))
    suggested = codes.coder == str(row["suggester"])
    first = and_(codes.replicate == 1, or_(codes.arm == BLIND, suggested))
    found = and_(codes.unit.in_(_coded_in(which)), or_(own, first))
    if every:
        found = or_(found, and_(codes.replicate == 1, suggested))
    return and_(codes.codebook == str(row["codebook"]), found)


def _coded_in(which: Condition) -> Select[Any]:
    """The units that such annotations are of."""
    return select(tables.ANNOTATIONS.c.unit).where(which)
