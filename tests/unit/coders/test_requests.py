"""Requests to a model, and answers to codings. Codebooks, posts and answers are made up."""

from __future__ import annotations

import json
from typing import Any

import jinja2
import pandas as pd
import pytest
import strategies
from counting import lines
from hypothesis import given
from hypothesis import strategies as st
from made_up_attacks import ATTACKS, Attack
from made_up_talk import (
    CODER,
    CODES,
    SPEC,
    TALK,
    TALK_BOOK,
    TEMPLATES,
    TEXT,
    body,
    book,
    segment,
    talk,
)
from thorough import examples

from labeler.codebook.codebook import Codebook
from labeler.coders import requests
from labeler.coders.answers import Example
from labeler.coders.cues import coder as cues
from labeler.coders.llm import request_body
from labeler.coders.requests import ParsedCompletions, Prompt, PromptTemplates
from labeler.coders.schema import schema
from labeler.coding.vocabulary import CANARY
from labeler.errors import InputError
from labeler.keys import canonical
from labeler.posts import deidentify
from labeler.store.tables import COMPLETIONS, frame

PROMPT = requests.prompt(TALK_BOOK, SPEC, TEMPLATES)
POSTS = pd.DataFrame({"unit": ["u1"], "text": [TEXT]})


def parsed(
    raw: str, *, codebook: Codebook = TALK_BOOK, coder: str = CODER, **more: Any
) -> ParsedCompletions:
    """What becomes of one completion with this raw answer for the post TEXT."""
    row = {"completion": "c1", "codebook": codebook.fingerprint, "coder": coder, "unit": "u1"}
    row |= {"replicate": 1, "answer": raw, "created": "2026-01-01T00:00:00Z", **more}
    return requests.parse(frame(COMPLETIONS, [row]), POSTS, codebook)


def values(found: ParsedCompletions, number: str = "") -> dict[str, str]:
    """Variable to value, of the unit or of one segment."""
    rows = found.codings[found.codings.segment == number]
    return dict(zip(rows.variable, rows.value, strict=True))


def kinds(found: ParsedCompletions) -> list[str]:
    """The kinds of the faults, in order."""
    return list(found.faults.kind)


def requested(
    texts: list[str],
    *,
    secret: bytes = b"s",
    replicate: int = 1,
    prompt: Prompt = PROMPT,
    limit: int | None = None,
) -> pd.DataFrame:
    """The requests for some texts; the units are u0, u1, …"""
    posts = pd.DataFrame({"unit": [f"u{n}" for n in range(len(texts))], "text": texts})
    return requests.requests(
        posts,
        TALK_BOOK,
        spec=SPEC,
        prompt=prompt,
        templates=TEMPLATES,
        secret=secret,
        replicate=replicate,
        limit=limit,
    )


def asked(made: pd.DataFrame, row: int = 0) -> str:
    """The user message of a request."""
    message = json.loads(made.body[row])["messages"][-1]
    assert message["role"] == "user"
    return str(message["content"])


# requests


def test_body_is_the_prompt_with_the_post_last() -> None:
    """Model, parameters, strict schema, the codebook first and the post as the last line."""
    content = json.loads(requested([TEXT]).body[0])
    assert (content["model"], content["temperature"]) == ("made-up", 0)
    assert content["response_format"]["json_schema"]["strict"] is True
    assert content["response_format"]["json_schema"]["schema"] == schema(TALK_BOOK)
    system, user = (message["content"] for message in content["messages"])
    assert "Talking to bots (made up)" in system
    assert json.loads(user.splitlines()[-1]) == TEXT
    assert TEXT not in system
    assert "max_tokens" not in content


def test_what_is_stored_is_short_and_makes_the_body_again() -> None:
    """The stored request names the prompt by key; with the prompt it is the body, sign for sign."""
    made = requested([TEXT, "two"], limit=700)
    for row in made.itertuples():
        stored = json.loads(row.request)
        assert stored == {"prompt": PROMPT.key, "user": asked(made, row.Index), "limit": 700}
        assert row.request == canonical(stored)
        assert request_body.body(PROMPT.content, row.request) == row.body
    assert "Talking to bots" not in made.request[0]
    fixed, sent = json.loads(PROMPT.content), json.loads(made.body[0])
    assert sent.pop("max_tokens") == 700 and fixed.pop("max_tokens") is None
    assert sent.pop("messages")[:1] == fixed.pop("messages")
    assert sent == fixed


