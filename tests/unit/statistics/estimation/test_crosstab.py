"""Tests of tables: counted ones by the classical figures, estimated ones by R's survey."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, fisher_exact
from scipy.stats.contingency import association
from thorough import examples

from labeler.errors import TableError
from labeler.statistics.estimation.crosstab import chi_square, corrected_v, fisher, rao_scott
from labeler.statistics.estimation.estimators import blind_alone, model_alone
from labeler.statistics.estimation.sample import phase_sample

SCHOOLS = np.array(
    [  # of 15 districts: schools without and with a school-wide growth, elementary, high, middle
        [0, 0, 0, 8, 1, 2], [0, 0, 0, 2, 1, 1], [0, 0, 1, 1, 0, 0], [1, 0, 2, 9, 0, 1],
        [0, 0, 0, 2, 0, 0], [0, 1, 1, 2, 0, 0], [0, 0, 1, 2, 1, 0], [1, 0, 0, 12, 0, 3],
        [1, 1, 0, 3, 3, 1], [3, 0, 0, 31, 0, 0], [1, 1, 1, 15, 1, 2], [5, 0, 0, 25, 3, 4],
        [0, 0, 2, 10, 0, 1], [0, 0, 0, 1, 0, 0], [0, 0, 0, 9, 1, 2],
    ]
)  # fmt: skip
CELLS = np.arange(6).reshape(2, 3)


def estimated(counts: np.ndarray, *, size: int = 100_000):
    """A counted table as an estimate: each thing is a unit that carries one cell."""
    blind = np.repeat(np.eye(counts.size), counts.ravel(), axis=0)
    sample = phase_sample(
        model=np.zeros((size, counts.size)), blind_rows=np.arange(len(blind)), blind=blind
    )
    return blind_alone(sample, target="population")


def test_rao_and_scott_as_the_survey_package_has_it() -> None:
    """svychisq(~sch.wide+stype, dclus1), 15 of 757 districts: F 5.1934 on 1.495 and 20.925."""
    sample = phase_sample(model=np.zeros((757, 6)), blind_rows=np.arange(15), blind=SCHOOLS)
    estimates = blind_alone(sample, target="collection")
    test = rao_scott(estimates, CELLS)
    assert test.statistic == pytest.approx(5.1934, abs=5e-5)
    assert test.degrees == pytest.approx((1.495, 20.925), abs=6e-4)
    assert test.p == pytest.approx(0.02175, abs=6e-6)
    table = estimates.total * 6194 / 183 * 15 / 757  # the package's weights add up to 6,194 schools
    assert table == pytest.approx(
        [406.164, 101.541, 270.776, 4467.8035, 372.317, 575.3989], abs=5e-4
    )
    assert test.reason == "expected counts are too small"  # .94 in one cell


def test_a_plain_sample_s_table_is_tested_as_if_counted() -> None:
    """Simple draws of single things: nearly Pearson's chi-square, one design effect near 1."""
    counts = np.array([[90, 60, 50], [50, 70, 80]])
    test, plain = rao_scott(estimated(counts), CELLS), chi_square(counts)
    assert test.effective_n == pytest.approx(400, rel=0.02)
    assert test.statistic * 2 == pytest.approx(plain.statistic, rel=0.02)
    assert test.p == pytest.approx(plain.p, rel=0.2)
    assert test.phi_squared == pytest.approx(plain.phi_squared)
    assert test.adjusted == pytest.approx(plain.adjusted, rel=0.1)


def test_counting_each_post_four_times_does_not_make_a_finding() -> None:
    """The same posts with four segments each: the same F, and the same effective number."""
    counts = np.array([[90, 60, 50], [50, 70, 80]])
    blind = np.repeat(np.eye(6), counts.ravel(), axis=0)
    sample = phase_sample(
        model=np.zeros((9000, 6)), blind_rows=np.arange(len(blind)), blind=4 * blind
    )
    once = sample._replace(blind=blind)
    four = rao_scott(blind_alone(sample, target="collection"), CELLS)
    one = rao_scott(blind_alone(once, target="collection"), CELLS)
    assert four.statistic == pytest.approx(one.statistic)
    assert four.effective_n == pytest.approx(one.effective_n)
    assert chi_square(4 * counts).statistic == pytest.approx(4 * chi_square(counts).statistic)


