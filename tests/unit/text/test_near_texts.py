"""Which texts a reader would take for one text. Everything is made up."""

from __future__ import annotations

import pytest

from labeler.text.near_texts import LISTED, NearTexts, near_groups

TEXT = (
    "I asked the chatbot about my sleep last night and it told me to keep a diary for two weeks, "
    "which I did"
)


@pytest.mark.parametrize(
    "other",
    [
        f"RT @made_up: {TEXT[:70]}…",
        TEXT.replace("sleep", "mood").replace("two", "three"),
        TEXT.replace("and", "&amp;"),
        f"{TEXT.upper()} https://made.up/1",
        f"Somebody wrote this, and I could have: {TEXT}",
    ],
)
def test_a_copy_with_other_words_is_near(other: str) -> None:
    """Cut, quoted, with two words changed, spelled as HTML, in capitals with a link."""
    assert near_groups({"b": other, "a": TEXT}) == {"a": "a", "b": "a"}


@pytest.mark.parametrize(
    "other",
    [
        "I asked the chatbot about my exam, and it wrote me a plan that nobody could follow",
        "I asked the chatbot about my sleep",
        "",
        "😀",
    ],
)
def test_another_text_is_not(other: str) -> None:
    """Neither one that begins alike, nor one too short to be told from a phrase."""
    assert near_groups({"a": TEXT, "b": other}) == {"a": "a", "b": "b"}


def test_scripts_without_blanks_are_compared_by_character() -> None:
    """A post in Japanese of which one word differs."""
    one, other = (
        "昨日の夜チャットボットに眠りのことを相談した",
        "昨日の朝チャットボットに眠りのことを相談した",
    )
    assert near_groups({"a": one, "b": other}) == {"a": "a", "b": "a"}


def test_a_template_of_many_posts_is_one_group() -> None:
    """Also where there are more of them than are looked up by one run of words."""
    posts = {f"u{place:03}": f"{TEXT} and {place} more" for place in range(3 * LISTED)}
    assert set(near_groups(posts).values()) == {"u000"}


def test_nearness_goes_through_others() -> None:
    """The first and the last share half of their words only, and both most with the one between."""
    words = [f"w{place}" for place in range(60)]
    texts = {
        name: " ".join(words[start : start + 30])
        for name, start in (("a", 0), ("b", 10), ("c", 20))
    }
    assert near_groups({"a": texts["a"], "c": texts["c"]}) == {"a": "a", "c": "c"}
    assert near_groups(texts) == {"a": "a", "b": "a", "c": "a"}


def test_the_index_names_what_is_near() -> None:
    """Short texts are near to nothing, and nothing to them."""
    index = NearTexts()
    index.add("long", TEXT)
    index.add("short", "it helped me a lot")
    assert index.near(TEXT + " !") == ["long"]
    assert index.near("it helped me a lot") == []
