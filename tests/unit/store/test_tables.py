"""Frames that fit their tables, and what is refused."""

from __future__ import annotations

import pandas as pd
import pytest
from sqlalchemy import Float, Integer, Text

from labeler.errors import TableError
from labeler.store import tables

KINDS = {Text: "str", Integer: "Int64", Float: "float64"}
CODING = {"codebook": "k", "unit": "u", "coder": "human:ada", "replicate": 1, "variable": "mood"}
ALL = sorted(tables.METADATA.tables)


@pytest.mark.parametrize("name", ALL)
def test_an_empty_frame_has_the_columns_and_types_of_its_table(name):
    """No row still means every column, each with its type."""
    table = tables.METADATA.tables[name]
    empty = tables.frame(table)
    assert list(empty.columns) == tables.columns(table)
    assert [str(kind) for kind in empty.dtypes] == [
        KINDS[type(column.type)] for column in table.columns
    ]


def test_missing_texts_are_empty_and_missing_numbers_missing():
    """A text is never missing, it is ''; a number may be."""
    row = tables.frame(tables.TASKS, [{"batch": "b", "arm": "blind", "coder": "c", "unit": "u"}])
    assert pd.isna(row["position"].iloc[0])
    assert pd.isna(row["unit_probability"].iloc[0])
    assert tables.frame(tables.CODINGS, [CODING])["segment"].tolist() == [""]
    none = tables.frame(tables.CODINGS, [{**CODING, "segment": None, "value": None}])
    assert none[["segment", "value"]].to_numpy().tolist() == [["", ""]]


def test_texts_of_a_column_without_any_are_empty():
    """A column of which pandas made numbers, since all of it is missing, is as good as none."""
    frame = pd.DataFrame([{**CODING, "value": float("nan")}])
    assert tables.frame(tables.CODINGS, frame)["value"].tolist() == [""]


def test_a_frame_of_a_frame_is_the_same():
    """What fits already stays as it is."""
    once = tables.frame(tables.CODINGS, [CODING, {**CODING, "unit": "v"}])
    pd.testing.assert_frame_equal(tables.frame(tables.CODINGS, once), once)


def test_an_unknown_column_is_named():
    """A misspelt column is refused by its name."""
    with pytest.raises(TableError, match="table codings: no column is called 'item_id'"):
        tables.frame(tables.CODINGS, [{**CODING, "item_id": 1}])


@pytest.mark.parametrize("wrong", ["one", 1.5, [1]])
def test_a_wrong_type_names_table_and_column(wrong):
    """What is no whole number is refused where one belongs."""
    with pytest.raises(TableError, match="table codings: column replicate: "):
        tables.frame(tables.CODINGS, [{**CODING, "replicate": wrong}])


@pytest.mark.parametrize(
    ("name", "value"), [("unit", ""), ("coder", None), ("replicate", None), ("variable", "")]
)
def test_a_row_without_part_of_its_key_is_refused(name, value):
    """A missing part of a key is refused, with the first row that lacks it."""
    rows = [CODING, {**CODING, name: value}]
    with pytest.raises(TableError, match=f"1 rows have no {name}.*first: row 1"):
        tables.frame(tables.CODINGS, rows)


def test_arm_and_segment_may_be_empty():
    """A model has no arm, and a variable of the unit has no segment."""
    assert len(tables.frame(tables.CODINGS, [{**CODING, "arm": "", "segment": ""}])) == 1


def test_a_repeated_key_is_named():
    """A coder gives a unit one value of a variable: the second row with the key is refused."""
    with pytest.raises(TableError, match=r"1 rows repeat a key, first: .*unit='u'"):
        tables.frame(tables.CODINGS, [{**CODING, "value": "a"}, {**CODING, "value": "b"}])


def test_check_wants_the_columns_in_order():
    """A frame that lacks a column is no frame of the table."""
    with pytest.raises(TableError, match="columns are"):
        tables.check(tables.MIGRATIONS, pd.DataFrame({"name": ["a"]}))
