"""The bundle: files, hashes, and nothing that a spreadsheet would run."""

from __future__ import annotations

import hashlib
import io
import json

import pandas as pd

from labeler.codebook import codebook as codebooks
from labeler.results.bundle import bundle
from labeler.results.formats.declaration import BundleFacts
from labeler.store import tables

BOOK = codebooks.read(
    """
codebook: moods
version: "1"
title: Moods
about: Made up.
variables:
  - {variable: mood, of: unit, label: Mood, question: Which one, level: nominal, values: [
      {code: good, label: Good, definition: Good.}, {code: bad, label: Bad, definition: Bad.}]}
""",
    source="here",
)
FACTS = BundleFacts(
    batch="one",
    labeler="0.1",
    codebook=BOOK,
    codebook_text="codebook: moods\n",
    suggester="",
    design="{}",
    made_up=True,
    override="",
    outdated=(),
    computed_from={},
    verdicts={},
)
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


def made(frames=None, **facts):
    return bundle({"codings": CODINGS, **(frames or {})}, FACTS._replace(**facts))


def test_a_bundle_names_every_file_by_its_hash():
    """The manifest has SHA-256 and length of each file but itself, as hashlib makes them."""
    files = made()
    listed = json.loads(files["manifest.json"])["files"]
    assert set(listed) == set(files) - {"manifest.json"}
    for name, entry in listed.items():
        content = files[name]
        assert entry == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def test_the_same_tables_give_the_same_bytes():
    """Nothing in a bundle depends on the time or on chance."""
    assert made() == made()


def test_the_readme_names_the_files_that_are_there():
    """What was not made is not promised."""
    readme = made()["README.txt"].decode()
    assert "codings_wide.csv" in readme
    assert "codebook.yaml" in readme
    assert "estimates.csv" not in readme
    assert {line.split("  ")[0] for line in readme.splitlines()} >= set(made()) - {"README.txt"}


def test_made_up_data_and_an_override_say_so():
    """What a reader opens first says that nothing is real, and that the gate was overridden."""
    assert "is made up" in made()["README.txt"].decode()
    assert "made up" not in made(made_up=False)["README.txt"].decode()
    assert "The gate was overridden: a pilot" in made(override="a pilot")["README.txt"].decode()
    assert json.loads(made(override="a pilot")["manifest.json"])["override"] == "a pilot"


def test_the_set_without_a_code_is_not_an_empty_cell():
    """Exported it is +, as the readers of tables have it; an empty cell is not asked."""
    empty = CODINGS.assign(value=CODINGS["value"].mask(CODINGS["variable"] == "topic", ""))
    files = made({"codings": empty})
    rows = [line.split(",") for line in files["codings.csv"].decode().splitlines()]
    value, variable = rows[0].index("value"), rows[0].index("variable")
    assert [row[value] for row in rows if row[variable] == "topic"] == ["+"]
    wide = pd.read_csv(io.BytesIO(files["codings_wide.csv"]), keep_default_na=False, dtype="str")
    assert sorted(wide["topic"]) == ["", "", "", "+"]


def test_no_codings_make_an_empty_table_and_no_crash():
    """A batch that nobody coded has a bundle too."""
    files = made({"codings": tables.frame(tables.CODINGS)})
    assert files["codings.csv"].decode().splitlines() == [",".join(tables.columns(tables.CODINGS))]
    assert files["codings_wide.csv"].startswith(b"unit,segment,coder,arm,replicate")
