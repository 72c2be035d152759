"""Which of the stored annotations count."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd


def newest(annotations: pd.DataFrame, emails: Mapping[str, str]) -> pd.DataFrame:
    """The newest ANNOTATIONS of each seat's coder for a unit, skips among them.

    What is withdrawn or was given by another account than the coder's does not count. `emails`
    maps a coder to the address of its account; a coder without one is not checked.
    """
    email = annotations["coder"].map(lambda coder: emails.get(coder, "").lower())
    given = annotations["completed_by"].str.lower()
    own = (email == given) | (email == "") | (given == "")
    return (
        annotations[own & (annotations["withdrawn"] != 1)]
        .sort_values(["updated", "created", "annotation"])
        .drop_duplicates(["coder", "arm", "unit"], keep="last")
    )
