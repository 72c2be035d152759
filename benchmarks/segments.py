"""Agreement on segments: what it costs, and whether its intervals hold. All posts are made up.

    python benchmarks/segments.py              costs, then coverage (about two minutes)
    python benchmarks/segments.py --quick      smaller everywhere

Costs: the whole of `segments_reliability` by the number of posts and of blind coders; and one
code's F1 and alpha_U with their intervals beside the krippendorff package on the same marks, laid
out as 0 and 1 for each token of all posts (coders x tokens) at the nominal level. That alpha is
another figure (it needs tokens that nobody marked, and its package has no interval); what is
compared is the time to one coefficient, and to one with an interval, where a loop would delete each
post in turn and is extrapolated from one pass.

Coverage: how often the 95% interval of F1 and of alpha_U holds the value that 20,000 posts of the
same kind have; nominal 95%, with a standard error of its own by the number of runs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import krippendorff
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler.codebook import codebook as codebooks
from labeler.reliability.segments import segments_reliability
from labeler.statistics.unitizing import ratios
from labeler.statistics.unitizing import spans as unitizing
from labeler.statistics.unitizing.alpha_u import alpha_u, disagreement
from labeler.statistics.unitizing.ratios import Measured
from labeler.statistics.unitizing.spans import Rows, Spans
from labeler.store import tables

WORDS, WIDTH = 60, 5  # a made-up post: sixty words of four letters and a space
CODES = [f"code{number}" for number in range(12)]
BOOK = codebooks.read(
    """
