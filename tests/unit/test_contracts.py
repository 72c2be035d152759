"""The import contracts of setup.cfg: each catches what it is there to catch."""

from __future__ import annotations

import configparser
import itertools
import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from typing import NamedTuple

import pytest
from places import ROOT

CONFIG = configparser.ConfigParser()
CONFIG.read(ROOT / "setup.cfg", encoding="utf-8")
CONTRACT = "importlinter:contract:"


class Violation(NamedTuple):
    """An import that a contract forbids: the contract, who imports, what."""

    contract: str
    importer: str
    imported: str


def contract(name: str) -> configparser.SectionProxy:
    """The section of a contract."""
    return CONFIG[CONTRACT + name]


def listed(name: str, option: str) -> list[str]:
    """The lines of an option of a contract."""
    return contract(name)[option].split("\n")[1:]


def layers(name: str) -> list[list[str]]:
    """The layers of a contract, highest first: the modules of each, by their whole names."""
    container = contract(name).get("containers", "").strip()
    start = f"{container}." if container else ""
    return [[start + one.strip() for one in layer.split("|")] for layer in listed(name, "layers")]


def above(name: str) -> list[Violation]:
    """An import of each layer by the next lower one, and of neighbours by each other."""
    found = []
    ordered = layers(name)
    for higher, lower in itertools.pairwise(ordered):
        found += [Violation(name, inserted(lower[0]), one) for one in higher]
    for layer in ordered:
        found += [Violation(name, inserted(one), other) for one, other in itertools.pairwise(layer)]
    return found


def forbidden(name: str) -> list[Violation]:
    """Every forbidden module, imported by every source module."""
    return [
        Violation(name, inserted(source), module)
        for source in listed(name, "source_modules")
        for module in listed(name, "forbidden_modules")
    ]


def inserted(module: str) -> str:
    """The module that a violation of `module` stands in: itself, or one added to its folder."""
    folder = ROOT.joinpath(*module.split("."))
    return f"{module}.inserted" if folder.is_dir() else module


KINDS = {"layers": above, "forbidden": forbidden}
NAMES = [name.removeprefix(CONTRACT) for name in CONFIG.sections() if CONTRACT in name]
VIOLATIONS = [one for name in NAMES for one in KINDS[contract(name)["type"]](name)]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `lint-imports` says of a copy of the package that holds every violation."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "labeler", copy / "labeler", ignore=shutil.ignore_patterns("*.pyc"))
    for violation in VIOLATIONS:
        path = copy.joinpath(*violation.importer.split(".")).with_suffix(".py")
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\nimport {violation.imported}\n")
    command = "import sys; from importlinter.cli import lint_imports_command as lint; lint()"
    done = subprocess.run(
        [sys.executable, "-c", command, "--no-cache", str(ROOT / "setup.cfg")],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "COLUMNS": "500"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_every_violation_is_caught(said: str, name: str) -> None:
    """Each layer that reaches up, each rule that reaches out: named with both modules."""
    title = contract(name)["name"]
    assert f"{title} BROKEN" in said
    told = re.split(r"\n(?=[^\n]+\n-{20,}\n)", said.split(f"\n{title}\n---")[1])[0]
    missing = [
        violation
        for violation in VIOLATIONS
        if violation.contract == name
        and f"{violation.importer} -> {violation.imported} (" not in told
    ]
    assert missing == []
    assert name in {violation.contract for violation in VIOLATIONS}


def test_every_room_has_its_layer() -> None:
    """The layers name every package and module that lies directly below `labeler`."""
    there = {
        f"labeler.{path.stem}"
        for path in (ROOT / "labeler").iterdir()
        if (path.is_dir() and (path / "__init__.py").is_file()) or path.suffix == ".py"
    }
    assert {one for layer in layers("direction") for one in layer} == there - {"labeler.__init__"}


def test_no_rule_reads_the_clock() -> None:
    """`datetime.now` and its like stand only in modules that may reach out."""
    reach_out = [line.split(" -> ")[0] for line in listed("pure", "ignore_imports")]
    found = []
    for room in listed("pure", "source_modules"):
        for path in ROOT.joinpath(*room.split(".")).rglob("*.py"):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            if any(fnmatch(module, pattern) for pattern in reach_out):
                continue
            if re.search(r"\b(datetime|date)\.(now|today|utcnow)\(", path.read_text("utf-8")):
                found.append(module)
    assert found == []
