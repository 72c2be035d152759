"""Label Studio through its SDK: projects, tasks, annotations. Effects only, no decisions.

Label Studio imports twice what is sent twice, and may have kept what a killed or timed-out request
sent: units are looked up before every import and before every retry. Its `updated_at` of a task
moves when an annotation of it is made, changed or deleted, which is what `changes` goes by; what
was still on its way into the server's database when a pull began is what the overlap is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from labeler.errors import ServiceRejected
from labeler.studio.client import tabs
from labeler.studio.client.calls import SERVICE, Calls, encoded, rule

PORTION = 1000
PORTION_BYTES = 16_000_000
OVERLAP = timedelta(seconds=60)

_PROJECTS = 100
_TITLE = 50
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_SETTINGS = (
    "title",
    "description",
    "label_config",
    "show_collab_predictions",
    "model_version",
    "maximum_annotations",
    "sampling",
    "show_instruction",
    "show_skip_button",
)
_COUNTS = {
    "tasks": "task_number",
    "annotations": "total_annotations_number",
    "predictions": "total_predictions_number",
}


class RawTask(NamedTuple):
    """A task that changed, with all its annotations as Label Studio has them now.

    `updated` is where the next pull may begin: when this one began, by the server's clock.
    """

    task: int
    unit: str
    text: str
    updated: str
    annotations: list[dict[str, Any]]


class SuggestionState(NamedTuple):
    """A task of an assisted project: whether it holds a suggestion, and whether it is coded."""

    task: int
    unit: str
    suggested: bool
    coded: bool


class _Task(NamedTuple):
    """A task as it is sent: made once, since that takes a while."""

    unit: str
    body: bytes


class Studio:
    """One Label Studio, at `url`, under one account; `server` is the name that its rows carry.

    Every method raises ServiceRejected where the server refuses, and ServiceUnavailable where it
    does not answer after `attempts`, of `timeout` seconds each; one that has answered before is
    waited for about a minute, and `report` hears so. No message shows the token.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        server: str,
        timeout: float = 60,
        attempts: int = 4,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.server = server
        self.url = url.rstrip("/")
        self._calls = Calls(url, token, timeout=timeout, attempts=attempts, report=report)

    def __repr__(self) -> str:
        return f"Studio({self.url!r}, server={self.server!r})"

    # --- who and what is there -----------------------------------------------------------------

    def version(self) -> str:
        """The version of the server, as `1.23.2`."""
        return str(self._calls.get("ask the version", "api/version")["release"])

    def me(self) -> str:
        """The e-mail of the account."""
        return str(self._calls.call("ask who we are", self._calls.sdk.users.whoami).email)

    def on_sqlite(self) -> bool:
        """Whether the server keeps its data in SQLite; False where it does not say so.

        No address tells; but the database is named by its own complaint about a number that is
        too large for it, which 1.23.2 passes on.
        """
        words = self._calls.words("ask for its database", "api/projects/", {"ids": 10**20})
        return "sqlite" in words.lower()

    def users(self) -> dict[int, str]:
        """The e-mail of each account, by id."""
        found = self._calls.call("list the accounts", self._calls.sdk.users.list)
        return {int(user.id): str(user.email) for user in found}

    def settings(self, project: int) -> dict[str, Any]:
        """What `doctor` looks at: title, config, whether suggestions show, counts, ..."""
        found = self._calls.get(f"read project {project}", f"api/projects/{project}/")
        counts = {name: found[theirs] for name, theirs in _COUNTS.items()}
        return {name: found[name] for name in _SETTINGS} | counts

    # --- push ----------------------------------------------------------------------------------

    def project(
        self, key: str, *, title: str, config: str, instructions: str, suggestions: bool
    ) -> tuple[int, bool]:
        """The project of the seat `key`, made when it is missing; never edited afterwards.

        And whether it was made just now, so that nobody has put a task into it.
        It is known by its description. `suggestions` is whether predictions may show.
        """
        marker = f"labeler seat {key}"
        wanted: dict[str, Any] = {
            "title": title[:_TITLE],
            "description": marker,
            "label_config": config,
            "expert_instruction": instructions,
            "show_instruction": True,
            "show_collab_predictions": suggestions,
            "color": "#E0A100" if suggestions else "#5B6AA0",
            "sampling": "Sequential sampling",
            "maximum_annotations": 1,
            "show_skip_button": True,
            "skip_queue": "IGNORE_SKIPPED",
            "enable_empty_annotation": True,
        }

        def look() -> list[str]:
            return [] if self._marked(marker) else [marker]

        made: list[int] = []

        def make(_: Sequence[str]) -> None:
            answer = self._calls.post(f"make the project {title!r}", "api/projects/", wanted)
            made.append(int(answer["id"]))

        self._calls.send_once(look, make)
        # of two pushes at once that made one each, the first one's is taken
        project = min([*made, *self._marked(marker, title=wanted["title"] if made else "")])
        return project, project in made

    def units(
        self, project: int, *, report: Callable[[str], None] = lambda _: None
    ) -> dict[str, int]:
        """The task of each unit. Of a unit that came in twice, the copies not coded are deleted."""
        if not self.settings(project)["tasks"]:
            return {}
        found: dict[str, dict[str, Any]] = {}
        for row in self._calls.rows(project, "id,data,total_annotations,drafts"):
            unit = str(row.pop("data").get("unit", ""))
            row["coded"] = bool(row["total_annotations"] or row.pop("drafts"))
            copy = row
            if unit in found and row["coded"] and not found[unit]["coded"]:
                found[unit], copy = row, found[unit]
            elif unit not in found:
                found[unit] = row
                continue
            if not copy["coded"]:
                delete = partial(self._calls.sdk.tasks.delete, id=str(copy["id"]))
                self._calls.call(f"delete task {copy['id']}", delete)
            report(f"project {project}: unit {unit} was there twice")
        return {unit: int(row["id"]) for unit, row in found.items()}

    def import_tasks(
        self,
        project: int,
        payload: Sequence[Mapping[str, Any]],
        *,
        known: Mapping[str, int] | None = None,
        report: Callable[[str], None] = lambda _: None,
    ) -> dict[str, int]:
        """Every unit of `payload` once in the project; the task of each unit that is there.

        A unit that is already there is not sent again, nor changed; `known` is what `units` found
        before. A request holds at most `PORTION` tasks and about `PORTION_BYTES`: it is kept whole
        or not at all, and after one that failed the server is asked what arrived.
        """
        there = dict(self.units(project, report=report) if known is None else known)
        missing = [task for task in payload if task["data"]["unit"] not in there]
        for portion in _portions(missing):
            there |= self._sent(project, portion, report)
        lost = [task["data"]["unit"] for task in payload if task["data"]["unit"] not in there]
        if not lost:
            return there
        raise ServiceRejected(
            f"{SERVICE} at {self.url}: project {project} lacks {len(lost)} of {len(payload)} tasks "
            f"after the import, first unit {lost[0]}: push again",
            service=SERVICE,
        )

    def suggestion_states(self, project: int) -> list[SuggestionState]:
        """Whether each task holds a suggestion, and whether somebody submitted or skipped it."""
        fields = "id,data,total_predictions,total_annotations,cancelled_annotations"
        return [
            SuggestionState(
                int(row["id"]),
                str(row["data"].get("unit", "")),
                bool(row["total_predictions"]),
                bool(row["total_annotations"] or row["cancelled_annotations"]),
            )
            for row in self._calls.rows(project, fields)
        ]

    def suggest(self, project: int, predictions: Mapping[int, Mapping[str, Any]]) -> None:
        """Give tasks that hold no suggestion theirs (task → prediction), each once.

        The server may have kept what a failed request sent, so it is asked before each retry. It
        passes over in silence what it does not like: ask `suggestion_states` afterwards.
        """
        tries = 0

        def look() -> list[int]:
            nonlocal tries
            tries += 1
            if tries == 1:
                return sorted(predictions)
            states = self.suggestion_states(project)
            return [one.task for one in states if one.task in predictions and not one.suggested]

        def send(tasks: Sequence[int]) -> None:
            for start in range(0, len(tasks), PORTION):
                portion = tasks[start : start + PORTION]
                body = [{"task": task, **predictions[task]} for task in portion]
                path = f"api/projects/{project}/import/predictions"
                self._calls.post(f"give {len(body)} tasks their suggestions", path, body)

        self._calls.send_once(look, send)

    def remove_uncoded(self, project: int, units: Sequence[str]) -> list[str]:
        """Take tasks nobody has submitted out of the project; which of `units` are not there now.

        A unit that was not there before is one of them. A draft goes with its task. Each task is
        looked at once more right before it is deleted.
        """
        found: dict[str, list[int]] = {unit: [] for unit in units}
        for row in self._calls.rows(project, "id,data"):
            unit = str(row["data"].get("unit", ""))
            if unit in found:
                found[unit].append(int(row["id"]))
        gone = []
        for unit, copies in found.items():
            path = "api/tasks/{}/"
            read = [self._calls.get(f"read task {id_}", path.format(id_)) for id_ in copies]
            if any(task["total_annotations"] or task["cancelled_annotations"] for task in read):
                continue
            for id_ in copies:
                delete = partial(self._calls.sdk.tasks.delete, id=str(id_))
                self._calls.call(f"delete task {id_}", delete, again=False)
            gone.append(unit)
        return gone

    def set_model_version(self, project: int, version: str) -> None:
        """Let the predictions of `version` show; a project that holds none is left as it is."""
        if not self.settings(project)["predictions"]:
            return
        self._calls.call(
            f"set the model version of project {project}",
            lambda: self._calls.sdk.projects.update(id=project, model_version=version),
        )

    def submit(self, task: int, result: list[dict[str, Any]], lead_time: float) -> int:
        """Give an annotation in the account's own name, as the browser does; its id.

        Not repeated where no answer comes: it may have been kept.
        """
        made = self._calls.call(
            f"submit task {task}",
            lambda: self._calls.sdk.annotations.create(id=task, result=result, lead_time=lead_time),
            again=False,
        )
        return int(made.id)

    def hook(self, project: int, url: str, *, header: str, secret: str) -> None:
        """Let the project call `url` whenever an annotation comes, changes or goes; once, empty.

        No post and no code is in the call. Label Studio shows the header to all its accounts.
        """
        headers = {header: secret}
        there = self._calls.get("list the hooks", "api/webhooks/", {"project": project})
        if any(one["url"] == url and one["headers"] == headers for one in there):
            return
        wanted = {
            "project": project,
            "url": url,
            "headers": headers,
            "send_payload": False,
            "send_for_all_actions": False,
            "actions": ["ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED"],
        }
        self._calls.post(f"make a hook of project {project}", "api/webhooks/", wanted)

    def tab(self, project: int, title: str, tasks: Sequence[int]) -> str:
        """Show these tasks alone in a tab of the project; see `tabs.set_tab`."""
        return tabs.set_tab(self._calls, project, title, tasks)

    def invitation(self) -> str:
        """The address at which a person makes an account there."""
        found = self._calls.get("make an invitation", "api/invite")
        path = str(found["invite_url"])
        return path if "://" in path else f"{self.url}/{path.lstrip('/')}"

    # --- pull ----------------------------------------------------------------------------------

    def changes(self, project: int, *, since: str) -> Iterator[RawTask]:
        """Tasks that changed after `since` (ISO time; '' for all), less a minute of overlap.

        Each comes with all its annotations: one that is no longer among them was deleted. Drafts
        are no annotations. One page is held at a time.
        """
        newest = self._calls.page(project, "id,updated_at", order="-tasks:updated_at", size=1)
        if not newest:
            return
        begun = datetime.fromisoformat(newest[0]["updated_at"])
        begun = max(begun, self._calls.clock() or begun).astimezone(UTC)
        rules = []
        if since:
            after = (datetime.fromisoformat(since) - OVERLAP).astimezone(UTC)
            rules = [rule("updated_at", "Datetime", after.strftime(_TIME))]
        fields = "completed_by,was_cancelled,lead_time,created_at,draft_created_at,result"
        for row in self._calls.rows(project, f"id,data,updated_at,annotations,{fields}", rules):
            yield RawTask(
                task=int(row["id"]),
                unit=str(row["data"].get("unit", "")),
                text=str(row["data"].get("text", "")),
                updated=begun.strftime(_TIME),
                annotations=list(row["annotations"]),
            )

    # --- requests ------------------------------------------------------------------------------

    def _marked(self, marker: str, *, title: str = "") -> list[int]:
        """The projects whose description is the marker; looked for among those of a title only."""
        found: list[int] = []
        page = 1
        while True:
            given = {"include": "id,description", "page": page, "page_size": _PROJECTS}
            given |= {"title": title} if title else {}
            answer = self._calls.get("list the projects", "api/projects/", given)
            found += [int(row["id"]) for row in answer["results"] if row["description"] == marker]
            if not answer["next"]:
                return found
            page += 1

    def _sent(
        self, project: int, portion: Sequence[_Task], report: Callable[[str], None]
    ) -> dict[str, int]:
        """The task of each unit of a portion that is known to be missing, after it is sent."""
        found: dict[str, int] = {}
        left: Sequence[_Task] | None = None

        def look() -> Sequence[_Task]:
            nonlocal left
            if left is None:
                left = portion
            else:
                found.update(self.units(project, report=report))
                left = [task for task in portion if task.unit not in found]
            return left

        def send(tasks: Sequence[_Task]) -> None:
            answer = self._calls.post(
                f"import {len(tasks)} tasks into project {project}",
                f"api/projects/{project}/import",
                b"[" + b",".join(task.body for task in tasks) + b"]",
                commit_to_project="true",
                return_task_ids="true",
            )
            numbers = answer.get("task_ids") or []
            if len(numbers) == len(tasks):
                units = (task.unit for task in tasks)
                found.update(zip(units, map(int, numbers), strict=True))
            else:
                found.update(self.units(project, report=report))

        self._calls.send_once(look, send)
        return found


def _portions(payload: Iterable[Mapping[str, Any]]) -> Iterator[list[_Task]]:
    """The payload in portions that one request may hold; a task too large goes alone."""
    portion: list[_Task] = []
    held = 0
    for task in payload:
        made = _Task(str(task["data"]["unit"]), encoded(task))
        if portion and (len(portion) == PORTION or held + len(made.body) > PORTION_BYTES):
            yield portion
            portion, held = [], 0
        portion.append(made)
        held += len(made.body)
    if portion:
        yield portion
