"""Where a quote stands in a text. All texts are made up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from thorough import examples

from labeler.text.quotes import QuotePlace, find

POST = (
    "I’ve told ChatGPT about my   ADHD — “it was kind”, and 😀 the café was ﬁne 👍🏽. "
    "It has helped me to focus on my work when nobody else would listen."
)


def stretch(quote: str) -> tuple[str, str]:
    """What stands at the place found, and how it was found."""
    found = find(quote, POST)
    assert found is not None
    return POST[found.start : found.end], found.how


def test_verbatim_quote_is_exact() -> None:
    """A quote that stands in the text is found where it stands first, also after an emoji."""
    assert find("the café", POST) == QuotePlace(57, 65, "exact")
    assert stretch("the café") == ("the café", "exact")


@pytest.mark.parametrize(
    ("quote", "there"),
    [
        ("I've told chatgpt about my ADHD", "I’ve told ChatGPT about my   ADHD"),
        ('my ADHD - "it was kind"', "my   ADHD — “it was kind”"),
        ("cafe\u0301 was fine", "café was ﬁne"),
        ("THE CAFÉ\nWAS FINE", "the café was ﬁne"),
        ("“it was kind…”", "it was kind"),
        ("...and\u200b 😀 the café...", "and 😀 the café"),
    ],
)
def test_differences_of_form_are_normalised_away(quote: str, there: str) -> None:
    """Case, typographic signs, Unicode form and white space differ; offsets are the text's."""
    assert stretch(quote) == (there, "normalised")


def test_offsets_count_what_normalising_stretches() -> None:
    """One sign that becomes several (ß, ﬁ, …) and several that become one keep their places."""
    text = "ß ﬁ e\u0301\u0323 … ½ Straße"
    found = find("STRASSE", text)
    assert found is not None
    assert text[found.start : found.end] == "Straße"
    half = find("SS FI", text)
    assert half == QuotePlace(0, 3, "normalised")
    accent = find("E", "a e\u0301\u0323 b")
    assert accent == QuotePlace(2, 5, "normalised")


@pytest.mark.parametrize(
    "quote",
    [
        "It has helpt me to focus on my work when nobody else would listen",
        "It has helped me to focus on my work when nobody else will listen",
        "It has helped me to focus on on my work when nobody else would listen",
    ],
)
def test_slips_are_found_as_whole_words(quote: str) -> None:
    """A wrong or repeated word is a fuzzy match, and ends where words end."""
    sentence = "It has helped me to focus on my work when nobody else would listen"
    assert stretch(quote) == (sentence, "fuzzy")


@pytest.mark.parametrize(
    "quote",
    [
        "",
        " \n ",
        "…",
        "It made everything worse and I cried the whole night",
        "My work got done thanks to it while others ignored me",
        "would lisen",
        "kinds",
        POST + POST,
        "It has helped me to focus. " + "And then much more happened to me that week. " * 2,
    ],
)
def test_what_is_not_there_is_not_found(quote: str) -> None:
    """Empty, invented, paraphrased, short with a slip, or far longer quotes are not found."""
    assert find(quote, POST) is None


def test_nothing_is_found_in_an_empty_text() -> None:
    """An empty text holds no quote."""
    assert find("anything at all", "") is None


@examples(200)
@given(st.text(max_size=60), st.text(max_size=200))
def test_any_two_texts(quote: str, text: str) -> None:
    """Whatever the texts are, a place found lies inside the text and is not empty."""
    found = find(quote, text)
    if found is not None:
        assert 0 <= found.start < found.end <= len(text)


@examples(200)
@given(st.text(max_size=40), st.text(min_size=1, max_size=40), st.text(max_size=40))
def test_a_part_of_a_text_is_found_exactly(before: str, quote: str, after: str) -> None:
    """Every stretch of a text that is not blank is found, as it is without outer blanks."""
    text = before + quote + after
    found = find(quote, text)
    if quote.strip():
        assert found is not None
        assert (text[found.start : found.end], found.how) == (quote.strip(), "exact")
