"""Reliability: panels, values that are compared, numbers by hand, and the gate's verdicts."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from builders import book, choice, numeric

from labeler.coding import panels, vocabulary
from labeler.coding.batch import BatchCodings
from labeler.errors import TableError
from labeler.reliability import coefficients, gate
from labeler.store import tables

BOOK = book(
    choice("mood", "good bad"),
    choice("grade", "low mid high", level="ordinal"),
    numeric("points", 0, 100, applies_when={"mood": ["good"]}),
    choice("scored", {"none": 0, "some": 1, "much": 3}, level="interval"),
    numeric("share", 0, 100, level="ratio"),
    choice("topic", "work home art", of="segment", multiple=True),
    numeric("size", 0, 100, of="segment"),
)
EMPTY_WHO = pd.DataFrame({name: [] for name in ("unit", "coder", "arm")}, dtype="str")


def arm_of(coder):
    return "blind" if coder.startswith("human:") else ""


def frames(given, *, arm="blind", variable="mood"):
    """CODINGS and who coded, of {coder: [value of unit 0, …]}; None: coded, no row; -: not coded.

    A list in the place of a value: one segment for each of its values.
    """
    rows, who = [], []
    for coder, values in given.items():
        where = arm if coder.startswith("human:") else ""
        for unit, value in enumerate(values):
            if value == "-":
                continue
            base = {"unit": f"u{unit:03}", "coder": coder, "arm": where}
            who.append(base)
            parts = list(enumerate(value, start=1)) if isinstance(value, list) else [("", value)]
            rows += [
                {
                    **base,
                    "codebook": "k",
                    "segment": str(segment),
                    "replicate": 1,
                    "variable": variable,
                    "value": one,
                }
                for segment, one in parts
                if one is not None
            ]
    return tables.frame(tables.CODINGS, rows), pd.concat([EMPTY_WHO, pd.DataFrame(who)])


def batch_of(codings, coded, suggester="cues@1"):
    row = {"batch": "one", "suggester": suggester, "design": ""}
    return BatchCodings.of_tables(row, BOOK, coded, {"codings": codings})


def found(codings, who, *, suggester="", **more):
    again = more.pop("again", None)
    coded = who if again is None else pd.concat([who.assign(replicate=1), again])
    return coefficients.reliability(batch_of(codings, coded, suggester), **more)


def whole(rows):
    """Alpha of each panel and variable, unweighted."""
    alpha = rows["coefficient"].str.startswith("krippendorff_alpha")
    own = rows[alpha & (rows["code"] == "") & (rows["weighting"] == "")]
    return own.set_index(["panel", "variable"])


def rows_of(codings, who, *, suggester="", **more):
    return whole(found(codings, who, suggester=suggester, **more).rows)


def one_row(given, variable="mood", panel="humans", suggester=""):
    return rows_of(*frames(given, variable=variable), suggester=suggester).loc[(panel, variable)]


def test_nominal_by_hand():
    """gg gg bb gb: n = 8, 5 good, 3 bad. Do = 2/8; De = 2·5·3/(8·7); alpha = 1 - Do/De = 8/15."""
    row = one_row(
        {"human:a": ["good", "good", "bad", "good"], "human:b": ["good"] * 2 + ["bad"] * 2}
    )
    assert row["value"] == pytest.approx(8 / 15)
    assert row["percent"] == pytest.approx(3 / 4)
    assert (row["n_units"], row["n_pairable"]) == (4, 8)
    assert (row["n_compared"], row["n_pairs"], row["n_there"], row["left_out"]) == (4, 4, 4, "")
    assert row["coefficient"] == "krippendorff_alpha.nominal"
    assert row["coders"] == "human:a,human:b"


def test_ordinal_by_hand():
    """ll mm hh lm, with n = 3 low, 3 mid, 2 high of 8.

    Distances: low-mid (3 + 3 - 3)² = 9; mid-high (3 + 2 - 2.5)² = 6.25; low-high
    (3 + 3 + 2 - 2.5)² = 30.25. Do = 2·9/8; De = 2(9·9 + 6·6.25 + 6·30.25)/56 = 600/56.
    """
    row = one_row(
        {"human:a": ["low", "mid", "high", "low"], "human:b": ["low", "mid", "high", "mid"]},
        "grade",
    )
    assert row["value"] == pytest.approx(1 - (18 / 8) / (600 / 56))


def test_numbers_without_values_by_hand():
    """11 33 13: Do = 2·4/6; De = 2·3·3·4/30; alpha = 1 - (4/3)/(12/5) = 4/9."""
    row = one_row({"human:a": ["1", "3", "1"], "human:b": ["1", "3", "3"]}, "points")
    assert row["value"] == pytest.approx(4 / 9)
    assert row["coefficient"] == "krippendorff_alpha.interval"


def test_numbers_are_compared_by_size_and_not_as_text():
    """10 lies above 9: with 9, 9 | 10, 10 | 9, 10 only one step of distance 1 is seen."""
    row = one_row({"human:a": ["9", "10", "9"], "human:b": ["9", "10", "10"]}, "points")
    assert row["value"] == pytest.approx(4 / 9)


def test_the_same_number_written_in_two_ways_agrees():
    """2 and 2.0 are one number."""
    row = one_row({"human:a": ["2", "3", "2"], "human:b": ["2.0", "3.00", "3"]}, "points")
    assert row["value"] == pytest.approx(4 / 9)


def test_codes_that_stand_for_numbers_by_hand():
    """none/none, much/much, some/much with 0, 1, 3: n = 2, 1, 3 of 6.

    Do = 2·4/6; De = 2(2·1·1 + 2·3·9 + 1·3·4)/30 = 136/30.
    """
    row = one_row(
        {"human:a": ["none", "much", "some"], "human:b": ["none", "much", "much"]}, "scored"
    )
    assert row["value"] == pytest.approx(1 - (8 / 6) / (136 / 30))


def test_ratio_by_hand():
    """11 33 13: d = (2/4)² = 1/4. Do = 2/4/6; De = 2·9/4/30: alpha = 1 - (1/12)/(3/20) = 4/9."""
    row = one_row({"human:a": ["1", "3", "1"], "human:b": ["1", "3", "3"]}, "share")
    assert row["value"] == pytest.approx(4 / 9)


def test_segments_are_compared_as_sets_by_hand():
    """{w} {w}, {w} {w,h}, {} {}: d(w, wh) = 1 - 1/2·2/3 = 2/3, to the empty set 1.

    n = 3 w, 1 wh, 2 empty of 6. Do = 2·(2/3)/6; De = 2(3·1·2/3 + 3·2·1 + 1·2·1)/30 = 2/3;
    alpha = 1 - (2/9)/(2/3) = 2/3. The coder without a segment gave the empty set.
    """
    row = one_row(
        {"human:a": [["work"], ["work"], None], "human:b": [["work"], ["home", "work"], []]},
        "topic",
    )
    assert row["value"] == pytest.approx(2 / 3)
    assert row["coefficient"] == "krippendorff_alpha.masi"
    assert row["n_units"] == 3


def test_a_set_is_the_same_however_it_is_cut_into_segments():
    """Two segments with a code each and one with both are the same set, in codebook order."""
    codings, who = frames(
        {"human:a": [["art", "work"]], "human:b": [["work+art"]]}, variable="topic"
    )
    wide = panels.values(codings, who, BOOK.variable("topic"))
    assert wide["value"].tolist() == ["work+art", "work+art"]


def test_numbers_of_segments_are_sets_in_order_of_size():
    """9 and 10 of two segments, in either order, are the set 9+10; no segment is the empty set."""
    codings, who = frames(
        {"human:a": [["10", "9"], None], "human:b": [["9", "10"], None]}, variable="size"
    )
    wide = panels.values(codings, who, BOOK.variable("size"))
    assert sorted(wide["value"]) == ["", "", "9+10", "9+10"]
    assert rows_of(codings, who).loc[("humans", "size"), "value"] == 1


def test_a_question_that_was_not_asked_is_no_value():
    """A variable of the unit without a row is missing, not a value of its own."""
    row = one_row({"human:a": ["1", "3", "1", None], "human:b": ["1", "3", "3", "5"]}, "points")
    assert row["value"] == pytest.approx(4 / 9)
    assert (row["n_units"], row["n_pairable"]) == (4, 6)


def test_a_model_is_never_in_the_panel_of_humans():
    """What a model gives changes nothing among the humans, to the last digit."""
    humans = {"human:a": ["good", "good", "bad", "good"], "human:b": ["good"] * 2 + ["bad"] * 2}
    alone = rows_of(*frames(humans)).loc["humans"]
    for model in (["bad"] * 4, ["good"] * 4):
        beside = rows_of(*frames({**humans, "model:m@1": model}), suggester="model:m@1")
        pd.testing.assert_frame_equal(beside.loc["humans"], alone)


def test_no_pair_of_humans_is_in_the_panel_of_a_model():
    """Humans who never agree with each other, and a model beside them, by hand.

    Units: humans gb gb, model g b. Rows: g-g b-g | g-b b-b, so four pairs of which two agree:
    n = 4 good, 4 bad. Do = 4/8; De = 2·4·4/56; alpha = 1 - (1/2)/(4/7) = 1/8. With the pairs of
    humans it would be lower.
    """
    given = {"human:a": ["good", "good"], "human:b": ["bad", "bad"], "model:m@1": ["good", "bad"]}
    row = one_row(given, panel="model:m@1 vs humans", suggester="model:m@1")
    assert row["value"] == pytest.approx(1 / 8)
    assert row["coders"] == "model:m@1,human:a,human:b"
    assert (row["n_units"], row["n_pairable"]) == (2, 8)


def test_only_blind_codings_are_evidence():
    """Assisted codings are a panel of their own, marked as no evidence; others are unchanged."""
    blind = frames({"human:a": ["good", "bad"], "human:b": ["good", "bad"]})
    assisted = frames(
        {"human:a": ["-", "-", "good", "bad"], "cues@1": ["good", "bad"] * 2}, arm="assisted"
    )
    rows = rows_of(
        pd.concat([blind[0], assisted[0]]), pd.concat([blind[1], assisted[1]]), suggester="cues@1"
    )
    mood = rows.xs("mood", level="variable")
    assert mood["evidence"].to_dict() == {
        "humans": 1,
        "human:a vs human:b": 1,
        "cues@1 vs humans": 1,
        "cues@1 vs human:a": 1,
        "cues@1 vs human:b": 1,
        "cues@1 vs humans, assisted": 0,
    }
    assert mood["n_units"].to_dict() == {
        "humans": 2,
        "human:a vs human:b": 2,
        "cues@1 vs humans": 2,
        "cues@1 vs human:a": 2,
        "cues@1 vs human:b": 2,
        "cues@1 vs humans, assisted": 2,
    }


def test_codings_of_the_adjudication_arm_count_nowhere():
    """Who codes with the others' codes in view is in no panel."""
    blind = frames({"human:a": ["good", "bad"], "human:b": ["good", "bad"]})
    later = frames({"human:c": ["bad", "good"]}, arm="adjudication")
    both = [pd.concat([one, other]) for one, other in zip(blind, later, strict=True)]
    pd.testing.assert_frame_equal(rows_of(*both), rows_of(*blind))


