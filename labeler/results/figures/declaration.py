"""What a module of this folder declares of its figure, and which figures a batch has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from labeler import declarations
from labeler.codebook.codebook import Codebook
from labeler.results import figures
from labeler.results.figures.style import WIDE, Spec


def _every(rows: pd.DataFrame) -> pd.DataFrame:
    return rows


class Figure(NamedTuple):
    """One figure, as the constant FIGURE of its module.

    `name` stands in its address and the name of its file; `title` says what is drawn, `caption`
    how to read it. `table` is the name of the table whose rows it draws, `rows` picks those that
    are drawn; with `each_variable` there is a figure for each variable among them, else one.
    `spec` makes a Vega-Lite specification, with the data inside, of the rows of one figure, the
    codebook and the width in pixels (below `style.WIDE`: for a phone). `alt` says, for those who
    do not see it, what the same rows show. `assessment` is the one whose section it belongs to.
    """

    name: str
    title: str
    caption: str
    table: str
    spec: Callable[[pd.DataFrame, Codebook, int], Spec]
    alt: Callable[[pd.DataFrame, Codebook], str]
    rows: Callable[[pd.DataFrame], pd.DataFrame] = _every
    each_variable: bool = False
    assessment: str = ""


class BatchFigure(NamedTuple):
    """A figure of a batch: what is drawn; of which variable, '' where of all together."""

    figure: Figure
    variable: str
    rows: pd.DataFrame
    codebook: Codebook

    @property
    def name(self) -> str:
        """The name of its file, without ending."""
        return "-".join(part for part in (self.figure.name, self.variable) if part)

    @property
    def alt(self) -> str:
        """What it shows, in a sentence."""
        return self.figure.alt(self.rows, self.codebook)

    def spec(self, *, width: int = WIDE) -> Spec:
        """Its Vega-Lite specification, which says in words what it shows."""
        return {**self.figure.spec(self.rows, self.codebook, width), "description": self.alt}


def declared() -> list[Figure]:
    """The figures of this folder, in the order of its modules' names."""
    return declarations.declared(figures, "FIGURE", Figure)


def figures_of(frames: Mapping[str, pd.DataFrame], codebook: Codebook) -> list[BatchFigure]:
    """Every figure for which `frames` (table name → rows of one batch) have something to draw."""
    return [
        drawn
        for figure in declared()
        if figure.table in frames
        for drawn in _of_figure(figure, frames[figure.table], codebook)
    ]


def _of_figure(figure: Figure, rows: pd.DataFrame, codebook: Codebook) -> Iterator[BatchFigure]:
    own = figure.rows(rows)
    if not figure.each_variable:
        names = [""] if len(own) else []
    else:
        order = [variable.variable for variable in codebook.variables]
        there = dict.fromkeys(str(name) for name in own["variable"])
        names = [*(name for name in there if name not in order), *(n for n in order if n in there)]
    for name in names:
        yield BatchFigure(figure, name, own[own["variable"] == name] if name else own, codebook)
