"""Cells of an .xls workbook that hold an error: Excel's records ([MS-XLS]) in a compound file
([MS-CFB]), as far as that needs them."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STREAMS = ("Workbook", "Book")
_END = 0xFFFFFFFA  # from here on a number of a sector names none
_SMALL = 4096  # a stream below it lies in the small sectors of the root's stream
_ENTRY = 128
_SHEET, _FORMULA, _BOOL_OR_ERROR, _LAST = 0x85, 0x06, 0x205, 0x0A


def old_error_cells(content: bytes, sheet: str) -> dict[tuple[int, int], int]:
    """Row and column, from 0, of each error of a sheet → its code; none of any other file."""
    if not content.startswith(_MARK):
        return {}
    book = _CompoundFile(content).stream(_STREAMS)
    begin = next((place for place, name in _sheets(book) if name == sheet), None)
    return {} if begin is None else dict(_errors(book, begin))


class _CompoundFile:
    """A file system in a file: chains of sectors, and of small ones in the root's stream."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._size = 1 << int.from_bytes(content[30:32], "little")
        tables = [n for n in struct.unpack_from("<109I", content, 76) if n < _END]
        further = int.from_bytes(content[68:72], "little")
        while further < _END and self._sector(further):
            *more, further = _numbers(self._sector(further))
            tables += [n for n in more if n < _END]
        self._next = [n for table in tables for n in _numbers(self._sector(table))]
        entries = self._chain(int.from_bytes(content[48:52], "little"))
        self._entries = [
            entries[place : place + _ENTRY] for place in range(0, len(entries), _ENTRY)
        ]

    def stream(self, names: tuple[str, ...]) -> bytes:
        """The stream of the first of these names that there is; empty without one."""
        for entry in self._entries:
            length = max(0, int.from_bytes(entry[64:66], "little") - 2)
            if entry[:length].decode("utf-16-le", "replace") in names:
                start, size = struct.unpack_from("<II", entry, 116)
                return (self._chain(start) if size >= _SMALL else self._small(start))[:size]
        return b""

    def _sector(self, number: int) -> bytes:
        return self._content[(number + 1) * self._size : (number + 2) * self._size]

    def _chain(self, number: int) -> bytes:
        return b"".join(self._sector(n) for n in _followed(number, self._next))

    def _small(self, number: int) -> bytes:
        held = self._chain(int.from_bytes(self._entries[0][116:120], "little"))
        following = _numbers(self._chain(int.from_bytes(self._content[60:64], "little")))
        return b"".join(held[64 * n : 64 * (n + 1)] for n in _followed(number, following))


def _followed(number: int, following: list[int]) -> Iterator[int]:
    """The sectors of a chain; a broken one ends where it meets itself."""
    seen = set()
    while number < len(following) and number not in seen:
        seen.add(number)
        yield number
        number = following[number]


def _numbers(sector: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(sector) // 4}I", sector[: len(sector) // 4 * 4]))


def _records(book: bytes, place: int) -> Iterator[tuple[int, bytes]]:
    """Type and body of each record, up to the end of the sheet."""
    while place + 4 <= len(book):
        kind, size = struct.unpack_from("<HH", book, place)
        yield kind, book[place + 4 : place + 4 + size]
        if kind == _LAST:
            return
        place += 4 + size


def _sheets(book: bytes) -> Iterator[tuple[int, str]]:
    """Where each sheet begins, and its name."""
    for kind, body in _records(book, 0):
        if kind == _SHEET and len(body) > 7:
            wide = body[7] & 1
            coding = "utf-16-le" if wide else "latin-1"
            name = body[8 : 8 + body[6] * (1 + wide)].decode(coding, "replace")
            yield int.from_bytes(body[:4], "little"), name


def _errors(book: bytes, begin: int) -> Iterator[tuple[tuple[int, int], int]]:
    for kind, body in _records(book, begin):
        row, column = struct.unpack_from("<HH", body) if len(body) >= 4 else (0, 0)
        if kind == _BOOL_OR_ERROR and len(body) >= 8 and body[7]:
            yield (row, column), body[6]
        elif kind == _FORMULA and len(body) >= 14 and body[12:14] == b"\xff\xff" and body[6] == 2:
            yield (row, column), body[8]
