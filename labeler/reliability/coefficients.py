"""Codings → RELIABILITY rows: every panel by variable, by code and by coefficient.

Humans among themselves and the model against humans are two panels and never one figure. Only
blind codings are evidence; what was given with a suggestion in view is shown beside it and marked,
and so are a coder's own repeats, which speak of stability and not of reliability.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler.codebook.codebook import Codebook, Gate, Variable
from labeler.coding import panels as comparisons
from labeler.coding.batch import READING, BatchCodings
from labeler.coding.panels import Panel, PanelRows, RaterMatrix
from labeler.keys import key
from labeler.reliability.units_entered import unit_tasks, units_entered
from labeler.reliability.weighting import DESIGN, OF_CODED, design_weights
from labeler.statistics.agreement.coefficients import applicable, coefficients
from labeler.statistics.agreement.distances import Floats
from labeler.statistics.interval import Interval, joined_notes
from labeler.store import tables

BETWEEN = ["variable", "coefficient", "value", "low", "high", "percent", "n_units", "note"]
BASIS = [
    "panel", "variable", "code", "things", "pairable", "carrying", "coded_value", "coded_bound",
    "codings",
]  # fmt: skip
PERCENT = "percent_agreement.units"
COMPANIONS = (
    PERCENT,
    "percent_agreement.pairable",
    "gwet_ac1",
    "brennan_prediger",
    "cohen_kappa",
    "scott_pi",
    "fleiss_kappa",
    "conger_kappa",
    "gwet_ac2.quadratic",
    "cohen_kappa.quadratic",
)
OF_CODE = (
    "krippendorff_alpha.nominal", PERCENT, "positive_agreement", "negative_agreement", "gwet_ac1",
)  # fmt: skip
OF_NUMBERS = (PERCENT, "percent_agreement.pairable")  # AC1 and its like need declared values
GATED = ("human-human", "model-panel")
NO_EVIDENCE = "not evidence: suggestions were in view"
ACROSS = "pairs of coders of different groups alone, chance from all codings in those pairs"
STABILITY = "not evidence of reliability: the same coder again"
CONSISTENCY = (
    "not evidence of reliability: consistency of a model with itself, which says nothing about "
    "whether it is right"
)


class BatchSampling(NamedTuple):
    """How units came into the batch: `tasks` with columns unit, coder, arm, unit_probability,
    task_probability; `authors` maps a unit to its author ('' or absent: unknown); `left_out`
    (LEFT_OUT rows): the tasks that were answered and have no coding that counts."""

    tasks: pd.DataFrame
    authors: Mapping[str, str]
    left_out: pd.DataFrame | None = None


class BatchCoefficients(NamedTuple):
    """`rows`: RELIABILITY rows without verdicts. `basis` (BASIS): what a gate needs besides.

    A row of `basis` is a variable or code ('' the variable) of a panel that the gate judges:
    `things` resampled (units, or authors), `pairable` units, how many of them are `carrying`
    another value than the commonest, value and bound of the units coded where the design-weighted
    ones are judged (else nan), and the key of the codings that entered.
    """

    rows: pd.DataFrame
    basis: pd.DataFrame


class _Sample(NamedTuple):
    """A panel's rows, with how each counts and what is resampled."""

    rows: PanelRows
    weights: Floats | None
    clusters: NDArray[np.intp] | None
    by: str


def reliability(
    batch: BatchCodings, *, drawn: BatchSampling | None = None, gate: Gate | None = None
) -> BatchCoefficients:
    """The coefficients of a batch, for each panel, variable and code, and what they stand on.

    `drawn` gives design weights, where units were drawn unequally, and authors, who are resampled
    as a whole where posts of one author repeat. `gate` replaces the codebook's thresholds.
    """
    codebook = batch.codebook
    fingerprint = codebook.fingerprint
    rows: list[dict[str, object]] = []
    basis: list[dict[str, object]] = []
    tasks = unit_tasks(batch, *((drawn.tasks, drawn.left_out) if drawn else (None, None)))
    for variable in codebook.variables:
        given, own_tasks = batch.matrix(variable.variable), tasks.of(batch, variable.variable)
        thresholds = gate or codebook.thresholds(variable.variable)
        for panel in batch.panels:
            sample = _sample(comparisons.rows_of(given, panel), given, panel, drawn)
            fixed = {
                **units_entered(own_tasks, panel)._asdict(),
                "batch": batch.batch,
                "codebook": fingerprint,
                "kind": panel.kind,
                "panel": panel.name,
                "variable": variable.variable,
                "coders": ",".join(sample.rows.coders),
                "evidence": int(panel.evidence),
                "tentative": thresholds.tentative,
                "reliable": thresholds.reliable,
            }
            own = list(_panel_rows(sample, given, variable))
            rows += [{**fixed, **row, "note": _marked(panel, row)} for row in own]
            if panel.kind in GATED:
                basis += _basis(sample, given, variable, panel, own)
    return BatchCoefficients(
        tables.frame(tables.RELIABILITY, rows), pd.DataFrame(basis, columns=BASIS)
    )


