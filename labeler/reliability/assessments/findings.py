"""Stored ASSESSMENTS rows → what each assessment found, for terminal, pages and bundles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from labeler.codebook.codebook import Codebook
from labeler.reliability.assessments.declaration import Assessment, AssessmentInput, declared
from labeler.reliability.confidence import ALL
from labeler.store import tables


class Finding(NamedTuple):
    """What one assessment found in a batch.

    `headlines` are the rows that carry its verdict, by measure, then as the codebook has its
    variables; `sentences` say the same in words; `rows` are all of its rows.
    """

    assessment: Assessment
    headlines: pd.DataFrame
    sentences: list[str]
    rows: pd.DataFrame


def findings(
    rows: pd.DataFrame, codebook: Codebook | None = None, *, labels: Mapping[str, str] | None = None
) -> list[Finding]:
    """A finding for each assessment of which there are ASSESSMENTS rows.

    `codebook` gives the order of variables (else it is that of the rows), `labels` the names by
    which the sentences call them. Rows that no module declares any more stand last, by their name.
    """
    known = declared()
    names = {one.name for one in known}
    others = sorted(set(rows["assessment"]) - names)
    found = []
    for assessment in [*known, *(_undeclared(name) for name in others)]:
        own = rows[rows["assessment"] == assessment.name]
        if len(own):
            heads = _headlines(own, assessment.headlines, codebook)
            named = heads.assign(variable=heads["variable"].replace(dict(labels or {})))
            found.append(Finding(assessment, heads, list(assessment.sentences(named)), own))
    return found


def _headlines(
    rows: pd.DataFrame, measures: tuple[str, ...], codebook: Codebook | None
) -> pd.DataFrame:
    own = rows[rows["measure"].isin(measures) & (rows["code"] == "")]
    order = [ALL, *(variable.variable for variable in codebook.variables)] if codebook else []
    place = own["variable"].map({name: number for number, name in enumerate(order)})
    return (
        own.assign(first=own["measure"].map(measures.index), second=place.fillna(len(order)))
        .sort_values(["first", "second"], kind="stable")
        .drop(columns=["first", "second"])
    )


def _undeclared(name: str) -> Assessment:
    return Assessment(name, name, "", (), _no_rows)


def _no_rows(_: AssessmentInput) -> pd.DataFrame:
    return tables.frame(tables.ASSESSMENTS)
