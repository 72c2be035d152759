"""Who coded what in a batch and was not asked, from the store and from tables. All made up."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from labeler.codebook import codebook
from labeler.coding import read
from labeler.coding.asked import unasked
from labeler.coding.batch import CODED, READING, BatchCodings
from labeler.coding.read import read_batch
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
  - {variable: points, of: unit, label: Points, question: How many, level: interval,
     minimum: 0, maximum: 100, applies_when: {mood: [good]}}
  - {variable: topic, of: segment, label: Topic, question: Which one, level: nominal,
     multiple: true, values: [{code: work, label: Work, definition: W.},
      {code: home, label: Home, definition: H.}]}
  - {variable: size, of: segment, label: Size, question: How big, level: interval,
     minimum: 0, maximum: 100}
""",
    source="here",
)
MODEL = "llm@1"
DRAWN = ""
SILENT = json.dumps({"imported": {"variables": ["mood", "topic"]}})
WANTED = {
    tables.CODINGS: read.CODINGS,
    tables.SEGMENTS: read.SEGMENTS,
    tables.TASKS: tables.columns(tables.TASKS),
    tables.POSTS: ("unit", "author", "text"),
}

# unit, coder, arm, replicate, segment, variable, value
CODINGS = [
    ("u1", "human:ada", "blind", 1, "", "mood", "good"),
    ("u1", "human:ada", "blind", 1, "1", "topic", "home"),
    ("u1", "human:ada", "blind", 1, "2", "topic", "work+home"),
    ("u1", "human:ada", "repeat", 2, "", "mood", "bad"),
    ("u1", "human:ben", "blind", 1, "", "mood", "bad"),
    ("u2", "human:ben", "adjudication", 1, "", "mood", "bad"),
    ("u1", MODEL, "", 1, "", "mood", "good"),
    ("u1", MODEL, "", 1, "", "points", "3"),
    ("u1", MODEL, "", 2, "", "mood", "bad"),
    ("u9", MODEL, "", 1, "", "mood", "bad"),  # of no batch
    ("u1", "human:eve", "blind", 1, "", "mood", "bad"),  # in another batch
]
CODED_HERE = [  # unit, coder, arm, replicate
    ("u1", "human:ada", "blind", 1),
    ("u1", "human:ada", "repeat", 2),
    ("u1", "human:ben", "blind", 1),
    ("u2", "human:ben", "adjudication", 1),
    ("u1", MODEL, "", 1),
    ("u1", MODEL, "", 2),
    ("u2", MODEL, "", 1),
]


def codings() -> pd.DataFrame:
    names = ("unit", "coder", "arm", "replicate", "segment", "variable", "value")
    rows = [dict(zip(names, row, strict=True)) for row in CODINGS]
    return tables.frame(tables.CODINGS, [row | {"codebook": BOOK.fingerprint} for row in rows])


def segments() -> pd.DataFrame:
    same = {"codebook": BOOK.fingerprint, "unit": "u1", "coder": "human:ada", "arm": "blind"}
    places = [("1", 0, 2), ("2", 3, 6)]
    rows = [
        {**same, "replicate": 1, "segment": name, "start": start, "end": end, "found": "marked"}
        for name, start, end in places
    ]
    return tables.frame(tables.SEGMENTS, rows)


def notes() -> pd.DataFrame:
    """Annotations: those of CODED_HERE, and such as do not count."""
    rows = [
        (batch, coder, arm, unit, more)
        for batch, coder, arm, unit, more in [
            ("b", "human:ada", "blind", "u1", {}),
            ("b", "human:ada", "repeat", "u1", {}),
            ("b", "human:ben", "blind", "u1", {}),
            ("b", "human:ben", "adjudication", "u2", {}),
            ("b", "human:ada", "blind", "u2", {"cancelled": 1}),
            ("b", "human:ada", "blind", "u3", {"withdrawn": 1}),
            ("b", "human:ada", "blind", "u4", {"completed_by": "somebody@else.example"}),
            ("other", "human:eve", "blind", "u1", {}),
        ]
    ]
    plain = {"cancelled": 0, "withdrawn": 0, "completed_by": "", "result": "[]"}
    return tables.frame(
        tables.ANNOTATIONS,
        [
            {"annotation": f"a{number}", "batch": batch, "coder": coder, "arm": arm, "unit": unit}
            | plain
            | more
            for number, (batch, coder, arm, unit, more) in enumerate(rows)
        ],
    )


