"""The words of a text: when two have the same, which then are coded alike; how one is quoted."""

from __future__ import annotations

import re
import unicodedata
from html import unescape

from labeler.keys import key

_APART = re.compile(r"[\W_]+")
_RETWEET = re.compile(r"^\s*RT\s+(?=@)")
_POINTERS = re.compile(r"https?://\S+|@\w+(?:@[\w.-]+)?")  # links and mentions


def same_words(text: str) -> str:
    """The text without what tells copies apart: case, Unicode form, white space, punctuation.

    Two texts are twins where this is equal. A text of punctuation alone stays as it is.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return _APART.sub("", plain) or plain


def words_key(text: str) -> str:
    """A key that is the same for texts that a reader would take for one text.

    They differ in links, mentions, the mark of a retweet, HTML's spelling of characters, case,
    Unicode form, white space or punctuation alone. A text that consists of those is like no other
    but itself. Texts of which some words differ: `near_texts`.
    """
    rest = own_words(text)
    return key(same_words(rest) if _APART.sub("", rest) else text)


def own_words(text: str) -> str:
    """The text without links, mentions and the mark of a retweet, HTML's spelling undone."""
    plain = unescape(text) if "&" in text else text
    return _POINTERS.sub(" ", _RETWEET.sub("", plain))


def quoted(text: str) -> str:
    """A text in quotation marks; one that stands in such marks stays as it is."""
    marks = text[:1] + text[-1:]
    return text if marks in ("“”", "„“", "«»", '""') and len(text) > 1 else f"“{text}”"
