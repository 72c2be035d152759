"""Do corrected estimates hold what they say? A population whose truth is known, coded many times.

    python benchmarks/estimates.py [--runs 500]
    python benchmarks/estimates.py --sizes

20,000 posts by some 8,000 authors carry codes of 2 to 50%, alike within an author. A model finds
them with errors that lean to one side; assisted coders take over half of the suggestions they
would have contradicted. A run draws a new population from the same stream, draws a sample
from it (equal or enriched by the model's rarest code, in one wave or three), and estimates each
share by every estimator: against the shares of that population (*collection*) and of the stream
(*population*). `--sizes` times a table of 400 cells over three sizes of the frame.
"""

from __future__ import annotations

import argparse
import math
import resource
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from labeler.statistics.estimation.derived import DerivedFigures, intervals, means, ratio
from labeler.statistics.estimation.estimates import Estimates, Target
from labeler.statistics.estimation.estimators import blind_alone, corrected, model_alone
from labeler.statistics.estimation.sample import AssistedPhase, PhaseSample, phase_sample
from labeler.statistics.estimation.two_phase import two_phase

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SIZE = 20_000
SHARES = np.array([0.02, 0.05, 0.1, 0.3, 0.5])
SEES = np.array([0.7, 0.75, 0.8, 0.85, 0.85])  # of the posts with a code, the model finds so many
ADDS = np.array([0.02, 0.04, 0.06, 0.15, 0.25])  # and gives it to so many without
ALIKE = 0.15  # intraclass correlation of an author's posts
AGREES = 0.93  # an assisted coder's own view with that of the blind ones
ADOPTS = 0.5  # of the suggestions that an assisted coder would have contradicted
TARGETS: tuple[Target, ...] = ("collection", "population")


class Draw(NamedTuple):
    """`blind` units, `assisted` ones around them (0: none), in so many waves, enriched or not."""

    blind: int
    assisted: int
    waves: int
    enriched: bool


class Study(NamedTuple):
    """One population: `truth`, `model` and `assisted`, shape (posts, codes), and `author`."""

    truth: Floats
    model: Floats
    assisted: Floats
    author: Ints


DRAWS = {
    "600 equal": Draw(600, 0, 1, False),
    "600 equal, three waves": Draw(600, 0, 3, False),
    "600 enriched": Draw(600, 0, 1, True),
    "600 enriched, three waves": Draw(600, 0, 3, True),
    "2,000 assisted, 500 of them blind": Draw(500, 2000, 1, False),
    "200 equal": Draw(200, 0, 1, False),
}


def population(rng: np.random.Generator) -> Study:
    """A new collection from the stream."""
    sizes = rng.geometric(0.4, SIZE)
    author = np.repeat(np.arange(SIZE), sizes)[:SIZE]
    leaning = (1 - ALIKE) / ALIKE
    own = rng.beta(SHARES * leaning, (1 - SHARES) * leaning, (int(author.max()) + 1, SHARES.size))
    truth = rng.random((SIZE, SHARES.size)) < own[author]
    model = rng.random(truth.shape) < np.where(truth, SEES, ADDS)
    view = np.where(rng.random(truth.shape) < AGREES, truth, ~truth)
    taken = rng.random(truth.shape) < ADOPTS
    assisted = np.where((view != model) & taken, model, view)
    return Study(*(part.astype(float) for part in (truth, model, assisted)), author)


def drawn(study: Study, draw: Draw, rng: np.random.Generator) -> PhaseSample:
    """The sample of one run, with the probability of each unit by any of the waves."""
    many = 2 if draw.enriched else 1
    stratum = study.model[:, 0].astype(np.int64) * (many - 1)
    frame = np.bincount(stratum, minlength=many)
    taken = draw.assisted or draw.blind
    missed, rows = np.ones(SIZE), []
    free = np.ones(SIZE, bool)
    for _ in range(draw.waves):
        each = taken // draw.waves // many
        for at in range(many):
            there = np.flatnonzero(free & (stratum == at))
            here = rng.choice(there, min(each, there.size), replace=False)
            missed[stratum == at] *= 1 - here.size / there.size
            free[here] = False
            rows.append(here)
    everybody = np.concatenate(rows)
    chance = 1 - missed
    blind, phase = everybody, None
    if draw.assisted:
        blind = rng.choice(everybody, draw.blind, replace=False)
        phase = AssistedPhase(everybody, study.assisted[everybody], chance[everybody])
        chance = chance * draw.blind / everybody.size
    return phase_sample(
        model=study.model,
        blind_rows=blind,
        blind=study.truth[blind],
        probability=chance[blind],
        stratum=stratum,
        author=study.author,
        drawn=np.bincount(stratum[blind], minlength=frame.size),
        assisted=phase,
    )


class Figure(NamedTuple):
    """Of one estimator in one run: `value`, `low`, `high` and `estimable`, shape (figures,)."""

    value: Floats
    low: Floats
    high: Floats
    estimable: NDArray[np.bool_]


def cells(study: Study) -> Study:
    """The codes' columns, then the joint cell of the two commonest codes."""
    return study._replace(
        **{
            name: np.column_stack([part, part[:, 3] * part[:, 4]])
            for name, part in zip(study._fields[:3], study[:3], strict=True)
        }
    )


