"""Units → batches and tasks, with the probability of each draw.

Order comes from a hash of seed and unit: the same frame and seed draw the same units, and posts
that come in later disturb little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from labeler import tables
from labeler.errors import InputError
from labeler.keys import canonical, key


class Design(NamedTuple):
    """How a batch is drawn: `blind` units for `overlap` coders each, `assisted` units for one.

    No unit is in both arms, so nobody codes blind what they saw with a suggestion.
    """

    blind: int
    assisted: int
    overlap: int
    coders: tuple[str, ...]
    seed: int


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
) -> Draw:
    """Draw a batch from `units` (the frame: each could have been drawn), without replacement.

    A unit's probability is that of being drawn into its arm (simple random: size / frame); a
    task's is that times the chance that this coder got the unit (coders a unit /
    coders). Raises InputError where the design asks for more than there is.
    """
    _check(units, design, suggester)
    ordered = sorted(set(units), key=lambda unit: key({"seed": design.seed, "unit": unit}))
    arms = (
        ("blind", ordered[: design.blind], design.overlap),
        ("assisted", ordered[design.blind : design.blind + design.assisted], 1),
    )
    rows = []
    for arm, drawn, coders_a_unit in arms:
        probability = len(drawn) / len(ordered)
        for unit, coders in _assigned(drawn, design, coders_a_unit):
            rows += [
                {
                    "batch": batch,
                    "arm": arm,
                    "coder": coder,
                    "unit": unit,
                    "unit_probability": probability,
                    "task_probability": probability * coders_a_unit / len(design.coders),
                }
                for coder in coders
            ]
    tasks = _positioned(rows, design.seed)
    seats = tasks[["batch", "arm", "coder"]].drop_duplicates()
    described = canonical({**design._asdict(), "frame": len(ordered), "drawing": "simple random"})
    row = {"batch": batch, "codebook": codebook, "suggester": suggester, "created": created}
    return Draw(
        tables.frame(tables.BATCHES, [{**row, "design": described}]),
        tables.frame(tables.SEATS, seats),
        tasks,
    )


def _check(units: Sequence[str], design: Design, suggester: str) -> None:
    if design.blind < 0 or design.assisted < 0 or design.blind + design.assisted == 0:
        raise InputError("sample: --blind and --assisted ask for no unit; give a size")
    wanted, there = design.blind + design.assisted, len(set(units))
    if wanted > there:
        raise InputError(
            f"sample: the design asks for {wanted} units, but {there} are free to draw (pre-"
            "labelled and in no earlier batch); make --blind or --assisted smaller, or ingest more"
        )
    if len(set(design.coders)) != len(design.coders) or not design.coders:
        raise InputError("sample: --coders needs different names, one or more")
    if not 1 <= design.overlap <= len(design.coders):
        raise InputError(
            f"sample: --overlap {design.overlap} does not fit {len(design.coders)} coders"
        )
    if design.assisted and not suggester:
        raise InputError("sample: the assisted arm needs suggestions; run `labeler prelabel`")


def _assigned(
    drawn: Sequence[str], design: Design, coders_a_unit: int
) -> Iterator[tuple[str, list[str]]]:
    """Each unit with its coders: those with the least so far, among equals by a hash of the unit.

    Loads differ by one at most, and which coders meet on a unit is left to chance.
    """
    load = dict.fromkeys(design.coders, 0)
    for unit in drawn:
        turns = {
            coder: (load[coder], key({"seed": design.seed, "unit": unit, "coder": coder}))
            for coder in design.coders
        }
        chosen = sorted(turns, key=turns.__getitem__)[:coders_a_unit]
        for coder in chosen:
            load[coder] += 1
        yield unit, chosen


def _positioned(rows: list[dict[str, object]], seed: int) -> pd.DataFrame:
    """Tasks with their place at the seat, in an order that differs from coder to coder."""
    tasks = pd.DataFrame(rows)
    tasks["order"] = [
        key({"seed": seed, "coder": coder, "unit": unit, "for": "position"})
        for coder, unit in zip(tasks["coder"], tasks["unit"], strict=True)
    ]
    tasks = tasks.sort_values(["arm", "coder", "order"]).drop(columns="order")
    tasks["position"] = tasks.groupby(["arm", "coder"]).cumcount() + 1
    return tables.frame(tables.TASKS, tasks)
