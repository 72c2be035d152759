"""Which figures a batch has, and what each says to those who do not see it."""

from __future__ import annotations

import math

import pandas as pd
import pytest
import walks_study

from labeler.results.figures import draw, style
from labeler.results.figures.declaration import BatchFigure, figures_of
from labeler.store import tables

BOOK = walks_study.BOOK
MODEL = walks_study.MODEL


def assessment_rows(*, bins: bool = True) -> pd.DataFrame:
    """A calibration by votes of 40 units, two bins and two points."""
    numbers = {"ece": 0.08, "point.01.coverage": 0.5, "point.01.risk": 0.1}
    numbers |= {"point.02.coverage": 1.0, "point.02.risk": 0.325}
    if bins:
        numbers |= {"bin.01.confidence": 0.6, "bin.01.accuracy": 0.45}
    same = {"batch": "b", "codebook": "k", "assessment": "calibration", "coder": MODEL, "n": 40}
    rows = [
        same
        | {"variable": variable, "measure": f"{measure}.vote", "value": value}
        | {"low": max(value - 0.06, 0), "high": value + 0.06}
        for variable in ("all", "relevance")
        for measure, value in numbers.items()
    ]
    return tables.frame(tables.ASSESSMENTS, rows)


def estimate_rows(**other: object) -> pd.DataFrame:
    """One share with its interval, and another row."""
    same = {"batch": "b", "codebook": "k", "analysis": "relevance", "measure": "share"}
    same |= {"target": "collection", "estimator": "corrected"}
    rows = [
        {"code": "relevance:relevant", "value": 0.25, "low": 0.1, "high": 0.4},
        {"code": "relevance:other", **other},
    ]
    return tables.frame(tables.ESTIMATES, [same | row for row in rows])


def reliability_rows() -> pd.DataFrame:
    """Humans: one variable of .8 that passes, one of .3 that fails; the model: undefined."""
    same = {"batch": "b", "codebook": "k", "coefficient": "krippendorff_alpha.nominal"}
    humans = same | {"kind": "human-human", "panel": "humans", "evidence": 1}
    rows = [
        humans | {"variable": "relevance", "value": 0.8, "verdict": "pass"},
        humans | {"variable": "mood", "value": 0.3, "verdict": "fail"},
        same
        | {"kind": "model-panel", "panel": f"{MODEL} vs humans", "evidence": 1}
        | {"variable": "mood", "verdict": "undefined"},
        same
        | {"kind": "assisted", "panel": "humans, assisted", "evidence": 0}
        | {"variable": "mood", "value": 0.99, "verdict": ""},
    ]
    return tables.frame(tables.RELIABILITY, rows)


def figures(**frames: pd.DataFrame) -> dict[str, BatchFigure]:
    """The figures of these tables, by the names of their files."""
    return {one.name: one for one in figures_of(frames, BOOK)}


def test_a_figure_for_each_variable_or_one_for_the_batch() -> None:
    """Files are named by figure and variable; the unit as a whole stands first."""
    names = figures(
        reliability=reliability_rows(), estimates=estimate_rows(), assessments=assessment_rows()
    )
    assert list(names) == [
        "calibration-all",
        "calibration-relevance",
        "estimates-relevance",
        "reliability",
    ]


def test_nothing_to_draw_is_no_figure() -> None:
    """Empty tables, and a confidence that nobody could judge."""
    assert figures(reliability=tables.frame(tables.RELIABILITY)) == {}
    assert figures(assessments=assessment_rows(bins=False)) == {}
    assert figures() == {}


def test_the_calibration_in_words() -> None:
    """Its error with interval, what the surest half errs in, and of how many units."""
    drawn = figures(assessments=assessment_rows())
    assert drawn["calibration-relevance"].alt == (
        "Relevance <i>of it</i>: expected calibration error 0.080 [0.020, 0.140]; of the surest "
        "50% of units, 10% differ from a blind coder (40 units)"
    )
    assert drawn["calibration-all"].alt.startswith("All variables: ")


def test_the_shares_in_words() -> None:
    """The most frequent code; a share that is held back is not told."""
    whole = figures(estimates=estimate_rows(value=0.75, low=math.nan, high=math.nan))
    assert whole["estimates-relevance"].alt == (
        "Relevance <i>of it</i>: the most frequent code is Other, in 75.0% of posts "
        "(corrected by blind codes)"
    )
    hidden = figures(estimates=estimate_rows(hidden="few"))
    assert hidden["estimates-relevance"].alt == (
        "Relevance <i>of it</i>: the most frequent code is <b>Relevant</b>, in 25.0% "
        "[10.0%, 40.0%] of posts (corrected by blind codes); 1 of 2 shares are held back"
    )
    none = figures(estimates=estimate_rows().assign(value=math.nan))
    assert none["estimates-relevance"].alt == "Relevance <i>of it</i>: every share is held back"


def test_reliability_in_words() -> None:
    """The lowest and highest alpha of each panel that is evidence, and how many pass."""
    assert figures(reliability=reliability_rows())["reliability"].alt == (
        "Krippendorff's alpha. humans, blind: 0.300 (Mood) to 0.800 (Relevance <i>of it</i>); "
        f"1 of 2 variables pass. {MODEL} vs humans, blind: undefined; 0 of 1 variables pass"
    )


@pytest.mark.parametrize("width", [style.WIDE, 190])
def test_each_says_in_its_file_what_it_shows(width: int) -> None:
    """The SVG has a name for screen readers; labels are escaped there, too."""
    for drawn in figures(
        reliability=reliability_rows(), estimates=estimate_rows(), assessments=assessment_rows()
    ).values():
        told = drawn.alt.replace("<", "&lt;").replace(">", "&gt;")
        svg = draw.draw(drawn.spec(width=width), "svg").decode()
        assert svg.startswith(f'<svg role="img" aria-label="{told}" ')


def test_the_charts_of_a_calibration_stand_below_each_other_on_a_phone() -> None:
    """Beside each other they would be too small to read."""
    drawn = figures(assessments=assessment_rows())["calibration-relevance"]
    assert "hconcat" in drawn.spec()
    assert "vconcat" in drawn.spec(width=190)
