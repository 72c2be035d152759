"""Posts and a model's codes → the strata that units are drawn from.

`weight` is that of a unit of the stratum against a unit of another: how many of a stratum are
drawn follows from size times weight. `also` are units that cannot be drawn any more: each gets the
stratum in which it would lie, and none changes a size or a weight.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from labeler import hints
from labeler.errors import InputError

LEVELS = 10  # strata of uncertainty at most
UNSURE = "unknown"


class StratumWeights(NamedTuple):
    """The stratum of each unit, and the weight of a unit of each stratum."""

    of: dict[str, str]
    weight: dict[str, float]


def stratified(
    values: Mapping[str, str], *, allocation: str, also: Mapping[str, str] | None = None
) -> StratumWeights:
    """Units with the same value make a stratum: a platform, or a model's codes.

    `allocation`: `proportional` gives all units the same weight, `equal` all strata.
    """
    sizes = Counter(values.values())
    weight = {
        value: 1.0 if allocation == "proportional" else 1 / size for value, size in sizes.items()
    }
    return StratumWeights({**(also or {}), **values}, weight)


def enriched(
    values: Mapping[str, Sequence[str]], *, also: Mapping[str, Sequence[str]] | None = None
) -> StratumWeights:
    """Each unit in the stratum of its rarest code; rarer strata get more than their share.

    `values` holds for each unit what the model gave, as `variable=code`. A stratum is drawn by the
    square root of its size (power allocation; Bankier 1988), between proportional and equal.
    Among codes of the same rarity the first by name decides.
    """
    times = Counter(code for codes in values.values() for code in set(codes))
    of = {
        unit: min(codes, key=lambda code: (times[code], code)) if codes else "no code"
        for unit, codes in {**(also or {}), **values}.items()
    }
    sizes = Counter(of[unit] for unit in values)
    return StratumWeights(of, {name: 1 / math.sqrt(size) for name, size in sizes.items()})


def uncertain(
    units: Sequence[str],
    confidence: Mapping[str, float],
    *,
    floor: float,
    also: Sequence[str] = (),
) -> StratumWeights:
    """Strata of like confidence; the less sure the model is, the more are drawn.

    `confidence` is a unit's smallest, c. The weight of a stratum is (1 - t) u / mean(u) + t with
    u = sqrt(1 - c), which goes with the error that a draw is to catch, and t = `floor`, so that
    also sure units are drawn. More than ten levels are cut into ten of equal size. Units without
    a confidence make a stratum of their own, with the mean weight. One of `also` lies where the
    unit of the nearest confidence does.
    """
    if not 0 < floor <= 1:
        raise InputError("the floor is a share above 0, up to 1: every unit can be drawn")
    known = {unit: confidence[unit] for unit in units if unit in confidence}
    if not known:
        raise InputError("no unit has a confidence", hint=hints.GET_CONFIDENCE)
    bands = _bands(pd.Series(known, dtype="float64"))
    doubt = {
        band: math.sqrt(max(0.0, 1 - float(pd.Series([known[u] for u in own]).mean())))
        for band, own in bands.items()
    }
    of = {unit: band for band, own in bands.items() for unit in own}
    mean = sum(doubt[of[unit]] for unit in known) / len(known)
    weight = {
        band: (1 - floor) * (own / mean if mean else 1.0) + floor for band, own in doubt.items()
    }
    unknown = [unit for unit in units if unit not in known]
    if unknown:
        of |= dict.fromkeys(unknown, UNSURE)
        weight[UNSURE] = 1.0
    return StratumWeights({**_nearest(also, confidence, of, known), **of}, weight)


def _nearest(
    also: Sequence[str],
    confidence: Mapping[str, float],
    of: Mapping[str, str],
    known: Mapping[str, float],
) -> dict[str, str]:
    """The stratum of the known unit whose confidence is nearest to that of each further one."""
    ordered = sorted(known, key=lambda unit: (known[unit], unit))
    levels = [known[unit] for unit in ordered]
    found = {}
    for unit in also:
        if unit not in confidence:
            found[unit] = UNSURE
            continue
        place = bisect_left(levels, confidence[unit])
        near = ordered[max(0, place - 1) : place + 1]
        found[unit] = of[min(near, key=lambda one: abs(known[one] - confidence[unit]))]
    return found


def _bands(confidence: pd.Series[float]) -> dict[str, list[str]]:
    """Name of each level (its bounds) → its units, from the least sure on."""
    rounded = confidence.round(6)
    if rounded.nunique() > LEVELS:
        places = (rounded.rank(method="dense").sub(1) * LEVELS // rounded.nunique()).astype(int)
    else:
        places = rounded.rank(method="dense").astype(int)
    bands = {}
    for _, own in rounded.groupby(places):
        low, high = own.min(), own.max()
        name = f"{low:.3f}" if low == high else f"{low:.3f} to {high:.3f}"
        bands[f"confidence {name}"] = [str(unit) for unit in own.index]
    return bands


def least_sure(confidence: pd.DataFrame) -> dict[str, float]:
    """Unit → the smallest confidence of its codes, from CONFIDENCE rows of one coder.

    A vote s for a code is as sure as max(s, 1 - s): a code that one of five replicates gave was
    nearly not given. Votes count where a unit has any, else log-probabilities.
    """
    rows = confidence[confidence["kind"].isin(("vote", "logprob"))].dropna(subset="confidence")
    voted = set(rows[rows["kind"] == "vote"]["unit"])
    used = rows[(rows["kind"] == "vote") | ~rows["unit"].isin(voted)]
    share = used["confidence"]
    sure = share.where(used["kind"] != "vote", share.where(share >= 0.5, 1 - share))
    least = sure.groupby(used["unit"]).min()
    return {str(unit): float(value) for unit, value in least.items()}
