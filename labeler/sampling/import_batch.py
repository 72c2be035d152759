"""A file of codings made elsewhere → a batch that is coded already.

What stood in the file is kept as annotations, one for each coder and unit, and the codings name
them as their source; the batch notes the file by its hash. Its seats have no Label Studio project.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from sqlalchemy import Table

from labeler import hints
from labeler.codebook.codebook import Codebook
from labeler.coding import import_rows, imports
from labeler.coding.import_cells import exported_annotations, readable_values
from labeler.coding.vocabulary import ADJUDICATION, ASSISTED, BLIND, looks_like_model
from labeler.coding.wide_tables import TableRoles, long_rows
from labeler.errors import InputError, ProjectError
from labeler.files import records, spreadsheets
from labeler.files.coded_cells import CellSettings
from labeler.files.coding_tables import kept, known_columns, refused
from labeler.keys import canonical
from labeler.sampling.design import Design
from labeler.sampling.exposure import UNSEEN, exposure_rows, of_near_texts
from labeler.sampling.sample import nameable, suggester_of
from labeler.sampling.seen_texts import compared_texts, exposures, words_of
from labeler.store import database, results, tables
from labeler.study.study import IMPORTED, Study, add_coder, coders, logged, now

SHORT = 12  # digits of a file's hash in the names of what came from it

Slice = tuple[Table, dict[str, object], pd.DataFrame]


class ImportSettings(NamedTuple):
    """How a file is to be read: `arm` of all rows ('' where its column `arm` says it).

    `columns` maps names of FIELDS to columns of the file that are called otherwise; `missing` are
    further values that mean "not coded", `recode` holds pairs of a value and its code, `separator`
    stands between the codes of a set ('' is found out). `people`:
    all coders are people, also those who are called like a model. Of a table with a column a coder
    `coders` are these columns, `without` those that are none.
    """

    arm: str
    columns: Mapping[str, str]
    where: Sequence[tuple[str, str]] = ()
    sheet: str = ""
    missing: Sequence[str] = ()
    recode: Sequence[tuple[str, str]] = ()
    people: bool = False
    coders: Sequence[str] = ()
    without: Sequence[str] = ()
    separator: str = ""


class Done(NamedTuple):
    """The batch, how much of what it holds, the coders that are new, and the codebook's variables
    that the file says nothing of.
    """

    batch: str
    coders: list[str]
    new_coders: list[str]
    units: int
    codings: int
    segments: int
    silent: list[str]
    new: bool


def import_codings(
    study: Study,
    path: Path,
    wish: ImportSettings,
    *,
    batch: str = "",
    suggester: str | None = None,
    again: bool = False,
) -> Done:
    """Bring a long table of codings into the study as a batch; the same file twice, the same rows.

    `suggester` is the model that the coders are compared with. `again` lets another file take the
    place of what the batch holds. Raises InputError with the lines of the first faults, and
    nothing is written, unless the whole file is right.
    """
    digest = records.digest(path)
    name = batch or f"import-{digest[:8]}"
    nameable(name)
    chosen = suggester_of(study, suggester)
    settings = {"file": path.name, "sha256": digest, "batch": name, **wish._asdict()}
    with logged(study, "codings import", settings):
        before = _before(study, name, settings, again=again)
        table = named_rows(path, wish, study.codebook)
        if not wish.arm and "arm" not in table.columns:
            raise InputError(f"{path}: no column is called 'arm'", hint=hints.SAY_ARM)
        if not wish.people:
            _no_models(path, table)
        created = str(before["created"]) if before is not None else now()
        found = imports.parse(
            table,
            named_posts(study, table),
            study.codebook,
            batch=name,
            arm=wish.arm,
            origin=f"{IMPORTED}{digest[:SHORT]}",
            created=created,
        )
        _refuse(path, found, _held(study, found, name))
        known = coders(study, "human")
        who = sorted(set(found.tasks["coder"]))
        new = [coder for coder in who if coder not in known]
        for coder in new:
            add_coder(study, coder, kind="human", spec={"email": "", "made_up": False})
        row = {
            "batch": name,
            "codebook": study.codebook.fingerprint,
            "suggester": chosen,
            "design": _design(found, settings, before),
            "created": created,
        }
        _write(study, row, found, _exposures(study, found, created), digest)
        said = set(found.codings["variable"])
        return Done(
            batch=name,
            coders=who,
            new_coders=new,
            units=found.tasks["unit"].nunique(),
            codings=len(found.codings),
            segments=len(found.segments),
            silent=[v.variable for v in study.codebook.variables if v.variable not in said],
            new=before is None,
        )


def _refuse(path: Path, found: imports.ImportResult, held: list[tuple[int, str]]) -> None:
    """Raise InputError with the first faults by line, or where there is nothing to import."""
    faults = [*found.faults, *held]
    if faults:
        told = [f"line {line}: {fault}" if line else fault for line, fault in sorted(faults)]
        raise refused(str(path), told)
    if found.codings.empty:
        raise InputError(f"{path}: no row holds a value: nothing to import")


def _before(
    study: Study, name: str, settings: Mapping[str, object], *, again: bool
) -> pd.Series[str] | None:
    """The BATCHES row of that name, if it was made of the same rows of the same file, and of the
    same columns, or may be replaced."""
    there = database.read(study.engine, tables.BATCHES, batch=name)
    if there.empty:
        return None
    row = there.iloc[0]
    origin = json.loads(row["design"]).get("imported")
    if origin is None:
        raise ProjectError(f"batch {name!r} was drawn, not imported", hint=hints.RENAME_BATCH)
    if row["codebook"] != study.codebook.fingerprint:
        raise ProjectError(
            f"batch {name!r} was imported under another version of the codebook",
            hint=hints.RENAME_BATCH,
        )
    if origin["sha256"] == settings["sha256"] and not again:
        wanted = json.loads(canonical(settings))
        other = [name for name in ("columns", "where") if origin.get(name) != wanted[name]]
        if other:
            raise ProjectError(
                f"batch {name!r} was made of other rows or columns of this file",
                hint=hints.REPLACE_BATCH,
            )
    if origin["sha256"] != settings["sha256"] and not again:
        raise ProjectError(
            f"batch {name!r} was made of another file ({origin['file']})",
            hint=hints.REPLACE_BATCH,
        )
    return row


def named_rows(path: Path, wish: ImportSettings, codebook: Codebook) -> pd.DataFrame:
    """The rows of the file, a row a coding, with the columns of FIELDS alone, called so."""
    source = str(path)
    whole = kept(spreadsheets.read(path, sheet=wish.sheet), wish.where, source=source)
    read = exported_annotations(whole, codebook, source=source)
    wanted = {name: wish.columns.get(name, name) for name in import_rows.FIELDS}
    variable = ""
    if wanted["variable"] not in read.columns and wanted["variable"] in {
        one.variable for one in codebook.variables
    }:
        variable = wanted.pop("variable")
    known_columns(read, [wanted[name] for name in wish.columns if name in wanted], source)
    known_columns(read, wish.without, source)
    given = {name: column for name, column in wanted.items() if column in read.columns}
    roles = TableRoles(given, variable, wish.coders, wish.without)
    table = long_rows(read, roles, codebook, source=source)
    for name in ("coder", "variable", "value"):
        if name not in table.columns:
            there = ", ".join(read.columns)
            raise InputError(
                f"{source}: no column is called {name!r}; there are: {there}",
                hint=hints.NAME_COLUMN.about(field=name),
            )
    if "unit" not in table.columns and not {"platform", "platform_id"} <= set(table.columns):
        raise InputError(
            f"{source}: no column names the posts",
            hint=hints.NAME_POSTS,
        )
    exchange = {**dict.fromkeys(wish.missing, ""), **dict(wish.recode)}
    cells = CellSettings(wish.separator, tuple(exchange.items()))
    column = given.get("value", "")
    return readable_values(table, codebook, cells, column=column, source=source)


def _no_models(path: Path, table: pd.DataFrame) -> None:
    """Refuse coders who are called like a model: what it codes is no evidence of people."""
    called = [name for name in sorted(set(table["coder"])) if looks_like_model(name)]
    if called:
        raise InputError(
            f"{path}: {', '.join(map(repr, called))}: called like a model, whose codes would count "
            "as a person's blind codings, and as evidence",
            hint=hints.SAY_PEOPLE,
        )


def named_posts(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """The POSTS that a table may name."""
    parts = [
        database.read(study.engine, tables.POSTS, **{name: sorted(set(table[name]) - {""})})
        for name in ("unit", "platform_id")
        if name in table.columns
    ]
    return pd.concat(parts).drop_duplicates("unit")


def _held(study: Study, found: imports.ImportResult, batch: str) -> list[tuple[int, str]]:
    """Faults where a coder has a unit in another batch of this codebook: whose code would count?"""
    batches = database.read(study.engine, tables.BATCHES, codebook=study.codebook.fingerprint)
    others = sorted(set(batches["batch"]) - {batch})
    which = {"unit": sorted(set(found.tasks["unit"])), "coder": sorted(set(found.tasks["coder"]))}
    there = database.read(study.engine, tables.TASKS, batch=others, **which)
    lines = {
        (row.coder, row.unit): int(row.annotation.rpartition(":")[2])
        for row in tables.rows(found.annotations)
    }
    return [
        (
            lines[row.coder, row.unit],
            f"{row.coder} has unit {row.unit!r} in batch {row.batch!r} already ({row.arm})",
        )
        for row in tables.rows(there)
        if (row.coder, row.unit) in lines
    ]


def _design(
    found: imports.ImportResult, settings: Mapping[str, object], before: pd.Series[str] | None
) -> str:
    """The batch's design: what it would have been had it been drawn, and where it came from.

    An adjudication arm that the batch has got since stays.
    """
    later = json.loads(before["design"]).get(ADJUDICATION) if before is not None else None
    tasks = found.tasks
    units = {arm: own["unit"].nunique() for arm, own in tasks.groupby("arm")}
    blind = tasks[tasks["arm"] == BLIND].groupby("unit").size()
    design = Design(
        blind=int(units.get(BLIND, 0)),
        assisted=int(units.get(ASSISTED, 0)),
        overlap=int(blind.max()) if len(blind) else 1,
        coders=tuple(sorted(set(tasks["coder"]))),
        seed=0,
        drawing="imported",
        after=0,
    )
    origin = {**settings, "variables": sorted(set(found.codings["variable"]))}
    more: dict[str, object] = {ADJUDICATION: later} if later else {}
    return canonical({**design._asdict(), "imported": origin, **more})


def _exposures(study: Study, found: imports.ImportResult, since: str) -> pd.DataFrame:
    """EXPOSURES rows of what the file says was coded with codes in view, and of what of its blind
    codings, and of those that others wait for, is near-equal to what their coders have seen."""
    tasks = found.tasks
    units = sorted(set(tasks["unit"]))
    held = compared_texts(study.engine, exposures(study.engine, units), units)
    earlier = database.read(study.engine, tables.EXPOSURES, coder=sorted(set(tasks["coder"])))
    words = words_of(study.engine, [*units, *held.words])
    own = exposure_rows(tasks, words, since=since)
    blind = tasks[tasks["arm"].isin(UNSEEN)][["coder", "unit"]]
    waiting = [
        {"coder": coder, "unit": unit}
        for unit in held.words
        for coder in sorted(held.open_to(unit))
    ]
    all_blind = pd.concat([blind, pd.DataFrame(waiting, columns=["coder", "unit"])])
    met = pd.concat([earlier, own], ignore_index=True)
    near = of_near_texts(met.sort_values("since"), all_blind.drop_duplicates(), words, held)
    shown = pd.concat([own, near.assign(batch=str(tasks["batch"].iloc[0]))], ignore_index=True)
    return shown.drop_duplicates(tables.keys(tables.EXPOSURES))


def _write(
    study: Study,
    row: Mapping[str, str],
    found: imports.ImportResult,
    shown: pd.DataFrame,
    digest: str,
) -> None:
    """Exchange all that files have brought into the batch, in one transaction.

    What a file said was shown goes with it: the file that takes its place says it better.
    """
    batch = row["batch"]
    here: dict[str, object] = {"batch": batch}
    arms: dict[str, object] = {**here, "arm": list(import_rows.HELD)}
    seats = found.tasks[["batch", "arm", "coder"]].drop_duplicates()
    slices: list[Slice] = [*_emptied(study, batch, row["codebook"])]
    slices += [
        (tables.BATCHES, here, tables.frame(tables.BATCHES, [row])),
        (
            tables.SEATS,
            arms,
            tables.frame(tables.SEATS, seats.assign(server=f"{IMPORTED}{digest[:SHORT]}")),
        ),
        (tables.TASKS, arms, found.tasks),
        (tables.EXPOSURES, here, shown),
        (tables.ANNOTATIONS, arms, found.annotations),
    ]
    for (arm, coder), own in found.tasks.groupby(["arm", "coder"]):
        which = _slice(row["codebook"], str(arm), str(coder), own)
        for table, given in ((tables.CODINGS, found.codings), (tables.SEGMENTS, found.segments)):
            mine = given[(given["arm"] == arm) & (given["coder"] == coder)]
            slices.append((table, which, mine))
    results.replace(study.engine, *slices)


def _emptied(study: Study, batch: str, codebook: str) -> list[Slice]:
    """Slices that take away what the batch's imported seats have coded so far."""
    tasks = database.read(study.engine, tables.TASKS, batch=batch, arm=list(import_rows.HELD))
    return [
        (table, _slice(codebook, str(arm), str(coder), own), tables.frame(table))
        for (arm, coder), own in tasks.groupby(["arm", "coder"])
        for table in (tables.CODINGS, tables.SEGMENTS)
    ]


def _slice(codebook: str, arm: str, coder: str, tasks: pd.DataFrame) -> dict[str, object]:
    units = sorted(set(tasks["unit"]))
    return {"codebook": codebook, "arm": arm, "coder": coder, "unit": units}
