"""Who has seen which text with codes in view, and so never codes it blind again.

A coder has seen a text with codes in view to whom it was given in the assisted arm (the project can
be opened from then on) or in the adjudication arm (where others' codes are shown), in whatever
batch, under whatever version of the codebook, and in whatever post of equal or near-equal words
(`text.near_texts`). Whoever still has a text to code blind must not get it with codes in view. Both
are rows of EXPOSURES and TASKS; a row of EXPOSURES outlives the task that it came from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from labeler.coding.vocabulary import ADJUDICATION, ASSISTED, BLIND, REPEAT
from labeler.store import tables
from labeler.text.near_texts import Groups, near_groups

EMPTY: frozenset[str] = frozenset()
IN_VIEW = (ASSISTED, ADJUDICATION)  # the arms in which codes are in view
UNSEEN = (BLIND, REPEAT)


class Exposure(NamedTuple):
    """What coders have seen so far, and what they still have to code blind.

    `words`: unit → key of its text, the same for equal and near-equal ones; a unit that is not
    there is like no other. `seen`: key of a text → the coders who had codes of it in view;
    `waiting`: key of a text → the coders with a blind task of it that is not coded yet. `coded`:
    the units that are in a batch under any version of the codebook.
    """

    words: Mapping[str, str]
    seen: Mapping[str, frozenset[str]]
    waiting: Mapping[str, frozenset[str]]
    coded: Collection[str]

    def by(self, unit: str) -> frozenset[str]:
        """The coders who have seen a unit's text with codes in view."""
        return self.seen.get(self.like(unit), EMPTY)

    def open_to(self, unit: str) -> frozenset[str]:
        """The coders who still have a unit's text to code blind."""
        return self.waiting.get(self.like(unit), EMPTY)

    def like(self, unit: str) -> str:
        """What units of equal or near-equal words have in common."""
        return self.words.get(unit) or unit


class SamplingFrame(NamedTuple):
    """The units to draw from; how many of them are in batches of earlier versions of the codebook;
    and how many were left out, since too many of the coders have seen them with codes in view."""

    units: list[str]
    coded: int = 0
    left_out: int = 0


NOTHING = Exposure({}, {}, {}, ())


def exposure(
    words: Mapping[str, str],
    given: pd.DataFrame,
    waiting: pd.DataFrame,
    *,
    coded: Collection[str] = (),
) -> Exposure:
    """What EXPOSURES rows (coder, unit) and blind tasks that wait (coder, unit) come to.

    `words`: unit → what it has in common with others, or ''.
    """
    known = {unit: own for unit, own in words.items() if own}
    return Exposure(known, _coders(given, known), _coders(waiting, known), coded)


def compared(known: Exposure, texts: Mapping[str, str]) -> Exposure:
    """The exposure once equal and near-equal texts of some more units (unit → text) are told."""
    groups: Groups[str] = Groups()
    for unit, first in near_groups(texts).items():
        if unit != first:
            groups.join(known.like(unit), known.like(first))
    words = {unit: groups.of(known.like(unit)) for unit in {*known.words, *texts}}
    return Exposure(words, _joined(known.seen, groups), _joined(known.waiting, groups), known.coded)


def exposure_rows(tasks: pd.DataFrame, words: Mapping[str, str], *, since: str) -> pd.DataFrame:
    """EXPOSURES rows of the TASKS with codes in view; `words`: unit → `posts.words`."""
    rows = [
        {"coder": row.coder, "unit": row.unit, "words": words.get(row.unit) or row.unit}
        | {"batch": row.batch, "arm": row.arm, "since": since}
        for row in tables.rows(tasks[tasks["arm"].isin(IN_VIEW)])
    ]
    return tables.frame(tables.EXPOSURES, rows)


def of_near_texts(
    rows: pd.DataFrame, blind: pd.DataFrame, words: Mapping[str, str], known: Exposure
) -> pd.DataFrame:
    """EXPOSURES rows once more, by the words of near-equal texts that their coders code blind.

    `blind`: columns coder, unit; `words`: unit → `posts.words`. None where all is well: a draw
    gives nobody such tasks, but a file of codings made elsewhere may hold them.
    """
    near: dict[tuple[str, str], set[str]] = {}
    for coder, unit in zip(blind["coder"], blind["unit"], strict=True):
        near.setdefault((coder, known.like(unit)), set()).add(words.get(unit) or unit)
    found = [
        {**row, "words": own}
        for row in tables.records(rows)
        for own in sorted(near.get((row["coder"], known.like(row["unit"])), set()))
        if own != row["words"]
    ]
    return tables.frame(tables.EXPOSURES, found)


def sampling_frame(
    units: Sequence[str], coders: Sequence[str], exposure: Exposure, *, blind: int, drawn: int
) -> SamplingFrame:
    """The units from which `drawn` are drawn, each of which `blind` of the coders can code blind.

    Fresh ones, in no batch of any version of the codebook, where there are enough of them: they
    are what random earlier draws left. Else all that can be coded so.
    """
    able = [unit for unit in units if len(set(coders) - exposure.by(unit)) >= blind]
    fresh = [unit for unit in able if unit not in exposure.coded]
    left_out = len(units) - len(able)
    if len(fresh) >= drawn:
        return SamplingFrame(fresh, 0, left_out)
    return SamplingFrame(able, len(able) - len(fresh), left_out)


def _coders(rows: pd.DataFrame, words: Mapping[str, str]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for unit, coder in zip(rows["unit"], rows["coder"], strict=True):
        found.setdefault(words.get(unit, unit), set()).add(coder)
    return {own: frozenset(coders) for own, coders in found.items()}


def _joined(coders: Mapping[str, frozenset[str]], groups: Groups[str]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for own, who in coders.items():
        found[groups.of(own)] = found.get(groups.of(own), EMPTY) | who
    return found
