"""How results are shown: tables and lines on stdout for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import click
import pandas as pd
from rich.console import Console
from rich.table import Table

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
        grid.add_column(column.rstrip("#"), justify="right" if right else "left", no_wrap=right)
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


def _plain(content: object) -> object:
    if isinstance(content, pd.DataFrame):
        return json.loads(content.to_json(orient="records", double_precision=15))
    if isinstance(content, Mapping):
        return {str(name): _plain(part) for name, part in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(part) for part in content]
    return content
