"""Which of the stored annotations count, and why an answered task has no coding that does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

Reason = Literal["skipped", "seen before", "nothing suggested"]
SKIPPED: Reason = "skipped"  # the coder passed over the task
SEEN: Reason = "seen before"  # coded blind after the text had been in view with codes
BARE: Reason = "nothing suggested"  # coded in the assisted arm, where no suggestion was in view

TASK = ["unit", "coder", "arm"]
LEFT_OUT = ["batch", *TASK, "why"]


class AnsweredTasks(NamedTuple):
    """`coded`: the ANNOTATIONS that count, one a task. `left_out` (LEFT_OUT): the tasks that were
    answered and have none, with the Reason."""

    coded: pd.DataFrame
    left_out: pd.DataFrame


def from_own_account(email: str, account: str) -> bool:
    """Whether an annotation was given by the account of its seat's coder, where both are known."""
    return not email or not account or email.lower() == account.lower()


def newest(annotations: pd.DataFrame, emails: Mapping[str, str]) -> pd.DataFrame:
    """The newest ANNOTATIONS of each seat's coder for a unit, skips among them.

    What is withdrawn or was given by another account than the coder's does not count. `emails`
    maps a coder to the address of its account; a coder without one is not checked.
    """
    whose = zip(annotations["coder"].tolist(), annotations["completed_by"].tolist(), strict=True)
    mine = np.array(
        [from_own_account(emails.get(coder, ""), account) for coder, account in whose], bool
    )
    return (
        annotations[mine & (annotations["withdrawn"] != 1)]
        .sort_values(["updated", "created", "annotation"])
        .drop_duplicates(["coder", "arm", "unit"], keep="last")
    )


def answered(annotations: pd.DataFrame, emails: Mapping[str, str]) -> AnsweredTasks:
    """What became of the tasks of some ANNOTATIONS with the column why ('': they may count).

    Of those that may count the newest is the coding of its task, unless it is a skip. A task that
    has none is left out: for what kept another annotation from counting, else as skipped.
    """
    may = annotations["why"] == ""
    kept, others = (newest(annotations[rows], emails) for rows in (may, ~may))
    coded = kept[kept["cancelled"] != 1]
    given = others[others["cancelled"] != 1]
    skips = pd.concat([rows[rows["cancelled"] == 1] for rows in (kept, others)])
    left = pd.concat([given, skips.assign(why=SKIPPED)])[LEFT_OUT].drop_duplicates(TASK)
    there = pd.MultiIndex.from_frame(left[TASK]).isin(pd.MultiIndex.from_frame(coded[TASK]))
    return AnsweredTasks(
        coded.drop(columns="why").reset_index(drop=True), left[~there].reset_index(drop=True)
    )
