"""Published coefficients, standard errors and intervals, and where libraries and papers disagree.

The matrices stand in `cases.json`, each with its source; numbers that are not published were
computed by the named library.
"""

from __future__ import annotations

import math

import krippendorff
import numpy as np
import pytest
from nltk.metrics import masi_distance
from nltk.metrics.agreement import AnnotationTask
from published import CASES, columns_of, columns_of_case, columns_of_table

from labeler.statistics.agreement import kappas
from labeler.statistics.agreement.alpha import alpha, count_columns, distances
from labeler.statistics.agreement.coefficients import DEFINITIONS, coefficients
from labeler.statistics.agreement.column_patterns import column_patterns
from labeler.statistics.agreement.distances import distances_between
from labeler.statistics.agreement.intervals import bootstrap
from labeler.statistics.agreement.kalpha import pair_bootstrap
from labeler.statistics.agreement.linearised import IntervalSettings, linearised

HAYES = CASES["hayes_krippendorff2007"]


def one(columns, name, domain, level):
    """One coefficient."""
    return coefficients(columns, domain=domain, level=level, names=[name])[name]


def cases(*, known):
    """Published values whose name is one of ours, or is not."""
    for case in CASES.values():
        for name, given in case["expected"].items():
            if (name in DEFINITIONS) == known:
                yield pytest.param(case, name, given, id=f"{case['id']}-{name}")


@pytest.mark.parametrize(("case", "name", "given"), list(cases(known=True)))
def test_values_and_standard_errors(case, name, given):
    """Every published coefficient is met to its digits, and so is its standard error.

    Gwet's standard error of alpha is met in his form, since alpha itself has the jackknife's.
    """
    tolerance = given.get("tol", case["tolerance"])
    columns = columns_of(case["codings"], case["domain"])
    found = one(columns, name, case["domain"], case["level"])
    if given["value"] is None:
        assert math.isnan(found.value)
        assert found.note
        return
    assert found.value == pytest.approx(given["value"], abs=tolerance)
    if "ci_method" in given:
        return  # KALPHA's interval: see below
    if name.startswith("krippendorff_alpha"):
        found = in_gwets_form(columns, case["domain"], name.partition(".")[2])
    elif case["id"].startswith("gwet") and name.startswith("cohen_kappa"):  # t, not the normal
        found = one(columns, name.replace("cohen", "conger"), case["domain"], case["level"])
    assert found.value == pytest.approx(given["value"], abs=tolerance)
    if "se" in given:
        assert found.se == pytest.approx(given["se"], abs=tolerance)
    if "ci" in given:
        assert [found.low, found.high] == pytest.approx(given["ci"], abs=tolerance)


def in_gwets_form(columns, domain, level):
    """Alpha with the linearised variance of Gwet (2014), at a level with fixed distances."""
    panel = kappas.pairable(column_patterns(columns, len(domain)))
    if level == "ordinal":
        apart = distances("ordinal", domain, count_columns(columns, len(domain)))
    else:
        apart = distances_between(level, domain, np.ones(len(domain)))
    agree = 1 - apart / apart.max()
    manner = IntervalSettings(confidence=0.95, large=False, floor=-1, flag="")
    return linearised(kappas.krippendorff_gwet(panel, agree), panel, manner)


def made_of(family, case):
    """pa and pe of a published matrix."""
    panel = column_patterns(columns_of_case(case), len(CASES[case]["domain"]))
    return getattr(kappas, family)(panel, np.eye(len(CASES[case]["domain"])))


def of_each_value(family, columns, size):
    """A plain coefficient of each value against the rest."""
    values = []
    for value in range(size):
        against = np.where(columns < 0, -1, columns == value)
        values.append(getattr(kappas, family)(column_patterns(against, 2), np.eye(2)).value)
    return values


def test_agreement_that_chance_expects():
    """pa and pe behind Fleiss' kappa of 1971 and Cohen's of 1960 are the printed ones."""
    fleiss, cohen = made_of("fleiss", "fleiss1971"), made_of("cohen", "cohen1960_p37")
    assert [fleiss.observed, fleiss.expected] == pytest.approx([0.5556, 0.2201], abs=2e-4)
    assert [cohen.observed, cohen.expected] == pytest.approx([0.29, 0.35], abs=6e-3)


