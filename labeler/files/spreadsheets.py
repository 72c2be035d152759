"""A table of codings made elsewhere: CSV, TSV, Excel, Parquet or JSON → cells as text, with lines.

What a program calls a number and what it calls a text depends on the program; here every cell is
the text that a person sees: the number 10 of a workbook, its 10.0 in a column with gaps, and the
text 10 are all `10`. The shape of the table (a row a unit, or a row a coding) is read by
`labeler.coding_tables`.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from labeler import hints
from labeler.errors import InputError
from labeler.files import coding_tables, label_studio
from labeler.files.coder_columns import coder_columns, without_totals
from labeler.files.json_tables import columns_of, json_rows
from labeler.files.lines import BROKEN, LONGEST, unpacked
from labeler.files.plain_text import plain_table
from labeler.files.workbook_errors import error_cells
from labeler.text.coded_values import EMPTY_SET, joined
from labeler.text.names import unknown

WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
TEXTS = (".csv", ".tsv", ".tab", ".txt")
ENDINGS = (*TEXTS, *WORKBOOKS, ".parquet", ".json")
INDEX = "index"  # what a first column without a name is called
EXACT = 2**53  # whole numbers up to here are exact in a workbook

_GUARDED = ("'=", "'+", "'-", "'@")
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


class TableSettings(NamedTuple):
    """Which table, and how it is to be read (see `codings`).

    `surely` are coders of a wide table where `coders` is empty: the others have to be found; of an
    export of Label Studio also models whose suggestions count as codings. `sets`: values are sets.
    """

    path: Path
    unit: str = ""
    coder: str = ""
    value: str = ""
    coders: tuple[str, ...] = ()
    surely: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    where: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    sheet: str = ""
    sets: bool = False


class TableCodings(NamedTuple):
    """The codings of a table: columns unit, coder, value, line, column (see `coding_tables`); and
    what of the table was left out, in words."""

    codings: pd.DataFrame
    remarks: list[str]


def read(path: Path, *, sheet: str = "") -> pd.DataFrame:
    """The cells of a table as text, '' where empty; the index `line` says where a row stands.

    The line is that of the file, from 1 (of a workbook: the row as it is numbered there; of
    Parquet: the row, from 1). The first row names the columns. Of texts the delimiter (comma,
    semicolon or tab) is that of the header; they are UTF-8, or UTF-16 with its mark. Packed files
    end in .gz or .zst. JSON is an export of Label Studio, an annotation a row. Of a
    workbook with several filled sheets `sheet` names the one.

    Raises InputError, with the line and what to do, where the file cannot be read as a table.
    """
    kind, content = _content(path)
    if kind in TEXTS:
        return _text(path, content, kind)
    if sheet and kind in (".parquet", ".json"):
        raise InputError(f"{path}: only a workbook has sheets", hint=hints.NO_SHEET)
    if kind == ".json":
        return _json(path, content)
    return _parquet(path, content) if kind == ".parquet" else _workbook(path, content, sheet)


def codings(given: TableSettings) -> TableCodings:
    """The codings of a table, as its settings say.

    With `coder` and `value` the table is long, a row a coding; else wide, a row a unit, whose
    columns `coders` are coders (else those that `coder_columns` finds, but for those `without`).
    An export of Label Studio is long by itself; of `unit`, `coder` and `value` those that are not
    named are found (see `label_studio`).
    `where` keeps the rows whose columns hold these texts; `missing` are further texts of a cell
    that mean "not coded", as the empty one always does. Rows of totals at the end are left out.
    """
    source = str(given.path)
    table = coding_tables.kept(read(given.path, sheet=given.sheet), given.where, source=source)
    coding_tables.known_columns(table, given.without, source)
    if not given.coders and label_studio.is_export(table):
        return _exported(table, given)
    left_out = {*given.without, *(name for name, _ in given.where)}
    table = table.drop(columns=list(left_out - {given.unit, given.coder, given.value}))
    table = _with_gaps(table, given.missing)
    unit = given.unit
    if given.coder or given.value:
        names = [name for name in (unit, given.coder) if name in table.columns]
        table, remarks = without_totals(table, unit=unit if unit in names else "", columns=names)
        return TableCodings(
            coding_tables.long(
                table, unit=unit, coder=given.coder, value=given.value, source=source
            ),
            remarks,
        )
    coding_tables.known_columns(table, [n for n in (unit, *given.coders) if n], source)
    found = coder_columns(table, unit=unit, coders=given.coders, surely=given.surely, source=source)
    table, remarks = without_totals(table, unit=found.unit, columns=found.coders)
    return TableCodings(
        coding_tables.wide(table, unit=found.unit, coders=found.coders, source=source),
        [*found.remarks, *remarks],
    )


def _exported(table: pd.DataFrame, given: TableSettings) -> TableCodings:
    """The codings of an export of Label Studio."""
    source = str(given.path)
    wanted = [name for name in (given.unit, given.coder, given.value) if name]
    coding_tables.known_columns(table, wanted, source)
    table, left_out = label_studio.annotated_rows(table, models=given.surely, source=source)
    table = table.drop(columns=[name for name in given.without if name not in label_studio.OWN])
    roles = label_studio.roles(
        table, unit=given.unit, coder=given.coder, value=given.value, source=source
    )
    told = [*roles.remarks, *left_out]
    if given.sets:
        table, empty = label_studio.with_empty_sets(table, roles.value)
        told += empty
    return TableCodings(
        coding_tables.long(
            _with_gaps(table, given.missing),
            unit=roles.unit,
            coder=roles.coder,
            value=roles.value,
            source=source,
        ),
        told,
    )


def _with_gaps(table: pd.DataFrame, missing: Sequence[str]) -> pd.DataFrame:
    return table.replace(dict.fromkeys(missing, "")) if missing else table


def cell(value: object) -> str:
    """A cell as the text that a person sees; '' for what is missing; a list joined by `+`.

    A ' before what a spreadsheet would run is taken away, as exports put it there.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        text = value.strip()
        return text[1:] if text.startswith(_GUARDED) else text
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < EXACT else repr(value)
    if isinstance(value, Decimal):
        return cell(float(value)) if value == value.to_integral_value() else str(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return joined(map(cell, value)) or EMPTY_SET
    return str(value)


def _content(path: Path) -> tuple[str, bytes]:
    """What kind of table a file is, by its ending, and its bytes as they were before packing."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packing = suffixes.pop() if suffixes and suffixes[-1] in (".gz", ".zst") else ""
    kind = suffixes[-1] if suffixes else ""
    if kind not in ENDINGS:
        raise InputError(
            f"{path}: the ending does not say what it is: name it {', '.join(ENDINGS)}, "
            "with .gz or .zst behind it where it is packed"
        )
    try:
        with path.open("rb") as file, closing(unpacked(file, packing)) as stream:
            return kind, stream.read()
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file: check its name") from error
    except BROKEN as error:
        raise InputError(f"{path}: broken or cut short ({error}): fetch it again") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _text(path: Path, content: bytes, kind: str) -> pd.DataFrame:
    tabbed = kind in (".tsv", ".tab")
    if not any(content.startswith(mark) for mark in _MARKS):
        header = content[:LONGEST].split(b"\n", 1)[0].decode("utf-8", "replace")
        delimiter = "\t" if tabbed else _delimiter(header)
        plain = plain_table(content, delimiter, guarded=_GUARDED)
        if plain is not None:
            return plain
    text = _decoded(path, content)
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = "\t" if tabbed else _delimiter(first)
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return _table(path, _numbered(path, reader))


def _decoded(path: Path, content: bytes) -> str:
    mark = next((mark for mark in _MARKS if content.startswith(mark)), b"")
    try:
        return content.decode(_MARKS.get(mark, "utf-8"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}: line {line}: not UTF-8 (byte {content[error.start]:#04x}): save the table "
            "as UTF-8 (in Excel: 'CSV UTF-8'), or as .xlsx"
        ) from error


def _delimiter(header: str) -> str:
    """The one of comma, semicolon and tab that the header has most of, outside of quotes."""
    bare = "".join(header.split('"')[::2])
    return max(",;\t", key=bare.count)


def _numbered(path: Path, rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it starts on; blank lines are left out."""
    line = 1
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"{path}: line {line}: broken CSV: {error}: is a quote opened and not closed?"
            ) from error
        if row:
            yield line, row
        line = rows.line_num + 1  # type: ignore[attr-defined]  # a csv.reader has it


