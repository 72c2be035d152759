"""Units → batches and tasks, with the probability of each draw.

Order comes from a hash of seed and unit: the same frame and seed draw the same units, and posts
that come in later disturb little. Every draw is a stratified simple random sample (`Strata`; one
stratum is the simple one), so that each probability is known exactly.

Two phases. First n units are drawn from the frame: pi1 = n_h / N_h. A nested design shows
suggestions on all of them, and has some of them, drawn simply at random (pi2 = blind / n), coded
blind as well, by other coders. Else the n units are parted, simply at random, into the two arms.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from labeler import hints
from labeler.coding.vocabulary import ASSISTED, BLIND, REPEAT
from labeler.errors import InputError, TableError
from labeler.keys import canonical, key
from labeler.sampling import assignment
from labeler.sampling.exposure import NOTHING, Exposure
from labeler.statistics.estimation.design import allocated
from labeler.store import tables

SUM_TOLERANCE = 1e-6


class Design(NamedTuple):
    """How a batch is drawn: `blind` units for `overlap` coders each, `assisted` units for one.

    `nested`: the blind units are among the assisted ones, coded by others; else no unit is in
    both arms. Either way nobody codes blind what they saw with a suggestion. `drawing` is
    `simple`, `stratified`, `enriched` or `uncertain`, by the variables `by` (or `platform`), the
    last with `floor` as the share of the units that is drawn evenly. `repeat` is the share of a
    coder's blind units that comes back, after `after` others.
    """

    blind: int
    assisted: int
    overlap: int
    coders: tuple[str, ...]
    seed: int
    nested: bool = False
    drawing: str = "simple"
    by: tuple[str, ...] = ()
    allocation: str = "proportional"
    floor: float = 0.2
    repeat: float = 0.0
    after: int = 10

    @property
    def drawn(self) -> int:
        """How many different units the batch holds."""
        return self.assisted if self.nested else self.blind + self.assisted


class Strata(NamedTuple):
    """The stratum of each unit of a frame, and the weight of a unit of each stratum."""

    of: Mapping[str, str]
    weight: Mapping[str, float]


class DrawnUnits(NamedTuple):
    """The frame in order, its strata, each unit's probability of being drawn, and those drawn."""

    frame: list[str]
    strata: Strata
    probability: Mapping[str, float]
    drawn: list[str]


class Draw(NamedTuple):
    """Frames BATCHES, SEATS and TASKS of one draw."""

    batches: pd.DataFrame
    seats: pd.DataFrame
    tasks: pd.DataFrame


def draw(
    units: Sequence[str],
    design: Design,
    *,
    batch: str,
    codebook: str,
    suggester: str,
    created: str,
    strata: Strata | None = None,
    exposure: Exposure = NOTHING,
) -> Draw:
    """Draw a batch from `units` (the frame: each could have been drawn), without replacement.

    Raises InputError where the design asks for more than there is. See `seated`.
    """
    return seated(
        drawn_units(units, design, suggester=suggester, strata=strata),
        design,
        batch=batch,
        codebook=codebook,
        suggester=suggester,
        created=created,
        exposure=exposure,
    )


def drawn_units(
    units: Sequence[str], design: Design, *, suggester: str, strata: Strata | None = None
) -> DrawnUnits:
    """Which units of the frame the batch holds, and with which probabilities.

    Raises InputError where the design asks for more than there is.
    """
    _check(units, design, suggester)
    frame = sorted(set(units))
    layers = strata or Strata(dict.fromkeys(frame, ""), {"": 1.0})
    first = probabilities(frame, design, layers)
    return DrawnUnits(frame, layers, first, _drawn(frame, first, layers, design))


