"""The made-up model knows the sample, in the words in which it is sent, and errs as told."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from places import ROOT

from labeler.codebook.codebook import Codebook, read
from labeler.coders.answers import read as read_answer
from labeler.errors import AnswerError
from labeler.posts import deidentify
from labeler.text.coded_values import codes_of
from labeler.workflow.demo import answers
from labeler.workflow.demo.answers import MISTAKES, MadeUpModel
from labeler.workflow.demo.sample import SamplePost, sample_posts

SECRET = b"of some project"


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    path = ROOT / "codebook" / "llm-mental-health.yaml"
    return read(path.read_text(encoding="utf-8"), source=path.name)


@pytest.fixture(scope="module")
def model(codebook: Codebook) -> MadeUpModel:
    return MadeUpModel(sample_posts().values(), codebook)


@pytest.fixture(scope="module")
def sent() -> dict[str, str]:
    """Id of each post → its text as a project sends it."""
    posts = sample_posts()
    hidden = deidentify.hide_all([post.text for post in posts.values()], secret=SECRET)
    return {name: one.text for name, one in zip(posts, hidden, strict=True)}


def test_knows_every_post_however_it_is_hidden(model: MadeUpModel, sent: dict[str, str]) -> None:
    """No bundled post is unknown, also not one whose placeholders have a project's own digits."""
    assert any("[user_" in text for text in sent.values())
    assert not [
        name for name, text in sent.items() if model.answer(text).refusal == answers.UNKNOWN
    ]


def test_knows_no_other_post(model: MadeUpModel) -> None:
    """It does not invent codes of posts that it was not given."""
    assert model.answer("My bot and I went for a walk in the rain.").refusal == answers.UNKNOWN


def test_same_text_same_answer(
    model: MadeUpModel, codebook: Codebook, sent: dict[str, str]
) -> None:
    """A hash of the post decides: another model, another order, the same answers."""
    another = MadeUpModel(reversed(sample_posts().values()), codebook)
    assert [another.answer(text) for text in sent.values()] == [
        model.answer(text) for text in sent.values()
    ]


def test_quote_of_a_hidden_handle_is_the_sent_one(codebook: Codebook) -> None:
    """A quote that holds what was hidden is quoted as it was sent: digits and all."""
    text = "Last night @slow_otter_example told the bot about me, and it worked out. Good."
    quote = "@slow_otter_example told the bot about me, and it worked out"
    codes = {"impact": "positive", "condition": ["general"], "perspective": ["ethics"],
             "value": ["trust"], "product": ["gpt"]}  # fmt: skip
    coding = {
        "variables": {"relevance": "relevant"},
        "segments": [{"quote": quote, "codes": codes}],
    }
    hidden = deidentify.hide(text, secret=SECRET).text
    given = json.loads(MadeUpModel([SamplePost(text, coding)], codebook).answer(hidden).content)
    assert given["segments"][0]["quote"].startswith(hidden.split()[2])
    assert given["segments"][0]["quote"] in hidden


def test_errs_as_often_as_told(
    model: MadeUpModel, codebook: Codebook, sent: dict[str, str]
) -> None:
    """Refusals, answers off the schema and wrong codes come about as often as is written down.

    Of n at a rate p, within four standard errors.
    """
    kinds: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for name, text in sent.items():
        answer = model.answer(text, limit=2000)
        kinds["refusal"] += bool(answer.refusal)
        kinds["cut"] += answer.cut
        if answer.refusal or answer.cut:
            continue
        try:
            found = read_answer(answer.content, text, codebook)
        except AnswerError as error:
            kinds[error.kind] += 1
            continue
        kinds["quotes"] += len(found.segments)
        kinds["lost quotes"] += sum(one.found == "missing" for one in found.segments)
        pairs[
            sample_posts()[name].coding["variables"]["relevance"], found.codings["relevance"]
        ] += 1
    rates = {"refusal": answers.REFUSES, "cut": answers.CUT, "off-schema": answers.OFF_SCHEMA}
    for kind, rate in rates.items():
        assert abs(kinds[kind] - rate * len(sent)) < 4 * (rate * len(sent)) ** 0.5
    assert 0.6 < kinds["lost quotes"] / (answers.REWORDS * kinds["quotes"]) < 1.4
    irrelevant = sum(times for (given, _), times in pairs.items() if given == "not_relevant")
    rate = MISTAKES["relevance"]["not_relevant"]["relevant"]
    wrong = pairs["not_relevant", "relevant"]
    assert abs(wrong - rate * irrelevant) < 4 * (rate * (1 - rate) * irrelevant) ** 0.5


def test_a_cut_answer_comes_whole_with_more_room(
    model: MadeUpModel, codebook: Codebook, sent: dict[str, str]
) -> None:
    """An answer that its limit ended is asked for again with a higher one."""
    cut = [text for text in sent.values() if model.answer(text, limit=2000).cut]
    assert cut
    for text in cut:
        assert read_answer(model.answer(text, limit=8000).content, text, codebook).codings


def test_every_mistake_is_between_codes_of_the_codebook(codebook: Codebook) -> None:
    """The table of mistakes speaks the codebook's language, and no row is beyond 1."""
    for name, rows in MISTAKES.items():
        codes = set(codebook.variable(name).codes)
        for code, others in rows.items():
            assert {code, *others} <= codes
            assert code not in others
            assert 0 < sum(others.values()) < 1
    for name, added in answers.ADDS.items():
        assert set(added) <= set(codebook.variable(name).codes)


def test_its_errors_lean_to_one_side(
    model: MadeUpModel, codebook: Codebook, sent: dict[str, str]
) -> None:
    """Shares of posts by the model alone differ visibly from the reference: that is the lesson."""
    posts, model_codes, reference = 0, Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for name, text in sent.items():
        try:
            segments = read_answer(model.answer(text).content, text, codebook).segments
        except AnswerError:
            continue
        posts += 1
        model_codes.update(
            {
                (variable, code)
                for one in segments
                for variable, value in one.codings.items()
                for code in codes_of(value)
            }
        )
        told = [one["codes"] for one in sample_posts()[name].coding["segments"]]
        reference.update({("impact", codes["impact"]) for codes in told})
        reference.update({("value", code) for codes in told for code in codes["value"]})
    assert posts > 2900
    assert model_codes["impact", "positive"] - reference["impact", "positive"] > 0.05 * posts
    assert reference["impact", "negative"] - model_codes["impact", "negative"] > 0.03 * posts
    assert model_codes["value", "human_welfare"] - reference["value", "human_welfare"] > 0.1 * posts
