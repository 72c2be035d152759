"""How sure a model is of the value it gave: CONFIDENCE rows, which are about codes, by unit.

    vote      of one code, the share of its replicates; of a set of codes, the least of what is
              said of any code: its share where the set has it, 1 - share where not
    logprob   the product over the codes (and segments) that write the value: by the chain rule
              the probability of writing all of them

Three kinds of targets: a variable's whole value (code ''), one code among the units that the
model gave it, and the unit as a whole (variable `all`), by least or product over its variables.
Without a confidence are: a unit whose replicates were not read twice, and an empty set by
logprob, which no token writes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from labeler.codebook.codebook import Codebook, Variable
from labeler.text.coded_values import codes_of

Kind = Literal["vote", "logprob"]
KINDS: tuple[Kind, ...] = ("vote", "logprob")
MEANING: dict[Kind, str] = {
    "vote": "share of the replicates",
    "logprob": "probability of the tokens",
}
ALL = "all"
DIGITS = 9  # 1 - .8 and .2 are one confidence
VALUE_CONFIDENCE = ["variable", "code", "unit", "confidence"]


def kinds(confidence: pd.DataFrame) -> list[Kind]:
    """The kinds that `confidence` (CONFIDENCE rows) can be read by; votes first."""
    return [kind for kind in KINDS if len(_usable(confidence, kind))]


def value_confidence(
    model_values: pd.DataFrame, confidence: pd.DataFrame, codebook: Codebook, *, kind: Kind
) -> pd.DataFrame:
    """Columns VALUE_CONFIDENCE: a row for each target and unit with a value; nan: no confidence.

    `model_values`: columns variable, unit, value of one model (None: gave none); `confidence`: its
    CONFIDENCE rows.
    """
    given = model_values.dropna(subset="value")
    usable = _usable(confidence, kind)
    known = set(usable["unit"])
    parts = []
    for variable in codebook.variables:
        own = given[given["variable"] == variable.variable]
        values: dict[str, str] = dict(zip(own["unit"], own["value"], strict=True))
        shares = _shares(usable[usable["variable"] == variable.variable])
        parts.append(_whole(values, shares, variable, kind, known))
        parts += [_of_code(values, shares, variable, code, known) for code in variable.codes]
    found = pd.concat([pd.DataFrame(columns=VALUE_CONFIDENCE), *parts], ignore_index=True)
    found = found.astype(dict.fromkeys(VALUE_CONFIDENCE[:3], "str") | {"confidence": "float64"})
    found = pd.concat([found, _of_units(found, kind)], ignore_index=True)
    return found.assign(confidence=found["confidence"].round(DIGITS))


def _usable(confidence: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    rows = confidence[confidence["kind"] == kind].dropna(subset="confidence")
    return rows[rows["replicates"] >= 2] if kind == "vote" else rows


def _shares(rows: pd.DataFrame) -> dict[str, dict[str, list[float]]]:
    """Unit → code → what is known of it; several numbers where several segments have it."""
    held: dict[str, dict[str, list[float]]] = {}
    for unit, code, share in zip(rows["unit"], rows["code"], rows["confidence"], strict=True):
        held.setdefault(unit, {}).setdefault(code, []).append(float(share))
    return held


def _whole(
    values: Mapping[str, str],
    shares: Mapping[str, Mapping[str, list[float]]],
    variable: Variable,
    kind: Kind,
    known: set[str],
) -> pd.DataFrame:
    """The confidence in the whole value of a variable, by unit."""
    sure = []
    for unit, value in values.items():
        codes, own = codes_of(value), shares.get(unit, {})
        if unit not in known:
            sure.append(np.nan)
        elif kind == "logprob":
            whole = codes and own.keys() >= set(codes)
            sure.append(math.prod(s for c in codes for s in own[c]) if whole else np.nan)
        else:
            said = [own[code][0] if code in own else 0.0 for code in codes]
            if len(codes) != 1 or variable.multiple or variable.of == "segment":
                said += [1 - one[0] for code, one in own.items() if code not in codes]
            sure.append(min(said, default=1.0))
    return _frame(variable.variable, "", list(values), sure)


def _of_code(
    values: Mapping[str, str],
    shares: Mapping[str, Mapping[str, list[float]]],
    variable: Variable,
    code: str,
    known: set[str],
) -> pd.DataFrame:
    """The confidence in one code, among the units that have it; of several segments the surest."""
    units = [unit for unit, value in values.items() if code in codes_of(value)]
    sure = [
        max(shares.get(unit, {}).get(code, [np.nan])) if unit in known else np.nan for unit in units
    ]
    return _frame(variable.variable, code, units, sure)


def _of_units(found: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """The confidence that all variables of a unit are right; nan where one has none."""
    whole = found[found["code"] == ""].groupby("unit")["confidence"]
    least = whole.min() if kind == "vote" else whole.prod()
    least[whole.count() < whole.size()] = np.nan
    return _frame(ALL, "", list(least.index), list(least))


def _frame(variable: str, code: str, units: list[str], sure: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"variable": variable, "code": code, "unit": units, "confidence": sure})
