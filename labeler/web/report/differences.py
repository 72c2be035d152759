"""Units on which coders of a batch differ, as rows a page can show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from labeler.codebook.codebook import Codebook
from labeler.coding import panels
from labeler.coding.vocabulary import BLIND, is_human

HUMANS = "humans, blind"
MODEL = "model vs humans, blind"
COLUMNS = ["panel", "unit", "variable", "coder", "arm", "value"]


class Differences(NamedTuple):
    """`rows`: panel, unit, variable, coder, arm, value: each coder's value on differing units.

    `counts`: panel, variable, units (compared), differ.
    """

    rows: pd.DataFrame
    counts: pd.DataFrame


def differences(
    codings: pd.DataFrame,
    coded: pd.DataFrame,
    codebook: Codebook,
    consensus: Mapping[tuple[str, str], str],
) -> Differences:
    """Where blind humans differ, and where a model or cues coder differs from what they kept.

    Kept is the consensus by (unit, variable), or where none is stored the one value that all
    blind humans gave. Values are those that reliability compares: of segments, the set.
    """
    frames, counts = [], []
    for variable in codebook.variables:
        wide = panels.values(codings, coded, variable).dropna(subset="value")
        humans = wide[is_human(wide["coder"]) & (wide["arm"] == BLIND)]
        others = wide[wide["arm"] == ""]
        kept = _kept(humans, variable.variable, consensus)
        met = others[others["unit"].isin(kept)]
        apart = met[met["value"] != met["unit"].map(kept)]
        shared = humans[humans.groupby("unit")["coder"].transform("nunique") > 1]
        split = shared[shared.groupby("unit")["value"].transform("nunique") > 1]
        theirs = humans[humans["unit"].isin(apart["unit"])]
        for panel, rows, compared in (
            (HUMANS, split, shared),
            (MODEL, pd.concat([theirs, apart]), met),
        ):
            frames.append(rows.assign(panel=panel, variable=variable.variable))
            counts.append(
                {
                    "panel": panel,
                    "variable": variable.variable,
                    "units": compared["unit"].nunique(),
                    "differ": rows["unit"].nunique(),
                }
            )
    found = pd.concat(frames)[COLUMNS] if frames else pd.DataFrame(columns=COLUMNS)
    order = ["panel", "variable", "unit", "arm", "coder"]
    return Differences(found.sort_values(order, ignore_index=True), pd.DataFrame(counts))


def _kept(
    humans: pd.DataFrame, variable: str, consensus: Mapping[tuple[str, str], str]
) -> dict[str, str]:
    """One value a unit: the stored consensus, else what every blind human gave."""
    alike = humans[humans.groupby("unit")["value"].transform("nunique") == 1]
    unanimous = dict(zip(alike["unit"], alike["value"], strict=True))
    stored = {
        unit: value
        for (unit, name), value in consensus.items()
        if name == variable and unit in set(humans["unit"])
    }
    return {**unanimous, **stored}
