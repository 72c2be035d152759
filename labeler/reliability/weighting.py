"""Which of two rows of a figure leads: weighted by the draw's probabilities, or of those coded.

Where units of a panel were drawn unequally a figure has two rows: `design`, which speaks of all
units that could have been drawn, and '', which speaks of the units coded and of nothing else. The
first is judged, headlined and told; the second stands beside it, and its note says what it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DESIGN = "design"
OF_CODED = "of the units coded, which were drawn unequally: the design-weighted row counts"
_FIGURE = ["batch", "kind", "panel", "variable", "code", "coefficient"]


def design_weights(
    units: Sequence[str], tasks: pd.DataFrame, column: str = "unit_probability"
) -> NDArray[np.float64] | None:
    """1/probability of drawing of each of `units`; None where all are equal or one is not known.

    `tasks` holds TASKS rows of one arm.
    """
    chance = dict(zip(tasks["unit"], tasks[column].astype(float), strict=True))
    known = np.array([chance.get(unit, np.nan) for unit in units], dtype=float)
    if not known.size or np.isnan(known).any() or np.ptp(known) <= 1e-9 * known.max():
        return None
    weights: NDArray[np.float64] = 1 / np.minimum(known, 1.0)
    return weights


def leads(rows: pd.DataFrame) -> pd.Series[bool]:
    """For each of the RELIABILITY rows, whether it is the one to judge and to headline."""
    on = [name for name in _FIGURE if name in rows.columns]
    keys = pd.MultiIndex.from_frame(rows[on])
    weighted = rows["weighting"] == DESIGN
    return weighted | ~pd.Series(keys.isin(keys[weighted.to_numpy()]), index=rows.index)


def leading(rows: pd.DataFrame) -> pd.DataFrame:
    """The RELIABILITY rows that lead, one for each figure."""
    return rows[leads(rows)]
