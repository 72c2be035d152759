"""Posts → what a model server answers, stored as it came.

Only the text of a post leaves, after de-identification, behind a prompt that is the same for all.
Pending is what has no completion; several processes share it by claims; what is spent is known
before more is sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, groupby
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pandas as pd

from labeler.coders import requests
from labeler.coders.llm import canary, claims
from labeler.coders.llm.budget import BudgetLedger
from labeler.coders.llm.client import complete
from labeler.coders.llm.costs import split
from labeler.coders.llm.model import ModelCoder, RequestSettings, sent_texts
from labeler.keys import key
from labeler.posts import deidentify
from labeler.store import database, results, tables
from labeler.study.completions import answered
from labeler.study.study import Report, Study, now

CHUNK = 100
HIGHER = 4  # a truncated answer is asked for again with a limit so many times as high


class RunProgress(NamedTuple):
    """Where a run stands: posts answered of so many, a second and in flight, attempts given again
    and answers without codes by kind, what was spent, seconds left (None: not known)."""

    done: int
    total: int
    rate: float
    flying: int
    again: dict[str, int]
    errors: dict[str, int]
    spent: str
    left: float | None


class RequestTerms(NamedTuple):
    """How a unit is to be asked about: alone or in company, with which limit of tokens a post, for
    which replicate, and for the how manieth time."""

    alone: bool
    limit: int
    replicate: int
    attempt: int


PendingUnits = dict[RequestTerms, list[str]]
"""What is to be asked: units, by how. The units of 100,000 posts are 10 MB."""


class ModelRun:
    """One run of asking a model: what it sends, stores and spends.

    `units` restricts it; where `goes_on` says no, nothing more is sent.
    """

    def __init__(
        self,
        study: Study,
        model: ModelCoder,
        settings: RequestSettings,
        *,
        run: str,
        report: Report,
        progress: Callable[[RunProgress], None] = lambda _: None,
        units: list[str] | None = None,
        goes_on: Callable[[], bool] = lambda: True,
    ) -> None:
        self.study, self.model, self.settings = study, model, settings
        self.run, self.report, self.progress = run, report, progress
        self.spending = BudgetLedger(
            study, model.coder, price_file=settings.prices, budget=settings.budget
        )
        self.which = {"coder": model.coder, "codebook": study.codebook.fingerprint}
        self.units, self.goes_on = units, goes_on
        self.holder, self.renewed = claims.holder(f"{now()} {run}"), datetime.now(UTC)
        self.limits, self.tokens = complete.RateLimits(), 0
        self.canary = canary.canary(run, secret=study.project.secret())
        self.greeted = not settings.canary
        self.flying: dict[str, list[Any]] = {}
        self.sent = self.elsewhere = self.kept = self.total = 0
        self.started, self.left = now(), set[str]()
        self.alarm = ""

    # --- what is asked -------------------------------------------------------------------------

    def pending(self) -> bool:
        """Whether there is anything to ask."""
        return bool(self.fresh() or self.second())

    def fresh(self) -> PendingUnits:
        """What has no answer yet or, to retry errors, none that holds codes."""
        there = self._there()
        posts = self.units
        if posts is None:
            posts = database.distinct(self.study.engine, tables.POSTS.c.unit)
        wanted: PendingUnits = {}
        for replicate in range(1, self.settings.replicates + 1):
            left = len(posts) if self.settings.limit is None else self.settings.limit
            first = RequestTerms(
                self.settings.several == 1, self.settings.answer_limit, replicate, 1
            )
            for unit in posts:
                before = there.get((unit, replicate))
                again = before is not None and self.settings.retry_errors and not before.good
                if (before is None or again) and left and unit not in self.model.prompt.examples:
                    how = first if before is None else self._once_more(replicate, before)
                    wanted.setdefault(how, []).append(unit)
                    left -= 1
        return wanted

    def second(self) -> PendingUnits:
        """What was cut off, with a higher limit, and what failed in company, alone."""
        wanted: PendingUnits = {}
        for (unit, replicate), before in self._there().items():
            if (
                before.answers == 1
                and not before.good
                and (before.cut or self.settings.several > 1)
            ):
                wanted.setdefault(self._once_more(replicate, before), []).append(unit)
        return wanted

    def _there(self) -> dict[tuple[str, int], Any]:
        rows = answered(self.study, self.model.coder, units=self.units)
        return {(row.unit, int(row.replicate)): row for row in tables.rows(rows)}

    def _once_more(self, replicate: int, before: Any) -> RequestTerms:
        limit = self.settings.answer_limit * (HIGHER if before.cut else 1)
        return RequestTerms(True, limit, replicate, int(before.answers) + 1)

    def greeting(self) -> pd.DataFrame:
        """The request about the canary."""
        how = RequestTerms(True, self.settings.answer_limit, 1, 1)
        return self.of_posts(canary.as_posts(self.canary), how)

    def requests(self, wanted: PendingUnits, *, claim: bool = True) -> Iterator[pd.DataFrame]:
        """The requests for what is wanted, a chunk at a time (see `of_posts`).

        With `claim`, only what nobody else is asking and what is still pending when its turn comes.
        """
        size = max(1, CHUNK // self.settings.several) * self.settings.several
        for how, units in wanted.items():
            for start in range(0, len(units), size):
                chunk = units[start : start + size]
                mine = self._mine(chunk, how) if claim else chunk
                if mine:
                    posts = database.read(self.study.engine, tables.POSTS, unit=mine)
                    sent, _ = sent_texts(self.study, posts, self.model.hides)
                    yield self.of_posts(sent, how)

    def of_posts(self, posts: pd.DataFrame, how: RequestTerms) -> pd.DataFrame:
        """Requests about posts as they leave, with the columns limit and claim besides."""
        prompt = self.model.alone if how.alone else self.model.prompt
        limit = how.limit * prompt.several
        made = requests.requests(
            posts,
            self.study.codebook,
            spec=self.model.spec,
            prompt=prompt,
            templates=self.model.templates,
            secret=self.study.project.secret(),
            replicate=how.replicate,
            limit=limit,
            attempt=how.attempt,
        )
        names = [self.claim(unit, how.replicate) for unit in made["unit"]]
        return made.assign(limit=limit, claim=names)

    def _mine(self, units: list[str], how: RequestTerms) -> list[str]:
        """Those of some units that are this process's to ask, and not answered meanwhile."""
        names = {self.claim(unit, how.replicate): unit for unit in units}
        held = claims.claimed(self.study.engine, list(names), holder=self.holder, at=now())
        there = answered(self.study, self.model.coder, units=units)
        there = there[(there["replicate"] == how.replicate) & (there["answers"] >= how.attempt)]
        done = set(there["unit"])
        self.elsewhere += len([name for name in names if name not in held])
        mine = {names[name] for name in held} - done
        return [unit for unit in units if unit in mine]

    def claim(self, unit: str, replicate: int) -> str:
        """The name under which a process claims a unit: whoever holds it may ask about it."""
        return key({**self.which, "unit": unit, "replicate": replicate})

    # --- what is sent --------------------------------------------------------------------------

    def ask(self, *, again: bool) -> None:
        """Ask what has no answer or, `again`, what has a failed one and may get a better."""
        self.send(self.second() if again else self.fresh())

    def send(self, wanted: PendingUnits) -> None:
        """Ask what is wanted and store the answers; the ledger says what left, whatever happens.

        The canary goes first and alone: it hears of a wrong key before any post leaves.
        """
        self.total += sum(map(len, wanted.values()))
        requests = self._affordable(self.requests(wanted))
        try:
            first = next(requests, None)
            if first is None:
                return
            self.note_prompts()
            if not self.greeted:
                self.greeted = True
                self._complete(self._greeting())
            self._complete(self._leaving(chain([first], requests)))
        finally:
            self._note_ledger(len(self.left))
            claims.release(self.study.engine, holder=self.holder)

    def note_prompts(self) -> None:
        """Store what all requests share, before the first leaves."""
        prompts = {prompt.key: prompt.content for prompt in (self.model.prompt, self.model.alone)}
        rows = [{"prompt": k, "content": v, "created": now()} for k, v in prompts.items()]
        database.add(self.study.engine, tables.PROMPTS, tables.frame(tables.PROMPTS, rows))

    def _complete(self, requests: Iterable[tuple[str, str] | None]) -> None:
        given = complete.RateLimits(
            self.settings.requests_per_minute, self.settings.tokens_per_minute
        )
        with database.kept_open(self.study.engine):
            tally = complete.complete(
                requests,
                base_url=self.study.project.llm_url,
                api_key=self.study.project.llm_key,
                on_answers=self._keep,
                concurrency=self.settings.concurrency,
                limits=given if any(given) else None,
                patience=self.settings.patience,
                report=self._tell,
            )
        self.sent += tally.sent
        self.tokens += tally.prompt_tokens + tally.answer_tokens
        self.limits = tally.limits

    def _affordable(self, chunks: Iterator[pd.DataFrame]) -> Iterator[tuple[str, str] | None]:
        """Requests that the budget can pay, one by one; None while only what flies is in the way.

        What was reserved for a request is more than it will cost, so one that cannot be paid now
        may be when others have come back.
        """
        for chunk in chunks:
            for asked, rows in groupby(tables.rows(chunk), key=lambda row: row.asked):
                own = list(rows)
                most = self.spending.most(self._prompt(own), own[0].request, int(own[0].limit))
                while not self.spending.reserve(asked, most):
                    if not self.spending.waiting:
                        return
                    yield None
                self.flying[asked] = own
                yield asked, own[0].body

    def _prompt(self, asked: list[Any]) -> str:
        alone = json.loads(asked[0].request)["prompt"] == self.model.alone.key
        return (self.model.alone if alone else self.model.prompt).content

    def _leaving(
        self, requests: Iterable[tuple[str, str] | None]
    ) -> Iterator[tuple[str, str] | None]:
        """The requests, each noted before it leaves: a ledger must not say less than what left.

        It is up to a chunk ahead until the run ends, so a killed run's row says a few too many.
        """
        noted = 0
        for request in requests:
            if not self.goes_on():
                return
            if request is not None:
                self.left.update(row.unit for row in self.flying[request[0]])
                if len(self.left) > noted:
                    noted = len(self.left) + CHUNK - 1
                    self._note_ledger(noted)
            yield request

    def _greeting(self) -> Iterator[tuple[str, str] | None]:
        yield from self._affordable(iter([self.greeting()]))

    # --- what comes back -----------------------------------------------------------------------

    def _keep(self, answers: list[complete.Completion]) -> None:
        rows = [row for answer in answers for row in self._rows(answer)]
        names = [row["completion"] for row in rows]
        held = [row.claim for answer in answers for row in self.flying[answer.completion]]
        results.replace(
            self.study.engine,
            (tables.COMPLETIONS, {"completion": names}, rows),
            (tables.CLAIMS, {"claim": held}, []),
        )
        for answer in answers:
            own = self.flying.pop(answer.completion)
            self.spending.settle(answer.completion, self.spending.cost(answer)[0])
            self.kept += len(own) if own[0].unit != self.canary.unit else 0

    def _rows(self, answer: complete.Completion) -> Iterator[dict[str, Any]]:
        asked = self.flying[answer.completion]
        for row in rows_of(answer, asked, self.spending.cost(answer)):
            if row["unit"] == self.canary.unit:
                row["detail"] = row["detail"] or self._heard(answer.body)
            yield self.which | row

    def _heard(self, body: str) -> str:
        """Raise the alarm at once where the canary was obeyed: the run may yet end in an error."""
        self.alarm = canary.alarm(self.canary, body)
        if self.alarm:
            self.report(f"ALARM: {self.alarm}")
        return self.alarm

    def _note_ledger(self, posts: int) -> None:
        if not posts:
            return
        host = urlsplit(self.study.project.llm_url).hostname or ""
        left = {"run": self.run, "host": host, "posts": posts, "started": self.started}
        note_ledger(self.study, left, subreddits=self.settings.subreddits)

    def _tell(self, tally: complete.RequestTally) -> None:
        """Tell where the run stands; and the other processes, now and then, that this one lives."""
        if datetime.now(UTC) - self.renewed > claims.RENEWED:
            self.renewed = datetime.now(UTC)
            claims.renew(self.study.engine, holder=self.holder, at=now())
        if not tally.sent or not self.total:
            return
        rate = tally.rate * self.settings.several
        left = (self.total - self.kept) / rate if rate else None
        self.progress(
            RunProgress(
                self.kept,
                self.total,
                rate,
                tally.flying,
                dict(tally.failures),
                dict(tally.rows),
                self.spending.spent_now(),
                left,
            )
        )

    def remarks(self) -> list[str]:
        """What a person must know of this run."""
        found = [f"ALARM: {self.alarm}"] if self.alarm else []
        if self.elsewhere:
            found.append(f"{self.elsewhere} posts are being asked by another process or a job")
        if self.spending.empty:
            found.append("the budget is reached: what is left was not asked")
        return found


