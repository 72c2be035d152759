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
from labeler.text.coded_values import by_size, codes_of, number_text

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
        numbers = tuple(variable.measured(variable.codes))
    return Scale(variable.metric, variable.codes, numbers)


def values_of(scale: Scale, seen: Iterable[str]) -> Values:
    """The values of a scale, and what distances between them are made of."""
    domain = domain_of(scale, seen)
    held = [set(codes_of(value)) for value in domain]
    presence = np.array([[code in own for own in held] for code in scale.codes], bool)
    shaped = presence.reshape(len(scale.codes), len(domain))
    return Values(scale, domain, list(scale.numbers) or domain, shaped)


def domain_of(scale: Scale, seen: Iterable[str]) -> list[str]:
    """The declared codes in order; for sets and free numbers, what was seen (never nothing)."""
    if scale.level in SETS:
        return sorted(set(seen)) or [""]
    return list(scale.codes) or by_size(set(seen)) or ["0"]


def spelled(texts: pd.Series[str], scale: Scale) -> pd.Series[str]:
    """Free numbers in one spelling, so that 2 and 2.0 are the same; other values as they are."""
    if scale.codes or scale.level in SETS:
        return texts
    return texts.map(number_text).astype("str")


def positions(texts: pd.Series[str], values: Values) -> NDArray[np.intp]:
    """The place of each text in the domain. Raises TableError for one that is not in it."""
    places = texts.map({value: place for place, value in enumerate(values.domain)})
    if places.isna().any():
        text = texts[places.isna()].iloc[0]
        raise TableError(
            f"{text!r} is not in the codebook; parse the raw answers again under this codebook"
        )
    return np.asarray(places.to_numpy(), np.intp)
