"""The posts, their draw and their codings → what a table of a recipe is estimated from. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from labeler.codebook.codebook import Codebook
from labeler.results.coded_things import Bools, CodedThings, Floats, Ints
from labeler.results.recipe import RecipeTable, coded
from labeler.results.unit_totals import (
    PostColumn,
    TableCells,
    cells_of,
    reading_totals,
    unit_means,
)
from labeler.statistics.estimation.sample import AssistedPhase, PhaseSample, phase_sample


class AnalysisFrame(NamedTuple):
    """The posts that could be drawn, N of them, and who coded them.

    `author` and `stratum`, shape (N,): numbers from 0; `strata`: what each is called; `columns`:
    name → column of posts. `model`: one reading of each unit, in order; `has_model`: whether there
    is a model's code in it. `blind` and `assisted`: readings of people. `probability`, shape (N,):
    of being drawn to be coded blind, nan where not known; `drawn`, shape (N,): was drawn to be;
    `first_probability`, shape (N,): of being drawn to be coded with a suggestion in view, of a
    nested draw; None where the blind units are no part of the assisted ones.
    """

    author: Ints
    stratum: Ints
    strata: Sequence[str]
    columns: Mapping[str, PostColumn]
    model: CodedThings
    has_model: bool
    blind: CodedThings
    assisted: CodedThings | None
    probability: Floats
    drawn: Bools
    first_probability: Floats | None

    @property
    def size(self) -> int:
        """N."""
        return int(self.author.size)


class TableSample(NamedTuple):
    """The cells of a table and the sample they are estimated from; `phases`: that with assisted
    codes, None where there are none."""

    cells: TableCells
    sample: PhaseSample
    phases: PhaseSample | None


class ResponseRate(NamedTuple):
    """Of one stratum: posts in all, drawn to be coded blind, and coded."""

    stratum: str
    posts: int
    drawn: int
    coded: int


def table_sample(table: RecipeTable, frame: AnalysisFrame, codebook: Codebook) -> TableSample:
    """What a table is estimated from: units whose blind coders were asked all its variables.

    Where its groups are of posts (`platform`, `month`) the strata are crossed with them, so that
    the coded units of a group stand for the posts of this group.
    """
    cells = cells_of(table, codebook, frame.columns)
    model = reading_totals(table, cells, frame.model, codebook, frame.columns)
    rows, blind = _means(table, cells, frame, frame.blind, codebook)
    stratum = _crossed_strata(table, frame)
    drawn = frame.drawn.copy()
    drawn[rows] = True
    chance = frame.probability[rows]
    sample = phase_sample(
        model=model,
        blind_rows=rows,
        blind=blind,
        probability=None if np.isnan(chance).any() else chance,
        stratum=stratum,
        author=frame.author,
        drawn=np.bincount(stratum[drawn], minlength=int(stratum.max(initial=0)) + 1),
        known=cells.known,
    )
    return TableSample(cells, sample, _phases(table, cells, frame, codebook, sample))


def response(frame: AnalysisFrame) -> list[ResponseRate]:
    """How many of the units drawn to be coded blind were coded, by stratum."""
    coded_blind = np.zeros(frame.size, bool)
    coded_blind[frame.blind.unit] = True
    many = len(frame.strata)
    counts = [
        np.bincount(frame.stratum, own.astype(float), minlength=many).astype(int)
        for own in (np.ones(frame.size, bool), frame.drawn | coded_blind, coded_blind)
    ]
    rows = zip(frame.strata, *(own.tolist() for own in counts), strict=True)
    return [ResponseRate(*row) for row in rows]


def _means(
    table: RecipeTable,
    cells: TableCells,
    frame: AnalysisFrame,
    things: CodedThings,
    codebook: Codebook,
) -> tuple[Ints, Floats]:
    """The units that were coded, and the mean of each over its coders: (n,), (n, cells)."""
    totals = reading_totals(table, cells, things, codebook, frame.columns)
    asked = np.ones(things.unit.size, bool)
    for variable in coded(table, codebook):
        asked &= things.asked[variable.variable]
    units, means = unit_means(totals, things, asked, frame.size)
    return units, np.asarray(means.toarray(), np.float64)


def _phases(
    table: RecipeTable,
    cells: TableCells,
    frame: AnalysisFrame,
    codebook: Codebook,
    sample: PhaseSample,
) -> PhaseSample | None:
    """The sample with its assisted phase, of the blind units that are in it."""
    if frame.assisted is None or frame.first_probability is None:
        return None
    rows, codes = _means(table, cells, frame, frame.assisted, codebook)
    both = np.isin(sample.blind_rows, rows)
    chance = frame.first_probability[rows]
    if both.sum() < 2 or np.isnan(chance).any():
        return None
    return sample._replace(
        blind_rows=sample.blind_rows[both],
        blind=sample.blind[both],
        probability=sample.probability[both],
        assisted=AssistedPhase(rows, codes, chance),
    )


def _crossed_strata(table: RecipeTable, frame: AnalysisFrame) -> Ints:
    """Strata by groups of posts, from 0, neighbouring groups beside each other."""
    number = frame.stratum.astype(np.int64)
    for name in (table.by, table.within):
        if name in frame.columns:
            own = frame.columns[name]
            number = number * (len(own.groups) + 1) + own.place + 1
    return np.asarray(np.unique(number, return_inverse=True)[1], np.int64)
