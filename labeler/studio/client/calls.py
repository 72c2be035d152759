"""Calls to Label Studio: repeated where a failure may pass, refused in words, read by pages."""

from __future__ import annotations

import json
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from label_studio_sdk.base_client import LabelStudioBase
from label_studio_sdk.core.api_error import ApiError

from labeler import hints
from labeler.errors import ProjectError, ServiceRejected, ServiceUnavailable
from labeler.log import service_call

SERVICE = "Label Studio"

PAGE = 1000

_PATIENT = 12
_PAUSE = 5
_PATIENCE = 300
_SILENCE = 10
_PASSING = (408, 429, 502, 503, 504)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ADVICE = {
    400: "it finds the request wrong",
    401: "it does not know this key: it must be the access token of an account there (legacy "
    "tokens may be switched off in its organisation settings)",
    403: "this account may not do that: use one of the same organisation",
    404: "it is not there: was it deleted, or is this another server?",
}

_TOKEN = hints.STUDIO_TOKEN.about(variable="LABEL_STUDIO_API_KEY")

_Found = TypeVar("_Found")
_Left = TypeVar("_Left")


def rule(column: str, kind: str, value: object) -> dict[str, object]:
    """A filter for tasks whose `column` is greater than `value`."""
    name = f"filter:tasks:{column}"
    return {"filter": name, "operator": "greater", "type": kind, "value": value}


def encoded(body: object) -> bytes:
    """A body as JSON."""
    return json.dumps(body, separators=(",", ":")).encode("ascii")


