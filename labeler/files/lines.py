"""Lines of a text file, plain or packed, without holding more than one at a time."""

from __future__ import annotations

import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import zstandard

from labeler.errors import InputError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LONGEST = 16 * 1024 * 1024
"""The most bytes of a line, and characters of a field, that are held in memory."""

BUFFER = 1024 * 1024
BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError)
"""What reading an unpacked stream raises where the packed file is broken or cut short."""


def unpacked(file: BinaryIO, packing: str) -> io.BufferedReader:
    """The bytes of an open file as they were before packing ('', '.gz' or '.zst')."""
    if packing == ".gz":
        return io.BufferedReader(_Gzip(file), BUFFER)
    if packing == ".zst":
        return io.BufferedReader(_Zstd(file), BUFFER)
    return cast("io.BufferedReader", file)


class _Gzip(io.RawIOBase):
    """The unpacked bytes of a gzip file, step by step: all that stands before a break comes."""

    def __init__(self, file: BinaryIO) -> None:
        self._unpacked = gzip.GzipFile(fileobj=file, mode="rb")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._unpacked.read1(len(view))
        view[: len(data)] = data
        return len(data)


class _Zstd(io.RawIOBase):
    """The unpacked bytes of a zstd file; EOFError where the last frame is cut short.

    Windows up to 2 GiB are taken, as the large archives of posts have them.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._frames = zstandard.ZstdDecompressor(max_window_size=2**31)
        self._frame = self._frames.decompressobj()
        self._open = True
        self._packed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        while not self._ready:
            packed = self._packed or self._file.read(1 << 16)
            self._packed = b""
            if not packed:
                if self._open:
                    raise EOFError("the last frame is not whole")
                return 0
            if self._frame.eof:
                self._frame = self._frames.decompressobj()
            self._ready = memoryview(self._frame.decompress(packed))
            self._open = not self._frame.eof
            if self._frame.eof:
                self._packed = self._frame.unused_data
        view = memoryview(buffer).cast("B")
        size = min(len(view), len(self._ready))
        view[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size


def skip_mark(path: Path, stream: io.BufferedReader) -> None:
    """Step over the byte order mark of UTF-8. Raises InputError at that of another encoding."""
    start = stream.peek(4)[:4]
    if start.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")):
        raise InputError(f"{path}: is UTF-16 or UTF-32: convert it to UTF-8 (iconv -t UTF-8)")
    if start.startswith(b"\xef\xbb\xbf"):
        stream.read(3)


class Lines(Iterator[str]):
    """Decoded lines with their ends; lines taken since the last `forget` can be given back.

    `line` is the number of the first line taken, from 1; `fault` says what is wrong with one of
    the lines taken, '' where nothing is; `raw` is their text.
    """

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self._back: deque[tuple[str, str]] = deque()
        self._taken: list[tuple[str, str]] = []
        self.line = 1
        self.fault = ""

    def __next__(self) -> str:
        text, fault = self._back.popleft() if self._back else self._read()
        self.fault = self.fault or fault
        self._taken.append((text, fault))
        return text

    def _read(self) -> tuple[str, str]:
        data = self._stream.readline(LONGEST)
        if not data:
            raise StopIteration
        if len(data) == LONGEST and not data.endswith(b"\n"):
            while (more := self._stream.readline(LONGEST)) and not more.endswith(b"\n"):
                pass
            cut = data[:1000].decode("utf-8", "backslashreplace").replace('"', "'")
            return f"{cut}…\n", f"longer than {LONGEST} bytes; only its beginning is kept"
        try:
            return data.decode("utf-8"), ""
        except UnicodeDecodeError as error:
            text = data.decode("utf-8", "backslashreplace")
            where = f"byte {error.start + 1} of its line is {data[error.start]:#04x}"
            return text, f"not UTF-8 ({where}): convert the file to UTF-8"

    @property
    def raw(self) -> str:
        """The text of the lines taken, without the last line's end."""
        return "".join(text for text, _ in self._taken).rstrip("\r\n")

    def forget(self) -> None:
        """Be done with the lines taken; the next one starts a new record."""
        self.line += len(self._taken)
        self._taken.clear()
        self.fault = ""

    def give_back(self) -> None:
        """Keep only the first of the lines taken; the others will come again."""
        self._back.extendleft(reversed(self._taken[1:]))
        del self._taken[1:]
        self.fault = self._taken[0][1]
