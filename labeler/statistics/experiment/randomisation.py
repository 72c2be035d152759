"""What an arm changes, tested by the chance that put codings into arms.

The *things* that were randomised are put into the arms again, within their *strata*, as often as
asked; where there are few ways, all of them are taken. Three designs are known:

    within units     units are coded in both arms, by different coders: who saw the suggestion is
                     swapped among the coders of a unit (things: codings, strata: units)
    between units    no unit is in both arms: the arms of units are swapped
    between coders   no coder is in both arms: the arms of coders are swapped. The units in between
                     do not help: four coders can be parted in six ways, and no p falls below 1/3

The effect of an outcome y is D = mean over strata of (mean y of the assisted things - mean y of
the blind ones); the outcome of a unit or coder is the mean of its codings. Under "seeing the
suggestion changes no code" every way was as likely as the one that happened (Fisher 1935). Of an
effect delta, y - delta z is tested instead, z = 1 for the assisted: D is then
P_pi - delta Q_pi against D - delta, so that way pi lies above what was seen just where
delta >= (D - P_pi)/(1 - Q_pi). Sorted, these ratios give every p-value and every interval at once.

The interval speaks of further units coded by the same coders. Where blind units have more coders
than assisted ones, and no unit is in both arms, their means are not quite exchangeable.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations, product
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeler.statistics.agreement.distances import Floats

Kind = Literal["within units", "between units", "between coders"]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]

EXACT = 20_000  # ways up to which all of them are taken
BLOCK = 4_000_000  # ways x things held at once
TIE = 1e-9


class Randomisation(NamedTuple):
    """What was randomised. `reason` says why there is nothing to compare; else it is ''.

    used (codings,): which codings enter; thing (codings used,): their thing; stratum and assisted
    (things,).
    """

    kind: Kind
    used: Bools
    thing: Ints
    stratum: Ints
    assisted: Bools
    reason: str


class Rerandomisations(NamedTuple):
    """An outcome's effect as it was and under each way; a row a way, a column an outcome.

    `difference` and `blind`: the effect and the blind mean, shape (ways, outcomes); `observed`
    and `observed_blind` the same as they were; `moved`, shape (ways,): Q_pi. The way that
    happened is one of the ways. `exact`: all ways were taken.
    """

    observed: Floats
    observed_blind: Floats
    difference: Floats
    blind: Floats
    moved: Floats
    exact: bool

    @property
    def n(self) -> int:
        """How many ways there are, that which happened among them."""
        return int(self.moved.size)


def design_of(unit: NDArray[Any], coder: NDArray[Any], assisted: Bools) -> Randomisation:
    """The design of codings, given the unit, the coder and the arm of each."""
    everything = np.ones(assisted.size, bool)
    if assisted.all() or not assisted.any():
        lacking = "blind" if assisted.any() else "assisted" if assisted.size else ""
        reason = f"no {lacking} coding" if lacking else "no coding"
        nothing = np.empty(0, np.intp)
        return Randomisation(
            "within units", ~everything, nothing, nothing, np.empty(0, bool), reason
        )
    coders = np.unique(coder, return_inverse=True)[1]
    if not _both(coders, assisted).any():
        arms = np.zeros(coders.max() + 1, bool)
        arms[coders] = assisted
        return Randomisation(
            "between coders", everything, coders, np.zeros(arms.size, int), arms, ""
        )
    units = np.unique(unit, return_inverse=True)[1]
    both = _both(units, assisted)
    if both.any():
        used = both[units]
        strata = np.unique(units[used], return_inverse=True)[1]
        return Randomisation(
            "within units", used, np.arange(strata.size), strata, assisted[used], ""
        )
    arms = np.zeros(units.max() + 1, bool)
    arms[units] = assisted
    return Randomisation("between units", everything, units, np.zeros(arms.size, int), arms, "")


def weights(design: Randomisation) -> Floats:
    """The weight of each coding used: D = sum w y, positive for the assisted arm."""
    of_thing = _of_things(design)
    codings = np.bincount(design.thing, minlength=design.assisted.size)
    shared: Floats = (of_thing / codings)[design.thing]
    return shared


def ways(
    outcomes: Floats, design: Randomisation, *, draws: int = 1999, seed: int
) -> Rerandomisations:
    """The effect of each outcome, shape (codings used, outcomes), under each way.

    All ways where there are at most EXACT, else `draws` of them by `seed`, and the one that was.
    """
    size = design.assisted.size
    codings = np.bincount(design.thing, minlength=size)
    of_thing = np.zeros((size, outcomes.shape[1] + 1))
    np.add.at(of_thing[:, 1:], design.thing, outcomes)
    of_thing /= codings[:, None]
    of_thing[:, 0] = design.assisted
    in_assisted, in_blind = _arm_weights(design)
    weighted = of_thing * (in_assisted + in_blind)[:, None]
    blind_weighted = of_thing * in_blind[:, None]
    base = blind_weighted.sum(axis=0)
    count = _count(design)
    exact = count <= EXACT
    parts = list(_all(design)) if exact else [design.assisted[None], *_drawn(design, draws, seed)]
    arms = design.assisted.astype(float)
    difference = np.vstack([part.astype(float) @ weighted for part in parts]) - base
    blind = base[1:] - np.vstack([part.astype(float) @ blind_weighted[:, 1:] for part in parts])
    return Rerandomisations(
        arms @ weighted[:, 1:] - base[1:],
        base[1:] - arms @ blind_weighted[:, 1:],
        difference[:, 1:],
        blind,
        difference[:, 0],
        exact,
    )


def p_greater(found: Rerandomisations, column: int, *, effect: float = 0.0) -> float:
    """p of H0: the effect is `effect` or less."""
    same, ratios = _ratios(found, column)
    return float((same + (ratios <= effect + TIE).sum()) / found.n)


def p_less(found: Rerandomisations, column: int, *, effect: float = 0.0) -> float:
    """p of H0: the effect is `effect` or more."""
    same, ratios = _ratios(found, column)
    return float((same + (ratios >= effect - TIE).sum()) / found.n)


def p_two_sided(found: Rerandomisations, column: int) -> float:
    """p of H0: no effect; twice the smaller one-sided p, at most 1."""
    return min(1.0, 2 * min(p_greater(found, column), p_less(found, column)))


def interval(
    found: Rerandomisations, column: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """The effects that are not rejected at (1 - confidence)/2 on either side.

    -inf and inf where there are too few ways to reject any.
    """
    same, ratios = _ratios(found, column)
    ratios = np.sort(ratios)
    needed = math.floor(found.n * (1 - confidence) / 2 + TIE) + 1 - same
    if needed <= 0 or needed > ratios.size:
        return -math.inf, math.inf
    return float(ratios[needed - 1]), float(ratios[-needed])


def _ratios(found: Rerandomisations, column: int) -> tuple[int, Floats]:
    """How many ways are the one that happened, and (D - P_pi)/(1 - Q_pi) of the others."""
    apart = 1 - found.moved
    other = apart > TIE
    ratios: Floats = (found.observed[column] - found.difference[other, column]) / apart[other]
    return int((~other).sum()), ratios


def _both(ids: Ints, assisted: Bools) -> Bools:
    """For each id: is it in both arms?"""
    n = ids.max() + 1
    there: Bools = (np.bincount(ids, assisted, n) > 0) & (np.bincount(ids, ~assisted, n) > 0)
    return there


def _arm_weights(design: Randomisation) -> tuple[Floats, Floats]:
    """1/(strata x assisted things of the stratum), and the same of the blind ones."""
    strata = design.stratum.max() + 1
    n_assisted = np.bincount(design.stratum, design.assisted, strata)
    n_blind = np.bincount(design.stratum, ~design.assisted, strata)
    in_assisted: Floats = 1 / (strata * n_assisted)[design.stratum]
    in_blind: Floats = 1 / (strata * n_blind)[design.stratum]
    return in_assisted, in_blind


def _of_things(design: Randomisation) -> Floats:
    in_assisted, in_blind = _arm_weights(design)
    signed: Floats = np.where(design.assisted, in_assisted, -in_blind)
    return signed


def _sizes(design: Randomisation) -> list[tuple[Ints, int]]:
    """Each stratum's things, and how many of them are assisted."""
    order = np.argsort(design.stratum, kind="stable")
    things = np.split(order, np.flatnonzero(np.diff(design.stratum[order])) + 1)
    return [(own, int(design.assisted[own].sum())) for own in things]


