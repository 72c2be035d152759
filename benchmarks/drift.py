"""How often a watch over agreement cries wolf, and how soon it sees a fall: a simulation.

    python benchmarks/drift.py [--runs 2000]

Agreement was .85 when the model was validated; since then 40 batches of 50 blind units come in.
Three watches look at them, each meant to raise a false alarm in 5% of all studies:

    e-process    labeler's: looks after every unit, may stop at any
    Bonferroni   an exact binomial test of each batch at .05/40
    uncorrected  the same at .05: what a dashboard with a red light for each batch does

Printed: the share of runs with an alarm when nothing changed (.85), and when agreement is .78 or
.72 from the first unit on; with the median number of units up to the alarm, among the runs that
have one. A last block takes the reference from a first batch of 200 units, as labeler does where
none is stated: its lower bound, and an alarm at twice the height.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.special import bdtr

from labeler.statistics.experiment import drift

P0, ALPHA = 0.85, 0.05
BATCHES, SIZE, FIRST = 40, 50, 200


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    runs = parser.parse_args().runs
    print(f"{BATCHES} batches of {SIZE} units, reference {P0}, alpha {ALPHA}, {runs} runs")
    print(f"{'agreement':<12}{'watch':<14}{'alarms':>8}{'median units to alarm':>24}")
    for true in (0.85, 0.78, 0.72):
        chance = np.random.default_rng(20)
        streams = chance.random((runs, BATCHES * SIZE)) < true
        shown("e-process", true, [watched(stream, P0, ALPHA) for stream in streams])
        for name, level in (("Bonferroni", ALPHA / BATCHES), ("uncorrected", ALPHA)):
            shown(name, true, [by_batch(stream, level) for stream in streams])
    print(f"\nreference from a first batch of {FIRST} units at agreement {P0}")
    for true in (0.85, 0.78, 0.72, 0.65):
        chance = np.random.default_rng(21)
        agreed = chance.binomial(FIRST, P0, runs)
        streams = chance.random((runs, BATCHES * SIZE)) < true
        least = [drift.least_agreement(int(k), FIRST, alpha=ALPHA / 2) for k in agreed]
        pairs = zip(streams, least, strict=True)
        shown("e-process", true, [watched(stream, p0, ALPHA / 2) for stream, p0 in pairs])


def watched(stream: np.ndarray, p0: float, alpha: float) -> int:
    """Units up to the alarm of the e-process; 0: none."""
    return drift.e_process(stream, p0, alpha=alpha).alarm


def by_batch(stream: np.ndarray, level: float) -> int:
    """Units up to the first batch whose lower binomial tail is below `level`; 0: none."""
    agreed = stream.reshape(BATCHES, SIZE).sum(axis=1)
    low = np.flatnonzero(bdtr(agreed, SIZE, P0) <= level)
    return (int(low[0]) + 1) * SIZE if low.size else 0


def shown(name: str, true: float, alarms: list[int]) -> None:
    """A line: how many runs had an alarm, and when."""
    when = np.array(alarms)
    told = f"{np.median(when[when > 0]):.0f}" if when.any() else "-"
    print(f"{true:<12}{name:<14}{(when > 0).mean():>8.1%}{told:>24}")


if __name__ == "__main__":
    main()
