"""Posts → a batch: who codes what, in which arm, with which probability."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import pandas as pd
from sqlalchemy import select

from labeler import tables
from labeler.edges import store
from labeler.errors import ProjectError
from labeler.keys import canonical
from labeler.pipeline.answered import answered
from labeler.pipeline.study import Study, coders, logged, now
from labeler.stages import sampling

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
TAKEN = "rejected"


class Sampled(NamedTuple):
    """A batch as it stands: its name, tasks by arm and coder, and whether it was drawn just now."""

    batch: str
    tasks: pd.DataFrame
    frame: int
    new: bool


def sample(
    study: Study, design: sampling.Design, *, batch: str, suggester: str | None = None
) -> Sampled:
    """Draw a batch from the units that no earlier batch of this codebook holds.

    `suggester` is the coder whose codes the assisted arm shows (None: the one that there is).
    The same call again leaves the batch as it is; another design under its name is refused.
    """
    _nameable(batch)
    chosen = _suggester(study, suggester)
    with logged(study, "sample", {"batch": batch, "suggester": chosen, **design._asdict()}):
        there = store.read(study.engine, tables.BATCHES, batch=batch)
        if there.empty:
            units = _free(study, chosen)
            drawn = sampling.draw(
                units,
                design,
                batch=batch,
                codebook=study.codebook.fingerprint,
                suggester=chosen,
                created=now(),
            )
            _known(study, design)
            which: dict[str, object] = {"batch": batch}
            store.replace(
                study.engine,
                (tables.BATCHES, which, drawn.batches),
                (tables.SEATS, which, drawn.seats),
                (tables.TASKS, which, drawn.tasks),
            )
            return Sampled(batch, drawn.tasks, len(units), new=True)
        _same(there.iloc[0], design, chosen, study)
        return Sampled(batch, store.read(study.engine, tables.TASKS, batch=batch), 0, new=False)


def _nameable(batch: str) -> None:
    """Refuse a name that cannot be that of a folder in exports/."""
    if not NAME.fullmatch(batch) or batch == TAKEN:
        raise ProjectError(
            f"--batch: {batch!r} cannot be a batch's name: use letters, digits, '.', '_' and '-' "
            f"(a folder in exports/ is called so; {TAKEN!r} is taken)"
        )


def _suggester(study: Study, named: str | None) -> str:
    """The coder named, or the one that has pre-labelled under this codebook; '' where none has."""
    found = store.distinct(
        study.engine, tables.COMPLETIONS.c.coder, codebook=study.codebook.fingerprint
    )
    if named and named not in found:
        there = ", ".join(found) or "nobody yet: `labeler prelabel`"
        raise ProjectError(f"--suggester: {named!r} has not pre-labelled; there are: {there}")
    if named is not None:
        return named
    if len(found) > 1:
        raise ProjectError(f"--suggester: {', '.join(found)} have pre-labelled; say which to show")
    return str(found[0]) if found else ""


def _free(study: Study, suggester: str) -> list[str]:
    """Units that can be drawn: answered by the suggester (if there is one), in no batch yet."""
    codebook = study.codebook.fingerprint
    if suggester:
        there = answered(study, suggester)
        units = sorted(set(there[there["good"] > 0]["unit"]))
    else:
        units = store.distinct(study.engine, tables.POSTS.c.unit)
    held = (
        select(tables.TASKS.c.unit)
        .join(tables.BATCHES, tables.TASKS.c.batch == tables.BATCHES.c.batch)
        .where(tables.BATCHES.c.codebook == codebook)
    )
    taken = set(store.query_rows(study.engine, held)["unit"])
    return [unit for unit in units if unit not in taken]


def _known(study: Study, design: sampling.Design) -> None:
    known = coders(study, "human")
    missing = [coder for coder in design.coders if coder not in known]
    if missing:
        name = missing[0].removeprefix("human:")
        raise ProjectError(
            f"--coders: nobody is called {name!r}; `labeler coders add {name}` makes the account"
        )


def _same(row: pd.Series[str], design: sampling.Design, suggester: str, study: Study) -> None:
    drawn = json.loads(row["design"])
    wanted = json.loads(canonical(design._asdict()))
    alike = all(drawn[name] == value for name, value in wanted.items())
    codebook = row["codebook"] == study.codebook.fingerprint
    if not alike or row["suggester"] != suggester or not codebook:
        raise ProjectError(
            f"--batch: {row['batch']!r} is drawn already, by another design, suggester or "
            "codebook; give the new batch another name (a drawn batch is never changed)"
        )
