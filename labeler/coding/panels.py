"""Who is compared with whom, and what each gave: the ground that coefficients stand on.

A variable of the unit is compared value by value. A variable of the segment is compared as the
set of its codes over a coder's segments of the unit, so that no alignment of segments is needed;
a coder who coded the unit and marked no segment gave the empty set.

Humans among themselves and the model against humans are panels of their own and never one
figure: a panel either holds humans alone, or the columns of one coder against one other.

Where coders belong to groups (clinicians and patients, say), a pooled figure can hide that each
group agrees with itself and not with the others. So each group of two coders or more is a panel of
its own, and so are each two groups against each other. Between groups every pair of codings of one
unit by coders of different groups counts, once, and no pair within a group does; chance is the
pooled distribution of the codings in those pairs. For alpha that is 1 - Do/De with Do the mean
distance in pairs between the groups, De that of two codings drawn from all of these pairs: 1 where
whoever is of one group says what whoever is of the other says, 0 where they agree as often as
strangers. Like any alpha it falls where one side gives a code more often than the other. A pair of
coders picked from each group would give the same on average, and another figure for each pick.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler.codebook.codebook import Variable
from labeler.codebook.values import Scale, domain_of, scale_of, spelled
from labeler.coding.asked import reads_segments
from labeler.coding.vocabulary import (
    ASSISTED,
    BLIND,
    HUMANS,
    REPEAT,
    PanelKind,
    assisted,
    between,
    is_human,
    versus,
    within,
)
from labeler.errors import TableError
from labeler.text.coded_values import codes_of, number_text

WHO = ["unit", "coder", "arm"]

Rater = tuple[str, str, int]  # coder, arm, replicate
Objects = NDArray[np.object_]


class Panel(NamedTuple):
    """The codings that a coefficient is about.

    `raters` are compared with each other, a row being a unit. With `against`, each of them is
    compared with that one alone: a row is a unit with one of its raters, so that no pair of
    raters enters, and the rows of a unit stay together. With `across`, two groups of the raters,
    a row is a unit with one rater of each, and no pair of one group enters. `evidence`: whether
    nobody saw a suggestion, and others than one's own earlier codes are compared.
    """

    kind: PanelKind
    name: str
    raters: tuple[Rater, ...]
    against: Rater | None = None
    evidence: bool = True
    across: tuple[tuple[Rater, ...], tuple[Rater, ...]] | None = None

    @property
    def arm(self) -> str:
        """The arm whose draw decides how often a unit of the panel counts."""
        return ASSISTED if self.kind == "assisted" else BLIND


class RaterMatrix(NamedTuple):
    """What each rater gave each unit: places (raters, units) in `domain`, -1 where nothing.

    `raters` holds the row of each rater that gave some unit a value.
    """

    units: list[str]
    raters: dict[Rater, int]
    places: NDArray[np.int64]
    domain: list[str]


class PanelRows(NamedTuple):
    """A panel's codings: columns (coders, rows) of positions, and the unit of each row.

    `unit` holds positions in the units of `RaterMatrix`; `several` tells whether one stands twice.
    """

    columns: NDArray[np.int64]
    unit: NDArray[np.intp]
    coders: list[str]
    several: bool


class Readings(NamedTuple):
    """The units and raters of a frame of who coded, and for each of its rows which they are."""

    units: list[str]
    raters: list[Rater]
    unit: NDArray[np.intp]
    rater: NDArray[np.intp]


def panels(
    coded: pd.DataFrame,
    again: pd.DataFrame,
    suggester: str,
    groups: Mapping[str, str] | None = None,
) -> list[Panel]:
    """The panels of a batch, evidence first: humans, pairs of them, the suggester against them.

    `coded`: columns unit, coder, arm; `again`: the same and replicate, of those who coded units a
    second time. `suggester` is a model, the cues, or '' for none. `groups`: coder → group, of those
    who have one.
    """
    humans = _humans(coded, BLIND)
    own = (suggester, "", 1)
    found = [Panel("human-human", HUMANS, humans), *_by_group(humans, groups or {})]
    if len(humans) > 1:
        found += [
            Panel("human-pair", versus(a[0], b[0]), (a, b)) for a, b in combinations(humans, 2)
        ]
    if suggester:
        found.append(Panel("model-panel", versus(suggester, HUMANS), humans, own))
        if len(humans) > 1:
            found += [
                Panel("model-human", versus(suggester, human[0]), (human,), own) for human in humans
            ]
    back = again[again["arm"] == REPEAT]
    for coder, number in back[["coder", "replicate"]].drop_duplicates().itertuples(index=False):
        both = ((coder, BLIND, 1), (coder, REPEAT, int(number)))
        found.append(Panel("self", versus(coder, "self"), both, evidence=False))
    numbers = sorted(set(again.loc[again["coder"] == suggester, "replicate"])) if suggester else []
    if numbers:
        times = (own, *((suggester, "", int(number)) for number in numbers))
        found.append(Panel("replicates", f"{suggester}, replicates", times, evidence=False))
    if suggester:
        shown = _humans(coded, ASSISTED)
        name = assisted(HUMANS)
        found.append(Panel("assisted", versus(suggester, name), shown, own, evidence=False))
        if len(shown) > 1:
            found.append(Panel("assisted", name, shown, evidence=False))
    return found


def readings(coded: pd.DataFrame) -> Readings:
    """The rows of `coded` (columns unit, coder, arm, replicate) by number; units in order."""
    unit, units = pd.factorize(coded["unit"], sort=True)
    columns = (coded["coder"].tolist(), coded["arm"].tolist(), coded["replicate"].tolist())
    who: list[Rater] = list(zip(*columns, strict=True))
    raters = sorted(set(who))
    number = {rater: place for place, rater in enumerate(raters)}
    return Readings(list(units), raters, unit, np.array([number[one] for one in who], np.intp))


def matrix(read: Readings, given: Objects, variable: Variable) -> RaterMatrix:
    """What each rater gave each unit, from the value of each reading (None: gave none).

    The domain are the declared codes in order; for sets and free numbers, what was given (never
    nothing). Raises TableError, with coder and unit, for a value outside the codebook.
    """
    number, found = pd.factorize(given)  # -1: gave none
    seen = [str(value) for value in found]
    if not variable.values and variable.of == "unit":  # 2 and 2.0 are the same number
        seen = list(map(number_text, seen))
    domain = domain_of(scale_of(variable), seen)
    place = {value: position for position, value in enumerate(domain)}
    places_of = np.array([*(place.get(value, -1) for value in seen), -1], np.int64)
    placed: NDArray[np.int64] = places_of[number]
    outside: list[int] = np.flatnonzero((number >= 0) & (placed < 0)).tolist()
    if outside:
        first = min((int(read.unit[row]), int(read.rater[row]), row) for row in outside)
        unit, rater = read.units[first[0]], read.raters[first[1]]
        raise TableError(
            f"coding of {rater[0]}, unit {unit}: {given[first[2]]!r} is not in the codebook; parse "
            "the raw answers again under this codebook"
        )
    places = np.full((len(read.raters), len(read.units)), -1, np.int64)
    places[read.rater, read.unit] = placed
    some = set(np.nonzero(places >= 0)[0].tolist())
    raters = {rater: row for row, rater in enumerate(read.raters) if row in some}
    return RaterMatrix(read.units, raters, places, domain)


def rows_of(given: RaterMatrix, panel: Panel) -> PanelRows:
    """The codings of a panel. Coders who gave nothing are left out of `coders`."""
    there = [rater for rater in panel.raters if rater in given.raters]
    own = given.places[[given.raters[rater] for rater in there]]
    if panel.across is not None:
        return _across(given, panel.across)
    if panel.against is None and not there:
        return PanelRows(np.empty((1, 0), np.int64), np.empty(0, np.intp), [], several=False)
    if panel.against is None:
        some = np.flatnonzero((own >= 0).any(axis=0))
        named = [rater[0] for rater in there]
        return PanelRows(own[:, some], some, list(dict.fromkeys(named)), several=False)
    if panel.against not in given.raters:
        return PanelRows(
            np.empty((2, 0), np.int64), np.empty(0, np.intp), [panel.against[0]], False
        )
    other = given.places[given.raters[panel.against]]
    which, unit = np.nonzero((own >= 0) & (other >= 0))
    order = np.lexsort((which, unit))
    which, unit = which[order], unit[order]
    columns = np.stack([other[unit], own[which, unit]]).astype(np.int64)
    met = [there[number][0] for number in sorted(set(which.tolist()))]
    several = len(np.unique(unit)) < len(unit)
    return PanelRows(columns, unit, [panel.against[0], *met], several)


def grouped(coders: Iterable[str], groups: Mapping[str, str]) -> dict[str, list[str]]:
    """Group → those of the coders who belong to it, in order; {} where all belong to one."""
    found: dict[str, list[str]] = {}
    known = sorted(set(coders))
    for coder in known:
        if groups.get(coder):
            found.setdefault(groups[coder], []).append(coder)
    alone = any(len(own) == len(known) for own in found.values())
    return {} if alone else dict(sorted(found.items()))


def values(
    codings: pd.DataFrame, coded: pd.DataFrame, variable: Variable, *, replicate: int = 1
) -> pd.DataFrame:
    """What each coder gave each unit: columns unit, coder, arm, value (None: was not asked).

    For a variable of the segment, the set of codes over the coder's segments of the unit. Who was
    not asked is told by `coded`'s column unasked (names joined by "+"); without it only embedded
    coders were not asked, and of segments alone. One replicate counts, the first unless another is
    asked for; a coding of somebody who is not in `coded` does not.
    """
    who = coded.drop_duplicates(WHO, ignore_index=True)
    wanted = (codings["variable"] == variable.variable) & (codings["replicate"] == replicate)
    column = pivot(codings[wanted], who, [variable], by=WHO)[variable.variable]
    return who[WHO].assign(value=pd.Series(column, dtype="str"))


def pivot(
    codings: pd.DataFrame,
    coded: pd.DataFrame,
    variables: Sequence[Variable],
    *,
    by: Sequence[str],
) -> dict[str, Objects]:
    """Variable → its value for each row of `coded`, as `values` reads them (None: not asked).

    `by` are the columns that name a row of `coded`, once, and whose a coding is.
    """
    place = places(codings, coded, by)
    there = place >= 0
    place, given = place[there], codings["value"].to_numpy(object)[there]
    number, names = pd.factorize(codings["variable"].to_numpy(object)[there])
    order = np.argsort(number, kind="stable")
    ends = np.searchsorted(number[order], np.arange(len(names) + 1))
    rows = {name: order[ends[at] : ends[at + 1]] for at, name in enumerate(names)}
    none = np.empty(0, np.intp)
    found: dict[str, Objects] = {}
    for variable in variables:
        own = rows.get(variable.variable, none)
        column = np.full(len(coded), None, object)
        if variable.of == "segment":
            column[_asked(coded, variable)] = ""
            united = _united(place[own], given[own], variable)
            column[list(united)] = list(united.values())
        else:
            column[place[own]] = given[own]
        found[variable.variable] = column
    return found


def membership(domain: Iterable[str], codes: Iterable[str]) -> NDArray[np.int64]:
    """Whether each value of the domain holds each code, as 0 or 1, shape (codes, values + 1).

    The last column is -1, so that places of -1 (not coded) stay what they are.
    """
    held = [set(codes_of(value)) for value in domain]
    return np.array([[*(int(code in own) for own in held), -1] for code in codes], np.int64)


def human_values(given: pd.DataFrame, scale: Scale, *arms: str) -> pd.DataFrame:
    """The humans' codings in these arms that have a value: unit, coder, arm, value."""
    own = is_human(given["coder"]) & given["arm"].isin(arms) & given["value"].notna()
    found = given.loc[own, ["unit", "coder", "arm", "value"]].reset_index(drop=True)
    return found.assign(value=spelled(found["value"].astype("str"), scale))


