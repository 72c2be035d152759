"""Looks: how often the gate has been asked about a study sample, and what it may spend this time.

A look is the gate's decision on codings that it has not decided on before, for a comparison and a
variable of one codebook and suggester: other units, other coders, a corrected code, one batch
alone or several together. The same codings computed again are the look that they were. LOOKS keeps
each look with what it saw, whatever becomes of the results.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from labeler.statistics.agreement.looks import level_of_look
from labeler.store import tables

Compared = tuple[str, str]  # comparison and variable
_SEEN = ["level", "value", "bound", "verdict", "n_units", "run"]  # of the verdict, kept of a look


class Look(NamedTuple):
    """The number of a look (None: the gate is asked once and for all) and its one-sided level."""

    number: int | None
    level: float


ONCE = Look(None, 0.05)


def looks(tested: pd.DataFrame, before: pd.DataFrame) -> dict[Compared, Look]:
    """Comparison and variable → the look that their codings are.

    `tested`: columns comparison, variable, codings; `before`: the LOOKS rows of the codebook and
    suggester so far.
    """
    columns = ("comparison", "variable", "codings", "look")
    known: dict[Compared, dict[str, int]] = {}
    for comparison, variable, codings, look in zip(*(before[c] for c in columns), strict=True):
        known.setdefault((comparison, variable), {})[codings] = int(look)
    found = {}
    for row in tables.rows(tested):
        own = known.get((row.comparison, row.variable), {})
        number = own.get(row.codings, max(own.values(), default=0) + 1)
        found[row.comparison, row.variable] = Look(number, level_of_look(number))
    return found


def taken(
    tested: pd.DataFrame,
    numbered: Mapping[Compared, Look],
    before: pd.DataFrame,
    verdicts: pd.DataFrame,
    *,
    suggester: str,
    created: str,
) -> pd.DataFrame:
    """LOOKS rows of those that are new, with what the `verdicts` on the variables saw."""
    on = ["comparison", "variable"]
    numbers = [numbered[pair].number for pair in zip(*(tested[name] for name in on), strict=True)]
    own = tested.assign(look=pd.array(numbers, dtype="Int64"))
    whole = verdicts[verdicts["code"] == ""]
    kept = own.merge(whole[["batch", "codebook", *on, *_SEEN]], on=on)
    earlier = set(zip(*(before[name] for name in [*on, "look"]), strict=True))
    new = [row not in earlier for row in zip(*(kept[name] for name in [*on, "look"]), strict=True)]
    rows = kept[pd.Series(new, index=kept.index, dtype=bool)]
    return tables.frame(tables.LOOKS, rows.assign(suggester=suggester, created=created))