def test_pearson_without_yates_by_hand() -> None:
    """30 10 / 20 40: 100 (1200 - 200)^2/(40 60 50 50) = 16.667; V = sqrt(.16667)."""
    test = chi_square([[30, 10], [20, 40]])
    assert test.statistic == pytest.approx(100 * 1000**2 / (40 * 60 * 50 * 50))
    assert test.degrees == (1.0,)
    assert test.v == pytest.approx(math.sqrt(1 / 6))
    assert test.pearson[0, 0] == pytest.approx((30 - 20) / math.sqrt(20))
    assert test.adjusted[0, 0] == pytest.approx((30 - 20) / math.sqrt(20 * 0.6 * 0.5))
    assert test.adjusted[0, 0] ** 2 == pytest.approx(test.statistic)
    assert test.cell_p[0, 0] == pytest.approx(test.p)


@given(st.lists(st.integers(6, 60), min_size=6, max_size=6))
@examples(40)
def test_counted_tables_as_scipy_has_them(counts) -> None:
    """chi2_contingency without correction; Cramér's V of scipy."""
    table = np.array(counts).reshape(2, 3)
    test = chi_square(table)
    expected = chi2_contingency(table, correction=False)
    assert test.statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert test.p == pytest.approx(expected.pvalue, abs=1e-12)
    assert test.v == pytest.approx(association(table, method="cramer"), abs=1e-9)
    assert np.square(test.pearson).sum() == pytest.approx(test.statistic, abs=1e-9)


@given(st.lists(st.integers(0, 12), min_size=4, max_size=4))
@examples(60)
def test_fisher_as_scipy_has_it(counts) -> None:
    """Two-sided, any table of two by two with margins."""
    table = np.array(counts).reshape(2, 2)
    if min(table.sum(axis=0).min(), table.sum(axis=1).min()) == 0:
        return
    assert fisher(table) == pytest.approx(fisher_exact(table).pvalue, abs=1e-9)


def test_small_tables_are_tested_exactly_or_refused() -> None:
    """3 1 / 1 3 (the tea tasting): p = .4857; a larger table has a reason."""
    test = chi_square([[3, 1], [1, 3]])
    assert (test.method, test.reason) == ("Fisher, exact", "")
    assert test.p == pytest.approx(34 / 70)
    assert chi_square([[3, 1, 2], [1, 3, 0]]).reason == "expected counts are too small"


def test_v_corrected_for_bias_by_hand() -> None:
    """phi^2 = .05 of 101 things in 3 by 2: phi+ .03, rows 3 - 4/100, columns 2 - 1/100."""
    assert corrected_v(0.05, 101, 3, 2) == pytest.approx(math.sqrt(0.03 / 0.99))
    assert corrected_v(0.01, 101, 3, 2) == 0
    assert math.isnan(corrected_v(0.5, 2, 2, 2))


def test_tables_that_cannot_be_tested() -> None:
    """An empty row, one row, a negative cell, and estimates that are none."""
    with pytest.raises(TableError, match="sum above 0"):
        chi_square([[0, 0], [1, 2]])
    with pytest.raises(TableError, match="two rows"):
        chi_square([[1, 2]])
    with pytest.raises(TableError, match="negative"):
        chi_square([[1, -2], [3, 4]])
    estimates = estimated(np.array([[90, 60, 50], [50, 70, 80]]))
    below = estimates._replace(total=estimates.total * [-1, 1, 1, 1, 1, 1])
    assert rao_scott(below, CELLS).reason == "negative estimate"
    nobody = phase_sample(model=np.ones((9, 6)), blind_rows=[], blind=np.empty((0, 6)))
    assert rao_scott(model_alone(nobody, target="collection"), CELLS).reason == "not corrected"
