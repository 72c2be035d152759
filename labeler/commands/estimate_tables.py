"""How estimates are shown: a table for each table of the recipe, the estimators side by side."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pandas as pd

from labeler.commands.output import number, probability, table
from labeler.results.side_by_side import PERCENT, AnalysisLines, EstimateLine, Row, side_by_side
from labeler.text.coded_values import named_parts

SPEAKS_OF = {
    "collection": "the posts there are",
    "population": "the stream that the posts came from",
}
FURTHER = ("residual", "pearson residual", "share of row", "share of column", "count", "rate")
SUMS_UP = ("mean", "difference", "ratio", "trend", "chi-square", "cramers v", "cramers v corrected")
COLUMNS = (
    *("", "measure", "figure#", "95% interval#", "p#", "blind#", "model#", "carry#", "r#", "λ#"),
    *("worth#", "gate"),
)
MOST = 40  # lines of a table; the rest is in --json, on the page and in exports


def shown(rows: pd.DataFrame, *, target: str) -> None:
    """Every table of the recipe for one target, then what cannot be told and why."""
    found = side_by_side(rows, target=target)
    if not found:
        return
    click.echo(f"Estimates for {SPEAKS_OF[target]}, with 95% intervals.")
    for own in found:
        click.echo("")
        _section(own)
    click.echo("")
    click.echo(
        "r: the model's codes with the blind ones; λ: how far they are used; worth: posts drawn at "
        "random and coded blind that would say as much."
    )


def _section(own: AnalysisLines) -> None:
    """The table of one analysis: what sums it up first, at most MOST lines."""
    lines = [line for line in own.lines if line.best["measure"] not in FURTHER] or own.lines
    lines = sorted(lines, key=lambda line: line.best["measure"] not in SUMS_UP)
    further = len(own.lines) - min(len(lines), MOST)
    best = lines[0].best
    click.echo(f"{own.analysis}  ({best['estimator']}, {best['units']:,} units coded blind)")
    rows = [_cells(line) for line in lines[:MOST]]
    filled = [at for at in range(len(COLUMNS)) if at < 3 or any(row[at] for row in rows)]
    table([COLUMNS[at] for at in filled], ([row[at] for at in filled] for row in rows))
    if further:
        click.echo(f"  and {further} figures more: --json, `labeler serve`, `labeler export`")
    for sentence in _not_told(lines[:MOST]):
        click.echo(f"  {sentence}")


def _cells(line: EstimateLine) -> list[str]:
    """The cells of a line, in the order of COLUMNS; '' where there is nothing to say."""
    row = line.best
    measure = str(row["measure"])
    blind = line.of.get("blind") if row["estimator"] != "blind" else None
    return [
        _of(row),
        measure,
        _figure(row["value"], measure) + _marks(row),
        ""
        if pd.isna(row["low"])
        else f"{_figure(row['low'], measure)} to {_figure(row['high'], measure)}",
        "" if pd.isna(row["p"]) else probability(row["p"]),
        _figure(blind["value"], measure) if blind else "",
        _figure(line.naive["value"], measure) if line.naive else "",
        "" if pd.isna(row["count"]) else f"{row['count']}",
        "" if pd.isna(row["correlation"]) else number(row["correlation"], 2),
        "" if pd.isna(row["tuning"]) else number(row["tuning"], 2),
        "" if pd.isna(row["effective_size"]) else f"{row['effective_size']:.0f}",
        "" if row["verdict"] == "pass" else str(row["verdict"]),
    ]


def _of(row: Row) -> str:
    """What a row is of: the code, then its groups."""
    code = named_parts(row["code"])[1] or row["code"]
    groups = [named_parts(row[name])[1] or row[name] for name in ("by", "within") if row[name]]
    if row["measure"] in ("difference", "ratio"):
        return " against ".join(groups)
    whole = not named_parts(row["code"])[1] and named_parts(row["by"])[1]
    return ", ".join(groups if whole else [code, *groups])


def _figure(value: float, measure: str) -> str:
    if pd.isna(value):
        return "–"
    if measure in PERCENT:
        return f"{value:.1%}"
    return f"{value:,.0f}" if measure == "count" else f"{value:.3f}"


def _marks(row: Row) -> str:
    return ("*" if row["reason"] else "") + ("†" if row["hidden"] else "")


def _not_told(lines: list[EstimateLine]) -> Iterator[str]:
    """What is not estimable, by the reason, and what may not leave."""
    reasons: dict[str, list[str]] = {}
    hidden: dict[str, list[str]] = {}
    for line in lines:
        if line.best["reason"]:
            reasons.setdefault(str(line.best["reason"]), []).append(_of(line.best))
        if line.best["hidden"]:
            hidden.setdefault(str(line.best["hidden"]), []).append(_of(line.best))
    for reason, names in reasons.items():
        yield f"* not estimable, {reason}: {_listed(names)}"
    for reason, names in hidden.items():
        yield f"† may not leave the team, {reason}: {_listed(names)}"


def _listed(names: list[str]) -> str:
    several = list(dict.fromkeys(names))
    more = f" and {len(several) - 6} more" if len(several) > 6 else ""
    return "; ".join(several[:6]) + more