def test_prompt_tells_what_the_fingerprint_covers() -> None:
    """Every label and definition stands in the prompt; cues, defaults and versions do not."""
    content = json.loads(json.dumps(TALK)) | {"version": "version-seventeen"}
    first = content["variables"][0]
    first["values"] = [
        {"code": "a", "label": "Tagged", "definition": "Seen.", "cues": ["hidden cue"]},
        {"code": "b", "label": "Bare", "definition": "Kept.", "examples": ["a told example"]},
    ]
    prompt = requests.prompt(book(content), SPEC, TEMPLATES)
    system = json.loads(prompt.content)["messages"][0]["content"]
    for told in ("Tagged", "Seen.", "Bare", "Kept.", "a told example", "from 0.0 to 7.0"):
        assert told in system
    for kept in ("hidden cue", "version-seventeen", "talk.yaml", "Examples\n"):
        assert kept not in system


def test_keys_are_stable_and_tell_requests_apart() -> None:
    """The same again has the same key; another unit, replicate, secret, limit, text another."""
    first = requested(["x", "x"])
    pd.testing.assert_frame_equal(first, requested(["x", "x"]))
    assert first.completion.nunique() == 2
    assert first.completion.tolist() == first.asked.tolist()
    others = [
        requested(["x"], replicate=2),
        requested(["x"], secret=b"t"),
        requested(["y"]),
        requested(["x"], limit=900),
        requested(["x"], prompt=PROMPT._replace(key="other")),
    ]
    assert len({first.completion[0], *(other.completion[0] for other in others)}) == 6
    assert first.body[0] == others[0].body[0]


@pytest.mark.parametrize(
    ("base_url", "parameters", "name", "standing"),
    [
        ("https://api.openai.com/v1", {}, "max_completion_tokens", None),
        ("https://made-up.openai.azure.com/openai/v1", {}, "max_completion_tokens", None),
        ("http://localhost:11434/v1", {}, "max_tokens", None),
        ("https://openai.com.example/v1", {}, "max_tokens", None),
        ("http://localhost:8000/v1", {"max_completion_tokens": 50}, "max_completion_tokens", 50),
        ("https://api.openai.com/v1", {"max_tokens": 60}, "max_tokens", 60),
    ],
)
def test_the_limit_has_the_name_that_the_server_knows(
    base_url: str, parameters: dict[str, object], name: str, standing: int | None
) -> None:
    """By the address, unless the parameters name it; a limit of the request goes first."""
    spec = requests.spec(base_url=base_url, model="m", templates=TEMPLATES, parameters=parameters)
    prompt = requests.prompt(TALK_BOOK, spec, TEMPLATES)
    for limit, sent in ((None, standing), (900, 900)):
        content = json.loads(requested(["x"], prompt=prompt, limit=limit).body[0])
        assert {key: content[key] for key in content if key.startswith("max_")} == (
            {} if sent is None else {name: sent}
        )


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_no_attack_leaves_its_line(attack: Attack) -> None:
    """Posts that carry instructions, ends, messages or templates stay one JSON string, whole."""
    plain, made = requested(["Nice."]), requested([attack.text])
    lines = asked(made).splitlines()
    assert len(lines) == 3
    assert json.loads(lines[2]) == attack.text
    assert lines[:2] == asked(plain).splitlines()[:2]
    assert lines[1] in lines[0] and lines[1] not in attack.text
    whole, other = (json.loads(one.body[0]) for one in (made, plain))
    assert [message.pop("content") for message in whole["messages"]][:1] == [
        message.pop("content") for message in other["messages"]
    ][:1]
    assert whole == other
    assert "\n" not in made.body[0]


def test_no_attack_shows_a_template_its_tokens_or_hides_a_text() -> None:
    """What a chat template reads as its own token, and what no screen draws, is escaped."""
    for attack in ATTACKS:
        line = asked(requested([attack.text])).splitlines()[2]
        for token in ("<|", "<｜", "[/INST]", "[INST]", "</s>", "<<SYS", "<start_of", "<tool_"):
            assert token not in line, attack.name
        for sign in line:
            unseen = 0xE0000 <= ord(sign) < 0xE0200 or 0x202A <= ord(sign) < 0x202F
            assert not unseen, attack.name


