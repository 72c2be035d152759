"""What cells mean: sets in any notation, one spelling a code. All codings are made up."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from labeler import hints
from labeler.errors import InputError
from labeler.files.coded_cells import CellReading, CellSettings, read_cells
from labeler.files.spreadsheets import TableSettings, codings


def read(
    *rows: tuple[str, str], level: str = "nominal", wish: CellSettings | None = None, **more: str
) -> CellReading:
    """What two coders gave, a row a unit, from line 2 on."""
    cells = [
        {"unit": f"u{line}", "coder": coder, "value": value, "line": line, "column": coder}
        for line, row in enumerate(rows, start=2)
        for coder, value in zip(("ada", "ben"), row, strict=True)
        if value
    ]
    frame = pd.DataFrame(cells).astype({"unit": "str", "coder": "str", "value": "str"})
    return read_cells(frame, level=level, wish=wish, source="t.csv", domain=more.get("domain", ""))


def values(reading: CellReading) -> list[str]:
    return reading.codings["value"].tolist()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("caf\u00e9", "cafe\u0301"),
        ("yes", "yes\u200b"),
        ("very warm", "very\u00a0 warm"),
        ("Yes", "yes"),
        ("TRUE", "True"),
        ("01", "1"),
        ("1.5", "1.50"),
        ("-0", "0"),
        ("A", "a"),  # nobody uses both
    ],
)
def test_one_code_in_two_spellings_is_one_code(one: str, other: str) -> None:
    """Where each coder has a spelling of their own, the two agree, and it is said."""
    found = read((one, other), ("other", "other"))
    first, second, *_ = values(found)
    assert first == second
    assert len(found.codes) == 2
    assert found.apart == []
    assert found.remarks or one == "-0"


@pytest.mark.parametrize(("one", "other"), [("01", "1"), ("A", "a"), ("1.5", "1.50")])
def test_spellings_that_a_coder_tells_apart_stay_apart_and_are_named(one: str, other: str) -> None:
    """A coder who uses both may mean two codes: they stay as written, and are named as a pair."""
    found = read((one, one), (other, one))
    assert values(found) == [one, one, other, one]
    assert found.apart == [(one, other)]
    same = read((one, one), (other, one), wish=CellSettings(recode=((other, one),)))
    assert (set(values(same)), same.apart) == ({one}, [])


def test_numbers_have_one_rank_and_declared_codes_stay() -> None:
    """At ordinal level 01 and 1 are one rank whoever uses both; a domain may hold both A and a."""
    assert read(("01", "1"), ("1", "2"), level="ordinal").codes == ["1", "2"]
    assert read(("A", "a"), ("a", "a"), domain="Aa").codes == ["A", "a"]
    assert values(read(("yes", "YES"), domain=["Yes", "No"])) == ["Yes", "Yes"]  # type: ignore[arg-type]


@pytest.mark.parametrize("sign", [";", "; ", "|", ",", ", ", "+", " + "])
@pytest.mark.parametrize("level", ["masi", "jaccard"])
def test_sets_in_any_notation(sign: str, level: str) -> None:
    """a;b and b;a are one set, whatever stands between."""
    found = read((f"a{sign}b", f"b{sign}a"), ("a", f"c{sign}a"), level=level)
    assert values(found) == ["a+b", "a+b", "a", "a+c"]


def test_sets_as_json_and_as_label_studio_has_them() -> None:
    """Lists and choices are sets at any level; the empty one is the set without a code."""
    rows = (('["b", "a"]', '{"choices": ["a", "b"]}'), ("[]", "+"), ('["a, or b"]', "a"))
    assert values(read(*rows, level="masi")) == ["a+b", "a+b", "", "", "a, or b", "a"]
    assert values(read(*rows))[:2] == ["a+b", "a+b"]


def test_two_separators_are_asked_about() -> None:
    """A comma inside of codes beside a semicolon: which separates is said, or asked."""
    rows = (("hope, joy;fear", "fear;hope, joy"), ("fear", "fear"))
    with pytest.raises(InputError, match="which of ; and , separates") as told:
        read(*rows, level="masi")
    assert told.value.hint == hints.SEPARATOR_OF_SETS
    found = read(*rows, level="masi", wish=CellSettings(separator=";"))
    assert found.codes == ["fear", "hope, joy"]


def test_sets_at_a_level_of_single_codes_are_told() -> None:
    """a;b and b;a count as two codes at nominal level, and that is said."""
    (remark,) = read(("a;b", "b;a")).remarks
    assert "'a;b' and 'b;a' count as two codes" in remark


@pytest.mark.parametrize("broken", ["#NAME?", "#REF!", "#DIV/0!", "#N/A"])
def test_an_error_of_a_spreadsheet_is_no_code(tmp_path: Path, broken: str) -> None:
    """Of CSV and workbook alike; it can be said that such a cell is not coded."""
    rows = [["id", "ada", "ben"], *([f"p{n}", "ab"[n % 2], "ab"[n % 2]] for n in range(6))]
    rows[2][2] = broken
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.active["C3"].data_type = "e"
    book.save(tmp_path / "t.xlsx")
    (tmp_path / "t.csv").write_text("\n".join(map(",".join, rows)), "utf-8")
    for name in ("t.xlsx", "t.csv"):
        given = TableSettings(tmp_path / name)
        with pytest.raises(InputError) as told:
            read_cells(codings(given).codings, level="nominal", source=name)
        assert str(told.value).startswith(f"{name}: line 3, column 'ben': {broken} is an error")
        left = codings(given._replace(missing=(broken,))).codings
        assert len(read_cells(left, level="nominal", source=name).codings) == 11


@pytest.mark.parametrize("made", ["3-Apr", "Apr-03", "2024-04-03", "03. Mär"])
def test_a_date_among_codes_is_what_a_spreadsheet_made_of_one(made: str) -> None:
    """3-4 becomes the third of April; a variable of dates may have them."""
    rows = [("1-2", "1-2"), ("3-4", made), ("5-6", "5-6")]
    with pytest.raises(InputError, match=r"line 3, column 'ben': .* is a date"):
        read(*rows)
    assert values(read(*rows, wish=CellSettings(recode=((made, "3-4"),))))[2:4] == ["3-4", "3-4"]
    assert len(read((made, made), (made, made)).codings) == 4