@pytest.mark.parametrize("case", ["gwet_raw4raters", "gwet_raw_g1g2"])
@pytest.mark.parametrize("family", ["fleiss", "conger", "gwet", "brennan_prediger"])
def test_agreement_that_gwet_prints(case, family):
    """pa and pe of Gwet's handbook are met with missing codings."""
    name = {"gwet": "gwet_ac1", "brennan_prediger": family}.get(family, f"{family}_kappa")
    given = CASES[case]["expected"][name]
    found = made_of(family, case)
    assert [found.observed, found.expected] == pytest.approx([given["pa"], given["pe"]], abs=0.0011)


def test_kappa_of_each_value():
    """Fleiss (1971): kappa of each diagnosis against the rest."""
    given = CASES["fleiss1971"]["expected"]["per_category_kappa"]
    found = of_each_value("fleiss", columns_of_case("fleiss1971"), 5)
    assert found == pytest.approx(list(given.values()), abs=1e-3)


def test_largest_kappa():
    """Cohen (1960): with these shares of the two coders kappa can be .85 at most."""
    first, second = columns_of_case("cohen1960_p37")
    possible = np.minimum(np.bincount(first), np.bincount(second)).sum() / first.size
    expected = made_of("cohen", "cohen1960_p37").expected
    assert (possible - expected) / (1 - expected) == pytest.approx(0.85, abs=6e-3)


def test_weights_of_ones_own():
    """Cohen (1968): disagreement weights 0, 1, 3, 6 give a weighted kappa of .348."""
    given = CASES["cohen1968_weighted"]["expected"]["cohen_kappa.custom"]
    apart = np.array(given["disagreement_weights"])
    panel = column_patterns(columns_of_case("cohen1968_weighted"), 3)
    found = kappas.cohen(panel, 1 - apart / apart.max())
    assert found.value == pytest.approx(given["value"], abs=6e-4)


def test_distance_of_a_pair_of_sets():
    """Passonneau (2006): {1, 2} and {1, 2, 3, 4} are 2/3 apart by MASI, 1/2 by Jaccard."""
    given, domain = CASES["masi_pair"]["expected"], CASES["masi_pair"]["domain"]
    for name in ("masi", "jaccard"):
        apart = distances_between(name, domain, np.ones(2))[0, 1]
        assert apart == pytest.approx(given[f"{name}_distance"]["value"], abs=1e-12)


def test_every_published_name_is_tested():
    """No case is passed over: what is no coefficient of ours has a test of its own."""
    others = {name.partition(".")[0] for case in cases(known=False) for name in [case.values[1]]}
    disagreements = {"observed_disagreement", "expected_disagreement"}  # in test_agreement.py
    assert others - disagreements == {
        "per_category_kappa",
        "expected_agreement",
        "cohen_kappa_max",
        "cohen_kappa",
        "percent_agreement_exact",
        "masi_distance",
        "jaccard_distance",
    }


def test_sets_that_are_the_same():
    """Three of the nine pairs of sets are equal."""
    case = CASES["sets_9x2_jaccard_masi"]
    columns = columns_of_case("sets_9x2_jaccard_masi")
    found = one(columns, "percent_agreement.units", case["domain"], "masi")
    assert found.value == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("rule", "pairs", "bounds"),
    [(2007, 239, [0.7079, 0.8077]), (2011, 318, [0.7150, 0.8017])],
)
def test_kalpha_interval_draws_pairs(rule, pairs, bounds):
    """Hayes & Krippendorff (2007) print [.7078, .8078], .947 under .8 and .0126 under .7."""
    columns = columns_of(HAYES["codings"], HAYES["domain"])
    found = pair_bootstrap(
        count_columns(columns, 4),
        level="ordinal",
        domain=HAYES["domain"],
        n_coders=5,
        seed=3,
        rule=rule,
        resamples=40_000,
        thresholds=(0.8, 0.7),
    )
    assert found.pairs == pairs
    assert [found.interval.low, found.interval.high] == pytest.approx(bounds, abs=0.0015)
    assert f"KALPHA pair bootstrap ({rule})" in found.interval.method
    if rule == 2007:
        given = HAYES["expected"]["krippendorff_alpha.ordinal"]
        assert [found.interval.low, found.interval.high] == pytest.approx(given["ci"], abs=0.0015)
        assert list(found.below.values()) == pytest.approx([0.947, 0.0126], abs=0.004)


