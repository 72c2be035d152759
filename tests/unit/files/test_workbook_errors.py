"""Error cells of every kind of workbook. The files are made by hand, as small as readers take."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from labeler.errors import InputError
from labeler.files import spreadsheets
from labeler.files.coded_cells import read_cells
from labeler.files.spreadsheets import TableSettings
from labeler.files.workbook_errors import error_cells

ROWS = [["ada", "ben"], ["yes", "no"], ["no", None], ["yes", "yes"]]  # None: #NAME?
Rows = list[list[str | None]]


def zipped(**parts: bytes | str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return file.getvalue()


def ods(rows: Rows) -> bytes:
    """As LibreOffice writes it: what an error says stands in its text alone."""
    names = ("office", "table", "text")
    spaces = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in names)
    spaces += (
        ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    )
    broken = (
        '<table:table-cell table:formula="of:=foo()" office:value-type="string" '
        'office:string-value="" calcext:value-type="error"><text:p>#NAME?</text:p>'
        "</table:table-cell>"
    )
    whole = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    lines = "".join(
        "<table:table-row>"
        + "".join(broken if text is None else whole.format(text) for text in row)
        + '<table:table-cell table:number-columns-repeated="3"/></table:table-row>'
        for row in rows
    )
    body = f'<table:table table:name="A &amp; B"><table:table-column/>{lines}</table:table>'
    return zipped(
        **{
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": '<?xml version="1.0"?><manifest/>',
            "content.xml": f'<?xml version="1.0"?><office:document-content {spaces}><office:body>'
            f"<office:spreadsheet>{body}</office:spreadsheet></office:body>"
            "</office:document-content>",
        }
    )


def xlsb(rows: Rows) -> bytes:
    """Binary records in a package."""

    def record(kind: int, body: bytes = b"") -> bytes:
        return number(kind) + number(len(body)) + body

    def number(given: int) -> bytes:
        return bytes([given]) if given < 0x80 else bytes([given & 0x7F | 0x80, given >> 7])

    def text(given: str) -> bytes:
        return struct.pack("<I", len(given)) + given.encode("utf-16-le")

    sheet = record(145)
    for line, row in enumerate(rows):
        sheet += record(0, struct.pack("<I", line) + bytes(13))
        for place, given in enumerate(row):
            head = struct.pack("<II", place, 0)
            sheet += record(3, head + b"\x1d") if given is None else record(6, head + text(given))
    corner = struct.pack("<IIII", 0, len(rows) - 1, 0, len(rows[0]) - 1)
    about = struct.pack("<II", 0, 1) + text("rId1") + text("A & B")
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
    return zipped(
        **{
            "xl/workbook.bin": record(131)
            + record(143)
            + record(156, about)
            + record(144)
            + record(132),
            "xl/_rels/workbook.bin.rels": '<?xml version="1.0"?><Relationships><Relationship '
            f'Id="rId1" Type="{kind}" Target="worksheets/sheet1.bin"/></Relationships>',
            "xl/worksheets/sheet1.bin": record(129)
            + record(148, corner)
            + sheet
            + record(146)
            + record(130),
        }
    )


def xls(rows: Rows, *, pad: int = 0) -> bytes:
    """Records in a compound file; `pad` bytes more make its stream a large one."""

    def record(kind: int, body: bytes = b"") -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    begin = [record(0x809, struct.pack("<HHHHII", 0x600, kind, 0, 0, 0, 0)) for kind in (5, 16)]
    codepage = record(0x42, struct.pack("<H", 1200))
    end = record(0x0A)
    name = b"A & B"
    size = len(begin[0]) + len(codepage) + 4 + 8 + len(name) + len(end)
    about = record(0x85, struct.pack("<IHBB", size, 0, len(name), 0) + name)
    cells = record(0x200, struct.pack("<IIHHH", 0, len(rows), 0, len(rows[0]), 0))
    for line, row in enumerate(rows):
        for place, given in enumerate(row):
            head = struct.pack("<HHH", line, place, 0)
            if given is None:
                cells += record(0x205, head + b"\x1d\x01")
            else:
                own = given.encode("utf-16-le")
                cells += record(0x204, head + struct.pack("<HB", len(given), 1) + own)
    book = begin[0] + codepage + about + end + begin[1] + cells + end + bytes(pad)
    return compound(book)


def compound(stream: bytes) -> bytes:
    """A compound file with the stream `Workbook`, in small sectors where it is small."""
    free, chained, table = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    small = len(stream) < 4096
    unit = 64 if small else 512
    held = stream + bytes(-len(stream) % 512)
    sectors = len(held) // 512

    def entry(name: str, kind: int, start: int, size: int, child: int = free) -> bytes:
        text = name.encode("utf-16-le") + b"\0\0"
        head = text.ljust(64, b"\0") + struct.pack("<HBB", len(text), kind, 1)
        return (
            head
            + struct.pack("<III", free, free, child)
            + bytes(36)
            + struct.pack("<IQ", start, size)
        )

    root = entry("Root Entry", 5, 2 if small else chained, len(held) if small else 0, 1)
    own = entry("Workbook", 2, 0 if small else 2, len(stream))
    directory = (root + own).ljust(512, b"\0")

    def numbers(given: list[int]) -> bytes:
        return struct.pack(f"<{len(given)}I", *given).ljust(512, b"\xff")

    chain = [*range(3, 2 + sectors), chained]
    fat = [table, chained, *chain]
    mini = b""
    if small:
        count = -(-len(stream) // unit)
        mini = numbers([*range(1, count), chained])
        fat.append(chained)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    first = 2 + sectors if small else chained
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, first, int(small), chained, 0)
    header += struct.pack("<109I", 0, *[free] * 108)
    return header + numbers(fat) + directory + held + mini


@pytest.mark.parametrize("make", [ods, xlsb, xls])
def test_an_error_cell_is_told_with_its_place(
    tmp_path: Path, make: Callable[[Rows], bytes]
) -> None:
    """It is not empty, and no code: it is refused, unless somebody says what it means."""
    path = tmp_path / f"t.{make.__name__}"
    path.write_bytes(make(ROWS))
    table = spreadsheets.read(path)
    assert table.values.tolist() == [["yes", "no"], ["no", "#NAME?"], ["yes", "yes"]]
    codings = spreadsheets.codings(TableSettings(path)).codings
    with pytest.raises(InputError, match="line 3, column 'ben': #NAME\\? is an error of the"):
        read_cells(codings, level="nominal", source="t")


def test_a_large_stream_of_an_old_workbook() -> None:
    """It lies in sectors of its own."""
    assert error_cells(xls(ROWS, pad=9000), "A & B") == {(2, 1): "#NAME?"}
    assert error_cells(xls(ROWS), "other") == {}


@pytest.mark.parametrize("content", [b"", b"\xd0\xcf\x11\xe0", b"ada,ben"])
def test_what_is_no_workbook_has_none(content: bytes) -> None:
    assert error_cells(content, "x") == {}
