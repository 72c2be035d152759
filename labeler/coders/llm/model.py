"""The project's model as a coder: what it is told, and what of a post it gets to see."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from labeler import hints, resources
from labeler.coders import requests
from labeler.coders.answers import Example
from labeler.coders.llm import few_shot
from labeler.coding.vocabulary import ADJUDICATION, BLIND
from labeler.errors import ProjectError
from labeler.files import records
from labeler.posts import deidentify
from labeler.store import database, tables
from labeler.study.study import Study

WITH_SUBREDDITS = " with subreddits"

Locate = Callable[[str, int, int], tuple[int, int, str]]


class RequestSettings(NamedTuple):
    """How a model is asked: `limit` posts at most, `replicates` times each, `several` posts a
    request, `budget` in the currency of the price file, `answer_limit` in tokens a post,
    `patience` in seconds.

    `examples` adjudicated units of the batches `examples_from` are shown in the prompt;
    `logprobs` asks for the probabilities of what is written.
    """

    concurrency: int = 64
    limit: int | None = None
    replicates: int = 1
    retry_errors: bool = False
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    budget: float | None = None
    prices: Path | None = None
    answer_limit: int = 2000
    subreddits: bool = False
    canary: bool = True
    patience: float = 120.0
    several: int = 1
    examples: int = 0
    examples_from: tuple[str, ...] = ()
    logprobs: bool = False


class ModelCoder(NamedTuple):
    """A model as coder: its spec and name, its prompt and templates.

    `alone` is the prompt for one post; the same as `prompt` unless that takes several.
    """

    spec: dict[str, object]
    coder: str
    prompt: requests.Prompt
    alone: requests.Prompt
    templates: requests.PromptTemplates

    @property
    def hides(self) -> str:
        """Under which rules texts are de-identified before it sees them."""
        return str(self.spec["hides"])


def model_of(study: Study, settings: RequestSettings) -> ModelCoder:
    """The project's model as a coder; what is hidden from it is part of what it is.

    ProjectError where no model is named.
    """
    if not study.project.llm_model:
        raise ProjectError("no model is named", hint=hints.NAME_MODEL)
    folder = resources.folder("templates") / "prompt"
    templates = requests.PromptTemplates(
        records.read_text(folder / "system.jinja"), records.read_text(folder / "user.jinja")
    )
    hides = deidentify.RULES + (WITH_SUBREDDITS if settings.subreddits else "")
    shown = _examples(study, settings, hides) if settings.examples else ()
    spec = requests.spec(
        base_url=study.project.llm_url,
        model=study.project.llm_model,
        templates=templates,
        parameters={**requests.PARAMETERS, **({"logprobs": True} if settings.logprobs else {})},
        examples=shown,
        several=settings.several,
    )
    spec["hides"] = hides
    alone = requests.prompt(study.codebook, spec, templates, shown)
    prompt = requests.prompt(study.codebook, spec, templates, shown, several=settings.several)
    return ModelCoder(spec, requests.coder(spec), prompt, alone, templates)


def sent_texts(study: Study, posts: pd.DataFrame, hides: str) -> tuple[pd.DataFrame, Locate | None]:
    """Posts with their texts as they leave, and the way back from a stretch to the original.

    `hides` is that entry of a model's spec; '' hides nothing (the cues coder).
    """
    if not hides:
        return posts, None
    hidden = deidentify.hide_all(
        list(posts["text"]),
        secret=study.project.secret(),
        subreddits=hides.endswith(WITH_SUBREDDITS),
    )
    pairs = zip(hidden, posts["text"], strict=True)
    by_unit = dict(zip(posts["unit"], pairs, strict=True))

    def locate(unit: str, start: int, end: int) -> tuple[int, int, str]:
        found, original = by_unit[unit]
        first, last = deidentify.original_offsets(found, start, end)
        return first, last, original[first:last]

    return posts.assign(text=[one.text for one in hidden]), locate


def _examples(study: Study, settings: RequestSettings, hides: str) -> tuple[Example, ...]:
    """Adjudicated units of the batches named, as the model is to see them.

    Under evaluation is every unit that somebody codes blind in another batch.
    """
    own = [batch for batch in settings.examples_from if batch]
    if not own:
        raise ProjectError(
            "examples are adjudicated units of a batch, and no batch is named: on other units the "
            "model must not be judged by people who saw them",
            hint=hints.CHOOSE_EXAMPLES,
        )
    tasks = tables.TASKS
    adjudicated = database.distinct(study.engine, tasks.c.unit, batch=own, arm=ADJUDICATION)
    blind = database.read(study.engine, tasks, arm=BLIND)
    evaluated = sorted(set(blind[~blind["batch"].isin(own)]["unit"]))
    which: dict[str, object] = {
        "codebook": study.codebook.fingerprint,
        "unit": adjudicated,
        "arm": ADJUDICATION,
    }
    posts = database.read(study.engine, tables.POSTS, unit=_all(adjudicated, evaluated))
    sent, _ = sent_texts(study, posts, hides)
    return few_shot.examples(
        database.read(study.engine, tables.CODINGS, **which),
        database.read(study.engine, tables.SEGMENTS, **which),
        sent,
        study.codebook,
        evaluated=evaluated,
        k=settings.examples,
    )


def _all(*lists: Iterable[str]) -> list[str]:
    return sorted(set().union(*lists))
