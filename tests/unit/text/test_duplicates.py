"""When two texts are the same words, and how a text is quoted."""

from __future__ import annotations

from labeler.text.duplicates import quoted, same_words, words_key


def test_copies_are_the_same_words() -> None:
    """Case, punctuation, white space and Unicode form tell no two posts apart; words do."""
    assert same_words("No BOTS – here!") == same_words("no bots here")
    assert same_words("ｂｏｔ") == same_words("bot")
    assert same_words("no bots") != same_words("no boots")


def test_signs_alone_are_kept() -> None:
    """A post of emoji is not the same as every other such post."""
    assert same_words("😀") != same_words("😢")


def test_one_text_for_a_reader_has_one_key() -> None:
    """Links and mentions tell no two posts apart either; a post of nothing else stays itself."""
    assert words_key("It helped me! https://made.up/1") == words_key("@ada it helped me")
    assert words_key("It helped me") != words_key("It never helped me")
    assert words_key("https://made.up/1") != words_key("https://made.up/2")
    assert words_key("😀") != words_key("😢")


def test_quotation_marks_stand_once() -> None:
    """A quote that brings its marks gets no second ones; a lone mark is a text like another."""
    assert quoted("it helped") == "“it helped”"
    assert quoted("“it helped”") == "“it helped”"
    assert quoted("«it helped»") == "«it helped»"
    assert quoted("“it” helped") == "““it” helped”"
    assert quoted("") == "“”"
    assert quoted('"') == '“"”'


def test_a_retweet_and_html_are_the_words_they_hold() -> None:
    """RT @name, a mention of another server, and characters as HTML spells them."""
    assert words_key("RT @ada: It &amp; helped me") == words_key("@ben@made.up it helped me &")
    assert words_key("RT is what I do") != words_key("is what I do")
