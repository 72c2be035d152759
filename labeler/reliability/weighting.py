"""Which of two rows of a figure leads: weighted by the draw's probabilities, or of those coded.

Where units of a panel were drawn unequally a figure has two rows: `design`, which speaks of all
units that could have been drawn, and '', which speaks of the units coded and of nothing else. The
first is judged, headlined and told; the second stands beside it, and its note says what it is.
"""

from __future__ import annotations

import pandas as pd

DESIGN = "design"
OF_CODED = "of the units coded, which were drawn unequally; the design-weighted row is judged"
_FIGURE = ["batch", "kind", "panel", "variable", "code", "coefficient"]


def leads(rows: pd.DataFrame) -> pd.Series[bool]:
    """For each of the RELIABILITY rows, whether it is the one to judge and to headline."""
    on = [name for name in _FIGURE if name in rows.columns]
    keys = pd.MultiIndex.from_frame(rows[on])
    weighted = rows["weighting"] == DESIGN
    return weighted | ~pd.Series(keys.isin(keys[weighted.to_numpy()]), index=rows.index)


def leading(rows: pd.DataFrame) -> pd.DataFrame:
    """The RELIABILITY rows that lead, one for each figure."""
    return rows[leads(rows)]
