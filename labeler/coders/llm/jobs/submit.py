"""What is pending → jobs at a model server or files in a folder, each request in one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pandas as pd

from labeler import hints
from labeler.coders.llm import canary, claims, request_body, shared_requests, tokens
from labeler.coders.llm.jobs import files, registry
from labeler.coders.llm.jobs.registry import ENDED, NOTED, WRITTEN, JobLimits
from labeler.coders.llm.jobs.server import JobServer, opened
from labeler.coders.llm.model import WITH_SUBREDDITS, ModelCoder, RequestSettings, model_of
from labeler.coders.llm.run import ModelRun, note_ledger
from labeler.errors import ProjectError
from labeler.files import records
from labeler.store import database, tables
from labeler.study.study import Report, Study, add_coder, coders, logged, silent

KEPT = ["completion", "claim", "unit", "replicate", "asked", "request", "bytes", "tokens", "most"]


class SubmitResult(NamedTuple):
    """What a submission did: the coder, jobs made and requests in them, jobs of earlier runs
    that were brought to their end, and what a person must know."""

    coder: str
    jobs: tuple[str, ...]
    requests: int
    resumed: int
    remarks: tuple[str, ...]


def submit(
    study: Study,
    settings: RequestSettings,
    job_limits: JobLimits,
    *,
    folder: Path | None = None,
    report: Report = silent,
) -> SubmitResult:
    """Send what is pending as jobs to the project's model server, or write it to a folder.

    What is in a job that is not yet fetched is not pending. Killed at any moment and given again
    it does what is missing: each request ends in one job. ServiceUnavailable, ServiceRejected:
    what was noted is sent by the next call.
    """
    model = model_of(study, settings)
    if settings.several > 1:
        shared_requests.required(study, settings, model)
    place = registry.in_folder(folder) if folder else registry.address(study)
    noted = {**settings._asdict(), "prices": str(settings.prices or ""), "coder": model.coder}
    with logged(study, "jobs", {**noted, "jobs": "submit", "place": place}) as run:
        add_coder(study, model.coder, kind="model", spec=model.spec)
        model_run = ModelRun(study, model, settings, run=run, report=report)
        if folder:
            return _submitted(study, model, model_run, job_limits, place, None)
        with opened(study.project.llm_url, study.project.llm_key) as server:
            server.greet()
            registry.refresh(study, server, model_run.holder)
            return _submitted(study, model, model_run, job_limits, place, server)


# --- what goes ----------------------------------------------------------------------------------


def _submitted(
    study: Study,
    model: ModelCoder,
    model_run: ModelRun,
    job_limits: JobLimits,
    place: str,
    server: JobServer | None,
) -> SubmitResult:
    earlier = {row.job for row in registry.outstanding(study, host=place, state=NOTED)}
    taking = _PendingRequests(study, model, model_run, _room(study, job_limits, place))
    about: dict[str, object] = {**model_run.which, "host": place, "run": model_run.run}
    limits = files.FileLimits(job_limits.lines, job_limits.bytes)
    try:
        for shard in files.shards(taking.requests(), limits=limits):
            job = registry.note(study, about, shard)
            model_run.report(f"job {job}: {shard['asked'].nunique()} requests noted")
    finally:
        claims.release(study.engine, holder=model_run.holder)
    made, requests, resumed = [], 0, 0
    for one in registry.outstanding(study, host=place, state=NOTED):
        with registry.held(study, one.job, model_run.holder) as row:
            if row is None or row.state != NOTED:
                continue
            _deliver(study, model_run, row, server, again=row.job in earlier)
        resumed += row.job in earlier
        if row.job not in earlier:
            made.append(row.job)
            requests += int(row.requests)
    remarks = [*model_run.remarks(), *taking.remarks(), *_ended(study, place)]
    return SubmitResult(model.coder, tuple(made), requests, resumed, tuple(remarks))


class _PendingRequests:
    """What is pending and nobody asks, as long as budget and quota last."""

    def __init__(
        self, study: Study, model: ModelCoder, model_run: ModelRun, room: int | None
    ) -> None:
        self.study, self.model, self.model_run, self.room = study, model, model_run, room
        self.full = False
        self.counted: dict[str, int] = {}

    def requests(self) -> Iterator[pd.DataFrame]:
        """Chunks of requests without their bodies (columns KEPT), a canary before the first."""
        model_run = self.model_run
        for mine in chain(
            model_run.requests(model_run.fresh()), model_run.requests(model_run.second())
        ):
            if not self.counted:
                model_run.note_prompts()
                self._count_prompts()
                if not model_run.greeted:
                    model_run.greeted = True
                    yield self._paid(self._sized(model_run.greeting()))
            paid = self._paid(self._sized(mine))
            yield paid
            if len(paid) < len(mine):
                return

    def remarks(self) -> list[str]:
        """Why some was left, where it was."""
        if not self.full:
            return []
        return [
            "the quota of waiting tokens is reached: what is left was not submitted; submit again "
            "when a job has ended"
        ]

    def _count_prompts(self) -> None:
        prompts = (self.model.prompt, self.model.alone)
        model = self.model_run.spending.model
        found = tokens.count([prompt.content for prompt in prompts], model=model)
        self.counted = {prompt.key: size for prompt, size in zip(prompts, found, strict=True)}

    def _sized(self, made: pd.DataFrame) -> pd.DataFrame:
        """The bytes of each request's line, its tokens, and the most that it costs.

        Tokens are those of the prompt and of the stored request, which differ little from those of
        the body and are counted many times faster. Rows that share a line count once.
        """
        lines = (
            files.line(asked, body, endpoint=request_body.ENDPOINT)
            for asked, body in zip(made["asked"], made["body"], strict=True)
        )
        model = self.model_run.spending.model
        own = tokens.count(list(made["request"]), model=model)
        prompts = [json.loads(request)["prompt"] for request in made["request"]]
        counted = [self.counted[prompt] + size for prompt, size in zip(prompts, own, strict=True)]
        limits = made["limit"].tolist()
        again = made.duplicated("asked").to_numpy()
        sized = made.assign(
            bytes=[len(line.encode("utf-8")) + 1 for line in lines],
            tokens=counted,
            most=self.model_run.spending.most_in_jobs(counted, limits),
        )
        sized.loc[again, ["tokens", "most"]] = 0
        return sized[KEPT]

    def _paid(self, sized: pd.DataFrame) -> pd.DataFrame:
        """The first of these requests, up to where the quota or the budget ends."""
        for place, row in enumerate(tables.rows(sized)):
            if self.room is not None and row.tokens > self.room:
                self.full = True
                return sized.iloc[:place]
            if not self.model_run.spending.reserve(row.completion, row.most):
                return sized.iloc[:place]
            if self.room is not None:
                self.room -= row.tokens
        return sized


def _room(study: Study, job_limits: JobLimits, place: str) -> int | None:
    """The tokens that may still be added to those that wait at the server."""
    if job_limits.tokens is None:
        return None
    waiting = [
        int(row.tokens) for row in registry.outstanding(study, host=place) if row.state not in ENDED
    ]
    return max(0, job_limits.tokens - sum(waiting))


def _ended(study: Study, place: str) -> Iterable[str]:
    ended = [row for row in registry.outstanding(study, host=place) if row.state in ENDED]
    if ended:
        yield f"{len(ended)} jobs have ended and wait to be fetched"


# --- how it goes --------------------------------------------------------------------------------


def _deliver(
    study: Study, model_run: ModelRun, row: Any, server: JobServer | None, *, again: bool
) -> None:
    """Bring a job that is noted to its place; `again`: an earlier run may have begun to."""
    folder = registry.folder_of(row.host)
    if folder is not None:
        _note_leaving(study, model_run, row, row.host)
        registry.write(study, row, folder / registry.file_name(row.job))
        registry.update(study, row, state=WRITTEN)
        return
    if server is None:
        raise ProjectError("this job is for a model server, not for a folder", hint=hints.NO_FOLDER)
    path = registry.local(study, row.job)
    registry.write(study, row, path)
    try:
        file = _file(study, model_run, row, server, path, again=again)
        row = registry.update(study, row, server_file=file)
        server_job = server.create(file, row.job)
    finally:
        records.remove(path)
    registry.update(study, row, server_job=server_job.server_job, state=server_job.state)
    model_run.report(f"job {row.job}: {server_job.server_job} {server_job.state}")


def _file(
    study: Study, model_run: ModelRun, row: Any, server: JobServer, path: Path, *, again: bool
) -> str:
    """The job's file at the server: one that a killed run had sent whole, or sent now."""
    there = server.files(path.name) if again else {}
    size = path.stat().st_size
    whole = [file for file, bytes_ in there.items() if bytes_ == size]
    for file in there:
        if file not in whole[:1]:
            server.delete(file)
    if whole:
        return whole[0]
    _note_leaving(study, model_run, row, urlsplit(server.base_url).hostname or "")
    return server.upload(path, path.name)


def _note_leaving(study: Study, model_run: ModelRun, row: Any, host: str) -> None:
    """Count a job's posts in the ledger of this run, before they leave."""
    members = database.read(study.engine, tables.JOB_REQUESTS, job=row.job)
    units = set(members["unit"]) - {unit for unit in members["unit"] if canary.is_one(unit)}
    model_run.left |= units
    hides = str(coders(study, "model")[row.coder]["hides"])
    left = {
        "run": model_run.run,
        "host": host,
        "posts": len(model_run.left),
        "started": model_run.started,
    }
    note_ledger(study, left, subreddits=hides.endswith(WITH_SUBREDDITS))
