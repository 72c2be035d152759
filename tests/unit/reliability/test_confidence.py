"""How sure a model is of a value: by votes and by log-probabilities, numbers by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from builders import book, choice, numeric

from labeler.coders import confidence
from labeler.coders.confidence import CONFIDENCE
from labeler.coding import panels
from labeler.reliability import confidence as model_confidence
from labeler.reliability.assessments import calibration
from labeler.reliability.assessments.confidence_targets import confidence_targets
from labeler.reliability.confidence import ALL
from labeler.store import tables

BOOK = book(
    choice("mood", "good bad"),
    numeric("points", 0, 100),
    choice("topic", "work home art", of="segment", multiple=True),
)


def told(*rows, kind="vote", replicates=5):
    """CONFIDENCE rows of (unit, variable, code, confidence[, segment])."""
    return pd.DataFrame(
        [
            {
                "unit": unit,
                "coder": "model:m",
                "segment": rest[0] if rest else "",
                "variable": variable,
                "code": code,
                "confidence": share,
                "kind": kind,
                "replicates": replicates,
            }
            for unit, variable, code, share, *rest in rows
        ],
        columns=CONFIDENCE,
    )


def gave(**values):
    """The model's values of the unit `u`."""
    rows = [{"variable": name, "unit": "u", "value": value} for name, value in values.items()]
    return pd.DataFrame(rows, columns=["variable", "unit", "value"])


def found(values, confidence, kind="vote"):
    """{(variable, code): confidence} of the unit `u`."""
    rows = model_confidence.value_confidence(values, confidence, BOOK, kind=kind)
    assert set(rows["unit"]) <= {"u"}
    return {(v, c): s for v, c, s in zip(rows["variable"], rows["code"], rows["confidence"])}  # noqa: B905


def test_a_code_is_as_sure_as_its_votes() -> None:
    """Good in 4 of 5: .8, as a value, as a code, and of the unit that has nothing else."""
    sure = found(gave(mood="good"), told(("u", "mood", "good", 0.8), ("u", "mood", "bad", 0.2)))
    assert sure == {("mood", ""): 0.8, ("mood", "good"): 0.8, (ALL, ""): 0.8}


def test_a_set_is_as_sure_as_the_least_sure_thing_it_says() -> None:
    """work 1.0 and home .8 given, art in 2 of 5 not given: 1 - .4 = .6; and {art} alone: 0."""
    votes = told(
        ("u", "topic", "work", 1.0), ("u", "topic", "home", 0.8), ("u", "topic", "art", 0.4)
    )
    assert found(gave(topic="work+home"), votes)["topic", ""] == 0.6
    assert found(gave(topic="art"), votes)["topic", ""] == 0
    assert found(gave(topic="work+home"), votes)["topic", "home"] == 0.8


def test_one_confidence_has_one_number() -> None:
    """1 - .8 and .2 are the same, else ties would part by rounding."""
    votes = told(("u", "topic", "work", 0.8), ("u", "mood", "good", 1.0))
    assert found(gave(topic=""), votes)["topic", ""] == 0.2


def test_an_empty_set_is_sure_where_nobody_found_anything() -> None:
    """No row of the topic, but the unit was read five times: 1; the unit takes the least."""
    sure = found(gave(topic="", mood="good"), told(("u", "mood", "good", 0.6)))
    assert sure["topic", ""] == 1
    assert sure[ALL, ""] == 0.6


def test_one_reading_alone_says_nothing() -> None:
    """A share of one replicate is no confidence, and a unit without votes has none."""
    single = told(("u", "mood", "good", 1.0), replicates=1)
    assert model_confidence.kinds(single) == []
    assert math.isnan(found(gave(mood="good"), single)["mood", ""])


