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
from labeler.text.coded_values import named_parts

BEST = ("two-phase", "corrected", "blind")  # estimators, the one to be drawn first
ALONE = "model"
WORDS = {
    "two-phase": "corrected in two phases",
    "corrected": "corrected by blind codes",
    "blind": "blind codes alone",
    "model": "the model alone",
}


def plain_shares(rows: pd.DataFrame) -> pd.DataFrame:
    """The ESTIMATES rows of shares of a whole variable's codes, in the collection.

    Further columns: `variable`, and `code` without it. Where several tables of the analysis have
    the same share, it is taken once.
    """
    names = ("by", "within")
    whole = (rows[list(names)] == "").all(axis=1)
    plain = rows[whole & (rows["measure"] == "share") & (rows["target"] == "collection")]
    parts = [named_parts(code) for code in plain["code"]]
    own = plain.assign(variable=[name for name, _ in parts], code=[code for _, code in parts])
    return own[own["code"] != ""].drop_duplicates(["variable", "code", "estimator"])


def shares(rows: pd.DataFrame, codebook: Codebook, *, variable: str, width: int = WIDE) -> Spec:
    """The share of each code of one variable with its interval; the codes in codebook order.

    `rows` are `plain_shares` of one batch: those of the best estimator there is, and, as rings,
    what the model says alone. A cell without a number says why; the reason of an override stands
    above the figure.
    """
    own = rows[rows["variable"] == variable]
    best, alone = _best(own), own[own["estimator"] == ALONE]
    codes = _code_labels(codebook.variable(variable), [str(code) for code in best["code"]], width)
    naive = dict(zip(alone["code"], alone["value"], strict=True))
    values: list[dict[str, Any]] = [
        {
            "code": codes[str(row["code"])],
            "share": style.number(row["value"]),
            "low": style.number(row["low"]),
            "high": style.number(row["high"]),
            "model": style.number(naive.get(str(row["code"]), math.nan)),
            "note": "hidden" if row["hidden"] else str(row["reason"]) or "no figure",
        }
        for row in best.to_dict("records")
    ]
    y = {
        "field": "code",
        "type": "nominal",
        "sort": list(codes.values()),
        "axis": style.names_axis(width),
    }
    drawn = [v[name] or 0.0 for v in values for name in ("share", "high", "model")]
    top = max(0.1, min(1.0, math.ceil(max(drawn, default=1.0) * 10 - 1e-9) / 10))
    title = f"share of {_things(best)}, 95% interval; {WORDS[_estimator(best)]}"
    if len(alone) and _estimator(best) != ALONE:
        title += ". Rings: the model alone"
    lines = textwrap.wrap(title, width // 6)
    return {
        **style.frame(width, 26 * max(1, len(codes))),
        "title": _override(own, width),
        "data": {"values": values},
        "layer": _share_layers(y, top=top, ticks=width // 90, title=lines),
    }


def _best(own: pd.DataFrame) -> pd.DataFrame:
    """The rows of the best estimator that there is."""
    there = set(own["estimator"])
    best = next((name for name in BEST if name in there), ALONE)
    return own[own["estimator"] == best]


def _estimator(rows: pd.DataFrame) -> str:
    return str(rows["estimator"].iloc[0]) if len(rows) else "blind"


def _things(rows: pd.DataFrame) -> str:
    """What the shares are of."""
    return "segments" if rows["method"].str.startswith("of segments").any() else "posts"


def _override(rows: pd.DataFrame, width: int) -> Spec | None:
    """The title that an overridden gate leaves on a figure; None where it was not."""
    reasons = "; ".join(sorted(set(rows["override"]) - {""}))
    if not reasons:
        return None
    lines = textwrap.wrap(f"Gate overridden: {reasons}", width // 7)
    return {"text": lines, "color": WARNING, "fontSize": 11, "anchor": "start"}


def _share_layers(y: Spec, *, top: float, ticks: int, title: list[str]) -> list[Spec]:
    x = {
        "type": "quantitative",
        "title": title,
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
            "transform": [*given, {"filter": "isValid(datum.model)"}],
            "mark": {"type": "point", "filled": False, "size": 60, "color": WARNING},
            "encoding": {"y": y, "x": {"field": "model", **x}},
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
    best = _best(rows)
    told = best.dropna(subset="value")
    without = len(best) - len(told)
    back = f"; {without} of {len(best)} shares are held back" if without else ""
    if told.empty:
        return f"{variable.label}: every share is held back"
    most = told.sort_values("value", kind="stable").iloc[-1]
    code = str(most["code"])
    labels = {value.code: value.label for value in variable.values}
    interval = ""
    if pd.notna(most["low"]) and pd.notna(most["high"]):
        interval = f" [{most['low']:.1%}, {most['high']:.1%}]"
    return (
        f"{variable.label}: the most frequent code is {labels.get(code, code or 'none marked')}, "
        f"in {most['value']:.1%}{interval} of {_things(best)} ({WORDS[_estimator(best)]}){back}"
    )


FIGURE = Figure(
    name="estimates",
    title="Shares of the codes",
    caption="Bars and points: share, and its interval. Rings: what the model says alone.",
    table="estimates",
    rows=plain_shares,
    each_variable=True,
    spec=_spec,
    alt=_finding,
)
