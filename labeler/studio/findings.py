"""What came back and does not fit: the kinds of findings, and which of them a coder can mend.

A finding is about one task and stands in FINDINGS until the task is read again without it.

    skipped           the coder passed over the task
    copy              the server stored one submission several times: one counts
    several           an older annotation of the same unit by the same coder: the newest counts
    other-coder       given by another account than the seat's
    no-task           belongs to no task of these
    unreadable        the result is no list of results, or one of them is none
    unknown-variable  no variable of the codebook
    unknown-code      no code of the variable
    bad-value         several codes where one is due, no number, a number out of its bounds
    contradiction     the code for none beside others: the others count
    outside           a segment that lies outside of the text
    text-differs      a segment whose words are not those of the post
    text-changed      the server shows another text than the post's, whatever was coded there
    no-segment        codes about a segment that is not there
    unmet             an answer to a question that does not apply: dropped
    missing           no answer to a required question
    unchecked         a suggested segment that nobody said to have checked: it counts
    no-suggestion     an assisted task without a suggestion in view: no assisted coding
    ask-the-pi        the coder found a code of the post unclear, and says why
    comment           what else the coder has to say about the post
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

import pandas as pd

from labeler.store.tables import FINDINGS, frame, records

FindingKind = Literal[
    "skipped",
    "copy",
    "several",
    "other-coder",
    "no-task",
    "unreadable",
    "unknown-variable",
    "unknown-code",
    "bad-value",
    "contradiction",
    "outside",
    "text-differs",
    "text-changed",
    "no-segment",
    "unmet",
    "missing",
    "unchecked",
    "no-suggestion",
    "ask-the-pi",
    "comment",
]
Row = Mapping[Any, Any]

TO_MEND: dict[FindingKind, str] = {
    "missing": "a required answer missing",
    "contradiction": "the code for none beside others",
    "unchecked": "a suggested quote not checked",
    "bad-value": "a value that does not count",
    "unknown-code": "a code that the codebook lacks",
    "outside": "a quote that lies outside of the post",
}
"""What the coder can mend by opening the task again → what the task has, in words."""


def finding(
    row: Row, kind: FindingKind, detail: str, *, variable: str = "", segment: str = ""
) -> dict[str, Any]:
    """A FINDINGS row but for its number; `row` says which task and annotation (of ANNOTATIONS)."""
    number = row.get("studio_task")
    return {
        **{name: row[name] for name in ("batch", "arm", "coder", "unit", "annotation")},
        "studio_task": 0 if pd.isna(number) else int(number),
        "kind": kind,
        "variable": variable,
        "segment": segment,
        "detail": detail,
    }


def numbered(*found: Iterable[Row] | pd.DataFrame) -> pd.DataFrame:
    """FINDINGS of rows or frames, numbered within each task in the order in which they come."""
    counted: Counter[tuple[Any, ...]] = Counter()
    rows = []
    for part in found:
        for row in records(part) if isinstance(part, pd.DataFrame) else part:
            task = tuple(row[name] for name in ("batch", "arm", "coder", "studio_task"))
            counted[task] += 1
            rows.append({**row, "number": counted[task]})
    return frame(FINDINGS, rows)


def altered(tasks: Iterable[Row], posts: pd.DataFrame) -> list[dict[str, Any]]:
    """Findings (`text-changed`) for tasks whose text at the server is not the post's.

    A task says batch, arm, coder, unit, studio_task and text.
    """
    texts = dict(zip(posts["unit"], posts["text"], strict=True))
    return [
        finding(
            {**task, "annotation": ""},
            "text-changed",
            f"the server shows {len(task['text'])} other characters than the post's "
            f"{len(texts[task['unit']])}: codes and places may be about another text",
        )
        for task in sorted(tasks, key=lambda task: str(task["unit"]))
        if task["unit"] in texts and task["text"] != texts[task["unit"]]
    ]


def without_suggestion(annotations: pd.DataFrame, units: Collection[str]) -> list[dict[str, Any]]:
    """Findings (`no-suggestion`) for annotations of assisted units that showed no suggestion."""
    standing = records(annotations[annotations["withdrawn"] != 1])
    return [
        finding(row, "no-suggestion", "nothing was in view: this is no assisted coding")
        for row in standing
        if row["unit"] in units
    ]


def to_mend(found: pd.DataFrame) -> pd.DataFrame:
    """The FINDINGS that their coder can mend."""
    return found[found["kind"].isin(list(TO_MEND))].reset_index(drop=True)
