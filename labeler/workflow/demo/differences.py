"""ESTIMATES rows → the codes of which the model alone tells least what it does corrected. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from labeler.store import tables

CORRECTED = ("two-phase", "corrected")  # estimators, the better first
WHOLE = {"measure": "share", "target": "collection", "by": "", "within": ""}

Figure = Mapping[str, Any]


class DifferingShare(NamedTuple):
    """A share of one table: by the model alone, by blind people alone, and corrected."""

    analysis: str
    code: str
    model: Figure
    blind: Figure
    corrected: Figure


def differing_shares(estimates: pd.DataFrame, *, most: int) -> list[DifferingShare]:
    """The shares of the whole collection that correction moves most, the largest move first.

    Of ESTIMATES rows; a share that is not estimable or may not leave is left out. Of a code that
    several tables hold (of posts, of segments), the one that moves most.
    """
    of: dict[tuple[str, str], dict[str, Figure]] = {}
    for row in tables.records(estimates):
        if all(row[column] == wanted for column, wanted in WHOLE.items()) and _shown(row):
            of.setdefault((row["analysis"], row["code"]), {})[row["estimator"]] = row
    found = []
    for (analysis, code), figures in of.items():
        better = next((figures[name] for name in CORRECTED if name in figures), None)
        if better is not None and {"model", "blind"} <= set(figures):
            found.append(DifferingShare(analysis, code, figures["model"], figures["blind"], better))
    found.sort(key=lambda one: (-abs(one.model["value"] - one.corrected["value"]), one.code))
    once = {one.code: one for one in reversed(found)}
    return [one for one in found if once[one.code] is one][:most]


def _shown(row: Figure) -> bool:
    """Whether a figure may be shown; the model's own is never estimable, which is the point."""
    if row["hidden"] or pd.isna(row["value"]):
        return False
    return row["estimator"] == "model" or not (row["reason"] or pd.isna(row["low"]))
