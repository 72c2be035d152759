"""What is read of a study for its estimates: strata, probabilities, who of those drawn coded.

Everything is made up.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from study_samples import MODEL, code, drawn, more_posts, said, study

from labeler.coding.read import read_batch
from labeler.reliability.reliability import reliability
from labeler.results.aggregate import OF_ESTIMATES, Aggregation, aggregate
from labeler.results.phase_samples import AnalysisFrame, response
from labeler.results.read_frame import FrameFacts, read_frame
from labeler.store import database, tables
from labeler.study.study import Study, sample_row

LATER = "2026-02-01"


def frame(opened: Study, batch: str) -> tuple[AnalysisFrame, FrameFacts]:
    row = sample_row(opened, batch)
    return read_frame(
        opened, row, read_batch(opened.engine, row, opened.codebook, wanted=OF_ESTIMATES)
    )


def aggregated(opened: Study, batch: str) -> Aggregation:
    reliability(opened, batch=batch)
    return aggregate(opened, batch=batch, override="made up")


def share(made: Aggregation, estimator: str) -> float:
    rows = made.rows[
        (made.rows["estimator"] == estimator)
        & (made.rows["target"] == "collection")
        & (made.rows["measure"] == "share")
        & (made.rows["code"] == "about:yes")
    ]
    return float(rows["value"].iloc[0])


def test_a_stratified_draw_is_weighted_by_the_sizes_of_its_strata(tmp_path: Path) -> None:
    """15 of each kind: sum over strata of N_h times the mean of its coded units, by hand."""
    opened = study(tmp_path, 100, model=True)
    units = drawn(opened, "a", 30, drawing="stratified", by=("about",), allocation="equal")
    found, facts = frame(opened, "a")
    everybody = [f"u{number:04}" for number in range(100)]
    of = [said(MODEL, unit) for unit in everybody]
    assert found.strata == ["no", "yes"]
    assert found.stratum.tolist() == [int(kind == "yes") for kind in of]
    assert facts == FrameFacts(0, 0, draw_unknown=False)
    by_hand = 0.0
    for kind in ("no", "yes"):
        own = [unit for unit in units if said(MODEL, unit) == kind]
        means = [
            np.mean([said(coder, unit) == "yes" for coder in ("human:ada", "human:ben")])
            for unit in own
        ]
        by_hand += of.count(kind) / 100 * float(np.mean(means))
    made = aggregated(opened, "a")
    assert share(made, "blind") == pytest.approx(by_hand)
    assert share(made, "model") == pytest.approx(of.count("yes") / 100)


def test_the_model_and_people_are_read_as_they_coded(tmp_path: Path) -> None:
    opened = study(tmp_path, 40, model=True)
    units = drawn(opened, "a", 10)
    found, _ = frame(opened, "a")
    yes = found.model.codes["about"].has.toarray()[:, 1]
    assert yes.tolist() == [float(said(MODEL, f"u{at:04}") == "yes") for at in range(40)]
    assert sorted(set(found.blind.unit.tolist())) == [int(unit[1:]) for unit in units]
    assert found.blind.unit.size == 20
    assert np.flatnonzero(found.drawn).tolist() == [int(unit[1:]) for unit in units]
    assert found.probability[found.drawn] == pytest.approx([0.25] * 10)
    assert (found.strata, found.assisted) == (["all posts"], None)


def test_drawn_and_not_yet_coded_is_told_and_weighted(tmp_path: Path) -> None:
    """12 of 20 drawn are coded: the rate is told, and the twelve stand for all 50."""
    opened = study(tmp_path, 50, model=True)
    drawn(opened, "a", 20, coded=False)
    tasks = database.read(opened.engine, tables.TASKS, batch="a")
    some = sorted(set(tasks["unit"]))[:12]
    code(opened, tasks[tasks["unit"].isin(some)])
    made = aggregated(opened, "a")
    assert [tuple(own) for own in made.response] == [("all posts", 50, 20, 12)]
    means = [
        np.mean([said(coder, unit) == "yes" for coder in ("human:ada", "human:ben")])
        for unit in some
    ]
    assert share(made, "blind") == pytest.approx(float(np.mean(means)))


def test_posts_that_came_between_two_batches_and_those_without_an_answer(tmp_path: Path) -> None:
    """Strata of the first draw; later posts lie in none of them; the unanswered are not spoken of.

    Probabilities are those of coming in by either draw.
    """
    opened = study(tmp_path, 100, model=True)
    drawn(opened, "a", 30, drawing="stratified", by=("about",), allocation="equal")
    more_posts(opened, range(100, 120), model=True, at=LATER)
    more_posts(opened, range(120, 127), at=LATER)
    drawn(opened, "b", 30)
    found, facts = frame(opened, "a+b")
    assert found.size == 120
    assert facts.unanswered == 7
    assert found.strata == ["all posts", "no", "yes"]
    assert np.bincount(found.stratum)[0] == 20
    assert sum(own.coded for own in response(found)) == 60
    chance = found.probability[found.drawn]
    assert float((1 / chance).sum()) == pytest.approx(120, rel=0.15)
