"""Blind codings and a model's confidence → how far the confidence can be trusted."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from labeler import tables
from labeler.codebook import Codebook

AGREEMENTS = ["variable", "unit", "coder", "agree"]
SKIPPED = ["unit", "confidence", "skip", "audited", "audit_probability"]


def calibration(
    values: pd.DataFrame,
    model_values: pd.DataFrame,
    confidence: pd.DataFrame,
    codebook: Codebook,
    *,
    batch: str,
    model: str,
    epsilon: float = 0.05,
    delta: float = 0.05,
    audit: float = 0.1,
    seed: int,
    drawn: pd.DataFrame | None = None,
    authors: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """ASSESSMENTS rows (`calibration` and `skip`) of one model.

    `values`: columns variable, unit, coder, arm, value (reliability.values, one below the other);
    only blind humans are used. `model_values`: columns variable, unit, value of the model, for
    every unit that it coded. `confidence`: CONFIDENCE rows of the model. `drawn`: columns unit,
    unit_probability of the blind units (None: all were drawn with equal probability). `authors`:
    the cluster of each unit.
    """
    return tables.frame(tables.ASSESSMENTS)


def agreements(
    values: pd.DataFrame,
    model_values: pd.DataFrame,
    codebook: Codebook,
    *,
    seed: int,
    drawn: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Columns AGREEMENTS: whether the model's value is that of one blind human, drawn by `seed`."""
    return pd.DataFrame(columns=AGREEMENTS)


def skipped(
    rules: pd.DataFrame,
    model_values: pd.DataFrame,
    confidence: pd.DataFrame,
    codebook: Codebook,
    *,
    model: str,
    variable: str = "all",
    code: str = "",
    secret: bytes,
) -> pd.DataFrame:
    """Columns SKIPPED: which units could go without review by a stored rule, which are audited."""
    return pd.DataFrame(columns=SKIPPED)