def seated(
    chosen: DrawnUnits,
    design: Design,
    *,
    batch: str,
    codebook: str,
    suggester: str,
    created: str,
    exposure: Exposure = NOTHING,
) -> Draw:
    """Give the units drawn to coders.

    Nobody gets blind what the `exposure` says they have seen with codes in view, nor with codes in
    view what they still code blind, here or in another batch; an assisted unit of which nobody
    else is left has no task.

    A unit's probability is that of being drawn into its arm: in a nested design pi1 for the
    assisted arm and pi1 pi2 for the blind one, else pi1 times the arm's share of the n units. A
    task's is that times the chance that this coder got the unit (coders a unit / coders who may
    get it); a repeat's is its blind task's times the share of the coder's blind units that comes
    back.
    """
    frame, layers, first, drawn = chosen
    blind = drawn[: design.blind]
    assisted = drawn if design.nested else drawn[design.blind :]
    like = {unit: exposure.like(unit) for unit in drawn}
    barred = {unit: exposure.by(unit) & set(design.coders) for unit in drawn}
    seats = assignment.several(
        blind, design.coders, each=design.overlap, seed=design.seed, kept_from=barred, alike=like
    )
    single = _assisted(assisted, seats, exposure, design)
    rows = []
    for arm, held in ((BLIND, seats), (ASSISTED, single)):
        size = len(blind) if arm == BLIND else len(assisted)
        share = 1.0 if arm == ASSISTED and design.nested else size / len(drawn)
        for unit, coders in held.items():
            chance = first[unit] * share
            able = len(design.coders) - (len(barred[unit]) if arm == BLIND else 0)
            rows += [
                {
                    "batch": batch,
                    "arm": arm,
                    "coder": coder,
                    "unit": unit,
                    "stratum": layers.of[unit],
                    "unit_probability": chance,
                    "task_probability": chance * len(coders) / able,
                }
                for coder in coders
            ]
    if not rows:
        raise InputError(
            f"none of the {len(drawn)} units drawn can be given to {', '.join(design.coders)}: "
            "they have seen its words with codes in view, or still have them to code blind",
            hint=hints.OTHER_CODERS,
        )
    tasks = _with_repeats(_positioned(rows, design.seed), design)
    seated = tasks[["batch", "arm", "coder"]].drop_duplicates()
    row = {"batch": batch, "codebook": codebook, "suggester": suggester, "created": created}
    described = _described(frame, drawn, layers, design)
    return Draw(
        tables.frame(tables.BATCHES, [{**row, "design": described}]),
        tables.frame(tables.SEATS, seated),
        tables.frame(tables.TASKS, tasks),
    )


def _assisted(
    units: Sequence[str],
    seats: Mapping[str, Sequence[str]],
    exposure: Exposure,
    design: Design,
) -> dict[str, list[str]]:
    """Each assisted unit with one coder, who codes no unit of the same words blind."""
    blind: dict[str, set[str]] = {}
    for unit, coders in seats.items():
        blind.setdefault(exposure.like(unit), set()).update(coders)
    barred = {
        unit: blind.get(exposure.like(unit), set()) | exposure.open_to(unit) for unit in units
    }
    left = [unit for unit in units if set(design.coders) - barred[unit]]
    given = assignment.one(left, design.coders, seed=design.seed, kept_from=barred)
    return {unit: [given[unit]] for unit in left}


def probabilities(units: Sequence[str], design: Design, strata: Strata) -> dict[str, float]:
    """Unit → pi1, the probability of being among the units of the batch: n_h / N_h.

    They add up to the number of units drawn; TableError where they do not, InputError where
    there are more strata than units to draw.
    """
    sizes = Counter(strata.of[unit] for unit in set(units))
    names = sorted(sizes)
    if len(names) > design.drawn:
        raise InputError(
            f"{len(names)} strata, but {design.drawn} units to draw: each stratum needs one, "
            "or its units could never be drawn",
            hint=hints.FEWER_STRATA,
        )
    weights = [strata.weight[name] for name in names]
    taken = allocated([sizes[name] for name in names], weights, design.drawn)
    share = {name: n / sizes[name] for name, n in zip(names, taken, strict=True)}
    found = {unit: share[strata.of[unit]] for unit in units}
    total = math.fsum(found[unit] for unit in set(units))
    if abs(total - design.drawn) > SUM_TOLERANCE or not all(0 < p <= 1 for p in found.values()):
        raise TableError(
            f"the probabilities of being drawn add up to {total}, not to {design.drawn}: this is a "
            "fault of labeler; please report it"
        )
    return found


