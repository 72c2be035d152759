"""Every coefficient: by hand, against loops and libraries, and reasons where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from nltk.metrics.agreement import AnnotationTask
from published import columns_of, columns_of_table
from scipy.stats import norm
from scipy.stats import t as student
from thorough import examples

from labeler.errors import TableError
from labeler.statistics.agreement.alpha import alpha, count_columns
from labeler.statistics.agreement.coefficients import DEFINITIONS, applicable, coefficients
from labeler.statistics.agreement.kappas import agreement_weights

NUMBERS = ["0", "1", "2", "4"]
SETS = ["", "a", "a+b", "b+c"]
LEVELS = ["nominal", "ordinal", "interval", "ratio", "masi"]
NO_YES = ["no", "yes"]


def domain_of(level):
    return SETS if level == "masi" else NUMBERS


def made(units, *, coders=3, codes=4, accuracy=0.7, missing=0.15, seed=0):
    """Made-up codings: each coder gives the unit's value, or with some chance any, or none."""
    rng = np.random.default_rng(seed)
    value = rng.integers(0, codes, units)
    guess = rng.integers(0, codes, (coders, units))
    columns = np.where(rng.random((coders, units)) < accuracy, value, guess)
    columns[rng.random((coders, units)) < missing] = -1
    return columns


def values_of(found):
    return {name: estimate.value for name, estimate in found.items()}


def same(one, other, tolerance=1e-9):
    """Equal numbers, methods and notes, nan being equal to nan."""
    assert one.keys() == other.keys()
    for name, estimate in one.items():
        assert estimate[:6] == pytest.approx(other[name][:6], abs=tolerance, nan_ok=True), name
        assert estimate[6:] == other[name][6:], name


columns_strategy = st.integers(2, 4).flatmap(
    lambda coders: st.lists(
        st.lists(st.integers(-1, 3), min_size=coders, max_size=coders), min_size=3, max_size=14
    ).map(lambda units: np.array(units).T)
)


def test_two_coders_by_hand():
    """20 units: both yes 8, both no 6, yes-no 4, no-yes 2.

    pa = .7. Cohen: shares of yes .6 and .5, pe = .5, kappa .4. Scott: pi = .55, pe = .505,
    .195/.495. AC1: pe = 2 x .55 x .45 = .495, .205/.505. PABAK: .4. Positive agreement 16/22,
    negative 12/18. Alpha: Do = .3, De = 2 x 22 x 18/(40 x 39).
    """
    columns = columns_of_table([6, 2], [4, 8])
    found = values_of(coefficients(columns, domain=NO_YES, level="nominal"))
    assert found == pytest.approx(
        {
            "krippendorff_alpha.nominal": 1 - 0.3 / (2 * 22 * 18 / (40 * 39)),
            "cohen_kappa": 0.4,
            "scott_pi": 0.195 / 0.495,
            "fleiss_kappa": 0.195 / 0.495,
            "conger_kappa": 0.4,
            "gwet_ac1": 0.205 / 0.505,
            "brennan_prediger": 0.4,
            "percent_agreement": 0.7,
            "percent_agreement.units": 0.7,
            "percent_agreement.pairable": 0.7,
            "positive_agreement": 16 / 22,
            "negative_agreement": 12 / 18,
        }
    )


def test_interval_of_percent_agreement_by_hand():
    """pa = .7 of 20 units: SE^2 = .7 x .3/19, bounds by t of 19 degrees, one- and two-sided."""
    columns = columns_of_table([6, 2], [4, 8])
    names = ["percent_agreement.units"]
    found = coefficients(columns, domain=NO_YES, level="nominal", names=names)[names[0]]
    se = math.sqrt(0.7 * 0.3 / 19)
    two, one = student.ppf([0.975, 0.95], 19) * se
    expected = [0.7, 0.7 - two, 0.7 + two, se, 0.7 - one, 0.7 + one]
    assert list(found[:6]) == pytest.approx(expected)
    assert found.method == "linearised, t"
    assert found.note == ""


