"""Posts → what a model server answers, stored as it came.

Only the text of a post leaves, after de-identification, behind a prompt that is the same for all.
Pending is what has no completion; several processes share it by claims; what is spent is known
before more is sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, groupby
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pandas as pd

from labeler import tables
from labeler.edges import llm, store
from labeler.keys import key
from labeler.pipeline import claims
from labeler.pipeline.answered import answered
from labeler.pipeline.model import Asking, Model, sent_texts
from labeler.pipeline.purse import Purse
from labeler.pipeline.study import Report, Study, now
from labeler.stages import canaries, deidentify, prelabels

CHUNK = 100
HIGHER = 4  # a truncated answer is asked for again with a limit so many times as high


class Progress(NamedTuple):
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


class Wanted(NamedTuple):
    """What is to be asked: about which unit, for the how manieth time, how."""

    alone: bool
    limit: int
    replicate: int
    attempt: int
    unit: str


class Asker:
    """One run of asking a model: what it sends, stores and spends. `units` restricts it."""

    def __init__(
        self,
        study: Study,
        model: Model,
        asking: Asking,
        *,
        run: str,
        report: Report,
        progress: Callable[[Progress], None] = lambda _: None,
        units: list[str] | None = None,
    ) -> None:
        self.study, self.model, self.asking = study, model, asking
        self.run, self.report, self.progress = run, report, progress
        self.purse = Purse(study, model.coder, price_file=asking.prices, budget=asking.budget)
        self.which = {"coder": model.coder, "codebook": study.codebook.fingerprint}
        self.units = units
        self.holder = claims.holder(now())
        self.canary = canaries.canary(run, secret=study.project.secret())
        self.greeted = not asking.canary
        self.flying: dict[str, list[Any]] = {}
        self.sent = self.elsewhere = self.kept = self.total = 0
        self.started, self.left = now(), set[str]()
        self.alarm = ""

    # --- what is asked -------------------------------------------------------------------------

    def fresh(self) -> list[Wanted]:
        """What has no answer yet or, to retry errors, none that holds codes."""
        there = self._there()
        posts = self.units
        if posts is None:
            posts = store.distinct(self.study.engine, tables.POSTS.c.unit)
        wanted = []
        for replicate in range(1, self.asking.replicates + 1):
            own = []
            for unit in posts:
                before = there.get((unit, replicate))
                if unit in self.model.prompt.examples:
                    continue
                if before is None:
                    own.append(self._wanted(unit, replicate))
                elif self.asking.retry_errors and not before.good:
                    own.append(self._once_more(unit, replicate, before))
            wanted += own[: self.asking.limit]
        return wanted

    def second(self) -> list[Wanted]:
        """What was cut off, with a higher limit, and what failed in company, alone."""
        return [
            self._once_more(unit, replicate, before)
            for (unit, replicate), before in self._there().items()
            if before.answers == 1 and not before.good and (before.cut or self.asking.several > 1)
        ]

    def _there(self) -> dict[tuple[str, int], Any]:
        rows = answered(self.study, self.model.coder, units=self.units)
        return {(row.unit, int(row.replicate)): row for row in tables.rows(rows)}

    def _wanted(self, unit: str, replicate: int) -> Wanted:
        return Wanted(self.asking.several == 1, self.asking.answer_limit, replicate, 1, unit)

    def _once_more(self, unit: str, replicate: int, before: Any) -> Wanted:
        limit = self.asking.answer_limit * (HIGHER if before.cut else 1)
        return Wanted(True, limit, replicate, int(before.answers) + 1, unit)

    def requests(self, wanted: Iterable[Wanted], *, claim: bool = True) -> Iterator[pd.DataFrame]:
        """The requests for what is wanted, a chunk at a time (see `prelabels.requests`).

        With `claim`, only what nobody else is asking and what is still pending when its turn comes.
        """
        size = max(1, CHUNK // self.asking.several) * self.asking.several
        for how, group in groupby(sorted(wanted), key=lambda one: one[:4]):
            alone, limit, replicate, attempt = how
            units = [one.unit for one in group]
            for start in range(0, len(units), size):
                chunk = units[start : start + size]
                mine = self._mine(chunk, replicate, attempt) if claim else chunk
                if mine:
                    yield self._made(mine, replicate, limit, attempt=attempt, alone=alone)

    def _made(
        self, units: list[str], replicate: int, limit: int, *, attempt: int, alone: bool
    ) -> pd.DataFrame:
        posts = store.read(self.study.engine, tables.POSTS, unit=units)
        sent, _ = sent_texts(self.study, posts, self.model.hides)
        return self._of_posts(sent, replicate, limit, attempt=attempt, alone=alone)

    def _of_posts(
        self, posts: pd.DataFrame, replicate: int, limit: int, *, attempt: int, alone: bool
    ) -> pd.DataFrame:
        prompt = self.model.alone if alone else self.model.prompt
        limit *= prompt.several
        made = prelabels.requests(
            posts,
            self.study.codebook,
            spec=self.model.spec,
            prompt=prompt,
            templates=self.model.templates,
            secret=self.study.project.secret(),
            replicate=replicate,
            limit=limit,
            attempt=attempt,
        )
        return made.assign(limit=limit)

    def _mine(self, units: list[str], replicate: int, attempt: int) -> list[str]:
        """Those of some units that are this process's to ask, and not answered meanwhile."""
        names = {self.claim(unit, replicate): unit for unit in units}
        held = claims.claimed(self.study.engine, list(names), holder=self.holder, at=now())
        there = answered(self.study, self.model.coder, units=units)
        there = there[(there["replicate"] == replicate) & (there["answers"] >= attempt)]
        done = set(there["unit"])
        self.elsewhere += len([name for name in names if name not in held])
        mine = {names[name] for name in held} - done
        return [unit for unit in units if unit in mine]

    def claim(self, unit: str, replicate: int) -> str:
        """The name under which a process claims a unit: whoever holds it may ask about it."""
        return key({**self.which, "unit": unit, "replicate": replicate})

    # --- what is sent --------------------------------------------------------------------------

    def send(self, wanted: list[Wanted]) -> None:
        """Ask what is wanted and store the answers; the ledger says what left, whatever happens.

        The canary goes first and alone: it hears of a wrong key before any post leaves.
        """
        self.total += len(wanted)
        requests = self._affordable(self.requests(wanted))
        try:
            first = next(requests, None)
            if first is None:
                return
            self._note_prompts()
            if not self.greeted:
                self.greeted = True
                self._complete(self._greeting())
            self._complete(self._leaving(chain([first], requests)))
        finally:
            self._note_ledger(len(self.left))
            claims.release(self.study.engine, holder=self.holder)

    def _note_prompts(self) -> None:
        prompts = {prompt.key: prompt.content for prompt in (self.model.prompt, self.model.alone)}
        rows = [{"prompt": k, "content": v, "created": now()} for k, v in prompts.items()]
        store.add(self.study.engine, tables.PROMPTS, tables.frame(tables.PROMPTS, rows))

    def _complete(self, requests: Iterable[tuple[str, str] | None]) -> None:
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
                report=self._tell,
            )
        self.sent += tally.sent

    def _affordable(self, chunks: Iterator[pd.DataFrame]) -> Iterator[tuple[str, str] | None]:
        """Requests that the budget can pay, one by one; None while only what flies is in the way.

        What was reserved for a request is more than it will cost, so one that cannot be paid now
        may be when others have come back.
        """
        for chunk in chunks:
            for asked, rows in groupby(tables.rows(chunk), key=lambda row: row.asked):
                own = list(rows)
                most = self.purse.most(self._prompt(own), own[0].request, int(own[0].limit))
                while not self.purse.reserve(asked, most):
                    if not self.purse.waiting:
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
            if request is not None:
                self.left.update(row.unit for row in self.flying[request[0]])
                if len(self.left) > noted:
                    noted = len(self.left) + CHUNK - 1
                    self._note_ledger(noted)
            yield request

    def _greeting(self) -> Iterator[tuple[str, str] | None]:
        made = self._of_posts(
            canaries.as_posts(self.canary), 1, self.asking.answer_limit, attempt=1, alone=True
        )
        yield from self._affordable(iter([made]))

    # --- what comes back -----------------------------------------------------------------------

    def _keep(self, answers: list[llm.Answer]) -> None:
        rows = [row for answer in answers for row in self._rows(answer)]
        names = [row["completion"] for row in rows]
        held = [self.claim(row["unit"], row["replicate"]) for row in rows]
        store.replace(
            self.study.engine,
            (tables.COMPLETIONS, {"completion": names}, rows),
            (tables.CLAIMS, {"completion": held}, []),
        )
        for answer in answers:
            own = self.flying.pop(answer.completion)
            self.purse.settle(answer.completion, self.purse.cost(answer)[0])
            self.kept += len(own) if own[0].unit != self.canary.unit else 0

    def _rows(self, answer: llm.Answer) -> Iterator[dict[str, Any]]:
        """A COMPLETIONS row for each post of a request; what it took is shared out among them."""
        asked = self.flying[answer.completion]
        cost, currency, why = self.purse.cost(answer)
        for place, row in enumerate(asked):
            detail = answer.detail
            if row.unit == self.canary.unit:
                detail = detail or self._heard(answer.body)
            yield {
                **self.which,
                "completion": row.completion,
                "unit": row.unit,
                "replicate": int(row.replicate),
                "request": row.request,
                "answer": answer.body,
                "error": answer.error,
                "detail": detail,
                "served": " ".join(part for part in (answer.served, answer.fingerprint) if part),
                "prompt_tokens": _share(answer.prompt_tokens, place, len(asked)),
                "answer_tokens": _share(answer.answer_tokens, place, len(asked)),
                "cached_tokens": _share(answer.cached_tokens, place, len(asked)),
                "seconds": answer.seconds,
                "created": now(),
                "cost": None if cost is None else cost / len(asked),
                "currency": currency,
                "cost_note": why,
            }

    def _heard(self, body: str) -> str:
        """Raise the alarm at once where the canary was obeyed: the run may yet end in an error."""
        self.alarm = canaries.alarm(self.canary, body)
        if self.alarm:
            self.report(f"ALARM: {self.alarm}")
        return self.alarm

    def _note_ledger(self, posts: int) -> None:
        if not posts:
            return
        row = {
            "run": self.run,
            "host": urlsplit(self.study.project.llm_url).hostname or "",
            "purpose": "prelabel",
            "posts": posts,
            "fields": "text",
            "rules": deidentify.rules(self.asking.subreddits),
            "started": self.started,
        }
        store.mirror(self.study.engine, tables.LEDGER, tables.frame(tables.LEDGER, [row]))

    def _tell(self, tally: llm.Tally) -> None:
        if not tally.sent or not self.total:
            return
        rate = tally.rate * self.asking.several
        left = (self.total - self.kept) / rate if rate else None
        self.progress(
            Progress(
                self.kept,
                self.total,
                rate,
                tally.flying,
                dict(tally.failures),
                dict(tally.rows),
                self.purse.spent_now(),
                left,
            )
        )

    def remarks(self) -> list[str]:
        """What a person must know of this run."""
        found = [f"ALARM: {self.alarm}"] if self.alarm else []
        if self.elsewhere:
            found.append(f"{self.elsewhere} posts are being asked by another process")
        if self.purse.empty:
            found.append("the budget is reached: what is left was not asked")
        return found


def _share(tokens: int | None, place: int, among: int) -> int | None:
    """So many of a request's tokens that the shares of all its posts add up to them."""
    if tokens is None:
        return None
    whole, rest = divmod(tokens, among)
    return whole + (place < rest)