def test_units_drawn_make_twice_the_width():
    """The same data, units drawn: [.632, .841], twice as wide as KALPHA's."""
    columns = columns_of(HAYES["codings"], HAYES["domain"])
    counts = count_columns(columns, 4)
    found = bootstrap(counts, level="ordinal", domain=HAYES["domain"], resamples=10_000, seed=1)
    assert [found.low, found.high] == pytest.approx([0.632, 0.841], abs=0.012)
    assert found.high - found.low > 1.9 * (0.8078 - 0.7078)


def test_two_ordinal_alphas():
    """Gwet's ordinal weights give .834 where Krippendorff's ordinal metric gives .815."""
    columns = columns_of_case("krippendorff2011_C")
    found = coefficients(
        columns,
        domain=list("12345"),
        level="ordinal",
        names=["krippendorff_gwet.ordinal", "krippendorff_alpha.ordinal"],
    )
    assert [e.value for e in found.values()] == pytest.approx([0.834, 0.815], abs=6e-4)


def test_standard_error_of_alpha_with_missing_codings():
    """R's irrCAC 1.4 prints .14548; its Python port, which takes another pa, .14557."""
    found = in_gwets_form(columns_of_case("gwet_raw4raters"), list("12345"), "nominal")
    assert found.se == pytest.approx(0.14548, abs=5e-6)


def test_zero_is_a_number():
    """A value 0 is no obstacle to ratio distances or quadratic weights (irrCAC refuses it)."""
    columns = columns_of(HAYES["codings"], HAYES["domain"])
    names = ["krippendorff_alpha.ratio", "gwet_ac2.quadratic"]
    found = coefficients(columns, domain=HAYES["domain"], level="ratio", names=names)
    assert found["krippendorff_alpha.ratio"].value == pytest.approx(0.6621, abs=1e-4)
    assert 0 < found["gwet_ac2.quadratic"].value < 1


def test_declared_values_that_nobody_used_count():
    """Of 28 units 24 agree: with 3 declared values BP is .786; irrCAC drops the unused: .714.

    BP = (pa - 1/q)/(1 - 1/q) with pa = 24/28: q = 3 gives 11/14, q = 2 gives 10/14.
    """
    columns = columns_of_table([12, 2], [2, 12])
    declared = one(columns, "brennan_prediger", list("abc"), "nominal")
    seen = one(columns, "brennan_prediger", list("ab"), "nominal")
    assert [declared.value, seen.value] == pytest.approx([0.786, 0.714], abs=5e-4)


@pytest.mark.parametrize("sign", [-1, 1])
def test_interval_and_verdict_are_of_one_mind(sign):
    """Bounds of every coefficient come from one standard error and one t: no p beside them."""
    columns = columns_of_table([20, 6], [6, 20]) if sign > 0 else columns_of_table([9, 8], [8, 9])
    found = one(columns, "brennan_prediger", list("ab"), "nominal")
    assert (found.low > 0) == (sign > 0)
    assert found.low < found.lower_one_sided < found.value < found.upper_one_sided < found.high


def test_one_value_only_is_undefined():
    """krippendorff raises and nltk says 1.0 where every coding is the same: here it is a reason."""
    with pytest.raises(ValueError, match="more than one"):
        krippendorff.alpha([[1, 1, 1], [1, 1, 1]], level_of_measurement="nominal")
    task = AnnotationTask([(str(c), str(u), "x") for c in range(2) for u in range(3)])
    assert task.alpha() == 1.0
    found = coefficients(np.zeros((2, 3), int), domain=["x", "y"], level="nominal")
    corrected = {name: e for name, e in found.items() if "agreement" not in name}
    assert len(corrected) == 7
    for estimate in corrected.values():
        assert math.isnan(estimate.value)
        assert estimate.note == "no variation: every coding is 'x'"


