"""Codings of the blind and the assisted arm → what seeing a suggestion does to a code."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler.codebook import values as coded_values
from labeler.codebook.codebook import Codebook
from labeler.codebook.values import SETS, Scale, Values
from labeler.coding import panels
from labeler.coding.vocabulary import ASSISTED, BLIND, HUMANS
from labeler.reliability.assessments import acceptance
from labeler.reliability.assessments.acceptance import effect_row
from labeler.reliability.assessments.declaration import Assessment, AssessmentInput
from labeler.reliability.assessments.sentences import UNDEFINED, by_verdict
from labeler.reliability.confidence import ALL
from labeler.reliability.weighting import design_weights
from labeler.statistics.agreement.distances import Floats, distances_between
from labeler.statistics.experiment import anchoring as effects
from labeler.statistics.experiment import arms as armed
from labeler.statistics.experiment import randomisation
from labeler.statistics.experiment.arms import Arms, Effect
from labeler.statistics.experiment.randomisation import Rerandomisations
from labeler.statistics.interval import joined_notes
from labeler.statistics.multiplicity import holm
from labeler.store import tables

NAME = "anchoring"
BOUND = 0.05
OF_DRAWN = (
    "of the units drawn, not weighted: the arms are parts of one draw, which was unequal; the size "
    "among all posts may differ"
)

Row = dict[str, Any]


class ArmCodings(NamedTuple):
    """One variable's codings that are compared, as positions in `values.domain`."""

    arms: Arms
    value: NDArray[np.intp]
    model: NDArray[np.intp]
    values: Values