def test_interval_of_cohens_kappa_by_hand():
    """Binary kappa .4 of 20 units: Fleiss, Cohen & Everitt (1969), bounds of the normal.

    With a = 1 - kappa, p_i. (yes first) and p_.i: sum_ii p_ii (1 - (p_i. + p_.i) a)^2 +
    a^2 sum_ij p_ij (p_.i + p_j.)^2 - (kappa - pe a)^2, over n (1 - pe)^2.
    """
    p = np.array([[6, 2], [4, 8]]) / 20
    row, column, kappa, pe = p.sum(axis=1), p.sum(axis=0), 0.4, 0.5
    total = sum(p[i, i] * (1 - (row[i] + column[i]) * (1 - kappa)) ** 2 for i in range(2))
    for i, j in ((0, 1), (1, 0)):
        total += (1 - kappa) ** 2 * p[i, j] * (column[i] + row[j]) ** 2
    se = math.sqrt((total - (kappa - pe * (1 - kappa)) ** 2) / 20) / (1 - pe)
    columns = columns_of_table([6, 2], [4, 8])
    found = coefficients(columns, domain=NO_YES, level="nominal", names=["cohen_kappa"])
    two, one = norm.ppf([0.975, 0.95]) * se
    expected = [0.4, 0.4 - two, 0.4 + two, se, 0.4 - one, 0.4 + one]
    assert list(found["cohen_kappa"][:6]) == pytest.approx(expected)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("clustered", [False, True])
def test_standard_errors_are_near_the_jackknife(weighted, clustered):
    """Linearised standard errors come near those of deleting units or clusters one by one."""
    columns = made(300, missing=0)
    rng = np.random.default_rng(8)
    weights = rng.choice([1.0, 2.0, 6.0], 300) if weighted else None
    clusters = rng.integers(0, 90, 300) if clustered else None
    names = [
        name
        for name in applicable(3, "ratio", 4)
        if not name.startswith("krippendorff_alpha") and "agreement." not in name
    ]
    options = {"domain": NUMBERS, "level": "ratio", "names": names}
    found = coefficients(columns, **options, weights=weights, clusters=clusters)
    groups = np.arange(300) if clusters is None else clusters
    deleted = []
    for group in np.unique(groups):
        kept = groups != group
        w = None if weights is None else weights[kept]
        deleted.append(
            list(values_of(coefficients(columns[:, kept], **options, weights=w)).values())
        )
    n = len(deleted)
    spread = np.sqrt((n - 1) / n * np.square(deleted - np.mean(deleted, axis=0)).sum(axis=0))
    assert [found[name].se for name in names] == pytest.approx(spread, rel=0.03)


@pytest.mark.parametrize("coders", [2, 3])
def test_values_equal_nltk(coders):
    """Scott, Fleiss, Cohen and alpha of complete codings equal nltk's (a second opinion)."""
    columns = made(60, coders=coders, missing=0, seed=3)
    rows = [(str(c), str(u), str(columns[c, u])) for c in range(coders) for u in range(60)]
    task = AnnotationTask(rows)
    found = values_of(coefficients(columns, domain=NUMBERS, level="nominal"))
    assert found["krippendorff_alpha.nominal"] == pytest.approx(task.alpha(), abs=1e-12)
    assert found["percent_agreement.units"] == pytest.approx(task.avg_Ao(), abs=1e-12)
    assert found["fleiss_kappa"] == pytest.approx(task.pi(), abs=1e-12)
    assert found["conger_kappa"] == pytest.approx(task.multi_kappa(), abs=1e-12)
    if coders == 2:
        assert found["cohen_kappa"] == pytest.approx(task.kappa(), abs=1e-12)


def test_what_applies():
    """Two coders have Cohen and Scott; an order brings weights; sets have their distances."""
    two, three = applicable(2, "nominal", 2), applicable(3, "nominal", 3)
    assert set(two) - set(three) == {
        "cohen_kappa", "scott_pi", "positive_agreement", "negative_agreement",
    }  # fmt: skip
    assert "gwet_ac2.quadratic" in applicable(3, "ordinal", 3)
    assert "krippendorff_alpha.interval" not in applicable(3, "ordinal", 3)
    assert applicable(2, "masi", 3)[:2] == ("krippendorff_alpha.masi", "krippendorff_alpha.jaccard")
    for level in ("nominal", "ordinal", "interval", "ratio", "masi", "jaccard"):
        assert set(applicable(2, level, 2)) <= DEFINITIONS.keys()


def test_every_coefficient_has_a_definition():
    """A definition is one line of words."""
    for name, words in DEFINITIONS.items():
        assert len(words.split()) > 3, name
        assert "\n" not in words


UNDEFINED = [
    (["aaaa"], "a single coder: there is nobody to compare with"),
    (["aaaa", "...."], "a single coder: there is nobody to compare with"),
    (["aa..", "..bb"], "no pairable unit: no unit was coded by two or more coders"),
    (["....", "...."], "no coding"),
    (["aaaa", "aaaa"], "no variation: every coding is 'a'"),
    (["aaab", "aaa."], "no variation: every pairable coding is 'a'"),
]


