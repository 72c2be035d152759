"""Coders by group, and what figures stand on: terminal, pages, table and bundle. Made up."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner
from study_samples import CODERS, MODEL, RARE, code, drawn, study

from labeler.cli import labeler
from labeler.errors import ProjectError
from labeler.sampling.design import Design
from labeler.sampling.sample import sample
from labeler.store import database, results, tables
from labeler.study.study import Study, add_coder, groups, set_group
from labeler.web import create_app

PEOPLE = (*CODERS, "human:cy", "human:dan")
NURSES = PEOPLE[:2]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Forty units coded blind by four: two nurses, and two who code otherwise."""
    made = study(tmp_path_factory.mktemp("made"), 60)
    for coder in PEOPLE[2:]:
        add_coder(made, coder, kind="human", spec={})
    tasks = sample(made, Design(40, 0, 4, PEOPLE, 7), batch="a").tasks
    code(made, tasks[tasks["coder"].isin(NURSES)])
    others = tasks[~tasks["coder"].isin(NURSES)]
    turned = {unit: "no" if int(unit[1:]) % RARE == 0 else "yes" for unit in others["unit"]}
    code(made, others, turned)
    return made


def said(opened: Study, *words: str) -> tuple[int, str]:
    """Exit code and output of a command."""
    root = ["--root", str(opened.project.root), "--codebook", "codebook.yaml"]
    done = CliRunner().invoke(labeler, [*root, *words])
    return done.exit_code, done.output


def page(opened: Study, path: str) -> str:
    return create_app(opened.project).test_client().get(path).text


def test_groups_are_set_told_and_judged_apart(opened: Study) -> None:
    """Within the nurses and within the others all is well, and nothing is between them."""
    assert said(opened, "reliability")[0] == 0
    assert "within" not in page(opened, "/reliability")
    for coder in ("ada", "ben"):
        assert said(opened, "coders", "set", coder, "--group", "nurses")[0] == 0
    assert groups(opened) == dict.fromkeys(NURSES, "nurses")
    assert "reliability" in results.outdated(opened.engine, "a")
    for coder in PEOPLE[2:]:
        told = said(opened, "coders", "set", coder, "--group", " lay   people ")[1]
    assert [line.split() for line in told.splitlines()[1:]] == [
        ["lay", "people", "cy,", "dan"],
        ["nurses", "ada,", "ben"],
    ]
    listed = said(opened, "coders", "list")[1]
    assert "human:ada  nurses" in listed
    told = said(opened, "reliability")[1]
    assert "within nurses (blind): ada, ben" in told
    assert "within lay people (blind): cy, dan" in told
    assert "between lay people and nurses (blind): cy, dan, ada, ben" in told
    rows = database.read(opened.engine, tables.RELIABILITY, batch="a", code="")
    alphas = rows[rows["coefficient"] == "krippendorff_alpha.nominal"].set_index("panel")["value"]
    assert alphas["within lay people"] == 1
    assert alphas["humans"] < 0 < alphas["within nurses"]
    assert alphas["between lay people and nurses"] < -0.5
    shown = page(opened, "/reliability")
    assert "within nurses, blind" in shown
    assert "between lay people and nurses, blind <small>cy, dan, ada, ben</small>" in shown
    assert f"{alphas['within nurses']:.3f}".removeprefix("0") in shown
    assert "within nurses" in page(opened, "/reliability?table=reliability&format=csv")


def test_what_cannot_be_meant_is_refused(opened: Study) -> None:
    with pytest.raises(ProjectError, match=r"no coder is called 'adda'.*did you mean 'ada'"):
        set_group(opened, "adda", "nurses")
    with pytest.raises(ProjectError, match="group 'Nurses': there is one called 'nurses'"):
        set_group(opened, "cy", "Nurses")
    assert groups(opened)["human:cy"] == "lay people"


def test_who_is_in_no_group_is_in_no_panel_of_one(opened: Study) -> None:
    """Taken out again, and added anew with an account: the group stays as it was set."""
    assert said(opened, "coders", "set", "dan", "--group", "")[0] == 0
    assert "human:dan" not in groups(opened)
    add_coder(opened, "human:cy", kind="human", spec={"email": "cy@here.example"}, renew=True)
    assert groups(opened)["human:cy"] == "lay people"
    told = said(opened, "reliability")[1]
    assert "within lay people" not in told
    assert "between lay people and nurses (blind): cy, ada, ben" in told
    assert said(opened, "coders", "set", "dan", "--group", "lay people")[0] == 0


