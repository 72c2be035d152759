"""Agreement: published values, values by hand, the krippendorff package, and what must not matter.

The published matrices stand in `cases.json`, each with its source.
"""

from __future__ import annotations

import json
import math

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import CASES_FILE
from thorough import examples

from labeler.errors import LabelerError, TableError
from labeler.statistics.agreement.alpha import (
    Agreement,
    alpha,
    alpha_checked,
    coincidences,
    count_columns,
    count_values,
    distances,
)

CASES = json.loads(CASES_FILE.read_text(encoding="utf-8"))
LEVELS = ["nominal", "ordinal", "interval", "ratio", "masi", "jaccard"]
NUMBERS = ["0", "1", "2", "4"]
SETS = ["", "a", "a+b", "b+c"]


def counted(*coders, domain):
    """Counts of codings written as one text a coder: a letter a unit, "." for not coded."""
    return count_values([[None if v == "." else v for v in row] for row in coders], domain)


def domain_of(level):
    return SETS if level in ("masi", "jaccard") else NUMBERS


MEASURES = {
    "krippendorff_alpha": "value",
    "observed_disagreement": "observed",
    "expected_disagreement": "expected",
    "percent_agreement": "percent",
}


def published():
    for case in CASES:
        for name, printed in case["expected"].items():
            coefficient, _, level = name.partition(".")
            if coefficient in MEASURES and level in ("", *LEVELS):
                tolerance = printed.get("tol", case["tolerance"])
                yield pytest.param(
                    case, name, printed["value"], tolerance, id=f"{case['id']}-{name}"
                )


@pytest.mark.parametrize(("case", "name", "value", "tolerance"), list(published()))
def test_published_values(case, name, value, tolerance):
    """Each published coefficient, disagreement and percent agreement is met to its digits."""
    counts = count_values(case["codings"], case["domain"])
    coefficient, _, level = name.partition(".")
    found = alpha_checked(counts, level=level or "nominal", domain=case["domain"])
    number = getattr(found, MEASURES[coefficient])
    if value is None:
        assert math.isnan(number)
        assert found.note
    else:
        assert number == pytest.approx(value, abs=tolerance)


def test_counts_of_what_was_coded():
    """Krippendorff (2011) C has 12 units, 11 of them pairable, and 40 pairable codings of 41."""
    case = CASES[0]
    found = alpha(count_values(case["codings"], case["domain"]), level="nominal", domain=[*"12345"])
    assert (found.n_units, found.n_pairable_units, found.n_pairable) == (12, 11, 40)


def test_two_percent_agreements():
    """On Krippendorff's C the mean over units is .8182 (Gwet), 1 - Do is .800 (Krippendorff)."""
    case = CASES[0]
    found = alpha(count_values(case["codings"], case["domain"]), level="nominal", domain=[*"12345"])
    assert found.percent == pytest.approx(9 / 11)
    assert found.percent_pairable == pytest.approx(0.8)


def test_nominal_by_hand():
    """Coders aab and abb.

    Coincidences: aa gives o_aa = 2, ab gives o_ab = o_ba = 1, bb gives o_bb = 2; n_a = n_b = 3,
    n = 6. Do = 2/6, De = 2*3*3/(6*5) = 3/5, alpha = 1 - (1/3)/(3/5) = 4/9.
    """
    counts = counted("aab", "abb", domain=["a", "b"])
    assert coincidences(counts).tolist() == [[2, 1], [1, 2]]
    found = alpha_checked(counts, level="nominal", domain=["a", "b"])
    assert found.observed == pytest.approx(1 / 3)
    assert found.expected == pytest.approx(3 / 5)
    assert found.value == pytest.approx(4 / 9)


def test_ordinal_by_hand():
    """Coders 112 and 123, values 1 < 2 < 3.

    n_1 = 3, n_2 = 2, n_3 = 1. d_12 = (3 + 2 - 5/2)^2 = 6.25, d_23 = (2 + 1 - 3/2)^2 = 2.25,
    d_13 = (3 + 2 + 1 - 4/2)^2 = 16. o_12 = o_23 = 1, so Do = 2 (6.25 + 2.25)/6 = 17/6;
    De = 2 (3*2*6.25 + 2*1*2.25 + 3*1*16)/(6*5) = 2*90/30 = 6; alpha = 1 - 17/36 = 19/36.
    """
    domain = ["1", "2", "3"]
    counts = counted("112", "123", domain=domain)
    assert distances("ordinal", domain, counts).tolist() == [
        [0, 6.25, 16],
        [6.25, 0, 2.25],
        [16, 2.25, 0],
    ]
    assert alpha_checked(counts, level="ordinal", domain=domain).value == pytest.approx(19 / 36)