@pytest.mark.parametrize(("rows", "reason"), UNDEFINED)
def test_undefined_has_a_reason(rows, reason):
    """No coefficient that corrects for chance is a number where codings say nothing."""
    found = coefficients(columns_of(rows, "ab"), domain=["a", "b"], level="ordinal")
    for name, estimate in found.items():
        if "_agreement" in name and "variation" in reason:
            continue
        assert all(math.isnan(number) for number in estimate[:6]), name
        assert estimate.note == reason


def test_percent_agreement_needs_no_variation():
    """Four of four units agree: a share of 1, and what four units leave open: 1 - .025^(1/4)."""
    columns = columns_of(["aaaa", "aaaa"], "ab")
    found = coefficients(columns, domain=["a", "b"], level="nominal")
    for name in ("percent_agreement.units", "percent_agreement.pairable", "negative_agreement"):
        assert found[name].value == 1
        assert found[name].low == pytest.approx(0.025 ** (1 / 4))
        assert found[name].high == 1
        assert found[name].method == "zero-event bound"
    assert math.isnan(found["positive_agreement"].value)
    assert found["positive_agreement"].note == "no pairable coding is 'b'"


def test_perfect_agreement_is_not_certainty():
    """30 of 30 units agree, half yes: kappa 1, at least 1 - p/(1 - pe), p = 1 - .025^(1/30)."""
    columns = columns_of_table([15, 0], [0, 15])
    found = coefficients(columns, domain=NO_YES, level="nominal")
    p = 1 - 0.025 ** (1 / 30)
    for name in ("cohen_kappa", "scott_pi", "fleiss_kappa", "conger_kappa", "brennan_prediger"):
        assert found[name].value == 1
        assert [found[name].low, found[name].high] == pytest.approx([1 - p / 0.5, 1])
        assert math.isnan(found[name].se)
        assert found[name].note == "no disagreement: the bound is what so many units leave open"


def test_rare_code_is_flagged():
    """Nine of 50 units with the rarer code: every note says so."""
    columns = columns_of_table([41, 2], [2, 5])
    for name, estimate in coefficients(columns, domain=NO_YES, level="nominal").items():
        assert "fewer than 10 units carry the rarer code: 9 of 50" in estimate.note, name
    columns = columns_of_table([41, 2], [2, 6])
    for name, estimate in coefficients(columns, domain=NO_YES, level="nominal").items():
        assert estimate.note == "", name


def test_what_does_not_apply_has_a_reason():
    """A name that does not fit coders, values or level gives words, not a number."""
    names = ["cohen_kappa", "positive_agreement", "gwet_ac2.linear", "krippendorff_alpha.ratio"]
    found = coefficients(made(30), domain=NUMBERS, level="nominal", names=names)
    assert [estimate.note for estimate in found.values()] == [
        "cohen_kappa is for two coders, these are 3: see fleiss_kappa, conger_kappa",
        "positive_agreement is for two values, 4 are declared",
        "linear weights need an order of the values: level 'nominal' has none",
        "the ratio alpha does not fit values of level 'nominal'",
    ]
    assert all(math.isnan(estimate.value) for estimate in found.values())


def test_a_single_unit_has_no_interval():
    """One pairable unit with two values has a coefficient, and words where bounds would stand."""
    found = coefficients(columns_of(["a", "b"], "ab"), domain=["a", "b"], level="nominal")
    for name, estimate in found.items():
        assert not math.isnan(estimate.value), name
        assert math.isnan(estimate.low)
        assert "single" in estimate.note


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"names": ["kappa"]}, "no coefficient is called 'kappa'"),
        ({"domain": ["0", "1"]}, "positions from -1 to 3"),
        ({"domain": ["0", "1", "2", "x"]}, "needs numbers"),
        ({"weights": np.ones(3)}, r"weights of shape \(3,\)"),
        ({"weights": np.zeros(30)}, "1/inclusion probability"),
        ({"clusters": np.arange(4)}, r"clusters of shape \(4,\)"),
        ({"confidence": 95}, "must lie between 0.5 and 1"),
    ],
)
def test_bad_settings_are_refused(change, words):
    """The message says what does not fit."""
    settings_ = {"domain": NUMBERS, "level": "interval"} | change
    with pytest.raises(TableError, match=words):
        coefficients(made(30), **settings_)


def test_gwets_ordinal_weights_by_hand():
    """Three values: 1, 1 - 1/3, 1 - 3/3 for 0, 1, 2 ranks between."""
    weights = agreement_weights("ordinal", np.arange(3.0))
    assert weights == pytest.approx(np.array([[1, 2 / 3, 0], [2 / 3, 1, 2 / 3], [0, 2 / 3, 1]]))


