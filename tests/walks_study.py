"""A small made-up study in a store: two units, three people, one model, nasty texts."""

from __future__ import annotations

from sqlalchemy import Engine

from labeler.codebook import codebook as codebooks
from labeler.coding import read
from labeler.coding.consensus import consensus
from labeler.reliability.disagreements import disagreements
from labeler.store import database, results, tables

CODEBOOK = """
codebook: walks
version: "1"
title: Walks & <b>dogs</b>
about: A made-up codebook about walking dogs.
include: [A dog is walked]
segments:
  segment: walk
  label: A walk
  definition: One walk of one dog.
variables:
  - variable: relevance
    of: unit
    label: Relevance <i>of it</i>
    question: Is this about a walk?
    level: nominal
    values:
      - {code: relevant, label: "<b>Relevant</b>", definition: It is., examples: [We walked.]}
      - {code: other, label: Other, definition: It is not.}
  - variable: mood
    of: segment
    label: Mood
    question: How was it?
    level: ordinal
    applies_when: {relevance: [relevant]}
    values:
      - {code: bad, label: Bad, definition: Bad.}
      - {code: good, label: Good, definition: Good.}
  - variable: length
    of: unit
    label: Length
    question: How many kilometres?
    level: ratio
    minimum: 0
    maximum: 50
"""
BOOK = codebooks.read(CODEBOOK, source="walks")
KEY = BOOK.fingerprint
MODEL = "model:small@0a1b2c"
FIRST = "a" * 32
SECOND = "b" * 32
TEXT = "<script>alert(1)</script> 🐕🐕 We walked and she loved it.\nThen rain."
QUOTE = "We walked and she loved it."
START = TEXT.index(QUOTE)


def codings() -> list[dict[str, object]]:
    """ann and bob differ on the first unit's relevance; the model differs on the second's."""
    given = {
        ("human:ann", "blind"): ("relevant", "other"),
        ("human:bob", "blind"): ("other", "other"),
        (MODEL, ""): ("relevant", "relevant"),
        ("human:cy", "assisted"): ("relevant", "relevant"),
    }
    shared = {"codebook": KEY, "replicate": 1}
    rows: list[dict[str, object]] = []
    for (coder, arm), values in given.items():
        for unit, value in zip((FIRST, SECOND), values, strict=True):
            who = shared | {"coder": coder, "arm": arm, "unit": unit, "source": f"raw-{coder}"}
            rows.append(who | {"segment": "", "variable": "relevance", "value": value})
    who = shared | {"unit": FIRST, "segment": "1", "variable": "mood", "source": "local:7"}
    rows.append(who | {"coder": "human:ann", "arm": "blind", "value": "good"})
    rows.append(who | {"coder": MODEL, "arm": "", "value": "bad"})
    return rows


