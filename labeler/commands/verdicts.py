"""How verdicts are shown to people: humans among themselves and the model, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import pandas as pd

from labeler.codebook.codebook import Codebook
from labeler.coding.vocabulary import INCONCLUSIVE, PASS, UNDEFINED
from labeler.commands.output import number, table
from labeler.reliability.assessments.findings import findings
from labeler.reliability.gate import AT_THRESHOLD, HUMAN, MEANING, MODEL
from labeler.reliability.reliability import ReliabilityResult
from labeler.reliability.weighting import leads
from labeler.store import tables

TITLES = {
    HUMAN: "humans (blind)",
    MODEL: "{} against humans (blind)",
}


def shown(
    judged: ReliabilityResult, codebook: Codebook | None = None, *, codes: bool = False
) -> None:
    """A table for each comparison, a line a variable (with `codes`, a line a code), and remarks."""
    intervals = _intervals(judged.reliability)
    coders = judged.reliability.set_index("kind")["coders"]
    for comparison, title in TITLES.items():
        rows = judged.verdicts[judged.verdicts["comparison"] == comparison]
        if rows.empty:
            continue
        who = str(coders.loc[["model-panel"]].iloc[0]).split(",")[0] if comparison == MODEL else ""
        click.echo(f"{title.format(who)}")
        shut = rows if codes else rows[rows["code"] == ""]
        names = [f"  {'variable, code' if codes else 'variable'}", "alpha#", "95% interval#"]
        table(
            [*names, "bound#", "units#", "verdict", "further units#"],
            [_line(row, intervals) for row in tables.rows(shut)],
        )
        for line in _remarks(rows, codes=codes):
            click.echo(f"    {line}")
    for line in _asides(judged, codebook):
        click.echo(line)
    if len(judged.verdicts):
        family = MEANING[str(judged.verdicts["family"].iloc[0])]
        click.echo(f"verdicts: {_looks(judged.verdicts)}; {family}")


def _looks(verdicts: pd.DataFrame) -> str:
    """Which look it is, what it may spend, and so how the bound is made."""
    taken = verdicts.dropna(subset="look").drop_duplicates("look").sort_values("look")
    if taken.empty:
        return "bound = one-sided 95%"
    own = "; ".join(
        f"look {row.look} of this study sample, level {row.level:.2%}" for row in tables.rows(taken)
    )
    return f"{own}; bound = one-sided at 1 - level"


def _line(row: Any, intervals: dict[tuple[str, str, str], str]) -> tuple[object, ...]:
    return (
        f"    {row.code}" if row.code else f"  {row.variable}",
        number(row.value),
        intervals.get((row.comparison, row.variable, row.code), "–"),
        number(row.bound),
        row.n_units,
        _graded(row),
        "" if pd.isna(row.further) else f"{row.further:,}",
    )


def _graded(row: Any) -> str:
    """The verdict; of a pass, which of the two thresholds its bound reaches."""
    if row.verdict != PASS:
        return str(row.verdict)
    return "pass" if row.bound >= row.reliable else "pass (tentative)"


def _intervals(rows: pd.DataFrame) -> dict[tuple[str, str, str], str]:
    kinds = {"human-human": HUMAN, "model-panel": MODEL}
    own = rows[
        rows["kind"].isin(kinds)
        & rows["coefficient"].str.startswith("krippendorff_alpha")
        & leads(rows)
        & rows["low"].notna()
    ]
    return {
        (kinds[row.kind], row.variable, row.code): f"{row.low:.3f} to {row.high:.3f}"
        for row in tables.rows(own)
    }


def _remarks(rows: pd.DataFrame, *, codes: bool) -> Iterator[str]:
    """Why a variable has no figure, and how many codes passed."""
    for row in tables.rows(rows[(rows["code"] == "") & (rows["verdict"] == UNDEFINED)]):
        yield f"{row.variable}: {row.note}"
    for row in tables.rows(
        rows[(rows["code"] == "") & rows["note"].str.contains(AT_THRESHOLD, regex=False)]
    ):
        yield f"{row.variable}: {AT_THRESHOLD}"
    own = rows[rows["code"] != ""]
    if len(own) and not codes:
        counted = own["verdict"].value_counts()
        said = [f"{counted[name]} {name}" for name in (PASS, "fail", INCONCLUSIVE, UNDEFINED)
                if name in counted]  # fmt: skip
        yield f"of {len(own)} codes: {', '.join(said)} (--codes shows them)"


def _asides(judged: ReliabilityResult, codebook: Codebook | None) -> Iterator[str]:
    """One line for what is shown beside the evidence, and what each assessment found."""
    rows = judged.reliability
    shown = rows[(rows["kind"] == "assisted") & (rows["code"] == "") & rows["value"].notna()]
    if len(shown):
        yield "assisted codings were given with suggestions in view: not evidence, see the report"
    for finding in findings(judged.assessments, codebook):
        for sentence in finding.sentences:
            yield f"{finding.assessment.title}: {sentence}"
