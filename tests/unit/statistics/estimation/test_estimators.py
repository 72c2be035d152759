"""Estimators: by hand, against published figures, and what must hold for any sample."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from thorough import examples

from labeler.errors import TableError
from labeler.statistics.estimation.covariance import centred, collection_contributions
from labeler.statistics.estimation.derived import ratio, standard_errors
from labeler.statistics.estimation.estimators import blind_alone, corrected, model_alone
from labeler.statistics.estimation.sample import phase_sample, sample_weights

TARGETS = ["collection", "population"]
COUNTY = np.array(
    [  # of 15 school districts: sum of the score, number of schools
        [7359, 11], [1888, 4], [905, 2], [8593, 13], [1116, 2], [2493, 4], [2077, 4], [11369, 16],
        [6386, 9], [22508, 34], [13761, 21], [20394, 37], [9372, 13], [551, 1], [9111, 12],
    ]
)  # fmt: skip


def a_sample(rng: np.random.Generator, *, size=400, coded=120, strata=3, cells=4, writers=90):
    """Numbers from 0 to 2 that a model gives with errors, in strata, several units an author."""
    truth = rng.poisson(0.5, (size, cells)).astype(float)
    model = np.where(rng.random(truth.shape) < 0.7, truth, rng.poisson(0.5, truth.shape))
    stratum = rng.integers(0, strata, size)
    chance = np.array([0.2, 0.4, 0.3, 0.5])[stratum]
    rows = np.sort(rng.choice(size, coded, replace=False))
    return phase_sample(
        model=model,
        blind_rows=rows,
        blind=truth[rows],
        stratum=stratum,
        probability=chance[rows],
        author=rng.integers(0, writers, size),
    )


def test_a_stratified_mean_by_hand() -> None:
    """Strata of 10 and 20, coded (0, 2) and (1, 1, 4): means 1 and 2, variances 2 and 3.

    Mean (10 + 40)/30; variance of the total 100 (1 - .2) 2/2 + 400 (1 - .15) 3/3 = 80 + 340.
    """
    sample = phase_sample(
        model=np.zeros((30, 1)),
        blind_rows=[0, 1, 10, 11, 12],
        blind=[[0], [2], [1], [1], [4]],
        stratum=[0] * 10 + [1] * 20,
    )
    estimates = blind_alone(sample, target="collection")
    assert estimates.mean == pytest.approx([50 / 30])
    assert estimates.covariance[0, 0] == pytest.approx(420.0)
    assert estimates.design_degrees == 3


def test_the_collection_s_variance_of_a_corrected_mean_by_hand() -> None:
    """N = 40, y = 1100 and f = 1010 of four: residuals 0 1 -1 0 have S^2 = 2/3 at lambda 1.

    The frame's f adds up to 18 and the mean residual is 0: 18. Variance 40^2 (1 - .1)(2/3)/4.
    """
    model = np.zeros((40, 1))
    model[[0, 2, *range(4, 20)]] = 1
    sample = phase_sample(model=model, blind_rows=[0, 1, 2, 3], blind=[[1], [1], [0], [0]])
    estimates = corrected(sample, target="collection", tuning=1.0)
    assert estimates.total == pytest.approx([18.0])
    assert estimates.covariance[0, 0] == pytest.approx(240.0)
    assert estimates.correlation == pytest.approx([0.0])


def test_a_simple_draw_from_the_stream_has_both_variances() -> None:
    """(1 - n/N) S^2(y - lambda f)/n + S^2(y)/N, each S^2 of those coded, nearly."""
    rng = np.random.default_rng(3)
    y = rng.random(20_000) < 0.3
    f = np.where(rng.random(y.size) < 0.8, y, ~y)
    rows = np.arange(1000)
    sample = phase_sample(model=f[:, None], blind_rows=rows, blind=y[rows][:, None])
    estimates = corrected(sample, target="population")
    rest = y[rows] - estimates.tuning[0] * f[rows]
    expected = (1 - 1 / 20) * rest.var(ddof=1) / 1000 + y[rows].var(ddof=1) / 20_000
    assert estimates.se[0] ** 2 == pytest.approx(expected, rel=0.01)
    people = corrected(sample, target="population", tuning=0.0)
    assert people.se[0] ** 2 == pytest.approx(y[rows].var(ddof=1) / 1000, rel=1e-9)


@pytest.mark.parametrize(
    ("tuning", "mean", "low"),
    [(1.0, 0.24161403508771928, 0.19379997448099062), (0.0, 0.236, 0.19878090836126078)],
)
def test_a_mean_as_ppi_python_has_it(tuning, mean, low) -> None:
    """1,412 complaints, 500 coded (Pan and Chen 2018, data of the R package dsl); ppi-python 0.2.3.

    There the labelled and the others are two samples: its lambda is ours times (N - n)/N, and
    its variances divide by n, not n - 1.
    """
    y = np.repeat([0, 0, 1, 1], [332, 50, 48, 70])
    f = np.concatenate([np.repeat([0, 1, 0, 1], [332, 50, 48, 70]), np.repeat([0, 1], [688, 224])])
    sample = phase_sample(model=f[:, None], blind_rows=np.arange(500), blind=y[:, None])
    estimates = corrected(sample, target="population", tuning=tuning * 1412 / 912)
    se = estimates.se[0] * np.sqrt(499 / 500)
    assert estimates.mean[0] == pytest.approx(mean, abs=1e-12)
    assert estimates.mean[0] - 1.959963984540054 * se == pytest.approx(low, abs=1e-12)


def test_unequal_weights_as_the_survey_package_has_them() -> None:
    """Ten villages of unequal weight (R survey, tests/deff.R): mean 243.914, SE 48.752."""
    weight = np.array([20, 200, 11, 25, 550, 30, 250, 100, 10, 55.0])
    y = np.array([15, 143, 21, 51, 337, 50, 274, 145, 15, 86.0])
    sample = phase_sample(
        model=sparse.csr_array((1251, 1)),
        blind_rows=np.arange(10),
        blind=y[:, None],
        probability=1 / weight,
    )
    estimates = blind_alone(sample, target="population")
    assert estimates.mean == pytest.approx([243.914], abs=5e-4)
    assert estimates.se == pytest.approx([48.752], abs=5e-4)
    assert estimates.total == pytest.approx([305136])


def test_a_mean_over_clusters_as_the_survey_package_has_it() -> None:
    """15 of 757 districts with all their schools (R survey, api data): 644.17, SE 23.542."""
    sample = phase_sample(model=sparse.csr_array((757, 2)), blind_rows=np.arange(15), blind=COUNTY)
    estimates = blind_alone(sample, target="collection")
    score = ratio(estimates, [1, 0], [0, 1], scale="score")
    assert score.value == pytest.approx([644.17], abs=5e-3)
    assert standard_errors(estimates, score) == pytest.approx([23.542], abs=5e-4)


def test_a_mean_in_a_domain_as_the_survey_package_has_it() -> None:
    """Eight units in two strata, those above 4 (R survey, tests/domain.R): 6.195, SE .7555129.

    Without a finite-population correction: what the units stood for before is nothing.
    """
    x = np.float32([2.8, 4.1, 6.8, 6.8, 9.2, 3.7, 6.6, 4.2]).astype(float)
    inside = (x > 4).astype(float)
    sample = phase_sample(
        model=np.zeros((27, 2)),
        blind_rows=[*range(5), 15, 16, 17],
        blind=np.stack([x * inside, inside], axis=1),
        stratum=[0] * 15 + [1] * 12,
    )
    estimates = blind_alone(sample, target="collection")
    mean = ratio(estimates, [1, 0], [0, 1], scale="score")
    weights = sample_weights(sample)
    residuals, _ = centred(sample.blind, weights)
    error = collection_contributions(residuals, weights, before=0.0) @ mean.gradient.T
    assert mean.value == pytest.approx([6.195], abs=5e-4)
    assert np.sqrt(np.square(error).sum()) == pytest.approx(0.7555129, abs=5e-8)


@given(st.integers(0, 2**32 - 1))
@examples(15)
def test_without_the_model_corrected_is_people_alone(seed) -> None:
    """lambda = 0, both targets, to the last digit."""
    sample = a_sample(np.random.default_rng(seed))
    for target in TARGETS:
        zero, people = (
            corrected(sample, target=target, tuning=0.0),
            blind_alone(sample, target=target),
        )
        assert (zero.total == people.total).all()
        assert (zero.covariance == people.covariance).all()


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.4, 1.0]))
@examples(15)
def test_cells_add_up_to_their_margin(seed, tuning) -> None:
    """With one lambda the sum of cells is the margin's estimate, and so is its variance."""
    sample = a_sample(np.random.default_rng(seed))
    margin = sample._replace(
        model=sparse.csr_array(sample.model.sum(axis=1)[:, None]),
        blind=sample.blind.sum(axis=1, keepdims=True),
        known=np.zeros(1, bool),
    )
    for target in TARGETS:
        cells = corrected(sample, target=target, tuning=tuning, unseen_errors=False)
        whole = corrected(margin, target=target, tuning=tuning, unseen_errors=False)
        assert cells.total.sum() == pytest.approx(whole.total[0])
        assert cells.covariance.sum() == pytest.approx(whole.covariance[0, 0], rel=1e-6)


