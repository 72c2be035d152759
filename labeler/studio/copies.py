"""One submission that Label Studio stored several times: its copies, and which of them counts.

On SQLite, Label Studio 1.23.2 runs a submission again that met another writer after it was stored:
each run leaves an annotation, and the coder sees one. Where the page gave it a number of its own,
as today's does, the second run is refused instead, and a coder who sees that submits once more. A
copy is told by its result and lead time, or by the draft that both were made of. Of a submission
one counts:

    the first         as long as nobody touched any of them
    those edited      by the coder since: each by its own `updated`, like any annotation; the
                      others are what was replaced
    none              of those not edited, once the coder deleted any of them
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

WITHIN = timedelta(minutes=30)
"""How long after a submission a copy of it may come. Label Studio runs a request up to 15 times
more and waits 1, 1.5, 2.25 … s in between, 873 s in all; each run waits for its turn besides."""

EDITED = timedelta(seconds=1)
"""An annotation that was last changed so long after it was made was edited."""

Row = dict[str, Any]


def marked(
    rows: Iterable[Row],
    *,
    earlier: Mapping[str, Row],
    gone: Collection[str],
) -> list[Row]:
    """The ANNOTATIONS `rows` of some tasks, with `copy_of`, and `withdrawn` of what has copies.

    `earlier` has the rows as they were known before, by annotation. `gone` names those that the
    server has no longer. What is known as a copy stays one, also after it was edited.
    """
    found = [dict(row) for row in rows]
    firsts = {row["copy_of"] for row in found if row["copy_of"]}
    for own in _by(found, "studio_task", "completed_by"):
        own.sort(key=_age)
        contents = [_contents(row, earlier) for row in own]
        for place, row in enumerate(own):
            if row["copy_of"] or row["annotation"] in firsts:
                continue
            for other, content in zip(own[:place], contents, strict=False):
                same = _soon(other, row) and content & contents[place]
                if same or _of_one_draft(other, row):
                    row["copy_of"] = other["copy_of"] or other["annotation"]
                    break
    for row in found:
        row["submission"] = row["copy_of"] or row["annotation"]
    for group in _by(found, "submission"):
        if len(group) > 1:
            _decide(group, gone)
    for row in found:
        del row["submission"]
    return found


def groups(annotations: pd.DataFrame) -> list[list[Row]]:
    """The ANNOTATIONS of each submission that was stored several times, the first one first."""
    copies = set(annotations["copy_of"]) - {""}
    which = annotations["annotation"].isin(copies) | (annotations["copy_of"] != "")
    rows: list[Row] = annotations[which].to_dict("records")  # type: ignore[assignment]
    for row in rows:
        row["submission"] = row["copy_of"] or row["annotation"]
    return [sorted(group, key=_age) for group in _by(rows, "submission")]


def _decide(group: list[Row], gone: Collection[str]) -> None:
    """Say of each annotation of a submission whether it counts."""
    untouched = [row for row in group if row["annotation"] not in gone and not _edited(row)]
    replaced = len(untouched) < len(group)
    for place, row in enumerate(sorted(untouched, key=_age)):
        row["withdrawn"] = int(replaced or place > 0)


def _contents(row: Row, earlier: Mapping[str, Row]) -> set[tuple[Any, ...]]:
    """What an annotation says, and what it was known to say before."""
    known = [row, earlier[row["annotation"]]] if row["annotation"] in earlier else [row]
    return {
        (
            one["result"],
            None if pd.isna(one["cancelled"]) else int(one["cancelled"]),
            None if pd.isna(one["lead_time"]) else float(one["lead_time"]),
        )
        for one in known
    }


def _of_one_draft(one: Row, other: Row) -> bool:
    """Whether both were made of one draft: as they are, or before one was edited.

    What differs and was not edited is another answer, which the coder gave after a refusal.
    """
    if not one["draft"] or one["draft"] != other["draft"]:
        return False
    return bool(one["result"] == other["result"]) or _edited(one) or _edited(other)


def _soon(one: Row, other: Row) -> bool:
    passed = _between(one["created"], other["created"])
    return passed is not None and passed <= WITHIN


def _edited(row: Row) -> bool:
    passed = _between(row["created"], row["updated"])
    return passed is not None and passed > EDITED


def _between(first: str, second: str) -> timedelta | None:
    """The time from one moment to another, where both are known."""
    if not (first and second):
        return None
    return datetime.fromisoformat(second) - datetime.fromisoformat(first)


def _age(row: Row) -> tuple[str, int, str]:
    """In order of age, those of one moment in order of their number."""
    number = re.search(r"\d+$", row["annotation"])
    return row["created"], int(number[0]) if number else 0, row["annotation"]


def _by(rows: list[Row], *names: str) -> list[list[Row]]:
    """The rows apart by some of their columns."""
    apart: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        apart.setdefault(tuple(row[name] for name in names), []).append(row)
    return list(apart.values())
