"""Pulling again and again, and at once when Label Studio says that something came."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from labeler import hints
from labeler.errors import ServiceRejected, ServiceUnavailable
from labeler.project import HOOK_HEADER
from labeler.store import database, tables
from labeler.studio.accounts import Servers
from labeler.studio.pull import PullResult, fetched, told
from labeler.study.study import Report, Study, logged, silent

_STEP = 0.25


def watch(
    study: Study,
    *,
    batch: str,
    every: float,
    hook: str = "",
    ended: Callable[[], bool] = lambda: False,
    report: Report = silent,
) -> Iterator[PullResult]:
    """Pull every so many seconds until `ended`; a hint at the hook only makes the next one sooner.

    The seconds are from start to start: a pull that takes longer is followed by the next at once.
    What a pull finds is the truth, so a hint that is lost costs time and nothing else. A server
    that is away is waited for. `hook` is the address at which `labeler serve` takes hints: each
    project is asked to call it.
    """
    with logged(study, "pull watch", {**told(study, batch), "every": every, "hook": hook}):
        servers = Servers(study.project, report)
        asked = not hook
        while not ended():
            seen, began = _hinted(study.project.hook), time.monotonic()
            try:
                if not asked:
                    _ask(study, servers, batch, hook, report)
                    asked = True
                yield fetched(study, batch, servers, report)
            except ServiceUnavailable as error:
                report(f"{error}; trying again in {every:g} s")
            wait(began + every, partial(_anything, study.project.hook, seen, ended))


def _ask(study: Study, servers: Servers, batch: str, hook: str, report: Report) -> None:
    """Let each pushed project of the batch call the hook; a refusal is told and changes nothing."""
    secret = study.project.hook_secret()
    seats = database.read(study.engine, tables.SEATS, batch=batch)
    for seat in tables.rows(seats[seats["project"].notna()]):
        try:
            servers.of(seat.arm).hook(int(seat.project), hook, header=HOOK_HEADER, secret=secret)
        except ServiceRejected as error:
            report(
                f"{error}; changes are looked for every so often all the same. An address of this "
                "machine is only called by a server that was allowed to when it was started: "
                f"{hints.STUDIO_WITH_HOOK.terminal}"
            )
            return


def wait(
    deadline: float,
    over: Callable[[], bool],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until the clock says so, or until it is over sooner."""
    while (left := deadline - clock()) > 0 and not over():
        sleep(min(_STEP, left))


def _anything(hook: Path, seen: int, ended: Callable[[], bool]) -> bool:
    return ended() or _hinted(hook) != seen


def _hinted(hook: Path) -> int:
    """When the last hint came, in nanoseconds; 0 where none ever did."""
    try:
        return hook.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