@given(st.integers(0, 2**32 - 1))
@examples(15)
def test_a_census_of_blind_codes_is_without_error_in_the_collection(seed) -> None:
    """Whatever the model says, the total is that of the blind codes."""
    rng = np.random.default_rng(seed)
    sample = a_sample(rng, size=60, coded=60)._replace(probability=np.ones(60))
    estimates = corrected(sample, target="collection")
    assert estimates.total == pytest.approx(sample.blind.sum(axis=0))
    assert np.abs(estimates.covariance).max() < 1e-9
    assert (corrected(sample, target="population").se > 0).all()


@given(st.integers(0, 2**32 - 1))
@examples(15)
def test_tuning_makes_the_variance_least(seed) -> None:
    """No other lambda between 0 and 1 has a smaller variance in the collection."""
    sample = a_sample(np.random.default_rng(seed))
    least = corrected(sample, target="collection").se
    for tuning in (0.0, 0.3, 0.7, 1.0):
        assert (least <= corrected(sample, target="collection", tuning=tuning).se + 1e-12).all()


def test_the_covariance_is_that_of_pseudo_values_summed_by_author() -> None:
    """Against dense arrays: psi = lambda f + mean residual + w (residual - mean), one stratum."""
    rng = np.random.default_rng(5)
    sample = a_sample(rng, strata=1)
    estimates = corrected(sample, target="population", tuning=0.5)
    f = sample.model.toarray()
    rest = sample.blind - 0.5 * f[sample.blind_rows]
    psi = 0.5 * f
    inside = np.isin(np.arange(sample.size), sample.blind_rows)
    for part in (inside, ~inside):
        psi[part] -= psi[part].mean(axis=0)
    own = sample.size / sample.coded * (rest - rest.mean(axis=0))
    psi[sample.blind_rows] += own
    sums = np.zeros((90, 4))
    np.add.at(sums, sample.author, psi)
    many = np.unique(sample.author[sample.blind_rows]).size
    expected = sums.T @ sums * many / (many - 1)
    assert estimates.covariance == pytest.approx(expected)


