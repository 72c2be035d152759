"""What annotators do in the browser: sign in, open a seat, mark, choose, submit."""

from __future__ import annotations

from playwright.sync_api import Browser, Locator, Page, expect
from waiting import until

from labeler.studio.server.server import Account, Server

PLACE = """words => {
  const walk = document.createTreeWalker(document.querySelector(".lsf-htx-richtext"), 4);
  for (let node; (node = walk.nextNode()); ) {
    const start = node.data.indexOf(words);
    if (start < 0) continue;
    const range = document.createRange();
    range.setStart(node, start);
    range.setEnd(node, start + words.length);
    const { left, right, top, bottom } = range.getBoundingClientRect();
    return { left, right, middle: (top + bottom) / 2 };
  }
}"""
POST = ".lsf-htx-richtext"
QUOTE = ".htx-highlight"


def signed_in(browser: Browser, server: Server, account: Account) -> Page:
    """A browser of the annotator's own, signed in; whoever asks for it closes its context."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{server.url}/user/login/")
    page.fill("input[name=email]", account.email)
    page.fill("input[name=password]", account.password)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "login" not in url, wait_until="commit")
    return page


def opened(page: Page, server: Server, project: int) -> None:
    """The next post of a seat, its instructions closed."""
    page.goto(f"{server.url}/projects/{project}/data?labeling=1")
    page.wait_for_selector(POST)
    page.get_by_role("button", name="Close modal").click()  # the instructions


def question(page: Page, label: str) -> Locator:
    heading = page.get_by_role("heading", name=label, exact=True)
    return page.locator(".question").filter(has=heading).last


def choice(page: Page, variable: str, label: str) -> Locator:
    return question(page, variable).locator(f'input[name="{label}"]')


def dragged(page: Page, first: str, last: str) -> None:
    """Drag over the post from a word to another; whole words are taken."""
    start, end = page.evaluate(PLACE, first), page.evaluate(PLACE, last)
    page.mouse.move(start["left"] + 8, start["middle"])
    page.mouse.down()
    page.mouse.move(end["right"] - 8, end["middle"], steps=12)
    page.mouse.up()


def marked(page: Page, first: str, last: str) -> None:
    """Mark a further stretch of the post as a segment: the key of its label, then drag."""
    page.keyboard.press("1")
    dragged(page, first, last)


def stretched(page: Page, last: str) -> None:
    """Drag the end of the chosen quote to the end of a word."""
    handle = page.locator(".__resize_right").bounding_box()
    assert handle is not None
    end = page.evaluate(PLACE, last)
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["right"] + 20, end["middle"], steps=6)
    page.mouse.move(end["right"] - 3, end["middle"], steps=6)
    page.mouse.up()


def checked(page: Page) -> None:
    """Choose the next suggested quote by key, look at it, and say by key that it is checked.

    The key counts from a moment after the quote's questions show, as for a person who reads them.
    """
    told = page.get_by_text("Suggested, not yet checked")
    page.keyboard.press("Alt+.")
    expect(told).to_be_visible()
    for _ in range(10):
        page.wait_for_timeout(400)
        if not told.is_visible():
            return
        page.keyboard.press("1")
    expect(told).to_be_hidden()


def submit(page: Page) -> None:
    with page.expect_response(lambda answer: "/annotations" in answer.url) as answer:
        page.get_by_test_id("bottombar-submit-button").click()
    assert answer.value.status == 201


def refused(page: Page, message: str) -> None:
    """Try to submit, and be told why not; a click while the message still opens may be lost."""
    told = page.get_by_text(message)
    page.get_by_test_id("bottombar-submit-button").click()
    expect(told).to_be_visible()

    def closed() -> bool:
        if told.is_visible():
            page.get_by_role("button", name="OK").dispatch_event("click")
            page.wait_for_timeout(400)
        return not told.is_visible()

    until(closed, what="the end of the message")
    expect(told).to_be_hidden()


def searched(page: Page, variable: str, label: str) -> None:
    """Take a code from a tree: open it, type, tick what is found, close it."""
    question(page, variable).locator(".ant-select-selector").click()
    page.get_by_test_id("taxonomy-search").fill(label)
    found = page.locator(".ant-select-tree-treenode").filter(has_text=label)
    found.locator(".ant-select-tree-checkbox").click()
    page.keyboard.press("Escape")
    expect(question(page, variable).locator(".ant-select-selection-item")).to_have_text(label)
