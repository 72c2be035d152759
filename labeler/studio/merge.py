"""Annotations as they are known, and as the server has them: what is stored of both.

Two pulls may read at the same time, and the slower one may write last. It never replaces a row by
an older state of the server, and says of nothing that it is gone or there again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from labeler.store.tables import ANNOTATIONS, frame, records
from labeler.studio import copies


def merged(known: pd.DataFrame, there: pd.DataFrame, *, overtaken: bool) -> pd.DataFrame:
    """ANNOTATIONS rows of some tasks of a seat, of those `known` and those at the server, `there`.

    What is known and not there is withdrawn. `overtaken`: somebody else stored annotations since
    the reading of `there` began, so that what is not there may have come since, and what is there
    may have gone.
    """
    before = {row["annotation"]: row for row in records(known)}
    now = {row["annotation"]: row for row in records(there)}
    rows: dict[str, dict[str, Any]] = {}
    for name, row in now.items():
        own = before.get(name)
        older = own is not None and row["updated"] < own["updated"]
        rows[name] = own if own is not None and older else {**row, "copy_of": _copy_of(own)}
    missing = {name: row for name, row in before.items() if name not in now}
    for name, row in missing.items():
        rows[name] = row if overtaken else {**row, "withdrawn": 1}
    gone = {name for name in missing if rows[name]["withdrawn"] == 1}
    found = copies.marked(rows.values(), earlier=before, gone=gone)
    if overtaken:
        for row in found:
            own = before.get(row["annotation"])
            if own is not None and own["updated"] >= row["updated"]:
                row["withdrawn"] = max(row["withdrawn"], own["withdrawn"])
    return frame(ANNOTATIONS, found)


def _copy_of(known: Mapping[str, Any] | None) -> str:
    return str(known["copy_of"]) if known is not None else ""
