"""The results of a batch → a folder of files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from sqlalchemy import Table

from labeler import __version__
from labeler.coding.batch import READING
from labeler.coding.read import read_batch
from labeler.files import records
from labeler.results.bundle import MANIFEST, bundle
from labeler.results.formats.declaration import BundleFacts, told_by
from labeler.store import database, tables
from labeler.store import results as stored
from labeler.store.sample_names import folder_name
from labeler.study.study import Study, logged, made_up, same_codebook, sample_row

BUNDLED = (tables.CODINGS, tables.SEGMENTS, tables.CHANGES, tables.CONFIDENCE, tables.TASKS)


class ExportResult(NamedTuple):
    """Where a bundle lies, which of its files are new or changed, and which there were before.

    `outdated` names the result tables in it that were computed from other codings than it holds.
    """

    folder: Path
    files: list[str]
    written: list[str]
    removed: list[str]
    outdated: list[str]


def export(study: Study, *, batch: str, quotes: bool = False) -> ExportResult:
    """Write exports/<batch>/: every format and figure, codebook and a manifest with their hashes.

    `quotes` adds the verbatim quotes to the segments: do not publish them (a quote can be found
    again by a search engine). The same tables give the same bytes. Results that are outdated are
    exported as they are, and named in the manifest, the README and their figures.
    """
    with logged(study, "export", {"batch": batch, "quotes": quotes}):

        def attempt(standing: stored.Standing) -> _BundleTables | None:
            found = _bundle_tables(study, batch, quotes=quotes)
            return found if found.results.standing == standing else None

        row, frames, results = stored.steadily(study.engine, batch, attempt)
        books = database.read(study.engine, tables.CODEBOOKS, codebook=row["codebook"])
        facts = BundleFacts(
            batch=batch,
            labeler=__version__,
            codebook=study.codebook,
            codebook_text=str(books["content"].iloc[0]),
            suggester=str(row["suggester"]),
            design=str(row["design"]),
            made_up=made_up(study.engine),
            outdated=results.outdated,
            **told_by(results.frames),
        )
        made = bundle(frames, facts)
        folder = study.project.exports / folder_name(batch)
        stale = _stale(folder, made)
        written = [name for name, content in made.items() if _changed(folder / name, content)]
        for name in sorted(written, key=lambda name: name == MANIFEST):
            records.write(folder / name, made[name])
        for name in stale:
            (folder / name).unlink()
        return ExportResult(folder, list(made), written, stale, results.outdated)


class _BundleTables(NamedTuple):
    """The batch's row of BATCHES, every table of its bundle by name, and how old results are."""

    row: pd.Series[str]
    frames: dict[str, pd.DataFrame]
    results: stored.BatchResults


def _bundle_tables(study: Study, batch: str, *, quotes: bool) -> _BundleTables:
    row = sample_row(study, batch)
    same_codebook(study, row)
    left_out = {"studio_task"} if quotes else {"studio_task", "quote"}
    wanted: dict[Table, Sequence[str]] = {
        table: [name for name in tables.columns(table) if name not in left_out] for table in BUNDLED
    }
    wanted[tables.POSTS] = ("unit", "author")
    coded = read_batch(study.engine, row, study.codebook, wanted=wanted)
    results = stored.of_batch(study.engine, batch)
    coders = coded.tables["coders"]
    frames = {
        "coded": coded.coded.sort_values(READING, ignore_index=True),
        **{table.name: coded.tables[table.name] for table in BUNDLED},
        "left_out": coded.tables["left_out"],
        "coders": coders[coders["coder"].isin(set(coded.coded["coder"]))],
        "authors": _authors(coded.authors, coded.units),
        "looks": database.read(
            study.engine, tables.LOOKS, codebook=row["codebook"], suggester=row["suggester"]
        ),
        **results.frames,
        "estimates": _without_hidden(results.frames["estimates"]),
    }
    return _BundleTables(row, frames, results)


def _authors(authors: Mapping[str, str], units: Sequence[str]) -> pd.DataFrame:
    """Unit → the number of its author within the bundle; '' where the author is not known."""
    known = list(dict.fromkeys(authors[unit] for unit in units if authors[unit]))
    number = {author: str(place) for place, author in enumerate(known, start=1)}
    rows = [{"unit": unit, "author": number.get(authors[unit], "")} for unit in units]
    return pd.DataFrame(rows, columns=["unit", "author"], dtype="str")


def _without_hidden(rows: pd.DataFrame) -> pd.DataFrame:
    """ESTIMATES rows, without the numbers of those that may not leave."""
    numbers = [column.name for column in tables.ESTIMATES.columns if column.nullable]
    may = rows["hidden"] == ""
    return rows.assign(**{name: rows[name].where(may) for name in numbers})


def _changed(path: Path, content: bytes) -> bool:
    return not path.is_file() or path.read_bytes() != content


def _stale(folder: Path, made: Mapping[str, bytes]) -> list[str]:
    """Files of an earlier bundle that this one has no more, where nobody changed them since."""
    try:
        listed = json.loads((folder / MANIFEST).read_bytes())["files"]
        before = {str(name): str(file["sha256"]) for name, file in listed.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []  # no manifest, or one that somebody rewrote: nothing is known to be ours
    return [
        name
        for name, digest in sorted(before.items())
        if name not in made
        and Path(name).name == name
        and (folder / name).is_file()
        and hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    ]
