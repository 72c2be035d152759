"""`--batch` given several times, looks that the terminal tells, and the page of a study sample.

Posts and codings are made up.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from study_samples import code, drawn, study

from labeler.cli import labeler
from labeler.store import database, tables
from labeler.study.study import Study
from labeler.web import create_app
from labeler.workflow.status import Stage, status


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two batches, coded."""
    made = study(tmp_path_factory.mktemp("made"), 200)
    drawn(made, "a", 40)
    drawn(made, "b", 40)
    return made


def said(opened: Study, *words: str) -> tuple[int, str]:
    """Exit code and output of a command."""
    root = ["--root", str(opened.project.root), "--codebook", "codebook.yaml"]
    done = CliRunner().invoke(labeler, [*root, *words])
    return done.exit_code, done.output


def test_batches_are_judged_one_several_or_all(opened: Study) -> None:
    """Each other set of codings is a look, the same set again is none; history is kept."""
    for words, batch, look in (
        (("--batch", "a"), "a", 1),
        (("--batch", "b", "--batch", "a"), "a+b", 2),
        ((), "a+b", 2),
        (("--batch", "a"), "a", 1),
        (("--batch", "b"), "b", 3),
    ):
        _, told = said(opened, "reliability", *words)
        level = {1: "3.04%", 2: "0.76%", 3: "0.34%"}[look]
        assert f"look {look} of this study sample, level {level}" in told, told
        verdicts = database.read(opened.engine, tables.VERDICTS, batch=batch)
        assert set(verdicts["look"].dropna()) == {look}
    looks = database.read(opened.engine, tables.LOOKS)
    assert looks["batch"].tolist() == ["a", "a+b", "b"]
    assert looks["n_units"].tolist() == [40, 80, 40]
    own = database.read(opened.engine, tables.TASKS, batch="a").head(2)
    code(opened, own, dict.fromkeys(own["unit"], "yes"))
    assert database.read(opened.engine, tables.LOOKS).equals(looks)


@pytest.mark.parametrize("command", ["push", "pull"])
def test_other_commands_take_one_batch(opened: Study, command: str) -> None:
    """A second one is refused, not taken in place of the first."""
    code_, told = said(opened, command, "--batch", "a", "--batch", "b")
    assert code_ == 2
    assert "one batch at a time, not 2: a, b" in told


def test_status_and_pages_go_by_the_study_sample(opened: Study) -> None:
    """What is pending is that of both; pages show both first, and either."""
    assert _first(opened, "reliability").batch == "a+b"
    said(opened, "reliability")
    assert _first(opened, "reliability").step == ""
    assert "a+b" in _first(opened, "reliability").what
    assert said(opened, "aggregate", "--override", "made up")[0] == 0
    assert said(opened, "export")[0] == 0
    assert (opened.project.exports / "a+b" / "manifest.json").is_file()
    client = create_app(opened.project).test_client()
    for path in ("/", "/reliability", "/assessments", "/disagreements", "/estimates"):
        for asked in ("", "?batch=a%2Bb", "?batch=a"):
            page = client.get(path + asked)
            assert page.status_code == 200, path + asked
            assert ("a+b</small>" in page.text) == (not asked.endswith("=a")) or path == "/"
    assert "of this study sample: " in client.get("/reliability").text
    assert client.get("/reliability?batch=a%2Bc").status_code == 404


def _first(opened: Study, name: str) -> Stage:
    """The first of the stages of a name: that of the study sample."""
    return next(stage for stage in status(opened) if stage.stage == name)


def test_a_figure_says_what_it_stands_on(tmp_path: Path) -> None:
    """Of forty units both coded 23: terminal, page and table say so, and why the rest fell out."""
    made = study(tmp_path / "s", 60, model=True)
    drawn(made, "a", 40, coded=False)
    tasks = database.read(made.engine, tables.TASKS, batch="a").sort_values(["coder", "unit"])
    code(made, tasks.iloc[:63])
    told = said(made, "reliability")[1]
    assert "23 of 40" in told
    assert "left out of about: 17 coded by one (not yet by another)" in told
    page = create_app(made.project).test_client().get("/reliability?batch=a").text
    assert "23 of 40" in page
    assert "Left out: 17 coded by one (not yet by another)." in page
    rows = database.read(made.engine, tables.RELIABILITY, panel="humans")
    assert set(rows["n_pairs"]) == {23}
