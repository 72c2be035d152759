"""Records are read as a stream; files are written whole or not at all. All texts are made up."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import random
import tracemalloc
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from labeler.errors import InputError, LabelerError
from labeler.files import records
from labeler.files.lines import LONGEST

ROWS = [{"text": f"made up {n} 😀\nsecond line", "id": str(n)} for n in range(7)]


def jsonl(rows=ROWS):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def table(rows=ROWS, **form):
    sheet = io.StringIO(newline="")
    writer = csv.DictWriter(sheet, ["text", "id"], **form)
    writer.writeheader()
    writer.writerows(rows)
    return sheet.getvalue().encode()


def parquet(rows=ROWS, **form):
    sheet = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sheet, **form)
    return sheet.getvalue()


def contents(path, **more):
    return [record.content for record in records.records(path, **more)]


PLAIN = {
    ".jsonl": jsonl(),
    ".ndjson": jsonl(),
    ".csv": table(),
    ".tsv": table(delimiter="\t"),
    ".parquet": parquet(),
}
PACK = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}


@pytest.mark.parametrize("ending", PLAIN)
@pytest.mark.parametrize("packing", PACK)
def test_every_kind_gives_the_same_records(tmp_path, ending, packing):
    """CSV, TSV, JSONL and Parquet, plain or packed, hold the same rows."""
    path = tmp_path / f"made.up{ending}{packing}"
    path.write_bytes(PACK[packing](PLAIN[ending]))
    assert contents(path, chunk=3) == ROWS


def test_lines_and_raw_text(tmp_path):
    """A record names the line it starts on, and carries its text as it stands."""
    path = tmp_path / "a.csv"
    path.write_bytes(b'text,id\r\n\r\n"one\r\ntwo",1\r\nthree,2')
    made = list(records.records(path))
    assert [(record.line, record.raw) for record in made] == [(3, '"one\r\ntwo",1'), (5, "three,2")]
    assert made[0].content == {"text": "one\r\ntwo", "id": "1"}
    other = tmp_path / "a.jsonl"
    other.write_bytes(b'{"a": 1}\r\n\n{"a": 2}')
    assert [(r.line, r.raw) for r in records.records(other)] == [(1, '{"a": 1}'), (3, '{"a": 2}')]


def test_bad_json_lines_are_faults_and_reading_goes_on(tmp_path):
    """Broken, undecodable, deep and non-object lines are told apart, with their text."""
    path = tmp_path / "a.jsonl"
    lines = [b'{"a": 1}', b'{"a": ', b'{"a": "\xe9"}', b"[1]", b"[" * 100_000, b"9" * 5000]
    path.write_bytes(b"\n".join([*lines, b'{"a": 2}']))
    made = list(records.records(path))
    assert [record.line for record in made] == list(range(1, 8))
    assert [record.content for record in made if record.content] == [{"a": 1}, {"a": 2}]
    faults = [record.fault for record in made]
    assert faults[1].startswith("broken JSON: ")
    assert faults[2].startswith("not UTF-8 (byte 8 of its line is 0xe9): convert")
    assert faults[3] == "not a JSON object: list"
    assert faults[4] == "broken JSON: nested too deeply"
    assert faults[5].startswith("broken JSON: ")
    assert made[1].raw == '{"a": '
    assert "\\xe9" in made[2].raw


def test_bad_csv_records_are_faults_and_reading_goes_on(tmp_path):
    """A wrong number of fields, bytes that are not UTF-8 and stray quotes cost one record each."""
    path = tmp_path / "a.csv"
    path.write_bytes(
        b'text,id\nfine,1\ntoo,many,3\ncaf\xe9,4\n"said "hi" there",5\n"a\nb",6\nshort\nfine,8\n'
    )
    made = list(records.records(path))
    assert [record.content["id"] for record in made if record.content] == ["1", "6", "8"]
    faults = {record.line: record.fault for record in made if record.fault}
    assert list(faults) == [3, 4, 5, 8]
    assert faults[3] == "3 fields where the header names 2"
    assert faults[4].startswith("not UTF-8")
    assert faults[5].startswith("broken CSV")
    assert faults[8] == "1 fields where the header names 2"


@pytest.mark.parametrize("last", [b"", b'"quoted",9\n'])
def test_an_open_quote_costs_one_record(tmp_path, last):
    """A quote that is never closed does not swallow the records behind it."""
    path = tmp_path / "a.csv"
    path.write_bytes(b'text,id\n"open,1\n' + b"fine,2\n" * 3 + last)
    made = list(records.records(path))
    assert [record.line for record in made if record.fault] == [2]
    assert made[0].raw == '"open,1'
    assert [record.line for record in made if record.content] == [3, 4, 5, *([6] if last else [])]


def test_huge_fields_are_read_and_monstrous_lines_are_not(tmp_path):
    """A field of a megabyte is read; a line beyond the limit is a fault, and reading goes on."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"text,id\n" + b"x" * 1_000_000 + b",1\n")
    assert len(contents(path)[0]["text"]) == 1_000_000
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": "' + b"x" * (LONGEST + 5) + b'"}\n{"a": 2}\n')
    long, short = records.records(path)
    assert long.fault.startswith("longer than")
    assert len(long.raw) < 2000
    assert (short.line, short.content) == (2, {"a": 2})


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_byte_order_marks(tmp_path, ending):
    """The mark of UTF-8 is stepped over; that of UTF-16 tells to convert the file."""
    path = tmp_path / f"a{ending}"
    path.write_bytes(b"\xef\xbb\xbf" + PLAIN[ending])
    assert contents(path) == ROWS
    path.write_text("text,id\na,1\n", encoding="utf-16")
    with pytest.raises(InputError, match=r"a\..*: is UTF-16 or UTF-32: convert it to UTF-8"):
        contents(path)