def model_values(given: pd.DataFrame, scale: Scale) -> dict[str, str]:
    """Unit → the model's value, where it has one."""
    found = given.dropna(subset="value")
    return dict(zip(found["unit"], spelled(found["value"].astype("str"), scale), strict=True))


def _by_group(humans: Sequence[Rater], groups: Mapping[str, str]) -> list[Panel]:
    """Panels within each group of two raters or more, then between each two groups."""
    own = {
        group: tuple(rater for rater in humans if rater[0] in coders)
        for group, coders in grouped([rater[0] for rater in humans], groups).items()
    }
    inside = [
        Panel("within-group", within(name), raters)
        for name, raters in own.items()
        if len(raters) > 1
    ]
    pairs = combinations(own.items(), 2)
    return inside + [
        Panel("between-groups", between(one, other), (*a, *b), across=(a, b))
        for (one, a), (other, b) in pairs
    ]


def _across(given: RaterMatrix, groups: tuple[tuple[Rater, ...], tuple[Rater, ...]]) -> PanelRows:
    """A row for each unit and pair of raters of the two groups who both gave it a value."""
    ours, theirs = ([rater for rater in own if rater in given.raters] for own in groups)
    values: list[NDArray[np.int64]] = [np.empty((2, 0), np.int64)]
    units: list[NDArray[np.intp]] = [np.empty(0, np.intp)]
    for one, other in product(ours, theirs):
        both = given.places[[given.raters[one], given.raters[other]]]
        met = np.flatnonzero((both >= 0).all(axis=0))
        values.append(both[:, met])
        units.append(met)
    columns, unit = np.concatenate(values, axis=1), np.concatenate(units)
    order = np.argsort(unit, kind="stable")
    names = [rater[0] for rater in (*ours, *theirs)]
    several = len(np.unique(unit)) < len(unit)
    return PanelRows(columns[:, order], unit[order], list(dict.fromkeys(names)), several)


