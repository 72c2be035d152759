"""How well a classifier does with few examples and with more: a learning curve.

Repeated stratified splits: in each, a quarter of the units is held out, and the classifier is
taught with more and more of the others (each smaller set lies in the next). Beside it, on the very
same held-out units, stand the most frequent value and whatever coder is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeler.statistics.agreement import alpha as agreement
from labeler.statistics.agreement.distances import Domain, Floats, Level
from labeler.statistics.prediction.classifier import Bools, Classifier, fit

HELD_OUT = 0.25
FIRST = 25
MAJORITY = "majority"
LEARNER = ""


class Scale(NamedTuple):
    """How values are compared: the level, and what each column of `holds` is measured as.

    `codes` are the codes, or the numbers they stand for; `none` as in `classifier.fit`.
    """

    level: Level
    codes: tuple[str, ...]
    multiple: bool
    none: int = -1


class CoderCodes(NamedTuple):
    """What a coder gave: `holds`, and which units it coded at all (shape (units,))."""

    holds: Bools
    coded: Bools


class CoderScores(NamedTuple):
    """A coder on the held-out units of each split: one number a split.

    `coder` is '' for the classifier, which was taught with `taught` units. `f1` is the macro F1,
    in which a unit not coded counts as having no code; `alpha` is of the coded units (nan where
    undefined), `coded` their share.
    """

    coder: str
    taught: int
    held_out: int
    f1: Floats
    alpha: Floats
    coded: Floats


def curve(
    vectors: Floats,
    truth: Bools,
    scale: Scale,
    *,
    others: Mapping[str, CoderCodes],
    repeats: int,
    seed: int,
) -> list[CoderScores]:
    """The classifier at each size, then the most frequent value, then `others`.

    Raises TableError where `scale` does not fit `truth`. The same seed gives the same splits.
    """
    chance = np.random.default_rng(seed)
    orders = [_stratified(truth, chance) for _ in range(repeats)]
    held = round(len(truth) * HELD_OUT)
    whole = np.ones(len(truth), dtype=bool)

    def measured(name: str, taught: int, given: list[CoderCodes]) -> CoderScores:
        pairs = [
            (truth[order[:held]], one.holds[order[:held]], one.coded[order[:held]])
            for order, one in zip(orders, given, strict=True)
        ]
        f1 = [macro_f1(right, holds & coded[:, None]) for right, holds, coded in pairs]
        alpha = [alpha_between(right[coded], holds[coded], scale) for right, holds, coded in pairs]
        share = [coded.mean() for *_, coded in pairs]
        return CoderScores(name, taught, held, np.array(f1), np.array(alpha), np.array(share))

    found = []
    for size in sizes(len(truth) - held):
        learned = [_learned(vectors, truth, scale, order[held : held + size]) for order in orders]
        given = [CoderCodes(classify(vectors), whole) for classify in learned]
        found.append(measured(LEARNER, size, given))
    most = [CoderCodes(_most_frequent(truth, order[held:]), whole) for order in orders]
    found.append(measured(MAJORITY, len(truth) - held, most))
    return found + [measured(name, 0, [one] * repeats) for name, one in others.items()]


def sizes(most: int) -> list[int]:
    """25, 50, 100, … below `most`, and `most`."""
    steps = [FIRST]
    while steps[-1] * 2 < most:
        steps.append(steps[-1] * 2)
    return [step for step in steps if step < most] + [most]


def macro_f1(truth: Bools, given: Bools) -> float:
    """Mean over the codes of F1 = 2TP / (2TP + FP + FN); a code that nobody gave is left out.

    nan where no code was given at all.
    """
    both = (truth & given).sum(axis=0)
    either = truth.sum(axis=0) + given.sum(axis=0)
    there = either > 0
    return float((2 * both[there] / either[there]).mean()) if there.any() else float("nan")


def alpha_between(truth: Bools, given: Bools, scale: Scale) -> float:
    """Krippendorff's alpha of two coders; nan where it is undefined or there is no unit."""
    both = np.concatenate([truth, given])
    if not len(both):
        return float("nan")
    domain: Domain = scale.codes
    if scale.multiple:
        patterns, places = np.unique(both, axis=0, return_inverse=True)
        domain = [frozenset(np.array(scale.codes)[row].tolist()) for row in patterns]
    else:
        places = both.argmax(axis=1)
    counts = np.zeros((len(truth), len(domain)), dtype=np.int64)
    np.add.at(counts, (np.tile(np.arange(len(truth)), 2), places.reshape(-1)), 1)
    return agreement.alpha(counts, level=scale.level, domain=domain).value


def _stratified(truth: Bools, chance: np.random.Generator) -> NDArray[np.intp]:
    """The units in an order of which every stretch has each stratum in about its share.

    A unit's stratum is its rarest code. Within a stratum the order is random, and a unit's
    place is its rank over the stratum's size.
    """
    count = truth.sum(axis=0)
    strata = np.where(truth, count, len(truth) + 1).argmin(axis=1)
    strata[~truth.any(axis=1)] = truth.shape[1]
    places = np.empty(len(truth))
    for stratum in np.unique(strata):
        own = chance.permutation(np.flatnonzero(strata == stratum))
        places[own] = (np.arange(len(own)) + chance.random()) / len(own)
    return np.argsort(places, kind="stable")


def _learned(vectors: Floats, truth: Bools, scale: Scale, taught: NDArray[np.intp]) -> Classifier:
    return fit(vectors[taught], truth[taught], multiple=scale.multiple, none=scale.none)


def _most_frequent(truth: Bools, taught: NDArray[np.intp]) -> Bools:
    """The most frequent row among the taught units, for every unit."""
    patterns, times = np.unique(truth[taught], axis=0, return_counts=True)
    most: Bools = np.broadcast_to(patterns[times.argmax()], truth.shape)
    return most


def mean(numbers: Sequence[float] | Floats) -> tuple[float, float]:
    """Mean and standard deviation (n - 1) of the numbers that are defined; nan where too few."""
    there = np.asarray(numbers, dtype=float)
    there = there[~np.isnan(there)]
    return (
        float(there.mean()) if there.size else float("nan"),
        float(there.std(ddof=1)) if there.size > 1 else float("nan"),
    )
