"""Adjudicated units → the few examples that a prompt shows with their codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

import pandas as pd

from labeler.codebook.codebook import Codebook, Variable
from labeler.coders.answers import Example
from labeler.coders.schema import may_be_null
from labeler.coding.vocabulary import ADJUDICATION
from labeler.errors import InputError
from labeler.keys import canonical
from labeler.text.coded_values import codes_of
from labeler.text.duplicates import same_words

RATIONALE = "One or two short sentences of your own."

Codes = dict[str, dict[str, str]]
"""The codings of a unit: segment ('' for the unit itself) to variable to value."""


class _Candidate(NamedTuple):
    """An example that can be shown, and the (variable, code) pairs in it."""

    example: Example
    codes: frozenset[tuple[str, str]]


def examples(
    codings: pd.DataFrame,
    segments: pd.DataFrame,
    posts: pd.DataFrame,
    codebook: Codebook,
    *,
    evaluated: Iterable[str],
    k: int,
) -> tuple[Example, ...]:
    """`k` examples from adjudicated units, so many different codes among them as there can be.

    `codings` and `segments` are rows of CODINGS and SEGMENTS, of which those of the adjudication
    arm count; `posts` has the texts as sent (columns unit and text), also of the units
    under evaluation, which are named by `evaluated`. Only units that one adjudicator coded in
    full are shown, and only if each segment's words stand in the sent text. Each choice adds the
    most codes that were not yet shown; among equals the first by key, which is no order of time
    or author.

    InputError, naming the unit, where an adjudicated unit is under evaluation, or has the same
    words as one that is: what the prompt tells, the model cannot be tested on. InputError where
    fewer than `k` units can be shown.
    """
    rows = codings[codings["arm"] == ADJUDICATION]
    units = sorted(set(rows["unit"]))
    texts = dict(zip(posts["unit"], posts["text"], strict=True))
    _no_leak(units, texts, set(evaluated))
    quotes = {
        (row.unit, row.coder, row.segment): row.quote
        for row in cast(
            Iterable[Any], segments[segments["arm"] == ADJUDICATION].itertuples(index=False)
        )
    }
    candidates = []
    for unit, group in rows.groupby("unit", sort=True):
        candidate = _candidate(str(unit), group, quotes, texts, codebook)
        if candidate is not None:
            candidates.append(candidate)
    if len(candidates) < k:
        raise InputError(
            f"{k} examples are asked for, but {len(candidates)} of {len(units)} adjudicated units "
            "can be shown: ask for fewer, or adjudicate more units in full"
        )
    return tuple(_chosen(candidates, k))


def _no_leak(units: list[str], texts: Mapping[str, str], evaluated: set[str]) -> None:
    words = {same_words(texts[unit]): unit for unit in sorted(evaluated) if unit in texts}
    for unit in units:
        twin = unit if unit in evaluated else words.get(same_words(texts.get(unit, "")))
        if twin is not None:
            why = "is" if twin == unit else f"has the same words as {twin}, which is"
            raise InputError(
                f"unit {unit} {why} under evaluation: a prompt that shows its codes would be "
                "tested on what it was told; take the examples from another batch"
            )


def _candidate(
    unit: str,
    group: pd.DataFrame,
    quotes: Mapping[tuple[str, str, str], str],
    texts: Mapping[str, str],
    codebook: Codebook,
) -> _Candidate | None:
    """The example of a unit; None where it cannot be shown."""
    coders = set(group["coder"])
    if len(coders) != 1 or unit not in texts:
        return None
    coder, codes = coders.pop(), set[tuple[str, str]]()
    given: Codes = {}
    for row in cast(Iterable[Any], group.itertuples(index=False)):
        given.setdefault(row.segment, {})[row.variable] = row.value
        codes |= {(row.variable, code) for code in codes_of(row.value) or [""]}
    shared = _given(codebook.of_unit, given.pop("", {}), {})
    if shared is None:
        return None
    answer: dict[str, Any] = {"rationale": RATIONALE, "variables": shared}
    if codebook.segments is not None:
        answer["segments"] = []
        for number in sorted(given, key=lambda name: (len(name), name)):
            quote = quotes.get((unit, coder, number), "")
            own = _given(codebook.of_segment, given[number], shared)
            if own is None or not quote or quote not in texts[unit]:
                return None
            answer["segments"].append({"quote": quote, "codes": own})
    return _Candidate(Example(unit, texts[unit], canonical(answer)), frozenset(codes))


def _given(
    variables: tuple[Variable, ...], values: Mapping[str, str], unit: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The codings in the form of an answer; None where one that is required is missing."""
    answer: dict[str, Any] = {}
    for variable in variables:
        known = {name: _codes(given) for name, given in {**unit, **answer}.items()}
        value = values.get(variable.variable)
        if not variable.applies(known) or (value is None and not variable.required):
            if not (variable.multiple or may_be_null(variable)):
                return None
            answer[variable.variable] = [] if variable.multiple else None
        elif value is None or variable.fault(value):
            return None
        elif not variable.values:
            answer[variable.variable] = float(value)
        else:
            answer[variable.variable] = codes_of(value) if variable.multiple else value
    return answer


def _codes(given: Any) -> list[str]:
    if isinstance(given, list):
        return given
    return [given] if isinstance(given, str) else []


def _chosen(candidates: list[_Candidate], k: int) -> Iterable[Example]:
    shown: set[tuple[str, str]] = set()
    left = list(candidates)
    for _ in range(k):
        best = min(left, key=lambda one: (-len(one.codes - shown), one.example.unit))
        left.remove(best)
        shown |= best.codes
        yield best.example
