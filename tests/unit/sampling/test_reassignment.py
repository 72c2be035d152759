"""Open tasks from one coder to another, by hand."""

from __future__ import annotations

import pytest

from labeler.sampling import reassignment
from labeler.store import tables


def tasks(*rows):
    """TASKS rows from (batch, arm, coder, unit, position)."""
    names = ("batch", "arm", "coder", "unit", "position")
    fixed = {"unit_probability": 0.5, "task_probability": 0.25, "studio_task": 7, "stratum": "s"}
    return tables.frame(tables.TASKS, [dict(zip(names, row, strict=True)) | fixed for row in rows])


def test_tasks_move_behind_those_that_are_there():
    """Places go on at the seat; probabilities and stratum stay; the server has it not yet."""
    open_ = tasks(("b", "blind", "human:ada", "v", 4), ("b", "blind", "human:ada", "u", 2))
    theirs = tasks(("b", "blind", "human:bo", "x", 9), ("other", "blind", "human:bo", "y", 30))
    found = reassignment.reassign(open_, theirs, to="human:bo")
    assert found.tasks[["coder", "unit", "position"]].to_numpy().tolist() == [
        ["human:bo", "u", 10],
        ["human:bo", "v", 11],
    ]
    assert found.tasks["task_probability"].tolist() == [0.25, 0.25]
    assert found.tasks["stratum"].tolist() == ["s", "s"]
    assert found.tasks["studio_task"].isna().all()
    assert found.gone["unit"].tolist() == ["u", "v"]
    assert found.refused.empty


@pytest.mark.parametrize("arm", ["blind", "assisted", "adjudication"])
def test_nobody_gets_a_unit_twice(arm):
    """Whoever has the unit in any arm, of any batch, is refused it by name."""
    open_ = tasks(("b", "blind", "human:ada", "u", 1))
    theirs = tasks(("other", arm, "human:bo", "u", 1))
    found = reassignment.reassign(open_, theirs, to="human:bo")
    assert found.tasks.empty
    assert found.gone.empty
    assert found.refused.to_numpy().tolist() == [
        ["blind", "u", f"bo has this unit in the {arm} arm"]
    ]


def test_a_repeat_goes_without_moving():
    """Nobody else can code it again; its blind task, still open, moves."""
    open_ = tasks(("b", "blind", "human:ada", "u", 1), ("b", "repeat", "human:ada", "u", 1))
    found = reassignment.reassign(open_, tasks(), to="human:bo")
    assert found.tasks["arm"].tolist() == ["blind"]
    assert found.gone["arm"].tolist() == ["blind", "repeat"]