UNPACK = {
    ".gz": lambda: zlib.decompressobj(wbits=31),
    ".zst": lambda: zstandard.ZstdDecompressor().decompressobj(),
}


@pytest.mark.parametrize("size", [3_000, 300])
@pytest.mark.parametrize("packing", UNPACK)
def test_cut_files_give_what_they_have_and_say_so(tmp_path, packing, size):
    """Of a packed file that breaks off, every whole line before the break comes, then the error."""
    rows = [{"text": random.Random(n).randbytes(400).hex()} for n in range(size)]
    packed = PACK[packing](jsonl(rows))
    packed = packed[: len(packed) * 3 // 4]
    whole = UNPACK[packing]().decompress(packed).count(b"\n")
    path = tmp_path / f"a.jsonl{packing}"
    path.write_bytes(packed)
    made = []
    with pytest.raises(InputError, match=r"cut short.*fetch the file again"):
        for record in records.records(path):
            made.append(record.content)
    assert size / 3 < whole < size
    assert made == rows[:whole]


@pytest.mark.parametrize("ending", [".jsonl.gz", ".jsonl.zst", ".parquet", ".parquet.gz"])
def test_files_that_are_not_what_they_say(tmp_path, ending):
    """A file whose bytes do not fit its ending is an InputError that names it."""
    path = tmp_path / f"a{ending}"
    path.write_bytes(b"made up, and plain")
    with pytest.raises(InputError, match=r"a\.(jsonl|parquet).*: broken"):
        contents(path)


def test_zst_of_several_frames(tmp_path):
    """Files made by packing in parts are read to the end."""
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(b"".join(zstandard.compress(jsonl([row])) for row in ROWS))
    assert contents(path) == ROWS


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none.csv", "there is no such file"),
        ("folder.csv", "is a folder: give the files in it"),
        ("a.json", "JSONL is wanted, one record a line"),
        ("a.json.gz", "JSONL is wanted"),
        ("a.xlsx", "the ending does not say what it is: name it .csv"),
        ("a.zst", "the ending does not say what it is"),
    ],
)
def test_refusals_come_at_once_and_say_what_to_do(tmp_path, name, reason):
    """What cannot be read at all is refused by the call itself, before any record is asked for."""
    (tmp_path / "folder.csv").mkdir()
    for made in ("a.json", "a.json.gz", "a.xlsx", "a.zst"):
        (tmp_path / made).touch()
    with pytest.raises(InputError, match=reason):
        records.records(tmp_path / name)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"text,text\n", "two columns are called 'text'"),
        (b"text;id\na;1\n", "not separated by commas"),
        (b"t\xe9xt,id\n", "line 1, the header: not UTF-8"),
    ],
)
def test_headers_that_cannot_be_used(tmp_path, head, reason):
    """A header that names columns twice, or is no header, is an error of the file."""
    path = tmp_path / "a.csv"
    path.write_bytes(head)
    with pytest.raises(InputError, match=reason):
        contents(path)


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".csv.gz"])
def test_empty_files_hold_no_records(tmp_path, ending):
    """An empty file is read, and holds nothing."""
    path = tmp_path / f"a{ending}"
    path.write_bytes(gzip.compress(b"") if ending.endswith("gz") else b"")
    assert contents(path) == []


