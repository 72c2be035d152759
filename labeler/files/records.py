"""Read records as a stream, whatever the size of the file; write files whole or not at all."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from labeler.errors import InputError, LabelerError
from labeler.files.lines import BROKEN, BUFFER, LONGEST, Lines, skip_mark, unpacked

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Record(NamedTuple):
    """One record of a file.

    `line` is the line it starts on, from 1 (of Parquet: the row). `content` is None where `fault`
    says why it could not be read. `raw` is the text as it stands in the file ('' for Parquet);
    bytes that are not UTF-8 are written as \\xNN there.
    """

    line: int
    content: dict[str, object] | None
    fault: str
    raw: str


def records(path: Path, *, chunk: int = 5000) -> Iterator[Record]:
    """The records of a CSV, TSV, JSONL or Parquet file, plain or packed as .gz or .zst.

    The file is read as a stream; of Parquet, `chunk` rows at a time. Texts are UTF-8, with or
    without a byte order mark. A line that cannot be read is a record with a fault, and reading
    goes on behind it. Of a file that breaks off, the records before the break are delivered.

    Raises InputError, with what to do, where the file as a whole cannot be read.
    """
    try:
        path.open("rb").close()
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file: check its name") from error
    except IsADirectoryError as error:
        raise InputError(f"{path}: is a folder: give the files in it, one by one") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    kind, packing = _kind(path)
    return _guarded(path, kind, packing, chunk)


def write(path: Path, content: str | bytes) -> None:
    """Make or replace a file in one step; its folder is made where it is missing.

    Until the new content is safe on the disk, the old file stays as it is. Raises LabelerError
    where the disk is full or the folder cannot be written.
    """
    write_parts(path, [content])


def write_parts(path: Path, parts: Iterable[str | bytes]) -> None:
    """`write`, of a content that comes in parts and need not fit in memory."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with fresh.open("xb") as file:
                for part in parts:
                    file.write(part.encode("utf-8") if isinstance(part, str) else part)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritten(path, error, "the old file, if there was one, is unchanged") from error


def copy(source: Path, path: Path) -> None:
    """A copy of a file, whole or not at all."""
    try:
        with source.open("rb") as file:
            write_parts(path, iter(lambda: file.read(BUFFER), b""))
    except OSError as error:
        raise InputError(f"{source}: cannot be read: {error.strerror}") from error


def read_text(path: Path) -> str:
    """The text of a small UTF-8 file. Raises InputError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 at byte {error.start}: convert it") from error


def append_line(path: Path, text: str) -> None:
    """Add a line, or several with LF between them, at the end of a file; it is made if missing.

    Raises LabelerError where the disk is full or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(f"{text}\n".encode())
    except OSError as error:
        raise _unwritten(path, error, "its last lines may be missing") from error


