"""The learning curve as a person reads it. Vectors and codes are made up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_up_lessons import BOOK, codings

from labeler.coders.embedding import learning_curve

UNITS = [f"u{number}" for number in range(200)]
VALUES = ["cat" if number % 5 == 0 else "dog" for number in range(200)]
TAUGHT = pd.DataFrame(
    [(unit, "topic", value) for unit, value in zip(UNITS, VALUES, strict=True)],
    columns=["unit", "variable", "value"],
    dtype="str",
)
TOPIC = BOOK.variable("topic")
NOTHING = codings({})


def drawn(vectors: np.ndarray, cues: pd.DataFrame = NOTHING) -> learning_curve.LearningCurve:
    """The curve of the topic."""
    return learning_curve.curve(TAUGHT, cues, TOPIC, units=UNITS, vectors=vectors)


@pytest.fixture(scope="module")
def told() -> learning_curve.Curve:
    """The curve of vectors that tell a dog from a cat."""
    own = np.array([[1.0, 0] if value == "dog" else [0, 1.0] for value in VALUES])
    return drawn(own + np.random.default_rng(1).normal(0, 0.1, own.shape))


def test_the_table_says_what_was_measured(told: learning_curve.Curve) -> None:
    """Units, splits and seed; a line for each size; the baselines; whom the figures are about."""
    text = learning_curve.lines([told])
    assert text[0] == (
        "topic: 200 adjudicated units, 50 held out in each of 10 splits (seed 1); "
        "mean ± standard deviation"
    )
    assert [line.split("  ")[1] for line in text[2:8]] == [
        "embed, taught with 25",
        "embed, taught with 50",
        "embed, taught with 100",
        "embed, taught with 150",
        "majority",
        "cues",
    ]
    assert text[-2:] == [*learning_curve.PICKED]
    assert not any("does not beat" in line for line in text)


def test_abstaining_cues_are_shown_as_such(told: learning_curve.Curve) -> None:
    """A cues coder without a coding has coded 0 % and has no alpha."""
    line = next(line for line in learning_curve.lines([told]) if "cues" in line)
    assert line.split()[-2:] == ["–", "0%"]


def test_it_says_when_a_baseline_is_as_good() -> None:
    """Vectors that tell nothing lose against cues that are right: the table says so, in words."""
    right = codings({unit: {"topic": value} for unit, value in zip(UNITS, VALUES, strict=True)})
    text = learning_curve.lines([drawn(np.zeros((200, 2)), right)])
    assert "  It does not beat cues in macro F1: it is better in 0 of 10 splits." in text
    assert "  It does not beat cues in alpha: it is better in 0 of 10 splits." in text
    assert any("It does not beat majority in macro F1" in line for line in text)


def test_numbers_for_machines(told: learning_curve.Curve) -> None:
    """A row for each coder and size, with means, deviations and the seed."""
    table = learning_curve.table([told])
    assert table["coder"].tolist() == ["embed"] * 4 + ["majority", "cues"]
    assert table["taught"].tolist() == [25, 50, 100, 150, 150, 0]
    assert set(table["seed"]) == {1} and (table["macro_f1"][:4] > 0.9).all()


def test_no_variable_no_table() -> None:
    """Nothing offered, nothing said."""
    assert learning_curve.lines([]) == []