def between(
    codings: pd.DataFrame, coded: pd.DataFrame, codebook: Codebook, first: str, second: str
) -> pd.DataFrame:
    """How far two coders agree on the units that both coded: columns BETWEEN, a row a variable.

    Alpha with its 95% interval (delete-one-unit jackknife), the share of units with the same
    value, and how many units there are. `codings` holds CODINGS rows (first replicates count),
    `coded` the columns unit, coder, arm: who coded which unit, with or without a coding.
    """
    own = coded[coded["coder"].isin((first, second))].drop_duplicates(comparisons.WHO)
    own = own.assign(replicate=1).reset_index(drop=True)
    arms = dict(zip(own["coder"], own["arm"], strict=True))
    raters = tuple((coder, arms.get(coder, ""), 1) for coder in (first, second))
    panel = Panel("human-pair", "", raters[1:], raters[0])
    read = comparisons.readings(own)
    columns = comparisons.pivot(codings, own, codebook.variables, by=READING)
    rows = []
    for variable in codebook.variables:
        given = comparisons.matrix(read, columns[variable.variable], variable)
        found = comparisons.rows_of(given, panel)
        row = next(_panel_rows(_Sample(found, None, None, ""), given, variable))
        note = row["note"] if np.isnan(float(str(row["value"]))) else ""
        rows.append({"variable": variable.variable, **row, "note": note})
    return pd.DataFrame(rows, columns=BETWEEN)


def _sample(
    rows: PanelRows, given: RaterMatrix, panel: Panel, drawn: BatchSampling | None
) -> _Sample:
    """Weights where the units of the rows were drawn unequally; clusters where they repeat."""
    units = [given.units[place] for place in rows.unit]
    weights = None
    owners: list[str] = units
    by = "unit" if rows.several else ""
    if drawn is not None:
        weights = _weights(units, panel, drawn.tasks)
        authors = [drawn.authors.get(unit, "") or unit for unit in units]
        if len(set(authors)) < len(set(units)):
            owners, by = authors, "author"
    clusters = np.unique(np.array(owners, dtype=str), return_inverse=True)[1] if by else None
    return _Sample(rows, weights, clusters, by)


def _weights(units: list[str], panel: Panel, tasks: pd.DataFrame) -> Floats | None:
    """1/inclusion probability of each row's unit in the panel's arm; None where all are equal.

    Where the panel is about one human, it is that human's task which was drawn.
    """
    own = tasks[tasks["arm"] == panel.arm]
    column = "unit_probability"
    if panel.kind in ("model-human", "self"):
        own, column = own[own["coder"] == panel.raters[0][0]], "task_probability"
    return design_weights(units, own, column)


def _panel_rows(
    sample: _Sample, given: RaterMatrix, variable: Variable
) -> Iterator[dict[str, object]]:
    """Rows of one panel and variable: the variable itself first (its alpha first), then codes."""
    columns = sample.rows.columns
    main = f"krippendorff_alpha.{variable.metric}"
    domain = variable.measured(given.domain)
    names = (main, *(_companions(len(columns), variable)))
    yield from _rows(columns, domain, variable.metric, names, sample, code="")
    held = comparisons.membership(given.domain, variable.codes)
    for code, has in zip(variable.codes, held, strict=True):
        yield from _rows(has[columns], ["no", "yes"], "nominal", OF_CODE, sample, code=code)


def _companions(coders: int, variable: Variable) -> tuple[str, ...]:
    if not variable.values or variable.metric in ("masi", "jaccard"):
        return OF_NUMBERS
    fitting = applicable(coders, variable.metric, len(variable.codes))
    return tuple(name for name in COMPANIONS if name in fitting or name == PERCENT)


