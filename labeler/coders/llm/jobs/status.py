"""What is outstanding: how it stands at the server and in folders, and having it end early."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from labeler.coders.llm import claims
from labeler.coders.llm.jobs import registry
from labeler.coders.llm.jobs.registry import ENDED, NOTED, UNKNOWN, WRITTEN
from labeler.coders.llm.jobs.server import JobServer, opened
from labeler.files import records
from labeler.store import database, tables
from labeler.study.study import Study, logged, now


def status(study: Study) -> pd.DataFrame:
    """Every job, newest first, after asking the server about its own that are not fetched.

    Columns of JOBS, and `reserved`: the most that is still to be paid, with its currency's
    amount as the price file had it at the submission.
    """
    holder = claims.holder(now())
    mine = registry.outstanding(study, host=registry.address(study))
    if mine:
        with opened(study.project.llm_url, study.project.llm_key) as server:
            registry.refresh(study, server, holder)
    for one in registry.outstanding(study, state=WRITTEN):
        with registry.held(study, one.job, holder) as row:
            if row is not None and registry.results_in(row, None):
                registry.update(study, row, state="completed")
    rows = database.read(study.engine, tables.JOBS)
    left = registry.reserved(study)
    rows["reserved"] = [left.get(name, 0.0) for name in rows["job"]]
    return rows.sort_values("created", ascending=False, ignore_index=True)


def cancel(study: Study, *, folder: Path | None = None) -> list[str]:
    """Have what is outstanding at the server, or in the folder, end; a line for each job.

    What a job has answered until then can still be fetched. What no job holds is let go of.
    """
    place = registry.in_folder(folder) if folder else registry.address(study)
    holder = claims.holder(now())
    with logged(study, "jobs", {"jobs": "cancel", "place": place}):
        if folder:
            rows = registry.outstanding(study, host=place)
            return [_withdrawn(study, one.job, holder) for one in rows]
        with opened(study.project.llm_url, study.project.llm_key) as server:
            registry.refresh(study, server, holder)
            rows = registry.outstanding(study, host=place)
            return [_cancelled(study, server, one.job, holder) for one in rows]


def _withdrawn(study: Study, job: str, holder: str) -> str:
    """Take a file back from its folder, unless answers are there that are not yet fetched."""
    with registry.held(study, job, holder) as row:
        if row is None:
            return f"{job}: another process is at it"
        answers = registry.results_in(row, None)
        if answers is not None:
            copy = registry.local(study, job, "out.jsonl")
            if not copy.is_file() or records.digest(copy) != records.digest(answers):
                return f"{job}: {answers} holds answers: fetch them, then cancel"
        folder = registry.folder_of(row.host)
        if folder is not None:
            records.remove(folder / registry.file_name(job))
        registry.settle(study, row._replace(state="cancelled"))
        return f"{job}: its file is taken away"


def _cancelled(study: Study, server: JobServer, job: str, holder: str) -> str:
    with registry.held(study, job, holder) as row:
        if row is None:
            return f"{job}: another process is at it"
        if row.state in ENDED:
            return f"{job}: has ended: fetch it"
        if row.state not in (NOTED, UNKNOWN):
            server.cancel(row.server_job)
            return f"{job}: the server was told to cancel it; fetch what it has answered"
        for file in server.files(registry.file_name(job)):
            server.delete(file)
        registry.settle(study, row._replace(state="cancelled"))
        return f"{job}: the server has no such job; it is let go of"
