"""Small cells: what is hidden, and that subtraction does not bring it back."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.statistics.estimation.disclosure import SMALLEST, suppressed

COUNTS = st.lists(st.integers(0, 40), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ([0, 10, 11, 500], [False, True, False, False]),
        ([1, 2, 3], [True, True, True]),
        ([0, 0], [False, False]),
        ([], []),
    ],
)
def test_one_to_ten_are_hidden(counts, hidden):
    """Cells that add up to nothing known: 1 to 10 go, 0 and 11 stay (the rule of the CMS)."""
    assert suppressed(counts, additive=False).tolist() == hidden


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        # 5 could be had by subtraction: the next smallest, 12, goes too
        ([5, 30, 12, 0], [True, False, True, False]),
        # 4 and 3 add up to 7, which is small and can be had: 20 goes too
        ([4, 3, 20, 90], [True, True, True, False]),
        # 9 and 8 add up to 17: enough
        ([9, 8, 20, 90], [True, True, False, False]),
        ([11, 30], [False, False]),
        # everything together is 5 people: nothing may be shown, and the caller hides the total
        ([5, 0, 0], [True, True, True]),
        ([4, 3, 0], [True, True, True]),
        ([5, 6, 0], [True, True, False]),
    ],
)
def test_a_hidden_cell_is_not_had_by_subtraction(counts, hidden):
    """Cells that add up to a known total: what would give a hidden one away is hidden as well."""
    assert suppressed(counts, additive=True).tolist() == hidden


def test_the_threshold_can_be_set():
    """With `smallest` 3, a cell of 3 is shown and one of 2 is not."""
    assert suppressed([3, 2], smallest=3, additive=False).tolist() == [False, True]


@given(COUNTS, st.booleans())
def test_no_small_cell_is_ever_shown(counts, additive):
    """Whatever is shown is 0 or at least 11."""
    hidden = suppressed(counts, additive=additive)
    shown = [count for count, hide in zip(counts, hidden, strict=True) if not hide]
    assert all(count == 0 or count >= SMALLEST for count in shown)


@given(COUNTS)
def test_the_total_leaves_each_hidden_cell_open(counts):
    """With the total and the shown cells known, any hidden cell could still be 11 or more, or 0.

    The total is shown only where it is 11 or more: else everything is hidden.
    """
    hidden = suppressed(counts, additive=True)
    if not hidden.any():
        return
    if 0 < sum(counts) < SMALLEST:
        assert hidden.all()
        return
    left = sum(count for count, hide in zip(counts, hidden, strict=True) if hide)
    assert hidden.sum() >= 2
    assert left >= SMALLEST


@given(st.lists(st.integers(0, 4), min_size=2, max_size=4))
def test_every_hidden_cell_has_more_than_one_solution(counts):
    """By trying all tables with the same total and shown cells (threshold 3)."""
    hidden = suppressed(counts, smallest=3, additive=True)
    if not hidden.any() or sum(counts) < 3:
        return
    places = [place for place, hide in enumerate(hidden) if hide]
    left = sum(counts[place] for place in places)
    fits = [
        guess
        for guess in itertools.product(range(left + 1), repeat=len(places))
        if sum(guess) == left
    ]
    for column in range(len(places)):
        assert max(guess[column] for guess in fits) >= 3
        assert len({guess[column] for guess in fits}) > 1


@given(COUNTS, st.randoms())
def test_order_makes_no_difference_to_how_much_is_hidden(counts, chance):
    """The same cells in another order: as many people stay hidden."""
    turned = counts.copy()
    chance.shuffle(turned)

    def people(cells):
        hidden = suppressed(cells, additive=True)
        return sorted(count for count, hide in zip(cells, hidden, strict=True) if hide)

    assert people(turned) == people(counts)
