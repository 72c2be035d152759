"""How often the default interval for alpha holds the true value.

    python benchmarks/coverage.py [--runs 2000] [--confidence 0.95] [--unequal | --looks]

Simulates made-up codings in 18 scenarios: 50, 100 and 300 units; 2 and 3 coders; a rare code (10%),
two balanced codes, four balanced codes. Each unit has a true code; a coder sees it with a chance
of sqrt(.8), and else draws a code by the codes' shares: so two coders agree beyond chance on .8 of
the units, and alpha is .8. Prints, a row a scenario, the share of intervals that hold alpha (goal:
94-96% on average at 100 units and more), how often the lower one-sided bound lies below it, the
median width, and how often there was no interval for want of variation; those are not counted.
Then the same for units drawn with unequal probability, and how often the gate passes at its
threshold (see `unequal`); `--unequal` prints that part alone. `--looks`: how often a gate that is
asked after every batch passes at its threshold (see `looks`).
"""

from __future__ import annotations

import argparse
import itertools
import math
from typing import NamedTuple

import looks
import numpy as np
import unequal

from labeler.statistics.agreement.column_patterns import column_patterns
from labeler.statistics.agreement.intervals import jackknife

ALPHA = 0.8
UNITS = (50, 100, 300)
CODERS = (2, 3)
CODES = {"rare 10%": (0.9, 0.1), "balanced": (0.5, 0.5), "four codes": (0.25,) * 4}
GOAL = (0.94, 0.96)


class Covered(NamedTuple):
    """Shares of runs: the interval holds alpha, the lower bound is below it, there was none."""

    interval: float
    lower: float
    width: float
    undefined: float


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000, help="samples in each scenario")
    parser.add_argument("--confidence", type=float, default=0.95)
    parser.add_argument("--unequal", action="store_true", help="unequal drawing alone")
    parser.add_argument("--looks", action="store_true", help="a gate asked again and again alone")
    options = parser.parse_args()
    if options.looks:
        looks.report(options.runs)
        return
    if not options.unequal:
        equal(options.runs, options.confidence)
    unequal.report(options.runs)
    looks.report(options.runs)


def equal(runs: int, confidence: float) -> None:
    """Units drawn alike."""
    print(f"true alpha {ALPHA}, {runs} runs a scenario, {confidence:.0%} intervals")
    print("units  coders  codes        interval  lower bound  median width  no interval")
    large = []
    for number, (units, coders, codes) in enumerate(itertools.product(UNITS, CODERS, CODES)):
        chance = np.random.default_rng([20, number])
        found = covered(units, coders, CODES[codes], runs, confidence, chance)
        print(
            f"{units:>5}  {coders:>6}  {codes:<11}  {found.interval:>8.1%}  {found.lower:>11.1%}"
            f"  {found.width:>12.3f}  {found.undefined:>11.1%}"
        )
        if units >= 100:
            large.append(found.interval)
    mean = float(np.mean(large))
    met = "met" if GOAL[0] <= mean <= GOAL[1] else "missed"
    print(f"mean at 100 units and more: {mean:.1%} (goal {GOAL[0]:.0%}-{GOAL[1]:.0%}: {met})")
    print(f"scenarios at 100 units and more: {min(large):.1%} to {max(large):.1%}")


def covered(
    units: int,
    coders: int,
    shares: tuple[float, ...],
    runs: int,
    confidence: float,
    chance: np.random.Generator,
) -> Covered:
    """One scenario, with all its samples drawn at once."""
    q, domain = len(shares), [str(code) for code in range(len(shares))]
    truth = chance.choice(q, p=shares, size=(runs, 1, units))
    guesses = chance.choice(q, p=shares, size=(runs, coders, units))
    knows = chance.random((runs, coders, units)) < math.sqrt(ALPHA)
    samples = np.where(knows, truth, guesses).astype(np.int8)
    bounds = np.empty((runs, 3))
    for run, columns in enumerate(samples):
        panel = column_patterns(columns, q)
        found = jackknife(
            panel.counts, level="nominal", domain=domain, times=panel.times, confidence=confidence
        )
        bounds[run] = found.low, found.high, found.lower_one_sided
    low, high, lower = bounds[~np.isnan(bounds[:, 0])].T
    return Covered(
        interval=float(np.mean((low <= ALPHA) & (high >= ALPHA))),
        lower=float(np.mean(lower <= ALPHA)),
        width=float(np.median(high - low)),
        undefined=1 - low.size / runs,
    )


if __name__ == "__main__":
    main()
