"""A made-up study of any size in a store, for the benchmarks that need a large one.

    python benchmarks/made_study.py FOLDER [--posts 100000] [--batches 20] [--units 1890]

Makes FOLDER a project: posts, a model's answers to all of them, batches drawn from them and coded
by six people (two thirds of the units blind, by two of them), and the codings and segments that
come of both; no result yet. Everything is made up and comes from a seed; rows go in straight by
SQL, so that a million codings take about a minute. A folder that holds the store is left as it is.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import Table

from labeler import resources
from labeler.codebook import codebook as codebooks
from labeler.codebook.codebook import Codebook, Variable
from labeler.project import Project
from labeler.sampling import design
from labeler.store import database, tables
from labeler.studio import page

MODEL = "model:made-up@0a1b2c"
PEOPLE = tuple(f"human:person{number}" for number in range(6))
TEXT = """i asked a made-up chatbot about my day and it listened for a while before it answered
with a list that helped me to rest although nothing here ever happened to anybody at all"""
WORDS = TEXT.split()
PLATFORMS = ("reddit", "x", "bluesky", "youtube")
MOMENT = "2026-03-02T10:15:00Z"
RELEVANT, KEPT = 0.75, 0.85  # posts with a segment; codes that a coder sees as they are
SEGMENTS = (0.5, 0.3, 0.2)  # of the relevant posts, those with one, two, three
REMARKS = 0.02  # of the annotations, those with a comment

Row = dict[str, Any]


class Size(NamedTuple):
    """How large a study is to be: `units` of each batch, `answer` bytes of each raw answer."""

    posts: int = 100_000
    batches: int = 20
    units: int = 1890
    answer: int = 5000
    runs: int = 300


class Reading(NamedTuple):
    """What one coder gave one unit: codes of the unit, and of each segment with its place."""

    unit: str
    whole: dict[str, str]
    segments: list[tuple[int, int, dict[str, str]]]


def main() -> None:
    """Read the options and make the study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    for name, default in Size()._asdict().items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = vars(parser.parse_args())
    folder = options.pop("folder")
    if folder is None:
        parser.print_usage()
        return
    began = time.perf_counter()
    project = made(folder, Size(**options))
    print(f"{project.database_url}: {time.perf_counter() - began:.0f} s")


def made(folder: Path, size: Size) -> Project:
    """The project in `folder`, made unless it is there."""
    project = Project(root=folder.resolve())
    if (folder / "made.json").is_file():
        there = json.loads((folder / "made.json").read_text("utf-8"))
        if there != size._asdict():
            raise SystemExit(f"{folder} holds a study of another size: {there}")
        return project
    project.prepare()
    (folder / "codebook").mkdir(exist_ok=True)
    source = resources.folder("codebook") / "llm-mental-health.yaml"
    shutil.copy(source, folder / "codebook")
    database.connect(project.database_url).dispose()
    book = codebooks.read(source.read_text("utf-8"), source=str(source))
    with closing(sqlite3.connect(project.state / "labeler.db", isolation_level=None)) as store:
        store.execute("PRAGMA synchronous=OFF")
        store.execute("BEGIN")
        _fill(store, book, source.read_text("utf-8"), size)
        store.execute("COMMIT")
    (folder / "made.json").write_text(json.dumps(size._asdict()), "utf-8")
    return project


