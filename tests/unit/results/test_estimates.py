"""A recipe's estimates: by hand, and as the library has them when it is asked directly."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from analysis_frames import Reading, frame
from builders import book, choice

from labeler.results.estimates import NOBODY, RecipeEstimates, recipe_estimates
from labeler.results.phase_samples import AnalysisFrame, table_sample
from labeler.results.recipe import Recipe
from labeler.results.unit_totals import BASE, SCORE, SCORED
from labeler.statistics.estimation.crosstab import rao_scott
from labeler.statistics.estimation.derived import (
    difference,
    intervals,
    means,
    p_values,
    ratio,
    standard_errors,
)
from labeler.statistics.estimation.estimators import blind_alone, corrected
from labeler.statistics.estimation.two_phase import two_phase
from labeler.statistics.multiplicity import holm
from labeler.store import tables

BOOK = book(
    choice("kind", "report advice"),
    choice("mood", {"good": 1, "bad": -1, "so_so": 0}, of="segment"),
    choice("topic", "work home", of="segment", multiple=True),
)
OPEN = ("kind", "mood", "topic")


def recipe(*given: dict, **more: object) -> Recipe:
    content = {"recipe": "r", "codebook": "made-up", "tables": list(given), **more}
    return Recipe.model_validate(content)


def estimated(wanted: Recipe, made: AnalysisFrame, **more: object) -> RecipeEstimates:
    same: dict = {"batch": "b", "verdicts": {}, "override": "", "variables": OPEN}
    return recipe_estimates(wanted, made, BOOK, **{**same, **more})


def one(found: RecipeEstimates, **which: object) -> pd.Series:
    """The only row of which all this is true."""
    rows = found.rows
    for name, value in {"target": "collection", "estimator": "corrected", **which}.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1, rows
    return rows.iloc[0]


def study(size: int = 240, coded: int = 120, *, assisted: int = 0) -> AnalysisFrame:
    """Posts of one to three uses; the model errs in a sixth of the codes; two blind coders."""
    rng = np.random.default_rng(7)

    def read(truth: list[dict[str, str]], errs: float) -> list[dict[str, str]]:
        return [{name: other(name, value, errs) for name, value in part.items()} for part in truth]

    def other(name: str, value: str, errs: float) -> str:
        codes = BOOK.variable(name).codes
        return value if rng.random() > errs else codes[rng.integers(len(codes))]

    truth = [
        [{"kind": "advice" if rng.random() < 0.4 else "report"}]
        + [
            {
                "mood": ("good", "bad", "so_so")[rng.choice(3, p=[0.5, 0.3, 0.2])],
                "topic": ("work", "home")[int(rng.random() < 0.5)],
            }
            for _ in range(rng.integers(1, 4))
        ]
        for _ in range(size)
    ]
    blind: list[Reading] = [(u, read(truth[u], 0.05)) for u in range(coded) for _ in range(2)]
    return frame(
        [read(own, 1 / 6) for own in truth],
        blind,
        BOOK,
        author=[u // 2 for u in range(size)],
        columns={"month": [f"2025-0{1 + u % 6}" for u in range(size)]},
        drawn=range(coded),
        assisted=[(u, read(truth[u], 0.1)) for u in range(assisted)] if assisted else None,
    )


def test_where_everybody_is_coded_nothing_is_uncertain() -> None:
    """20 posts of a good and a bad use, 10 of a good one: 2/3 of 50 uses are good, 1.67 a post.

    The model says good of everything; the mean over both coders, who agree, is the truth.
    """
    two = [{"kind": "report"}, {"mood": "good"}, {"mood": "bad"}]
    single = [{"kind": "advice"}, {"mood": "good"}]
    given = [two] * 20 + [single] * 10
    made = frame(
        [[own[0], *({"mood": "good"} for _ in own[1:])] for own in given],
        [(u, own) for u, own in enumerate(given) for _ in range(2)],
        BOOK,
        drawn=range(30),
    )
    found = estimated(recipe({"table": "mood", "of": "mood"}), made)
    share = one(found, measure="share", code="mood:good")
    assert (share["value"], share["low"], share["high"]) == pytest.approx((30 / 50,) * 3)
    assert one(found, measure="rate", code="mood:good")["value"] == pytest.approx(1)
    assert one(found, measure="count", code="mood:bad")["value"] == pytest.approx(20)
    assert one(found, measure="mean", code="mood")["value"] == pytest.approx((30 - 20) / 50)
    assert (share["count"], share["units"], share["authors"]) == (30, 30, 30)
    model = one(found, measure="share", code="mood:good", estimator="model")
    assert (model["value"], model["reason"]) == (1.0, "not corrected")
    assert math.isnan(model["low"])


def test_units_drawn_unequally_count_as_many_units_by_hand() -> None:
    """60 reports, 38 not and 2 split, of 200; 96 not and 4 split, of 10,000: 3.16%.

    644 of 20,400 codings by weight; of the units coded it would be 31.5%.
    """
    blind: list[Reading] = []
    for place in range(200):
        a = "report" if place < 60 or 98 <= place < 100 or place >= 196 else "advice"
        b = "report" if place < 60 else "advice"
        blind += [(place, [{"kind": a}]), (place, [{"kind": b}])]
    chance = {place: 0.5 if place < 100 else 0.01 for place in range(200)}
    made = frame([[] for _ in range(10_200)], blind, BOOK, probability=chance, drawn=range(200))
    wanted = recipe({"table": "kind", "of": "kind"})
    row = one(estimated(wanted, made), estimator="blind", measure="share", code="kind:report")
    assert row["value"] == pytest.approx(644 / 20_400)
    assert row["low"] < 0.02 and row["high"] > 0.045
    assert (row["count"], row["units"]) == (66, 200)
    alike = estimated(wanted, made._replace(probability=np.full(10_200, np.nan)))
    plain = one(alike, estimator="blind", measure="share", code="kind:report")
    assert plain["value"] == pytest.approx(63 / 200)


@pytest.mark.parametrize("target", ["collection", "population"])
def test_rows_are_what_the_library_says(target: str) -> None:
    """Shares of posts, of segments, counts, means: value, interval, error, λ, effective size."""
    made = study()
    wanted = recipe({"table": "kind", "of": "kind"}, {"table": "mood", "of": "mood"})
    found = estimated(wanted, made)
    kind, mood = (table_sample(table, made, BOOK) for table in wanted.tables)
    direct = corrected(kind.sample, target=target)  # type: ignore[arg-type]
    at = kind.cells.place["kind:advice", "", ""]
    row = one(found, measure="share", code="kind:advice", target=target)
    theirs = intervals(direct, means(direct, scale="share"))[at]
    assert (row["value"], row["low"], row["high"]) == pytest.approx(theirs[:3])
    assert (row["tuning"], row["correlation"]) == (direct.tuning[at], direct.correlation[at])
    assert row["effective_size"] == direct.effective_size[at]
    both = corrected(mood.sample, target=target)  # type: ignore[arg-type]
    unit = np.eye(len(mood.cells.cells))
    place = mood.cells.place
    figures = ratio(both, unit[place[SCORE, "", ""]], unit[place[SCORED, "", ""]], scale="score")
    row = one(found, measure="mean", code="mood", target=target)
    assert (row["value"], row["se"]) == pytest.approx(
        (figures.value[0], standard_errors(both, figures)[0])
    )
    alone = blind_alone(mood.sample, target=target)  # type: ignore[arg-type]
    good = ratio(alone, unit[place["mood:good", "", ""]], unit[place[BASE, "", ""]], scale="share")
    row = one(found, measure="share", code="mood:good", estimator="blind", target=target)
    assert (row["value"], row["low"]) == pytest.approx(intervals(alone, good)[0][:2])


def test_a_crossed_table_has_its_test_and_its_shares_add_up() -> None:
    """One λ for the table; chi-square by Rao and Scott; a residual and shares for each cell."""
    made = study()
    wanted = recipe({"table": "t", "of": "mood", "by": "topic"})
    found = estimated(wanted, made)
    sample = table_sample(wanted.tables[0], made, BOOK)
    direct = corrected(sample.sample, target="collection", tuning="common")
    place = sample.cells.place
    cells = [
        [place[f"mood:{code}", f"topic:{group}", ""] for group in ("work", "home")]
        for code in ("good", "bad", "so_so")
    ]
    test = rao_scott(direct, cells)
    row = one(found, measure="chi-square")
    assert (row["value"], row["p"]) == pytest.approx((test.statistic, test.p))
    assert (row["code"], row["by"]) == ("mood", "topic")
    assert one(found, measure="cramers v")["value"] == pytest.approx(test.v)
    cell = {"code": "mood:bad", "by": "topic:home"}
    assert one(found, measure="residual", **cell)["value"] == pytest.approx(test.adjusted[1, 1])
    assert one(found, measure="pearson residual", **cell)["value"] == pytest.approx(
        test.pearson[1, 1]
    )
    shares = found.rows[(found.rows["estimator"] == "corrected") & (found.rows["measure"] != "")]
    own = shares[(shares["target"] == "collection") & (shares["measure"] == "share of column")]
    assert own.groupby("by")["value"].sum().tolist() == pytest.approx([1, 1])
    residuals = found.rows[
        (found.rows["measure"] == "residual") & (found.rows["estimator"] == "corrected")
    ]
    mine = residuals[residuals["target"] == "collection"]
    assert mine["p_adjusted"].tolist() == pytest.approx(holm(mine["p"]).tolist())


def test_contrasts_are_judged_together() -> None:
    """The difference of two means with the error of both, and Holm's p over all that were named."""
    made = study()
    table = {"table": "t", "of": "mood", "by": "topic", "measures": ["mean", "share"]}
    contrast = {"table": "t", "a": "topic:work", "b": "topic:home"}
    wanted = recipe(
        table,
        contrasts=[
            {**contrast, "measure": "mean"},
            {**contrast, "measure": "share", "code": "mood:bad", "kind": "ratio"},
        ],
    )
    found = estimated(wanted, made)
    sample = table_sample(wanted.tables[0], made, BOOK)
    direct = corrected(sample.sample, target="collection", tuning="common")
    unit, place = np.eye(len(sample.cells.cells)), sample.cells.place
    work, home = (
        ratio(direct, unit[place[SCORE, by, ""]], unit[place[SCORED, by, ""]], scale="score")
        for by in ("topic:work", "topic:home")
    )
    apart = difference(work, home)
    row = one(found, measure="difference")
    assert (row["code"], row["by"], row["within"]) == ("mood", "topic:work", "topic:home")
    assert row["value"] == pytest.approx(float(apart.value[0]))
    assert row["p"] == pytest.approx(float(p_values(direct, apart)[0]))
    other = one(found, measure="ratio")
    shares = [
        one(found, measure="share", code="mood:bad", by=by)["value"]
        for by in ("topic:work", "topic:home")
    ]
    assert other["value"] == pytest.approx(shares[0] / shares[1])
    assert other["low"] < other["value"] < other["high"]
    both = holm([row["p"], other["p"]]).tolist()
    assert [row["p_adjusted"], other["p_adjusted"]] == pytest.approx(both)


