"""Three annotators at once in Chromium, blind and assisted, on one batch. Every post is made up."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from annotating import (
    POST,
    QUOTE,
    checked,
    choice,
    dragged,
    marked,
    opened,
    refused,
    signed_in,
    stretched,
    submit,
)
from builders import own_words
from playwright.sync_api import Browser, Page, Response, expect
from running import ROOT, Labeler

from labeler.codebook import codebook
from labeler.store import tables
from labeler.studio import page as studio_page
from labeler.studio.server import server as studio_server
from labeler.studio.server.server import Server

CODERS = ("ada", "ben", "cem")
BLIND, ASSISTED = 3, 9  # each codes all blind posts, and three assisted ones of their own
BOOK = codebook.read(
    (ROOT / "codebook" / "llm-mental-health.yaml").read_text("utf-8"), source="bundled"
)
KEYS = studio_page.hotkeys(BOOK)
FIRST, LAST = "Talking", "anxiety"
NEW = {
    "condition": "anxiety",
    "perspective": "emotional_support",
    "value": "calmness",
    "product": "gpt",
}
REMARK = "Is this one use, or two? 👋🏽"

Codes = dict[tuple[str, str], str]  # (segment, variable) → value


def post(number: int) -> dict[str, str]:
    return {
        "id": f"made-up-{number}",
        "platform": "reddit",
        "date": "2025-10-03",
        "author": f"made_up_{number}",
        "text": f"👋🏽 Entry {number}, made up.\n\nTalking to ChatGPT calmed my anxiety on "
        f"day {number}. The kettle was loud, and nobody called the house. "
        f"{own_words(number)}",
    }


class Seen(NamedTuple):
    """What an annotator did: by arm and unit the codes; the quotes; the units passed over."""

    codes: dict[tuple[str, str], Codes]
    quotes: dict[tuple[str, str], list[str]]
    skipped: set[tuple[str, str]]


class Annotator(NamedTuple):
    """An annotator at work in a browser of their own, and what they know to have done."""

    name: str
    page: Page
    server: Server
    projects: dict[str, int]
    texts: dict[str, str]
    tasks: dict[tuple[str, str], int]
    suggested: dict[str, tuple[Codes, list[str]]]
    seen: Seen

    def unit(self) -> str:
        """The unit whose post is on the page."""
        shown = "".join(self.page.locator(POST).inner_text().split())
        [unit] = [unit for unit, text in self.texts.items() if "".join(text.split()) == shown]
        return unit

    def did(self, arm: str, unit: str, codes: Codes, quotes: list[str]) -> None:
        self.seen.codes[arm, unit] = codes
        self.seen.quotes[arm, unit] = quotes

    def suggestion(self, unit: str) -> tuple[Codes, list[str]]:
        codes, quotes = self.suggested[unit]
        return dict(codes), list(quotes)

    def press(self, variable: str, code: str) -> None:
        """Give a code by its key."""
        self.page.keyboard.press(KEYS[variable, code].replace("shift", "Shift"))
        label = BOOK.variable(variable).value(code).label
        expect(choice(self.page, BOOK.variable(variable).label, label)).to_be_checked()

    def check(self) -> None:
        """Choose the next quote, by key, and say that it is checked."""
        assert studio_page.MARK_KEY == "1"
        checked(self.page)

    def code_new(self, quote: int, impact: str) -> Codes:
        """Give a quote that was marked just now all its codes, by keys."""
        self.page.locator(QUOTE).nth(quote).click()
        given = {"impact": impact, **NEW}
        for variable, code in given.items():
            self.press(variable, code)
        return {(str(quote + 1), variable): code for variable, code in given.items()}

    def submit(self) -> None:
        """By key, and wait until it is kept."""
        self.page.locator(POST).hover()
        with self.page.expect_response(lambda answer: "/annotations" in answer.url) as answer:
            self.page.keyboard.press("Control+Enter")
        assert answer.value.status == 201

    def skip(self, arm: str) -> None:
        self.seen.skipped.add((arm, self.unit()))
        with self.page.expect_response(lambda answer: "/annotations" in answer.url):
            self.page.get_by_test_id("bottombar-skip-button").click()

    def leave_and_return(self, arm: str, code: str) -> None:
        """Wait until a draft with the code is kept, leave Label Studio, come back to the post."""

        def kept(answer: Response) -> bool:
            return "/drafts" in answer.url and code in (answer.request.post_data or "")

        with self.page.expect_response(kept):
            self.press("impact", code)
        self.page.goto("about:blank")
        opened(self.page, self.server, self.projects[arm])

    def revise(self, arm: str, unit: str, change: Callable[[], None]) -> None:
        """Second thoughts: open what was submitted, change it, update it."""
        at = f"{self.server.url}/projects/{self.projects[arm]}/data?task={self.tasks[arm, unit]}"
        self.page.goto(at)
        self.page.wait_for_selector(POST)
        change()
        with self.page.expect_response(lambda answer: "/annotations/" in answer.url) as answer:
            self.page.get_by_test_id("bottombar-update-button").click()
        assert answer.value.status == 200


# --- what each of them does, a post a step -----------------------------------------------------


def ada(own: Annotator) -> Iterator[None]:
    """Reads before she accepts, corrects, deletes; skips a blind post."""
    opened(own.page, own.server, own.projects["assisted"])
    yield
    unit = own.unit()
    refused(own.page, "This suggested quote is not checked yet.")
    own.page.keyboard.press(studio_page.MARK_KEY)
    own.submit()
    own.did("assisted", unit, *own.suggestion(unit))
    yield
    unit = next_post(own, unit)
    codes, quotes = own.suggestion(unit)
    own.check()
    own.press("impact", "negative")
    choice(own.page, "Condition", "Anxiety, OCD, PTSD").uncheck()  # the last of its codes
    refused(own.page, "Condition: every highlighted quote needs at least one code.")
    own.press("condition", "no_condition")
    own.submit()
    changed = {("1", "impact"): "negative", ("1", "condition"): "no_condition"}
    own.did("assisted", unit, codes | changed, quotes)
    yield
    unit = next_post(own, unit)
    own.page.keyboard.press("Alt+.")
    own.page.keyboard.press("Backspace")
    expect(own.page.locator(QUOTE)).to_have_count(0)
    own.press("relevance", "not_relevant")
    own.submit()
    own.did("assisted", unit, {("", "relevance"): "not_relevant"}, [])
    yield
    unit = yield from blind(own, "positive")
    own.skip("blind")
    yield


def ben(own: Annotator) -> Iterator[None]:
    """Adds a quote, moves the border of another, skips one; leaves a comment on a blind post."""
    opened(own.page, own.server, own.projects["assisted"])
    yield
    unit = own.unit()
    codes, quotes = own.suggestion(unit)
    own.check()
    own.page.keyboard.press("Escape")
    marked(own.page, "nobody", "house")
    expect(own.page.locator(QUOTE)).to_have_count(2)
    codes |= own.code_new(1, "negative")
    own.submit()
    own.did("assisted", unit, codes, [*quotes, "nobody called the house"])
    yield
    unit = next_post(own, unit)
    codes, _ = own.suggestion(unit)
    own.check()
    stretched(own.page, LAST)
    expect(own.page.locator(QUOTE)).to_have_text("Talking to ChatGPT calmed my anxiety")
    own.submit()
    own.did("assisted", unit, codes, ["Talking to ChatGPT calmed my anxiety"])
    yield
    next_post(own, unit)
    own.skip("assisted")
    yield
    unit = yield from blind(own, "negative")
    own.press("relevance", "unclear")
    own.page.locator("input[name=coder-comment]").fill(REMARK)
    submit(own.page)
    own.did("blind", unit, {("", "relevance"): "unclear"}, [])
    yield


def cem(own: Annotator) -> Iterator[None]:
    """Leaves and returns, asks the investigator, and thinks again after he submitted."""
    opened(own.page, own.server, own.projects["assisted"])
    yield
    unit = own.unit()
    codes, quotes = own.suggestion(unit)
    own.check()
    assert codes["1", "impact"] == "neutral"
    own.leave_and_return("assisted", "positive")
    assert own.unit() == unit
    own.page.keyboard.press("Alt+.")
    expect(choice(own.page, "Impact", "Positive")).to_be_checked()
    own.submit()
    own.did("assisted", unit, codes | {("1", "impact"): "positive"}, quotes)
    first = unit
    yield
    unit = next_post(own, unit)
    codes, quotes = own.suggestion(unit)
    own.check()
    own.page.keyboard.press(studio_page.ASK_KEY)
    own.page.locator("input[name=coder-comment]").fill(REMARK)
    own.page.keyboard.press("Enter")
    submit(own.page)  # keys belong to the line while one writes there
    own.did("assisted", unit, codes | {("", studio_page.ASK): studio_page.UNCLEAR}, quotes)
    yield
    unit = next_post(own, unit)
    own.check()
    own.submit()
    own.did("assisted", unit, *own.suggestion(unit))
    yield
    unit = yield from blind(own, "neutral")
    own.press("relevance", "not_relevant")
    own.submit()
    own.did("blind", unit, {("", "relevance"): "not_relevant"}, [])
    yield
    own.revise("blind", unit, lambda: own.press("relevance", "unclear"))
    own.did("blind", unit, {("", "relevance"): "unclear"}, [])

    def worse() -> None:
        own.page.locator(QUOTE).first.click()
        own.press("impact", "negative")

    own.revise("assisted", first, worse)
    own.seen.codes["assisted", first]["1", "impact"] = "negative"


def blind(own: Annotator, impact: str) -> Generator[None, None, str]:
    """A post with a quote, and one without; the third is on the page afterwards: its unit."""
    opened(own.page, own.server, own.projects["blind"])
    yield
    expect(own.page.locator(QUOTE)).to_have_count(0)
    expect(own.page.locator(".question input:checked")).to_have_count(0)
    unit = own.unit()
    own.press("relevance", "relevant")
    dragged(own.page, FIRST, LAST)
    expect(own.page.locator(QUOTE)).to_have_count(1)
    codes = own.code_new(0, impact)
    own.submit()
    quote = "Talking to ChatGPT calmed my anxiety"
    own.did("blind", unit, codes | {("", "relevance"): "relevant"}, [quote])
    yield
    unit = next_post(own, unit)
    own.press("relevance", "not_relevant")
    own.submit()
    own.did("blind", unit, {("", "relevance"): "not_relevant"}, [])
    yield
    return next_post(own, unit)


def next_post(own: Annotator, before: str) -> str:
    """Wait for the post after `before`: its unit."""
    expect(own.page.locator(POST)).not_to_contain_text(own.texts[before].splitlines()[0])
    return own.unit()


# --- the batch ---------------------------------------------------------------------------------


@pytest.fixture
def study(studio: Server, tmp_path: Path) -> Labeler:
    """A study whose batch is pushed: twelve posts, each with one use that the cues coder finds."""
    root = tmp_path / "study"
    made = Labeler(root, {"LABELER_STUDIO_URL": studio.url, "LABEL_STUDIO_API_KEY": studio.token})
    made("init")
    lines = [json.dumps(post(number)) for number in range(10, 10 + BLIND + ASSISTED)]
    (root / "posts.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    made("ingest", root / "posts.jsonl")
    for name in CODERS:
        made("coders", "add", name, "--email", f"{name}.three@example.org")
    made("prelabel", "--coder", "cues")
    counts = ["--blind", str(BLIND), "--overlap", "3", "--assisted", str(ASSISTED)]
    made("sample", "--batch", "three", "--coders", ",".join(CODERS), *counts)
    made("push")
    return made


def annotators(study: Labeler, studio: Server, browser: Browser) -> Iterator[Annotator]:
    posts = study.table(tables.POSTS)
    seats, tasks = study.table(tables.SEATS), study.table(tables.TASKS)
    codings, segments = study.table(tables.CODINGS), study.table(tables.SEGMENTS)
    for name in CODERS:
        email = f"{name}.three@example.org"
        account = studio_server.account(studio, email=email, password="made-up-pass")
        own = seats[seats["coder"] == f"human:{name}"]
        theirs = tasks[tasks["coder"] == f"human:{name}"]
        yield Annotator(
            name,
            signed_in(browser, studio, account),
            studio,
            {arm: int(project) for arm, project in zip(own["arm"], own["project"], strict=True)},
            dict(zip(posts["unit"], posts["text"], strict=True)),
            {(row.arm, row.unit): int(row.studio_task) for row in theirs.itertuples()},
            {
                unit: (codes_of(codings[codings["unit"] == unit]), list(group["quote"]))
                for unit, group in segments.groupby("unit")
            },
            Seen({}, {}, set()),
        )


def codes_of(codings: pd.DataFrame) -> Codes:
    return {(row.segment, row.variable): row.value for row in codings.itertuples()}


def test_three_annotators_at_once(study: Labeler, studio: Server, browser: Browser) -> None:
    """After the pull the codings are exactly what each of them did, each under their own name."""
    people = list(annotators(study, studio, browser))
    at_work = [does(own) for does, own in zip((ada, ben, cem), people, strict=True)]
    while at_work:
        at_work = [work for work in at_work if next(work, True) is None]
    for own in people:
        own.page.context.close()
    told = study("pull", "--json").json
    codings, segments = study.table(tables.CODINGS), study.table(tables.SEGMENTS)
    for own in people:
        mine = codings[codings["coder"] == f"human:{own.name}"]
        found = {key: codes_of(rows) for key, rows in mine.groupby(["arm", "unit"])}
        assert found == own.seen.codes
        quotes = segments[segments["coder"] == f"human:{own.name}"].sort_values("start")
        for key, expected in own.seen.quotes.items():
            there = quotes[(quotes["arm"] == key[0]) & (quotes["unit"] == key[1])]
            assert list(there["quote"]) == expected
    notes = study.table(tables.ANNOTATIONS)
    assert all(
        row.completed_by == f"{row.coder.removeprefix('human:')}.three@example.org"
        for row in notes.itertuples()
    )
    passed = notes[notes["cancelled"] == 1]
    assert set(zip(passed["coder"], passed["arm"], passed["unit"], strict=True)) == {
        (f"human:{own.name}", *where) for own in people for where in own.seen.skipped
    }
    kinds = sorted((one["coder"], one["kind"], one["detail"]) for one in told["findings"])
    assert [(coder, kind) for coder, kind, _ in kinds] == [
        ("human:ada", "skipped"),
        ("human:ben", "comment"),
        ("human:ben", "skipped"),
        ("human:cem", "ask-the-pi"),
    ]
    assert [kinds[1][2], kinds[3][2]] == [REMARK, REMARK]
