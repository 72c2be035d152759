"""ASSESSMENTS rows → the reliability diagram and the risk-coverage curve, as one Vega-Lite figure.

Left: how often the model was right, by how sure it was. On the diagonal a confidence means what it
says; below, the model is too sure. Right: of the surest units, how many are wrong; with the error
that the skip rule promises, and how far it goes.
"""

from __future__ import annotations

import math
import textwrap
from typing import Any

import pandas as pd

from labeler.codebook.codebook import Codebook
from labeler.reliability.confidence import ALL, KINDS, MEANING, Kind
from labeler.results.figures import style
from labeler.results.figures.declaration import Figure
from labeler.results.figures.style import INK, MUTED, RULE, SCHEMA, WIDE, Spec

DOTS, LIMIT, SKIP = style.HUMANS, style.WARNING, "#2f7d4f"
SIZE = 250


def calibration(
    rows: pd.DataFrame, *, kind: Kind | None = None, size: int = SIZE, stacked: bool = False
) -> Spec:
    """Both charts of one coder, variable and code; each `size` pixels wide and high.

    They stand beside each other, or below where `stacked`.

    `rows`: ASSESSMENTS rows (`calibration` and `skip`) of one batch, coder, variable and code.
    `kind`: which confidence; default: votes where there are any. Where nothing was measured the
    figure says so and why.
    """
    there = [one for one in KINDS if any(rows["measure"] == f"ece.{one}")]
    chosen: Kind = kind or (there[0] if there else KINDS[0])
    suffix = f".{chosen}"
    own = rows[rows["measure"].str.endswith(suffix)]
    own = own.assign(measure=own["measure"].str.removesuffix(suffix))
    bins, points = _pairs(own, "bin", "confidence"), _pairs(own, "point", "coverage")
    if not bins:
        notes = sorted(set(rows["note"]) - {""})
        return _empty(notes[0] if notes else "no unit was judged", size)
    return {
        **_frame(),
        "vconcat" if stacked else "hconcat": [
            _diagram(bins, own, chosen, size),
            _curve(points, own, size),
        ],
        "spacing": 40,
    }


def _pairs(own: pd.DataFrame, name: str, at: str) -> list[dict[str, Any]]:
    """Bins, or points of the curve: `at` from the one row, value, low, high and n of the other."""
    found: dict[str, dict[str, Any]] = {}
    for row in own[own["measure"].str.startswith(f"{name}.")].to_dict("records"):
        _, number, what = str(row["measure"]).split(".")
        one = found.setdefault(number, {})
        if what == at:
            one["at"] = float(row["value"])
        else:
            one |= {part: style.number(row[part]) for part in ("value", "low", "high")}
            one["n"] = int(row["n"])
    return [found[number] for number in sorted(found)]


def _diagram(bins: list[dict[str, Any]], own: pd.DataFrame, kind: Kind, size: int) -> Spec:
    least = min(min(one["at"], one["low"]) for one in bins)
    floor = max(0.0, math.floor(least * 5 + 1e-9) / 5)
    x = _axis("at", f"confidence ({MEANING[kind]})", floor, 1)
    y = _axis("value", "share that a blind coder agreed with", floor, 1)
    sizes = [one["n"] for one in bins]
    alike = max(sizes) <= 1.5 * min(sizes)
    several = f"{min(sizes)} to {max(sizes)}" if min(sizes) < max(sizes) else f"{sizes[0]}"
    told = _told(own, several if alike and len(bins) > 1 else "")
    layers: list[Spec] = [
        {
            "data": {"values": [{"at": end, "value": end} for end in (floor, 1)]},
            "mark": {"type": "line", "color": MUTED, "strokeDash": [4, 4], "strokeWidth": 1},
            "encoding": {"x": x, "y": y},
        },
        {
            "mark": {"type": "rule", "color": DOTS, "strokeWidth": 1.5, "opacity": 0.5},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "mark": {"type": "point", "filled": True, "color": DOTS, "opacity": 1, "size": 45},
            "encoding": {"x": x, "y": y},
        },
    ]
    if not alike:
        mark = {"type": "text", "color": MUTED, "fontSize": 10, "dx": -7, "align": "right"}
        text = {"field": "n", "type": "quantitative"}
        layers.append({"mark": mark, "encoding": {"x": x, "y": y, "text": text}})
    panel = _panel("Reliability diagram", told, size)
    return {**panel, "data": {"values": bins}, "layer": layers}


def _curve(points: list[dict[str, Any]], own: pd.DataFrame, size: int) -> Spec:
    highest = max((point["high"] for point in points), default=1.0)
    top = min(1.0, max(0.1, math.ceil(highest * 10 - 1e-9) / 10))
    x = _axis("at", "share of units, the surest first", 0, 1, "%")
    y = _axis("value", "share that differs from a blind coder", 0, top, "%")
    drawn = [
        {
            "mark": {"type": "area", "color": DOTS, "opacity": 0.15},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "mark": {"type": "line", "color": DOTS, "strokeWidth": 2, "point": {"size": 22}},
            "encoding": {"x": x, "y": y},
        },
    ]
    return {
        **_panel("Risk and coverage", _rule(own), size),
        "data": {"values": points},
        "layer": [*drawn, *_promise(own, x, y, top)],
    }


