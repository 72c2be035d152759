"""What results are computed from, and whose results a change of it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, or_, select

from labeler.store import database, tables

COUNTING: dict[Table, tuple[str, ...]] = {
    tables.BATCHES: ("batch", "codebook", "suggester", "design"),
    tables.TASKS: (
        *("batch", "arm", "coder", "unit", "unit_probability", "task_probability"),
        "suggested",
    ),
    tables.ANNOTATIONS: tuple(tables.columns(tables.ANNOTATIONS)),
    tables.CODINGS: tuple(name for name in tables.columns(tables.CODINGS) if name != "source"),
    tables.SEGMENTS: tuple(tables.columns(tables.SEGMENTS)),
    tables.CHANGES: tuple(tables.columns(tables.CHANGES)),
    tables.CONFIDENCE: tuple(tables.columns(tables.CONFIDENCE)),
    tables.COMPLETIONS: ("codebook", "coder", "unit", "replicate", "error"),
    tables.CODERS: ("coder", "coder_group"),
}
"""What results are computed from: table → those of its columns that enter a result."""


class _CodedUnit(NamedTuple):
    """A unit of which somebody's codes changed."""

    codebook: str
    coder: str
    arm: str
    unit: str


class _CoderOfGroup(NamedTuple):
    """A coder whose group changed."""

    coder: str


def rows_there(
    connection: Connection, table: Table, equals: Mapping[str, object]
) -> set[tuple[Any, ...]]:
    """The rows of a slice by their columns that enter a result; none of another table."""
    if table not in COUNTING:
        return set()
    query = select(*(table.c[name] for name in COUNTING[table]))
    rows = connection.execute(query.where(database.matching(connection.engine, table, equals)))
    return _holding(table, {tuple(row) for row in rows.fetchall()})


def counting(table: Table, rows: Iterable[Mapping[str, Any]]) -> set[tuple[Any, ...]]:
    """The same of rows at hand."""
    names = COUNTING.get(table, ())
    return _holding(table, {tuple(row[name] for name in names) for row in rows} if names else set())


def _holding(table: Table, rows: set[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Those that say something: an answer that ended in an error is none."""
    if table is not tables.COMPLETIONS:
        return rows
    error = COUNTING[table].index("error")
    return {row for row in rows if row[error] == ""}


def concerned(connection: Connection, differing: Mapping[Table, set[tuple[Any, ...]]]) -> set[str]:
    """The batches whose results rows concern that came or went: table → their counted columns."""
    changed = [_changed(table, rows) for table, rows in differing.items()]
    return _batches(connection, set().union(*changed))


def _changed(table: Table, rows: set[tuple[Any, ...]]) -> set[str | _CodedUnit | _CoderOfGroup]:
    """The batches, units of whose codes, or coders, that rows are about which came or went."""
    if table is tables.CODERS:
        return {_CoderOfGroup(str(row[0])) for row in rows}
    names = COUNTING.get(table, ())
    places = {name: place for place, name in enumerate(names)}
    if "batch" in places:
        return {str(row[places["batch"]]) for row in rows}
    arm = places.get("arm")
    codebook, coder, unit = (places.get(name, 0) for name in ("codebook", "coder", "unit"))
    return {
        _CodedUnit(row[codebook], row[coder], row[arm] if arm is not None else "", row[unit])
        for row in rows
    }


def _batches(connection: Connection, changed: set[str | _CodedUnit | _CoderOfGroup]) -> set[str]:
    """The batches named, and those that have one of the units by this coder or suggester, or any
    task of a coder whose group changed."""
    found = {one for one in changed if isinstance(one, str)}
    regrouped = [one.coder for one in changed if isinstance(one, _CoderOfGroup)]
    if regrouped:
        which = database.matching(connection.engine, tables.TASKS, {"coder": regrouped})
        found |= set(connection.scalars(select(tables.TASKS.c.batch).where(which).distinct()))
    units: dict[tuple[str, str, str], list[str]] = {}
    for one in changed:
        if isinstance(one, _CodedUnit):
            units.setdefault((one.codebook, one.coder, one.arm), []).append(one.unit)
    tasks, batches = tables.TASKS, tables.BATCHES
    for (codebook, coder, arm), own in units.items():
        suggested = batches.c.suggester == coder
        if not arm and not connection.scalar(select(batches.c.batch).where(suggested).limit(1)):
            continue  # a model that suggested nothing yet: as a rule, before batches are drawn
        query = (
            select(batches.c.batch)
            .join(tasks, tasks.c.batch == batches.c.batch)
            .where(
                batches.c.codebook == codebook,
                or_(suggested, (tasks.c.coder == coder) & (tasks.c.arm == arm)),
                database.matching(connection.engine, tasks, {"unit": own}),
            )
            .distinct()
        )
        found |= set(connection.scalars(query))
    return found