def _count(design: Randomisation) -> float:
    """How many ways there are; inf as soon as they are more than EXACT."""
    count = 1
    for things, taken in _sizes(design):
        count *= math.comb(things.size, taken)
        if count > EXACT:
            return math.inf
    return count


def _all(design: Randomisation) -> Iterator[Bools]:
    """Every way, as one block of (ways, things)."""
    choices = [[list(own) for own in combinations(t, k)] for t, k in _sizes(design)]
    chosen = [[thing for part in way for thing in part] for way in product(*choices)]
    arms = np.zeros((len(chosen), design.assisted.size), bool)
    np.put_along_axis(arms, np.array(chosen, np.intp), True, axis=1)
    yield arms


def _drawn(design: Randomisation, draws: int, seed: int) -> Iterator[Bools]:
    """Rerandomisations drawn at random, in blocks of (ways, things)."""
    chance = np.random.default_rng(seed)
    size = design.assisted.size
    order = np.argsort(design.stratum, kind="stable")
    stratum = design.stratum[order]
    starts = np.flatnonzero(np.diff(stratum, prepend=-1))
    taken = np.bincount(stratum, design.assisted[order])
    within = np.arange(size) - starts[stratum] < taken[stratum]  # the first places of a stratum
    block = max(1, BLOCK // size)
    for first in range(0, draws, block):
        n = min(block, draws - first)
        shuffled = np.argsort(stratum + chance.random((n, size)), axis=1)
        arms = np.zeros((n, size), bool)
        np.put_along_axis(arms, order[shuffled], np.broadcast_to(within, (n, size)), axis=1)
        yield arms
