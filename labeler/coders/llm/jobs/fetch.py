"""Jobs that have ended → completions, and their codings.

What the server has is brought down whole before it is read. What a job did not answer is pending
again when all that it did answer is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from labeler.coders.llm import claims
from labeler.coders.llm.budget import BudgetLedger
from labeler.coders.llm.canary import alarm, canary, is_one
from labeler.coders.llm.client import completions, failures
from labeler.coders.llm.client.complete import Completion
from labeler.coders.llm.jobs import files, registry
from labeler.coders.llm.jobs.registry import ENDED, UNKNOWN
from labeler.coders.llm.jobs.server import JobServer, ServerJob, opened
from labeler.coders.llm.parse import parse
from labeler.coders.llm.run import rows_of
from labeler.files import records
from labeler.store import database, results, tables
from labeler.study.completions import failed
from labeler.study.study import Report, Study, coders, logged, now, silent

PORTION = 500
NAMED = 3  # so many of the lines that are no use are named


class FetchResult(NamedTuple):
    """What a fetch did: jobs done with, and those that still wait; answers stored now, requests
    that are pending again; codings written and faults by kind; answers of another codebook's
    version, which wait until they are read under that one; and what a person must know."""

    jobs: int
    waiting: int
    answered: int
    again: int
    codings: int
    faults: dict[str, int]
    elsewhere: int
    remarks: tuple[str, ...]


def fetch(
    study: Study,
    *,
    folder: Path | None = None,
    prices: Path | None = None,
    report: Report = silent,
) -> FetchResult:
    """Store the answers of all jobs that have ended, and parse them.

    Those of the model server, whoever of its coders they are of, and those in folders whose answers
    lie beside them, or in `folder`. Killed and given again it does what is missing.
    """
    holder = claims.holder(now())
    with logged(study, "jobs", {"jobs": "fetch", "folder": str(folder or "")}):
        fetching = _JobFetch(study, holder, prices, report)
        try:
            fetching.folders(folder)
            if registry.outstanding(study, host=registry.address(study)):
                project = study.project
                with opened(project.llm_url, project.llm_key) as server:
                    fetching.server(server)
        finally:
            codings, faults = _parsed(study)
        waiting = len(registry.outstanding(study))
        return FetchResult(
            fetching.jobs,
            waiting,
            fetching.stored,
            fetching.again,
            codings,
            faults,
            fetching.elsewhere,
            tuple(fetching.remarks()),
        )


def _parsed(study: Study) -> tuple[int, dict[str, int]]:
    """Parse what any coder's jobs under this codebook have brought."""
    which = {"codebook": study.codebook.fingerprint}
    written, faults = 0, Counter[str]()
    specs = coders(study, "model")
    for coder in database.distinct(study.engine, tables.JOBS.c.coder, **which):
        read = parse(study, coder, str(specs[coder]["hides"]))
        written += read.codings
        faults.update(read.faults)
        faults.update(failed(study, coder))
    return written, dict(faults)


