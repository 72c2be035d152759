"""The pages: what they show, what they never show, and how they refuse."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import waitress
import walks_study as study
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from labeler.project import Project
from labeler.store import database as store
from labeler.store import tables
from labeler.studio import page as studio_page
from labeler.web import create_app
from labeler.web.report import selection

UNIT = f"/units/{study.FIRST}"
COUNTS = ("tasks", "coded", "answered")
PAGES = [
    "/",
    "/reliability",
    "/assessments",
    "/disagreements",
    "/disagreements?variable=relevance",
    "/estimates",
    "/codebook",
    "/runs",
    UNIT,
]


@contextmanager
def pages(folder: Path, database: str, **options: list[str]) -> Iterator[Flask]:
    """The pages over a store, let go of in the end."""
    app = create_app(Project(root=folder, database=database), **options)
    try:
        yield app
    finally:
        app.extensions[selection.STORE].dispose()


@pytest.fixture
def database(tmp_path: Path) -> str:
    """The address of a fresh store with the study in it."""
    url = f"sqlite:///{tmp_path / 'labeler.db'}"
    study.fill(url)
    return url


@pytest.fixture
def app(database: str, tmp_path: Path) -> Iterator[Flask]:
    """The pages over the study."""
    with pages(tmp_path, database) as app:
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Someone who asks for pages on loopback."""
    return app.test_client()


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The pages on a free port of loopback, by waitress as `labeler serve` does it."""
    server = waitress.create_server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(10)


def rows(client: FlaskClient, path: str) -> list[dict[str, str]]:
    """A page's table, read back from CSV."""
    answer = client.get(path)
    assert answer.content_type == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text)))


def words(client: FlaskClient, path: str) -> str:
    """What a page says, its marks left out."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_overview_says_what_is_there(client: FlaskClient) -> None:
    """Platforms, tasks done and pending, errors of completions and the gate's word are shown."""
    page = words(client, "/")
    assert "reddit 1 2026-03-02" in page
    assert f"{study.MODEL} model 3 refusal 1" in page
    assert "Relevance &lt;i&gt;of it&lt;/i&gt; ✕ fail α −.200 [−.500, .100]" in page


def test_progress_counts_standing_annotations_once(client: FlaskClient) -> None:
    """A withdrawn annotation is pending again, a skip is no coding, twice given counts once."""
    seats = {row["coder"]: row for row in rows(client, "/?format=csv")}
    counts = {coder: [row[n] for n in COUNTS] for coder, row in seats.items()}
    assert counts["human:ann"] == counts["human:bob"] == ["2", "2", "2"]
    assert counts["human:cy"] == ["2", "0", "1"]


def test_only_the_seats_own_newest_annotation_codes(client: FlaskClient, database: str) -> None:
    """A later skip, or another account's annotation, takes a coder out of the comparison."""
    path = "/disagreements?variable=relevance&format=csv"
    engine = store.connect(database)
    notes = store.read(engine, tables.ANNOTATIONS, coder="human:bob", unit=study.FIRST)
    for change in ({"completed_by": "eve@x.example"}, {"completed_by": "bob@x.example"}):
        store.mirror(engine, tables.ANNOTATIONS, notes.assign(**change))
        study.compare(engine)
        humans = [row for row in rows(client, path) if row["panel"] == "humans"]
        assert len(humans) == (0 if "eve" in change["completed_by"] else 2)
    skip = notes.assign(annotation="local:99", updated="2027", cancelled=1)
    store.mirror(engine, tables.ANNOTATIONS, skip)
    study.compare(engine)
    assert not [row for row in rows(client, path) if row["panel"] == "humans"]