def test_months_have_their_own_posts_and_one_slope() -> None:
    """Each month's share is of its posts, whose number is known; the slope is a row."""
    wanted = recipe(
        {"table": "kind by month", "of": "kind", "by": "month"},
        {"table": "posts", "of": "posts", "by": "month"},
        trends=[{"table": "kind by month", "measure": "share", "code": "kind:advice"}],
    )
    found = estimated(wanted, study(480, 300))
    volume = one(found, analysis="posts", by="month:2025-03", code="posts")
    assert (volume["value"], volume["low"], volume["high"]) == (80, 80, 80)
    months = [
        one(found, measure="share", code="kind:advice", by=f"month:2025-0{at}")["value"]
        for at in range(1, 7)
    ]
    slope = one(found, measure="trend")
    assert slope["value"] == pytest.approx(np.polyfit(range(6), months, 1)[0])
    assert 0 < slope["p"] <= 1
    assert one(found, measure="trend", estimator="model")["reason"] == "not corrected"


def test_two_phases_where_the_blind_are_a_part_of_the_assisted() -> None:
    made = study(assisted=200)
    wanted = recipe({"table": "kind", "of": "kind"})
    found = estimated(wanted, made)
    sample = table_sample(wanted.tables[0], made, BOOK)
    assert sample.phases is not None
    direct = two_phase(sample.phases, target="collection")
    row = one(found, estimator="two-phase", measure="share", code="kind:advice")
    assert row["value"] == pytest.approx(direct.mean[sample.cells.place["kind:advice", "", ""]])
    assert "two-phase" not in set(estimated(wanted, study()).rows["estimator"])


