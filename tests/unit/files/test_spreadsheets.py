"""Tables of codings from CSV, TSV, Excel and Parquet. All codings are made up."""

from __future__ import annotations

import gzip
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from labeler.errors import InputError
from labeler.files import spreadsheets
from labeler.files.spreadsheets import TableSettings

TABLE = "id,ada,ben\np1,10,10\np2,,2\np3,2,10\n"


def put(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def workbook(path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", TABLE),
        ("t.csv", TABLE.replace("\n", "\r\n")),
        ("t.csv", "\ufeff" + TABLE),
        ("t.csv", TABLE.replace(",", ";")),
        ("t.txt", TABLE.replace(",", "\t")),
        ("t.tsv", TABLE.replace(",", "\t").encode("utf-16")),
        ("t.csv.gz", gzip.compress(TABLE.encode(), mtime=0)),
    ],
)
def test_texts_are_the_same_table_however_saved(
    tmp_path: Path, name: str, content: str | bytes
) -> None:
    """Comma, semicolon, tab, CRLF, a mark, UTF-16 and gzip make no difference."""
    found = spreadsheets.read(put(tmp_path / name, content))
    assert found.to_dict("list") == {
        "id": ["p1", "p2", "p3"],
        "ada": ["10", "", "2"],
        "ben": ["10", "2", "10"],
    }
    assert list(found.index) == [2, 3, 4]


def test_numbers_of_workbook_and_parquet_are_the_texts_of_a_csv(tmp_path: Path) -> None:
    """A 10 that a gap turned into 10.0, the text 10 and the number 10 are one text."""
    rows: list[list[object]] = [
        ["id", "ada", "ben"],
        ["p1", 10.0, "10"],
        ["p2", None, 2],
        ["p3", 2, 10],
    ]
    whole = pd.DataFrame({"id": ["p1", "p2", "p3"], "ada": [10, None, 2], "ben": ["10", "2", "10"]})
    assert whole["ada"].dtype == "float64"
    whole.to_parquet(tmp_path / "t.parquet")
    wanted = spreadsheets.read(put(tmp_path / "t.csv", TABLE)).to_dict("list")
    assert spreadsheets.read(tmp_path / "t.parquet").to_dict("list") == wanted
    found = spreadsheets.read(workbook(tmp_path / "t.xlsx", one=rows, two=[]))
    assert found.to_dict("list") == wanted
    assert list(found.index) == [2, 3, 4]


def test_a_line_is_where_its_row_starts(tmp_path: Path) -> None:
    """Blank lines and cells of several lines are counted as an editor counts them."""
    path = put(tmp_path / "t.csv", 'id,ada\n\np1,"a\nb"\np2,c\n')
    assert list(spreadsheets.read(path).index) == [3, 5]


def test_columns_and_rows_that_hold_nothing_are_no_part_of_a_table(tmp_path: Path) -> None:
    """Spreadsheets leave empty columns and rows behind."""
    path = put(tmp_path / "t.csv", "id;ada;;\np1;a;;\n")
    assert list(spreadsheets.read(path)) == ["id", "ada"]
    path = put(tmp_path / "t.csv", ",ada\n0,a\n")  # as pandas writes its index
    assert list(spreadsheets.read(path)) == ["index", "ada"]
    rows: list[list[object]] = [["id", "ada"], ["p1", "a"], [None, None], ["p2", "b"]]
    found = spreadsheets.read(workbook(tmp_path / "t.xlsx", one=rows))
    assert list(found.index) == [2, 4]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.doc", "", "the ending does not say"),
        ("none.csv", None, "no such file"),
        ("t.csv", "", "is empty"),
        ("t.csv", "a,a\n1,2\n", "two columns are called 'a'"),
        ("t.csv", "a,,\n1,2,3\n", "column 2 has no name"),
        ("t.csv", "a,b\n1,2\n3\n4,5,6\n", "line 3: 1 fields where the header names 2"),
        ("t.csv", 'a,b\n1,"2\n', "line 2: broken CSV"),
        ("t.csv", "a,b\n1,2\n\u00e9,3\n".encode("latin-1"), "line 3: not UTF-8 (byte 0xe9)"),
        ("t.csv.gz", gzip.compress(TABLE.encode(), mtime=0)[:-9], "broken or cut short"),
        ("t.xlsx", TABLE, "broken, locked, or no workbook"),
        ("t.parquet", TABLE, "broken, or not Parquet"),
    ],
)
def test_what_is_no_table_is_refused_in_words(
    tmp_path: Path, name: str, content: str | bytes | None, words: str
) -> None:
    """The message names the file, the line where there is one, and what is wrong."""
    if content is not None:
        put(tmp_path / name, content)
    with pytest.raises(InputError) as told:
        spreadsheets.read(tmp_path / name)
    assert words in str(told.value)
    assert name in str(told.value)


def test_which_sheet_is_asked_where_several_are_filled(tmp_path: Path) -> None:
    """No sheet is taken silently, and an unknown one is named with those there are."""
    rows: list[list[object]] = [["ada", "ben"], ["a", "b"]]
    path = workbook(tmp_path / "t.xlsx", one=rows, two=rows)
    with pytest.raises(InputError, match="2 sheets are filled"):
        spreadsheets.read(path)
    assert len(spreadsheets.read(path, sheet="two")) == 1
    with pytest.raises(InputError, match="'three'; there are: one, two"):
        spreadsheets.read(path, sheet="three")


def test_one_variable_of_a_long_export(tmp_path: Path) -> None:
    """`where` picks the rows of a variable, `missing` says which texts mean not coded."""
    path = put(
        tmp_path / "t.csv",
        "unit,coder,variable,value\np1,ada,tone,good\np1,ada,topic,sun\np1,ben,tone,NA\n",
    )
    long = TableSettings(path, unit="unit", coder="coder", value="value", missing=("NA",))
    found = spreadsheets.codings(long._replace(where=(("variable", "tone"),))).codings
    assert found.to_dict("records") == [
        {"unit": "p1", "coder": "ada", "value": "good", "line": 2, "column": "value"}
    ]
    with pytest.raises(InputError, match="no row has variable=mood; there are: tone, topic"):
        spreadsheets.codings(long._replace(where=(("variable", "mood"),)))


def test_a_large_table_is_the_same_however_it_is_read(tmp_path: Path) -> None:
    """Read by columns where no quote stands in it, and row by row where one does: equal cells."""
    rows = [f"p{n}, a ,{'b' if n % 3 else ''}" for n in range(120_000)]
    plain = spreadsheets.read(put(tmp_path / "t.csv", "\n".join(["id,ada,ben", *rows]) + "\n"))
    rows[7] = 'p7,"a",b'
    quoted = spreadsheets.read(put(tmp_path / "q.csv", "\r\n".join(["id,ada,ben", *rows])))
    assert (tmp_path / "t.csv").stat().st_size > 1_000_000
    pd.testing.assert_frame_equal(plain, quoted, check_index_type=False)
    assert (list(plain.index[:2]), list(plain.iloc[0])) == ([2, 3], ["p0", "a", ""])
    rows[9] = "p9,a"
    with pytest.raises(InputError, match="line 11: 2 fields where the header names 3"):
        spreadsheets.read(put(tmp_path / "s.csv", "\n".join(["id,ada,ben", *rows])))