def test_delimiter_cannot_be_foreseen() -> None:
    """A post that repeats the delimiter of another secret or unit does not have its own."""
    line = asked(requested([""])).splitlines()[1]
    assert asked(requested(["", line]), 1).splitlines()[1] != line
    assert asked(requested([line], secret=b"t")).splitlines()[1] != line


def test_delimiter_of_a_post_stays() -> None:
    """The same in the next run and for other words of the same unit: keys are stable."""
    first, second = (asked(requested([text])).splitlines()[1] for text in ("one", "two"))
    assert first == second == asked(requested(["one", "x"], replicate=2)).splitlines()[1]


@examples(100)
@given(st.lists(st.text(max_size=60), min_size=3, max_size=3), st.sampled_from([1, 3]))
def test_any_post_is_one_line(texts: list[str], several: int) -> None:
    """Any texts come back from the last lines of their request, alone or in company."""
    prompt = requests.prompt(TALK_BOOK, SPEC, TEMPLATES, several=several)
    made = requested(texts, prompt=prompt)
    for row, text in enumerate(texts):
        lines = asked(made, row).splitlines()
        assert len(lines) == 2 + several
        found = json.loads(lines[2 if several == 1 else 2 + row])
        assert (found if several == 1 else found["text"]) == text


def test_a_template_with_an_unknown_name_fails() -> None:
    """A misspelt name in a template is an error, not a gap in the prompt."""
    with pytest.raises(jinja2.UndefinedError, match="codebok"):
        requests.prompt(TALK_BOOK, SPEC, PromptTemplates("{{ codebok.title }}", "{{ post }}"))


def test_no_frame_without_columns() -> None:
    """No posts, no requests, the same columns."""
    assert list(requested([]).columns) == requests.REQUESTS
    assert requested([]).dtypes.tolist() == requested(["x"]).dtypes.tolist()


def test_a_post_costs_the_same_whatever_the_prompt_and_the_number_of_posts() -> None:
    """Each further post runs some 400 lines, with a system message of 20 KB as with a short one."""
    fixed = json.loads(PROMPT.content)
    fixed["messages"][0]["content"] += "x" * 20_000
    long = PROMPT._replace(content=canonical(fixed))
    assert requested([TEXT], prompt=long).body.str.len().min() > 20_000

    def needed(posts: int, prompt: Prompt) -> int:
        return lines(lambda: requested([f"{TEXT} {n}" for n in range(posts)], prompt=prompt))

    fifty, hundred, more = (needed(posts, PROMPT) for posts in (50, 100, 150))
    assert needed(100, long) == pytest.approx(hundred, rel=0.01)
    assert more - hundred == pytest.approx(hundred - fifty, rel=0.05)
    assert (hundred - fifty) / 50 < 800


def test_spec_holds_no_secret_and_names_the_coder() -> None:
    """User, password, query of an address stay out; prompt, examples, company, model count."""
    address = "https://me:hush@host:1/v1/?api-key=hush"
    one = requests.spec(base_url=address, model="m/x:8b", templates=TEMPLATES)
    assert one["base_url"] == "https://host:1/v1"
    assert "hush" not in canonical(one)
    name = requests.coder(one)
    assert name.startswith("model:m/x:8b@") and len(name) == len("model:m/x:8b@") + 6
    more: list[dict[str, Any]] = [
        {"templates": PromptTemplates("other", "prompt")},
        {"several": 5},
        {"examples": [EXAMPLE]},
    ]
    others = [
        requests.coder(
            requests.spec(**{"base_url": address, "model": "m/x:8b", "templates": TEMPLATES} | how)
        )
        for how in more
    ]
    assert len({name, *others}) == 4


EXAMPLE = Example("u7", "A shown post.\n<|im_end|>", canonical(talk(segment("A shown post"))))


def test_examples_stand_in_the_prompt_and_are_not_asked_about() -> None:
    """Post and answer are lines of JSON before the rules; a request about it is refused."""
    prompt = requests.prompt(TALK_BOOK, SPEC, TEMPLATES, [EXAMPLE])
    system = json.loads(prompt.content)["messages"][0]["content"]
    shown, answer = (
        json.loads(line.removeprefix(start))
        for start in ("Post: ", "Answer: ")
        for line in system.splitlines()
        if line.startswith(start)
    )
    assert (shown, answer) == (EXAMPLE.text, json.loads(EXAMPLE.answer))
    assert "<|im_end|>" not in system
    assert system.index("Post: ") < system.index("# How to answer")
    assert prompt.key != PROMPT.key
    requested(["x"], prompt=prompt)
    with pytest.raises(InputError, match="unit u0: the prompt shows it as an example"):
        requested(["x"], prompt=prompt._replace(examples=("u0",)))


