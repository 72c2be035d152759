"""Copies of a submission, and what is stored of two readings. Every annotation is made up."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from thorough import examples

from labeler.coding.annotations import newest
from labeler.store import tables
from labeler.studio.copies import groups
from labeler.studio.merge import merged

FIRST, OTHER = '[{"id": "a", "value": 1}]', '[{"id": "b", "value": 2}]'


def at(minute: float) -> str:
    return f"2026-03-01T08:{int(minute):02d}:{round(minute % 1 * 60):02d}.500000Z"


def note(number: int, minute: float = 0, **more: Any) -> dict[str, Any]:
    """An annotation of the one task, made at a minute; `edited` at another."""
    changed = at(more.pop("edited", minute))
    return {
        "annotation": f"local:{number}",
        "batch": "b",
        "arm": "blind",
        "coder": "human:ada",
        "unit": "u",
        "studio_task": 7,
        "completed_by": "ada@example.org",
        "result": FIRST,
        "cancelled": 0,
        "withdrawn": 0,
        "lead_time": 4.25,
        "created": at(minute),
        "updated": changed,
        **more,
    }


def pulled(*readings: list[dict[str, Any]], overtaken: bool = False) -> pd.DataFrame:
    """What is stored after each of some readings of the server; `overtaken`: the last one was."""
    stored = tables.frame(tables.ANNOTATIONS)
    for place, rows in enumerate(readings, start=1):
        there = tables.frame(tables.ANNOTATIONS, rows)
        late = overtaken and place == len(readings)
        stored = merged(stored, there, overtaken=late)
    return stored


def counting(stored: pd.DataFrame) -> list[int]:
    """The numbers of the annotations that are not withdrawn."""
    left = stored.loc[stored["withdrawn"] == 0, "annotation"]
    return sorted(int(name.partition(":")[2]) for name in left)


def word(stored: pd.DataFrame) -> int | None:
    """The number of the annotation that is the coder's word."""
    last = list(newest(stored, {})["annotation"])
    return int(last[0].partition(":")[2]) if last else None


def copies_of(stored: pd.DataFrame) -> dict[str, str]:
    pairs = zip(stored["annotation"], stored["copy_of"], strict=True)
    return {name: first for name, first in pairs if first}


def test_of_three_copies_the_first_counts() -> None:
    """All three are known as one submission, in whatever order the server tells them."""
    stored = pulled([note(3, 0.2), note(1), note(2, 0.1)])
    assert counting(stored) == [1]
    assert copies_of(stored) == {"local:2": "local:1", "local:3": "local:1"}
    [group] = groups(stored)
    assert [row["annotation"] for row in group] == ["local:1", "local:2", "local:3"]
    again = pulled([note(3, 0.2), note(1), note(2, 0.1)], [note(1), note(2, 0.1), note(3, 0.2)])
    assert counting(again) == [1]


@pytest.mark.parametrize("pulls", [1, 2])
def test_a_copy_of_an_older_submission_does_not_win(pulls: int) -> None:
    """The coder submitted anew; a retry of the first submission lands after that."""
    before, after = [note(1), note(2, 3, result=OTHER)], note(3, 5)
    readings = [before, [*before, after]][-pulls:]
    stored = pulled(*readings)
    assert counting(stored) == [1, 2]
    assert word(stored) == 2


def test_a_copy_of_what_was_changed_since_does_not_win() -> None:
    """The first annotation was pulled, changed, and then a retry of what it was landed."""
    changed = note(1, 0, edited=3, result=OTHER)
    stored = pulled([note(1)], [changed, note(2, 4)])
    assert (counting(stored), copies_of(stored)) == ([1], {"local:2": "local:1"})
    late = pulled([note(1), note(2, 1)], [changed, note(2, 1)], [changed, note(2, 1), note(3, 4)])
    assert counting(late) == [1]
    assert set(copies_of(late)) == {"local:2", "local:3"}


def test_the_draft_tells_a_copy_of_what_was_changed_before_any_pull() -> None:
    """Both came of one draft, and the one that was changed is the coder's word."""
    changed = note(1, 1, edited=3, result=OTHER, lead_time=60.0, draft=at(0))
    assert counting(pulled([changed, note(2, 4, draft=at(0))])) == [1]
    assert counting(pulled([changed, note(2, 4, draft=at(2))])) == [1, 2]
    assert counting(pulled([changed], [], [note(2, 4, draft=at(0))])) == []


def test_what_the_coder_submits_after_a_refusal() -> None:
    """The first was stored and refused to the coder: the same again is a copy, another is not."""
    first = note(1, draft=at(0))
    again = note(2, 1, draft=at(0), lead_time=9.0)
    assert counting(pulled([first, again])) == [1]
    assert counting(pulled([first, again], [again])) == []
    other = note(2, 1, draft=at(0), lead_time=9.0, result=OTHER)
    stored = pulled([first, other])
    assert (counting(stored), word(stored)) == ([1, 2], 2)