def anchoring(
    values: Mapping[str, pd.DataFrame],
    model_values: Mapping[str, pd.DataFrame],
    changes: pd.DataFrame,
    annotations: pd.DataFrame,
    codebook: Codebook,
    *,
    bound: float = BOUND,
    seed: int,
    drawn: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """ASSESSMENTS rows (`anchoring`) of a batch; batch and codebook are left empty.

    `values`: variable → columns unit, coder, arm, value (None: was not asked). `model_values`:
    variable → columns unit, value of the coder whose codes were suggested. `changes`: CHANGES
    rows, `annotations`: ANNOTATIONS rows (lead times); either may be empty. The rows of variable
    `all` are about lead times and acceptance, also coder by coder; without `changes` a coding
    that equals the model's is taken as accepted.

    Nothing is weighted by the probability of drawing (`drawn`: columns unit, unit_probability).
    The arms are parts of one draw, parted at random, so that a difference between them is an
    effect of the suggestion however the units were drawn, and its p holds. Its size is that among
    the units drawn; where they were drawn unequally the note of every effect says so.
    """
    unequal = drawn is not None and design_weights(list(drawn["unit"]), drawn) is not None
    drawn_so = OF_DRAWN if unequal else ""
    rows: list[Row] = []
    for variable in codebook.variables:
        name = variable.variable
        if name in values:
            scale = coded_values.scale_of(variable)
            found = effects_of_variable(
                values[name], model_values[name], scale, bound=bound, seed=seed
            )
            rows += [{"variable": name, **_with_note(row, drawn_so)} for row in found]
    shown = changes if len(changes) else acceptance.accepted(values, model_values, codebook)
    rows += [{"variable": name, **row} for name, row in acceptance.acceptance(shown)]
    rows += [{"variable": ALL, **row} for row in acceptance.pace(shown, annotations, seed=seed)]
    common = {"assessment": NAME, "coder": HUMANS, "code": ""}
    content = [{**common, **row} for row in rows]
    return pd.DataFrame(content, columns=tables.columns(tables.ASSESSMENTS))


def _with_note(row: Row, note: str) -> Row:
    """A row with a further note, if there is one and the row is an effect that is defined."""
    if not note or math.isnan(row.get("value", math.nan)):
        return row
    return {**row, "note": joined_notes(str(row.get("note", "")), note)}


def effects_of_variable(
    given: pd.DataFrame, model: pd.DataFrame, scale: Scale, *, bound: float, seed: int
) -> list[Row]:
    """What is told of one variable: rows without variable, the whole first, then its codes.

    `given`: columns unit, coder, arm, value; `model`: columns unit, value. Agreement of sets is
    their similarity; over- and under-reliance look at whether they are equal.
    """
    humans = panels.human_values(given, scale, BLIND, ASSISTED)
    of_model = panels.model_values(model, scale)
    humans = humans[humans["unit"].isin(of_model)]
    arms = armed.arms(
        humans["unit"].to_numpy(),
        humans["coder"].to_numpy(),
        (humans["arm"] == ASSISTED).to_numpy(),
    )
    if arms.design.reason:
        empty = armed.nothing(f"nothing to compare: {arms.design.reason}", 0)
        return [effect_row("agreement_inflation", empty, verdict=UNDEFINED)]
    used = humans[arms.design.used]
    values = coded_values.values_of(scale, [*used["value"], *of_model.values()])
    theirs = used["unit"].map(of_model).astype("str")
    compared = ArmCodings(
        arms,
        coded_values.positions(used["value"], values),
        coded_values.positions(theirs, values),
        values,
    )
    outcomes = _outcomes(compared)
    found = randomisation.ways(outcomes, arms.design, seed=seed)
    return [
        *_whole(compared, outcomes, found, bound),
        *_alphas(compared),
        *_numbers(compared, outcomes, found),
        *_codes(compared, outcomes, found, bound),
    ]


def _outcomes(compared: ArmCodings) -> Floats:
    """Columns: agreement; of each code: agreement on it, presence; of numbers: the number."""
    values, own, model = compared.values, compared.value, compared.model
    if values.scale.level in SETS:
        apart = distances_between(values.scale.level, values.domain, np.empty(0))
        agree = 1 - apart[own, model]
    else:
        agree = (own == model).astype(float)
    has, suggested = values.presence[:, own], values.presence[:, model]
    columns = [agree, *(has == suggested), *has]
    if not values.scale.codes and values.scale.level not in SETS:
        columns.append(np.array([float(value) for value in values.measured])[own])
    return np.column_stack(columns).astype(float)


def _whole(
    compared: ArmCodings, outcomes: Floats, found: Rerandomisations, bound: float
) -> Iterator[Row]:
    arms, agree = compared.arms, outcomes[:, 0]
    inflation = armed.effect(agree, found, 0, arms, bound=bound)
    for arm, mean in zip((ASSISTED, BLIND), armed.means(agree, arms), strict=True):
        yield {"measure": f"agreement.{arm}", "value": mean, "n": arms.n_units}
    ruling = effects.verdict(inflation, bound=bound)
    yield effect_row("agreement_inflation", inflation, verdict=ruling)
    yield _equivalence(inflation, bound)
    yield effect_row("agreement_inflation.further_coders", effects.for_further_coders(agree, arms))
    yield effect_row("adoption_share", effects.adoption(agree, arms))
    over, under = effects.reliance(compared.value == compared.model, arms)
    yield effect_row("over_reliance", over)
    yield effect_row("under_reliance", under)


def _equivalence(inflation: Effect, bound: float) -> Row:
    """TOST: the bound, the 90% interval that has to lie inside, the larger p of the two tests."""
    shown = inflation.p_equivalence <= effects.ALPHA
    return {
        "measure": "equivalence",
        "value": bound,
        "low": inflation.interval.lower_one_sided,
        "high": inflation.interval.upper_one_sided,
        "p": inflation.p_equivalence,
        "n": inflation.interval.n,
        "method": f"two one-sided tests, 90% interval; {inflation.interval.method}",
        "verdict": "equivalent" if shown else "not shown",
        "note": inflation.interval.note,
    }


def _alphas(compared: ArmCodings) -> Iterator[Row]:
    values = compared.values
    assisted, blind, inflation = effects.alpha_by_arm(
        compared.value,
        compared.model,
        compared.arms,
        level=values.scale.level,
        domain=values.measured,
    )
    for arm, alpha in ((ASSISTED, assisted), (BLIND, blind)):
        yield {
            "measure": f"alpha.{arm}",
            "value": alpha.value,
            "n": alpha.n_units,
            "method": f"krippendorff_alpha.{values.scale.level}, human and model",
            "note": alpha.note,
        }
    yield effect_row("alpha_inflation", inflation)


def _numbers(compared: ArmCodings, outcomes: Floats, found: Rerandomisations) -> Iterator[Row]:
    """How far free numbers are shifted; there is no bound that would suit every scale."""
    scale = compared.values.scale
    if not scale.codes and scale.level not in SETS:
        shift = armed.effect(
            outcomes[:, -1], found, outcomes.shape[1] - 1, compared.arms, bound=0, limit=math.inf
        )
        ruling = "shifted" if shift.p <= effects.ALPHA else "not decided"
        yield effect_row("value_shift", shift, verdict=ruling)


def _codes(
    compared: ArmCodings, outcomes: Floats, found: Rerandomisations, bound: float
) -> Iterator[Row]:
    """The pull over all codes; of each code its shift and its agreement inflation."""
    codes = compared.values.scale.codes
    if not codes:
        return
    arms, first = compared.arms, 1 + len(codes)
    suggested = compared.values.presence[:, compared.model].astype(float)
    model = np.array([armed.everywhere(each, arms) for each in suggested])
    shifted = [first + place for place in range(len(codes))]
    yield effect_row("pull_to_model", effects.pull(found, shifted, model))
    shifts = [armed.effect(outcomes[:, c], found, c, arms, bound=bound) for c in shifted]
    adjusted = holm([shift.p for shift in shifts])
    for place, (code, shift, p) in enumerate(zip(codes, shifts, adjusted, strict=True)):
        blind = float(found.observed_blind[first + place])
        ruling = effects.verdict(shift, bound=bound, p=p)
        for word in ("anchored", "turned away"):
            ruling = ruling.replace(word, "shifted")
        told = f"blind {blind:.1%}, model {model[place]:.1%}; p adjusted by Holm {p:.3f}"
        note = joined_notes(told, shift.interval.note)
        shift = shift._replace(interval=shift.interval._replace(note=note))
        yield effect_row("prevalence_shift", shift, code=code, verdict=ruling)
        own = armed.effect(outcomes[:, 1 + place], found, 1 + place, arms, bound=bound)
        yield effect_row("agreement_inflation", own, code=code)


def _of_batch(given: AssessmentInput) -> pd.DataFrame:
    notes = given.annotations
    changes = given.stored(tables.CHANGES)
    own = pd.MultiIndex.from_frame(notes[panels.WHO])
    changes = changes[pd.MultiIndex.from_frame(changes[panels.WHO]).isin(own)]
    return anchoring(
        given.people,
        given.model_values,
        changes,
        notes,
        given.codebook,
        seed=given.seed,
        drawn=given.drawn,
    )


def _sentences(rows: pd.DataFrame) -> Iterator[str]:
    """What suggestions do to each variable; the people who accept them without reading."""
    yield from by_verdict(rows[rows["measure"] == "agreement_inflation"])
    stamping = rows[rows["measure"] == "rubber_stamping"]
    for row in tables.rows(stamping[stamping["verdict"] == "flagged"]):
        yield f"{row.coder} accepts suggestions without reading them: {row.note}"
    for sentence in by_verdict(stamping[stamping["verdict"] == UNDEFINED]):
        yield f"accepting without reading: {sentence}"


ASSESSMENT = Assessment(
    name=NAME,
    title="Anchoring",
    meaning="What seeing a suggestion does to a code: blind and assisted codings of the same draw.",
    headlines=("agreement_inflation", "rubber_stamping"),
    rows=_of_batch,
    sentences=_sentences,
)
