"""Which row of a figure leads, and the weights of units drawn unequally."""

from __future__ import annotations

import pandas as pd

from labeler.reliability.weighting import design_weights, leading, leads

FIGURE = {"batch": "one", "kind": "human-human", "panel": "humans", "code": ""}


def rows(*given):
    """RELIABILITY rows: variable, coefficient and weighting each."""
    names = ("variable", "coefficient", "weighting")
    return pd.DataFrame([FIGURE | dict(zip(names, row, strict=True)) for row in given])


def test_the_weighted_row_leads_where_there_is_one():
    """Of two rows of one figure the weighted; a figure with one row keeps it."""
    found = rows(
        ("mood", "alpha", ""),
        ("mood", "alpha", "design"),
        ("mood", "ac1", ""),
        ("topic", "alpha", ""),
    )
    assert leads(found).tolist() == [False, True, True, True]
    assert leading(found)["weighting"].tolist() == ["design", "", ""]
    assert leading(found.head(0)).empty


def test_weights_are_one_over_the_probability_where_they_differ_and_all_are_known():
    """1/2 and 1/10 weigh 2 and 10; equal ones, or one that is not known, give none."""
    tasks = pd.DataFrame({"unit": ["u", "v", "w"], "unit_probability": [0.5, 0.1, 0.1]})
    weights = design_weights(["u", "v"], tasks)
    assert weights is not None
    assert weights.tolist() == [2, 10]
    assert design_weights(["v", "w"], tasks) is None
    assert design_weights(["u", "x"], tasks) is None
    assert design_weights([], tasks) is None
