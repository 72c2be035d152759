"""A stored skip rule and a model's confidence → the units that could go without review.

Units that are skipped still stand in every estimate: those audited are their sample, and each has
the known probability that is written here.
"""

from __future__ import annotations

import math

import pandas as pd

from labeler import chance
from labeler.codebook.codebook import Codebook
from labeler.errors import TableError
from labeler.reliability.confidence import ALL, KINDS, sureness

SKIPPED = ["unit", "confidence", "skip", "audited", "audit_probability"]


def skipped(
    rules: pd.DataFrame,
    model_values: pd.DataFrame,
    confidence: pd.DataFrame,
    codebook: Codebook,
    *,
    model: str,
    variable: str = ALL,
    code: str = "",
    secret: bytes,
) -> pd.DataFrame:
    """Columns SKIPPED: a row for each unit that the rule is about, in the order of units.

    `rules`: ASSESSMENTS rows of one batch, and those of `drift` where it was watched;
    `model_values` and `confidence` as for `calibration.calibration`. The rule for `variable`
    (`all`: the unit as a whole) and `code` is applied: `skip` (0 or 1) where the confidence
    reaches its threshold and the unit is not audited; `audited` (0 or 1) where it reaches it and
    a keyed hash sends it to people all the same, with `audit_probability`. A unit that does not
    reach it goes to people, probability 1. The rules of single variables promise nothing of units
    that pass several of them at once: to skip whole units, take the one for `all`.

    Where no threshold was kept, and where drift raised an alarm for the model and one of the
    variables concerned, nothing is skipped: the rule speaks of the model as it was. Raises
    TableError where there is no such rule, or where it was made for another codebook.
    """
    which = (rules["assessment"] == "skip") & (rules["coder"] == model)
    own = rules[which & (rules["variable"] == variable) & (rules["code"] == code)]
    held = dict(zip(own["measure"], own["value"], strict=True))
    if not any(name.startswith("threshold") for name in held):
        raise TableError(
            f"skip: no rule of {model} for variable {variable!r}, code {code!r}: calibrate first"
        )
    if set(own["codebook"]) != {codebook.fingerprint}:
        raise TableError(f"skip: the rule of {model} was made for another codebook: calibrate anew")
    kind = next((kind for kind in KINDS if f"threshold.{kind}" in held), KINDS[0])
    threshold, share = held.get(f"threshold.{kind}", math.nan), held.get(f"audit.{kind}", 1.0)
    if _alarmed(rules, codebook, model, variable):
        threshold = math.nan
    sure = sureness(model_values, confidence, codebook, kind=kind)
    units = sure[(sure["variable"] == variable) & (sure["code"] == code)].sort_values("unit")
    reached = units["confidence"] >= threshold  # nan, of unit or rule, never reaches
    chosen = chance.audited(units["unit"], share=share, secret=secret)
    audited = reached & units["unit"].isin(chosen)
    return pd.DataFrame(
        {
            "unit": units["unit"],
            "confidence": units["confidence"],
            "skip": (reached & ~audited).astype("int64"),
            "audited": audited.astype("int64"),
            "audit_probability": reached.map({True: share, False: 1.0}).astype("float64"),
        },
        columns=SKIPPED,
    ).reset_index(drop=True)


def _alarmed(rules: pd.DataFrame, codebook: Codebook, model: str, variable: str) -> bool:
    """Whether agreement was found to have fallen for what a rule is about."""
    watched = rules[(rules["assessment"] == "drift") & (rules["verdict"] == "alarm")]
    same = (watched["coder"] == model) & (watched["codebook"] == codebook.fingerprint)
    concerned = (watched["variable"] == variable) | (variable == ALL)
    return bool((same & concerned).any())