def _fill(store: sqlite3.Connection, book: Codebook, content: str, size: Size) -> None:
    chance, key = random.Random(20_261), book.fingerprint  # which takes half a millisecond
    units = sorted(chance.randbytes(16).hex() for _ in range(size.posts))
    texts = dict(zip(units, _texts(chance, size.posts), strict=True))
    truth = {unit: _true(chance, unit, texts[unit], book) for unit in units}
    insert(store, tables.CODEBOOKS, [_codebook(book, content)])
    insert(store, tables.POSTS, _posts(texts))
    insert(store, tables.CODERS, _coders())
    insert(store, tables.RUNS, _runs(size.runs))
    readings = [(MODEL, "", _seen(chance, truth[unit], book)) for unit in units]
    insert(store, tables.COMPLETIONS, _completions(units, key, size.answer))
    for number in range(size.batches):
        batch = f"batch{number:02d}"
        drawn = _drawn(units[number :: size.batches], batch, number, book, size)
        insert(store, tables.BATCHES, tables.records(drawn.batches))
        insert(store, tables.SEATS, tables.records(drawn.seats.assign(project=1, server="local")))
        tasks = tables.records(drawn.tasks.assign(studio_task=range(len(drawn.tasks))))
        insert(store, tables.TASKS, tasks)
        own = [(row["coder"], row["arm"], _seen(chance, truth[row["unit"]], book)) for row in tasks]
        insert(store, tables.ANNOTATIONS, _annotations(chance, batch, own))
        readings += own
    insert(store, tables.CODINGS, chain.from_iterable(_codings(key, *each) for each in readings))
    insert(
        store,
        tables.SEGMENTS,
        chain.from_iterable(_segments(key, texts, *each) for each in readings),
    )
    store.execute("ANALYZE")


def insert(store: sqlite3.Connection, table: Table, rows: Iterable[Row]) -> None:
    """Put rows into a table; a text that is not given is '', a number NULL."""
    empty = {column.name: None if column.nullable else "" for column in table.columns}
    names = ", ".join(f'"{name}"' for name in empty)
    marks = ", ".join("?" * len(empty))
    store.executemany(
        f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})',
        (
            tuple(None if value is pd.NA else value for value in {**empty, **row}.values())
            for row in rows
        ),
    )


def _texts(chance: random.Random, many: int) -> Iterator[str]:
    for _ in range(many):
        yield " ".join(chance.choices(WORDS, k=chance.randrange(20, 120)))


def _true(chance: random.Random, unit: str, text: str, book: Codebook) -> Reading:
    """What a unit is about, before anybody reads it."""
    if chance.random() > RELEVANT:
        return Reading(unit, {"relevance": "not_relevant"}, [])
    places = []
    for _ in range(*chance.choices((1, 2, 3), SEGMENTS)):
        start = chance.randrange(len(text) - 40)
        codes = {variable.variable: _codes(chance, variable) for variable in book.of_segment}
        places.append((start, start + 40, codes))
    return Reading(unit, {"relevance": "relevant"}, sorted(places, key=lambda place: place[0]))


def _seen(chance: random.Random, true: Reading, book: Codebook) -> Reading:
    """How a coder sees a unit: each code as it is or another, each segment or not at all."""
    whole = dict(true.whole)
    if chance.random() > KEPT:
        whole["relevance"] = "unclear"
    segments = []
    for start, end, codes in true.segments:
        if chance.random() < KEPT:
            seen = {
                name: value if chance.random() < KEPT else _codes(chance, book.variable(name))
                for name, value in codes.items()
            }
            segments.append((start, end, seen))
    return Reading(true.unit, whole, segments)


def _codes(chance: random.Random, variable: Variable) -> str:
    """A value at random, the first codes more often; of a set, one code or two."""
    names = variable.codes
    several = 1 + int(variable.multiple and chance.random() < 0.2)
    places = sorted({int(len(names) * chance.random() ** 2) for _ in range(several)})
    return "+".join(names[place] for place in places)


def _drawn(units: list[str], batch: str, number: int, book: Codebook, size: Size) -> design.Draw:
    blind = size.units * 2 // 3
    wish = design.Design(
        blind=blind,
        assisted=size.units - blind,
        overlap=2,
        coders=PEOPLE,
        seed=number,
        repeat=0.05 if blind > 100 else 0,  # a repeat comes after ten other units
    )
    return design.draw(
        units,
        wish,
        batch=batch,
        codebook=book.fingerprint,
        suggester=MODEL,
        created=f"2026-04-{number + 1:02d}T08:00:00Z",
    )


