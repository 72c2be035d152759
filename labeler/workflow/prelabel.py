"""Posts × codebook → completions of a coder → its codings and segments.

An answer is stored before it is understood. What is pending is what has no completion; what is
stored can be parsed again at any time, without the network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from labeler.coders.cues import coder as cues_coder
from labeler.coders.embedding import train
from labeler.coders.llm import capabilities, shared_requests
from labeler.coders.llm.cluster.coordinator import ClusterRun
from labeler.coders.llm.model import RequestSettings, model_of
from labeler.coders.llm.parse import parse
from labeler.coders.llm.run import ModelRun, RunProgress
from labeler.posts import deidentify
from labeler.store import database, results, tables
from labeler.study.completions import answered, failed
from labeler.study.study import Report, Study, add_coder, logged, now, silent

CHUNK = 1000


class PrelabelResult(NamedTuple):
    """What a run did: the coder, units answered now and before, codings written, requests sent,
    what the coder's answers cost in all, and what a person must know.

    `faults` by kind: those that parsing found beside the codings written now, and the posts that
    have no codes at all, now or from before.
    """

    coder: str
    answered: int
    before: int
    faults: dict[str, int]
    codings: int
    requests: int = 0
    spent: str = ""
    remarks: tuple[str, ...] = ()


def by_cues(
    study: Study, *, limit: int | None = None, reparse: bool = False, report: Report = silent
) -> PrelabelResult:
    """Let the cues coder code each post that it has not coded (`limit` at most)."""
    coder = cues_coder.coder(study.codebook)
    with logged(study, "prelabel", {"coder": coder, "limit": limit, "reparse": reparse}):
        add_coder(study, coder, kind="cues", spec=cues_coder.spec(study.codebook))
        before = _units(study, coder)
        if not reparse:

            def read(posts: pd.DataFrame) -> pd.DataFrame:
                return cues_coder.answers(posts, study.codebook, coder=coder, created=now())

            _ask_here(study, coder, before, limit, report, read)
        found = parse(study, coder, everything=reparse)
        now_answered = len(_units(study, coder) - before)
        return PrelabelResult(coder, now_answered, len(before), found.faults, found.codings)


def by_embedding(
    study: Study, *, limit: int | None = None, reparse: bool = False, report: Report = silent
) -> PrelabelResult:
    """Teach the embedded coder with the adjudicated units; let it code as the cues coder does.

    Its learning curve is reported first. ProjectError where no variable has enough units.
    """
    trained = train.trained_coder(study)
    coder = trained.coder
    with logged(study, "prelabel", {"coder": coder, "limit": limit, "reparse": reparse}):
        add_coder(study, coder, kind="embedded", spec=trained.spec)
        before = _units(study, coder)
        if not reparse:
            for line in train.curve_lines(study, trained):
                report(line)
            _ask_here(study, coder, before, limit, report, train.reader(study, trained))
        found = parse(study, coder, everything=reparse)
        spared = failed(study, coder).get(tables.TAUGHT, 0)
        return PrelabelResult(
            coder,
            len(_units(study, coder) - before),
            len(before),
            found.faults,
            found.codings,
            remarks=train.remarks(trained, spared),
        )


def by_model(
    study: Study,
    settings: RequestSettings,
    *,
    reparse: bool = False,
    units: list[str] | None = None,
    cluster: str = "",
    report: Report = silent,
    progress: Callable[[RunProgress], None] = lambda _: None,
) -> PrelabelResult:
    """Ask the project's model about each post that it has not answered, and parse the answers.

    A truncated answer is asked for once more, with a higher limit, and a post that got no answer
    in company once more alone. `units` are the posts to ask about, all where None. With `cluster`,
    the address of a Dask scheduler, its workers ask. ServiceUnavailable and ServiceRejected: what
    was answered is stored, and the same call goes on from there.
    """
    model = model_of(study, settings)
    if settings.several > 1 and units is None and not reparse:
        shared_requests.required(study, settings, model)
    noted = {
        **settings._asdict(),
        "cluster": cluster,
        "prices": str(settings.prices or ""),
        "coder": model.coder,
    }
    with logged(study, "prelabel", {**noted, "reparse": reparse}) as run:
        add_coder(study, model.coder, kind="model", spec=model.spec)
        before = _units(study, model.coder)
        model_run: ModelRun | ClusterRun
        if cluster:
            model_run = ClusterRun(
                study, model, settings, run=run, report=report, progress=progress, address=cluster
            )
        else:
            model_run = ModelRun(
                study, model, settings, run=run, report=report, progress=progress, units=units
            )
        read = parse(study, model.coder, model.hides, everything=reparse)
        written, faults, remarks = read.codings, Counter(read.faults), list[str]()
        if isinstance(model_run, ModelRun) and not reparse and model_run.pending():
            found = capabilities.probed(study)
            remarks = capabilities.remarks(found, settings, free=model_run.spending.free)
        for again in () if reparse else (False, True):
            try:
                model_run.ask(again=again)
            finally:
                read = parse(study, model.coder, model.hides)
                written, faults = written + read.codings, faults + Counter(read.faults)
        return PrelabelResult(
            model.coder,
            len(_units(study, model.coder) - before),
            len(before),
            {**faults, **failed(study, model.coder)},
            written,
            model_run.sent,
            model_run.spending.spent(),
            (*remarks, *_stability(study, model.coder, settings.replicates), *model_run.remarks()),
        )


def dry_run(study: Study, settings: RequestSettings) -> list[str]:
    """What asking would take and cost, and one complete request to read; nothing is sent."""
    model = model_of(study, settings)
    model_run = ModelRun(study, model, settings, run="", report=silent)
    chunks = model_run.requests(model_run.fresh(), claim=False)
    bodies = [str(body) for chunk in chunks for body in chunk.drop_duplicates("asked")["body"]]
    if not bodies:
        return ["nothing is pending: every post has an answer"]
    return [
        *model_run.spending.estimate(model.prompt.content, bodies),
        deidentify.rules(settings.subreddits),
        "",
        "One request, as it would be sent:",
        bodies[0],
    ]


def _stability(study: Study, coder: str, replicates: int) -> list[str]:
    """How often the coder gave a post the same codes in all of several replicates."""
    which = {"coder": coder, "codebook": study.codebook.fingerprint, "kind": "vote"}
    votes = database.read(study.engine, tables.CONFIDENCE, **which)
    asked = votes[votes["replicates"] == replicates].groupby("unit")["confidence"].min()
    if replicates == 1 or asked.empty:
        return []
    alike = int((asked == 1).sum())
    return [
        f"{alike} of {len(asked)} posts asked {replicates} times got the same codes each time: "
        "consistency, which says nothing about whether they are right"
    ]


def _units(study: Study, coder: str) -> set[str]:
    """Units that the coder has answered under this codebook, with or without an error."""
    return set(answered(study, coder)["unit"])


def _ask_here(
    study: Study,
    coder: str,
    done: set[str],
    limit: int | None,
    report: Report,
    read: Callable[[pd.DataFrame], pd.DataFrame],
) -> None:
    """Let a coder that needs no server answer what is pending: `read`, posts to completions."""
    units = [u for u in database.distinct(study.engine, tables.POSTS.c.unit) if u not in done]
    number = 0
    for start in range(0, len(units[:limit]), CHUNK):
        chunk = units[:limit][start : start + CHUNK]
        answers = read(database.read(study.engine, tables.POSTS, unit=chunk))
        results.add(study.engine, tables.COMPLETIONS, answers)
        number += len(answers)
        report(f"{number} posts read by {coder}")
