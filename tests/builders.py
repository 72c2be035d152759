"""Small codebooks and frames for tests, in a line a variable. Everything in them is made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from labeler.codebook import codebook as codebooks
from labeler.codebook.codebook import Codebook
from labeler.results.formats.declaration import BundleFacts


def book(*variables: dict[str, Any], **more: Any) -> Codebook:
    """A codebook that `check` accepts, of variables made by `choice` and `numeric`."""
    return codebooks.read(book_text(*variables, **more), source="made-up.yaml")


def book_text(*variables: dict[str, Any], **more: Any) -> str:
    """The YAML of such a codebook; `more` adds or replaces entries at its top."""
    content: dict[str, Any] = {
        "codebook": "made-up",
        "version": "1",
        "title": "Made up",
        "about": "Made up for a test.",
    }
    if any(variable["of"] == "segment" for variable in variables):
        content["segments"] = {"segment": "part", "label": "Part", "definition": "A part."}
    content["variables"] = list(variables)
    return yaml.safe_dump({**content, **more}, sort_keys=False, allow_unicode=True)


def choice(
    name: str,
    codes: str | Mapping[str, float],
    *,
    of: str = "unit",
    level: str = "nominal",
    **more: Any,
) -> dict[str, Any]:
    """A variable of codes (apart by blanks, in order; or code → its number).

    A code's label is the code with a capital. `more`: `multiple=True`, `applies_when={…}` …
    """
    numbers = codes if isinstance(codes, Mapping) else {}
    listed = list(codes) if isinstance(codes, Mapping) else codes.split()
    values = [
        {"code": code, "label": code.capitalize(), "definition": f"It is {code}."}
        | ({"number": numbers[code]} if code in numbers else {})
        for code in listed
    ]
    return {**_head(name, of, level), "values": values, **more}


def numeric(
    name: str,
    minimum: float,
    maximum: float,
    *,
    of: str = "unit",
    level: str = "interval",
    **more: Any,
) -> dict[str, Any]:
    """A variable of numbers between two bounds."""
    return {**_head(name, of, level), "minimum": minimum, "maximum": maximum, **more}


def _head(name: str, of: str, level: str) -> dict[str, Any]:
    return {
        "variable": name,
        "of": of,
        "label": name.capitalize(),
        "question": f"Which {name}?",
        "level": level,
    }


def own_words(number: int, count: int = 24) -> str:
    """Words that no other number has: what follows a common sentence makes it another text."""
    return " ".join(f"word{number}of{place}" for place in range(count))


def bundle_facts(**changed: Any) -> BundleFacts:
    """What a made-up bundle of one variable (`mood`: good, bad) says of itself."""
    codes = [{"code": code, "label": code, "definition": "Made up."} for code in ("good", "bad")]
    mood = {"variable": "mood", "of": "unit", "label": "Mood", "question": "Which?"}
    facts = BundleFacts(
        batch="one",
        labeler="0.1",
        codebook=book({**mood, "level": "nominal", "values": codes}),
        codebook_text="",
        suggester="",
        design="{}",
        made_up=True,
        override="",
        verdicts={},
        outdated=(),
        computed_from={},
    )
    return facts._replace(**changed)
