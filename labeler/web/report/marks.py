"""Where quotes lie in a text: the text in pieces, each with the quotes that cover it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple


class Quote(NamedTuple):
    """One coder's quote: `name` (shown behind it), `who`, and its place in code points."""

    name: str
    who: str
    start: int
    end: int


class Piece(NamedTuple):
    """A stretch of text with the same quotes all along; `ends` names those that stop here."""

    text: str
    quotes: tuple[Quote, ...]
    ends: tuple[str, ...]

    @property
    def depth(self) -> int:
        """How many coders quote this stretch: 0 to 4, and 4 for more."""
        return min(4, len({quote.who for quote in self.quotes}))

    @property
    def names(self) -> str:
        """The quotes in words."""
        return ", ".join(f"{quote.name} ({quote.who})" for quote in self.quotes)


def pieces(text: str, quotes: Iterable[Quote]) -> list[Piece]:
    """`text` cut at each end of a quote; quotes may overlap. Those outside of it are left out."""
    inside = [quote for quote in quotes if 0 <= quote.start < quote.end <= len(text)]
    ends = {place for quote in inside for place in (quote.start, quote.end)}
    cuts = sorted({0, len(text), *ends})
    return [
        Piece(
            text[start:end],
            tuple(quote for quote in inside if quote.start <= start and end <= quote.end),
            tuple(quote.name for quote in inside if quote.end == end),
        )
        for start, end in pairwise(cuts)
    ]
