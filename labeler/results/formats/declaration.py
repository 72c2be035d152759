"""What a module of this folder declares of its format, and what a bundle says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from labeler import declarations
from labeler.codebook.codebook import Codebook
from labeler.results import formats


class BundleFacts(NamedTuple):
    """What a bundle says of itself, beside its tables.

    `labeler` is the version of this program, `codebook_text` the codebook as it was stored,
    `design` what the batch was drawn by (JSON), `made_up` whether posts of the sample are in it.
    `override` is the reason by which the gate was overridden ('': it was not); `verdicts` maps a
    comparison to its verdict on each variable. `outdated` names the result tables that were
    computed from other codings than those in it, `computed_from` what each was computed from.
    """

    batch: str
    labeler: str
    codebook: Codebook
    codebook_text: str
    suggester: str
    design: str
    made_up: bool
    override: str
    verdicts: Mapping[str, Mapping[str, str]]
    outdated: Sequence[str]
    computed_from: Mapping[str, str]


class Format(NamedTuple):
    """One format, as the constant FORMAT of its module.

    `files` makes, of frames by table name and the bundle's facts, each file's content by its name.
    The same frames give the same bytes. `descriptions` say what a file holds, by its name.
    """

    name: str
    files: Callable[[Mapping[str, pd.DataFrame], BundleFacts], Mapping[str, bytes]]
    descriptions: Mapping[str, str]


def declared() -> list[Format]:
    """The formats of this folder, in the order of its modules' names."""
    return declarations.declared(formats, "FORMAT", Format)


def told_by(frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """What the tables of a bundle say for BundleFacts: override, verdicts, computed_from."""
    verdicts, estimates = frames.get("verdicts"), frames.get("estimates")
    reasons = set() if estimates is None else set(estimates["override"]) - {""}
    judged: dict[str, dict[str, str]] = {}
    if verdicts is not None:
        for row in verdicts[verdicts["code"] == ""].itertuples(index=False):
            judged.setdefault(str(row.comparison), {})[str(row.variable)] = str(row.verdict)
    return {
        "override": "; ".join(sorted(reasons)),
        "verdicts": judged,
        "computed_from": {
            name: str(rows["computed_from"].iloc[0])
            for name, rows in frames.items()
            if "computed_from" in rows and len(rows)
        },
    }