def row(design: str = DRAWN, suggester: str = MODEL) -> dict[str, str]:
    same = {"batch": "b", "codebook": BOOK.fingerprint, "created": "2026-01-01T00:00:00Z"}
    return same | {"suggester": suggester, "design": design}


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """A store with one batch, of which another batch and another model share units."""
    engine = database.connect(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.sqlite'}")
    ada = {"coder": "human:ada", "kind": "human", "spec": '{"email": "ada@here.example"}'}
    answers = [
        ("u1", MODEL, 1, ""),
        ("u1", MODEL, 1, "truncated"),
        ("u1", MODEL, 2, ""),
        ("u2", MODEL, 1, ""),
        ("u2", MODEL, 2, "taught"),
        ("u9", MODEL, 1, ""),
        ("u1", "cues@1", 1, ""),
    ]
    completions = [
        {"completion": f"c{number}", "codebook": BOOK.fingerprint, "unit": unit, "coder": coder}
        | {"replicate": replicate, "error": error, "answer": "{}"}
        for number, (unit, coder, replicate, error) in enumerate(answers)
    ]
    posts = [{"unit": f"u{n}", "author": f"author{n}", "text": f"text {n}"} for n in (1, 2, 9)]
    tasks = [
        {"batch": "b", "arm": "blind", "coder": coder, "unit": "u1", "unit_probability": 0.5}
        for coder in ("human:ada", "human:ben")
    ]
    for table, content in (
        (tables.CODERS, [ada]),
        (tables.COMPLETIONS, completions),
        (tables.POSTS, posts),
        (tables.BATCHES, [row()]),
        (tables.TASKS, tasks),
        (tables.ANNOTATIONS, notes()),
        (tables.CODINGS, codings()),
        (tables.SEGMENTS, segments()),
    ):
        database.add(engine, table, tables.frame(table, content))
    return engine


def from_tables(design: str = DRAWN, coder: str = MODEL) -> BatchCodings:
    """The batch from the rows of tables, with rows of others among them, as a bundle has them."""
    coded = pd.DataFrame(CODED_HERE, columns=READING).replace({"coder": {MODEL: coder}})
    own = {
        "codings": codings().replace({"coder": {MODEL: coder}}),
        "segments": segments(),
    }
    return BatchCodings.of_tables(row(design, coder), BOOK, coded, own)


def who(batch: BatchCodings) -> list[tuple]:
    return sorted(batch.coded[READING].itertuples(index=False, name=None))


def given(batch: BatchCodings, variable: str) -> dict[tuple[str, str, str], str | None]:
    values = batch.values(variable)
    texts = [None if pd.isna(value) else value for value in values["value"]]
    whose = values[["unit", "coder", "arm"]].itertuples(index=False, name=None)
    return dict(zip(whose, texts, strict=True))


def test_who_coded_are_annotations_that_count_and_answers_without_an_error(engine):
    """Not: skips, withdrawn ones, other accounts, other batches, errors, units of no batch."""
    batch = read_batch(engine, row(), BOOK, wanted=WANTED, replicates=True)
    assert who(batch) == sorted(CODED_HERE)
    assert batch.units == ["u1", "u2"]
    first = read_batch(engine, row(), BOOK, wanted=WANTED)
    assert set(who(first)) == set(CODED_HERE) - {("u1", MODEL, "", 2)}


def test_the_store_and_a_bundles_tables_say_the_same(engine):
    """Who coded, what they were not asked, each value, each matrix, each panel."""
    one = read_batch(engine, row(), BOOK, wanted=WANTED, replicates=True)
    other = from_tables()
    mine, theirs = (part.coded.sort_values(READING, ignore_index=True) for part in (one, other))
    assert_frame_equal(mine, theirs)
    assert one.panels == other.panels
    for variable in BOOK.variables:
        assert given(one, variable.variable) == given(other, variable.variable)
        mine, theirs = one.matrix(variable.variable), other.matrix(variable.variable)
        assert (mine.units, mine.raters, mine.domain) == (
            theirs.units,
            theirs.raters,
            theirs.domain,
        )
        assert mine.places.tolist() == theirs.places.tolist()
    assert len(one.codings) == len(other.codings) == 9
    assert len(one.segments) == len(other.segments) == 2


def test_only_what_is_wanted_is_read(engine):
    """The tables that the batch was not read with are no empty frames, but an error."""
    batch = read_batch(engine, row(), BOOK, wanted={tables.CODINGS: read.CODINGS})
    assert list(batch.codings.columns) == list(read.CODINGS)
    with pytest.raises(KeyError):
        batch.segments  # noqa: B018
    posts = read_batch(engine, row(), BOOK, wanted={tables.POSTS: ("unit", "author")})
    assert posts.authors == {"u1": "author1", "u2": "author2"}


def test_values_by_hand():
    """A set over segments in codebook order; nothing marked is the empty set; no coding, None."""
    batch = from_tables()
    assert given(batch, "mood") == {
        ("u1", "human:ada", "blind"): "good",
        ("u1", "human:ben", "blind"): "bad",
        ("u2", "human:ben", "adjudication"): "bad",
        ("u1", MODEL, ""): "good",
        ("u2", MODEL, ""): None,
    }
    assert given(batch, "topic") == {
        ("u1", "human:ada", "blind"): "work+home",
        ("u1", "human:ben", "blind"): "",
        ("u2", "human:ben", "adjudication"): "",
        ("u1", MODEL, ""): "",
        ("u2", MODEL, ""): "",
    }
    assert batch.values("mood", replicate=2)["value"].tolist() == ["bad", "bad"]
    assert batch.suggested["points"].to_numpy().tolist() == [["u1", "3"]]
    assert batch.blind["mood"].to_numpy().tolist() == [
        ["u1", "human:ada", "blind", "good"],
        ["u1", "human:ben", "blind", "bad"],
    ]
    assert set(batch.people["mood"]["arm"]) == {"blind", "adjudication"}


def test_a_file_that_is_silent_asked_nobody_whose_codings_it_holds():
    """Blind and repeated codings came from the file; its adjudicators were asked everything."""
    batch = from_tables(SILENT)
    told = {one[:3]: one[4] for one in batch.coded[CODED].itertuples(index=False, name=None)}
    assert told["u1", "human:ada", "blind"] == told["u1", "human:ada", "repeat"] == "points+size"
    assert told["u2", "human:ben", "adjudication"] == told["u1", MODEL, ""] == ""
    assert given(batch, "size") == {
        ("u1", "human:ada", "blind"): None,
        ("u1", "human:ben", "blind"): None,
        ("u2", "human:ben", "adjudication"): "",
        ("u1", MODEL, ""): "",
        ("u2", MODEL, ""): "",
    }
    assert given(batch, "topic") == given(from_tables(), "topic")


def test_an_embedded_coder_is_not_asked_of_segments():
    batch = from_tables(coder="embed@1")
    assert given(batch, "topic")["u1", "embed@1", ""] is None
    assert given(batch, "mood")["u1", "embed@1", ""] == "good"
    assert list(batch.suggested["topic"]["unit"]) == []


@pytest.mark.parametrize(
    ("coder", "arm", "design", "names"),
    [
        ("human:ada", "blind", DRAWN, ()),
        ("human:ada", "blind", "{}", ()),
        ("human:ada", "blind", SILENT, ("points", "size")),
        ("human:ada", "assisted", SILENT, ("points", "size")),
        ("human:ada", "repeat", SILENT, ("points", "size")),
        ("human:ada", "adjudication", SILENT, ()),
        (MODEL, "", SILENT, ()),
        ("cues@1", "", SILENT, ()),
        ("embed@1", "", DRAWN, ("topic", "size")),
        ("embed@1", "", SILENT, ("topic", "size")),
    ],
)
def test_who_was_not_asked_of_what(coder, arm, design, names):
    assert unasked(coder, arm, codebook=BOOK, design=design) == names


def test_nobody_coded_yet():
    """A batch without a reading has no values, and panels of nobody."""
    none = pd.DataFrame({name: [] for name in READING}).astype({"replicate": "int64"})
    batch = BatchCodings.of_tables(row(), BOOK, none, {"codings": tables.frame(tables.CODINGS)})
    assert batch.values("topic").empty
    assert batch.matrix("mood").raters == {}
    assert batch.blind["mood"].empty
