"""Groups of coders, and the pairs of codings between two groups. Pure.

Where coders belong to groups (clinicians and patients, say), a pooled figure can hide that each
group agrees with itself and not with the others. So each group of two coders or more is a panel of
its own, and so are each two groups against each other. Between groups every pair of codings of one
unit by coders of different groups counts, once, and no pair within a group does; chance is the
pooled distribution of the codings in those pairs. For alpha that is 1 - Do/De with Do the mean
distance in pairs between the groups, De that of two codings drawn at random from all of these
pairs: 1 where whoever is of one group says what whoever is of the other says, 0 where they agree as
often as two codings drawn at random. Like any alpha it falls where one group gives a code more
often than the other. One coder picked from each group would give another figure for each pick.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray


def grouped(coders: Iterable[str], groups: Mapping[str, str]) -> dict[str, list[str]]:
    """Group → those of the coders who belong to it, in order; {} where all belong to one."""
    found: dict[str, list[str]] = {}
    known = sorted(set(coders))
    for coder in known:
        if groups.get(coder):
            found.setdefault(groups[coder], []).append(coder)
    alone = any(len(own) == len(known) for own in found.values())
    return {} if alone else dict(sorted(found.items()))


def pairs_across(
    places: NDArray[np.int64], ours: Sequence[int], theirs: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """A row for each unit and pair of raters of two groups who both gave it a value, by unit.

    `places` (raters, units): positions, -1 where nothing; `ours` and `theirs`: rows of it. Answers
    with columns (2, rows), and the unit of each row.
    """
    values: list[NDArray[np.int64]] = [np.empty((2, 0), np.int64)]
    units: list[NDArray[np.intp]] = [np.empty(0, np.intp)]
    for one, other in product(ours, theirs):
        both = places[[one, other]]
        met = np.flatnonzero((both >= 0).all(axis=0))
        values.append(both[:, met])
        units.append(met)
    columns, unit = np.concatenate(values, axis=1), np.concatenate(units)
    order = np.argsort(unit, kind="stable")
    return columns[:, order], unit[order]