def test_a_second_replicate_is_no_second_coder():
    """A coder's later replicates change nothing."""
    codings, who = frames({"human:a": ["good", "bad"], "human:b": ["good", "good"]})
    again = codings.assign(replicate=2, value="bad").astype({"replicate": "Int64"})
    pd.testing.assert_frame_equal(rows_of(pd.concat([codings, again]), who), rows_of(codings, who))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "no coding"),
        ({"human:a": ["good", "bad"]}, "a single coder: there is nobody to compare with"),
        ({"human:a": ["good", "-"], "human:b": ["-", "bad"]}, "no pairable unit"),
        (
            {"human:a": ["good"] * 3, "human:b": ["good"] * 3},
            "no variation: every coding is",
        ),
        ({"human:a": ["good"], "human:b": ["bad"]}, "a single pairable unit"),
    ],
)
def test_undefined_is_said_in_words(given, said):
    """Without an interval there is the reason in words."""
    row = one_row(given)
    assert said in row["note"]
    assert math.isnan(row["low"])


def test_empty_panels_are_rows_too():
    """Nobody has coded yet: each panel and variable has its row, with zero units and a reason."""
    rows = rows_of(tables.frame(tables.CODINGS), EMPTY_WHO, suggester="cues@1")
    assert len(rows) == 3 * len(BOOK.variables)
    evidence = rows["evidence"] == 1
    assert set(rows.loc[evidence, "note"]) == {"no coding"}
    assert set(rows.loc[~evidence, "note"]) == {"not evidence: suggestions were in view; no coding"}
    assert set(rows["n_units"]) == {0}


