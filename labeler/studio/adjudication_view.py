"""What the adjudication arm of a batch shows: the codes there are, without names, as it is kept."""

from __future__ import annotations

import pandas as pd

from labeler.coding import read
from labeler.coding.read import read_batch
from labeler.coding.vocabulary import ADJUDICATION, BLIND
from labeler.sampling import adjudication
from labeler.store import tables
from labeler.study.study import Study

SHOWN = {tables.CODINGS: read.CODINGS, tables.SEGMENTS: (*read.SEGMENTS, "quote")}


def shown_codes(study: Study, row: pd.Series[str], tasks: pd.DataFrame, *, at: str) -> pd.DataFrame:
    """SHOWN_CODES of adjudication tasks of a batch (its BATCHES row), sent `at` a time.

    In view are the blind codes that there are, and the suggester's; assisted ones would give the
    model a second voice. Where there are none the text is empty.
    """
    shown, nothing = _codes(study, row, tasks), adjudication.CodesInView("", ())
    codes = [shown.get(str(unit), nothing) for unit in tasks["unit"]]
    noted = tasks[tables.keys(tables.TASKS)].assign(
        text=[seen.text for seen in codes],
        coders=[",".join(seen.coders) for seen in codes],
        created=at,
    )
    return tables.frame(tables.SHOWN_CODES, noted)


def _codes(
    study: Study, row: pd.Series[str], tasks: pd.DataFrame
) -> dict[str, adjudication.CodesInView]:
    """Unit → the codes in view, of the tasks of the adjudication arm."""
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
