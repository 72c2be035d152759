"""Text that every database takes."""

from __future__ import annotations


def storable(text: str) -> str:
    """Without NUL and lone surrogates, which databases refuse."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