def test_humans_who_were_asked_and_gave_nothing_are_no_crash():
    """Units coded without a single row: variables of the unit say so, sets do not vary."""
    rows = rows_of(*frames({"human:a": [None, None], "human:b": [None, None]}))
    assert rows.loc[("humans", "mood"), "note"] == "no coding"
    assert rows.loc[("humans", "topic"), "note"] == "no variation: every coding is ''"


def test_a_value_outside_the_codebook_is_refused():
    """A code that the codebook does not know is named, with its coder and unit."""
    with pytest.raises(TableError, match="coding of human:b, unit u000: 'ugly' is not in"):
        one_row({"human:a": ["good"], "human:b": ["ugly"]})


def made_up(units=120, seed=5):
    """A whole made-up batch: three humans blind on two thirds each, two assisted, and cues."""
    chance = np.random.default_rng(seed)
    parts = []
    for variable in BOOK.variables:
        codes = list(variable.codes) or ["0", "1", "2", "5", "10"]
        truth = [str(chance.choice(codes)) for _ in range(units)]

        def value(unit, variable=variable, codes=codes, truth=truth):
            if chance.random() < 0.05 and variable.variable == "points":
                return None
            one = truth[unit] if chance.random() < 0.85 else str(chance.choice(codes))
            return one if variable.of == "unit" else [one] * int(chance.integers(0, 3))

        humans = {
            f"human:{name}": [
                value(unit) if unit % 3 != place and unit < 90 else "-" for unit in range(units)
            ]
            for place, name in enumerate("abc")
        }
        machine = {"cues@1": [value(unit) for unit in range(units)]}
        parts.append(frames({**humans, **machine}, variable=variable.variable))
        assisted = {"human:a": [value(unit) if unit >= 90 else "-" for unit in range(units)]}
        parts.append(frames(assisted, arm="assisted", variable=variable.variable))
    codings, who = (pd.concat(side, ignore_index=True) for side in zip(*parts, strict=True))
    return codings, who.drop_duplicates()


