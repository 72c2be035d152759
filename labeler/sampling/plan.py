"""A design → what it costs and buys, before anything is drawn."""

from __future__ import annotations

import math
from typing import NamedTuple

import pandas as pd

from labeler.codebook.codebook import Variable
from labeler.coding.vocabulary import BLIND, REPEAT
from labeler.errors import InputError
from labeler.sampling import design as sampling
from labeler.sampling.sample import (
    NOT_ASKED,
    frame_of,
    free,
    given_by,
    layers,
    suggester_of,
)
from labeler.sampling.seen_texts import compared_texts, exposures
from labeler.statistics.agreement.looks import level_of_look
from labeler.statistics.estimation import design as sizes
from labeler.store import database, tables
from labeler.study.study import Study
from labeler.text.coded_values import codes_of

ASSUMED_SECONDS = 60.0
POWER = 0.8
FIRST_LOOK = 1 - level_of_look(1)  # the confidence at which the gate is first asked


class Cost(NamedTuple):
    """One arm: units, coders a unit, codings, seconds each (`measured` on so many; 0: assumed)."""

    arm: str
    units: int
    coders: int
    codings: int
    seconds: float
    measured: int
    hours: float


class Width(NamedTuple):
    """What a variable gets: its rarest code, that one's share among the blind units and how many
    of them carry it; half the widths of the 95% intervals of alpha and of a share; the one-sided
    bound to expect at the gate's first look, and the units after which it exceeds the threshold
    with power .8.

    The share is weighted by 1/probability, so its interval is wider by the design effect where
    the draw is uneven. nan where it cannot be known: `note` says why.
    """

    variable: str
    rarest: str
    share: float
    carrying: float
    alpha_half: float
    bound: float
    units_needed: float
    share_half: float
    note: str


class Plan(NamedTuple):
    """The frame, the costs by arm, the widths by variable, and the alpha assumed for them.

    `coded` and `left_out` as in `sample.SampleResult`.
    """

    frame: int
    strata: int
    costs: list[Cost]
    each: float
    widths: list[Width]
    alpha: float
    coded: int = 0
    left_out: int = 0


def plan(
    study: Study, design: sampling.Design, *, suggester: str | None = None, alpha: float = 0.8
) -> Plan:
    """What a design costs and buys, drawn for trial and thrown away; nothing is written.

    Shares of codes are those of the suggester's codings over the frame, weighted by the
    probability of each unit: what the blind units will look like if people code as it does.
    """
    if not 0 < alpha < 1:
        raise InputError("the alpha to plan for lies between 0 and 1, such as 0.8")
    chosen = suggester_of(study, suggester)
    there_are = free(study, chosen)
    seen = exposures(study.engine, there_are)
    source = frame_of(there_are, design, seen)
    units = source.units
    strata = layers(study, design, units, chosen)
    held = sampling.drawn_units(units, design, suggester=chosen, strata=strata)
    drawn = sampling.seated(
        held,
        design,
        batch="plan",
        codebook=study.codebook.fingerprint,
        suggester=chosen,
        created="",
        exposure=compared_texts(study.engine, seen, held.drawn),
    )
    weights = {unit: held.probability[unit] for unit in units}
    given = pd.DataFrame.from_dict(given_by(study, chosen, units), orient="index")
    costs = _costs(study, drawn.tasks)
    return Plan(
        len(units),
        len(set(drawn.tasks["stratum"])),
        costs,
        sum(cost.hours for cost in costs) / len(design.coders),
        [
            _width(variable, given, pd.Series(weights), design, alpha, study)
            for variable in study.codebook.variables
        ]
        if design.blind
        else [],
        alpha,
        source.coded,
        source.left_out,
    )


def _costs(study: Study, tasks: pd.DataFrame) -> list[Cost]:
    notes = database.read(study.engine, tables.ANNOTATIONS, withdrawn=0, cancelled=0)
    timed = notes[notes["lead_time"] > 0]
    costs = []
    for arm, own in tasks.groupby("arm", sort=False):
        like = timed[timed["arm"] == (BLIND if arm == REPEAT else arm)]["lead_time"]
        seconds = float(like.median()) if len(like) else ASSUMED_SECONDS
        units = own["unit"].nunique()
        hours = len(own) * seconds / 3600
        each = int(own.groupby("unit").size().max())
        costs.append(Cost(str(arm), units, each, len(own), seconds, len(like), hours))
    return sorted(costs, key=lambda cost: cost.arm != BLIND)


def _width(
    variable: Variable,
    given: pd.DataFrame,
    weights: pd.Series[float],
    design: sampling.Design,
    alpha: float,
    study: Study,
) -> Width:
    name = variable.variable
    asked = given[given[name] != NOT_ASKED][name] if name in given else pd.Series(dtype="str")
    if asked.empty:
        nothing = "nobody has pre-labelled it: no share to go by"
        return Width(name, "", *(math.nan,) * 6, nothing)
    own = weights.loc[asked.index]
    n = round(design.blind * float(own.sum() / weights.sum()))
    carried, even = {}, {}
    for code in variable.codes or sorted(set(asked)):
        has = pd.Series([code in codes_of(value) for value in asked], index=asked.index)
        carried[code], even[code] = float(own[has].sum() / own.sum()), float(has.mean())
    there = {code: share for code, share in carried.items() if share > 0} or {"": 0.0}
    rarest = min(there, key=lambda code: (there[code], code))
    widest = max(sizes.share_variance(share) for share in even.values())
    effect = float(weights.sum() * (1 / weights).sum()) / len(weights) ** 2  # Kish
    whole = own.groupby(asked).sum() / own.sum()
    common = list(whole.sort_values(ascending=False))
    shares = [*common[:7], sum(common[7:])]  # the enumeration grows with the values
    variance = sizes.alpha_variance(shares, alpha=alpha, coders=min(design.overlap, 4))
    threshold = study.codebook.thresholds(name).tentative
    notes = []
    if design.overlap < 2:
        notes.append("one coder a unit: no agreement to measure")
    elif math.isnan(variance):
        notes.append("the model gave one value only")
    if n * there[rarest] < 10:
        notes.append("under 10 with it")
    return Width(
        name,
        rarest,
        there[rarest],
        n * there[rarest],
        sizes.half_width(variance, n),
        sizes.lower_bound(alpha, variance, n, confidence=FIRST_LOOK),
        sizes.units_for_bound(alpha, variance, threshold, power=POWER, confidence=FIRST_LOOK),
        sizes.half_width(widest * effect, n),
        "; ".join(notes),
    )
