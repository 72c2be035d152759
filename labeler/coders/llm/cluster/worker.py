"""A part of the pending posts, asked on another machine: what travels there, and what comes back.

What travels holds the project's secret and may hold the database's password; no repr shows them,
and the model's key stays where it is: a worker reads OPENAI_API_KEY from its own environment.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from labeler import __version__, hints
from labeler.codebook import codebook
from labeler.coders.llm.budget import BudgetLedger
from labeler.coders.llm.client.complete import RateLimits
from labeler.coders.llm.cluster import dask
from labeler.coders.llm.model import ModelCoder, RequestSettings, model_of
from labeler.coders.llm.run import ModelRun
from labeler.errors import (
    LabelerError,
    ProjectError,
    ServiceRejected,
    ServiceUnavailable,
    StoreError,
)
from labeler.project import Project
from labeler.store import database, tables
from labeler.study.study import Study, silent

SERVICE_ERRORS = {kind.__name__: kind for kind in (ServiceUnavailable, ServiceRejected)}
OTHER_ERRORS = {kind.__name__: kind for kind in (ProjectError, StoreError)}


@dataclass(frozen=True, kw_only=True)
class WorkerPortion:
    """What a worker needs to ask a model about some units.

    `name` is a run's key and a number; `settings.budget` is this portion's part, not the whole; the
    worker must come to the same `coder`. `again`: higher limits for answers that were cut off.
    """

    name: str
    coder: str
    project: Project = field(repr=False)
    codebook: str = field(repr=False)
    prices: str | None = field(repr=False)
    units: tuple[str, ...] = field(repr=False)
    settings: RequestSettings
    again: bool
    version: str = __version__


class PortionOutcome(NamedTuple):
    """What came of a portion: requests sent and tokens billed, units whose text left, limits that
    the server names, money not spent. An error is told by its kind: `error` '' means none."""

    error: str = ""
    message: str = ""
    service: str = ""
    status: int | None = None
    sent: int = 0
    tokens: int = 0
    left: tuple[str, ...] = ()
    elsewhere: int = 0
    limits: RateLimits = RateLimits()
    empty: bool = False
    unspent: float = 0.0
    alarm: str = ""


def packed_portion(
    study: Study,
    model: ModelCoder,
    settings: RequestSettings,
    *,
    name: str,
    units: list[str],
    again: bool,
) -> WorkerPortion:
    """Pack what a worker needs; neither the model's key nor Label Studio's token goes along."""
    kept = database.read(study.engine, tables.CODEBOOKS, codebook=study.codebook.fingerprint)
    project = replace(
        study.project,
        llm_key="",
        studio_token="",
        blind_studio_token="",
        known_secret=study.project.secret(),
    )
    prices = settings.prices
    return WorkerPortion(
        name=name,
        coder=model.coder,
        project=project,
        codebook=str(kept["content"].iloc[0]),
        prices=prices.read_text(encoding="utf-8") if prices else None,
        units=tuple(units),
        settings=settings,
        again=again,
    )


def ask_portion(given: WorkerPortion) -> PortionOutcome:
    """On a worker: do a portion. Errors are data, since not all of them can be pickled."""
    try:
        with _study(given) as study, tempfile.TemporaryDirectory() as folder:
            return _asked(study, given, Path(folder), dask.still_wanted)
    except LabelerError as error:
        return _failed(error, PortionOutcome())


def error_of(outcome: PortionOutcome, worker: str) -> LabelerError | None:
    """The error of an outcome as it was raised there, with the worker's address; None: none."""
    if not outcome.error:
        return None
    message = f"worker {worker}: {outcome.message}"
    if outcome.error in SERVICE_ERRORS:
        kind = SERVICE_ERRORS[outcome.error]
        return kind(message, service=outcome.service, status=outcome.status)
    return OTHER_ERRORS.get(outcome.error, LabelerError)(message)


@contextmanager
def _study(given: WorkerPortion) -> Iterator[Study]:
    """The study as the worker sees it: its own key, and its own address of the store if it has
    one."""
    if given.version != __version__:
        raise ProjectError(
            f"this is version {__version__} of labeler, and {given.version} where the command was "
            "given",
            hint=hints.SAME_VERSION,
        )
    project = replace(
        given.project,
        database=os.environ.get("LABELER_DATABASE") or given.project.database,
        llm_key=os.environ.get("OPENAI_API_KEY", ""),
    )
    engine = database.connect(project.database_url)
    try:
        yield Study(project, engine, codebook.read(given.codebook, source="codebook"))
    finally:
        engine.dispose()


def _asked(
    study: Study, given: WorkerPortion, folder: Path, goes_on: Callable[[], bool]
) -> PortionOutcome:
    run = given.name.rpartition(" ")[0]
    if not database.count(study.engine, tables.RUNS, run=run):
        raise ProjectError(
            f"{database.shown(study.engine)} does not hold this run: it is another study's store",
            hint=hints.STUDY_DATABASE,
        )
    model = model_of(study, given.settings)
    if model.coder != given.coder:
        raise ProjectError(
            f"the model is {model.coder} here and {given.coder} where the command was given: "
            "templates or de-identification differ",
            hint=hints.SAME_VERSION,
        )
    settings = given.settings
    if given.prices is not None and settings.prices is not None:
        file = folder / settings.prices.name
        file.write_text(given.prices, encoding="utf-8")
        settings = settings._replace(prices=file)
    if settings.budget is not None:
        known = BudgetLedger(study, model.coder, price_file=settings.prices, budget=None).known()
        settings = settings._replace(budget=known + settings.budget)
    model_run = ModelRun(
        study,
        model,
        settings,
        run=given.name,
        report=silent,
        units=list(given.units),
        goes_on=goes_on,
    )
    try:
        model_run.ask(again=given.again)
    except LabelerError as error:
        return _failed(error, _outcome(model_run))
    return _outcome(model_run)


def _outcome(model_run: ModelRun) -> PortionOutcome:
    return PortionOutcome(
        sent=model_run.sent,
        tokens=model_run.tokens,
        left=tuple(sorted(model_run.left)),
        elsewhere=model_run.elsewhere,
        limits=model_run.limits,
        empty=model_run.spending.empty,
        unspent=model_run.spending.unspent(),
        alarm=model_run.alarm,
    )


def _failed(error: LabelerError, outcome: PortionOutcome) -> PortionOutcome:
    return outcome._replace(
        error=type(error).__name__,
        message=str(error),
        service=getattr(error, "service", ""),
        status=getattr(error, "status", None),
    )
