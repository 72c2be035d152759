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


def hidden(rows: pd.DataFrame) -> list[str]:
    """Where the figure of all humans hides that groups agree among themselves: a sentence each.

    That is of two groups whose agreement with each other is, by the upper end of its 95% interval,
    below that within either. `rows` are RELIABILITY rows of a batch.
    """
    alpha = rows["coefficient"].str.startswith("krippendorff_alpha")
    own = leading(rows[alpha & (rows["code"] == "") & rows["value"].notna()])
    found = []
    for variable, of_it in own.groupby("variable"):
        within = list(tables.rows(of_it[of_it["kind"] == "within-group"]))
        pooled = of_it.loc[of_it["kind"] == "human-human", "value"].tolist()
        for between in tables.rows(of_it[of_it["kind"] == "between-groups"]):
            people = set(between.coders.split(","))
            two = [row for row in within if set(row.coders.split(",")) <= people]
            if len(two) == 2 and pooled and between.high < min(row.value for row in two):
                inside = " and ".join(f"{row.value:.3f} {row.panel}" for row in two)
                found.append(
                    f"{variable}: alpha is {inside}, and {between.value:.3f} {between.panel}; that "
                    f"of all humans, {pooled[0]:.3f}, hides it: tell the groups apart"
                )
    return found


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
