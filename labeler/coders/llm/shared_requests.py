"""May several posts share a request? Only once a pilot has shown what it costs in agreement."""

from __future__ import annotations

from labeler import hints
from labeler.coders.llm.model import ModelCoder, RequestSettings, model_of
from labeler.errors import ProjectError
from labeler.store import database, tables
from labeler.study.completions import answered
from labeler.study.study import Study

LEAST = 100


def alone(study: Study, settings: RequestSettings) -> ModelCoder:
    """The same model as the coder that gets one post a request."""
    return model_of(study, settings._replace(several=1))


def both_answered(study: Study, *coders: str) -> list[str]:
    """Units that all of some coders gave codes to, in order."""
    good = []
    for coder in coders:
        there = answered(study, coder)
        good.append(set(there[(there["replicate"] == 1) & (there["good"] > 0)]["unit"]))
    return sorted(set.intersection(*good))


def required(study: Study, settings: RequestSettings, model: ModelCoder) -> None:
    """ProjectError where no pilot has let both coders code enough of the same posts."""
    posts = database.count(study.engine, tables.POSTS)
    least = min(LEAST, posts)
    there = len(both_answered(study, model.coder, alone(study, settings).coder))
    if there < least:
        raise ProjectError(
            f"what {settings.several} posts in a request cost in agreement is not known yet: "
            f"{there} posts were coded both ways, {least} are needed",
            hint=hints.PILOT_FIRST.about(posts=least, several=settings.several),
        )
