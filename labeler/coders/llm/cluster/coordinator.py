"""The same pending posts, asked by the workers of a Dask cluster.

The posts stay in the store, which every worker reaches: an errand names units. Each worker has
one errand at a time, with its share of the account's limits and of the budget. What a lost worker
had claimed falls, and its errand goes to another one: only what flew is asked twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from labeler import __version__
from labeler.coders.llm import claims
from labeler.coders.llm.budget import Purse
from labeler.coders.llm.client.complete import Limits
from labeler.coders.llm.cluster import dask
from labeler.coders.llm.cluster import worker as errands
from labeler.coders.llm.cluster.dask import Cluster
from labeler.coders.llm.cluster.quotas import Money, Shares
from labeler.coders.llm.cluster.worker import Outcome
from labeler.coders.llm.model import Asking, Model
from labeler.coders.llm.run import Asker, Progress
from labeler.errors import LabelerError, ProjectError, ServiceUnavailable
from labeler.store import database, tables
from labeler.study.study import Report, Study

POLL = 0.1
TELL = 1.0
LOSSES = 10
LANDING = 15.0


class Sent(NamedTuple):
    """An errand that is out."""

    worker: str
    units: list[str]
    rates: Limits
    flights: int
    began: float


class Crew:
    """One run of asking a model by several machines: what they send, store and spend."""

    def __init__(
        self,
        study: Study,
        model: Model,
        asking: Asking,
        *,
        run: str,
        report: Report,
        progress: Callable[[Progress], None],
        address: str,
    ) -> None:
        if study.engine.dialect.name != "postgresql":
            raise ProjectError(
                f"--database / LABELER_DATABASE: {database.shown(study.engine)} cannot be reached "
                "from the workers of --cluster; name a PostgreSQL server that they all reach, or "
                "leave --cluster out"
            )
        self.study, self.model, self.asking = study, model, asking
        self.run, self.report, self.address = run, report, address
        self.progress = progress
        self.purse = Purse(study, model.coder, price_file=asking.prices, budget=asking.budget)
        self.sent = self.elsewhere = self.number = 0
        self.alarm = ""
        self.which = {"coder": model.coder, "codebook": study.codebook.fingerprint}
        given = Limits(asking.requests_per_minute, asking.tokens_per_minute)
        self.shares = Shares(asking.concurrency, given)
        self.money = Money(
            None if asking.budget is None else max(0.0, asking.budget - self.purse.known())
        )
        self.greeted = self.spent_up = False
        self.alone = True  # the next errand goes out while no other is
        self.parked: set[str] = set()  # whose part of the budget was too small
        self.checked: set[str] = set()
        self.losses = 0
        self.todo: list[str] = []
        self.total, self.began = 0, time.monotonic()
        self.before = database.count(study.engine, tables.COMPLETIONS, **self.which)
        self.out: dict[str, Sent] = {}
        self.left, self.unsure = set[str](), 0  # units whose text left; and those that may have
        self.ledgers: dict[str, bool] = {}  # errand → whether it came back
        self.ending: LabelerError | None = None
        self.told = 0.0

    def ask(self, *, again: bool) -> None:
        """Have asked what has no answer or, `again`, what has a failed one and may get a better."""
        local = Asker(self.study, self.model, self.asking, run=self.run, report=self.report)
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
        with dask.connected(self.address) as door:
            try:
                self._work(door)
            finally:
                door.call_back()
                self._land()
                self._note_ledger()
                self._tell(door.workers(), last=True)
        if self.ending is not None:
            raise self.ending

    # --- who does what -------------------------------------------------------------------------

    def _work(self, door: Cluster) -> None:
        """Until all is asked, or the budget is reached, or an error ends the run.

        Where the server is gone for one worker, the others may end what they have begun.
        """
        seen = time.monotonic()
        while self.out or (self.todo and not self.spent_up and self.ending is None):
            workers = door.workers()
            seen = time.monotonic() if workers else seen
            if time.monotonic() - seen > self.asking.patience:
                raise self._unavailable(f"no worker for {self.asking.patience:.0f} s")
            self._check(door, workers)
            for ended in door.ended():
                self._back(ended.name, ended.result)
            for name, _worker in door.lost():
                self._lost(name)
            if self.ending is not None and not isinstance(self.ending, ServiceUnavailable):
                return
            if not self.out:
                self._count_money()
            self._deal(door, workers)
            self._tell(workers)
            time.sleep(POLL)

    def _check(self, door: Cluster, workers: list[str]) -> None:
        """Refuse a machine that runs another labeler than this."""
        if set(workers) <= self.checked:
            return
        for who, version in door.versions("labeler").items():
            if version != __version__:
                there = f"labeler {version}" if version else "no labeler"
                raise ProjectError(
                    f"--cluster: {who} has {there}, and this is labeler {__version__}; install "
                    "the same labeler[cluster] there"
                )
        self.checked.update(workers)

    def _deal(self, door: Cluster, workers: list[str]) -> None:
        """An errand to each worker that has none and for whom there is a share.

        The first goes out alone, with the canary and one unit: it hears of a wrong key and of the
        server's limits before the others begin.
        """
        busy = {sent.worker for sent in self.out.values()} | self.parked
        for worker in (worker for worker in workers if worker not in busy):
            if not self.todo or self.spent_up or self.ending or (self.alone and self.out):
                return
            among = 1 if self.alone else len(workers)
            share = self.shares.take(worker, workers=among, now=time.monotonic())
            if share is None:
                continue
            size = self.shares.units(
                share, pending=len(self.todo), workers=among, replicates=self.asking.replicates
            )
            units = self.todo[: size if self.number else 1]
            del self.todo[: len(units)]
            rates = self.shares.rates(share)
            asking = self.asking._replace(
                concurrency=self.shares.flights(share),
                limit=None,
                requests_per_minute=rates.requests_per_minute,
                tokens_per_minute=rates.tokens_per_minute,
                budget=self.money.take(worker, workers=among),
                canary=self.asking.canary and not self.greeted,
            )
            self._send(door, worker, asking, units)

    def _send(self, door: Cluster, worker: str, asking: Asking, units: list[str]) -> None:
        self.number += 1
        name = f"{self.run} {self.number}"
        given = errands.errand(
            self.study, self.model, asking, name=name, units=units, again=self.again
        )
        rates = Limits(asking.requests_per_minute, asking.tokens_per_minute)
        self.ledgers[name] = False
        self.out[name] = Sent(worker, units, rates, asking.concurrency, time.monotonic())
        door.send(worker, name, errands.ask, given)

    # --- what comes back -----------------------------------------------------------------------

    def _back(self, name: str, outcome: Outcome) -> None:
        sent = self.out.pop(name)
        self.ledgers[name], self.losses = True, 0
        self.shares.limits = _known(self.shares.limits, sent.rates, outcome.limits)
        self.shares.back(
            sent.worker,
            began=sent.began,
            sent=outcome.sent,
            tokens=outcome.tokens,
            now=time.monotonic(),
        )
        self.money.back(sent.worker, unspent=outcome.unspent)
        self.sent += outcome.sent
        self.elsewhere += outcome.elsewhere
        self.left.update(outcome.left)
        self.alarm = self.alarm or outcome.alarm
        self.greeted = self.greeted or outcome.sent > 0
        self.ending = self.ending or errands.error_of(outcome, sent.worker)
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
        self.shares.lost(sent.worker)
        self.money.lost(sent.worker)
        self._release(name)
        self.todo = sent.units + self.todo
        self.losses += 1
        self.report(f"worker {sent.worker} is lost; another one goes on")
        if self.losses >= LOSSES:
            raise self._unavailable(f"{self.losses} workers in a row were lost at work")

    def _release(self, name: str) -> None:
        holders = claims.of_errand(self.study.engine, name)
        if holders:
            claims.release(self.study.engine, holder=holders)

    def _count_money(self) -> None:
        """With nothing out: what is left after losses; and if no part was enough, all to one."""
        if self.asking.budget is not None and self.money.gone:
            self.money.recount(max(0.0, self.asking.budget - self.purse.known()))
        self.alone = self.alone or bool(self.parked)
        self.parked.clear()

    def _land(self) -> None:
        """Wait a little for those that were called back: what flies may yet be stored."""
        until = time.monotonic() + LANDING
        while claims.of_errand(self.study.engine, self.run) and time.monotonic() < until:
            time.sleep(POLL)

    def _note_ledger(self) -> None:
        """One row for the run in place of one for each errand; those of lost ones as they noted."""
        rows = database.read(self.study.engine, tables.LEDGER, run=list(self.ledgers))
        if rows.empty:
            return
        silent = rows[[not self.ledgers[run] for run in rows["run"]]]
        self.unsure += int(silent["posts"].sum())
        row = rows.iloc[[0]].assign(run=self.run, posts=len(self.left) + self.unsure)
        database.replace(
            self.study.engine,
            (tables.LEDGER, {"run": list(self.ledgers)}, []),
            (tables.LEDGER, {"run": self.run}, row),
        )
        self.ledgers.clear()

    def _tell(self, workers: list[str], *, last: bool = False) -> None:
        """Say where the run stands, now and then; in flight are as many as may be."""
        if not last and time.monotonic() - self.told < TELL:
            return
        self.told = time.monotonic()
        there = database.count(self.study.engine, tables.COMPLETIONS, **self.which)
        done = min(self.total, max(0, there - self.before))
        took = self.told - self.began
        rate = done / took if took > 0 else 0.0
        asking = len({sent.worker for sent in self.out.values()})
        flights = sum(sent.flights for sent in self.out.values())
        left = (self.total - done) / rate if rate else None
        crew = f"{asking} of {len(workers)} workers ask"
        self.progress(Progress(done, self.total, rate, flights, {}, {}, crew, left))

    def _unavailable(self, why: str) -> ServiceUnavailable:
        return ServiceUnavailable(
            f"{dask.SERVICE} at {self.address}: {why}; look at the workers' logs, start `dask "
            f"worker {self.address}`, then run the same command again",
            service=dask.SERVICE,
        )


def _known(known: Limits, given: Limits, learned: Limits) -> Limits:
    """The account's limits after an errand that had a share (`given`) and met the server's words:
    a limit there that is lower than the share is the server's own, for the whole account."""
    return Limits(
        *(
            before
            if found is None or (share is not None and found > 0.999 * share)
            else min(found, before or found)
            for before, share, found in zip(known, given, learned, strict=True)
        )
    )