def test_an_author_s_posts_count_together_in_the_population() -> None:
    """Each author has four posts with the same code: the variance is near four times as large."""
    rng = np.random.default_rng(6)
    y = np.repeat(rng.random(500) < 0.4, 4)[:, None]
    rows = np.arange(1000)
    apart = phase_sample(model=np.zeros(y.shape), blind_rows=rows, blind=y[rows])
    together = apart._replace(author=np.repeat(np.arange(500), 4))
    grown = corrected(together, target="population").se / corrected(apart, target="population").se
    assert grown**2 == pytest.approx([4.0], rel=0.01)


def test_known_columns_are_counted_not_estimated() -> None:
    """Posts of a month: the frame's count, without error in the collection, always estimable."""
    month = np.arange(40) % 2
    sample = phase_sample(
        model=np.stack([month, np.zeros(40)], axis=1),
        blind_rows=[0, 1, 2, 3],
        blind=[[0, 1], [1, 0], [0, 0], [1, 1]],
        known=[True, False],
    )
    estimates = corrected(sample, target="collection")
    assert estimates.total[0] == 20
    assert estimates.se[0] == 0
    assert estimates.reason == ("", "below ten carriers")


def test_a_rare_code_without_an_error_has_the_floor_s_variance() -> None:
    """98 of 1,000 coded, model always right: one error in 100 draws, 1000^2 (1 - .098) .0099/98."""
    y = np.zeros((1000, 1))
    y[::50] = 1
    rows = np.arange(98)
    sample = phase_sample(model=y, blind_rows=rows, blind=y[rows])
    estimates = corrected(sample, target="collection")
    assert estimates.covariance[0, 0] == pytest.approx(1e6 * 0.902 * 0.01 * 0.99 / 98)
    assert estimates.reason == ("below ten carriers",)


