"""What a batch shows beyond agreement: the rows of ASSESSMENTS."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from labeler import tables
from labeler.pipeline.study import Study


class Material(NamedTuple):
    """What is known of a batch's codings.

    `row`: its row of BATCHES; `codings`: CODINGS of those who coded, replicates among them;
    `coded`: columns unit, coder, arm; `again`: the same and replicate; `tasks`: TASKS rows;
    `authors`: unit → author.
    """

    row: pd.Series[str]
    codings: pd.DataFrame
    coded: pd.DataFrame
    again: pd.DataFrame
    tasks: pd.DataFrame
    authors: dict[str, str]


class Assessed(NamedTuple):
    """ASSESSMENTS rows, and further RELIABILITY rows."""

    assessments: pd.DataFrame
    rows: list[pd.DataFrame]


def assessed(study: Study, material: Material) -> Assessed:
    """Every assessment of a batch; one whose ground is absent has no rows."""
    return Assessed(tables.frame(tables.ASSESSMENTS), [])
