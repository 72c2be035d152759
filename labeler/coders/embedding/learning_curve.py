"""Adjudicated units → the learning curve of the embedded coder, for a person to read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from labeler.codebook.codebook import Variable
from labeler.statistics.agreement.distances import Floats
from labeler.statistics.prediction import learning
from labeler.statistics.prediction.classifier import holds_of

REPEATS, SEED = 10, 1
CUES = "cues"
PICKED = (
    "Where only units were adjudicated about which coders disagreed, these figures are about",
    "such units, not about all posts.",
)


class LearningCurve(NamedTuple):
    """The measures of a variable: the classifier by size, then the baselines."""

    variable: str
    units: int
    seed: int
    measures: list[learning.CoderScores]


def curve(
    codes: pd.DataFrame,
    cues: pd.DataFrame,
    variable: Variable,
    *,
    units: Sequence[str],
    vectors: Floats,
    repeats: int = REPEATS,
    seed: int = SEED,
) -> LearningCurve:
    """The learning curve of a variable that is offered.

    `codes` has the columns unit, variable and value; `cues` are CODINGS of the cues coder on the
    same units, which abstains where there is none; `vectors` has a row for each of `units`.
    """
    places = {unit: place for place, unit in enumerate(units)}
    own = codes[codes["variable"] == variable.variable]
    theirs = cues[(cues["variable"] == variable.variable) & (cues["segment"] == "")]
    values = dict(zip(theirs["unit"], theirs["value"], strict=True))
    given = [values.get(unit) for unit in own["unit"]]
    beside = learning.CoderCodes(
        holds_of([value or "" for value in given], variable.codes),
        np.array([value is not None for value in given]),
    )
    found = learning.curve(
        vectors[[places[unit] for unit in own["unit"]]],
        holds_of(list(own["value"]), variable.codes),
        _scale(variable),
        others={CUES: beside},
        repeats=repeats,
        seed=seed,
    )
    return LearningCurve(variable.variable, len(own), seed, found)


def lines(curves: Sequence[LearningCurve]) -> list[str]:
    """The curves as a plain table for each variable, with a remark where a baseline is as good."""
    text = []
    for one in curves:
        splits = len(one.measures[0].f1)
        held = one.measures[0].held_out
        text += [
            f"{one.variable}: {one.units} adjudicated units, {held} held out in each of {splits} "
            f"splits (seed {one.seed}); mean ± standard deviation",
            f"  {'coder':<24}{'macro F1':>16}{'alpha':>16}{'coded':>8}",
            *(_line(measure) for measure in one.measures),
            *(f"  {remark}" for remark in _remarks(one)),
            "",
        ]
    return [*text, *PICKED] if text else []


def table(curves: Sequence[LearningCurve]) -> pd.DataFrame:
    """The same numbers for machines: a row for each variable, coder and size."""
    rows = []
    for one in curves:
        for measure in one.measures:
            f1, alpha = learning.mean(measure.f1), learning.mean(measure.alpha)
            rows.append(
                {
                    "variable": one.variable,
                    "coder": measure.coder or "embed",
                    "taught": measure.taught,
                    "held_out": measure.held_out,
                    "splits": len(measure.f1),
                    "seed": one.seed,
                    "macro_f1": f1[0],
                    "macro_f1_sd": f1[1],
                    "alpha": alpha[0],
                    "alpha_sd": alpha[1],
                    "coded": float(measure.coded.mean()),
                }
            )
    return pd.DataFrame(rows)


def _line(measure: learning.CoderScores) -> str:
    taught = measure.coder == learning.LEARNER
    name = f"embed, taught with {measure.taught}" if taught else measure.coder
    f1, alpha = _spread(measure.f1), _spread(measure.alpha)
    return f"  {name:<24}{f1:>16}{alpha:>16}{measure.coded.mean():>8.0%}"


def _spread(numbers: Floats) -> str:
    mean, deviation = learning.mean(numbers)
    if math.isnan(mean):
        return "–"
    return f"{mean:.3f}" + ("" if math.isnan(deviation) else f" ± {deviation:.3f}")


def _remarks(one: LearningCurve) -> Iterator[str]:
    """Where the classifier, taught with all that there is, does not beat a baseline.

    To beat is to have the higher mean and to be better in more than half of the splits; one that
    has no figure is beaten.
    """
    full = [measure for measure in one.measures if measure.coder == learning.LEARNER][-1]
    for other in one.measures:
        if other.coder == learning.LEARNER:
            continue
        pairs = {"macro F1": (full.f1, other.f1), "alpha": (full.alpha, other.alpha)}
        for name, (own, theirs) in pairs.items():
            better = int((own > theirs).sum())
            beaten = math.isnan(learning.mean(theirs)[0]) or (
                learning.mean(own)[0] > learning.mean(theirs)[0] and 2 * better > len(own)
            )
            if not beaten:
                yield (
                    f"It does not beat {other.coder} in {name}: it is better in {better} of "
                    f"{len(own)} splits."
                )


def _scale(variable: Variable) -> learning.Scale:
    codes = variable.codes
    if variable.metric in ("interval", "ratio"):
        codes = tuple(variable.measured(codes))
    none = variable.codes.index(variable.none) if variable.none else -1
    return learning.Scale(variable.metric, codes, variable.multiple, none)
