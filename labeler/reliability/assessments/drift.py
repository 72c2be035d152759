"""Blind codings over time → whether a model still agrees with people as it did.

A stream is what one model (a coder's key, so also its prompt and settings) gave one variable of
one codebook: another model, prompt or codebook begins a stream of its own, with a reference of its
own. The units of a stream must be drawn at random from what the model coded: a blind arm, or the
audit of what was skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from labeler import chance
from labeler.errors import TableError
from labeler.reliability.assessments.declaration import Assessment, AssessmentInput
from labeler.reliability.assessments.sentences import UNDEFINED, by_verdict
from labeler.statistics.agreement.distances import Floats
from labeler.statistics.binomial import wilson
from labeler.statistics.experiment import drift as tests
from labeler.store import tables
from labeler.store.sample_names import members

NAME = "drift"
HISTORY = ["batch", "created", "model", "codebook", "variable", "unit", "agree"]
STREAM = ["model", "codebook", "variable"]
PSI = 0.1  # below it a shift of codes is commonly called small

Row = dict[str, Any]


class _Reference(NamedTuple):
    """The agreement to bet against (nan: none), at which level to alarm, and where it is from."""

    p0: float
    level: float
    n: int
    method: str


def drift(
    history: pd.DataFrame,
    *,
    alpha: float = 0.05,
    reference: Mapping[str, float] | None = None,
    alphas: pd.DataFrame | None = None,
    mix: pd.DataFrame | None = None,
    seed: int = 1,
) -> pd.DataFrame:
    """ASSESSMENTS rows (`drift`) of each model x codebook x variable of `history`.

    `history`: columns HISTORY; `agree` is 1 where model and blind human gave the same, else 0
    (`confidence_targets.agreements`, code ''). A column unit_probability may be added: where units
    of a batch were drawn unequally, some are left out at random (`seed`), so that all have the same
    probability. Batches come in the order of their first `created`.

    `reference` maps a variable to the agreement that it was validated with, stated before the
    data. Without it the first batch of a stream is its validation, and only later ones are tested:
    p0 is the exact lower bound of its agreement at alpha/2, and the alarm is at 2/alpha, so that a
    false alarm has a chance of alpha at most whatever the first batch's luck. A stated reference
    alarms at 1/alpha, and sooner.

    Measures: `agreement` of each batch; for the stream, under its last batch: `reference`,
    `e.process` (value: now; high: its highest; p: valid at every look; verdict `alarm`, `no alarm`
    or `undefined`). From `alphas` (columns batch, model, codebook, variable, value, se):
    `alpha.homogeneity`. From `mix` (columns batch, created, model, codebook, variable, code, n:
    how often the model gave each code): `mix.chi2` and `mix.psi` of the last batch against the
    first, which need no human and so raise but a `flag`.
    """
    _check(history)
    rows: list[Row] = []
    for stream, own in history.groupby(STREAM, sort=True):
        model, codebook, variable = (str(part) for part in stream)
        ordered = _in_order(_even(own, seed))
        same = {"assessment": NAME, "coder": model, "codebook": codebook, "variable": variable}
        stated = (reference or {}).get(variable)
        found = [*_batches(ordered), *_stream(ordered, stated, alpha)]
        if alphas is not None:
            found.append(_alphas(_of_stream(alphas, stream), alpha))
        if mix is not None:
            found += _mixes(_of_stream(mix, stream), alpha)
        last = str(ordered["batch"].iloc[-1])
        rows += [{"batch": last, **same, "code": "", **row} for row in found]
    return tables.frame(tables.ASSESSMENTS, rows)


def _check(history: pd.DataFrame) -> None:
    lacking = [name for name in HISTORY if name not in history.columns]
    if lacking:
        raise TableError(f"drift: the history has no column {lacking[0]!r}")
    if not history["agree"].isin((0, 1)).all():
        raise TableError("drift: a unit agrees (1) or does not (0); take one blind coder of each")
    if history.duplicated([*STREAM, "batch", "unit"]).any():
        raise TableError("drift: a unit stands twice in a batch; take one blind coder of each")
    if "unit_probability" in history.columns:
        unknown = history[~history["unit_probability"].between(0, 1, inclusive="right")]
        if len(unknown):
            raise TableError(
                f"drift: {len(unknown)} coded units have no drawing probability above 0, first: "
                f"{unknown['unit'].iloc[0]!r}"
            )


def _even(own: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The units of each batch, thinned where they were drawn with unequal probability."""
    if "unit_probability" not in own.columns:
        return own
    parts = []
    for _, batch in own.groupby("batch"):
        chances = dict(zip(batch["unit"], batch["unit_probability"], strict=True))
        parts.append(batch[batch["unit"].isin(chance.kept(chances, seed=seed))])
    return pd.concat(parts)


def _in_order(own: pd.DataFrame) -> pd.DataFrame:
    """By the first time of the batch, then by unit, whose key says nothing of its codes."""
    first = own.groupby("batch")["created"].transform("min")
    return own.assign(first=first).sort_values(["first", "batch", "unit"], ignore_index=True)


def _of_stream(frame: pd.DataFrame, stream: Any) -> pd.DataFrame:
    own = frame
    for name, part in zip(STREAM, stream, strict=True):
        own = own[own[name] == part]
    return own


def _batches(ordered: pd.DataFrame) -> list[Row]:
    """The agreement of each batch."""
    rows = []
    for batch, own in ordered.groupby("batch", sort=False)["agree"]:
        found = wilson(float(own.mean()), len(own))
        rows.append(
            {"batch": str(batch), "measure": "agreement", "value": found.value, "low": found.low}
            | {"high": found.high, "n": len(own), "method": found.method}
        )
    return rows