def test_without_blind_codes_nothing_is_estimated_and_it_is_said() -> None:
    made = frame([[{"kind": "report"}]] * 5, [], BOOK)
    found = estimated(recipe({"table": "kind", "of": "kind"}), made)
    assert found.rows.empty
    assert list(found.rows.columns) == tables.columns(tables.ESTIMATES)
    assert [tuple(left) for left in found.left_out] == [("kind", NOBODY)]


def test_without_a_model_people_stand_alone() -> None:
    made = study()._replace(has_model=False)
    found = estimated(recipe({"table": "kind", "of": "kind"}), made)
    assert set(found.rows["estimator"]) == {"blind"}


def test_only_tables_of_open_variables_are_made() -> None:
    wanted = recipe({"table": "kind", "of": "kind"}, {"table": "t", "of": "mood", "by": "topic"})
    found = estimated(wanted, study(), variables=("kind", "mood"))
    assert set(found.rows["analysis"]) == {"kind"}


def test_rare_and_small_cells_are_told() -> None:
    """9 of 100 give advice: below ten carriers, so no interval; few authors: it may not leave."""
    given = ["advice"] * 9 + ["report"] * 91
    made = frame(
        [[{"kind": "report"}] for _ in range(300)],
        [(u, [{"kind": kind}]) for u, kind in enumerate(given)],
        BOOK,
        drawn=range(100),
    )
    found = estimated(recipe({"table": "kind", "of": "kind"}), made)
    rare = one(found, measure="share", code="kind:advice")
    assert rare["reason"] == "below ten carriers"
    assert rare["value"] == pytest.approx(0.09)
    assert math.isnan(rare["low"])
    assert rare["hidden"] == "fewer than 11 authors"
    beside = one(found, measure="share", code="kind:report")["hidden"]
    assert beside == "would give away a cell of fewer than 11 authors"


