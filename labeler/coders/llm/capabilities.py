"""What the project's model server does with a schema, log-probabilities and counts: asked once."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from labeler import hints
from labeler.coders.llm.client import complete
from labeler.coders.llm.model import RequestSettings
from labeler.errors import ProjectError, ServiceRejected
from labeler.store import database, tables
from labeler.study.study import Study, now

UNCOUNTED = "the server does not count tokens, so nobody can tell when the budget is spent"
NO_LOGPROBS = "the server gives no log-probabilities for this model"
UNFIT = (400, 413, 422)


def probed(study: Study, *, again: bool = False) -> Any | None:
    """The ENDPOINTS row of the project's model; it is asked where there is none yet, or `again`.

    None where the server answers no question as small as this one. Raises what `llm.probe` does:
    a wrong key, address or model is heard of before any post leaves, and a server that never
    answered is not waited for long.
    """
    address, model = _address(study.project.llm_url), study.project.llm_model
    known = database.read(study.engine, tables.ENDPOINTS, address=address, model=model)
    if len(known) and not again:
        return next(tables.rows(known))
    try:
        found = complete.probe(study.project.llm_url, study.project.llm_key, model)
    except ServiceRejected as error:
        if error.status in UNFIT:
            return None
        raise
    row = {
        "address": address,
        "model": model,
        "enforces": int(found.enforces_schema),
        "logprobs": int(found.logprobs),
        "counts": int(found.usage),
        "listed": int(model in found.models) if found.models else None,
        "detail": found.detail,
        "probed": now(),
    }
    kept = tables.frame(tables.ENDPOINTS, [row])
    database.mirror(study.engine, tables.ENDPOINTS, kept)
    return next(tables.rows(kept))


def remarks(endpoint: Any | None, settings: RequestSettings, *, free: bool) -> list[str]:
    """What a person must know of the endpoint; ProjectError where it cannot do what is asked.

    `free`: its tokens cost nothing, so that a budget is kept without counting them.
    """
    if endpoint is None:
        return ["the server did not take the small question that shows what it can do"]
    if settings.budget is not None and not endpoint.counts and not free:
        raise ProjectError(UNCOUNTED, hint=hints.COUNT_TOKENS)
    if settings.logprobs and not endpoint.logprobs:
        raise ProjectError(NO_LOGPROBS, hint=hints.WITHOUT_LOGPROBS)
    if endpoint.enforces:
        return []
    return [
        f"the server does not enforce the answer's schema ({endpoint.detail}): each answer is "
        "checked here, and more of them may end as off-schema"
    ]


def _address(url: str) -> str:
    """The address without what may be secret in it."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
