"""Where the sentences of a text lie, and how many words stand in a stretch of it.

Offsets are code points. Every expression here takes time in proportion to the text, whatever it
holds.
"""

from __future__ import annotations

import re
from itertools import pairwise

_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s)|[。！？]+[」』”]*|\n+")
_SHORT = re.compile(r"\b(?:[A-HJ-Z]|(?i:dr|mr|mrs|ms|prof|st|vs|approx|e\.g|i\.e))\.$")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence, without outer white space, in the order of the text."""
    cuts = [0]
    for match in _END.finditer(text):
        if not _SHORT.search(text[max(0, match.end() - 8) : match.end()]):
            cuts.append(match.end())
    cuts.append(len(text))
    spans = []
    for start, end in pairwise(cuts):
        stretch = text[start:end]
        bare = stretch.strip()
        if bare:
            first = start + len(stretch) - len(stretch.lstrip())
            spans.append((first, first + len(bare)))
    return spans


def words(text: str, start: int, end: int) -> int:
    """How many words stand in `text[start:end]`."""
    return len(_WORD.findall(text, start, end))