def test_masi_by_exact_thirds():
    """2/3 and 1/3 exactly, as nltk since 3.10; two empty sets are at distance 0."""
    domain = ["", "a", "a+b", "b+c"]
    ours = distances_between("masi", domain, np.ones(4))
    sets = [frozenset(value.split("+")) - {""} for value in domain]
    for i, a in enumerate(sets):
        for j, b in enumerate(sets):
            if a or b:
                assert ours[i, j] == pytest.approx(masi_distance(a, b), abs=1e-3)
    assert ours[0, 0] == 0
    assert ours[1, 2] == 1 - (1 / 2) * (2 / 3)


def test_weighted_kappa_keeps_the_unused_middle():
    """Ranks are those of the declared scale: 1 and 3 stay two steps apart when nobody gave 2.

    Table of values 1, 3, 4: diagonal 10, 10, 10; 1-3 five times, 3-4 five times, 1-4 never.
    Declared 1-4 and quadratic: disagreement (5 x 4 + 5 x 1)/40 over sum p q d^2. The shares are
    15, 15, 10 and 10, 15, 15 of 40: sum = (15 x 15 x 4 + 15 x 15 x 9 + 15 x 10 x 4 + 15 x 15 x 1
    + 10 x 10 x 9 + 10 x 15 x 1)/1600 = 4800/1600 = 3; kappa = 1 - .625/3 = .7917. By the ranks of
    the seen values (R's irr) it is 1 - .25/(225 + 900 + 150 + 225 + 400 + 150)/1600 = .8049.
    """
    table = [[10, 0, 5, 0], [0, 0, 0, 0], [0, 0, 10, 5], [0, 0, 0, 10]]
    declared = one(columns_of_table(*table), "cohen_kappa.quadratic", list("1234"), "ordinal")
    seen = [[10, 5, 0], [0, 10, 5], [0, 0, 10]]
    as_irr = one(columns_of_table(*seen), "cohen_kappa.quadratic", list("134"), "ordinal")
    assert declared.value == pytest.approx(1 - 0.625 / 3)
    assert as_irr.value == pytest.approx(1 - 0.25 / (2050 / 1600))
    as_numbers = one(columns_of_table(*seen), "cohen_kappa.quadratic", list("134"), "interval")
    assert as_numbers.value == pytest.approx(declared.value)


def test_kappa_of_a_value_is_of_scotts_kind():
    """Agresti (1992): .781 .247 .402 .435 are one-against-rest Scott, not Cohen.

    The table is Landis & Koch's (1977) of Holmquist's slides, two pathologists, four codes.
    """
    columns = columns_of_table([22, 2, 2, 0], [5, 7, 14, 0], [0, 2, 36, 0], [0, 1, 17, 10])
    scott = of_each_value("fleiss", columns, 4)
    cohen = of_each_value("cohen", columns, 4)
    assert scott == pytest.approx([0.781, 0.247, 0.402, 0.435], abs=6e-4)
    assert cohen[1:] == pytest.approx([0.266, 0.441, 0.459], abs=6e-4)


def test_two_percent_agreements():
    """Krippendorff's C data: .8182 by units (Gwet), .800 by pairable codings (Krippendorff)."""
    found = coefficients(columns_of_case("krippendorff2011_C"), domain=list("12345"), level="ratio")
    assert found["percent_agreement.units"].value == pytest.approx(0.8182, abs=1e-4)
    assert found["percent_agreement.pairable"].value == pytest.approx(0.800, abs=1e-12)
    assert found["percent_agreement"] == found["percent_agreement.units"]


def test_core_equals_the_package_on_published_matrices():
    """Alpha of every published matrix equals the krippendorff package's to 1e-12."""
    for case in CASES.values():
        counts = count_columns(columns_of(case["codings"], case["domain"]), len(case["domain"]))
        found = alpha(counts, level="nominal", domain=case["domain"])
        if math.isnan(found.value):
            continue
        theirs = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
        assert found.value == pytest.approx(theirs, abs=1e-12)
