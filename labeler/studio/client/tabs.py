"""A tab of a project in Label Studio that shows some tasks alone, to everybody who opens it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from labeler.studio.client.calls import Calls


def set_tab(calls: Calls, project: int, title: str, tasks: Sequence[int]) -> str:
    """Let the project have one tab of this title, with these tasks; without tasks, none.

    Its address, '' where there is none. A tab that shows just these tasks stays as it is, with
    what somebody chose to see in it; one that shows others is taken away and made anew.
    """
    items = [
        {"filter": "filter:tasks:id", "operator": "equal", "type": "Number", "value": task}
        for task in sorted(tasks)
    ]
    there = calls.get(f"list the tabs of project {project}", "api/dm/views/", {"project": project})
    kept = 0
    for tab in there:
        data = tab["data"] or {}
        if data.get("title") != title:
            continue
        shown = [item.get("value") for item in (data.get("filters") or {}).get("items", [])]
        if tasks and not kept and shown == sorted(tasks):
            kept = int(tab["id"])
        else:
            delete = partial(calls.sdk.views.delete, id=str(tab["id"]))
            calls.call(f"take tab {title!r} from project {project}", delete)
    if tasks and not kept:
        filters = {"conjunction": "or", "items": items}
        wanted = {"title": title, "type": "list", "target": "tasks", "filters": filters}
        body = {"project": project, "data": wanted}
        made = calls.post(f"make tab {title!r} of project {project}", "api/dm/views/", body)
        kept = int(made["id"])
    return f"{calls.url}/projects/{project}/data?tab={kept}" if kept else ""