def rows_of(
    answer: complete.Completion, asked: Sequence[Any], costs: tuple[float | None, str, str]
) -> Iterator[dict[str, Any]]:
    """A COMPLETIONS row, but for coder and codebook, for each post that a request asked about.

    `asked` are rows with completion, unit, replicate and request; `costs` says what the answer
    cost, in which currency, and why that is unknown. What it took is shared out among the posts.
    """
    cost, currency, why = costs
    counts = (answer.prompt_tokens, answer.answer_tokens, answer.cached_tokens)
    shared = zip(*(split(count, len(asked)) for count in counts), strict=True)
    for row, (prompt, said, cached) in zip(asked, shared, strict=True):
        yield {
            "completion": row.completion,
            "unit": row.unit,
            "replicate": int(row.replicate),
            "request": row.request,
            "answer": answer.body,
            "error": answer.error,
            "detail": answer.detail,
            "served": " ".join(part for part in (answer.served, answer.fingerprint) if part),
            "prompt_tokens": prompt,
            "answer_tokens": said,
            "cached_tokens": cached,
            "seconds": answer.seconds,
            "created": now(),
            "cost": None if cost is None else cost / len(asked),
            "currency": currency,
            "cost_note": why,
        }


def note_ledger(study: Study, left: Mapping[str, object], *, subreddits: bool) -> None:
    """Note what leaves (run, host, posts, started) before it does."""
    rules = deidentify.rules(subreddits)
    row = {**left, "purpose": "prelabel", "fields": "text", "rules": rules}
    database.mirror(study.engine, tables.LEDGER, tables.frame(tables.LEDGER, [row]))