def test_parquet_text_that_is_not_utf8_costs_one_row(tmp_path):
    """A text column with bad bytes loses that row only; lines count rows from 1."""
    bad = pa.array([b"fine", b"caf\xe9", b"fine"]).view(pa.string())
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": bad}), path)
    made = list(records.records(path))
    assert [record.content for record in made] == [{"text": "fine"}, None, {"text": "fine"}]
    assert (made[1].line, made[1].fault.startswith("not UTF-8")) == (2, True)


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=5))
def test_csv_of_any_text_comes_back(tmp_path_factory, pairs):
    """What the csv module writes is read unchanged: quotes, line ends and all."""
    rows = [
        {"text": a.encode(errors="ignore").decode(), "id": b.encode(errors="ignore").decode()}
        for a, b in pairs
    ]
    path = tmp_path_factory.mktemp("any") / "a.csv"
    path.write_bytes(table(rows, quoting=csv.QUOTE_ALL))
    assert contents(path) == rows


@pytest.mark.parametrize("ending", [".jsonl.gz", ".csv"])
def test_memory_does_not_grow_with_the_file(tmp_path, ending):
    """With full buffers, three times as many records take no more memory (within 100 kB)."""
    peaks = {}
    for size in (5_000, 15_000):
        path = tmp_path / f"{size}{ending}"
        rows = [{"text": "made up " * 40, "id": str(n)} for n in range(size)]
        path.write_bytes(gzip.compress(jsonl(rows), 1) if ending.endswith("gz") else table(rows))
        del rows
        tracemalloc.start()
        assert sum(1 for record in records.records(path) if record.content) == size
        peaks[size] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[15_000] - peaks[5_000] < 100_000


def test_write_makes_folders_and_replaces(tmp_path):
    """A file is made with its folder, then replaced; nothing else is left behind."""
    path = tmp_path / "new" / "a.txt"
    records.write(path, "æ\n")
    records.write(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    assert [left.name for left in path.parent.iterdir()] == ["a.txt"]


def test_a_full_disk_is_named_when_appending():
    """A device that is always full is told as such."""
    with pytest.raises(LabelerError, match="/dev/full: no space left"):
        records.append_line(Path("/dev/full"), "made up")


def test_write_into_a_file_as_folder_is_refused(tmp_path):
    """A path that leads through a file cannot be written, and the message says why."""
    (tmp_path / "a").touch()
    with pytest.raises(LabelerError, match="cannot be written: "):
        records.write(tmp_path / "a" / "b.txt", "made up")


def test_append_line_and_digest(tmp_path):
    """Lines follow each other, and the digest is the SHA-256 of the bytes."""
    path = tmp_path / "rejected" / "a.jsonl"
    records.append_line(path, "one")
    records.append_line(path, "two\nthree")
    assert path.read_text() == "one\ntwo\nthree\n"
    assert records.digest(path) == hashlib.sha256(b"one\ntwo\nthree\n").hexdigest()
    with pytest.raises(InputError, match="none: cannot be read"):
        records.digest(tmp_path / "none")
