"""Jobs (OpenAI calls them batches) at a server: files that go up, jobs of them, their answers.

Nothing here decides what is in a job or what its answers mean.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import httpx2
import openai
from openai.types import Batch

from labeler import hints
from labeler.coders.llm.client import failures, http
from labeler.coders.llm.request_body import ENDPOINT
from labeler.errors import LabelerError, ServiceRejected
from labeler.log import service_call
from labeler.text.storable import storable

WINDOW: Final = "24h"  # the only one there is
MARK = "labeler_job"  # the name of our key in the metadata of a job
PURPOSE: Final = "batch"
READS = 4  # further attempts of what may be repeated freely
SECONDS = 600.0
PORTION = 1 << 20


class ServerJob(NamedTuple):
    """A job as the server has it: `server_job` is its id there, `job` our key in its metadata,
    '' where it has none.

    `output` and `errors` are the ids of its files, '' where there is none; `reasons` are the
    server's words where it failed; `created` is in seconds since 1970.
    """

    server_job: str
    job: str
    state: str
    file: str
    output: str
    errors: str
    requests: int
    done: int
    failed: int
    created: int
    reasons: tuple[str, ...]


class JobServer(NamedTuple):
    """The files and jobs of an account.

    Each method raises ServiceRejected where the server refuses, ServiceUnavailable where it cannot
    be reached or fails: give the command again.
    """

    sdk: openai.OpenAI
    base_url: str
    key: str

    def greet(self) -> None:
        """Whether the server takes the key and knows jobs, asked before anything leaves."""
        with self._named():
            self.sdk.with_options(max_retries=READS).batches.list(limit=1)

    def made(self, *, since: float) -> list[ServerJob]:
        """The jobs that we made since a time (in seconds since 1970), oldest first.

        Servers list the newest first, so that those before need not be read.
        """
        with self._named():
            listed = self.sdk.with_options(max_retries=READS).batches.list(limit=100)
            newer = takewhile(lambda one: one.created >= since, map(_read, listed))
            return sorted((one for one in newer if one.job), key=lambda one: one.created)

    def job(self, name: str) -> ServerJob | None:
        """A job as it is now; None where the server knows none of this name."""
        with self._named():
            try:
                return _read(self.sdk.with_options(max_retries=READS).batches.retrieve(name))
            except openai.NotFoundError:
                return None

    def files(self, name: str) -> dict[str, int]:
        """The files for jobs that are called so, oldest first: id → bytes."""
        with self._named():
            listed = self.sdk.with_options(max_retries=READS).files.list(purpose=PURPOSE)
            found = [file for file in listed if file.filename == name]
        return {file.id: file.bytes for file in sorted(found, key=lambda file: file.created_at)}

    def upload(self, path: Path, name: str) -> str:
        """Send a file up, once; its id. What became of it after an error, `files` tells."""
        with self._named(), path.open("rb") as file:
            return self.sdk.files.create(file=(name, file), purpose=PURPOSE).id

    def create(self, file: str, job: str) -> ServerJob:
        """Make a job of a file, once. What became of it after an error, `made` tells."""
        with self._named():
            return _read(
                self.sdk.batches.create(
                    input_file_id=file,
                    endpoint=ENDPOINT,
                    completion_window=WINDOW,
                    metadata={MARK: job},
                )
            )

    def cancel(self, name: str) -> None:
        """Have a job end; one that has ended or is not there stays so."""
        with self._named():
            try:
                self.sdk.batches.cancel(name)
            except (openai.NotFoundError, openai.ConflictError, openai.BadRequestError):
                return

    def download(self, file: str, path: Path) -> None:
        """Bring a file down, whole or not at all; `path` is there when it is safe on the disk."""
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        streamed = self.sdk.with_options(max_retries=READS).files.with_streaming_response
        try:
            with self._named(), streamed.content(file) as response, fresh.open("xb") as local:
                fresh.chmod(0o600)
                for portion in response.iter_bytes(PORTION):
                    local.write(portion)
                local.flush()
                os.fsync(local.fileno())
            fresh.replace(path)
        except OSError as error:
            raise LabelerError(
                f"{path}: cannot be written: {error.strerror}; the answers are still at the "
                "server: free some space, or change the folder's rights, and run again"
            ) from error
        finally:
            fresh.unlink(missing_ok=True)

    def delete(self, file: str) -> None:
        """Have the server delete a file; one that is not there is no error."""
        with self._named():
            try:
                self.sdk.with_options(max_retries=READS).files.delete(file)
            except openai.NotFoundError:
                return

    @contextmanager
    def _named(self) -> Iterator[None]:
        """What the SDK raises, as an error that says where and what to do."""
        try:
            yield
        except openai.APIStatusError as error:
            raise self._refused(error) from error
        except openai.APIConnectionError as error:
            raise http.unavailable(self.base_url, failures.cause(error)) from error
        except (openai.OpenAIError, httpx2.HTTPError, json.JSONDecodeError) as error:
            why = " ".join(str(error).split())[:200]
            raise http.unavailable(self.base_url, why) from error

    def _refused(self, error: openai.APIStatusError) -> LabelerError:
        failure = failures.of_status(
            error.status_code, error.response.headers, error.response.content, api_key=self.key
        )
        if failure.fate in ("again", "slower"):
            why = f"{failure.kind}: {failure.detail}"
            return http.unavailable(self.base_url, why, status=error.status_code)
        if error.status_code in (404, 405):
            return ServiceRejected(
                f"{http.where(self.base_url)} knows no jobs ({failure.status})",
                hint=hints.WRITE_FILES,
                service=http.SERVICE,
                status=error.status_code,
            )
        return http.refused(self.base_url, failure)


class LoggedClient(openai.DefaultHttpxClient):
    """The SDK's own client of HTTP, which notes each call in the log."""

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request; the SDK counts the ones before it in a header."""
        attempt = 1 + int(request.headers.get("x-stainless-retry-count", "0"))
        with service_call(request.method, str(request.url), attempt=attempt) as call:
            response = super().send(request, **options)
            call.status = response.status_code
        return response


@contextmanager
def opened(base_url: str, api_key: str) -> Iterator[JobServer]:
    """The jobs at an address; a query of it (`?api-version=…`) goes with each request."""
    http.checked(base_url)
    path, _, query = base_url.partition("?")
    key = api_key.strip()
    with openai.OpenAI(
        base_url=path,
        api_key=key or "none",
        default_query=dict(parse_qsl(query)),
        timeout=SECONDS,
        max_retries=0,
        http_client=LoggedClient(base_url=path, timeout=SECONDS),
    ) as sdk:
        yield JobServer(sdk, base_url, key)


def _read(found: Batch) -> ServerJob:
    counts, errors = found.request_counts, found.errors
    return ServerJob(
        found.id,
        (found.metadata or {}).get(MARK, ""),
        found.status,
        found.input_file_id or "",
        found.output_file_id or "",
        found.error_file_id or "",
        counts.total if counts else 0,
        counts.completed if counts else 0,
        counts.failed if counts else 0,
        found.created_at or 0,
        tuple(
            storable(" ".join(f"{one.code or ''} {one.message or ''}".split()))[:500]
            + (f" (line {one.line})" if one.line is not None else "")
            for one in (errors.data if errors and errors.data else [])
        ),
    )
