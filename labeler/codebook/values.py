"""Coded values as positions: what statistics take, from the texts that tables hold. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler.codebook.codebook import Variable
from labeler.errors import TableError
from labeler.statistics.agreement.distances import Level

HUMAN = "human:"
BLIND, ASSISTED = "blind", "assisted"
SETS = ("masi", "jaccard")
NUMBERS = ("interval", "ratio")


class Scale(NamedTuple):
    """How values are measured: a level, the codes in order (none: free numbers), their numbers.

    A value of a set is its codes joined by `+`. `numbers` belong to codes of interval and ratio
    level; else it is empty.
    """

    level: Level
    codes: tuple[str, ...]
    numbers: tuple[str, ...] = ()


class Values(NamedTuple):
    """The values that can be: `domain` as texts, `measured` what distances are made of.

    `presence`, shape (codes, domain): whether a value holds a code; no rows for free numbers.
    """

    scale: Scale
    domain: list[str]
    measured: list[str]
    presence: NDArray[np.bool_]


def scale_of(variable: Variable) -> Scale:
    """The scale of a variable of the codebook."""
    numbers: tuple[str, ...] = ()
    if variable.metric in NUMBERS:
        numbers = tuple(str(value.number) for value in variable.values)
    return Scale(variable.metric, variable.codes, numbers)


def values_of(scale: Scale, seen: Iterable[str]) -> Values:
    """The declared codes in order; for sets and free numbers, what was seen (never nothing)."""
    if scale.level in SETS:
        domain = sorted(set(seen)) or [""]
    elif scale.codes:
        domain = list(scale.codes)
    else:
        domain = sorted(set(seen), key=float) or ["0"]
    held = [set(value.split("+")) for value in domain]
    presence = np.array([[code in own for own in held] for code in scale.codes], bool)
    shaped = presence.reshape(len(scale.codes), len(domain))
    return Values(scale, domain, list(scale.numbers) or domain, shaped)


def spelled(texts: pd.Series[str], scale: Scale) -> pd.Series[str]:
    """Free numbers in one spelling, so that 2 and 2.0 are the same; other values as they are."""
    if scale.codes or scale.level in SETS:
        return texts
    return texts.map(lambda text: f"{float(text):.15g}").astype("str")


def positions(texts: pd.Series[str], values: Values) -> NDArray[np.intp]:
    """The place of each text in the domain. Raises TableError for one that is not in it."""
    places = texts.map({value: place for place, value in enumerate(values.domain)})
    if places.isna().any():
        text = texts[places.isna()].iloc[0]
        raise TableError(
            f"{text!r} is not in the codebook; parse the raw answers again under this codebook"
        )
    return np.asarray(places.to_numpy(), np.intp)


def humans_of(given: pd.DataFrame, scale: Scale, *arms: str) -> pd.DataFrame:
    """The humans' codings in these arms that have a value: unit, coder, arm, value."""
    own = given["coder"].str.startswith(HUMAN) & given["arm"].isin(arms) & given["value"].notna()
    found = given.loc[own, ["unit", "coder", "arm", "value"]].reset_index(drop=True)
    return found.assign(value=spelled(found["value"].astype("str"), scale))


def of_model(given: pd.DataFrame, scale: Scale) -> dict[str, str]:
    """Unit → the model's value, where it has one."""
    found = given.dropna(subset="value")
    return dict(zip(found["unit"], spelled(found["value"].astype("str"), scale), strict=True))
