"""Adjudicated units → an embedded coder that was trained, and its learning curve."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
from sqlalchemy import select

from labeler import hints
from labeler.coders import requests
from labeler.coders.cues import coder as cues_coder
from labeler.coders.embedding import coder as embedding_coder
from labeler.coders.embedding import learning_curve, training
from labeler.coders.embedding.model import EmbeddingModel, embed, load
from labeler.coding.vocabulary import ADJUDICATION, ASSISTED, BLIND, PREFIXES
from labeler.errors import ProjectError
from labeler.statistics.agreement.distances import Floats
from labeler.store import database, tables
from labeler.study.study import Study, now

TESTED_ARMS = (BLIND, ASSISTED)


class TrainedCoder(NamedTuple):
    """An embedded coder before it codes: its name and spec, its model, and what teaches it.

    `posts` are the units that teach, with their `vectors` in the same order.
    """

    coder: str
    spec: dict[str, object]
    model: EmbeddingModel
    training_set: training.TrainingSet
    trainable: training.TrainableVariables
    posts: pd.DataFrame
    vectors: Floats


def trained_coder(study: Study) -> TrainedCoder:
    """Find what teaches, which variables are offered, and which coder that makes.

    ProjectError, naming each variable and what it lacks, where none is offered; and where the
    extra or the model is missing.
    """
    training_set = _training_set(study)
    trainable = training.trainable(training_set.codes, study.codebook)
    if not trainable.variables:
        raise ProjectError(
            "\n".join(["no variable can be learned yet:", *_explained(training_set, trainable)]),
            hint=hints.ADJUDICATE_MORE,
        )
    model = load(study.project.embed_model)
    posts = database.read(study.engine, tables.POSTS, unit=sorted(set(training_set.codes["unit"])))
    about = {"weights": model.digest, "tokenizer": model.words, "tokens": model.tokens}
    spec = embedding_coder.spec(
        training_set.codes, posts, study.codebook, trainable.variables, model=about
    )
    vectors = embed(model, list(posts["text"]))
    return TrainedCoder(
        embedding_coder.coder(spec), spec, model, training_set, trainable, posts, vectors
    )


def reader(study: Study, trained: TrainedCoder) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Posts to the completions of the coder."""
    classifiers = embedding_coder.learned(
        trained.training_set.codes,
        study.codebook,
        trained.trainable.variables,
        units=list(trained.posts["unit"]),
        vectors=trained.vectors,
    )

    def read(posts: pd.DataFrame) -> pd.DataFrame:
        return embedding_coder.answers(
            posts,
            embed(trained.model, list(posts["text"])),
            study.codebook,
            classifiers,
            coder=trained.coder,
            created=now(),
            trained_on=list(trained.posts["text"]),
        )

    return read


def learning_curves(study: Study, trained: TrainedCoder) -> list[learning_curve.LearningCurve]:
    """The learning curve of each offered variable, beside the cues coder on the same units."""
    answers = cues_coder.answers(
        trained.posts, study.codebook, coder=cues_coder.coder(study.codebook), created=""
    )
    by_cues = requests.parse(answers, trained.posts, study.codebook).codings
    return [
        learning_curve.curve(
            trained.training_set.codes,
            by_cues,
            study.codebook.variable(name),
            units=list(trained.posts["unit"]),
            vectors=trained.vectors,
        )
        for name in trained.trainable.variables
    ]


def curve_lines(study: Study, trained: TrainedCoder) -> list[str]:
    """The learning curves for a person."""
    return learning_curve.lines(learning_curves(study, trained))


def remarks(trained: TrainedCoder, spared: int = 0) -> tuple[str, ...]:
    """What a person must know: what is not coded and why, and which units teach nothing.

    `spared` counts the posts that it did not code because it learned from them.
    """
    own = [f"{spared} of the posts taught it: it gives them no codes"] if spared else []
    return (*own, *_explained(trained.training_set, trained.trainable))


def _training_set(study: Study) -> training.TrainingSet:
    codings = database.read(
        study.engine,
        tables.CODINGS,
        codebook=study.codebook.fingerprint,
        arm=ADJUDICATION,
    )
    tested = _tested(study)
    posts = database.read(study.engine, tables.POSTS, unit=sorted(set(codings["unit"]) | tested))
    return training.training_set(codings, posts, study.codebook, evaluated=tested)


def _tested(study: Study) -> set[str]:
    """Units by which an embedded coder is measured: in a batch that one of them suggested in."""
    tasks, batches = tables.TASKS, tables.BATCHES
    query = (
        select(tasks.c.unit)
        .join(batches, tasks.c.batch == batches.c.batch)
        .where(tasks.c.arm.in_(TESTED_ARMS), batches.c.suggester.startswith(PREFIXES["embedded"]))
    )
    return set(database.query_rows(study.engine, query)["unit"])


def _explained(
    training_set: training.TrainingSet, trainable: training.TrainableVariables
) -> list[str]:
    refused = [f"{name}: not coded: {why}" for name, why in trainable.refused.items()]
    return refused + [
        f"{times} adjudicated units teach nothing: {why}"
        for why, times in training_set.left_out.items()
    ]
