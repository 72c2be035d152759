"""Cells of imported tables, and exports of Label Studio as such. All codings are made up."""

from __future__ import annotations

import pandas as pd
import pytest
from builders import book, choice, numeric

from labeler import hints
from labeler.coding.import_cells import exported_annotations, readable_values
from labeler.coding.wide_tables import TableRoles, long_rows
from labeler.errors import InputError
from labeler.files.coded_cells import CellSettings

BOOK = book(
    choice("tone", "warm cold"),
    choice("themes", "sun rain fog", multiple=True),
    choice("kinds", "a b", multiple=True, applies_when={"themes": ["sun"]}),
    numeric("degrees", -50, 50),
    choice("part_tone", "warm cold", of="segment"),
)


def table(**columns: list[str]) -> pd.DataFrame:
    """A table as it is read: text, from line 2 on."""
    lines = range(2, 2 + len(next(iter(columns.values()))))
    return pd.DataFrame(columns, index=pd.Index(lines, name="line"), dtype="str")


def read(variable: str, *cells: str, wish: CellSettings | None = None) -> list[str]:
    """The values of one variable, as they are read from a long table."""
    given = table(variable=[variable] * len(cells), value=list(cells))
    found = readable_values(given, BOOK, wish or CellSettings(), column="value", source="t.csv")
    assert list(found.index) == list(given.index)
    return found["value"].tolist()


@pytest.mark.parametrize("sign", [";", ",", "|", " + "])
def test_sets_in_any_notation(sign: str) -> None:
    """As in any table of codings; a variable of single codes has no sets."""
    assert read("themes", f"sun{sign}rain", "fog", "", "+") == ["sun+rain", "fog", "", "+"]
    assert read("tone", "warm;cold", "warm") == ["warm;cold", "warm"]


def test_json_and_other_names_of_codes() -> None:
    """Lists, choices and numbers as Label Studio has them; also swapped names of codes."""
    cells = ('["sun", "rain"]', '{"choices": ["fog"]}', "[]", "sun")
    assert read("themes", *cells) == ["sun+rain", "fog", "+", "sun"]
    assert read("degrees", '[{"number": 3.5}]', "4") == ["3.5", "4"]
    swap = CellSettings(recode=(("sun", "rain"), ("rain", "sun"), ("x", "")))
    assert read("themes", "sun", "sun;rain", "x", "fog;x", wish=swap) == [
        "rain",
        "rain+sun",
        "",
        "fog",
    ]


@pytest.mark.parametrize("broken", ["#NAME?", "#N/A", "2024-03-04", "4-Mar"])
def test_broken_cells_are_refused_with_their_line(broken: str) -> None:
    """What a spreadsheet broke is no code; said by --map it is what was meant."""
    with pytest.raises(InputError, match=f"line 3, column 'value': {broken[:3]}") as told:
        read("tone", "warm", broken, "cold", "cold")
    assert told.value.hint == hints.BROKEN_CELLS.about(text=f"'{broken}'")
    assert read("tone", "warm", broken, wish=CellSettings(recode=((broken, ""),))) == ["warm", ""]


def test_two_separators_are_asked_about() -> None:
    with pytest.raises(InputError, match=r"which of ; and , separates"):
        read("themes", "sun;rain", "fog,sun")
    assert read("themes", "sun;rain", "fog", wish=CellSettings(";")) == ["sun+rain", "fog"]


def exported(**columns: list[str]) -> pd.DataFrame:
    """An export as CSV: the columns that all have, sorted by name."""
    size = len(next(iter(columns.values())))
    own = {"annotation_id": [str(n) for n in range(size)], "lead_time": ["2.5"] * size}
    own |= dict.fromkeys(["id", "created_at", "updated_at"], ["1"] * size)
    own |= {"annotator": ["ada@example.org", "Ben@example.org"] * (size // 2)}
    every = {**own, **columns}
    return table(**{name: every[name] for name in sorted(every)})


def test_an_export_has_a_column_a_variable() -> None:
    """No ticked box is the empty set where the question applies; codes of regions are none."""
    given = exported(
        unit=["u1", "u1", "u2", "u2"],
        text=["Post"] * 4,
        tone=["warm", "cold", "warm", ""],
        themes=["sun", '{"choices": ["sun", "rain"]}', "", "rain"],
        kinds=["", "a", "", ""],
        part_tone=["warm", '["warm", "cold"]', "", ""],
        segment=['[{"start": 0, "end": 2, "labels": ["part"]}]', "", "", ""],
    )
    flat = exported_annotations(given, BOOK, source="t.csv")
    roles = TableRoles({"unit": "unit", "coder": "coder"})
    rows = readable_values(
        long_rows(flat, roles, BOOK, source="t.csv"), BOOK, CellSettings(), source="t.csv"
    )
    assert rows[["unit", "coder", "variable", "value"]].values.tolist() == [
        ["u1", "ada@example.org", "tone", "warm"],
        ["u1", "ada@example.org", "themes", "sun"],
        ["u1", "ada@example.org", "kinds", "+"],
        ["u1", "Ben@example.org", "tone", "cold"],
        ["u1", "Ben@example.org", "themes", "sun+rain"],
        ["u1", "Ben@example.org", "kinds", "a"],
        ["u2", "ada@example.org", "tone", "warm"],
        ["u2", "ada@example.org", "themes", "+"],
        ["u2", "Ben@example.org", "themes", "rain"],
    ]


def test_what_nobody_annotated_is_no_row_and_other_tables_stay() -> None:
    given = exported(unit=["u1", "u2"], tone=["warm", ""])
    given.loc[3, ["annotation_id", "annotator"]] = ""
    assert list(exported_annotations(given, BOOK, source="t.csv").index) == [2]
    other = table(unit=["u1"], annotator=["ada"], tone=["warm"])
    assert exported_annotations(other, BOOK, source="t.csv") is other
