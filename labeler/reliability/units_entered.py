"""How many units and pairs enter a figure, of how many there were, and why the rest fell out."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class UnitsEntered(NamedTuple):
    """`n_compared` units with two codings or more, which make `n_pairs` pairs; of `n_there` units
    that were drawn for the panel; and `left_out`, which says why the others did not enter.
    """

    n_compared: int
    n_pairs: int
    n_there: int
    left_out: str


def units_entered(
    columns: NDArray[np.int64],
    unit: NDArray[np.intp],
    *,
    coded: Collection[int],
    drawn: int,
) -> UnitsEntered:
    """What enters of `columns`: positions of values, shape (coders, rows), -1 where there is none.

    `unit`: the unit of each row, which may stand in several; two values of a row are a pair.
    `coded`: the units that somebody of the panel has coded, with or without a value. `drawn`: how
    many units the panel was to code.
    """
    values = (columns >= 0).sum(axis=0)
    compared = set(unit[values > 1].tolist())
    once = set(unit[values == 1].tolist()) - compared
    silent = set(coded) - compared - once
    there = max(drawn, len(compared | once | silent))
    parts = {
        "coded by one": len(once),
        "without a value (not asked, not applicable or left open)": len(silent),
        "not coded, or skipped": there - len(compared) - len(once) - len(silent),
    }
    said = [f"{number} {why}" for why, number in parts.items() if number]
    return UnitsEntered(
        len(compared), int((values * (values - 1) // 2).sum()), there, "; ".join(said)
    )
