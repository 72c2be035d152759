"""The same pending posts, asked by the workers of a Dask cluster.

The posts stay in the store, which every worker reaches: a portion names units. Each worker has
one portion at a time, with its share of the account's limits and of the budget. What a lost worker
had claimed falls, and its portion goes to another one: only what flew is asked twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from labeler import __version__, hints
from labeler.coders.llm import claims
from labeler.coders.llm.budget import BudgetLedger
from labeler.coders.llm.client.complete import RateLimits
from labeler.coders.llm.cluster import dask
from labeler.coders.llm.cluster.dask import DaskCluster
from labeler.coders.llm.cluster.quotas import BudgetShares, RateShares
from labeler.coders.llm.cluster.worker import PortionOutcome, ask_portion, error_of, packed_portion
from labeler.coders.llm.model import ModelCoder, RequestSettings
from labeler.coders.llm.run import ModelRun, RunProgress
from labeler.errors import LabelerError, ProjectError, ServiceUnavailable
from labeler.store import database, tables
from labeler.study.study import Report, Study

POLL = 0.1
TELL = 1.0
LOSSES = 10
LANDING = 15.0


class SentPortion(NamedTuple):
    """A portion that a worker is asking."""

    worker: str
    units: list[str]
    rates: RateLimits
    flights: int
    began: float


class ClusterRun:
    """One run of asking a model by several machines: what they send, store and spend."""

    def __init__(
        self,
        study: Study,
        model: ModelCoder,
        settings: RequestSettings,
        *,
        run: str,
        report: Report,
        progress: Callable[[RunProgress], None],
        address: str,
    ) -> None:
        if study.engine.dialect.name != "postgresql":
            raise ProjectError(
                f"the store {database.shown(study.engine)} cannot be reached from the workers of "
                "a cluster",
                hint=hints.SHARED_DATABASE,
            )
        self.study, self.model, self.settings = study, model, settings
        self.run, self.report, self.address = run, report, address
        self.progress = progress
        self.spending = BudgetLedger(
            study, model.coder, price_file=settings.prices, budget=settings.budget
        )
        self.sent = self.elsewhere = self.number = 0
        self.alarm = ""
        self.which = {"coder": model.coder, "codebook": study.codebook.fingerprint}
        given = RateLimits(settings.requests_per_minute, settings.tokens_per_minute)
        self.rate_shares = RateShares(settings.concurrency, given)
        self.budget_shares = BudgetShares(
            None if settings.budget is None else max(0.0, settings.budget - self.spending.known())
        )
        self.greeted = self.spent_up = False
        self.alone = True  # the next portion goes out while no other is
        self.parked: set[str] = set()  # whose part of the budget was too small
        self.checked: set[str] = set()
        self.losses = 0
        self.todo: list[str] = []
        self.total, self.began = 0, time.monotonic()
        self.before = database.count(study.engine, tables.COMPLETIONS, **self.which)
        self.out: dict[str, SentPortion] = {}
        self.left, self.unsure = set[str](), 0  # units whose text left; and those that may have
        self.returned: dict[str, bool] = {}  # portion → whether it came back
        self.ending: LabelerError | None = None
        self.shown_at = 0.0

    def ask(self, *, again: bool) -> None:
        """Have asked what has no answer or, `again`, what has a failed one and may get a better."""
        local = ModelRun(self.study, self.model, self.settings, run=self.run, report=self.report)
        wanted = local.second() if again else local.fresh()
        self._ask([unit for units in wanted.values() for unit in units], again=again)

    def remarks(self) -> list[str]:
        """What a person must know of this run."""
        found = [f"ALARM: {self.alarm}"] if self.alarm else []
        if self.elsewhere:
            found.append(f"{self.elsewhere} posts are being asked by another process")
        if self.spent_up:
            found.append("the budget is reached: what is left was not asked")
        return found

    def _ask(self, wanted: list[str], *, again: bool) -> None:
        self.todo = list(dict.fromkeys(wanted))
        self.again, self.total = again, self.total + len(wanted)
        if not self.todo or self.spent_up:
            return
        with dask.connected(self.address) as cluster:
            try:
                self._work(cluster)
            finally:
                cluster.call_back()
                self._land()
                self._note_ledger()
                self._tell(cluster.workers(), last=True)
        if self.ending is not None:
            raise self.ending

    # --- who does what -------------------------------------------------------------------------

    def _work(self, cluster: DaskCluster) -> None:
        """Until all is asked, or the budget is reached, or an error ends the run.

        Where the server is gone for one worker, the others may end what they have begun.
        """
        seen = time.monotonic()
        while self.out or (self.todo and not self.spent_up and self.ending is None):
            workers = cluster.workers()
            seen = time.monotonic() if workers else seen
            if time.monotonic() - seen > self.settings.patience:
                raise self._unavailable(f"no worker for {self.settings.patience:.0f} s")
            self._check(cluster, workers)
            for ended in cluster.ended():
                self._back(ended.name, ended.result)
            for name, _worker in cluster.lost():
                self._lost(name)
            if self.ending is not None and not isinstance(self.ending, ServiceUnavailable):
                return
            if not self.out:
                self._count_money()
            self._deal(cluster, workers)
            self._tell(workers)
            time.sleep(POLL)

    def _check(self, cluster: DaskCluster, workers: list[str]) -> None:
        """Refuse a machine that runs another labeler than this."""
        if set(workers) <= self.checked:
            return
        for who, version in cluster.versions("labeler").items():
            if version != __version__:
                there = f"labeler {version}" if version else "no labeler"
                raise ProjectError(
                    f"{who} of the cluster has {there}, and this is labeler {__version__}",
                    hint=hints.SAME_VERSION,
                )
        self.checked.update(workers)

    def _deal(self, cluster: DaskCluster, workers: list[str]) -> None:
        """A portion to each worker that has none and for whom there is a share.

        The first goes out alone, with the canary and one unit: it hears of a wrong key and of the
        server's limits before the others begin.
        """
        busy = {sent.worker for sent in self.out.values()} | self.parked
        for worker in (worker for worker in workers if worker not in busy):
            if not self.todo or self.spent_up or self.ending or (self.alone and self.out):
                return
            among = 1 if self.alone else len(workers)
            share = self.rate_shares.take(worker, workers=among, now=time.monotonic())
            if share is None:
                continue
            size = self.rate_shares.units(
                share, pending=len(self.todo), workers=among, replicates=self.settings.replicates
            )
            units = self.todo[: size if self.number else 1]
            del self.todo[: len(units)]
            rates = self.rate_shares.rates(share)
            settings = self.settings._replace(
                concurrency=self.rate_shares.flights(share),
                limit=None,
                requests_per_minute=rates.requests_per_minute,
                tokens_per_minute=rates.tokens_per_minute,
                budget=self.budget_shares.take(worker, workers=among),
                canary=self.settings.canary and not self.greeted,
            )
            self._send(cluster, worker, settings, units)

    def _send(
        self, cluster: DaskCluster, worker: str, settings: RequestSettings, units: list[str]
    ) -> None:
        self.number += 1
        name = f"{self.run} {self.number}"
        given = packed_portion(
            self.study, self.model, settings, name=name, units=units, again=self.again
        )
        rates = RateLimits(settings.requests_per_minute, settings.tokens_per_minute)
        self.returned[name] = False
        self.out[name] = SentPortion(worker, units, rates, settings.concurrency, time.monotonic())
        cluster.send(worker, name, ask_portion, given)

    # --- what comes back -----------------------------------------------------------------------

    def _back(self, name: str, outcome: PortionOutcome) -> None:
        sent = self.out.pop(name)
        self.returned[name], self.losses = True, 0
        self.rate_shares.limits = _known(self.rate_shares.limits, sent.rates, outcome.limits)
        self.rate_shares.back(
            sent.worker,
            began=sent.began,
            sent=outcome.sent,
            tokens=outcome.tokens,
            now=time.monotonic(),
        )
        self.budget_shares.back(sent.worker, unspent=outcome.unspent)
        self.sent += outcome.sent
        self.elsewhere += outcome.elsewhere
        self.left.update(outcome.left)
        self.alarm = self.alarm or outcome.alarm
        self.greeted = self.greeted or outcome.sent > 0
        self.ending = self.ending or error_of(outcome, sent.worker)
        self.parked.clear()
        if outcome.empty:
            self.parked.add(sent.worker)
            self.todo = sent.units + self.todo
            self.spent_up = self.alone and not outcome.sent  # all that was left was its part
        else:
            self.alone = not self.greeted

    def _lost(self, name: str) -> None:
        """Its claims fall, and what it had not answered goes to another worker."""
        sent = self.out.pop(name)
        self.rate_shares.lost(sent.worker)
        self.budget_shares.lost(sent.worker)
        self._release(name)
        self.todo = sent.units + self.todo
        self.losses += 1
        self.report(f"worker {sent.worker} is lost; another one goes on")
        if self.losses >= LOSSES:
            raise self._unavailable(f"{self.losses} workers in a row were lost at work")

    def _release(self, name: str) -> None:
        holders = claims.of_portion(self.study.engine, name)
        if holders:
            claims.release(self.study.engine, holder=holders)

    def _count_money(self) -> None:
        """With nothing out: what is left after losses; and if no part was enough, all to one."""
        if self.settings.budget is not None and self.budget_shares.gone:
            self.budget_shares.recount(max(0.0, self.settings.budget - self.spending.known()))
        self.alone = self.alone or bool(self.parked)
        self.parked.clear()

    def _land(self) -> None:
        """Wait a little for those that were called back: what flies may yet be stored."""
        until = time.monotonic() + LANDING
        while claims.of_portion(self.study.engine, self.run) and time.monotonic() < until:
            time.sleep(POLL)

    def _note_ledger(self) -> None:
        """One row for the run in place of one a portion; those of lost ones as they noted."""
        rows = database.read(self.study.engine, tables.LEDGER, run=list(self.returned))
        if rows.empty:
            return
        silent = rows[[not self.returned[run] for run in rows["run"]]]
        self.unsure += int(silent["posts"].sum())
        row = rows.iloc[[0]].assign(run=self.run, posts=len(self.left) + self.unsure)
        database.replace(
            self.study.engine,
            (tables.LEDGER, {"run": list(self.returned)}, []),
            (tables.LEDGER, {"run": self.run}, row),
        )
        self.returned.clear()

    def _tell(self, workers: list[str], *, last: bool = False) -> None:
        """Say where the run stands, now and then; in flight are as many as may be."""
        if not last and time.monotonic() - self.shown_at < TELL:
            return
        self.shown_at = time.monotonic()
        there = database.count(self.study.engine, tables.COMPLETIONS, **self.which)
        done = min(self.total, max(0, there - self.before))
        took = self.shown_at - self.began
        rate = done / took if took > 0 else 0.0
        busy = len({sent.worker for sent in self.out.values()})
        flights = sum(sent.flights for sent in self.out.values())
        left = (self.total - done) / rate if rate else None
        busy_workers = f"{busy} of {len(workers)} workers ask"
        self.progress(RunProgress(done, self.total, rate, flights, {}, {}, busy_workers, left))

    def _unavailable(self, why: str) -> ServiceUnavailable:
        return ServiceUnavailable(
            f"{dask.SERVICE} at {self.address}: {why}; look at the workers' logs, start `dask "
            f"worker {self.address}`, then run the same command again",
            service=dask.SERVICE,
        )


def _known(known: RateLimits, given: RateLimits, learned: RateLimits) -> RateLimits:
    """The account's limits after a portion that had a share (`given`) and met the server's words:
    a limit there that is lower than the share is the server's own, for the whole account."""
    return RateLimits(
        *(
            before
            if found is None or (share is not None and found > 0.999 * share)
            else min(found, before or found)
            for before, share, found in zip(known, given, learned, strict=True)
        )
    )