def test_distances_by_hand():
    """Interval 0, 1, 3: 1, 9, 4; ratio (1/1)^2, (3/3)^2, (2/4)^2."""
    counts = np.zeros((1, 3), np.int64)
    domain = ["0", "1", "3"]
    assert distances("interval", domain, counts).tolist() == [[0, 1, 9], [1, 0, 4], [9, 4, 0]]
    assert distances("ratio", domain, counts).tolist() == [[0, 1, 1], [1, 0, 0.25], [1, 0.25, 0]]


def test_set_distances_by_hand():
    """Sets {}, a, ab, bc, abcd.

    masi({a,b}, {a,b,c,d}) = 1 - (2/4)(2/3) = 2/3 exactly (Passonneau 2006; an older library had
    .665 from .67); ab and bc overlap: 1 - (1/3)(1/3) = 8/9; the empty set is at distance 0 from
    itself, where a library divided by zero, and at 1 from any other.
    """
    domain = ["", "a", "a+b", "b+c", "a+b+c+d"]
    counts = np.zeros((1, 5), np.int64)
    masi, jaccard = (distances(level, domain, counts) for level in ("masi", "jaccard"))
    assert masi[0].tolist() == [0, 1, 1, 1, 1]
    assert masi[2, 4] == pytest.approx(2 / 3, abs=1e-15)
    assert masi[2, 3] == pytest.approx(8 / 9)
    assert jaccard[2].tolist() == pytest.approx([1, 1 / 2, 0, 2 / 3, 1 / 2])
    assert not distances("masi", [""], np.zeros((1, 1), np.int64)).any()


def test_sets_as_texts_or_frozensets():
    """A set may be written as codes joined by "+" or be a frozenset: alpha is the same."""
    counts = counted([*SETS, "a"], [*SETS[1:], "a", "a"], domain=SETS)
    as_sets = [frozenset(), frozenset("a"), frozenset("ab"), frozenset("cb")]
    for level in ("masi", "jaccard"):
        assert alpha_checked(counts, level=level, domain=SETS) == alpha_checked(
            counts, level=level, domain=as_sets
        )


def test_undefined_without_variation():
    """One value only: libraries give 1.0, nan or an error; here nan with the value named."""
    counts = counted("nnn", "nnn", domain=["y", "n"])
    found = alpha_checked(counts, level="nominal", domain=["y", "n"])
    assert math.isnan(found.value)
    assert found.note == "no variation: every coding is 'n'"
    assert (found.observed, found.expected, found.percent) == (0, 0, 1)


def test_undefined_without_variation_among_pairable_units():
    """A lone other value does not count, and the reason says so."""
    counts = counted("nny", "nn.", domain=["y", "n"])
    found = alpha(counts, level="ordinal", domain=["y", "n"])
    assert found.note == "no variation: every pairable coding is 'n'"


@pytest.mark.parametrize(
    ("coders", "note"),
    [
        (["yn"], "no pairable unit: no unit was coded by two or more coders"),
        (["y.", ".n"], "no pairable unit: no unit was coded by two or more coders"),
        (["..", ".."], "no coding"),
    ],
)
def test_undefined_without_pairs(coders, note):
    """A single coder, coders who never meet, and no coding at all have no alpha and say why."""
    found = alpha_checked(counted(*coders, domain=["y", "n"]), level="nominal", domain=["y", "n"])
    assert math.isnan(found.value)
    assert found.note == note


def test_declared_order_of_an_ordinal_domain():
    """The order is the domain's, not that of the alphabet: low < mid < high."""
    codings = [["low", "low", "mid", "high"], ["low", "mid", "mid", "mid"]]
    by_meaning, by_alphabet = ["low", "mid", "high"], ["high", "low", "mid"]
    numbers = ["1", "2", "3"]
    as_numbers = [[numbers[by_meaning.index(v)] for v in row] for row in codings]
    right = alpha_checked(count_values(codings, by_meaning), level="ordinal", domain=by_meaning)
    assert right == alpha(count_values(as_numbers, numbers), level="ordinal", domain=numbers)
    wrong = alpha(count_values(codings, by_alphabet), level="ordinal", domain=by_alphabet)
    assert right.value != pytest.approx(wrong.value)


