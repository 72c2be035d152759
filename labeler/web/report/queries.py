"""What the pages ask the store. A post's author, address and original text are never read."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, cast

import pandas as pd
from flask import abort, current_app, request
from sqlalchemy import Engine, Select, and_, case, distinct, func, select

from labeler.codebook import codebook as codebooks
from labeler.codebook.codebook import Codebook
from labeler.coding.annotations import newest
from labeler.coding.vocabulary import CANARY
from labeler.store import database, results
from labeler.store.tables import (
    ANNOTATIONS,
    BATCHES,
    CODEBOOKS,
    CODERS,
    CODINGS,
    COMPLETIONS,
    ESTIMATES,
    POSTS,
    TASKS,
)
from labeler.studio import page

STORE = "labeler.store"
MADE_UP = "made-up"


def engine() -> Engine:
    """The store of the application that answers."""
    return cast(Engine, current_app.extensions[STORE])


def rows(query: Select[Any]) -> pd.DataFrame:
    """The answer to a SELECT."""
    return database.query_rows(engine(), query)


def banners() -> dict[str, Any]:
    """For every page: the study's title, whether its posts are made up, reasons of overrides."""
    reasons = (
        select(ESTIMATES.c.batch, ESTIMATES.c.override)
        .where(ESTIMATES.c.override != "")
        .distinct()
        .order_by(ESTIMATES.c.batch, ESTIMATES.c.override)
    )
    key = newest_codebook()
    return {
        "study": codebook(key).title if key else "A study without a codebook yet",
        "made_up": _made_up(engine(), database.count(engine(), POSTS)),
        "overrides": rows(reasons).to_dict("records"),
        "outdated": outdated,
    }


def outdated(batch: str, only: str = "") -> str:
    """What pages say of a batch's outdated results (`only` of one table), and what helps; or ''."""
    found = results.outdated(engine(), batch)
    return results.warning(batch, [name for name in found if only in ("", name)])


@lru_cache(maxsize=4)
def _made_up(engine: Engine, posts: int) -> bool:  # noqa: ARG001  (a new number: look again)
    """Whether some post is of the sample. Looks at every post, so only when there are new ones."""
    query = select(POSTS.c.unit).where(POSTS.c.source.startswith(MADE_UP)).limit(1)
    return not database.query_rows(engine, query).empty


def newest_codebook() -> str:
    """The key of the codebook that was stored last; '' where there is none."""
    found = rows(
        select(CODEBOOKS.c.codebook)
        .order_by(CODEBOOKS.c.created.desc(), CODEBOOKS.c.codebook)
        .limit(1)
    )
    return "" if found.empty else str(found["codebook"].iloc[0])


def codebook(key: str) -> Codebook:
    """A stored codebook by its key; answers 404 where it is unknown."""
    found = database.read(engine(), CODEBOOKS, codebook=key)
    if found.empty:
        abort(404, f"There is no codebook with the key {key!r} in this store.")
    return _read(str(found["content"].iloc[0]), key)


@lru_cache(maxsize=8)
def _read(content: str, key: str) -> Codebook:
    return codebooks.read(content, source=f"codebook {key}")


def chosen_batch() -> dict[str, Any] | None:
    """The batch that `?batch=` names, else the newest; None without any; 404 for an unknown one."""
    found = rows(select(BATCHES).order_by(BATCHES.c.created.desc(), BATCHES.c.batch))
    name = request.args.get("batch")
    if name is not None:
        found = found[found["batch"] == name]
        if found.empty:
            abort(404, f"There is no batch {name!r} in this store.")
    records = cast(list[dict[str, Any]], found.to_dict("records"))
    return records[0] if records else None


def batch_names() -> list[str]:
    """All batches, the newest first."""
    query = select(BATCHES.c.batch).order_by(BATCHES.c.created.desc(), BATCHES.c.batch)
    return [str(name) for name in rows(query)["batch"]]


def posts_by_platform() -> pd.DataFrame:
    """Columns platform, posts, first, last (dates)."""
    return rows(
        select(
            POSTS.c.platform,
            func.count().label("posts"),
            func.min(case((POSTS.c.created != "", POSTS.c.created))).label("first"),
            func.max(POSTS.c.created).label("last"),
        )
        .group_by(POSTS.c.platform)
        .order_by(POSTS.c.platform)
    )