def remove(path: Path) -> None:
    """Take a file away; one that is not there is no error."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise LabelerError(f"{path}: cannot be taken away: {error.strerror}") from error


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits. Raises InputError if unreadable."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _unwritten(path: Path, error: OSError, state: str) -> LabelerError:
    if error.errno in _FULL:
        return LabelerError(
            f"{path}: no space left to write it; {state}: free some space and run again"
        )
    return LabelerError(f"{path}: cannot be written: {error.strerror}; {state}")


def _kind(path: Path) -> tuple[str, str]:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packing = suffixes.pop() if suffixes and suffixes[-1] in (".gz", ".zst") else ""
    kind = suffixes[-1] if suffixes else ""
    if kind == ".json":
        raise InputError(
            f"{path}: JSONL is wanted, one record a line: convert it (jq -c '.[]') and name it "
            ".jsonl"
        )
    if kind not in ENDINGS:
        raise InputError(
            f"{path}: the ending does not say what it is: name it {', '.join(ENDINGS)}, "
            "with .gz or .zst behind it where it is packed"
        )
    return kind, packing


def _guarded(path: Path, kind: str, packing: str, chunk: int) -> Iterator[Record]:
    try:
        with path.open("rb") as file, closing(unpacked(file, packing)) as stream:
            if kind == ".parquet":
                yield from _parquet(path, stream, chunk)
            else:
                skip_mark(path, stream)
                if kind in (".csv", ".tsv"):
                    yield from _csv(path, stream, "\t" if kind == ".tsv" else ",")
                else:
                    yield from _jsonl(stream)
    except BROKEN as error:
        raise InputError(
            f"{path}: broken or cut short ({error}); records before the break, if any, were read: "
            "fetch the file again and run again"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _jsonl(stream: io.BufferedReader) -> Iterator[Record]:
    loads = json.loads
    lines = Lines(stream)
    for text in lines:
        line, fault = lines.line, lines.fault
        lines.forget()
        if fault:
            yield Record(line, None, fault, text)
            continue
        if text.isspace():
            continue
        raw = text.rstrip("\r\n")
        try:
            content = loads(raw)
        except RecursionError:
            yield Record(line, None, "broken JSON: nested too deeply", raw)
            continue
        except ValueError as error:
            yield Record(line, None, f"broken JSON: {error}", raw)
            continue
        if isinstance(content, dict):
            yield Record(line, content, "", raw)
        else:
            yield Record(line, None, f"not a JSON object: {type(content).__name__}", raw)


def _csv(path: Path, stream: io.BufferedReader, delimiter: str) -> Iterator[Record]:
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST))
    lines = Lines(stream)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] = []
    while True:
        try:
            fields = next(rows)
            fault = lines.fault
        except StopIteration:
            return
        except csv.Error as error:
            lines.give_back()
            fields = []
            fault = lines.fault or f"broken CSV: {error}: is a quote opened and not closed?"
        if not fields and not fault:
            lines.forget()
            continue
        if not header:
            header = _header(f"{path}: line {lines.line}", fields, fault)
        elif fault or len(fields) != len(header):
            fault = fault or f"{len(fields)} fields where the header names {len(header)}"
            yield Record(lines.line, None, fault, lines.raw)
        else:
            content: dict[str, object] = dict(zip(header, fields, strict=True))
            yield Record(lines.line, content, "", lines.raw)
        lines.forget()


def _header(place: str, names: list[str], fault: str) -> list[str]:
    if fault:
        raise InputError(f"{place}, the header: {fault}")
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise InputError(f"{place}: two columns are called {repeated[0]!r}: rename one")
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        raise InputError(
            f"{place}: its columns are not separated by commas: save it with commas, or name it "
            ".tsv where tabs separate them"
        )
    return names


def _parquet(path: Path, stream: io.BufferedReader, chunk: int) -> Iterator[Record]:
    with tempfile.TemporaryFile() as whole:
        source: BinaryIO | io.BufferedReader = stream
        if not isinstance(stream.raw, io.FileIO):
            shutil.copyfileobj(stream, whole, BUFFER)
            source = whole
        try:
            file = pq.ParquetFile(source, buffer_size=BUFFER, pre_buffer=False)
            repeated = [n for n in file.schema_arrow.names if file.schema_arrow.names.count(n) > 1]
            if repeated:
                raise InputError(f"{path}: two columns are called {repeated[0]!r}: rename one")
            line = 1
            for batch in file.iter_batches(batch_size=chunk):
                yield from _rows(batch, line)
                line += len(batch)
        except pa.ArrowException as error:
            raise InputError(f"{path}: broken, or not Parquet: {error}") from error


def _rows(batch: pa.RecordBatch, line: int) -> Iterator[Record]:
    try:
        for place, content in enumerate(batch.to_pylist()):
            yield Record(line + place, content, "", "")
    except UnicodeDecodeError as error:
        if len(batch) == 1:
            yield Record(line, None, f"not UTF-8: {error.reason}", "")
            return
        for place in range(len(batch)):
            yield from _rows(batch.slice(place, 1), line + place)