def test_log_probabilities_multiply() -> None:
    """Two codes of .9 and .8 in two segments: .72 for the set; a code has its surest segment."""
    logs = told(
        ("u", "topic", "work", 0.9, "1"),
        ("u", "topic", "work", 0.5, "2"),
        ("u", "topic", "home", 0.8, "2"),
        ("u", "mood", "good", 0.5),
        kind="logprob",
        replicates=1,
    )
    sure = found(gave(topic="work+home", mood="good"), logs, "logprob")
    assert sure["topic", ""] == pytest.approx(0.36)
    assert sure["topic", "work"] == 0.9
    assert sure[ALL, ""] == pytest.approx(0.18)
    assert model_confidence.kinds(logs) == ["logprob"]


def test_what_no_token_writes_has_no_log_probability() -> None:
    """An empty set, and a set of which one code is not told; so the unit has none either."""
    logs = told(("u", "topic", "work", 0.9, "1"), kind="logprob", replicates=1)
    for value in ("", "work+home"):
        sure = found(gave(topic=value), logs, "logprob")
        assert math.isnan(sure["topic", ""])
        assert math.isnan(sure[ALL, ""])


def test_a_number_is_its_own_code() -> None:
    """Votes for 40 and 45: the one given counts, and there are no codes of their own."""
    votes = told(("u", "points", "40", 0.6), ("u", "points", "45", 0.4))
    assert found(gave(points="40"), votes) == {("points", ""): 0.6, (ALL, ""): 0.6}


def test_a_value_that_was_not_given_has_no_row() -> None:
    """The variable did not apply: nothing to be sure of; no values at all: an empty frame."""
    assert found(gave(mood=None, points="40"), told(("u", "points", "40", 1.0))) == {
        ("points", ""): 1,
        (ALL, ""): 1,
    }
    assert found(gave(), told()) == {}


def coding(coder, value, *, segment="", replicate=1, variable="mood", arm=""):
    """A row of CODINGS of the unit `u`."""
    row = {"codebook": BOOK.fingerprint, "unit": "u", "segment": segment, "coder": coder}
    return row | {"arm": arm, "replicate": replicate, "variable": variable, "value": value}


def test_from_codings_to_assessments() -> None:
    """Five replicates, all good; three, with the first, have a segment on work: .6, and wrong.

    Values and votes are made as the program makes them; the blind human found no segment.
    """
    human, model = "human:a", "model:m"
    codings = [coding(model, "good", replicate=n) for n in range(1, 6)]
    codings += [
        coding(model, "work", segment="1", replicate=n, variable="topic") for n in (1, 3, 5)
    ]
    codings.append(coding(human, "good", arm="blind"))
    held = tables.frame(tables.CODINGS, codings)
    place = {"start": 0, "end": 4, "quote": "work", "unit": "u", "coder": model, "segment": "1"}
    place |= {"codebook": BOOK.fingerprint, "arm": ""}
    segments = tables.frame(tables.SEGMENTS, [place | {"replicate": n} for n in (1, 3, 5)])
    answered = pd.DataFrame({"unit": "u", "coder": model, "replicate": range(1, 6)})
    votes = confidence.votes(held[held["coder"] == model], segments, answered)
    coded = pd.DataFrame({"unit": "u", "coder": [human, model], "arm": ["blind", ""]})
    values = pd.concat(
        panels.values(held, coded, variable).assign(variable=variable.variable)
        for variable in BOOK.variables
    )
    own = values[values["coder"] == model]
    assert found(own, votes) == {
        ("mood", ""): 1.0,
        ("mood", "good"): 1.0,
        ("topic", ""): 0.6,
        ("topic", "work"): 0.6,
        (ALL, ""): 0.6,
    }
    targets = confidence_targets(values, own, votes, BOOK, seed=1)
    rows = calibration.calibration(targets, model=model, variables=[])
    brier = rows[rows["measure"] == "brier.vote"].set_index(["variable", "code"])["value"]
    assert brier["mood", ""] == 0
    assert brier["topic", ""] == pytest.approx(0.36)
    assert brier[ALL, ""] == pytest.approx(0.36)
