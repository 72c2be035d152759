"""Jobs: which requests are in which job of a model server, or in which file of a folder.

A job is noted with all that it asks for before anything leaves, and what it asks for is claimed
in its name until it is fetched: that is what keeps others from asking, and paying, again. Its key
stands in the job's metadata and in the name of its file, by which a later run finds what an
earlier one, killed, had made. One process at a time works on a job.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from labeler.coders.llm import claims, request_body
from labeler.coders.llm.jobs import files
from labeler.files import records
from labeler.keys import key
from labeler.store import database, tables
from labeler.study.study import Study, now

if TYPE_CHECKING:  # the SDK takes a second to load, and `status` needs nothing of it
    from labeler.coders.llm.jobs.server import JobServer, ServerJob

NOTED, WRITTEN, UNKNOWN = "noted", "written", "unknown"
ENDED = ("completed", "expired", "failed", "cancelled")
FILES = "files in "
BEFORE = 86_400.0  # seconds by which the clocks of server and client may differ


class JobLimits(NamedTuple):
    """What a file holds at most, and how many tokens may wait at the server in all."""

    lines: int = 50_000
    bytes: int = 200_000_000
    tokens: int | None = None


def address(study: Study) -> str:
    """The place of jobs to the study's model server."""
    return study.project.llm_url.partition("?")[0].rstrip("/")


def in_folder(folder: Path) -> str:
    """The place of jobs that are files in a folder."""
    return f"{FILES}{folder.resolve()}"


def folder_of(place: str) -> Path | None:
    """The folder of a place; None where it is a server."""
    return Path(place.removeprefix(FILES)) if place.startswith(FILES) else None


def file_name(job: str, ending: str = "jsonl") -> str:
    """What a job's file is called, at the server as in a folder; `out.jsonl`: the answers."""
    return f"labeler-{job}.{ending}"


def local(study: Study, job: str, ending: str = "jsonl") -> Path:
    """A job's file in the project's own folder."""
    return study.project.state / "jobs" / file_name(job, ending)


def note(study: Study, about: dict[str, object], shard: pd.DataFrame) -> str:
    """Note a job (coder, codebook, host and run are given) of these requests; its key.

    From here on they are claimed in its name.
    """
    created = now()
    asked = list(dict.fromkeys(shard["asked"]))
    job = key({**about, "asked": asked, "created": created})[:16]
    row = dict.fromkeys(tables.columns(tables.JOBS), "") | {
        **about,
        "job": job,
        "state": NOTED,
        "requests": len(asked),
        "tokens": int(shard["tokens"].sum()),
        "done": 0,
        "failed": 0,
        "created": created,
    }
    members = shard[[name for name in tables.columns(tables.JOB_REQUESTS) if name in shard]]
    holder = claims.job_holder(job)
    taken = [{"claim": name, "holder": holder, "taken": created} for name in shard["claim"]]
    database.replace(
        study.engine,
        (tables.JOBS, {"job": job}, [row]),
        (tables.JOB_REQUESTS, {"job": job}, members.assign(job=job)),
        (tables.CLAIMS, {"claim": list(shard["claim"])}, taken),
    )
    return job


def settle(study: Study, row: Any) -> None:
    """Let go of all that a job has asked for and not brought; it is done with."""
    ended = tables.frame(tables.JOBS, [{**row._asdict(), "fetched": now()}])
    database.replace(
        study.engine,
        (tables.JOBS, {"job": row.job}, ended),
        (tables.JOB_REQUESTS, {"job": row.job}, []),
        (tables.CLAIMS, {"holder": claims.job_holder(row.job)}, []),
    )
    _tidy(study, row.job)


def outstanding(study: Study, **equals: object) -> list[Any]:
    """The JOBS rows that are not fetched, oldest first."""
    rows = database.read(study.engine, tables.JOBS, fetched="", **equals)
    return list(tables.rows(rows.sort_values(["created", "job"])))


