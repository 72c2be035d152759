"""Open tasks of one coder → tasks of another, with what cannot move and why."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

from labeler.coding.vocabulary import BLIND, REPEAT, name_of
from labeler.sampling.exposure import IN_VIEW, NOTHING, UNSEEN, Exposure
from labeler.store import tables

COLUMNS = ["arm", "unit", "why"]


class TaskMoves(NamedTuple):
    """Frames: TASKS rows of the new coder, the old ones that go, and (COLUMNS) those that stay.

    A repeat goes without moving: only the coder who coded the unit first can code it again.
    """

    tasks: pd.DataFrame
    gone: pd.DataFrame
    refused: pd.DataFrame


def reassign(
    open_tasks: pd.DataFrame, theirs: pd.DataFrame, *, to: str, exposure: Exposure = NOTHING
) -> TaskMoves:
    """Move TASKS rows that nobody has coded yet to the coder `to`; probabilities stay.

    `theirs` are all TASKS rows of `to`, in any batch of the codebook: a unit among them is
    refused, since nobody may have it twice, in one arm or two. So is a blind task whose text `to`
    has seen with codes in view, and one with codes in view whose words `to` has, or gets here, or
    still codes in another batch, blind. Places follow those that `to` has at the seat.
    """
    held = dict(zip(theirs["unit"], theirs["arm"], strict=True))
    coder = name_of(to)
    place: dict[tuple[str, str], int] = {}
    for row in tables.rows(theirs):
        seat = (row.batch, row.arm)
        place[seat] = max(place.get(seat, 0), int(row.position))
    blind = {exposure.like(unit) for unit, arm in held.items() if arm in UNSEEN}
    blind |= {
        exposure.like(row.unit)
        for row in tables.rows(open_tasks)
        if row.arm == BLIND and to not in exposure.by(row.unit)
    }
    moved: list[dict[Any, Any]] = []
    gone: list[dict[Any, Any]] = []
    refused: list[dict[str, str]] = []
    for task in open_tasks.sort_values(["arm", "position", "unit"]).to_dict("records"):
        unit, arm = task["unit"], task["arm"]
        if unit in held and arm != REPEAT:
            why = f"{coder} has this unit in the {held[unit]} arm"
            refused.append({"arm": arm, "unit": unit, "why": why})
            continue
        if arm == BLIND and to in exposure.by(unit):
            why = f"{coder} has seen this text with codes in view"
            refused.append({"arm": arm, "unit": unit, "why": why})
            continue
        words = exposure.like(unit)
        if arm in IN_VIEW and (words in blind or to in exposure.open_to(unit)):
            why = f"{coder} codes the same words blind"
            refused.append({"arm": arm, "unit": unit, "why": why})
            continue
        gone.append(task)
        if arm != REPEAT:
            seat = (task["batch"], arm)
            place[seat] = place.get(seat, 0) + 1
            moved.append({**task, "coder": to, "position": place[seat], "studio_task": None})
    return TaskMoves(
        tables.frame(tables.TASKS, moved),
        tables.frame(tables.TASKS, gone),
        pd.DataFrame(refused, columns=COLUMNS, dtype="str"),
    )