def test_remarks_are_listed_for_the_investigator(client: FlaskClient, database: str) -> None:
    """What a coder found unclear, or wrote to a skip, stands on two pages: on the post's too."""
    assert "To the investigator" not in words(client, "/disagreements")
    engine = store.connect(database)
    notes = store.read(engine, tables.ANNOTATIONS, coder="human:bob", unit=study.FIRST)
    box = {"from_name": studio_page.ASK, "value": {"choices": [studio_page.UNCLEAR]}}
    line = {"from_name": studio_page.COMMENT, "value": {"text": ["<b>two</b> uses?"]}}
    store.mirror(engine, tables.ANNOTATIONS, notes.assign(result=json.dumps([box, line])))
    for path in ("/disagreements", UNIT):
        page = words(client, path)
        assert "To the investigator" in page
        assert "human:bob, blind A code is unclear. &lt;b&gt;two&lt;/b&gt; uses?" in page
    skip = {"cancelled": 1, "result": json.dumps([line])}
    store.mirror(engine, tables.ANNOTATIONS, notes.assign(**skip))
    for path in ("/disagreements", UNIT):
        page = words(client, path)
        assert "human:bob, blind Skipped. &lt;b&gt;two&lt;/b&gt; uses?" in page
    store.mirror(engine, tables.ANNOTATIONS, notes.assign(result="5"))
    assert "To the investigator" not in words(client, UNIT)


def test_reliability_puts_evidence_first(client: FlaskClient) -> None:
    """Humans stand first, then the model, then what is no evidence and says so."""
    page = words(client, "/reliability?batch=pilot")
    places = [
        page.index("Humans among themselves, blind"),
        page.index("The model against the blind humans"),
        page.index("humans, blind ann, bob"),
        page.index(f"{study.MODEL} vs humans, blind"),
        page.index("humans, assisted (not evidence)"),
    ]
    assert places == sorted(places)
    assert "∅ undefined" in page
    assert "no variation: every coding is &#39;other&#39;" in page
    assert "/figures/reliability.svg" in client.get("/reliability").text


def test_verdicts_of_codes_unfold_with_what_stands_beside_alpha(client: FlaskClient) -> None:
    """A code has its verdict, further units and positive agreement; the family is told."""
    page = words(client, "/reliability")
    assert "1 codes, each against the rest" in page
    assert "? inconclusive" in page
    assert "1 234" in page
    assert ".625" in page
    assert "&lt;i&gt;between&lt;/i&gt; the bounds" in page
    assert "Many verdicts together: which passed: the look&#39;s level for all together" in page
    assert 'title="2a/(2a + b + c)' in client.get("/reliability").text


def test_assessments_are_shown_and_marked(client: FlaskClient) -> None:
    """What seeing suggestions does stands with interval, p and verdict, and as not evidence."""
    page = words(client, "/assessments")
    assert "not evidence of reliability" in page.replace("<b>", "").replace("</b>", "")
    assert "agreement_inflation" in page
    assert "0.120 [0.020, 0.220]" in page
    assert "&lt; .001" in page
    assert "&lt;b&gt;why&lt;/b&gt;" in page
    assert 'src="/figures/calibration.svg?batch=' in client.get("/assessments").text


def test_each_table_of_reliability_comes_as_csv(client: FlaskClient) -> None:
    """Verdicts and coefficients are two files; another table is not there."""
    found = rows(client, "/reliability?table=verdicts&format=csv")
    assert {row["verdict"] for row in found} == {"fail", "inconclusive", "undefined"}
    assert client.get("/reliability?table=posts&format=csv").status_code == 404


def test_figures_are_drawn_from_the_store(client: FlaskClient) -> None:
    """The figure comes as SVG, PNG, PDF and as its specification, and in no other form."""
    assert b"<svg" in client.get("/figures/reliability.svg?width=narrow").data
    assert client.get("/figures/reliability.png").data.startswith(b"\x89PNG")
    assert client.get("/figures/estimates.pdf?variable=relevance").data.startswith(b"%PDF")
    assert client.get("/figures/reliability.json").get_json()["layer"]
    assert b"Risk and coverage" in client.get("/figures/calibration.svg?variable=relevance").data
    assert client.get("/figures/calibration.svg?variable=mood").status_code == 404
    assert client.get("/figures/reliability.gif").status_code == 404
    assert client.get("/figures/estimates.svg?variable=mood").status_code == 404


