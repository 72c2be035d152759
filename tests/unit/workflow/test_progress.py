"""How far coding is: counted in the store as it is counted in memory. Everything is made up."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from thorough import examples

from labeler.coding.annotations import newest
from labeler.store import database, tables
from labeler.workflow.progress import COLUMNS, SEAT, progress

EMAILS = {"human:ada": "Ada@team.example", "human:ben": ""}
TASKS = [
    {"batch": batch, "arm": arm, "coder": coder, "unit": unit}
    for batch in ("first", "second")
    for arm in ("assisted", "blind")
    for coder in EMAILS
    for unit in ("u1", "u2")
]
SOMETIMES = st.sampled_from((0, 0, 1))
NOTES = st.lists(
    st.fixed_dictionaries(
        {
            "task": st.sampled_from([*TASKS, TASKS[0] | {"unit": "of no task"}]),
            "cancelled": SOMETIMES,
            "withdrawn": SOMETIMES,
            "updated": st.sampled_from(("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", "2027")),
            "created": st.sampled_from(("", "2026-01-01T00:00:00Z")),
            "completed_by": st.sampled_from(("", "ada@TEAM.example", "eve@team.example")),
        }
    ),
    max_size=12,
)


def notes_of(drawn: list[dict]) -> pd.DataFrame:
    rows = [
        {**{k: v for k, v in note.items() if k != "task"}, **note["task"], "annotation": f"a{n}"}
        for n, note in enumerate(drawn)
    ]
    return tables.frame(tables.ANNOTATIONS, rows)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A store with two batches whose tasks nobody has coded yet."""
    engine = database.connect(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}")
    coders = [
        {"coder": coder, "kind": "human", "spec": f'{{"email": "{email}"}}'}
        for coder, email in EMAILS.items()
    ]
    batches = [
        {"batch": "first", "created": "2026-01-01", "codebook": "k", "suggester": "m"},
        {"batch": "second", "created": "2026-02-01", "codebook": "k", "suggester": "m"},
    ]
    for table, rows in (
        (tables.CODERS, coders),
        (tables.BATCHES, batches),
        (tables.TASKS, TASKS),
    ):
        database.add(engine, table, tables.frame(table, rows))
    yield engine
    engine.dispose()


def by_hand(notes: pd.DataFrame) -> dict[tuple[str, ...], tuple[int, int, int]]:
    """Seat → tasks, coded, answered: from the annotations that count of each task."""
    kept = {
        tuple(getattr(row, name) for name in (*SEAT, "unit")): row.cancelled
        for batch, own in notes.groupby("batch")
        for row in tables.rows(newest(own, EMAILS))
    }
    counts: dict[tuple[str, ...], tuple[int, int, int]] = {}
    for task in TASKS:
        seat = tuple(task[name] for name in SEAT)
        skipped = kept.get((*seat, task["unit"]))
        tasks, coded, answered = counts.get(seat, (0, 0, 0))
        counts[seat] = (tasks + 1, coded + (skipped == 0), answered + (skipped is not None))
    return counts


@examples(60)
@given(drawn=NOTES)
def test_it_counts_the_annotations_that_count(engine: Engine, drawn: list[dict]) -> None:
    """Skips, withdrawn ones, other accounts, later ones: as `annotations.newest` has it."""
    notes = notes_of(drawn)
    database.replace(engine, (tables.ANNOTATIONS, {}, notes))
    found, one = progress(engine), progress(engine, "first")
    assert list(found.columns) == COLUMNS
    counts = {
        tuple(getattr(row, name) for name in SEAT): (row.tasks, row.coded, row.answered)
        for row in tables.rows(found)
    }
    assert counts == by_hand(notes)
    assert list(found["batch"].unique()) == ["second", "first"]
    own = found[found["batch"] == "first"].reset_index(drop=True)
    pd.testing.assert_frame_equal(one, own, check_dtype=False)


def test_without_a_task_there_is_no_seat(engine: Engine) -> None:
    """A batch that is not there has no row, and every column."""
    assert progress(engine, "third").empty
    assert list(progress(engine, "third").columns) == COLUMNS
