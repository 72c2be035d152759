"""Posts × codebook → completions of a coder → its codings and segments.

An answer is stored before it is understood. What is pending is what has no completion; what is
stored can be parsed again at any time, without the network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd
from sqlalchemy import select

from labeler import resources, tables
from labeler.edges import files, llm, store
from labeler.errors import ProjectError
from labeler.pipeline.study import Report, Study, add_coder, logged, now, silent
from labeler.stages import cues, prelabels

CHUNK = 1000
FINAL = ("refusal", "truncated", "off-schema")


class Prelabelled(NamedTuple):
    """What a run did: the coder, units answered now and before, faults by kind, codings written."""

    coder: str
    answered: int
    before: int
    faults: dict[str, int]
    codings: int


def prelabel(
    study: Study,
    *,
    model: bool,
    concurrency: int = 8,
    limit: int | None = None,
    reparse: bool = False,
    report: Report = silent,
) -> Prelabelled:
    """Let the cues coder (or, with `model`, the project's model) code each post once.

    Only posts without an answer are asked. `limit` asks that many at most; `reparse` asks nothing
    and parses all stored answers again. ServiceUnavailable: what was answered is stored, and the
    same call goes on from there.
    """
    templates = prelabels.Templates(_template("system"), _template("user"))
    if model:
        spec = _spec(study, templates)
        coder = prelabels.coder(spec)
    else:
        spec = dict(cues.spec(study.codebook))
        coder = cues.coder(study.codebook)
    settings = {"coder": coder, "limit": limit, "reparse": reparse, "concurrency": concurrency}
    with logged(study, "prelabel", settings):
        add_coder(study, coder, kind="model" if model else "cues", spec=spec)
        before = _done(study, coder)
        try:
            if model and not reparse:
                _ask_model(study, spec, templates, concurrency, limit, report)
            elif not reparse:
                _ask_cues(study, coder, limit, report)
        finally:
            written, faults = _parsed(study, coder, everything=reparse)
        after = store.count(
            study.engine,
            tables.COMPLETIONS,
            coder=coder,
            codebook=study.codebook.fingerprint,
        )
        return Prelabelled(coder, after - len(before), len(before), faults, written)


def _template(name: str) -> str:
    return files.read_text(resources.folder("templates") / "prompt" / f"{name}.jinja")


def _spec(study: Study, templates: prelabels.Templates) -> dict[str, object]:
    if not study.project.llm_model:
        raise ProjectError(
            "--llm-model / LABELER_LLM_MODEL: no model is named; name one, or use --coder cues"
        )
    return prelabels.spec(
        base_url=study.project.llm_url, model=study.project.llm_model, templates=templates
    )


def _done(study: Study, coder: str) -> set[str]:
    """Units that the coder has answered under this codebook, with or without an error."""
    codebook = study.codebook.fingerprint
    units = store.distinct(
        study.engine, tables.COMPLETIONS.c.unit, coder=coder, codebook=codebook, replicate=1
    )
    return set(units)


def _pending(study: Study, coder: str, limit: int | None) -> Iterator[pd.DataFrame]:
    """Posts that the coder has not answered, a chunk at a time, `limit` at most."""
    done = _done(study, coder)
    units = [u for u in store.distinct(study.engine, tables.POSTS.c.unit) if u not in done]
    for start in range(0, len(units[:limit]), CHUNK):
        wanted = units[:limit][start : start + CHUNK]
        yield store.read(study.engine, tables.POSTS, unit=wanted)


def _ask_cues(study: Study, coder: str, limit: int | None, report: Report) -> None:
    answered = 0
    for posts in _pending(study, coder, limit):
        answers = cues.answers(posts, study.codebook, coder=coder, created=now())
        store.add(study.engine, tables.COMPLETIONS, answers)
        answered += len(answers)
        report(f"{answered} posts read by {coder}")


def _ask_model(
    study: Study,
    spec: dict[str, object],
    templates: prelabels.Templates,
    concurrency: int,
    limit: int | None,
    report: Report,
) -> None:
    coder = prelabels.coder(spec)
    codebook = study.codebook.fingerprint
    asked: dict[str, tuple[str, str]] = {}

    def pending() -> Iterator[tuple[str, str]]:
        secret = study.project.secret()
        for posts in _pending(study, coder, limit):
            made = prelabels.requests(
                posts, study.codebook, spec=spec, templates=templates, secret=secret
            )
            for row in tables.rows(made):
                asked[row.completion] = (row.unit, row.request)
                yield row.completion, row.request

    def keep(answer: llm.Answer) -> None:
        unit, request = asked.pop(answer.completion)
        row = {
            "completion": answer.completion,
            "codebook": codebook,
            "coder": coder,
            "unit": unit,
            "replicate": 1,
            "request": request,
            "answer": answer.body,
            "error": answer.error,
            "detail": answer.detail,
            "served": answer.served,
            "prompt_tokens": answer.prompt_tokens,
            "answer_tokens": answer.answer_tokens,
            "seconds": answer.seconds,
            "created": now(),
        }
        store.add(study.engine, tables.COMPLETIONS, tables.frame(tables.COMPLETIONS, [row]))

    llm.complete(
        pending(),
        base_url=study.project.llm_url,
        api_key=study.project.llm_key,
        on_answer=keep,
        concurrency=concurrency,
        report=lambda tally: report(_told(tally)),
    )


def _told(tally: llm.Tally) -> str:
    failures = ", ".join(f"{times} {kind}" for kind, times in sorted(tally.failures.items()))
    line = f"{tally.answered} posts answered, {tally.sent} requests sent"
    return f"{line}; given again after {failures}" if failures else line


def _parsed(study: Study, coder: str, *, everything: bool) -> tuple[int, dict[str, int]]:
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
        found = prelabels.parse(completions, posts, study.codebook)
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
