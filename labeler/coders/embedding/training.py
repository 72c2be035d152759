"""Adjudicated units → what a classifier may learn from, and which variables it may be offered for.

Few examples make a bad coder, and a coder tested on what it was told makes a false figure: so a
variable is offered from LEAST adjudicated units a code, and no unit under evaluation teaches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from labeler.codebook.codebook import Codebook, Variable
from labeler.coding.vocabulary import ADJUDICATION
from labeler.store.tables import rows
from labeler.text.coded_values import codes_of
from labeler.text.duplicates import same_words

LEAST = 100
CODES = ["unit", "variable", "value"]
EVALUATED = "under evaluation, or of the same words as one that is"
AGAIN = "of the same words as another that teaches"


class TrainingSet(NamedTuple):
    """`codes` has the columns CODES: a row for each variable of each unit that teaches it.

    `left_out` counts the adjudicated units that teach nothing, by the reason.
    """

    codes: pd.DataFrame
    left_out: dict[str, int]


class TrainableVariables(NamedTuple):
    """The variables that can be coded, and why each of the others cannot."""

    variables: tuple[str, ...]
    refused: dict[str, str]


def training_set(
    codings: pd.DataFrame, posts: pd.DataFrame, codebook: Codebook, *, evaluated: Iterable[str]
) -> TrainingSet:
    """What adjudicated units teach of the variables of the unit.

    `codings` are rows of CODINGS, of which those of the adjudication arm count; `posts` has the
    texts (columns unit and text), also of the units under evaluation, which `evaluated` names.
    Left out are units under evaluation and units of the same words as one of them; of several
    with the same words all but the first by key, so that no twin is both learned and tested; and
    values that are none of the codebook, or about which adjudicators differ.
    """
    own = codings[
        (codings["arm"] == ADJUDICATION) & (codings["segment"] == "") & (codings["replicate"] == 1)
    ]
    words = dict(zip(posts["unit"], map(same_words, posts["text"]), strict=True))
    tested = set(evaluated)
    tested_words = {words[unit] for unit in tested if unit in words}
    known: set[str] = set()
    left_out = Counter[str]()
    codes: list[tuple[str, str, str]] = []
    for unit, group in own[own["unit"].isin(set(words))].groupby("unit", sort=True):
        if unit in tested or words[unit] in tested_words:
            left_out[EVALUATED] += 1
        elif words[unit] in known:
            left_out[AGAIN] += 1
        else:
            known.add(words[unit])
            given = _given(_agreed(group), codebook)
            codes += [(str(unit), name, value) for name, value in given.items()]
    return TrainingSet(pd.DataFrame(codes, columns=CODES, dtype="str"), dict(left_out))


def trainable(codes: pd.DataFrame, codebook: Codebook, *, least: int = LEAST) -> TrainableVariables:
    """Which variables may be coded: those of which each code was given to `least` units or more.

    Refused, with the reason in words, are the others: variables of a segment, numbers, those that
    may be left open (what was left open teaches no code), those with rarer codes (named with
    their counts), and those asked only where a refused one has a certain code.
    """
    variables: list[str] = []
    refused = {}
    for variable in codebook.variables:
        own = codes[codes["variable"] == variable.variable]
        reason = _refusal(variable, list(own["value"]), variables, least)
        if reason:
            refused[variable.variable] = reason
        else:
            variables.append(variable.variable)
    return TrainableVariables(tuple(variables), refused)


def _refusal(variable: Variable, values: list[str], offered: list[str], least: int) -> str:
    """Why a variable cannot be offered; '' where it can."""
    if variable.of == "segment":
        return "of a segment: this coder reads whole units"
    if not variable.values:
        return "a number: this coder gives codes"
    if not variable.required and not variable.multiple:
        return "may be left open, which this coder cannot learn"
    counts = Counter(code for value in values for code in codes_of(value))
    rare = [f"{code} has {counts[code]}" for code in variable.codes if counts[code] < least]
    if rare:
        return f"needs {least} adjudicated units a code: {', '.join(rare)}"
    missing = [name for name in variable.applies_when if name not in offered]
    if missing:
        return f"asked only where {missing[0]} has a certain code, and that is not coded"
    return ""


def _agreed(group: pd.DataFrame) -> dict[str, str]:
    """Variable to value, where the unit's adjudicators gave one and the same."""
    values: dict[str, set[str]] = {}
    for row in rows(group):
        values.setdefault(row.variable, set()).add(row.value)
    return {name: given.pop() for name, given in values.items() if len(given) == 1}


def _given(values: Mapping[str, str], codebook: Codebook) -> dict[str, str]:
    """The values that are codings of a variable that applies, in codebook order.

    A multiple variable that was asked and need not be answered has the empty set.
    """
    codes: dict[str, list[str]] = {}
    given = {}
    for variable in codebook.of_unit:
        value = values.get(variable.variable)
        if value is None and variable.multiple and not variable.required and not variable.none:
            value = ""
        if value is None or not variable.applies(codes) or variable.fault(value):
            continue
        given[variable.variable] = value
        codes[variable.variable] = codes_of(value)
    return given
