"""Files → posts. A bad line is set aside and the rest goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from labeler import tables
from labeler.edges import files, store
from labeler.pipeline.study import Report, Study, logged, now, silent
from labeler.stages import platforms, posts

CHUNK = 5000


class Ingested(NamedTuple):
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
) -> list[Ingested]:
    """Add the posts of some files (CSV, TSV, JSONL, Parquet; plain, .gz or .zst) to the store.

    `form` names the shape of the records (see platforms.FORMS; None: recognised record by
    record), `columns` maps our names to those of a generic table. A post that is there already
    stays as it is; lines that cannot be read go to exports/rejected/ with the reason.
    """
    listed = list(paths)
    settings = {"files": [path.name for path in listed], "form": form, "columns": columns}
    with logged(study, "ingest", settings):
        convert = partial(platforms.post, form=form, columns=columns or {})
        return [_file(study, path, convert, report) for path in listed]


def _file(
    study: Study,
    path: Path,
    convert: Callable[[Mapping[str, object]], Mapping[str, str]],
    report: Report,
) -> Ingested:
    aside = study.project.exports / "rejected" / f"{path.name}.jsonl"
    records = files.records(path, chunk=CHUNK)
    read = new = rejected = 0
    while portion := list(islice(records, CHUNK)):
        made = posts.chunk(
            portion,
            convert=convert,
            secret=study.project.secret(),
            source=path.name,
            ingested=now(),
        )
        new += store.add(study.engine, tables.POSTS, made.posts)
        _set_aside(aside, made.rejected, first=not rejected)
        rejected += len(made.rejected)
        read += len(portion)
        report(f"{path.name}: {read} records read, {new} new posts, {rejected} set aside")
    return Ingested(path, read, new, rejected, aside if rejected else None)


def _set_aside(aside: Path, rejected: pd.DataFrame, *, first: bool) -> None:
    """Keep the bad lines of this run, and of this run only, in one file."""
    if rejected.empty:
        return
    lines = "\n".join(json.dumps(row) for row in rejected.to_dict("records"))
    if first:
        files.write(aside, lines + "\n")
    else:
        files.append_line(aside, lines)
