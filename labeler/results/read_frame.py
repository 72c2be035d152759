"""The store → the posts that could be drawn, what the model said of each, and who coded them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Select, select

from labeler.coding.asked import unasked
from labeler.coding.batch import BatchCodings, asked_of
from labeler.coding.vocabulary import ASSISTED, BLIND, is_human
from labeler.results.coded_things import Bools, CodedThings, CodingColumns, Ints, coded_things
from labeler.results.phase_samples import AnalysisFrame
from labeler.results.recipe import POST_COLUMNS
from labeler.results.unit_totals import PostColumn
from labeler.store import database, tables
from labeler.store.sample_names import members
from labeler.study.study import Study

POSTS = ("unit", "platform", "author", "created", "source")
SIMPLE = "all posts"
LARGER = 1.5


class FrameFacts(NamedTuple):
    """What has to be said of a frame.

    `unanswered`: posts in the store that could not be drawn, since the model gave no answer;
    `unnamed`: posts that the file of an imported batch stands for, by its probabilities, without
    naming them; `draw_unknown`: an imported batch says nothing of how its units were drawn.
    """

    unanswered: int
    unnamed: int
    draw_unknown: bool


def read_frame(
    study: Study, row: Mapping[str, Any] | pd.Series[Any], codings: BatchCodings
) -> tuple[AnalysisFrame, FrameFacts]:
    """The frame of a batch, or of a study sample of several, with all that is coded of it.

    `codings` holds CODINGS, SEGMENTS and TASKS. The posts are those that the suggester answered,
    and those that were drawn. The model's codes are read in portions, as numbers: what is kept of
    a hundred thousand posts is some ten megabytes.
    """
    posts = database.read_columns(study.engine, tables.POSTS, POSTS)
    drawn = set(codings.tasks["unit"]) | set(codings.coded["unit"])
    answered = _answered(study, row) if row["suggester"] else None
    if answered is not None:
        own = posts["unit"].isin(answered | drawn)
        unanswered = int((~own).sum())
        posts = posts[own].reset_index(drop=True)
    else:
        unanswered = 0
    unnamed, draw_unknown = _imported_draw(codings, len(posts))
    place = {unit: at for at, unit in enumerate(posts["unit"])}
    size = len(posts) + unnamed
    blind_chance, blind_drawn = _chances(codings, BLIND, place, size)
    nested = _nested(str(row["design"]))
    stratum, strata = _strata(study, row, place, size)
    frame = AnalysisFrame(
        author=_authors(posts["author"], unnamed),
        stratum=stratum,
        strata=strata,
        columns=_columns(posts, unnamed),
        model=_model(study, row, place, size),
        has_model=answered is not None,
        blind=_people(codings, BLIND, place),
        assisted=_people(codings, ASSISTED, place) if nested else None,
        probability=blind_chance,
        drawn=blind_drawn,
        first_probability=_chances(codings, ASSISTED, place, size)[0] if nested else None,
    )
    return frame, FrameFacts(unanswered, unnamed, draw_unknown)


def _answered(study: Study, row: Mapping[str, Any] | pd.Series[Any]) -> set[str]:
    made = tables.COMPLETIONS.c
    query = select(made.unit).where(
        made.codebook == str(row["codebook"]),
        made.coder == str(row["suggester"]),
        made.replicate == 1,
        made.error == "",
    )
    return {unit for part in database.portions(study.engine, query) for (unit,) in part}


def _imported_draw(codings: BatchCodings, there: int) -> tuple[int, bool]:
    """Posts that an imported batch stands for beyond those there, and whether its draw is unknown.

    Its probabilities say how many it stands for, give or take; only where that is half as many
    again as there are, it was plainly drawn from others too.
    """
    if "imported" not in codings.design:
        return 0, False
    own = codings.tasks[codings.tasks["arm"] == BLIND].drop_duplicates("unit")
    chance = own["unit_probability"].to_numpy(float)
    if not chance.size or np.isnan(chance).any() or np.ptp(chance) <= 1e-9:
        return 0, True
    stands_for = round(float((1 / chance).sum()))
    return (stands_for - there if stands_for > LARGER * there else 0), False


def _nested(design: str) -> bool:
    """Whether the blind units are a random part of the assisted ones, in every batch."""
    said = json.loads(design or "{}")
    return all(bool(own.get("nested")) for own in said.get("batches", [said]))


def _authors(names: pd.Series[str], unnamed: int) -> Ints:
    """A number for each author, from 0; a post of an unknown author has one of its own."""
    known = names.where(names != "", [f"\0{at}" for at in range(len(names))])
    number = pd.factorize(known)[0]
    first = int(number.max(initial=-1)) + 1
    everybody = [number, np.arange(first, first + unnamed)]
    return np.asarray(np.concatenate(everybody), np.int64)


def _columns(posts: pd.DataFrame, unnamed: int) -> dict[str, PostColumn]:
    """The columns of posts by which tables can be divided; what is not known is in no group."""
    texts = {
        "platform": posts["platform"],
        "source": posts["source"],
        "month": posts["created"].str.slice(0, 7),
        "year": posts["created"].str.slice(0, 4),
    }
    return {name: _column(texts[name], unnamed) for name in POST_COLUMNS}


def _column(texts: pd.Series[str], unnamed: int) -> PostColumn:
    groups = sorted(set(texts) - {""})
    number = pd.Index(groups).get_indexer(pd.Index(texts)) if groups else np.full(len(texts), -1)
    return PostColumn(groups, np.concatenate([number, np.full(unnamed, -1)]).astype(np.int64))


def _chances(
    codings: BatchCodings, arm: str, place: Mapping[str, int], size: int
) -> tuple[Any, Bools]:
    """Of each unit the probability of coming into an arm (nan: not known), and whether it did."""
    own = codings.tasks[codings.tasks["arm"] == arm].drop_duplicates("unit")
    at = np.array([place[unit] for unit in own["unit"]], np.int64)
    chance, drawn = np.full(size, np.nan), np.zeros(size, bool)
    chance[at] = own["unit_probability"].to_numpy(float)
    drawn[at] = True
    return chance, drawn


def _strata(
    study: Study, row: Mapping[str, Any] | pd.Series[Any], place: Mapping[str, int], size: int
) -> tuple[Ints, list[str]]:
    """The stratum of each unit by every draw, and what each is called."""
    names = [np.full(size, "", object) for _ in members(str(row["batch"]))]
    frames = tables.FRAMES.c
    for own, batch in zip(names, members(str(row["batch"])), strict=True):
        query = select(frames.unit, frames.stratum).where(frames.batch == batch)
        for part in database.portions(study.engine, query):
            for unit, stratum in part:
                at = place.get(unit, -1)
                if at >= 0:
                    own[at] = stratum
    several = [
        " / ".join(dict.fromkeys(text for text in texts if text)) or SIMPLE
        for texts in zip(*names, strict=True)
    ]
    number, found = pd.factorize(pd.Series(several, dtype="object"), sort=True)
    return number.astype(np.int64), [str(name) for name in found]


def _people(codings: BatchCodings, arm: str, place: Mapping[str, int]) -> CodedThings:
    """The readings of the people in an arm."""
    own = (codings.coded["arm"] == arm) & is_human(codings.coded["coder"])
    readings = codings.coded[own & (codings.coded["replicate"] == 1)].reset_index(drop=True)
    number = {
        pair: at for at, pair in enumerate(zip(readings["unit"], readings["coder"], strict=True))
    }
    asked = {
        variable.variable: asked_of(readings, variable.variable)
        for variable in codings.codebook.variables
    }
    unit = np.array([place[name] for name in readings["unit"]], np.int64)

    def rows(table: pd.DataFrame) -> tuple[pd.DataFrame, Ints]:
        mine = table[(table["arm"] == arm) & (table["replicate"] == 1)]
        at = [number.get(pair, -1) for pair in zip(mine["unit"], mine["coder"], strict=True)]
        found = np.array(at, np.int64)
        return mine[found >= 0], found[found >= 0]

    given, reading = rows(codings.codings)
    variables, values = (pd.factorize(given[name]) for name in ("variable", "value"))
    columns = CodingColumns(
        reading,
        _numbers(given["segment"]),
        variables[0].astype(np.int64),
        values[0].astype(np.int64),
        [str(name) for name in variables[1]],
        [str(value) for value in values[1]],
    )
    marked, of = rows(codings.segments)
    segments = (of, _numbers(marked["segment"]))
    return coded_things(columns, segments, unit, codings.codebook, asked=asked)


def _numbers(segments: Iterable[str]) -> Ints:
    return np.array([int(text or 0) for text in segments], np.int64)


def _model(
    study: Study, row: Mapping[str, Any] | pd.Series[Any], place: Mapping[str, int], size: int
) -> CodedThings:
    """One reading of each unit: what the suggester gave it, nothing where it gave no answer."""
    units = np.arange(size)
    coder, codes, marks = str(row["suggester"]), tables.CODINGS.c, tables.SEGMENTS.c
    if not coder:
        empty = np.empty(0, np.int64)
        none = CodingColumns(empty, empty, empty, empty, [], [])
        return coded_things(none, (empty, empty), units, study.codebook)
    query = select(codes.unit, codes.segment, codes.variable, codes.value).where(
        codes.codebook == str(row["codebook"]), codes.coder == coder, codes.replicate == 1
    )
    columns = _coding_columns(study, query, place)
    marked = select(marks.unit, marks.segment).where(
        marks.codebook == str(row["codebook"]), marks.coder == coder, marks.replicate == 1
    )
    parts = [
        ([place.get(unit, -1) for unit, _ in part], _numbers(text for _, text in part))
        for part in database.portions(study.engine, marked)
    ]
    of = np.concatenate([np.array(own, np.int64) for own, _ in parts] or [np.empty(0, np.int64)])
    number = np.concatenate([own for _, own in parts] or [np.empty(0, np.int64)])
    silent = unasked(coder, "", codebook=study.codebook, design="")
    asked = {name: np.zeros(size, bool) for name in silent}
    segments = (of[of >= 0], number[of >= 0])
    return coded_things(columns, segments, units, study.codebook, asked=asked)


def _coding_columns(study: Study, query: Select[Any], place: Mapping[str, int]) -> CodingColumns:
    """Rows of unit, segment, variable and value as numbers, read in portions."""
    variables: dict[str, int] = {}
    values: dict[str, int] = {}
    parts: list[list[Ints]] = []
    for part in database.portions(study.engine, query):
        units, segments, names, texts = zip(*part, strict=True)
        own = (
            [place.get(unit, -1) for unit in units],
            [int(text or 0) for text in segments],
            [variables.setdefault(name, len(variables)) for name in names],
            [values.setdefault(text, len(values)) for text in texts],
        )
        parts.append([np.array(column, np.int64) for column in own])
    columns = [
        np.concatenate([part[at] for part in parts] or [np.empty(0, np.int64)]) for at in range(4)
    ]
    reading, segment, variable, value = (column[columns[0] >= 0] for column in columns)
    return CodingColumns(reading, segment, variable, value, list(variables), list(values))
