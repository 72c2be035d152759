"""Blind codings of humans and of a model → may the model stand in for a coder?

The whole variable is one test a human; of sets (several codes at once, variables of the segment)
whether each code is there is tested too. Codes and humans, and the variables and humans of a
codebook, each make up one family, over which the p-values are corrected together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from labeler.codebook import values as coded_values
from labeler.codebook.codebook import Codebook
from labeler.codebook.values import NUMBERS, SETS, Scale
from labeler.coding import panels
from labeler.coding.vocabulary import BLIND
from labeler.reliability.assessments.declaration import Assessment, AssessmentInput
from labeler.reliability.weighting import design_weights
from labeler.statistics.experiment import alttest
from labeler.statistics.experiment.alttest import AltTest, Score, Small
from labeler.statistics.interval import RARE
from labeler.store import tables

NAME = "alternative-annotator"


class AnnotatorTest(NamedTuple):
    """The test of a variable, or of one of its codes; `coders` in the order of `test.humans`.

    `note` says of a code why the test decides nothing: where hardly anybody gave it, everybody
    agrees by not giving it.
    """

    code: str
    test: AltTest
    coders: list[str]
    note: str


def alternative(
    values: Mapping[str, pd.DataFrame],
    model_values: Mapping[str, pd.DataFrame],
    codebook: Codebook,
    *,
    model: str,
    epsilon: float = 0.2,
    drawn: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """ASSESSMENTS rows (`alternative-annotator`) of one model; batch and codebook are left empty.

    `values`: variable → columns unit, coder, arm, value (None: was not asked); only blind humans
    are used. `model_values`: variable → columns unit, value of the model. `drawn`: columns unit,
    unit_probability; where units were drawn unequally everything is weighted by 1/probability,
    since a model may stand in well for some kinds of units and not for others. Measures, all of
    coder `model`: winning_rate (with the verdict; over the family of all variables, or of all
    codes), winning_rate.alone (of a variable by itself, where that is another family),
    advantage_probability, epsilon, and for each human H difference:H (p uncorrected),
    p_adjusted:H and advantage:H.
    """
    found = {
        variable.variable: tests(
            values[variable.variable],
            model_values[variable.variable],
            coded_values.scale_of(variable),
            epsilon=epsilon,
            drawn=drawn,
        )
        for variable in codebook.variables
        if variable.variable in values
    }
    whole = [own[0] for own in found.values()]
    rows: list[dict[str, Any]] = []
    for (name, own), first in zip(found.items(), pooled(whole), strict=True):
        for tested, by_itself in zip([first, *pooled(own[1:])], own, strict=True):
            rows += _rows(name, tested, by_itself, model)
    return pd.DataFrame(rows, columns=tables.columns(tables.ASSESSMENTS))


def tests(
    given: pd.DataFrame,
    model: pd.DataFrame,
    scale: Scale,
    *,
    epsilon: float,
    score: Score | None = None,
    small: Small = "refuse",
    drawn: pd.DataFrame | None = None,
) -> list[AnnotatorTest]:
    """The test of one variable, then of each code where it holds sets; families of their own.

    `given`: columns unit, coder, arm, value; `model`: columns unit, value. `score` defaults to
    accuracy for nominal and ordinal values, rmse for numbers, and the sets' own similarity.
    """
    humans = panels.human_values(given, scale, BLIND)
    of_model = panels.model_values(model, scale)
    values = coded_values.values_of(scale, [*humans["value"], *of_model.values()])
    rows, coders = pd.factorize(humans["coder"], sort=True)
    places, units = pd.factorize(humans["unit"], sort=True)
    columns = np.full((len(coders), len(units)), -1, np.intp)
    columns[rows, places] = coded_values.positions(humans["value"], values)
    theirs = np.full(len(units), -1, np.intp)
    there = [place for place, unit in enumerate(units) if unit in of_model]
    texts = pd.Series([of_model[units[place]] for place in there], dtype="str")
    theirs[there] = coded_values.positions(texts, values)
    chosen = score or _score(scale)
    domain = values.measured if chosen == "rmse" else values.domain
    weights = None if drawn is None else design_weights([str(unit) for unit in units], drawn)
    asked: dict[str, Any] = {"epsilon": epsilon, "small": small, "weights": weights}
    whole = alttest.alternative(columns, theirs, domain=domain, score=chosen, **asked)
    names = [str(coder) for coder in coders]
    found = [AnnotatorTest("", whole, names, "")]
    for code, held in zip(
        scale.codes if scale.level in SETS else (), values.presence, strict=False
    ):
        binary = np.append(held.astype(np.intp), -1)  # the last one: not coded
        test = alttest.alternative(
            binary[columns],
            binary[theirs],
            domain=["no", "yes"],
            score="accuracy",
            **asked,
        )
        n = int((binary[columns] == 1).any(axis=0).sum())
        note = f"{n} units hold the code for a human, fewer than {RARE}" if n < RARE else ""
        found.append(AnnotatorTest(code, test, names, note))
    return found


def pooled(several: list[AnnotatorTest]) -> list[AnnotatorTest]:
    """The tests with p-values corrected over all of them together; omega and verdict follow."""
    everybody = [human for tested in several for human in tested.test.humans]
    decided = list(alttest.decided(everybody))
    family = sum(human.p == human.p for human in decided)
    result = []
    for tested in several:
        own = tuple(decided[: len(tested.test.humans)])
        del decided[: len(own)]
        omega, verdict, note = alttest.winning(own)
        score = tested.test.method.split(";")[0]
        method = f"{score}; Benjamini-Yekutieli over {family} tests, q = {alttest.Q:g}"
        test = tested.test._replace(
            humans=own, omega=omega, verdict=verdict, note=note, method=method
        )
        result.append(tested._replace(test=test))
    return result


def _score(scale: Scale) -> Score:
    if scale.level == "masi" or scale.level == "jaccard":
        return scale.level
    return "rmse" if scale.level in NUMBERS else "accuracy"


def _rows(
    name: str, tested: AnnotatorTest, alone: AnnotatorTest, model: str
) -> list[dict[str, Any]]:
    common = {
        "assessment": NAME,
        "coder": model,
        "variable": name,
        "code": tested.code,
        "n": tested.test.n_units,
    }
    test = tested.test
    stated = f"epsilon {test.epsilon:g}"
    note = "; ".join(part for part in (stated, test.note, tested.note) if part)
    found: list[dict[str, Any]] = [
        {
            "measure": "winning_rate",
            "value": test.omega,
            "method": test.method,
            "verdict": "undefined" if tested.note else test.verdict,
            "note": note,
        },
        {
            "measure": "advantage_probability",
            "value": test.rho.value,
            "low": test.rho.low,
            "high": test.rho.high,
            "method": test.rho.method,
            "note": test.note if math.isnan(test.rho.value) else "",
        },
        {"measure": "epsilon", "value": test.epsilon},
    ]
    if alone.test.method != test.method and not tested.code:
        own = {"value": alone.test.omega, "method": alone.test.method, "note": stated}
        found.append({"measure": "winning_rate.alone", "verdict": alone.test.verdict, **own})
    for human, coder in zip(test.humans, tested.coders, strict=True):
        verdict = "" if human.p != human.p else "won" if human.rejected else "not won"
        found += [
            {
                "measure": f"difference:{coder}",
                "value": human.difference,
                "p": human.p,
                "n": human.n,
                "method": human.method,
                "verdict": verdict,
                "note": human.note,
            },
            {"measure": f"p_adjusted:{coder}", "value": human.p_adjusted, "n": human.n},
            {"measure": f"advantage:{coder}", "value": human.rho, "n": human.n},
        ]
    return [{**common, **row} for row in found]


def _of_batch(given: AssessmentInput) -> pd.DataFrame:
    return alternative(
        given.people,
        given.model_values,
        given.codebook,
        model=given.suggester,
        drawn=given.drawn,
    )


ASSESSMENT = Assessment(
    name=NAME,
    title="Stand-in test",
    meaning=(
        "May the model stand in for a coder? The alternative-annotator test, against blind humans "
        "alone."
    ),
    headlines=("winning_rate",),
    rows=_of_batch,
)
