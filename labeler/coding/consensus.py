"""Codings → consensus: the value kept for a unit, from blind human codings alone."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from labeler.codebook.codebook import Codebook, Variable
from labeler.store import tables
from labeler.text.coded_values import codes_of

MAJORITY = "majority"
UNRESOLVED = "unresolved"


def consensus(given: dict[str, pd.DataFrame], codebook: Codebook, *, batch: str) -> pd.DataFrame:
    """CONSENSUS rows, one for each unit and variable that a human coded blind.

    `given` maps each variable to its blind human values (columns unit, coder, value), a variable
    of the segment as the unit's set. More than half of the coders decide, for a set code by code.
    The rule is `unresolved` and the value '' where no value has more than half of the coders, a
    code of a set has just half, or no code of a set is left although every coder gave one.
    `agreeing` counts the coders whose whole value is the one kept (of an unresolved unit: the
    commonest one).
    """
    rows = []
    fingerprint = codebook.fingerprint
    for name, values in given.items():
        variable = codebook.variable(name)
        by_unit: dict[str, list[str]] = {}
        for unit, value in zip(values["unit"].tolist(), values["value"].tolist(), strict=True):
            by_unit.setdefault(unit, []).append(value)
        for unit, votes in sorted(by_unit.items()):
            kept, rule = _kept(votes, variable)
            agreeing = votes.count(kept) if rule == MAJORITY else max(Counter(votes).values())
            rows.append(
                {
                    "batch": batch,
                    "codebook": fingerprint,
                    "unit": unit,
                    "variable": name,
                    "value": kept,
                    "rule": rule,
                    "agreeing": agreeing,
                    "coders": len(votes),
                }
            )
    return tables.frame(tables.CONSENSUS, rows)


def _kept(votes: list[str], variable: Variable) -> tuple[str, str]:
    if variable.metric == "masi":
        tally = Counter(code for vote in votes for code in codes_of(vote))
        if any(2 * times == len(votes) for times in tally.values()):
            return "", UNRESOLVED
        kept = {code for code, times in tally.items() if 2 * times > len(votes)}
        if not kept and "" not in votes:
            return "", UNRESOLVED
        return variable.written(kept), MAJORITY
    value, times = Counter(votes).most_common(1)[0]
    return (value, MAJORITY) if 2 * times > len(votes) else ("", UNRESOLVED)
