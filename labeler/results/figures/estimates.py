"""ESTIMATES rows → the shares of one variable's codes, with their intervals."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import pandas as pd

from labeler.codebook.codebook import Codebook, Variable
from labeler.results.figures import style
from labeler.results.figures.declaration import Figure
from labeler.results.figures.style import HUMANS, WARNING, WIDE, Spec


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
            "share": style.number(row["share"]),
            "low": style.number(row["low"]),
            "high": style.number(row["high"]),
            "note": str(row["note"]).split(":")[0] or "no figure",
        }
        for row in own.to_dict("records")
    ]
    y = {
        "field": "code",
        "type": "nominal",
        "sort": list(codes.values()),
        "axis": style.names_axis(width),
    }
    highest = max((max(v["share"] or 0.0, v["high"] or 0.0) for v in values), default=1.0)
    top = max(0.1, min(1.0, math.ceil(highest * 10 - 1e-9) / 10))
    return {
        **style.frame(width, 26 * max(1, len(codes))),
        "title": _override(own, width),
        "data": {"values": values},
        "layer": _share_layers(y, top=top, ticks=width // 90),
    }


def _override(rows: pd.DataFrame, width: int) -> Spec | None:
    """The title that an overridden gate leaves on a figure; None where it was not."""
    reasons = "; ".join(sorted(set(rows["override"]) - {""}))
    if not reasons:
        return None
    lines = textwrap.wrap(f"Gate overridden: {reasons}", width // 7)
    return {"text": lines, "color": WARNING, "fontSize": 11, "anchor": "start"}


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
            "mark": style.aside_text(),
            "encoding": {"y": y, "x": {"value": 0}, "text": {"field": "note"}},
        },
    ]


def _code_labels(variable: Variable, codes: Sequence[str], width: int) -> dict[str, str]:
    """Labels by code, in codebook order; codes that the codebook lacks stand last, as they are."""
    known = [(value.code, value.label) for value in variable.values if value.code in codes]
    rest = [(code, code or "none marked") for code in codes if code not in variable.codes]
    return style.distinct([*known, *rest], width)


def _spec(rows: pd.DataFrame, codebook: Codebook, width: int) -> Spec:
    return shares(rows, codebook, variable=str(rows["variable"].iloc[0]), width=width)


def _finding(rows: pd.DataFrame, codebook: Codebook) -> str:
    """The most frequent code with its interval, and how many cells are held back."""
    variable = codebook.variable(str(rows["variable"].iloc[0]))
    told = rows.dropna(subset="share")
    hidden = len(rows) - len(told)
    back = f"; {hidden} of {len(rows)} shares are held back" if hidden else ""
    if told.empty:
        return f"{variable.label}: every share is held back"
    most = told.sort_values("share", kind="stable").iloc[-1]
    code = str(most["code"])
    labels = {value.code: value.label for value in variable.values}
    interval = ""
    if pd.notna(most["low"]) and pd.notna(most["high"]):
        interval = f" [{most['low']:.1%}, {most['high']:.1%}]"
    return (
        f"{variable.label}: the most frequent code is {labels.get(code, code or 'none marked')}, "
        f"in {most['share']:.1%}{interval} of units{back}"
    )


FIGURE = Figure(
    name="estimates",
    title="Shares of the codes",
    caption="Bars and points: share of units. Lines: interval.",
    table="estimates",
    each_variable=True,
    spec=_spec,
    alt=_finding,
)