# several posts a request

THREE = requests.prompt(TALK_BOOK, SPEC, TEMPLATES, several=3)
TEXTS = ["First. The bot calms me.", "Second.", "Third. The bot scares me."]


def in_company(answer: Any, made: pd.DataFrame) -> tuple[ParsedCompletions, pd.DataFrame]:
    """What becomes of one answer to several posts, and its completions: a row for each post."""
    raw = answer if isinstance(answer, str) else body(json.dumps(answer))
    shared = {"codebook": TALK_BOOK.fingerprint, "coder": CODER, "created": "2026", "answer": raw}
    rows = made[["completion", "unit", "replicate", "request"]].assign(**shared)
    posts = pd.DataFrame({"unit": made.unit, "text": TEXTS[: len(made)]})
    completions = frame(COMPLETIONS, rows)
    return requests.parse(completions, posts, TALK_BOOK), completions


def company(made: pd.DataFrame) -> list[str]:
    """The ids of the posts of one request, in order."""
    ids = json.loads(made.request[0])["posts"]
    assert [json.loads(one)["post"] for one in made.request] == ids
    return list(ids)


def answer_to_three(ids: list[str]) -> dict[str, Any]:
    """A good answer to the three posts, in another order."""
    plain = {"rationale": "", "variables": {"on_topic": "a", "tone": "b"}}
    calm = segment("The bot calms me", effect="a")
    scared = segment("The bot scares me", effect="b")
    return {
        "posts": [{"post": name} | plain for name in reversed(ids)],
        "segments": [{"post": ids[2]} | scared, {"post": ids[0]} | calm],
    }


def test_several_posts_share_a_request() -> None:
    """Rows in turn share the body, `asked` names it, ids tell nothing, keys are a unit's own."""
    made = requested([*TEXTS, "Fourth."], prompt=THREE)
    assert made.asked.nunique() == made.body.nunique() == 2
    assert made.completion.nunique() == 4
    assert made.asked[0] not in set(made.completion)
    posts = [json.loads(line) for line in asked(made).splitlines()[2:]]
    assert [post["text"] for post in posts] == TEXTS
    assert [post["post"] for post in posts] == company(made[:3])
    assert request_body.body(THREE.content, made.request[1]) == made.body[0]
    sent = json.loads(made.body[0])["response_format"]["json_schema"]["schema"]
    assert sent == schema(TALK_BOOK, several=True)


def test_several_answers_are_read_by_id() -> None:
    """Each post has its codes and its segments, whatever their order."""
    made = requested(TEXTS, prompt=THREE)
    found, _ = in_company(answer_to_three(company(made)), made)
    assert kinds(found) == []
    assert found.segments.sort_values("unit")[["unit", "quote"]].to_numpy().tolist() == [
        ["u0", "The bot calms me"],
        ["u2", "The bot scares me"],
    ]
    effects = found.codings[found.codings.variable == "effect"].sort_values("unit")
    assert effects[["unit", "value", "source"]].to_numpy().tolist() == [
        ["u0", "a", made.completion[0]],
        ["u2", "b", made.completion[2]],
    ]


def test_a_post_that_is_left_out_is_a_fault_of_its_own() -> None:
    """What misses, or comes twice, is a fault of that post only."""
    made = requested(TEXTS, prompt=THREE)
    ids = company(made)
    missing, twice = answer_to_three(ids), answer_to_three(ids)
    missing["posts"] = [post for post in missing["posts"] if post["post"] != ids[1]]
    twice["posts"].append(twice["posts"][1])
    for answer in (missing, twice):
        found, _ = in_company(answer, made)
        assert found.faults[["unit", "kind"]].to_numpy().tolist() == [["u1", "left-out"]]
        assert set(found.codings.unit) == {"u0", "u2"}
    alone = requested(["", TEXTS[1]])[1:].reset_index(drop=True)
    found, _ = in_company("broken", alone)
    assert kinds(found) == ["off-schema"]


