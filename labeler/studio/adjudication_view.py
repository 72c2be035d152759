"""What the adjudication arm of a batch shows: the codes there are, without names; kept as shown."""

from __future__ import annotations

import pandas as pd

from labeler.coding import read
from labeler.coding.read import read_batch
from labeler.coding.vocabulary import ADJUDICATION, BLIND
from labeler.sampling import adjudication
from labeler.store import database, tables
from labeler.study.study import Study, now

SHOWN = {tables.CODINGS: read.CODINGS, tables.SEGMENTS: (*read.SEGMENTS, "quote")}


def shown_codes(study: Study, row: pd.Series[str], tasks: pd.DataFrame) -> dict[str, str]:
    """Unit → what an adjudicator of the batch (its BATCHES row) sees of the codes that there are.

    Blind codes and the suggester's; assisted ones would give the model a second voice. It is noted
    in SHOWN_CODES before it is sent, so that a push that is cut off leaves no task without a note;
    what was not sent then is noted anew, with the codes that there are by that time.
    """
    shown, nothing = _codes(study, row, tasks), adjudication.CodesInView("", ())
    codes = [shown.get(str(unit), nothing) for unit in tasks["unit"]]
    noted = tasks[tables.keys(tables.TASKS)].assign(
        text=[seen.text for seen in codes],
        coders=[",".join(seen.coders) for seen in codes],
        created=now(),
    )
    database.mirror(study.engine, tables.SHOWN_CODES, tables.frame(tables.SHOWN_CODES, noted))
    return {unit: seen.text for unit, seen in shown.items()}


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
