"""What is outstanding: how it stands at the server and in folders, and having it end early."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from labeler.coders.llm import claims
from labeler.coders.llm.jobs import server as llm_batches
from labeler.coders.llm.jobs import uploads
from labeler.coders.llm.jobs.server import Batches
from labeler.coders.llm.jobs.uploads import ENDED, NOTED, UNKNOWN, WRITTEN
from labeler.files import records
from labeler.store import database, tables
from labeler.study.study import Study, logged, now


def status(study: Study) -> pd.DataFrame:
    """Every upload, newest first, after asking the server about its own that are not fetched.

    Columns of UPLOADS, and `reserved`: the most that is still to be paid, with its currency's
    amount as the price file had it at the submission.
    """
    holder = claims.holder(now())
    mine = uploads.outstanding(study, host=uploads.address(study))
    if mine:
        with llm_batches.opened(study.project.llm_url, study.project.llm_key) as server:
            uploads.refresh(study, server, holder)
    for one in uploads.outstanding(study, state=WRITTEN):
        with uploads.held(study, one.upload, holder) as row:
            if row is not None and uploads.results_in(row, None):
                uploads.update(study, row, state="completed")
    rows = database.read(study.engine, tables.UPLOADS)
    left = uploads.reserved(study)
    rows["reserved"] = [left.get(name, 0.0) for name in rows["upload"]]
    return rows.sort_values("created", ascending=False, ignore_index=True)


def cancel(study: Study, *, folder: Path | None = None) -> list[str]:
    """Have what is outstanding at the server, or in the folder, end; a line for each upload.

    What a batch has answered until then can still be fetched. What no batch holds is let go of.
    """
    place = uploads.in_folder(folder) if folder else uploads.address(study)
    holder = claims.holder(now())
    with logged(study, "prelabel", {"batch": "cancel", "place": place}):
        if folder:
            rows = uploads.outstanding(study, host=place)
            return [_withdrawn(study, one.upload, holder) for one in rows]
        with llm_batches.opened(study.project.llm_url, study.project.llm_key) as server:
            uploads.refresh(study, server, holder)
            rows = uploads.outstanding(study, host=place)
            return [_cancelled(study, server, one.upload, holder) for one in rows]


def _withdrawn(study: Study, upload: str, holder: str) -> str:
    """Take a file back from its folder, unless answers are there that are not yet fetched."""
    with uploads.held(study, upload, holder) as row:
        if row is None:
            return f"{upload}: another process is at it"
        answers = uploads.results_in(row, None)
        if answers is not None:
            copy = uploads.local(study, upload, "out.jsonl")
            if not copy.is_file() or records.digest(copy) != records.digest(answers):
                return f"{upload}: {answers} holds answers: fetch them, then cancel"
        folder = uploads.folder_of(row.host)
        if folder is not None:
            records.remove(folder / uploads.file_name(upload))
        uploads.settle(study, row._replace(state="cancelled"))
        return f"{upload}: its file is taken away"


def _cancelled(study: Study, server: Batches, upload: str, holder: str) -> str:
    with uploads.held(study, upload, holder) as row:
        if row is None:
            return f"{upload}: another process is at it"
        if row.state in ENDED:
            return f"{upload}: has ended: fetch it"
        if row.state not in (NOTED, UNKNOWN):
            server.cancel(row.server_batch)
            return f"{upload}: the server was told to cancel it; fetch what it has answered"
        for file in server.files(uploads.file_name(upload)):
            server.delete(file)
        uploads.settle(study, row._replace(state="cancelled"))
        return f"{upload}: no batch of the server holds it; it is let go of"
