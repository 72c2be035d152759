"""How often the claims about anchoring are wrong, by simulation with known truth. All is made up.

    python benchmarks/anchoring.py                (200 studies a line, some two minutes)
    python benchmarks/anchoring.py --studies 2000

A study has units of different difficulty, coders of different skill, one assisted and two blind
codings a unit by different coders. Whoever sees the suggestion adopts it, instead of an own code,
with a given probability; the true inflation D is that probability times the mean chance to
disagree. Printed are, in per cent of the studies:

    naive      two-proportion z test that takes codings for independent, p <= .05
    clustered  t with the largest of the variances by unit, by coder and by both, p <= .05
    random     the randomisation test that labeler decides on, p <= .05
    cover      true D inside the 95% interval
    further    true D inside the interval for further coders
    TOST       "equivalent within the bound" is claimed

Without adoption the first three are false alarms (5 is right); with D at the bound TOST is (at most
5 is right). Design effect: the variance of the naive difference over studies, in multiples of what
the z test takes it for.
"""

from __future__ import annotations

import argparse
import math
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from labeler.statistics.experiment import anchoring, randomisation
from labeler.statistics.experiment import arms as armed

BOUND = 0.05
DRAWS = 999


class Scenario(NamedTuple):
    """A kind of study: `arms` of codings within units, between units, or between coders."""

    name: str
    units: int
    coders: int
    inflation: float  # true D
    skill: float = 0.5  # standard deviation over coders, on the logit scale
    arms: str = "within"
    uneven: float = 0.0  # how far coders differ in adopting: sd of the log of its probability


SCENARIOS = (
    Scenario("no anchoring, 4 coders", 100, 4, 0.0),
    Scenario("no anchoring, coders differ much", 100, 4, 0.0, skill=1.5),
    Scenario("no anchoring, 12 coders", 100, 12, 0.0),
    Scenario("no anchoring, arms between units", 100, 4, 0.0, arms="units"),
    Scenario("no anchoring, arms between coders", 100, 4, 0.0, arms="coders"),
    Scenario("no anchoring, many units", 1000, 4, 0.0),
    Scenario("anchored, 4 coders", 100, 4, 0.10),
    Scenario("anchored, coders differ much", 100, 4, 0.10, skill=1.5),
    Scenario("anchored unevenly, 4 coders", 300, 4, 0.10, uneven=0.7),
    Scenario("anchored unevenly, 12 coders", 300, 12, 0.10, uneven=0.7),
    Scenario("D at the bound, 4 coders", 1000, 4, BOUND),
    Scenario("D at the bound, 12 coders", 1000, 12, BOUND),
)


class Study(NamedTuple):
    """One made-up study: its codings, whether each agrees with the suggestion, and the true D."""

    unit: np.ndarray
    coder: np.ndarray
    assisted: np.ndarray
    agree: np.ndarray
    truth: float


class Outcome(NamedTuple):
    """What was claimed of one study, and the z test's variance."""

    naive: bool
    clustered: bool
    random: bool
    cover: bool
    further: bool
    equivalent: bool
    difference: float
    variance: float


def main() -> None:
    """Read the options, simulate, print a line a scenario."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=200)
    studies = parser.parse_args().studies
    heads = ("naive", "clustered", "random", "cover", "further", "TOST", "design effect")
    print(f"{studies} studies a line, bound ±{BOUND:g}; % of studies")
    print(f"{'':36}{'D':>6}" + "".join(f"{head:>11}" for head in heads[:-1]) + f"{heads[-1]:>15}")
    for scenario in SCENARIOS:
        found = [outcome(drawn(scenario, seed), seed) for seed in range(studies)]
        shares = np.mean([row[:6] for row in found], axis=0)
        effect = np.var([row.difference for row in found]) / np.mean(
            [row.variance for row in found]
        )
        numbers = "".join(f"{100 * share:11.1f}" for share in shares)
        print(f"{scenario.name:36}{scenario.inflation:6.2f}{numbers}{effect:15.2f}")


def drawn(scenario: Scenario, seed: int) -> Study:
    """A study of this kind."""
    chance = np.random.default_rng([seed, scenario.units, scenario.coders])
    n, seats = scenario.units, 3
    skill = chance.normal(0, scenario.skill, scenario.coders)
    uneven = np.exp(chance.normal(0, scenario.uneven, scenario.coders))
    hard = chance.normal(1.2, 1, n)
    order = np.argsort(chance.random((n, scenario.coders)), axis=1)
    assisted = np.tile([True, False, False], (n, 1))
    if scenario.arms == "coders":
        half = chance.permutation(np.arange(scenario.coders) < scenario.coders // 2)
        blind = _two(chance, np.flatnonzero(~half), n)
        order = np.column_stack([chance.choice(np.flatnonzero(half), n), *blind])
    coder = order[:, :seats]
    kept = np.ones((n, seats), bool)
    if scenario.arms == "units":
        parted = chance.permutation(np.arange(n) < n // 2)
        kept = assisted == parted[:, None]
    agreeing = 1 / (1 + np.exp(-(hard[:, None] + skill[coder])))
    room = (uneven[coder] * (1 - agreeing)).mean()
    adopts = chance.random((n, seats)) < np.minimum(1, scenario.inflation / room * uneven[coder])
    agree = (chance.random((n, seats)) < agreeing) | (assisted & adopts)
    unit = np.repeat(np.arange(n), seats).reshape(n, seats)
    parts = (part[kept] for part in (unit, coder, assisted, agree.astype(float)))
    return Study(*parts, scenario.inflation)


def _two(chance: np.random.Generator, coders: np.ndarray, n: int) -> list[np.ndarray]:
    """Two different coders for each unit."""
    order = np.argsort(chance.random((n, coders.size)), axis=1)
    return [coders[order[:, 0]], coders[order[:, 1]]]


def outcome(study: Study, seed: int) -> Outcome:
    """What each method claims of a study."""
    agree, seen = study.agree, study.assisted
    arms = armed.arms(study.unit, study.coder, seen)
    ways = randomisation.ways(agree[:, None], arms.design, draws=DRAWS, seed=seed)
    own = armed.effect(agree, ways, 0, arms, bound=BOUND)
    further = anchoring.for_further_coders(agree, arms)
    difference = agree[seen].mean() - agree[~seen].mean()
    variance = agree.mean() * (1 - agree.mean()) * (1 / seen.sum() + 1 / (~seen).sum())
    naive = 2 * ndtr(-abs(difference) / math.sqrt(variance)) <= 0.05
    return Outcome(
        bool(naive),
        further.p <= 0.05,
        own.p <= 0.05,
        own.interval.low <= study.truth <= own.interval.high,
        further.interval.low <= study.truth <= further.interval.high,
        own.p_equivalence <= 0.05,
        difference,
        variance,
    )


if __name__ == "__main__":
    main()
