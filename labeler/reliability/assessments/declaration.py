"""What a module of this folder declares of its assessment, and what assessments are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from labeler import declarations
from labeler.codebook.codebook import Codebook
from labeler.reliability import assessments
from labeler.reliability.assessments.confidence_targets import ConfidenceTarget, confidence_targets
from labeler.reliability.assessments.sentences import by_verdict
from labeler.reliability.confidence import Kind

if TYPE_CHECKING:
    from sqlalchemy import Table


@dataclass(frozen=True, kw_only=True)
class AssessmentInput:
    """A batch's codings, beside those of the model that made the suggestions.

    `people`: variable → columns unit, coder, arm, value of the humans who were asked, in whatever
    arm (None: the variable did not apply). `model_values`: variable → columns unit, value of the
    suggester, of the batch's units; `model_frame`: of every unit that it coded, where its
    confidence is known.
    `annotations`: ANNOTATIONS rows that count, without their results. `confidence`: the
    suggester's CONFIDENCE rows. `drawn`: columns unit, unit_probability of the blind units.
    `authors`: unit → author, where known. `history`: for each batch of this
    suggester and codebook, columns `drift.HISTORY` and unit_probability. `stored`: a table → its
    rows that are about this batch, or about the batch's units under its codebook. `seed`: whatever
    is drawn at random is drawn by it.
    """

    batch: str
    codebook: Codebook
    suggester: str
    people: Mapping[str, pd.DataFrame]
    model_values: Mapping[str, pd.DataFrame]
    model_frame: Mapping[str, pd.DataFrame]
    annotations: pd.DataFrame
    confidence: pd.DataFrame
    drawn: pd.DataFrame
    authors: Mapping[str, str]
    history: pd.DataFrame
    stored: Callable[[Table], pd.DataFrame]
    seed: int

    @cached_property
    def confidence_targets(self) -> Mapping[Kind, Sequence[ConfidenceTarget]]:
        """How sure the model was and whether a blind human agreed; see `confidence_targets`."""
        return confidence_targets(
            by_variable(self.people),
            by_variable(self.model_frame),
            self.confidence,
            self.codebook,
            seed=self.seed,
            drawn=self.drawn,
        )


class Assessment(NamedTuple):
    """One assessment, as the constant ASSESSMENT of its module.

    `name` is what the column `assessment` holds; `title` heads a section; `meaning` tells in a
    sentence what it is about. `headlines` are the measures that carry its verdict, the most
    telling first. `rows` computes its ASSESSMENTS rows; batch, codebook and assessment are filled
    in. It is called for batches with a suggester alone, unless `needs_model` is False.
    `sentences` puts the rows of the headlines into words, one sentence for each.
    """

    name: str
    title: str
    meaning: str
    headlines: tuple[str, ...]
    rows: Callable[[AssessmentInput], pd.DataFrame]
    sentences: Callable[[pd.DataFrame], Iterable[str]] = by_verdict
    needs_model: bool = True


def declared() -> list[Assessment]:
    """The assessments of this folder, in the order of its modules' names."""
    return declarations.declared(assessments, "ASSESSMENT", Assessment)


def by_variable(values: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The frames of all variables below each other, with a column variable."""
    parts = [own.assign(variable=name) for name, own in values.items()]
    return pd.concat(parts) if parts else pd.DataFrame(columns=["variable", "unit", "value"])
