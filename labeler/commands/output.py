"""How results are shown: tables and lines on stdout for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
import pandas as pd
from rich.console import Console
from rich.table import Table

from labeler import tables

WIDTH = 100


def told(line: str) -> None:
    """Progress and remarks: on stderr, so that stdout holds the result alone."""
    click.echo(line, err=True)


def as_json(content: object) -> None:
    """A result for machines; frames become lists of rows, missing numbers null."""
    click.echo(json.dumps(_plain(content), indent=2, ensure_ascii=False))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for people; columns named with a trailing `#` stand to the right."""
    grid = Table(box=None, pad_edge=False)
    for column in columns:
        right = column.endswith("#")
        grid.add_column(column.rstrip("#"), justify="right" if right else "left")
    for row in rows:
        grid.add_row(*(f"{cell}" for cell in row))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=WIDTH)
    console.print(grid)


def number(value: float, digits: int = 3) -> str:
    """A coefficient or share as text; a dash where it is undefined."""
    return "–" if pd.isna(value) else f"{value:.{digits}f}"


def probability(value: float) -> str:
    """A p-value as text."""
    return "<0.001" if value < 0.001 else number(value)


def verdicts(rows: pd.DataFrame) -> None:
    """RELIABILITY rows for people: a table a panel, humans among themselves first."""
    panels = rows.drop_duplicates("panel").assign(
        other=lambda frame: frame["panel"] != tables.HUMANS
    )
    order = panels.sort_values(["evidence", "other", "panel"], ascending=[False, True, True])
    for panel, evidence in zip(order["panel"], order["evidence"], strict=True):
        own = rows[rows["panel"] == panel]
        what = "blind" if evidence else "suggestions were in view: not evidence"
        click.echo(f"{panel} ({what})")
        table(
            ["  variable", "alpha#", "95% interval#", "bound#", "agree#", "units#", "verdict"],
            [_verdict(row, evidence=bool(evidence)) for row in tables.rows(own)],
        )
        if evidence:
            for row in tables.rows(own[own["verdict"] != "pass"]):
                click.echo(f"    {row.variable}: {row.note}")
        click.echo()


def _verdict(row: Any, *, evidence: bool) -> tuple[object, ...]:
    return (
        f"  {row.variable}",
        number(row.value),
        "–" if pd.isna(row.low) else f"{row.low:.3f} to {row.high:.3f}",
        number(row.bound),
        "–" if pd.isna(row.percent) else f"{row.percent:.0%}",
        row.n_units,
        row.verdict if evidence else "–",
    )


def _plain(content: object) -> object:
    if isinstance(content, pd.DataFrame):
        return json.loads(content.to_json(orient="records", double_precision=15))
    if isinstance(content, Mapping):
        return {str(name): _plain(part) for name, part in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(part) for part in content]
    return content
