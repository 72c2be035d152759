"""Coders, arms and values are asked for in one place; nobody spells them by themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest

import labeler
from labeler.coding import vocabulary
from labeler.coding.vocabulary import (
    CoderKind,
    assisted,
    computed,
    human,
    is_embedded,
    is_human,
    kind_of,
    name_of,
    program_among,
    versus,
)

ROOT = Path(labeler.__file__).parent
VALUES, WORDS = ROOT / "text" / "coded_values.py", ROOT / "coding" / "vocabulary.py"
MODULES = sorted(ROOT.rglob("*.py"))


def test_a_human_is_called_by_name() -> None:
    assert human("ada") == "human:ada" == human("human:ada")
    assert name_of("human:ada") == "ada"
    assert name_of("cues@1a2b3c") == "cues@1a2b3c"


def test_the_program_of_a_panel_is_found_wherever_it_stands() -> None:
    """`model:` comes after `human:` in the alphabet, `cues@` before."""
    assert program_among("human:ada,human:ben,model:m@1a2b3c") == "model:m@1a2b3c"
    assert program_among("cues@1a2b3c,human:ada") == "cues@1a2b3c"
    assert program_among("human:ada,human:ben") == ""


@pytest.mark.parametrize(
    ("coder", "kind"),
    [
        ("human:ada", "human"),
        ("model:gpt-x@1a2b3c", "model"),
        ("model:cues@1a2b3c", "model"),
        ("cues@1a2b3c", "cues"),
        ("embed@1a2b3c", "embedded"),
        ("ada", None),
    ],
)
def test_a_coders_kind(coder: str, kind: CoderKind | None) -> None:
    assert kind_of(coder) == kind
    assert is_human(coder) == (kind == "human")
    assert is_embedded(coder) == (kind == "embedded")


def test_a_column_of_coders() -> None:
    coders = pd.Series(["human:ada", "embed@1a2b3c", "model:human:x@1a2b3c"], dtype="str")
    assert list(is_human(coders)) == [True, False, False]
    assert list(is_embedded(coders)) == [False, True, False]


def test_a_computed_coder_is_of_its_kind() -> None:
    assert computed("model", "1a2b3c", model="gpt-x") == "model:gpt-x@1a2b3c"
    assert computed("cues", "1a2b3c") == "cues@1a2b3c"
    assert [kind_of(computed(kind, "1a2b3c")) for kind in get_args(CoderKind)] == [
        *get_args(CoderKind)
    ]


def test_panels_names() -> None:
    assert versus("cues@1a2b3c", "humans") == "cues@1a2b3c vs humans"
    assert assisted("humans") == "humans, assisted"


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each string of a module that is no docstring."""
    tree = ast.parse(path.read_text("utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.lineno, node.value


def _joins(path: Path) -> Iterator[int]:
    """Lines on which text is split at `+`, or joined by it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        separators = [node.func.value] if node.func.attr == "join" else node.args[:1]
        if node.func.attr in ("join", "split", "rsplit", "partition") and any(
            isinstance(one, ast.Constant) and one.value == "+" for one in separators
        ):
            yield node.lineno


def test_sets_are_split_and_joined_in_one_module() -> None:
    found = [f"{path}:{line}" for path in MODULES if path != VALUES for line in _joins(path)]
    assert not found
    assert list(_joins(VALUES))


def test_numbers_of_codings_are_spelled_in_one_module() -> None:
    found = [
        f"{path}:{line}" for path in MODULES if path != VALUES for line, text in _texts(path)
        if text == ".15g"
    ]  # fmt: skip
    assert not found


def test_coders_prefixes_stand_in_one_module() -> None:
    prefixes = tuple(vocabulary.PREFIXES.values())
    named = {"labeler/reliability/files/anchoring.py"}  # what a stranger's table calls its model
    found = [
        f"{path}:{line}: {text}"
        for path in MODULES
        if path != WORDS and str(path.relative_to(ROOT.parent)) not in named
        for line, text in _texts(path)
        if text.startswith(prefixes)
    ]
    assert not found
