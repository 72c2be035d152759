"""Any codebook makes a page, and any coding comes back from it, at a real Label Studio.

Everything drawn is made up.
"""

from __future__ import annotations

import json

import pandas as pd
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from places import ROOT
from strategies import Coded, codebooks_accepted, codings_valid
from waiting import SECONDS

from labeler.codebook.codebook import Codebook
from labeler.keys import key
from labeler.store import tables
from labeler.studio import annotations, config
from labeler.studio.client.studio import RawTask, Studio
from labeler.studio.server.server import Server

STUDIO = ROOT / "templates" / "studio"
CONFIG = (STUDIO / "config.jinja").read_text("utf-8")
GUIDE = (STUDIO / "instructions.jinja").read_text("utf-8")
SOURCE = "cues@a1b2c3"
# The server is one for all examples: nothing in it but projects of their own is changed.
SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=15, suppress_health_check=SHARED)
@given(book=codebooks_accepted())
def test_any_codebook_makes_a_page_that_is_accepted(studio: Server, book: Codebook) -> None:
    """What `codebook check` accepts, Label Studio accepts as a page."""
    answer = requests.post(
        f"{studio.url}/api/projects/validate/",
        json={"label_config": config.config(book, template=CONFIG)},
        headers={"Authorization": f"Token {studio.token}"},
        timeout=SECONDS,
    )
    assert answer.status_code == 204, answer.text


@st.composite
def coded(draw: st.DrawFn) -> tuple[Codebook, list[Coded]]:
    """A codebook and a few coded posts."""
    book = draw(codebooks_accepted(variables=4))
    return book, [draw(codings_valid(book, f"u{number}")) for number in range(3)]


@settings(max_examples=10, suppress_health_check=SHARED)
@given(made=coded())
def test_any_coding_survives_the_round(studio: Server, made: tuple[Codebook, list[Coded]]) -> None:
    """Prediction, submitted as it is, pulled: the same codes, places and words."""
    book, posts = made
    admin = Studio(studio.url, studio.token, server="local")
    project, _ = admin.project(
        key([book.fingerprint, repr(posts)]),
        title="made up: any coding",
        config=config.config(book, template=CONFIG),
        instructions=config.instructions(book, template=GUIDE, arm="assisted"),
        suggestions=True,
    )
    given_codings, given_segments = frames(book, posts)
    shown = config.predictions(given_codings, given_segments, book, version=SOURCE)
    seat = seated(posts)
    there = admin.import_tasks(project, config.payload(*seat, shown))
    for unit, task in there.items():
        kept = predicted(studio, task)
        assert kept == shown.get(unit, {"result": []})["result"]
        admin.submit(task, kept, lead_time=1.0)
    raw = list(admin.changes(project, since=""))
    found = annotations.parse(notes(raw), *seat, book)
    assert set(found.findings["kind"]) <= {"unchecked"}  # as nobody looked at it in a browser
    wanted = ["unit", "segment", "variable", "value"]
    assert rows(found.codings, wanted) == rows(given_codings, wanted)
    wanted = ["unit", "segment", "start", "end", "quote"]
    assert rows(found.segments, wanted) == rows(given_segments, wanted)


def frames(book: Codebook, posts: list[Coded]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """CODINGS and SEGMENTS of the posts."""
    who = {"codebook": book.fingerprint, "coder": SOURCE, "replicate": 1}
    codings = [
        {**who, "unit": post.unit, "segment": segment, "variable": variable, "value": value}
        for post in posts
        for (segment, variable), value in post.codes.items()
    ]
    segments = [
        {
            **who,
            "unit": post.unit,
            "segment": str(number),
            "start": start,
            "end": end,
            "quote": post.text[start:end],
            "found": "exact",
        }
        for post in posts
        for number, (start, end) in enumerate(post.places, start=1)
    ]
    return tables.frame(tables.CODINGS, codings), tables.frame(tables.SEGMENTS, segments)


def seated(posts: list[Coded]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """TASKS and POSTS of a seat."""
    seat = {"batch": "b", "arm": "assisted", "coder": "human:ada"}
    tasks = [{**seat, "unit": post.unit, "position": place} for place, post in enumerate(posts)]
    texts = [
        {"unit": post.unit, "platform": "x", "created": "2025-10-03T08:00:00Z", "text": post.text}
        for post in posts
    ]
    return tables.frame(tables.TASKS, tasks), tables.frame(tables.POSTS, texts)


def predicted(studio: Server, task: int) -> list[dict[str, object]]:
    """What Label Studio has as the prediction of a task."""
    answer = requests.get(
        f"{studio.url}/api/predictions/",
        params={"task": task},
        headers={"Authorization": f"Token {studio.token}"},
        timeout=SECONDS,
    )
    found = [result for prediction in answer.json() for result in prediction["result"]]
    assert answer.ok
    return found


def notes(raw: list[RawTask]) -> pd.DataFrame:
    """ANNOTATIONS of what was pulled."""
    seat = {"batch": "b", "arm": "assisted", "coder": "human:ada"}
    made = [
        {
            **seat,
            "annotation": f"local:{note['id']}",
            "unit": task.unit,
            "result": json.dumps(note["result"], ensure_ascii=False),
            "cancelled": 0,
            "withdrawn": 0,
            "updated": note["updated_at"],
        }
        for task in raw
        for note in task.annotations
    ]
    return tables.frame(tables.ANNOTATIONS, made)


def rows(frame: pd.DataFrame, columns: list[str]) -> list[tuple[object, ...]]:
    return sorted(frame[columns].itertuples(index=False, name=None))
