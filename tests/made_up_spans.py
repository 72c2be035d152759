"""Spans that hypothesis draws, and the slow way to everything that `unitizing` counts."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
from hypothesis import strategies as st

from labeler.statistics.unitizing.spans import Rows, Spans


def spans_of(given):
    """Spans of [(row, coder, start, end), …]."""
    columns = np.array(given, np.int64).reshape(-1, 4).T
    return Spans(*columns)


def rows_of(length, coders=2):
    """Rows of the given lengths, all read by so many coders."""
    length = np.array(length, np.int64)
    return Rows(np.broadcast_to(np.array(coders, np.int64), length.shape).copy(), length)


@st.composite
def studies(draw, *, coders=3, texts=4, apart=False):
    """(list of spans, lengths, coders): made-up markings, also none, also overlapping ones."""
    m = draw(st.integers(2, coders))
    length = draw(st.lists(st.integers(1, 25), min_size=1, max_size=texts))
    spans = []
    for row, size in enumerate(length):
        for coder in range(m):
            cuts = sorted(draw(st.lists(st.integers(0, size), max_size=8, unique=True)))
            own = list(zip(cuts[::2], cuts[1::2], strict=False))
            if not apart and own and draw(st.booleans()):
                own.append((own[0][0], own[-1][1]))
            spans += [(row, coder, start, end) for start, end in own]
    return spans, length, m


def places(spans, row, coder):
    """The places that a coder marked in a row, as a set."""
    return {
        place for r, c, start, end in spans if (r, c) == (row, coder) for place in range(start, end)
    }


def slow_f1(spans, length, m):
    """Numerator and denominator of F1, by sets and pairs."""
    shared = total = 0
    for row in range(len(length)):
        for one, other in combinations(range(m), 2):
            a, b = places(spans, row, one), places(spans, row, other)
            shared, total = shared + 2 * len(a & b), total + len(a) + len(b)
    return shared, total


def like(a, b):
    """Intersection over union of two (start, end)."""
    both = max(0, min(a[1], b[1]) - max(a[0], b[0]))
    return both / (a[1] - a[0] + b[1] - b[0] - both)


def slow_likeness(own, theirs, threshold=0.5):
    """The largest total likeness of a one-to-one assignment, by trying them all."""
    if len(own) > len(theirs):
        own, theirs = theirs, own
    return max(
        sum(like(a, b) for a, b in zip(own, chosen, strict=True) if like(a, b) >= threshold)
        for chosen in permutations(theirs, len(own))
    )


def slow_alpha_u(spans, length, m):
    """(Do, De) times the length, as the formulas of 1995 and 2004 are written, pair by pair."""
    total = m * sum(length)
    apart, near, placed, taken = 0.0, 0.0, 0.0, 0.0
    gaps = []
    for row, size in enumerate(length):
        for coder in range(m):
            own = sorted((s, e) for r, c, s, e in spans if (r, c) == (row, coder))
            ends = [0] + [end for _, end in own]
            starts = [start for start, _ in own] + [size]
            gaps += [(row, coder, e, s) for e, s in zip(ends, starts, strict=True) if s > e]
    for r, c, s, e in spans:
        for r2, c2, s2, e2 in spans:
            if r == r2 and c != c2 and s < e2 and s2 < e:
                apart += (s - s2) ** 2 + (e - e2) ** 2
        for r2, c2, s2, e2 in gaps:
            if r == r2 and c != c2 and s2 <= s and e <= e2:
                apart += 2 * (e - s) ** 2  # as (span, gap) and as (gap, span)
        size = e - s
        near += (len(spans) - 1) * (2 * size**3 - 3 * size**2 + size) / 3
        placed += sum(size**2 * (e2 - s2 - size + 1) for *_, s2, e2 in gaps if e2 - s2 >= size)
        taken += size * (size - 1)
    places_ = total * (total - 1) - taken
    return apart / (m - 1) / total, 2 * (near + placed) / places_ if places_ else 0.0
