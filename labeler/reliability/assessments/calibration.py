"""Blind codings and a model's confidence → how far the confidence can be trusted.

Where units were drawn unequally (by confidence itself, often) every figure is weighted by
1/probability, and its method says so: bins and curves are those of all units.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from labeler.reliability.assessments.confidence_targets import NO_CONFIDENCE, ConfidenceTarget
from labeler.reliability.assessments.declaration import Assessment, AssessmentInput
from labeler.reliability.assessments.sentences import UNDEFINED, by_verdict, subject_of
from labeler.reliability.confidence import KINDS, MEANING, Kind
from labeler.statistics.interval import Interval
from labeler.statistics.prediction import calibration as curves
from labeler.statistics.prediction.calibration import UnitConfidences
from labeler.store import tables

NAME = "calibration"
POINTS = 20  # of the risk-coverage curve, at most

Row = dict[str, Any]


def calibration(
    targets: Mapping[Kind, Sequence[ConfidenceTarget]],
    *,
    model: str,
    variables: Sequence[str],
    authors: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """ASSESSMENTS rows (`calibration`) of one model; batch and codebook are left empty.

    `targets`: see `confidence_targets`; `variables` are told to be undefined where there are none.
    `authors`: unit → its cluster. Measures end in the kind of confidence: ece, brier, auroc, aurc,
    the reliability diagram (bin.01.confidence and bin.01.accuracy) and the risk-coverage curve
    (point.01.coverage and point.01.risk).
    """
    rows = [
        row
        for kind, own in targets.items()
        for target in own
        for row in _calibrated(target, kind, authors or {})
    ]
    if not targets:
        undefined = {"measure": "ece", "code": "", "verdict": UNDEFINED, "note": NO_CONFIDENCE}
        rows = [{**undefined, "variable": name} for name in variables]
    same = {"assessment": NAME, "coder": model}
    content = [{**row, **same} for row in rows]
    return pd.DataFrame(content, columns=tables.columns(tables.ASSESSMENTS))


def _rows(given: AssessmentInput) -> pd.DataFrame:
    return calibration(
        given.confidence_targets,
        model=given.suggester,
        variables=list(given.model_values),
        authors=given.authors,
    )


def _sentences(rows: pd.DataFrame) -> Iterator[str]:
    """The expected calibration error of each variable, by each kind of confidence."""
    for kind in KINDS:
        own = rows[(rows["measure"] == f"ece.{kind}") & rows["value"].notna()]
        errors = [f"{subject_of(row)} {row.value:.3f}" for row in tables.rows(own)]
        if errors:
            yield f"expected calibration error of the {MEANING[kind]}: {', '.join(errors)}"
    yield from by_verdict(rows)


def _calibrated(target: ConfidenceTarget, kind: Kind, authors: Mapping[str, str]) -> list[Row]:
    """The rows of a target."""
    own = target.compared
    unequal = bool(own["probability"].nunique() > 1)
    units = curves.unit_confidences(
        own["confidence"].to_numpy(float),
        own["agree"].to_numpy(float),
        weights=(1 / own["probability"]).to_numpy(float) if unequal else None,
        clusters=[authors.get(unit, unit) for unit in own["unit"]] if authors else None,
    )
    measures = (
        ("ece", curves.ece(units)),
        ("brier", curves.brier(units)),
        ("auroc", curves.auroc(units)),
        ("aurc", curves.aurc(units)),
    )
    rows = [{"measure": f"{name}.{kind}", **_written(one, unequal)} for name, one in measures]
    about = {"variable": target.variable, "code": target.code}
    return [{**about, **row} for row in (*rows, *_bins(units, kind), *_points(units, kind))]


def _written(measured: Interval, unequal: bool) -> Row:
    method = measured.method + (", weighted by 1/probability of drawing" if unequal else "")
    return {
        **{name: getattr(measured, name) for name in ("value", "low", "high", "n", "note")},
        "method": method if measured.method else "",
        "verdict": UNDEFINED if math.isnan(measured.value) else "",
    }


def _bins(units: UnitConfidences, kind: Kind) -> Iterator[Row]:
    """The reliability diagram, least sure first: two rows a bin."""
    for number, row in enumerate(curves.diagram(units), start=1):
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


def _points(units: UnitConfidences, kind: Kind) -> Iterator[Row]:
    """The risk-coverage curve, surest first: two rows a point, at most POINTS points."""
    curve = curves.risk_coverage(units)
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


ASSESSMENT = Assessment(
    name=NAME,
    title="Calibration of the model's confidence",
    meaning="How often the model agrees with a blind human, by how sure it was.",
    headlines=("ece.vote", "ece.logprob", "ece"),
    rows=_rows,
    sentences=_sentences,
)
