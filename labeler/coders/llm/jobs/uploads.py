"""Uploads: which requests are in which batch of a model server, or in which file of a folder.

An upload is noted with all that it asks for before anything leaves, and what it asks for is claimed
in its name until it is fetched: that is what keeps others from asking, and paying, again. Its key
stands in the batch's metadata and in the name of its file, by which a later run finds what an
earlier one, killed, had made. One process at a time works on an upload.
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
from labeler.coders.llm.jobs import files as uploads
from labeler.files import records
from labeler.keys import key
from labeler.store import database, tables
from labeler.study.study import Study, now

if TYPE_CHECKING:  # the SDK takes a second to load, and `status` needs nothing of it
    from labeler.coders.llm.jobs.server import Batch, Batches

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
    """The place of uploads to the study's model server."""
    return study.project.llm_url.partition("?")[0].rstrip("/")


def in_folder(folder: Path) -> str:
    """The place of uploads that are files in a folder."""
    return f"{FILES}{folder.resolve()}"


def folder_of(place: str) -> Path | None:
    """The folder of a place; None where it is a server."""
    return Path(place.removeprefix(FILES)) if place.startswith(FILES) else None


def file_name(upload: str, ending: str = "jsonl") -> str:
    """What an upload's file is called, at the server as in a folder; `out.jsonl`: the answers."""
    return f"labeler-{upload}.{ending}"


def local(study: Study, upload: str, ending: str = "jsonl") -> Path:
    """An upload's file in the project's own folder."""
    return study.project.state / "uploads" / file_name(upload, ending)


def note(study: Study, about: dict[str, object], shard: pd.DataFrame) -> str:
    """Note an upload (coder, codebook, host and run are given) of these requests; its key.

    From here on they are claimed in its name.
    """
    created = now()
    asked = list(dict.fromkeys(shard["asked"]))
    upload = key({**about, "asked": asked, "created": created})[:16]
    row = dict.fromkeys(tables.columns(tables.UPLOADS), "") | {
        **about,
        "upload": upload,
        "state": NOTED,
        "requests": len(asked),
        "tokens": int(shard["tokens"].sum()),
        "done": 0,
        "failed": 0,
        "created": created,
    }
    members = shard[[name for name in tables.columns(tables.UPLOADED) if name in shard]]
    holder = claims.upload_holder(upload)
    taken = [{"claim": name, "holder": holder, "taken": created} for name in shard["claim"]]
    database.replace(
        study.engine,
        (tables.UPLOADS, {"upload": upload}, [row]),
        (tables.UPLOADED, {"upload": upload}, members.assign(upload=upload)),
        (tables.CLAIMS, {"claim": list(shard["claim"])}, taken),
    )
    return upload


def settle(study: Study, row: Any) -> None:
    """Let go of all that an upload has asked for and not brought; it is done with."""
    ended = tables.frame(tables.UPLOADS, [{**row._asdict(), "fetched": now()}])
    database.replace(
        study.engine,
        (tables.UPLOADS, {"upload": row.upload}, ended),
        (tables.UPLOADED, {"upload": row.upload}, []),
        (tables.CLAIMS, {"holder": claims.upload_holder(row.upload)}, []),
    )
    _tidy(study, row.upload)


def outstanding(study: Study, **equals: object) -> list[Any]:
    """The UPLOADS rows that are not fetched, oldest first."""
    rows = database.read(study.engine, tables.UPLOADS, fetched="", **equals)
    return list(tables.rows(rows.sort_values(["created", "upload"])))


def reserved(study: Study) -> dict[str, float]:
    """Upload → the most that what it has not yet brought may cost."""
    held = database.read(study.engine, tables.UPLOADED)
    claimed = database.read(study.engine, tables.CLAIMS, claim=list(held["claim"]))
    names = claims.UPLOAD + held["upload"]
    waits = pd.Series(
        list(zip(held["claim"], names, strict=True)), index=held.index, dtype="object"
    ).isin(set(zip(claimed["claim"], claimed["holder"], strict=True)))
    return {str(k): float(v) for k, v in held[waits].groupby("upload")["most"].sum().items()}


@contextmanager
def held(study: Study, upload: str, holder: str) -> Iterator[Any | None]:
    """An upload's row for this process alone; None where another has it, or it is fetched."""
    try:
        mine = claims.claimed(study.engine, [upload], holder=holder, at=now())
        rows = outstanding(study, upload=upload) if mine else []
        yield rows[0] if rows else None
    finally:
        claims.release(study.engine, claim=[upload], holder=holder)


def update(study: Study, row: Any, **changed: object) -> Any:
    """Write what is new of an upload; its row as it is now."""
    fresh = row._replace(**changed)
    database.mirror(study.engine, tables.UPLOADS, tables.frame(tables.UPLOADS, [fresh._asdict()]))
    return fresh


def write(study: Study, row: Any, path: Path) -> None:
    """Write an upload's file, from the requests that are noted; the same bytes each time."""
    members = database.read(study.engine, tables.UPLOADED, upload=row.upload)
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
            yield uploads.line(asked, body, endpoint=request_body.ENDPOINT) + "\n"

    records.write_parts(path, lines())


def refresh(study: Study, server: Batches, holder: str) -> dict[str, Batch]:
    """Ask the server about each upload that it has and write its state; upload → its batch.

    A batch that a killed run had made is found by its metadata; of two with the same upload, which
    a request that was cut off can leave behind, the earlier counts and the other is cancelled.
    """
    rows = outstanding(study, host=address(study))
    if not rows:
        return {}
    made: dict[str, list[Batch]] = {}
    for one in server.made(since=_seconds(rows[0].created) - BEFORE):
        made.setdefault(one.upload, []).append(one)
    found = {}
    for known in rows:
        with held(study, known.upload, holder) as row:
            if row is None:
                continue
            batch = _own(server, row, made.get(row.upload, []))
            if batch is not None:
                found[row.upload] = batch
                _write_state(study, row, batch)
            elif row.server_batch:
                update(study, row, state=UNKNOWN)
    return found


def results_in(row: Any, folder: Path | None) -> Path | None:
    """The answers to an upload that is a file, in its folder or in `folder`; None: not there."""
    places = [place for place in (folder, folder_of(row.host)) if place is not None]
    candidates = [place / file_name(row.upload, "out.jsonl") for place in places]
    return next((path for path in candidates if path.is_file()), None)


def _own(server: Batches, row: Any, made: list[Batch]) -> Batch | None:
    """The batch of an upload among those that name it; any other is cancelled."""
    named = [one for one in made if one.batch == row.server_batch]
    if row.server_batch and not named:
        asked = server.batch(row.server_batch)
        named = [asked] if asked else []
    own: Batch | None = next(iter(named or made), None)
    for other in made:
        if own is not None and other.batch != own.batch and other.state not in ENDED:
            server.cancel(other.batch)
    return own


def _tidy(study: Study, upload: str) -> None:
    """Take away the copy of what was sent, and what killed runs left half written."""
    path = local(study, upload)
    for left in (path, *path.parent.glob(f".labeler-{upload}.*.tmp")):
        records.remove(left)


def _write_state(study: Study, row: Any, batch: Batch) -> Any:
    records.remove(local(study, row.upload))  # of a run that was killed before it noted the batch
    return update(
        study,
        row,
        server_batch=batch.batch,
        server_file=batch.file,
        state=batch.state,
        done=batch.done,
        failed=batch.failed,
        detail="; ".join(batch.reasons),
    )


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
