"""The bundled sample: made up, complete, and codable with the bundled codebook."""

from __future__ import annotations

import gzip
import importlib.util
import json
import sys
from collections import Counter
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from places import ROOT

from labeler.codebook.codebook import Codebook, read
from labeler.text.near_texts import near_groups

PLATFORMS = {"reddit", "x", "youtube", "tiktok", "facebook", "bluesky"}


def lines(name: str) -> list[dict[str, Any]]:
    raw = (ROOT / "sample" / name).read_bytes()
    text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode("utf-8")
    return [json.loads(line) for line in text.removesuffix("\n").split("\n")]


@pytest.fixture(scope="module")
def handwritten() -> list[dict[str, Any]]:
    return lines("made-up-posts.jsonl")


@pytest.fixture(scope="module")
def handwritten_codings() -> list[dict[str, Any]]:
    return lines("made-up-codings.jsonl")


@pytest.fixture(scope="module")
def composed() -> list[dict[str, Any]]:
    return lines("made-up-posts-composed.jsonl.gz")


@pytest.fixture(scope="module")
def posts(
    handwritten: list[dict[str, Any]], composed: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    return handwritten + composed


@pytest.fixture(scope="module")
def codings(handwritten_codings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return handwritten_codings + lines("made-up-codings-composed.jsonl.gz")


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    path = ROOT / "codebook" / "llm-mental-health.yaml"
    return read(path.read_text(encoding="utf-8"), source=path.name)


def test_posts_are_complete(
    handwritten: list[dict[str, Any]], composed: list[dict[str, Any]]
) -> None:
    """Each of the 240 + 2,760 posts has every field, a platform of the six, and a day in 2025."""
    assert (len(handwritten), len(composed)) == (240, 2760)
    for post in handwritten + composed:
        assert list(post) == ["id", "platform", "date", "author", "url", "text"]
        assert all(isinstance(field, str) and field for field in post.values())
        assert date.fromisoformat(post["date"]).year == 2025
    assert Counter(post["platform"] for post in handwritten) == dict.fromkeys(PLATFORMS, 40)
    platforms, months = (
        Counter(post["platform"] for post in composed),
        Counter(post["date"][:7] for post in composed),
    )
    assert set(platforms) == PLATFORMS
    assert min(platforms.values()) >= 200
    assert len(months) == 12
    assert min(months.values()) >= 100


def test_ids_match_between_the_files(
    posts: list[dict[str, Any]], codings: list[dict[str, Any]]
) -> None:
    """Both files hold the same ids, each once, in the same order."""
    ids = [post["id"] for post in posts]
    assert len(set(ids)) == len(ids)
    assert [coding["id"] for coding in codings] == ids


def test_texts_are_distinct_and_clean(posts: list[dict[str, Any]]) -> None:
    """No text comes twice, also not in other case or spacing, and none has stray whitespace."""
    texts = [post["text"] for post in posts]
    assert len({" ".join(text.casefold().split()) for text in texts}) == len(texts)
    assert all(text == text.strip() and "\r" not in text and "\0" not in text for text in texts)


def test_posts_point_to_nobody(posts: list[dict[str, Any]]) -> None:
    """Authors, mentions and addresses carry names that are reserved for examples."""
    for post in posts:
        assert post["author"].endswith(("_example", ".example"))
        assert post["url"].startswith("https://example.org/made-up/")
        for word in post["text"].split():
            if word.startswith("@"):
                assert word.rstrip(".,:!?").endswith("_example")
            if "://" in word:
                assert word.startswith("https://example.org/")


def test_some_authors_post_more_than_once(
    handwritten: list[dict[str, Any]], composed: list[dict[str, Any]]
) -> None:
    """Two authors in three wrote one post, so that clusters exist, and nobody wrote very many."""
    of_first, of_second = (
        Counter(post["author"] for post in part) for part in (handwritten, composed)
    )
    assert 180 <= len(of_first) <= 220
    assert 1700 <= len(of_second) <= 1900
    assert not set(of_first) & set(of_second)
    assert 3 <= max(of_first.values()) <= max(of_second.values()) <= 20


def test_no_two_posts_are_near(posts: list[dict[str, Any]]) -> None:
    """Each post is its own group: the draw and the reader would take near ones for one."""
    groups = near_groups({post["id"]: post["text"] for post in posts})
    assert len(set(groups.values())) == len(posts)


def test_script_reproduces_the_composed_part(composed: list[dict[str, Any]]) -> None:
    """The parts give the very posts and codes that are bundled."""
    path = ROOT / "sample" / "compose.py"
    found = importlib.util.spec_from_file_location("compose", path)
    assert found is not None and found.loader is not None
    compose = importlib.util.module_from_spec(found)
    sys.modules["compose"] = compose
    found.loader.exec_module(compose)
    made = compose.composed()
    assert [one.post for one in made] == composed
    assert [one.coding for one in made] == lines("made-up-codings-composed.jsonl.gz")


def test_composed_part_has_something_to_find(
    composed: list[dict[str, Any]], codings: list[dict[str, Any]]
) -> None:
    """Praise is rarer with a psychosis than with ADHD, and dependence grows over the year."""
    month = {post["id"]: int(post["date"][5:7]) for post in composed}
    uses = [
        (month[coding["id"]], segment["codes"])
        for coding in codings
        if coding["id"] in month
        for segment in coding["segments"]
    ]

    def share(code: str, variable: str, among: list[dict[str, Any]]) -> float:
        return sum(code in codes[variable] for codes in among) / len(among)

    of = {
        name: [codes for _, codes in uses if name in codes["condition"]]
        for name in ("schizophrenia", "adhd")
    }
    assert share("positive", "impact", of["schizophrenia"]) < 0.35
    assert share("positive", "impact", of["adhd"]) > 0.5
    early, late = ([codes for at, codes in uses if (at > 6) == second] for second in (False, True))
    assert share("dependency", "perspective", late) > share("dependency", "perspective", early)


def test_quotes_stand_in_the_text(
    posts: list[dict[str, Any]], codings: list[dict[str, Any]], codebook: Codebook
) -> None:
    """A quote is a verbatim stretch found exactly once, long enough, in order, not overlapping."""
    assert codebook.segments is not None
    fewest = max(5, codebook.segments.min_words)
    texts = {post["id"]: post["text"] for post in posts}
    for coding in codings:
        text = texts[coding["id"]]
        spans = []
        for segment in coding["segments"]:
            quote = segment["quote"]
            assert text.count(quote) == 1, (coding["id"], quote)
            assert len(quote.split()) >= fewest, (coding["id"], quote)
            spans.append((text.index(quote), text.index(quote) + len(quote)))
        assert all(left[1] <= right[0] for left, right in pairwise(spans)), coding["id"]


def test_quotes_after_emoji_and_right_to_left_text_exist(
    posts: list[dict[str, Any]], codings: list[dict[str, Any]]
) -> None:
    """The sample holds quotes whose offsets differ between code points and UTF-16 units."""
    texts = {post["id"]: post["text"] for post in posts}
    before = [
        texts[coding["id"]].split(segment["quote"])[0]
        for coding in codings
        for segment in coding["segments"]
    ]
    assert sum(any(ord(sign) > 0xFFFF for sign in head) for head in before) >= 5
    assert any("\u200d" in head for head in before)
    assert any("\u0600" <= sign <= "\u06ff" for head in before for sign in head)


def test_codes_are_in_the_codebook(codings: list[dict[str, Any]], codebook: Codebook) -> None:
    """Every coding fits the bundled codebook, and every segment answers all its variables."""
    names = [variable.variable for variable in codebook.of_segment]
    for coding in codings:
        assert list(coding["variables"]) == [variable.variable for variable in codebook.of_unit]
        for name, code in coding["variables"].items():
            assert codebook.variable(name).fault(code) == "", coding["id"]
        for segment in coding["segments"]:
            assert sorted(segment["codes"]) == sorted(names), coding["id"]
            for name, given in segment["codes"].items():
                variable = codebook.variable(name)
                assert isinstance(given, list) is variable.multiple, (coding["id"], name)
                codes = given if variable.multiple else [given]
                assert len(set(codes)) == len(codes) >= 1, (coding["id"], name)
                assert set(codes) <= set(variable.codes), (coding["id"], name, codes)
                assert variable.fault(variable.written(codes)) == "", (coding["id"], name)


def test_only_relevant_posts_have_segments(codings: list[dict[str, Any]]) -> None:
    """A relevant post has one to three segments; all others have none."""
    for coding in codings:
        relevant = coding["variables"]["relevance"] == "relevant"
        assert len(coding["segments"]) in ((1, 2, 3) if relevant else (0,)), coding["id"]


def test_every_code_occurs(handwritten_codings: list[dict[str, Any]], codebook: Codebook) -> None:
    """Each code of each variable occurs at least once, so that every room of a report is seen."""
    seen: dict[str, set[str]] = {variable.variable: set() for variable in codebook.variables}
    for coding in handwritten_codings:
        for name, code in coding["variables"].items():
            seen[name].add(code)
        for segment in coding["segments"]:
            for name, given in segment["codes"].items():
                seen[name] |= set(given) if isinstance(given, list) else {given}
    for variable in codebook.variables:
        assert set(variable.codes) <= seen[variable.variable], variable.variable
