"""When two texts are the same words, so that one coded says how the other is coded."""

from __future__ import annotations

import unicodedata


def same_words(text: str) -> str:
    """The text without what tells copies apart: case, Unicode form, white space, punctuation.

    Two texts are twins where this is equal. A text of punctuation alone stays as it is.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in plain if sign.isalnum()) or plain
