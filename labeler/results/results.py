"""Verdicts → shares of the variables that they let through → a folder of files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import Table

from labeler import __version__
from labeler.codebook.codebook import Codebook
from labeler.errors import GateError, ProjectError
from labeler.files import records
from labeler.keys import key
from labeler.reliability import gate
from labeler.reliability.reliability import blind, of_coded
from labeler.results import bundle as exports_stage
from labeler.results import estimates as estimates_stage
from labeler.results.figures import draw, reliability
from labeler.store import database, tables
from labeler.store import results as stored
from labeler.study.study import Study, batch_row, coded, logged, made_up, now, same_codebook


class Exported(NamedTuple):
    """Where a bundle lies, which of its files are new or changed, and which tables are outdated."""

    folder: Path
    files: list[str]
    written: list[str]
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
    same_codebook(study, batch_row(study, batch))
    asked = list(variables) or [variable.variable for variable in study.codebook.variables]
    _known(asked, study.codebook)
    with logged(
        study, "aggregate", {"batch": batch, "variables": asked, "override": override}
    ) as run:
        made = _Aggregated(pd.DataFrame(), pd.DataFrame())

        def computed(standing: stored.Standing) -> dict[Table, pd.DataFrame]:
            nonlocal made
            made = _aggregated(study, batch, asked, override, standing)
            return {tables.ESTIMATES: made.rows}

        stored.kept(study.engine, batch, computed)
        ruled, shut = _of_humans(made.verdicts), gate.shut(made.verdicts, asked)
        if shut and override:
            _noted(study, run, batch, {name: ruled[name, ""].verdict for name in shut}, override)
        elif shut:
            open_ = [name for name in asked if name not in shut]
            raise GateError(_refusal(shut, open_, ruled, batch))
        return made.rows


class _Aggregated(NamedTuple):
    """ESTIMATES rows, and the VERDICTS that let their variables through."""

    rows: pd.DataFrame
    verdicts: pd.DataFrame


def _aggregated(
    study: Study, batch: str, asked: list[str], override: str, standing: stored.Standing
) -> _Aggregated:
    """The estimates of what the gate lets through; GateError where its verdicts are outdated."""
    judged = _verdicts(study, batch, standing)
    ruled = _of_humans(judged)
    shut = gate.shut(judged, asked)
    open_ = asked if override else [name for name in asked if name not in shut]
    who = coded(study, batch)
    given = {name: frame for name, frame in blind(study, who).items() if name in open_}
    posts = database.read(study.engine, tables.POSTS, unit=sorted(set(who["unit"])))
    rows = estimates_stage.estimates(
        given,
        posts.set_index("unit")["author"],
        study.codebook,
        batch=batch,
        verdicts={name: ruled[name, ""].verdict for name in asked},
        of_codes={pair: row.verdict for pair, row in ruled.items()},
        override=override,
    )
    settings = key({"variables": asked, "override": override})
    return _Aggregated(rows.assign(computed_from=settings), judged)


def of_model(study: Study, batch: str) -> dict[str, str]:
    """Variable → verdict of the suggester against the blind humans; {} where there is none."""
    rows = database.read(
        study.engine, tables.VERDICTS, batch=batch, comparison=gate.MODEL, code=""
    ).set_index("variable")
    names = [v.variable for v in study.codebook.variables if v.variable in rows.index]
    return {name: str(rows.loc[name, "verdict"]) for name in names}


def export(study: Study, *, batch: str, quotes: bool = False) -> Exported:
    """Write exports/<batch>/: CSV files, figure, codebook and a manifest with their hashes.

    `quotes` adds the verbatim quotes to the segments: do not publish them (a quote can be found
    again by a search engine). The same tables give the same bytes. Results that are outdated are
    exported as they are, and named in the manifest, the README and the figure.
    """
    row = batch_row(study, batch)
    same_codebook(study, row)
    with logged(study, "export", {"batch": batch, "quotes": quotes}):
        frames, about_results = _frames_at_once(study, row, quotes=quotes)
        warning = stored.warning(batch, about_results.outdated)
        books = database.read(study.engine, tables.CODEBOOKS, codebook=row["codebook"])
        overrides = sorted(set(frames["estimates"]["override"]) - {""})
        about = {
            "batch": batch,
            "labeler": __version__,
            "codebook": row["codebook"],
            "suggester": row["suggester"],
            "design": row["design"],
            "made_up": made_up(study),
            "override": "; ".join(overrides),
            "verdicts": _stated(frames["verdicts"]),
            **about_results._asdict(),
        }
        figure = reliability.reliability(
            reliability.main_rows(frames["reliability"]), study.codebook
        )
        drawn = draw.draw(draw.marked(figure, warning), "svg")
        made = exports_stage.bundle(
            frames,
            texts={"codebook.yaml": books["content"].iloc[0], "reliability.svg": drawn.decode()},
            about=about,
        )
        folder = study.project.exports / batch
        written = [name for name, text in made.items() if _changed(folder / name, text)]
        for name in sorted(written, key=lambda name: name == "manifest.json"):
            records.write(folder / name, made[name])
        return Exported(folder, list(made), written, about_results.outdated)


class _Ages(NamedTuple):
    """Which result tables are outdated, and what each was computed from, for the manifest."""

    outdated: list[str]
    computed_from: dict[str, str]


def _frames_at_once(
    study: Study, row: pd.Series[str], *, quotes: bool
) -> tuple[dict[str, pd.DataFrame], _Ages]:
    """The tables of a bundle as they stood at one time, and how old the results are."""
    batch = str(row["batch"])
    frames: dict[str, pd.DataFrame] = {}
    ages = _Ages([], {})

    def read(standing: stored.Standing) -> bool:
        nonlocal ages
        before = stored.computed_from(study.engine, batch)
        frames.update(_frames(study, row, quotes=quotes))
        ages = _Ages(stored.outdated(study.engine, batch), before)
        now = stored.computed_from(study.engine, batch)
        return (stored.standing(study.engine, batch), now) == (standing, before)

    stored.steadily(study.engine, batch, read)
    return frames, ages


def _frames(study: Study, row: pd.Series[str], *, quotes: bool) -> dict[str, pd.DataFrame]:
    """The tables of a bundle, by name."""
    batch = str(row["batch"])
    who = coded(study, batch)
    codings = of_coded(study, tables.CODINGS, who)
    segments = of_coded(study, tables.SEGMENTS, who)
    return {
        "codings": codings,
        "segments": segments if quotes else segments.drop(columns="quote"),
        "changes": of_coded(study, tables.CHANGES, who),
        "confidence": database.read(
            study.engine,
            tables.CONFIDENCE,
            codebook=row["codebook"],
            unit=sorted(set(who["unit"])),
        ),
        "tasks": database.read(study.engine, tables.TASKS, batch=batch).drop(columns="studio_task"),
        **stored.of_batch(study.engine, batch),
    }


def _verdicts(study: Study, batch: str, standing: stored.Standing) -> pd.DataFrame:
    rows = database.read(study.engine, tables.VERDICTS, batch=batch)
    if rows.empty:
        raise GateError(
            f"batch {batch!r}: reliability is not computed yet; run `labeler reliability`"
        )
    if not stored.stands(rows["computed_from"].iloc[0], standing[tables.VERDICTS.name]):
        raise GateError(
            f"batch {batch!r}: its verdicts are outdated, since codes came, changed or went after "
            f"they were computed; run `labeler reliability --batch {batch}`"
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
    lines.append(
        "Code more units, mend the codebook and code anew, ask for the others by --variable, or "
        'give a reason that will stand on every result: --override "reason".'
    )
    return "\n".join(lines)


def _known(names: Sequence[str], codebook: Codebook) -> None:
    there = [variable.variable for variable in codebook.variables]
    for name in names:
        if name not in there:
            raise ProjectError(f"--variable: no variable is called {name!r}: {', '.join(there)}")


def _changed(path: Path, text: str) -> bool:
    return not path.is_file() or records.read_text(path) != text
