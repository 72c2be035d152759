"""Blind and assisted codings → rows about anchoring. All codings are made up."""

from __future__ import annotations

import math

import builders
import numpy as np
import pandas as pd
import pytest
from builders import choice, numeric

from labeler.codebook.codebook import Codebook
from labeler.reliability.assessments import anchoring
from labeler.store import tables

NONE = pd.DataFrame()
CODERS = ("human:ada", "human:ben", "human:cyn")


@pytest.fixture(scope="module")
def book() -> Codebook:
    """A variable of the unit, a free number, one of the segment."""
    return builders.book(
        choice("tone", "warm cold"),
        numeric("hours", 0, 24, level="ratio"),
        choice("topic", "food work", of="segment"),
    )


def nested(triples: list[tuple[str, str, str]]) -> pd.DataFrame:
    """Of each unit an assisted and two blind values, by three coders in turn."""
    rows = [
        (f"u{u}", CODERS[(u + seat) % 3], "blind" if seat else "assisted", value)
        for u, values in enumerate(triples)
        for seat, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["unit", "coder", "arm", "value"])


def suggested(values: list[str]) -> pd.DataFrame:
    """The model's value of units u0, u1, …"""
    return pd.DataFrame({"unit": [f"u{u}" for u in range(len(values))], "value": values})


def measured(
    rows: pd.DataFrame, variable: str, code: str = "", coder: str = "humans"
) -> dict[str, pd.Series]:
    """Measure → row."""
    own = rows[(rows["variable"] == variable) & (rows["code"] == code) & (rows["coder"] == coder)]
    return {row["measure"]: row for _, row in own.iterrows()}


def test_rows_by_hand(book: Codebook) -> None:
    """15 units, all suggested 'warm'. Assisted all say so; of the blind, one of two in each.

    D = 1 - 1/2, adoption 1; P(warm) 1 against 1/2: the share of warm is shifted by +1/2, of cold
    by -1/2; the model's share is 1: the pull is 1.
    """
    values = {"tone": nested([("warm", "warm", "cold")] * 15)}
    rows = anchoring.anchoring(
        values, {"tone": suggested(["warm"] * 15)}, NONE, NONE, book, bound=0.05, seed=1
    )
    tables.frame(tables.ASSESSMENTS, rows.assign(batch="first", codebook=book.fingerprint))
    whole = measured(rows, "tone")
    assert whole["agreement.assisted"]["value"] == pytest.approx(1)
    assert whole["agreement.blind"]["value"] == pytest.approx(0.5)
    assert whole["agreement_inflation"]["value"] == pytest.approx(0.5)
    assert whole["agreement_inflation"]["verdict"] == "anchored"
    assert whole["equivalence"]["value"] == 0.05
    assert whole["equivalence"]["verdict"] == "not shown"
    assert whole["adoption_share"]["value"] == pytest.approx(1)
    assert whole["pull_to_model"]["value"] == pytest.approx(1)
    assert whole["acceptance"]["value"] == 1
    assert measured(rows, "tone", "warm")["prevalence_shift"]["value"] == pytest.approx(0.5)
    cold = measured(rows, "tone", "cold")["prevalence_shift"]
    assert cold["value"] == pytest.approx(-0.5)
    assert cold["verdict"] == "shifted"
    assert "blind 50.0%, model 0.0%" in cold["note"]


def test_unequal_drawing_is_told_and_changes_no_number(book: Codebook) -> None:
    """The arms are parts of one draw: an effect is one however the units were drawn."""
    values = {"tone": nested([("warm", "warm", "cold")] * 15)}
    model = {"tone": suggested(["warm"] * 15)}
    units = [f"u{u}" for u in range(15)]
    even, uneven = (
        anchoring.anchoring(
            values,
            model,
            NONE,
            NONE,
            book,
            seed=1,
            drawn=pd.DataFrame({"unit": units, "unit_probability": chances}),
        )
        for chances in ([0.1] * 15, [0.5] * 10 + [0.01] * 5)
    )
    assert even["value"].equals(uneven["value"])
    assert not even["note"].fillna("").str.contains("unequal").any()
    assert "not weighted" in measured(uneven, "tone")["agreement_inflation"]["note"]


def test_sets_agree_by_similarity(book: Codebook) -> None:
    """Suggested {food, work}; assisted the same (1), blind {food}: masi 1/2 * 2/3: D = 2/3."""
    values = {"topic": nested([("food+work", "food", "food")] * 6)}
    rows = anchoring.anchoring(
        values, {"topic": suggested(["food+work"] * 6)}, NONE, NONE, book, seed=1
    )
    whole = measured(rows, "topic")
    assert whole["agreement_inflation"]["value"] == pytest.approx(2 / 3)
    assert measured(rows, "topic", "food")["prevalence_shift"]["value"] == pytest.approx(0)
    assert measured(rows, "topic", "work")["prevalence_shift"]["value"] == pytest.approx(1)


