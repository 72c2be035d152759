"""Blind codings of humans and of a model → may the model stand in for a coder?"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from labeler import tables
from labeler.codebook import Codebook

ASSESSMENT = "alternative-annotator"


def alternative(
    values: Mapping[str, pd.DataFrame],
    model_values: Mapping[str, pd.DataFrame],
    codebook: Codebook,
    *,
    model: str,
    epsilon: float = 0.2,
) -> pd.DataFrame:
    """ASSESSMENTS rows (`alternative-annotator`) of one model; batch and codebook are left empty.

    `values`: variable → columns unit, coder, arm, value (None: was not asked); only blind humans
    are used. `model_values`: variable → columns unit, value of the model.
    """
    return pd.DataFrame(columns=tables.columns(tables.ASSESSMENTS))
