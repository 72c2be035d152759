"""What the code imports is what setup.cfg declares."""

from __future__ import annotations

import ast
import configparser
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from places import ROOT

DISTRIBUTIONS = packages_distributions()
LOADED_BY_NAME = {"psycopg", "distributed"}  # by SQLAlchemy from an address; by import_module
ELSEWHERE = {"labeler/studio/server/launcher.py"}  # run by Label Studio's own Python
OWN = {"labeler", *(path.stem for path in (ROOT / "tests").rglob("*.py"))}


def imported(folder: str) -> set[str]:
    """The distributions that the modules of a folder import, wherever in a module that stands."""
    found = set()
    for path in sorted((ROOT / folder).rglob("*.py")):
        if str(path.relative_to(ROOT)) not in ELSEWHERE:
            found |= names(path)
    there = {name for name in found - OWN if name not in sys.stdlib_module_names}
    return {normal(distribution) for name in there for distribution in distributions(name)}


def names(path: Path) -> set[str]:
    """The first parts of what a module imports, but for what only a type checker sees."""
    found = set[str]()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typed = {
        id(node)
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and "TYPE_CHECKING" in ast.dump(test.test)
        for node in ast.walk(test)
    }
    for node in ast.walk(tree):
        if id(node) in typed:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
    return found


def distributions(name: str) -> list[str]:
    """Who brings a module; the name itself where nobody here does."""
    return DISTRIBUTIONS.get(name, [name])


def declared() -> dict[str, set[str]]:
    """The requirements by extra ('' for those of every installation)."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    lists = {"": parser["options"]["install_requires"], **parser["options.extras_require"]}
    return {
        extra: {normal(line) for line in text.split("\n") if line} for extra, text in lists.items()
    }


def normal(requirement: str) -> str:
    """The name of a requirement as PEP 503 compares it."""
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def test_whatever_the_program_imports_is_declared_and_nothing_else() -> None:
    """aiohttp below openai and httpx below the SDK are imported, so they are declared."""
    lists = declared()
    optional = lists["postgresql"] | lists["cluster"] | lists["embed"]
    found = imported("labeler") | LOADED_BY_NAME
    assert found - lists[""] - optional == set()
    assert (lists[""] | optional) - found - {"labeler"} == set()
    assert not lists[""] & optional


def test_whatever_the_tests_import_is_declared() -> None:
    """The extra `test` brings what the tests need beside the program."""
    lists = declared()
    assert (
        imported("tests") - lists[""] - lists["test"] - lists["postgresql"] - lists["embed"]
        == set()
    )
