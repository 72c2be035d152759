"""Cells of a workbook that hold an error (#NAME?, #REF!) instead of a value.

The reader of workbooks gives them as empty, so that "not coded" and "broken" would be one.
"""

from __future__ import annotations

import html
import io
import re
import zipfile

_BOOK, _PARTS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_TAG = re.compile(r"<(?:\w+:)?(?:sheet|Relationship)\s[^>]*>")
_ATTRIBUTE = re.compile(r'([\w:]+)="([^"]*)"')
_ERROR = re.compile(
    rb'<(?:\w+:)?c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+)(\d+)"[^>]*>.*?<(?:\w+:)?v>(.*?)</', re.DOTALL
)


def error_cells(content: bytes, sheet: str) -> dict[tuple[int, int], str]:
    """Row and column, from 0, of each error of a sheet → its text.

    `content` is a workbook as .xlsx or .xlsm; of any other file there are none to be had.
    """
    if not content.startswith(b"PK"):
        return {}
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        path = _path(book, sheet)
        cells = book.read(path) if path else b""
    return {
        (int(row) - 1, _column(letters)): text.decode("utf-8", "replace")
        for letters, row, text in _ERROR.findall(cells)
    }


def _path(book: zipfile.ZipFile, sheet: str) -> str:
    """Where in the package a sheet lies; '' where it is no workbook of this kind."""
    names = set(book.namelist())
    if not {_BOOK, _PARTS} <= names:
        return ""
    sheets, parts = (
        [{k: html.unescape(v) for k, v in _ATTRIBUTE.findall(tag)} for tag in _TAG.findall(text)]
        for text in (book.read(name).decode("utf-8", "replace") for name in (_BOOK, _PARTS))
    )
    key = next((one.get("r:id") for one in sheets if one.get("name") == sheet), None)
    target = next((one["Target"] for one in parts if key and one.get("Id") == key), "")
    path = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return path if path in names else ""


def _column(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = 26 * place + letter - ord("A") + 1
    return place - 1
