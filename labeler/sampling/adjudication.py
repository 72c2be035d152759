"""Coded units → a further arm of their batch, in which somebody decides with all codes in view.

The codes are shown without names and in an order that only the project's secret tells; a model's
stand among them unmarked. Whoever has a task of the unit that is still open never gets to see
them. An adjudicated code is a layer of its own: it is no evidence of reliability, and changes none
of the codes it was made from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from string import ascii_uppercase
from typing import NamedTuple

import pandas as pd

from labeler import hints
from labeler.codebook.codebook import Codebook, Variable
from labeler.coding.vocabulary import ADJUDICATION, BLIND
from labeler.errors import InputError
from labeler.keys import key, keyed
from labeler.store import tables
from labeler.text.duplicates import quoted

NOTHING = "no codes"


class AdjudicationDraw(NamedTuple):
    """Which units go to whom: `source` is `disagreed`, `unresolved` or `uncertain`.

    `variables`: on which of them (none: on any); `size`: how many units (None: all of them);
    `own`: a coder may decide on units they have coded.
    """

    source: str
    variables: tuple[str, ...]
    coders: tuple[str, ...]
    size: int | None = None
    own: bool = False
    seed: int = 1


class CodesInView(NamedTuple):
    """What an adjudicator sees of a unit's codes, and whose they are, in the order of letters."""

    text: str
    coders: tuple[str, ...]


class UnitCoders(NamedTuple):
    """Who may not decide on a unit: unit → coders with an open task of it, with a coded one."""

    open: Mapping[str, Sequence[str]]
    coded: Mapping[str, Sequence[str]]


def disagreed(given: Mapping[str, pd.DataFrame]) -> list[str]:
    """Units on which two coders gave different values of a variable, in order.

    `given` maps variables to their values (columns unit, coder, value).
    """
    found: set[str] = set()
    for values in given.values():
        apart = values.groupby("unit")["value"].nunique()
        found |= {str(unit) for unit in apart.index[apart > 1]}
    return sorted(found)


def unresolved(consensus: pd.DataFrame, variables: Sequence[str]) -> list[str]:
    """Units of CONSENSUS rows that several coders coded and no value is kept for, in order."""
    rows = consensus[(consensus["rule"] == "unresolved") & (consensus["coders"] > 1)]
    return sorted(set(rows.loc[rows["variable"].isin(variables), "unit"]))


def draw(
    units: Sequence[str], wish: AdjudicationDraw, tasks: pd.DataFrame, seen: UnitCoders
) -> pd.DataFrame:
    """TASKS of the adjudication arm: each of `units` for one of the coders named.

    `units` are those that could be drawn, the most wanted first where the source is `uncertain`
    (then the first ones are taken, else `size` of them by a hash). `tasks` are the batch's. Units
    that the arm holds already are left out. A unit's probability is that of its blind task times
    the share of `units` that is taken at random; a task's is that by the coders who may get it.

    Raises InputError, naming the unit, where nobody named may get it.
    """
    blind = tasks[tasks["arm"] == BLIND].drop_duplicates("unit").set_index("unit")
    there = tasks[tasks["arm"] == ADJUDICATION]
    size = len(units) if wish.size is None else min(wish.size, len(units))
    share = 1.0 if wish.source == "uncertain" or not units else size / len(units)
    ordered = list(units)
    if wish.source != "uncertain":
        ordered.sort(key=lambda unit: key({"seed": wish.seed, "unit": unit, "for": ADJUDICATION}))
    new = [unit for unit in ordered[:size] if unit not in set(there["unit"])]
    groups: dict[tuple[str, ...], list[str]] = {}
    for unit in new:
        groups.setdefault(_allowed(unit, wish, seen), []).append(unit)
    rows = []
    place = there.groupby("coder")["position"].max().to_dict()
    for allowed, own in groups.items():
        for number, unit in enumerate(own):
            coder = _turned(allowed, wish.seed)[number % len(allowed)]
            place[coder] = int(place.get(coder, 0)) + 1
            chance = float(blind.loc[unit, "unit_probability"]) * share  # type: ignore[arg-type]
            rows.append(
                {
                    "batch": blind.loc[unit, "batch"],
                    "arm": ADJUDICATION,
                    "coder": coder,
                    "unit": unit,
                    "position": place[coder],
                    "stratum": blind.loc[unit, "stratum"],
                    "unit_probability": chance,
                    "task_probability": chance / len(allowed),
                }
            )
    return tables.frame(tables.TASKS, rows)


def given(
    codings: pd.DataFrame,
    segments: pd.DataFrame,
    coded: pd.DataFrame,
    codebook: Codebook,
    *,
    secret: bytes,
) -> dict[str, CodesInView]:
    """Unit → the codes of all its coders as plain text, nameless, in an order of the unit's own.

    `coded` (columns unit, coder, arm) says who coded which unit; `codings` and `segments` are
    their rows. Whoever coded and found nothing has a part as well.
    """
    texts = {}
    for unit, own in coded.groupby("unit", sort=True):
        parts = []
        for row in tables.rows(own):
            order = keyed({"unit": unit, "coder": row.coder, "arm": row.arm}, secret=secret)
            who = (row.unit, row.coder, row.arm)
            parts.append((order, str(row.coder), _told(who, codings, segments, codebook)))
        parts.sort()
        told = "\n\n".join(
            f"Coding {ascii_uppercase[place % 26]}\n{text}"
            for place, (_, _, text) in enumerate(parts)
        )
        texts[str(unit)] = CodesInView(told, tuple(coder for _, coder, _ in parts))
    return texts


def _allowed(unit: str, wish: AdjudicationDraw, seen: UnitCoders) -> tuple[str, ...]:
    barred = {*seen.open.get(unit, ()), *(() if wish.own else seen.coded.get(unit, ()))}
    allowed = tuple(coder for coder in wish.coders if coder not in barred)
    if not allowed:
        raise InputError(
            f"unit {unit}: nobody of {', '.join(wish.coders)} may adjudicate it: they have coded "
            "it or still have to, without seeing others' codes",
            hint=hints.FURTHER_ADJUDICATOR,
        )
    return allowed


def _turned(coders: Sequence[str], seed: int) -> list[str]:
    return sorted(
        coders, key=lambda coder: key({"seed": seed, "coder": coder, "for": ADJUDICATION})
    )


def _told(
    who: tuple[str, str, str], codings: pd.DataFrame, segments: pd.DataFrame, codebook: Codebook
) -> str:
    """The codes of one unit by one coder in one arm, in the words of the codebook."""
    own, spans = _of(who, codings), _of(who, segments)
    lines = _lines(own[own["segment"] == ""], codebook.of_unit)
    for span in tables.rows(spans.sort_values(["start", "end", "segment"])):
        codes = _lines(own[own["segment"] == span.segment], codebook.of_segment)
        quote = quoted(" ".join(span.quote.split()))
        lines.append(quote + ("".join(f"\n– {line}" for line in codes)))
    return "\n".join(lines) or NOTHING


def _of(who: tuple[str, str, str], rows: pd.DataFrame) -> pd.DataFrame:
    unit, coder, arm = who
    return rows.loc[(rows["unit"] == unit) & (rows["coder"] == coder) & (rows["arm"] == arm)]


def _lines(rows: pd.DataFrame, variables: Iterable[Variable]) -> list[str]:
    values = dict(zip(rows["variable"], rows["value"], strict=True))
    return [
        f"{variable.label}: {'; '.join(variable.labels(values[variable.variable])) or 'none'}"
        for variable in variables
        if variable.variable in values
    ]
