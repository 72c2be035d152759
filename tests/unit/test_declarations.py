"""A new assessment, figure or format is one new file in its folder: all who show them find it."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import walks_study
from click.testing import CliRunner

from labeler import declarations
from labeler.cli import labeler
from labeler.project import Project
from labeler.reliability import assessments
from labeler.reliability.assessments import declaration as assessment_declaration
from labeler.reliability.assessments.declaration import Assessment
from labeler.results import figures, formats
from labeler.results.figures import declaration as figure_declaration
from labeler.results.formats import declaration as format_declaration
from labeler.web import create_app
from labeler.web.report import selection

ASSESSMENT = '''"""How many codings people gave. Made up for a test."""
import pandas as pd
from labeler.reliability.assessments.declaration import Assessment


def rows(given):
    own = given.people["relevance"].dropna(subset="value")
    measured = {"coder": "humans", "variable": "relevance", "code": "", "measure": "count"}
    return pd.DataFrame([measured | {"value": float(len(own)), "verdict": "counted"}])


ASSESSMENT = Assessment(
    name="coding-count",
    title="Count of codings",
    meaning="How many codings people gave.",
    headlines=("count",),
    rows=rows,
)
'''
FIGURE = '''"""The count as a bar. Made up for a test."""
from labeler.results.figures.declaration import Figure


def spec(rows, codebook, width):
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {"values": [{"count": float(rows["value"].iloc[0])}]},
        "mark": "bar",
        "encoding": {"x": {"field": "count", "type": "quantitative"}},
    }


FIGURE = Figure(
    name="coding-count",
    title="A bar of codings",
    caption="The bar: codings.",
    table="assessments",
    assessment="coding-count",
    rows=lambda rows: rows[rows["assessment"] == "coding-count"],
    spec=spec,
    alt=lambda rows, codebook: f"People gave {rows['value'].iloc[0]:.0f} codings",
)
'''
FORMAT = '''"""How many rows each table has, as bytes that are no text. Made up for a test."""
from labeler.results.formats.declaration import Format


def files(frames, facts):
    counts = bytes([255, *(len(frame) % 256 for frame in frames.values())])
    return {"counts.bin": counts}


FORMAT = Format(name="counts", files=files, descriptions={"counts.bin": "Rows of each table."})
'''
NEW = ((assessments, ASSESSMENT), (figures, FIGURE), (formats, FORMAT))


@pytest.fixture
def extended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each of the three folders has one more module."""
    names = []
    for package, text in NEW:
        folder = tmp_path / package.__name__
        folder.mkdir()
        (folder / "zz_made_up.py").write_text(text)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        names.append(f"{package.__name__}.zz_made_up")
    importlib.invalidate_caches()
    yield
    for name in names:
        sys.modules.pop(name, None)
    for package, _ in NEW:
        vars(package).pop("zz_made_up", None)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose store holds the study of walks."""
    root = tmp_path / "project"
    (root / "codebook").mkdir(parents=True)
    (root / "codebook" / "walks.yaml").write_text(walks_study.CODEBOOK)
    walks_study.fill(f"sqlite:///{tmp_path / 'walks.db'}")
    return Project(root=root, database=f"sqlite:///{tmp_path / 'walks.db'}")


def command(project: Project, *words: str) -> str:
    """What a command of this process prints; it has to end well."""
    options = ["--root", str(project.root), "--database", project.database]
    ended = CliRunner().invoke(labeler, [*options, "--codebook", "codebook/walks.yaml", *words])
    assert ended.exit_code == 0, (ended.output, ended.exception)
    return ended.output


@pytest.mark.usefixtures("extended")
def test_a_new_one_is_told_by_terminal_page_and_bundle(project: Project) -> None:
    """Nothing is touched but the new file: not the commands, not the pages, not the export."""
    said = command(project, "reliability", "--batch", "pilot")
    assert "Count of codings: counted (relevance)" in said
    stored = json.loads(command(project, "reliability", "--batch", "pilot", "--json"))
    own = [row for row in stored["assessments"] if row["assessment"] == "coding-count"]
    assert [(row["measure"], row["batch"]) for row in own] == [("count", "pilot")]
    count = f"{own[0]['value']:.0f}"

    app = create_app(project)
    client = app.test_client()
    page = client.get("/assessments").text
    for words in ("Count of codings", "How many codings people gave.", "The bar: codings."):
        assert words in page
    assert f'alt="People gave {count} codings"' in page
    drawn = client.get("/figures/coding-count.svg")
    assert (drawn.status_code, drawn.content_type) == (200, "image/svg+xml")
    app.extensions[selection.STORE].dispose()

    command(project, "export", "--batch", "pilot")
    folder = project.exports / "pilot"
    readme = (folder / "README.txt").read_text()
    for words in (
        "Count of codings. How many codings people gave.",
        "counted (relevance)",
        "Rows of each table.",
        f"A bar of codings. People gave {count} codings.",
    ):
        assert words in readme
    assert (folder / "counts.bin").read_bytes().startswith(b"\xff")
    assert b"<svg" in (folder / "coding-count.svg").read_bytes()
    assert "coding-count" in (folder / "assessments.csv").read_text()
    assert {"counts.bin", "coding-count.svg"} <= set(
        json.loads((folder / "manifest.json").read_text())["files"]
    )


def test_without_the_module_its_rows_and_files_are_not_lost_and_not_left(
    project: Project, request: pytest.FixtureRequest
) -> None:
    """Stored rows still stand on the page by their name; a file that is not made any more goes.

    A file of the bundle that somebody changed stays, and so does one of their own.
    """
    request.getfixturevalue("extended")
    command(project, "reliability", "--batch", "pilot")
    command(project, "export", "--batch", "pilot")
    folder = project.exports / "pilot"
    (folder / "counts.bin").write_bytes(b"changed by hand")
    (folder / "own.txt").write_text("notes")
    for package, _ in NEW:
        del package.__path__[-1]
    importlib.invalidate_caches()

    assert "removed" in command(project, "export", "--batch", "pilot")
    assert not (folder / "coding-count.svg").exists()
    assert (folder / "counts.bin").read_bytes() == b"changed by hand"
    assert (folder / "own.txt").exists()
    assert "coding-count" in (folder / "assessments.csv").read_text()


def test_each_is_declared_once() -> None:
    """Names are what rows, addresses and files are told apart by."""
    declared = (
        assessment_declaration.declared(),
        figure_declaration.declared(),
        format_declaration.declared(),
    )
    names = [[one.name for one in several] for several in declared]
    assert names == [
        ["alternative-annotator", "anchoring", "calibration", "skip", "drift"],
        ["calibration", "estimates", "reliability"],
        ["csv", "data package", "excel", "methods text", "parquet"],
    ]


def test_an_assessment_says_all_that_is_shown() -> None:
    """A title without a full stop, one sentence of meaning, and a headline at least."""
    for one in assessment_declaration.declared():
        assert not one.title.endswith(".")
        assert one.meaning.endswith(".")
        assert one.headlines


def test_a_constant_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A module that declares something else is a mistake, not a part of the others."""
    (tmp_path / "zz_other.py").write_text("ASSESSMENT = 'a name'\n")
    package = ModuleType("zz_package")
    package.__path__ = [str(tmp_path)]
    sys.modules["zz_package"] = package
    try:
        with pytest.raises(TypeError, match=r"zz_package\.zz_other\.ASSESSMENT"):
            declarations.declared(package, "ASSESSMENT", Assessment)
    finally:
        del sys.modules["zz_package"], sys.modules["zz_package.zz_other"]