class _JobFetch:
    """One run of fetching: what it stored, and what it has to say."""

    def __init__(self, study: Study, holder: str, prices: Path | None, report: Report) -> None:
        self.study, self.holder, self.report = study, holder, report
        self._prices = prices
        self._specs = coders(study, "model")
        self._ledgers: dict[str, BudgetLedger] = {}
        self.jobs = self.stored = self.again = self.elsewhere = 0
        self._counts = Counter[str]()
        self._named: list[str] = []
        self._said: list[str] = []

    def server(self, server: JobServer) -> None:
        """Fetch what has ended at the server."""
        found = registry.refresh(self.study, server, self.holder)
        for one in registry.outstanding(self.study, host=registry.address(self.study)):
            with registry.held(self.study, one.job, self.holder) as row:
                if row is None:
                    self._said.append(f"job {one.job}: another process is at it")
                elif row.state == UNKNOWN:
                    self._said.append(
                        f"job {row.job}: the server knows no {row.server_job}; is the key "
                        "of the same account and project? Cancelling lets go of it"
                    )
                elif row.job in found and row.state in ENDED:
                    self._bring(server, row, found[row.job])

    def folders(self, folder: Path | None) -> None:
        """Fetch what lies in folders; a file that lacks answers may still be written to."""
        for one in registry.outstanding(self.study):
            if registry.folder_of(one.host) is None:
                continue
            with registry.held(self.study, one.job, self.holder) as row:
                answers = registry.results_in(row, folder) if row is not None else None
                if row is None or answers is None:
                    continue
                copy = registry.local(self.study, row.job, "out.jsonl")
                records.copy(answers, copy)
                seen = self._keep(row, copy, set())
                lacking = int(row.requests) - len(seen)
                if lacking > 0:
                    self._said.append(
                        f"{answers}: {lacking} requests have no line yet; fetch again when it is "
                        "whole; cancelling lets go of them"
                    )
                    continue
                self._settle(row)

    def remarks(self) -> list[str]:
        """What a person must know of this run."""
        counted = [f"{times} {what}" for what, times in sorted(self._counts.items())]
        return [*self._said, *counted, *self._named]

    # --- one job -----------------------------------------------------------------------------

    def _bring(self, server: JobServer, row: Any, job: ServerJob) -> None:
        """Bring the files of a job down, store what is in them, and be done with it."""
        kept = set[str]()
        for file, ending in ((job.output, "output.jsonl"), (job.errors, "errors.jsonl")):
            path = registry.local(self.study, row.job, ending)
            if file and not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                server.download(file, path)
            if file:
                self._keep(row, path, kept)
        if job.state != "completed":
            why = "; ".join(job.reasons) or f"the server says: {job.state}"
            self._said.append(f"job {row.job} has {job.state}: {why}")
        server.delete(job.file)  # the posts need not stay there
        self._settle(row)

    def _settle(self, row: Any) -> None:
        waits = len(
            database.distinct(
                self.study.engine,
                tables.CLAIMS.c.claim,
                holder=claims.job_holder(row.job),
            )
        )
        registry.settle(self.study, row)
        self.again += waits
        self.jobs += 1
        self.report(f"job {row.job}: stored; {waits} requests are pending again")

    def _keep(self, row: Any, path: Path, kept: set[str]) -> set[str]:
        """Store the answers in a file, a portion at a time; the requests that have a line.

        `kept`: those whose answer is stored already, which grows.
        """
        lines, seen = records.records(path), set[str]()
        while portion := list(islice(lines, PORTION)):
            found = files.results((one.line, one.content, one.fault) for one in portion)
            for bad in tables.rows(found[found["fault"] != ""]):
                self._useless(path, bad.line, "lines cannot be read", bad.fault)
            self._store(row, path, found[found["fault"] == ""], kept)
            seen |= set(found["asked"]) - {""}
            self.report(f"job {row.job}: {self.stored} answers stored")
        return seen

    def _store(self, row: Any, path: Path, found: pd.DataFrame, kept: set[str]) -> None:
        """Store the answers among some results; `kept` are the requests whose answer is there."""
        sent = database.read(
            self.study.engine, tables.JOB_REQUESTS, job=row.job, asked=list(found["asked"])
        )
        holder = claims.job_holder(row.job)
        waits = set(
            database.distinct(
                self.study.engine,
                tables.CLAIMS.c.claim,
                claim=list(sent["claim"]),
                holder=holder,
            )
        )
        members = {asked: list(tables.rows(group)) for asked, group in sent.groupby("asked")}
        rows: list[dict[str, Any]] = []
        done: list[str] = []
        for one in tables.rows(found):
            if one.asked not in members:
                self._useless(path, one.line, "lines answer what was not asked", one.asked)
            elif one.asked in kept:
                self._counts["lines repeat an answer; the first counts"] += 1
            else:
                open_ = [member for member in members[one.asked] if member.claim in waits]
                answer = self._answer(one) if open_ else None
                if answer is not None:
                    rows += self._rows(row, open_, answer)
                    done += [member.claim for member in open_]
                if answer is not None or not open_:
                    kept.add(one.asked)
        which: dict[str, object] = {"claim": done}
        names: dict[str, object] = {"completion": [own["completion"] for own in rows]}
        results.replace(
            self.study.engine, (tables.COMPLETIONS, names, rows), (tables.CLAIMS, which, [])
        )
        self.stored += sum(not is_one(made["unit"]) for made in rows)
        if rows and row.codebook != self.study.codebook.fingerprint:
            self.elsewhere += len(rows)

    def _answer(self, one: Any) -> Completion | None:
        """A result as an answer; None (and counted) where the request is to be asked again."""
        raw = one.raw.encode("utf-8", "replace")
        if one.status == files.OK:
            read = completions.read(one.asked, raw, 0.0)
            if isinstance(read, Completion):
                return read
            self._counts[f"requests to be asked again: {read}"] += 1
            return None
        if not one.status:
            why = " ".join(part for part in (one.code, one.detail) if part)
            self._counts[f"requests to be asked again: {why}"] += 1
            return None
        key = self.study.project.llm_key.strip()
        failure = failures.of_status(one.status, {}, raw, api_key=key)
        if failure.fate == "row":
            return Completion(one.asked, "", failure.kind, failure.detail, "", None, None, 0.0)
        self._counts[f"requests to be asked again: {failure.kind} {failure.detail}"] += 1
        return None

    def _rows(self, row: Any, members: list[Any], answer: Completion) -> Iterator[dict[str, Any]]:
        """Rows of COMPLETIONS; posts that shared a request share what it took and cost."""
        whose = {"coder": row.coder, "codebook": row.codebook, "seconds": None}
        for made in rows_of(answer, members, self._ledger_of(row.coder).cost(answer, in_job=True)):
            if is_one(made["unit"]):
                made["detail"] = made["detail"] or self._heard(row, answer)
            yield made | whose

    def _heard(self, row: Any, answer: Completion) -> str:
        sent = canary(row.run, secret=self.study.project.secret())
        found = alarm(sent, answer.body)
        if found:
            self._said.append(f"ALARM: {found}")
        return found

    def _ledger_of(self, coder: str) -> BudgetLedger:
        """The prices of a job's coder, whatever model the project names now."""
        if coder not in self._ledgers:
            project = replace(self.study.project, llm_model=str(self._specs[coder]["model"]))
            self._ledgers[coder] = BudgetLedger(
                self.study._replace(project=project), coder, price_file=self._prices, budget=None
            )
        return self._ledgers[coder]

    def _useless(self, path: Path, line: int, what: str, why: str) -> None:
        self._counts[what] += 1
        if self._counts[what] <= NAMED:
            self._named.append(f"{path}: line {line}: {why[:200]}")