def test_the_least_verdict_stands_in_each_row() -> None:
    """Of the variable and of the code; an override goes with every row."""
    verdicts = {("kind", ""): "pass", ("kind", "advice"): "inconclusive", ("mood", ""): "fail"}
    wanted = recipe({"table": "kind", "of": "kind"}, {"table": "mood", "of": "mood"})
    found = estimated(wanted, study(), verdicts=verdicts, override="a pilot")
    assert one(found, measure="share", code="kind:advice")["verdict"] == "inconclusive"
    assert one(found, measure="share", code="kind:report")["verdict"] == "pass"
    assert one(found, measure="share", code="mood:bad")["verdict"] == "fail"
    assert set(found.rows["override"]) == {"a pilot"}


def test_who_was_not_asked_is_not_counted() -> None:
    """Of two coders one was not asked of kinds: the other alone decides."""
    blind: list[Reading] = [(u, [{"kind": "report"}]) for u in range(12)]
    blind += [(u, [{}]) for u in range(12)]
    made = frame([[{"kind": "advice"}]] * 12, blind, BOOK, drawn=range(12))
    asked = {**made.blind.asked, "kind": np.arange(24) < 12}
    told = estimated(
        recipe({"table": "kind", "of": "kind"}),
        made._replace(blind=made.blind._replace(asked=asked)),
    )
    assert one(told, measure="share", code="kind:report", estimator="blind")["value"] == 1
