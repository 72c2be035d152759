"""Blind codings and a model's confidence → how sure the model was, and whether a person agreed.

What a model is compared with is one blind human a unit, drawn by a seeded hash where several
coded it: so a unit is right or wrong, as the exact binomial of the skip rule needs, and "wrong"
means: differs from what a blind coder, taken at random, gave. Two careful people differ too; the
error can therefore not fall below their own disagreement.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from labeler import chance
from labeler.codebook.codebook import Codebook
from labeler.coding.vocabulary import BLIND, is_human
from labeler.errors import TableError
from labeler.reliability.confidence import ALL, Kind, kinds, value_confidence
from labeler.text.coded_values import codes_of

AGREEMENTS = ["variable", "code", "unit", "coder", "agree"]
NO_CONFIDENCE = (
    "the model has no confidence: it comes from the votes of several replicates, or from "
    "log-probabilities"
)


class ConfidenceTarget(NamedTuple):
    """What a confidence is about: a unit as a whole (`all`), a variable, or one of its codes.

    `frame`: columns unit, confidence of every unit that the model coded. `compared`: columns unit,
    confidence, agree, probability of those that a blind human coded too and that have a
    confidence; `probability` is that of the unit's drawing. `codes`: how many the variable has.
    """

    variable: str
    code: str
    codes: int
    frame: pd.DataFrame
    compared: pd.DataFrame


def confidence_targets(
    values: pd.DataFrame,
    model_values: pd.DataFrame,
    confidence: pd.DataFrame,
    codebook: Codebook,
    *,
    seed: int,
    drawn: pd.DataFrame | None = None,
) -> dict[Kind, list[ConfidenceTarget]]:
    """The targets by each kind of confidence that there is, votes first; {} without any.

    `values`: columns variable, unit, coder, arm, value; blind humans alone are used.
    `model_values`: columns variable, unit, value for every unit that the model coded, as they are
    the frame in which units could be skipped. `confidence`: the model's CONFIDENCE rows. `drawn`:
    columns unit, unit_probability of the blind units (None: each was drawn with the same
    probability). Raises TableError where the probability of a compared unit is not told.
    """
    readable = kinds(confidence)
    if not readable:
        return {}
    found = agreements(values, model_values, codebook, seed=seed)
    probabilities = _probabilities(found, drawn)
    return {
        kind: list(
            _targets(
                value_confidence(model_values, confidence, codebook, kind=kind),
                found,
                probabilities,
                codebook,
            )
        )
        for kind in readable
    }


def agreements(
    values: pd.DataFrame, model_values: pd.DataFrame, codebook: Codebook, *, seed: int
) -> pd.DataFrame:
    """Columns AGREEMENTS: whether (1 or 0) the model's value is that of one blind human.

    `values` and `model_values` as for `confidence_targets`. The coder of a unit is one of its blind
    coders, drawn by `seed`, and the same for all its variables. A row for each value of the model
    (code ''), for each code that it gave (1: the human gave it too), and for the unit (variable
    `all`: every value is the same). A value where the human gave none (the variable did not apply)
    is wrong; where the model gave none, there is no row.
    """
    human = is_human(values["coder"]) & (values["arm"] == BLIND)
    blind = values[human]
    coders = {
        str(unit): chance.one_coder(str(unit), sorted(set(own)), seed=seed)
        for unit, own in blind.groupby("unit")["coder"]
    }
    picked = blind[blind["coder"] == blind["unit"].map(coders)]
    both = picked[["variable", "unit", "coder", "value"]].merge(
        model_values[["variable", "unit", "value"]],
        on=["variable", "unit"],
        suffixes=("", "_model"),
    )
    rows: list[tuple[str, str, str, str, int]] = []
    same: dict[tuple[str, str], bool] = {}
    given = set()
    for name, unit, coder, theirs, own in both.itertuples(index=False):
        theirs, own = (None if pd.isna(value) else str(value) for value in (theirs, own))
        same[unit, coder] = same.get((unit, coder), True) and theirs == own
        if own is None:
            continue
        given.add(unit)
        variable = codebook.variable(name)
        rows.append((name, "", unit, coder, int(theirs == own)))
        held = codes_of(theirs) if theirs is not None else []
        for code in variable.codes:
            if code in codes_of(own):
                rows.append((name, code, unit, coder, int(code in held)))
    rows += [
        (ALL, "", unit, coder, int(right)) for (unit, coder), right in same.items() if unit in given
    ]
    kinds_of = dict.fromkeys(AGREEMENTS, "str") | {"agree": "int64"}
    return pd.DataFrame(rows, columns=AGREEMENTS).astype(kinds_of)


def _probabilities(found: pd.DataFrame, drawn: pd.DataFrame | None) -> dict[str, float]:
    """Unit → the probability with which it was drawn; TableError where one is not told."""
    units = sorted(set(found["unit"]))
    if drawn is None:
        return dict.fromkeys(units, 1.0)
    chances = dict(zip(drawn["unit"], drawn["unit_probability"], strict=True))
    lacking = [unit for unit in units if not 0 < chances.get(unit, math.nan) <= 1]
    if lacking:
        raise TableError(
            f"calibration: {len(lacking)} coded units have no drawing probability above 0, first: "
            f"{lacking[0]!r}"
        )
    return {unit: float(chances[unit]) for unit in units}


def _targets(
    sure: pd.DataFrame,
    found: pd.DataFrame,
    probabilities: Mapping[str, float],
    codebook: Codebook,
) -> Iterator[ConfidenceTarget]:
    """The unit as a whole, each variable, and each code of each variable."""
    names = {str(name) for name in sure["variable"]}
    wanted = [(ALL, "", 0)] if ALL in names else []
    for variable in codebook.variables:
        if variable.variable in names:
            many = len(variable.codes)
            wanted += [(variable.variable, code, many) for code in ("", *variable.codes)]
    for name, code, many in wanted:
        own = sure[(sure["variable"] == name) & (sure["code"] == code)]
        met = found[(found["variable"] == name) & (found["code"] == code)]
        both = own.dropna(subset="confidence").merge(met[["unit", "agree"]], on="unit")
        both = both.assign(probability=both["unit"].map(probabilities)).sort_values("unit")
        yield ConfidenceTarget(name, code, many, own, both)
