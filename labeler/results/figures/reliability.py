"""RELIABILITY rows → Krippendorff's alpha of each variable and panel, with the gate's thresholds.

The same specification is drawn on a page and written as SVG, PNG and PDF.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from labeler.codebook.codebook import Codebook, Variable
from labeler.coding.vocabulary import GROUPED, WITH_ITSELF
from labeler.reliability.weighting import leads
from labeler.results.figures import style
from labeler.results.figures.declaration import Figure
from labeler.results.figures.style import HUMANS, WIDE, Spec

TENTATIVE = "#b7791f"
RELIABLE = "#2f7d4f"
OTHERS = ("#b4436c", "#0f7c80", "#7a5195", "#8a5a0e")
ASIDE = "#8b95a1"
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
            "value": style.number(row["value"]),
            "low": style.number(row["low"]),
            "high": style.number(row["high"]),
            "bound": style.number(row["bound"]),
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
        "axis": {**style.names_axis(width), "grid": True, "tickBand": "extent"},
    }
    offset = {"field": "panel", "sort": list(titles.values()), "scale": {"paddingOuter": 0.4}}
    return {
        **style.frame(width, band * max(1, len(labels))),
        "data": {"values": values},
        "layer": [
            *_threshold_layers(shown, labels, y, band=band, floor=floor),
            *_interval_layers({"y": y, "yOffset": offset}, _legend(panels, width), floor=floor),
        ],
    }


def main_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """The RELIABILITY rows that are drawn: alpha of whole variables, as it is judged.

    Of humans among themselves, of a model against them, and of what is no evidence beside; not of
    single pairs or groups, nor of a coder against itself.
    """
    apart = rows["kind"].isin(("human-pair", *GROUPED, "model-human", "self", "replicates"))
    alpha = rows["coefficient"].str.startswith("krippendorff_alpha")
    empty = (rows["kind"] == "assisted") & rows["value"].isna()
    return rows[alpha & ~apart & ~empty & (rows["code"] == "") & leads(rows)]


def panel_title(panel: str, evidence: int, kind: str = "") -> str:
    """A panel in words: `humans` → 'humans, blind'; what is no evidence says so, and of a model's
    replicates (their `kind`) what their agreement is."""
    if kind == "replicates":
        return WITH_ITSELF.format(panel.removesuffix(", replicates"))
    return f"{panel}, blind" if evidence else f"{panel} ({NOT_EVIDENCE})"


def panel_order(panel: str, evidence: int) -> tuple[int, str]:
    """Where a panel stands: humans first, then one coder against them, then what is no evidence."""
    return (2 if not evidence else 0 if panel == "humans" else 1), panel


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
            "mark": style.aside_text(),
            "encoding": {**place, "x": {"value": 0}, "text": {"value": "undefined"}},
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


def _labels(variables: Sequence[Variable], width: int) -> dict[str, str]:
    return style.distinct([(variable.variable, variable.label) for variable in variables], width)


def _floor(rows: pd.DataFrame) -> float:
    """Left end of the axis: 0, or as far below as an interval reaches, and never below -1."""
    lowest = rows[["value", "low", "bound"]].min().min()
    return 0.0 if pd.isna(lowest) else max(-1.0, min(0.0, math.floor(float(lowest) * 5) / 5))


def _threshold(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _spec(rows: pd.DataFrame, codebook: Codebook, width: int) -> Spec:
    return reliability(rows, codebook, width=width)


def _finding(rows: pd.DataFrame, codebook: Codebook) -> str:
    """Of each panel that is evidence: its lowest and highest alpha, and how many variables pass."""
    labels = {variable.variable: variable.label for variable in codebook.variables}
    own = rows[(rows["evidence"] == 1) & rows["variable"].isin(list(labels))]
    parts = []
    for panel in sorted(set(own["panel"]), key=lambda name: panel_order(name, 1)):
        part = own[own["panel"] == panel]
        known = part.dropna(subset="value").sort_values("value", kind="stable")
        ends = [known.iloc[0], known.iloc[-1]][: len(known)] if len(known) else []
        told = [f"{row['value']:.3f} ({labels[row['variable']]})" for row in ends]
        counted = f"{int((part['verdict'] == 'pass').sum())} of {len(part)} variables pass"
        parts.append(f"{panel_title(panel, 1)}: {' to '.join(told) or 'undefined'}; {counted}")
    return f"Krippendorff's alpha. {'. '.join(parts) or 'Nothing here is evidence'}"


FIGURE = Figure(
    name="reliability",
    title="Reliability of the variables",
    caption=(
        "Points: alpha. Lines: two-sided 95% interval. Short bar: the lower one-sided 95% bound, "
        "by which the gate decides. Grey triangles are shown for comparison and are not evidence."
    ),
    table="reliability",
    rows=main_rows,
    spec=_spec,
    alt=_finding,
)
