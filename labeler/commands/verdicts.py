"""How verdicts are shown to people: humans among themselves and the model, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import pandas as pd

from labeler.codebook.codebook import Codebook
from labeler.coding.vocabulary import GROUPED, INCONCLUSIVE, PASS, UNDEFINED, name_of, program_among
from labeler.commands.output import number, table
from labeler.reliability.assessments.findings import findings
from labeler.reliability.gate import AT_THRESHOLD, HUMAN, MEANING, MODEL
from labeler.reliability.reliability import ReliabilityResult
from labeler.reliability.sentences import hidden
from labeler.reliability.weighting import leads
from labeler.store import tables

RowOfVerdict = tuple[str, str, str]  # comparison, variable, code

TITLES = {
    HUMAN: "humans (blind)",
    MODEL: "{} against humans (blind)",
}


def shown(
    judged: ReliabilityResult, codebook: Codebook | None = None, *, codes: bool = False
) -> None:
    """A table for each comparison, a line a variable (with `codes`, a line a code), and remarks;
    then one for each group of coders, and for each two of them."""
    intervals, entered = _intervals(judged.reliability), _entered(judged.reliability)
    coders = judged.reliability.set_index("kind")["coders"]
    for comparison, title in TITLES.items():
        rows = judged.verdicts[judged.verdicts["comparison"] == comparison]
        if rows.empty:
            continue
        who = program_among(str(coders.loc[["model-panel"]].iloc[0])) if comparison == MODEL else ""
        click.echo(f"{title.format(who)}")
        shut = rows if codes else rows[rows["code"] == ""]
        names = [f"  {'variable, code' if codes else 'variable'}", "alpha#", "95% interval#"]
        table(
            [*names, "bound#", "units#", "pairs#", "verdict", "further units#"],
            [_line(row, intervals, entered) for row in tables.rows(shut)],
        )
        whole = {row.variable: (comparison, row.variable, "") for row in tables.rows(rows)}
        said = {name: entered[it].left_out for name, it in whole.items() if it in entered}
        for line in _left_out(said):
            click.echo(f"    {line}")
        for line in _remarks(rows, codes=codes):
            click.echo(f"    {line}")
    _by_group(judged.reliability, codes=codes)
    for line in hidden(judged.reliability):
        click.echo(line)
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


def _line(
    row: Any, intervals: dict[RowOfVerdict, str], entered: dict[RowOfVerdict, Any]
) -> tuple[object, ...]:
    return (
        f"    {row.code}" if row.code else f"  {row.variable}",
        number(row.value),
        intervals.get((row.comparison, row.variable, row.code), "–"),
        number(row.bound),
        *_of_those_there(row, entered),
        _graded(row),
        "" if pd.isna(row.further) else f"{row.further:,}",
    )


def _graded(row: Any) -> str:
    """The verdict; of a pass, which of the two thresholds its bound reaches."""
    if row.verdict != PASS:
        return str(row.verdict)
    return "pass" if row.bound >= row.reliable else "pass (tentative)"


def _leading(rows: pd.DataFrame) -> dict[RowOfVerdict, Any]:
    """The alpha that each verdict is about."""
    kinds = {"human-human": HUMAN, "model-panel": MODEL}
    alpha = rows["coefficient"].str.startswith("krippendorff_alpha")
    own = rows[rows["kind"].isin(kinds) & alpha & leads(rows)]
    return {(kinds[row.kind], row.variable, row.code): row for row in tables.rows(own)}


def _intervals(rows: pd.DataFrame) -> dict[RowOfVerdict, str]:
    return {which: _interval(row) for which, row in _leading(rows).items() if not pd.isna(row.low)}


def _interval(row: Any) -> str:
    return "–" if pd.isna(row.low) else f"{row.low:.3f} to {row.high:.3f}"


def _entered(rows: pd.DataFrame) -> dict[RowOfVerdict, Any]:
    """The alpha rows that say how many units entered."""
    return {which: row for which, row in _leading(rows).items() if not pd.isna(row.n_there)}


def _of_those_there(row: Any, entered: dict[RowOfVerdict, Any]) -> tuple[str, str]:
    """The units that entered and the pairs of codes they make."""
    own = entered.get((row.comparison, row.variable, row.code))
    return (f"{row.n_units}", "") if own is None else _counted(own)


def _counted(row: Any) -> tuple[str, str]:
    return f"{row.n_compared} of {row.n_there}", f"{row.n_pairs:,}"


def _by_group(rows: pd.DataFrame, *, codes: bool) -> None:
    """Alpha within each group of coders and between each two: shown, never judged."""
    alpha = rows["coefficient"].str.startswith("krippendorff_alpha")
    own = rows[rows["kind"].isin(GROUPED) & alpha & leads(rows)]
    for kind in GROUPED:
        for panel, of_it in own[own["kind"] == kind].groupby("panel"):
            kept = of_it if codes else of_it[of_it["code"] == ""]
            people = ", ".join(name_of(coder) for coder in of_it["coders"].iloc[0].split(","))
            click.echo(f"{panel} (blind): {people}")
            names = [f"  {'variable, code' if codes else 'variable'}", "alpha#", "95% interval#"]
            lines = [
                (
                    f"    {row.code}" if row.code else f"  {row.variable}",
                    number(row.value),
                    _interval(row),
                    *_counted(row),
                )
                for row in tables.rows(kept)
            ]
            table([*names, "units#", "pairs#"], lines)
            said = {row.variable: row.left_out for row in tables.rows(of_it) if not row.code}
            for line in _left_out(said):
                click.echo(f"    {line}")


def _left_out(said: dict[str, str]) -> Iterator[str]:
    """Why units fell out, by variable: once where it is the same for all, else for each."""
    if len(set(said.values())) == 1 and len(said) > 1:
        said = {"left out": next(iter(said.values()))}
    else:
        said = {f"left out of {name}": why for name, why in said.items()}
    yield from (f"{which}: {why}" for which, why in said.items() if why)


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