@pytest.mark.parametrize("level", LEVELS)
@examples(25)
@given(columns=columns_strategy, chance=st.randoms(use_true_random=False))
def test_order_of_coders_and_units_does_not_matter(level, columns, chance):
    """Coders and units may come in any order."""
    coders, units = (chance.sample(range(size), size) for size in columns.shape)
    options = {"domain": domain_of(level), "level": level}
    same(coefficients(columns, **options), coefficients(columns[coders][:, units], **options))


@examples(40)
@given(columns=columns_strategy, order=st.permutations(range(4)))
def test_names_of_nominal_codes_do_not_matter(columns, order):
    """Codes renamed and declared in another order: the same coefficients.

    A reason or a flag names the code that it is about, so notes are not compared.
    """
    renamed = np.where(columns < 0, -1, np.array(order)[columns])
    one = coefficients(columns, domain=NUMBERS, level="nominal")
    other = coefficients(renamed, domain=list("wxyz"), level="nominal")
    for name, estimate in one.items():
        assert estimate[:6] == pytest.approx(other[name][:6], abs=1e-9, nan_ok=True)


@examples(40)
@given(columns=columns_strategy, value=st.integers(0, 3))
def test_a_unit_coded_once_changes_nothing(columns, value):
    """Alpha, Cohen, Scott and percent agreement pass over a unit that one coder coded.

    Fleiss, Conger and Gwet take the codes' shares of all units by definition (Gwet 2014).
    """
    assume((columns >= 0).any(axis=1).all())
    lone = np.full((len(columns), 1), -1)
    lone[0] = value
    more = np.hstack([columns, lone])
    names = [
        name
        for name in applicable(len(columns), "ratio", 4)
        if name.partition("_")[0] in ("krippendorff", "cohen", "scott", "percent")
    ]
    options = {"domain": NUMBERS, "level": "ratio", "names": names}
    one, other = coefficients(columns, **options), coefficients(more, **options)
    for name, estimate in one.items():
        assert estimate[:6] == pytest.approx(other[name][:6], abs=1e-9, nan_ok=True), name


@examples(25)
@given(columns=columns_strategy)
def test_a_weight_counts_a_unit_that_often(columns):
    """A weight of 2 everywhere changes no value but alpha's finite correction."""
    names = [
        name for name in applicable(len(columns), "ratio", 4) if not name.startswith("krippendorff")
    ]
    options = {"domain": NUMBERS, "level": "ratio", "names": names}
    once = coefficients(columns, **options)
    double = coefficients(columns, **options, weights=np.full(columns.shape[1], 2.0))
    same(once, double)
    twice = coefficients(np.hstack([columns, columns]), **options)
    assert values_of(once) == pytest.approx(values_of(twice), abs=1e-9, nan_ok=True)


@examples(25)
@given(columns=columns_strategy, level=st.sampled_from(LEVELS))
def test_alpha_of_columns_is_alpha_of_units(columns, level):
    """Going by distinct columns changes nothing: the same alpha as of all units' counts."""
    names = [f"krippendorff_alpha.{level}"]
    found = coefficients(columns, domain=domain_of(level), level=level, names=names)[names[0]]
    whole = alpha(count_columns(columns, 4), level=level, domain=domain_of(level))
    assert found.value == pytest.approx(whole.value, abs=1e-12, nan_ok=True)


def test_every_unit_in_a_cluster_of_its_own():
    """Clusters of one unit give the standard errors of units."""
    columns = made(80)
    names = [name for name in applicable(3, "ratio", 4) if name != "cohen_kappa"]
    options = {"domain": NUMBERS, "level": "ratio", "names": names}
    alone = coefficients(columns, **options, clusters=np.arange(80))
    for name, estimate in coefficients(columns, **options).items():
        assert estimate[:6] == pytest.approx(alone[name][:6], abs=1e-9), name


def test_ordinal_order_comes_from_the_declared_domain():
    """Declared low, mid, high; sorted by name it would be high, low, mid and another alpha."""
    rows = [
        ["low", "low", "mid", "high", "high", "mid"],
        ["low", "mid", "mid", "high", "mid", "mid"],
    ]
    found = {}
    for domain in (["low", "mid", "high"], sorted(["low", "mid", "high"])):
        columns = columns_of(rows, domain)
        found[domain[0]] = values_of(coefficients(columns, domain=domain, level="ordinal"))
    for name in ("krippendorff_alpha.ordinal", "cohen_kappa.linear", "gwet_ac2.ordinal"):
        assert found["low"][name] > found["high"][name] + 0.05, name
