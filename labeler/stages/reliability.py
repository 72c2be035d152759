"""Codings → reliability rows with the gate's verdicts.

A variable of the unit is compared value by value. A variable of the segment is compared as the
set of its codes over a coder's segments of the unit, by MASI, so that no alignment of segments is
needed; a coder who coded the unit and marked no segment gave the empty set.

Humans among themselves and the model against humans are two panels and never one figure. Only
blind codings are evidence; the assisted arm is shown beside them and marked.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler import tables
from labeler.codebook import Codebook, Gate, Variable
from labeler.errors import TableError
from labeler.statistics import agreement, intervals

HUMANS = tables.HUMANS
UNDEFINED = "undefined"
WHO = ["unit", "coder", "arm"]
BETWEEN = ["variable", "coefficient", "value", "low", "high", "percent", "n_units", "note"]

NO_EVIDENCE = "no evidence: suggestions were in view"


class Panel(NamedTuple):
    """The coders a coefficient is about: humans among themselves, or one coder against them.

    `arm` is that of the humans' codings; `against` is '' or the coder (a model, the cues).
    """

    arm: str
    against: str

    @property
    def name(self) -> str:
        """How the panel is called in tables and reports."""
        who = f"{self.against} vs {HUMANS}" if self.against else HUMANS
        return who if self.arm == "blind" else f"{who}, {self.arm}"


def reliability(
    codings: pd.DataFrame,
    coded: pd.DataFrame,
    codebook: Codebook,
    *,
    batch: str,
    suggester: str,
    gate: Gate | None = None,
) -> pd.DataFrame:
    """RELIABILITY rows of a batch: one for each panel and variable.

    `codings` holds CODINGS rows, `coded` the columns unit, coder, arm: who coded which unit,
    with or without a coding to show for it. `gate` replaces the codebook's thresholds.
    """
    panels = [Panel("blind", "")]
    if suggester:
        panels += [Panel("blind", suggester), Panel("assisted", suggester)]
    rows = []
    for variable in codebook.variables:
        wide = values(codings, coded, variable)
        thresholds = gate or codebook.thresholds(variable.variable)
        for panel in panels:
            pairs, coders = _paired(wide, panel)
            row = _row(pairs, variable, thresholds)
            if panel.arm != "blind":  # the gate rules on evidence alone
                row.update(verdict="", note=NO_EVIDENCE)
            row.update(
                batch=batch,
                codebook=codebook.fingerprint,
                panel=panel.name,
                variable=variable.variable,
                coders=",".join(coders),
                evidence=int(panel.arm == "blind"),
            )
            rows.append(row)
    return tables.frame(tables.RELIABILITY, rows)


def between(
    codings: pd.DataFrame, coded: pd.DataFrame, codebook: Codebook, first: str, second: str
) -> pd.DataFrame:
    """How far two coders agree on the units that both coded: columns BETWEEN, a row a variable.

    Alpha with its 95% interval (delete-one-unit jackknife), the share of units with the same
    value, and how many units there are. `codings` and `coded` as for `reliability`.
    """
    rows = []
    for variable in codebook.variables:
        wide = values(codings, coded, variable)
        both = wide[wide["coder"].isin((first, second))].dropna(subset="value")
        pairs = both[both.duplicated("unit", keep=False)]
        pairs = pairs.assign(row=pairs["unit"], cluster=pairs["unit"])
        found = _row(pairs, variable, codebook.thresholds(variable.variable))
        undefined = found["verdict"] == UNDEFINED
        note = found["note"] if undefined else ""
        rows.append({"variable": variable.variable, **found, "note": note})
    return pd.DataFrame(rows, columns=BETWEEN)


def values(codings: pd.DataFrame, coded: pd.DataFrame, variable: Variable) -> pd.DataFrame:
    """What each coder gave each unit: columns unit, coder, arm, value (None: was not asked).

    For a variable of the segment, the set of codes over the coder's segments of the unit; an
    embedded coder, who reads whole units, was not asked. A coder's first replicate counts; a
    coding of somebody who is not in `coded` does not.
    """
    first = (codings["variable"] == variable.variable) & (codings["replicate"] == 1)
    own = codings.loc[first, [*WHO, "value"]]
    who = coded[WHO].drop_duplicates()
    if variable.of == "unit":
        return who.merge(own, on=WHO, how="left")
    united = pd.DataFrame(_united(own, variable), columns=[*WHO, "value"], dtype="str")
    wide = who.merge(united, on=WHO, how="left")
    asked = ~wide["coder"].str.startswith(tables.EMBEDDED)
    wide.loc[asked, "value"] = wide.loc[asked, "value"].fillna("")
    return wide


def verdict(low_bound: float, high_bound: float, thresholds: Gate) -> str:
    """pass, fail, inconclusive or undefined, from the one-sided bounds of a coefficient."""
    if math.isnan(low_bound) or math.isnan(high_bound):
        return UNDEFINED
    if low_bound >= thresholds.tentative:
        return "pass"
    return "fail" if high_bound < thresholds.tentative else "inconclusive"


def _united(own: pd.DataFrame, variable: Variable) -> list[tuple[str, str, str, str]]:
    """unit, coder, arm and the set of codes over all segments, as text in codebook order."""
    held: dict[tuple[str, str, str], set[str]] = {}
    for unit, coder, arm, value in zip(*(own[name].tolist() for name in own), strict=True):
        held.setdefault((unit, coder, arm), set()).update(value.split("+"))
    written: dict[frozenset[str], str] = {}
    rows = []
    for who, given in held.items():
        codes = frozenset(given - {""})
        if codes not in written:
            numbers = "+".join(sorted(codes, key=float)) if not variable.values else ""
            written[codes] = numbers or variable.written(codes)
        rows.append((*who, written[codes]))
    return rows


def _paired(wide: pd.DataFrame, panel: Panel) -> tuple[pd.DataFrame, list[str]]:
    """Columns cluster (the unit), row, coder, value: the rows among which coders are compared.

    Humans: a row is a unit. One coder against humans: a row is a unit with one of its humans, so
    that no pair of humans enters; the rows of a unit stay together as its cluster.
    """
    human = wide["coder"].str.startswith("human:") & (wide["arm"] == panel.arm)
    humans = wide[human].dropna(subset="value")
    if not panel.against:
        rows = humans.assign(row=humans["unit"], cluster=humans["unit"])
        return rows, sorted(set(humans["coder"]))
    other = wide[wide["coder"] == panel.against].dropna(subset="value")
    met = humans.merge(other[["unit", "value"]], on="unit", suffixes=("", "_other"))
    met["row"] = met["unit"] + " " + met["coder"]
    theirs = met.assign(value=met["value_other"], coder=panel.against)
    rows = pd.concat([met, theirs]).assign(cluster=lambda frame: frame["unit"])
    return rows, [panel.against, *sorted(set(met["coder"]))]


def _row(pairs: pd.DataFrame, variable: Variable, thresholds: Gate) -> dict[str, object]:
    """Coefficient, interval, counts and verdict of one panel and variable."""
    pairs = pairs.sort_values(["row", "coder"])
    if not variable.values and variable.of == "unit":  # 2 and 2.0 are the same number
        pairs["value"] = pairs["value"].map(lambda value: f"{float(value):.15g}")
    domain = _domain(pairs, variable)
    counts = _counts(pairs, domain)
    clusters = pairs.drop_duplicates("row")["cluster"]
    together = clusters.to_numpy() if clusters.duplicated().any() else None
    given = _scale(domain, variable)
    found = agreement.alpha_checked(counts, level=variable.metric, domain=given)
    row: dict[str, object] = {
        "coefficient": f"krippendorff_alpha.{variable.metric}",
        "value": found.value,
        "percent": found.percent,
        "n_units": pairs["unit"].nunique(),
        "n_pairable": found.n_pairable,
        "tentative": thresholds.tentative,
        "reliable": thresholds.reliable,
    }
    if math.isnan(found.value):
        return {**row, "verdict": UNDEFINED, "note": found.note}
    spread = intervals.jackknife(counts, level=variable.metric, domain=given, clusters=together)
    ruling = verdict(spread.lower_one_sided, spread.upper_one_sided, thresholds)
    return {
        **row,
        "low": spread.low,
        "high": spread.high,
        "bound": spread.lower_one_sided,
        "se": spread.se,
        "method": spread.method,
        "verdict": ruling,
        "note": "; ".join(
            text for text in (_words(ruling, spread, thresholds), spread.note) if text
        ),
    }


def _counts(pairs: pd.DataFrame, domain: list[str]) -> NDArray[np.int64]:
    """How many coders gave each row each value, shape (rows, values)."""
    places = {value: place for place, value in enumerate(domain)}
    columns = pairs["value"].map(places)
    if columns.isna().any():
        row = pairs[columns.isna()].iloc[0]
        raise TableError(
            f"coding of {row['coder']}, unit {row['unit']}: {row['value']!r} is not in the "
            "codebook; parse the raw answers again under this codebook"
        )
    rows, names = pd.factorize(pairs["row"])
    counts = np.zeros((len(names), len(domain)), dtype=np.int64)
    np.add.at(counts, (rows, columns.to_numpy(dtype=np.int64)), 1)
    return counts


def _words(ruling: str, spread: intervals.Interval, thresholds: Gate) -> str:
    if ruling == "pass":
        grade = "reliable" if spread.lower_one_sided >= thresholds.reliable else "tentative"
        threshold = thresholds.reliable if grade == "reliable" else thresholds.tentative
        return f"{grade}: lower bound {spread.lower_one_sided:.3f} reaches {threshold:.3f}"
    if ruling == "fail":
        return f"upper bound {spread.upper_one_sided:.3f} stays below {thresholds.tentative:.3f}"
    if ruling == UNDEFINED:
        return ""
    return f"{thresholds.tentative:.3f} lies between the bounds: more units would decide"


def _domain(pairs: pd.DataFrame, variable: Variable) -> list[str]:
    """The declared codes in order; for sets and free numbers, what was given (never nothing)."""
    if variable.metric in ("masi", "jaccard"):
        return sorted(pairs["value"].unique()) or [""]
    if variable.values:
        return list(variable.codes)
    return sorted(pairs["value"].unique(), key=float) or ["0"]


def _scale(domain: list[str], variable: Variable) -> list[str]:
    """What distances are made from: the codes themselves, or the numbers they stand for."""
    if variable.metric not in ("interval", "ratio") or not variable.values:
        return domain
    return [str(variable.value(code).number) for code in domain]