def _humans(coded: pd.DataFrame, arm: str) -> tuple[Rater, ...]:
    own = coded[is_human(coded["coder"]) & (coded["arm"] == arm)]
    return tuple((coder, arm, 1) for coder in sorted(set(own["coder"])))


def places(codings: pd.DataFrame, coded: pd.DataFrame, by: Sequence[str]) -> NDArray[np.intp]:
    """The row of `coded` that each coding belongs to; -1 for none."""
    key: NDArray[np.int64] = np.zeros(len(coded) + len(codings), np.int64)
    for name in by:
        both = pd.concat([coded[name], codings[name]], ignore_index=True)
        number, distinct = pd.factorize(both)
        key = key * max(1, len(distinct)) + number
    return pd.Index(key[: len(coded)]).get_indexer(pd.Index(key[len(coded) :]))


def _asked(coded: pd.DataFrame, variable: Variable) -> NDArray[np.bool_]:
    """Whether each row of `coded` was asked of a variable of the segment."""
    number, coders = pd.factorize(coded["coder"])
    asked: NDArray[np.bool_] = np.array([reads_segments(str(coder)) for coder in coders], bool)[
        number
    ]
    if "unasked" in coded:
        number, several = pd.factorize(coded["unasked"].fillna(""))
        silent = [variable.variable in codes_of(str(names)) for names in several]
        asked &= ~np.array(silent, bool)[number]
    return asked


def _united(place: NDArray[np.intp], given: Objects, variable: Variable) -> Mapping[int, str]:
    """Place → the set of codes over all its segments, as text in codebook order."""
    held: dict[int, set[str]] = {}
    for at, value in zip(place.tolist(), given.tolist(), strict=True):
        held.setdefault(at, set()).update(codes_of(value))
    written: dict[frozenset[str], str] = {}
    united = {}
    for at, several in held.items():
        codes = frozenset(several)
        if codes not in written:
            written[codes] = variable.written(codes)
        united[at] = written[codes]
    return united
