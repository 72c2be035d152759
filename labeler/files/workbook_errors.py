"""Cells of a workbook that hold an error (#NAME?, #REF!) instead of a value.

The reader of workbooks gives them as empty, so that "not coded" and "broken" would be one. What
is read here: .xlsx and .xlsm (Office Open XML), .xlsb (its binary records, [MS-XLSB]) and .ods
(OpenDocument); .xls is in `old_workbook_errors`.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Iterator

from labeler.files.old_workbook_errors import old_error_cells

Errors = dict[tuple[int, int], str]

CODES = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}

_BOOK, _PARTS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_BINARY_BOOK, _BINARY_PARTS = "xl/workbook.bin", "xl/_rels/workbook.bin.rels"
_TAG = re.compile(r"<(?:\w+:)?(?:sheet|Relationship)\s[^>]*>")
_ATTRIBUTE = re.compile(r'([\w:-]+)="([^"]*)"')
_ERROR = re.compile(
    rb'<(?:\w+:)?c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+)(\d+)"[^>]*>.*?<(?:\w+:)?v>(.*?)</', re.DOTALL
)

_ROW, _CELL_ERROR, _FORMULA_ERROR, _SHEET = 0, 3, 11, 156  # records of .xlsb

_OPEN = "content.xml"
_MARKED = 'calcext:value-type="error"'
_SAID = re.compile(r"#[A-Z/0]+[!?]?|Err:\d+")
_OPEN_PARTS = re.compile(
    r"<table:table\s(?P<table>[^>]*)>|<table:table-row\b(?P<row>[^>]*)>"
    r"|<table:(?:covered-)?table-cell\b(?P<cell>[^>]*?)"
    r"(?:/>|>(?P<text>.*?)</table:(?:covered-)?table-cell>)",
    re.DOTALL,
)
_INNER = re.compile(r"<[^>]*>")


def error_cells(content: bytes, sheet: str) -> Errors:
    """Row and column, from 0, of each error of a sheet → its text; of any other file none."""
    if not content.startswith(b"PK"):
        return {
            place: CODES.get(code, "#N/A")
            for place, code in old_error_cells(content, sheet).items()
        }
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        names = set(book.namelist())
        if {_BOOK, _PARTS} <= names:
            path = _path(book, sheet)
            return _of_xml(book.read(path)) if path else {}
        if {_BINARY_BOOK, _BINARY_PARTS} <= names:
            path = _binary_path(book, sheet)
            return _of_records(book.read(path)) if path else {}
        return _of_open_document(book.read(_OPEN), sheet) if _OPEN in names else {}


def _of_xml(cells: bytes) -> Errors:
    return {
        (int(row) - 1, _column(letters)): text.decode("utf-8", "replace")
        for letters, row, text in _ERROR.findall(cells)
    }


def _path(book: zipfile.ZipFile, sheet: str) -> str:
    """Where in the package a sheet lies; '' where it does not."""
    tags = _TAG.findall(book.read(_BOOK).decode("utf-8", "replace"))
    sheets = [_attributes(tag) for tag in tags]
    key = next((one.get("r:id", "") for one in sheets if one.get("name") == sheet), "")
    return _target(book, _PARTS, key)


def _target(book: zipfile.ZipFile, parts: str, key: str) -> str:
    """The part that a relationship of the workbook names; '' where there is none."""
    found = map(_attributes, _TAG.findall(book.read(parts).decode("utf-8", "replace")))
    target = next((one["Target"] for one in found if key and one.get("Id") == key), "")
    path = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return path if path in book.namelist() else ""


def _attributes(tag: str) -> dict[str, str]:
    return {name: html.unescape(text) for name, text in _ATTRIBUTE.findall(tag)}


def _column(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = 26 * place + letter - ord("A") + 1
    return place - 1


def _binary_path(book: zipfile.ZipFile, sheet: str) -> str:
    for kind, body in _records(book.read(_BINARY_BOOK)):
        if kind == _SHEET:
            key, rest = _wide_text(body[8:])
            if _wide_text(rest)[0] == sheet:
                return _target(book, _BINARY_PARTS, key)
    return ""


def _of_records(sheet: bytes) -> Errors:
    found, row = {}, 0
    for kind, body in _records(sheet):
        if kind == _ROW:
            row = int.from_bytes(body[:4], "little")
        elif kind in (_CELL_ERROR, _FORMULA_ERROR):
            found[row, int.from_bytes(body[:4], "little")] = CODES.get(body[8], "#N/A")
    return found


def _records(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and body of each record: both numbers stand in bytes of seven bits, lowest first."""
    place = 0
    while place < len(content):
        kind, place = _number(content, place, 2)
        size, place = _number(content, place, 4)
        yield kind, content[place : place + size]
        place += size


def _number(content: bytes, place: int, most: int) -> tuple[int, int]:
    number = 0
    for digit in range(most):
        byte = content[place + digit] if place + digit < len(content) else 0
        number |= (byte & 0x7F) << 7 * digit
        if not byte & 0x80:
            return number, place + digit + 1
    return number, place + most


def _wide_text(body: bytes) -> tuple[str, bytes]:
    """A text of UTF-16 with its length before it, and what follows."""
    end = 4 + 2 * int.from_bytes(body[:4], "little")
    return body[4:end].decode("utf-16-le", "replace"), body[end:]


def _of_open_document(content: bytes, sheet: str) -> Errors:
    text = content.decode("utf-8", "replace")
    found: Errors = {}
    inside, row, next_row, column = False, 0, 0, 0
    for part in _OPEN_PARTS.finditer(text):
        if part["table"] is not None:
            inside = _attributes(part["table"]).get("table:name") == sheet
            next_row = 0
        elif part["row"] is not None:
            row, column = next_row, 0
            next_row += int(_attributes(part["row"]).get("table:number-rows-repeated", "1"))
        elif inside:
            cell = part["cell"]
            said = html.unescape(_INNER.sub("", part["text"] or "")).strip()
            if _MARKED in cell or ("table:formula=" in cell and _SAID.fullmatch(said)):
                found[row, column] = said or "#N/A"
            column += int(_attributes(cell).get("table:number-columns-repeated", "1"))
    return found
