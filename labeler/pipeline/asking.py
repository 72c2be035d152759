"""Posts → what a model server answers, stored as it came.

Only the text of a post leaves, after de-identification, behind a prompt that is the same for all.
Pending is what has no completion; several processes share it by claims; what is spent is known
before more is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pandas as pd

from labeler import resources, tables
from labeler.edges import files, llm, store
from labeler.pipeline import claims
from labeler.pipeline.purse import Purse
from labeler.pipeline.study import Report, Study, now
from labeler.stages import canaries, deidentify, prelabels

CHUNK = 100
HIGHER = 4  # a truncated answer is asked for again with a limit so many times as high
WITH_SUBREDDITS = " with subreddits"

Locate = Callable[[str, int, int], tuple[int, int, str]]


class Asking(NamedTuple):
    """How a model is asked: `limit` posts at most, `replicates` times each, `budget` in the
    currency of the price file, `answer_limit` in tokens, `patience` in seconds."""

    concurrency: int = 64
    limit: int | None = None
    replicates: int = 1
    retry_errors: bool = False
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    budget: float | None = None
    prices: Path | None = None
    answer_limit: int = 2000
    subreddits: bool = False
    canary: bool = True
    patience: float = 60.0


class Model(NamedTuple):
    """A model as coder: its spec and name, its prompt and templates."""

    spec: dict[str, object]
    coder: str
    prompt: prelabels.Prompt
    templates: prelabels.Templates


def model_of(study: Study, *, subreddits: bool) -> Model:
    """The project's model as a coder; what is hidden from it is part of what it is."""
    folder = resources.folder("templates") / "prompt"
    templates = prelabels.Templates(
        files.read_text(folder / "system.jinja"), files.read_text(folder / "user.jinja")
    )
    spec = prelabels.spec(
        base_url=study.project.llm_url, model=study.project.llm_model, templates=templates
    )
    spec["hides"] = deidentify.RULES + (WITH_SUBREDDITS if subreddits else "")
    prompt = prelabels.prompt(study.codebook, spec, templates)
    return Model(spec, prelabels.coder(spec), prompt, templates)


def sent_texts(study: Study, posts: pd.DataFrame, hides: str) -> tuple[pd.DataFrame, Locate | None]:
    """Posts with their texts as they leave, and the way back from a stretch to the original.

    `hides` is that entry of a model's spec; '' hides nothing (the cues coder).
    """
    if not hides:
        return posts, None
    hidden = deidentify.hide_all(
        list(posts["text"]),
        secret=study.project.secret(),
        subreddits=hides.endswith(WITH_SUBREDDITS),
    )
    pairs = zip(hidden, posts["text"], strict=True)
    by_unit = dict(zip(posts["unit"], pairs, strict=True))

    def locate(unit: str, start: int, end: int) -> tuple[int, int, str]:
        found, original = by_unit[unit]
        first, last = deidentify.original_offsets(found, start, end)
        return first, last, original[first:last]

    return posts.assign(text=[one.text for one in hidden]), locate


