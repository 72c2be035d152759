"""Several batches judged as one study sample: its row, and the probability of coming in. Pure.

A unit is in at most one batch that was drawn, since each draw takes from what earlier batches left.
With pi_k(u) the probability that draw k takes unit u where u is still free (0 where u was not
there yet), and a_k the part of draw k's units that goes into an arm,

    P(u in the arm by any draw) = sum over k of a_k pi_k(u) prod over j < k of (1 - pi_j(u)).

That is exact where pi_k does not hang on what was drawn before: simple draws, whatever their seeds
(two of n1 and then n2 of N give (n1 + n2)/N, the probability of one draw of both), and draws from
the same strata, whose sizes are then known beforehand. Where a later draw makes strata anew (of
another variable, or of the rarest code by what was left), pi_k is the probability given the earlier
draws, as designs in phases use it (Särndal, Swensson and Wretman 1992, Model Assisted Survey
Sampling, chapter 9): it differs from the unconditional one by about one unit in the stratum.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler import hints
from labeler.coding.vocabulary import ASSISTED, BLIND, REPEAT
from labeler.errors import ProjectError
from labeler.keys import canonical
from labeler.store.sample_names import members, sample_name
from labeler.text.names import unknown

SIMPLE = "simple"
ARMS: tuple[str, ...] = (
    BLIND,
    ASSISTED,
    REPEAT,
)  # whose units are drawn; those of adjudication are chosen


class MemberDraw(NamedTuple):
    """One draw: the part of its units in each arm, and unit → probability of being among them.

    `arms`: BLIND, ASSISTED and REPEAT (those of the blind). A unit that `units` lacks could not
    be drawn.
    """

    batch: str
    arms: Mapping[str, float]
    units: Mapping[str, float]


def sample_row(there: pd.DataFrame, sample: str) -> pd.Series[Any]:
    """The row of a study sample, as one of BATCHES, from the BATCHES rows there are.

    Of a single batch its own. Of several: `batch` is the sample's name, `created` that of the
    newest, and `design` (JSON) holds under `batches` each one's design, name and time, in order.
    ProjectError for an unknown batch, and where they do not make one sample.
    """
    names = members(sample)
    for name in names:
        if name not in set(there["batch"]):
            hint = hints.DRAW_BATCH if there.empty else None
            raise ProjectError(unknown("batch", name, there["batch"]), hint=hint)
    own = ordered(there[there["batch"].isin(names)])
    if len(own) == 1:
        return own.iloc[0]
    _joinable(own)
    designs: list[dict[str, Any]] = [json.loads(design or "{}") for design in own["design"]]
    pairs = zip(own["batch"], own["created"], designs, strict=True)
    described: dict[str, Any] = {
        "batches": [{**design, "batch": name, "created": made} for name, made, design in pairs]
    }
    if "imported" in designs[0]:
        described["imported"] = {"variables": designs[0]["imported"]["variables"]}
    row = own.iloc[-1].copy()
    row["batch"], row["design"] = sample_name(own["batch"]), canonical(described)
    return row


def ordered(batches: pd.DataFrame) -> pd.DataFrame:
    """BATCHES rows in the order in which they were drawn."""
    return batches.sort_values(["created", "batch"], ignore_index=True)


def _joinable(own: pd.DataFrame) -> None:
    """Refuse batches whose codings are not about the same question, or not drawn knowably."""
    names = ", ".join(own["batch"])
    if own["codebook"].nunique() > 1:
        raise ProjectError(
            f"batches {names} were drawn under different versions of the codebook",
            hint=hints.JUDGE_APART,
        )
    if own["suggester"].nunique() > 1:
        raise ProjectError(f"batches {names} have different suggesters", hint=hints.JUDGE_APART)
    said = [json.loads(design or "{}").get("imported") for design in own["design"]]
    if any(one is None for one in said) and any(one is not None for one in said):
        raise ProjectError(
            f"batches {names}: some were drawn and some imported from a file, of which nobody "
            "knows how its units were drawn",
            hint=hints.JUDGE_APART,
        )
    if len({tuple(one["variables"]) for one in said if one is not None}) > 1:
        raise ProjectError(
            f"batches {names} were imported from files that speak of different variables",
            hint=hints.JUDGE_APART,
        )


def member_draws(
    row: Mapping[str, Any] | pd.Series[Any],
    tasks: pd.DataFrame,
    frames: pd.DataFrame,
    known_since: Mapping[str, str],
) -> list[MemberDraw]:
    """The draws of a study sample of several batches, in order.

    `row`: of `sample_row`; `tasks`: TASKS rows of its batches (unit, arm, unit_probability, and
    batch); `frames`: FRAMES rows of them (batch, unit, probability); `known_since`: unit → when it
    could first be drawn. A simple draw could take what was known when it was made; a draw by
    strata has its probabilities in FRAMES. ProjectError where one of them has none there.
    """
    return [
        _member_draw(design, tasks, frames, known_since)
        for design in json.loads(row["design"])["batches"]
    ]


def _member_draw(
    design: Mapping[str, Any],
    tasks: pd.DataFrame,
    frames: pd.DataFrame,
    known_since: Mapping[str, str],
) -> MemberDraw:
    name = str(design["batch"])
    own = tasks[tasks["batch"] == name]
    if "imported" in design:
        given = own[["unit", "unit_probability"]].drop_duplicates("unit")
        alike = dict.fromkeys(ARMS, 1.0)
        return MemberDraw(name, alike, _mapped(given["unit"], given["unit_probability"]))
    nested = design.get("nested", False)
    drawn = design["assisted"] if nested else design["blind"] + design["assisted"]
    blind = design["blind"] / drawn
    assisted = 1.0 if nested else design["assisted"] / drawn
    arms: dict[str, float] = {BLIND: blind, REPEAT: blind, ASSISTED: assisted}
    kept = frames[frames["batch"] == name]
    if len(kept) or design.get("drawing", SIMPLE) != SIMPLE:
        if kept.empty:
            raise ProjectError(
                f"batch {name!r} was drawn by strata, before it was kept with which probability "
                "other batches' units would have been",
                hint=hints.JUDGE_APART,
            )
        return MemberDraw(name, arms, _mapped(kept["unit"], kept["probability"]))
    mine, made = set(own["unit"]), str(design["created"])
    there = [
        unit for unit in set(tasks["unit"]) if unit in mine or known_since.get(unit, "") <= made
    ]
    first = own[own["arm"].isin(ARMS)].iloc[0]
    return MemberDraw(name, arms, dict.fromkeys(there, first.unit_probability / arms[first.arm]))


def _mapped(units: pd.Series[str], chances: pd.Series[float]) -> dict[str, float]:
    return dict(zip(units.tolist(), chances.astype(float).tolist(), strict=True))


def with_joint_probabilities(tasks: pd.DataFrame, draws: Sequence[MemberDraw]) -> pd.DataFrame:
    """The TASKS rows of the draws' batches, with the probabilities of coming in by any of them.

    `unit_probability` as the module says; `task_probability` (where there is such a column) with
    a_k times the chance that draw k gave the unit to the row's coder (0 where that coder was not
    in it). Rows of the adjudication arm, which is chosen and not drawn, stay.
    """
    if tasks.empty:
        return tasks
    number, units = pd.factorize(tasks["unit"])
    reached = _reached([str(unit) for unit in units], draws)
    arms = tasks["arm"].to_numpy(object)
    mine = np.isin(arms, ARMS)
    unit_chance = tasks["unit_probability"].to_numpy(float).copy()
    part = np.array([[draw.arms.get(str(arm), 0.0) for arm in arms] for draw in draws])
    unit_chance[mine] = (part * reached[:, number]).sum(axis=0)[mine]
    found = tasks.assign(unit_probability=np.minimum(unit_chance, 1.0))
    if "task_probability" not in tasks.columns:
        return found
    task_chance = tasks["task_probability"].to_numpy(float).copy()
    given = _given(tasks, draws)
    task_chance[mine] = (part * given * reached[:, number]).sum(axis=0)[mine]
    return found.assign(task_probability=np.minimum(task_chance, 1.0))


def _reached(units: list[str], draws: Sequence[MemberDraw]) -> NDArray[np.float64]:
    """pi_k(u) times the chance that no earlier draw took u, shape (draws, units)."""
    free = np.ones(len(units))
    found = np.empty((len(draws), len(units)))
    for number, draw in enumerate(draws):
        own = np.array([draw.units.get(unit, 0.0) for unit in units])
        found[number] = own * free
        free = free * (1 - own)
    return found


def _given(tasks: pd.DataFrame, draws: Sequence[MemberDraw]) -> NDArray[np.float64]:
    """The chance that a unit in the arm of each row, had draw k taken it, went to the row's coder.

    Shape (draws, rows). It is the same for all units of a seat; of a task that was moved to
    another coder since, the median decides.
    """
    ratio = tasks["task_probability"].astype(float) / tasks["unit_probability"].astype(float)
    seat = [tasks["batch"], tasks["arm"], tasks["coder"]]
    of = ratio.groupby(seat).median().to_dict()
    pairs = list(zip(tasks["arm"].tolist(), tasks["coder"].tolist(), strict=True))
    return np.array([[of.get((draw.batch, *pair), 0.0) for pair in pairs] for draw in draws])
