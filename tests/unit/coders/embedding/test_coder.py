"""The embedded coder on made-up vectors: answers of a model's form, none to what taught it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_up_lessons import BOOK, posts

from labeler.coders import requests
from labeler.coders.embedding import coder

# vectors: dog, cat, red, blue, loud
CODES = [
    ([1, 0, 0, 0, 1], {"topic": "dog", "marks": "plain", "bark": "loud"}),
    ([1, 0, 1, 0, 0], {"topic": "dog", "marks": "red", "bark": "low"}),
    ([0, 1, 1, 1, 0], {"topic": "cat", "marks": "red+blue"}),
    ([0, 1, 0, 1, 0], {"topic": "cat", "marks": "blue"}),
]
UNITS = [f"u{number}" for number in range(40)]
VECTORS = np.array([CODES[number % 4][0] for number in range(40)], dtype=float)
TAUGHT = pd.DataFrame(
    [
        (unit, name, value)
        for number, unit in enumerate(UNITS)
        for name, value in CODES[number % 4][1].items()
    ],
    columns=["unit", "variable", "value"],
    dtype="str",
)
MODEL = {"weights": "0" * 64, "tokenizer": "1" * 64, "tokens": 256}
NEW = {"n1": "One.", "n2": "Two.", "n3": "Three."}


def completions(
    vectors: list[list[float]],
    variables: tuple[str, ...] = ("topic", "marks", "bark"),
    trained_on: tuple[str, ...] = (),
) -> pd.DataFrame:
    """What the coder answers to NEW, taught for these variables."""
    taught = coder.learned(TAUGHT, BOOK, variables, units=UNITS, vectors=VECTORS)
    return coder.answers(
        posts(NEW),
        np.array(vectors, dtype=float),
        BOOK,
        taught,
        coder="embed@000000",
        created="2026-01-01T00:00:00Z",
        trained_on=trained_on,
    )


def codings(completions: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Unit → variable → value, read by the parser that reads a model's answers."""
    parsed = requests.parse(completions, posts(NEW), BOOK)
    assert set(parsed.faults["kind"]) <= {"taught"} and parsed.segments.empty
    found: dict[str, dict[str, str]] = {}
    for row in parsed.codings.to_dict("records"):
        found.setdefault(row["unit"], {})[row["variable"]] = row["value"]
    return found


THREE = [[1.0, 0, 0, 0, 1], [0, 1, 1, 1, 0], [0, 1, 0, 1, 0]]


def test_it_codes_what_it_was_taught() -> None:
    """Codes, sets, the code for none, and a question that applies to dogs alone."""
    assert codings(completions(THREE)) == {
        "n1": {"topic": "dog", "marks": "plain", "bark": "loud"},
        "n2": {"topic": "cat", "marks": "red+blue"},
        "n3": {"topic": "cat", "marks": "blue"},
    }


def test_it_abstains_on_the_rest() -> None:
    """Without a classifier a variable is null; what hangs on it does not apply; no segments."""
    answer: dict[str, Any] = json.loads(completions(THREE, variables=("marks", "bark")).answer[0])
    assert answer == {
        "rationale": "",
        "variables": {
            "topic": None,
            "marks": ["plain"],
            "bark": None,
            "age": None,
            "extra": None,
        },
        "segments": [],
    }


def test_it_does_not_code_what_it_learned_from() -> None:
    """A post of the same words as a lesson gets no answer, so no figure can come from it."""
    found = completions(THREE, trained_on=("TWO!",))
    assert found["error"].tolist() == ["", "taught", ""]
    assert found["answer"][1] == ""
    assert set(codings(found)) == {"n1", "n3"}


def test_answers_to_nothing() -> None:
    """An empty frame of posts has an empty frame of answers."""
    none = coder.answers(posts({}), np.zeros((0, 5)), BOOK, {}, coder="embed@0", created="now")
    assert none.empty


def spec(taught: pd.DataFrame = TAUGHT, **how: Any) -> dict[str, object]:
    """The coder's spec."""
    given: dict[str, Any] = {"variables": ("topic",), "model": MODEL} | how
    texts = posts({unit: unit for unit in UNITS})
    return coder.spec(taught, texts, BOOK, given["variables"], model=given["model"])


def test_the_name_is_of_what_it_learned() -> None:
    """The same units make the same coder, in whatever order they come."""
    name = coder.coder(spec())
    assert name.startswith("embed@") and len(name) == 12
    assert name == coder.coder(spec(TAUGHT.iloc[::-1]))
    assert spec()["units"] == 40


@pytest.mark.parametrize(
    "other",
    [
        {"taught": TAUGHT.iloc[3:]},
        {"taught": TAUGHT.replace("dog", "cat")},
        {"variables": ("topic", "marks")},
        {"model": MODEL | {"weights": "2" * 64}},
    ],
)
def test_another_lesson_or_model_makes_another_coder(other: dict[str, Any]) -> None:
    """More adjudicated units, other codes, another model: another coder."""
    assert coder.coder(spec(**other)) != coder.coder(spec())
