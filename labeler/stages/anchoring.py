"""Codings of the blind and the assisted arm → what seeing a suggestion does to a code."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from labeler import tables
from labeler.codebook import Codebook

ASSESSMENT = "anchoring"


def anchoring(
    values: Mapping[str, pd.DataFrame],
    model_values: Mapping[str, pd.DataFrame],
    changes: pd.DataFrame,
    annotations: pd.DataFrame,
    codebook: Codebook,
    *,
    bound: float = 0.05,
    seed: int,
) -> pd.DataFrame:
    """ASSESSMENTS rows (`anchoring`) of a batch; batch and codebook are left empty.

    `values`: variable → columns unit, coder, arm, value (None: was not asked). `model_values`:
    variable → columns unit, value of the coder whose codes were suggested. `changes`: CHANGES
    rows, `annotations`: ANNOTATIONS rows (lead times); either may be empty.
    """
    return pd.DataFrame(columns=tables.columns(tables.ASSESSMENTS))