def _table(path: Path, rows: Iterator[tuple[int, list[str]]]) -> pd.DataFrame:
    """The first row as names, the others as rows; one that is too long or too short is refused."""
    line, header = next(rows, (0, []))
    if not header:
        raise InputError(f"{path}: is empty: a header and rows are wanted")
    names = [name.strip() for name in header]
    repeated = [name for name in names if name and names.count(name) > 1]
    if repeated:
        raise InputError(f"{path}: line {line}: two columns are called {repeated[0]!r}: rename one")
    lines, cells, faults = [], [], []
    for line, row in rows:
        if len(row) == len(names):
            lines.append(line)
            cells.append(row)
        else:
            told = f"{len(row)} fields where the header names {len(names)}"
            faults.append(f"line {line}: {told}")
    if faults:
        raise coding_tables.refused(str(path), faults)
    return _framed(path, names, zip(*cells, strict=True), lines)


def _framed(
    path: Path, names: list[str], columns: Iterable[Sequence[object]], lines: list[int]
) -> pd.DataFrame:
    """The frame. A first column without a name is an index, as pandas writes it; further ones
    are left out where they are empty, else refused."""
    filled = [[cell(value) for value in column] for column in columns] or [[] for _ in names]
    found: dict[str, list[str]] = {}
    for place, (name, cells) in enumerate(zip(names, filled, strict=True)):
        if name:
            found[name] = cells
        elif any(cells) and place == 0 and INDEX not in names:
            found[INDEX] = cells
        elif any(cells):
            raise InputError(f"{path}: column {place + 1} has no name: is the header elsewhere?")
    index = pd.Index(lines, name="line", dtype="int64")
    return pd.DataFrame(found, index=index, dtype="str")