def test_a_bundle_holds_the_groups(opened: Study) -> None:
    said(opened, "reliability")
    assert said(opened, "export")[0] == 0
    folder = opened.project.exports / "a"
    with (folder / "coders.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == [
            {"coder": coder, "coder_group": "nurses" if coder in NURSES else "lay people"}
            for coder in sorted(PEOPLE)
        ]
    readme = (folder / "README.txt").read_text("utf-8")
    assert "about, within nurses: alpha (nominal) = " in readme
    assert "40 of 40 units entered (40 pairs of codes)." in readme


def test_why_units_fell_out_is_told_everywhere(tmp_path: Path) -> None:
    """Of twenty units: ben has coded 8 and skipped 2, the model answered 15; ada coded 18.

    Two of ben's had been in view with codes before. So of the humans: 8 pairs less the two, which
    ada coded alone; 10 that ben has not yet coded, of which nobody coded 2.
    """
    made = study(tmp_path / "s", 60, model=True)
    units = drawn(made, "a", 20, coded=False)
    tasks = database.read(made.engine, tables.TASKS, batch="a")
    ada, ben = (tasks[tasks["coder"] == coder].sort_values("unit") for coder in CODERS)
    code(made, ada.iloc[:18])
    code(made, ben.iloc[:8])
    _skip(made, ben.iloc[8:10])
    _seen(made, units[:2])
    lacking = {"coder": MODEL, "unit": units[15:]}
    for table in (tables.CODINGS, tables.COMPLETIONS):
        results.replace(made.engine, (table, lacking, []))
    told = said(made, "reliability")[1]
    why = (
        "12 coded by one (8 not yet by another, 2 skipped by another, 2 excluded of another, who "
        "had seen the text with codes in view); 2 not yet coded"
    )
    assert f"left out of about: {why}" in told
    assert "left out of about: 3 without a suggestion; 2 not yet coded" in told
    assert "6 of 20" in told
    assert "15 of 20" in told
    assert "human:ben: 2 units coded blind after their texts had been in view" in told
    shown = page(made, "/reliability?batch=a")
    assert f"Left out: {why}." in shown
    assert "6 of 20<small>6 pairs</small>" in shown
    assert "15 of 20<small>21 pairs</small>" in shown
    assert f"6 of 20 units entered (6 pairs of codes); left out: {why}." in shown
    rows = database.read(made.engine, tables.RELIABILITY, batch="a", panel="humans")
    counts = rows[["n_compared", "n_single", "n_pending", "n_skipped", "n_seen", "n_there"]]
    assert {tuple(row) for row in counts.to_numpy().tolist()} == {(6, 12, 2, 0, 0, 20)}
    model = database.read(made.engine, tables.RELIABILITY, batch="a", panel=f"{MODEL} vs humans")
    assert set(model["n_unsuggested"]) == {3}
    expected = [("human:ben", unit, "seen before") for unit in units[:2]]
    expected += [("human:ben", unit, "skipped") for unit in units[8:10]]
    assert said(made, "export", "--batch", "a")[0] == 0
    folder = made.project.exports / "a"
    for text in (
        page(made, "/reliability?batch=a&table=left_out&format=csv"),
        (folder / "left_out.csv").read_text("utf-8"),
    ):
        read = csv.DictReader(text.splitlines())
        assert sorted((row["coder"], row["unit"], row["why"]) for row in read) == expected
    assert "n_unsuggested" in (folder / "reliability.csv").read_text("utf-8")
    assert f"left out: {why}." in (folder / "README.txt").read_text("utf-8")


def _skip(opened: Study, tasks) -> None:
    """The coders pass over the tasks."""
    notes = [
        {"annotation": f"skip {row.unit}", "batch": "a", "arm": row.arm, "coder": row.coder}
        | {"unit": row.unit, "cancelled": 1, "withdrawn": 0, "result": "[]"}
        for row in tables.rows(tasks)
    ]
    results.mirror(opened.engine, tables.ANNOTATIONS, tables.frame(tables.ANNOTATIONS, notes))


def _seen(opened: Study, units: list[str]) -> None:
    """Ben had these units with codes in view, in a batch drawn before he coded them blind."""
    before = {"batch": "before", "codebook": opened.codebook.fingerprint, "suggester": MODEL}
    given = [
        {"batch": "before", "arm": "assisted", "coder": "human:ben", "unit": unit, "suggested": 1}
        for unit in units
    ]
    database.add(opened.engine, tables.BATCHES, tables.frame(tables.BATCHES, [before]))
    database.add(opened.engine, tables.TASKS, tables.frame(tables.TASKS, given))
    words = [
        {**row, "words": row["unit"]}
        for row in database.records(database.read(opened.engine, tables.POSTS))
    ]
    database.mirror(opened.engine, tables.POSTS, tables.frame(tables.POSTS, words))
