"""Examples for a prompt come from adjudicated units alone, and never from units under test.

Posts and codings are made up.
"""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from made_up_talk import SPEC, TALK_BOOK, TEMPLATES, body

from labeler.coders import answers, requests
from labeler.coders.llm.few_shot import RATIONALE, examples
from labeler.errors import InputError
from labeler.store.tables import CODINGS, SEGMENTS, frame

POSTS = pd.DataFrame(
    {
        "unit": ["u1", "u2", "u3", "u4", "v1", "v2"],
        "text": [
            "The bot calms me.",
            "No bots here.",
            "The bot scares me, and calms me.",
            "Half coded.",
            "Quite another post.",
            "no BOTS – here!",
        ],
    }
)
WHOSE = {"codebook": "k", "coder": "human:ann", "arm": "adjudication", "replicate": 1}

GIVEN: dict[str, dict[str, dict[str, str]]] = {
    "u1": {"": {"on_topic": "a", "tone": "b"}, "1": {"effect": "a", "needs": "a", "nights": "2.5"}},
    "u2": {"": {"on_topic": "b"}},
    "u3": {
        "": {"on_topic": "a", "tone": "c"},
        "1": {"effect": "c"},
        "2": {"effect": "b", "needs": "a+b"},
    },
    "u4": {"": {"on_topic": "a"}},
}
QUOTES = {("u1", "1"): "The bot calms me", ("u3", "1"): "scares me", ("u3", "2"): "calms me"}


def codings(**more: str) -> pd.DataFrame:
    """Rows of CODINGS for GIVEN; `more` replaces columns."""
    rows: list[dict[str, Any]] = [
        {**WHOSE, "unit": unit, "segment": segment, "variable": name, "value": value} | more
        for unit, parts in GIVEN.items()
        for segment, codes in parts.items()
        for name, value in codes.items()
    ]
    return frame(CODINGS, rows)


def segments(quotes: dict[tuple[str, str], str] = QUOTES) -> pd.DataFrame:
    """Rows of SEGMENTS with these words."""
    rows = [
        {**WHOSE, "unit": unit, "segment": number, "start": 0, "end": 1, "quote": quote}
        for (unit, number), quote in quotes.items()
    ]
    return frame(SEGMENTS, rows)


def shown(k: int, *, evaluated: tuple[str, ...] = ("v1",), **how: Any) -> list[str]:
    """The units of the examples drawn."""
    given = {"codings": codings(), "segments": segments(), "posts": POSTS} | how
    drawn = examples(
        given["codings"],
        given["segments"],
        given["posts"],
        TALK_BOOK,
        evaluated=evaluated,
        k=k,
    )
    return [example.unit for example in drawn]


def test_examples_show_as_many_codes_as_they_can() -> None:
    """u3 has 6 pairs of variable and code; then u1 adds 3 and u2 1; u4 is not coded in full."""
    assert shown(1) == ["u3"]
    assert shown(3) == ["u3", "u1", "u2"]
    assert shown(0) == []
    assert shown(3, codings=codings().sample(frac=1, random_state=7)) == ["u3", "u1", "u2"]


def test_an_example_is_an_answer_that_can_be_read() -> None:
    """Its answer gives back the codings and segments that it was made of."""
    for example in examples(codings(), segments(), POSTS, TALK_BOOK, evaluated=[], k=3):
        read = answers.read(example.answer, example.text, TALK_BOOK)
        assert read.codings == GIVEN[example.unit][""]
        assert [one.codings for one in read.segments] == [
            codes for number, codes in GIVEN[example.unit].items() if number
        ]
        assert read.faults == []
        assert json.loads(example.answer)["rationale"] == RATIONALE


def test_an_example_that_is_under_evaluation_is_refused() -> None:
    """The leak guard names the unit, whether or not it would have been drawn."""
    with pytest.raises(InputError, match=r"unit u2 is under evaluation.*another batch"):
        shown(1, evaluated=("v1", "u2"))


def test_a_copy_of_a_unit_under_evaluation_is_refused() -> None:
    """The same words in another dress leak as well: case, dashes and spaces are no difference."""
    with pytest.raises(InputError, match="unit u2 has the same words as v2, which is under eval"):
        shown(1, evaluated=("v2",))


@pytest.mark.parametrize("arm", ["blind", "assisted", ""])
def test_only_adjudicated_units_are_shown(arm: str) -> None:
    """Codings of any other arm are no examples."""
    with pytest.raises(InputError, match="1 examples are asked for, but 0 of 0 adjudicated"):
        shown(1, codings=codings(arm=arm))


def test_what_cannot_be_shown_whole_is_left_out() -> None:
    """Two adjudicators, words that were hidden before sending, or no post: not an example."""
    two = pd.concat([codings(), codings(coder="human:ben")])
    with pytest.raises(InputError, match="1 examples are asked for, but 0 of 4"):
        shown(1, codings=two)
    hidden = segments(QUOTES | {("u3", "2"): "@ann_b calms me"})
    assert shown(2, segments=hidden) == ["u1", "u2"]
    assert shown(2, posts=POSTS[POSTS.unit != "u3"]) == ["u1", "u2"]


def test_examples_reach_the_prompt_and_make_another_coder() -> None:
    """From codings to the system message, and another name for who was told so."""
    drawn = examples(codings(), segments(), POSTS, TALK_BOOK, evaluated=["v1"], k=2)
    prompt = requests.prompt(TALK_BOOK, SPEC, TEMPLATES, drawn)
    system = json.loads(prompt.content)["messages"][0]["content"]
    assert system.count("\nPost: ") == system.count("\nAnswer: ") == 2
    assert prompt.examples == ("u3", "u1")
    spec = requests.spec(
        base_url="http://127.0.0.1:1/v1", model="made-up", templates=TEMPLATES, examples=drawn
    )
    assert requests.coder(spec) != requests.coder(SPEC)
    assert answers.content(body(drawn[0].answer)) == drawn[0].answer
