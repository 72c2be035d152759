"""How sure a model is of its codes: the votes of its replicates, and its log-probabilities.

A number here orders units, so that people look at the doubtful ones first. It is no probability of
being right: that is measured against adjudicated units, and nowhere else.

    vote      the share of the coder's readable replicates that give this code (self-consistency:
              Wang et al. 2023); a code of a segment counts where any segment of the unit has it
    segment   the share of the replicates in which a segment at the same place (overlap of at
              least half of the union) has this code, or is there at all (variable and code
              `{segment}`)
    logprob   the probability of the tokens that write this value, given all that was written
              before it: the exponential of the sum of their log-probabilities
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from labeler.codebook.codebook import HAS_SEGMENT, Codebook
from labeler.coders import answers
from labeler.coders.logprobs import probabilities
from labeler.coding.vocabulary import CANARY
from labeler.errors import AnswerError
from labeler.text.coded_values import codes_of

CONFIDENCE = ["unit", "coder", "segment", "variable", "code", "confidence", "kind", "replicates"]
OVERLAP = 0.5
THERE = (HAS_SEGMENT, HAS_SEGMENT)


Pairs = set[tuple[str, str]]
"""Variables with their codes; a value of several codes is several pairs."""


class _Replicate(NamedTuple):
    """One replicate of a coder on a unit."""

    unit: str
    coder: str
    replicate: int


class _PlacedSegment(NamedTuple):
    """A segment of one replicate: its number, where it stands, its words, its codes."""

    number: str
    start: int
    end: int
    quote: str
    codes: frozenset[tuple[str, str]]


def votes(
    codings: pd.DataFrame,
    segments: pd.DataFrame,
    answered: pd.DataFrame,
) -> pd.DataFrame:
    """Shares of the replicates, as a frame of CONFIDENCE with the kinds `vote` and `segment`.

    `codings` and `segments` are rows of CODINGS and SEGMENTS of models; `answered` (columns unit,
    coder, replicate) names the replicates whose answer could be read, also those that found
    nothing: they are the denominator, and are given as `replicates`. Rows of the kind `segment`
    are those of the coder's first replicate, by the numbers of its segments. One replicate alone
    gives shares of 1: they say nothing.
    """
    given = _given(codings)
    pieces = _placed_segments(segments, given)
    rows: list[tuple[Any, ...]] = []
    for (unit, coder), group in answered.groupby(["unit", "coder"], sort=True):
        runs = [_Replicate(str(unit), str(coder), int(n)) for n in sorted(set(group["replicate"]))]
        codes = [set().union(*given.get(run, {}).values()) for run in runs]
        tally = Counter(code for own in codes for code in own)
        for (variable, code), times in sorted(tally.items()):
            rows.append((unit, coder, "", variable, code, times / len(runs), "vote", len(runs)))
        for number, pair, share in _segment_shares([pieces.get(run, []) for run in runs]):
            rows.append((unit, coder, number, *pair, share, "segment", len(runs)))
    return _frame(rows)


def logprobs(completions: pd.DataFrame, posts: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Probabilities of the codes chosen, as a frame of CONFIDENCE with the kind `logprob`.

    `completions` are rows of COMPLETIONS of models, one request a post, `posts` the texts as sent
    (columns unit and text): segments have the numbers that parsing gives them. One row for each
    code; `confidence` is missing where the answer has no log-probabilities, or has them of other
    tokens than its text. `replicates` is the number of the replicate. What cannot be read has no
    row.
    """
    texts = dict(zip(posts["unit"], posts["text"], strict=True))
    rows: list[tuple[Any, ...]] = []
    for row in cast(Iterable[Any], completions.itertuples(index=False)):
        if row.unit.startswith(CANARY) or row.unit not in texts:
            continue
        try:
            content = answers.content(row.answer)
            answer = answers.read(content, texts[row.unit], codebook)
        except AnswerError:
            continue
        shares = probabilities(row.answer, answers.bare(content))
        for segment, path, codes in _chosen(answer):
            for name, code in codes:
                share = shares.get((*path, name, code), np.nan)
                rows.append(
                    (row.unit, row.coder, segment, name, code, share, "logprob", int(row.replicate))
                )
    return _frame(rows)


def _chosen(
    answer: answers.ParsedAnswer,
) -> Iterable[tuple[str, tuple[Any, ...], list[tuple[str, str]]]]:
    """Number of the segment ('' for the unit), path in the answer, its codes by variable."""
    parts: list[tuple[str, tuple[Any, ...], dict[str, str]]]
    parts = [("", ("variables",), answer.codings)]
    for number, one in enumerate(answer.segments, start=1):
        parts.append((str(number), ("segments", one.place, "codes"), one.codings))
    for segment, path, codings in parts:
        pairs = [(name, code) for name, value in codings.items() for code in codes_of(value)]
        yield segment, path, pairs


def _given(codings: pd.DataFrame) -> dict[_Replicate, dict[str, Pairs]]:
    """By replicate and segment ('' for the unit): what it was given."""
    given: dict[_Replicate, dict[str, Pairs]] = {}
    for row in cast(Iterable[Any], codings.itertuples(index=False)):
        own = given.setdefault(_Replicate(row.unit, row.coder, int(row.replicate)), {})
        pairs = ((row.variable, code) for code in codes_of(row.value))
        own.setdefault(row.segment, set()).update(pairs)
    return given


def _placed_segments(
    segments: pd.DataFrame, given: dict[_Replicate, dict[str, Pairs]]
) -> dict[_Replicate, list[_PlacedSegment]]:
    pieces: dict[_Replicate, list[_PlacedSegment]] = {}
    for row in cast(Iterable[Any], segments.itertuples(index=False)):
        run = _Replicate(row.unit, row.coder, int(row.replicate))
        codes = frozenset(given.get(run, {}).get(row.segment, ()))
        piece = _PlacedSegment(row.segment, int(row.start), int(row.end), row.quote, codes)
        pieces.setdefault(run, []).append(piece)
    return pieces


def _segment_shares(
    runs: list[list[_PlacedSegment]],
) -> Iterable[tuple[str, tuple[str, str], float]]:
    """For each segment of the first replicate: its number, THERE or a code, the share."""
    for piece in runs[0]:
        tally = Counter[tuple[str, str]]()
        for pieces in runs:
            same = [other for other in pieces if _same(piece, other)]
            found = {code for other in same for code in other.codes & piece.codes}
            tally.update(found | {THERE} if same else ())
        for code, times in sorted(tally.items()):
            yield piece.number, code, times / len(runs)


def _same(one: _PlacedSegment, other: _PlacedSegment) -> bool:
    """Whether two segments stand at the same place; those without a place, by their words."""
    if one.start < 0 or other.start < 0:
        return one.start == other.start and one.quote == other.quote
    shared = min(one.end, other.end) - max(one.start, other.start)
    union = max(one.end, other.end) - min(one.start, other.start)
    return shared > 0 and shared >= OVERLAP * union


def _frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    kinds = dict.fromkeys(CONFIDENCE, "str") | {"confidence": "float64", "replicates": "Int64"}
    return pd.DataFrame(rows, columns=CONFIDENCE).astype(kinds)