def reserved(study: Study) -> dict[str, float]:
    """Job → the most that what it has not yet brought may cost."""
    held = database.read(study.engine, tables.JOB_REQUESTS)
    claimed = database.read(study.engine, tables.CLAIMS, claim=list(held["claim"]))
    names = claims.JOB + held["job"]
    waits = pd.Series(
        list(zip(held["claim"], names, strict=True)), index=held.index, dtype="object"
    ).isin(set(zip(claimed["claim"], claimed["holder"], strict=True)))
    return {str(k): float(v) for k, v in held[waits].groupby("job")["most"].sum().items()}


@contextmanager
def held(study: Study, job: str, holder: str) -> Iterator[Any | None]:
    """A job's row for this process alone; None where another has it, or it is fetched."""
    try:
        mine = claims.claimed(study.engine, [job], holder=holder, at=now())
        rows = outstanding(study, job=job) if mine else []
        yield rows[0] if rows else None
    finally:
        claims.release(study.engine, claim=[job], holder=holder)


def update(study: Study, row: Any, **changed: object) -> Any:
    """Write what is new of a job; its row as it is now."""
    fresh = row._replace(**changed)
    database.mirror(study.engine, tables.JOBS, tables.frame(tables.JOBS, [fresh._asdict()]))
    return fresh


def write(study: Study, row: Any, path: Path) -> None:
    """Write a job's file, from the requests that are noted; the same bytes each time."""
    members = database.read(study.engine, tables.JOB_REQUESTS, job=row.job)
    own = members.drop_duplicates("asked")
    contents = database.read(study.engine, tables.PROMPTS).set_index("prompt")["content"]
    whole = {}

    def lines() -> Iterator[str]:
        for asked, request in zip(own["asked"], own["request"], strict=True):
            said = json.loads(request)
            prompt = said["prompt"]
            if prompt not in whole:
                whole[prompt] = request_body.envelope(contents[prompt])
            body = whole[prompt](said["user"], said["limit"])
            yield files.line(asked, body, endpoint=request_body.ENDPOINT) + "\n"

    records.write_parts(path, lines())


def refresh(study: Study, server: JobServer, holder: str) -> dict[str, ServerJob]:
    """Ask the server about its jobs and write their states; job → the job as it is there.

    A job that a killed run had made is found by its metadata; of two with the same key, which
    a request that was cut off can leave behind, the earlier counts and the other is cancelled.
    """
    rows = outstanding(study, host=address(study))
    if not rows:
        return {}
    made: dict[str, list[ServerJob]] = {}
    for one in server.made(since=_seconds(rows[0].created) - BEFORE):
        made.setdefault(one.job, []).append(one)
    found = {}
    for known in rows:
        with held(study, known.job, holder) as row:
            if row is None:
                continue
            server_job = _own(server, row, made.get(row.job, []))
            if server_job is not None:
                found[row.job] = server_job
                _write_state(study, row, server_job)
            elif row.server_job:
                update(study, row, state=UNKNOWN)
    return found


def results_in(row: Any, folder: Path | None) -> Path | None:
    """The answers to a job that is a file, in its folder or in `folder`; None: not there."""
    places = [place for place in (folder, folder_of(row.host)) if place is not None]
    candidates = [place / file_name(row.job, "out.jsonl") for place in places]
    return next((path for path in candidates if path.is_file()), None)


def _own(server: JobServer, row: Any, made: list[ServerJob]) -> ServerJob | None:
    """The server's own of a job among those that name it; any other is cancelled."""
    named = [one for one in made if one.server_job == row.server_job]
    if row.server_job and not named:
        asked = server.job(row.server_job)
        named = [asked] if asked else []
    own: ServerJob | None = next(iter(named or made), None)
    for other in made:
        if own is not None and other.server_job != own.server_job and other.state not in ENDED:
            server.cancel(other.server_job)
    return own


def _tidy(study: Study, job: str) -> None:
    """Take away the copy of what was sent, and what killed runs left half written."""
    path = local(study, job)
    for left in (path, *path.parent.glob(f".labeler-{job}.*.tmp")):
        records.remove(left)


def _write_state(study: Study, row: Any, server_job: ServerJob) -> Any:
    records.remove(local(study, row.job))  # of a run that was killed before it noted the job
    return update(
        study,
        row,
        server_job=server_job.server_job,
        server_file=server_job.file,
        state=server_job.state,
        done=server_job.done,
        failed=server_job.failed,
        detail="; ".join(server_job.reasons),
    )


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
