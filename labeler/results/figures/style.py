"""What figures have in common: colours, the frame of a specification, labels that fit.

A figure asks for nothing from outside: no address, no file, no font that a system would lack.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import pandas as pd

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
WIDE = 560
INK = "#1d2733"
MUTED = "#5b6775"
RULE = "#e4e8ed"
HUMANS = "#1f4e8c"
WARNING = "#a12b2b"


def frame(width: int, height: int) -> Spec:
    """What a specification of one plot begins with; `width` and `height` in pixels."""
    text = {"labelColor": INK, "titleColor": MUTED, "labelFontSize": 12, "titleFontSize": 12}
    return {
        "$schema": SCHEMA,
        "width": width,
        "height": height,
        "background": "white",
        "padding": 6,
        "config": {
            "font": FONT,
            "view": {"stroke": RULE},
            "axis": {**text, "gridColor": RULE, "domain": False, "ticks": False},
            "axisX": {"titleFontWeight": "normal", "titlePadding": 8, "labelPadding": 4},
            "legend": {**text, "labelLimit": 600, "symbolSize": 70},
        },
    }


def aside_text() -> Spec:
    """The mark of words that stand where a number would."""
    return {"type": "text", "align": "left", "dx": 6, "color": MUTED, "fontSize": 11}


def names_axis(width: int) -> Spec:
    """An axis of labels, as `distinct` makes them."""
    return {
        "title": None,
        "grid": False,
        "labelExpr": "split(datum.label, '\\n')",
        "labelLimit": 240 if width >= WIDE else 112,
        "labelPadding": 8,
    }


def distinct(pairs: Sequence[tuple[str, str]], width: int) -> dict[str, str]:
    """Wrapped labels by name; a label that stands twice gets its name behind it."""
    texts = [label for _, label in pairs]
    full = {
        name: label if texts.count(label) == 1 else f"{label} ({name})" for name, label in pairs
    }
    line = 32 if width >= WIDE else 16
    return {name: "\n".join(textwrap.wrap(label, line)) for name, label in full.items()}


def number(value: Any) -> float | None:
    """A number that JSON can hold; None where there is none."""
    return None if pd.isna(value) else float(value)
