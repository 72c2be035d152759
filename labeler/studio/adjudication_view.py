"""What the adjudication arm of a batch shows: the codes there are, without names."""

from __future__ import annotations

import pandas as pd

from labeler.coding import read
from labeler.coding.read import read_batch
from labeler.coding.vocabulary import ADJUDICATION, BLIND
from labeler.sampling import adjudication
from labeler.store import tables
from labeler.study.study import Study

SHOWN = {tables.CODINGS: read.CODINGS, tables.SEGMENTS: (*read.SEGMENTS, "quote")}


def shown_codes(study: Study, row: pd.Series[str], tasks: pd.DataFrame) -> dict[str, str]:
    """Unit → what an adjudicator of the batch (its BATCHES row) sees of the codes that there are.

    Blind codes and the suggester's; assisted ones would give the model a second voice.
    """
    units = set(tasks.loc[tasks["arm"] == ADJUDICATION, "unit"])
    coded = read_batch(study.engine, row, study.codebook, wanted=SHOWN)
    who = coded.coded
    return adjudication.given(
        coded.codings[coded.codings["unit"].isin(units)],
        coded.segments[coded.segments["unit"].isin(units)],
        who[who["unit"].isin(units) & who["arm"].isin((BLIND, ""))],
        study.codebook,
        secret=study.project.secret(),
    )
