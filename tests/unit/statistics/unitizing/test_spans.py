"""Spans: what two coders share, which spans are the same, tokens; by hand and the slow way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_spans import (
    like,
    rows_of,
    slow_f1,
    slow_likeness,
    spans_of,
    studies,
)

from labeler.errors import TableError
from labeler.statistics.unitizing import spans as unitizing
from labeler.statistics.unitizing.spans import Tokens
from labeler.text.sentences import tokens


def f1_sums(spans, length, m):
    sums = unitizing.overlap(spans_of(spans), rows_of(length, m))
    return sums.shared.sum(), sums.total.sum()


def pairs_of(spans, threshold=0.5):
    first, second = unitizing.aligned(spans_of(spans), threshold=threshold)
    return {(spans[a], spans[b]) for a, b in zip(first, second, strict=True)}


def test_f1_of_two_coders_by_hand():
    """[2, 8) and [4, 10) share 4 of 6 + 6 places; a second row only one coder marked, 3 places.

    Row 0: 2·4 of 12; row 1: 0 of 3. F1 = 8/15.
    """
    sums = unitizing.overlap(
        spans_of([(0, 0, 2, 8), (0, 1, 4, 10), (1, 1, 0, 3)]), rows_of([12, 5])
    )
    assert sums.shared.tolist() == [8, 0]
    assert sums.total.tolist() == [12, 3]


def test_f1_of_three_coders_is_pooled_over_pairs():
    """Sets of 4, 4 and 2 places: pairs share 4, 2 and 2, so 2·8 of 8 + 6 + 6 = 20."""
    assert f1_sums([(0, 0, 0, 4), (0, 1, 0, 4), (0, 2, 2, 4)], [9], 3) == (16, 20)


def test_a_coder_without_a_span_is_an_empty_set():
    """Of three coders two agree on 5 places: 2·5 of (5 + 5) + (5 + 0) + (5 + 0) = 20."""
    assert f1_sums([(0, 0, 0, 5), (0, 1, 0, 5)], [5], 3) == (10, 20)


def test_a_place_marked_twice_by_one_coder_counts_once():
    """[0, 6) and [4, 8) of one coder are 8 places, of which the other marked 5: 10 of 13."""
    assert f1_sums([(0, 0, 0, 6), (0, 0, 4, 8), (0, 1, 3, 8)], [8], 2) == (10, 13)


def test_spans_that_touch_stay_apart_and_those_that_overlap_are_joined():
    """[0, 3) and [3, 5) are two; [4, 9) and [2, 4) and [3, 5) are [2, 9); rows never meet."""
    touching = unitizing.joined(spans_of([(0, 0, 3, 5), (0, 0, 0, 3), (1, 0, 0, 3)]))
    assert [*zip(*touching, strict=True)] == [(0, 0, 0, 3), (0, 0, 3, 5), (1, 0, 0, 3)]
    met = unitizing.joined(spans_of([(0, 0, 4, 9), (0, 0, 3, 5), (0, 0, 2, 4), (0, 1, 4, 6)]))
    assert [*zip(*met, strict=True)] == [(0, 0, 2, 9), (0, 1, 4, 6)]


def test_a_span_inside_a_longer_one_is_joined_with_what_comes_after_it():
    """[0, 10) holds [2, 4), and [6, 12) still meets it: one span, [0, 12)."""
    met = unitizing.joined(spans_of([(0, 0, 0, 10), (0, 0, 2, 4), (0, 0, 6, 12)]))
    assert [*zip(*met, strict=True)] == [(0, 0, 0, 12)]


@given(studies())
def test_f1_is_what_sets_and_loops_give(study):
    """Sums by one sweep over sorted ends are those of sets of places, pair by pair."""
    assert f1_sums(*study) == slow_f1(*study)


@given(studies(), st.randoms(use_true_random=False))
def test_f1_knows_no_order(study, chance):
    """The order of spans, of coders and of rows changes nothing."""
    spans, length, m = study
    names, places = list(range(m)), list(range(len(length)))
    chance.shuffle(names)
    chance.shuffle(places)
    moved = [(places[row], names[coder], start, end) for row, coder, start, end in spans]
    chance.shuffle(moved)
    sizes = [size for _, size in sorted(zip(places, length, strict=True))]
    assert f1_sums(moved, sizes, m) == f1_sums(spans, length, m)


@given(studies(), st.integers(1, 40))
def test_f1_and_alignment_are_the_same_further_down_the_text(study, shift):
    """Words put before a text move all offsets and change no figure."""
    spans, length, m = study
    moved = [(row, coder, start + shift, end + shift) for row, coder, start, end in spans]
    longer = [size + shift for size in length]
    assert f1_sums(moved, longer, m) == f1_sums(spans, length, m)
    assert len(pairs_of(moved)) == len(pairs_of(spans))


@given(studies(coders=2))
def test_a_coder_against_their_own_spans_agrees_wholly(study):
    """Two coders with the same spans share all places, and every segment has its partner."""
    spans, length, _ = study
    own = sorted({(row, start, end) for row, coder, start, end in spans if coder == 0})
    twice = [(row, coder, start, end) for coder in (0, 1) for row, start, end in own]
    shared, total = f1_sums(twice, length, 2)
    assert shared == total
    same = unitizing.matched(spans_of(twice), rows_of(length))
    assert (same.shared == same.total).all()


def test_alignment_by_hand():
    """[0, 10) and [2, 10) share 8 of 10; [20, 24) and [22, 30) share 2 of 10 and stay alone.

    One pair among 2 + 2 segments: half of them are unmatched.
    """
    spans = [(0, 0, 0, 10), (0, 1, 2, 10), (0, 0, 20, 24), (0, 1, 22, 30)]
    assert pairs_of(spans) == {(spans[0], spans[1])}
    same = unitizing.matched(spans_of(spans), rows_of([40]))
    assert (same.shared.tolist(), same.total.tolist()) == ([2], [4])


def test_half_of_the_union_is_enough_and_of_two_equal_partners_the_first_wins():
    """[0, 10) shares exactly half with [0, 5) and with [5, 10): the one in front, in any order."""
    spans = [(0, 1, 5, 10), (0, 0, 0, 10), (0, 1, 0, 5)]
    assert pairs_of(spans) == {((0, 0, 0, 10), (0, 1, 0, 5))}
    assert pairs_of(spans[::-1]) == pairs_of(spans)
    assert pairs_of(spans, threshold=0.51) == set()


def test_the_best_assignment_is_not_the_greediest():
    """A = [0, 10), B = [2, 11) of one coder; X = [1, 10), Y = [0, 7) of the other.

    A-X .9, A-Y .7, B-X .8, B-Y 5/11 (too little): A-X alone gives .9, A-Y with B-X 1.5.
    """
    a, b, x, y = (0, 0, 0, 10), (0, 0, 2, 11), (0, 1, 1, 10), (0, 1, 0, 7)
    assert pairs_of([a, b, x, y]) == {(a, y), (b, x)}


def test_rows_and_pairs_of_coders_are_aligned_apart():
    """Three coders, the same stretch: three pairs; in another row one coder alone: none."""
    spans = [(0, 0, 0, 5), (0, 1, 0, 5), (0, 2, 0, 5), (1, 0, 0, 5)]
    assert len(pairs_of(spans)) == 3
    same = unitizing.matched(spans_of(spans), rows_of([9, 9], 3))
    assert (same.shared.tolist(), same.total.tolist()) == ([6, 0], [6, 2])


@given(studies(coders=2, texts=2))
def test_alignment_is_as_good_as_the_best_of_all(study):
    """The total likeness is the largest that any one-to-one assignment reaches."""
    spans, length, _ = study
    spans = sorted(set(spans))
    found = pairs_of(spans)
    assert len({a for a, _ in found}) == len({b for _, b in found}) == len(found)
    reached = sum(like(a[2:], b[2:]) for a, b in found)
    best = 0.0
    for row in range(len(length)):
        own, theirs = ([span[2:] for span in spans if span[:2] == (row, coder)] for coder in (0, 1))
        best += slow_likeness(own, theirs) if own and theirs else 0.0
    assert reached == pytest.approx(best)


@given(studies(), st.randoms(use_true_random=False))
def test_alignment_knows_no_order_of_spans(study, chance):
    """The same spans in another order make the same pairs."""
    spans = sorted(set(study[0]))
    mixed = list(spans)
    chance.shuffle(mixed)
    assert pairs_of(mixed) == pairs_of(spans)


@given(studies())
def test_meetings_are_all_pairs_that_share_a_place(study):
    """Every two spans of one row and two coders that overlap meet once, with their overlap."""
    spans = study[0]
    met = unitizing.meetings(spans_of(spans))
    found = sorted(zip(met.first.tolist(), met.second.tolist(), met.both.tolist(), strict=True))
    expected = sorted(
        (i, j, min(a[3], b[3]) - max(a[2], b[2]))
        for i, a in enumerate(spans)
        for j, b in enumerate(spans)
        if a[0] == b[0] and a[1] < b[1] and max(a[2], b[2]) < min(a[3], b[3])
    )
    assert found == expected


def tokens_of(texts):
    found = [tokens(text) for text in texts]
    pairs = np.array([pair for one in found for pair in one], np.int64).reshape(-1, 2)
    first = np.cumsum([0] + [len(one) for one in found])
    return Tokens(pairs[:, 0], pairs[:, 1], first)


def test_tokens_by_hand():
    """In "so 😀 very glad": a span over " 😀 very" holds token 1, one over "y g" tokens 1 and 2.

    A span over the emoji alone holds none and falls away. Offsets count code points: the emoji is
    one sign, and the second text is reached by its number.
    """
    texts = ["so 😀 very glad", "so"]
    spans = spans_of([(0, 0, 2, 9), (0, 1, 8, 11), (0, 1, 3, 4), (1, 0, 0, 2)])
    moved = unitizing.on_tokens(spans, tokens_of(texts), np.array([0, 1]))
    assert [*zip(*moved, strict=True)] == [(0, 0, 1, 2), (0, 1, 1, 3), (1, 0, 0, 1)]


@given(
    st.lists(st.text(alphabet="ab ,😀e\u0301我", max_size=12), min_size=1, max_size=3), st.data()
)
def test_tokens_are_those_that_share_a_sign(texts, data):
    """A span holds the tokens of its own text that it overlaps, whatever signs stand around."""
    spans = []
    for row, text in enumerate(texts):
        for coder in range(2):
            start = data.draw(st.integers(0, len(text)))
            end = data.draw(st.integers(start, len(text)))
            spans += [(row, coder, start, end)] if end > start else []
    moved = unitizing.on_tokens(spans_of(spans), tokens_of(texts), np.arange(len(texts)))
    expected = []
    for row, coder, start, end in spans:
        held = [place for place, (a, b) in enumerate(tokens(texts[row])) if a < end and start < b]
        expected += [(row, coder, held[0], held[-1] + 1)] if held else []
    assert [*zip(*moved, strict=True)] == expected


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ((0, 0, 3, 3), "not empty"),
        ((0, 0, -1, 3), "lies in its text"),
        ((0, 0, 3, 11), "3 to 11 in a text of length 10"),
        ((1, 0, 0, 1), "a row that is not there"),
    ],
)
def test_a_span_that_is_none_is_refused(span, words):
    """An empty span, one outside its text, one of no row: the message says which."""
    with pytest.raises(TableError, match=words):
        unitizing.overlap(spans_of([span]), rows_of([10]))


def test_nothing_marked_is_nothing_shared():
    """No span at all: sums of zero in each row, and no pair."""
    sums = unitizing.overlap(spans_of([]), rows_of([10, 0]))
    assert (sums.shared.tolist(), sums.total.tolist()) == ([0, 0], [0, 0])
    assert pairs_of([]) == set()


def test_a_threshold_that_every_pair_or_none_would_reach_is_refused():
    """Intersection over union lies above 0 and at most at 1."""
    with pytest.raises(TableError, match="threshold 0 must lie"):
        unitizing.aligned(spans_of([]), threshold=0)