class LoggedClient(httpx.Client):
    """A client of HTTP that notes each call in the log; `attempt` is set by who repeats calls."""

    attempt = 1

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request."""
        with service_call(request.method, str(request.url), attempt=self.attempt) as call:
            response = super().send(request, **options)
            call.status = response.status_code
        return response


class Calls:
    """The SDK of one Label Studio under one account, and what every call to it needs.

    A call raises ServiceRejected where the server refuses, and ServiceUnavailable where it does
    not answer after `attempts`, of `timeout` seconds each; one that has answered before is waited
    for longer, about a minute, and `report` hears so. No message shows the token.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float,
        attempts: int,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ProjectError("Label Studio: its address is written http://host:port")
        place = address.netloc.rpartition("@")[2]
        self.url = f"{address.scheme}://{place}{address.path.rstrip('/')}"
        self._attempts = attempts
        self._report = report
        self._answered = False
        self._clock = ""
        self._http = http = LoggedClient(
            timeout=timeout, follow_redirects=True, trust_env=address.hostname not in _LOOPBACK
        )
        weakref.finalize(self, http.close)
        self.sdk = self.call(
            "sign in",
            lambda: LabelStudioBase(
                base_url=url.rstrip("/"), api_key=token, httpx_client=http, max_retries=0
            ),
        )
        self._answered = False  # a legacy token signs in without asking anybody

    def call(self, what: str, function: Callable[[], _Found], *, again: bool = True) -> _Found:
        """The function's answer; after a failure that may pass, once more a little later."""
        attempt, begun = 1, time.monotonic()
        while True:
            status, self._http.attempt = None, attempt
            try:
                with self._patiently(what):
                    answer = function()
            except ApiError as error:
                status = error.status_code
                if status is None or not (status >= 500 or status in _PASSING):
                    raise self._rejected(what, status, error.body) from None
                reason = f"status {status}: {_words(error.body)}"
            except (httpx.TransportError, httpx.InvalidURL) as error:
                reason = str(error) or type(error).__name__
            except ValueError:
                raise self._rejected(what, None, "") from None
            else:
                seconds = time.monotonic() - begun
                if attempt > 1:
                    self._report(f"{SERVICE} at {self.url} answers again, after {seconds:.0f} s")
                self._answered = True
                return answer
            if attempt == (self._limit(status) if again else 1):
                break
            if attempt == 1:
                self._report(f"{SERVICE} at {self.url} does not answer ({reason}): waiting for it")
            time.sleep(_pause(attempt))
            attempt += 1
        raise ServiceUnavailable(
            f"{SERVICE} at {self.url}: could not {what}, after {attempt} attempts ({reason}): "
            "is it running? Give the same command again",
            service=SERVICE,
            status=status,
        )

    def send_once(
        self, look: Callable[[], Sequence[_Left]], send: Callable[[Sequence[_Left]], None]
    ) -> None:
        """Send what `look` finds missing; look again before each retry."""
        attempt = 0
        while missing := look():
            attempt += 1
            try:
                send(missing)
                return
            except ServiceUnavailable as error:
                if attempt >= self._limit(error.status):
                    raise
                self._report(f"{error}: looking up what arrived, then sending the rest")
                time.sleep(_pause(attempt))

    @contextmanager
    def _patiently(self, what: str) -> Iterator[None]:
        """Say so, once, where an answer does not come for a while: the network may be cut."""
        words = f"{SERVICE} at {self.url}: no answer for {_SILENCE} s ({what}): waiting for it"
        alarm = threading.Timer(_SILENCE, self._report, [words])
        alarm.daemon = True
        alarm.start()
        begun = time.monotonic()
        try:
            yield
            if time.monotonic() - begun > _SILENCE:
                self._report(f"{SERVICE} at {self.url} has answered")
        finally:
            alarm.cancel()

    def _limit(self, status: int | None) -> int:
        """How often a call is tried: long where a server that answered has gone for a while."""
        gone = status is None or status in _PASSING
        return max(self._attempts, _PATIENT) if self._answered and gone else self._attempts

    def get(self, what: str, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """The JSON that a path answers, where the SDK has no method or reads too much."""

        def ask() -> Any:
            http = self.sdk._client_wrapper.httpx_client  # renews a personal access token
            answer = http.request(path, method="GET", params=dict(params or {}))
            if not answer.is_success:
                raise ApiError(status_code=answer.status_code, body=answer.text)
            self._clock = answer.headers.get("date", "")
            return answer.json()

        return self.call(what, ask)

    def words(self, what: str, path: str, params: Mapping[str, Any]) -> str:
        """What a path answers, whatever its status: once, as text."""

        def ask() -> str:
            http = self.sdk._client_wrapper.httpx_client
            return str(http.request(path, method="GET", params=dict(params)).text)

        return self.call(what, ask, again=False)

    def clock(self) -> datetime | None:
        """When the server gave its last answer, by its clock or ours, whichever is behind."""
        try:
            theirs = parsedate_to_datetime(self._clock)
        except ValueError:
            return None
        return min(theirs, datetime.now(UTC)) if theirs.tzinfo else None

    def post(self, what: str, path: str, body: object, **params: Any) -> Any:
        """The JSON that a path answers to `body` (bytes: JSON already), which is sent once.

        The SDK's own method reads through every part of a body before it sends it.
        """

        def ask() -> Any:
            http = self.sdk._client_wrapper.httpx_client
            answer = http.request(
                path,
                method="POST",
                params=params,
                content=body if isinstance(body, bytes) else encoded(body),
                headers={"content-type": "application/json"},
                request_options={"timeout_in_seconds": _PATIENCE},
            )
            if not answer.is_success:
                raise ApiError(status_code=answer.status_code, body=answer.text)
            return answer.json()

        return self.call(what, ask, again=False)

    def rows(
        self, project: int, include: str, rules: Sequence[Mapping[str, object]] = ()
    ) -> Iterator[dict[str, Any]]:
        """Tasks with the fields of `include` in order of their id; one page is held at a time.

        Each page begins after the last id, so that what changes meanwhile hides no task.
        """
        last = 0
        while True:
            after = [*rules, rule("id", "Number", last)]
            page = self.page(project, include, order="tasks:id", rules=after)
            yield from page
            if len(page) < PAGE:
                return
            last = int(page[-1]["id"])

    def page(
        self,
        project: int,
        include: str,
        *,
        order: str,
        rules: Sequence[Mapping[str, object]] = (),
        size: int = PAGE,
    ) -> list[dict[str, Any]]:
        """The first tasks of a project in an order, as many as `size`."""
        query = {"ordering": [order], "filters": {"conjunction": "and", "items": list(rules)}}
        given = {
            "project": project,
            "fields": "all",
            "include": include,
            "page_size": size,
            "query": json.dumps(query),
        }
        return list(self.get(f"list the tasks of project {project}", "api/tasks/", given)["tasks"])

    def _rejected(self, what: str, status: int | None, body: object) -> ServiceRejected:
        advice = _ADVICE.get(status or 0, "is this the address of a Label Studio?")
        words = _words(body)
        return ServiceRejected(
            f"{SERVICE} at {self.url}: could not {what}: status {status}: {advice}"
            + (f" ({words})" if words else ""),
            service=SERVICE,
            status=status,
            hint=_TOKEN if status == 401 else None,
        )


def _pause(attempt: int) -> float:
    """Seconds between an attempt and the next one."""
    return min(2.0 ** (attempt - 1), _PAUSE)


def _words(body: object) -> str:
    """What the server says is wrong, shortened to a line."""
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return ""
    if not isinstance(body, dict):
        return ""
    told = body.get("validation_errors") or body.get("detail") or ""
    return " ".join(str(told).split())[:300]
