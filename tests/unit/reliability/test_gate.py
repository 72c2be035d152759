"""The gate: verdicts on bounds, families of them, further units, and what a verdict stands on."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from scipy.stats import t as student

from labeler.reliability import gate
from labeler.reliability.looks import Look, looks, taken
from labeler.statistics.agreement.looks import level_of_look
from labeler.statistics.agreement.threshold import bound_at, bound_p, threshold_p
from labeler.store import tables

KEYS = ["comparison", "variable", "code"]


def row(variable="mood", kind="human-human", **changes):
    """A RELIABILITY row of alpha and the basis beside it; `changes` replace either's values."""
    panel = "humans" if kind == "human-human" else "cues@1 vs humans"
    own = {
        "batch": "one", "codebook": "k", "kind": kind, "panel": panel, "variable": variable,
        "code": "", "coefficient": "krippendorff_alpha.nominal", "weighting": "", "evidence": 1,
        "value": 0.8, "low": 0.6, "high": 0.9, "bound": 0.7, "upper": 0.88, "se": 0.05,
        "method": "jackknife", "n_units": 100, "tentative": 0.667, "reliable": 0.8,
    }  # fmt: skip
    ground = {
        "panel": panel, "variable": variable, "code": changes.get("code", ""), "things": 100,
        "pairable": 100, "carrying": 40, "coded_value": math.nan,
        "coded_bound": math.nan, "codings": "abc",
    }  # fmt: skip
    ground |= {name: value for name, value in changes.items() if name in ground}
    own |= {name: value for name, value in changes.items() if name in own or name == "note"}
    return own, ground


LOOK_2 = {(name, "mood"): Look(2, level_of_look(2)) for name in (gate.HUMAN, gate.MODEL)}


def judged(*pairs, **more):
    """VERDICTS rows by comparison, variable and code."""
    rows = tables.frame(tables.RELIABILITY, [own for own, _ in pairs])
    basis = pd.DataFrame([ground for _, ground in pairs])
    return gate.verdicts(rows, basis, run="r1", **more).set_index(KEYS)


def one(**changes):
    return judged(row(**changes)).iloc[0]


@pytest.mark.parametrize(
    ("bound", "upper", "ruling"),
    [
        (0.667, 0.9, "pass"),
        (0.666, 0.9, "inconclusive"),
        (0.1, 0.667, "inconclusive"),
        (0.1, 0.666, "fail"),
        (math.nan, 0.9, "undefined"),
        (0.9, math.nan, "undefined"),
    ],
)
def test_the_verdict_is_decided_on_the_bounds(bound, upper, ruling):
    """The lower bound has to reach the threshold; the upper one below it is a failure."""
    assert one(bound=bound, upper=upper)["verdict"] == ruling


def test_a_rare_code_is_undefined_with_the_count():
    """Nine units with the rarer code are too few, however narrow the bound; ten will do."""
    ruling = one(carrying=9)
    assert ruling["verdict"] == "undefined"
    assert ruling["note"].startswith("fewer than 10 units carry the rarer code: 9 of 100")
    assert math.isnan(ruling["p"])
    assert one(carrying=10)["verdict"] == "pass"


def test_further_units_by_hand():
    """alpha .75, SE .06 of 100 units, threshold .667, z.95 + z.80 = 1.6449 + .8416 = 2.4865.

    V/(1 - a)^2 = 100 * .0036/.0625 = 5.76; ln(.333/.25) = .28668, squared .082185;
    n = 6.18264 * 5.76/.082185 = 433.3: 334 more than there are. Below the threshold, alpha .6:
    100 * .0036/.16 = 2.25; ln(.333/.4)^2 = .033606; n = 413.9: 314 more.
    """
    above = one(value=0.75, se=0.06, bound=0.63, upper=0.83)
    assert (above["verdict"], above["further"]) == ("inconclusive", 334)
    assert "about 334 further units would decide" in above["note"]
    below = one(value=0.6, se=0.06, bound=0.49, upper=0.69)
    assert (below["verdict"], below["further"]) == ("inconclusive", 314)
    at = one(value=0.667, se=0.06, bound=0.5, upper=0.7)
    assert pd.isna(at["further"])
    assert at["note"].endswith(gate.AT_THRESHOLD)


