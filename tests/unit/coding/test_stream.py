"""What a suggester and blind humans gave over several batches. All made up."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from labeler import chance
from labeler.codebook import codebook
from labeler.coding import read
from labeler.coding.read import read_stream
from labeler.store import database, tables

BOOK = codebook.read(
    """
codebook: moods
version: "1"
title: Moods
about: Made-up moods.
segments: {segment: part, label: Part, definition: A part.}
variables:
  - {variable: mood, of: unit, label: Mood, question: Which one, level: nominal, values: [
      {code: good, label: Good, definition: Good.}, {code: bad, label: Bad, definition: Bad.}]}
  - {variable: why, of: unit, label: Why, question: Which one, level: nominal,
     applies_when: {mood: [bad]}, values: [{code: rain, label: Rain, definition: R.},
      {code: cold, label: Cold, definition: C.}]}
  - {variable: topic, of: segment, label: Topic, question: Which one, level: nominal,
     multiple: true, values: [{code: work, label: Work, definition: W.},
      {code: home, label: Home, definition: H.}]}
""",
    source="here",
)
MODEL = "model:m@1"
SILENT = json.dumps({"imported": {"variables": ["mood"]}})
WANTED = {tables.CODINGS: read.CODINGS, tables.TASKS: tables.columns(tables.TASKS)}
BATCHES = {"one": "", "two": SILENT, "other": ""}  # batch → design
NOTES = [  # batch, coder, unit
    ("one", "human:ada", "u1"),
    ("one", "human:ben", "u1"),
    ("one", "human:ada", "u2"),
    ("two", "human:ada", "u3"),
    ("other", "human:ada", "u4"),  # of another suggester
]
CODINGS = [  # unit, coder, variable, value
    ("u1", "human:ada", "mood", "good"),
    ("u1", "human:ben", "mood", "bad"),
    ("u1", MODEL, "mood", "bad"),
    ("u1", MODEL, "why", "rain"),
    ("u2", "human:ada", "mood", "good"),
    ("u2", MODEL, "mood", "good"),
    ("u3", "human:ada", "mood", "bad"),
    ("u3", MODEL, "mood", "bad"),
    ("u3", MODEL, "why", "rain"),
    ("u4", "human:ada", "mood", "bad"),
    ("u5", MODEL, "mood", "bad"),  # in no batch
]


def batches() -> pd.DataFrame:
    """BATCHES rows."""
    return tables.frame(
        tables.BATCHES,
        [
            {"batch": name, "codebook": BOOK.fingerprint, "design": design, "created": name}
            | {"suggester": "cues@1" if name == "other" else MODEL}
            for name, design in BATCHES.items()
        ],
    )


@pytest.fixture
def engine(tmp_path):
    """A store with the three batches and the answers of one model."""
    engine = database.connect(f"sqlite:///{tmp_path / 'store.sqlite'}")
    answered = ["u1", "u2", "u3", "u5", "canary:c"]
    answers = [{"unit": unit, "coder": MODEL, "replicate": 1} for unit in answered]
    notes = [
        {"batch": batch, "coder": coder, "unit": unit, "arm": "blind"}
        for batch, coder, unit in NOTES
    ]
    whole = {"codebook": BOOK.fingerprint, "replicate": 1}
    codings = [
        {"unit": unit, "coder": coder, "variable": variable, "value": value}
        | {"arm": "blind" if coder != MODEL else ""}
        for unit, coder, variable, value in CODINGS
    ]
    content = {
        tables.BATCHES: batches(),
        tables.TASKS: [note | {"unit_probability": 0.5} for note in notes],
        tables.ANNOTATIONS: [
            note | {"annotation": f"a{n}", "withdrawn": 0, "cancelled": 0}
            for n, note in enumerate(notes)
        ],
        tables.COMPLETIONS: [
            whole | answer | {"completion": f"c{n}"} for n, answer in enumerate(answers)
        ],
        tables.CODINGS: [whole | row for row in codings],
    }
    for table, rows in content.items():
        database.add(engine, table, tables.frame(table, rows))
    return engine


def stream_of(engine, batch="one"):
    row = batches().set_index("batch", drop=False).loc[batch]
    return read_stream(engine, row, batches(), BOOK, wanted=WANTED)


def test_agreement_with_one_blind_human_by_hand(engine):
    """A value that did not apply is wrong; of a variable that nobody was asked there is no row.

    ada in `two` comes from a file that speaks of mood alone: the model's `why` and its empty set
    of topics meet no answer there, be it right or wrong.
    """
    found = stream_of(engine).stream.agreement(seed=1)
    picked = chance.one_coder("u1", ["human:ada", "human:ben"], seed=1)
    assert set(found.itertuples(index=False, name=None)) == {
        ("one", "u1", "mood", int(picked == "human:ben")),
        ("one", "u1", "why", 0),
        ("one", "u1", "topic", 1),
        ("one", "u2", "mood", 1),
        ("one", "u2", "topic", 1),
        ("two", "u3", "mood", 1),
    }


def test_the_batch_in_the_stream_is_the_batch_alone(engine):
    """What is read for all batches at once says of one what it says alone."""
    for name in ("one", "two", "other"):
        row = batches().set_index("batch", drop=False).loc[name]
        alone = read.read_batch(engine, row, BOOK, wanted=WANTED, replicates=True)
        within = stream_of(engine, name).batch
        assert within.coded.equals(alone.coded)
        assert within.tasks.equals(alone.tasks)
        for variable in BOOK.variables:
            assert within.values(variable.variable).equals(alone.values(variable.variable))


def test_every_unit_is_the_frame_where_a_confidence_is_known(engine):
    """Else only the units that people coded. A canary is no unit."""
    units = lambda: stream_of(engine).stream.suggested["mood"]["unit"].tolist()  # noqa: E731
    assert units() == ["u1", "u2", "u3"]
    sure = {"codebook": BOOK.fingerprint, "unit": "u1", "coder": MODEL, "variable": "mood"}
    more = {"code": "bad", "kind": "vote", "confidence": 0.8, "replicates": 5}
    database.add(engine, tables.CONFIDENCE, tables.frame(tables.CONFIDENCE, [sure | more]))
    assert units() == ["u1", "u2", "u3", "u5"]
    topics = stream_of(engine).stream.suggested["topic"]
    assert topics["unit"].tolist() == ["u1", "u2", "u3", "u5"]
    assert stream_of(engine).batch.suggested["mood"]["unit"].tolist() == ["u1", "u2"]


def test_a_batch_without_a_suggester_has_no_stream(engine):
    row = batches().set_index("batch", drop=False).loc["one"].copy()
    row["suggester"] = ""
    found = read_stream(engine, row, batches(), BOOK, wanted=WANTED)
    assert found.stream.agreement(seed=1).empty
    assert set(found.batch.coded["coder"]) == {"human:ada", "human:ben"}