class Asker:
    """One run of asking a model: what it sends, stores and spends."""

    def __init__(
        self, study: Study, model: Model, asking: Asking, *, run: str, report: Report
    ) -> None:
        self.study, self.model, self.asking = study, model, asking
        self.run, self.report = run, report
        self.purse = Purse(study, model.coder, price_file=asking.prices, budget=asking.budget)
        self.which = {"coder": model.coder, "codebook": study.codebook.fingerprint}
        self.holder = claims.holder(now())
        self.canary = canaries.canary(run, secret=study.project.secret())
        self.greeted = not asking.canary
        self.flying: dict[str, tuple[str, int, str]] = {}
        self.sent = self.elsewhere = 0
        self.started, self.left = now(), set[str]()
        self.alarm = ""

    # --- what is asked -------------------------------------------------------------------------

    def pending(self) -> Iterator[pd.DataFrame]:
        """Requests without a stored answer (or, to retry errors, without a good one)."""
        only_good = {"error": ""} if self.asking.retry_errors else {}
        posts = store.distinct(self.study.engine, tables.POSTS.c.unit)
        for replicate in range(1, self.asking.replicates + 1):
            which = {**self.which, **only_good, "replicate": replicate}
            done = set(store.distinct(self.study.engine, tables.COMPLETIONS.c.unit, **which))
            units = [unit for unit in posts if unit not in done][: self.asking.limit]
            yield from self._requests(units, replicate, self.asking.answer_limit)

    def truncated(self) -> Iterator[pd.DataFrame]:
        """Requests whose answers were cut off, with a higher limit."""
        cut = store.read(self.study.engine, tables.COMPLETIONS, **self.which, error="truncated")
        for replicate in range(1, self.asking.replicates + 1):
            units = sorted(set(cut[cut["replicate"] == replicate]["unit"]))
            yield from self._requests(units, replicate, self.asking.answer_limit * HIGHER)

    def _requests(
        self, units: list[str], replicate: int, answer_limit: int
    ) -> Iterator[pd.DataFrame]:
        for start in range(0, len(units), CHUNK):
            chunk = units[start : start + CHUNK]
            posts = store.read(self.study.engine, tables.POSTS, unit=chunk)
            sent, _ = sent_texts(self.study, posts, str(self.model.spec["hides"]))
            yield self.made(sent, replicate, answer_limit)

    def made(self, posts: pd.DataFrame, replicate: int, answer_limit: int) -> pd.DataFrame:
        return prelabels.requests(
            posts,
            self.study.codebook,
            spec=self.model.spec,
            prompt=self.model.prompt,
            templates=self.model.templates,
            secret=self.study.project.secret(),
            replicate=replicate,
            limit=answer_limit,
        )

    # --- what is sent --------------------------------------------------------------------------

    def send(self, chunks: Iterator[pd.DataFrame]) -> None:
        """Send requests and store the answers; the ledger says what left, whatever happens.

        The canary goes first and alone: it hears of a wrong key before any post leaves.
        """
        requests = self._affordable(chunks)
        try:
            first = next(requests, None)
            if first is None:
                return
            prompt = {"prompt": self.model.prompt.key, "content": self.model.prompt.content}
            row = {**prompt, "created": now()}
            store.add(self.study.engine, tables.PROMPTS, tables.frame(tables.PROMPTS, [row]))
            if not self.greeted:
                self.greeted = True
                self._complete(self._greeting())
            self._complete(self._leaving(chain([first], requests)))
        finally:
            self._note_ledger(len(self.left))
            claims.release(self.study.engine, holder=self.holder)

    def _complete(self, requests: Iterable[tuple[str, str]]) -> None:
        given = llm.Limits(self.asking.requests_per_minute, self.asking.tokens_per_minute)
        with store.kept_open(self.study.engine):
            tally = llm.complete(
                requests,
                base_url=self.study.project.llm_url,
                api_key=self.study.project.llm_key,
                on_answers=self._keep,
                concurrency=self.asking.concurrency,
                limits=given if any(given) else None,
                patience=self.asking.patience,
                report=lambda tally: self.report(_told(tally)) if tally.sent else None,
            )
        self.sent += tally.sent

    def _affordable(self, chunks: Iterator[pd.DataFrame]) -> Iterator[tuple[str, str]]:
        """Requests that nobody else is asking and that the budget can pay, one by one."""
        for chunk in chunks:
            mine = self.unclaimed(chunk)
            most = self.purse.most(mine, answer_limit=self.asking.answer_limit * HIGHER)
            for row, cost in zip(tables.rows(mine), most, strict=True):
                if not self.purse.reserve(row.completion, cost):
                    return
                self.flying[row.completion] = (row.unit, int(row.replicate), row.request)
                yield row.completion, row.body

    def _leaving(self, requests: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """The requests, each noted before it leaves: a ledger must not say less than what left.

        It is up to a chunk ahead until the run ends, so a killed run's row says a few too many.
        """
        noted = 0
        for completion, body in requests:
            self.left.add(self.flying[completion][0])
            if len(self.left) > noted:
                noted = len(self.left) + CHUNK - 1
                self._note_ledger(noted)
            yield completion, body

    def _greeting(self) -> Iterator[tuple[str, str]]:
        made = self.made(canaries.as_posts(self.canary), 1, self.asking.answer_limit)
        most = self.purse.most(made, answer_limit=self.asking.answer_limit)
        for row, cost in zip(tables.rows(made), most, strict=True):
            if not self.purse.reserve(row.completion, cost):
                return
            self.flying[row.completion] = (row.unit, 1, row.request)
            yield row.completion, row.body

    def unclaimed(self, chunk: pd.DataFrame) -> pd.DataFrame:
        """The requests of a chunk that are this process's to ask, and not answered meanwhile."""
        names = list(chunk["completion"])
        mine = claims.claimed(self.study.engine, names, holder=self.holder, at=now())
        which: dict[str, object] = {"completion": names}
        if self.asking.retry_errors:
            which["error"] = ""
        done = set(store.distinct(self.study.engine, tables.COMPLETIONS.c.completion, **which))
        self.elsewhere += len(set(names) - mine - done)
        return chunk[chunk["completion"].isin(mine - done)]

    # --- what comes back -----------------------------------------------------------------------

    def _keep(self, answers: list[llm.Answer]) -> None:
        rows = [self._row(answer) for answer in answers]
        kept = [row for row in rows if row["unit"] != self.canary.unit]
        which: dict[str, object] = {"completion": [row["completion"] for row in rows]}
        store.replace(
            self.study.engine,
            (tables.COMPLETIONS, which, kept),
            (tables.CLAIMS, which, []),
        )
        for answer, row in zip(answers, rows, strict=True):
            self.flying.pop(answer.completion)
            self.purse.settle(answer.completion, row["cost"])
            if row["unit"] == self.canary.unit:
                self.alarm = canaries.alarm(self.canary, answer.body)

    def _row(self, answer: llm.Answer) -> dict[str, Any]:
        unit, replicate, request = self.flying[answer.completion]
        about = {**self.which, "unit": unit, "replicate": replicate, "request": request}
        return about | answered(answer, self.purse.cost(answer))

    def _note_ledger(self, posts: int) -> None:
        if not posts:
            return
        host = urlsplit(self.study.project.llm_url).hostname or ""
        left = {"run": self.run, "host": host, "posts": posts, "started": self.started}
        note_ledger(self.study, left, subreddits=self.asking.subreddits)

    def remarks(self) -> list[str]:
        """What a person must know of this run."""
        found = [f"ALARM: {self.alarm}"] if self.alarm else []
        if self.elsewhere:
            found.append(f"{self.elsewhere} posts are being asked by another process or a batch")
        if self.purse.empty:
            found.append("the budget is reached: what is left was not asked")
        return found


def answered(answer: llm.Answer, costs: tuple[float | None, str, str]) -> dict[str, Any]:
    """What a row of COMPLETIONS says of an answer: all but whose it is and what was asked.

    `costs`: what it cost, in which currency, and why that is unknown.
    """
    cost, currency, why = costs
    return {
        "completion": answer.completion,
        "answer": answer.body,
        "error": answer.error,
        "detail": answer.detail,
        "served": " ".join(part for part in (answer.served, answer.fingerprint) if part),
        "prompt_tokens": answer.prompt_tokens,
        "answer_tokens": answer.answer_tokens,
        "cached_tokens": answer.cached_tokens,
        "seconds": answer.seconds,
        "created": now(),
        "cost": cost,
        "currency": currency,
        "cost_note": why,
    }


def note_ledger(study: Study, left: Mapping[str, object], *, subreddits: bool) -> None:
    """Note what leaves (run, host, posts, started) before it does."""
    rules = deidentify.rules(subreddits)
    row = {**left, "purpose": "prelabel", "fields": "text", "rules": rules}
    store.mirror(study.engine, tables.LEDGER, tables.frame(tables.LEDGER, [row]))


def _told(tally: llm.Tally) -> str:
    failures = ", ".join(f"{times} {kind}" for kind, times in sorted(tally.failures.items()))
    line = f"{tally.answered} answered, {tally.flying} in flight, {tally.rate:.1f} a second"
    return f"{line}; given again after {failures}" if failures else line
