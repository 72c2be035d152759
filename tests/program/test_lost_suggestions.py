"""Suggestions that Label Studio lost are given again; what was coded without one is marked.

On SQLite it may keep the tasks of an import and lose their suggestions where others write at the
same time, and answers that all is well. Every post and code is made up.
"""

from __future__ import annotations

from pathlib import Path

from test_loop import answer
from test_sync import account, asked, drawn, study, texts

from labeler.store import tables
from labeler.studio.server.server import Server


def lose(studio: Server, tasks: list[int]) -> None:
    """Take the suggestions of some tasks away, as a lost import leaves them."""
    for task in tasks:
        for one in asked(studio, studio.token, "GET", f"api/tasks/{task}/")["predictions"]:
            asked(studio, studio.token, "DELETE", f"api/predictions/{one['id']}/")


def suggestions(studio: Server, task: int) -> int:
    return len(asked(studio, studio.token, "GET", f"api/tasks/{task}/")["predictions"])


def test_a_push_gives_what_was_lost_and_marks_what_was_coded_without(
    studio: Server, tmp_path: Path
) -> None:
    """Of eight tasks three lose their suggestion, one of which is coded before the next push."""
    labeler = study(tmp_path, studio)
    drawn(labeler, "lost", blind=0, assisted=8)
    labeler("push")
    rows = labeler.table(tables.TASKS).sort_values("position")
    assert list(rows["suggested"]) == [1] * 8
    number, unit = list(rows["studio_task"].map(int)), list(rows["unit"])
    lose(studio, number[:3])
    text = texts(labeler)
    account(studio, "ada").submit(number[0], answer(text[unit[0]]), 9.0)
    account(studio, "ada").submit(number[5], answer(text[unit[5]]), 9.0)

    labeler("pull")
    assert set(labeler.table(tables.CHANGES)["unit"]) == {unit[0], unit[5]}
    labeler("reliability")
    assert "outdated" not in labeler("status").out

    told = labeler("push").err
    assert "2 tasks lacked their suggestion and were given it" in told
    assert "1 tasks were coded without a suggestion in view" in told
    assert [suggestions(studio, task) for task in number] == [0, 1, 1, 1, 1, 1, 1, 1]
    marked = labeler.table(tables.TASKS).sort_values("position")
    assert list(marked["suggested"]) == [0, *[1] * 7]
    assert set(labeler.table(tables.CHANGES)["unit"]) == {unit[5]}
    assert "outdated" in labeler("status").out

    done = labeler("pull", "--json").json
    assert ("no-suggestion", unit[0]) in {(one["kind"], one["unit"]) for one in done["findings"]}
    assert set(labeler.table(tables.CHANGES)["unit"]) == {unit[5]}
    labeler("reliability")
    shown = labeler.table(tables.RELIABILITY)
    assisted = shown[(shown["kind"] == "assisted") & (shown["code"] == "")]
    assert assisted["n_units"].max() == 1

    again = labeler("push").err
    assert "lacked" not in again
    assert labeler.table(tables.TASKS).sort_values("position")["suggested"].tolist() == [
        0,
        *[1] * 7,
    ]
