"""ASSESSMENTS rows of calibration and the skip rule, and which units go without review."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from builders import book, choice, numeric

from labeler.coders.confidence import CONFIDENCE
from labeler.errors import TableError
from labeler.reliability.assessments import calibration, confidence_targets, deferral
from labeler.results.figures import calibration as diagrams
from labeler.results.figures import draw
from labeler.store import tables

BOOK = book(
    choice("mood", "good bad"),
    numeric("points", 0, 100, applies_when={"mood": ["good"]}),
    choice("topic", "work home", multiple=True),
)
MODEL = "model:m@0a1b2c"
SECRET = b"made up for this test"
GIVEN = {"epsilon": 0.1, "delta": 0.05}


def assessed(blind, model, told, book, *, drawn=None, authors=None, **settings):
    """Both assessments of the confidence of MODEL, as they are stored."""
    targets = confidence_targets.confidence_targets(blind, model, told, book, seed=1, drawn=drawn)
    about = {"model": MODEL, "variables": sorted(set(model["variable"]))}
    asked = deferral.SkipSettings(**settings)
    parts = [
        calibration.calibration(targets, **about, authors=authors),
        deferral.skip_rules(targets, **about, settings=asked, seed=1),
    ]
    same = {"batch": "b", "codebook": book.fingerprint}
    rows = [row | same for part in parts for row in part.to_dict("records")]
    return tables.frame(tables.ASSESSMENTS, rows)


def values_of(*rows):
    """Rows of (variable, unit, coder, value), blind."""
    found = pd.DataFrame(rows, columns=["variable", "unit", "coder", "value"])
    return found.assign(arm="blind")


def model_of(*rows):
    return pd.DataFrame(rows, columns=["variable", "unit", "value"])


def study(*, frame=400, coded=200, wrong=4, coders=("human:a",), kind="vote"):
    """A frame in which three quarters have a confidence of 1, the others of .6.

    The model says `good` of every unit; the `coded` first units were coded blind, all by each of
    the coders. `wrong` of the coded sure units are bad, and every second of the others.
    """
    units = [f"u{number:04}" for number in range(frame)]
    sure = [1.0 if number % 4 else 0.6 for number in range(frame)]
    bad = [number % 8 == 0 for number in range(frame)]
    for number in range(1, 4 * wrong, 4):
        bad[number] = True
    blind = values_of(
        *(
            ("mood", units[number], coder, "bad" if bad[number] else "good")
            for number in range(coded)
            for coder in coders
        )
    )
    told = pd.DataFrame(
        {
            "unit": units,
            "coder": MODEL,
            "segment": "",
            "variable": "mood",
            "code": "good",
            "confidence": sure,
            "kind": kind,
            "replicates": 5,
        },
        columns=CONFIDENCE,
    )
    return blind, model_of(*(("mood", unit, "good") for unit in units)), told


def cell(rows, measure, *, variable="mood", code="", assessment=None):
    """The one row of a measure."""
    own = rows[(rows["variable"] == variable) & (rows["code"] == code)]
    if assessment:
        own = own[own["assessment"] == assessment]
    (found,) = own[own["measure"] == measure].to_dict("records")
    return found


def test_figures_by_hand() -> None:
    """150 of 1.0, 4 wrong; 50 of .6, 25 wrong: ECE (4 + 50 |.5 - .6|) / 200 = .045."""
    rows = assessed(*study(), BOOK, **GIVEN)
    assert list(rows.columns) == tables.columns(tables.ASSESSMENTS)
    ece = cell(rows, "ece.vote")
    assert ece["value"] == pytest.approx((4 + 5) / 200)
    assert ece["n"] == 200
    assert (ece["coder"], ece["codebook"]) == (MODEL, BOOK.fingerprint)
    assert cell(rows, "brier.vote")["value"] == pytest.approx((4 + 25 * (0.16 + 0.36)) / 200)
    assert cell(rows, "aurc.vote")["value"] == pytest.approx((150 * 4 / 150 + 50 * 29 / 200) / 200)


def test_curves_are_rows() -> None:
    """Two bins and two points, each in two rows; the surest point covers 150 of 200."""
    rows = assessed(*study(), BOOK, **GIVEN)
    assert cell(rows, "bin.01.confidence.vote")["value"] == pytest.approx(0.6)
    assert cell(rows, "bin.01.accuracy.vote")["value"] == pytest.approx(0.5)
    assert cell(rows, "bin.02.accuracy.vote")["n"] == 150
    assert cell(rows, "point.01.coverage.vote")["value"] == pytest.approx(0.75)
    risk = cell(rows, "point.01.risk.vote")
    assert risk["value"] == pytest.approx(4 / 150)
    assert risk["low"] < risk["value"] < risk["high"]


def test_the_rule_and_what_it_promises() -> None:
    """4 of 150 reject at 10%, 29 of 200 do not: kept from 1.0 on, three quarters of the frame."""
    rows = assessed(*study(), BOOK, **GIVEN)
    rule = cell(rows, "threshold.vote")
    assert (rule["value"], rule["n"], rule["verdict"]) == (1.0, 150, "skip")
    assert rule["p"] < 0.05
    assert "with certainty 0.95, at most 0.1 of the units" in rule["note"]
    assert "a random 0.1 of them goes to people all the same" in rule["note"]
    assert cell(rows, "error.vote")["value"] == pytest.approx(4 / 150)
    assert cell(rows, "error.vote")["high"] < 0.1
    assert cell(rows, "accepted.vote")["value"] == 0.75
    assert cell(rows, "accepted.vote")["n"] == 400
    assert cell(rows, "audit.vote")["value"] == 0.1


def test_codes_share_the_certainty() -> None:
    """Two codes: delta/2 each, said in words; a code that was never given has no rule."""
    rows = assessed(*study(), BOOK, **GIVEN)
    assert cell(rows, "delta.vote", code="good")["value"] == 0.025
    assert "all 2 codes of mood at once" in cell(rows, "threshold.vote", code="good")["note"]
    bad = cell(rows, "threshold.vote", code="bad")
    assert (bad["verdict"], bad["note"]) == ("undefined", "no unit has a confidence")
    assert cell(rows, "ece.vote", code="bad")["verdict"] == "undefined"


def test_where_nothing_can_be_shown_nothing_is_skipped() -> None:
    """20 coded units: no threshold, and how many it would take."""
    rows = assessed(*study(coded=20, wrong=0), BOOK, **GIVEN)
    rule = cell(rows, "threshold.vote")
    assert rule["verdict"] == "none"
    assert "29 are needed" in rule["note"] or "would be needed" in rule["note"]
    assert not (rows["measure"] == "accepted.vote").any()


def test_units_drawn_unequally_are_thinned_for_the_rule_and_weighted_for_the_figures() -> None:
    """Half drawn with .8, half with .4: the exact binomial gets about three quarters of them."""
    blind, model, told = study()
    units = sorted(set(blind["unit"]))
    chances = [0.8 if place % 2 else 0.4 for place in range(len(units))]
    drawn = pd.DataFrame({"unit": units, "unit_probability": chances})
    rows = assessed(blind, model, told, BOOK, **GIVEN, drawn=drawn)
    rule = cell(rows, "threshold.vote")
    (kept,) = re.findall(r"(\d+) of 200 were kept", rule["note"])
    assert 130 < int(kept) < 170
    assert rule["n"] < 150
    ece = cell(rows, "ece.vote")
    assert ece["n"] == 200
    assert "weighted by 1/probability" in ece["method"]
    # the units of .6 stand at even places, and half of the wrong sure ones at odd places
    heavy = {unit: 1 / chance for unit, chance in zip(units, chances, strict=True)}
    sure = dict(zip(told["unit"], told["confidence"], strict=True))
    off = {c: sum(heavy[u] for u in units if sure[u] == c) for c in (1.0, 0.6)}
    wrong = sum(heavy[u] for u in blind.loc[blind["value"] == "bad", "unit"] if sure[u] == 1)
    assert ece["value"] == pytest.approx((wrong + 0.1 * off[0.6]) / sum(off.values()))


def test_a_coded_unit_without_a_probability_is_refused() -> None:
    """It could not be weighted; so is one of 0."""
    blind, model, told = study()
    drawn = pd.DataFrame({"unit": ["u0000"], "unit_probability": [0.0]})
    with pytest.raises(TableError, match="200 coded units have no drawing probability"):
        assessed(blind, model, told, BOOK, **GIVEN, drawn=drawn)


@pytest.mark.parametrize("name", ["epsilon", "delta", "audit"])
def test_no_review_is_left_out_whole(name) -> None:
    """A share of 0 or 1 promises nothing, or looks at nothing."""
    for share in (0.0, 1.0):
        with pytest.raises(TableError, match=f"{name} {share} must lie between"):
            assessed(*study(), BOOK, **GIVEN | {name: share})


def test_several_blind_coders_are_one_by_chance() -> None:
    """Each unit is judged by one of its coders, the same for all its variables."""
    blind, model, _ = study(coders=("human:a", "human:b"), wrong=0)
    found = confidence_targets.agreements(blind, model, BOOK, seed=1)
    whole = found[(found["variable"] == "mood") & (found["code"] == "")]
    assert whole["unit"].is_unique
    assert len(whole) == 200
    assert 70 < (whole["coder"] == "human:a").sum() < 130
    assert found.groupby("unit")["coder"].nunique().max() == 1
    mixed = blind.sample(frac=1, random_state=3)
    again = confidence_targets.agreements(mixed, model, BOOK, seed=1)
    keys = ["variable", "code", "unit"]
    pd.testing.assert_frame_equal(
        found.sort_values(keys, ignore_index=True), again.sort_values(keys, ignore_index=True)
    )


def test_only_blind_humans_judge() -> None:
    """Assisted codings, the cues and other models are no evidence."""
    blind, model, _ = study(coded=4)
    others = [
        blind.assign(arm="assisted", coder="human:c"),
        blind.assign(coder="cues@1", arm=""),
        blind.assign(coder="model:n", arm=""),
    ]
    found = confidence_targets.agreements(pd.concat([blind, *others]), model, BOOK, seed=1)
    assert set(found["coder"]) == {"human:a"}
    assert len(confidence_targets.agreements(pd.concat(others), model, BOOK, seed=1)) == 0


def test_sets_and_values_that_did_not_apply() -> None:
    """A set is right as a whole or by code; a number where the human had none is wrong."""
    blind = values_of(
        ("topic", "u1", "human:a", "work"),
        ("mood", "u1", "human:a", "bad"),
        ("points", "u1", "human:a", None),
        ("points", "u2", "human:a", "7"),
    )
    model = model_of(
        ("topic", "u1", "work+home"),
        ("mood", "u1", "bad"),
        ("points", "u1", "40"),
        ("points", "u2", None),
    )
    found = confidence_targets.agreements(blind, model, BOOK, seed=1)
    assert {tuple(row) for row in found[["variable", "code", "unit", "agree"]].values.tolist()} == {
        ("topic", "", "u1", 0),
        ("topic", "work", "u1", 1),
        ("topic", "home", "u1", 0),
        ("mood", "", "u1", 1),
        ("mood", "bad", "u1", 1),
        ("points", "", "u1", 0),
        ("all", "", "u1", 0),
    }


def test_a_model_without_confidence_is_told_how_to_get_one() -> None:
    """Rows without a number, and with the two ways."""
    blind, model, told = study()
    rows = assessed(blind, model, told.iloc[:0], BOOK, **GIVEN)
    assert set(rows["verdict"]) == {"undefined"}
    assert rows["note"].str.contains("several replicates, or from log-prob").all()


def test_both_kinds_are_calibrated_and_votes_make_the_rule() -> None:
    """One rule, fixed before the data: two would double the chance to be wrong."""
    blind, model, told = study()
    both = pd.concat([told, told.assign(kind="logprob", replicates=1)])
    rows = assessed(blind, model, both, BOOK, **GIVEN)
    assert {"ece.vote", "ece.logprob"} <= set(rows["measure"])
    assert not (rows["measure"] == "threshold.logprob").any()
    alone = assessed(blind, model, told.assign(kind="logprob"), BOOK, **GIVEN)
    assert cell(alone, "threshold.logprob")["verdict"] == "skip"


def test_authors_are_clusters() -> None:
    """Posts of one author stay together when one is left out."""
    blind, model, told = study()
    authors = {unit: f"a{place // 10}" for place, unit in enumerate(told["unit"])}
    rows = assessed(blind, model, told, BOOK, **GIVEN, authors=authors)
    assert "delete-one-cluster" in cell(rows, "brier.vote")["method"]


def test_units_that_go_without_review() -> None:
    """The 300 sure ones but for a tenth or so, which people see; the others have probability 1."""
    blind, model, told = study()
    rules = assessed(blind, model, told, BOOK, **GIVEN)
    found = deferral.skipped(rules, model, told, BOOK, model=MODEL, secret=SECRET)
    sure = found["confidence"] == 1
    assert sure.sum() == 300
    assert ((found["skip"] + found["audited"])[sure] == 1).all()
    assert 10 < found["audited"].sum() < 60
    assert (found.loc[sure, "audit_probability"] == 0.1).all()
    assert (found.loc[~sure, ["skip", "audited"]] == 0).all(axis=None)
    assert (found.loc[~sure, "audit_probability"] == 1).all()
    mixed = told.sample(frac=1, random_state=1)
    again = deferral.skipped(rules, model, mixed, BOOK, model=MODEL, secret=SECRET)
    pd.testing.assert_frame_equal(found, again)


def test_without_a_threshold_nothing_is_skipped() -> None:
    """Nor is a unit without a confidence, whatever the rule."""
    blind, model, told = study(coded=20, wrong=0)
    rules = assessed(blind, model, told, BOOK, **GIVEN)
    found = deferral.skipped(rules, model, told, BOOK, model=MODEL, secret=SECRET)
    assert not found["skip"].any()
    assert (found["audit_probability"] == 1).all()
    kept = assessed(*study(), BOOK, **GIVEN)
    new = model_of(("mood", "new", "good"))
    assert not deferral.skipped(kept, new, told, BOOK, model=MODEL, secret=SECRET)["skip"].any()


def test_a_rule_of_another_model_or_codebook_skips_nothing() -> None:
    """It must be made anew: said so."""
    blind, model, told = study()
    rules = assessed(blind, model, told, BOOK, **GIVEN)
    with pytest.raises(TableError, match="no rule of model:other"):
        deferral.skipped(rules, model, told, BOOK, model="model:other", secret=SECRET)
    other = BOOK.model_copy(update={"about": "Something else."})
    with pytest.raises(TableError, match="another codebook"):
        deferral.skipped(rules, model, told, other, model=MODEL, secret=SECRET)


def test_after_an_alarm_nothing_is_skipped() -> None:
    """Drift of the variable, or of any where whole units are skipped; others do not count."""
    blind, model, told = study()
    rules = assessed(blind, model, told, BOOK, **GIVEN)
    row = {"batch": "c", "codebook": BOOK.fingerprint, "assessment": "drift", "coder": MODEL}
    row |= {"variable": "mood", "measure": "e.process", "verdict": "alarm"}

    def kept(rule, **changes):
        watched = pd.concat([rules, tables.frame(tables.ASSESSMENTS, [row | changes])])
        given = {"model": MODEL, "variable": rule, "secret": SECRET}
        return deferral.skipped(watched, model, told, BOOK, **given)["skip"].sum() > 0

    assert not kept("mood")
    assert not kept("all")
    assert kept("mood", variable="topic")
    assert kept("mood", coder="model:other")
    assert kept("mood", codebook="another")
    assert kept("mood", verdict="no alarm")


def own_rows(rows):
    return rows[(rows["variable"] == "mood") & (rows["code"] == "")]


def test_the_figure_shows_bins_curve_and_rule() -> None:
    """Two bins on their own numbers, the allowed error across, and the share accepted upright."""
    rows = assessed(*study(), BOOK, **GIVEN)
    spec = diagrams.calibration(own_rows(rows))
    left, right = spec["hconcat"]
    assert [one["at"] for one in left["data"]["values"]] == pytest.approx([0.6, 1.0])
    assert [one["n"] for one in left["data"]["values"]] == [50, 150]
    assert left["layer"][0]["data"]["values"][0]["at"] <= 0.5
    assert "0.045" in left["title"]["subtitle"][0]
    assert right["layer"][2]["data"]["values"] == [{"value": 0.1}]
    assert right["layer"][3]["data"]["values"] == [{"at": 0.75}]
    assert "75% of units" in right["title"]["subtitle"][1]


@pytest.mark.parametrize("what", ["rule", "no rule", "no confidence", "few"])
def test_the_figure_can_be_drawn_and_asks_for_nothing(what) -> None:
    """SVG with its words inside, and no address but that of SVG itself."""
    blind, model, told = study(coded=3 if what == "few" else 200, wrong=40 * (what == "no rule"))
    told = told.iloc[:0] if what == "no confidence" else told
    rows = own_rows(assessed(blind, model, told, BOOK, **GIVEN))
    drawn = draw.draw(diagrams.calibration(rows), "svg").decode()
    addresses = set(re.findall(r"https?://[^\"' ]+", drawn))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    words = {"rule": "kept from", "no confidence": "no confidence"}
    assert words.get(what, "no threshold was shown") in drawn


def test_many_points_are_thinned_out() -> None:
    """200 different confidences: at most 20 points, the last of which covers all units."""
    blind, model, told = study()
    told["confidence"] = np.linspace(0, 1, len(told))
    rows = own_rows(assessed(blind, model, told.assign(kind="logprob"), BOOK, **GIVEN))
    points = rows[rows["measure"].str.match(r"point\.\d+\.coverage")]["value"].tolist()
    assert len(points) == 20
    assert points == sorted(points)
    assert points[-1] == pytest.approx(1)
