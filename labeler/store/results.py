"""Results of a batch, and what they stand on: the one list of result tables, and `invalidate`.

A batch has a *ground*: a number that every change of its codings advances, in the transaction
that writes the codings. So it survives kills and serves any number of processes, and is compared
in a millisecond however many codings there are. Whatever writes codings does so by `replace`,
`mirror`, `merge` or `add` of this module, which find out whose results the change concerns. A
result names in `computed_from` what it was computed from; where something else stands now it is
outdated, and it is stored only while what it was computed from still stands (`keep`).

Where several batches are judged together as one study sample, `batch` is the sample's name
(`sample_names`), and its results stand on the grounds of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeVar

import pandas as pd
from sqlalchemy import Connection, Engine, Table, or_, select, update

from labeler import hints
from labeler.errors import ProjectError
from labeler.hints import Hint
from labeler.keys import key
from labeler.store import database, tables
from labeler.store.counting import COUNTING as COUNTING
from labeler.store.counting import concerned, counting, rows_there
from labeler.store.sample_names import members

Command = Literal["reliability", "aggregate"]
RESULTS: dict[Table, Command] = {
    tables.RELIABILITY: "reliability",
    tables.VERDICTS: "reliability",
    tables.ASSESSMENTS: "reliability",
    tables.CONSENSUS: "reliability",
    tables.DISAGREEMENTS: "reliability",
    tables.COMPARISONS: "reliability",
    tables.ESTIMATES: "aggregate",
}
"""Every result table, and the command that computes it. Each has `batch` and `computed_from`."""

RULED = ("comparison", "variable", "code", "verdict", "computed_from")  # of verdicts
ATTEMPTS = 3  # times that something is computed whose ground changes meanwhile

Slice = tuple[Table, dict[str, object], database.Rows]
Found = TypeVar("Found")


class MergedRows(NamedTuple):
    """The rows of a slice before and after it was merged with others."""

    before: pd.DataFrame
    after: pd.DataFrame


Standing = Mapping[str, str]
"""Name of a result table → what stands now, with which its `computed_from` must begin."""


# --- writing what results are computed from ------------------------------------------------------


def replace(engine: Engine, *slices: Slice, upon: Slice | None = None) -> bool:
    """Exchange slices as `database.replace` does, and make void the results that this concerns.

    Where `upon` names a slice with the rows that the others were made of, nothing is written
    unless it still holds just these. Whether it was written.
    """
    with database.writing(engine) as connection:
        if upon and not _still(connection, *upon):
            return False
        differing: dict[Table, set[tuple[Any, ...]]] = {}
        for table, equals, rows in slices:
            given = _records(rows)
            before = rows_there(connection, table, equals)
            database.exchange(connection, table, equals, given)
            # what one slice takes away and a later one brings again differs in nothing
            differing[table] = differing.get(table, set()) ^ before ^ counting(table, given)
        invalidate(connection, concerned(connection, differing))
    return True


def mirror(engine: Engine, table: Table, frame: pd.DataFrame) -> None:
    """Add or update rows as `database.mirror` does, and make void what this concerns.

    The key of the table is one column.
    """
    (name,) = tables.keys(table)
    given = database.records(frame)
    with database.writing(engine) as connection:
        _mirror(connection, table, {name: [row[name] for row in given]}, given)


def merge(
    engine: Engine,
    table: Table,
    equals: dict[str, object],
    merged: Callable[[pd.DataFrame, int], pd.DataFrame],
    *,
    batch: str,
) -> MergedRows:
    """Mirror rows that are `merged` of those that are there, and make void what this concerns.

    Nobody else writes between the reading and the writing. `merged` is given the rows of a slice
    and the ground of the batch, and answers with all rows that the slice is to hold.
    """
    with database.writing(engine) as connection:
        query = select(table).where(database.matching(engine, table, equals))
        rows = [tuple(row) for row in connection.execute(query)]
        columns = tables.columns(table)
        before = tables.frame(table, pd.DataFrame.from_records(rows, columns=columns))
        after = merged(before, _ground(connection, batch))
        _mirror(connection, table, equals, database.records(after))
    return MergedRows(before, after)


def ground(engine: Engine, batch: str) -> int:
    """How often what the results of a batch are computed from has changed so far."""
    with database.reading(engine) as connection:
        return _ground(connection, batch)


def add(engine: Engine, table: Table, frame: pd.DataFrame) -> None:
    """Add the rows that are not there as `database.add` does, and make void what this concerns.

    The key of the table is one column.
    """
    (name,) = tables.keys(table)
    with database.writing(engine) as connection:
        column = table.c[name]
        given = {name: [str(key) for key in frame[name]]}
        known: set[str] = set(
            connection.scalars(select(column).where(database.matching(engine, table, given)))
        )
        new = [row for row in database.records(frame) if row[name] not in known]
        database.insert(connection, table, new, update=False)
        invalidate(connection, concerned(connection, {table: counting(table, new)}))


def invalidate(connection: Connection, batches: Iterable[str]) -> None:
    """Make void what was computed of some batches, within the transaction that gives the reason.

    The rows stay and are outdated from now on: whoever shows them says so.
    """
    names = sorted(set(batches))
    if not names:
        return
    grounds = tables.GROUNDS
    database.insert(
        connection, grounds, [{"batch": name, "ground": 0} for name in names], update=False
    )
    here = database.matching(connection.engine, grounds, {"batch": names})
    connection.execute(update(grounds).where(here).values(ground=grounds.c.ground + 1))


def _mirror(
    connection: Connection, table: Table, equals: dict[str, object], given: list[dict[str, Any]]
) -> None:
    """Add or update the rows given, which are all of those that the slice holds."""
    before = rows_there(connection, table, equals)
    database.insert(connection, table, given, update=True)
    invalidate(connection, concerned(connection, {table: before ^ counting(table, given)}))


def _still(
    connection: Connection, table: Table, equals: dict[str, object], rows: database.Rows
) -> bool:
    return rows_there(connection, table, equals) == counting(table, _records(rows))


def _records(rows: database.Rows) -> Sequence[Mapping[str, Any]]:
    return database.records(rows) if isinstance(rows, pd.DataFrame) else rows


# --- writing and comparing results ---------------------------------------------------------------


def standing(engine: Engine, batch: str) -> Standing:
    """What stands now for each result table of a batch; to be asked before anything is read.

    That is the batch's ground; for the assessments, which follow a suggester over time, besides
    the grounds of its earlier batches. For the estimates the verdicts are still to be added
    (`upon`).
    """
    with database.reading(engine) as connection:
        return _standing(connection, batch)


def upon(standing: Standing, verdicts: pd.DataFrame) -> Standing:
    """What stands for estimates that these verdicts let through."""
    names = [verdicts[name].tolist() for name in RULED]
    rows = sorted(zip(*names, strict=True))
    name = tables.ESTIMATES.name
    return {**standing, name: f"{standing[name]}.{key(rows)}"}


def keep(
    engine: Engine,
    batch: str,
    standing: Standing,
    found: Mapping[Table, pd.DataFrame],
    *,
    looks: pd.DataFrame | None = None,
) -> dict[Table, pd.DataFrame] | None:
    """Store the results of a batch, all or none; None where something else stands by now.

    `standing` is what stood before they were computed. It becomes their `computed_from`; what a
    row says there itself (a key of settings, or '') is kept behind it. `looks` are LOOKS rows to
    add; None too where another run has taken a look of the same number meanwhile.
    """
    stamped = {table: _stamped(rows, standing[table.name]) for table, rows in found.items()}
    with database.writing(engine) as connection:
        now = _standing(connection, batch)
        if tables.ESTIMATES in found:
            now = _upon_stored(connection, batch, now)
        if any(now[table.name] != standing[table.name] for table in found):
            return None
        if looks is not None and _taken(connection, looks):
            return None
        if looks is not None:
            database.insert(connection, tables.LOOKS, looks, update=False)
        for table, rows in stamped.items():
            database.exchange(connection, table, {"batch": batch}, rows)
    return stamped


def _taken(connection: Connection, looks: pd.DataFrame) -> bool:
    """Whether one of the LOOKS rows is there already."""
    names = tables.keys(tables.LOOKS)
    wanted = [{name: row[name] for name in names} for row in database.records(looks)]
    conditions = [database.matching(connection.engine, tables.LOOKS, own) for own in wanted]
    query = select(tables.LOOKS.c.look).where(or_(False, *conditions)).limit(1)
    return connection.scalar(query) is not None


def steadily(engine: Engine, batch: str, attempt: Callable[[Standing], Found | None]) -> Found:
    """Try with what stands, again where the attempt says (None) that something else does by now.

    ProjectError after `ATTEMPTS`.
    """
    for _attempt in range(ATTEMPTS):
        found = attempt(standing(engine, batch))
        if found is not None:
            return found
    raise ProjectError(
        f"batch {batch!r}: its codes changed while they were read, {ATTEMPTS} times over; nothing "
        "was written",
        hint=hints.WAIT_FOR_CODES,
    )


def settings_of(computed_from: str) -> str:
    """What a result's `computed_from` says beside its ground: the key of its settings, or ''."""
    return computed_from.partition(" ")[2]


