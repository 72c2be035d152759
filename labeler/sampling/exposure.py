"""Who has seen which text with codes in view, and so never codes it blind again.

A coder has seen a text with codes in view who got it in the assisted arm (the project can be opened
from then on) or in the adjudication arm (where others' codes are shown), in whatever batch, under
whatever version of the codebook, and in whatever post that has the same words (`posts.words`:
links, mentions, case and punctuation aside). What was seen is not forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from labeler.coding.vocabulary import ADJUDICATION, ASSISTED

EMPTY: frozenset[str] = frozenset()


class Exposure(NamedTuple):
    """What coders have seen so far.

    `words`: unit → key of its words, of all units that can be drawn. `seen`: key of words → the
    coders who had codes of such a text in view. `coded`: the units that are in a batch under any
    version of the codebook.
    """

    words: Mapping[str, str]
    seen: Mapping[str, frozenset[str]]
    coded: Collection[str]

    def by(self, unit: str) -> frozenset[str]:
        """The coders who have seen a unit's text with codes in view."""
        return self.seen.get(self.like(unit), EMPTY)

    def like(self, unit: str) -> str:
        """What units of the same words have in common."""
        return self.words.get(unit) or unit


class SamplingFrame(NamedTuple):
    """The units to draw from; how many of them are in batches of earlier versions of the codebook;
    and how many were left out, since too many of the coders have seen them with codes in view."""

    units: list[str]
    coded: int = 0
    left_out: int = 0


NOTHING = Exposure({}, {}, ())


def exposure(words: Mapping[str, str], tasks: pd.DataFrame) -> Exposure:
    """What TASKS rows (arm, coder, unit) of all batches have shown; `words`: unit → key, or ''."""
    known = {unit: own for unit, own in words.items() if own}
    shown = tasks[tasks["arm"].isin((ASSISTED, ADJUDICATION))]
    seen: dict[str, set[str]] = {}
    for unit, coder in zip(shown["unit"], shown["coder"], strict=True):
        seen.setdefault(known.get(unit, unit), set()).add(coder)
    own = {words_of: frozenset(coders) for words_of, coders in seen.items()}
    return Exposure(known, own, set(tasks["unit"]))


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