def test_none_and_nan_are_not_coded():
    """None and nan leave no trace in the counts."""
    codings = np.array([["y", None, "n"], ["y", float("nan"), None]], dtype=object)
    assert count_values(codings, ["y", "n"]).tolist() == [[2, 0], [0, 0], [0, 1]]


@pytest.mark.parametrize("value", ["maybe", "", 10, 10.0, True])
def test_unknown_value_is_refused(value):
    """A value outside the domain is refused with its place; the number 10 is not the text "10"."""
    with pytest.raises(TableError, match=r"codings\[1\]\[0\]: .* none of the declared values"):
        count_values([["10", "y"], [value, "y"]], ["y", "10"])


@pytest.mark.parametrize(
    ("codings", "domain", "words"),
    [
        ([["y"], ["y", "n"]], ["y", "n"], "shape"),
        ([["y"]], ["y", "y"], "repeats 'y'"),
        ([["y"]], [], "empty"),
    ],
)
def test_bad_codings_are_refused(codings, domain, words):
    """Coders with different numbers of units and faulty domains are refused."""
    with pytest.raises(TableError, match=words):
        count_values(codings, domain)


@pytest.mark.parametrize(
    ("level", "domain", "words"),
    [
        ("interval", ["low", "high"], "needs numbers"),
        ("interval", ["1", "1.0"], "each once"),
        ("interval", ["1", "inf"], "finite"),
        ("ratio", ["-1", "1"], "absolute zero"),
        ("masi", ["a+b", "b+a"], "repeats"),
        ("nominal", ["a", "b", "c"], "one column for each of the 3"),
        ("cardinal", ["a", "b"], "is none of nominal"),
    ],
)
def test_domain_must_fit_the_level(level, domain, words):
    """A domain that the level cannot measure is refused in words."""
    with pytest.raises(TableError, match=words):
        alpha(np.array([[1, 1]]), level=level, domain=domain)


@pytest.mark.parametrize(
    ("weights", "words"), [([0.5, 1], "at least 1"), ([1], "shape"), ([math.nan, 1], "finite")]
)
def test_bad_weights_are_refused(weights, words):
    """A weight is 1/inclusion probability: a probability given in its place is refused."""
    with pytest.raises(TableError, match=words):
        alpha(
            np.array([[1, 1], [2, 0]]),
            level="nominal",
            domain=["a", "b"],
            weights=np.array(weights),
        )


@pytest.mark.parametrize("counts", [np.array([[1.0, 1.0]]), np.array([[-1, 1]])])
def test_bad_counts_are_refused(counts):
    """Counts are whole numbers of codings."""
    with pytest.raises(TableError, match="whole numbers"):
        alpha(counts, level="nominal", domain=["a", "b"])


def counts_of(size=4):
    """Random small counts: up to 12 units, up to 3 codings of a value in a unit."""
    unit = st.lists(st.integers(0, 3), min_size=size, max_size=size)
    return st.lists(unit, min_size=1, max_size=12).map(lambda rows: np.array(rows, np.int64))


@examples(150)
@given(counts=counts_of(), level=st.sampled_from(LEVELS))
def test_equals_the_krippendorff_package(counts, level):
    """The core and the package give the same alpha to 1e-12, at every level."""
    domain = domain_of(level)
    found = alpha_checked(counts, level=level, domain=domain)
    if found.note:
        return
    metric, values = level, np.arange(4)
    if level in ("interval", "ratio"):
        values = np.array(NUMBERS, float)
    elif level in ("masi", "jaccard"):
        fixed = distances(level, domain, counts)
        metric = lambda v1, v2, i1, i2, n_v, dtype: fixed[i1, i2]  # noqa: E731
    theirs = krippendorff.alpha(
        value_counts=counts, value_domain=values, level_of_measurement=metric
    )
    assert found.value == pytest.approx(float(theirs), abs=1e-12, rel=1e-12)


def same(one: Agreement, other: Agreement) -> bool:
    return one.note == other.note and np.allclose(
        [one.value, one.observed, one.expected, one.percent, one.percent_pairable],
        [other.value, other.observed, other.expected, other.percent, other.percent_pairable],
        rtol=1e-10,
        atol=1e-10,
        equal_nan=True,
    )