def stands(computed_from: str, standing: str) -> bool:
    """Whether a result was computed from what stands now."""
    return computed_from.partition(" ")[0] == standing


def outdated(engine: Engine, batch: str) -> list[str]:
    """The result tables of a batch that something else stands for than they were computed from.

    A table without rows of the batch is as old as the reliability computed along with it.
    """
    with database.reading(engine) as connection:
        first = _firsts(connection, batch)
        if not any(own is not None for own in first.values()):
            return []
        now = _upon_stored(connection, batch, _standing(connection, batch))
        return _outdated(now, first)


def computed_from(engine: Engine, batch: str) -> dict[str, str]:
    """Name of each result table that has rows of the batch → what the first was computed from."""
    with database.reading(engine) as connection:
        said = _firsts(connection, batch)
    return {table.name: own for table, own in said.items() if own is not None}


def warning(batch: str, names: Iterable[str]) -> str:
    """What to say of some outdated tables of a batch; '' for none."""
    wanted = ", ".join(names)
    return f"batch {batch!r}: outdated, since codes changed: {wanted}" if wanted else ""


def advice(batch: str, names: Iterable[str]) -> Hint:
    """What to do about some outdated tables of a batch."""
    if "reliability" in commands(names):
        return hints.COMPUTE_AGAIN.about(batch=batch)
    return hints.AGGREGATE_AGAIN.about(batch=batch)


