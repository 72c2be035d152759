"""Texts that a reader would take for one text though some of their words differ.

A retweet that was cut, a repost with a sentence more, the same template with another name in it.
Two texts are near where they share SHARED of the shorter one's pairs of neighbouring words, and it
has ENOUGH of them. What is compared is found by runs of three words, of which they share MET of the
shorter one's, so that the cost of a look-up hardly grows with the number of texts.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Generic, NamedTuple, TypeVar

from labeler.text.duplicates import own_words, words_key

SHARED = 0.6
ENOUGH = 8
MET = 0.2
LISTED = 30  # texts that are looked up by one run of words: further ones are near to these

Name = TypeVar("Name", bound=Hashable)
Run = tuple[str, ...]

# scripts without blanks between words are compared character by character
_UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff"
_WORDS = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


class _IndexedText(NamedTuple):
    name: Hashable
    pairs: frozenset[Run]
    runs: int


class Groups(Generic[Name]):
    """Names that belong together, directly or through others (a union-find structure)."""

    def __init__(self) -> None:
        """Start without any: a name that was never joined is a group of its own."""
        self._above: dict[Name, Name] = {}

    def of(self, name: Name) -> Name:
        """The name that stands for the group: the smallest of them."""
        while name in self._above:
            name = self._above[name]
        return name

    def join(self, one: Name, other: Name) -> None:
        """Put two names, with all that belongs to them, into one group."""
        first, second = sorted((self.of(one), self.of(other)))  # type: ignore[type-var]
        if first != second:
            self._above[second] = first


class NearTexts:
    """An index of texts, asked which of them are near to another one."""

    def __init__(self) -> None:
        """Start without texts."""
        self._texts: list[_IndexedText] = []
        self._holding: dict[Run, list[int]] = {}

    def add(self, name: Hashable, text: str) -> None:
        """Add a text; one that is too short to be compared is near to nothing."""
        words = _words(text)
        pairs, runs = _runs(words, 2), _runs(words, 3)
        if len(pairs) < ENOUGH:
            return
        for run in runs:
            holding = self._holding.setdefault(run, [])
            if len(holding) < LISTED:
                holding.append(len(self._texts))
        self._texts.append(_IndexedText(name, pairs, len(runs)))

    def near(self, text: str) -> list[Hashable]:
        """The names of texts that are near; of many that are near to each other some."""
        words = _words(text)
        runs = _runs(words, 3)
        met: Counter[int] = Counter()
        for run in self._holding.keys() & runs:
            met.update(self._holding[run])
        likely = [
            self._texts[place]
            for place, shared in sorted(met.items())
            if shared >= MET * min(self._texts[place].runs, len(runs))
        ]
        if not likely:
            return []
        pairs = _runs(words, 2)
        if len(pairs) < ENOUGH:
            return []
        return [one.name for one in likely if _near(one.pairs, pairs)]


def near_groups(texts: Mapping[str, str]) -> dict[str, str]:
    """Name → the smallest name of those with equal or near texts, for each of the texts."""
    groups: Groups[str] = Groups()
    first: dict[str, str] = {}
    index = NearTexts()
    for name in sorted(texts):
        words = words_key(texts[name])
        if words in first:
            groups.join(first[words], name)
            continue
        first[words] = name
        for other in index.near(texts[name]):
            groups.join(str(other), name)
        index.add(name, texts[name])
    return {name: groups.of(name) for name in texts}


def _near(one: frozenset[Run], other: frozenset[Run]) -> bool:
    return len(one & other) >= SHARED * min(len(one), len(other))


def _words(text: str) -> list[str]:
    return _WORDS.findall(unicodedata.normalize("NFKC", own_words(text)).casefold())


def _runs(words: list[str], length: int) -> frozenset[Run]:
    """The different runs of so many words; one that occurs twice counts once."""
    return frozenset(zip(*(words[start:] for start in range(length)), strict=False))
