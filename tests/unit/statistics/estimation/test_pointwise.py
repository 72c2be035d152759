"""Delta-PMI by hand, its error by the jackknife, and when it is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from labeler.errors import TableError
from labeler.statistics.estimation.derived import standard_errors
from labeler.statistics.estimation.estimators import blind_alone
from labeler.statistics.estimation.pointwise import delta_pmi
from labeler.statistics.estimation.sample import phase_sample

POSITIVE, NEGATIVE = np.arange(4).reshape(2, 2), np.arange(4, 8).reshape(2, 2)


def estimated(blind: np.ndarray, *, size: int = 100_000):
    """Blind codes alone of a large frame."""
    sample = phase_sample(
        model=np.zeros((size, blind.shape[1])), blind_rows=np.arange(len(blind)), blind=blind
    )
    return blind_alone(sample, target="collection")


def pmi(table: np.ndarray, smoothing: float) -> np.ndarray:
    """log p(v, s)/(p(v) p(s)) of a table of blind segments."""
    t = table + smoothing
    return np.log(t * t.sum() / np.outer(t.sum(axis=1), t.sum(axis=0)))


def segments(seed: int = 1, posts: int = 300) -> np.ndarray:
    """Segments of two values by two perspectives, positive, then negative, in each post."""
    return np.random.default_rng(seed).poisson([1, 0.5, 0.5, 1, 0.6, 0.6, 0.6, 0.6], (posts, 8))


def test_a_pair_by_hand() -> None:
    """Positive 40 20 20 40, negative 30 each, half a segment added: log(40.5 122/61^2) for one."""
    counts = [40, 20, 20, 40, 30, 30, 30, 30]
    figures = delta_pmi(estimated(np.repeat(np.eye(8), counts, axis=0)), POSITIVE, NEGATIVE)
    assert figures.value[0] == pytest.approx(math.log(40.5 * 122 / 61**2))
    assert figures.value[1] == pytest.approx(math.log(20.5 * 122 / 61**2))
    assert set(figures.reason) == {""}


def test_the_error_is_the_jackknife_s() -> None:
    """Leaving out one post at a time."""
    blind = segments()
    figures = delta_pmi(estimated(blind), POSITIVE, NEGATIVE)
    n = len(blind)
    without = []
    for left in range(n):
        sums = np.delete(blind, left, axis=0).sum(axis=0) * n / (n - 1)
        without.append((pmi(sums[POSITIVE], 0.5) - pmi(sums[NEGATIVE], 0.5)).ravel())
    error = np.sqrt((n - 1) / n * np.square(without - np.mean(without, axis=0)).sum(axis=0))
    sums = blind.sum(axis=0)
    expected = (pmi(sums[POSITIVE], 0.5) - pmi(sums[NEGATIVE], 0.5)).ravel()
    assert figures.value == pytest.approx(expected)
    assert standard_errors(estimated(blind), figures) == pytest.approx(error, rel=0.02)


def test_more_smoothing_draws_towards_nothing() -> None:
    """The same segments, a hundred times the smoothing."""
    estimates = estimated(segments())
    plain = delta_pmi(estimates, POSITIVE, NEGATIVE)
    smooth = delta_pmi(estimates, POSITIVE, NEGATIVE, smoothing=50)
    assert (np.abs(smooth.value) < np.abs(plain.value)).all()


def test_an_absent_pair_is_a_finding_where_its_margins_are_known() -> None:
    """Never among the negative, often among the positive; and a row that is hardly there."""
    blind = segments()
    blind[:, 4] = 0
    assert delta_pmi(estimated(blind), POSITIVE, NEGATIVE).reason[0] == ""
    blind[:, 5] = 0
    thin = delta_pmi(estimated(blind), POSITIVE, NEGATIVE)
    assert thin.reason == ("denominator not estimable",) * 2 + ("",) * 2
    blind[:, 0] = 0
    assert delta_pmi(estimated(blind), POSITIVE, NEGATIVE).reason[0] == "below ten carriers"


def test_tables_of_two_shapes_are_refused() -> None:
    """And smoothing by nothing."""
    estimates = estimated(segments())
    with pytest.raises(TableError, match="one shape"):
        delta_pmi(estimates, POSITIVE, NEGATIVE[:1])
    with pytest.raises(TableError, match="smoothing"):
        delta_pmi(estimates, POSITIVE, NEGATIVE, smoothing=0)