def _codebook(book: Codebook, content: str) -> Row:
    key = {"codebook": book.fingerprint, "name": book.codebook, "version": book.version}
    return key | {"content": content, "created": MOMENT}


def _posts(texts: dict[str, str]) -> Iterator[Row]:
    for place, (unit, text) in enumerate(texts.items()):
        named = {"unit": unit, "platform": PLATFORMS[place % 4], "platform_id": str(place)}
        yield named | {"author": f"a{place % 997}", "created": MOMENT, "text": text}


def _coders() -> Iterator[Row]:
    yield {"coder": MODEL, "kind": "model", "spec": "{}", "created": MOMENT}
    for coder in PEOPLE:
        spec = json.dumps({"email": f"{coder.removeprefix('human:')}@team.example"})
        yield {"coder": coder, "kind": "human", "spec": spec, "created": MOMENT}


def _runs(many: int) -> Iterator[Row]:
    for number in range(many):
        moment = f"2026-05-01T08:{number // 60 % 60:02d}:{number % 60:02d}.{number:06d}Z"
        yield {
            "run": f"{moment} {number:06x}",
            "command": ("pull", "push", "reliability", "prelabel")[number % 4],
            "settings": json.dumps({"batch": f"batch{number % 20:02d}", "seconds": number}),
            "version": "0.1.0",
            "started": moment,
            "ended": moment,
            "outcome": "done",
        }


def _completions(units: list[str], key: str, length: int) -> Iterator[Row]:
    answer = json.dumps({"made_up": ("an answer " * (length // 10))[:length]})
    for place, unit in enumerate(units):
        yield {
            "completion": f"c{place:031d}",
            "codebook": key,
            "coder": MODEL,
            "unit": unit,
            "replicate": 1,
            "answer": answer,
            "prompt_tokens": 900,
            "answer_tokens": 120,
            "seconds": 1.5,
            "created": MOMENT,
        }


def _annotations(
    chance: random.Random, batch: str, own: list[tuple[str, str, Reading]]
) -> Iterator[Row]:
    for place, (coder, arm, reading) in enumerate(own):
        results: list[Row] = [
            {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": [value]}}
            for codes in (reading.whole, *(codes for _, _, codes in reading.segments))
            for name, value in codes.items()
        ]
        if chance.random() < REMARKS:
            results.append({"from_name": page.COMMENT, "value": {"text": ["made up: two uses?"]}})
        yield {
            "annotation": f"local:{batch}-{place}",
            "batch": batch,
            "arm": arm,
            "coder": coder,
            "unit": reading.unit,
            "studio_task": place,
            "completed_by": f"{coder.removeprefix('human:')}@team.example",
            "result": json.dumps(results),
            "cancelled": 0,
            "withdrawn": 0,
            "lead_time": 20.0,
            "created": MOMENT,
            "updated": MOMENT,
        }


def _codings(key: str, coder: str, arm: str, reading: Reading) -> Iterator[Row]:
    who = _who(key, coder, arm, reading.unit) | {"source": "made-up"}
    parts = [reading.whole, *(codes for _, _, codes in reading.segments)]
    for number, codes in enumerate(parts):
        for variable, value in codes.items():
            yield who | {
                "segment": str(number) if number else "",
                "variable": variable,
                "value": value,
            }


def _segments(
    key: str, texts: dict[str, str], coder: str, arm: str, reading: Reading
) -> Iterator[Row]:
    who = _who(key, coder, arm, reading.unit) | {"found": "exact"}
    for number, (start, end, _) in enumerate(reading.segments, start=1):
        place = {"start": start, "end": end, "quote": texts[reading.unit][start:end]}
        yield who | place | {"segment": str(number)}


def _who(key: str, coder: str, arm: str, unit: str) -> Row:
    who = {"codebook": key, "unit": unit, "coder": coder, "arm": arm}
    return who | {"replicate": 2 if arm == "repeat" else 1}


if __name__ == "__main__":
    main()
