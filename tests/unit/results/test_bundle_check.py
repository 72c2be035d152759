"""Whether a bundle is what it says: a changed number is found though its hash was mended.

The study is made up.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest
from made_studies import made_study

from labeler.errors import CodebookError, InputError, TableError
from labeler.reliability.reliability import reliability
from labeler.reliability.segments import OF_SEGMENTS
from labeler.results.aggregate import aggregate
from labeler.results.bundle_check import BundleCheck, check
from labeler.results.export import export
from labeler.results.formats.csv_files import csv_text, read_back
from labeler.results.verify import verify
from labeler.store import tables
from labeler.study.study import open_study

BATCH = "batch02"
SIZE = made_study.Size(posts=120, batches=3, units=24, answer=50, runs=1)
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported bundle, far from its study."""
    root = tmp_path_factory.mktemp("made") / "study"
    root.mkdir()
    study = open_study(made_study.made(root, SIZE))
    reliability(study, batch=BATCH)
    aggregate(study, batch=BATCH, override="made up")
    return export(study, batch=BATCH).folder


@pytest.fixture
def files(folder: Path) -> Files:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def mended(files: Files) -> Files:
    """The bundle with hashes and lengths in its manifest that fit its files."""
    manifest = json.loads(files["manifest.json"])
    for name, listed in manifest["files"].items():
        listed["sha256"] = hashlib.sha256(files[name]).hexdigest()
        listed["bytes"] = len(files[name])
    text = json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True)
    return {**files, "manifest.json": f"{text}\n".encode()}


def with_cell(files: Files, name: str, place: int, column: str, value: object) -> Files:
    """The bundle with one cell of a table changed, and hashes that fit."""
    table = read_back(name, files[f"{name}.csv"])
    table.loc[place, column] = value
    return mended({**files, f"{name}.csv": csv_text(table).encode()})


def places(found: BundleCheck) -> set[str]:
    return {one.file for one in found.differences}


def test_nothing_differs_in_what_was_exported(folder: Path, files: Files) -> None:
    """Every result table is computed again, every file written again."""
    found = verify(folder)
    assert found.differences == []
    names = ("reliability", "verdicts", "consensus", "disagreements", "comparisons")
    assert set(found.recomputed) == set(names)
    assert all(found.recomputed.values())
    assert set(found.written) == set(files)


def test_a_table_is_read_back_as_it_was_written(files: Files) -> None:
    """Numbers to the last bit, sets without a code, texts that begin like a formula."""
    for name, content in files.items():
        if name.endswith(".csv") and name != "codings_wide.csv":
            table = read_back(name.removesuffix(".csv"), content)
            told = (
                table.assign(value=table["value"].replace("", "+")) if "codings" in name else table
            )
            assert csv_text(told).encode() == content, name
    odd = pd.DataFrame({"a": ["=1+1", "'quoted", "-3", "@x", ""]}, dtype="str")
    assert read_back("odd", csv_text(odd).encode())["a"].tolist() == odd["a"].tolist()


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("reliability", "value"),
        ("reliability", "n_units"),
        ("verdicts", "bound"),
        ("consensus", "agreeing"),
    ],
)
def test_a_changed_digit_is_named(files: Files, name: str, column: str) -> None:
    """By file, row and column, with what stands there and what it should be."""
    table = read_back(name, files[f"{name}.csv"])
    there = table[column].notna()
    if name == "reliability":
        there &= ~table["coefficient"].str.startswith(OF_SEGMENTS)
    place = int(table.index[there][0])
    before = table.loc[place, column]
    changed = with_cell(files, name, place, column, before + 1)
    found = check(changed)
    one = found.differences[0]
    assert (one.file, one.column) == (f"{name}.csv", column)
    assert float(one.again) == pytest.approx(float(before), abs=1e-9)
    assert float(one.there) == pytest.approx(float(before) + 1)
    for key in ("variable", "unit"):
        if key in tables.keys(tables.METADATA.tables[name]):
            assert f"{key}={table.loc[place, key]}" in one.row


def test_a_verdict_in_words_is_named(files: Files) -> None:
    """And with it the manifest, which repeats it."""
    ruled = read_back("verdicts", files["verdicts.csv"])
    place = int(ruled.index[ruled["code"] == ""][0])
    other = "pass" if ruled.loc[place, "verdict"] != "pass" else "fail"
    found = check(with_cell(files, "verdicts", place, "verdict", other))
    assert (found.differences[0].column, found.differences[0].there) == ("verdict", other)


def test_a_changed_coding_shows_in_what_is_made_of_it(files: Files) -> None:
    """What was computed from it, and the wide table."""
    codings = read_back("codings", files["codings.csv"])
    people = codings[(codings["arm"] == "blind") & (codings["variable"] == "relevance")]
    place = int(people.index[0])
    other = "relevant" if codings.loc[place, "value"] != "relevant" else "not_relevant"
    assert {"reliability.csv", "codings_wide.csv"} <= places(
        check(with_cell(files, "codings", place, "value", other))
    )


def test_a_row_that_was_taken_away_is_named(files: Files) -> None:
    kept = read_back("consensus", files["consensus.csv"]).iloc[1:]
    one = check(mended({**files, "consensus.csv": csv_text(kept).encode()})).differences[0]
    assert (one.file, one.column, one.there, one.again) == (
        "consensus.csv", "the row", "none", "a row",
    )  # fmt: skip


def test_a_figure_that_was_drawn_otherwise_is_named(files: Files) -> None:
    """Figures, too, are made again: one that was touched up is found by its line."""
    name = next(name for name in sorted(files) if name.endswith(".svg"))
    changed = mended({**files, name: files[name].replace(b"</svg>", b"<g/></svg>")})
    assert places(check(changed)) == {name}


def test_hashes_find_what_the_numbers_do_not(files: Files) -> None:
    """What is taken as given is at least the file that was written."""
    table = read_back("tasks", files["tasks.csv"])
    table["suggested"] = 0
    found = check({**files, "tasks.csv": csv_text(table).encode()})
    assert "tasks.csv" in places(found)
    del files["segments.csv"]
    assert "segments.csv" in places(check(files))


def test_what_is_no_bundle_is_said(tmp_path: Path, files: Files) -> None:
    """No folder, no manifest, another codebook, a table with a word for a number."""
    with pytest.raises(InputError, match="no such folder"):
        verify(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no manifest"):
        verify(tmp_path)
    with pytest.raises(InputError, match="not as it was written"):
        check({**files, "manifest.json": b"[]"})
    other = files["codebook.yaml"].replace(b"Language models", b"Other models")
    with pytest.raises(InputError, match="not the codebook"):
        check({**files, "codebook.yaml": other})
    with pytest.raises(CodebookError):
        check({**files, "codebook.yaml": b"no: codebook"})
    with pytest.raises(TableError, match="reliability"):
        check({**files, "reliability.csv": files["reliability.csv"].replace(b"0.", b"x.")})