@pytest.mark.parametrize("where", ["posts", "segments"])
def test_an_id_that_was_not_asked_about_spoils_the_answer(where: str) -> None:
    """Who is meant is not clear then: all are asked again, alone."""
    made = requested(TEXTS, prompt=THREE)
    answer = answer_to_three(company(made))
    answer[where][0]["post"] = "0"
    for raw in (answer, body(json.dumps(answer)[:99], "length"), body(None, refusal="No.")):
        found, _ = in_company(raw, made)
        assert len(kinds(found)) == 3 and len(found.codings) == 0
        assert set(found.faults["unit"]) == {"u0", "u1", "u2"}


# schema and answers: any codebook


@examples(60)
@given(st.data(), st.booleans())
def test_any_codebook_any_fitting_answer(data: st.DataObject, several: bool) -> None:
    """What fits the schema of any codebook becomes codings that fit the codebook."""
    codebook = data.draw(strategies.codebooks_accepted())
    prompt = requests.prompt(codebook, SPEC, TEMPLATES, several=1 + several)
    posts = pd.DataFrame({"unit": ["u1", "u2"], "text": [TEXT, "Other words."]})
    made = requests.requests(
        posts, codebook, spec=SPEC, prompt=prompt, templates=TEMPLATES, secret=b"s"
    )
    asked = json.loads(made.body[0])["response_format"]["json_schema"]["schema"]
    quotes = st.sampled_from([TEXT[3:20], "It calms me down.", "\ud800\x00", "words"])
    answer = data.draw(strategies.fitting(asked, quotes=quotes))
    if several:
        ids = json.loads(made.request[0])["posts"]
        answer["posts"] = (answer["posts"] * 2)[:2]
        for place, post in enumerate(answer["posts"]):
            answer["posts"][place] = post | {"post": ids[place]}
        for part in answer.get("segments", []):
            part["post"] = ids[len(part["quote"]) % 2]
    shared = {"codebook": codebook.fingerprint, "coder": CODER, "answer": body(json.dumps(answer))}
    rows = made[["completion", "unit", "replicate", "request"]].assign(**shared)
    found = requests.parse(frame(COMPLETIONS, rows), posts, codebook)
    assert set(kinds(found)) <= {"unsupported-quote", "abstained"} | (
        {"left-out"} if several else set()
    )
    if not several or answer["posts"]:
        assert "left-out" not in kinds(found)
    for row in found.codings.itertuples():
        assert codebook.variable(row.variable).fault(row.value) == ""
        assert (codebook.variable(row.variable).of == "unit") == (row.segment == "")
    texts = dict(zip(posts.unit, posts.text, strict=True))
    for row in found.segments.itertuples():
        assert row.quote == texts[row.unit][row.start : row.end] or row.found == "missing"


# answers


def test_answer_becomes_codings_and_segments() -> None:
    """Values as text, segments by place with code-point offsets, the completion as source."""
    found = parsed(
        body(
            json.dumps(
                talk(
                    segment("it calms me DOWN", needs=["b", "a", "a"], nights=7.0),
                    segment("I talk to the bot", effect="c", nights=2.5),
                )
            )
        )
    )
    assert kinds(found) == []
    assert values(found) == {"on_topic": "a", "tone": "b"}
    assert values(found, "1") == {"effect": "c", "nights": "2.5"}
    assert values(found, "2") == {"effect": "a", "needs": "a+b", "nights": "7"}
    rows = found.segments[["segment", "start", "end", "quote", "found"]].to_numpy().tolist()
    assert rows == [
        ["1", 0, 17, "I talk to the bot", "exact"],
        ["2", 32, 48, "It calms me down", "normalised"],
    ]
    assert set(found.codings.source) == {"c1"}
    assert set(found.codings.arm) == {""}


def test_questions_that_do_not_apply_leave_no_row() -> None:
    """Off topic: tone, effect, needs are dropped; a segment stays for what still applies."""
    found = parsed(body(json.dumps(talk(segment("It calms me down.", nights=1), on_topic="b"))))
    assert values(found) == {"on_topic": "b"}
    assert values(found, "1") == {"nights": "1"}
    assert kinds(found) == []


