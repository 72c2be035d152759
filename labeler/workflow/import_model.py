"""A file of a model's codings made elsewhere → completions of a model, its codings and segments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from sqlalchemy import Table

from labeler import hints
from labeler.coders.import_answers import ImportedAnswers, imported_answers
from labeler.coders.llm.parse import parse
from labeler.coding.vocabulary import human, says_of_segments
from labeler.errors import InputError
from labeler.files import records
from labeler.files.coding_tables import refused
from labeler.sampling.import_batch import ImportSettings, named_posts, named_rows
from labeler.store import database, results, tables
from labeler.study.study import Study, add_coder, coders, logged, now

CHUNK = 1000


class ModelImport(NamedTuple):
    """The models of the file as coders, those that are new, how many of its answers are new and
    were there before, what was parsed from them now, and what a person must know.
    """

    coders: list[str]
    new_coders: list[str]
    answered: int
    before: int
    codings: int
    segments: int
    remarks: list[str]


def import_model(study: Study, path: Path, wish: ImportSettings) -> ModelImport:
    """Bring a long table of models' codings into the study as answers of models.

    Each answer is stored before it is parsed, and only once: killed and given again, the rest is
    done. A model's answer is never changed: InputError where the file gives a unit another answer
    than the model of that name has, or where it holds any other fault, with the lines, and nothing
    is written.
    """
    digest = records.digest(path)
    settings = {"file": path.name, "sha256": digest, "kind": "model", **wish._asdict()}
    with logged(study, "codings import", settings):
        table = named_rows(path, wish, study.codebook)
        source = {"file": path.name, "sha256": digest}
        found = imported_answers(
            table, named_posts(study, table), study.codebook, source=source, created=now()
        )
        there = _there(study, found)
        faults = [*found.faults, *_people(study, found), *_otherwise(found, there)]
        if faults:
            told = [f"line {line}: {fault}" if line else fault for line, fault in sorted(faults)]
            raise refused(
                str(path), told, hint=hints.NAME_IMPORTED_RUN if not found.faults else None
            )
        if found.completions.empty:
            raise InputError(f"{path}: no row holds a value: nothing to import")
        known = coders(study, "model")
        for coder, model in found.models.items():
            add_coder(study, coder, kind="model", spec={"kind": "model", "imported": model})
        before = found.completions["completion"].isin(set(there["completion"]))
        fresh = found.completions[~before]
        for start in range(0, len(fresh), CHUNK):
            results.add(study.engine, tables.COMPLETIONS, fresh.iloc[start : start + CHUNK])
        return _parsed(study, found, [c for c in found.models if c not in known], len(fresh))


def _parsed(study: Study, found: ImportedAnswers, new_coders: list[str], fresh: int) -> ModelImport:
    """What the answers of the file say, parsed where they were not yet."""
    read = {coder: parse(study, coder) for coder in found.models}
    held = _counts(study, found, tables.CODINGS), _counts(study, found, tables.SEGMENTS)
    quotes = sum(one.faults.get("unsupported-quote", 0) for one in read.values())
    remarks = []
    if held[0] < found.values:
        remarks.append(
            f"of {found.values} codes {found.values - held[0]} do not apply, after the other codes "
            "of their model, and are left out"
        )
    if quotes:
        remarks.append(f"{quotes} quotes do not stand in their posts: their segments are missing")
    silent = [coder for coder in found.models if not says_of_segments(coder)]
    if silent and study.codebook.segments is not None:
        remarks.append(
            f"the file says nothing of segments: {', '.join(silent)} counts as not asked about them"
        )
    return ModelImport(
        coders=sorted(found.models),
        new_coders=sorted(new_coders),
        answered=fresh,
        before=len(found.completions) - fresh,
        codings=held[0],
        segments=held[1],
        remarks=remarks,
    )


def _there(study: Study, found: ImportedAnswers) -> pd.DataFrame:
    """The answers that the models of the file have: columns completion, coder, unit, replicate."""
    made = tables.COMPLETIONS
    which = {"codebook": study.codebook.fingerprint, "coder": sorted(found.models)}
    return database.read_columns(
        study.engine,
        made,
        ("completion", "coder", "unit", "replicate"),
        database.matching(study.engine, made, which),
    )


def _people(study: Study, found: ImportedAnswers) -> list[tuple[int, str]]:
    """Faults where a model has the name of a person of this project."""
    people = coders(study, "human")
    return [
        (0, f"{model!r} is a person of this project")
        for model in found.models.values()
        if human(model) in people
    ]


def _otherwise(found: ImportedAnswers, there: pd.DataFrame) -> list[tuple[int, str]]:
    """Faults where a model has answered a unit otherwise."""
    names = ["coder", "unit", "replicate"]
    met = found.completions.merge(there, on=names, suffixes=("", "_there"))
    other = met[met["completion"] != met["completion_there"]]
    return [
        (
            int(json.loads(row.request)["line"]),
            f"{found.models[row.coder]} has answered unit {row.unit!r} otherwise already",
        )
        for row in tables.rows(other)
    ]


def _counts(study: Study, found: ImportedAnswers, table: Table) -> int:
    """How many rows of a table are of the units of the file, by its models."""
    total = 0
    for coder, own in found.completions.groupby("coder"):
        which = {"codebook": study.codebook.fingerprint, "coder": str(coder)}
        total += database.count(study.engine, table, **which, unit=sorted(set(own["unit"])))
    return total
