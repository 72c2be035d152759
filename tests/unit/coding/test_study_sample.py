"""Several batches as one study sample: rows, probabilities, results. Everything is made up."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from study_samples import CODERS, MODEL, code, drawn, more_posts, study

from labeler.coding.study_sample import (
    MemberDraw,
    member_draws,
    sample_row,
    with_joint_probabilities,
)
from labeler.errors import ProjectError
from labeler.reliability.reliability import reliability
from labeler.results.aggregate import aggregate
from labeler.results.export import export
from labeler.store import database, results, tables
from labeler.study.study import sample_of

ALIKE = {"blind": 1.0, "assisted": 0.0, "repeat": 1.0}


def chances(rows: list[tuple], draws: list[MemberDraw]) -> dict[tuple[str, str], float]:
    """(arm, unit) → probability; rows are batch, arm, coder, unit, of own probability 1."""
    frame = pd.DataFrame(rows, columns=["batch", "arm", "coder", "unit"])
    given = with_joint_probabilities(frame.assign(unit_probability=1.0), draws)
    return {(row.arm, row.unit): row.unit_probability for row in given.itertuples()}


def test_two_simple_draws_are_one_of_both():
    """10 of 100 and then 18 of the 90 left: 28 of 100 for each unit that was there at first.

    A unit that came in between has the 18 of 100 (90 left, ten new) of the second draw alone.
    """
    first = MemberDraw("a", ALIKE, {"x": 0.1, "y": 0.1})
    second = MemberDraw("b", ALIKE, {"x": 0.2, "y": 0.2})
    rows = [("a", "blind", "ada", "x"), ("b", "blind", "ada", "y")]
    found = chances(rows, [first, second])
    assert list(found.values()) == pytest.approx([0.28, 0.28])
    later = chances([*rows, ("b", "blind", "ada", "z")],
                    [first, second._replace(units={"x": 0.18, "y": 0.18, "z": 0.18})])  # fmt: skip
    assert later["blind", "z"] == pytest.approx(0.18)
    assert later["blind", "x"] == pytest.approx(0.1 + 0.9 * 0.18)


def test_arms_have_their_part_of_each_draw():
    """.5 drawn, a quarter of it blind; then .4 of the rest, half blind: .125 + .5 x .4 x .5.

    Of the assisted .375 + .1; nested, all that are drawn are assisted.
    """
    one = MemberDraw("a", {"blind": 0.25, "assisted": 0.75}, {"x": 0.5})
    two = MemberDraw("b", {"blind": 0.5, "assisted": 0.5}, {"x": 0.4})
    rows = [("a", "blind", "ada", "x"), ("a", "assisted", "ben", "x")]
    found = chances(rows, [one, two])
    assert found["blind", "x"] == pytest.approx(0.125 + 0.1)
    assert found["assisted", "x"] == pytest.approx(0.375 + 0.1)
    nested = chances(rows, [one._replace(arms={"blind": 0.25, "assisted": 1.0}), two])
    assert nested["assisted", "x"] == pytest.approx(0.5 + 0.1)


def test_a_task_has_the_chance_that_some_draw_gave_it_to_its_coder():
    """.5 drawn for all of ada, then .4 of the rest, of which ada gets half and ben all."""
    draws = [MemberDraw("a", ALIKE, {"x": 0.5}), MemberDraw("b", ALIKE, {"x": 0.4, "y": 0.4})]
    tasks = pd.DataFrame(
        [
            ("a", "blind", "ada", "x", 0.5, 0.5),
            ("b", "blind", "ada", "y", 0.4, 0.2),
            ("b", "blind", "ben", "y", 0.4, 0.4),
            ("b", "adjudication", "cy", "y", 0.3, 0.3),
        ],
        columns=["batch", "arm", "coder", "unit", "unit_probability", "task_probability"],
    )
    found = with_joint_probabilities(tasks, draws)
    assert found["task_probability"].tolist() == pytest.approx([0.5 + 0.5 * 0.2, 0.2, 0.4, 0.3])
    assert found["unit_probability"].tolist() == pytest.approx([0.5 + 0.5 * 0.4, 0.4, 0.4, 0.3])


def test_the_probabilities_of_a_study_follow_from_its_draws(tmp_path: Path):
    """By strata first, then simply, with posts that came between; computed here by hand.

    100 posts, of 20 of which the model says yes or so; the strata of the first draw are told by
    the batch, the second takes 30 of the 70 left and 20 new ones.
    """
    opened = study(tmp_path, 100, model=True)
    drawn(opened, "a", 30, drawing="stratified", by=("about",), allocation="equal")
    more_posts(opened, range(100, 120), model=True, at="9999")
    drawn(opened, "b", 30)
    there = database.read(opened.engine, tables.BATCHES)
    design = json.loads(there[there["batch"] == "a"]["design"].iloc[0])
    assert sum(n for n, _ in design["strata"].values()) == 100
    kept = database.read(opened.engine, tables.FRAMES)
    assert (kept["batch"] == "a").all()
    assert len(kept) == 100
    for stratum, (size, taken) in design["strata"].items():
        own = kept[kept["stratum"] == stratum]["probability"]
        assert own.tolist() == pytest.approx([taken / size] * size)
    tasks = database.read(opened.engine, tables.TASKS)
    first, second = member_draws(sample_row(there, "a+b"), tasks, kept, {})
    assert set(second.units.values()) == {30 / 90}
    of = dict(zip(kept["unit"], kept["probability"], strict=True))
    joint = with_joint_probabilities(tasks, [first, second])
    for row in tables.rows(joint):
        before = of.get(row.unit, 0.0)
        assert row.unit_probability == pytest.approx(before + (1 - before) / 3)
    population = sum(
        joint.drop_duplicates("unit")["unit_probability"].map(lambda chance: 1 / chance)
    )
    assert population == pytest.approx(120, rel=0.15)


def test_two_batches_judged_together_equal_one_of_both(tmp_path: Path):
    """Drawn by one seed in two steps: the same units, figures, shares, consensus; not the name."""
    apart, whole = study(tmp_path / "apart", 300), study(tmp_path / "whole", 300)
    units = [*drawn(apart, "a", 60), *drawn(apart, "b", 90)]
    assert sorted(units) == drawn(whole, "one", 150)
    assert sample_of(apart) == "a+b"
    both, one = reliability(apart, batch="a+b"), reliability(whole, batch="one")
    named = ["batch", "run", "computed_from"]
    for mine, theirs in zip(both, one, strict=True):
        left_out = [name for name in named if name in mine.columns]
        pd.testing.assert_frame_equal(mine.drop(columns=left_out), theirs.drop(columns=left_out))
    shares = [
        aggregate(opened, batch=name, override="made up").rows.drop(
            columns=["batch", "computed_from"]
        )
        for opened, name in ((apart, "a+b"), (whole, "one"))
    ]
    pd.testing.assert_frame_equal(*shares)
    done = export(apart, batch="a+b")
    assert done.folder.name == "a+b"
    assert not done.outdated


def test_unequal_draws_by_one_seed_in_two_steps_equal_one(tmp_path: Path):
    """From the same strata, whose sizes each step divides alike: the same weights and alpha.

    The model says yes or no of each post; equal allocation gives each kind half of each step.
    """
    apart, whole = (study(tmp_path / name, 300, model=True) for name in ("apart", "whole"))
    how = {"drawing": "stratified", "by": ("about",), "allocation": "equal"}
    units = [*drawn(apart, "a", 40, **how), *drawn(apart, "b", 60, **how)]
    assert sorted(units) == drawn(whole, "one", 100, **how)
    both, one = reliability(apart, batch="a+b"), reliability(whole, batch="one")
    assert set(one.verdicts["comparison"]) == {"human-human", "human-model"}
    assert (one.reliability["weighting"] == "design").any()
    shown = ["panel", "variable", "code", "coefficient", "weighting"]
    figures = ["value", "low", "high", "bound", "upper", "n_units"]
    pd.testing.assert_frame_equal(
        both.reliability.set_index(shown)[figures], one.reliability.set_index(shown)[figures]
    )


def test_results_of_a_sample_are_void_when_a_member_changes(tmp_path: Path):
    """A code of either batch that changes: the joint results are outdated, the other's are not."""
    opened = study(tmp_path, 200)
    for name in ("a", "b"):
        drawn(opened, name, 40)
    for name in ("a", "b", "a+b"):
        reliability(opened, batch=name)
        assert results.outdated(opened.engine, name) == []
    mine = database.read(opened.engine, tables.TASKS, batch="b", coder=CODERS[0]).head(1)
    other = {mine["unit"].iloc[0]: "yes"}
    other = dict.fromkeys(other, "no") if "yes" in _given(opened, mine) else other
    code(opened, mine, other)
    assert results.outdated(opened.engine, "a") == []
    assert "verdicts" in results.outdated(opened.engine, "b")
    assert "verdicts" in results.outdated(opened.engine, "a+b")