def test_the_order_of_rows_does_not_matter():
    """Turned and mixed, the same codings give the same rows to the last digit."""
    codings, who = made_up()
    straight = rows_of(codings, who, suggester="cues@1")
    assert (straight["n_pairable"] > 0).all()
    for seed in (1, 2):
        mixed = rows_of(
            codings.sample(frac=1, random_state=seed),
            who.sample(frac=1, random_state=seed),
            suggester="cues@1",
        )
        pd.testing.assert_frame_equal(mixed, straight, check_exact=True)


def test_a_whole_batch_gives_a_row_for_each_panel_and_variable():
    """Nine panels by seven variables, in the table's form, each with an interval."""
    codings, who = made_up()
    rows = found(codings, who, suggester="cues@1").rows
    assert list(rows.columns) == tables.columns(tables.RELIABILITY)
    without = {"self", "replicates", *vocabulary.GROUPED}  # nobody repeated, nobody has a group
    assert set(rows["kind"]) == set(get_args(vocabulary.PanelKind)) - without
    rows = whole(rows)
    assert len(rows) == 9 * 7
    assert (rows["low"] <= rows["value"]).all()
    assert (rows["value"] <= rows["high"]).all()
    assert (rows["low"] <= rows["bound"]).all()
    assert set(rows["verdict"]) == {""}
    assert (rows.loc["humans", "n_units"] <= 90).all()