def test_more_than_can_be_counted_is_at_the_threshold():
    """alpha .70: V/(1 - a)^2 = 100 * .0036/.09 = 4; ln(.333/.3)^2 = .010892; n = 2,270: 2,171 more.

    alpha .69: 3.7461 and ln(.333/.31)^2 = .0051237 give 4,520: 4,421 more, over the 3,000.
    """
    countable = one(value=0.70, se=0.06, bound=0.58, upper=0.8)
    assert countable["further"] == 2171
    assert gate.AT_THRESHOLD not in countable["note"]
    at = one(value=0.69, se=0.06, bound=0.57, upper=0.79)
    assert at["verdict"] == "inconclusive"
    assert pd.isna(at["further"])
    assert "3,000 further units" in at["note"]
    assert "mending the codebook is cheaper than counting" in at["note"]


def test_p_is_that_of_the_bound():
    """Where the lower bound is the threshold itself, p is .05, with and without a standard error.

    With t.95 of 99 degrees = 1.660391 and alpha .8: SE = .2 ln(.333/.2)/1.660391 = .0614147. The
    zero-event bound of 100 units that lies at the threshold has the same p.
    """
    se = 0.2 * math.log(0.333 / 0.2) / 1.6603911560
    assert one(value=0.8, se=se, bound=0.667)["p"] == pytest.approx(0.05)
    assert one(value=1.0, se=math.nan, bound=0.667, upper=1.0)["p"] == pytest.approx(0.05)


def test_families_decide_differently_and_say_so():
    """Two that pass alone at .04 do not pass together by Holm; codes and the model are apart.

    For two, the smaller p counts twice: .08. A code and the model's panel are families of one.
    """
    t = 1.7695  # t.96 of 99 degrees
    se = 0.2 * math.log(0.333 / 0.2) / t
    close = {"value": 0.8, "se": se, "bound": 0.67}
    given = (
        row("mood", **close), row("grade", **close), row("mood", code="good", **close),
        row("mood", kind="model-panel", **close),
    )  # fmt: skip
    together = judged(*given, family="all")
    assert set(together["verdict"]) == {"pass"}
    assert together["p"].tolist() == pytest.approx([0.04] * 4, abs=1e-4)
    assert together["p_adjusted"].tolist() == together["p"].tolist()
    apart = judged(*given, family="holm")
    assert apart["p_adjusted"].tolist() == pytest.approx([0.08, 0.08, 0.04, 0.04], abs=2e-4)
    assert apart["verdict"].tolist() == ["inconclusive", "inconclusive", "pass", "pass"]
    assert "not among 2 by Holm" in apart["note"].iloc[0]
    assert set(apart["family"]) == {"holm"}


def test_codings_given_with_suggestions_in_view_never_move_a_verdict():
    """A row that is no evidence, or of another panel, is not judged, whatever it says."""
    alone = judged(row(value=0.6, bound=0.5, upper=0.65))
    rows = [row(value=0.6, bound=0.5, upper=0.65)]
    for kind in ("assisted", "self", "replicates", "human-pair"):
        own, ground = row(kind=kind, evidence=int(kind == "human-pair"), bound=0.99)
        rows.append((own | {"panel": kind}, ground | {"panel": kind}))
    pd.testing.assert_frame_equal(judged(*rows), alone)
    assert alone["verdict"].tolist() == ["fail"]


def test_a_verdict_says_what_it_was_computed_from():
    """The key changes with a coding, a threshold, the method or the family, and not otherwise."""
    keys = [
        one()["computed_from"],
        one(codings="abd")["computed_from"],
        one(tentative=0.6)["computed_from"],
        one(method="other")["computed_from"],
        judged(row(), family="holm").iloc[0]["computed_from"],
    ]
    assert len(set(keys)) == 5
    assert one(n_units=101)["computed_from"] == keys[0]
    assert gate.verdicts(
        tables.frame(tables.RELIABILITY, [row()[0]]), pd.DataFrame([row()[1]]), run="r2"
    )["computed_from"].tolist() == [keys[0]]