def test_none_stands_alone() -> None:
    """`none` beside other codes is dropped, and an empty list is none."""
    for given_codes, value in ((["c", "b"], "b"), (["c"], "c"), ([], "c")):
        found = parsed(body(json.dumps(talk(segment("It calms", needs=given_codes)))))
        assert values(found, "1")["needs"] == value


def test_null_where_a_question_applies_is_an_abstention() -> None:
    """A model that leaves a question open is noted; its other codings stay."""
    found = parsed(body(json.dumps(talk(tone=None))))
    assert values(found) == {"on_topic": "a"}
    assert kinds(found) == ["abstained"]


def test_an_invented_quote_is_kept_and_counted() -> None:
    """A quote that does not stand in the post: no place, one fault, and its codings stay."""
    found = parsed(body(json.dumps(talk(segment("It ruined my sleep for weeks on end")))))
    assert kinds(found) == ["unsupported-quote"]
    row = found.segments.iloc[0]
    assert (row.start, row.end, row.found) == (-1, -1, "missing")
    assert row.quote == "It ruined my sleep for weeks on end"
    assert values(found, "1") == {"effect": "a", "needs": "a"}


def test_the_same_words_twice_are_two_places() -> None:
    """A quote given twice is placed where it stands first and where it stands next."""
    calm = segment("It calms me down.")
    found = parsed(body(json.dumps(talk(calm, calm, segment("calms me down. It calms")))))
    assert found.segments.start.tolist() == [32, 35, 50]


def test_a_fenced_answer_is_read() -> None:
    """Servers that do not enforce a schema put fences around; what is inside counts."""
    found = parsed(body(f"```json\n{json.dumps(talk())}\n```\n"))
    assert (kinds(found), values(found)) == ([], {"on_topic": "a", "tone": "b"})


def test_segments_stand_in_the_original_where_something_was_hidden() -> None:
    """Quotes are found in the text as sent, and kept with place and words of the original."""
    original = "Hi @ann_b, it calms me down"
    posts = pd.DataFrame({"unit": ["u1"], "text": ["Hi [user_1], it calms me down"]})
    asked_for: list[tuple[str, int, int]] = []

    def locate(unit: str, start: int, end: int) -> tuple[int, int, str]:
        asked_for.append((unit, start, end))
        shift = len("@ann_b") - len("[user_1]")
        start, end = (place if place <= 3 else place + shift for place in (start, end))
        return start, end, original[start:end]

    answer = talk(segment("Hi [user_1]"), segment("calms me"), segment("no such words at all"))
    row = {"completion": "c1", "codebook": TALK_BOOK.fingerprint, "coder": CODER, "unit": "u1"}
    row |= {"replicate": 1, "answer": body(json.dumps(answer)), "created": "2026"}
    found = requests.parse(frame(COMPLETIONS, [row]), posts, TALK_BOOK, locate=locate)
    assert asked_for == [("u1", 0, 11), ("u1", 16, 24)]
    assert found.segments[["start", "end", "quote"]].to_numpy().tolist() == [
        [-1, -1, "no such words at all"],
        [0, 9, "Hi @ann_b"],
        [14, 22, "calms me"],
    ]


@examples(40)
@given(st.data())
def test_any_quote_of_a_hidden_post_stands_in_the_original(data: st.DataObject) -> None:
    """With the real rules of de-identification: what a quote stands for is kept."""
    pieces = ["@ann_b", "https://made-up.example/x?y=1", "a@made-up.example", "the bot", "😀", "ok"]
    original = " ".join(data.draw(st.lists(st.sampled_from(pieces), min_size=1, max_size=8)))
    hidden = deidentify.hide(original, secret=b"s")
    posts = pd.DataFrame({"unit": ["u1"], "text": [hidden.text]})
    words = hidden.text.split(" ")
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    quote = " ".join(words[first : last + 1])

    def locate(unit: str, start: int, end: int) -> tuple[int, int, str]:
        start, end = deidentify.original_offsets(hidden, start, end)
        return start, end, original[start:end]

    row = {"completion": "c1", "codebook": TALK_BOOK.fingerprint, "coder": CODER, "unit": "u1"}
    row |= {"replicate": 1, "answer": body(json.dumps(talk(segment(quote)))), "created": "2026"}
    found = requests.parse(frame(COMPLETIONS, [row]), posts, TALK_BOOK, locate=locate)
    kept = found.segments.iloc[0]
    assert kept.quote == original[kept.start : kept.end]
    assert deidentify.hide(kept.quote, secret=b"s").text == quote


