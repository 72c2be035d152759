"""`labeler prelabel --coder embed` with a made-up model, posts and adjudicated codings."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import made_up_model
import pandas as pd
import pytest
from made_up_lessons import BOOK, TOWN, codings
from running import Labeler, same

from labeler.store import database, tables

ADJUDICATED, NEW = 240, 20
WORDS = ("the", "my", "friend", "today", "again", "never", "once", "talk", "help")


def texts() -> list[str]:
    """Different posts; every other one is calmed by the bot and is a dog, the others are cats."""
    triples = itertools.permutations(WORDS, 3)
    return [
        " ".join((*next(triples), "bot calms" if number % 2 == 0 else "bot scares"))
        for number in range(ADJUDICATED + NEW)
    ]


def write(root: Path, given: dict[str, dict[str, str]]) -> None:
    """Adjudicated codings, as `pull` would have stored them."""
    engine = database.connect(f"sqlite:///{root}/.labeler/labeler.db")
    database.add(engine, tables.CODINGS, codings(given))
    engine.dispose()


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with posts, of which the most are adjudicated, and a made-up model beside it."""
    root = tmp_path_factory.mktemp("taught") / "study"
    (root / "codebook").mkdir(parents=True)
    (root / "codebook" / "town.yaml").write_text(TOWN, "utf-8")
    made_up_model.write(root / "model")
    lines = [
        json.dumps({"id": f"p{number}", "platform": "x", "date": "2026-01-01", "text": text})
        for number, text in enumerate(texts())
    ]
    (root / "posts.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    labeler = Labeler(root)
    labeler("ingest", root / "posts.jsonl")
    posts = labeler.table(tables.POSTS).set_index("platform_id")["text"]
    units = labeler.table(tables.POSTS).set_index("platform_id")["unit"]
    first = [f"p{number}" for number in range(ADJUDICATED)]
    write(root, {units[one]: {"topic": "dog" if "calms" in posts[one] else "cat"} for one in first})
    return root


@pytest.fixture
def labeler(taught: Path, tmp_path: Path) -> Labeler:
    """`labeler` on a copy of the project, with the made-up model as its own."""
    root = Path(shutil.copytree(taught, tmp_path / "study"))
    return Labeler(root, {"LABELER_EMBED_MODEL": str(root / "model")})


def answered(labeler: Labeler, coder: str) -> pd.DataFrame:
    """The coder's completions that hold an answer."""
    rows = labeler.table(tables.COMPLETIONS)
    return rows[(rows["coder"] == coder) & (rows["error"] == "")]


def test_it_codes_what_it_did_not_learn_from(labeler: Labeler) -> None:
    """The new posts get their codes, the lessons none; a second time there is nothing to do."""
    ended = labeler("prelabel", "--coder", "embed")
    assert "topic: 240 adjudicated units, 60 held out in each of 10 splits" in ended.err
    assert "embed, taught with 180" in ended.err
    assert f"{ADJUDICATED} of the posts taught it: it gives them no codes" in ended.out
    assert "mood: not coded: of a segment" in ended.out
    [coder] = labeler.table(tables.CODERS).query("kind == 'embedded'")["coder"]
    assert len(answered(labeler, coder)) == NEW
    own = labeler.table(tables.CODINGS).query("coder == @coder")
    posts = labeler.table(tables.POSTS).set_index("unit")["text"]
    right = ["dog" if "calms" in posts[unit] else "cat" for unit in own["unit"]]
    assert len(own) == NEW and (own["value"] == right).mean() > 0.7
    before = labeler.rows()
    again = labeler("prelabel", "--coder", "embed", "--json").json
    assert (again["answered"], again["before"]) == (0, ADJUDICATED + NEW)
    same(before, labeler.rows())
    assert "prelabel" not in labeler.following()
    assert "with an error" not in labeler("status").out


def test_more_adjudicated_units_make_another_coder(labeler: Labeler) -> None:
    """The codings of the earlier coder stay; the later one does not code what it learned since."""
    first = labeler("prelabel", "--coder", "embed", "--json").json["coder"]
    unit = answered(labeler, first)["unit"].iloc[0]
    write(labeler.root, {unit: {"topic": "dog"}})
    second = labeler("prelabel", "--coder", "embed", "--json").json["coder"]
    assert first != second and second.startswith("embed@")
    assert len(answered(labeler, first)) == NEW
    assert unit not in set(answered(labeler, second)["unit"])
    assert not any(
        stage["pending"]
        for stage in labeler("status", "--json").json["stages"]
        if stage["stage"] == "prelabel"
    )


def test_units_of_a_batch_it_is_tested_on_teach_nothing(labeler: Labeler) -> None:
    """What is adjudicated in a batch that an embedded coder suggested in is left out, and told."""
    coder = labeler("prelabel", "--coder", "embed", "--json").json["coder"]
    unit = answered(labeler, coder)["unit"].iloc[0]
    engine = database.connect(f"sqlite:///{labeler.root}/.labeler/labeler.db")
    row = {"batch": "b", "codebook": BOOK.fingerprint, "suggester": coder}
    task = {"batch": "b", "arm": "blind", "coder": "human:ann", "unit": unit}
    database.add(engine, tables.BATCHES, tables.frame(tables.BATCHES, [row]))
    database.add(engine, tables.TASKS, tables.frame(tables.TASKS, [task]))
    engine.dispose()
    write(labeler.root, {unit: {"topic": "dog"}})
    again = labeler("prelabel", "--coder", "embed", "--json").json
    assert again["coder"] == coder
    assert any(line.startswith("1 adjudicated units teach nothing") for line in again["remarks"])


def test_learning_curve_alone_codes_nothing(labeler: Labeler) -> None:
    """`learning-curve` prints the curve and writes no row; --json gives the numbers."""
    before = labeler.rows()
    shown = labeler("learning-curve").out
    assert "macro F1" in shown and "majority" in shown and "cues" in shown
    rows: list[dict[str, Any]] = labeler("learning-curve", "--json").json
    assert [row["taught"] for row in rows] == [25, 50, 100, 180, 180, 0]
    same(before, labeler.rows())


def test_too_few_units_are_refused_with_their_counts(labeler: Labeler) -> None:
    """Below 100 units a code nothing is offered: the message says which code has how many."""
    engine = database.connect(f"sqlite:///{labeler.root}/.labeler/labeler.db")
    kept = labeler.table(tables.CODINGS).query("value == 'dog' or index < 60")
    database.replace(engine, (tables.CODINGS, {}, kept))
    engine.dispose()
    cats = int((kept["value"] == "cat").sum())
    ended = labeler("prelabel", "--coder", "embed", code=1)
    assert f"topic: not coded: needs 100 adjudicated units a code: cat has {cats}" in ended.err
    assert "use --coder cues" in ended.err


def test_wrong_folder_is_named(labeler: Labeler) -> None:
    """A folder without a model: the setting, the file, and what to name."""
    ended = labeler("prelabel", "--coder", "embed", code=1, LABELER_EMBED_MODEL=str(labeler.root))
    assert "LABELER_EMBED_MODEL" in ended.err and "config.json" in ended.err
