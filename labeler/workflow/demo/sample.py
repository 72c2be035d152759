"""The bundled sample: made-up posts, and for each the codes that a careful coder might give it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from labeler import resources

HANDWRITTEN, COMPOSED = 240, 2760
COLUMNS = {name: name for name in ("id", "platform", "date", "author", "url", "text")}


class SamplePart(NamedTuple):
    """A part of the sample: how many posts, and the files of the posts and of their codes."""

    posts: int
    post_file: Path
    coding_file: Path


class SamplePost(NamedTuple):
    """A made-up post and its codes: `coding` as in the files (variables and segments)."""

    text: str
    coding: Mapping[str, Any]


def parts() -> tuple[SamplePart, ...]:
    """The handwritten posts, then those composed of made-up parts."""
    folder = resources.folder("sample")
    return (
        SamplePart(HANDWRITTEN, folder / "made-up-posts.jsonl", folder / "made-up-codings.jsonl"),
        SamplePart(
            COMPOSED,
            folder / "made-up-posts-composed.jsonl.gz",
            folder / "made-up-codings-composed.jsonl.gz",
        ),
    )


@cache
def sample_posts() -> dict[str, SamplePost]:
    """The id of each post → its text and its codes."""
    found = {}
    for part in parts():
        codings = {coding["id"]: coding for coding in map(json.loads, _lines(part.coding_file))}
        for post in map(json.loads, _lines(part.post_file)):
            found[post["id"]] = SamplePost(post["text"], codings[post["id"]])
    return found


def _lines(path: Path) -> list[str]:
    content = path.read_bytes()
    whole = gzip.decompress(content) if path.suffix == ".gz" else content
    return whole.decode("utf-8").removesuffix("\n").split("\n")
