"""What is pending at each stage, and the next command to give."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import and_, func, select

from labeler import tables
from labeler.edges import store
from labeler.pipeline.study import Study, batch_row, newest_batch


class Stage(NamedTuple):
    """One stage: what is done, what is pending, and the command that does it ('' where none)."""

    stage: str
    done: int
    pending: int
    what: str
    command: str


def status(study: Study) -> list[Stage]:
    """The stages in order. The first with a command is the next to give."""
    posts = store.count(study.engine, tables.POSTS)
    stages = [Stage("posts", posts, 0, "posts", "" if posts else "labeler ingest FILE")]
    stages += _prelabels(study, posts)
    if not store.count(study.engine, tables.BATCHES):
        ready = posts and any(stage.stage.startswith("prelabel") for stage in stages)
        command = "labeler sample --batch NAME --coders A,B --blind N --assisted N"
        return [*stages, Stage("sample", 0, 0, "batches", command if ready else "")]
    return stages + _batch(study, newest_batch(study))


def _prelabels(study: Study, posts: int) -> list[Stage]:
    codebook = study.codebook.fingerprint
    answered = store.counts(study.engine, tables.COMPLETIONS.c.coder, codebook=codebook)
    failed = {coder: times for coder, times in _failures(study, codebook).items() if times}
    if not answered:
        return [Stage("prelabel", 0, posts, "posts", "labeler prelabel" if posts else "")]
    stages = []
    for coder, times in answered.items():
        option = " --coder cues" if coder.startswith("cues@") else ""
        words = f"posts by {coder}"
        if coder in failed:
            words += f", {failed[coder]} with an error"
        pending = posts - times
        stages.append(
            Stage("prelabel", times, pending, words, f"labeler prelabel{option}" if pending else "")
        )
    return stages


def _failures(study: Study, codebook: str) -> dict[str, int]:
    rows = store.query_rows(
        study.engine,
        select(tables.COMPLETIONS.c.coder, func.count().label("times"))
        .where(tables.COMPLETIONS.c.codebook == codebook, tables.COMPLETIONS.c.error != "")
        .group_by(tables.COMPLETIONS.c.coder),
    )
    return dict(zip(rows["coder"], rows["times"], strict=True))


def _batch(study: Study, batch: str) -> list[Stage]:
    row = batch_row(study, batch)
    total = store.count(study.engine, tables.TASKS, batch=batch)
    unpushed = store.count(study.engine, tables.TASKS, batch=batch, studio_task=None)
    coded = _coded(study, batch)
    option = f" --batch {batch}"
    waiting = total - coded
    stages = [
        Stage("sample", total, 0, f"tasks in batch {batch}", ""),
        Stage("push", total - unpushed, unpushed, "tasks", _if(unpushed, "labeler push" + option)),
        Stage("pull", coded, waiting, "tasks coded", _if(waiting, "labeler pull" + option)),
    ]
    ruled = store.count(study.engine, tables.RELIABILITY, batch=batch)
    shares = store.count(study.engine, tables.ESTIMATES, batch=batch)
    variables = len(study.codebook.variables)
    ready = coded and row["codebook"] == study.codebook.fingerprint
    stages.append(
        Stage(
            "reliability",
            ruled,
            0,
            "coefficients",
            _if(ready and not ruled, "labeler reliability" + option),
        )
    )
    done = len(store.distinct(study.engine, tables.ESTIMATES.c.variable, batch=batch))
    stages.append(
        Stage(
            "aggregate",
            done,
            variables - done,
            "variables",
            _if(ruled and not shares, "labeler aggregate" + option),
        )
    )
    exported = (study.project.exports / batch / "manifest.json").is_file()
    stages.append(
        Stage(
            "export",
            int(exported),
            0,
            "bundles",
            _if(shares and not exported, "labeler export" + option),
        )
    )
    return stages


def _coded(study: Study, batch: str) -> int:
    """Tasks of the batch with an annotation that stands."""
    notes, tasks = tables.ANNOTATIONS, tables.TASKS
    same = and_(*(notes.c[name] == tasks.c[name] for name in tables.keys(tasks)))
    standing = select(notes.c.annotation).where(
        same, notes.c.cancelled == 0, notes.c.withdrawn == 0
    )
    query = select(func.count().label("coded")).where(tasks.c.batch == batch, standing.exists())
    return int(store.query_rows(study.engine, query)["coded"].iloc[0])


def _if(condition: object, command: str) -> str:
    return command if condition else ""
