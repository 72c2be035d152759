"""Spans that coders marked in texts: how much they share, and which of them are the same.

The form of the data is two sets of arrays. `Rows`: a row is a text that the same coders read (a
unit; or a unit with one pair of its coders, where only such pairs are to be compared). `Spans`: a
stretch from `start` up to but without `end`, in any whole number that counts along the text (code
points, tokens), that one coder marked in one row. A coder who read a row and marked nothing has
no span there and is counted in `Rows.coders`: an empty set, not a missing one.

Everything here sorts once and adds up; nothing loops over units, so that the cost grows with the
number of spans and of those that meet, not with the length of the texts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from labeler.errors import TableError
from labeler.statistics.agreement.distances import Floats

Ints = NDArray[np.int64]

SAME = 0.5  # intersection over union from which two spans may be one segment


class Spans(NamedTuple):
    """Stretches [start, end) of rows, each of one coder; four arrays of shape (spans,)."""

    row: Ints
    coder: Ints
    start: Ints
    end: Ints

    def take(self, kept: NDArray[np.bool_] | NDArray[np.intp]) -> Spans:
        """The spans at these places."""
        return Spans(*(column[kept] for column in self))


class Rows(NamedTuple):
    """What was read: `coders` (rows,) is how many coders read a row, `length` (rows,) its end."""

    coders: Ints
    length: Ints


class Overlap(NamedTuple):
    """Sums of each row over its pairs of coders: `shared` 2 |A & B|, `total` |A| + |B|."""

    shared: Floats
    total: Floats


class Meetings(NamedTuple):
    """Spans of two coders that share a place: positions of the spans, and |A & B|."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    both: Ints


def check(spans: Spans, rows: Rows) -> None:
    """Raise TableError unless every span lies in its row and holds something."""
    if len({column.shape for column in spans}) > 1 or spans.row.ndim != 1:
        raise TableError("spans need one row, coder, start and end each")
    if not spans.row.size:
        return
    if spans.row.min() < 0 or spans.row.max() >= rows.length.size:
        raise TableError("a span names a row that is not there")
    wrong = (spans.start < 0) | (spans.end <= spans.start) | (spans.end > rows.length[spans.row])
    if wrong.any():
        at = int(wrong.argmax())
        raise TableError(
            f"span {at} runs from {spans.start[at]} to {spans.end[at]} in a text of length "
            f"{rows.length[spans.row[at]]}: a span lies in its text and is not empty"
        )