def _given(opened, task: pd.DataFrame) -> list[str]:
    which = {"unit": task["unit"].iloc[0], "coder": CODERS[0]}
    return database.read(opened.engine, tables.CODINGS, **which)["value"].tolist()


def test_drift_stays_apart(tmp_path: Path):
    """Each batch has its agreement, the first gives the reference, the second is tested."""
    opened = study(tmp_path, 200, model=True)
    for name in ("a", "b"):
        drawn(opened, name, 50)
    found = reliability(opened, batch="a+b").assessments
    drift = found[found["assessment"] == "drift"].set_index("measure")
    assert drift["n"].to_dict() == {
        "agreement.a": 50, "agreement.b": 50, "reference": 50, "e.process": 50
    }  # fmt: skip
    assert drift.loc["e.process", "verdict"] == "no alarm"


def test_what_belongs_together(tmp_path: Path):
    """Without a name: what is coded of the newest codebook and suggester; names in any order."""
    opened = study(tmp_path, 200, model=True)
    with pytest.raises(ProjectError, match="no batch is drawn"):
        sample_of(opened)
    drawn(opened, "b", 20, coded=False)
    assert sample_of(opened) == "b"
    drawn(opened, "a", 20)
    assert sample_of(opened) == "a"
    code(opened, database.read(opened.engine, tables.TASKS, batch="b"))
    assert sample_of(opened) == "b+a"
    assert sample_of(opened, ("a",)) == "a"
    assert sample_of(opened, ("a", "b")) == sample_of(opened, ("a+b",)) == "b+a"
    with pytest.raises(ProjectError, match="'c'"):
        sample_of(opened, ("a", "c"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"codebook": "other"}, "different versions"),
        ({"suggester": MODEL}, "different suggesters"),
        ({"design": '{"imported": {"variables": ["about"]}}'}, "imported from a file"),
    ],
)
def test_what_does_not_belong_together_is_refused(change, told):
    row = {"batch": "a", "codebook": "k", "suggester": "", "design": "{}", "created": "1"}
    there = pd.DataFrame([row, {**row, "batch": "b", "created": "2", **change}])
    with pytest.raises(ProjectError, match=told):
        sample_row(there, "a+b")


def test_a_draw_by_strata_without_its_frame_is_judged_alone(tmp_path: Path):
    """As of a batch drawn before frames were kept."""
    opened = study(tmp_path, 200, model=True)
    drawn(opened, "a", 40, drawing="enriched")
    drawn(opened, "b", 40)
    assert sample_of(opened) == "a+b"
    database.replace(opened.engine, (tables.FRAMES, {"batch": "a"}, tables.frame(tables.FRAMES)))
    assert sample_of(opened) == "b"
    with pytest.raises(ProjectError, match="drawn by strata"):
        reliability(opened, batch="a+b")
