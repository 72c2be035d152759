"""Made-up coders: what they think of each post, submitted to Label Studio in their own names.

Their codes come from the reference codes of the sample. Each coder departs from them here and
there, at random as a hash decides, so that every run is the same; with a suggestion in view a coder
follows it now and then, as people do.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any

import pandas as pd

from labeler.codebook.codebook import Codebook, Variable
from labeler.coders import requests
from labeler.coding import vocabulary
from labeler.coding.vocabulary import computed, name_of
from labeler.keys import canonical, key
from labeler.store import database, tables
from labeler.studio import config
from labeler.studio.accounts import Login, local
from labeler.studio.client.studio import Studio
from labeler.studio.server import server as studio_server
from labeler.study.study import Report, Study
from labeler.workflow.demo.answers import Chance, chances
from labeler.workflow.demo.sample import sample_posts

DEPARTS: Mapping[str, float] = {
    "relevance": 0.015,
    "impact": 0.05,
    "condition": 0.05,
    "product": 0.03,
    "perspective": 0.1,
    "value": 0.11,
}
OVERLOOKS = 0.05  # of the segments behind the first
FOLLOWS = 0.35
SECONDS = (18.0, 55.0)
TOLD = 100


def submit_all(
    study: Study, logins: list[Login], *, batch: str, suggester: str, report: Report
) -> int:
    """Let each coder submit what it has not coded yet, all of them at the same time; how much.

    Where one of them fails, or Ctrl-C comes, the others end after the task that they are at.
    """
    counted = _Count(report)
    with ThreadPoolExecutor(len(logins)) as coders:
        running = [
            coders.submit(_submit, study, login, batch, suggester, counted) for login in logins
        ]
        try:
            wait(running, return_when=FIRST_EXCEPTION)
        finally:
            counted.ended.set()
    for one in running:
        one.result()
    return counted.done


class _Count:
    """How many tasks all coders have submitted, told now and then; `ended`: no more of them."""

    def __init__(self, report: Report) -> None:
        self._report, self._lock = report, threading.Lock()
        self.done = self.wanted = 0
        self.ended = threading.Event()

    def expects(self, tasks: int) -> None:
        with self._lock:
            self.wanted += tasks

    def submitted(self, coder: str) -> None:
        with self._lock:
            self.done += 1
            if self.done % TOLD == 0 or self.done == self.wanted:
                self._report(
                    f"{self.done:,} of {self.wanted:,} tasks submitted, the last by "
                    f"{name_of(coder)} (made up)"
                )


def _submit(study: Study, login: Login, batch: str, suggester: str, counted: _Count) -> None:
    """Let one coder submit what it has not coded yet, seat by seat."""
    which = {"batch": batch, "coder": login.coder}
    tasks = database.read(study.engine, tables.TASKS, **which)
    notes = database.read(study.engine, tables.ANNOTATIONS, **which, withdrawn=0)
    done = set(zip(notes["arm"], notes["unit"], strict=True))
    open_ = [task for task in tables.rows(tasks) if (task.arm, task.unit) not in done]
    counted.expects(len(open_))
    if not open_:
        return
    server = local(study.project)
    account = studio_server.account(server, email=login.email, password=login.password)
    own = Studio(server.url, account.token, server=study.project.server)
    shown = {task.unit for task in open_ if task.arm == vocabulary.ASSISTED}
    answers = _answers(study, login.coder, {task.unit for task in open_}, shown, suggester)
    for task in open_:
        if counted.ended.is_set():
            return
        seconds = _seconds(chances(login.coder, task.unit))
        own.submit(int(task.studio_task), answers[task.unit], lead_time=seconds)
        counted.submitted(login.coder)


def _answers(
    study: Study, coder: str, units: set[str], shown: set[str], suggester: str
) -> dict[str, list[dict[str, Any]]]:
    """Unit → what the coder submits, as Label Studio writes it."""
    posts = database.read(study.engine, tables.POSTS, unit=sorted(units))
    following = {unit for unit in shown if chances(coder, unit)("follows") < FOLLOWS}
    own = _own_codes(posts, coder, study.codebook)
    which = {"coder": suggester, "codebook": study.codebook.fingerprint, "replicate": 1}
    read = [
        database.read(study.engine, table, unit=sorted(following), **which)
        for table in (tables.CODINGS, tables.SEGMENTS)
    ]
    taken = _as_submitted(read[0], read[1], study.codebook)
    return {unit: taken.get(unit, own[unit]) if unit in following else own[unit] for unit in own}


def _own_codes(
    posts: pd.DataFrame, coder: str, codebook: Codebook
) -> dict[str, list[dict[str, Any]]]:
    """Unit → what the coder thinks of it without anybody's help, as Label Studio writes it."""
    known, rows = sample_posts(), []
    for post in tables.rows(posts):
        coding = known[post.platform_id].coding
        answer = departed(coding, codebook, chances(coder, post.unit))
        rows.append(
            {
                "completion": key([coder, post.unit]),
                "codebook": codebook.fingerprint,
                "coder": computed("cues", coder),  # an answer without a chat around it
                "unit": post.unit,
                "replicate": 1,
                "answer": canonical(answer),
            }
        )
    parsed = requests.parse(tables.frame(tables.COMPLETIONS, rows), posts, codebook)
    return _as_submitted(parsed.codings, parsed.segments, codebook)


def _as_submitted(
    codings: pd.DataFrame, segments: pd.DataFrame, codebook: Codebook
) -> dict[str, list[dict[str, Any]]]:
    made = config.predictions(codings, segments, codebook, version="made up", checked=True)
    return {unit: made[unit]["result"] for unit in made}


def departed(coding: Mapping[str, Any], codebook: Codebook, chance: Chance) -> dict[str, Any]:
    """The reference codes with a few changed and a few segments overlooked.

    What a coder finds not relevant has no segments.
    """
    variables = {
        variable.variable: _perhaps_other(
            variable, coding["variables"].get(variable.variable), chance, ""
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
        for place, segment in enumerate(coding["segments"])
        if place == 0 or chance(f"overlooks {place}") > OVERLOOKS
    ]
    if variables.get("relevance", "relevant") != "relevant":
        segments = []
    return {"rationale": "", "variables": variables, "segments": segments}


def _perhaps_other(variable: Variable, given: Any, chance: Chance, place: str) -> Any:
    """The codes given or, now and then, one of them as another one."""
    name = f"{variable.variable} {place}"
    if chance(f"departs {name}") >= DEPARTS[variable.variable]:
        return given
    other = variable.codes[int(chance(f"code {name}") * len(variable.codes))]
    if not variable.multiple:
        return other
    return [other] if other == variable.none else sorted({*given[1:], other} - {variable.none})


def _seconds(chance: Chance) -> float:
    low, high = SECONDS
    return round(low + (high - low) * chance("seconds"), 1)
