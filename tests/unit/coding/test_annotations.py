"""What became of the tasks that were answered: coded, or left out for a reason. Made up."""

from __future__ import annotations

import pandas as pd

from labeler.coding.annotations import BARE, LEFT_OUT, SEEN, SKIPPED, answered
from labeler.store import tables

EMAILS = {"human:ada": "ada@here.example"}


def note(unit: str, at: int, why: str = "", **more: object) -> dict[str, object]:
    """An annotation of ada's, updated at this time."""
    own = {"annotation": f"{unit} {at}", "batch": "b", "arm": "blind", "coder": "human:ada"}
    told = {"unit": unit, "updated": f"{at}", "cancelled": 0, "withdrawn": 0, "why": why}
    return {**own, **told, **more}


def became(*notes: dict[str, object]) -> tuple[list[str], dict[str, str]]:
    """The annotations that count, and unit → why a task has none."""
    reasons = [row.pop("why") for row in notes]
    frame = tables.frame(tables.ANNOTATIONS, notes).assign(why=pd.array(reasons, dtype="str"))
    found = answered(frame, EMAILS)
    assert list(found.left_out.columns) == LEFT_OUT
    assert "why" not in found.coded.columns
    left = dict(zip(found.left_out["unit"], found.left_out["why"], strict=True))
    return sorted(found.coded["annotation"]), left


def test_the_newest_that_may_count_is_the_coding() -> None:
    """An older one stands where the newer was given after the text had been in view."""
    assert became(note("u1", 1), note("u1", 2)) == (["u1 2"], {})
    assert became(note("u1", 1), note("u1", 2, SEEN)) == (["u1 1"], {})


def test_a_task_without_a_coding_has_one_reason() -> None:
    """A skip; a coding that does not count; both: what kept the coding from counting."""
    coded, left = became(
        note("u1", 1, cancelled=1),
        note("u2", 1, SEEN),
        note("u3", 1, BARE, arm="assisted"),
        note("u4", 1, SEEN),
        note("u4", 2, cancelled=1),
        note("u5", 1, SEEN, cancelled=1),
    )
    assert coded == []
    assert left == {"u1": SKIPPED, "u2": SEEN, "u3": BARE, "u4": SEEN, "u5": SKIPPED}


def test_what_is_withdrawn_or_of_another_account_is_no_answer() -> None:
    """Such a task is still to be coded."""
    eve = {"completed_by": "eve@here.example"}
    gone = (note("u1", 1, withdrawn=1), note("u2", 1, SEEN, withdrawn=1), note("u3", 1, **eve))
    assert became(*gone) == ([], {})


def test_a_skip_after_a_coding_takes_it_back() -> None:
    assert became(note("u1", 1), note("u1", 2, cancelled=1)) == ([], {"u1": SKIPPED})


def test_nothing_is_nothing() -> None:
    assert became() == ([], {})
