"""ASSESSMENTS rows, grouped as their page shows them: a section for each assessment."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from labeler.codebook.codebook import Codebook
from labeler.reliability.assessments.findings import Finding, findings
from labeler.reliability.confidence import ALL
from labeler.results.figures.declaration import BatchFigure
from labeler.store.tables import records
from labeler.web.report.answers import Row, grouped

CURVES = ("bin.", "point.")  # measures that are drawn, and too many to be listed


class VariableMeasures(NamedTuple):
    """Every measure of one variable, and its figures."""

    variable: str
    rows: list[Row]
    figures: list[BatchFigure]


class Section(NamedTuple):
    """One assessment: what it found in words and as rows, figures, and all rows by variable."""

    name: str
    title: str
    meaning: str
    sentences: list[str]
    headlines: list[Row]
    figures: list[BatchFigure]
    variables: list[VariableMeasures]


def sections(rows: pd.DataFrame, drawn: list[BatchFigure], book: Codebook | None) -> list[Section]:
    """A section for each assessment there is, with its figures among those `drawn`.

    Variables stand as the codebook has them.
    """
    labels = {one.variable: one.label for one in book.variables} if book else {}
    return [
        _section(finding, drawn, [ALL, *labels]) for finding in findings(rows, book, labels=labels)
    ]


def _section(finding: Finding, drawn: list[BatchFigure], order: list[str]) -> Section:
    assessment = finding.assessment
    own = [one for one in drawn if one.figure.assessment == assessment.name]
    listed = finding.rows[~finding.rows["measure"].str.startswith(CURVES)]
    place = {name: number for number, name in enumerate(order)}
    of = dict(grouped(records(listed), "variable"))
    names = sorted(of, key=lambda name: (place.get(name, len(place)), name))
    return Section(
        assessment.name,
        assessment.title,
        assessment.meaning,
        finding.sentences,
        records(finding.headlines),
        [one for one in own if not one.variable],
        [
            VariableMeasures(name, of[name], [one for one in own if one.variable == name])
            for name in names
        ],
    )
