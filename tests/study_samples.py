"""A small study whose batches are drawn by `sample` and coded at once. Everything is made up."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from builders import book_text, choice

from labeler.project import Project
from labeler.sampling.design import Design
from labeler.sampling.sample import sample
from labeler.store import database, results, tables
from labeler.study.study import Study, add_coder, open_study

CODERS = ("human:ada", "human:ben")
MODEL = "model:made-up@1"
RARE = 5  # of how many posts one carries the code yes


def study(folder: Path, posts: int, *, model: bool = False) -> Study:
    """A study with so many posts; with `model`, one that has coded them all."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "codebook.yaml").write_text(book_text(choice("about", "no yes")), encoding="utf-8")
    opened = open_study(Project(root=folder.resolve(), codebook=Path("codebook.yaml")))
    for coder in CODERS:
        add_coder(opened, coder, kind="human", spec={})
    more_posts(opened, range(posts), model=model)
    return opened


def more_posts(
    opened: Study, numbers: Sequence[int], *, model: bool = False, at: str = "2026-01-01"
):
    """Posts known since `at`, with the model's answers."""
    units = [f"u{number:04}" for number in numbers]
    database.add(
        opened.engine,
        tables.POSTS,
        tables.frame(
            tables.POSTS,
            [{"unit": unit, "text": f"Made up {unit}.", "ingested": at} for unit in units],
        ),
    )
    if model:
        answered(opened, units, at=at)


def answered(opened: Study, units: Sequence[str], *, at: str) -> None:
    """The model's answers under the study's codebook."""
    book = opened.codebook.fingerprint
    fixed = {"codebook": book, "coder": MODEL, "replicate": 1}
    answers = [
        {**fixed, "unit": unit, "completion": f"{book} {unit}", "created": at} for unit in units
    ]
    codes = [{**fixed, "unit": u, "variable": "about", "value": said(MODEL, u)} for u in units]
    database.add(opened.engine, tables.COMPLETIONS, tables.frame(tables.COMPLETIONS, answers))
    database.add(opened.engine, tables.CODINGS, tables.frame(tables.CODINGS, codes))


def said(coder: str, unit: str) -> str:
    """What a coder gives a unit: its own code, but now and then the other."""
    own = int(unit[1:]) % RARE == 0
    wrong = zlib.crc32(f"{coder} {unit}".encode()) % 13 == 0
    return "yes" if own != wrong else "no"


def drawn(
    opened: Study, batch: str, blind: int, *, coded: bool = True, **more: object
) -> list[str]:
    """Draw a batch of blind units for both coders, who code it; its units."""
    design = Design(blind, 0, 2, CODERS, **{"seed": 7, **more})  # type: ignore[arg-type]
    tasks = sample(opened, design, batch=batch).tasks
    if coded:
        code(opened, tasks)
    return sorted(set(tasks["unit"]))


def code(opened: Study, tasks: pd.DataFrame, values: Mapping[str, str] | None = None) -> None:
    """Whoever has one of the TASKS codes it, as `said` or with the values of some units."""
    given = [
        (row, (values or {}).get(row.unit, said(row.coder, row.unit))) for row in tables.rows(tasks)
    ]
    notes = [
        {"annotation": f"{row.coder} {row.unit}", "batch": row.batch, "arm": row.arm}
        | {"coder": row.coder, "unit": row.unit, "cancelled": 0, "withdrawn": 0, "result": value}
        for row, value in given
    ]
    codes = [
        {"codebook": opened.codebook.fingerprint, "unit": row.unit, "coder": row.coder}
        | {"arm": row.arm, "replicate": 1, "variable": "about", "value": value}
        for row, value in given
    ]
    results.mirror(opened.engine, tables.ANNOTATIONS, tables.frame(tables.ANNOTATIONS, notes))
    for (arm, coder), own in tables.frame(tables.CODINGS, codes).groupby(["arm", "coder"]):
        which = {"arm": str(arm), "coder": str(coder), "unit": sorted(set(own["unit"]))}
        results.replace(opened.engine, (tables.CODINGS, which, own))
