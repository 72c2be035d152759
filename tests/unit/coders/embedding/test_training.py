"""What adjudicated units teach, and from how many on. Posts and codings are made up."""

from __future__ import annotations

from typing import Any

import pandas as pd
from made_up_lessons import BOOK, codings, posts

from labeler.coders.embedding.training import (
    AGAIN,
    EVALUATED,
    LEAST,
    TrainingSet,
    trainable,
    training_set,
)

TEXTS = {
    "u1": "My dog.",
    "u2": "A cat!",
    "u3": "my DOG",
    "u4": "A bird.",
    "v1": "a cat",
    "v2": "Quite another",
}
DOG = {"topic": "dog", "bark": "loud", "marks": "red+blue"}


def codes(found: TrainingSet) -> list[tuple[str, ...]]:
    """The rows of a training set as tuples."""
    return [tuple(row) for row in found.codes.to_numpy().tolist()]


def of(
    given: dict[str, dict[str, str]], *, evaluated: tuple[str, ...] = (), **more: Any
) -> TrainingSet:
    """Lessons from these codings and TEXTS."""
    return training_set(codings(given, **more), posts(TEXTS), BOOK, evaluated=evaluated)


def test_adjudicated_codings_teach() -> None:
    """Each agreed coding of a variable of the unit is a lesson; sets stay whole."""
    assert codes(of({"u1": DOG})) == [
        ("u1", "topic", "dog"),
        ("u1", "marks", "red+blue"),
        ("u1", "bark", "loud"),
    ]


def test_only_the_adjudication_arm_teaches() -> None:
    """Blind and assisted codings teach nothing, nor do those of segments and later replicates."""
    for more in ({"arm": "blind"}, {"arm": "assisted"}, {"segment": "1"}, {"replicate": 2}):
        assert codes(of({"u1": DOG}, **more)) == []


def test_unit_under_evaluation_teaches_nothing() -> None:
    """Neither a unit under evaluation nor another of the same words is a lesson."""
    found = of({"u1": DOG, "u2": {"topic": "cat"}, "u4": DOG}, evaluated=("u4", "v1"))
    assert set(found.codes["unit"]) == {"u1"}
    assert found.left_out == {EVALUATED: 2}


def test_twins_teach_once() -> None:
    """Of units with the same words the first teaches, so that none is learned and held out."""
    found = of({"u1": DOG, "u3": {"topic": "cat"}})
    assert set(found.codes["unit"]) == {"u1"}
    assert found.left_out == {AGAIN: 1}


def test_adjudicators_who_differ_teach_nothing() -> None:
    """Where two adjudicators gave different codes there is no lesson; where they agree, one."""
    both = [codings({"u1": DOG}), codings({"u1": DOG | {"marks": "red"}}, coder="human:ben")]
    found = training_set(pd.concat(both), posts(TEXTS), BOOK, evaluated=())
    assert codes(found) == [("u1", "topic", "dog"), ("u1", "bark", "loud")]


def test_what_fits_no_codebook_teaches_nothing() -> None:
    """Unknown codes, and answers to a question that does not apply, are no lessons."""
    found = of({"u1": {"topic": "cat", "bark": "loud"}, "u2": {"topic": "bird"}})
    assert codes(found) == [("u1", "topic", "cat")]


def test_unit_without_a_post_teaches_nothing() -> None:
    """Codes without words cannot be learned."""
    assert codes(of({"gone": DOG})) == []


def many(count: dict[str, int]) -> pd.DataFrame:
    """Lessons of the topic, so many a code."""
    rows = [
        (f"{code}{number}", "topic", code)
        for code, times in count.items()
        for number in range(times)
    ]
    return pd.DataFrame(rows, columns=["unit", "variable", "value"], dtype="str")


def test_a_variable_is_offered_from_100_units_a_code() -> None:
    """99 of one code are too few, and the refusal says which code has how many."""
    assert LEAST == 100
    assert trainable(many({"dog": 100, "cat": 100}), BOOK).variables == ("topic",)
    few = trainable(many({"dog": 300, "cat": 99}), BOOK)
    assert few.variables == ()
    assert few.refused["topic"] == "needs 100 adjudicated units a code: cat has 99"


def test_each_refusal_has_its_reason() -> None:
    """Numbers, segments and what may be left open are named as what this coder cannot code."""
    refused = trainable(many({"dog": 5, "cat": 5}), BOOK, least=5).refused
    assert refused == {
        "marks": "needs 5 adjudicated units a code: red has 0, blue has 0, plain has 0",
        "bark": "needs 5 adjudicated units a code: loud has 0, low has 0",
        "age": "a number: this coder gives codes",
        "extra": "may be left open, which this coder cannot learn",
        "mood": "of a segment: this coder reads whole units",
    }


def test_a_question_behind_a_refused_one_is_refused() -> None:
    """Whether a dog barks cannot be asked where it is not coded that it is a dog."""
    barks = pd.DataFrame(
        [(f"u{number}", "bark", "loud" if number % 2 else "low") for number in range(10)],
        columns=["unit", "variable", "value"],
        dtype="str",
    )
    why = trainable(barks, BOOK, least=5).refused["bark"]
    assert why == "asked only where topic has a certain code, and that is not coded"


def test_codes_of_a_set_count_each() -> None:
    """red+blue is one unit of red and one of blue."""
    marks = ["red+blue"] * 5 + ["plain"] * 5
    rows = [(f"u{number}", "marks", value) for number, value in enumerate(marks)]
    frame = pd.DataFrame(rows, columns=["unit", "variable", "value"], dtype="str")
    assert "marks" in trainable(frame, BOOK, least=5).variables
