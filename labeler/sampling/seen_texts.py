"""What the store says of who has seen which text, as `exposure` needs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd
from sqlalchemy import Engine, select

from labeler.sampling.exposure import UNSEEN, Exposure, compared, exposure
from labeler.store import database, tables
from labeler.text.near_texts import Groups, NearTexts

PORTION = 5000  # posts that are compared at a time


class _KnownText(NamedTuple):
    unit: str
    words: str
    text: str


def exposures(engine: Engine, units: Sequence[str]) -> Exposure:
    """What coders have seen with codes in view and what they still code blind, in any batch of any
    version of the codebook; `units` are those that a draw or a move is about."""
    seen = database.read_columns(engine, tables.EXPOSURES, ("coder", "unit"))
    waiting = _waiting(engine)
    coded = set(database.distinct(engine, tables.TASKS.c.unit))
    known = _texts(engine, sorted({*seen["unit"], *waiting["unit"]}))
    return exposure(_groups(engine, known, set(units)), seen, waiting, coded=coded)


def compared_texts(engine: Engine, known: Exposure, units: Sequence[str]) -> Exposure:
    """The exposure once the texts of some units are compared with each other."""
    return compared(known, {own.unit: own.text for own in _texts(engine, units)})


def words_of(engine: Engine, units: Sequence[str]) -> dict[str, str]:
    """Unit → `posts.words`."""
    posts = tables.POSTS
    which = database.matching(engine, posts, {"unit": sorted(set(units))})
    found = database.read_columns(engine, posts, ("unit", "words"), which)
    return dict(zip(found["unit"], found["words"], strict=True))


def _waiting(engine: Engine) -> pd.DataFrame:
    """Who still has which unit to code blind: columns coder, unit. A skip may yet be taken back."""
    tasks, notes = tables.TASKS.c, tables.ANNOTATIONS.c
    same = [tasks[name] == notes[name] for name in tables.keys(tables.TASKS)]
    done = select(notes.unit).where(*same, notes.withdrawn == 0, notes.cancelled != 1)
    query = select(tasks.coder, tasks.unit).where(tasks.arm.in_(UNSEEN), ~done.exists())
    return database.query_rows(engine, query.distinct())


def _texts(engine: Engine, units: Sequence[str]) -> list[_KnownText]:
    posts = tables.POSTS
    columns = select(posts.c.unit, posts.c.words, posts.c.text)
    found = database.query_rows(
        engine, columns.where(database.matching(engine, posts, {"unit": list(units)}))
    )
    return [_KnownText(*map(str, row)) for row in found.itertuples(index=False)]


def _groups(engine: Engine, known: Sequence[_KnownText], units: set[str]) -> dict[str, str]:
    """Unit → the key of its text, for those of `known` and the `units` like them."""
    groups: Groups[str] = Groups()
    index, met = NearTexts(), set[str]()
    for own in known:
        key = own.words or own.unit
        if key not in met:
            met.add(key)
            for other in index.near(own.text):
                groups.join(str(other), key)
            index.add(key, own.text)
    of = {own.unit: own.words or own.unit for own in known}
    if known:
        for own in _others(engine, units - set(of)):
            near = [own.words] if own.words in met else map(str, index.near(own.text))
            for other in near:
                groups.join(of.setdefault(own.unit, other), other)
    return {unit: groups.of(key) for unit, key in of.items()}


def _others(engine: Engine, units: set[str]) -> Iterator[_KnownText]:
    """The texts of units, a portion in memory at a time."""
    wanted = sorted(units)
    for start in range(0, len(wanted), PORTION):
        yield from _texts(engine, wanted[start : start + PORTION])
