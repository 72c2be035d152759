"""Files → posts. A bad line is set aside and the rest goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from labeler.errors import InputError
from labeler.files import records as files
from labeler.posts import platforms, posts
from labeler.store import database, tables
from labeler.study.study import Report, Study, logged, now, silent
from labeler.text.names import unknown

CHUNK = 5000


class IngestResult(NamedTuple):
    """What came of one file: rows read, posts new to the store, lines set aside and where."""

    file: Path
    read: int
    new: int
    rejected: int
    aside: Path | None


def ingest(
    study: Study,
    paths: Iterable[Path],
    *,
    form: str | None = None,
    columns: Mapping[str, str] | None = None,
    report: Report = silent,
) -> list[IngestResult]:
    """Add the posts of some files (CSV, TSV, JSONL, Parquet; plain, .gz or .zst) to the store.

    `form` names the shape of the records (see platforms.FORMS; None: recognised record by
    record), `columns` maps our names to those of a generic table. A post that is there already
    stays as it is; lines that cannot be read go to exports/rejected/ with the reason.
    """
    listed = list(paths)
    settings = {"files": [path.name for path in listed], "form": form, "columns": columns}
    with logged(study, "ingest", settings):
        convert = partial(platforms.post, form=form, columns=columns or {})
        return [_file(study, path, convert, columns, report) for path in listed]


def _file(
    study: Study,
    path: Path,
    convert: Callable[[Mapping[str, object]], Mapping[str, str]],
    columns: Mapping[str, str] | None,
    report: Report,
) -> IngestResult:
    aside = study.project.exports / "rejected" / f"{path.name}.jsonl"
    read = new = rejected = 0
    for portion in _portions(files.records(path, chunk=CHUNK)):
        if not read:
            _check_columns(path, portion, columns)
        made = posts.chunk(
            portion,
            convert=convert,
            secret=study.project.secret(),
            source=path.name,
            ingested=now(),
        )
        new += database.add(study.engine, tables.POSTS, made.posts)
        _set_aside(aside, made.rejected, first=not rejected)
        rejected += len(made.rejected)
        read += len(portion)
        report(f"{path.name}: {read} records read, {new} new posts, {rejected} set aside")
    if not rejected:
        files.remove(aside)
    return IngestResult(path, read, new, rejected, aside if rejected else None)


def _portions(records: Iterator[files.Record]) -> Iterator[list[files.Record]]:
    """Records in chunks. Of a file that breaks off, what came before the break is handed on."""
    portion: list[files.Record] = []
    try:
        for record in records:
            portion.append(record)
            if len(portion) == CHUNK:
                yield portion
                portion = []
    except InputError:
        if portion:
            yield portion
        raise
    if portion:
        yield portion


def _check_columns(
    path: Path, portion: list[files.Record], columns: Mapping[str, str] | None
) -> None:
    first = next((record.content for record in portion if record.content is not None), None)
    for ours, theirs in (columns or {}).items():
        if first is not None and theirs not in first:
            raise InputError(f"{path}: {ours}: {unknown('column', theirs, first)}")


def _set_aside(aside: Path, rejected: pd.DataFrame, *, first: bool) -> None:
    """Keep the bad lines of this run, and of this run only, in one file."""
    if rejected.empty:
        return
    lines = "\n".join(json.dumps(row) for row in rejected.to_dict("records"))
    if first:
        files.write(aside, lines + "\n")
    else:
        files.append_line(aside, lines)
