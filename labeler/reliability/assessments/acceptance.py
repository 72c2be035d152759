"""How coders take suggestions: what share they leave as it is, and how long they look at it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from labeler.codebook import values as coded_values
from labeler.codebook.codebook import Codebook
from labeler.codebook.values import Scale
from labeler.coding import panels
from labeler.coding.vocabulary import ASSISTED, BLIND, HUMANS
from labeler.statistics.experiment import arms as armed
from labeler.statistics.experiment import randomisation
from labeler.statistics.experiment.arms import Effect

ACCEPTS = 0.95  # of a coder's suggested units: from here on the coder accepts nearly all
HURRIED = 0.5  # of a coder's blind median lead time: below, nobody has read and judged
FEW_UNITS = 10  # assisted units below which no coder is judged

ACCEPTED = ["variable", "unit", "coder", "arm", "suggested", "change"]

Row = dict[str, Any]


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
    humans = panels.human_values(given, scale, ASSISTED)
    suggested = panels.model_values(model, scale)
    own = humans[humans["unit"].isin(suggested)]
    same = own["value"] == own["unit"].map(suggested)
    change = np.where(same, "accepted", "edited")
    return own.assign(variable=name, suggested="shown", change=change)[ACCEPTED]


def acceptance(shown: pd.DataFrame) -> Iterator[tuple[str, Row]]:
    """The share of suggestions that were taken as they were, by variable."""
    offered = shown[shown["suggested"] != ""]
    for name, own in offered.groupby("variable"):
        share = float((own["change"] == "accepted").mean())
        method = "suggestions in view that were left as they were"
        yield str(name), {"measure": "acceptance", "value": share, "n": len(own), "method": method}


def pace(shown: pd.DataFrame, annotations: pd.DataFrame, *, seed: int) -> Iterator[Row]:
    """Lead times by arm, over all and by coder, and whether a coder accepts without reading."""
    times = _lead_times(annotations)
    if len(times):
        yield from _medians(times, HUMANS)
        yield effect_row("lead_time.ratio", _ratio(times, seed))
    whole = _whole_units(shown)
    for coder in sorted({*times["coder"], *whole["coder"]}):
        own = times[times["coder"] == coder]
        yield from _medians(own, coder)
        yield from _stamping(coder, whole[whole["coder"] == coder], own, times)


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


def effect_row(measure: str, effect: Effect, *, code: str = "", verdict: str = "") -> Row:
    """A measure that is an effect, with interval, p, method and note."""
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
