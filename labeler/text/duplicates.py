"""The words of a text: when two have the same, which then are coded alike; how one is quoted."""

from __future__ import annotations

import unicodedata


def same_words(text: str) -> str:
    """The text without what tells copies apart: case, Unicode form, white space, punctuation.

    Two texts are twins where this is equal. A text of punctuation alone stays as it is.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in plain if character.isalnum()) or plain


def quoted(text: str) -> str:
    """A text in quotation marks; one that stands in such marks stays as it is."""
    marks = text[:1] + text[-1:]
    return text if marks in ("“”", "„“", "«»", '""') and len(text) > 1 else f"“{text}”"
