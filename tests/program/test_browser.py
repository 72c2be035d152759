"""An annotator's work in a real Chromium against a real Label Studio. Every post is made up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd
import pytest
from annotating import choice, marked, opened, question, refused, searched, signed_in, submit
from places import ROOT
from playwright.sync_api import Browser, Page, expect

from labeler.codebook import codebook
from labeler.store import tables
from labeler.studio import annotations, config
from labeler.studio import page as studio_page
from labeler.studio.client.studio import Studio
from labeler.studio.server import server
from labeler.studio.server.server import Account, Server

STUDIO = ROOT / "templates" / "studio"
BOOK = codebook.read(
    """
codebook: browser
version: "1.0"
title: A made-up codebook
about: Made-up posts on made-up helpers.
segments: {segment: use, label: Reported use, definition: Words that report a use.}
variables:
  - variable: relevance
    of: unit
    label: Relevance
    question: Does the post report a use?
    level: nominal
    values:
      - code: relevant
        label: Relevant, yes
        definition: It does.
        examples: ["It cost $5 & <b>more</b>"]
      - {code: not_relevant, label: Not relevant, definition: It does not.}
  - variable: strength
    of: unit
    label: Strength
    question: How strong is the report?
    level: interval
    minimum: 0
    maximum: 10
    applies_when: {relevance: [relevant]}
  - variable: words
    of: unit
    label: Words
    question: Which words stand in it?
    level: nominal
    multiple: true
    required: false
    none: neither_of_them
    applies_when: {relevance: [not_relevant]}
    values:
      - {code: odd, label: Odd, definition: Odd words.}
      - {code: plain, label: Plain, definition: Plain words.}
      - {code: neither_of_them, label: None of them, definition: No such words.}
  - variable: impact
    of: segment
    label: Impact
    question: What did the use do?
    level: nominal
    values:
      - {code: positive, label: Positive, definition: It helped.}
      - {code: negative, label: Negative, definition: It hurt.}
  - variable: harm
    of: segment
    label: Harm
    question: Which harm?
    level: nominal
    applies_when: {impact: [negative]}
    values:
      - {code: worry, label: Worry, definition: Worry is told., group: Of the mind}
      - {code: loss, label: Loss, definition: Loss is told.}
  - variable: topic
    of: segment
    label: Topic
    question: What is it about?
    level: nominal
    multiple: true
    required: false
    none: neither
    values:
      - {code: sleep, label: Sleep, definition: Sleep is told.}
      - {code: work, label: Work, definition: Work is told.}
      - {code: neither, label: Neither, definition: Nothing of it is told.}
""",
    source="browser",
)
TEXT = "👩‍👩‍👧 🇩🇪 Café, made up: my helper\n\nkeeps me awake & costs $5. <b>Odd</b> things."
QUOTE = "my helper\n\nkeeps me awake"
INVENTED = "words <b>nobody</b> *wrote* for $9"
SOURCE = "cues@a1b2c3"
WHO = {"codebook": BOOK.fingerprint, "coder": SOURCE, "replicate": 1}


class Desk(NamedTuple):
    """A coder's account and the two projects with one made-up post each."""

    account: Account
    admin: Studio
    assisted: int
    blind: int


def coding(unit: str, segment: str, variable: str, value: str) -> dict[str, object]:
    return {**WHO, "unit": unit, "segment": segment, "variable": variable, "value": value}