codebook: made-up
version: "1"
title: Made up
about: Made-up posts.
segments: {segment: part, label: Part, definition: A part.}
variables:
  - {variable: topic, of: segment, label: Topic, question: Which, level: nominal, values: ["""
    + ", ".join(f"{{code: {code}, label: {code}, definition: D.}}" for code in CODES)
    + "]}",
    source="benchmark",
)


class Marks(NamedTuple):
    """Made-up segments in words: spans, the number of posts, and of coders."""

    spans: Spans
    posts: int
    coders: int

    @property
    def rows(self) -> Rows:
        """All coders read all posts."""
        return Rows(np.full(self.posts, self.coders), np.full(self.posts, WORDS))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer posts, coders and runs")
    quick = parser.parse_args().quick
    sizes = [(200, 2), (1_000, 2)] if quick else [(1_000, 2), (1_000, 5), (10_000, 2), (10_000, 5)]
    print("The whole stage, 12 codes, a model and so many humans, about 1.2 segments each a post")
    print(f"{'posts':>7} {'humans':>7} {'rows':>6} {'seconds':>8} {'ms a post':>10}")
    for posts, coders in sizes:
        whole(posts, coders)
    print("\nOne code, in tokens: seconds, and the time of krippendorff as a multiple of ours")
    print(
        f"{'posts':>7} {'coders':>7} {'F1':>8} {'alpha_U':>8} {'krippendorff':>13} "
        f"{'x F1':>6} {'x alpha_U':>10} {'loop with interval':>19}"
    )
    for posts, coders in sizes:
        one_code(posts, coders)
    runs = 200 if quick else 1_000
    print(
        f"\nCoverage of the 95% intervals, {runs} runs (1 standard error: {se_of(runs):.1f} points)"
    )
    print(f"{'posts':>7} {'coders':>7} {'share marked':>13} {'F1':>6} {'alpha_U':>8}")
    for posts in (50, 100, 300):
        for coders in (2, 3):
            for share in (0.2, 0.6):
                coverage(posts, coders, share, runs)


def whole(posts: int, coders: int) -> None:
    """Time the stage on frames."""
    given = frames(made(posts, coders + 1, share=0.6, seed=1))
    started = time.perf_counter()
    found = segments_reliability(*given, BOOK, suggester="model:made-up")
    spent = time.perf_counter() - started
    print(f"{posts:>7} {coders:>7} {len(found):>6} {spent:>8.2f} {1000 * spent / posts:>10.2f}")


def one_code(posts: int, coders: int) -> None:
    """Time one coefficient, ours and the package's."""
    marks = made(posts, coders, share=0.6, seed=2)
    table = laid_out(marks)
    ours = seconds(lambda: f1(marks)), seconds(lambda: unitized(marks))
    theirs = seconds(
        lambda: krippendorff.alpha(reliability_data=table, level_of_measurement="nominal")
    )
    looped = theirs * posts / sum(ours)
    print(
        f"{posts:>7} {coders:>7} {ours[0]:>8.4f} {ours[1]:>8.4f} {theirs:>13.4f} "
        f"{theirs / ours[0]:>6.1f} {theirs / ours[1]:>10.1f} {looped:>18,.0f}x"
    )


def coverage(posts: int, coders: int, share: float, runs: int) -> None:
    """How often intervals hold the value of very many posts."""
    measures: list[Callable[[Marks], Measured]] = [f1, unitized]
    many = made(20_000, coders, share=share, seed=3)
    truth = [measure(many).value for measure in measures]
    held = np.zeros(2)
    for run in range(runs):
        marks = made(posts, coders, share=share, seed=1_000 + run)
        for place, measure in enumerate(measures):
            spread = measure(marks)
            held[place] += spread.low <= truth[place] <= spread.high
    shares = 100 * held / runs
    print(f"{posts:>7} {coders:>7} {share:>13.1f} {shares[0]:>6.1f} {shares[1]:>8.1f}")


def f1(marks: Marks) -> Measured:
    """F1 of one code, with its interval."""
    return ratios.ratio(*unitizing.overlap(marks.spans, marks.rows))


def unitized(marks: Marks) -> Measured:
    """alpha_U of one code, with its interval."""
    return alpha_u([disagreement(marks.spans, marks.rows, np.arange(marks.posts))])


def made(posts: int, coders: int, *, share: float, seed: int) -> Marks:
    """Up to three stretches in a share of the posts; a coder misses one in six and wanders a word.

    Some posts are hard: there coders miss every other stretch, so that posts differ.
    """
    rng = np.random.default_rng(seed)
    many = np.where(rng.random(posts) < share, rng.integers(1, 4, posts), 0)
    row = np.repeat(np.arange(posts), many)
    start = 20 * (np.arange(row.size) - np.repeat(np.cumsum(many) - many, many))
    start = start + rng.integers(1, 6, row.size)
    end = start + rng.integers(4, 12, row.size)
    miss = np.where(rng.random(posts) < 0.25, 0.5, 1 / 6)[row]
    parts = []
    for coder in range(coders):
        kept = rng.random(row.size) >= miss
        first, last = start + rng.integers(-1, 2, row.size), end + rng.integers(-1, 2, row.size)
        parts.append(np.stack([row, np.full(row.size, coder), first, last])[:, kept])
    return Marks(Spans(*np.concatenate(parts, axis=1)), posts, coders)


def laid_out(marks: Marks) -> NDArray[np.float64]:
    """0 and 1 for each token of all posts, shape (coders, tokens)."""
    table = np.zeros((marks.coders, marks.posts * WORDS))
    for row, coder, start, end in zip(*marks.spans, strict=True):
        table[coder, row * WORDS + start : row * WORDS + end] = 1
    return table


def frames(marks: Marks) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """SEGMENTS, CODINGS, who coded and posts; the first coder is the model."""
    rng = np.random.default_rng(4)
    names = ["model:made-up", *(f"human:{number}" for number in range(1, marks.coders))]
    who = pd.DataFrame(
        [
            {"unit": f"u{post:06}", "coder": name, "arm": "blind" if "human" in name else ""}
            for post in range(marks.posts)
            for name in names
        ]
    )
    row, coder, start, end = marks.spans
    key = {
        "codebook": "k",
        "unit": [f"u{post:06}" for post in row],
        "coder": [names[one] for one in coder],
        "arm": ["blind" if one else "" for one in coder],
        "replicate": 1,
        "segment": np.arange(row.size).astype(str),
    }
    place = {"start": start * WIDTH, "end": end * WIDTH - 1, "quote": "q", "found": "exact"}
    value = {"variable": "topic", "value": rng.choice(CODES, row.size), "source": "made up"}
    posts = pd.DataFrame({"unit": who["unit"].unique(), "text": "word " * WORDS})
    return (
        tables.frame(tables.SEGMENTS, pd.DataFrame(key | place)),
        tables.frame(tables.CODINGS, pd.DataFrame(key | value)),
        who,
        posts,
    )


def seconds(call: Callable[[], object], times: int = 3) -> float:
    """The shortest of a few runs."""
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        spent.append(time.perf_counter() - started)
    return min(spent)


def se_of(runs: int) -> float:
    """Standard error of a coverage of 95%, in points."""
    return float(100 * np.sqrt(0.95 * 0.05 / runs))


if __name__ == "__main__":
    main()
