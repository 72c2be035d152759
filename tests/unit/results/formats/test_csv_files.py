"""CSV files: nothing that a spreadsheet would run, and a column for each variable."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from labeler.results.formats import csv_files
from labeler.store import tables

CODINGS = tables.frame(
    tables.CODINGS,
    [
        {
            "codebook": "k",
            "unit": unit,
            "segment": segment,
            "coder": coder,
            "arm": "blind",
            "replicate": 1,
            "variable": variable,
            "value": value,
        }
        for unit, segment, coder, variable, value in [
            ("u", "", "human:a", "mood", "good"),
            ("u", "", "human:b", "mood", "bad"),
            ("u", "1", "human:a", "topic", "work+home"),
            ("v", "", "human:a", "mood", "bad"),
        ]
    ],
)


def test_wide_has_a_column_for_each_variable():
    """A row for each unit, segment, coder, arm and replicate; missing where nothing was given."""
    wide = csv_files.wide(CODINGS)
    assert list(wide.columns) == ["unit", "segment", "coder", "arm", "replicate", "mood", "topic"]
    assert wide["mood"].fillna("–").tolist() == ["good", "bad", "–", "bad"]
    assert wide["topic"].fillna("–").tolist() == ["–", "–", "work+home", "–"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3+cmd", "'-2+3+cmd"),
        ("\tx", "'\tx"),
        ("\rx", "'\nx"),
        ("-2", "-2"),
        ("+1.5", "+1.5"),
        ("work+home", "work+home"),
        ("", ""),
        ("a=b", "a=b"),
    ],
)
def test_a_text_that_a_spreadsheet_would_run_is_defused(text, written):
    """A leading ' keeps a cell from being a formula; numbers below zero stay numbers."""
    frame = pd.DataFrame({"value": [text, "x"]}, dtype="str")
    rows = list(csv.reader(io.StringIO(csv_files.csv_text(frame), newline="")))
    assert rows[0] == ["value"]
    assert (rows[1] if rows[1] else [""]) == [written]


def test_csv_keeps_line_ends_quotes_and_emoji_in_their_cell():
    """What was in a cell is in it after reading; lines end with LF alone, in cells as well."""
    odd = 'a "b", c\nd\r\ne\rf 😀'
    text = csv_files.csv_text(pd.DataFrame({"value": [odd], "n": [1]}))
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["value", "n"],
        ['a "b", c\nd\ne\nf 😀', "1"],
    ]
    assert text.endswith(",1\n")


def test_csv_leaves_the_frame_as_it_was():
    """Writing changes nothing in the table that is written."""
    frame = pd.DataFrame({"value": ["=1"]}, dtype="str")
    csv_files.csv_text(frame)
    assert frame["value"].tolist() == ["=1"]
