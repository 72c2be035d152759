"""Texts that break others, through push, browser and pull. Every post is made up."""

from __future__ import annotations

import json
from pathlib import Path

from annotating import POST, checked, opened
from builders import own_words
from playwright.sync_api import Browser, Page
from running import Labeler

from labeler.store import database, tables
from labeler.studio.client.studio import Studio
from labeler.studio.server import server
from labeler.studio.server.server import Server

BOOK = """
codebook: odd
version: "1.0"
title: A made-up codebook
about: Made-up posts.
segments: {segment: use, label: Use, definition: Words that report a use.}
variables:
  - variable: tone
    of: unit
    label: Tone
    question: Which tone?
    level: nominal
    required: false
    values:
      - {code: glad, label: Glad, definition: It is glad., cues: [my helper]}
      - {code: sad, label: Sad, definition: It is sad.}
  - variable: impact
    of: segment
    label: Impact
    question: What did it do?
    level: nominal
    required: false
    values:
      - {code: good, label: Good, definition: It helped.}
      - {code: bad, label: Bad, definition: It hurt.}
"""
QUOTE = "my helper & I"
BEFORE = [
    "👩‍👩‍👧 🇩🇪🏳️‍🌈 family and flags: ",
    "שלום עולם مرحبا ",
    "Cafe\u0301 n\u0303a\u0308 ",
    "no\u00a0break\u00a0space\u2028and\u2029lines ",
    "one\r\ntwo\r\n\r\n  three ",
    "<script>alert('x')</script><b>bold</b> ",
    "$5 and $text and ${text} ",
    "\"double\" 'single' `back` \\n \\\\ ",
    "&amp; &lt; & ",
    "NUL\x00here ",
    "half a character \ud83d here ",
    "long " * 20_000,
]
CLEAN = {"\r\n": "\n", "\x00": "", "\ud83d": ""}
PLACE = """words => {
  const walk = document.createTreeWalker(document.querySelector(".lsf-htx-richtext"), 4);
  for (let node; (node = walk.nextNode()); ) {
    const start = node.data.indexOf(words);
    if (start < 0) continue;
    const box = at => {
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + 1);
      const { left, right, top, bottom } = range.getBoundingClientRect();
      return { left, right, middle: (top + bottom) / 2 };
    };
    for (let outer = node.parentElement; outer; outer = outer.parentElement) {
      outer.scrollTop += Math.max(0, box(start).middle - innerHeight / 2);
    }
    return [box(start), box(start + words.length - 1)];
  }
}"""


CHANGED = """([post, before]) => {
  const shown = document.querySelector(post);
  return shown && shown.innerText.trim() && shown.innerText !== before;
}"""


def clean(text: str) -> str:
    for bad, good in CLEAN.items():
        text = text.replace(bad, good)
    return text


def logged_in(browser: Browser, studio: Server, email: str) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{studio.url}/user/login/")
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", "made-up-pass")
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "login" not in url, wait_until="commit")
    return page


def marked(page: Page) -> None:
    """Drag over the quote, as a person does; once more where the page was not ready for it."""
    for attempt in range(3):
        if attempt:
            page.keyboard.press("1")
        first, last = page.evaluate(PLACE, QUOTE)
        page.mouse.move(first["left"] + 1, first["middle"])
        page.mouse.down()
        page.mouse.move(last["right"] - 1, last["middle"], steps=8)
        page.mouse.up()
        page.wait_for_timeout(300)
        if page.locator(".htx-highlight").count():
            return
    raise AssertionError(f"nothing could be marked in {page.url}")


def submitted(page: Page) -> None:
    with page.expect_response(
        lambda answer: "/annotations" in answer.url and answer.request.method == "POST"
    ) as answer:
        page.get_by_test_id("bottombar-submit-button").click()
    assert answer.value.status == 201


