"""Codings → shares per code among blind human codes, small cells hidden."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from labeler.codebook.codebook import Codebook, Variable
from labeler.statistics.binomial import wilson
from labeler.statistics.estimation.disclosure import SMALLEST, suppressed
from labeler.store import tables

LETS_THROUGH = "pass"


def estimates(
    given: dict[str, pd.DataFrame],
    authors: pd.Series[str],
    codebook: Codebook,
    *,
    batch: str,
    verdicts: dict[str, str],
    override: str,
    of_codes: Mapping[tuple[str, str], str] | None = None,
    smallest: int = SMALLEST,
) -> pd.DataFrame:
    """ESTIMATES rows: for each variable and code the share of units that carry it.

    `given` maps a variable to its blind human values (columns unit, coder, value), a variable of
    the segment as the set over the unit's segments. A unit counts by the share of its coders who
    gave the code; `count` is the number of codings with it. `authors` maps a unit to its author:
    cells of fewer than `smallest` distinct authors are hidden, and say so in `note`; so is
    `units`, where all cells together have fewer. A unit whose author is unknown ('') counts as a
    person of its own, which is what can be known, and hides less than it might. `of_codes` maps
    variable and code to the code's own verdict, which stands in `note` where it is not `pass`.
    """
    rows = []
    for name, values in given.items():
        variable = codebook.variable(name)
        fixed = {
            "batch": batch,
            "codebook": codebook.fingerprint,
            "variable": name,
            "verdict": verdicts.get(name, ""),
            "override": override,
        }
        for row in _shares(values, authors, variable, smallest):
            own = (of_codes or {}).get((name, str(row["code"])), LETS_THROUGH)
            told = "" if own == LETS_THROUGH else f"agreement on this code: {own}"
            notes = [str(row.get("note", "")), told]
            rows.append({**fixed, **row, "note": "; ".join(note for note in notes if note)})
    return tables.frame(tables.ESTIMATES, rows)


def _shares(
    values: pd.DataFrame, authors: pd.Series[str], variable: Variable, smallest: int
) -> list[dict[str, object]]:
    held = [set(given.split("+")) - {""} for given in values["value"]]
    codes = variable.codes or tuple(sorted(set().union(*held), key=float))
    units = int(values["unit"].nunique())
    known = {unit: author for unit, author in authors.items() if author}
    who = values["unit"].map(lambda unit: known.get(unit, unit))
    rows: list[dict[str, object]] = []
    people = []
    for code in codes:
        has = pd.Series([code in given for given in held], index=values.index, dtype=bool)
        people.append(int(who[has].nunique()))
        share = wilson(float(has.groupby(values["unit"]).mean().mean()) if units else 0.0, units)
        rows.append(
            {
                "code": code,
                "count": int(has.sum()),
                "units": units,
                "share": share.value,
                "low": share.low,
                "high": share.high,
                "method": f"mean over units, {share.method}",
            }
        )
    additive = variable.of == "unit" and not variable.multiple
    hidden = suppressed(people, smallest=smallest, additive=additive)
    few = 0 < who.nunique() < smallest
    for row, hide in zip(rows, hidden, strict=True):
        if hide or few:
            row.update(count=None, share=math.nan, low=math.nan, high=math.nan)
            row["note"] = f"hidden: fewer than {smallest} authors, or would give such a cell away"
        if few:
            row["units"] = None
    return rows