def test_disagreements_name_the_units(client: FlaskClient) -> None:
    """ann and bob differ on the first unit, the model differs from both on the second."""
    found = rows(client, "/disagreements?variable=relevance&format=csv")
    assert [(row["panel"], row["unit"], row["coder"], row["value"]) for row in found] == [
        ("humans", study.FIRST, "human:ann", "relevant"),
        ("humans", study.FIRST, "human:bob", "other"),
        (f"{study.MODEL} vs humans", study.SECOND, "human:ann", "other"),
        (f"{study.MODEL} vs humans", study.SECOND, "human:bob", "other"),
        (f"{study.MODEL} vs humans", study.SECOND, study.MODEL, "relevant"),
    ]
    assert f'href="/units/{study.FIRST}' in client.get("/disagreements?variable=relevance").text


def test_unit_marks_quotes_by_code_points(client: FlaskClient) -> None:
    """A quote behind emoji is marked exactly, by both coders who gave it."""
    page = client.get(UNIT).text
    assert f'title="A1 (human:ann), C1 ({study.MODEL})">{study.QUOTE}</mark>' in page
    assert "<sup>A1</sup><sup>C1</sup>" in page
    only = client.get(f"{UNIT}?show=A").text
    assert f'title="A1 (human:ann)">{study.QUOTE}</mark>' in only
    assert client.get(f"{UNIT}?show=Q").status_code == 404


def test_unit_lists_a_quote_that_the_text_lacks(client: FlaskClient) -> None:
    """A quote that was not found is kept, marked nowhere, and called unsupported."""
    page = client.get(UNIT).text
    assert re.search(r"Never &lt;u&gt;said&lt;/u&gt;</q>.*?unsupported", page, re.DOTALL)
    assert page.count("<mark") == 1


def test_unit_shows_codes_side_by_side(client: FlaskClient) -> None:
    """Each coder has a column with the arm; a line that differs says so; sources are named."""
    page = words(client, UNIT)
    heads = ["A human:ann blind", "B human:bob blind", f"C {study.MODEL} model"]
    assert " ".join([*heads, "D human:cy assisted (not evidence)"]) in page
    mood = "A1 Good no segment C1 Bad C2 not answered no segment"  # nobody coded the second quote
    assert f"Mood differ of the segment {mood}" in page
    assert "raw-human:ann" in page


def test_estimates_hold_back_and_give_reasons(client: FlaskClient, database: str) -> None:
    """A cell that may not leave says so; an override's reason stands on every page."""
    page = words(client, "/estimates")
    assert "fail may not leave: &lt; 11" in page
    assert "75.0% 60.0% to 86.0% 30" in page
    assert "40 posts coded blind" in page
    assert "overridden" not in page
    engine = store.connect(database)
    found = store.read(engine, tables.ESTIMATES).assign(override="pilot <only>")
    store.mirror(engine, tables.ESTIMATES, found)
    for path in PAGES:
        assert "Reason given: “pilot &lt;only&gt;”" in words(client, path)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_of_the_data_becomes_markup(client: FlaskClient, path: str) -> None:
    """Posts, labels and quotes are escaped; authors and addresses are not there at all."""
    page = client.get(path).text
    for raw in ("<script", "<b>dogs", "<b>Relevant", "<i>of it", "<u>said"):
        assert raw not in page
    for secret in ("keyed-author", "secret.example"):
        assert secret not in page
    assert "style=" not in page


@pytest.mark.parametrize("path", PAGES)
def test_every_table_comes_as_csv(client: FlaskClient, path: str) -> None:
    """Each page answers ?format=csv with rows and never with an author or an address."""
    sign = "&" if "?" in path else "?"
    answer = client.get(f"{path}{sign}format=csv")
    assert rows(client, f"{path}{sign}format=csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "keyed-author" not in answer.text
    assert client.get(f"{path}{sign}format=xls").status_code == 400


def test_csv_runs_nothing_in_a_spreadsheet(client: FlaskClient) -> None:
    """A text that begins like a formula gets an apostrophe; negative numbers stay numbers."""
    assert [row["command"] for row in rows(client, "/runs?format=csv")] == ["'=ingest"]
    found = rows(client, "/reliability?format=csv")
    assert {"-0.2"} <= {row["value"] for row in found}


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/reliability?batch=nope", "no batch"),
        ("/estimates?batch=", "no batch"),
        ("/disagreements?variable=nope", "no variable"),
        ("/estimates?variable=nope", "no variable"),
        ("/units/nope", "no unit"),
        ("/codebook?codebook=nope", "no codebook"),
        (f"{UNIT}?codebook=nope", "no codebook"),
        ("/nope", "no page"),
    ],
)
def test_unknown_names_are_refused_in_words(client: FlaskClient, path: str, word: str) -> None:
    """What the store lacks is a 404 that says what lacks."""
    answer = client.get(path)
    assert answer.status_code == 404
    assert word in answer.text


