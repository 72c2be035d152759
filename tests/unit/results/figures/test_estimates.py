"""The figure of shares: codes in order, nothing shown that is held back."""

from __future__ import annotations

from typing import Any

import pandas as pd

from labeler.codebook import codebook as codebooks
from labeler.results.figures import draw, estimates, style
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


def estimate_rows() -> pd.DataFrame:
    """One code with an interval, one held back, one that the codebook no longer has."""
    shared = {"batch": "b", "analysis": "axis", "measure": "share", "target": "collection"}
    rows = [
        {"code": "axis:gone", "value": 0.2, "low": 0.1, "high": 0.3},
        {"code": "axis:right", "hidden": "fewer than 11 authors"},
        {"code": "axis:left", "value": 0.42, "low": 0.3, "high": 0.55},
        {"code": "axis:left", "value": 0.58, "estimator": "model"},
    ]
    best = {"estimator": "corrected"}
    return estimates.plain_shares(
        tables.frame(tables.ESTIMATES, [shared | best | row for row in rows])
    )


def layers(spec: style.Spec, mark: str) -> list[dict[str, Any]]:
    """The layers of a specification with this mark."""
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]


def test_codes_stand_in_codebook_order() -> None:
    """Codes follow the codebook, and a code that it lacks comes last, as it is."""
    spec = estimates.shares(estimate_rows(), BOOK, variable="axis")
    assert layers(spec, "bar")[0]["encoding"]["y"]["sort"] == [
        "Left",
        "Right",
        "gone",
    ]


def test_a_hidden_cell_shows_no_number() -> None:
    """A cell that is held back has no share, no interval, and says that it is hidden."""
    spec = estimates.shares(estimate_rows(), BOOK, variable="axis")
    hidden = next(row for row in spec["data"]["values"] if row["code"] == "Right")
    assert hidden == {
        "code": "Right",
        "share": None,
        "low": None,
        "high": None,
        "model": None,
        "note": "hidden",
    }
    assert layers(spec, "bar")[0]["encoding"]["x"]["scale"]["domain"] == [0, 0.6]
    assert b">hidden<" in draw.draw(spec, "svg")


def test_what_the_model_says_alone_stands_beside_it() -> None:
    """A ring at the model's share; the point with the interval is the corrected one."""
    spec = estimates.shares(estimate_rows(), BOOK, variable="axis")
    left = next(row for row in spec["data"]["values"] if row["share"] == 0.42)
    assert (left["model"], left["low"]) == (0.58, 0.3)
    title = layers(spec, "bar")[0]["encoding"]["x"]["title"]
    assert " ".join(title).endswith("corrected by blind codes. Rings: the model alone")


def test_an_override_stands_on_the_figure() -> None:
    """A figure that travels alone still says that the gate was overridden, and why."""
    rows = estimate_rows().assign(override="pilot only")
    drawn = draw.draw(estimates.shares(rows, BOOK, variable="axis"), "svg")
    assert b"Gate overridden: pilot only" in drawn
    assert estimates.shares(estimate_rows(), BOOK, variable="axis")["title"] is None
