"""Small cells: which figures of a table would give single people away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SMALLEST = 11


def suppressed(
    counts: Sequence[int], *, smallest: int = SMALLEST, additive: bool
) -> NDArray[np.bool_]:
    """Which of `counts` (distinct people in each cell of one row) must not be shown.

    Cells from 1 to `smallest` - 1 are hidden; zero may be shown (the rule of the US Centers for
    Medicare & Medicaid Services, which hides 1 to 10). Where the cells are `additive`, so that
    one can be had by subtracting the others from the total, the next smallest are hidden too,
    until at least two are and their sum, which anybody can work out, reaches `smallest`. Where it
    cannot (all cells together are too small), every cell is hidden, zeros too: the caller must
    then hide the total.
    """
    people = np.asarray(counts, dtype=np.int64)
    hidden: NDArray[np.bool_] = (people > 0) & (people < smallest)
    if not additive or not hidden.any():
        return hidden
    for place in np.argsort(people, kind="stable"):
        if hidden.sum() >= 2 and people[hidden].sum() >= smallest:
            break
        if people[place] > 0:
            hidden[place] = True
    if people[hidden].sum() < smallest:
        hidden[:] = True
    return hidden
