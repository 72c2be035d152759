"""A few posts, asked about alone and in company: what several posts a request cost and save."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
from sqlalchemy import select

from labeler import hints
from labeler.coders.llm.model import RequestSettings, model_of
from labeler.coders.llm.run import RunProgress
from labeler.coders.llm.shared_requests import alone, both_answered
from labeler.coding import panels
from labeler.coding.vocabulary import ADJUDICATION
from labeler.errors import ProjectError
from labeler.keys import key
from labeler.reliability import coefficients
from labeler.store import database, tables
from labeler.study.completions import MADE
from labeler.study.study import Report, Study, silent
from labeler.workflow.prelabel import by_model

ADJUDICATED = "adjudicated"
BOTH, ALONE, TOGETHER = "alone and together", "alone", "together"


class PilotResult(NamedTuple):
    """Agreement by comparison and variable (columns comparison and those of
    `reliability.between`), what a thousand posts cost either way (None: not known), in
    `currency`, how many posts were coded both ways, and what a person must know."""

    agreement: pd.DataFrame
    posts: int
    alone: float | None
    together: float | None
    currency: str
    remarks: tuple[str, ...]


def pilot(
    study: Study,
    settings: RequestSettings,
    *,
    posts: int,
    report: Report = silent,
    progress: Callable[[RunProgress], None] = lambda _: None,
) -> PilotResult:
    """Let the model code the same posts alone and `settings.several` together, and compare.

    Adjudicated units come first, since on them either way is compared with what people agreed
    on; the others follow in an order that more posts do not change.
    """
    if settings.several < 2:
        raise ProjectError(
            "a pilot compares posts that share a request with posts alone",
            hint=hints.SHARE_REQUESTS,
        )
    single, several = alone(study, settings), model_of(study, settings)
    units = _drawn(study, several.prompt.examples, posts)
    remarks: list[str] = []
    for way in (settings._replace(several=1), settings):
        done = by_model(study, way, units=units, report=report, progress=progress)
        remarks += [line for line in done.remarks if line not in remarks]
    both = [unit for unit in both_answered(study, single.coder, several.coder) if unit in units]
    names = {single.coder: ALONE, several.coder: TOGETHER}
    return PilotResult(
        _compared(study, both, names),
        len(both),
        _cost(study, single.coder, both),
        _cost(study, several.coder, both),
        _currency(study, several.coder),
        tuple(remarks),
    )


def _drawn(study: Study, shown: tuple[str, ...], posts: int) -> list[str]:
    there = [u for u in database.distinct(study.engine, tables.POSTS.c.unit) if u not in shown]
    which = {"codebook": study.codebook.fingerprint, "arm": ADJUDICATION}
    first = set(database.distinct(study.engine, tables.CODINGS.c.unit, **which))
    there.sort(key=lambda unit: (unit not in first, key({"unit": unit, "purpose": "pilot"})))
    return there[:posts]


def _compared(study: Study, units: list[str], names: dict[str, str]) -> pd.DataFrame:
    """Agreement of the two ways with each other and, where people adjudicated, with them."""
    which: dict[str, object] = {"codebook": study.codebook.fingerprint, "unit": units}
    codings = database.read(study.engine, tables.CODINGS, **which)
    people = (codings["arm"] == ADJUDICATION).to_numpy()
    codings["coder"] = codings["coder"].map(names).mask(people, ADJUDICATED)
    codings = (
        codings.dropna(subset="coder")
        .assign(arm="")
        .drop_duplicates(["unit", "segment", "coder", "replicate", "variable"])
    )
    coded = pd.DataFrame(
        [(unit, coder, "") for unit in units for coder in (ALONE, TOGETHER)],
        columns=panels.WHO,
    )
    judged = sorted(set(codings[codings["coder"] == ADJUDICATED]["unit"]))
    coded = pd.concat([coded, pd.DataFrame({"unit": judged, "coder": ADJUDICATED, "arm": ""})])
    pairs = {BOTH: (ALONE, TOGETHER)}
    if judged:
        pairs |= {f"{way} and {ADJUDICATED}": (way, ADJUDICATED) for way in (ALONE, TOGETHER)}
    parts = [
        coefficients.between(codings, coded, study.codebook, *pair).assign(comparison=name)
        for name, pair in pairs.items()
    ]
    return pd.concat(parts, ignore_index=True)[["comparison", *coefficients.BETWEEN]]


def _cost(study: Study, coder: str, units: list[str]) -> float | None:
    """What a thousand of these posts cost; None where that of one is not known."""
    which: dict[str, object] = {
        "coder": coder,
        "codebook": study.codebook.fingerprint,
        "unit": units,
    }
    costs = database.query_rows(
        study.engine, select(MADE.c.cost).where(database.matching(study.engine, MADE, which))
    )["cost"]
    if not units or costs.isna().any():
        return None
    return 1000 * float(costs.sum()) / len(units)


def _currency(study: Study, coder: str) -> str:
    found = database.distinct(study.engine, MADE.c.currency, coder=coder)
    return next((str(name) for name in found if name), "")
