"""Blind codings and a model's confidence → how far the confidence can be trusted.

What a model is compared with is one blind human a unit, drawn by a seeded hash where several
coded it: so a unit is right or wrong, as the exact binomial of the skip rule needs, and "wrong"
means: differs from what a blind coder, taken at random, gave. Two careful people differ too; the
error can therefore not fall below their own disagreement.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from labeler import chance
from labeler.codebook.codebook import Codebook
from labeler.errors import TableError
from labeler.reliability.confidence import ALL, Kind, codes_of, kinds, sureness
from labeler.statistics.interval import Interval
from labeler.statistics.prediction import calibration as figures
from labeler.statistics.prediction import deferral
from labeler.statistics.prediction.calibration import UnitConfidences
from labeler.store import tables

BLIND, HUMAN = "blind", "human:"
AGREEMENTS = ["variable", "code", "unit", "coder", "agree"]
POINTS = 20  # of the risk-coverage curve, at most
UNDEFINED = "undefined"
NO_CONFIDENCE = (
    "the model has no confidence: it comes from the votes of `labeler prelabel --replicates 5`, "
    "or from `--logprobs`"
)


class Asked(NamedTuple):
    """What the skip rule promises: at most `epsilon` wrong with confidence 1 - `delta`.

    `audit` is the share of the accepted units that people see nevertheless.
    """

    epsilon: float
    delta: float
    audit: float


class _Target(NamedTuple):
    """One target: its frame (unit, confidence), the judged units among them, and their weights."""

    variable: str
    code: str
    frame: pd.DataFrame
    judged: pd.DataFrame
    delta: float
    family: str


def calibration(
    values: pd.DataFrame,
    model_values: pd.DataFrame,
    confidence: pd.DataFrame,
    codebook: Codebook,
    *,
    batch: str,
    model: str,
    epsilon: float = 0.05,
    delta: float = 0.05,
    audit: float = 0.1,
    seed: int,
    drawn: pd.DataFrame | None = None,
    authors: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """ASSESSMENTS rows (`calibration` and `skip`) of one model.

    `values`: columns variable, unit, coder, arm, value (`comparisons.values`, a variable below
    the other); blind humans alone are used. `model_values`: columns variable, unit, value for
    every unit that the model coded, as they are the frame in which units could be skipped.
    `confidence`: the model's CONFIDENCE rows. `drawn`: columns unit, unit_probability of the
    blind units (None: each was drawn with the same probability). `authors`: unit → its cluster.

    Measures end in the kind of confidence. `calibration`: ece, brier, auroc, aurc, the reliability
    diagram (bin.01.confidence and bin.01.accuracy) and the risk-coverage curve (point.01.coverage
    and point.01.risk). `skip`, by votes where there are any: threshold (p: the exact tail; n:
    coded units that reach it), error among those (`high`: its exact bound), accepted (share of the
    frame; n: the frame), and as settings epsilon, delta, audit.

    Raises TableError unless all shares lie between 0 and 1: without an audit, drift goes unseen.
    """
    asked = Asked(epsilon, delta, audit)
    for name, share in asked._asdict().items():
        if not 0 < share < 1:
            raise TableError(
                f"{name} {share} must lie between 0 and 1: no review is left out whole"
            )
    found = agreements(values, model_values, codebook, seed=seed)
    chances = _chances(found, drawn)
    readable = kinds(confidence)
    rows: list[dict[str, Any]] = []
    for kind in readable:
        sure = sureness(model_values, confidence, codebook, kind=kind)
        for target in _targets(sure, found, chances, codebook, delta):
            rows += _calibrated(target, kind, authors or {})
            if kind == readable[0]:
                rows += _skip(target, kind, asked, seed)
    if not readable:
        names = sorted(set(model_values["variable"]))
        rows = [
            {"assessment": what, "variable": name, "measure": measure, "verdict": UNDEFINED}
            | {"code": "", "note": NO_CONFIDENCE}
            for name in names
            for what, measure in (("calibration", "ece"), ("skip", "threshold"))
        ]
    same = {"batch": batch, "codebook": codebook.fingerprint, "coder": model}
    return tables.frame(tables.ASSESSMENTS, [{**row, **same} for row in rows])


def agreements(
    values: pd.DataFrame, model_values: pd.DataFrame, codebook: Codebook, *, seed: int
) -> pd.DataFrame:
    """Columns AGREEMENTS: whether (1 or 0) the model's value is that of one blind human.

    `values` and `model_values` as for `calibration`. The coder of a unit is one of its blind
    coders, drawn by `seed`, and the same for all its variables. A row for each value of the model
    (code ''), for each code that it gave (1: the human gave it too), and for the unit (variable
    `all`: every value is the same). A value where the human gave none (the variable did not apply)
    is wrong; where the model gave none, there is no row.
    """
    human = values["coder"].str.startswith(HUMAN) & (values["arm"] == BLIND)
    blind = values[human]
    coders = {
        str(unit): chance.one_coder(str(unit), sorted(set(own)), seed=seed)
        for unit, own in blind.groupby("unit")["coder"]
    }
    picked = blind[blind["coder"] == blind["unit"].map(coders)]
    both = picked[["variable", "unit", "coder", "value"]].merge(
        model_values[["variable", "unit", "value"]],
        on=["variable", "unit"],
        suffixes=("", "_model"),
    )
    rows: list[tuple[str, str, str, str, int]] = []
    same: dict[tuple[str, str], bool] = {}
    given = set()
    for name, unit, coder, theirs, own in both.itertuples(index=False):
        theirs, own = (None if pd.isna(value) else str(value) for value in (theirs, own))
        same[unit, coder] = same.get((unit, coder), True) and theirs == own
        if own is None:
            continue
        given.add(unit)
        variable = codebook.variable(name)
        rows.append((name, "", unit, coder, int(theirs == own)))
        held = codes_of(theirs, variable) if theirs is not None else frozenset()
        for code in variable.codes:
            if code in codes_of(own, variable):
                rows.append((name, code, unit, coder, int(code in held)))
    rows += [
        (ALL, "", unit, coder, int(right)) for (unit, coder), right in same.items() if unit in given
    ]
    kinds_of = dict.fromkeys(AGREEMENTS, "str") | {"agree": "int64"}
    return pd.DataFrame(rows, columns=AGREEMENTS).astype(kinds_of)


def _chances(found: pd.DataFrame, drawn: pd.DataFrame | None) -> dict[str, float]:
    """Unit → the probability with which it was drawn; TableError where one is not told."""
    units = sorted(set(found["unit"]))
    if drawn is None:
        return dict.fromkeys(units, 1.0)
    chances = dict(zip(drawn["unit"], drawn["unit_probability"], strict=True))
    lacking = [unit for unit in units if not 0 < chances.get(unit, math.nan) <= 1]
    if lacking:
        raise TableError(
            f"calibration: {len(lacking)} coded units have no drawing probability above 0, first: "
            f"{lacking[0]!r}"
        )
    return {unit: float(chances[unit]) for unit in units}


def _targets(
    sure: pd.DataFrame,
    found: pd.DataFrame,
    chances: Mapping[str, float],
    codebook: Codebook,
    delta: float,
) -> Iterator[_Target]:
    """The unit as a whole, each variable, and each code of each variable."""
    names = {str(name) for name in sure["variable"]}
    wanted = [(ALL, "", delta, "this rule alone")] if ALL in names else []
    for variable in codebook.variables:
        if variable.variable not in names:
            continue
        wanted.append((variable.variable, "", delta, "this rule alone"))
        many = len(variable.codes)
        together = f"all {many} codes of {variable.variable} at once (delta/{many} each)"
        wanted += [(variable.variable, code, delta / many, together) for code in variable.codes]
    for name, code, share, family in wanted:
        own = sure[(sure["variable"] == name) & (sure["code"] == code)]
        met = found[(found["variable"] == name) & (found["code"] == code)]
        judged = own.dropna(subset="confidence").merge(met[["unit", "agree"]], on="unit")
        judged = judged.assign(chance=judged["unit"].map(chances)).sort_values("unit")
        yield _Target(name, code, own, judged, share, family)


def _calibrated(target: _Target, kind: Kind, authors: Mapping[str, str]) -> list[dict[str, Any]]:
    """The `calibration` rows of a target."""
    own = target.judged
    unequal = bool(own["chance"].nunique() > 1)
    units = figures.unit_confidences(
        own["confidence"].to_numpy(float),
        own["agree"].to_numpy(float),
        weights=(1 / own["chance"]).to_numpy(float) if unequal else None,
        clusters=[authors.get(unit, unit) for unit in own["unit"]] if authors else None,
    )
    row = {"assessment": "calibration", "variable": target.variable, "code": target.code}
    rows = [
        {**row, "measure": f"{name}.{kind}", **_written(measured, unequal)}
        for name, measured in (
            ("ece", figures.ece(units)),
            ("brier", figures.brier(units)),
            ("auroc", figures.auroc(units)),
            ("aurc", figures.aurc(units)),
        )
    ]
    return rows + [{**row, **drawn} for drawn in (*_bins(units, kind), *_points(units, kind))]


def _written(measured: Interval, unequal: bool) -> dict[str, Any]:
    method = measured.method + (", weighted by 1/probability of drawing" if unequal else "")
    return {
        **{name: getattr(measured, name) for name in ("value", "low", "high", "n", "note")},
        "method": method if measured.method else "",
        "verdict": UNDEFINED if math.isnan(measured.value) else "",
    }


def _bins(units: UnitConfidences, kind: Kind) -> Iterator[dict[str, Any]]:
    """The reliability diagram, least sure first: two rows a bin."""
    for number, row in enumerate(figures.diagram(units), start=1):
        name = f"bin.{number:02}"
        yield {"measure": f"{name}.confidence.{kind}", "value": row.confidence, "n": row.n}
        yield {
            "measure": f"{name}.accuracy.{kind}",
            "value": row.accuracy.value,
            "low": row.accuracy.low,
            "high": row.accuracy.high,
            "n": row.n,
            "method": "Wilson score",
        }


def _points(units: UnitConfidences, kind: Kind) -> Iterator[dict[str, Any]]:
    """The risk-coverage curve, surest first: two rows a point, at most POINTS points."""
    curve = figures.risk_coverage(units)
    every = max(1, math.ceil(len(curve) / POINTS))
    shown = curve[::-1][::every][::-1]
    for number, row in enumerate(shown, start=1):
        name = f"point.{number:02}"
        yield {"measure": f"{name}.coverage.{kind}", "value": row.coverage, "n": row.n}
        yield {
            "measure": f"{name}.risk.{kind}",
            "value": row.risk.value,
            "low": row.risk.low,
            "high": row.risk.high,
            "n": row.n,
            "method": "Wilson score",
        }


def _skip(target: _Target, kind: Kind, asked: Asked, seed: int) -> list[dict[str, Any]]:
    """The `skip` rows of a target, from units that were all as likely to be drawn."""
    own, frame = target.judged, target.frame
    chances = dict(zip(own["unit"], own["chance"], strict=True))
    even = own[own["unit"].isin(chance.kept(chances, seed=seed))]
    epsilon, delta = asked.epsilon, target.delta
    candidates = frame["confidence"].dropna()
    tested = deferral.thresholds(candidates, len(even), epsilon=epsilon, delta=delta)
    sure, wrong = even["confidence"].to_numpy(float), 1 - even["agree"].to_numpy(float)
    rule = deferral.rule(sure, wrong, tested, epsilon=epsilon, delta=delta)
    thinned = ""
    if len(even) < len(own):
        thinned = (
            f"units were drawn with unequal probability: {len(even)} of {len(own)} were kept by "
            "chance, so that all had the same"
        )
    row = {"assessment": "skip", "variable": target.variable, "code": target.code}
    made = f"Learn then Test, exact binomial, threshold {len(rule.tests)} of {len(tested)}"
    about = {**row, "method": f"{made}, seed {seed}"}
    settings = {"epsilon": epsilon, "delta": delta, "audit": asked.audit}
    rows = [
        {**row, "measure": f"{name}.{kind}", "value": value} for name, value in settings.items()
    ]
    if rule.note:
        verdict = "none" if rule.tests else UNDEFINED
        words = "; ".join(part for part in (rule.note, thinned) if part)
        return [
            {**about, "measure": f"threshold.{kind}", "n": len(even), "verdict": verdict}
            | {"note": words},
            *rows,
        ]
    accepted = float((frame["confidence"] >= rule.threshold).mean())
    words = "; ".join(part for part in (_promise(target, rule, asked), thinned) if part)
    return [
        {**about, "measure": f"threshold.{kind}", "value": rule.threshold, "p": rule.p}
        | {"n": rule.accepted, "verdict": "skip", "note": words},
        {**about, "measure": f"error.{kind}", "value": rule.errors / rule.accepted}
        | {"high": rule.upper, "n": rule.accepted},
        {**about, "measure": f"accepted.{kind}", "value": accepted, "n": len(frame)},
        *rows,
    ]


def _promise(target: _Target, rule: deferral.DeferralRule, asked: Asked) -> str:
    """The guarantee in words."""
    if target.code:
        units, differ = f"units that the model gave {target.code}", "were not given it by"
    else:
        value = "some value" if target.variable == ALL else target.variable
        units, differ = "units", f"differ in {value} from"
    return (
        f"with certainty {1 - asked.delta:.4g}, at most {asked.epsilon:.3g} of the {units} with a "
        f"confidence of {rule.threshold:.4g} or more {differ} a blind coder; it holds for "
        f"{target.family}, for units drawn as these were and coded by the same model and codebook; "
        f"a random {asked.audit:.3g} of them goes to people all the same"
    )
