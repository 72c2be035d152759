"""A batch's codings → where its coders differ, as rows and counted."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from labeler.coding.batch import BatchCodings
from labeler.coding.consensus import UNRESOLVED
from labeler.coding.silence import reasons
from labeler.coding.vocabulary import HUMANS, versus
from labeler.store import tables


class Disagreements(NamedTuple):
    """DISAGREEMENTS rows, and COMPARISONS rows of every variable and panel."""

    rows: pd.DataFrame
    comparisons: pd.DataFrame


def disagreements(coded: BatchCodings, consensus: pd.DataFrame) -> Disagreements:
    """Where blind humans differ, and where the batch's suggester differs from what they kept.

    Compared is a value a unit, of a variable of the segment the set over its segments; who was
    not asked, or did not answer, has none. Who marked no segment, or left the variable open at all
    of them, gave the empty set, as everywhere; `why` says which. `consensus` are the CONSENSUS rows
    of the same batch: a unit that they leave unresolved is no ground to compare with. The rows of
    the suggester's panel hold its value and those of the blind humans. Panels are called as in
    RELIABILITY.
    """
    suggester = versus(coded.suggester, HUMANS)
    resolved = consensus[consensus["rule"] != UNRESOLVED]
    parts, counts = [], []
    for variable in coded.codebook.variables:
        name = variable.variable
        own = resolved[resolved["variable"] == name]
        kept = pd.Series(own["value"].to_numpy(), index=own["unit"].to_numpy())
        humans = coded.blind[name]
        several = humans[humans.groupby("unit")["coder"].transform("nunique") > 1]
        split = several[several.groupby("unit")["value"].transform("nunique") > 1]
        found = [(HUMANS, split, several)]
        if coded.suggester:
            suggested = coded.suggested[name].assign(coder=coded.suggester, arm="")
            met = suggested[suggested["unit"].isin(kept.index)]
            apart = met[met["value"] != met["unit"].map(kept)]
            beside = humans[humans["unit"].isin(apart["unit"])]
            found.append((suggester, pd.concat([beside, apart]), met))
        for panel, rows, compared in found:
            which = {"batch": coded.batch, "codebook": coded.codebook.fingerprint}
            which |= {"panel": panel, "variable": name}
            parts.append(rows.assign(**which))
            counted = {"compared": compared["unit"].nunique(), "differ": rows["unit"].nunique()}
            counts.append({**which, **counted})
    rows = pd.concat(parts, ignore_index=True)
    return Disagreements(
        tables.frame(tables.DISAGREEMENTS, rows.assign(why=reasons(rows, coded))),
        tables.frame(tables.COMPARISONS, counts),
    )
