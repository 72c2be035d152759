"""What asking a model costs: prices, a budget, and what was spent."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import func, select

from labeler import resources
from labeler.coders.llm import claims, costs, prices, tokens
from labeler.coders.llm.client import complete
from labeler.coders.llm.prices import Price
from labeler.files import records
from labeler.store import database, tables
from labeler.study.study import Study, now

LOCAL = ("localhost", "127.0.0.1", "::1")
SEEN = 100


class BudgetLedger:
    """The prices of a model, and its budget if there is one; used from two threads."""

    def __init__(
        self, study: Study, coder: str, *, price_file: Path | None, budget: float | None
    ) -> None:
        self._engine = study.engine
        self._which = {"coder": coder, "codebook": study.codebook.fingerprint}
        self.model = study.project.llm_model
        self.file = price_file or resources.folder("templates") / "prices.yaml"
        self._table = prices.prices(records.read_text(self.file), source=str(self.file))
        self._local = urlsplit(study.project.llm_url).hostname in LOCAL
        self.price = self._price_of(self.model)
        self._lock = threading.Lock()
        self._budget = None
        if budget is not None:
            self._budget = costs.open_budget(
                budget,
                price=self.price,
                model=self.model,
                spent=self.known(),
                source=self.file.name,
            )
        self.empty = False
        self._now, self._unknown = 0.0, 0
        self._counted: dict[str, int] = {}

    def most(self, prompt: str, request: str, answer_limit: int) -> float:
        """The most that a request may cost; 0 without a budget.

        `prompt` is what it shares with others, counted once; `request` is what is stored of it.
        """
        if self._budget is None or self.price is None:
            return 0.0
        if prompt not in self._counted:
            self._counted[prompt] = tokens.count([prompt], model=self.model)[0]
        size = self._counted[prompt] + tokens.count([request], model=self.model)[0]
        return costs.reservation(size, answer_limit=answer_limit, price=self.price)

    def most_in_jobs(self, counted: list[int], limits: list[int]) -> list[float]:
        """The most that requests of so many tokens and limits may cost in jobs, each."""
        if self.price is None:
            return [0.0] * len(counted)
        return [
            costs.reservation(size, answer_limit=limit, price=self.price, in_job=True)
            for size, limit in zip(counted, limits, strict=True)
        ]

    def reserved_in_jobs(self) -> float:
        """The most that may still come of this coder's jobs that are not yet fetched."""
        held, sent, named = tables.CLAIMS, tables.JOB_REQUESTS, tables.JOBS
        query = (
            select(func.coalesce(func.sum(sent.c.most), 0.0).label("most"))
            .join_from(sent, named, sent.c.job == named.c.job)
            .join(held, held.c.claim == sent.c.claim)
            .where(
                held.c.holder == claims.JOB + sent.c.job,
                *(named.c[name] == value for name, value in self._which.items()),
            )
        )
        return float(database.query_rows(self._engine, query).iloc[0]["most"])

    def reserve(self, asked: str, most: float) -> bool:
        """Set aside what a request may cost; whether it can be paid beside all that flies."""
        if self._budget is None:
            return True
        with self._lock:
            paid = self._budget.reserve(asked, most)
        self.empty = not paid
        return paid

    @property
    def free(self) -> bool:
        """Whether the model's tokens cost nothing."""
        return self.price is not None and self.price.free

    @property
    def waiting(self) -> bool:
        """Whether something is set aside: what cannot be paid now may be when that is settled."""
        with self._lock:
            return self._budget is not None and self._budget.reserved > 0

    def cost(
        self, answer: complete.Completion, *, in_job: bool = False
    ) -> tuple[float | None, str, str]:
        """What an answer cost, in which currency; None and why where that is unknown."""
        price = prices.price_of(answer.served, self._table) or self.price
        cost, why = costs.cost(
            prompt_tokens=answer.prompt_tokens,
            cached_tokens=answer.cached_tokens,
            answer_tokens=answer.answer_tokens,
            price=price,
            model=answer.served or self.model,
            in_job=in_job,
            source=self.file.name,
        )
        if answer.error == "rejected":
            cost, why = 0.0, ""
        return cost, price.currency if price and cost is not None else "", why

    def settle(self, asked: str, cost: float | None) -> None:
        """Put what a request cost in the place of what was set aside for it."""
        with self._lock:
            self._now, self._unknown = self._now + (cost or 0.0), self._unknown + (cost is None)
            if self._budget is not None:
                self._budget.settle(asked, cost)

    def spent_now(self) -> str:
        """What this run has cost so far, in words."""
        if self.price is None:
            return "cost unknown"
        return f"{self._now:.4f} {self.price.currency}" + (" and more" if self._unknown else "")

    def spent(self) -> str:
        """What this coder's answers have cost in all, in words."""
        known, unknown = self._costs()
        words = f"{known:.4f} {self.price.currency}" if self.price else f"{known:.4f}"
        return words + (f", and {unknown} answers of unknown cost" if unknown else "")

    def known(self) -> float:
        """What this coder's answers are known to have cost in all, and may yet cost in jobs."""
        return self._costs()[0] + self.reserved_in_jobs()

    def unspent(self) -> float:
        """What is left of the budget, with nothing in flight; 0 without one."""
        if self._budget is None:
            return 0.0
        return max(0.0, self._budget.amount - self._budget.spent - self._budget.reserved)

    def estimate(self, prompt: str, bodies: list[str]) -> list[str]:
        """What some requests would take, a line each; `prompt` is what they share."""
        shared, *whole = tokens.count([prompt, *bodies], model=self.model)
        found = costs.estimate(
            shared,
            [max(0, size - shared) for size in whole],
            answers=self._answer_tokens(),
            price=self.price,
            calibration=self._calibration(),
        )
        return costs.lines(
            found, model=self.model, price=self.price, source=self.file.name, today=now()[:10]
        )

    def _price_of(self, model: str) -> Price | None:
        return prices.price_of(model, self._table, local=self._local)

    def _costs(self) -> tuple[float, int]:
        """What is known to be spent, and of how many answers it is not known."""
        made = tables.COMPLETIONS
        query = select(
            func.coalesce(func.sum(made.c.cost), 0.0).label("known"),
            func.count().filter(made.c.cost.is_(None)).label("unknown"),
        ).where(*(made.c[name] == value for name, value in self._which.items()))
        row = database.query_rows(self._engine, query).iloc[0]
        return float(row["known"]), int(row["unknown"])

    def _answer_tokens(self) -> float | costs.Range:
        seen = database.read(self._engine, tables.COMPLETIONS, **self._which)["answer_tokens"]
        known = seen.dropna()
        return float(known.mean()) if len(known) else costs.ASSUMED

    def _calibration(self) -> float:
        """Tokens billed for each counted, over some of the answers that are there."""
        made = database.read(self._engine, tables.COMPLETIONS, **self._which)
        made = made[made["prompt_tokens"].notna() & (made["request"] != "")].head(SEEN)
        if made.empty:
            return 1.0
        contents = database.read(self._engine, tables.PROMPTS).set_index("prompt")["content"]
        texts = [contents.get(_prompt(request), "") + request for request in made["request"]]
        counted = tokens.count(texts, model=self.model)
        return costs.calibration(counted, [int(billed) for billed in made["prompt_tokens"]])


def _prompt(request: str) -> str:
    return str(json.loads(request).get("prompt", ""))
