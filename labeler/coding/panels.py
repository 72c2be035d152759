"""Who is compared with whom, and what each gave: the ground that coefficients stand on.

A variable of the unit is compared value by value. A variable of the segment is compared as the
set of its codes over a coder's segments of the unit, so that no alignment of segments is needed;
a coder who coded the unit and marked no segment gave the empty set.

Humans among themselves and the model against humans are panels of their own and never one
figure: a panel either holds humans alone, or the columns of one coder against one other.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler.codebook.codebook import Variable
from labeler.codebook.values import Scale, domain_of, scale_of, spelled
from labeler.coding.vocabulary import (
    ASSISTED,
    BLIND,
    HUMANS,
    REPEAT,
    PanelKind,
    assisted,
    is_embedded,
    is_human,
    versus,
)
from labeler.errors import TableError
from labeler.text.coded_values import codes_of, number_text

WHO = ["unit", "coder", "arm"]

Rater = tuple[str, str, int]  # coder, arm, replicate


class Panel(NamedTuple):
    """The codings that a coefficient is about.

    `raters` are compared with each other, a row being a unit. With `against`, each of them is
    compared with that one alone: a row is a unit with one of its raters, so that no pair of
    raters enters, and the rows of a unit stay together. `evidence`: whether nobody saw a
    suggestion, and others than one's own earlier codes are compared.
    """

    kind: PanelKind
    name: str
    raters: tuple[Rater, ...]
    against: Rater | None = None
    evidence: bool = True

    @property
    def arm(self) -> str:
        """The arm whose draw decides how often a unit of the panel counts."""
        return ASSISTED if self.kind == "assisted" else BLIND


class Given(NamedTuple):
    """What each rater gave each unit: places (raters, units) in `domain`, -1 where nothing."""

    units: list[str]
    raters: dict[Rater, int]
    places: NDArray[np.int64]
    domain: list[str]


class Rows(NamedTuple):
    """A panel's codings: columns (coders, rows) of positions, and the unit of each row.

    `unit` holds positions in the units of `Given`; `several` tells whether one stands twice.
    """

    columns: NDArray[np.int64]
    unit: NDArray[np.intp]
    coders: list[str]
    several: bool


def panels(coded: pd.DataFrame, again: pd.DataFrame, suggester: str) -> list[Panel]:
    """The panels of a batch, evidence first: humans, pairs of them, the suggester against them.

    `coded`: columns unit, coder, arm; `again`: the same and replicate, of those who coded units a
    second time. `suggester` is a model, the cues, or '' for none.
    """
    humans = _humans(coded, BLIND)
    own = (suggester, "", 1)
    found = [Panel("human-human", HUMANS, humans)]
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


def given(
    codings: pd.DataFrame, coded: pd.DataFrame, again: pd.DataFrame, variable: Variable
) -> Given:
    """What each rater gave each unit of one variable; frames as for `panels` and `values`.

    The domain are the declared codes in order; for sets and free numbers, what was given (never
    nothing). Raises TableError, with coder and unit, for a value outside the codebook.
    """
    parts = [values(codings, coded, variable).assign(replicate=1)]
    for number, own in again.groupby("replicate"):
        part = values(codings, own, variable, replicate=int(str(number)))
        parts.append(part.assign(replicate=number))
    wide = pd.concat(parts, ignore_index=True).dropna(subset="value")
    if not variable.values and variable.of == "unit":  # 2 and 2.0 are the same number
        wide["value"] = wide["value"].map(number_text)
    domain = domain_of(scale_of(variable), wide["value"])
    place = wide["value"].map({value: number for number, value in enumerate(domain)})
    if place.isna().any():
        row = wide[place.isna()].sort_values(["unit", "coder"]).iloc[0]
        raise TableError(
            f"coding of {row['coder']}, unit {row['unit']}: {row['value']!r} is not in the "
            "codebook; parse the raw answers again under this codebook"
        )
    units = sorted(set(coded["unit"]))
    at = {unit: number for number, unit in enumerate(units)}
    who = list(zip(wide["coder"], wide["arm"], wide["replicate"].astype(int), strict=True))
    raters = {rater: number for number, rater in enumerate(sorted(set(who)))}
    places = np.full((len(raters), len(units)), -1, np.int64)
    places[[raters[rater] for rater in who], [at[unit] for unit in wide["unit"]]] = place
    return Given(units, raters, places, domain)


def rows_of(all_given: Given, panel: Panel) -> Rows:
    """The codings of a panel. Coders who gave nothing are left out of `coders`."""
    there = [rater for rater in panel.raters if rater in all_given.raters]
    own = all_given.places[[all_given.raters[rater] for rater in there]]
    if panel.against is None and not there:
        return Rows(np.empty((1, 0), np.int64), np.empty(0, np.intp), [], several=False)
    if panel.against is None:
        some = np.flatnonzero((own >= 0).any(axis=0))
        named = [rater[0] for rater in there]
        return Rows(own[:, some], some, list(dict.fromkeys(named)), several=False)
    if panel.against not in all_given.raters:
        return Rows(np.empty((2, 0), np.int64), np.empty(0, np.intp), [panel.against[0]], False)
    other = all_given.places[all_given.raters[panel.against]]
    which, unit = np.nonzero((own >= 0) & (other >= 0))
    order = np.lexsort((which, unit))
    which, unit = which[order], unit[order]
    columns = np.stack([other[unit], own[which, unit]]).astype(np.int64)
    met = [there[number][0] for number in sorted(set(which.tolist()))]
    several = len(np.unique(unit)) < len(unit)
    return Rows(columns, unit, [panel.against[0], *met], several)


def values(
    codings: pd.DataFrame, coded: pd.DataFrame, variable: Variable, *, replicate: int = 1
) -> pd.DataFrame:
    """What each coder gave each unit: columns unit, coder, arm, value (None: was not asked).

    For a variable of the segment, the set of codes over the coder's segments of the unit; an
    embedded coder, who reads whole units, was not asked, nor was who has the variable among those
    in `coded`'s column unasked (joined by "+"), if there is one. One replicate counts, the first
    unless another is asked for; a coding of somebody who is not in `coded` does not.
    """
    wanted = (codings["variable"] == variable.variable) & (codings["replicate"] == replicate)
    own = codings.loc[wanted, [*WHO, "value"]]
    kept = coded.drop_duplicates(WHO)
    who = kept[WHO]
    if variable.of == "unit":
        return who.merge(own, on=WHO, how="left")
    united = pd.DataFrame(_united(own, variable), columns=[*WHO, "value"], dtype="str")
    wide = who.merge(united, on=WHO, how="left")
    asked = ~is_embedded(wide["coder"])
    if "unasked" in kept:
        names = kept["unasked"].fillna("").map(codes_of)
        asked &= np.array([variable.variable not in own for own in names], bool)
    wide.loc[asked, "value"] = wide.loc[asked, "value"].fillna("")
    return wide


def membership(domain: Iterable[str], codes: Iterable[str]) -> NDArray[np.int64]:
    """Whether each value of the domain holds each code, as 0 or 1, shape (codes, values + 1).

    The last column is -1, so that places of -1 (not coded) stay what they are.
    """
    held = [set(codes_of(value)) for value in domain]
    return np.array([[*(int(code in own) for own in held), -1] for code in codes], np.int64)


def _humans(coded: pd.DataFrame, arm: str) -> tuple[Rater, ...]:
    own = coded[is_human(coded["coder"]) & (coded["arm"] == arm)]
    return tuple((coder, arm, 1) for coder in sorted(set(own["coder"])))


def human_values(given: pd.DataFrame, scale: Scale, *arms: str) -> pd.DataFrame:
    """The humans' codings in these arms that have a value: unit, coder, arm, value."""
    own = is_human(given["coder"]) & given["arm"].isin(arms) & given["value"].notna()
    found = given.loc[own, ["unit", "coder", "arm", "value"]].reset_index(drop=True)
    return found.assign(value=spelled(found["value"].astype("str"), scale))


def model_values(given: pd.DataFrame, scale: Scale) -> dict[str, str]:
    """Unit → the model's value, where it has one."""
    found = given.dropna(subset="value")
    return dict(zip(found["unit"], spelled(found["value"].astype("str"), scale), strict=True))


def _united(own: pd.DataFrame, variable: Variable) -> list[tuple[str, str, str, str]]:
    """unit, coder, arm and the set of codes over all segments, as text in codebook order."""
    held: dict[tuple[str, str, str], set[str]] = {}
    for unit, coder, arm, value in zip(*(own[name].tolist() for name in own), strict=True):
        held.setdefault((unit, coder, arm), set()).update(codes_of(value))
    written: dict[frozenset[str], str] = {}
    rows = []
    for who, several in held.items():
        codes = frozenset(several)
        if codes not in written:
            written[codes] = variable.written(codes)
        rows.append((*who, written[codes]))
    return rows
