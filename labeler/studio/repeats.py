"""Units that come back to their coder: which of them are to wait."""

from __future__ import annotations

import json

import pandas as pd

from labeler.coding.read import standing
from labeler.coding.vocabulary import BLIND, REPEAT
from labeler.study.study import Study


def waiting(study: Study, row: pd.Series[str], tasks: pd.DataFrame) -> pd.Series[bool]:
    """Which of a batch's `tasks` (row: that of BATCHES) must not be pushed yet.

    A repeat waits until its coder has coded its unit blind and then, in this batch, as many other
    tasks as the design says. What is in Label Studio already does not wait.
    """
    unpushed = (tasks["arm"] == REPEAT) & tasks["studio_task"].isna()
    if not unpushed.any():
        return unpushed
    after = int(json.loads(row["design"])["after"])
    notes = standing(study.engine, batch=str(row["batch"]))
    first = notes[notes["arm"] == BLIND].set_index(["coder", "unit"])["created"]
    made = {str(coder): sorted(own["created"]) for coder, own in notes.groupby("coder")}
    wait = []
    for coder, unit in zip(tasks["coder"], tasks["unit"], strict=True):
        since = first.get((coder, unit))
        others = sum(time > since for time in made[coder]) if since is not None else -1
        wait.append(others < after)
    return unpushed & pd.Series(wait, index=tasks.index)