def _workbook(path: Path, content: bytes, sheet: str) -> pd.DataFrame:
    import python_calamine  # noqa: PLC0415  (only workbooks need it)

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        wanted = [sheet] if sheet else book.sheet_names
        if sheet not in ("", *book.sheet_names):
            raise InputError(f"{path}: {unknown('sheet', sheet, book.sheet_names)}")
        found = {
            name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in wanted
        }
    except python_calamine.CalamineError as error:
        raise InputError(f"{path}: broken, locked, or no workbook: {error}") from error
    filled = {name: rows for name, rows in found.items() if any(map(_any, rows))}
    if len(filled) > 1:
        raise InputError(
            f"{path}: {len(filled)} sheets are filled: {', '.join(filled)}", hint=hints.CHOOSE_SHEET
        )
    name, rows = next(iter(filled.items()), ("", []))
    return _table(path, _sheet_rows(rows, error_cells(content, name)))


def _sheet_rows(
    rows: Sequence[Sequence[object]], errors: Mapping[tuple[int, int], str]
) -> Iterator[tuple[int, list[str]]]:
    """The filled rows, as wide as the header is: columns without a name and a cell are left out."""
    texts = [[cell(value) for value in row] for row in rows]
    for (row, column), error in errors.items():
        if row < len(texts) and column < len(texts[row]):
            texts[row][column] = error
    width = max((place + 1 for row in texts for place, text in enumerate(row) if text), default=0)
    for line, filled in enumerate(texts, start=1):
        if any(filled):
            yield line, filled[:width] + [""] * (width - len(filled))


def _any(row: Sequence[object]) -> bool:
    return any(cell(value) for value in row)


def _parquet(path: Path, content: bytes) -> pd.DataFrame:
    import pyarrow as pa  # noqa: PLC0415  (only Parquet needs it)
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        table = pq.read_table(io.BytesIO(content))
        columns = [column.to_pylist() for column in table.columns]
    except pa.ArrowException as error:
        raise InputError(f"{path}: broken, or not Parquet: {error}") from error
    names = [str(name) for name in table.column_names]
    return _framed(path, names, columns, list(range(1, table.num_rows + 1)))


def _json(path: Path, content: bytes) -> pd.DataFrame:
    try:
        rows = json_rows(json.loads(content.decode("utf-8-sig")))
    except ValueError as error:
        raise InputError(f"{path}: broken JSON: {error}") from error
    if not rows:
        raise InputError(f"{path}: an export of Label Studio is wanted, a list with annotations")
    names = columns_of(rows)
    columns = [[row.get(name) for row in rows] for name in names]
    return _framed(path, names, columns, list(range(1, len(rows) + 1)))
