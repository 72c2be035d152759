"""Votes of replicates and log-probabilities, with shares made by hand. All answers are made up."""

from __future__ import annotations

import json
import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_talk import CODER, TALK_BOOK, TEXT, body, segment, talk
from thorough import examples

from labeler.coders import confidence, requests
from labeler.coders.logprobs import probabilities
from labeler.store.tables import COMPLETIONS, frame

POSTS = pd.DataFrame({"unit": ["u1"], "text": [TEXT]})
CALM, NIGHT = "It calms me down.", "I talk to the bot each night."


def completions(*raw: str, coder: str = CODER) -> pd.DataFrame:
    """A completion for each raw body: replicates 1, 2, … of one coder for one post."""
    shared = {"codebook": TALK_BOOK.fingerprint, "coder": coder, "unit": "u1", "created": "2026"}
    rows = [
        shared | {"completion": f"c{n}", "replicate": n, "answer": answer}
        for n, answer in enumerate(raw, start=1)
    ]
    return frame(COMPLETIONS, rows)


def voted(*given_answers: dict[str, Any]) -> dict[tuple[str, str, str], float]:
    """(segment, variable, code) to share, of replicates with these answers."""
    rows = completions(*(body(json.dumps(answer)) for answer in given_answers))
    found = requests.parse(rows, POSTS, TALK_BOOK)
    shares = confidence.votes(found.codings, found.segments, rows[["unit", "coder", "replicate"]])
    assert list(shares.columns) == confidence.CONFIDENCE
    assert set(shares.replicates) == {len(given_answers)}
    assert (shares.kind == "vote").equals(shares.segment == "")
    keys = zip(shares.segment, shares.variable, shares.code, strict=True)
    return dict(zip(keys, shares.confidence, strict=True))


def test_votes_are_shares_of_the_replicates() -> None:
    """Four replicates: on topic in 3, tone b in 2 and c in 1; effect a in 2, also if twice in one.

    The first has the segment CALM; the second and third have it as well, the third as `effect` b;
    the fourth is off topic and has no segment.
    """
    shares = voted(
        talk(segment(CALM)),
        talk(segment(CALM), segment(NIGHT)),
        talk(segment("calms me down.", effect="b", needs=["a", "b"]), tone="c"),
        talk(on_topic="b", tone=None),
    )
    assert shares == {
        ("", "on_topic", "a"): 0.75,
        ("", "on_topic", "b"): 0.25,
        ("", "tone", "b"): 0.5,
        ("", "tone", "c"): 0.25,
        ("", "effect", "a"): 0.5,
        ("", "effect", "b"): 0.25,
        ("", "needs", "a"): 0.75,
        ("", "needs", "b"): 0.25,
        ("1", *confidence.THERE): 0.75,
        ("1", "effect", "a"): 0.5,
        ("1", "needs", "a"): 0.75,
    }


def test_segments_elsewhere_are_other_segments() -> None:
    """Less than half of the union is shared: not the same segment; an invented one by its words."""
    shares = voted(
        talk(segment(CALM), segment("words that stand nowhere in it")),
        talk(segment(f"{NIGHT} 😀 {CALM} It calms me down.")),
        talk(segment("words that stand nowhere in it")),
    )
    assert (shares["1", *confidence.THERE], shares["2", *confidence.THERE]) == (
        pytest.approx(2 / 3),
        pytest.approx(1 / 3),
    )


def test_a_replicate_that_found_nothing_counts() -> None:
    """What was answered is the denominator, also where it left no coding at all."""
    rows = completions(body(json.dumps(talk())), body("{}"))
    found = requests.parse(rows[:1], POSTS, TALK_BOOK)
    answered = rows[["unit", "coder", "replicate"]]
    shares = confidence.votes(found.codings, found.segments, answered)
    assert set(shares.confidence) == {0.5}
    none = confidence.votes(found.codings[:0], found.segments, answered[:0])
    assert (len(none), list(none.columns)) == (0, confidence.CONFIDENCE)


# log-probabilities


def told(pieces: list[tuple[str, float]]) -> str:
    """The body of an answer written in these tokens with these log-probabilities."""
    listed = [
        {"token": text, "logprob": log, "bytes": list(text.encode()), "top_logprobs": []}
        for text, log in pieces
    ]
    raw = json.loads(body("".join(text for text, _ in pieces)))
    raw["choices"][0]["logprobs"] = {"content": listed}
    return json.dumps(raw)


def cut(answer: str, logs: dict[str, float]) -> list[tuple[str, float]]:
    """An answer in tokens of one sign; a sign's log-probability is 0 but where `logs` names it.

    `logs` maps a piece of the answer to what its first sign costs.
    """
    costs = dict.fromkeys(range(len(answer)), 0.0)
    for piece, log in logs.items():
        costs[answer.index(piece)] = log
    return [(sign, costs[place]) for place, sign in enumerate(answer)]


ANSWER = json.dumps(
    talk(segment(CALM, needs=["b", "a"], nights=7.0), segment(NIGHT, effect="c", needs=[])),
    ensure_ascii=False,
)


