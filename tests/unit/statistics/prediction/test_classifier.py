"""A linear classifier of made-up vectors."""

from __future__ import annotations

import numpy as np

from labeler.statistics.prediction.classifier import fit, holds_of

CHANCE = np.random.default_rng(1)
CENTRES = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])


def test_written_values_become_a_matrix() -> None:
    """Codes joined by + hold each; the empty set holds none; columns in the order of the codes."""
    found = holds_of(["b", "a+c", ""], ["a", "b", "c"])
    assert found.tolist() == [[False, True, False], [True, False, True], [False] * 3]
    assert holds_of([], ["a", "b"]).shape == (0, 2)


def test_single_gives_the_nearest_code() -> None:
    """Three heaps of vectors, a code each: a new vector gets the code of its heap, and one only."""
    codes = np.arange(60) % 3
    vectors = CENTRES[codes] + CHANCE.normal(0, 0.05, (60, 3))
    classify = fit(vectors, np.eye(3, dtype=bool)[codes], multiple=False)
    assert classify(CENTRES[::-1]).tolist() == np.eye(3, dtype=bool)[::-1].tolist()


def test_multiple_gives_each_code_for_itself() -> None:
    """A vector between two heaps gets both codes; what has neither gets the code for none."""
    parts = CHANCE.random((200, 2)) > 0.5
    vectors = parts + CHANCE.normal(0, 0.05, (200, 2))
    holds = np.column_stack([parts, ~parts.any(axis=1)])
    classify = fit(vectors, holds, multiple=True, none=2)
    given = classify(np.array([[1.0, 1], [0, 1], [0, 0]]))
    assert given.astype(int).tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]


def test_what_does_not_vary_is_given_to_all() -> None:
    """A code that all or no examples have needs no regression, and is given to all or to none."""
    vectors = CHANCE.random((5, 3))
    holds = np.tile([True, False], (5, 1))
    assert fit(vectors, holds, multiple=True)(vectors).tolist() == holds.tolist()
    assert fit(vectors, holds, multiple=False)(vectors).tolist() == holds.tolist()
