"""Codings → rows of the alternative-annotator test. All codings are made up."""

from __future__ import annotations

import math

import builders
import pandas as pd
import pytest
from builders import choice

from labeler.codebook.codebook import Codebook
from labeler.reliability.assessments import alttest
from labeler.store import tables


@pytest.fixture(scope="module")
def book() -> Codebook:
    """Two variables: one of the unit, one of the segment."""
    return builders.book(
        choice("tone", "warm cold"), choice("topic", "food work rare", of="segment")
    )


def given(codes: dict[str, list[str]], arm: str = "blind") -> pd.DataFrame:
    """Each coder's values of units u0, u1, …"""
    rows = [
        (f"u{place}", coder, arm, value)
        for coder, values in codes.items()
        for place, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["unit", "coder", "arm", "value"])


def measured(rows: pd.DataFrame, variable: str, code: str = "") -> dict[str, pd.Series]:
    """Measure → row."""
    own = rows[(rows["variable"] == variable) & (rows["code"] == code)]
    return {row["measure"]: row for _, row in own.iterrows()}


HUMANS = ("human:ada", "human:ben", "human:cyn")
TONES = ["warm", "cold"] * 20
TOPICS = ["food", "work", "food+work", ""] * 10


def test_rows_of_a_model(book: Codebook) -> None:
    """A model that says what three humans say passes in every variable and common code."""
    values = {
        "tone": given(dict.fromkeys(HUMANS, TONES)),
        "topic": given(dict.fromkeys(HUMANS, TOPICS)),
    }
    units = [f"u{place}" for place in range(40)]
    model = {
        "tone": pd.DataFrame({"unit": units, "value": TONES}),
        "topic": pd.DataFrame({"unit": units, "value": TOPICS}),
    }
    rows = alttest.alternative(values, model, book, model="model:made-up", epsilon=0.1)
    tables.frame(tables.ASSESSMENTS, rows.assign(batch="first", codebook=book.fingerprint))
    assert set(rows["coder"]) == {"model:made-up"}
    whole = measured(rows, "topic")
    assert whole["winning_rate"]["value"] == 1
    assert whole["winning_rate"]["verdict"] == "pass"
    assert whole["winning_rate"]["note"] == "epsilon 0.1"
    assert whole["epsilon"]["value"] == 0.1
    assert "over 6 tests" in whole["winning_rate"]["method"]
    assert "over 3 tests" in whole["winning_rate.alone"]["method"]
    assert whole["difference:human:ada"]["verdict"] == "won"
    assert measured(rows, "topic", "food")["winning_rate"]["verdict"] == "pass"
    rare = measured(rows, "topic", "rare")["winning_rate"]
    assert rare["verdict"] == "undefined"
    assert "0 units hold the code" in rare["note"]


def test_only_blind_humans_count(book: Codebook) -> None:
    """Codings made with a suggestion in view, and those of models, are no part of it."""
    blind = given(dict.fromkeys(HUMANS[:2], TONES))
    seen = given({HUMANS[2]: TONES}, arm="assisted")
    model = given({"model:other": TONES}, arm="")
    values = {"tone": pd.concat([blind, seen, model])}
    own = {"tone": pd.DataFrame({"unit": ["u0", "u1"] * 1, "value": ["warm", "cold"]})}
    found = measured(alttest.alternative(values, own, book, model="model:made-up"), "tone")
    assert {name for name in found if name.startswith("difference:")} == {
        "difference:human:ada",
        "difference:human:ben",
    }
    assert found["winning_rate"]["verdict"] == "undefined"
    assert math.isnan(found["winning_rate"]["value"])
    assert "2 units shared with other humans, fewer than 30" in found["winning_rate"]["note"]


def test_nobody_coded_is_undefined(book: Codebook) -> None:
    """No human, no test, and the reason."""
    nobody = given({}).astype("str")
    model = pd.DataFrame({"unit": ["u0"], "value": ["warm"]})
    found = measured(
        alttest.alternative({"tone": nobody}, {"tone": model}, book, model="model:x"), "tone"
    )
    assert found["winning_rate"]["verdict"] == "undefined"
    assert "no human coded" in found["winning_rate"]["note"]
