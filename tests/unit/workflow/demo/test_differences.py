"""Which shares correction moves most, from rows made by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd

from labeler.workflow.demo.differences import differing_shares


def row(code: str, estimator: str, value: float, **other: Any) -> dict[str, Any]:
    low, high = (None, None) if estimator == "model" else (value - 0.05, value + 0.05)
    reason = "not corrected" if estimator == "model" else ""
    whole = {"analysis": "impact", "measure": "share", "target": "collection", "by": "",
             "within": "", "low": low, "high": high, "reason": reason, "hidden": ""}  # fmt: skip
    return {**whole, "code": code, "estimator": estimator, "value": value, **other}


def three(code: str, model: float, blind: float, corrected: float, **of_corrected: Any) -> Any:
    return [
        row(code, "model", model),
        row(code, "blind", blind),
        row(code, "corrected", corrected, **of_corrected),
    ]


def test_the_largest_move_comes_first() -> None:
    """.46 to .37 is a larger move than .25 to .30; the third is beyond what is asked for."""
    rows = [
        *three("impact:negative", 0.25, 0.31, 0.30),
        *three("impact:positive", 0.46, 0.40, 0.37),
        *three("impact:neutral", 0.10, 0.12, 0.11),
    ]
    found = differing_shares(pd.DataFrame(rows), most=2)
    assert [one.code for one in found] == ["impact:positive", "impact:negative"]
    assert (found[0].model["value"], found[0].blind["value"]) == (0.46, 0.40)
    assert (found[0].corrected["low"], found[0].corrected["high"]) == (0.37 - 0.05, 0.37 + 0.05)


def test_a_code_stands_once_where_it_moves_most() -> None:
    """Of posts it moves by .10, of segments by .04."""
    rows = three("impact:positive", 0.46, 0.44, 0.42)
    rows += [
        part | {"analysis": "impact in posts"} for part in three("impact:positive", 0.5, 0.41, 0.4)
    ]
    [found] = differing_shares(pd.DataFrame(rows), most=9)
    assert (found.analysis, found.corrected["value"]) == ("impact in posts", 0.4)


def test_two_phase_is_taken_where_it_is() -> None:
    """The better estimator stands for the corrected figure."""
    rows = [*three("value:trust", 0.2, 0.1, 0.12), row("value:trust", "two-phase", 0.11)]
    [found] = differing_shares(pd.DataFrame(rows), most=9)
    assert found.corrected["estimator"] == "two-phase"


def test_only_whole_shares_that_may_be_shown() -> None:
    """Groups, other measures and targets, hidden cells and what is not estimable stay out."""
    rows = [
        *three("value:privacy", 0.2, 0.1, 0.12, hidden="fewer than 11 authors"),
        *three("value:calmness", 0.2, 0.1, 0.12, reason="3 carriers", low=None, high=None),
        *[part | {"by": "platform:x"} for part in three("value:trust", 0.2, 0.1, 0.12)],
        *[part | {"measure": "rate"} for part in three("value:trust", 0.2, 0.1, 0.12)],
        *[part | {"target": "population"} for part in three("value:trust", 0.2, 0.1, 0.12)],
    ]
    assert differing_shares(pd.DataFrame(rows), most=9) == []
