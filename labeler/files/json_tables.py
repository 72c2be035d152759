"""Exports of Label Studio as JSON and JSON-MIN → rows and columns: an annotation a row. Pure.

The rows of both have the columns that its CSV has, so that `label_studio` knows all three.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from labeler.files.json_cells import GIVEN

ID, ANNOTATOR, ANNOTATION = "id", "annotator", "annotation_id"
TIMES = ("created_at", "updated_at", "lead_time")
DATA = "_data_"  # before the name of a task's own column that is called like a control
PREDICTED = "prediction"  # what a suggestion without a version is called


def json_rows(found: object) -> list[dict[str, object]] | None:
    """The rows of an export, columns by name; None where it is no list of objects.

    Of an export as JSON each annotation that was not skipped is a row: the task's data and its
    `id`, a column for each control that speaks of the whole unit, `annotator` (an address, else a
    number), `annotation_id` and times. Regions of a text have none. A suggestion is a row without
    `annotation_id`, its model's version as `annotator`. JSON-MIN is a row an annotation already.
    """
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        return None
    taken = {ID, ANNOTATOR, ANNOTATION, *TIMES, *_controls(found)}
    rows: list[dict[str, object]] = []
    for record in found:
        if isinstance(record.get("annotations"), list):
            rows += _annotations(record, taken)
        else:
            rows.append({name: _plain(value) for name, value in record.items()})
    return rows


def columns_of(rows: list[dict[str, object]]) -> list[str]:
    """The names of all columns, as they come first; those of the annotation itself at the end, so
    that controls stand between `id` and `annotator` also where the first row lacks one."""
    names = dict.fromkeys(name for row in rows for name in row)
    last = [name for name in (ANNOTATOR, ANNOTATION, *TIMES) if name in names]
    return [name for name in names if name not in last] + last


def _annotations(task: dict[str, Any], taken: set[str]) -> Iterator[dict[str, object]]:
    """The rows of a task; its own columns that are called like `taken` ones get another name."""
    data = {
        f"{DATA}{name}" if name in taken else str(name): _plain(value)
        for name, value in (task.get("data") or {}).items()
    }
    data[ID] = task.get("id")
    for annotation in task["annotations"]:
        if not annotation.get("was_cancelled"):
            who = annotation.get("completed_by")
            named = (who.get("email") or who.get("id")) if isinstance(who, dict) else who
            about = {ANNOTATOR: named, ANNOTATION: annotation.get("id")}
            times = {name: annotation.get(name) for name in TIMES}
            yield {**data, **_given(annotation), **about, **times}
    for prediction in task.get("predictions") or []:
        if isinstance(prediction, dict):
            named = prediction.get("model_version") or PREDICTED
            yield {**data, **_given(prediction), ANNOTATOR: named}


def _given(annotation: dict[str, Any]) -> dict[str, object]:
    """What each control of the whole unit holds."""
    given: dict[str, object] = {}
    for name, value in _results(annotation):
        kind = next((kind for kind in GIVEN if kind in value), "")
        if kind and "start" not in value:
            plain = kind in ("rating", "number")
            given[name] = _plain(value[kind] if plain else {kind: value[kind]})
    return given


def _controls(tasks: list[dict[str, Any]]) -> set[str]:
    """The names of all controls that an export as JSON speaks of."""
    made = [
        annotation
        for task in tasks
        for held in ("annotations", "predictions")
        if isinstance(task.get(held), list)
        for annotation in task[held]
    ]
    return {name for annotation in made for name, _ in _results(annotation)}


def _results(annotation: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and value of each result that can be read."""
    result = annotation.get("result") if isinstance(annotation, dict) else None
    for one in result if isinstance(result, list) else []:
        value = one.get("value") if isinstance(one, dict) else None
        if isinstance(value, dict) and "from_name" in one:
            yield str(one["from_name"]), value


def _plain(value: object) -> object:
    """A value as a cell: one choice as itself, several and whatever else is nested as JSON."""
    inner = value
    if isinstance(inner, dict) and len(inner) == 1 and set(inner) <= {"choices", "text"}:
        (inner,) = inner.values()
    if isinstance(inner, list) and len(inner) == 1 and not isinstance(inner[0], list | dict):
        return inner[0]
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