def progress() -> pd.DataFrame:
    """A row for each seat: batch, codebook, suggester, created, arm, coder, tasks, coded, answered.

    `answered` are the tasks with an annotation that stands, be it a skip; `coded` those without.
    """
    of_task = and_(
        *(ANNOTATIONS.c[name] == TASKS.c[name] for name in ("batch", "arm", "coder", "unit")),
        ANNOTATIONS.c.withdrawn == 0,
    )
    seat = (
        TASKS.c.batch,
        BATCHES.c.codebook,
        BATCHES.c.suggester,
        BATCHES.c.created,
        TASKS.c.arm,
        TASKS.c.coder,
    )
    coded = case((ANNOTATIONS.c.cancelled == 0, TASKS.c.unit))
    answered = case((ANNOTATIONS.c.annotation.is_not(None), TASKS.c.unit))
    return rows(
        select(
            *seat,
            func.count(distinct(TASKS.c.unit)).label("tasks"),
            func.count(distinct(coded)).label("coded"),
            func.count(distinct(answered)).label("answered"),
        )
        .join(BATCHES, BATCHES.c.batch == TASKS.c.batch)
        .outerjoin(ANNOTATIONS, of_task)
        .group_by(*seat)
        .order_by(BATCHES.c.created.desc(), TASKS.c.batch, TASKS.c.arm.desc(), TASKS.c.coder)
    )


def completions() -> pd.DataFrame:
    """Columns coder, error ('' for none), completions."""
    pair = (COMPLETIONS.c.coder, COMPLETIONS.c.error)
    counted = select(*pair, func.count().label("completions")).where(
        ~COMPLETIONS.c.unit.startswith(CANARY, autoescape=True)
    )
    return rows(counted.group_by(*pair).order_by(*pair))


def post(unit: str) -> dict[str, Any] | None:
    """unit, platform, created and text of a post."""
    shown = (POSTS.c.unit, POSTS.c.platform, POSTS.c.created, POSTS.c.text)
    records = cast(
        list[dict[str, Any]], rows(select(*shown).where(POSTS.c.unit == unit)).to_dict("records")
    )
    return records[0] if records else None


def excerpts(batch: str) -> dict[str, str]:
    """The beginning of each post of a batch, by unit."""
    found = rows(
        select(POSTS.c.unit, func.substr(POSTS.c.text, 1, 200).label("text")).where(
            POSTS.c.unit.in_(_units(batch))
        )
    )
    return dict(zip(found["unit"], found["text"], strict=True))


def codings(batch: str, key: str) -> pd.DataFrame:
    """CODINGS rows of a batch's units under its codebook: first replicates only."""
    return rows(
        select(CODINGS).where(
            CODINGS.c.codebook == key,
            CODINGS.c.unit.in_(_units(batch)),
            CODINGS.c.replicate == 1,
        )
    )


def coded(batch: str, key: str) -> pd.DataFrame:
    """Columns unit, coder, arm: who coded which unit of a batch, with or without a segment."""
    machines = rows(
        select(COMPLETIONS.c.unit, COMPLETIONS.c.coder).where(
            COMPLETIONS.c.codebook == key,
            COMPLETIONS.c.unit.in_(_units(batch)),
            COMPLETIONS.c.replicate == 1,
            COMPLETIONS.c.error == "",
        )
    )
    return pd.concat([humans(batch=batch), machines.assign(arm="")], ignore_index=True)


def humans(**equals: str) -> pd.DataFrame:
    """Columns unit, coder, arm of the annotations that count; `equals` says which ANNOTATIONS."""
    return _standing(**equals)[["unit", "coder", "arm"]]


def remarks(**equals: str) -> list[dict[str, Any]]:
    """unit, coder, arm, skipped, unclear, comment of what tells the investigator something.

    A skip is no coding, but its comment says why. Those where a code was found unclear come first.
    """
    told = []
    for row in _last(**equals).to_dict("records"):
        try:
            results = json.loads(row["result"])
        except ValueError:
            continue  # `labeler pull` names it
        remark = page.remark(results if isinstance(results, list) else [])
        if any(remark):
            whose = {name: row[name] for name in ("unit", "coder", "arm")}
            told.append(whose | {"skipped": row["cancelled"] == 1} | remark._asdict())
    return sorted(told, key=lambda row: (not row["unclear"], row["unit"], row["coder"]))


def _standing(**equals: str) -> pd.DataFrame:
    newest = _last(**equals)
    return newest[newest["cancelled"] != 1]


def _last(**equals: str) -> pd.DataFrame:
    """The newest annotation of each seat's coder for a unit, skips among them."""
    notes = database.read(engine(), ANNOTATIONS, **equals)
    people = database.read(engine(), CODERS, kind="human")
    emails = {
        coder: str(json.loads(spec or "{}").get("email", ""))
        for coder, spec in zip(people["coder"], people["spec"], strict=True)
    }
    return newest(notes, emails)


def _units(batch: str) -> Select[Any]:
    return select(TASKS.c.unit).where(TASKS.c.batch == batch)
