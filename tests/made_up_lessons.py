"""A made-up codebook and adjudicated units for the embedded coder."""

from __future__ import annotations

from typing import Any

import pandas as pd

from labeler.codebook import codebook as codebooks
from labeler.store.tables import CODINGS, frame

TOWN = """
codebook: town
version: "1"
title: A town's posts
about: Made up.
segments:
  segment: passage
  label: Passage
  definition: A passage.
variables:
  - variable: topic
    of: unit
    label: Topic
    question: What about?
    level: nominal
    values:
      - {code: dog, label: Dog, definition: A dog., cues: [dog]}
      - {code: cat, label: Cat, definition: A cat., cues: [cat]}
  - variable: marks
    of: unit
    label: Marks
    question: Which marks?
    level: nominal
    multiple: true
    none: plain
    values:
      - {code: red, label: Red, definition: Red.}
      - {code: blue, label: Blue, definition: Blue.}
      - {code: plain, label: Plain, definition: None.}
  - variable: bark
    of: unit
    label: Bark
    question: Does it bark?
    level: nominal
    applies_when: {topic: [dog]}
    values:
      - {code: loud, label: Loud, definition: Loud.}
      - {code: low, label: Low, definition: Low.}
  - variable: age
    of: unit
    label: Age
    question: How old?
    level: ratio
    minimum: 0
    maximum: 30
  - variable: extra
    of: unit
    label: Extra
    question: Anything else?
    level: nominal
    required: false
    values:
      - {code: one, label: One, definition: One.}
      - {code: two, label: Two, definition: Two.}
  - variable: mood
    of: segment
    label: Mood
    question: Which mood?
    level: nominal
    values:
      - {code: glad, label: Glad, definition: Glad.}
      - {code: sad, label: Sad, definition: Sad.}
"""
BOOK = codebooks.read(TOWN, source="town.yaml")
WHOSE = {"codebook": BOOK.fingerprint, "arm": "adjudication", "replicate": 1, "segment": ""}


def codings(given: dict[str, dict[str, str]], *, coder: str = "human:ann", **more: Any) -> Any:
    """CODINGS rows of unit → variable → value; `more` replaces columns."""
    rows = [
        {**WHOSE, "coder": coder, "unit": unit, "variable": name, "value": value} | more
        for unit, values in given.items()
        for name, value in values.items()
    ]
    return frame(CODINGS, rows)


def posts(texts: dict[str, str]) -> pd.DataFrame:
    """Columns unit and text."""
    return pd.DataFrame({"unit": list(texts), "text": list(texts.values())}, dtype="str")