def fill(url: str) -> None:
    """Put the study into the store at `url`."""
    engine = database.connect(url)
    moment = "2026-03-02T10:15:00Z"
    post = {"author": "keyed-author", "url": "https://secret.example/1", "original": TEXT}
    whole = {"batch": "pilot", "codebook": KEY}
    seats = [("blind", "human:ann"), ("blind", "human:bob"), ("assisted", "human:cy")]
    alpha = whole | {"variable": "relevance", "coefficient": "krippendorff_alpha.nominal"}
    alpha |= {"tentative": 0.667, "reliable": 0.8, "coders": "human:ann,human:bob"}
    ruling = whole | {"variable": "relevance", "coefficient": "krippendorff_alpha.nominal"}
    ruling |= {"family": "holm", "tentative": 0.667, "reliable": 0.8, "run": "r1"}
    segment = {"codebook": KEY, "unit": FIRST, "replicate": 1, "quote": QUOTE}
    place = {"start": START, "end": START + len(QUOTE)}
    share = whole | {"analysis": "relevance", "units": 40, "verdict": "fail", "measure": "share"}
    share |= {"estimator": "corrected", "target": "collection"}
    filling = {
        tables.CODEBOOKS: [{"codebook": KEY, "content": CODEBOOK, "created": moment}],
        tables.POSTS: [
            post | {"unit": FIRST, "platform": "reddit", "text": TEXT, "created": moment},
            post | {"unit": SECOND, "platform": "x", "text": "Nothing here", "created": moment},
        ],
        tables.BATCHES: [whole | {"suggester": MODEL, "created": moment}],
        tables.TASKS: [
            {"batch": "pilot", "arm": arm, "coder": coder, "unit": unit, "position": 1}
            | {"unit_probability": 1.0, "task_probability": 1.0}
            for arm, coder in seats
            for unit in (FIRST, SECOND)
        ],
        tables.CODERS: [
            {"coder": f"human:{name}", "kind": "human", "spec": f'{{"email": "{name}@x.example"}}'}
            for name in ("ann", "bob", "cy")
        ],
        tables.ANNOTATIONS: [
            {
                "annotation": f"local:{number}",
                "batch": "pilot",
                "arm": arm,
                "coder": f"human:{name}",
            }
            | {"unit": unit, "cancelled": int(word == "skip"), "withdrawn": int(word == "gone")}
            | {"completed_by": f"{name}@X.example"}
            for number, (arm, name, unit, word) in enumerate(
                (
                    ("blind", "ann", FIRST, ""),
                    ("blind", "ann", FIRST, ""),
                    ("blind", "ann", SECOND, ""),
                    ("blind", "bob", FIRST, ""),
                    ("blind", "bob", SECOND, ""),
                    ("assisted", "cy", FIRST, "skip"),
                    ("assisted", "cy", SECOND, "gone"),
                )
            )
        ],
        tables.COMPLETIONS: [
            {"completion": "c1", "coder": MODEL, "codebook": KEY, "unit": FIRST, "replicate": 1},
            {"completion": "c2", "coder": MODEL, "codebook": KEY, "unit": SECOND, "replicate": 1},
            {"completion": "c3", "coder": MODEL, "codebook": KEY, "unit": "c" * 32, "replicate": 1}
            | {"error": "refusal"},
        ],
        tables.CODINGS: codings(),
        tables.SEGMENTS: [
            segment | place | {"coder": "human:ann", "arm": "blind", "segment": "1"},
            segment | place | {"coder": MODEL, "segment": "1", "found": "exact"},
            segment
            | {"coder": MODEL, "segment": "2", "start": -1, "end": -1, "found": "missing"}
            | {"quote": "Never <u>said</u>"},
        ],
        tables.RELIABILITY: [
            alpha
            | {
                "kind": "assisted",
                "panel": "humans, assisted",
                "evidence": 0,
                "verdict": "pass",
                "value": 0.95,
            }
            | {"low": 0.9, "high": 0.99, "bound": 0.91},
            alpha
            | {"kind": "model-panel", "panel": f"{MODEL} vs humans", "evidence": 1}
            | {"verdict": "undefined", "coders": f"{MODEL},human:ann,human:bob"}
            | {"note": "no variation: every coding is 'other'"},
            alpha
            | {"kind": "human-human", "panel": "humans", "evidence": 1, "verdict": "fail"}
            | {"value": -0.2, "low": -0.5, "high": 0.1, "bound": -0.45, "percent": 0.5}
            | {"n_units": 2, "n_pairable": 4, "note": "upper bound .060 stays below .667"},
            alpha
            | {"kind": "human-human", "panel": "humans", "evidence": 1, "code": "relevant"}
            | {"coefficient": "positive_agreement", "value": 0.625, "n_positive": 2},
        ],
        tables.VERDICTS: [
            ruling | {"comparison": "human-human", "verdict": "fail", "value": -0.2},
            ruling
            | {"comparison": "human-human", "code": "relevant", "verdict": "inconclusive"}
            | {"further": 1234, "note": "<i>between</i> the bounds"},
            ruling | {"comparison": "human-model", "verdict": "undefined"},
        ],
        tables.ASSESSMENTS: [
            whole
            | {"assessment": "anchoring", "coder": "humans", "variable": "relevance"}
            | {"measure": "agreement_inflation", "value": 0.12, "low": 0.02, "high": 0.22}
            | {"p": 0.0001, "n": 80, "verdict": "anchored", "note": "<b>why</b>"},
            *(
                whole
                | {"assessment": "calibration", "coder": MODEL, "variable": "relevance"}
                | {"measure": f"{measure}.vote", "value": value, "n": 40}
                | {"low": max(value - 0.2, 0.0), "high": min(value + 0.2, 1.0)}
                for measure, value in (
                    ("ece", 0.08),
                    ("bin.01.confidence", 0.6),
                    ("bin.01.accuracy", 0.45),
                    ("bin.02.confidence", 0.95),
                    ("bin.02.accuracy", 0.9),
                    ("point.01.coverage", 0.5),
                    ("point.01.risk", 0.1),
                    ("point.02.coverage", 1.0),
                    ("point.02.risk", 0.325),
                )
            ),
        ],
        tables.ESTIMATES: [
            share | {"code": "relevance:relevant", "hidden": "< 11"},
            share
            | {"code": "relevance:other", "count": 30, "value": 0.75, "low": 0.6, "high": 0.86},
        ],
        tables.RUNS: [
            {"run": "r1", "command": "=ingest", "settings": '{"file": "x"}', "started": moment}
        ],
    }
    for table, rows in filling.items():
        given = tables.frame(table, rows)
        if table not in results.RESULTS:
            database.add(engine, table, given)
            continue
        for batch, own in given.groupby("batch"):
            ruled = database.read(engine, tables.VERDICTS, batch=str(batch))
            now = results.upon(results.standing(engine, str(batch)), ruled)
            assert results.keep(engine, str(batch), now, {table: own})
    compare(engine)
    engine.dispose()


def compare(engine: Engine) -> None:
    """Store where the coders differ, as `labeler reliability` does."""
    row = tables.records(database.read(engine, tables.BATCHES))[0]
    coded = read.read_batch(engine, row, BOOK, wanted={tables.CODINGS: read.CODINGS})
    found = disagreements(coded, consensus(coded.blind, BOOK, batch="pilot"))
    both = {tables.DISAGREEMENTS: found.rows, tables.COMPARISONS: found.comparisons}
    assert results.keep(engine, "pilot", results.standing(engine, "pilot"), both)