def commands(names: Iterable[str]) -> list[Command]:
    """The commands that compute some result tables anew, in the order to give them."""
    wanted = set(names)
    return list(dict.fromkeys(by for table, by in RESULTS.items() if table.name in wanted))


class BatchResults(NamedTuple):
    """Every result table of a batch by name, which of them are outdated, and what stood then."""

    frames: dict[str, pd.DataFrame]
    outdated: list[str]
    standing: Standing


def of_batch(engine: Engine, batch: str) -> BatchResults:
    """The results of a batch as they stood at one time."""
    with database.reading(engine) as connection:
        now = _standing(connection, batch)
        frames = {table: _rows(connection, table, batch) for table in RESULTS}
    named = {table.name: rows for table, rows in frames.items()}
    ages = said(named)
    old = _outdated(
        upon(now, frames[tables.VERDICTS]), {table: ages.get(table.name) for table in RESULTS}
    )
    return BatchResults(named, old, now)


def said(frames: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Name of each result table that has rows → what the first says it was computed from."""
    return {name: str(rows["computed_from"].iloc[0]) for name, rows in frames.items() if len(rows)}


def _stamped(rows: pd.DataFrame, standing: str) -> pd.DataFrame:
    """The rows, saying what they were computed from; their own key of settings stands behind."""
    own = standing + " " + rows["computed_from"]
    return rows.assign(computed_from=own.str.strip())


# --- what stands ---------------------------------------------------------------------------------


def _standing(connection: Connection, batch: str) -> Standing:
    """Without the verdicts on which estimates stand besides."""
    grounds, own, other = tables.GROUNDS, tables.BATCHES.alias(), tables.BATCHES.alias()
    several = members(batch)
    earlier = (
        select(other.c.batch)
        .join(own, (own.c.suggester == other.c.suggester) & (own.c.codebook == other.c.codebook))
        .where(own.c.batch.in_(several), own.c.suggester != "", other.c.created < own.c.created)
    )
    query = select(grounds.c.batch, grounds.c.ground).where(
        or_(grounds.c.batch.in_(several), grounds.c.batch.in_(earlier))
    )
    known = {row.batch: row.ground for row in connection.execute(query)}
    ground = ",".join(str(known.pop(name, 0)) for name in several)
    found = {table.name: ground for table in RESULTS}
    found[tables.ASSESSMENTS.name] += f".{key(known)}" if known else ""
    return found


def _ground(connection: Connection, batch: str) -> int:
    grounds = tables.GROUNDS.c
    return int(connection.scalar(select(grounds.ground).where(grounds.batch == batch)) or 0)


def _upon_stored(connection: Connection, batch: str, standing: Standing) -> Standing:
    ruled = tables.VERDICTS
    query = select(*(ruled.c[name] for name in RULED)).where(ruled.c.batch == batch)
    rows = [tuple(row) for row in connection.execute(query)]
    return upon(standing, pd.DataFrame(rows, columns=list(RULED)))


def _outdated(now: Standing, said: Mapping[Table, str | None]) -> list[str]:
    """Names of tables; `said`: what each was computed from, None where it has no rows."""
    of_all = said[tables.RELIABILITY]
    aged = of_all is not None and not stands(of_all, now[tables.RELIABILITY.name])
    return [
        table.name
        for table, own in said.items()
        if (own is None and aged and RESULTS[table] == RESULTS[tables.RELIABILITY])
        or (own is not None and not stands(own, now[table.name]))
    ]


def _rows(connection: Connection, table: Table, batch: str) -> pd.DataFrame:
    query = select(table).where(table.c.batch == batch).order_by(*table.primary_key.columns)
    rows = [tuple(row) for row in connection.execute(query)]
    return tables.frame(table, pd.DataFrame.from_records(rows, columns=tables.columns(table)))


def _firsts(connection: Connection, batch: str) -> dict[Table, str | None]:
    """Result table → what a batch's first row was computed from, None where it has none."""
    each = [
        select(table.c.computed_from)
        .where(table.c.batch == batch)
        .order_by(*table.primary_key.columns)
        .limit(1)
        .scalar_subquery()
        .label(table.name)
        for table in RESULTS
    ]
    row = connection.execute(select(*each)).one()
    return {table: row[place] for place, table in enumerate(RESULTS)}
