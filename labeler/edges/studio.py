"""Label Studio through its SDK: projects, tasks, annotations. Effects only, no decisions.

Label Studio imports twice what is sent twice, and may have kept what a killed or timed-out request
sent: units are looked up before every import and before every retry. Its `updated_at` of a task
moves when an annotation of it is made, changed or deleted, which is what `changes` goes by.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import httpx
from label_studio_sdk import LabelStudio
from label_studio_sdk.core.api_error import ApiError

from labeler.errors import ProjectError, ServiceError, ServiceRejected, ServiceUnavailable

SERVICE = "Label Studio"
BATCH = 1000
OVERLAP = timedelta(seconds=60)

_PAGE = 1000
_PATIENCE = 300
_TITLE = 50
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_ADVICE = {
    400: "it finds the request wrong",
    401: "it does not know this key: give LABEL_STUDIO_API_KEY the access token of an account "
    "there (legacy tokens may be switched off in its organisation settings)",
    403: "this account may not do that: use one of the same organisation",
    404: "it is not there: was it deleted, or is this another server?",
}
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

_Found = TypeVar("_Found")
_Left = TypeVar("_Left")


class RawTask(NamedTuple):
    """A task that changed, with all its annotations as Label Studio has them now.

    `updated` is where the next pull may begin: never later than this pull's own beginning.
    """

    task: int
    unit: str
    updated: str
    annotations: list[dict[str, Any]]


class Studio:
    """One Label Studio under one account. `server` is the name that rows of it carry.

    Every method raises ServiceRejected where the server refuses, and ServiceUnavailable where it
    does not answer after `attempts`, of `timeout` seconds each. No message shows the token.
    """

    def __init__(
        self, url: str, token: str, *, server: str, timeout: float = 60, attempts: int = 4
    ) -> None:
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ProjectError("Label Studio: its address is written http://host:port")
        self.server = server
        self._shown = f"{SERVICE} at {address.scheme}://{address.netloc.rpartition('@')[2]}"
        self._attempts = attempts
        http = httpx.Client(
            timeout=timeout, follow_redirects=True, trust_env=address.hostname not in _LOOPBACK
        )
        self._sdk = self._call(
            "sign in",
            lambda: LabelStudio(
                base_url=url.rstrip("/"), api_key=token, httpx_client=http, max_retries=0
            ),
        )

    def __repr__(self) -> str:
        return f"Studio({self._shown!r}, server={self.server!r})"

    # --- who and what is there -----------------------------------------------------------------

    def version(self) -> str:
        """The version of the server, as `1.23.2`."""
        return str(self._get("ask the version", "api/version", {})["release"])

    def me(self) -> str:
        """The e-mail of the account."""
        return str(self._call("ask who we are", self._sdk.users.whoami).email)

    def users(self) -> dict[int, str]:
        """The e-mail of each account, by id."""
        found = self._call("list the accounts", self._sdk.users.list)
        return {int(user.id): str(user.email) for user in found}

    def settings(self, project: int) -> dict[str, Any]:
        """What `doctor` looks at: title, config, whether suggestions show, counts, ..."""
        found = self._get(f"read project {project}", f"api/projects/{project}/", {})
        counts = {name: found[theirs] for name, theirs in _COUNTS.items()}
        return {name: found[name] for name in _SETTINGS} | counts

    # --- push ----------------------------------------------------------------------------------

    def project(
        self, key: str, *, title: str, config: str, instructions: str, suggestions: bool
    ) -> int:
        """The project of the seat `key`, made when it is missing; never edited afterwards.

        It is known by its description. `suggestions` is whether predictions may show.
        """
        marker = f"labeler seat {key}"
        wanted = {
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

        def look() -> list[dict[str, Any]]:
            return [] if self._marked(marker) else [wanted]

        def make(missing: Sequence[dict[str, Any]]) -> None:
            for one in missing:
                self._call(f"make {title!r}", lambda: self._sdk.projects.create(**one), again=False)

        self._send_once(look, make)
        return min(self._marked(marker))

    def import_tasks(
        self,
        project: int,
        payload: Sequence[Mapping[str, Any]],
        *,
        report: Callable[[str], None] = lambda _: None,
    ) -> dict[str, int]:
        """Every unit of `payload` once in the project; the task of each unit that is there.

        A unit that is already there is not sent again, nor changed. `report` hears how far it is.
        """
        looked = False
        known: dict[str, int] = {}

        def send(missing: Sequence[Mapping[str, Any]]) -> None:
            nonlocal looked
            looked = False  # until this import has been answered, nobody knows what it left
            self._import(project, missing)
            known.update({task["data"]["unit"]: 0 for task in missing})
            looked = True

        for start in range(0, len(payload), BATCH):
            batch = payload[start : start + BATCH]

            def look(batch: Sequence[Mapping[str, Any]] = batch) -> list[Mapping[str, Any]]:
                nonlocal looked
                if not looked:
                    known.clear()
                    known.update(self._tasks(project, report))
                    looked = True
                return [task for task in batch if task["data"]["unit"] not in known]

            self._send_once(look, send)
            report(f"project {project}: {start + len(batch)} of {len(payload)} tasks are there")
        return self._verified(project, payload, report)

    def set_model_version(self, project: int, version: str) -> None:
        """Let the predictions of `version` show; the project must hold one of them."""
        self._call(
            f"set the model version of project {project}",
            lambda: self._sdk.projects.update(id=project, model_version=version),
        )

    def submit(self, task: int, result: list[dict[str, Any]], lead_time: float) -> int:
        """Give an annotation in the account's own name, as the browser does; its id.

        Not repeated where no answer comes: it may have been kept.
        """
        made = self._call(
            f"submit task {task}",
            lambda: self._sdk.annotations.create(id=task, result=result, lead_time=lead_time),
            again=False,
        )
        return int(made.id)

    # --- pull ----------------------------------------------------------------------------------

    def changes(self, project: int, *, since: str) -> Iterator[RawTask]:
        """Tasks that changed after `since` (ISO time; '' for all), less a minute of overlap.

        Each comes with all its annotations: one that is no longer among them was deleted. Drafts
        are no annotations. One page is held at a time.
        """
        newest = self._page(project, "id,updated_at", ["-tasks:updated_at"], [], size=1)
        if not newest:
            return
        begun = str(newest[0]["updated_at"])
        rules = []
        if since:
            after = datetime.fromisoformat(since) - OVERLAP
            if datetime.fromisoformat(begun) <= datetime.fromisoformat(since) == after + OVERLAP:
                pass
            rules = [_rule("updated_at", "Datetime", after.astimezone(UTC).strftime(_TIME))]
        fields = "completed_by,was_cancelled,lead_time,created_at,result"
        for row in self._rows(project, f"id,data,updated_at,annotations,{fields}", rules):
            yield RawTask(
                task=int(row["id"]),
                unit=str(row["data"].get("unit", "")),
                updated=min(str(row["updated_at"]), begun),
                annotations=list(row["annotations"]),
            )

    # --- requests ------------------------------------------------------------------------------

    def _marked(self, marker: str) -> list[int]:
        """The projects whose description is the marker."""
        found: list[int] = []
        page = 1
        while True:
            given = {"include": "id,description", "page": page, "page_size": _PAGE}
            answer = self._get("list the projects", "api/projects/", given)
            found += [int(row["id"]) for row in answer["results"] if row["description"] == marker]
            if not answer["next"]:
                return found
            page += 1

    def _import(self, project: int, tasks: Sequence[Mapping[str, Any]]) -> None:
        self._call(
            f"import {len(tasks)} tasks into project {project}",
            lambda: self._sdk.projects.import_tasks(
                id=project, request=tasks, request_options={"timeout_in_seconds": _PATIENCE}
            ),
            again=False,
        )

    def _tasks(self, project: int, report: Callable[[str], None]) -> dict[str, int]:
        """The task of each unit. Of a unit that came in twice, the copies not coded are deleted."""
        found: dict[str, dict[str, Any]] = {}
        for row in self._rows(project, "id,data,total_annotations,drafts", []):
            unit = str(row["data"].get("unit", ""))
            row["coded"] = bool(row["total_annotations"] or row["drafts"])
            copy = row
            if unit in found and row["coded"] and not found[unit]["coded"]:
                found[unit], copy = row, found[unit]
            elif unit not in found:
                found[unit] = row
                continue
            if not copy["coded"]:
                what = f"delete task {copy['id']}"
                self._call(what, lambda copy=copy: self._sdk.tasks.delete(id=str(copy["id"])))
            report(f"project {project}: unit {unit} was there twice")
        return {unit: int(row["id"]) for unit, row in found.items()}

    def _verified(
        self, project: int, payload: Sequence[Mapping[str, Any]], report: Callable[[str], None]
    ) -> dict[str, int]:
        """What is there now; ServiceRejected where a unit of `payload` is not."""
        known = self._tasks(project, report)
        lost = [task["data"]["unit"] for task in payload if task["data"]["unit"] not in known]
        if not lost:
            return known
        raise ServiceRejected(
            f"{self._shown}: project {project} lacks {len(lost)} of {len(payload)} tasks after "
            f"the import, first unit {lost[0]}: push again",
            service=SERVICE,
        )

    def _rows(
        self, project: int, include: str, rules: list[dict[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """Tasks in order of their id, page after page: each page begins after the last id."""
        last = 0
        while True:
            after = [*rules, _rule("id", "Number", last)]
            page = self._page(project, include, ["tasks:id"], after, size=_PAGE)
            yield from page
            if len(page) < _PAGE:
                return
            last = int(page[-1]["id"])

    def _page(
        self, project: int, include: str, order: list[str], rules: list[dict[str, Any]], *, size: int
    ) -> list[dict[str, Any]]:
        query = {"ordering": order, "filters": {"conjunction": "and", "items": rules}}
        given = {
            "project": project,
            "fields": "all",
            "include": include,
            "page_size": size,
            "query": json.dumps(query),
        }
        return list(self._get(f"list the tasks of project {project}", "api/tasks/", given)["tasks"])

    def _get(self, what: str, path: str, params: Mapping[str, Any]) -> Any:
        def ask() -> Any:
            http = self._sdk._client_wrapper.httpx_client  # renews a personal access token
            answer = http.request(path, method="GET", params=dict(params))
            if not answer.is_success:
                raise ApiError(status_code=answer.status_code, body=answer.text)
            return answer.json()

        return self._call(what, ask)

    def _send_once(
        self, look: Callable[[], Sequence[_Left]], send: Callable[[Sequence[_Left]], None]
    ) -> None:
        """Send what `look` finds missing; look again before each retry."""
        for attempt in range(1, self._attempts + 1):
            missing = look()
            if not missing:
                return
            try:
                return send(missing)
            except ServiceUnavailable:
                if attempt == self._attempts:
                    raise
                time.sleep(2 ** (attempt - 1))

    def _call(self, what: str, function: Callable[[], _Found], *, again: bool = True) -> _Found:
        """The function's answer; after a failure that may pass, once more a little later."""
        attempts = self._attempts if again else 1
        for attempt in range(1, attempts + 1):
            status = None
            try:
                return function()
            except ApiError as error:
                status = error.status_code
                if status is None or not (status >= 500 or status in (408, 429)):
                    raise self._rejected(what, status, error.body) from None
                reason = f"status {status}: {_words(error.body)}"
            except (httpx.TransportError, httpx.InvalidURL) as error:
                reason = str(error) or type(error).__name__
            except ValueError:
                raise self._rejected(what, None, "") from None
            if attempt < attempts:
                time.sleep(2 ** (attempt - 1))
        raise ServiceUnavailable(
            f"{self._shown}: could not {what}, after {attempts} attempts ({reason}): is it "
            "running? Give the same command again",
            service=SERVICE,
            status=status,
        )

    def _rejected(self, what: str, status: int | None, body: object) -> ServiceRejected:
        advice = _ADVICE.get(status or 0, "is this the address of a Label Studio?")
        words = _words(body)
        return ServiceRejected(
            f"{self._shown}: could not {what}: status {status}: {advice}"
            + (f" ({words})" if words else ""),
            service=SERVICE,
            status=status,
        )
