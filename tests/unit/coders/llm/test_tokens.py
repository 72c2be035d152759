"""Tokens counted offline. The counts are those that OpenAI's own tokenizer is known to give."""

from __future__ import annotations

import pytest
from counting import lines
from hypothesis import given
from hypothesis import strategies as st
from thorough import examples

from labeler.coders.llm import tokens


def test_known_counts() -> None:
    """`hello world` is two tokens in both vocabularies, and nothing is none."""
    for model in ("gpt-4o-mini", "gpt-4"):
        assert tokens.count(["hello world", ""], model=model) == [2, 0]


def test_vocabularies_differ() -> None:
    """你好世界 (hello, world) takes 2 tokens in the newer vocabulary, 5 in the older one."""
    assert tokens.count(["你好世界"], model="gpt-4.1-mini") == [2]
    assert tokens.count(["你好世界"], model="gpt-4-0613") == [5]


@pytest.mark.parametrize(
    "model",
    [
        *("gpt-4o", "gpt-4.1-mini-2025-04-14", "gpt-4.5-x", "gpt-5.4-mini", "o3", "llama3.1:8b"),
        *("openai/gpt-4o-mini", "ft:gpt-4.1-mini:lab::1"),
    ],
)
def test_newer_vocabulary(model: str) -> None:
    """Models since gpt-4o, and all models of others, are counted with o200k_base."""
    assert tokens.vocabulary(model) == "o200k_base"


@pytest.mark.parametrize(
    "model", ["gpt-4", "gpt-4-turbo", "gpt-3.5-turbo", "gpt-35-turbo", "ft:gpt-3.5-turbo:lab::1"]
)
def test_older_vocabulary(model: str) -> None:
    """gpt-4 and gpt-3.5 of before gpt-4o are counted with cl100k_base."""
    assert tokens.vocabulary(model) == "cl100k_base"


def test_control_marks_are_text() -> None:
    """A post that holds a control mark is counted, neither refused nor taken for one token."""
    assert tokens.count(["<|endoftext|>"], model="gpt-4o")[0] > 1


def test_long_runs_end_soon() -> None:
    """40,000 characters without a space, or of spaces, do not take the square of their number.

    Uncut, 2,000 of them run 50 million lines; here 60 times as many run some 1.5 million.
    """
    tokens.count(["warm"], model="gpt-4o")
    texts = ["ab" * 20_000, " " * 40_000, "你好" * 20_000]
    counts: list[int] = []
    assert lines(lambda: counts.extend(tokens.count(texts, model="gpt-4o"))) < 5_000_000
    assert all(100 < count <= 40_000 for count in counts)


def test_a_cut_costs_a_token_at_most() -> None:
    """'你好' is 1 token, so 512 of them are 512; cut after 256 signs, at most a few more."""
    (counted,) = tokens.count(["你好" * 512], model="gpt-4o")
    assert 512 <= counted <= 512 + 1024 // tokens.LONGEST


@given(st.lists(st.text(alphabet=st.characters(), max_size=60), max_size=5))
@examples(80)
def test_any_text_counts(texts: list[str]) -> None:
    """Any text, also one with half a surrogate pair, has at most a token for each of its bytes."""
    counts = tokens.count(texts, model="gpt-4o")
    for text, count in zip(texts, counts, strict=True):
        assert (count == 0) == (text == "")
        assert count <= len(text.encode("utf-8", "replace"))
