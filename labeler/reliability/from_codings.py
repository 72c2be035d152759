"""What follows from a batch's codings alone, asked by the command and by a check of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from labeler.codebook.codebook import Gate
from labeler.coding.batch import BatchCodings
from labeler.coding.consensus import consensus
from labeler.reliability import coefficients
from labeler.reliability.disagreements import disagreements
from labeler.reliability.gate import Family, tested, verdicts, with_verdicts
from labeler.reliability.looks import Compared, Look, looks


class FromCodings(NamedTuple):
    """Result tables of a batch, but for what needs texts, other batches or the store.

    `reliability`: RELIABILITY rows with verdicts, those about segments left out; `verdicts`,
    `consensus`, `disagreements` and `comparisons`: rows of these tables; `tested` and `looks`: what
    the gate was asked, and which look each comparison and variable is.
    """

    reliability: pd.DataFrame
    verdicts: pd.DataFrame
    consensus: pd.DataFrame
    disagreements: pd.DataFrame
    comparisons: pd.DataFrame
    tested: pd.DataFrame
    looks: Mapping[Compared, Look]


def from_codings(
    coded: BatchCodings,
    before: pd.DataFrame,
    *,
    gate: Gate | None = None,
    family: Family = "all",
    run: str,
) -> FromCodings:
    """Coefficients, verdicts, consensus and disagreements of a batch.

    `coded` holds codings, tasks, authors (posts) and `left_out`; `before`: LOOKS rows of its
    codebook and suggester. `gate` replaces the codebook's thresholds.
    """
    sampling = coefficients.BatchSampling(coded.tasks, coded.authors, coded.tables["left_out"])
    found = coefficients.reliability(coded, drawn=sampling, gate=gate)
    asked = tested(found.rows, found.basis)
    own = looks(asked, before)
    ruled = verdicts(found.rows, found.basis, family=family, run=run, looks=own)
    kept = consensus(coded.blind, coded.codebook, batch=coded.batch)
    differing = disagreements(coded, kept)
    return FromCodings(
        with_verdicts(found.rows, ruled),
        ruled,
        kept,
        differing.rows,
        differing.comparisons,
        asked,
        own,
    )
