"""Codings → reliability and verdicts → shares and consensus → a folder of files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from sqlalchemy import Table

from labeler import __version__, tables
from labeler.codebook import Codebook, Gate
from labeler.edges import drawing, files, store
from labeler.errors import GateError, ProjectError
from labeler.pipeline.study import Study, batch_row, coded, logged, made_up, same_codebook
from labeler.stages import consensus as consensus_stage
from labeler.stages import estimates as estimates_stage
from labeler.stages import exports as exports_stage
from labeler.stages import figures, sampling
from labeler.stages import reliability as reliability_stage


class Exported(NamedTuple):
    """Where a bundle lies and which of its files are new or changed."""

    folder: Path
    files: list[str]
    written: list[str]


def reliability(study: Study, *, batch: str, gate: Gate | None = None) -> pd.DataFrame:
    """Compute and store the RELIABILITY rows of a batch; the rows."""
    row = batch_row(study, batch)
    same_codebook(study, row)
    with logged(study, "reliability", {"batch": batch, "gate": gate and gate.model_dump()}):
        who = coded(study, batch)
        rows = reliability_stage.reliability(
            _codings(study, who),
            who,
            study.codebook,
            batch=batch,
            suggester=row["suggester"],
            gate=gate,
        )
        given = _blind(study, who)
        kept = consensus_stage.consensus(given, study.codebook, batch=batch)
        store.replace(
            study.engine,
            (tables.RELIABILITY, {"batch": batch}, rows),
            (tables.CONSENSUS, {"batch": batch}, kept),
        )
        return store.read(study.engine, tables.RELIABILITY, batch=batch)


def aggregate(
    study: Study, *, batch: str, variables: Sequence[str] = (), override: str = ""
) -> pd.DataFrame:
    """Compute and store the ESTIMATES rows of the variables that the gate lets through.

    Without `variables`, of all. The gate is the verdict on the blind humans. Raises GateError,
    naming each variable it holds shut (those that passed are written all the same), unless an
    `override` gives a reason: that reason then stands in every row.
    """
    row = batch_row(study, batch)
    same_codebook(study, row)
    asked = list(variables) or [variable.variable for variable in study.codebook.variables]
    _known(asked, study.codebook)
    with logged(study, "aggregate", {"batch": batch, "variables": asked, "override": override}):
        ruled = _verdicts(study, batch)
        shut = [name for name in asked if ruled[name]["verdict"] != "pass"]
        open_ = asked if override else [name for name in asked if name not in shut]
        who = coded(study, batch)
        given = {name: frame for name, frame in _blind(study, who).items() if name in open_}
        posts = store.read(study.engine, tables.POSTS, unit=sorted(set(who["unit"])))
        rows = estimates_stage.estimates(
            given,
            posts.set_index("unit")["author"],
            study.codebook,
            batch=batch,
            verdicts={name: str(ruled[name]["verdict"]) for name in asked},
            override=override,
        )
        store.replace(study.engine, (tables.ESTIMATES, {"batch": batch}, rows))
        if shut and not override:
            raise GateError(_refusal(shut, open_, ruled, batch))
        return rows


def export(study: Study, *, batch: str, quotes: bool = False) -> Exported:
    """Write exports/<batch>/: CSV files, figure, codebook and a manifest with their hashes.

    `quotes` adds the verbatim quotes to the segments: do not publish them (a quote can be found
    again by a search engine). The same tables give the same bytes.
    """
    row = batch_row(study, batch)
    same_codebook(study, row)
    with logged(study, "export", {"batch": batch, "quotes": quotes}):
        who = coded(study, batch)
        codings = _codings(study, who)
        segments = _of_coded(study, tables.SEGMENTS, who)
        frames = {
            "codings": codings,
            "segments": segments if quotes else segments.drop(columns="quote"),
            "changes": _of_coded(study, tables.CHANGES, who),
            "confidence": store.read(
                study.engine,
                tables.CONFIDENCE,
                codebook=row["codebook"],
                unit=sorted(set(who["unit"])),
            ),
            "tasks": store.read(study.engine, tables.TASKS, batch=batch).drop(
                columns="studio_task"
            ),
            "reliability": store.read(study.engine, tables.RELIABILITY, batch=batch),
            "consensus": store.read(study.engine, tables.CONSENSUS, batch=batch),
            "estimates": store.read(study.engine, tables.ESTIMATES, batch=batch),
        }
        books = store.read(study.engine, tables.CODEBOOKS, codebook=row["codebook"])
        overrides = sorted(set(frames["estimates"]["override"]) - {""})
        about = {
            "batch": batch,
            "labeler": __version__,
            "codebook": row["codebook"],
            "suggester": row["suggester"],
            "design": row["design"],
            "made_up": made_up(study),
            "override": "; ".join(overrides),
        }
        drawn = drawing.draw(figures.reliability(frames["reliability"], study.codebook), "svg")
        made = exports_stage.bundle(
            frames,
            texts={"codebook.yaml": books["content"].iloc[0], "reliability.svg": drawn.decode()},
            about=about,
        )
        folder = study.project.exports / batch
        written = [name for name, text in made.items() if _changed(folder / name, text)]
        for name in sorted(written, key=lambda name: name == "manifest.json"):
            files.write(folder / name, made[name])
        return Exported(folder, list(made), written)


def _blind(study: Study, who: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Variable → blind human values (columns unit, coder, arm, value), unasked ones left out."""
    humans = who[who["coder"].str.startswith("human:") & (who["arm"] == "blind")]
    codings = _codings(study, humans)
    return {
        variable.variable: reliability_stage.values(codings, humans, variable).dropna(
            subset="value"
        )
        for variable in study.codebook.variables
    }


def _codings(study: Study, who: pd.DataFrame) -> pd.DataFrame:
    return _of_coded(study, tables.CODINGS, who)


def _of_coded(study: Study, table: Table, who: pd.DataFrame) -> pd.DataFrame:
    """Rows of a derived table that belong to those who coded; a model's first replicates only."""
    rows = store.read(
        study.engine,
        table,
        codebook=study.codebook.fingerprint,
        unit=sorted(set(who["unit"])),
    )
    rows = rows[(rows["replicate"] == 1) | (rows["arm"] == sampling.REPEAT)]
    wanted = pd.MultiIndex.from_frame(who[["unit", "coder", "arm"]])
    return rows[pd.MultiIndex.from_frame(rows[["unit", "coder", "arm"]]).isin(wanted)]


def _verdicts(study: Study, batch: str) -> dict[str, pd.Series]:
    """Variable → its RELIABILITY row for the blind humans."""
    rows = store.read(study.engine, tables.RELIABILITY, batch=batch, panel=reliability_stage.HUMANS)
    if rows.empty:
        raise GateError(
            f"batch {batch!r}: reliability is not computed yet; run `labeler reliability`"
        )
    return {row["variable"]: row for _, row in rows.iterrows()}


def _refusal(shut: list[str], written: list[str], ruled: dict[str, pd.Series], batch: str) -> str:
    lines = [f"batch {batch!r}: the gate is shut for {len(shut)} of {len(shut) + len(written)}:"]
    lines += [f"  {name}: {ruled[name]['verdict']}: {ruled[name]['note']}" for name in shut]
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
    return not path.is_file() or files.read_text(path) != text