def test_rows_of_one_unit_are_one_cluster():
    """The model panel deletes whole units, with all their rows; among humans a row is a unit."""
    codings, who = made_up()
    methods = rows_of(codings, who, suggester="cues@1").xs("mood", level="variable")["method"]
    assert methods["cues@1 vs humans"].startswith("delete-one-unit")
    assert methods["humans"].startswith("delete-one-unit")


def test_an_embedded_coder_was_not_asked_for_segments():
    """It reads whole units: no segment of it is no empty set, and makes no pair with the humans."""
    given = {"human:a": ["good"], "cues@1": ["good"], "embed@1": ["good"]}
    codings, who = frames(given)
    wide = panels.values(codings, who, BOOK.variable("topic")).set_index("coder")["value"]
    assert wide["human:a"] == wide["cues@1"] == ""
    assert pd.isna(wide["embed@1"])
    against = rows_of(codings, who, suggester="embed@1").loc["embed@1 vs humans", "n_units"]
    assert against["mood"] == 1 and against["topic"] == 0


def of(rows, panel, coefficient, *, variable="mood", code="", weighting=""):
    """The one row of a panel, variable, code and coefficient."""
    own = rows[
        (rows["panel"] == panel)
        & (rows["coefficient"] == coefficient)
        & (rows["variable"] == variable)
        & (rows["code"] == code)
        & (rows["weighting"] == weighting)
    ]
    assert len(own) == 1
    return own.iloc[0]


def test_a_code_against_the_rest_by_hand():
    """ll mm hl lh, code low: yes-yes, no-no, no-yes, yes-no.

    a = 1, b + c = 2, d = 1: positive agreement 2/(2 + 2), negative 2/(2 + 2); alpha: n = 4 yes,
    4 no of 8, Do = 4/8, De = 2*16/56, 1 - (1/2)/(4/7) = 1/8. Three units have the code.
    """
    given = {"human:a": ["low", "mid", "high", "low"], "human:b": ["low", "mid", "low", "high"]}
    rows = found(*frames(given, variable="grade")).rows
    named = {"variable": "grade", "code": "low"}
    assert of(rows, "humans", "positive_agreement", **named)["value"] == pytest.approx(1 / 2)
    assert of(rows, "humans", "negative_agreement", **named)["value"] == pytest.approx(1 / 2)
    alpha = of(rows, "humans", "krippendorff_alpha.nominal", **named)
    assert alpha["value"] == pytest.approx(1 / 8)
    assert alpha["n_positive"] == 3


def test_a_code_of_segments_is_its_presence_in_the_unit():
    """{w} {w,h}, {} {h}, {w} {w}: work agrees on all three units, home on one.

    Home: no-yes, no-yes, no-no, so positive agreement is 0 of 2 and negative 2*1/(2 + 2) = 1/2.
    """
    given = {"human:a": [["work"], [], ["work"]], "human:b": [["work", "home"], ["home"], ["work"]]}
    rows = found(*frames(given, variable="topic")).rows
    work = of(rows, "humans", "percent_agreement.units", variable="topic", code="work")
    assert work["value"] == 1
    home = {"variable": "topic", "code": "home"}
    assert of(rows, "humans", "positive_agreement", **home)["value"] == 0
    assert of(rows, "humans", "negative_agreement", **home)["value"] == pytest.approx(1 / 2)


