"""What is pending at each stage, and the next step."""

from __future__ import annotations

from typing import Literal, NamedTuple

from labeler.coders.llm.jobs import registry
from labeler.coding.vocabulary import HUMAN_HUMAN, PASS, CoderKind, is_embedded, kind_of
from labeler.store import database, tables
from labeler.studio.repeats import waiting
from labeler.study.completions import alarmed, by_coder
from labeler.study.study import Study, batch_row, newest_batch, seats_of
from labeler.workflow.progress import progress

Step = Literal[
    "",
    "ingest",
    "prelabel",
    "prelabel by cues",
    "prelabel by embedding",
    "fetch jobs",
    "sample",
    "push",
    "pull",
    "reliability",
    "aggregate",
    "export",
]
PRELABEL: dict[CoderKind | None, Step] = {
    "cues": "prelabel by cues",
    "embedded": "prelabel by embedding",
}


class Stage(NamedTuple):
    """One stage: what is done, what is pending, and the step that does it ('' where none).

    `batch` is the batch that the step is about, '' where it is about none.
    """

    stage: str
    done: int
    pending: int
    what: str
    step: Step
    batch: str = ""


def status(study: Study) -> list[Stage]:
    """The stages in order. The first with a step is what to do next."""
    posts = database.count(study.engine, tables.POSTS)
    stages = [Stage("posts", posts, 0, "posts", "" if posts else "ingest")]
    stages += [*_jobs(study), *_prelabels(study, posts)]
    if not database.count(study.engine, tables.BATCHES):
        ready = posts and any(stage.stage.startswith("prelabel") for stage in stages)
        return [*stages, Stage("sample", 0, 0, "batches", _if(ready, "sample"))]
    return stages + _batch(study, newest_batch(study))


def _jobs(study: Study) -> list[Stage]:
    """Requests in jobs of a model server, or in files of a folder, that are not yet fetched."""
    rows = registry.outstanding(study, codebook=study.codebook.fingerprint)
    waiting = sum(int(row.requests) for row in rows)
    words = f"requests in {len(rows)} jobs of a model"
    return [Stage("jobs", 0, waiting, words, "fetch jobs")] if rows else []


def _prelabels(study: Study, posts: int) -> list[Stage]:
    answered, obeying = by_coder(study), alarmed(study)
    if answered.empty:
        drawn = database.count(study.engine, tables.BATCHES)  # a blind batch needs no suggestions
        return [Stage("prelabel", 0, posts, "posts", _if(posts and not drawn, "prelabel"))]
    stages = []
    newest = _newest_embedded(study)
    for row in tables.rows(answered):
        words = f"posts by {row.coder}"
        if row.failed:
            words += f", {row.failed} with an error"
        if row.coder in obeying:
            words += ", which obeys posts (ALARM: see the runs)"
        pending = max(0, posts - int(row.units))
        if is_embedded(row.coder) and row.coder != newest:
            pending = 0  # taught again since: what it has not coded stays uncoded
        step = _if(pending, PRELABEL.get(kind_of(row.coder), "prelabel"))
        stages.append(Stage("prelabel", int(row.units), pending, words, step))
    return stages


def _newest_embedded(study: Study) -> str:
    known = database.read(study.engine, tables.CODERS, kind="embedded").sort_values("created")
    return str(known["coder"].iloc[-1]) if len(known) else ""


def _batch(study: Study, batch: str) -> list[Stage]:
    row = batch_row(study, batch)
    seats = progress(study.engine, batch)
    total, answered = int(seats["tasks"].sum()), int(seats["answered"].sum())
    lacking = database.read(study.engine, tables.TASKS, batch=batch, studio_task=None)
    late = int(waiting(study, row, lacking).sum())
    pushed_to = seats_of(study, batch)[["arm", "coder"]]
    unpushed = len(lacking.merge(pushed_to, on=["arm", "coder"])) - late  # imported: never pushed
    what = f"tasks; {late} repeats wait for other tasks" if late else "tasks"
    uncoded = total - answered
    ruled = database.count(study.engine, tables.RELIABILITY, batch=batch)
    ready = answered and row["codebook"] == study.codebook.fingerprint
    rule = _if(ready and not ruled, "reliability")
    return [
        Stage("sample", total, 0, f"tasks in batch {batch}", ""),
        Stage("push", total - unpushed - late, unpushed, what, _if(unpushed, "push"), batch),
        Stage("pull", answered, uncoded, "tasks coded or skipped", _if(uncoded, "pull"), batch),
        Stage("reliability", ruled, 0, "coefficients", rule, batch),
        *_results(study, batch, ruled),
    ]


def _results(study: Study, batch: str, ruled: int) -> list[Stage]:
    """Aggregate what the gate lets through, then export; with `ruled` coefficients so far."""
    passed = set(
        database.distinct(
            study.engine,
            tables.VERDICTS.c.variable,
            batch=batch,
            comparison=HUMAN_HUMAN,
            code="",
            verdict=PASS,
        )
    )
    done = set(database.distinct(study.engine, tables.ESTIMATES.c.variable, batch=batch))
    pending = len(passed - done)
    exported = (study.project.exports / batch / "manifest.json").is_file()
    open_ = f"variables; the gate is open for {len(passed)}"
    export = _if(ruled and not exported, "export")
    return [
        Stage("aggregate", len(done), pending, open_, _if(pending, "aggregate"), batch),
        Stage("export", int(exported), 0, "bundles", export, batch),
    ]


def _if(condition: object, step: Step) -> Step:
    return step if condition else ""
