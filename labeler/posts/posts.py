"""Records → posts: sanitised once, the original kept, authors hidden."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from labeler import keys
from labeler.errors import InputError
from labeler.store import tables
from labeler.text.duplicates import words_key

REJECTED = ["file", "line", "reason", "raw"]

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Chunk(NamedTuple):
    """Posts (a frame of tables.POSTS) and rejected records (file, line, reason, raw)."""

    posts: pd.DataFrame
    rejected: pd.DataFrame


def chunk(
    records: Iterable[tuple[int, Mapping[str, object] | None, str, str]],
    *,
    convert: Callable[[Mapping[str, object]], Mapping[str, str]],
    secret: bytes,
    source: str,
    ingested: str,
) -> Chunk:
    """The posts among some records of one file, and what was wrong with the others.

    A record is (line, content, fault, raw): content is None where the fault says why the line
    could not be read. `convert` makes a post of a content (platforms.post) or raises InputError,
    whose message becomes the reason. `source` names the file; `ingested` is the time (ISO-8601
    UTC). A unit that comes twice keeps its first post. Where raw is '' a rejected record is
    written as JSON.

    The key of a unit is made from platform and platform id; where there is no id, from platform
    and sanitised text.
    """
    kept: dict[str, dict[str, str]] = {}
    rejected: list[tuple[str, int, str, str]] = []
    hidden: dict[str, str] = {"": ""}
    for line, content, fault, raw in records:
        try:
            if content is None:
                raise InputError(fault)
            row = _row(convert(content))
        except InputError as error:
            rejected.append((source, line, str(error), raw or _written(content)))
            continue
        author = row["author"]
        if author not in hidden:
            hidden[author] = keys.keyed(author, secret=secret)
        row["author"] = hidden[author]
        kept.setdefault(row["unit"], row)
    made = kept.values()
    columns = (name for name in tables.columns(tables.POSTS) if name not in ("source", "ingested"))
    posts = pd.DataFrame({name: pd.array([row[name] for row in made], "str") for name in columns})
    posts["source"] = source
    posts["ingested"] = ingested
    return Chunk(tables.frame(tables.POSTS, posts), _aside(rejected))


def sanitise(text: str) -> str:
    """The text without NUL and lone surrogates, its line ends as LF; nothing else changes."""
    if _clean(text):
        return text
    return _UNSTORABLE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def _clean(text: str) -> bool:
    if "\0" in text or "\r" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _row(post: Mapping[str, str]) -> dict[str, str]:
    """Columns of a post but for source and ingested; the author is not hidden yet.

    `original` is a JSON string where it differs from the text, since no database stores NUL and
    lone surrogates; '' where it does not.
    """
    row = dict(post)
    if not _clean("".join(row.values())):
        row = {name: sanitise(value) for name, value in post.items()}
    text, original = row["text"], post["original"]
    if not text.strip():
        raise InputError("no text: nothing is left after sanitising")
    named = {"id": row["platform_id"]} if row["platform_id"] else {"text": text}
    row["unit"] = keys.key({"platform": row["platform"], **named})
    row["original"] = "" if original == text else json.dumps(original)
    row["words"] = words_key(text)
    return row


def _written(content: Mapping[str, object] | None) -> str:
    return "" if content is None else json.dumps(content, default=str)


def _aside(rejected: list[tuple[str, int, str, str]]) -> pd.DataFrame:
    """The frame of rejected records: file, reason and raw as text, line as Int64."""
    kinds = {"file": "str", "line": "Int64", "reason": "str", "raw": "str"}
    safe = [(file, line, sanitise(reason), raw) for file, line, reason, raw in rejected]
    return pd.DataFrame(safe, columns=REJECTED).astype(kinds)
