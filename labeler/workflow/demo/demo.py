"""The whole way once, on made-up posts, with a made-up model and three made-up coders.

The design is nested and in two phases: each unit is coded once with a suggestion, and some of
them are coded blind as well, by the two other coders. The blind codes are the evidence; together
they also tell what seeing a suggestion did.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from labeler import resources
from labeler.codebook.codebook import Codebook
from labeler.coders.llm.model import RequestSettings, model_of
from labeler.coders.llm.run import RunProgress
from labeler.errors import GateError, ProjectError
from labeler.posts.ingest import ingest
from labeler.project import RECIPE
from labeler.reliability.reliability import ReliabilityResult, reliability
from labeler.results.aggregate import aggregate, recipe_of
from labeler.results.export import ExportResult, export
from labeler.sampling.design import Design
from labeler.sampling.sample import sample
from labeler.store import database, tables
from labeler.store import results as stored
from labeler.studio.accounts import Login, add_human, start
from labeler.studio.pull import pull
from labeler.studio.push import push
from labeler.study.study import RUNNING, Report, Study
from labeler.workflow.demo.answers import MadeUpModel
from labeler.workflow.demo.coders import submit_all
from labeler.workflow.demo.sample import COLUMNS, parts, sample_posts
from labeler.workflow.prelabel import PrelabelResult, by_model

BATCH = "demo"
CODERS = ("ada", "ben", "cy")
OVERLAP, SEED = 2, 7
CONCURRENCY = 8


class DemoSize(NamedTuple):
    """How much of the sample is taken, how many of its units people code, and of these blind."""

    parts: int
    assisted: int
    blind: int


WHOLE, QUICK = DemoSize(2, 420, 380), DemoSize(1, 120, 90)


class DemoPosts(NamedTuple):
    """What the first half made: how many posts, authors and platforms, from when to when, what the
    model did, and how many quotes of its answers no post holds."""

    posts: int
    authors: int
    platforms: int
    months: tuple[str, str]
    model: PrelabelResult
    unsupported: int


class DemoResult(NamedTuple):
    """What the second half made: codings submitted, what was judged and let through, the bundle.

    `studio` is an address.
    """

    submitted: int
    judged: ReliabilityResult
    estimates: pd.DataFrame
    bundle: ExportResult
    logins: list[Login]
    studio: str


def model(codebook: Codebook) -> MadeUpModel:
    """The made-up model, which knows the bundled posts by heart."""
    return MadeUpModel(sample_posts().values(), codebook)


def others(study: Study, run: str) -> bool:
    """Whether another demo of the same folder runs beside this one."""
    running = database.read(study.engine, tables.RUNS, command="demo", outcome=RUNNING)
    return bool(set(running["run"]) - {run})


def prelabelled(
    study: Study, size: DemoSize, report: Report, progress: Callable[[RunProgress], None]
) -> DemoPosts:
    """Read the posts and let the model code them; what is done already is left as it is.

    The project's model must be the made-up one, and answer.
    """
    prices = resources.folder("sample") / "made-up-prices.yaml"
    settings = RequestSettings(concurrency=CONCURRENCY, prices=prices, logprobs=True)
    _check_version(study, size, model_of(study, settings).coder)
    files = [part.post_file for part in parts()[: size.parts]]
    ingest(study, files, columns=COLUMNS, report=report)
    done = by_model(study, settings, report=report, progress=progress)
    post = tables.POSTS.c
    days = database.distinct(study.engine, post.created)
    missing = database.read(study.engine, tables.SEGMENTS, coder=done.coder, found="missing")
    return DemoPosts(
        len(database.distinct(study.engine, post.unit)),
        len(database.distinct(study.engine, post.author)),
        len(database.distinct(study.engine, post.platform)),
        (min(days)[:7], max(days)[:7]),
        done,
        len(missing),
    )


def _check_version(study: Study, size: DemoSize, suggester: str) -> None:
    """Refuse to go on with what the demo of another version began."""
    for row in tables.rows(database.read(study.engine, tables.BATCHES, batch=BATCH)):
        drawn = json.loads(row.design)
        if (row.suggester, drawn["assisted"], drawn["blind"]) != (suggester, *size[1:]):
            raise ProjectError(
                f"{study.project.state} holds the demo of another version of labeler: delete that "
                "folder, and the demo begins anew"
            )


def coded(study: Study, suggester: str, size: DemoSize, report: Report) -> DemoResult:
    """Draw a batch, have it coded and judged, and export it; what is done is left as it is."""
    server = start(study.project, report)
    logins = [add_human(study, name, made_up=True) for name in CODERS]
    design = Design(
        blind=size.blind,
        assisted=size.assisted,
        overlap=OVERLAP,
        coders=tuple(login.coder for login in logins),
        seed=SEED,
        nested=True,
    )
    sample(study, design, batch=BATCH, suggester=suggester)
    push(study, batch=BATCH, report=report)
    pull(study, batch=BATCH)
    if submit_all(study, logins, batch=BATCH, suggester=suggester, report=report):
        pull(study, batch=BATCH, report=report)
    judged = _judged(study)
    return DemoResult(
        len(database.read(study.engine, tables.ANNOTATIONS, batch=BATCH, withdrawn=0)),
        judged,
        _aggregated(study),
        export(study, batch=BATCH),
        logins,
        server.url,
    )


def _judged(study: Study) -> ReliabilityResult:
    """What was judged of these very codes before, or else is judged now."""
    there = stored.of_batch(study.engine, BATCH)
    names = [table.name for table in (tables.RELIABILITY, tables.VERDICTS, tables.ASSESSMENTS)]
    frames = [there.frames[name] for name in names]
    if any(frame.empty for frame in frames) or set(names) & set(there.outdated):
        return reliability(study, batch=BATCH)
    return ReliabilityResult(*frames)


def _aggregated(study: Study) -> pd.DataFrame:
    """What the gate lets through, now or before; the verdicts say what it does not."""
    name = tables.ESTIMATES.name
    there = stored.computed_from(study.engine, BATCH)
    if name in there and name not in stored.outdated(study.engine, BATCH):
        return database.read(study.engine, tables.ESTIMATES, batch=BATCH)
    declared = resources.folder("codebook") / f"{study.codebook.codebook}{RECIPE}"
    with contextlib.suppress(GateError):  # what is let through is written all the same
        aggregate(study, batch=BATCH, recipe=recipe_of(study, declared))
    return database.read(study.engine, tables.ESTIMATES, batch=BATCH)
