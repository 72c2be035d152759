"""How many units and pairs a figure stands on, of how many there were, and why the rest fell out.

A unit enters where two codings of the panel can be compared. Each of the others is counted once, by
what it lacks: it was coded by one alone, or by nobody, and then for one reason, the first of these
that holds of one of its tasks: the coder had seen the text with codes in view, the coder skipped
it, nobody has coded it yet, it was not asked, it has no value. Where people gave a value and a
model is what they face, the reason is the model's: it made no suggestion, or none for the variable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler.coding.annotations import BARE, SEEN, SKIPPED
from labeler.coding.asked import reads_segments
from labeler.coding.batch import READING, BatchCodings, asked_of
from labeler.coding.panels import Panel, Rater
from labeler.coding.vocabulary import GROUPED, REPEAT, PanelKind, is_human
from labeler.store import tables

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Lacks = NDArray[np.int8]

TASKS = ["unit", "coder", "arm"]  # that are looked at, of TASKS rows


class Lack(IntEnum):
    """Why a rater has given a unit nothing; of several raters' reasons the highest is the unit's.

    `NONE`: the unit was not the rater's to code.
    """

    NONE = 0
    OPEN = 1
    UNASKED = 2
    PENDING = 3
    BARE = 4
    SKIPPED = 5
    SEEN = 6


WHY = {SKIPPED: Lack.SKIPPED, SEEN: Lack.SEEN, BARE: Lack.BARE}  # of LEFT_OUT rows
ALIGNED = "segments.aligned_alpha"  # the coefficient of segments that two coders marked
UNSUGGESTED = "without a suggestion"
NO_SEGMENT = "without a segment that two coders marked and gave a value"
CODED_BY_NOBODY = {
    Lack.PENDING: "not yet coded",
    Lack.SKIPPED: "skipped by a coder",
    Lack.SEEN: "excluded, since the coder had seen the text with codes in view",
    Lack.UNASKED: "not asked",
    Lack.OPEN: "without a value (not applicable or left open)",
    Lack.BARE: UNSUGGESTED,
}
CODED_BY_ONE = {
    Lack.PENDING: "not yet by another",
    Lack.SKIPPED: "skipped by another",
    Lack.SEEN: "excluded of another, who had seen the text with codes in view",
    Lack.UNASKED: "not asked of another",
    Lack.OPEN: "without a value of another",
    Lack.BARE: "without a suggestion for another",
    Lack.NONE: "given to nobody else",
}
ONCE: dict[PanelKind, str] = {
    "between-groups": "coded by one group alone",
    "self": "coded once",
    "replicates": "answered once",
}


class UnitsEntered(NamedTuple):
    """`n_compared` units with codings to compare, which make `n_pairs` pairs, of `n_there` units
    that were there for the panel. The others, each counted once, by what they lack:

    n_single       coded by one (or by one group) alone
    n_pending      not yet coded
    n_skipped      skipped by a coder
    n_seen         coded blind after the coder had seen the text with codes in view: excluded
    n_unasked      not asked
    n_open         without a value: the question did not apply, or was left open
    n_unsuggested  coded by people, without a suggestion to compare with

    `left_out` says the same in words; '' where all entered.
    """

    n_compared: int
    n_pairs: int
    n_there: int
    n_single: int
    n_pending: int
    n_skipped: int
    n_seen: int
    n_unasked: int
    n_open: int
    n_unsuggested: int
    left_out: str


class UnitTasks(NamedTuple):
    """What each rater has given each unit: `given` and `lack` (Lack), shape (raters, units).

    `read`: the row and the column of each of the batch's readings; `groups`: coder → group.
    """

    raters: dict[Rater, int]
    units: int
    given: Bools
    lack: Lacks
    read: tuple[NDArray[np.intp], NDArray[np.intp]]
    groups: Mapping[str, str]

    def of(self, batch: BatchCodings, variable: str) -> UnitTasks:
        """The same of one variable: whoever read a unit gave a value, or was not asked, or not."""
        column = pd.notna(batch.column(variable))
        given, lack = self.given.copy(), self.lack.copy()
        given[self.read] = column
        unasked = ~asked_of(batch.coded, variable)
        lack[self.read] = np.where(column, Lack.NONE, np.where(unasked, Lack.UNASKED, Lack.OPEN))
        return self._replace(given=given, lack=lack)

    def rows(self, raters: Sequence[Rater]) -> tuple[Bools, Lacks]:
        """Of some raters: what they gave, and why not; those without a task are left out."""
        which = [self.raters[rater] for rater in raters if rater in self.raters]
        return self.given[which], self.lack[which]


def unit_tasks(
    batch: BatchCodings, tasks: pd.DataFrame | None, left_out: pd.DataFrame | None
) -> UnitTasks:
    """Who read which unit of a batch, and why the others of its tasks have no coding that counts.

    `tasks` (columns TASKS, TASKS rows) and `left_out` (LEFT_OUT rows): None where they are not
    known, and then only those who read a unit are there. Whoever reads no segments is not asked.
    """
    parts = [
        batch.coded[READING],
        *(_as_readings(own) for own in (tasks, left_out) if own is not None),
    ]
    every = pd.concat(parts, ignore_index=True)
    unit, units = pd.factorize(every["unit"])
    whose = list(zip(every["coder"], every["arm"], every["replicate"], strict=True))
    raters: dict[Rater, int] = {rater: row for row, rater in enumerate(dict.fromkeys(whose))}
    row = np.array([raters[rater] for rater in whose], np.intp)
    lack = np.zeros((len(raters), len(units)), np.int8)
    start = len(batch.coded)
    lack[row[start:], unit[start:]] = Lack.PENDING
    if left_out is not None:
        start = len(every) - len(left_out)
        lack[row[start:], unit[start:]] = [WHY[why] for why in left_out["why"]]
    place = (row[: len(batch.coded)], unit[: len(batch.coded)])
    segments = np.array([reads_segments(coder) for coder, *_ in raters], bool)[place[0]]
    lack[place] = np.where(segments, Lack.NONE, Lack.UNASKED)
    there = np.zeros(lack.shape, bool)
    there[place] = segments
    return UnitTasks(raters, len(units), there, lack, place, batch.groups)


def units_entered(tasks: UnitTasks, panel: Panel) -> UnitsEntered:
    """What enters a figure of a panel, and why the rest does not."""
    given, lack = tasks.rows(_with_idle(tasks, panel))
    values = given.sum(axis=0, dtype=np.int64)
    reason = np.where(given, Lack.NONE, lack).max(axis=0, initial=Lack.NONE)
    there = (values > 0) | (reason > Lack.NONE)
    if panel.kind == "self":  # what does not come back to the coder is not there
        again, still = tasks.rows(panel.raters[1:])
        there &= (again | (still > Lack.NONE)).any(axis=0)
    pairs = _pairs(tasks, panel, values)
    rest = there & (pairs == 0)
    silent = _counted(reason[rest & (values == 0)])
    alone = _counted(reason[rest & (values > 0)])
    unsuggested = 0
    if panel.against is not None:  # then the reason why nothing is compared is the model's
        own, why = tasks.rows([panel.against])
        lacking = np.where(own, Lack.NONE, why).max(axis=0, initial=Lack.NONE)
        of_model = _counted(lacking[rest & (values > 0)])
        unsuggested, alone = int(of_model.sum()), np.zeros_like(of_model)
        for lack_of in (Lack.UNASKED, Lack.OPEN):
            unsuggested -= int(of_model[lack_of])
            silent[lack_of] += of_model[lack_of]
    unsuggested += int(silent[Lack.BARE])
    said = _told(silent, alone, unsuggested, ONCE.get(panel.kind, ""))
    return UnitsEntered(
        n_compared=int((there & (pairs > 0)).sum()),
        n_pairs=int(pairs[there].sum()),
        n_there=int(there.sum()),
        n_single=int(alone.sum()),
        n_pending=int(silent[Lack.PENDING]),
        n_skipped=int(silent[Lack.SKIPPED]),
        n_seen=int(silent[Lack.SEEN]),
        n_unasked=int(silent[Lack.UNASKED]),
        n_open=int(silent[Lack.OPEN]),
        n_unsuggested=unsuggested,
        left_out="; ".join(said),
    )


def segments_entered(rows: pd.DataFrame, batch: BatchCodings, tasks: UnitTasks) -> pd.DataFrame:
    """RELIABILITY rows about segments with the columns of UnitsEntered; of quotes none.

    A unit enters where two coders of the panel read it, with or without a segment to show for it;
    alpha on aligned segments needs a segment that both marked.
    """
    of = {panel.name: units_entered(tasks, panel) for panel in batch.panels}
    found = []
    for row in tables.rows(rows):
        own = of.get(row.panel)
        if own is not None and row.coefficient == ALIGNED:
            own = _on_aligned(own, int(row.n_units), int(row.n_pairable) // 2)
        found.append(own or [None] * len(UnitsEntered._fields))
    return rows.assign(**pd.DataFrame(found, columns=UnitsEntered._fields, index=rows.index))


def _on_aligned(entered: UnitsEntered, n_compared: int, n_pairs: int) -> UnitsEntered:
    """The same of a figure that needs a segment of two coders: `n_compared` units have one."""
    without = entered.n_compared - n_compared
    told = f"{without} {NO_SEGMENT}" if without else ""
    return entered._replace(
        n_compared=n_compared,
        n_pairs=n_pairs,
        n_open=entered.n_open + without,
        left_out="; ".join(text for text in (told, entered.left_out) if text),
    )


def sentence(row: Any) -> str:
    """What a figure stands on, as a sentence for a text; '' of a row that does not say.

    `row` has the fields of UnitsEntered.
    """
    if pd.isna(row.n_there):
        return ""
    units = "unit" if row.n_there == 1 else "units"
    pairs = "pair" if row.n_pairs == 1 else "pairs"
    told = f"{row.n_compared} of {row.n_there} {units} entered ({row.n_pairs} {pairs} of codes)"
    return f"{told}; left out: {row.left_out}" if row.left_out else told


def _with_idle(tasks: UnitTasks, panel: Panel) -> list[Rater]:
    """The raters of a panel, with those who have tasks of it and have not coded any so far."""
    own = list(panel.raters)
    humans = [rater for rater in tasks.raters if is_human(rater[0]) and rater[1] == panel.arm]
    if panel.kind in ("human-human", "model-panel", "assisted"):
        return humans
    if panel.kind not in GROUPED:
        return own
    named = {tasks.groups[rater[0]] for rater in own}
    return [rater for rater in humans if tasks.groups.get(rater[0]) in named]


def _pairs(tasks: UnitTasks, panel: Panel, values: Ints) -> Ints:
    """How many pairs of each unit are compared."""
    if panel.across is not None:
        one, other = (tasks.rows(own)[0].sum(axis=0, dtype=np.int64) for own in panel.across)
        return np.asarray(one * other, np.int64)
    if panel.against is not None:
        return np.asarray(values * tasks.rows([panel.against])[0].any(axis=0), np.int64)
    return np.asarray(values * (values - 1) // 2, np.int64)


def _as_readings(tasks: pd.DataFrame) -> pd.DataFrame:
    """Whose tasks are, as they would be read: READING. What comes back is the second replicate."""
    return tasks[TASKS].assign(replicate=(tasks["arm"] == REPEAT).astype("int64") + 1)


def _counted(reasons: Lacks) -> Ints:
    return np.bincount(reasons, minlength=len(Lack)).astype(np.int64)


def _told(silent: Ints, alone: Ints, unsuggested: int, once: str) -> Iterator[str]:
    """The counts in words, what was coded first."""
    if alone.sum():
        parts = [(int(alone[lack]), words) for lack, words in CODED_BY_ONE.items() if alone[lack]]
        one = once or "coded by one"
        if len(parts) == 1:
            yield f"{parts[0][0]} {one} ({parts[0][1]})"
        else:
            listed = ", ".join(f"{number} {words}" for number, words in parts)
            yield f"{alone.sum()} {one} ({listed})"
    if unsuggested:
        yield f"{unsuggested} {UNSUGGESTED}"
    for lack, words in CODED_BY_NOBODY.items():
        if silent[lack] and lack != Lack.BARE:
            yield f"{silent[lack]} {words}"