def _check(units: Sequence[str], design: Design, suggester: str) -> None:
    if design.blind < 0 or design.assisted < 0 or design.blind + design.assisted == 0:
        raise InputError("the design asks for no unit", hint=hints.ASK_FOR_UNITS)
    if design.nested and not 0 < design.blind <= design.assisted:
        raise InputError(
            "a nested design draws the blind units from the assisted ones: their number "
            f"{design.blind} must lie between 1 and {design.assisted}"
        )
    there = len(set(units))
    if design.drawn > there:
        raise InputError(
            f"the design asks for {design.drawn} units, but {there} are free to draw (pre-labelled "
            "and in no earlier batch)",
            hint=hints.SIZE_OF_BATCH,
        )
    if len(set(design.coders)) != len(design.coders) or not design.coders:
        raise InputError(
            "a batch needs coders of different names, one or more", hint=hints.NAME_CODERS
        )
    if not 1 <= design.overlap <= len(design.coders):
        raise InputError(f"an overlap of {design.overlap} does not fit {len(design.coders)} coders")
    if design.nested and design.overlap == len(design.coders):
        raise InputError(
            f"a nested design with an overlap of {design.overlap} needs {design.overlap + 1} "
            "coders: whoever saw the suggestion of a unit never codes it blind"
        )
    if design.assisted and not suggester:
        raise InputError("the assisted arm needs suggestions", hint=hints.PRELABEL)
    if not 0 <= design.repeat <= 1 or design.after < 0:
        raise InputError("repeats are a share from 0 to 1, after a number of other tasks")


def _drawn(
    frame: Sequence[str], first: Mapping[str, float], strata: Strata, design: Design
) -> list[str]:
    """The units of the batch, in an order that is random given which they are.

    In each stratum the first n_h by hash. With one stratum that order itself is as good as any;
    with several it would favour those that are drawn thinly, and a hash of its own decides.
    """
    left = Counter[str]()
    for unit in frame:
        left[strata.of[unit]] += first[unit]  # type: ignore[assignment]
    room = {name: round(total) for name, total in left.items()}
    drawn = []
    for unit in sorted(frame, key=lambda unit: key({"seed": design.seed, "unit": unit})):
        if room[strata.of[unit]]:
            room[strata.of[unit]] -= 1
            drawn.append(unit)
    if len(room) == 1:
        return drawn
    return sorted(drawn, key=lambda unit: key({"seed": design.seed, "unit": unit, "for": "arm"}))


def _positioned(rows: list[dict[str, object]], seed: int) -> pd.DataFrame:
    """Tasks with their place at the seat, in an order that differs from coder to coder."""
    tasks = pd.DataFrame(rows)
    tasks["order"] = [
        key({"seed": seed, "coder": coder, "unit": unit, "for": "position"})
        for coder, unit in zip(tasks["coder"], tasks["unit"], strict=True)
    ]
    tasks = tasks.sort_values(["arm", "coder", "order"]).drop(columns="order")
    tasks["position"] = tasks.groupby(["arm", "coder"]).cumcount() + 1
    return tasks


def _with_repeats(tasks: pd.DataFrame, design: Design) -> pd.DataFrame:
    """The tasks, and those of the repeat arm: some of a coder's blind units once more.

    They come from the places that have `after` others of the coder's behind them, by a hash, and
    keep their order: places are random, so each of a coder's blind units is as likely as another.
    """
    parts = [tasks]
    blind = tasks[tasks["arm"] == BLIND]
    for coder, own in blind.groupby("coder") if design.repeat else ():
        size = max(1, round(design.repeat * len(own)))
        early = own[own["position"] <= len(own) - design.after]
        if len(early) < size:
            raise InputError(
                f"{coder} has {len(own)} blind units, so {len(early)} can come back after "
                f"{design.after} others, not {size}",
                hint=hints.FEWER_REPEATS,
            )
        turn = [
            key({"seed": design.seed, "unit": u, "coder": coder, "for": "repeat"})
            for u in early["unit"]
        ]
        again = early.assign(turn=turn).sort_values("turn").head(size).sort_values("position")
        again["task_probability"] *= size / len(own)
        parts.append(again.drop(columns="turn").assign(arm=REPEAT, position=range(1, size + 1)))
    return pd.concat(parts, ignore_index=True)


def _described(frame: Sequence[str], drawn: Sequence[str], strata: Strata, design: Design) -> str:
    """The design as it stands in BATCHES: the wishes, the frame, each stratum with N_h and n_h."""
    there = Counter(strata.of[unit] for unit in frame)
    taken = Counter(strata.of[unit] for unit in drawn)
    counted = {name: [there[name], taken[name]] for name in there}
    return canonical({**design._asdict(), "frame": len(frame), "strata": counted})