def test_a_quote_with_the_escapes_of_json_is_found() -> None:
    """A model that copies the line as it stands, escapes and all, has quoted the post."""
    text = 'She said "no"\nto <|x|> and 😀 went'
    posts = pd.DataFrame({"unit": ["u1"], "text": [text]})
    answer = talk(
        *(segment(request_body.one_line(part)[1:-1]) for part in (text[9:16], text[14:25]))
    )
    answer["segments"].append(segment("and \\ud83d\\ude00 went"))
    row = {"completion": "c1", "codebook": TALK_BOOK.fingerprint, "coder": CODER, "unit": "u1"}
    row |= {"replicate": 1, "answer": body(json.dumps(answer)), "created": "2026"}
    found = requests.parse(frame(COMPLETIONS, [row]), posts, TALK_BOOK)
    assert kinds(found) == []
    assert found.segments.quote.tolist() == ['"no"\nto', "to <|x|> an", "and 😀 went"]
    assert set(found.segments.found) == {"normalised"}


def test_a_canary_leaves_nothing() -> None:
    """The answer to a canary is no coding and no fault."""
    found = parsed(body(json.dumps(talk())), unit=f"{CANARY}0f")
    assert [len(part) for part in found] == [0, 0, 0]


GOOD = talk(segment("It calms me down."))
BROKEN: dict[str, tuple[str, str]] = {
    "refused": (body(None, refusal="I cannot."), "refusal"),
    "filtered": (body("", "content_filter"), "refusal"),
    "cut": (body(json.dumps(GOOD)[:40], "length"), "truncated"),
    "cut but whole": (body(json.dumps(GOOD), "length"), "truncated"),
    "no message": ('{"choices": []}', "off-schema"),
    "no JSON": ("<html>", "off-schema"),
    "empty": (body(""), "off-schema"),
    "null": (body(None), "off-schema"),
    "words": (body("The post is positive."), "off-schema"),
    "list": (body("[]"), "off-schema"),
    "half": (body(json.dumps(GOOD)[:-3]), "off-schema"),
    "part missing": (body('{"rationale": "", "variables": {}}'), "off-schema"),
    "part too many": (body(json.dumps(GOOD | {"extra": 1})), "off-schema"),
    "wrong code": (body(json.dumps(talk(on_topic="z"))), "off-schema"),
    "code as list": (body(json.dumps(talk(tone=["a"]))), "off-schema"),  # type: ignore[arg-type]
    "wrong number": (body(json.dumps(talk(segment("x", nights=8)))), "off-schema"),
    "number as text": (body(json.dumps(talk(segment("x", nights="7")))), "off-schema"),
    "truth as number": (body(json.dumps(talk(segment("x", nights=True)))), "off-schema"),
    "infinite": (body(json.dumps(talk(segment("x", nights=float("inf"))))), "off-schema"),
    "huge": (body(json.dumps(talk()).replace('"b"', "9" * 5000)), "off-schema"),
    "deep": (body("[" * 100_000), "off-schema"),
    "twice": (body('{"rationale": "", "rationale": ""}'), "off-schema"),
    "quote as number": (body(json.dumps(talk(segment(1)))), "off-schema"),  # type: ignore[arg-type]
    "null not asked for": (body(json.dumps(talk(on_topic=None))), "off-schema"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_answer_is_one_fault_and_no_coding(name: str) -> None:
    """Refusals, cuts and misfits are told apart, and never read as `nothing found`."""
    raw, kind = BROKEN[name]
    found = parsed(raw)
    assert kinds(found) == [kind]
    assert found.faults.iloc[0][["completion", "unit", "coder"]].tolist() == ["c1", "u1", CODER]
    assert found.faults.detail[0].isprintable()
    assert (len(found.codings), len(found.segments)) == (0, 0)


def test_an_error_of_the_completion_is_its_fault() -> None:
    """What the server rejected stays rejected, in the server's words."""
    found = parsed("", error="rejected", detail="400: too long")
    assert found.faults[["kind", "detail"]].to_numpy().tolist() == [["rejected", "400: too long"]]


def test_a_noted_error_does_not_hide_the_answer() -> None:
    """An answer that is stored is parsed again, whatever an earlier parse noted beside it."""
    found = parsed(body(json.dumps(talk())), error="off-schema", detail="noted before")
    assert (kinds(found), values(found)["tone"]) == ([], "b")


def test_a_completion_without_its_post_is_a_fault() -> None:
    """A unit that is not among the posts cannot be parsed, and says so."""
    assert kinds(parsed(body(json.dumps(GOOD)), unit="u9")) == ["no-post"]


def test_the_later_readable_answer_of_a_coder_counts() -> None:
    """Two answers of one coder to one unit: the later counts, unless it cannot be read."""
    shared = {"codebook": TALK_BOOK.fingerprint, "coder": CODER, "unit": "u1", "replicate": 1}
    rows = [
        shared | {"completion": name, "created": f"2026-01-0{day}", "answer": answer}
        for name, day, answer in (
            ("c3", 1, body(json.dumps(talk(tone="a")))),
            ("c2", 2, body(json.dumps(talk(tone="c")))),
            ("c1", 3, "broken"),
        )
    ]
    found = requests.parse(frame(COMPLETIONS, rows), POSTS, TALK_BOOK)
    assert values(found)["tone"] == "c"
    assert set(found.codings.source) == {"c2"}
    assert kinds(found) == []


def test_answers_of_the_cues_coder_are_read_alike() -> None:
    """The cues coder's answer is the JSON itself, and null from it is no fault."""
    content = json.loads(json.dumps(TALK))
    content["variables"][0]["values"][0] = CODES[0] | {"cues": ["bot"]}
    codebook = book(content)
    completions = cues.answers(
        POSTS, codebook, coder=cues.coder(codebook), created="2026-01-01T00:00:00Z"
    )
    found = requests.parse(completions, POSTS, codebook)
    assert values(found) == {"on_topic": "a"}
    assert kinds(found) == []


def parsed_all(answers: list[str]) -> ParsedCompletions:
    """What becomes of several raw answers, each of a model and of cues, one unit for each."""
    shared = {"codebook": TALK_BOOK.fingerprint, "replicate": 1}
    rows = [
        shared | {"completion": f"{coder}{n}", "coder": coder, "unit": f"u{n}", "answer": answer}
        for n, answer in enumerate(answers)
        for coder in (CODER, "cues@000000")
    ]
    posts = pd.DataFrame({"unit": [f"u{n}" for n in range(len(answers))], "text": TEXT})
    return requests.parse(frame(COMPLETIONS, rows), posts, TALK_BOOK)


@examples(15)
@given(
    st.lists(
        st.binary(max_size=200) | st.text().map(lambda text: body(text).encode()),
        min_size=30,
        max_size=30,
    )
)
def test_any_bytes_as_an_answer(raw: list[bytes]) -> None:
    """Whatever came, of a model or of cues, parsing does not raise and tells one fault each."""
    found = parsed_all([one.decode("utf-8", "replace") for one in raw])
    assert len(found.faults) == found.faults.completion.nunique() == 2 * len(raw)
    assert len(found.codings) == 0


PIECES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["a", "b", "c", TEXT]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["rationale", "variables", "segments", "quote", "codes", "effect", "x"]),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@examples(40)
@given(st.lists(st.tuples(PIECES, PIECES), min_size=5, max_size=5))
def test_any_json_as_an_answer(pairs: list[tuple[Any, Any]]) -> None:
    """JSON of any shape, whole or in the right places, parses to codings or to a fault."""
    answers = []
    for one, two in pairs:
        near = {"rationale": "", "variables": one, "segments": two}
        nearer = talk() | {"segments": [two, {"quote": TEXT, "codes": one}]}
        answers += [json.dumps(content) for content in (one, near, nearer)]
        answers += [body(json.dumps(content)) for content in (one, near, nearer)]
        choice = {"message": one, "finish_reason": two}
        answers += [json.dumps({"choices": content}) for content in (one, [one], [choice])]
    found = parsed_all(answers)
    told = {*found.faults.completion, *found.codings.source}
    assert len(told) == 2 * len(answers)


def test_no_completions_no_rows() -> None:
    """Nothing in, three empty frames with their columns out."""
    found = requests.parse(frame(COMPLETIONS), POSTS, TALK_BOOK)
    assert [len(part) for part in found] == [0, 0, 0]
    assert list(found.faults.columns) == requests.FAULTS
