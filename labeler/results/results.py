"""Verdicts → shares of the variables that they let through → a folder of files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from labeler import __version__, hints
from labeler.codebook.codebook import Codebook
from labeler.coding import read
from labeler.coding.batch import READING
from labeler.coding.read import read_batch
from labeler.errors import GateError, ProjectError
from labeler.files import records
from labeler.keys import key
from labeler.reliability import gate
from labeler.results.bundle import MANIFEST, bundle
from labeler.results.estimates import estimates
from labeler.results.formats.declaration import BundleFacts
from labeler.store import database, tables
from labeler.store import results as stored
from labeler.store.sample_names import folder_name
from labeler.study.study import Study, logged, made_up, now, same_codebook, sample_row
from labeler.text.names import unknown

OF_ESTIMATES = {
    tables.CODINGS: read.CODINGS,
    tables.POSTS: ("unit", "author"),
    tables.TASKS: ("unit", "arm", "unit_probability"),
}
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


def aggregate(
    study: Study, *, batch: str, variables: Sequence[str] = (), override: str = ""
) -> pd.DataFrame:
    """Compute and store the ESTIMATES rows of the variables that the gate lets through.

    Without `variables`, of all. The gate is the verdict on the blind humans. Raises GateError,
    naming each variable it holds shut (those that passed are written all the same), unless an
    `override` gives a reason: that reason then stands in every row. Outdated verdicts open no
    gate, with or without a reason.
    """
    asked = list(variables) or [variable.variable for variable in study.codebook.variables]
    _known(asked, study.codebook)
    with logged(
        study, "aggregate", {"batch": batch, "variables": asked, "override": override}
    ) as run:

        def attempt(standing: stored.Standing) -> _Estimation | None:
            made = _aggregated(study, batch, asked, override, standing)
            upon = stored.upon(standing, made.verdicts)
            kept = stored.keep(study.engine, batch, upon, {tables.ESTIMATES: made.rows})
            return made._replace(rows=kept[tables.ESTIMATES]) if kept else None

        made = stored.steadily(study.engine, batch, attempt)
        ruled, shut = _of_humans(made.verdicts), gate.shut(made.verdicts, asked)
        if shut and override:
            _noted(study, run, batch, {name: ruled[name, ""].verdict for name in shut}, override)
        elif shut:
            open_ = [name for name in asked if name not in shut]
            raise GateError(_refusal(shut, open_, ruled, batch), hint=hints.SHUT_GATE)
        return made.rows


class _Estimation(NamedTuple):
    """ESTIMATES rows, and the VERDICTS that let their variables through."""

    rows: pd.DataFrame
    verdicts: pd.DataFrame


def _aggregated(
    study: Study, batch: str, asked: list[str], override: str, standing: stored.Standing
) -> _Estimation:
    """The estimates of what the gate lets through; GateError where its verdicts are outdated."""
    row = sample_row(study, batch)
    same_codebook(study, row)
    judged = _verdicts(study, batch, standing)
    ruled = _of_humans(judged)
    shut = gate.shut(judged, asked)
    open_ = asked if override else [name for name in asked if name not in shut]
    coded = read_batch(study.engine, row, study.codebook, wanted=OF_ESTIMATES)
    rows = estimates(
        {name: frame for name, frame in coded.blind.items() if name in open_},
        pd.Series(coded.authors, dtype="str"),
        study.codebook,
        batch=batch,
        verdicts={name: ruled[name, ""].verdict for name in asked},
        of_codes={pair: row.verdict for pair, row in ruled.items()},
        override=override,
        tasks=coded.tasks[coded.tasks["arm"] == "blind"],
    )
    settings = key({"variables": asked, "override": override})
    return _Estimation(rows.assign(computed_from=settings), judged)


def of_model(study: Study, batch: str) -> dict[str, str]:
    """Variable → verdict of the suggester against the blind humans; {} where there is none."""
    rows = database.read(
        study.engine, tables.VERDICTS, batch=batch, comparison=gate.MODEL, code=""
    ).set_index("variable")
    names = [v.variable for v in study.codebook.variables if v.variable in rows.index]
    return {name: str(rows.loc[name, "verdict"]) for name in names}


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
        overrides = sorted(set(frames["estimates"]["override"]) - {""})
        facts = BundleFacts(
            batch=batch,
            labeler=__version__,
            codebook=study.codebook,
            codebook_text=str(books["content"].iloc[0]),
            suggester=str(row["suggester"]),
            design=str(row["design"]),
            made_up=made_up(study.engine),
            override="; ".join(overrides),
            verdicts=_stated(frames["verdicts"]),
            outdated=results.outdated,
            computed_from=stored.said(results.frames),
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
    wanted = {
        table: [name for name in tables.columns(table) if name not in left_out] for table in BUNDLED
    }
    coded = read_batch(study.engine, row, study.codebook, wanted=wanted)
    results = stored.of_batch(study.engine, batch)
    coders = coded.tables["coders"]
    frames = {
        "coded": coded.coded.sort_values(READING, ignore_index=True),
        **{table.name: coded.tables[table.name] for table in BUNDLED},
        "left_out": coded.tables["left_out"],
        "coders": coders[coders["coder"].isin(set(coded.coded["coder"]))],
        **results.frames,
        "estimates": _without_hidden(results.frames["estimates"]),
    }
    return _BundleTables(row, frames, results)


def _without_hidden(rows: pd.DataFrame) -> pd.DataFrame:
    """ESTIMATES rows, without the numbers of those that may not leave."""
    numbers = [column.name for column in tables.ESTIMATES.columns if column.nullable]
    may = rows["hidden"] == ""
    return rows.assign(**{name: rows[name].where(may) for name in numbers})


def _verdicts(study: Study, batch: str, standing: stored.Standing) -> pd.DataFrame:
    rows = database.read(study.engine, tables.VERDICTS, batch=batch)
    if rows.empty:
        raise GateError(
            f"batch {batch!r}: reliability is not computed yet",
            hint=hints.COMPUTE_RELIABILITY.about(batch=batch),
        )
    if not stored.stands(rows["computed_from"].iloc[0], standing[tables.VERDICTS.name]):
        raise GateError(
            f"batch {batch!r}: its verdicts are outdated, since codes came, changed or went after "
            "they were computed",
            hint=hints.COMPUTE_RELIABILITY.about(batch=batch),
        )
    return rows


def _of_humans(judged: pd.DataFrame) -> dict[tuple[str, str], Any]:
    """Variable and code → the verdict on the blind humans."""
    own = judged[judged["comparison"] == gate.HUMAN]
    return {(row.variable, row.code): row for row in tables.rows(own)}


def _stated(verdicts: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Comparison → variable → verdict, for the manifest."""
    whole = verdicts[verdicts["code"] == ""]
    return {
        str(name): dict(zip(own["variable"], own["verdict"], strict=True))
        for name, own in whole.groupby("comparison")
    }


def _noted(study: Study, run: str, batch: str, shut: dict[str, str], reason: str) -> None:
    """An override stays on record: which verdicts it set aside, when and why."""
    rows = [
        {
            "run": run,
            "variable": name,
            "batch": batch,
            "verdict": verdict,
            "reason": reason,
            "created": now(),
        }
        for name, verdict in shut.items()
    ]
    database.add(study.engine, tables.OVERRIDES, tables.frame(tables.OVERRIDES, rows))


def _refusal(
    shut: list[str], written: list[str], ruled: dict[tuple[str, str], Any], batch: str
) -> str:
    lines = [f"batch {batch!r}: the gate is shut for {len(shut)} of {len(shut) + len(written)}:"]
    lines += [f"  {name}: {ruled[name, ''].verdict}: {ruled[name, ''].note}" for name in shut]
    if written:
        lines.append(f"Aggregated: {', '.join(written)}.")
    return "\n".join(lines)


def _known(names: Sequence[str], codebook: Codebook) -> None:
    there = [variable.variable for variable in codebook.variables]
    for name in names:
        if name not in there:
            raise ProjectError(unknown("variable", name, there))


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
