"""Shares of an account's limits and budget: what each worker gets, by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.coders.llm.client.complete import RateLimits
from labeler.coders.llm.cluster.quotas import BudgetShares, RateShares


def test_two_workers_halve_the_limits() -> None:
    """Of 60 requests and 9,000 tokens a minute and 9 flights, each of two gets half."""
    shares = RateShares(9, RateLimits(60, 9000))
    half = shares.take("a", workers=2, now=0.0)
    assert half == shares.take("b", workers=2, now=0.0) == Fraction(1, 2)
    assert shares.rates(half) == RateLimits(30, 4500)
    assert shares.flights(half) == 4
    assert shares.take("c", workers=2, now=0.0) is None


def test_third_worker_waits_until_others_have_less() -> None:
    """A third worker gets a third once both others have handed their halves back."""
    shares = RateShares(9, RateLimits())
    for worker in ("a", "b"):
        shares.take(worker, workers=2, now=0.0)
    assert shares.take("c", workers=3, now=1.0) is None
    for worker in ("a", "b"):
        shares.back(worker, began=0.0, sent=5, tokens=0, now=2.0)
        assert shares.take(worker, workers=3, now=2.0) == Fraction(1, 3)
    assert shares.take("c", workers=3, now=2.0) == Fraction(1, 3)


def test_share_is_held_until_what_was_sent_has_come_in() -> None:
    """Ten requests at 30 a minute take 20 seconds, however fast the burst let them go."""
    shares = RateShares(2, RateLimits(60, None))
    shares.take("a", workers=2, now=100.0)
    shares.back("a", began=100.0, sent=10, tokens=99, now=105.0)
    assert shares.take("a", workers=2, now=119.9) is None
    assert shares.take("a", workers=2, now=120.0) == Fraction(1, 2)
    shares.lost("a")
    assert shares.take("a", workers=1, now=120.0) == 1


def test_more_workers_than_flights() -> None:
    """Of three flights, four workers get one each but for the last, who waits."""
    shares = RateShares(3, RateLimits())
    got = [shares.take(worker, workers=4, now=0.0) for worker in "abcd"]
    assert got == [Fraction(1, 3)] * 3 + [None]
    assert [shares.flights(share) for share in got if share] == [1, 1, 1]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9), st.booleans()), max_size=60))
def test_sum_of_shares_is_never_above_the_whole(steps: list[tuple[int, int, bool]]) -> None:
    """Whoever comes and goes in any order, the shares in use add up to 1 at most."""
    shares = RateShares(7, RateLimits(60, None))
    for now, (worker, workers, takes) in enumerate(steps):
        if takes:
            shares.take(str(worker), workers=workers, now=now)
        elif str(worker) in shares.held:
            shares.back(str(worker), began=now - 1, sent=worker, tokens=0, now=now)
        assert sum(shares.held.values()) <= 1
        assert sum(shares.flights(share) for share in shares.held.values()) <= 7


def test_errands_are_a_minute_long_and_get_smaller() -> None:
    """A minute's worth at most, a quarter of what is left for each of two, at least the flights."""
    shares, half = RateShares(8, RateLimits(60, None)), Fraction(1, 2)
    assert shares.units(half, pending=1000, workers=2, replicates=1) == 30
    assert shares.units(half, pending=1000, workers=2, replicates=3) == 10
    assert shares.units(half, pending=40, workers=2, replicates=1) == 10
    assert shares.units(half, pending=9, workers=2, replicates=1) == 4
    assert shares.units(half, pending=3, workers=2, replicates=1) == 3
    assert RateShares(8, RateLimits()).units(half, pending=9999, workers=2, replicates=1) == 4 * 32


def test_money_is_dealt_once() -> None:
    """Of 10, two workers get 5 each; what one brings back is there to be given again."""
    money = BudgetShares(10.0)
    assert [money.take(worker, workers=2) for worker in "ab"] == [5.0, 5.0]
    assert money.left == 0
    money.back("a", unspent=2.0)
    assert money.take("a", workers=2) == 2.0
    money.lost("b")
    money.back("a", unspent=1.5)
    assert money.left == 1.5
    money.recount(4.0)
    assert (money.left, money.gone) == (4.0, 0.0)
    assert BudgetShares(None).take("a", workers=1) is None


def test_recount_never_makes_more_than_was_there() -> None:
    """The store may know of less than was spent: what was kept aside for the unknown stays so."""
    money = BudgetShares(4.0)
    money.take("a", workers=1)
    money.lost("a")
    money.recount(9.0)
    assert money.left == pytest.approx(4.0)
