"""Which variables a coder was not asked: whoever was not asked gave nothing, not the empty set.

Everybody who says who coded what asks here: coefficients, pages, CSV files and exports.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from labeler.codebook.codebook import Codebook
from labeler.coding.import_rows import HELD
from labeler.coding.vocabulary import says_of_segments


def reads_segments(coder: str) -> bool:
    """Whether a coder is asked of segments; an embedded one reads whole units."""
    return says_of_segments(coder)


def unasked(coder: str, arm: str, *, codebook: Codebook, design: str) -> tuple[str, ...]:
    """The variables that a coder of a batch was not asked in an arm, in codebook order.

    `design` is that of the batch (BATCHES.design, JSON; '' for no batch). An embedded coder is not
    asked of segments, nor is a model whose file says nothing of them. In an imported batch, nobody
    whose codings came from the file was asked what the file is silent about; its adjudication arm,
    which people code in Label Studio, was.

    That a question did not apply to a unit (`applies_when`) is not told here: a variable of the
    unit has no coding then, and one of segments the empty set.
    """
    if not reads_segments(coder):
        return tuple(variable.variable for variable in codebook.of_segment)
    return silent(codebook, design) if arm in HELD else ()


def silent(codebook: Codebook, design: str) -> tuple[str, ...]:
    """The variables that the file of an imported batch is silent about; () where none was."""
    origin: Mapping[str, list[str]] | None = json.loads(design or "{}").get("imported")
    said = {v.variable for v in codebook.variables} if origin is None else origin["variables"]
    return tuple(v.variable for v in codebook.variables if v.variable not in said)
