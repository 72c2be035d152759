"""Posts without what leads to an account or a person, and the way back to the original.

What leaves is the text with placeholders such as `[user_3fa91c]`. The digits are a keyed hash:
the same handle has the same placeholder in every post of a project, and nobody without the
project's secret can look it up. The way back is by position, never by search, so a text that
holds something like a placeholder of its own confuses nothing. It stays on this machine.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from labeler.errors import InputError
from labeler.keys import keyed
from labeler.posts import identifiers

RULES = "1"
"""Version of the rules: a change of what is found or of how it is written is a new version."""

KINDS = ("user", "url", "email", "phone", "account", "ip", "subreddit")
DIGITS = 6


class Span(NamedTuple):
    """A placeholder: `sent[start:end]`, which stands for `original[original_start:original_end]`.

    Offsets are code points.
    """

    start: int
    end: int
    original_start: int
    original_end: int
    kind: str
    placeholder: str


class DeidentifiedText(NamedTuple):
    """The text that may leave, its placeholders from left to right, and how many of each kind."""

    text: str
    spans: tuple[Span, ...]
    counts: dict[str, int]


def hide(text: str, *, secret: bytes, subreddits: bool = False) -> DeidentifiedText:
    """A post with a placeholder in the place of each identifier; see `rules` for which.

    To hide a hidden text changes nothing.
    """
    return _hide(text, secret, subreddits, {})


def hide_all(
    texts: Sequence[str], *, secret: bytes, subreddits: bool = False
) -> list[DeidentifiedText]:
    """`hide` for many posts, in their order."""
    known: dict[tuple[str, str], str] = {}
    return [_hide(text, secret, subreddits, known) for text in texts]


def original_offsets(hidden: DeidentifiedText, start: int, end: int) -> tuple[int, int]:
    """The stretch of the original that `hidden.text[start:end]` stands for.

    A stretch that begins or ends inside a placeholder is widened to the whole original of it.
    Raises InputError where the stretch is not one of the sent text.
    """
    if not 0 <= start <= end <= len(hidden.text):
        raise InputError(
            f"no stretch {start}:{end} in a sent text of {len(hidden.text)} code points:"
            " give offsets of the text that was sent"
        )
    return _back(hidden.spans, start, first=True), _back(hidden.spans, end, first=False)


def rules(subreddits: bool) -> str:
    """In words, for ledger, pages and documentation: what is replaced and what is not."""
    communities = (
        "names of subreddits are replaced" if subreddits else "names of subreddits are not replaced"
    )
    return (
        f"De-identification rules {RULES}: replaced by placeholders are handles and account names"
        " (@name, u/name, Bluesky domains with @ and DIDs, names after 'ig:' and the like),"
        " URLs, e-mail addresses, telephone numbers in international, North American and common"
        " national forms, IBANs, payment card numbers, US social security numbers, Bitcoin and"
        f" Ethereum addresses, IP addresses; {communities}. Not found offline, and so sent as"
        " they stand: names of persons, street addresses, handles without a sign, account numbers"
        " without check digits, and whatever else the wording tells about a person."
    )


def _hide(
    text: str, secret: bytes, subreddits: bool, known: dict[tuple[str, str], str]
) -> DeidentifiedText:
    found = identifiers.find(text, subreddits=subreddits)
    if not found:
        return DeidentifiedText(text, (), {})
    parts: list[str] = []
    spans: list[Span] = []
    done = length = 0
    for original_start, original_end, kind, value in found:
        placeholder = known.get((kind, value))
        if placeholder is None:
            digits = keyed({"kind": kind, "value": value}, secret=secret)[:DIGITS]
            placeholder = known[kind, value] = f"[{kind}_{digits}]"
        start = length + original_start - done
        length = start + len(placeholder)
        parts += (text[done:original_start], placeholder)
        spans.append(Span(start, length, original_start, original_end, kind, placeholder))
        done = original_end
    parts.append(text[done:])
    return DeidentifiedText(
        "".join(parts), tuple(spans), dict(Counter(span.kind for span in spans))
    )


def _back(spans: tuple[Span, ...], offset: int, *, first: bool) -> int:
    """An offset of the sent text in the original; `first` says that it begins a stretch."""
    if first:
        index = bisect_right(spans, offset, key=lambda span: span.start) - 1
    else:
        index = bisect_left(spans, offset, key=lambda span: span.start) - 1
    if index < 0:
        return offset
    span = spans[index]
    if first and offset < span.end:
        return span.original_start
    return span.original_end + max(0, offset - span.end)
