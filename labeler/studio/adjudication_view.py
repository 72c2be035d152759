"""What the adjudication arm of a batch shows: the codes there are, without names."""

from __future__ import annotations

import pandas as pd

from labeler.coding.vocabulary import ADJUDICATION, BLIND
from labeler.sampling import adjudication
from labeler.store import database, tables
from labeler.study.study import Study, coded


def shown_codes(study: Study, row: pd.Series[str], tasks: pd.DataFrame) -> dict[str, str]:
    """Unit → what an adjudicator of the batch (its BATCHES row) sees of the codes that there are.

    Blind codes and the suggester's; assisted ones would give the model a second voice.
    """
    units = sorted(set(tasks.loc[tasks["arm"] == ADJUDICATION, "unit"]))
    who = coded(study, str(row["batch"]))
    who = who[who["unit"].isin(units) & who["arm"].isin((BLIND, ""))]
    which: dict[str, object] = {"codebook": row["codebook"], "unit": units, "replicate": 1}
    return adjudication.given(
        database.read(study.engine, tables.CODINGS, **which),
        database.read(study.engine, tables.SEGMENTS, **which),
        who,
        study.codebook,
        secret=study.project.secret(),
    )
