"""Three coders at once in Chromium, whose drafts are kept while they work. All is made up."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from annotating import POST, choice, opened, signed_in
from playwright.sync_api import Browser, Page, Response, expect
from running import Labeler, sample_posts
from test_annotators import BOOK

from labeler.store import tables
from labeler.studio.server import server as studio_server
from labeler.studio.server.server import Server

CODERS = ("ada", "ben", "cem")
POSTS = 3  # of each coder
CODES = ("not_relevant", "unclear", "not_relevant")


@pytest.fixture
def study(studio: Server, tmp_path: Path) -> Labeler:
    """A study whose blind batch is pushed: three posts for each coder."""
    root = tmp_path / "study"
    made = Labeler(root, {"LABELER_STUDIO_URL": studio.url, "LABEL_STUDIO_API_KEY": studio.token})
    made("init")
    made("ingest", sample_posts(root / "posts.jsonl", POSTS * len(CODERS)))
    for name in CODERS:
        made("coders", "add", name, "--email", f"{name}.room@example.org")
    counts = ["--blind", str(POSTS * len(CODERS)), "--overlap", "1", "--assisted", "0"]
    made("sample", "--batch", "room", "--coders", ",".join(CODERS), *counts, "--suggester", "")
    made("push")
    return made


def desks(study: Labeler, studio: Server, browser: Browser) -> dict[str, Page]:
    """A browser of each coder's own, with the first post of the seat."""
    projects = dict(study.table(tables.SEATS)[["coder", "project"]].itertuples(index=False))
    found = {}
    for name in CODERS:
        email = f"{name}.room@example.org"
        account = studio_server.account(studio, email=email, password="made-up-pass")
        found[name] = signed_in(browser, studio, account)
        opened(found[name], studio, int(projects[f"human:{name}"]))
    return found


def kept(answer: Response) -> bool:
    """Whether a draft was kept."""
    return "/drafts" in answer.url and answer.request.method in ("POST", "PATCH")


def stored(answer: Response) -> bool:
    """Whether a submission was stored."""
    return "/annotations" in answer.url and answer.request.method == "POST"


def coded(pages: list[Page], code: str) -> None:
    """All give their post a code, wait until that is kept as a draft, and submit at once."""
    variable = BOOK.variable("relevance")
    with ExitStack() as waiting:
        drafts = [waiting.enter_context(page.expect_response(kept)) for page in pages]
        for page in pages:
            choice(page, variable.label, variable.value(code).label).check()
    assert {one.value.status for one in drafts} <= {200, 201}
    with ExitStack() as waiting:
        sent = [waiting.enter_context(page.expect_response(stored)) for page in pages]
        for page in pages:
            page.get_by_test_id("bottombar-submit-button").click()
    for one in sent:
        assert one.value.status == 201
        assert one.value.request.post_data_json["draft_id"]


def test_three_coders_at_once_with_drafts(study: Labeler, studio: Server, browser: Browser) -> None:
    """Each submission is stored once, under its coder, with the codes that were given."""
    pages = list(desks(study, studio, browser).values())
    for place, code in enumerate(CODES):
        texts = [page.locator(POST).inner_text() for page in pages]
        coded(pages, code)
        if place + 1 < len(CODES):
            for page, text in zip(pages, texts, strict=True):
                expect(page.locator(POST)).not_to_contain_text(text.splitlines()[0])
    for page in pages:
        page.context.close()
    done = study("pull", "--json").json
    assert (done["coded"], done["withdrawn"], done["findings"]) == (POSTS * len(CODERS), 0, [])
    notes = study.table(tables.ANNOTATIONS)
    assert len(notes) == POSTS * len(CODERS)
    assert set(notes["copy_of"]) == {""}
    assert (notes["draft"] != "").all()
    codings = study.table(tables.CODINGS)
    people = codings[codings["variable"] == "relevance"]
    for name in CODERS:
        own = people[people["coder"] == f"human:{name}"]
        assert sorted(own["value"]) == sorted(CODES)
        assert own["unit"].nunique() == POSTS
