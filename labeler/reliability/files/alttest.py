"""A table of codings, without a project → may a model stand in for a coder?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from labeler.codebook.values import Scale
from labeler.coding.vocabulary import BLIND, human
from labeler.errors import InputError
from labeler.files import spreadsheets
from labeler.files.coded_cells import CellSettings, read_cells
from labeler.files.coding_tables import SETS
from labeler.files.spreadsheets import TableSettings
from labeler.reliability.assessments import alttest
from labeler.reliability.assessments.alttest import AnnotatorTest
from labeler.statistics.agreement.distances import Level
from labeler.statistics.experiment.alttest import Score, Small
from labeler.text.names import unknown


class AnnotatorTestReport(NamedTuple):
    """What a table says of each model: its test, then of sets that of each code.

    `remarks` say what was left out and how cells were understood.
    """

    humans: list[str]
    n_units: int
    models: dict[str, list[AnnotatorTest]]
    remarks: list[str]


def alternative(
    given: TableSettings,
    *,
    models: Sequence[str],
    level: Level,
    domain: Sequence[str] = (),
    epsilon: float,
    score: Score | None = None,
    small: Small = "refuse",
    cells: CellSettings | None = None,
) -> AnnotatorTestReport:
    """The alternative-annotator test of each of `models`, which are coders of the table.

    All other coders count as humans who coded blind. The p-values of one model are a family.
    """
    named = given.coders and tuple(dict.fromkeys((*given.coders, *models)))
    source = str(given.path)
    wish = given._replace(coders=named, surely=tuple(models), sets=level in SETS)
    table = spreadsheets.codings(wish)
    read = read_cells(table.codings, level=level, domain=domain, wish=cells, source=source)
    codings, codes = read.codings.astype({"coder": "str"}), read.codes
    coders = sorted(set(codings["coder"]))
    for model in models:
        if model not in coders:
            raise InputError(f"{given.path}: {unknown('coder', model, coders)}")
    free = level in ("interval", "ratio")
    scale = Scale(level, () if free else tuple(codes))
    own = codings[~codings["coder"].isin(models)]
    humans = own.assign(coder=own["coder"].map(human), arm=BLIND)
    found = {}
    for model in models:
        theirs = codings.loc[codings["coder"] == model, ["unit", "value"]]
        tested = alttest.tests(humans, theirs, scale, epsilon=epsilon, score=score, small=small)
        found[model] = [tested[0], *alttest.pooled(tested[1:])]
    return AnnotatorTestReport(
        sorted(set(own["coder"])),
        int(pd.unique(codings["unit"]).size),
        found,
        [*table.remarks, *read.remarks],
    )
