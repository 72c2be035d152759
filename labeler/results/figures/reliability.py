"""Tables → figures, as Vega-Lite specifications (plain JSON) with their data inside.

The same specification is drawn on a page and written as SVG, PNG and PDF. A figure asks for
nothing from outside: no address, no file, no font that a system would lack.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from labeler.codebook.codebook import Codebook, Variable

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
WIDE = 560
INK = "#1d2733"
MUTED = "#5b6775"
RULE = "#e4e8ed"
TENTATIVE = "#b7791f"
RELIABLE = "#2f7d4f"
HUMANS = "#1f4e8c"
OTHERS = ("#b4436c", "#0f7c80", "#7a5195", "#8a5a0e")
ASIDE = "#8b95a1"
OVERRIDDEN = "#a12b2b"
NOT_EVIDENCE = "not evidence"


class _Panel(NamedTuple):
    name: str
    title: str
    colour: str
    shape: str


def reliability(rows: pd.DataFrame, codebook: Codebook, *, width: int = WIDE) -> Spec:
    """Alpha with its interval for each variable and panel, and the gate's thresholds as lines.

    `rows` are RELIABILITY rows of one batch and one coefficient. `width` is the plot's, in
    pixels. A row without a value is written out as "undefined".
    """
    panels = _panels(rows)
    titles = {panel.name: panel.title for panel in panels}
    labels = _labels([v for v in codebook.variables if v.variable in set(rows["variable"])], width)
    shown = rows[rows["variable"].isin(list(labels))]
    values = [
        {
            "variable": labels[str(row["variable"])],
            "panel": titles[str(row["panel"])],
            "value": _number(row["value"]),
            "low": _number(row["low"]),
            "high": _number(row["high"]),
            "bound": _number(row["bound"]),
            "verdict": str(row["verdict"]),
        }
        for row in shown.to_dict("records")
    ]
    band = 15 * len(panels) + 12
    floor = _floor(shown)
    y = {
        "field": "variable",
        "type": "nominal",
        "sort": list(labels.values()),
        "scale": {"paddingInner": 0, "paddingOuter": 0},
        "axis": {**_names_axis(width), "grid": True, "tickBand": "extent"},
    }
    offset = {"field": "panel", "sort": list(titles.values()), "scale": {"paddingOuter": 0.4}}
    return {
        **_frame(width, band * max(1, len(labels))),
        "data": {"values": values},
        "layer": [
            *_threshold_layers(shown, labels, y, band=band, floor=floor),
            *_interval_layers({"y": y, "yOffset": offset}, _legend(panels, width), floor=floor),
        ],
    }


def shares(rows: pd.DataFrame, codebook: Codebook, *, variable: str, width: int = WIDE) -> Spec:
    """The share of each code of one variable with its interval; the codes in codebook order.

    `rows` are ESTIMATES rows of one batch. A cell that is held back is written out as the
    beginning of its note; the reason of an override stands above the figure.
    """
    own = rows[rows["variable"] == variable]
    codes = _code_labels(codebook.variable(variable), [str(code) for code in own["code"]], width)
    values: list[dict[str, Any]] = [
        {
            "code": codes[str(row["code"])],
            "share": _number(row["share"]),
            "low": _number(row["low"]),
            "high": _number(row["high"]),
            "note": str(row["note"]).split(":")[0] or "no figure",
        }
        for row in own.to_dict("records")
    ]
    y = {
        "field": "code",
        "type": "nominal",
        "sort": list(codes.values()),
        "axis": _names_axis(width),
    }
    highest = max((max(v["share"] or 0.0, v["high"] or 0.0) for v in values), default=1.0)
    top = max(0.1, min(1.0, math.ceil(highest * 10 - 1e-9) / 10))
    return {
        **_frame(width, 26 * max(1, len(codes))),
        "title": _override(own, width),
        "data": {"values": values},
        "layer": _share_layers(y, top=top, ticks=width // 90),
    }


def main_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """The RELIABILITY rows that are drawn: alpha of whole variables, without design weights.

    Of humans among themselves, of a model against them, and of what is no evidence beside; not of
    single pairs, nor of a coder against itself.
    """
    apart = rows["kind"].isin(("human-pair", "model-human", "self", "replicates"))
    alpha = rows["coefficient"].str.startswith("krippendorff_alpha")
    empty = (rows["kind"] == "assisted") & rows["value"].isna()
    return rows[alpha & ~apart & ~empty & (rows["code"] == "") & (rows["weighting"] == "")]


def panel_title(panel: str, evidence: int) -> str:
    """A panel in words: `humans` → 'humans, blind'; what is no evidence says so."""
    return f"{panel}, blind" if evidence else f"{panel} ({NOT_EVIDENCE})"


def panel_order(panel: str, evidence: int) -> tuple[int, str]:
    """Where a panel stands: humans first, then one coder against them, then what is no evidence."""
    return (2 if not evidence else 0 if panel == "humans" else 1), panel


def _frame(width: int, height: int) -> Spec:
    text = {"labelColor": INK, "titleColor": MUTED, "labelFontSize": 12, "titleFontSize": 12}
    return {
        "$schema": SCHEMA,
        "width": width,
        "height": height,
        "background": "white",
        "padding": 6,
        "config": {
            "font": "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif",
            "view": {"stroke": RULE},
            "axis": {**text, "gridColor": RULE, "domain": False, "ticks": False},
            "axisX": {"titleFontWeight": "normal", "titlePadding": 8, "labelPadding": 4},
            "legend": {**text, "labelLimit": 600, "symbolSize": 70},
        },
    }


def _override(rows: pd.DataFrame, width: int) -> Spec | None:
    """The title that an overridden gate leaves on a figure; None where it was not."""
    reasons = "; ".join(sorted(set(rows["override"]) - {""}))
    if not reasons:
        return None
    lines = textwrap.wrap(f"Gate overridden: {reasons}", width // 7)
    return {"text": lines, "color": OVERRIDDEN, "fontSize": 11, "anchor": "start"}


def _panels(rows: pd.DataFrame) -> list[_Panel]:
    pairs = {
        (str(row["panel"]), int(row["evidence"]))
        for row in rows[["panel", "evidence"]].to_dict("records")
    }
    panels: list[_Panel] = []
    others = 0
    for panel, evidence in sorted(pairs, key=lambda pair: panel_order(*pair)):
        title = panel_title(panel, evidence)
        if not evidence:
            panels.append(_Panel(panel, title, ASIDE, "triangle-up"))
        elif panel == "humans":
            panels.append(_Panel(panel, title, HUMANS, "circle"))
        else:
            panels.append(_Panel(panel, title, OTHERS[others % len(OTHERS)], "diamond"))
            others += 1
    return panels


def _legend(panels: Sequence[_Panel], width: int) -> Spec:
    titles = [panel.title for panel in panels]
    look = {"title": None, "orient": "bottom", "columns": 1 if width < WIDE else 2, "offset": 14}
    return {
        "color": {
            "field": "panel",
            "type": "nominal",
            "scale": {"domain": titles, "range": [panel.colour for panel in panels]},
            "legend": look,
        },
        "shape": {
            "field": "panel",
            "type": "nominal",
            "scale": {"domain": titles, "range": [panel.shape for panel in panels]},
            "legend": look,
        },
    }


def _threshold_layers(
    rows: pd.DataFrame, labels: dict[str, str], y: Spec, *, band: int, floor: float
) -> list[Spec]:
    """A line for each threshold, variable by variable, and its name above the first."""
    layers: list[Spec] = []
    for name, colour in (("tentative", TENTATIVE), ("reliable", RELIABLE)):
        firsts = rows.dropna(subset=name).drop_duplicates(["variable", name])
        lines: list[dict[str, Any]] = [
            {"variable": labels[str(row["variable"])], "at": float(row[name])}
            for row in firsts.to_dict("records")
        ]
        top = [line for line in lines if line["variable"] == next(iter(labels.values()))]
        mark = {"type": "tick", "orient": "vertical", "size": band, "thickness": 1.5}
        layers.append(
            {
                "data": {"values": lines},
                "mark": {**mark, "color": colour},
                "encoding": {"y": y, "x": _x("at", floor)},
            }
        )
        named = [{**line, "name": f"{name} {_threshold(line['at'])}"} for line in top]
        side, shift = ("right", 4) if name == "tentative" else ("left", -4)
        layers.append(
            {
                "data": {"values": named},
                "mark": {
                    "type": "text",
                    "align": side,
                    "dx": shift,
                    "dy": -band / 2 - 8,
                    "color": colour,
                    "fontSize": 11,
                },
                "encoding": {"y": y, "x": _x("at", floor), "text": {"field": "name"}},
            }
        )
    return layers


def _interval_layers(place: Spec, legend: Spec, *, floor: float) -> list[Spec]:
    colour = {"color": legend["color"]}
    drawn = [{"filter": "isValid(datum.value)"}]
    whole = [{"filter": "isValid(datum.low) && isValid(datum.high)"}]
    low = _x("low", floor)
    return [
        {
            "transform": whole,
            "mark": {"type": "rule", "strokeWidth": 2.5, "clip": True, "opacity": 0.65},
            "encoding": {**place, **colour, "x": low, "x2": {"field": "high"}},
        },
        {
            "transform": [{"filter": "isValid(datum.bound)"}],
            "mark": {"type": "tick", "orient": "vertical", "size": 9, "thickness": 2, "clip": True},
            "encoding": {**place, **colour, "x": _x("bound", floor)},
        },
        {
            "transform": drawn,
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1, "clip": True},
            "encoding": {**place, **legend, "x": _x("value", floor)},
        },
        {
            "transform": [{"filter": "!isValid(datum.value)"}],
            "mark": _aside_text(),
            "encoding": {**place, "x": {"value": 0}, "text": {"value": "undefined"}},
        },
    ]


def _share_layers(y: Spec, *, top: float, ticks: int) -> list[Spec]:
    x = {
        "type": "quantitative",
        "title": "share of units, 95% interval",
        "scale": {"domain": [0, top]},
        "axis": {"format": "%", "tickCount": ticks},
    }
    share = {"y": y, "x": {"field": "share", **x}}
    given = [{"filter": "isValid(datum.share)"}]
    whole = [*given, {"filter": "isValid(datum.low) && isValid(datum.high)"}]
    return [
        {
            "transform": given,
            "mark": {"type": "bar", "color": "#c9d8ea", "height": 14},
            "encoding": share,
        },
        {
            "transform": whole,
            "mark": {"type": "rule", "color": HUMANS, "strokeWidth": 2},
            "encoding": {"y": y, "x": {"field": "low", **x}, "x2": {"field": "high"}},
        },
        {
            "transform": given,
            "mark": {"type": "point", "filled": True, "size": 45, "opacity": 1, "color": HUMANS},
            "encoding": share,
        },
        {
            "transform": [{"filter": "!isValid(datum.share)"}],
            "mark": _aside_text(),
            "encoding": {"y": y, "x": {"value": 0}, "text": {"field": "note"}},
        },
    ]


def _x(field: str, floor: float) -> Spec:
    return {
        "field": field,
        "type": "quantitative",
        "title": "Krippendorff's alpha, 95% interval",
        "scale": {"domain": [floor, 1]},
        "axis": {"format": ".1f", "tickCount": 6},
    }


def _aside_text() -> Spec:
    return {"type": "text", "align": "left", "dx": 6, "color": MUTED, "fontSize": 11}


def _names_axis(width: int) -> Spec:
    return {
        "title": None,
        "grid": False,
        "labelExpr": "split(datum.label, '\\n')",
        "labelLimit": 240 if width >= WIDE else 112,
        "labelPadding": 8,
    }


def _labels(variables: Sequence[Variable], width: int) -> dict[str, str]:
    return _distinct([(variable.variable, variable.label) for variable in variables], width)


def _code_labels(variable: Variable, codes: Sequence[str], width: int) -> dict[str, str]:
    """Labels by code, in codebook order; codes that the codebook lacks stand last, as they are."""
    known = [(value.code, value.label) for value in variable.values if value.code in codes]
    rest = [(code, code or "none marked") for code in codes if code not in variable.codes]
    return _distinct([*known, *rest], width)


def _distinct(pairs: Sequence[tuple[str, str]], width: int) -> dict[str, str]:
    """Wrapped labels by name; a label that stands twice gets its name behind it."""
    texts = [label for _, label in pairs]
    full = {
        name: label if texts.count(label) == 1 else f"{label} ({name})" for name, label in pairs
    }
    line = 32 if width >= WIDE else 16
    return {name: "\n".join(textwrap.wrap(label, line)) for name, label in full.items()}


def _floor(rows: pd.DataFrame) -> float:
    """Left end of the axis: 0, or as far below as an interval reaches, and never below -1."""
    lowest = rows[["value", "low", "bound"]].min().min()
    return 0.0 if pd.isna(lowest) else max(-1.0, min(0.0, math.floor(float(lowest) * 5) / 5))


def _number(value: Any) -> float | None:
    """A number that JSON can hold; None where there is none."""
    return None if pd.isna(value) else float(value)


def _threshold(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")