def test_companions_stand_beside_alpha_by_hand():
    """gg gg bb gb: pa = 3/4; Brennan-Prediger (3/4 - 1/2)/(1/2) = 1/2; Scott: p_g = 5/8,

    pe = 25/64 + 9/64 = 34/64, (48 - 34)/(64 - 34) = 7/15; AC1: pe = 2*15/64, 18/34 = 9/17.
    """
    given = {"human:a": ["good", "good", "bad", "good"], "human:b": ["good"] * 2 + ["bad"] * 2}
    rows = found(*frames(given)).rows
    hand = {
        "percent_agreement.units": 3 / 4,
        "percent_agreement.pairable": 3 / 4,
        "brennan_prediger": 1 / 2,
        "scott_pi": 7 / 15,
        "gwet_ac1": 9 / 17,
    }
    for name, value in hand.items():
        assert of(rows, "humans", name)["value"] == pytest.approx(value)


def test_no_panel_holds_humans_and_a_model_together():
    """A panel is of humans alone, of one coder with itself, or two columns of one against one."""
    codings, who = made_up()
    later = who[who["coder"] == "cues@1"].assign(replicate=2)
    for panel in panels.panels(who, later, "cues@1"):
        kinds = {rater[0].startswith("human:") for rater in panel.raters}
        assert len(kinds) == 1
        if panel.against is None:
            continue
        assert not panel.against[0].startswith("human:")
        given = batch_of(codings, pd.concat([who.assign(replicate=1), later])).matrix("mood")
        assert len(panels.rows_of(given, panel).columns) == 2


def test_repeats_and_replicates_are_stability_and_no_evidence():
    """A coder's second codes and a model's further answers are panels of their own.

    human:a gave gggb and then ggbb: 3 of 4 alike. The model gave gb, gb, gg on two units: of the
    pairs of its three answers the first unit agrees in all, the second in 1 of 3: (1 + 1/3)/2.
    """
    given = {"human:a": ["good", "good", "good", "bad"], "cues@1": ["good", "bad", "-", "-"]}
    codings, who = frames(given)
    back = frames({"human:a": ["good", "good", "bad", "bad"]}, arm="repeat")
    codings = [codings, back[0].assign(replicate=2)]
    again = [back[1].assign(replicate=2)]
    for number, second in ((2, "bad"), (3, "good")):
        part, model = frames({"cues@1": ["good", second]})
        codings.append(part.assign(replicate=number))
        again.append(model.assign(replicate=number))
    rows = found(
        pd.concat(codings).astype({"replicate": "Int64"}),
        pd.concat([who, back[1]]),
        suggester="cues@1",
        again=pd.concat(again),
    ).rows
    own = of(rows, "human:a vs self", "percent_agreement.units")
    model = of(rows, "cues@1, replicates", "percent_agreement.units")
    assert own["value"] == pytest.approx(3 / 4)
    assert model["value"] == pytest.approx(2 / 3)
    assert (own["evidence"], model["evidence"], own["kind"], model["kind"]) == (
        0, 0, "self", "replicates",
    )  # fmt: skip
    assert "says nothing about whether it is right" in model["note"]
    assert own["note"].startswith("not evidence of reliability: the same coder again")
    assert of(rows, "humans", "percent_agreement.units")["n_units"] == 4


def drawn(probabilities, coders, authors=None):
    """How units were drawn: a probability each, of the unit and of each coder's task."""
    tasks = pd.DataFrame(
        [
            {
                "unit": f"u{unit:03}",
                "coder": coder,
                "arm": "blind",
                "unit_probability": chance,
                "task_probability": chance,
            }
            for unit, chance in enumerate(probabilities)
            for coder in coders
        ]
    )
    return coefficients.BatchSampling(tasks, authors or {})


def test_units_drawn_unequally_give_weighted_rows_beside_by_hand():
    """gg bb gb, the last drawn with probability 1/2, the others with 1: it counts twice.

    Unweighted percent agreement 2/3, weighted 2/4. Drawn equally there are no weighted rows.
    """
    given = {"human:a": ["good", "bad", "good"], "human:b": ["good", "bad", "bad"]}
    rows = found(*frames(given), drawn=drawn([1, 1, 0.5], given)).rows
    name = "percent_agreement.units"
    assert of(rows, "humans", name)["value"] == pytest.approx(2 / 3)
    assert of(rows, "humans", name, weighting="design")["value"] == pytest.approx(1 / 2)
    equal = found(*frames(given), drawn=drawn([0.5] * 3, given)).rows
    assert set(equal["weighting"]) == {""}