codings_of_three = st.lists(
    st.lists(st.sampled_from([None, *NUMBERS]), min_size=3, max_size=3), min_size=1, max_size=10
)


@examples(60)
@given(units=codings_of_three, level=st.sampled_from(LEVELS[:4]), chance=st.randoms())
def test_order_of_coders_and_units_does_not_matter(units, level, chance):
    """Coders and units may come in any order."""
    shuffled = [chance.sample(unit, 3) for unit in chance.sample(units, len(units))]
    one, other = (
        alpha(count_values([*zip(*rows, strict=True)], NUMBERS), level=level, domain=NUMBERS)
        for rows in (units, shuffled)
    )
    assert same(one, other)


@examples(60)
@given(counts=counts_of(), order=st.permutations(range(4)))
def test_names_of_nominal_codes_do_not_matter(counts, order):
    """Nominal codes may be renamed and their columns reordered."""
    one = alpha(counts, level="nominal", domain=NUMBERS)
    other = alpha(counts[:, order], level="nominal", domain=["w", "x", "y", "z"])
    if not one.note:
        assert same(one, other)
    assert bool(one.note) == bool(other.note)


@examples(60)
@given(counts=counts_of(), level=st.sampled_from(LEVELS), value=st.integers(0, 3))
def test_a_unit_coded_once_changes_nothing(counts, level, value):
    """A unit with one coding is not pairable and leaves alpha alone."""
    domain = domain_of(level)
    more = np.vstack([counts, np.eye(4, dtype=np.int64)[value]])
    one, other = (alpha(c, level=level, domain=domain) for c in (counts, more))
    assert one.value == other.value or (math.isnan(one.value) and math.isnan(other.value))
    assert (one.observed, one.percent) == (other.observed, other.percent) or other.note
    assert other.n_units == one.n_units + 1


@examples(60)
@given(counts=counts_of(), level=st.sampled_from(LEVELS[:4]))
def test_declared_values_that_nobody_used_change_nothing(counts, level):
    """Alpha is the same when the domain declares values that were never given."""
    wider = np.insert(counts, [0, 2, 4], 0, axis=1)
    one = alpha(counts, level=level, domain=["1", "2", "4", "8"])
    other = alpha_checked(wider, level=level, domain=["0", "1", "2", "3", "4", "8", "9"])
    assert same(one, other)


@examples(60)
@given(counts=counts_of(), level=st.sampled_from(LEVELS), data=st.data())
def test_a_weight_counts_a_unit_that_often(counts, level, data):
    """Whole weights are copies of the unit, in alpha and in both percent agreements."""
    domain = domain_of(level)
    times = data.draw(st.lists(st.integers(1, 4), min_size=len(counts), max_size=len(counts)))
    weighted = alpha_checked(counts, level=level, domain=domain, weights=np.array(times, float))
    assert same(weighted, alpha(np.repeat(counts, times, axis=0), level=level, domain=domain))


def test_positions_count_as_values_do():
    """Positions in the domain give the same counts as the values, -1 is not coded."""
    columns = np.array([[0, 1, -1], [0, -1, 2]], np.int8)
    assert (count_columns(columns, 3) == counted("ab.", "a.c", domain=["a", "b", "c"])).all()


def test_a_difference_stops_the_run():
    """A tolerance that no pair of numbers can meet shows that the second value is compared."""
    counts = counted("aab", "abb", domain=["a", "b"])
    with pytest.raises(LabelerError, match=r"0\.444\d* \(labeler\) and 0\.444\d* \(krippendorff"):
        alpha_checked(counts, level="nominal", domain=["a", "b"], tolerance=-1.0)


def test_large_data_are_checked_on_a_part():
    """Where the package would need too much memory, every k-th unit is compared."""
    rng = np.random.default_rng(3)
    counts = rng.integers(0, 3, (200, 4))
    whole = alpha(counts, level="ordinal", domain=NUMBERS)
    assert alpha_checked(counts, level="ordinal", domain=NUMBERS, cells=500) == whole
    with pytest.raises(LabelerError, match="two computations"):
        alpha_checked(counts, level="ordinal", domain=NUMBERS, cells=500, tolerance=-1.0)
