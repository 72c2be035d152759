"""The whole way once, on made-up posts, with three made-up coders.

The design is nested and in two phases: each unit is coded once with a suggestion, and some of
them are coded blind as well, by the two other coders. The blind codes are the evidence; together
they also tell what seeing a suggestion did.

The coders' codes come from the bundled reference codings. Each coder departs from them here and
there, at random as a hash decides, so that every run is the same; with a suggestion in view a
coder follows it now and then, as people do. They submit through Label Studio with accounts of
their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from labeler import resources
from labeler.codebook.codebook import Codebook, Variable
from labeler.coders import requests
from labeler.coding import vocabulary
from labeler.coding.vocabulary import computed
from labeler.errors import GateError
from labeler.files import records
from labeler.keys import canonical, key
from labeler.posts.ingest import ingest
from labeler.reliability.reliability import ReliabilityResult, reliability
from labeler.results import results
from labeler.results.aggregate import aggregate
from labeler.sampling.design import Design
from labeler.sampling.sample import sample
from labeler.store import database, tables
from labeler.studio import config
from labeler.studio.accounts import Login, add_human, local, start
from labeler.studio.client.studio import Studio
from labeler.studio.pull import pull
from labeler.studio.push import push
from labeler.studio.server import server as studio_server
from labeler.study.study import Report, Study
from labeler.workflow.prelabel import by_cues

BATCH = "demo"
CODERS = ("ada", "ben", "cy")
ASSISTED, BLIND, OVERLAP, SEED = 120, 90, 2, 7
DEPARTS = {"relevance": 0.02, "impact": 0.03, "condition": 0.05, "product": 0.03}
ELSEWHERE = 0.24  # perspective and value are harder to tell
OVERLOOKS = 0.05
FOLLOWS = 0.5
SECONDS = (18.0, 55.0)


class DemoResult(NamedTuple):
    """What the demo made: logins, what was judged, what the gate held shut, the bundle."""

    logins: list[Login]
    judged: ReliabilityResult
    shut: str
    bundle: results.ExportResult
    studio: str


def demonstrate(study: Study, report: Report) -> DemoResult:
    """Run every stage once; what is done already is left as it is."""
    server = start(study.project, report)
    posts = resources.folder("sample") / "made-up-posts.jsonl"
    ingest(study, [posts], columns=COLUMNS, report=report)
    coder = by_cues(study, report=report).coder
    logins = [add_human(study, name, made_up=True) for name in CODERS]
    humans = tuple(login.coder for login in logins)
    design = Design(
        blind=BLIND, assisted=ASSISTED, overlap=OVERLAP, coders=humans, seed=SEED, nested=True
    )
    sample(study, design, batch=BATCH, suggester=coder)
    push(study, batch=BATCH, report=report)
    pull(study, batch=BATCH)
    for login in logins:
        _code(study, login, coder, report)
    pull(study, batch=BATCH, report=report)
    judged = reliability(study, batch=BATCH)
    shut = ""
    try:
        aggregate(study, batch=BATCH)
    except GateError as error:
        shut = str(error)
    return DemoResult(logins, judged, shut, results.export(study, batch=BATCH), server.url)


COLUMNS = {name: name for name in ("id", "platform", "date", "author", "url", "text")}


def _code(study: Study, login: Login, suggester: str, report: Report) -> None:
    """Let a made-up coder submit what it has not coded yet, seat by seat."""
    which = {"batch": BATCH, "coder": login.coder}
    tasks = database.read(study.engine, tables.TASKS, **which)
    notes = database.read(study.engine, tables.ANNOTATIONS, **which, withdrawn=0)
    done = set(zip(notes["arm"], notes["unit"], strict=True))
    open_ = [task for task in tables.rows(tasks) if (task.arm, task.unit) not in done]
    if not open_:
        return
    account = studio_server.account(
        local(study.project), email=login.email, password=login.password
    )
    own = Studio(local(study.project).url, account.token, server=study.project.server)
    shown = {task.unit for task in open_ if task.arm == vocabulary.ASSISTED}
    answers = _answers(study, login.coder, {task.unit for task in open_}, shown, suggester)
    for number, task in enumerate(open_, start=1):
        own.submit(
            int(task.studio_task), answers[task.unit], lead_time=_seconds(login.coder, task.unit)
        )
        if number % 40 == 0 or number == len(open_):
            report(f"{login.coder} (made up) submitted {number} of {len(open_)} tasks")


def _answers(
    study: Study, coder: str, units: set[str], shown: set[str], suggester: str
) -> dict[str, list[dict[str, Any]]]:
    """Unit → what the coder submits, as Label Studio writes it."""
    posts = database.read(study.engine, tables.POSTS, unit=sorted(units))
    reference = _reference(posts)
    suggested = {
        row.unit: json.loads(row.answer)
        for row in tables.rows(
            database.read(study.engine, tables.COMPLETIONS, coder=suggester, unit=sorted(shown))
        )
    }
    rows = []
    for unit in sorted(units):
        answer = _departed(reference[unit], study.codebook, _chance(coder, unit))
        if unit in suggested and _chance(coder, unit)("follows") < FOLLOWS:
            answer = suggested[unit]
        rows.append(
            {
                "completion": key([coder, unit]),
                "codebook": study.codebook.fingerprint,
                "coder": computed("cues", coder),  # an answer without a chat around it
                "unit": unit,
                "replicate": 1,
                "answer": canonical(answer),
            }
        )
    completions = tables.frame(tables.COMPLETIONS, rows)
    parsed = requests.parse(completions, posts, study.codebook)
    made = config.predictions(
        parsed.codings, parsed.segments, study.codebook, version="made up", checked=True
    )
    return {unit: made[unit]["result"] for unit in made}


def _reference(posts: pd.DataFrame) -> dict[str, Mapping[str, Any]]:
    """Unit → the made-up reference coding of its post."""
    path = resources.folder("sample") / "made-up-codings.jsonl"
    lines = [json.loads(line) for line in records.read_text(path).splitlines()]
    by_id = {line["id"]: line for line in lines}
    return {row.unit: by_id[row.platform_id] for row in tables.rows(posts)}


def _departed(
    reference: Mapping[str, Any], codebook: Codebook, chance: Callable[[str], float]
) -> dict[str, Any]:
    """The reference coding with a few codes changed and a few segments overlooked."""
    variables = {
        variable.variable: _perhaps_other(
            variable, reference["variables"].get(variable.variable), chance, ""
        )
        for variable in codebook.of_unit
    }
    segments = [
        {
            "quote": segment["quote"],
            "codes": {
                variable.variable: _perhaps_other(
                    variable, segment["codes"][variable.variable], chance, str(place)
                )
                for variable in codebook.of_segment
            },
        }
        for place, segment in enumerate(reference["segments"])
        if place == 0 or chance(f"overlooks {place}") > OVERLOOKS
    ]
    return {"rationale": "", "variables": variables, "segments": segments}


def _perhaps_other(
    variable: Variable, given: Any, chance: Callable[[str], float], place: str
) -> Any:
    name = f"{variable.variable} {place}"
    if chance(f"departs {name}") >= DEPARTS.get(variable.variable, ELSEWHERE):
        return given
    other = variable.codes[int(chance(f"code {name}") * len(variable.codes))]
    return [other] if variable.multiple else other


def _chance(coder: str, unit: str) -> Callable[[str], float]:
    """Question → a number from 0 to below 1 that depends on coder, unit and question alone."""
    return lambda question: int(key([coder, unit, question])[:8], 16) / 16**8


def _seconds(coder: str, unit: str) -> float:
    low, high = SECONDS
    return round(low + (high - low) * _chance(coder, unit)("seconds"), 1)