def test_errors_unseen_in_a_thin_stratum_are_reckoned_with() -> None:
    """900 units of which 30 are coded, none with the code; 100 of which 30, half with it.

    One error in 32 draws of the first: 900^2 (1 - 1/30)/30 (31/32^2), beside 100^2 .7 S^2/30.
    """
    y = np.zeros((60, 1))
    y[30:45] = 1
    sample = phase_sample(
        model=np.zeros((1000, 1)),
        blind_rows=[*range(30), *range(900, 930)],
        blind=y,
        stratum=[0] * 900 + [1] * 100,
    )
    seen = 1e4 * 0.7 * (7.5 / 29) / 30
    unseen = 900**2 * (29 / 30) / 30 * 31 / 32**2
    estimates = corrected(sample, target="collection")
    assert estimates.covariance[0, 0] == pytest.approx(seen + unseen)
    plain = corrected(sample, target="collection", unseen_errors=False)
    assert plain.covariance[0, 0] == pytest.approx(seen)
    assert estimates.degrees[0] < plain.degrees[0]


def test_without_blind_codes_nothing_is_corrected_and_it_says_why() -> None:
    """No blind unit, one blind unit, and a model alone."""
    nobody = phase_sample(model=np.ones((5, 1)), blind_rows=[], blind=np.empty((0, 1)))
    assert corrected(nobody, target="collection").reason == ("no blind codes",)
    assert np.isnan(corrected(nobody, target="collection").total).all()
    one = phase_sample(model=np.ones((5, 1)), blind_rows=[2], blind=[[1]])
    assert corrected(one, target="collection").reason == ("below ten carriers",)
    alone = model_alone(one, target="population")
    assert alone.total == pytest.approx([5])
    assert alone.reason == ("not corrected",)


def test_a_negative_estimate_is_told_not_cut_off() -> None:
    """The model says none; where coded it said too many: the total falls below 0."""
    model = np.zeros((100, 1))
    model[:20] = 1
    blind = np.zeros((40, 1))
    blind[30:] = 1
    sample = phase_sample(model=model, blind_rows=np.arange(40), blind=blind)
    estimates = corrected(sample, target="collection", tuning=1.0)
    assert estimates.total == pytest.approx([-5.0])
    assert estimates.reason == ("negative estimate",)


def test_scores_below_zero_may_add_up_to_a_negative_total() -> None:
    """+1 and -1: a signed cell."""
    blind = np.repeat([-1.0, 1.0, 0.0], [20, 12, 8])[:, None]
    sample = phase_sample(model=np.zeros((80, 1)), blind_rows=np.arange(40), blind=blind)
    estimates = corrected(sample, target="collection")
    assert estimates.total == pytest.approx([-16.0])
    assert estimates.reason == ("",)


def test_an_unknown_tuning_is_refused() -> None:
    """Only 'cell', 'common' and numbers."""
    sample = a_sample(np.random.default_rng(1))
    with pytest.raises(TableError, match="neither"):
        corrected(sample, target="collection", tuning="best")  # type: ignore[arg-type]


def test_one_lambda_for_all_cells_lies_between_theirs() -> None:
    """The pooled regression, so that tables add up."""
    sample = a_sample(np.random.default_rng(2))
    own = corrected(sample, target="collection").tuning
    common = corrected(sample, target="collection", tuning="common").tuning
    assert np.ptp(common) == 0
    assert own.min() <= common[0] <= own.max()
