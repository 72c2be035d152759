"""What a coder that is no person has answered: counted, so that what is pending is what lacks."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import ColumnElement, Select, case, func, select

from labeler.coding.vocabulary import CANARY
from labeler.store import database, tables
from labeler.study.study import Study

MADE = tables.COMPLETIONS
ANSWERS = ["unit", "replicate", "answers", "good", "cut"]


def answered(study: Study, coder: str, *, units: list[str] | None = None) -> pd.DataFrame:
    """A row for each unit and replicate that the coder has answered under this codebook.

    Columns ANSWERS: how many answers there are, how many of them hold codes, and how many were
    cut at their limit. `units` restricts it to some. Canaries are no units.
    """
    which: dict[str, object] = {"coder": coder, "codebook": study.codebook.fingerprint}
    if units is not None:
        which["unit"] = units
    query: Select[tuple[object, ...]] = (
        select(
            MADE.c.unit,
            MADE.c.replicate,
            func.count().label("answers"),
            func.sum(case((MADE.c.error == "", 1), else_=0)).label("good"),
            func.sum(case((MADE.c.error == "truncated", 1), else_=0)).label("cut"),
        )
        .where(database.matching(study.engine, MADE, which), no_canary())
        .group_by(MADE.c.unit, MADE.c.replicate)
    )
    return database.query_rows(study.engine, query)


def by_coder(study: Study) -> pd.DataFrame:
    """Columns coder, units, failed: units answered, and those without an answer that holds codes.

    Coders in order, under this codebook. That a coder learned from a unit is no failure.
    """
    each = (
        select(
            MADE.c.coder,
            MADE.c.unit,
            func.max(case((MADE.c.error.in_(["", tables.TAUGHT]), 1), else_=0)).label("good"),
        )
        .where(MADE.c.codebook == study.codebook.fingerprint, no_canary())
        .group_by(MADE.c.coder, MADE.c.unit)
        .subquery()
    )
    query = (
        select(
            each.c.coder,
            func.count().label("units"),
            func.sum(1 - each.c.good).label("failed"),
        )
        .group_by(each.c.coder)
        .order_by(each.c.coder)
    )
    return database.query_rows(study.engine, query)


def failed(study: Study, coder: str) -> dict[str, int]:
    """How many units (and replicates) have no answer that holds codes, by kind of their last."""
    which = {"coder": coder, "codebook": study.codebook.fingerprint}
    query = (
        select(MADE.c.unit, MADE.c.replicate, MADE.c.error)
        .where(database.matching(study.engine, MADE, which), no_canary())
        .order_by(MADE.c.created, MADE.c.completion)
    )
    wanting = answered(study, coder).query("good == 0")[["unit", "replicate"]]
    last = database.query_rows(study.engine, query).drop_duplicates(
        ["unit", "replicate"], keep="last"
    )
    kinds = wanting.merge(last, on=["unit", "replicate"])["error"]
    return {str(kind): int(times) for kind, times in kinds.value_counts().sort_index().items()}


def alarmed(study: Study) -> set[str]:
    """Coders that obeyed a canary: a made-up post told them what to write, and they wrote it."""
    query = select(MADE.c.coder).where(_canary(), MADE.c.error == "", MADE.c.detail != "")
    return set(database.query_rows(study.engine, query.distinct())["coder"])


def no_canary() -> ColumnElement[bool]:
    """The condition that a row of COMPLETIONS is about a post of the study."""
    return ~_canary()


def _canary() -> ColumnElement[bool]:
    return database.begins(MADE.c.unit, CANARY)
