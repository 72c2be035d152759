"""Posts → a batch: who codes what, in which arm, with which probability."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd
from sqlalchemy import select

from labeler import hints
from labeler.coding import panels
from labeler.coding.vocabulary import name_of
from labeler.errors import ProjectError
from labeler.keys import canonical
from labeler.sampling import design as sampling
from labeler.sampling import strata
from labeler.sampling.exposure import Exposure, SamplingFrame, exposure_rows, sampling_frame
from labeler.sampling.seen_texts import compared_texts, exposures, words_of
from labeler.store import database, tables
from labeler.study.completions import answered
from labeler.study.study import Study, coders, logged, now
from labeler.text.coded_values import codes_of
from labeler.text.names import did_you_mean, unknown

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
TAKEN = "rejected"
PLATFORM = "platform"
NOT_ASKED = "-"


class SampleResult(NamedTuple):
    """A batch as it stands: its name, tasks by arm and coder, and whether it was drawn just now.

    `frame`: how many units it was drawn from; of these `coded` are in batches of earlier versions
    of the codebook, and `left_out` more were seen with codes in view by too many of the coders.
    """

    batch: str
    tasks: pd.DataFrame
    frame: int
    new: bool
    coded: int = 0
    left_out: int = 0


def sample(
    study: Study, design: sampling.Design, *, batch: str, suggester: str | None = None
) -> SampleResult:
    """Draw a batch from the units that no earlier batch of this codebook holds.

    `suggester` is the coder whose codes the assisted arm shows (None: the one that there is).
    The same call again leaves the batch as it is; another design under its name is refused.
    """
    nameable(batch)
    chosen = suggester_of(study, suggester)
    with logged(study, "sample", {"batch": batch, "suggester": chosen, **design._asdict()}):
        there = database.read(study.engine, tables.BATCHES, batch=batch)
        if there.empty:
            there_are = free(study, chosen)
            seen = exposures(study.engine, there_are)
            source = frame_of(there_are, design, seen)
            units = source.units
            uneven = design.drawing != "simple" or len(units) < len(there_are)
            earlier = _earlier(study, chosen) if uneven else []
            strata_of = layers(study, design, units, chosen, also=earlier)
            if uneven and strata_of is None:
                strata_of = sampling.Strata(dict.fromkeys([*units, *earlier], ""), {"": 1.0})
            held = sampling.drawn_units(units, design, suggester=chosen, strata=strata_of)
            created = now()
            drawn = sampling.seated(
                held,
                design,
                batch=batch,
                codebook=study.codebook.fingerprint,
                suggester=chosen,
                created=created,
                exposure=compared_texts(study.engine, seen, held.drawn),
            )
            known_coders(study, design.coders)
            which: dict[str, object] = {"batch": batch}
            words = words_of(study.engine, held.drawn)
            database.replace(
                study.engine,
                (tables.BATCHES, which, drawn.batches),
                (tables.SEATS, which, drawn.seats),
                (tables.TASKS, which, drawn.tasks),
                (tables.FRAMES, which, _frame(batch, units, design, strata_of)),
                (tables.EXPOSURES, which, exposure_rows(drawn.tasks, words, since=created)),
            )
            told = (source.coded, source.left_out)
            return SampleResult(batch, drawn.tasks, len(units), True, *told)
        _same(there.iloc[0], design, chosen, study)
        return SampleResult(
            batch, database.read(study.engine, tables.TASKS, batch=batch), 0, new=False
        )


def _frame(
    batch: str, units: Sequence[str], design: sampling.Design, strata_of: sampling.Strata | None
) -> pd.DataFrame:
    """FRAMES rows of a draw by strata; none of a simple one from all units, which are alike.

    Beside the frame's they are of the further units that the strata name: those of earlier
    batches, so that batches can be judged together.
    """
    if strata_of is None:
        return tables.frame(tables.FRAMES)
    chances = sampling.probabilities(units, design, strata_of)
    of_stratum = {strata_of.of[unit]: chances[unit] for unit in units}
    rows = [
        # of a stratum of which nothing is left, one more unit would have been drawn
        {"batch": batch, "unit": unit, "stratum": of, "probability": of_stratum.get(of, 1.0)}
        for unit, of in strata_of.of.items()
    ]
    return tables.frame(tables.FRAMES, rows)


def _earlier(study: Study, suggester: str) -> list[str]:
    """The units of the batches that this codebook and suggester have so far."""
    drawn = tables.TASKS.c
    about = {"codebook": study.codebook.fingerprint, "suggester": suggester}
    held = (
        select(drawn.unit)
        .join(tables.BATCHES, drawn.batch == tables.BATCHES.c.batch)
        .where(database.matching(study.engine, tables.BATCHES, about))
    )
    return sorted(set(database.query_rows(study.engine, held)["unit"]))


def nameable(batch: str) -> None:
    """Refuse a name that cannot be that of a folder in exports/."""
    if not NAME.fullmatch(batch) or batch == TAKEN:
        raise ProjectError(
            f"{batch!r} cannot be a batch's name: use letters, digits, '.', '_' and '-' "
            f"(a folder in exports/ is called so; {TAKEN!r} is taken)"
        )


def suggester_of(study: Study, named: str | None) -> str:
    """The coder named, or the one that has pre-labelled under this codebook; '' where none has."""
    found = database.distinct(
        study.engine, tables.COMPLETIONS.c.coder, codebook=study.codebook.fingerprint
    )
    if named and named not in found:
        there = f"there are: {', '.join(found)}" if found else "nobody has yet"
        hint = hints.CHOOSE_SUGGESTER if found else hints.PRELABEL
        raise ProjectError(
            f"{named!r} has not pre-labelled{did_you_mean(named, found)}; {there}", hint=hint
        )
    if named is not None:
        return named
    if len(found) > 1:
        raise ProjectError(f"{', '.join(found)} have pre-labelled", hint=hints.CHOOSE_SUGGESTER)
    return str(found[0]) if found else ""


def free(study: Study, suggester: str) -> list[str]:
    """Units that can be drawn: answered by the suggester (if there is one), in no batch yet."""
    codebook = study.codebook.fingerprint
    if suggester:
        there = answered(study, suggester)
        units = sorted(set(there[there["good"] > 0]["unit"]))
    else:
        units = database.distinct(study.engine, tables.POSTS.c.unit)
    held = (
        select(tables.TASKS.c.unit)
        .join(tables.BATCHES, tables.TASKS.c.batch == tables.BATCHES.c.batch)
        .where(tables.BATCHES.c.codebook == codebook)
    )
    taken = set(database.query_rows(study.engine, held)["unit"])
    return [unit for unit in units if unit not in taken]


def frame_of(units: Sequence[str], design: sampling.Design, seen: Exposure) -> SamplingFrame:
    """The units from which a design is drawn, of those that can be drawn."""
    blind = design.overlap if design.blind else 0
    return sampling_frame(units, design.coders, seen, blind=blind, drawn=design.drawn)


def known_coders(study: Study, wanted: Sequence[str]) -> None:
    """Refuse a coder that nobody has added."""
    known = coders(study, "human")
    missing = [coder for coder in wanted if coder not in known]
    if missing:
        name = name_of(missing[0])
        raise ProjectError(
            f"nobody is called {name!r}{did_you_mean(name, map(name_of, known))}",
            hint=hints.ADD_CODER.about(name=name),
        )


def layers(
    study: Study,
    design: sampling.Design,
    units: Sequence[str],
    suggester: str,
    *,
    also: Sequence[str] = (),
) -> sampling.Strata | None:
    """The strata that the design draws from; None where it draws simply.

    `also`: units that cannot be drawn, whose strata are told as well.
    """
    if design.drawing == "simple":
        return None
    if design.drawing == "stratified" and design.by == (PLATFORM,):
        query = select(tables.POSTS.c.unit, tables.POSTS.c.platform)
        posts = database.query_rows(study.engine, query)
        of = dict(zip(posts["unit"], posts["platform"], strict=True))
        values, others = ({unit: str(of[unit]) for unit in each} for each in (units, also))
        return sampling.Strata(
            *strata.stratified(values, allocation=design.allocation, also=others)
        )
    known = [variable.variable for variable in study.codebook.variables]
    for name in design.by:
        if name not in known:
            raise ProjectError(unknown("variable", name, [*known, PLATFORM]))
    if not suggester:
        raise ProjectError(f"a {design.drawing} drawing needs codes", hint=hints.PRELABEL)
    if design.drawing == "uncertain":
        which: dict[str, object] = {
            "codebook": study.codebook.fingerprint,
            "coder": suggester,
            "variable": list(design.by) or known,
        }
        sure = strata.least_sure(database.read(study.engine, tables.CONFIDENCE, **which))
        return sampling.Strata(*strata.uncertain(units, sure, floor=design.floor, also=also))
    given = given_by(study, suggester, [*units, *also])
    if design.drawing == "enriched":
        codes, further = (
            {unit: _codes(given[unit], design.by or known) for unit in each}
            for each in (units, also)
        )
        return sampling.Strata(*strata.enriched(codes, also=further))
    values, others = (
        {unit: " | ".join(given[unit][name] for name in design.by) for unit in each}
        for each in (units, also)
    )
    return sampling.Strata(*strata.stratified(values, allocation=design.allocation, also=others))


def given_by(study: Study, coder: str, units: Sequence[str]) -> dict[str, dict[str, str]]:
    """Unit → variable → what a model gave: of segments the set of codes; '-': not asked."""
    which = {"codebook": study.codebook.fingerprint, "coder": coder, "replicate": 1}
    codings = database.read(study.engine, tables.CODINGS, **which)
    who = pd.DataFrame({"unit": list(units), "coder": coder, "arm": ""})
    given: dict[str, dict[str, str]] = {unit: {} for unit in units}
    for variable in study.codebook.variables:
        wide = panels.values(codings, who, variable)
        for unit, value in zip(wide["unit"], wide["value"].fillna(NOT_ASKED), strict=True):
            given[unit][variable.variable] = str(value)
    return given


def _codes(row: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """`variable=code` for each code that a unit has."""
    return [f"{name}={code}" for name in names for code in codes_of(row[name]) if code != NOT_ASKED]


def _same(row: pd.Series[str], design: sampling.Design, suggester: str, study: Study) -> None:
    drawn = json.loads(row["design"])
    wanted = json.loads(canonical(design._asdict()))
    usual = json.loads(canonical(design._field_defaults))  # what a batch of before does not say
    alike = all(drawn.get(name, usual.get(name)) == value for name, value in wanted.items())
    codebook = row["codebook"] == study.codebook.fingerprint
    if not alike or row["suggester"] != suggester or not codebook:
        raise ProjectError(
            f"batch {row['batch']!r} is drawn already, by another design, suggester or codebook "
            "(a drawn batch is never changed)",
            hint=hints.RENAME_BATCH,
        )