def _stream(ordered: pd.DataFrame, stated: float | None, alpha: float) -> list[Row]:
    """The reference, and the e-process on what came after it."""
    if stated is None:
        first = ordered["batch"] == ordered["batch"].iloc[0]
        reference, watched = _estimated(ordered.loc[first, "agree"], alpha), ordered[~first]
    else:
        reference, watched = _Reference(stated, alpha, 0, "stated"), ordered
    about = {"measure": "reference", "value": reference.p0, "method": reference.method}
    rows: list[Row] = [{**about, "n": reference.n or None}]
    row: Row = {"measure": "e.process", "n": len(watched)}
    if reference.p0 <= 0:
        why = "no unit of the first batch agrees: no agreement lies below that"
        return [*rows, {**row, "verdict": UNDEFINED, "note": why}]
    agree = watched["agree"].to_numpy(float)
    found = tests.e_process(agree, reference.p0, alpha=reference.level)
    used = ", ".join(f"{bet:g}" for bet in tests.bets(reference.p0))
    row["method"] = f"e-process, lambda {used}; alarm at {1 / reference.level:g}, at every look"
    if not agree.size:
        why = "no batch after the one that gives the reference"
        return [*rows, {**row, "value": 1.0, "verdict": UNDEFINED, "note": why}]
    spent = alpha - reference.level  # what the bound of the reference may fail by
    row |= {"value": float(found.process[-1]), "high": float(found.process.max())}
    row["p"] = min(1.0, found.p + spent)
    return [*rows, {**row, **_verdict(found, watched, reference)}]


def _estimated(agree: pd.Series[int], alpha: float) -> _Reference:
    n, agreed = len(agree), int(agree.sum())
    p0 = tests.least_agreement(agreed, n, alpha=alpha / 2)
    method = f"first batch ({agreed} of {n} agree), exact lower bound at {alpha / 2:g}"
    return _Reference(p0, alpha / 2, n, method)


def _verdict(found: tests.DriftProcess, watched: pd.DataFrame, reference: _Reference) -> Row:
    if not found.alarm:
        said = f"no evidence that agreement is below {reference.p0:.3f}"
        return {"verdict": "no alarm", "note": said}
    batch = watched["batch"].iloc[found.alarm - 1]
    said = (
        f"agreement is below {reference.p0:.3f}: alarm in batch {batch}, after {found.alarm} "
        "units; validate the model again before its codes are used or review is skipped"
    )
    return {"verdict": "alarm", "note": said}


def _alphas(own: pd.DataFrame, alpha: float) -> Row:
    found = tests.homogeneity(_numbers(own, "value"), _numbers(own, "se"))
    undefined = np.isnan(found.p)
    verdict = UNDEFINED if undefined else "differs" if found.p < alpha else "no difference shown"
    return {
        "measure": "alpha.homogeneity",
        "value": found.statistic,
        "p": found.p,
        "n": len(own),
        "method": f"chi-square of log(1-alpha), {found.degrees} degrees of freedom",
        "verdict": verdict,
        "note": found.note,
    }


def _mixes(own: pd.DataFrame, alpha: float) -> list[Row]:
    """How the codes of the last batch stand against those of the first."""
    if own["batch"].nunique() < 2:
        why = "a single batch: nothing to compare its codes with"
        return [{"measure": "mix.chi2", "verdict": UNDEFINED, "note": why}]
    created = own.groupby("batch")["created"].min().reset_index().sort_values(["created", "batch"])
    wide = own.pivot_table(index="batch", columns="code", values="n", aggfunc="sum", fill_value=0)
    before, after = (_row(wide, created["batch"].iloc[place]) for place in (0, -1))
    found = tests.shift(before, after)
    moved = found.chi2.p < alpha and found.psi >= PSI
    said = "posts or model changed; whether agreement did, people must say" if moved else ""
    n, batch = int(before.sum() + after.sum()), str(created["batch"].iloc[-1])
    rows = (
        ("mix.chi2", found.chi2.statistic, found.chi2.p, found.chi2.note),
        ("mix.psi", found.psi, np.nan, ""),
    )
    return [
        {
            "batch": batch,
            "measure": measure,
            "value": value,
            "p": p,
            "n": n,
            "method": "last batch against the first",
            "verdict": UNDEFINED if np.isnan(value) else "flag" if moved else "",
            "note": "; ".join(part for part in (said, note) if part),
        }
        for measure, value, p, note in rows
    ]


def _row(wide: pd.DataFrame, batch: str) -> Floats:
    return wide.loc[batch].to_numpy(float)


def _numbers(own: pd.DataFrame, name: str) -> Floats:
    return own[name].to_numpy(float)


def _of_batch(given: AssessmentInput) -> pd.DataFrame:
    """What concerns this batch in the stream of all that had this suggester and codebook.

    Of a study sample of several, too, the batches are compared in their order: `agreement.BATCH`
    is that of each, and the stream is that up to the newest.
    """
    if given.history.empty:
        return tables.frame(tables.ASSESSMENTS)
    found = drift(given.history, seed=given.seed)
    own = members(given.batch)
    kept = found[found["batch"].isin(own)]
    if len(own) == 1:
        return kept
    each = kept["measure"] == "agreement"
    return kept.assign(measure=kept["measure"].mask(each, "agreement." + kept["batch"]))


def _sentences(rows: pd.DataFrame) -> Iterator[str]:
    """The verdicts; of an alarm also what to do."""
    yield from by_verdict(rows)
    for row in tables.rows(rows[rows["verdict"] == "alarm"]):
        yield f"{row.variable}: {row.note}"


ASSESSMENT = Assessment(
    name=NAME,
    title="Drift",
    meaning="Whether the model agrees with people as it did, batch by batch.",
    headlines=("e.process",),
    rows=_of_batch,
    sentences=_sentences,
)
