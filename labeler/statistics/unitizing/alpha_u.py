"""Krippendorff's alpha for unitizing, of one category or of several, with an interval over units.

Krippendorff, On the Reliability of Unitizing Continuous Data, Sociological Methodology 25 (1995)
47-76, with the expected disagreement of: Measuring the Reliability of Qualitative Text Analysis
Data, Quality and Quantity 38 (2004) 787-800. The continuum of a study is its texts one after the
other; a gap, as a span, ends with its text, so that the order of the texts is of no consequence.

A coder's spans of one category must not overlap: where they do, they are joined (`joined` counts
how many were lost by that). Spans that only touch stay apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeler.errors import TableError
from labeler.statistics.agreement.distances import Floats
from labeler.statistics.binomial import unseen_share
from labeler.statistics.interval import (
    NO_SPREAD,
    ZERO_EVENT,
    Interval,
    check_confidence,
    jackknife_error,
    joined_notes,
    log_scale_bounds,
    undefined,
)
from labeler.statistics.unitizing.ratios import few_note
from labeler.statistics.unitizing.spans import Ints, Rows, Spans, check, joined, meetings

METHOD = "delete-one-{one} jackknife on log(1-alpha), t"


class Disagreement(NamedTuple):
    """What one category contributes to alpha_U.

    `observed` and `expected` are Do and De times the length of the continuum, which cancels in
    their ratio; `observed_without` and `expected_without`, shape (things,), the same without each
    thing (unit or cluster); `marked` (things,) is where somebody marked a span; `joined` counts
    overlapping spans that were lost by joining.
    """

    observed: float
    expected: float
    observed_without: Floats
    expected_without: Floats
    marked: NDArray[np.bool_]
    joined: int


def disagreement(
    spans: Spans, rows: Rows, things: Ints, *, weights: Floats | None = None
) -> Disagreement:
    """The observed and expected disagreement of one category.

    `things` (rows,) numbers from 0 the unit or cluster that a row belongs to, `weights` (rows,)
    are 1/inclusion probability: a row counts as that many rows. With m coders of a row, L its
    length, T = sum m L, and l the length of a span:

    observed = sum_rows 1/(m - 1) sum_{i != j} sum_{g, h} delta^2 / T, over the spans g and gaps of
    one coder and those h of the other: (b - b')^2 + (e - e')^2 for two spans that share a place,
    l^2 for a span inside a gap. Where every row has m coders this is Do times the length.

    expected = 2 sum_g [(N - 1)(2 l^3 - 3 l^2 + l)/3 + l^2 sum_gaps (l' - l + 1)[l' >= l]]
    / (T (T - 1) - sum_g l (l - 1)), over all N spans and all gaps of all coders.
    """
    check(spans, rows)
    if (rows.coders < 2).any():
        raise TableError("alpha_U compares coders: a row needs two of them")
    sets = joined(spans)
    weight = np.ones(rows.length.size) if weights is None else np.asarray(weights, float)
    n = int(things.max(initial=-1)) + 1

    def summed(values: Floats, row: Ints) -> Floats:
        return np.bincount(things[row], values * weight[row], n).astype(float)

    every = np.arange(rows.length.size)
    apart = summed(_apart(sets, rows) / (rows.coders - 1), every)
    read = summed(rows.coders * rows.length.astype(float), every)
    size = (sets.end - sets.start).astype(float)
    count = summed(np.ones(size.size), sets.row)
    taken = summed(size * (size - 1), sets.row)
    near = summed((2 * size**3 - 3 * size**2 + size) / 3, sets.row)
    placed, placed_without = _placed(sets, rows, things, weight, n)

    def expected(m: Floats, a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
        by_chance = 2 * (np.maximum(a - 1, 0) * b + c)
        places = m * (m - 1) - d
        out = np.zeros(np.shape(places))
        return np.divide(by_chance, places, out=out, where=places > 0)

    total = np.array([read.sum(), count.sum(), near.sum(), placed, taken.sum()])
    without = (read.sum() - read, count.sum() - count, near.sum() - near)
    rest = read.sum() - read
    seen = apart.sum() / read.sum() if read.sum() else 0.0
    return Disagreement(
        observed=float(seen),
        expected=float(expected(*total)),
        observed_without=np.divide(
            apart.sum() - apart, rest, out=np.zeros(rest.shape), where=rest > 0
        ),
        expected_without=expected(*without, placed_without, taken.sum() - taken),
        marked=count > 0,
        joined=spans.row.size - sets.row.size,
    )


def alpha_u(
    categories: Sequence[Disagreement],
    *,
    confidence: float = 0.95,
    one: str = "unit",
    empty: str = "no coder marked a span",
) -> Interval:
    """alpha_U = 1 - sum_c Do_c / sum_c De_c over categories of the same rows.

    Interval: delete-one-unit jackknife on log(1 - alpha) with t of n - 1 degrees of freedom, as
    for alpha. Without any disagreement the lower bound is 1 - q, where q = 1 - (1 - g)^(1/n) is
    the share that a kind of unit not seen among the n marked ones may have, which is let to
    disagree as by chance (`zero-event bound`).

    Undefined (nan, with the reason in the note) where nothing was marked (`empty`), and where
    chance would disagree about nothing; the interval alone where a single unit holds everything.
    """
    check_confidence(confidence)
    method = METHOD.format(one=one)
    marked = np.any([part.marked for part in categories], axis=0)
    n, filled = int(np.size(marked)), int(np.count_nonzero(marked))
    if not filled:
        return undefined(empty, n=n, method=method)
    chance = sum(part.expected for part in categories)
    if chance <= 0:
        note = "no variation: everything was marked as one span, or by one character alone"
        return undefined(note, n=n, method=method)
    seen = sum(part.observed for part in categories)
    value = float(1 - seen / chance)
    flag = few_note(filled, one)
    if seen == 0:
        return _zero_event(n, filled, confidence, one, flag)
    left = np.sum([part.expected_without for part in categories], axis=0)
    if n < 2 or (left <= 0).any():
        note = f"a single {one}: no interval" if n < 2 else f"one {one} holds all that was marked"
        return undefined(note, value=value, n=n, method=method)
    se = jackknife_error(1 - np.sum([part.observed_without for part in categories], axis=0) / left)
    if se < NO_SPREAD:
        note = f"every {one} disagrees alike: no interval"
        return undefined(note, value=value, n=n, method=method)
    low, high = log_scale_bounds(value, se, n - 1, (1 + confidence) / 2)
    lower, upper = log_scale_bounds(value, se, n - 1, confidence)
    return Interval(value, low, high, se, lower, upper, n, method, flag)


def _zero_event(n: int, filled: int, confidence: float, one: str, flag: str) -> Interval:
    low, lower = (1 - unseen_share(filled, g) for g in ((1 + confidence) / 2, confidence))
    words = f"no disagreement among {filled} marked {one}s: the bound is what so many leave open"
    note = joined_notes(words, flag)
    return Interval(1.0, low, 1.0, math.nan, lower, 1.0, n, ZERO_EVENT, note)


def _apart(sets: Spans, rows: Rows) -> Floats:
    """Of each row the sum of delta^2 over its ordered pairs of coders."""
    met = meetings(sets)
    start = sets.start[met.first] - sets.start[met.second]
    end = sets.end[met.first] - sets.end[met.second]
    n, coders = rows.length.size, int(sets.coder.max(initial=0)) + 1
    shared = np.bincount(sets.row[met.first], start.astype(float) ** 2 + end.astype(float) ** 2, n)
    faced = np.concatenate(
        [
            met.first * coders + sets.coder[met.second],
            met.second * coders + sets.coder[met.first],
        ]
    )
    partners = np.bincount(np.unique(faced) // coders, minlength=sets.row.size)
    alone = (rows.coders[sets.row] - 1 - partners) * (sets.end - sets.start).astype(float) ** 2
    return np.asarray(2 * (shared + np.bincount(sets.row, alone, n)), float)


def _placed(sets: Spans, rows: Rows, things: Ints, weight: Floats, n: int) -> tuple[float, Floats]:
    """sum_g l^2 sum_gaps (l' - l + 1)[l' >= l], of all and without each thing.

    A thing takes with it its spans in all gaps and all spans in its gaps; its own spans in its own
    gaps are taken twice and given back once.
    """
    gap, row = _gaps(sets, rows)
    size = (sets.end - sets.start).astype(float)
    mass = size**2 * weight[sets.row]
    own, of_gap = things[sets.row], things[row]
    nowhere = np.zeros(1, np.int64)
    in_all = mass * _room(gap, weight[row], nowhere.repeat(gap.size), size, 0 * own)
    in_own = mass * _room(gap, weight[row], of_gap, size, own)
    order = np.argsort(size, kind="stable")
    squares = np.concatenate([[0.0], np.cumsum(mass[order])])
    cubes = np.concatenate([[0.0], np.cumsum((mass * size)[order])])
    at = np.searchsorted(size[order], gap, "right")
    held = weight[row] * ((gap + 1) * squares[at] - cubes[at])
    total = float(in_all.sum())
    gone = [np.bincount(own, in_all, n), np.bincount(of_gap, held, n), np.bincount(own, in_own, n)]
    return total, np.maximum(total - gone[0] - gone[1] + gone[2], 0.0)


def _gaps(sets: Spans, rows: Rows) -> tuple[Floats, Ints]:
    """Length and row of each gap of each coder; for a coder without a span, the whole row."""
    fresh = np.ones(sets.row.size, bool)
    fresh[1:] = (np.diff(sets.row) != 0) | (np.diff(sets.coder) != 0)
    last = np.ones(sets.row.size, bool)
    last[:-1] = fresh[1:]
    before = sets.start - np.where(fresh, 0, np.concatenate([[0], sets.end[:-1]])[: fresh.size])
    after = (rows.length[sets.row] - sets.end)[last]
    idle = np.repeat(
        np.arange(rows.length.size),
        rows.coders - np.bincount(sets.row[last], minlength=rows.length.size),
    )
    length = np.concatenate([before, after, rows.length[idle]])
    row = np.concatenate([sets.row, sets.row[last], idle])
    return length[length > 0].astype(float), row[length > 0]


def _room(gap: Floats, weight: Floats, thing: Ints, size: Floats, own: Ints) -> Floats:
    """For each span, sum_gaps w (l' - l + 1)[l' >= l] over the gaps of its own thing."""
    width = max(gap.max(initial=0.0), size.max(initial=0.0)) + 1
    key = thing * width + gap
    order = np.argsort(key, kind="stable")
    many = np.concatenate([[0.0], np.cumsum(weight[order])])
    long = np.concatenate([[0.0], np.cumsum((weight * (gap + 1))[order])])
    since = np.searchsorted(key[order], own * width + size, "left")
    until = np.searchsorted(key[order], (own + 1) * width, "left")
    return np.asarray(long[until] - long[since] - size * (many[until] - many[since]), float)
