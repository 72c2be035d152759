"""Whether the skip rule keeps its promise, and how often the interval of the ECE holds: simulated.

    python benchmarks/calibration.py [--runs 1000] [--coverage 400]

First block: a frame of 5,000 units, of which 200, 400 or 800 are drawn and coded blind; then a
threshold is kept that should let through at most 5% of errors (epsilon) with confidence 95%.
Printed: the share of runs in which the accepted units of the frame hold more errors than that
(must be at most 5%), the share of runs with a threshold, and the mean share of units accepted.
Beside it a rule without a guarantee: the loosest threshold at which the coded units show at most
5% of errors. The last two worlds are made against the rule: a confidence that is upside down,
and one that says nothing, with an error just above epsilon.

Second block: coverage of the 95% interval of the expected calibration error, whose truth is that
of the bins; an interval that is too wide near zero is meant to be (see `calibration.ece`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from labeler.statistics.prediction import calibration, deferral

FRAME, EPSILON, DELTA = 5000, 0.05, 0.05
MANY = 200_000
VOTES = np.array([0.2, 0.4, 0.6, 0.8, 1.0])

Draw = Callable[[np.random.Generator, int], np.ndarray]


class World(NamedTuple):
    """How confidences come about, and how often a unit of a confidence is right."""

    name: str
    draw: Draw
    right: Callable[[np.ndarray], np.ndarray]


def beta(chance: np.random.Generator, n: int) -> np.ndarray:
    """Confidences as of log-probabilities: most are near 1."""
    return chance.beta(5, 0.6, n)


def votes(chance: np.random.Generator, n: int) -> np.ndarray:
    """Confidences as shares of replicates: few different ones."""
    return chance.choice(VOTES, n, p=[0.02, 0.05, 0.08, 0.15, 0.7])


SKIPS = (
    World("means what it says", beta, lambda c: c),
    World("too sure by .03", beta, lambda c: np.clip(c - 0.03, 0, 1)),
    World("five votes", votes, lambda c: 0.5 + 0.47 * c),
    World("upside down", beta, lambda c: 1 - 0.08 * c),
    World("says nothing, error .051", beta, lambda c: np.full(c.shape, 0.949)),
)
COVERAGES = (
    World("no fault", lambda g, n: g.beta(4, 1, n), lambda c: c),
    World("too sure by .05", lambda g, n: g.beta(4, 1, n), lambda c: np.clip(c - 0.05, 0, 1)),
    World("too sure by .2", lambda g, n: g.beta(4, 1, n), lambda c: np.clip(c - 0.2, 0, 1)),
    World("too extreme", lambda g, n: g.beta(4, 1, n), lambda c: 0.25 + 0.5 * c),
    World("five votes", votes, lambda c: 0.5 + 0.4 * c),
)


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--coverage", type=int, default=400)
    options = parser.parse_args()
    print(f"skipping: epsilon {EPSILON}, delta {DELTA}, {options.runs} runs")
    print(f"{'':<26}{'':>5}   {'Learn then Test':^25}   {'no guarantee':^25}")
    head = f"{'broken':>8}{'kept':>8}{'skipped':>9}"
    print(f"{'confidence':<26}{'n':>5}   {head}   {head}")
    for world in SKIPS:
        for n in (200, 400, 800):
            print(f"{world.name:<26}{n:>5}   {'   '.join(promises(world, n, options.runs))}")
    print(f"\nECE: coverage of the 95% interval, {options.coverage} runs")
    print(f"{'confidence':<26}{'n':>5}{'coverage':>10}{'width':>8}{'true ECE':>10}{'mean ECE':>10}")
    for world in COVERAGES:
        for n in (50, 100, 300):
            print(f"{world.name:<26}{n:>5}{coverage(world, n, options.coverage)}")


def promises(world: World, n: int, runs: int) -> tuple[str, str]:
    """Broken promises, thresholds kept and units accepted, of both rules, as text."""
    chance = np.random.default_rng(31)
    found: list[list[tuple[bool, bool, float]]] = [[], []]
    for _ in range(runs):
        confidence = world.draw(chance, FRAME)
        wrong = chance.random(FRAME) >= world.right(confidence)
        coded = chance.choice(FRAME, n, replace=False)
        tested = deferral.thresholds(confidence, n, epsilon=EPSILON, delta=DELTA)
        sure, bad = confidence[coded], wrong[coded]
        rule = deferral.rule(sure, bad, tested, epsilon=EPSILON, delta=DELTA)
        for place, kept in enumerate((rule.threshold, loosest(sure, bad, tested))):
            accepted = confidence >= kept
            error = wrong[accepted].mean() if accepted.any() else 0.0
            found[place].append((error > EPSILON, not np.isnan(kept), accepted.mean()))
    shares = [np.mean(rows, axis=0) for rows in found]
    first, second = (f"{row[0]:>8.1%}{row[1]:>8.0%}{row[2]:>9.0%}" for row in shares)
    return first, second


def loosest(sure: np.ndarray, bad: np.ndarray, tested: list[float]) -> float:
    """The loosest threshold at which the coded units have at most epsilon of errors; or nan."""
    fine = [t for t in tested if (sure >= t).any() and bad[sure >= t].mean() <= EPSILON]
    return min(fine, default=np.nan)


def coverage(world: World, n: int, runs: int) -> str:
    """Coverage, mean width, mean true and mean estimated ECE, as text."""
    chance = np.random.default_rng(32)
    many = world.draw(chance, MANY)
    off = world.right(many) - many
    rows = []
    for _ in range(runs):
        confidence = world.draw(chance, n)
        units = calibration.unit_confidences(confidence, chance.random(n) < world.right(confidence))
        found, place = calibration.ece(units), calibration.binned(units)
        edges = [units.confidence[place == k].min() for k in range(1, int(place.max()) + 1)]
        at = np.searchsorted(edges, many, side="right")
        true = np.abs(np.bincount(at, off)).sum() / MANY
        rows.append((found.low <= true <= found.high, found.high - found.low, true, found.value))
    held, width, true, value = np.mean(rows, axis=0)
    return f"{held:>10.1%}{width:>8.3f}{true:>10.3f}{value:>10.3f}"


if __name__ == "__main__":
    main()
