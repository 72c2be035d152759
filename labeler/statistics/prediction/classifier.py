"""A linear classifier from vectors to codes.

Codes are a boolean matrix `holds`, shape (units, codes): which codes each unit has, with columns
in codebook order. A single variable has one code a row, a multiple one any number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.statistics.agreement.distances import Floats
from labeler.text.coded_values import codes_of

Bools = NDArray[np.bool_]
Classifier = Callable[[Floats], Bools]

STRENGTH = 10.0  # scikit-learn's C: little penalty, since vectors of length 1 are small numbers
STEPS = 2000


def holds_of(values: Sequence[str], codes: Sequence[str]) -> Bools:
    """`holds` from written values: codes joined by `+`, '' for the empty set."""
    given = [set(codes_of(value)) for value in values]
    cells = [[code in one for code in codes] for one in given]
    return np.array(cells, dtype=bool).reshape(len(values), len(codes))


def fit(vectors: Floats, holds: Bools, *, multiple: bool, none: int = -1) -> Classifier:
    """A logistic regression on `vectors`, shape (units, dimensions), that gives `holds` of others.

    Single: one multinomial regression over the codes that occur. Multiple: one regression a code,
    against all units without it; `none` is the column of the code that says that no other
    applies (-1: there is none): it is given where no other is, and never beside another. What
    does not vary among the units is given to every unit. Needs scikit-learn.
    """
    if not multiple:
        chosen = _one(vectors, holds.argmax(axis=1))
        return lambda others: np.eye(holds.shape[1], dtype=bool)[chosen(others)]
    columns = [_one(vectors, column.astype(np.intp)) for column in holds.T]

    def several(others: Floats) -> Bools:
        given = np.column_stack([column(others) for column in columns]).astype(bool)
        if none >= 0:
            given[:, none] = ~np.delete(given, none, axis=1).any(axis=1)
        return given

    return several


def _one(vectors: Floats, classes: NDArray[np.intp]) -> Callable[[Floats], NDArray[np.intp]]:
    """Vectors to one class each."""
    # slow to load and optional: the core of the program does without it
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    if (classes == classes[0]).all():
        return lambda others: np.full(len(others), classes[0])
    model: Any = LogisticRegression(C=STRENGTH, max_iter=STEPS).fit(vectors, classes)
    return lambda others: np.asarray(model.predict(others), dtype=np.intp)
