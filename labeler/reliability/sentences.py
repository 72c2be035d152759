"""RELIABILITY rows → sentences for a text: each alpha with its interval and what it stands on."""

from __future__ import annotations

from typing import Any

import pandas as pd

from labeler.coding.vocabulary import GROUPED, HUMANS, PanelKind
from labeler.reliability.units_entered import sentence
from labeler.reliability.weighting import leading
from labeler.store import tables

TOLD: tuple[PanelKind, ...] = ("human-human", *GROUPED, "model-panel")  # in the order they stand


def sentences(rows: pd.DataFrame) -> list[str]:
    """A sentence for each variable of the panels that are evidence, humans first.

    `rows` are RELIABILITY rows of a batch. Where a figure is undefined its note says why.
    """
    alpha = rows["coefficient"].str.startswith("krippendorff_alpha")
    own = leading(rows[alpha & (rows["code"] == "") & rows["kind"].isin(TOLD)])
    place = {kind: number for number, kind in enumerate(TOLD)}
    order = own.assign(place=own["kind"].map(place)).sort_values(["place", "panel", "variable"])
    return [_sentence(row) for row in tables.rows(order)]


def _sentence(row: Any) -> str:
    panel = f"{row.panel}, blind" if row.panel == HUMANS else row.panel
    level = row.coefficient.rpartition(".")[2]
    if pd.isna(row.value):
        figure = f"alpha ({level}) is undefined: {row.note}"
    else:
        figure = f"alpha ({level}) = {row.value:.3f}"
        figure += "" if pd.isna(row.low) else f", 95% interval {row.low:.3f} to {row.high:.3f}"
        figure += ", weighted by design" if row.weighting else ""
    entered = sentence(row)
    return f"{row.variable}, {panel}: {figure}" + (f"; {entered}." if entered else ".")
