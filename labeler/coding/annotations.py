"""Which of the stored annotations count."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd


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