def test_the_figure_weighted_by_design_is_judged():
    """Unweighted .94 with a bound of .865 would pass; the weighted alpha of .352 fails."""
    plain, ground = row(value=0.94, bound=0.865, upper=0.97)
    weighted = plain | {"weighting": "design", "value": 0.352, "bound": -0.04, "upper": 0.576}
    ground |= {"coded_value": 0.94, "coded_bound": 0.865}
    rows = tables.frame(tables.RELIABILITY, [plain, weighted])
    verdicts = gate.verdicts(rows, pd.DataFrame([ground]), run="r1")
    assert verdicts["verdict"].tolist() == ["fail"]
    assert verdicts["bound"].tolist() == [-0.04]
    assert "of the units coded alpha is 0.940, bound 0.865" in verdicts["note"].iloc[0]
    with_them = gate.with_verdicts(rows, verdicts)
    assert with_them["verdict"].tolist() == ["", "fail"]


def test_a_weighted_p_is_five_percent_where_its_bound_is_the_threshold():
    """And below just where the bound lies above; without a standard error too."""
    for se, value in ((0.05, 0.8), (math.nan, 1.0)):
        options = {"se": se, "degrees": 99, "confidence": 0.95}
        assert bound_p(value, 0.667, 0.667, **options) == pytest.approx(0.05)
        assert bound_p(value, 0.7, 0.667, **options) < 0.05 < bound_p(value, 0.6, 0.667, **options)
    plain = threshold_p(0.8, 0.667, se=0.05, degrees=99)
    bound = 1 - 0.2 * math.exp(student.ppf(0.95, 99) * 0.05 / 0.2)
    assert bound_p(0.8, bound, 0.667, se=0.05, degrees=99) == pytest.approx(plain)


def test_rows_of_reliability_get_their_verdicts():
    """Judged rows carry verdict and reason; what stands beside and other rows carry none."""
    own, ground = row()
    beside = own | {"kind": "human-pair", "panel": "a vs b"}
    other = own | {"coefficient": "gwet_ac1", "note": "as it was"}
    rows = tables.frame(tables.RELIABILITY, [own, beside, other])
    verdicts = gate.verdicts(rows, pd.DataFrame([ground]), run="r1")
    with_them = gate.with_verdicts(rows, verdicts)
    assert with_them["verdict"].tolist() == ["pass", "", ""]
    assert with_them["note"].tolist() == [
        "tentative: lower bound 0.700 reaches 0.667",
        "",
        "as it was",
    ]
    assert list(with_them.columns) == tables.columns(tables.RELIABILITY)


def test_the_gate_is_shut_for_all_but_what_passed_among_humans():
    """A code's verdict and the model's open nothing."""
    verdicts = judged(
        row("mood"), row("grade", bound=0.1), row("grade", code="low"),
        row("grade", kind="model-panel"),
    ).reset_index()  # fmt: skip
    assert gate.shut(verdicts, ["mood", "grade", "size"]) == ["grade", "size"]


def test_nothing_to_judge_gives_no_rows():
    """Without rows there are no verdicts, in the table's form."""
    rows = tables.frame(tables.RELIABILITY)
    found = gate.verdicts(rows, pd.DataFrame(), run="r1")
    assert list(found.columns) == tables.columns(tables.VERDICTS)
    assert found.empty


def test_a_look_is_decided_at_its_own_level():
    """Second look, 5% x .6079 / 4 = .7599%: t of 99 degrees 2.4706 for 1.6604 at 5%.

    With alpha .8 the bound at 95% is 1 - .2 exp(1.6604 d), at this level 1 - .2 exp(2.4706 d): .7
    becomes 1 - .2 (1.5)^(2.4706/1.6604) = .6344: no pass. As a first look, at 3.0396% and t
    1.8966, it is 1 - .2 (1.5)^1.1423 = .6822: a pass.
    """
    se = 0.2 * math.log(0.3 / 0.2) / student.ppf(0.95, 99)
    second = judged(row(se=se), looks=LOOK_2).iloc[0]
    assert (second["look"], second["verdict"]) == (2, "inconclusive")
    assert second["level"] == pytest.approx(0.05 * 6 / math.pi**2 / 4)
    assert second["bound"] == pytest.approx(0.6344, abs=1e-4)
    assert "look 2 of this study sample, level 0.76%" in second["note"]
    assert second["p"] > second["level"]
    first = {(gate.HUMAN, "mood"): Look(1, level_of_look(1))}
    passed = judged(row(se=se), looks=first).iloc[0]
    assert passed["verdict"] == "pass"
    assert passed["bound"] == pytest.approx(0.6822, abs=2e-4)
    assert passed["p"] < passed["level"]
    assert "lower bound 0.682 reaches 0.667" in passed["note"]


