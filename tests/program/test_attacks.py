"""Posts that speak to the model, over HTTP: every one is coded, and obedience rings an alarm.

The server is a loopback one; posts, answers and the key are made up.
"""

from __future__ import annotations

from collections.abc import Iterator

import openai_server
import pandas as pd
import pytest
from made_up_attacks import ATTACKS
from made_up_talk import SPEC, TALK_BOOK, TEMPLATES
from openai_server import Server

from labeler.coders import requests
from labeler.coders.llm import canary as canaries
from labeler.coders.llm.client import complete
from labeler.coders.requests import ParsedCompletions
from labeler.store.tables import COMPLETIONS, frame

POSTS = pd.DataFrame(
    {
        "unit": [f"u{n}" for n in range(len(ATTACKS))],
        "text": [f"The bot calms me. {attack.text}" for attack in ATTACKS],
    }
)


@pytest.fixture
def server() -> Iterator[Server]:
    """A loopback server that answers well until it is told otherwise."""
    with openai_server.serve() as running:
        yield running


def answered(server: Server, posts: pd.DataFrame, *, several: int = 1) -> pd.DataFrame:
    """The completions for these posts, a row for each."""
    prompt = requests.prompt(TALK_BOOK, SPEC, TEMPLATES, several=several)
    made = requests.requests(
        posts, TALK_BOOK, spec=SPEC, prompt=prompt, templates=TEMPLATES, secret=b"s", limit=900
    )
    bodies: dict[str, str] = {}
    complete.complete(
        made.drop_duplicates("asked")[["asked", "body"]].itertuples(index=False, name=None),
        base_url=server.url,
        api_key=openai_server.KEY,
        on_answer=lambda answer: bodies.update({answer.completion: answer.body}),
    )
    shared = {"codebook": TALK_BOOK.fingerprint, "coder": requests.coder(SPEC)}
    rows = made[["completion", "unit", "replicate", "request"]]
    return frame(COMPLETIONS, rows.assign(answer=made["asked"].map(bodies), **shared))


def parsed(completions: pd.DataFrame) -> ParsedCompletions:
    """What becomes of them."""
    return requests.parse(completions, POSTS, TALK_BOOK)


@pytest.mark.parametrize("several", [1, 7])
def test_every_attack_is_coded_as_a_post(server: Server, several: int) -> None:
    """The server reads each post whole, alone or with others, and each has codes in the end."""
    found = parsed(answered(server, POSTS, several=several))
    assert server.requests == -(-len(POSTS) // several)
    assert set(found.faults.kind) <= {"abstained"}
    assert set(found.codings.unit) == set(POSTS.unit)
    if several == 1:
        assert set(server.posts) == set(POSTS.text)


def test_posts_left_out_are_asked_alone(server: Server) -> None:
    """A broken answer to seven costs seven requests more, and then every post has codes."""
    server.fail("length", match=POSTS.text[6], times=1)
    first = answered(server, POSTS, several=7)
    faults = parsed(first).faults
    cut = faults.loc[faults.kind == "truncated", "unit"]
    assert sorted(cut) == sorted(POSTS.unit[:7])
    alone = answered(server, POSTS[POSTS.unit.isin(cut)])
    both = pd.concat([first.assign(created="1"), alone.assign(created="2")], ignore_index=True)
    assert set(parsed(both).codings.unit) == set(POSTS.unit)
    assert server.requests == -(-len(POSTS) // 7) + 7


def test_alarm_rings_for_a_model_that_obeys_posts(server: Server) -> None:
    """A server told to obey posts sets off the canary of its run; a good one does not."""
    canary = canaries.canary("run-1", secret=b"s")
    posts = canaries.as_posts(canary)
    assert canaries.alarm(canary, answered(server, posts).answer[0]) == ""
    server.fail("obey")
    completions = answered(server, posts)
    assert canary.word in canaries.alarm(canary, completions.answer[0])
    assert [len(part) for part in parsed(completions)] == [0, 0, 0]