def _promise(own: pd.DataFrame, x: Spec, y: Spec, top: float) -> list[Spec]:
    """The error that is allowed as a line across, and how far the rule goes as one upright."""
    layers: list[Spec] = []
    epsilon, accepted = _value(own, "epsilon"), _value(own, "accepted")
    if epsilon is not None and epsilon <= top:
        layers.append(
            {
                "data": {"values": [{"value": epsilon}]},
                "mark": {"type": "rule", "color": LIMIT, "strokeDash": [4, 4]},
                "encoding": {"y": y},
            }
        )
    if accepted is not None:
        layers.append(
            {
                "data": {"values": [{"at": accepted}]},
                "mark": {"type": "rule", "color": SKIP, "strokeWidth": 1.5},
                "encoding": {"x": x},
            }
        )
    return layers


def _rule(own: pd.DataFrame) -> list[str]:
    """What the skip rule says, in two lines."""
    epsilon, accepted = _value(own, "epsilon"), _value(own, "accepted")
    if epsilon is None:
        return []
    if accepted is None:
        return [f"error allowed {epsilon:.0%}:", "no threshold was shown to keep it"]
    threshold = _value(own, "threshold")
    return [
        f"error allowed {epsilon:.0%} (dashed):",
        f"kept from {threshold:.3g} on, {accepted:.0%} of units (upright)",
    ]


def _told(own: pd.DataFrame, several: str) -> list[str]:
    """The expected calibration error in two lines; `several` is how many units each bin has."""
    row = own[own["measure"] == "ece"].iloc[0]
    units = f"{row['n']} units" + (f", {several} a bin" if several else "")
    told = f"expected calibration error {row['value']:.3f}"
    if pd.isna(row["low"]):
        return [told, units]
    return [f"{told} (95%: {row['low']:.3f} to {row['high']:.3f})", units]


def _value(own: pd.DataFrame, measure: str) -> float | None:
    found = own.loc[own["measure"] == measure, "value"]
    return None if found.empty else style.number(found.iloc[0])


def _axis(field: str, title: str, floor: float, top: float, form: str = ".1f") -> Spec:
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": {"domain": [floor, top], "nice": False},
        "axis": {"format": form, "tickCount": 5},
    }


def _panel(title: str, lines: list[str], size: int) -> Spec:
    told = {"subtitle": lines} if lines else {}
    return {"width": size, "height": size, "title": {"text": title, **told}}


def _frame() -> Spec:
    text = {"labelColor": INK, "titleColor": MUTED, "labelFontSize": 11, "titleFontSize": 12}
    return {
        "$schema": SCHEMA,
        "background": "white",
        "padding": 6,
        "config": {
            "font": style.FONT,
            "view": {"stroke": RULE},
            "axis": {**text, "gridColor": RULE, "domain": False, "ticks": False}
            | {"titleFontWeight": "normal"},
            "title": {"anchor": "start", "color": INK, "subtitleColor": MUTED, "fontSize": 13}
            | {"subtitleFontSize": 11, "offset": 8},
        },
    }


def _empty(note: str, size: int) -> Spec:
    return {
        **_frame(),
        "width": 2 * size,
        "height": 60,
        "data": {"values": [{"note": textwrap.wrap(note, 70)}]},
        "mark": {"type": "text", "color": MUTED, "fontSize": 12},
        "encoding": {"text": {"field": "note"}},
    }


def _rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Of whole variables, and of those for which there is something to draw."""
    own = rows[rows["assessment"].isin(("calibration", "skip")) & (rows["code"] == "")]
    drawn = set(own.loc[own["measure"].str.startswith("bin."), "variable"])
    return own[own["variable"].isin(drawn)]


def _spec(rows: pd.DataFrame, codebook: Codebook, width: int) -> Spec:  # noqa: ARG001
    return calibration(rows, stacked=width < WIDE)


def _finding(rows: pd.DataFrame, codebook: Codebook) -> str:
    """The calibration error, and what the surest half of the units errs in."""
    name = str(rows["variable"].iloc[0])
    labels = {ALL: "All variables"} | {one.variable: one.label for one in codebook.variables}
    kind = next(one for one in KINDS if any(rows["measure"] == f"ece.{one}"))
    suffix = f".{kind}"
    own = rows[rows["measure"].str.endswith(suffix)]
    own = own.assign(measure=own["measure"].str.removesuffix(suffix))
    error = own[own["measure"] == "ece"].iloc[0]
    found = f"{labels.get(name, name)}: expected calibration error {error['value']:.3f}"
    if pd.notna(error["low"]):
        found += f" [{error['low']:.3f}, {error['high']:.3f}]"
    points = _pairs(own, "point", "coverage")
    half = next((point for point in points if point["at"] >= 0.5), None)
    if half:
        found += (
            f"; of the surest {half['at']:.0%} of units, {half['value']:.0%} differ from a blind "
            "coder"
        )
    return f"{found} ({error['n']} units)"


FIGURE = Figure(
    name="calibration",
    title="Reliability diagram and risk-coverage curve",
    caption=(
        "Left (above): how often a blind coder agreed, by how sure the model was; on the diagonal "
        "a confidence means what it says. Right (below): of the surest units, how many differ from "
        "a blind coder."
    ),
    table="assessments",
    assessment="calibration",
    each_variable=True,
    rows=_rows,
    spec=_spec,
    alt=_finding,
)