def overlap(spans: Spans, rows: Rows) -> Overlap:
    """Of each row, the sums over its pairs of coders that make the F1 of spans.

    A and B are the places that two coders marked (a place marked twice by one coder counts once).
    Pooled over rows, F1 = sum 2 |A & B| / sum (|A| + |B|) is the harmonic mean of precision and
    recall whichever coder is taken as right, the positive agreement on places (Hripcsak and
    Rothschild 2005), and needs no number of places that nobody marked. At a place that k coders of
    a row marked, k (k - 1)/2 pairs agree; each coder of m enters m - 1 pairs.
    """
    check(spans, rows)
    n, width = rows.length.size, int(rows.length.max(initial=0)) + 1
    sets = joined(spans)
    total = np.bincount(sets.row, sets.end - sets.start, minlength=n) * (rows.coders - 1.0)
    at = np.concatenate([sets.row * width + sets.start, sets.row * width + sets.end])
    step = np.repeat([1, -1], sets.row.size)
    order = np.argsort(at, kind="stable")
    at, depth = at[order], np.cumsum(step[order])
    pairs = depth[:-1] * (depth[:-1] - 1) * np.diff(at)
    shared = np.bincount(at[:-1] // width, pairs, minlength=n).astype(float)
    return Overlap(shared, total)


def joined(spans: Spans) -> Spans:
    """The same places without overlap: spans of one coder in one row that overlap become one.

    Spans that only touch stay apart. In the order of row, coder and start.
    """
    if not spans.row.size:
        return spans
    ordered = spans.take(np.lexsort((spans.end, spans.start, spans.coder, spans.row)))
    fresh = np.ones(ordered.row.size, bool)
    fresh[1:] = (np.diff(ordered.row) != 0) | (np.diff(ordered.coder) != 0)
    group = np.cumsum(fresh) - 1
    width = int(ordered.end.max()) + 1
    reach = np.maximum.accumulate(group * width + ordered.end)
    fresh[1:] |= group[1:] * width + ordered.start[1:] >= reach[:-1]
    first = np.flatnonzero(fresh)
    end = np.maximum.reduceat(ordered.end, first)
    return Spans(ordered.row[first], ordered.coder[first], ordered.start[first], end)


class Tokens(NamedTuple):
    """The tokens of all texts one after the other, in order: `start` and `end` in characters.

    `first` (texts + 1,) is where those of each text begin.
    """

    start: Ints
    end: Ints
    first: Ints


def on_tokens(spans: Spans, tokens: Tokens, text: Ints) -> Spans:
    """Spans in characters as spans in tokens; those that hold no token fall away.

    `text` (rows,) is the text of each row. A span holds each token that it shares a character with.
    """
    width = int(max(tokens.end.max(initial=0), spans.end.max(initial=0))) + 1
    base = np.repeat(np.arange(tokens.first.size - 1) * width, np.diff(tokens.first))
    of = text[spans.row]
    start = np.searchsorted(base + tokens.end, of * width + spans.start, "right")
    end = np.searchsorted(base + tokens.start, of * width + spans.end, "left")
    moved = Spans(spans.row, spans.coder, start - tokens.first[of], end - tokens.first[of])
    return moved.take(moved.end > moved.start)


def meetings(spans: Spans) -> Meetings:
    """All pairs of spans of one row and two coders that share a place, `first` the lower coder.

    Each pair once, in the order of the positions of the spans.
    """
    width = int(spans.end.max(initial=0)) + 1
    order = np.lexsort((spans.end, spans.coder, spans.start, spans.row))
    one = spans.take(order)
    until = np.searchsorted(one.row * width + one.start, one.row * width + one.end, "left")
    here = np.arange(order.size)
    many = np.maximum(until - here - 1, 0)
    left = np.repeat(here, many)
    right = left + 1 + np.arange(left.size) - np.repeat(np.cumsum(many) - many, many)
    apart = one.coder[left] != one.coder[right]
    left, right = left[apart], right[apart]
    both = np.minimum(one.end[left], one.end[right]) - np.maximum(one.start[left], one.start[right])
    swap = one.coder[left] > one.coder[right]
    first, second = order[np.where(swap, right, left)], order[np.where(swap, left, right)]
    sort = np.lexsort((second, first))
    return Meetings(first[sort], second[sort], both[sort])


def aligned(spans: Spans, *, threshold: float = SAME) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which spans of two coders are one segment: positions, the lower coder's first.

    Of each pair of coders of a row a one-to-one assignment of the largest total intersection over
    union, among spans that share at least `threshold` of their union (Hungarian method). Where
    two assignments are equally good the order of place decides. With more than two coders a span
    has a partner for each other coder.
    """
    if not 0 < threshold <= 1:
        raise TableError(f"threshold {threshold} must lie above 0 and not above 1, such as 0.5")
    order = np.lexsort((spans.end, spans.start, spans.coder, spans.row))
    spans = spans.take(order)
    met = meetings(spans)
    size = spans.end - spans.start
    like = met.both / (size[met.first] + size[met.second] - met.both)
    near = like >= threshold
    first, second, like = met.first[near], met.second[near], like[near]
    coders = int(spans.coder.max(initial=0)) + 1
    mine = first * coders + spans.coder[second]  # a span of one coder, facing another coder
    other = second * coders + spans.coder[first]
    contested = (_times(mine) > 1) | (_times(other) > 1)
    kept = ~contested
    at = np.flatnonzero(contested)
    for group in _tied(mine[at], other[at]):
        kept[at[group][_best(mine[at[group]], other[at[group]], like[at[group]])]] = True
    return order[first[kept]], order[second[kept]]


def matched(spans: Spans, rows: Rows, *, threshold: float = SAME) -> Overlap:
    """Of each row over its pairs of coders: segments with a partner, and all segments.

    1 - shared/total, pooled, is the share of segments that the other coder did not mark.
    """
    check(spans, rows)
    n = rows.length.size
    first, _ = aligned(spans, threshold=threshold)
    total = np.bincount(spans.row, minlength=n) * (rows.coders - 1.0)
    shared = np.bincount(spans.row[first], minlength=n).astype(float) * 2
    return Overlap(shared, total)


def _times(ids: NDArray[np.intp]) -> NDArray[np.intp]:
    """How often the id at each place occurs."""
    _, back, times = np.unique(ids, return_inverse=True, return_counts=True)
    return np.asarray(times[back], np.intp)


def _tied(mine: NDArray[np.intp], other: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Places of the pairs that hang together by a span, group by group."""
    if not mine.size:
        return []
    left = np.unique(mine, return_inverse=True)[1]
    right = np.unique(other, return_inverse=True)[1] + left.max() + 1
    nodes = int(right.max()) + 1
    graph = csr_array((np.ones(left.size), (left, right)), shape=(nodes, nodes))
    group = connected_components(graph, directed=False)[1][left]
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)


def _best(mine: NDArray[np.intp], other: NDArray[np.intp], like: Floats) -> NDArray[np.intp]:
    """Places of the pairs of the best assignment in one group."""
    _, row = np.unique(mine, return_inverse=True)
    _, column = np.unique(other, return_inverse=True)
    table = np.zeros((row.max() + 1, column.max() + 1))
    place = np.full(table.shape, -1)
    table[row, column], place[row, column] = like, np.arange(like.size)
    found = place[linear_sum_assignment(table, maximize=True)]
    return np.asarray(found[found >= 0], np.intp)