def test_odd_texts_come_back_unchanged(studio: Server, browser: Browser, tmp_path: Path) -> None:
    """What was suggested before odd signs, and what a person marks after them, is where it was.

    Half of the posts are accepted as suggested, half are coded blind by dragging over the words.
    """
    own = {"LABELER_STUDIO_URL": studio.url, "LABEL_STUDIO_API_KEY": studio.token}
    labeler = Labeler(tmp_path, own)
    (tmp_path / "codebook").mkdir()
    (tmp_path / "codebook" / "odd.yaml").write_text(BOOK, "utf-8")
    wanted = [f"{text}{QUOTE}, {own_words(n)}" for n, text in enumerate(BEFORE + BEFORE)]
    rows = [{"id": f"odd-{n}", "platform": "x", "text": text} for n, text in enumerate(wanted)]
    path = tmp_path / "made-up.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "ascii")
    labeler("ingest", path)
    posts = labeler.table(tables.POSTS)
    assert sorted(posts["text"]) == sorted(map(clean, wanted))
    labeler("prelabel", "--coder", "cues")
    suggest(labeler)
    server.account(studio, email="ada.odd@example.org", password="made-up-pass")
    labeler("coders", "add", "ada", "--email", "ada.odd@example.org")
    half = str(len(BEFORE))
    draw = ["--overlap", "1", "--blind", half, "--assisted", half]
    labeler("sample", "--batch", "odd", "--coders", "ada", *draw)
    seats = {seat["arm"]: seat["project"] for seat in labeler("push", "--json").json}
    text = dict(zip(posts["unit"], posts["text"], strict=True))
    admin = Studio(studio.url, studio.token, server="local")
    for project in seats.values():
        for task in admin.changes(project, since=""):
            assert task.text == text[task.unit]
    page = logged_in(browser, studio, "ada.odd@example.org")
    tasks = labeler.table(tables.TASKS)
    for arm, own in tasks.groupby("arm"):
        opened(page, studio, seats[arm])
        for last in [False] * (len(own) - 1) + [True]:
            if arm == "blind":
                marked(page)
            else:
                checked(page)
            shown = page.locator(POST).inner_text()
            submitted(page)
            if not last:
                page.wait_for_function(CHANGED, arg=[POST, shown])
    page.context.close()
    done = labeler("pull", "--json").json
    assert done["coded"] == 2 * len(BEFORE)
    assert done["findings"] == []
    spans = labeler.table(tables.SEGMENTS)
    own_spans = spans[spans["coder"] == "human:ada"]
    assert sorted(own_spans["unit"]) == sorted(text)
    for span in own_spans.itertuples():
        start = text[span.unit].index(QUOTE)
        found = (span.start, span.end, span.quote)
        if span.arm == "assisted":
            assert found == (start, start + len(QUOTE), QUOTE)
        else:  # a drag ends at the words' borders, which Label Studio chooses
            assert text[span.unit][span.start : span.end] == span.quote
            assert span.quote.strip() in (QUOTE, f"{QUOTE},")
    assert set(done["changes"]) == {"accepted"}


def suggest(labeler: Labeler) -> None:
    """Let the cues have suggested the quote in each post, at its place."""
    posts = labeler.table(tables.POSTS)
    [done] = labeler.table(tables.COMPLETIONS)[["codebook", "coder"]].drop_duplicates().itertuples()
    rows = [
        {
            "codebook": done.codebook,
            "coder": done.coder,
            "replicate": 1,
            "unit": post.unit,
            "segment": "1",
            "start": post.text.index(QUOTE),
            "end": post.text.index(QUOTE) + len(QUOTE),
            "quote": QUOTE,
            "found": "exact",
        }
        for post in posts.itertuples()
    ]
    engine = database.connect(f"sqlite:///{labeler.root}/.labeler/labeler.db")
    database.mirror(engine, tables.SEGMENTS, tables.frame(tables.SEGMENTS, rows))
    engine.dispose()
