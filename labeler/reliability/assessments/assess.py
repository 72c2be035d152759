"""Codings of a batch → what each assessment of this folder tells of it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from labeler.coding.batch import BatchCodings
from labeler.coding.stream import Stream
from labeler.coding.vocabulary import BLIND
from labeler.reliability.assessments.declaration import AssessmentInput, declared
from labeler.store import tables
from labeler.store.sample_names import members

if TYPE_CHECKING:
    from sqlalchemy import Table

SEED = 1  # of the permutations, of the coder whom calibration takes, of what drift leaves out


def assess(
    batch: BatchCodings,
    stream: Stream,
    batches: pd.DataFrame,
    *,
    stored: Callable[[Table], pd.DataFrame],
) -> pd.DataFrame:
    """ASSESSMENTS rows of a batch, of whatever this folder declares.

    `stream`: all batches of its suggester and codebook; `batches`: their BATCHES rows. `stored`: a
    table → its rows that are about this batch, or about the batch's units. An assessment whose
    ground is absent says so in its rows, or has none.
    """
    wanted = [one for one in declared() if batch.suggester or not one.needs_model]
    if not wanted or batch.coded.empty:
        return tables.frame(tables.ASSESSMENTS)
    given = AssessmentInput(
        batch=batch.batch,
        codebook=batch.codebook,
        suggester=batch.suggester,
        people=batch.people,
        model_values=batch.suggested,
        model_frame=stream.suggested,
        annotations=batch.annotations,
        confidence=stream.confidence,
        drawn=drawn(batch.tasks),
        authors={unit: author for unit, author in batch.authors.items() if author},
        history=_history(batch, stream, batches),
        stored=stored,
        seed=SEED,
    )
    same = {"batch": given.batch, "codebook": given.codebook.fingerprint}
    rows = [
        row._asdict()
        for one in wanted
        for row in tables.rows(one.rows(given).assign(**same, assessment=one.name))
    ]
    return tables.frame(tables.ASSESSMENTS, rows)


def drawn(tasks: pd.DataFrame) -> pd.DataFrame:
    """unit, unit_probability of the blind units."""
    blind = tasks[tasks["arm"] == BLIND]
    return blind[["unit", "unit_probability"]].drop_duplicates("unit")


def _history(batch: BatchCodings, stream: Stream, batches: pd.DataFrame) -> pd.DataFrame:
    """Whether the model's value is that of a blind human, in all batches up to the newest judged.

    Each with the probabilities of its own draw: batches are compared in order, never pooled.
    """
    found = stream.agreement(seed=SEED).merge(stream.probabilities, on=["batch", "unit"])
    newest = batches.loc[batches["batch"].isin(members(batch.batch)), "created"].max()
    up_to = batches.loc[batches["created"] <= newest, ["batch", "created"]]
    found = found.merge(up_to, on="batch")
    return found.assign(model=batch.suggester, codebook=batch.codebook.fingerprint)
