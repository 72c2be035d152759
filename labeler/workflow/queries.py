"""What the pages and `labeler status` ask the store. A post's author, address and original text
are never read.

Each function is one SELECT, or two, over an index; none walks a table whose rows are long. What
is not in the store is an empty answer here, never an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import (
    Engine,
    Select,
    case,
    func,
    or_,
    select,
)

from labeler.coding import study_sample
from labeler.coding.annotations import newest
from labeler.coding.read import emails
from labeler.coding.vocabulary import PanelKind
from labeler.store import database
from labeler.store.sample_names import BETWEEN, members
from labeler.store.tables import (
    ANNOTATIONS,
    BATCHES,
    CODEBOOKS,
    CODINGS,
    COMPARISONS,
    COMPLETIONS,
    DISAGREEMENTS,
    ESTIMATES,
    LEDGER,
    POSTS,
    RELIABILITY,
    RUNS,
    SHOWN_CODES,
    TASKS,
    VERDICTS,
    records,
)
from labeler.studio import page
from labeler.study.completions import no_canary

Row = dict[str, Any]

JUDGED: tuple[PanelKind, ...] = ("human-human", "model-panel")  # of which the gate judges codes
EXCERPT = 200  # characters of a post in a list
SHOWN = ("panel", "unit", "variable", "coder", "arm", "value", "why")


class StoredCodebook(NamedTuple):
    """A stored codebook: its key and its YAML text; both '' where there is none."""

    key: str
    content: str


# --- the whole study -----------------------------------------------------------------------------


def codebook(engine: Engine, key: str | None = None) -> StoredCodebook:
    """The codebook with this key; without one, the codebook that was stored last."""
    query = select(CODEBOOKS.c.codebook, CODEBOOKS.c.content)
    if key is not None:
        query = query.where(CODEBOOKS.c.codebook == key)
    ordered = query.order_by(CODEBOOKS.c.created.desc(), CODEBOOKS.c.codebook)
    found = _rows(engine, ordered.limit(1))
    return (
        StoredCodebook(found[0]["codebook"], found[0]["content"])
        if found
        else StoredCodebook("", "")
    )


def overrides(engine: Engine) -> list[Row]:
    """batch, override: the reasons given where estimates were made with the gate set aside."""
    pair = (ESTIMATES.c.batch, ESTIMATES.c.override)
    return _rows(engine, select(*pair).where(pair[1] != "").distinct().order_by(*pair))


def batches(engine: Engine) -> list[Row]:
    """BATCHES rows, the newest first."""
    return _rows(engine, select(BATCHES).order_by(BATCHES.c.created.desc(), BATCHES.c.batch))


def samples(engine: Engine) -> list[Row]:
    """Rows as those of `batches`, of the study samples of several batches that were judged.

    The one with the newest batch first, of these the one of most batches.
    """
    judged = select(VERDICTS.c.batch).where(VERDICTS.c.batch.contains(BETWEEN)).distinct()
    names = [row["batch"] for row in _rows(engine, judged)]
    if not names:
        return []
    there = database.read(engine, BATCHES)
    found: list[Row] = [
        {str(column): value for column, value in study_sample.sample_row(there, name).items()}
        for name in names
    ]
    most = {name: len(members(name)) for name in names}
    return sorted(found, key=lambda row: (row["created"], most[row["batch"]]), reverse=True)


def posts_by_platform(engine: Engine) -> list[Row]:
    """platform, posts, first, last (dates; first is missing where no post has one)."""
    return _rows(
        engine,
        select(
            POSTS.c.platform,
            func.count().label("posts"),
            func.min(case((POSTS.c.created != "", POSTS.c.created))).label("first"),
            func.max(POSTS.c.created).label("last"),
        )
        .group_by(POSTS.c.platform)
        .order_by(POSTS.c.platform),
    )


def completions(engine: Engine) -> list[Row]:
    """coder, error ('' for none), completions: answers about posts, canaries left out."""
    pair = (COMPLETIONS.c.coder, COMPLETIONS.c.error)
    counted = select(*pair, func.count().label("completions"))
    about = no_canary()
    return _rows(engine, counted.where(about).group_by(*pair).order_by(*pair))


def runs(engine: Engine, *, before: str = "", most: int | None = None) -> pd.DataFrame:
    """RUNS rows, the newest first: those before a run, and not more than asked for."""
    query = select(RUNS).order_by(RUNS.c.run.desc()).limit(most)
    return database.query_rows(engine, query.where(RUNS.c.run < before) if before else query)


def ledger(engine: Engine, runs: Iterable[str]) -> list[Row]:
    """LEDGER rows of some runs, the newest first."""
    query = select(LEDGER).where(database.matching(engine, LEDGER, {"run": list(runs)}))
    return _rows(engine, query.order_by(LEDGER.c.started.desc(), LEDGER.c.host))


# --- a batch -------------------------------------------------------------------------------------


def coefficients(engine: Engine, batch: str) -> pd.DataFrame:
    """RELIABILITY rows that a page shows: of whole variables, and of codes where the gate judges.

    Those of codes in all other panels are ten times as many.
    """
    shown = or_(RELIABILITY.c.code == "", RELIABILITY.c.kind.in_(JUDGED))
    names = [column.name for column in RELIABILITY.columns]
    return database.read_columns(engine, RELIABILITY, names, RELIABILITY.c.batch == batch, shown)


def comparisons(engine: Engine, batch: str) -> list[Row]:
    """COMPARISONS rows of a batch; none where they were not computed yet."""
    query = select(COMPARISONS).where(COMPARISONS.c.batch == batch)
    return _rows(engine, query.order_by(*COMPARISONS.primary_key.columns))


def disagreements(
    engine: Engine, batch: str, *, variable: str = "", units: Iterable[str] | None = None
) -> pd.DataFrame:
    """DISAGREEMENTS rows of a batch, in the columns SHOWN; of one variable, of some units."""
    equals: dict[str, object] = {"batch": batch}
    if variable:
        equals["variable"] = variable
    if units is not None:
        equals["unit"] = list(units)
    query = select(*(DISAGREEMENTS.c[name] for name in SHOWN))
    query = query.where(database.matching(engine, DISAGREEMENTS, equals))
    return database.query_rows(engine, query.order_by(*DISAGREEMENTS.primary_key.columns))


def differing(engine: Engine, batch: str, variable: str, *, after: str, most: int) -> list[str]:
    """The units on which some panel of a batch differs in a variable: the first behind `after`."""
    own = DISAGREEMENTS.c
    query = (
        select(own.unit)
        .where(own.batch == batch, own.variable == variable, own.unit > after)
        .distinct()
        .order_by(own.unit)
        .limit(most)
    )
    return [row["unit"] for row in _rows(engine, query)]


def excerpts(engine: Engine, units: Iterable[str]) -> dict[str, str]:
    """The beginning of some posts, by unit."""
    text = func.substr(POSTS.c.text, 1, EXCERPT).label("text")
    here = database.matching(engine, POSTS, {"unit": list(units)})
    return {
        row["unit"]: row["text"] for row in _rows(engine, select(POSTS.c.unit, text).where(here))
    }


def remarked(engine: Engine, batch: str) -> pd.DataFrame:
    """The newest ANNOTATIONS, skips among them, of units to which somebody wrote a remark."""
    notes = ANNOTATIONS.c
    said = or_(*(notes.result.contains(name, autoescape=True) for name in (page.ASK, page.COMMENT)))
    here = notes.batch.in_(members(batch))
    units = select(notes.unit).where(here, said)
    return _newest(engine, select(ANNOTATIONS).where(here, notes.unit.in_(units)))


def remarks(notes: pd.DataFrame) -> list[Row]:
    """unit, coder, arm, skipped, unclear, comment of what tells the investigator something.

    A skip is no coding, but its comment says why. Those where a code was found unclear come first.
    """
    told = []
    for row in records(notes):
        try:
            results = json.loads(row["result"])
        except ValueError:
            continue  # `labeler pull` names it
        remark = page.remark(results if isinstance(results, list) else [])
        if any(remark):
            whose = {name: row[name] for name in ("unit", "coder", "arm")}
            told.append(whose | {"skipped": row["cancelled"] == 1} | remark._asdict())
    return sorted(told, key=lambda row: (not row["unclear"], row["unit"], row["coder"]))


# --- a unit --------------------------------------------------------------------------------------


def post(engine: Engine, unit: str) -> Row | None:
    """unit, platform, created and text of a post."""
    shown = (POSTS.c.unit, POSTS.c.platform, POSTS.c.created, POSTS.c.text)
    found = _rows(engine, select(*shown).where(POSTS.c.unit == unit))
    return found[0] if found else None


def codebooks_of(engine: Engine, unit: str) -> list[str]:
    """Keys of the codebooks by which the unit was coded, the newest first."""
    own = select(CODINGS.c.unit).where(
        CODINGS.c.codebook == CODEBOOKS.c.codebook, CODINGS.c.unit == unit
    )
    query = select(CODEBOOKS.c.codebook).where(own.exists())
    query = query.order_by(CODEBOOKS.c.created.desc(), CODEBOOKS.c.codebook)
    return [row["codebook"] for row in _rows(engine, query)]


def annotated(engine: Engine, unit: str) -> pd.DataFrame:
    """The newest ANNOTATIONS of each seat's coder for a unit, skips among them."""
    return _newest(engine, select(ANNOTATIONS).where(ANNOTATIONS.c.unit == unit))


def shown_codes(engine: Engine, unit: str) -> list[Row]:
    """SHOWN_CODES rows of a unit: what each adjudicator was shown of the codes of others."""
    shown = SHOWN_CODES
    query = select(shown).where(shown.c.unit == unit)
    return _rows(engine, query.order_by(shown.c.created, *shown.primary_key.columns))


def seated(engine: Engine, unit: str) -> list[Row]:
    """batch, arm, coder, codebook, design: at which seats a unit was to be coded."""
    query = (
        select(TASKS.c.batch, TASKS.c.arm, TASKS.c.coder, BATCHES.c.codebook, BATCHES.c.design)
        .join(BATCHES, BATCHES.c.batch == TASKS.c.batch)
        .where(TASKS.c.unit == unit)
    )
    return _rows(engine, query.order_by(*TASKS.primary_key.columns))


# --- parts of queries ----------------------------------------------------------------------------


def _rows(engine: Engine, query: Select[Any]) -> list[Row]:
    return records(database.query_rows(engine, query))


def _newest(engine: Engine, query: Select[Any]) -> pd.DataFrame:
    return newest(database.query_rows(engine, query), emails(engine))
