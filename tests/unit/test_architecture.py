"""What the pages below `docs/` and CONTRIBUTING.md say of the code is what the code is."""

from __future__ import annotations

import ast
import configparser
import re

import pytest
from places import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PAGES = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
CONFIG = configparser.ConfigParser()
CONFIG.read(ROOT / "setup.cfg", encoding="utf-8")
FOLDERS = ("labeler", "tests", "templates", "codebook", "sample", "benchmarks", "docs")
PATH = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*)`")
LINK = re.compile(r"\]\((?!https?://)([^)#]+)\)")


def test_the_layers_are_those_of_the_contract() -> None:
    """The picture of the rooms is the list that `make lint` checks."""
    [picture] = re.findall(r"```layers\n(.*?)\n```", PAGE, re.S)
    contract = CONFIG["importlinter:contract:direction"]["layers"].split("\n")[1:]
    assert picture.split("\n") == contract


def test_every_package_is_named_with_its_own_sentence() -> None:
    """Every package, no other, and what its docstring begins with."""
    told = dict(re.findall(r"^\| `(labeler/[\w/]+)/` \| (.+?) \|$", PAGE, re.M))
    there = {}
    for path in (ROOT / "labeler").rglob("__init__.py"):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        there[path.parent.relative_to(ROOT).as_posix()] = " ".join(
            docstring.split("\n\n")[0].split()
        )
    del there["labeler"]
    assert told == there


def test_every_contract_is_named() -> None:
    """The names in bold below "Contracts" are those of setup.cfg, in order."""
    names = [
        CONFIG[section]["name"]
        for section in CONFIG.sections()
        if section.startswith("importlinter:contract:")
    ]
    part = PAGE.split("## Contracts")[1].split("\n## ")[0]
    assert re.findall(r"^- \*\*(.+?)\*\*", part, re.M) == names


def test_every_package_is_installed() -> None:
    """setup.cfg lists the packages that there are, so that the wheel holds them."""
    listed = [line for line in CONFIG["options"]["packages"].split("\n") if line]
    there = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "labeler").rglob("__init__.py")
    }
    assert {name for name in listed if not name.startswith("labeler.resources.")} == there


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_path_and_link_of_a_page_exists(page) -> None:
    """What is named as a file or folder of the repository, and what is linked, is there."""
    text = page.read_text(encoding="utf-8")
    assert [path for path in PATH.findall(text) if not (ROOT / path).exists()] == []
    assert [link for link in LINK.findall(text) if not (page.parent / link).exists()] == []
