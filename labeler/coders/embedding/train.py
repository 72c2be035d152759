"""Adjudicated units → an embedded coder that is taught, and its learning curve."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
from sqlalchemy import select

from labeler.coders import requests
from labeler.coders.cues import coder as cues
from labeler.coders.embedding import coder as embedded
from labeler.coders.embedding import learning_curve
from labeler.coders.embedding import model as embedding
from labeler.coders.embedding import training as lessons_stage
from labeler.coding.vocabulary import ADJUDICATION, ASSISTED, BLIND, PREFIXES
from labeler.errors import ProjectError
from labeler.statistics.agreement.distances import Floats
from labeler.store import database, tables
from labeler.study.study import Study, now

TESTED_ARMS = (BLIND, ASSISTED)


class Taught(NamedTuple):
    """An embedded coder before it codes: its name and spec, its model, and what teaches it.

    `posts` are the units that teach, with their `vectors` in the same order.
    """

    coder: str
    spec: dict[str, object]
    model: embedding.Model
    lessons: lessons_stage.Lessons
    offer: lessons_stage.Offer
    posts: pd.DataFrame
    vectors: Floats


def teach(study: Study) -> Taught:
    """Find what teaches, which variables are offered, and which coder that makes.

    ProjectError, naming each variable and what it lacks, where none is offered; and where the
    extra or the model is missing.
    """
    lessons = _lessons(study)
    offer = lessons_stage.offered(lessons.taught, study.codebook)
    if not offer.variables:
        raise ProjectError(
            "--coder embed: no variable can be learned yet; adjudicate more units, or use "
            f"--coder cues\n{chr(10).join(_told(lessons, offer))}"
        )
    model = embedding.load(study.project.embed_model)
    posts = database.read(study.engine, tables.POSTS, unit=sorted(set(lessons.taught["unit"])))
    about = {"weights": model.digest, "tokenizer": model.words, "tokens": model.tokens}
    spec = embedded.spec(lessons.taught, posts, study.codebook, offer.variables, model=about)
    vectors = embedding.embed(model, list(posts["text"]))
    return Taught(embedded.coder(spec), spec, model, lessons, offer, posts, vectors)


def reader(study: Study, taught: Taught) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Posts to the completions of the coder."""
    classifiers = embedded.learned(
        taught.lessons.taught,
        study.codebook,
        taught.offer.variables,
        units=list(taught.posts["unit"]),
        vectors=taught.vectors,
    )

    def read(posts: pd.DataFrame) -> pd.DataFrame:
        return embedded.answers(
            posts,
            embedding.embed(taught.model, list(posts["text"])),
            study.codebook,
            classifiers,
            coder=taught.coder,
            created=now(),
            lessons=list(taught.posts["text"]),
        )

    return read


def learning_curves(study: Study, taught: Taught) -> list[learning_curve.Curve]:
    """The learning curve of each offered variable, beside the cues coder on the same units."""
    answers = cues.answers(
        taught.posts, study.codebook, coder=cues.coder(study.codebook), created=""
    )
    by_cues = requests.parse(answers, taught.posts, study.codebook).codings
    return [
        learning_curve.curve(
            taught.lessons.taught,
            by_cues,
            study.codebook.variable(name),
            units=list(taught.posts["unit"]),
            vectors=taught.vectors,
        )
        for name in taught.offer.variables
    ]


def curve_lines(study: Study, taught: Taught) -> list[str]:
    """The learning curves for a person."""
    return learning_curve.lines(learning_curves(study, taught))


def remarks(taught: Taught, spared: int = 0) -> tuple[str, ...]:
    """What a person must know: what is not coded and why, and which units taught nothing.

    `spared` counts the posts that it did not code because it learned from them.
    """
    own = [f"{spared} of the posts taught it: it gives them no codes"] if spared else []
    return (*own, *_told(taught.lessons, taught.offer))


def _lessons(study: Study) -> lessons_stage.Lessons:
    codings = database.read(
        study.engine,
        tables.CODINGS,
        codebook=study.codebook.fingerprint,
        arm=ADJUDICATION,
    )
    tested = _tested(study)
    posts = database.read(study.engine, tables.POSTS, unit=sorted(set(codings["unit"]) | tested))
    return lessons_stage.lessons(codings, posts, study.codebook, evaluated=tested)


def _tested(study: Study) -> set[str]:
    """Units by which an embedded coder is measured: in a batch that one of them suggested in."""
    tasks, batches = tables.TASKS, tables.BATCHES
    query = (
        select(tasks.c.unit)
        .join(batches, tasks.c.batch == batches.c.batch)
        .where(tasks.c.arm.in_(TESTED_ARMS), batches.c.suggester.startswith(PREFIXES["embedded"]))
    )
    return set(database.query_rows(study.engine, query)["unit"])


def _told(lessons: lessons_stage.Lessons, offer: lessons_stage.Offer) -> list[str]:
    refused = [f"{name}: not coded: {why}" for name, why in offer.refused.items()]
    return refused + [
        f"{times} adjudicated units teach nothing: {why}" for why, times in lessons.left_out.items()
    ]