def frames(arm: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """TASKS and POSTS of one post."""
    task = {"batch": "b", "arm": arm, "coder": "human:ada", "unit": arm, "position": 1}
    post = {"unit": arm, "platform": "reddit", "created": "2025-10-03T08:00:00Z", "text": TEXT}
    return tables.frame(tables.TASKS, [task]), tables.frame(tables.POSTS, [post])


@pytest.fixture(scope="module")
def desk(studio: Server) -> Desk:
    account = server.account(studio, email="ada.desk@example.org", password="made-up-pass")
    admin = Studio(studio.url, studio.token, server="local")
    start = TEXT.index(QUOTE)
    segment = {
        **WHO,
        "unit": "assisted",
        "segment": "1",
        "found": "exact",
        "start": start,
        "end": start + len(QUOTE),
        "quote": QUOTE,
    }
    invented = {**segment, "segment": "2", "found": "missing", "start": -1, "end": -1}
    segments = tables.frame(tables.SEGMENTS, [segment, {**invented, "quote": INVENTED}])
    codings = [
        coding("assisted", "2", "impact", "negative"),
        coding("assisted", "", "relevance", "relevant"),
        coding("assisted", "", "strength", "3"),
        coding("assisted", "1", "impact", "positive"),
        coding("assisted", "1", "topic", "sleep+work"),
    ]
    given = tables.frame(tables.CODINGS, codings)
    shown = config.predictions(given, segments, BOOK, version=SOURCE)
    notes = config.unsupported(given, segments, BOOK)
    projects = {}
    for arm in ("assisted", "blind"):
        predictions = shown if arm == "assisted" else None
        projects[arm], _ = admin.project(
            f"browser {arm}",
            title=f"made up: {arm}",
            config=config.config(BOOK, template=(STUDIO / "config.jinja").read_text()),
            instructions=config.instructions(
                BOOK, template=(STUDIO / "instructions.jinja").read_text(), arm=arm
            ),
            suggestions=arm == "assisted",
        )
        made = config.payload(*frames(arm), predictions, notes)
        admin.import_tasks(projects[arm], made)
    admin.set_model_version(projects["assisted"], SOURCE)
    return Desk(account, admin, **projects)


@pytest.fixture
def page(browser: Browser, studio: Server, desk: Desk) -> Iterator[Page]:
    """The coder's browser, logged in."""
    page = signed_in(browser, studio, desk.account)
    yield page
    page.context.close()


def pulled(desk: Desk, project: int, arm: str) -> annotations.ParsedAnnotations:
    """What the project's annotations are as codings."""
    [task] = desk.admin.changes(project, since="")
    people = desk.admin.users()
    rows = [
        {
            "annotation": f"local:{note['id']}",
            "batch": "b",
            "arm": arm,
            "coder": "human:ada",
            "unit": task.unit,
            "completed_by": people[note["completed_by"]],
            "result": json.dumps(note["result"]),
            "cancelled": int(note["was_cancelled"]),
            "withdrawn": 0,
            "updated": note["updated_at"],
        }
        for note in task.annotations
    ]
    emails = {"human:ada": desk.account.email}
    notes = tables.frame(tables.ANNOTATIONS, rows)
    return annotations.parse(notes, *frames(arm), BOOK, emails=emails)


def values(parsed: annotations.ParsedAnnotations) -> dict[tuple[str, str], str]:
    rows = parsed.codings[["segment", "variable", "value"]].itertuples(index=False, name=None)
    return {(segment, variable): value for segment, variable, value in rows}


def test_a_quote_that_the_post_does_not_hold_is_told_of(
    page: Page, studio: Server, desk: Desk
) -> None:
    """The assisted page says which suggested quote is not there, as plain text; the blind none."""
    opened(page, studio, desk.assisted)
    note = page.locator(".note")
    expect(note).to_have_text(f"{config.UNSUPPORTED} “{INVENTED}” (Impact: Negative)")
    opened(page, studio, desk.blind)
    expect(note).to_have_text("")


def test_codebook_entry_is_one_click_away(page: Page, studio: Server, desk: Desk) -> None:
    """The full entry of a code opens on the page, with its text unharmed."""
    opened(page, studio, desk.blind)
    question(page, "Relevance").locator("summary").click()
    entry = question(page, "Relevance").locator("details")
    expect(entry.get_by_text("It cost $5 & <b>more</b>")).to_be_visible()


def test_annotator_corrects_a_suggestion(page: Page, studio: Server, desk: Desk) -> None:
    """The suggestion is prefilled at its place; the corrected codes are what is pulled."""
    opened(page, studio, desk.assisted)
    expect(page.locator(".htx-highlight")).to_have_text(["my helper", "keeps me awake"])
    expect(page.locator(".lsf-htx-richtext")).to_contain_text("& costs $5. <b>Odd</b> things.")
    expect(choice(page, "Relevance", "Relevant, yes")).to_be_checked()
    expect(question(page, "Strength").locator("input")).to_have_value("3")
    expect(page.get_by_text(f"{config.UNCHECKED} 1")).to_be_visible()
    expect(question(page, "Impact")).to_be_hidden()
    refused(page, "This suggested quote is not checked yet.")
    expect(page.get_by_text(f"{config.UNCHECKED} 1")).to_be_hidden()
    expect(choice(page, "Impact", "Positive")).to_be_checked()
    expect(choice(page, "Topic", "Sleep")).to_be_checked()
    expect(choice(page, "Topic", "Work")).to_be_checked()
    expect(question(page, "Harm")).to_be_hidden()
    choice(page, "Impact", "Negative").check()
    needs = question(page, "Harm").get_by_text("Needs one code.")
    expect(needs).to_be_visible()
    searched(page, "Harm", "Worry")
    expect(needs).to_be_hidden()
    alone = page.get_by_text("Neither stands alone: take it away, or the other codes.", exact=True)
    expect(alone).to_be_hidden()
    choice(page, "Topic", "Neither").check()
    expect(alone).to_be_visible()
    choice(page, "Topic", "Neither").uncheck()
    expect(alone).to_be_hidden()
    choice(page, "Topic", "Work").uncheck()
    choice(page, "Topic", "Sleep").uncheck()
    page.keyboard.press(studio_page.MARK_KEY)
    submit(page)
    parsed = pulled(desk, desk.assisted, "assisted")
    assert parsed.findings.to_dict("records") == []
    assert list(parsed.segments["quote"]) == [QUOTE]
    assert values(parsed) == {
        ("", "relevance"): "relevant",
        ("", "strength"): "3",
        ("1", "impact"): "negative",
        ("1", "harm"): "worry",
        ("1", "topic"): "",
    }


def test_blind_coder_sees_no_code(page: Page, studio: Server, desk: Desk) -> None:
    """A blind page is empty, insists on what is required, and hides what does not apply."""
    opened(page, studio, desk.blind)
    expect(page.locator(".htx-highlight")).to_have_count(0)
    expect(page.locator(".question input:checked")).to_have_count(0)
    refused(page, "Relevance: needs one code.")
    expect(question(page, "Strength")).to_be_hidden()
    choice(page, "Relevance", "Relevant, yes").check()
    expect(question(page, "Strength")).to_be_visible()
    choice(page, "Relevance", "Not relevant").check()
    expect(question(page, "Strength")).to_be_hidden()
    choice(page, "Words", "None of them").check()
    choice(page, "Words", "Odd").check()
    refused(page, "Words: None of them stands alone: take it away, or the other codes.")
    choice(page, "Words", "Odd").uncheck()
    marked(page, "helper", "awake")
    expect(page.locator(".htx-highlight")).to_have_text(["helper", "keeps me awake"])
    page.locator(".htx-highlight").first.click()
    choice(page, "Impact", "Positive").check()
    submit(page)
    parsed = pulled(desk, desk.blind, "blind")
    assert parsed.findings.to_dict("records") == []
    assert list(parsed.segments["quote"]) == ["helper\n\nkeeps me awake"]
    assert values(parsed) == {
        ("", "relevance"): "not_relevant",
        ("", "words"): "neither_of_them",
        ("1", "impact"): "positive",
        ("1", "topic"): "",
    }
