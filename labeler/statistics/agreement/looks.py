"""The level at which the gate decides when it is asked again and again as units come in."""

from __future__ import annotations

import math


def level_of_look(look: int, *, total: float = 0.05) -> float:
    """The one-sided level of the `look`-th look, from 1 on: `total` (6/pi^2) / look^2.

    The levels of all looks add up to `total`, however many there will be, since the inverse
    squares add up to pi^2/6. So the chance that any of them passes where nothing should is at most
    `total` (Bonferroni), whatever the looks have in common: units added, codes corrected, one
    batch alone and then two together. Spending by the share of the planned units (Lan and DeMets
    1983, Biometrika 70, 659-663) would spare a part of that, but needs the number of units at the
    end and looks of which each holds the one before. With 5% in all the levels are 3.04%, .76%,
    .34%, .19%, .12% … and .03% at the tenth look. ValueError below the first look.
    """
    if look < 1:
        raise ValueError(f"looks are counted from 1, not {look}")
    return total * 6 / math.pi**2 / look**2