@pytest.mark.parametrize("deleted", [1, 2, 3])
def test_what_was_deleted_stays_deleted(deleted: int) -> None:
    """Whichever the coder deletes of three, none of the others takes its place, nor a later one."""
    three = [note(1), note(2, 0.1), note(3, 0.2)]
    left = [row for row in three if row["annotation"] != f"local:{deleted}"]
    assert counting(pulled(three, left)) == []
    assert counting(pulled(three, left, left)) == []
    assert counting(pulled(three, left, [*left, note(4, 6)])) == []


def test_a_copy_that_lands_after_its_submission_was_deleted_does_not_count() -> None:
    """The one that was known is gone when the retry lands."""
    assert counting(pulled([note(1)], [], [note(2, 2)])) == []
    assert counting(pulled([note(1)], [note(2, 2)])) == []


@pytest.mark.parametrize("edited", [1, 2])
def test_the_copy_that_was_edited_is_the_coders_word(edited: int) -> None:
    """Whichever of two it is; it stays a copy, and one deleted since leaves nothing."""
    two = [note(1), note(2, 0.1)]
    changed = [
        {**row, "updated": at(9), "result": OTHER}
        if row["annotation"] == f"local:{edited}"
        else row
        for row in two
    ]
    stored = pulled(two, changed)
    assert counting(stored) == [edited]
    assert copies_of(stored) == {"local:2": "local:1"}
    left = [row for row in changed if row["annotation"] != f"local:{edited}"]
    assert counting(pulled(two, changed, left)) == []
    other = [row for row in changed if row["annotation"] == f"local:{edited}"]
    assert counting(pulled(two, changed, other)) == [edited]


@pytest.mark.parametrize(
    "second",
    [
        {"lead_time": 5.0},
        {"result": OTHER},
        {"cancelled": 1},
        {"completed_by": "ben@example.org"},
        {"studio_task": 8},
        {"created": "2026-03-01T08:31:00Z"},
    ],
)
def test_another_annotation_is_no_copy(second: dict[str, Any]) -> None:
    """Another lead time, result, account or task, a skip, or one that comes much later."""
    stored = pulled([note(1), {**note(2, 2), **second}])
    assert (counting(stored), copies_of(stored)) == ([1, 2], {})


def test_another_server_numbers_its_annotations_itself() -> None:
    """Copies are known by what they say, whatever the server calls them, and without a draft."""
    rows = [note(0, 0, annotation="team.example:98"), note(0, 15, annotation="team.example:101")]
    stored = pulled(rows)
    assert copies_of(stored) == {"team.example:101": "team.example:98"}


def test_a_skip_stored_twice_is_one() -> None:
    """Skips are submissions too."""
    assert counting(pulled([note(1, cancelled=1), note(2, 1, cancelled=1)])) == [1]


# --- the slower of two pulls -------------------------------------------------------------------


def test_an_older_state_replaces_nothing() -> None:
    """What was read before a change does not take its place, whoever writes last."""
    changed = note(1, 0, edited=2, result=OTHER)
    for overtaken in (True, False):
        stored = pulled([note(1)], [changed], [note(1)], overtaken=overtaken)
        assert list(stored["result"]) == [OTHER]


def test_what_came_or_went_meanwhile_stays_so() -> None:
    """An overtaken reading lacks what came since, and still has what was deleted."""
    stored = pulled([note(1), note(2, 5, result=OTHER)], [note(1)], overtaken=True)
    assert counting(stored) == [1, 2]
    stored = pulled([note(1)], [], [note(1)], overtaken=True)
    assert counting(stored) == []
    stored = pulled([note(1), note(2, 1)], [note(1)], [note(1), note(2, 1)], overtaken=True)
    assert counting(stored) == []


def test_a_reading_that_nobody_overtook_is_the_truth() -> None:
    """What is not there is withdrawn; what a restored server has again counts again."""
    assert counting(pulled([note(1)], [])) == []
    assert counting(pulled([note(1)], [], [note(1)])) == [1]


STEPS = st.lists(st.sampled_from(["copy", "edit", "delete"]), max_size=10)


@examples(60)
@given(steps=STEPS, data=st.data())
def test_one_counts_or_those_edited(steps: list[str], data: st.DataObject) -> None:
    """However a submission that was pulled is copied, edited and deleted, with a pull or none
    between: the first counts until one is edited or deleted, then those that are edited."""
    there = [note(1, draft=at(0))]
    readings = [list(there)]
    deleted = False
    for minute, step in enumerate(steps, start=1):
        place = data.draw(st.integers(0, max(len(there) - 1, 0)))
        if step == "copy":
            there.append(note(minute + 1, minute, draft=at(0)))
        elif there and step == "edit":
            there[place] = {**there[place], "updated": at(minute + 0.5), "lead_time": 9.0 + minute}
        elif there:
            readings.append(list(there))  # a pull has seen what goes
            deleted = True
            del there[place]
        if data.draw(st.booleans()):
            readings.append(list(there))
    stored = pulled(*readings, there)
    edited = {row["annotation"] for row in there if row["created"] != row["updated"]}
    counts = set(stored.loc[stored["withdrawn"] == 0, "annotation"])
    assert counts == (edited or (set() if deleted else {"local:1"}))
