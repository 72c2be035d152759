"""Codings → shares per code among blind human codes, small cells hidden."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from labeler.codebook.codebook import Codebook, Variable
from labeler.reliability.weighting import design_weights
from labeler.statistics.agreement.distances import Floats
from labeler.statistics.binomial import effective_size, wilson
from labeler.statistics.estimation.disclosure import SMALLEST
from labeler.statistics.interval import Interval
from labeler.store import tables
from labeler.text.coded_values import by_size, codes_of, named

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
    tasks: pd.DataFrame | None = None,
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
    `tasks`: TASKS rows of the blind arm (unit, unit_probability); where units were drawn
    unequally each counts as 1/probability units, and the share is that of all that could have
    been drawn. `count` and `units` are of what was coded, always.
    """
    rows = []
    for name, values in given.items():
        variable = codebook.variable(name)
        fixed = {
            "batch": batch,
            "codebook": codebook.fingerprint,
            "analysis": name,
            "measure": "share",
            "estimator": "blind",
            "target": "collection",
            "override": override,
        }
        for code, row in _shares(values, authors, variable, smallest, tasks):
            own = (of_codes or {}).get((name, code), LETS_THROUGH)
            verdict = verdicts.get(name, "")
            told = verdict if own == LETS_THROUGH else own
            rows.append({**fixed, **row, "code": named(name, code), "verdict": told})
    return tables.frame(tables.ESTIMATES, rows)


def _shares(
    values: pd.DataFrame,
    authors: pd.Series[str],
    variable: Variable,
    smallest: int,
    tasks: pd.DataFrame | None,
) -> list[tuple[str, dict[str, object]]]:
    held = [set(codes_of(given)) for given in values["value"]]
    codes = variable.codes or tuple(by_size(set().union(*held)))
    units = int(values["unit"].nunique())
    known = {unit: author for unit, author in authors.items() if author}
    who = values["unit"].map(lambda unit: known.get(unit, unit))
    rows: list[tuple[str, dict[str, object]]] = []
    for code in codes:
        has = pd.Series([code in given for given in held], index=values.index, dtype=bool)
        people = int(who[has].nunique())
        of_unit = has.groupby(values["unit"]).mean()
        drawn = [str(unit) for unit in of_unit.index]
        share = _share(
            of_unit.to_numpy(float), None if tasks is None else design_weights(drawn, tasks)
        )
        hidden = f"fewer than {smallest} authors" if 0 < people < smallest else ""
        row: dict[str, object] = {
            "count": int((of_unit > 0).sum()),
            "units": units,
            "authors": people,
            "value": share.value,
            "low": share.low,
            "high": share.high,
            "method": share.method,
            "hidden": hidden,
        }
        rows.append((code, row))
    return rows


def _share(of_unit: Floats, weights: Floats | None) -> Interval:
    """The mean over units, or sum w y / sum w, by Wilson's score.

    Weighted, n is the number of units of equal weight that would say as much: the smaller of
    Kish's, and of that from the linearised variance of this very share.
    """
    if weights is None:
        share = wilson(float(of_unit.mean()) if of_unit.size else 0.0, of_unit.size)
        return share._replace(method=f"mean over units, {share.method}")
    value = float(weights @ of_unit / weights.sum())
    variance = float(np.square(weights * (of_unit - value)).sum() / weights.sum() ** 2)
    n = effective_size(weights)
    if variance > 0:
        n = min(n, value * (1 - value) / variance)
    share = wilson(min(max(value, 0.0), 1.0), n)
    told = f"mean over units, weighted by 1/probability of drawing, {share.method}"
    return share._replace(method=f"{told} of {n:.0f} effective units")