def laid(raw: str) -> dict[tuple[str, str, str], float]:
    """(segment, variable, code) to probability."""
    shares = confidence.logprobs(completions(raw), POSTS, TALK_BOOK)
    assert set(shares.kind) <= {"logprob"}
    keys = zip(shares.segment, shares.variable, shares.code, strict=True)
    return dict(zip(keys, shares.confidence, strict=True))


def test_probability_of_the_chosen_code() -> None:
    """The tokens of a value and its quotation marks count, and no others.

    `"b"` of tone: its quotation mark e^-0.5, its letter e^-0.25: together e^-0.75. The segment
    answered first stands second in the post, and has the number 2.
    """
    costs = {
        '"b"}': -0.5,
        'b"}': -0.25,
        '"b", "a"]': -1.0,
        '"a"], "nights"': -2.0,
        "7.0": -3.0,
        "rationale": -9.0,
        "Made up": -9.0,
        "calms": -9.0,
    }
    shares = laid(told(cut(ANSWER, costs)))
    assert shares == {
        ("", "on_topic", "a"): 1.0,
        ("", "tone", "b"): pytest.approx(math.exp(-0.75)),
        ("1", "effect", "c"): 1.0,
        ("2", "effect", "a"): 1.0,
        ("2", "needs", "b"): pytest.approx(math.exp(-1.0)),
        ("2", "needs", "a"): pytest.approx(math.exp(-2.0)),
        ("2", "nights", "7"): pytest.approx(math.exp(-3.0)),
    }


def test_tokens_need_not_end_where_values_do() -> None:
    """A token that writes a value and what stands around it counts as a whole."""
    pieces = [(ANSWER[:55], -0.1), (ANSWER[55:], -0.2)]
    start = ANSWER.index('"a"')
    assert start < 55 < ANSWER.index('"tone"')
    shares = laid(told(pieces))
    assert shares["", "on_topic", "a"] == pytest.approx(math.exp(-0.1))
    assert shares["", "tone", "b"] == pytest.approx(math.exp(-0.2))


def test_tokens_may_be_half_a_letter_and_stand_in_a_fence() -> None:
    """Bytes of tokens are put together; a fence, or thoughts before it, shift nothing."""
    answer = json.dumps(talk() | {"rationale": "ß 😀"}, ensure_ascii=False)
    raw = f"```json\n{answer}\n```".encode()
    where = raw.index(b'"b"')
    listed = [
        {"token": "?", "logprob": -0.5 if place == where + 1 else 0, "bytes": [byte]}
        for place, byte in enumerate(raw)
    ]
    content = json.loads(body(raw.decode()))
    content["choices"][0]["logprobs"] = {"content": listed}
    shares = laid(json.dumps(content))
    assert shares["", "tone", "b"] == pytest.approx(math.exp(-0.5))
    assert shares["", "on_topic", "a"] == 1.0


NO_TOKENS: list[Any] = [
    None,
    {},
    {"content": None},
    {"content": []},
    {"content": [1]},
    {"content": [{"token": "x"}]},
    {"content": [{"token": "x", "logprob": "-1"}]},
    {"content": [{"token": ANSWER, "logprob": None}]},
    {"content": [{"bytes": [999], "logprob": -1}]},
    {"content": [{"token": "other words", "logprob": -1.0}]},
    [],
    "x",
]


@pytest.mark.parametrize("given_logprobs", NO_TOKENS)
def test_without_log_probabilities_confidence_is_missing(given_logprobs: Any) -> None:
    """The code has its row, the number is missing, and nothing raises."""
    raw = json.loads(body(ANSWER))
    raw["choices"][0]["logprobs"] = given_logprobs
    shares = laid(json.dumps(raw))
    assert len(shares) == 7
    assert all(math.isnan(share) for share in shares.values())


def test_what_cannot_be_read_has_no_row() -> None:
    """Refusals, misfits, canaries and units without a post leave nothing."""
    rows = completions(body(None, refusal="No."), body("{}"), "<html>", body(ANSWER))
    rows.loc[3, "unit"] = "canary:1"
    assert len(confidence.logprobs(rows, POSTS, TALK_BOOK)) == 0


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=15,
)  # fmt: skip


def leaves(content: Any) -> int:
    """How many values JSON holds that are neither object nor list."""
    if isinstance(content, dict | list):
        inner = content.values() if isinstance(content, dict) else content
        return sum(leaves(one) for one in inner)
    return 1


@examples(150)
@given(st.dictionaries(st.text(max_size=5), JSONS), st.sampled_from([None, 2]), st.booleans())
def test_any_json_is_walked(content: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    """Any object, written in any way, gives each of its values a probability of 1 for free."""
    text = json.dumps(content, indent=indent, ensure_ascii=ascii_only)
    pieces = [(text[place : place + 3], 0.0) for place in range(0, len(text), 3)]
    shares = probabilities(told(pieces), text)
    assert set(shares.values()) <= {1.0}
    assert bool(shares) == bool(leaves(content))
    assert len(shares) <= leaves(content)
