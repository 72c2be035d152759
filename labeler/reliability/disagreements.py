"""Values → where the coders of a batch differ, as rows and counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from labeler.coding.consensus import UNRESOLVED
from labeler.coding.vocabulary import BLIND, HUMANS, is_human, versus
from labeler.store import tables


class Disagreements(NamedTuple):
    """DISAGREEMENTS rows, and COMPARISONS rows of every variable and panel."""

    rows: pd.DataFrame
    comparisons: pd.DataFrame


def disagreements(
    values: Mapping[str, pd.DataFrame], consensus: pd.DataFrame, *, batch: str, codebook: str
) -> Disagreements:
    """Where blind humans differ, and where each machine differs from what they kept.

    `values` maps each variable to what each coder gave each unit: columns unit, coder, arm, value
    (of a variable of the segment the set over the unit's segments); who was not asked has none.
    `consensus` are the CONSENSUS rows made of the same values: a unit that they leave unresolved
    is no ground to compare a machine with. The rows of a machine's panel hold its value and those
    of the blind humans. Panels are called as in RELIABILITY.
    """
    parts, counts = [], []
    resolved = consensus[consensus["rule"] != UNRESOLVED]
    given = {name: wide.dropna(subset="value") for name, wide in values.items()}
    machines = sorted({coder for wide in values.values() for coder in _machines(wide)["coder"]})
    for variable, wide in given.items():
        humans = wide[is_human(wide["coder"]) & (wide["arm"] == BLIND)]
        own = resolved[resolved["variable"] == variable]
        kept = pd.Series(own["value"].to_numpy(), index=own["unit"].to_numpy())
        several = humans[humans.groupby("unit")["coder"].transform("nunique") > 1]
        split = several[several.groupby("unit")["value"].transform("nunique") > 1]
        found = [(HUMANS, split, several)]
        theirs = _machines(wide)
        met = theirs[theirs["unit"].isin(kept.index)]
        apart = met[met["value"] != met["unit"].map(kept)]
        for machine in machines:
            differing = apart[apart["coder"] == machine]
            beside = humans[humans["unit"].isin(differing["unit"])]
            name = versus(machine, HUMANS)
            compared = met[met["coder"] == machine]
            found.append((name, pd.concat([beside, differing]), compared))
        for panel, rows, compared in found:
            which = {"batch": batch, "codebook": codebook, "panel": panel, "variable": variable}
            parts.append(rows.assign(**which))
            counted = {"compared": compared["unit"].nunique(), "differ": rows["unit"].nunique()}
            counts.append({**which, **counted})
    differing = pd.concat(parts, ignore_index=True) if parts else ()
    found_rows = tables.frame(tables.DISAGREEMENTS, differing)
    return Disagreements(found_rows, tables.frame(tables.COMPARISONS, counts))


def _machines(values: pd.DataFrame) -> pd.DataFrame:
    return values[values["arm"] == ""]