def test_the_smallest_case_of_unequal_drawing_does_not_pass():
    """Probability .5: 60 agree on one code, 38 on the other, 2 differ; .01: 96 agree, 4 differ.

    The alpha of the units coded is .94 and would pass; weighted it is .352, and that is judged.
    """
    ada = ["good"] * 60 + ["bad"] * 38 + ["good"] * 2 + ["bad"] * 96 + ["good"] * 4
    ben = ["good"] * 60 + ["bad"] * 38 + ["bad"] * 2 + ["bad"] * 96 + ["bad"] * 4
    given = {"human:ada": ada, "human:ben": ben}
    how = drawn([0.5] * 100 + [0.01] * 100, given)
    whole_batch = found(*frames(given), drawn=how)
    name = "krippendorff_alpha.nominal"
    weighted = of(whole_batch.rows, "humans", name, weighting="design")
    plain = of(whole_batch.rows, "humans", name)
    assert weighted["value"] == pytest.approx(0.352, abs=5e-4)
    assert plain["bound"] == pytest.approx(0.865, abs=5e-4)
    assert plain["note"].startswith("of the units coded")
    verdicts = gate.verdicts(whole_batch.rows, whole_batch.basis, run="r1")
    verdict = verdicts[(verdicts["variable"] == "mood") & (verdicts["code"] == "")].iloc[0]
    assert verdict["verdict"] == "fail"
    assert verdict["value"] == weighted["value"]


def test_small_probabilities_that_differ_are_unequal():
    """Of a hundred million posts: one in 10^9 and one in 10^10 differ tenfold."""
    given = {"human:a": ["good", "bad", "good"], "human:b": ["good", "bad", "bad"]}
    rows = found(*frames(given), drawn=drawn([1e-9, 1e-9, 1e-10], given)).rows
    assert set(rows["weighting"]) == {"", "design"}


def test_authors_whose_posts_repeat_are_resampled_as_a_whole():
    """Two posts of one author make authors the resampled things, and the method says so."""
    given = {"human:a": ["good", "bad"] * 6, "human:b": ["good", "bad"] * 5 + ["good", "good"]}
    authors = {f"u{unit:03}": f"author {unit // 2}" for unit in range(12)}
    own = found(*frames(given), drawn=drawn([1] * 12, given, authors))
    assert "delete-one-author" in whole(own.rows).loc[("humans", "mood"), "method"]
    basis = own.basis.set_index(["panel", "variable", "code"])
    assert basis.loc[("humans", "mood", ""), "things"] == 6
    single = {unit: unit for unit in authors}
    apart = found(*frames(given), drawn=drawn([1] * 12, given, single)).rows
    assert "delete-one-unit" in whole(apart).loc[("humans", "mood"), "method"]


def test_the_key_of_what_entered_follows_the_blind_codings_alone():
    """One blind coding changed changes the panel's key; assisted codings change nothing of it."""

    def entered(blind, assisted):
        parts = [frames(blind), frames({"human:c": assisted}, arm="assisted")]
        codings, who = (pd.concat(side) for side in zip(*parts, strict=True))
        basis = found(codings, who, suggester="cues@1").basis
        return basis.set_index(["panel", "variable", "code"]).loc[("humans", "mood", ""), "codings"]

    one = {"human:a": ["good", "bad"], "human:b": ["good", "bad"]}
    other = {"human:a": ["good", "bad"], "human:b": ["good", "good"]}
    assert entered(one, ["good", "bad"]) == entered(one, ["bad", "bad"])
    assert entered(one, ["good", "bad"]) != entered(other, ["good", "bad"])
