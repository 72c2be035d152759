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
from labeler.codebook.values import ASSISTED, BLIND, SETS, Scale, Values
from labeler.statistics.agreement.distances import Floats, distances_between
from labeler.statistics.experiment import anchoring as effects
from labeler.statistics.experiment import arms as armed
from labeler.statistics.experiment import randomisation
from labeler.statistics.experiment.arms import Arms, Effect
from labeler.statistics.experiment.randomisation import Rerandomisations
from labeler.statistics.interval import joined_notes
from labeler.statistics.multiplicity import holm
from labeler.store import tables

ASSESSMENT = "anchoring"
ALL = "all"
BOUND = 0.05
ACCEPTS = 0.95  # of a coder's suggested units: from here on the coder accepts nearly all
HURRIED = 0.5  # of a coder's blind median lead time: below, nobody has read and judged
FEW_UNITS = 10  # assisted units below which no coder is judged

ACCEPTED = ["variable", "unit", "coder", "arm", "suggested", "change"]

Row = dict[str, Any]


class Compared(NamedTuple):
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
) -> pd.DataFrame:
    """ASSESSMENTS rows (`anchoring`) of a batch; batch and codebook are left empty.

    `values`: variable → columns unit, coder, arm, value (None: was not asked). `model_values`:
    variable → columns unit, value of the coder whose codes were suggested. `changes`: CHANGES
    rows, `annotations`: ANNOTATIONS rows (lead times); either may be empty. The rows of variable
    `all` are about lead times and acceptance, also coder by coder; without `changes` a coding
    that equals the model's is taken as accepted.
    """
    rows: list[Row] = []
    for variable in codebook.variables:
        name = variable.variable
        if name in values:
            scale = coded_values.scale_of(variable)
            found = assessed(values[name], model_values[name], scale, bound=bound, seed=seed)
            rows += [{"variable": name, **row} for row in found]
    shown = changes if len(changes) else accepted(values, model_values, codebook)
    rows += [{"variable": name, **row} for name, row in _acceptance(shown)]
    rows += [{"variable": ALL, **row} for row in pace(shown, annotations, seed=seed)]
    common = {"assessment": ASSESSMENT, "coder": tables.HUMANS, "code": ""}
    content = [{**common, **row} for row in rows]
    return pd.DataFrame(content, columns=tables.columns(tables.ASSESSMENTS))


