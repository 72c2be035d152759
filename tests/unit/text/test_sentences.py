"""Sentences, tokens and words of a text. All texts are made up."""

from __future__ import annotations

import pytest

from labeler.text.sentences import sentences, tokens, words


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three", ["One.", "Two!", "Three"]),
        ("He said “no.” Then went.\r\n\r\nYes.", ["He said “no.”", "Then went.", "Yes."]),
        ("Dr. Moss, e.g. at 3.5 p…", ["Dr. Moss, e.g. at 3.5 p…"]),
        ("What?!?! No... maybe", ["What?!?!", "No...", "maybe"]),
        ("好。「是。」吗？", ["好。", "「是。」", "吗？"]),
        ("👩‍💻 hi.\u2003👍🏽 ok", ["👩‍💻 hi.", "👍🏽 ok"]),
        (" \r\n ", []),
        ("", []),
    ],
)
def test_sentences_are_exact_stretches(text: str, parts: list[str]) -> None:
    """Stretches end with signs that end a sentence, without outer white space, in order."""
    assert [text[start:end] for start, end in sentences(text)] == parts


def test_words_hold_together_by_apostrophe_and_hyphen() -> None:
    """A contraction and a compound are one word each; signs are none."""
    assert words("I don’t low-key 👍 mind …", 0, 25) == 4
    assert words("one two three", 4, 7) == 1


@pytest.mark.parametrize("run", ["!" * 200_000, '."' * 100_000, "\n" * 200_000, ". " * 100_000])
def test_long_runs_of_signs_take_no_square_of_time(run: str) -> None:
    """Runs that end no sentence are passed once; the square of their length would never end."""
    assert sentences(run + "x")[-1][1] == len(run) + 1


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("don't go_on 12!", ["don", "t", "go_on", "12"]),
        ("cafe\u0301 na\u0131\u0308ve", ["cafe\u0301", "na\u0131\u0308ve"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("می\u200cروم", ["می\u200cروم"]),
        ("❤️ hi 👩‍💻 \u0301x", ["hi", "x"]),
        ("私は本ab", ["私", "は", "本", "ab"]),
        ("", []),
    ],
)
def test_tokens_keep_their_marks_and_their_places(text: str, parts: list[str]) -> None:
    """Marks belong to the letter before; Han and kana stand alone; emoji and signs are none."""
    assert [text[start:end] for start, end in tokens(text)] == parts
