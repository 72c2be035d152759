"""What pages ask the store: a bounded number of queries, none of which walks a table of long rows.

Counted, so that no machine's speed matters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import walks_study as study
from flask import Flask
from sqlalchemy import Engine, event

from labeler.project import Project
from labeler.store import database, tables
from labeler.study.study import Study
from labeler.web import create_app
from labeler.web.report.selection import STORE
from labeler.workflow.status import status

PAGES = [
    "/",
    "/reliability",
    "/reliability?format=csv",
    "/assessments",
    "/disagreements",
    "/disagreements?variable=relevance",
    "/disagreements?format=csv",
    "/estimates",
    "/codebook",
    "/runs",
    "/findings",
    "/findings?format=csv",
    f"/units/{study.FIRST}",
    "/figures/reliability.json",
]
MOST = 16  # queries of a page
LONG = ("annotations", "codings", "completions", "confidence", "disagreements", "posts", "segments")

Asked = list[tuple[str, Any]]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """The pages over a small study, with more batches and coders than the pages of it show."""
    url = f"sqlite:///{tmp_path / 'labeler.db'}"
    study.fill(url)
    app = create_app(Project(root=tmp_path, database=url))
    yield app
    app.extensions[STORE].dispose()


@contextmanager
def listening(engine: Engine) -> Iterator[Asked]:
    """The queries that are sent meanwhile, with their parameters."""
    asked: Asked = []

    def note(_c: object, _cursor: object, statement: str, given: Any, *_rest: object) -> None:
        if statement != "BEGIN":
            asked.append((statement, given))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def walks(engine: Engine, asked: Asked) -> list[str]:
    """The steps, by SQLite's own account, that walk a table of long rows and no index of it."""
    found = []
    with engine.connect() as connection:
        for statement, given in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
            steps = [str(row[3]) for row in plan]
            found += [step for step in steps if _walks(step, statement)]
    return found


def _walks(step: str, statement: str) -> bool:
    named = re.match(r"SCAN (\w+)", step)
    if named is None or "COVERING INDEX" in step:
        return False
    table = re.search(rf"(\w+) AS {named[1]}\b", statement)
    return (table[1] if table else named[1]) in LONG


@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_few_queries_and_walks_no_long_table(app: Flask, path: str) -> None:
    """Each is served by a key or an index that holds what is asked for."""
    with listening(app.extensions[STORE]) as asked:
        answer = app.test_client().get(path)
    assert answer.status_code == 200
    assert 0 < len(asked) <= MOST
    assert walks(app.extensions[STORE], asked) == []


@pytest.mark.parametrize("path", PAGES)
def test_more_batches_are_no_more_queries(app: Flask, path: str) -> None:
    """Of one batch or of thirty: what a page asks is the same."""
    engine = app.extensions[STORE]
    client = app.test_client()
    client.get(path)

    def asked() -> list[str]:
        with listening(engine) as statements:
            client.get(path)
        return [statement for statement, _ in statements]

    before = asked()
    more = [
        {"batch": f"more{number}", "codebook": study.KEY, "created": "2020-01-01T00:00:00Z"}
        for number in range(30)
    ]
    database.add(engine, tables.BATCHES, tables.frame(tables.BATCHES, more))
    assert asked() == before


def test_status_walks_no_long_table(app: Flask, tmp_path: Path) -> None:
    """`labeler status` asks as the pages do."""
    engine = app.extensions[STORE]
    with listening(engine) as asked:
        status(Study(Project(root=tmp_path), engine, study.BOOK))
    assert walks(engine, asked) == []


def test_a_walk_would_be_seen(app: Flask) -> None:
    """The test's own eye: codings by a value have no index."""
    engine = app.extensions[STORE]
    with listening(engine) as asked:
        database.count(engine, tables.CODINGS, value="bad")
    assert walks(engine, asked) == ["SCAN codings"]