def assessed(
    given: pd.DataFrame, model: pd.DataFrame, scale: Scale, *, bound: float, seed: int
) -> list[Row]:
    """What is told of one variable: rows without variable, the whole first, then its codes.

    `given`: columns unit, coder, arm, value; `model`: columns unit, value. Agreement of sets is
    their similarity; over- and under-reliance look at whether they are equal.
    """
    humans = coded_values.humans_of(given, scale, BLIND, ASSISTED)
    of_model = coded_values.of_model(model, scale)
    humans = humans[humans["unit"].isin(of_model)]
    arms = armed.arms(
        humans["unit"].to_numpy(),
        humans["coder"].to_numpy(),
        (humans["arm"] == ASSISTED).to_numpy(),
    )
    if arms.design.reason:
        empty = armed.nothing(f"nothing to compare: {arms.design.reason}", 0)
        return [_row("agreement_inflation", empty, verdict="undefined")]
    used = humans[arms.design.used]
    values = coded_values.values_of(scale, [*used["value"], *of_model.values()])
    theirs = used["unit"].map(of_model).astype("str")
    compared = Compared(
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


def accepted(
    values: Mapping[str, pd.DataFrame], model_values: Mapping[str, pd.DataFrame], codebook: Codebook
) -> pd.DataFrame:
    """Columns ACCEPTED of every variable; see `accepted_of`."""
    parts = [
        accepted_of(name, values[name], model_values[name], coded_values.scale_of(variable))
        for variable in codebook.variables
        if (name := variable.variable) in values
    ]
    return pd.concat(parts) if parts else pd.DataFrame(columns=ACCEPTED)


def accepted_of(name: str, given: pd.DataFrame, model: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """Columns ACCEPTED: the change is `accepted` where an assisted coding is the model's."""
    humans = coded_values.humans_of(given, scale, ASSISTED)
    suggested = coded_values.of_model(model, scale)
    own = humans[humans["unit"].isin(suggested)]
    same = own["value"] == own["unit"].map(suggested)
    change = np.where(same, "accepted", "edited")
    return own.assign(variable=name, suggested="shown", change=change)[ACCEPTED]


def pace(shown: pd.DataFrame, annotations: pd.DataFrame, *, seed: int) -> Iterator[Row]:
    """Lead times by arm, over all and by coder, and whether a coder accepts without reading."""
    times = _lead_times(annotations)
    if len(times):
        yield from _medians(times, tables.HUMANS)
        yield _row("lead_time.ratio", _ratio(times, seed))
    whole = _whole_units(shown)
    for coder in sorted({*times["coder"], *whole["coder"]}):
        own = times[times["coder"] == coder]
        yield from _medians(own, coder)
        yield from _stamping(coder, whole[whole["coder"] == coder], own, times)


def _outcomes(compared: Compared) -> Floats:
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
    compared: Compared, outcomes: Floats, found: Rerandomisations, bound: float
) -> Iterator[Row]:
    arms, agree = compared.arms, outcomes[:, 0]
    inflation = armed.effect(agree, found, 0, arms, bound=bound)
    for arm, mean in zip((ASSISTED, BLIND), armed.means(agree, arms), strict=True):
        yield {"measure": f"agreement.{arm}", "value": mean, "n": arms.n_units}
    ruling = effects.verdict(inflation, bound=bound)
    yield _row("agreement_inflation", inflation, verdict=ruling)
    yield _equivalence(inflation, bound)
    yield _row("agreement_inflation.further_coders", effects.for_further_coders(agree, arms))
    yield _row("adoption_share", effects.adoption(agree, arms))
    over, under = effects.reliance(compared.value == compared.model, arms)
    yield _row("over_reliance", over)
    yield _row("under_reliance", under)


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


def _alphas(compared: Compared) -> Iterator[Row]:
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
    yield _row("alpha_inflation", inflation)


def _numbers(compared: Compared, outcomes: Floats, found: Rerandomisations) -> Iterator[Row]:
    """How far free numbers are shifted; there is no bound that would suit every scale."""
    scale = compared.values.scale
    if not scale.codes and scale.level not in SETS:
        shift = armed.effect(
            outcomes[:, -1], found, outcomes.shape[1] - 1, compared.arms, bound=0, limit=math.inf
        )
        ruling = "shifted" if shift.p <= effects.ALPHA else "not decided"
        yield _row("value_shift", shift, verdict=ruling)


def _codes(
    compared: Compared, outcomes: Floats, found: Rerandomisations, bound: float
) -> Iterator[Row]:
    """The pull over all codes; of each code its shift and its agreement inflation."""
    codes = compared.values.scale.codes
    if not codes:
        return
    arms, first = compared.arms, 1 + len(codes)
    suggested = compared.values.presence[:, compared.model].astype(float)
    model = np.array([armed.everywhere(each, arms) for each in suggested])
    shifted = [first + place for place in range(len(codes))]
    yield _row("pull_to_model", effects.pull(found, shifted, model))
    shifts = [armed.effect(outcomes[:, c], found, c, arms, bound=bound) for c in shifted]
    adjusted = holm([shift.p for shift in shifts])
    for place, (code, shift, p) in enumerate(zip(codes, shifts, adjusted, strict=True)):
        blind = float(found.observed_blind[first + place])
        ruling = effects.verdict(shift, bound=bound, p=p)
        for word in ("anchored", "turned away"):
            ruling = ruling.replace(word, "shifted")
        told = f"blind {blind:.1%}, model {model[place]:.1%}; p adjusted by Holm {p:.3f}"
        own_interval = shift.interval._replace(note=joined_notes(told, shift.interval.note))
        shift = shift._replace(interval=own_interval)
        yield _row("prevalence_shift", shift, code=code, verdict=ruling)
        own = armed.effect(outcomes[:, 1 + place], found, 1 + place, arms, bound=bound)
        yield _row("agreement_inflation", own, code=code)


def _acceptance(shown: pd.DataFrame) -> Iterator[tuple[str, Row]]:
    """The share of suggestions that were taken as they were, by variable."""
    offered = shown[shown["suggested"] != ""]
    for name, own in offered.groupby("variable"):
        share = float((own["change"] == "accepted").mean())
        method = "suggestions in view that were left as they were"
        yield str(name), {"measure": "acceptance", "value": share, "n": len(own), "method": method}


def _whole_units(shown: pd.DataFrame) -> pd.DataFrame:
    """Columns coder, unit, accepted: whether nothing was touched and nothing added."""
    own = shown[shown["arm"] == ASSISTED]
    same = own.assign(accepted=own["change"] == "accepted")
    return same.groupby(["coder", "unit"])[["accepted"]].all().reset_index()


def _lead_times(annotations: pd.DataFrame) -> pd.DataFrame:
    """Columns unit, coder, arm, lead_time of the annotations that count, in seconds."""
    columns = ["unit", "coder", "arm", "lead_time"]
    if annotations.empty:
        return pd.DataFrame(columns=columns).astype({"lead_time": "float64"})
    counts = (annotations["cancelled"] == 0) & (annotations["withdrawn"] == 0)
    timed = annotations["lead_time"].notna() & (annotations["lead_time"] > 0)
    arms = annotations["arm"].isin((BLIND, ASSISTED))
    return annotations.loc[counts & timed & arms, columns]


def _medians(times: pd.DataFrame, coder: str) -> Iterator[Row]:
    for arm, own in times.groupby("arm"):
        yield {
            "measure": f"lead_time.{arm}",
            "coder": coder,
            "value": float(own["lead_time"].median()),
            "n": len(own),
            "method": "median, seconds",
        }


def _ratio(times: pd.DataFrame, seed: int) -> Effect:
    """Geometric mean of the lead times, assisted : blind, by the same design as the codes."""
    assisted = (times["arm"] == ASSISTED).to_numpy()
    arms = armed.arms(times["unit"].to_numpy(), times["coder"].to_numpy(), assisted)
    if arms.design.reason:
        return armed.nothing(f"nothing to compare: {arms.design.reason}", 0)
    logs = np.log(times["lead_time"].to_numpy(float))[arms.design.used]
    found = randomisation.ways(logs[:, None], arms.design, seed=seed)
    effect = armed.effect(logs, found, 0, arms, bound=0, limit=math.inf)
    value, low, high = (float(np.exp(end)) for end in effect.interval[:3])
    return effect._replace(interval=effect.interval._replace(value=value, low=low, high=high))


def _stamping(
    coder: str, whole: pd.DataFrame, own: pd.DataFrame, times: pd.DataFrame
) -> Iterator[Row]:
    """Rubber-stamping: nearly all units accepted whole, in less than half the blind median time."""
    if whole.empty:
        return
    share, n = float(whole["accepted"].mean()), len(whole)
    yield {"measure": "acceptance.whole_units", "coder": coder, "value": share, "n": n}
    blind = own[own["arm"] == BLIND]["lead_time"]
    reference = blind if len(blind) else times[times["arm"] == BLIND]["lead_time"]
    seen = own[own["arm"] == ASSISTED].merge(whole[whole["accepted"]], on="unit")["lead_time"]
    rule = (
        f"flagged: at least {ACCEPTS:.0%} of {FEW_UNITS} or more units accepted whole, and half of "
        f"those in less than {HURRIED:g} of the median blind lead time"
        f"{'' if len(blind) else ' of all coders'}"
    )
    row: Row = {"measure": "rubber_stamping", "coder": coder, "n": n, "method": rule}
    if n < FEW_UNITS or not len(reference) or not len(seen):
        reason = f"{n} assisted units" if n < FEW_UNITS else "no lead times to compare"
        yield {**row, "value": math.nan, "verdict": "undefined", "note": reason}
        return
    hurry = float(seen.median() / reference.median())
    flagged = share >= ACCEPTS and hurry < HURRIED
    note = f"{share:.0%} accepted whole, at {hurry:.2f} of the blind median lead time"
    yield {**row, "value": hurry, "verdict": "flagged" if flagged else "not flagged", "note": note}


def _row(measure: str, effect: Effect, *, code: str = "", verdict: str = "") -> Row:
    return {
        "measure": measure,
        "code": code,
        "value": effect.interval.value,
        "low": effect.interval.low,
        "high": effect.interval.high,
        "p": effect.p,
        "n": effect.interval.n,
        "method": effect.interval.method,
        "verdict": verdict,
        "note": effect.interval.note,
    }
