"""A tab of a project in Label Studio that shows some tasks alone, to everybody who opens it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from labeler.studio.client.calls import Calls

DEFAULT = "Default"  # what Label Studio calls the tab of all tasks, which it makes where none is
HIDDEN = (
    *("inner_id", "completed_at", "cancelled_annotations"),
    *("total_predictions", "annotators", "annotations_results", "annotations_ids"),
    *("predictions_score", "predictions_model_versions", "predictions_results", "file_upload"),
    *("storage_filename", "created_at", "updated_at", "updated_by", "avg_lead_time"),
    *("draft_exists", "data.unit", "data.note", "data.todo", "data.given"),
)
"""Columns that tabs made here leave out, so that the post stands beside its number."""


def set_tab(calls: Calls, project: int, title: str, tasks: Sequence[int]) -> str:
    """Let the project have one tab of this title, with these tasks; without tasks, none.

    Its address, '' where there is none. A tab that shows just these tasks stays as it is, with
    what somebody chose to see in it; one that shows others is taken away and made anew. It is
    never the only one: whoever opens the project is to find all tasks first.
    """
    items = [
        {"filter": "filter:tasks:id", "operator": "equal", "type": "Number", "value": task}
        for task in sorted(tasks)
    ]
    there = calls.get(f"list the tabs of project {project}", "api/dm/views/", {"project": project})
    kept, others = 0, 0
    for tab in there:
        data = tab["data"] or {}
        if data.get("title") != title:
            others += 1
            continue
        shown = [item.get("value") for item in (data.get("filters") or {}).get("items", [])]
        if tasks and not kept and shown == sorted(tasks):
            kept = int(tab["id"])
        else:
            delete = partial(calls.sdk.views.delete, id=str(tab["id"]))
            calls.call(f"take tab {title!r} from project {project}", delete)
    if tasks and not kept and not others:
        _made(calls, project, DEFAULT, [])
    if tasks and not kept:
        kept = _made(calls, project, title, items)
    return f"{calls.url}/projects/{project}/data?tab={kept}" if kept else ""


def _made(calls: Calls, project: int, title: str, items: Sequence[dict[str, object]]) -> int:
    """A tab of tasks that meet any of the filters; its number."""
    data: dict[str, object] = {"title": title, "type": "list", "target": "tasks"}
    data["filters"] = {"conjunction": "or" if items else "and", "items": list(items)}
    hidden = [f"tasks:{name}" for name in HIDDEN]
    data["hiddenColumns"] = {"explore": hidden, "labeling": hidden}
    body = {"project": project, "data": data}
    made = calls.post(f"make tab {title!r} of project {project}", "api/dm/views/", body)
    return int(made["id"])
