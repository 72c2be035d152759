"""The bundle: files, hashes, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import hashlib
import io
import json

import pandas as pd
import pytest

from labeler.results import bundle
from labeler.store import tables

ABOUT = {"batch": "one", "labeler": "0.1", "made_up": True, "override": ""}
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


def made(**about):
    return bundle.bundle(
        {"codings": CODINGS}, texts={"codebook.yaml": "codebook: k\n"}, about={**ABOUT, **about}
    )


def test_a_bundle_names_every_file_by_its_hash():
    """The manifest has SHA-256 and length of each file but itself, as hashlib makes them."""
    files = made()
    listed = json.loads(files["manifest.json"])["files"]
    assert set(listed) == set(files) - {"manifest.json"}
    for name, entry in listed.items():
        content = files[name].encode()
        assert entry == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def test_the_same_tables_give_the_same_bytes():
    """Nothing in a bundle depends on the time or on chance."""
    assert made() == made()


def test_the_readme_names_the_files_that_are_there():
    """What was not made is not promised."""
    readme = made()["README.txt"]
    assert "codings_wide.csv" in readme
    assert "codebook.yaml" in readme
    assert "estimates.csv" not in readme
    assert set(bundle.ABOUT_FILES) >= set(made()) - {"README.txt"}


def test_made_up_data_and_an_override_say_so():
    """What a reader opens first says that nothing is real, and that the gate was overridden."""
    assert "is made up" in made()["README.txt"]
    assert "made up" not in made(made_up=False)["README.txt"]
    assert "The gate was overridden: a pilot" in made(override="a pilot")["README.txt"]
    assert json.loads(made(override="a pilot")["manifest.json"])["override"] == "a pilot"


def test_wide_has_a_column_for_each_variable():
    """A row for each unit, segment, coder, arm and replicate; missing where nothing was given."""
    wide = bundle.wide(CODINGS)
    assert list(wide.columns) == ["unit", "segment", "coder", "arm", "replicate", "mood", "topic"]
    assert wide["mood"].fillna("–").tolist() == ["good", "bad", "–", "bad"]
    assert wide["topic"].fillna("–").tolist() == ["–", "–", "work+home", "–"]


def test_no_codings_make_an_empty_table_and_no_crash():
    """A batch that nobody coded has a bundle too."""
    files = bundle.bundle({"codings": tables.frame(tables.CODINGS)}, texts={}, about=ABOUT)
    assert files["codings.csv"].splitlines() == [",".join(tables.columns(tables.CODINGS))]
    assert files["codings_wide.csv"].startswith("unit,segment,coder,arm,replicate")


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
    rows = list(csv.reader(io.StringIO(bundle.csv(frame), newline="")))
    assert rows[0] == ["value"]
    assert (rows[1] if rows[1] else [""]) == [written]


def test_csv_keeps_line_ends_quotes_and_emoji_in_their_cell():
    """What was in a cell is in it after reading; lines end with LF alone, in cells as well."""
    odd = 'a "b", c\nd\r\ne\rf 😀'
    text = bundle.csv(pd.DataFrame({"value": [odd], "n": [1]}))
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["value", "n"],
        ['a "b", c\nd\ne\nf 😀', "1"],
    ]
    assert text.endswith(",1\n")


def test_csv_leaves_the_frame_as_it_was():
    """Writing changes nothing in the table that is written."""
    frame = pd.DataFrame({"value": ["=1"]}, dtype="str")
    bundle.csv(frame)
    assert frame["value"].tolist() == ["=1"]
