"""How long does `labeler aggregate` take, and how much memory, with the study's whole recipe?

    python benchmarks/aggregate.py [--posts 10000 30000 100000]

For each size a made-up study: posts by authors who write some two each, three segments a post
that say something, six variables, a model that errs; 600 of the posts coded blind by two people,
and their verdicts. The store is made in a process of its own; then `labeler aggregate` runs with
the recipe of the study, in another. Prints posts, rows of estimates, seconds of wall
and CPU time, and the largest resident memory.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from labeler import project
from labeler.keys import canonical
from labeler.results.aggregate import aggregate, recipe_of
from labeler.store import database, tables
from labeler.study.study import Study, now, open_study
from labeler.text.coded_values import joined

BLIND = 600
MODEL = "model:made-up@1"
BATCH = "pilot"
PEOPLE = ("human:ada", "human:ben")
MONTHS = [f"2025-{month:02d}" for month in range(1, 13)]
PORTION = 20_000
ERRS = 0.15
SLIPS = 0.05  # of people


def codes(study: Study, rng: np.random.Generator, name: str, many: int) -> list[str]:
    """Values of a variable for so many segments or posts; the first codes are the commonest."""
    variable = study.codebook.variable(name)
    chance = 1 / np.arange(1, len(variable.codes) + 1)
    drawn = rng.choice(len(variable.codes), many, p=chance / chance.sum())
    return [variable.codes[at] for at in drawn]


def other(study: Study, rng: np.random.Generator, name: str, value: str, errs: float) -> str:
    """The value, or with this probability another one of the same variable."""
    if rng.random() >= errs:
        return value
    several = study.codebook.variable(name).codes
    return joined([several[rng.integers(len(several))]])


def filled(study: Study, size: int) -> None:
    """The store of a study of this size."""
    rng = np.random.default_rng(1)
    units = [f"{at:032x}" for at in range(size)]
    author = rng.integers(0, size // 2, size)
    platform, month = rng.integers(0, 6, size), rng.integers(0, 12, size)
    posts = pd.DataFrame(
        {
            "unit": units,
            "platform": [f"platform {at}" for at in platform],
            "author": [f"{at:016x}" for at in author],
            "created": [f"{MONTHS[at]}-01T00:00:00Z" for at in month],
            "text": "made up",
            "source": "made-up",
        }
    )
    database.add(study.engine, tables.POSTS, tables.frame(tables.POSTS, posts))
    chosen = set(rng.choice(size, min(BLIND, size), replace=False).tolist())
    sample(study, [units[at] for at in sorted(chosen)], size)
    names = [v.variable for v in study.codebook.of_segment]
    book = study.codebook.fingerprint
    for first in range(0, size, PORTION):
        codings, segments = [], []
        for at in range(first, min(first + PORTION, size)):
            relevant = rng.random() < 0.7
            truth = {name: codes(study, rng, name, 3) for name in names} if relevant else {}
            readers = [(MODEL, "", ERRS)]
            readers += [(who, "blind", SLIPS) for who in PEOPLE] if at in chosen else []
            for coder, arm, errs in readers:
                same = {"codebook": book, "unit": units[at], "coder": coder, "arm": arm}
                same |= {"replicate": 1}
                told = "relevant" if relevant else "not_relevant"
                told = other(study, rng, "relevance", told, errs)
                codings.append({**same, "segment": "", "variable": "relevance", "value": told})
                for number in range(3 if relevant else 0):
                    segment = str(number + 1)
                    segments.append({**same, "segment": segment, "start": 0, "end": 7})
                    codings += [
                        {
                            **same,
                            "segment": segment,
                            "variable": name,
                            "value": other(study, rng, name, truth[name][number], errs),
                        }
                        for name in names
                    ]
        which = {tables.CODINGS: codings, tables.SEGMENTS: segments}
        for table, rows in which.items():
            database.add(study.engine, table, tables.frame(table, rows))
    made = [
        {"completion": unit, "codebook": book, "coder": MODEL, "unit": unit, "replicate": 1}
        for unit in units
    ]
    database.add(study.engine, tables.COMPLETIONS, tables.frame(tables.COMPLETIONS, made))


def sample(study: Study, units: list[str], size: int) -> None:
    """One simple draw of blind units, coded by both people, and verdicts that let all through."""
    book, share = study.codebook.fingerprint, len(units) / size
    design = {"blind": len(units), "assisted": 0, "overlap": 2, "drawing": "simple"}
    row = {"batch": BATCH, "codebook": book, "suggester": MODEL, "design": canonical(design)}
    pairs = [(coder, unit) for coder in PEOPLE for unit in units]
    same = {"batch": BATCH, "arm": "blind"}
    tasks = [
        {**same, "coder": coder, "unit": unit, "unit_probability": share, "task_probability": share}
        for coder, unit in pairs
    ]
    notes = [
        {**same, "annotation": f"{coder} {unit}", "coder": coder, "unit": unit, "cancelled": 0}
        | {"withdrawn": 0, "created": now()}
        for coder, unit in pairs
    ]
    verdicts = [
        {"batch": BATCH, "codebook": book, "variable": v.variable, "comparison": "human-human"}
        | {"verdict": "pass", "computed_from": "0"}
        for v in study.codebook.variables
    ]
    people = [{"coder": coder, "kind": "human", "spec": "{}"} for coder in PEOPLE]
    for table, rows in (
        (tables.BATCHES, [row | {"created": now()}]),
        (tables.CODERS, people),
        (tables.TASKS, tasks),
        (tables.ANNOTATIONS, notes),
        (tables.VERDICTS, verdicts),
    ):
        database.add(study.engine, table, tables.frame(table, rows))


def opened(root: Path) -> Study:
    """The study in a folder, with the codebook that comes along."""
    return open_study(project.load(root, {}, {}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    parser.add_argument("--fill", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fill:
        study = opened(given.fill)
        filled(study, given.posts[0])
        study.engine.dispose()
    elif given.run:
        measured(given.run)
    else:
        print(f"{'posts':>9} {'rows':>7} {'seconds':>8} {'CPU':>6} {'MB':>6}")
        for size in given.posts:
            one_size(size)


def one_size(size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "labeler", "--root", folder, "init"]
        subprocess.run(words, check=True, capture_output=True)
        this = [sys.executable, __file__]
        subprocess.run([*this, "--fill", folder, "--posts", str(size)], check=True)
        subprocess.run([*this, "--run", folder, "--posts", str(size)], check=True)


def measured(root: Path) -> None:
    begun, busy, study = time.perf_counter(), time.process_time(), opened(root)
    recipe = recipe_of(study, root / "codebook" / "llm-mental-health.analysis.yaml")
    made = aggregate(study, batch=BATCH, recipe=recipe)
    seconds, busy = time.perf_counter() - begun, time.process_time() - busy
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    posts = database.count(study.engine, tables.POSTS)
    print(f"{posts:>9,} {len(made.rows):>7,} {seconds:>8.1f} {busy:>6.1f} {largest:>6.0f}")
    study.engine.dispose()


if __name__ == "__main__":
    main()