def test_numbers_are_equal_in_any_spelling(book: Codebook) -> None:
    """2 and 2.0 are one number; the values themselves are shifted by 2 - 3 = -1."""
    values = {"hours": nested([("2.0", "3", "3")] * 6)}
    rows = anchoring.anchoring(values, {"hours": suggested(["2"] * 6)}, NONE, NONE, book, seed=1)
    whole = measured(rows, "hours")
    assert whole["agreement.assisted"]["value"] == pytest.approx(1)
    assert whole["value_shift"]["value"] == pytest.approx(-1)
    assert whole["value_shift"]["verdict"] == "shifted"


def test_one_arm_is_nothing_to_compare(book: Codebook) -> None:
    """Without a blind coding the answer is undefined, with the reason."""
    own = nested([("warm", "warm", "cold")] * 3)
    rows = anchoring.anchoring(
        {"tone": own[own["arm"] == "assisted"]},
        {"tone": suggested(["warm"] * 3)},
        NONE,
        NONE,
        book,
        seed=1,
    )
    row = measured(rows, "tone")["agreement_inflation"]
    assert math.isnan(row["value"])
    assert (row["verdict"], row["note"]) == ("undefined", "nothing to compare: no blind coding")


def test_the_same_seed_gives_the_same_rows(book: Codebook) -> None:
    """Chance is an argument."""
    chance = np.random.default_rng(4)
    codes = np.array(["warm", "cold"])
    triples = [tuple(codes[chance.integers(0, 2, 3)]) for _ in range(40)]
    values, model = {"tone": nested(triples)}, {"tone": suggested(list(codes) * 20)}
    one, two = (anchoring.anchoring(values, model, NONE, NONE, book, seed=7) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)


def annotations(values: pd.DataFrame, hurried: str) -> pd.DataFrame:
    """Blind 60 seconds each, assisted 40, and 10 for one coder."""
    seconds = [
        60.0 if arm == "blind" else 10.0 if coder == hurried else 40.0
        for coder, arm in zip(values["coder"], values["arm"], strict=True)
    ]
    return values[["unit", "coder", "arm"]].assign(lead_time=seconds, cancelled=0, withdrawn=0)


def test_accepting_without_reading_is_flagged(book: Codebook) -> None:
    """30 units; all accept everything, ada in 10 of 60 seconds: she alone is flagged."""
    values = {"tone": nested([("warm", "warm", "cold")] * 30)}
    rows = anchoring.anchoring(
        values,
        {"tone": suggested(["warm"] * 30)},
        NONE,
        annotations(values["tone"], "human:ada"),
        book,
        seed=1,
    )
    flags = {
        coder: measured(rows, "all", coder=coder)["rubber_stamping"]["verdict"] for coder in CODERS
    }
    assert flags == {
        "human:ada": "flagged",
        "human:ben": "not flagged",
        "human:cyn": "not flagged",
    }
    assert (
        "95% of 10 or more units"
        in measured(rows, "all", coder=CODERS[0])["rubber_stamping"]["method"]
    )
    whole = measured(rows, "all")
    assert (whole["lead_time.blind"]["value"], whole["lead_time.assisted"]["value"]) == (60, 40)
    ratio = whole["lead_time.ratio"]
    assert ratio["value"] == pytest.approx((10 / 60 * 40 / 60 * 40 / 60) ** (1 / 3))
    assert ratio["low"] <= ratio["value"] <= ratio["high"] < 1


def test_changes_tell_what_was_accepted(book: Codebook) -> None:
    """With CHANGES, a unit is accepted whole where no row is edited, added or deleted."""
    values = {"tone": nested([("warm", "warm", "cold")] * 30)}
    changes = tables.frame(
        tables.CHANGES,
        [
            {
                "codebook": "b",
                "unit": f"u{u}",
                "coder": CODERS[u % 3],
                "arm": "assisted",
                "replicate": 1,
                "segment": "",
                "suggested_segment": "",
                "variable": "tone",
                "suggester": "model:x",
                "suggested": "warm",
                "value": "warm" if u % 2 else "cold",
                "change": "accepted" if u % 2 else "edited",
            }
            for u in range(30)
        ],
    )
    rows = anchoring.anchoring(
        values,
        {"tone": suggested(["warm"] * 30)},
        changes,
        annotations(values["tone"], CODERS[0]),
        book,
        seed=1,
    )
    assert measured(rows, "tone")["acceptance"]["value"] == 0.5
    ada = measured(rows, "all", coder=CODERS[0])
    assert ada["acceptance.whole_units"]["value"] == 0.5
    assert ada["rubber_stamping"]["verdict"] == "not flagged"
