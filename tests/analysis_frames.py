"""A frame of made-up posts, with what a model and people gave, from plain lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from labeler.codebook.codebook import Codebook
from labeler.results.coded_things import CodedThings, CodingColumns, coded_things
from labeler.results.phase_samples import AnalysisFrame
from labeler.results.unit_totals import PostColumn

Reading = tuple[int, list[dict[str, str]]]
"""A unit, and what was given: the unit's own values first, then those of each segment."""


def things(readings: Sequence[Reading], book: Codebook, **more: Any) -> CodedThings:
    """Readings as they are coded; a segment without a value counts as one."""
    rows, marked = [], []
    for at, (_, parts) in enumerate(readings):
        for segment, given in enumerate(parts):
            if segment:
                marked.append((at, segment))
            rows += [(at, segment, name, value) for name, value in given.items()]
    variables = sorted({row[2] for row in rows})
    values = sorted({row[3] for row in rows})
    columns = CodingColumns(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        np.array([variables.index(row[2]) for row in rows], np.int64),
        np.array([values.index(row[3]) for row in rows], np.int64),
        variables,
        values,
    )
    pairs = np.array(marked, np.int64).reshape(-1, 2)
    units = np.array([unit for unit, _ in readings], np.int64)
    return coded_things(columns, (pairs[:, 0], pairs[:, 1]), units, book, **more)


def frame(
    model: Sequence[list[dict[str, str]]],
    blind: Sequence[Reading],
    book: Codebook,
    *,
    author: Sequence[int] | None = None,
    stratum: Sequence[int] | None = None,
    columns: Mapping[str, Sequence[str]] | None = None,
    drawn: Sequence[int] = (),
    probability: Mapping[int, float] | None = None,
    assisted: Sequence[Reading] | None = None,
) -> AnalysisFrame:
    """The posts that the model coded, in order; `columns`: name → group of each post."""
    size = len(model)
    chance = np.full(size, np.nan)
    for unit, own in (probability or {}).items():
        chance[unit] = own
    strata = np.zeros(size, np.int64) if stratum is None else np.array(stratum, np.int64)
    return AnalysisFrame(
        author=np.arange(size) if author is None else np.array(author, np.int64),
        stratum=strata,
        strata=[f"stratum {at}" for at in range(int(strata.max(initial=0)) + 1)],
        columns={name: post_column(groups) for name, groups in (columns or {}).items()},
        model=things(list(enumerate(model)), book),
        has_model=True,
        blind=things(blind, book),
        assisted=None if assisted is None else things(assisted, book),
        probability=chance,
        drawn=np.isin(np.arange(size), list(drawn)),
        first_probability=None if assisted is None else np.ones(size),
    )


def post_column(texts: Sequence[str]) -> PostColumn:
    """A column of posts; '' is in no group."""
    groups = sorted(set(texts) - {""})
    place = [groups.index(text) if text else -1 for text in texts]
    return PostColumn(groups, np.array(place, np.int64))
