"""Figures as specifications: what is in them, in which order, and that they can be drawn."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pandas as pd
import pytest

from labeler.codebook import codebook as codebooks
from labeler.results.figures import draw, reliability, style
from labeler.store import tables

BOOK = codebooks.read(
    """
codebook: walks
version: "1"
title: Walks
about: Made up.
variables:
  - variable: zeal
    of: unit
    label: Zeal & <b>speed</b>
    question: How fast?
    level: ordinal
    gate: {tentative: 0.5, reliable: 0.7}
    values:
      - {code: slow, label: Slow, definition: Slow.}
      - {code: fast, label: Fast, definition: Fast.}
  - variable: axis
    of: unit
    label: A label that is far too long to stand on one line of a phone
    question: Which way?
    level: nominal
    values:
      - {code: left, label: Left, definition: L.}
      - {code: right, label: Right, definition: R.}
""",
    source="walks",
)
MODEL = "model:m@0a1b2c vs humans"


def reliability_rows(**changes: object) -> pd.DataFrame:
    """Two variables (not in codebook order) by three panels (not in reading order)."""
    numbers = {"value": 0.7, "low": 0.5, "high": 0.85, "bound": 0.55}
    rows = [
        {
            "batch": "b",
            "variable": variable,
            "panel": panel,
            "evidence": evidence,
            "coefficient": "krippendorff_alpha.nominal",
            "tentative": tentative,
            "reliable": reliable,
        }
        | numbers
        | changes
        for variable, tentative, reliable in (("axis", 0.667, 0.8), ("zeal", 0.5, 0.7))
        for panel, evidence in ((f"{MODEL}, assisted", 0), (MODEL, 1), ("humans", 1))
    ]
    return tables.frame(tables.RELIABILITY, rows)


def layers(spec: style.Spec, mark: str) -> list[dict[str, Any]]:
    """The layers of a specification with this mark."""
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]


def test_variables_stand_in_codebook_order() -> None:
    """The axis follows the codebook, not the alphabet or the rows."""
    spec = reliability.reliability(reliability_rows(), BOOK)
    order = layers(spec, "point")[0]["encoding"]["y"]["sort"]
    assert order[0] == "Zeal & <b>speed</b>"
    assert " ".join(order[1].split()) == BOOK.variable("axis").label


def test_equal_labels_are_told_apart() -> None:
    """Two variables with one label get their names behind it, and keep their own rows."""
    first, second = BOOK.variables
    twins = (first.model_copy(update={"label": "Way"}), second.model_copy(update={"label": "Way"}))
    spec = reliability.reliability(reliability_rows(), BOOK.model_copy(update={"variables": twins}))
    assert layers(spec, "point")[0]["encoding"]["y"]["sort"] == ["Way (zeal)", "Way (axis)"]


def test_panels_stand_in_reading_order() -> None:
    """Humans first, then the model, then what is no evidence, in grey and named as such."""
    spec = reliability.reliability(reliability_rows(), BOOK)
    colour = layers(spec, "point")[0]["encoding"]["color"]["scale"]
    assert colour["domain"] == [
        "humans, blind",
        f"{MODEL}, blind",
        f"{MODEL}, assisted (not evidence)",
    ]
    assert colour["range"][2] == reliability.ASIDE
    assert len(set(colour["range"])) == 3


def test_thresholds_are_those_of_each_variable() -> None:
    """A variable with a gate of its own has its own lines, one for each threshold."""
    spec = reliability.reliability(reliability_rows(), BOOK)
    lines = [
        (row["variable"].split()[0], row["at"])
        for layer in layers(spec, "tick")
        if "data" in layer
        for row in layer["data"]["values"]
    ]
    assert sorted(lines) == [("A", 0.667), ("A", 0.8), ("Zeal", 0.5), ("Zeal", 0.7)]
    names = [row["name"] for layer in layers(spec, "text")[:2] for row in layer["data"]["values"]]
    assert names == ["tentative .500", "reliable .700"]


def test_undefined_is_said_and_not_drawn_as_a_number() -> None:
    """A row without a value holds null, and the figure writes 'undefined' in its place."""
    undefined = dict.fromkeys(("value", "low", "high", "bound"), math.nan)
    spec = reliability.reliability(reliability_rows(**undefined), BOOK)
    assert {row["value"] for row in spec["data"]["values"]} == {None}
    assert "NaN" not in json.dumps(spec)
    assert draw.draw(spec, "svg").count(b">undefined<") == 6


@pytest.mark.parametrize(
    ("low", "floor"), [(0.3, 0.0), (0.0, 0.0), (-0.05, -0.2), (-0.2, -0.2), (-7.0, -1.0)]
)
def test_the_axis_reaches_as_low_as_the_intervals(low: float, floor: float) -> None:
    """It ends at 0, or at the next fifth below the lowest bound, and never below -1."""
    spec = reliability.reliability(reliability_rows(low=low), BOOK)
    assert layers(spec, "point")[0]["encoding"]["x"]["scale"]["domain"] == [floor, 1]


@pytest.mark.parametrize("width", [style.WIDE, 190])
def test_figures_can_be_drawn_and_hold_no_markup(width: int) -> None:
    """Drawn as SVG: labels escaped, no script, no style that a strict page would refuse."""
    drawn = draw.draw(
        reliability.reliability(reliability_rows(), BOOK, width=width), "svg"
    ).decode()
    assert "speed&lt;/b&gt;" in drawn
    for refused in ("<b>", "<script", "style=", "<image", "href="):
        assert refused not in drawn
    addresses = set(re.findall(r"https?://[^\"' ]+", drawn))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_the_same_rows_give_the_same_figure() -> None:
    """A specification depends on its rows alone, and not on the order they come in."""
    rows = reliability_rows()
    turned = rows.iloc[::-1].reset_index(drop=True)
    first, second = (reliability.reliability(given, BOOK)["layer"] for given in (rows, turned))
    assert [layer for layer in first if "data" not in layer] == [
        layer for layer in second if "data" not in layer
    ]


def test_no_rows_give_an_empty_figure() -> None:
    """A batch without reliability still gives a specification that can be drawn."""
    spec = reliability.reliability(tables.frame(tables.RELIABILITY), BOOK)
    assert spec["data"]["values"] == []
    assert draw.draw(spec, "svg").startswith(b"<svg")


def test_a_models_replicates_are_titled_as_consistency() -> None:
    """Nobody can copy the figure under that title as reliability."""
    title = reliability.panel_title(f"{MODEL}, replicates", 0, "replicates")
    assert title == (f"Consistency of {MODEL} with itself (says nothing about whether it is right)")
