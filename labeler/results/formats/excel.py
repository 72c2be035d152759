"""The result tables as one workbook: a sheet a table, and one that says what each column means."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import pandas as pd
import xlsxwriter

from labeler.results.formats.declaration import BundleFacts, Format
from labeler.store.tables import METADATA

NAME = "results.xlsx"
COLUMNS = "columns"
MOST_ROWS = 1_048_575  # of a sheet, below its heading
WIDEST, NARROWEST = 48, 8  # characters
MADE = datetime(2000, 1, 1)
PLAIN = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}


def _files(frames: Mapping[str, pd.DataFrame], facts: BundleFacts) -> dict[str, bytes]:
    return {NAME: workbook(frames, facts)}


def workbook(
    frames: Mapping[str, pd.DataFrame], facts: BundleFacts, *, most: int = MOST_ROWS
) -> bytes:
    """The workbook of the result tables among `frames`; those of over `most` rows are left out."""
    results = {
        name: frames[name]
        for name in sorted(frames)
        if name in METADATA.tables and "computed_from" in frames[name]
    }
    held = io.BytesIO()
    with xlsxwriter.Workbook(held, PLAIN) as book:
        book.set_properties({"created": MADE, "title": f"Batch {facts.batch}"})
        head = book.add_format({"bold": True, "bottom": 1})
        _sheet(book, COLUMNS, _meanings(results, most), head)
        for name, frame in results.items():
            if len(frame) <= most:
                _sheet(book, name, frame, head)
    return held.getvalue()


def _meanings(results: Mapping[str, pd.DataFrame], most: int) -> pd.DataFrame:
    """Columns table, rows, column, meaning; of a table too long for a sheet that it is left out."""
    rows = []
    for name, frame in results.items():
        table = METADATA.tables[name]
        there = len(frame) <= most
        left_out = "" if there else "too long for a sheet: see the CSV file. "
        rows.append((name, str(len(frame)), "", f"{left_out}{table.comment}"))
        rows += [(name, "", column, str(table.c[column].comment)) for column in frame.columns]
    return pd.DataFrame(rows, columns=["table", "rows", "column", "meaning"], dtype="str")


def _sheet(book: Any, name: str, frame: pd.DataFrame, head: Any) -> None:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(frame.columns):
        sheet.write_string(0, place, str(column), head)
        cells = list(_cells(frame[column]))
        sheet.set_column(place, place, _width(str(column), cells))
        for row, cell in enumerate(cells, start=1):
            if isinstance(cell, str):
                sheet.write_string(row, place, cell)
            elif cell is not None:
                sheet.write_number(row, place, cell)
    if len(frame):
        sheet.autofilter(0, 0, len(frame), len(frame.columns) - 1)


def _cells(column: pd.Series[Any]) -> Iterator[str | float | None]:
    """Texts and numbers; None for an empty cell."""
    for value in column.tolist():
        yield None if pd.isna(value) or value == "" else value


def _width(name: str, cells: list[str | float | None]) -> int:
    longest = max((len(str(cell)) for cell in cells[:200] if isinstance(cell, str)), default=0)
    return max(NARROWEST, min(WIDEST, max(len(name), longest) + 2))


FORMAT = Format(
    name="excel",
    files=_files,
    descriptions={NAME: "The result tables as a workbook; its first sheet says what columns mean."},
)