def figures(estimates: Estimates) -> DerivedFigures:
    """Six shares of posts, and what share of those with the fifth code have the fourth too."""
    shares = means(estimates, scale="share")
    row = ratio(estimates, np.eye(6)[5], np.eye(6)[4], scale="share")
    joined = (np.concatenate([a, b]) for a, b in zip(shares[:2], row[:2], strict=True))
    value, gradient = joined
    carriers = np.concatenate([shares.carriers, row.carriers])
    reasons = shares.reason + row.reason
    return DerivedFigures(value, gradient, "share", carriers, carriers, reasons)


def figure(estimates: Estimates) -> Figure:
    """What a run keeps. An estimator that is never estimable is judged as if it were."""
    made = figures(estimates)
    always = estimates.unfit == "not corrected"
    if always:
        made = made._replace(reason=("",) * made.value.size)
    own = intervals(estimates, made)
    low, high = (np.array([getattr(one, name) for one in own]) for name in ("low", "high"))
    return Figure(made.value, low, high, np.array([not reason for reason in made.reason]))


def estimated(sample: PhaseSample, target: Target) -> dict[str, Figure]:
    """All estimators of one sample."""
    found = {
        "model alone": model_alone(sample, target=target),
        "blind alone": blind_alone(sample, target=target),
        "corrected": corrected(sample, target=target),
    }
    phase = sample.assisted
    if phase is not None:
        found["two-phase"] = two_phase(sample, target=target)
        mistaken = sample._replace(
            blind_rows=phase.rows, blind=phase.codes, probability=phase.probability, assisted=None
        )
        found["assisted as truth"] = corrected(mistaken, target=target)
    return {name: figure(estimates) for name, estimates in found.items()}


def truth_of(study: Study, target: Target) -> Floats:
    """The seven figures in this collection, or in the stream."""
    if target == "collection":
        shares = study.truth.mean(axis=0)
        return np.append(shares, shares[5] / shares[4])
    joint = SHARES[3] * SHARES[4]
    return np.append(np.append(SHARES, joint), SHARES[3])


NAMES = (*(f"{share:.0%}" for share in SHARES), "joint", "row share")


def report(name: str, draw: Draw, runs: int) -> None:
    """Simulate one draw; a line for each target, estimator and figure."""
    rng = np.random.default_rng(20)
    kept: dict[tuple[Target, str], list[tuple[Figure, Floats]]] = {}
    correlations = []
    for _ in range(runs):
        study = cells(population(rng))
        sample = drawn(study, draw, rng)
        correlations.append(
            [np.corrcoef(study.truth[:, j], study.model[:, j])[0, 1] for j in range(6)]
        )
        for target in TARGETS:
            truth = truth_of(study, target)
            for estimator, one in estimated(sample, target).items():
                kept.setdefault((target, estimator), []).append((one, truth))
    rho = np.mean(correlations, axis=0)
    print(f"\n{name}, {runs} runs; correlations " + " ".join(f"{r:.2f}" for r in rho))
    print(
        "  target      estimator          figure     bias pp   SD pp  cover  estimable "
        " width pp  times"
    )
    for (target, estimator), outcomes in kept.items():
        alone = _errors(kept[target, "blind alone"]).var(axis=0)
        _print(target, estimator, outcomes, alone)


def _errors(outcomes: list[tuple[Figure, Floats]]) -> Floats:
    return np.array([one.value - truth for one, truth in outcomes])


def _print(
    target: Target, estimator: str, outcomes: list[tuple[Figure, Floats]], alone: Floats
) -> None:
    errors = _errors(outcomes)
    usable = np.array([one.estimable for one, _ in outcomes])
    held = np.array([(one.low <= truth) & (truth <= one.high) for one, truth in outcomes])
    width = np.array([one.high - one.low for one, _ in outcomes])
    for place, name in enumerate(NAMES):
        own = usable[:, place]
        times = alone[place] / errors[:, place].var()
        cover = held[own, place].mean() if own.any() else math.nan
        wide = width[own, place].mean() if own.any() else math.nan
        print(
            f"  {target:<11} {estimator:<18} {name:<9} {100 * errors[:, place].mean():8.2f} "
            f"{100 * errors[:, place].std():7.2f} {100 * cover:6.1f} {own.mean():10.2f} "
            f"{100 * wide:9.2f} {times:6.2f}"
        )


def sizes() -> None:
    """A table of 400 cells, 3,000 blind units, both targets, over three sizes of the frame."""
    rng = np.random.default_rng(1)
    print("  units      corrected, collection   corrected, population   memory at most")
    for size in (10_000, 100_000, 1_000_000):
        many = 3 * size
        places = (rng.integers(0, size, many), rng.integers(0, 400, many))
        model = sparse.csr_array((np.ones(many), places), shape=(size, 400))
        rows = rng.choice(size, 3000, replace=False)
        truth = model[rows].toarray()
        truth[rng.random(truth.shape) < 0.001] += 1
        author = rng.integers(0, size // 2, size)
        sample = phase_sample(model=model, blind_rows=rows, blind=truth, author=author)
        seconds = []
        for target in TARGETS:
            start = time.process_time()
            intervals(made := corrected(sample, target=target), means(made, scale="count"))
            seconds.append(time.process_time() - start)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"  {size:>9,} {seconds[0]:>20.2f} s {seconds[1]:>20.2f} s {most:>13.0f} MB")


def main() -> None:
    """All draws, or one whose name holds the words given, or the sizes."""
    parser = argparse.ArgumentParser(description="Corrected estimates against known truth.")
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--draw", default="")
    parser.add_argument("--sizes", action="store_true")
    given = parser.parse_args()
    if given.sizes:
        sizes()
        return
    for name, draw in DRAWS.items():
        if given.draw in name:
            report(name, draw, given.runs)


if __name__ == "__main__":
    main()
