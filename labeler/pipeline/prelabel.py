"""Posts × codebook → completions of a coder → its codings and segments.

An answer is stored before it is understood. What is pending is what has no completion; what is
stored can be parsed again at any time, without the network.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import pandas as pd
from sqlalchemy import select

from labeler import tables
from labeler.edges import store
from labeler.errors import ProjectError
from labeler.pipeline.asking import Asker, Asking, Model, model_of, sent_texts
from labeler.pipeline.study import Report, Study, add_coder, logged, now, silent
from labeler.stages import cues, deidentify, prelabels

CHUNK = 1000
FINAL = ("refusal", "truncated", "off-schema", "left-out")


class Prelabelled(NamedTuple):
    """What a run did: the coder, units answered now and before, faults by kind, codings written;
    requests sent, what the coder's answers cost in all, and what a person must know."""

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
) -> Prelabelled:
    """Let the cues coder code each post that it has not coded (`limit` at most)."""
    coder = cues.coder(study.codebook)
    with logged(study, "prelabel", {"coder": coder, "limit": limit, "reparse": reparse}):
        add_coder(study, coder, kind="cues", spec=cues.spec(study.codebook))
        before = _answered(study, coder)
        if not reparse:
            _ask_cues(study, coder, limit, report)
        written, faults = parsed(study, coder, "", everything=reparse)
        return Prelabelled(coder, _answered(study, coder) - before, before, faults, written)


def by_model(
    study: Study, asking: Asking, *, reparse: bool = False, report: Report = silent
) -> Prelabelled:
    """Ask the project's model about each post that it has not answered, and parse the answers.

    A truncated answer is asked for once more, with a higher limit. ServiceUnavailable and
    ServiceRejected: what was answered is stored, and the same call goes on from there.
    """
    model = named_model(study, asking)
    settings = {**asking._asdict(), "prices": str(asking.prices or ""), "coder": model.coder}
    hides = str(model.spec["hides"])
    with logged(study, "prelabel", {**settings, "reparse": reparse}) as run:
        add_coder(study, model.coder, kind="model", spec=model.spec)
        before = _answered(study, model.coder)
        asker = Asker(study, model, asking, run=run, report=report)
        written, faults = 0, Counter[str]()
        for requests in () if reparse else (asker.pending, asker.truncated):
            try:
                asker.send(requests())
            finally:
                more, found = parsed(study, model.coder, hides, everything=False)
                written, faults = written + more, Counter(found)
        if reparse:
            written, found = parsed(study, model.coder, hides, everything=True)
            faults = Counter(found)
        now_answered = _answered(study, model.coder) - before
        return Prelabelled(
            model.coder,
            now_answered,
            before,
            dict(faults),
            written,
            asker.sent,
            asker.purse.spent(),
            tuple(asker.remarks()),
        )


def dry_run(study: Study, asking: Asking) -> list[str]:
    """What asking would take and cost, and one complete request to read; nothing is sent."""
    model = named_model(study, asking)
    asker = Asker(study, model, asking, run="", report=silent)
    bodies = [str(body) for chunk in asker.pending() for body in chunk["body"]]
    if not bodies:
        return ["nothing is pending: every post has an answer"]
    return [
        *asker.purse.estimate(model.prompt.content, bodies),
        deidentify.rules(asking.subreddits),
        "",
        "One request, as it would be sent:",
        bodies[0],
    ]


def named_model(study: Study, asking: Asking) -> Model:
    if not study.project.llm_model:
        raise ProjectError(
            "--llm-model / LABELER_LLM_MODEL: no model is named; name one, or use --coder cues"
        )
    return model_of(study, subreddits=asking.subreddits)


def _answered(study: Study, coder: str) -> int:
    """Units that the coder has answered under this codebook, with or without an error."""
    which = {"coder": coder, "codebook": study.codebook.fingerprint}
    return len(store.distinct(study.engine, tables.COMPLETIONS.c.unit, **which))


def _ask_cues(study: Study, coder: str, limit: int | None, report: Report) -> None:
    which = {"coder": coder, "codebook": study.codebook.fingerprint}
    done = set(store.distinct(study.engine, tables.COMPLETIONS.c.unit, **which))
    units = [u for u in store.distinct(study.engine, tables.POSTS.c.unit) if u not in done]
    answered = 0
    for start in range(0, len(units[:limit]), CHUNK):
        chunk = units[:limit][start : start + CHUNK]
        posts = store.read(study.engine, tables.POSTS, unit=chunk)
        answers = cues.answers(posts, study.codebook, coder=coder, created=now())
        store.add(study.engine, tables.COMPLETIONS, answers)
        answered += len(answers)
        report(f"{answered} posts read by {coder}")


def parsed(study: Study, coder: str, hides: str, *, everything: bool) -> tuple[int, dict[str, int]]:
    """Parse the stored answers that no coding names yet (or all); codings written and faults."""
    codebook = study.codebook.fingerprint
    which = {"coder": coder, "codebook": codebook}
    parsed_before = (
        set() if everything else set(store.distinct(study.engine, tables.CODINGS.c.source, **which))
    )
    answers = store.query_rows(
        study.engine,
        select(tables.COMPLETIONS.c.completion, tables.COMPLETIONS.c.unit)
        .where(tables.COMPLETIONS.c.coder == coder, tables.COMPLETIONS.c.codebook == codebook)
        .order_by(tables.COMPLETIONS.c.unit),
    )
    units = list(dict.fromkeys(answers[~answers["completion"].isin(parsed_before)]["unit"]))
    written, faults = 0, Counter[str]()
    for start in range(0, len(units), CHUNK):
        wanted: dict[str, object] = {**which, "unit": units[start : start + CHUNK]}
        completions = store.read(study.engine, tables.COMPLETIONS, **wanted)
        posts = store.read(study.engine, tables.POSTS, unit=wanted["unit"])
        sent, locate = sent_texts(study, posts, hides)
        found = prelabels.parse(completions, sent, study.codebook, locate=locate)
        store.replace(
            study.engine,
            (tables.CODINGS, wanted, found.codings),
            (tables.SEGMENTS, wanted, found.segments),
        )
        _note_errors(study, completions, found.faults)
        written += len(found.codings)
        faults.update(found.faults["kind"])
    return written, dict(faults)


def _note_errors(study: Study, completions: pd.DataFrame, faults: pd.DataFrame) -> None:
    """Write the kind of each final failure beside the answer it was found in."""
    final = faults[faults["kind"].isin(FINAL)].drop_duplicates("completion")
    if final.empty:
        return
    rows = completions.drop(columns=["error", "detail"]).merge(
        final[["completion", "kind", "detail"]].rename(columns={"kind": "error"}), on="completion"
    )
    store.mirror(study.engine, tables.COMPLETIONS, tables.frame(tables.COMPLETIONS, rows))
