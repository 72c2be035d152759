"""What the pages and `labeler status` cost on a large made-up study.

    python benchmarks/study_at_size.py [FOLDER] [--posts 100000] [--batches 20] [--units 1890]

Makes the study of `made_study.py` (in FOLDER, where it is kept for the next time; else in a
temporary folder), lets `labeler reliability` compute its newest batch unless it is there, and
prints for each page the CPU time of the first answer and of a later one, its wall time, size and
number of queries; then whole commands, each a process of its own with its imports. Times in
milliseconds. CPU times mean the same on a busy machine, wall times do not.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import made_study
from flask import Flask
from sqlalchemy import event, select

from labeler.project import Project
from labeler.store import database, tables
from labeler.web import create_app
from labeler.web.report.selection import STORE

TIMES = 3
FORM = "{:<44} {:>9} {:>9} {:>9} {:>9} {:>8}"


class Cost(NamedTuple):
    """Seconds of CPU and wall time, bytes of the answer, and queries."""

    cpu: float
    wall: float
    size: int = 0
    queries: int = 0


def main() -> None:
    """Read the options, make the study, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    for name, default in made_study.Size()._asdict().items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = vars(parser.parse_args())
    folder = options.pop("folder")
    with tempfile.TemporaryDirectory() as other:
        project = made_study.made(folder or Path(other), made_study.Size(**options))
        told(project)


def told(project: Project) -> None:
    """Print what is in the store and what its pages and commands cost."""
    batch, unit, counted = _looked_up(project)
    print("; ".join(f"{many:,} {name}" for name, many in counted.items()))
    print(FORM.format("command", "CPU", "", "wall", "", ""))
    if not counted["comparisons"]:
        line("labeler reliability", command(project, "reliability", "--batch", batch))
    for words in (["status"], ["--help"]):
        line("labeler " + " ".join(words), command(project, *words))
    print("\n" + FORM.format("page", "CPU first", "CPU again", "wall", "kB", "queries"))
    app = create_app(project)
    for path in paths(batch, unit):
        first, *later = [asked(app, path) for _ in range(1 + TIMES)]
        line(path, min(later, key=lambda cost: cost.cpu), first=first)


def paths(batch: str, unit: str) -> Iterator[str]:
    """The addresses of all pages, and of tables and figures that take more than their page."""
    yield from ("/", "/reliability", "/assessments", "/disagreements")
    for variable in ("relevance", "impact", "perspective"):
        yield f"/disagreements?variable={variable}"
    yield "/disagreements?format=csv"
    yield from ("/estimates", "/codebook", "/runs", f"/units/{unit}", f"/?batch={batch}")
    yield "/figures/reliability.svg"


def asked(app: Flask, path: str) -> Cost:
    """What one answer costs."""
    with counting(app.extensions[STORE]) as statements:
        cpu, wall = time.process_time(), time.perf_counter()
        answer = app.test_client().get(path)
        size = len(answer.data)
        cost = Cost(time.process_time() - cpu, time.perf_counter() - wall, size, len(statements))
    if answer.status_code not in (200, 404):
        raise SystemExit(f"{path}: {answer.status_code}")
    return cost


@contextmanager
def counting(engine: Any) -> Iterator[list[str]]:
    """The statements that are sent to the store meanwhile."""
    statements: list[str] = []

    def noted(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement != "BEGIN":
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", noted)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", noted)


def command(project: Project, *words: str) -> Cost:
    """What a whole command costs, imports and all."""
    before, wall = os.times(), time.perf_counter()
    run = [sys.executable, "-m", "labeler", "--root", str(project.root), *words]
    subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return Cost(cpu, time.perf_counter() - wall)


def line(name: str, cost: Cost, *, first: Cost | None = None) -> None:
    """Print one line of a table."""
    thousandths = [1000 * seconds for seconds in (cost.cpu, cost.wall)]
    if first is None:
        print(FORM.format(name, f"{thousandths[0]:,.0f}", "", f"{thousandths[1]:,.0f}", "", ""))
        return
    print(
        FORM.format(
            name.replace(name[40:], "…") if len(name) > 44 else name,
            f"{1000 * first.cpu:,.0f}",
            f"{thousandths[0]:,.0f}",
            f"{thousandths[1]:,.0f}",
            f"{cost.size / 1000:,.1f}",
            cost.queries,
        ),
        flush=True,
    )


def _looked_up(project: Project) -> tuple[str, str, dict[str, int]]:
    """The newest batch, one of its units coded blind, and how many rows the tables hold."""
    engine = database.connect(project.database_url)
    newest = select(tables.BATCHES.c.batch).order_by(tables.BATCHES.c.created.desc()).limit(1)
    batch = str(database.query_rows(engine, newest).iloc[0, 0])
    unit = database.read(engine, tables.TASKS, batch=batch, arm="blind")["unit"].iloc[0]
    counted = {
        table.name: database.count(engine, table)
        for table in (
            tables.POSTS,
            tables.BATCHES,
            tables.TASKS,
            tables.COMPLETIONS,
            tables.CODINGS,
            tables.SEGMENTS,
            tables.RELIABILITY,
            tables.DISAGREEMENTS,
            tables.COMPARISONS,
        )
    }
    engine.dispose()
    return batch, str(unit), counted


if __name__ == "__main__":
    main()