def test_holm_divides_the_level_of_the_look():
    """p of .005 passes a second look (.76%) alone, not as one of two: .01."""
    t = student.ppf(0.995, 99)
    close = {"value": 0.8, "se": 0.2 * math.log(0.333 / 0.2) / t, "bound": 0.7}
    looks_of = {(gate.HUMAN, name): Look(2, level_of_look(2)) for name in ("mood", "grade")}
    one_of_two = judged(row("mood", **close), row("grade", **close), family="holm", looks=looks_of)
    assert one_of_two["verdict"].tolist() == ["inconclusive"] * 2
    assert judged(row(**close), family="holm", looks=looks_of)["verdict"].tolist() == ["pass"]


def test_further_units_are_counted_for_the_look_that_comes():
    """As by hand above, alpha .75 and SE .06, after a second look: the third has .3377%.

    z.996623 + z.80 = 2.7096 + .8416 = 3.5512; n = 12.611 * 5.76/.082185 = 883.9: 784 more.
    """
    found = judged(row(value=0.75, se=0.06, bound=0.63, upper=0.83), looks=LOOK_2).iloc[0]
    assert found["further"] == pytest.approx(784, abs=2)


def test_the_same_codings_are_the_look_that_they_were():
    """Others are the next; a variable that cannot pass is not looked at; history stays."""
    pairs = [row("mood"), row("grade", carrying=3)]
    rows = tables.frame(tables.RELIABILITY, [own for own, _ in pairs])
    basis = pd.DataFrame([ground for _, ground in pairs])
    before = tables.frame(tables.LOOKS)
    for codings, number, new in (("abc", 1, 1), ("abc", 1, 0), ("abd", 2, 1), ("abc", 1, 0)):
        tested = gate.tested(rows, basis.assign(codings=codings))
        assert tested["variable"].tolist() == ["mood"]
        found = looks(tested, before)
        assert found == {(gate.HUMAN, "mood"): Look(number, level_of_look(number))}
        ruled = gate.verdicts(rows, basis.assign(codings=codings), run="r", looks=found)
        noted = taken(tested, found, before, ruled, suggester="", created="2026")
        assert len(noted) == new
        before = tables.frame(tables.LOOKS, pd.concat([before, noted], ignore_index=True))
    assert before["look"].tolist() == [1, 2]
    assert before["verdict"].tolist() == ["pass", "inconclusive"]
    assert pd.isna(ruled.set_index("variable").loc["grade", "look"])


def test_levels_add_up_to_five_percent():
    total = sum(level_of_look(look) for look in range(1, 100_000))
    assert 0.04999 < total < 0.05
    with pytest.raises(ValueError, match="from 1"):
        level_of_look(0)


@pytest.mark.parametrize("wanted", [0.9, 0.97, 0.999])
def test_a_bound_at_another_confidence_is_where_p_says(wanted):
    """threshold_p at the bound is 1 - wanted, with a standard error and without."""
    t = student.ppf(0.95, 99)
    with_se = 1 - 0.2 * math.exp(t * 0.05 / 0.2)
    for value, bound, se in ((0.8, with_se, 0.05), (1.0, 0.9, math.nan)):
        options = {"se": se, "degrees": 99}
        at = bound_at(value, bound, given=0.95, wanted=wanted, **options)
        assert threshold_p(value, at, bound=bound, **options) == pytest.approx(1 - wanted)
        assert bound_at(value, bound, given=0.95, wanted=0.95, **options) == bound
    assert bound_at(0.2, -1.0, se=0.5, degrees=99, given=0.95, wanted=0.99) == -1.0
