"""Which tables a walk of a batch reads: each once; and that a bundle holds what it reads.

The study is made up.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from made_studies import made_study
from pandas.testing import assert_frame_equal
from sqlalchemy import event

from labeler.coding.batch import READING, BatchCodings
from labeler.coding.read import CODINGS, read_batch
from labeler.project import Project
from labeler.reliability.reliability import reliability
from labeler.results.aggregate import aggregate
from labeler.results.export import export
from labeler.store import database, tables
from labeler.study.study import Study, batch_row, open_study

BATCH = "batch02"
SIZE = made_study.Size(posts=120, batches=3, units=24, answer=50, runs=1)
OF_CODERS = {"annotations", "coders", "completions", "batches", "codings"}
WRITTEN = {"runs"}  # of a run's beginning and end


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Three batches of one suggester, which says how sure it is of some units."""
    folder = tmp_path_factory.mktemp("made") / "study"
    folder.mkdir()
    made: Project = made_study.made(Path(folder), SIZE)
    opened = open_study(made)
    codings = database.read(opened.engine, tables.CODINGS, coder=made_study.MODEL, segment="")
    sure = [
        {"codebook": row.codebook, "unit": row.unit, "coder": row.coder, "code": row.value}
        | {"variable": row.variable, "kind": "vote", "confidence": 0.8, "replicates": 5}
        for row in tables.rows(codings)
    ]
    database.add(opened.engine, tables.CONFIDENCE, tables.frame(tables.CONFIDENCE, sure))
    return opened


def reads(study: Study, command: Callable[[], object]) -> Counter[str]:
    """How many SELECTs of each table a command sends, subselects left out."""
    found: Counter[str] = Counter()

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().startswith("SELECT"):
            found.update(re.findall(r"\b(?:FROM|JOIN)\s+\"?(\w+)", _outer(statement)))

    event.listen(study.engine, "before_cursor_execute", note)
    try:
        command()
    finally:
        event.remove(study.engine, "before_cursor_execute", note)
    return found


def _outer(statement: str) -> str:
    """A statement without what stands in brackets."""
    while (shorter := re.sub(r"\([^()]*\)", " ", statement)) != statement:
        statement = shorter
    return statement


def test_brackets_are_left_out() -> None:
    text = "SELECT a FROM one WHERE b IN (SELECT b FROM two WHERE (c = 1))"
    assert re.findall(r"FROM (\w+)", _outer(text)) == ["one"]


def test_reliability_reads_each_table_once(study: Study) -> None:
    """Its batch, the other batches of the suggester, what was ruled before, and earlier looks."""
    found = reads(study, lambda: reliability(study, batch=BATCH))
    assert found.pop("grounds") == 2  # before all else, and again where it is written
    assert found.pop("looks") == 2  # likewise
    assert set(found.values()) == {1}
    more = {"segments", "changes", "tasks", "posts", "confidence", "verdicts"}
    assert set(found) - WRITTEN == OF_CODERS | more


def test_reliability_says_the_same_again(study: Study) -> None:
    """What it hands back is what the store holds, and a second run changes nothing."""
    first = reliability(study, batch=BATCH)
    for part in first._fields:
        table = tables.METADATA.tables[part]
        stored = database.read(study.engine, table, batch=BATCH)
        assert stored.equals(getattr(first, part)), part
        assert stored.equals(getattr(reliability(study, batch=BATCH), part)), part


def test_aggregate_reads_each_table_once(study: Study) -> None:
    reliability(study, batch=BATCH)
    found = reads(study, lambda: aggregate(study, batch=BATCH, override="made up"))
    assert found.pop("grounds") == found.pop("verdicts") == 2  # and again where it is written
    # what the model said of all posts is read apart, in portions
    assert [found.pop(name) for name in ("codings", "segments", "completions")] == [2, 2, 2]
    assert set(found.values()) == {1}
    assert set(found) - WRITTEN == OF_CODERS - {"codings", "completions"} | {
        *("posts", "tasks", "frames"),
    }


def test_export_reads_each_table_once(study: Study) -> None:
    reliability(study, batch=BATCH)
    aggregate(study, batch=BATCH, override="made up")
    found = reads(study, lambda: export(study, batch=BATCH))
    assert found.pop("grounds") == 2  # before all else, and again when all is read
    assert found.pop("posts") == 2  # authors; and whether any post is of the sample
    assert set(found.values()) == {1}
    assert {"codings", "segments", "changes", "confidence", "tasks"} <= set(found)
    assert set(found) >= OF_CODERS


def test_a_bundle_tells_who_coded_what_as_the_store_does(study: Study) -> None:
    """Who coded, what they were not asked, each value, every matrix: made of a bundle's files."""
    reliability(study, batch=BATCH)
    aggregate(study, batch=BATCH, override="made up")
    folder = export(study, batch=BATCH).folder
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    names = ("codings", "segments", "changes", "tasks")
    files = {name: _read(folder / f"{name}.csv") for name in (*names, "coded")}
    own = {
        name: tables.typed(tables.METADATA.tables[name], files[name].mask(files[name] == ""))
        for name in names
    }
    coded = files["coded"].astype({"replicate": "int64"})
    bundled = BatchCodings.of_tables(manifest, study.codebook, coded, own)
    row = batch_row(study, BATCH)
    stored = read_batch(study.engine, row, study.codebook, wanted={tables.CODINGS: CODINGS})
    assert set(manifest) >= {"batch", "suggester", "design"}
    assert_frame_equal(
        bundled.coded, stored.coded.sort_values(READING, ignore_index=True), check_dtype=False
    )
    assert bundled.panels == stored.panels
    for variable in study.codebook.variables:
        name = variable.variable
        mine, theirs = bundled.matrix(name), stored.matrix(name)
        assert (mine.units, mine.raters, mine.domain) == (
            theirs.units,
            theirs.raters,
            theirs.domain,
        )
        assert mine.places.tolist() == theirs.places.tolist()
        assert len(bundled.blind[name]) == len(stored.blind[name]) > 0


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype="str", keep_default_na=False)
