"""Where the sentences and the tokens of a text lie, and how many words a stretch of it holds.

Offsets are code points. Every expression here takes time in proportion to the text, whatever it
holds.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s)|[。！？]+[」』”]*|\n+")
_SHORT = re.compile(r"\b(?:[A-HJ-Z]|(?i:dr|mr|mrs|ms|prof|st|vs|approx|e\.g|i\.e))\.$")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SIGN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # kana and Han: a token each
_MARK = "\u0300"  # stands for any mark, which `\w` would cut a word at
_TOKEN = re.compile(rf"[{_SIGN}]{_MARK}*|[^\W{_SIGN}](?:[^\W{_SIGN}]|[{_MARK}\u200c\u200d])*")


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


def tokens(text: str) -> list[tuple[int, int]]:
    """Start and end of each token: a run of letters, digits and underscores with their marks.

    Accents and vowel signs that are characters of their own belong to the letter before them. Kana
    and Han characters are tokens of their own, since nothing parts their words; other scripts
    without spaces (Thai, Khmer) give one token for a run: count characters there. Punctuation and
    emoji are no tokens.
    """
    if not text.isascii():
        marks = [one for one in set(text) if unicodedata.category(one).startswith("M")]
        text = text.translate(dict.fromkeys(map(ord, marks), _MARK))
    return [match.span() for match in _TOKEN.finditer(text)]
