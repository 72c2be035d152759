"""Exports of Label Studio as JSON and JSON-MIN → rows and columns: an annotation a row. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

ID, ANNOTATOR, ANNOTATION = "id", "annotator", "annotation_id"
GIVEN = ("choices", "taxonomy", "rating", "number", "text")  # what a control of a whole unit holds


def json_rows(found: object) -> list[dict[str, object]] | None:
    """The rows of an export, columns by name; None where it is no list of objects.

    Of an export as JSON each annotation that was not skipped is a row: the task's `id` and data,
    `annotator` (an address, else a number), `annotation_id`, and a column for each control that
    speaks of the whole unit. Regions of a text have none. JSON-MIN is a row an annotation already.
    """
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        return None
    rows: list[dict[str, object]] = []
    for record in found:
        if isinstance(record.get("annotations"), list):
            rows += _annotations(record)
        else:
            rows.append({name: _plain(value) for name, value in record.items()})
    return rows


def _annotations(task: dict[str, Any]) -> Iterator[dict[str, object]]:
    data = {name: _plain(value) for name, value in (task.get("data") or {}).items()}
    for annotation in task["annotations"]:
        if annotation.get("was_cancelled"):
            continue
        who = annotation.get("completed_by")
        named = (who.get("email") or who.get("id")) if isinstance(who, dict) else who
        row = {ID: task.get("id"), ANNOTATOR: named, ANNOTATION: annotation.get("id")}
        given: dict[str, object] = {}
        for result in annotation.get("result") or []:
            value = result.get("value") or {}
            if "start" not in value:
                kind = next((name for name in GIVEN if name in value), "")
                given |= {result["from_name"]: _plain(value[kind])} if kind else {}
        yield {**data, **row, **given}


def _plain(value: object) -> object:
    """A value as a cell: one choice as itself, several and whatever else is nested as JSON."""
    if isinstance(value, dict) and set(value) == {"choices"}:
        value = value["choices"]
    if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], list | dict):
        return value[0]
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
