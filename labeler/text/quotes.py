"""Where a quote stands in a text: exact, else normalised, else nearly.

Offsets are code points of the text as given, so that `text[start:end]` is the quote that counts.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, NamedTuple

from rapidfuzz import fuzz

SCORE = 90.0
LENGTHS = (0.85, 1.15)
SHORTEST, LONGEST = 12, 2_000
REACH = 12

_TYPOGRAPHIC = str.maketrans(
    dict.fromkeys("‘’‚‛′`´", "'") | dict.fromkeys("“”„‟«»″", '"') | dict.fromkeys("‐‑‒–—―−", "-")
)
_WORD = re.compile(r"\w+")


class QuotePlace(NamedTuple):
    """A stretch of a text: `text[start:end]`, and how the quote was matched to it."""

    start: int
    end: int
    how: Literal["exact", "normalised", "fuzzy"]


class _Normal(NamedTuple):
    """A normalised text and, for each of its characters, the offset it came from."""

    text: str
    origin: list[int]


def find(quote: str, text: str) -> QuotePlace | None:
    """The first place of `quote` in `text`; None where it does not stand there.

    Tried in turn: the quote as it is; both without differences of Unicode form (NFKD, the same
    equivalence as NFKC but character by character), case, typographic characters and white space;
    the best alignment at a `partial_ratio` of at least 90 (rapidfuzz, 0 to 100) whose length
    is within 15% of the quote's. Quotes under 12 characters are never matched loosely.
    """
    quote = quote.strip()
    if not quote:
        return None
    start = text.find(quote)
    if start >= 0:
        return QuotePlace(start, start + len(quote), "exact")
    sought, normal = _bare(_normalised(quote).text), _normalised(text)
    if not sought:
        return None
    start = normal.text.find(sought)
    if start >= 0:
        return _stretch(normal, start, start + len(sought), text, "normalised")
    return _nearly(sought, normal, text)


def _normalised(text: str) -> _Normal:
    kept: list[str] = []
    origin: list[int] = []
    for place, character in enumerate(text):
        if character.isspace():
            if kept and kept[-1] != " ":
                kept.append(" ")
                origin.append(place)
            continue
        if unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f":
            continue
        folded = unicodedata.normalize("NFKD", character.translate(_TYPOGRAPHIC)).casefold()
        for part in folded.translate(_TYPOGRAPHIC):
            if not part.isspace():
                kept.append(part)
                origin.append(place)
    return _Normal("".join(kept), origin)


def _bare(sought: str) -> str:
    """Without the white space, the quotation marks and the dots that a model puts around."""
    sought = sought.strip()
    for mark in ('"', "'"):
        if len(sought) > 2 and sought[0] == sought[-1] == mark:
            sought = sought[1:-1]
    return sought.removeprefix("...").removesuffix("...").strip()


def _stretch(
    normal: _Normal, start: int, end: int, text: str, how: Literal["normalised", "fuzzy"]
) -> QuotePlace:
    """The stretch of `text` that `normal.text[start:end]` came from, with its last accents."""
    first, last = normal.origin[start], normal.origin[end - 1] + 1
    while last < len(text) and unicodedata.category(text[last]).startswith("M"):
        last += 1
    return QuotePlace(first, last, how)


def _nearly(sought: str, normal: _Normal, text: str) -> QuotePlace | None:
    if not SHORTEST <= len(sought) <= min(LONGEST, LENGTHS[1] * len(normal.text)):
        return None
    best = fuzz.partial_ratio_alignment(sought, normal.text, score_cutoff=SCORE)
    if best is None:
        return None
    start, end = _to_words(sought, normal.text, best.dest_start, best.dest_end)
    if not LENGTHS[0] <= (end - start) / len(sought) <= LENGTHS[1]:
        return None
    return _stretch(normal, start, end, text, "fuzzy")


def _to_words(sought: str, text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch of whole words near `text[start:end]` that is most like the quote."""
    low, high = max(0, start - REACH), min(len(text), end + REACH)
    words = [match.span() for match in _WORD.finditer(text, low, high)]
    starts = {first for first, _ in words if abs(first - start) <= REACH} or {start}
    ends = {last for _, last in words if abs(last - end) <= REACH} or {end}
    pairs = [(first, last) for first in sorted(starts) for last in sorted(ends) if first < last]
    return max(
        pairs or [(start, end)], key=lambda pair: fuzz.ratio(sought, text[pair[0] : pair[1]])
    )
