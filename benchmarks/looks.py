"""How often a gate that is asked after every batch passes though alpha lies at its threshold.

    python benchmarks/coverage.py --looks [--runs 2000]

Units are coded as in `coverage` and `unequal`, at a true alpha that is the threshold. Batch after
batch joins the study sample, ten in all, and the gate is asked of all units so far: once with the
level that a look has (`level_of_look`) and once with 5% each time. Undefined looks (fewer than ten
units with the rarer code) pass nothing and are not counted, as in the gate.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from unequal import COMMON, RARE_10, THRESHOLD, Design, possible, strata

from labeler.statistics.agreement.intervals import jackknife
from labeler.statistics.agreement.looks import level_of_look
from labeler.statistics.agreement.threshold import bound_at
from labeler.statistics.interval import RARE

LOOKS = 10
HALF = (0.5, 0.5)
DESIGNS = {
    "two balanced codes, 50 units a batch": Design(HALF, THRESHOLD, (50,), ()),
    "two balanced codes, 200 units a batch": Design(HALF, THRESHOLD, (200,), ()),
    "30% code, 100 units a batch": Design(COMMON, THRESHOLD, (100,), ()),
    "10% code, 100 units a batch": Design(RARE_10, THRESHOLD, (100,), ()),
    "10% code, three coders, 100 a batch": Design(RARE_10, THRESHOLD, (100,), (), 3),
    "10% code, half from the marked, 100": Design(RARE_10, THRESHOLD, (50, 50), (0.9,)),
}


class Passed(NamedTuple):
    """Shares of studies of which some look up to the last one passes, by spending and by 5%."""

    spending: float
    each: float
    first: float


def report(runs: int) -> None:
    """Simulate every design and print a line for each."""
    print(f"the gate asked after each of {LOOKS} batches, true alpha {THRESHOLD}, {runs} studies")
    print(f"{'':<38}{'any look':>10}{'5% each':>10}{'first look':>12}")
    found = []
    for number, (name, design) in enumerate(DESIGNS.items()):
        own = simulated(design, runs, np.random.default_rng([23, number]))
        found.append(own.spending)
        print(f"{name:<38}{own.spending:>10.1%}{own.each:>10.1%}{own.first:>12.1%}")
    met = "met" if max(found) < 0.05 else "missed"
    print(f"most false passes over {LOOKS} looks: {max(found):.1%} (goal: under 5%: {met})")


def simulated(design: Design, runs: int, chance: np.random.Generator) -> Passed:
    """Studies of LOOKS batches; shares of those that pass at some look."""
    passed = np.array([_study(design, chance) for _ in range(runs)])
    spending, each = passed.any(axis=1).mean(axis=0)
    return Passed(float(spending), float(each), float(passed[:, 0, 0].mean()))


def _study(design: Design, chance: np.random.Generator) -> NDArray[np.bool_]:
    """Whether each look passes, shape (looks, 2): with the look's level, and with 5%."""
    counts = possible(design.coders, len(design.shares))
    held = strata(design, counts)
    shares, drawn = held.sum(axis=1), np.array(design.drawn)
    weights = np.repeat((shares / drawn) / (shares / drawn).min(), len(counts))
    rows = np.tile(counts, (len(drawn), 1))
    domain = [str(code) for code in range(len(design.shares))]
    times = np.zeros(len(rows), np.int64)
    passed, look = np.zeros((LOOKS, 2), np.bool_), 0
    for batch in range(LOOKS):
        pairs = zip(drawn, held, strict=True)
        times += np.concatenate([chance.multinomial(n, own / own.sum()) for n, own in pairs])
        there = times > 0
        found = jackknife(
            rows[there],
            level="nominal",
            domain=domain,
            times=times[there],
            weights=weights[there] if len(drawn) > 1 else None,
        )
        commonest = int((times @ rows).argmax())
        carrying = int(times[rows.sum(axis=1) > rows[:, commonest]].sum())
        if np.isnan(found.lower_one_sided) or carrying < RARE:
            continue
        look += 1
        bound = bound_at(
            found.value,
            found.lower_one_sided,
            se=found.se,
            degrees=found.n - 1,
            given=0.95,
            wanted=1 - level_of_look(look),
        )
        passed[batch] = bound >= THRESHOLD, found.lower_one_sided >= THRESHOLD
    return passed