def _rows(
    columns: NDArray[np.int64],
    domain: list[str],
    level: str,
    names: tuple[str, ...],
    sample: _Sample,
    *,
    code: str,
) -> Iterator[dict[str, object]]:
    """A row for each coefficient, unweighted and then, where units weigh differently, weighted."""
    coded = (columns >= 0).sum(axis=0)
    units = np.unique(sample.rows.unit)
    counted = {
        "code": code,
        "n_units": len(units),
        "n_pairable": int(coded[coded > 1].sum()),
        "n_positive": float(len(np.unique(sample.rows.unit[(columns == 1).any(axis=0)])))
        if code
        else None,
    }
    for weights in (None, sample.weights) if sample.weights is not None else (None,):
        asked: dict[str, object] = {"domain": domain, "level": level, "names": names}
        asked |= {"weights": weights, "clusters": sample.clusters}
        found = coefficients(columns, **asked)  # type: ignore[arg-type]
        percent = found[PERCENT].value
        beside = OF_CODED if weights is None and sample.weights is not None else ""
        for name, estimate in found.items():
            yield {
                **counted,
                "coefficient": name,
                "weighting": "" if weights is None else DESIGN,
                "percent": percent,
                **_numbers(estimate, sample.by, beside),
            }


def _numbers(estimate: Interval, by: str, told: str) -> dict[str, object]:
    """The columns of a figure; `told` comes before what the interval says."""
    method = estimate.method
    if by and method:  # what the cluster is
        method = method.replace("cluster", by)
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "bound": estimate.lower_one_sided,
        "upper": estimate.upper_one_sided,
        "se": estimate.se,
        "method": method,
        "note": joined_notes(
            told,
            estimate.note.replace("cluster", by) if by else estimate.note,
        ),
    }


def _marked(panel: Panel, row: dict[str, object]) -> str:
    mark = ""
    if panel.kind == "assisted":
        mark = NO_EVIDENCE
    elif panel.kind == "between-groups":
        mark = ACROSS
    elif panel.kind == "replicates":
        mark = CONSISTENCY
    elif not panel.evidence:
        mark = STABILITY
    return "; ".join(text for text in (mark, str(row["note"])) if text)


def _basis(
    sample: _Sample,
    given: RaterMatrix,
    variable: Variable,
    panel: Panel,
    rows: list[dict[str, object]],
) -> Iterator[dict[str, object]]:
    """What the gate's rulings on a panel stand on, for the variable and each of its codes."""
    columns = sample.rows.columns
    entered = _entered(sample.rows, given, panel)
    held = comparisons.membership(given.domain, variable.codes)
    alphas = [row for row in rows if str(row["coefficient"]).startswith("krippendorff_alpha")]
    weighted = {row["code"] for row in alphas if row["weighting"]}
    plain = {
        row["code"]: (row["value"], row["bound"])
        for row in alphas
        if not row["weighting"] and row["code"] in weighted
    }
    pairable = (columns >= 0).sum(axis=0) > 1
    parts = [
        ("", columns),
        *((code, has[columns]) for code, has in zip(variable.codes, held, strict=True)),
    ]
    things = sample.rows.unit if sample.clusters is None else sample.clusters
    for code, own in parts:
        yield {
            "panel": panel.name,
            "variable": variable.variable,
            "code": code,
            "things": len(np.unique(things[pairable])),
            "pairable": len(np.unique(sample.rows.unit[pairable])),
            "carrying": _carrying(own[:, pairable], sample.rows.unit[pairable]),
            "coded_value": plain.get(code, (np.nan, np.nan))[0],
            "coded_bound": plain.get(code, (np.nan, np.nan))[1],
            "codings": entered,
        }


def _carrying(columns: NDArray[np.int64], unit: NDArray[np.intp]) -> int:
    """Units in which somebody gave another value than the commonest of all."""
    coded = columns[columns >= 0]
    if not coded.size:
        return 0
    commonest = np.bincount(coded).argmax()
    return len(np.unique(unit[((columns >= 0) & (columns != commonest)).any(axis=0)]))


def _entered(rows: PanelRows, given: RaterMatrix, panel: Panel) -> str:
    """The key of the codings of a panel: unit, coder, arm and value of each."""
    raters = [*panel.raters, *([panel.against] if panel.against else [])]
    units = sorted(set(rows.unit.tolist()))
    content = [
        [given.units[unit], rater[0], rater[1], given.domain[place]]
        for rater in raters
        if rater in given.raters
        for unit in units
        if (place := int(given.places[given.raters[rater], unit])) >= 0
    ]
    return key(sorted(content))