@pytest.mark.parametrize("path", [*PAGES, "/nope", "/style.css", "/figures/reliability.svg"])
def test_headers_allow_nothing_from_elsewhere(client: FlaskClient, path: str) -> None:
    """No script, no other host, no cache, no referrer, on every answer."""
    headers = client.get(path, buffered=True).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")
    assert "script" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:80", "LOCALHOST"])
def test_loopback_may_ask(client: FlaskClient, host: str) -> None:
    """The names of this machine are served, with any port."""
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "me@localhost", "", "[::1", "localhost/x"]
)
def test_strange_hosts_are_refused(client: FlaskClient, host: str) -> None:
    """A page elsewhere that makes its name point here (DNS rebinding) reads nothing."""
    answer = client.get("/reliability", headers={"Host": host})
    assert answer.status_code == 400
    assert "pilot" not in answer.text


def test_a_configured_host_may_ask(database: str, tmp_path: Path) -> None:
    """A name that was given is served beside loopback."""
    with pages(tmp_path, database, hosts=["Report.example"]) as app:
        answer = app.test_client().get("/", headers={"Host": "report.example:80"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_pages_live_behind_a_prefix(client: FlaskClient, path: str) -> None:
    """Potato #161: behind a proxy that serves the pages under /study, every link stays there."""
    answer = client.get(path, environ_overrides={"SCRIPT_NAME": "/study"})
    assert answer.status_code == 200
    links = re.findall(r'(?:href|src|action)="(/[^"]*)"', answer.text)
    assert links
    assert [link for link in links if not link.startswith("/study/")] == []


def test_pages_only_read(client: FlaskClient) -> None:
    """No page takes anything but GET."""
    assert {client.post(path).status_code for path in PAGES} == {405}


def test_made_up_posts_say_so(client: FlaskClient, database: str) -> None:
    """The banner stands on every page as soon as one post comes from the sample."""
    assert "made up:" not in words(client, "/")
    engine = store.connect(database)
    post = {"unit": "d" * 32, "platform": "x", "text": "No.", "source": "made-up-posts.jsonl"}
    store.add(engine, tables.POSTS, tables.frame(tables.POSTS, [post]))
    for path in PAGES:
        assert "Everything on these pages is made up: sample posts" in words(client, path)


def test_an_empty_store_says_what_comes_next(store_url: str, tmp_path: Path) -> None:
    """Without a row every page still answers, and names the command that would fill it."""
    with pages(tmp_path, store_url) as app:
        client = app.test_client()
        for path in ("/", "/reliability", "/disagreements", "/estimates"):
            assert "labeler sample" in words(client, path)
        assert "No command has been logged yet" in words(client, "/runs")
        assert client.get("/disagreements?format=csv").status_code == 200
        assert client.get("/figures/reliability.svg").status_code == 404


def test_pages_on_either_database(store_url: str, tmp_path: Path) -> None:
    """The study's pages answer from SQLite and from PostgreSQL."""
    study.fill(store_url)
    with pages(tmp_path, store_url) as app:
        client = app.test_client()
        for path in PAGES:
            assert client.get(path).status_code == 200
        assert len(rows(client, "/disagreements?variable=relevance&format=csv")) == 5


def test_a_lost_store_is_told_in_words(client: FlaskClient, tmp_path: Path) -> None:
    """Where the database has become something else, the page says so and does not break."""
    for path in tmp_path.glob("labeler.db*"):
        path.write_bytes(b"not a database at all" * 100)
    answer = client.get("/")
    assert answer.status_code == 503
    assert "not a database" in answer.text


def test_pages_fit_a_phone(browser: Browser, address: str) -> None:
    """In Chromium at 390 pixels no page is wider than the screen or complains in the console."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in PAGES:
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        drawn = "[...document.images].every(image => image.complete && image.naturalWidth > 100)"
        page.wait_for_function(drawn)
    assert complaints == []
    context.close()
