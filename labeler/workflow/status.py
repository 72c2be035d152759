"""What is pending at each stage, and the next step."""

from __future__ import annotations

import json
from typing import Literal, NamedTuple

from labeler.coders.llm.jobs import registry
from labeler.coding.vocabulary import (
    HUMAN_HUMAN,
    PASS,
    CoderKind,
    is_embedded,
    is_imported,
    kind_of,
)
from labeler.files import records
from labeler.store import database, results, tables
from labeler.store.sample_names import folder_name, members
from labeler.studio.findings import TO_MEND
from labeler.studio.repeats import waiting
from labeler.study.completions import alarmed, by_coder
from labeler.study.study import (
    Study,
    batch_row,
    coded_batches,
    newest_batch,
    sample_of,
    sample_row,
    seats_of,
)
from labeler.text.coded_values import named_parts
from labeler.workflow.findings import to_mend
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
    "findings",
    "reliability",
    "aggregate",
    "export",
]
OPTIONAL: frozenset[Step] = frozenset(("findings",))  # nothing waits for these
NAMED = 3  # so many batches that are judged together are named
PRELABEL: dict[CoderKind | None, Step] = {
    "cues": "prelabel by cues",
    "embedded": "prelabel by embedding",
}


class Stage(NamedTuple):
    """One stage: what is done, what is pending, and the step about it ('' where none).

    `batch` is the batch that the step is about, '' where it is about none.
    """

    stage: str
    done: int
    pending: int
    what: str
    step: Step
    batch: str = ""


def status(study: Study) -> list[Stage]:
    """The stages in order. The first with a step that is not OPTIONAL is what to do next."""
    posts = database.count(study.engine, tables.POSTS)
    stages = [Stage("posts", posts, 0, "posts", "" if posts else "ingest")]
    stages += [*_jobs(study), *_prelabels(study, posts)]
    if not database.count(study.engine, tables.BATCHES):
        ready = posts and any(stage.stage.startswith("prelabel") for stage in stages)
        return [*stages, Stage("sample", 0, 0, "batches", _if(ready, "sample"))]
    newest, sample = newest_batch(study), sample_of(study)
    judged = _sample(study, sample, named=sample != newest)
    return stages + _batch(study, newest) + _misfits(study) + judged + _earlier(study, sample)


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
        if is_imported(row.coder):
            pending = 0  # nobody here can ask it: what its file left out stays uncoded
        step = _if(pending, PRELABEL.get(kind_of(row.coder), "prelabel"))
        stages.append(Stage("prelabel", int(row.units), pending, words, step))
    return stages


def _newest_embedded(study: Study) -> str:
    known = database.read(study.engine, tables.CODERS, kind="embedded").sort_values("created")
    return str(known["coder"].iloc[-1]) if len(known) else ""


def _earlier(study: Study, sample: str) -> list[Stage]:
    """Outdated results of what else was judged than the study sample, by which nobody may go."""
    batches, judged = (
        database.distinct(study.engine, table.c.batch, codebook=study.codebook.fingerprint)
        for table in (tables.BATCHES, tables.VERDICTS)
    )
    stages = []
    for batch in sorted({*batches, *judged}):
        outdated = results.outdated(study.engine, batch) if batch != sample else []
        for command in results.commands(outdated):
            number = len([name for name in outdated if command in results.commands([name])])
            words = f"outdated tables of batch {batch}"
            stages.append(Stage(command, 0, number, words, command, batch))
    return stages


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
    return [
        Stage("sample", total, 0, f"tasks in batch {batch}", ""),
        Stage("push", total - unpushed - late, unpushed, what, _if(unpushed, "push"), batch),
        Stage("pull", answered, uncoded, "tasks coded or skipped", _if(uncoded, "pull"), batch),
    ]


def _misfits(study: Study) -> list[Stage]:
    """Tasks whose answers are missing or contradict each other, until their coder mends them."""
    found = to_mend(study.engine, study.codebook.fingerprint)
    kinds = [f"{TO_MEND[kind]} ({number})" for kind, number in found.by_kind.items()]
    words = f"tasks for their coders to mend: {', '.join(kinds)}"
    return [Stage("findings", 0, found.tasks, words, "findings")] if found.tasks else []


def _sample(study: Study, sample: str, *, named: bool) -> list[Stage]:
    """What is computed of the study sample that the commands judge where none is named."""
    row = sample_row(study, sample)
    ruled = database.count(study.engine, tables.RELIABILITY, batch=sample)
    coded = set(members(sample)) & set(coded_batches(study.engine))
    ready = coded and row["codebook"] == study.codebook.fingerprint
    outdated = results.outdated(study.engine, sample)
    old = [name for name in outdated if results.commands([name]) == ["reliability"]]
    rule = _if(ready and (old or not ruled), "reliability")
    several = len(members(sample))
    own = sample if several <= NAMED else f"{several} batches together"
    coefficients = f"coefficients of {own}" if named else "coefficients"
    coefficients += f"; outdated: {', '.join(old)}" if old else ""
    return [
        Stage("reliability", ruled, len(old), coefficients, rule, sample),
        *_results(study, sample, ruled, outdated),
    ]


def _results(study: Study, batch: str, ruled: int, outdated: list[str]) -> list[Stage]:
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
    codes = database.distinct(study.engine, tables.ESTIMATES.c.code, batch=batch)
    done = {named_parts(code)[0] for code in codes}
    old = tables.ESTIMATES.name in outdated
    # what a recipe does not ask of a variable is not pending; a gate that opens outdates the rest
    pending = len(passed | done) if old else 0 if done else len(passed)
    exported = _exported(study, batch)
    open_ = f"variables; the gate is open for {len(passed)}" + ("; outdated" if old else "")
    export = _if(ruled and not exported, "export")
    return [
        Stage("aggregate", len(done), pending, open_, _if(pending, "aggregate"), batch),
        Stage("export", int(exported), 0, "bundles", export, batch),
    ]


def _exported(study: Study, batch: str) -> bool:
    """Whether a bundle of the batch is there and holds the results that are stored now."""
    path = study.project.exports / folder_name(batch) / "manifest.json"
    if not path.is_file():
        return False
    manifest = json.loads(records.read_text(path))
    now = results.computed_from(study.engine, batch)
    return not manifest.get("outdated") and manifest.get("computed_from") == now


def _if(condition: object, step: Step) -> Step:
    return step if condition else ""
