"""ASSESSMENTS rows of drift: streams, references, alarms, and what starts a stream anew."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, binomtest
from thorough import repetitions

from labeler.errors import TableError
from labeler.reliability.assessments import drift
from labeler.statistics.experiment.drift import e_process
from labeler.store import tables


def batch(name, agree, *, model="model:m@1", codebook="k1", variable="mood", day=1):
    """A batch of units with these agreements; its name and day give its place in time."""
    return pd.DataFrame(
        {
            "batch": name,
            "created": f"2024-01-{day:02}T10:00:00Z",
            "model": model,
            "codebook": codebook,
            "variable": variable,
            "unit": [f"{name}-{place:03}" for place in range(len(agree))],
            "agree": agree,
        },
        columns=drift.HISTORY,
    )


def agreeing(n, agreed):
    """`agreed` of n units agree, spread evenly."""
    return [int((place + 1) * agreed // n > place * agreed // n) for place in range(n)]


def cell(rows, measure, **which):
    own = rows[rows["measure"] == measure]
    for name, value in which.items():
        own = own[own[name] == value]
    (found,) = own.to_dict("records")
    return found


def test_a_stated_reference() -> None:
    """85% stated: the process is that of all units in order of time, then of unit."""
    late, early = batch("a", agreeing(50, 30), day=3), batch("z", agreeing(50, 45), day=2)
    rows = drift.drift(pd.concat([late, early]), alpha=0.05, reference={"mood": 0.85})
    assert list(rows.columns) == tables.columns(tables.ASSESSMENTS)
    found = cell(rows, "e.process")
    expected = e_process(agreeing(50, 45) + agreeing(50, 30), 0.85, alpha=0.05)
    assert found["value"] == pytest.approx(expected.process[-1])
    assert found["high"] == pytest.approx(expected.process.max())
    assert found["p"] == pytest.approx(expected.p)
    assert (found["batch"], found["n"], found["verdict"]) == ("a", 100, "alarm")
    assert f"alarm in batch a, after {expected.alarm} units" in found["note"]
    assert cell(rows, "reference")["method"] == "stated"
    assert cell(rows, "agreement", batch="z")["value"] == 0.9
    assert cell(rows, "agreement", batch="a")["value"] == 0.6


def test_the_first_batch_gives_the_reference() -> None:
    """Its exact lower bound at alpha/2, an alarm at 2/alpha, and p with alpha/2 added."""
    parts = [batch("one", agreeing(200, 170), day=1), batch("two", agreeing(100, 50), day=2)]
    rows = drift.drift(pd.concat(parts), alpha=0.05)
    p0 = binomtest(170, 200, alternative="greater").proportion_ci(0.975).low
    reference = cell(rows, "reference")
    assert reference["value"] == pytest.approx(p0)
    assert reference["n"] == 200
    assert "170 of 200 agree" in reference["method"]
    found = cell(rows, "e.process")
    expected = e_process(agreeing(100, 50), p0, alpha=0.025)
    assert found["value"] == pytest.approx(expected.process[-1])
    assert found["p"] == pytest.approx(expected.p + 0.025)
    assert found["n"] == 100
    assert "alarm at 40" in found["method"]
    assert found["verdict"] == "alarm"


def test_as_good_as_ever_is_no_alarm() -> None:
    """And says that this is no proof of anything."""
    parts = [batch(name, agreeing(100, 85), day=day) for day, name in enumerate("abc", start=1)]
    found = cell(drift.drift(pd.concat(parts)), "e.process")
    assert found["verdict"] == "no alarm"
    assert found["note"].startswith("no evidence that agreement is below")


def test_another_model_prompt_or_codebook_starts_anew() -> None:
    """Each has its own reference and its own process, though units stand in the same batches."""
    old = [batch("a", agreeing(100, 90)), batch("b", agreeing(100, 90), day=2)]
    prompt = [
        batch("b", agreeing(100, 40), model="model:m@2", day=2),
        batch("c", agreeing(100, 40), model="model:m@2", day=3),
    ]
    book = [
        batch("d", agreeing(100, 30), codebook="k2", day=4),
        batch("e", agreeing(100, 30), codebook="k2", day=5),
    ]
    rows = drift.drift(pd.concat([*old, *prompt, *book]))
    alone = pd.concat([drift.drift(pd.concat(part)) for part in (old, prompt, book)])
    keys = tables.keys(tables.ASSESSMENTS)
    pd.testing.assert_frame_equal(
        rows.sort_values(keys, ignore_index=True), alone.sort_values(keys, ignore_index=True)
    )
    assert set(rows.loc[rows["measure"] == "e.process", "verdict"]) == {"no alarm"}


def test_nothing_to_compare_is_said() -> None:
    """A single batch, and a first batch in which nobody agreed."""
    alone = cell(drift.drift(batch("a", agreeing(20, 18))), "e.process")
    assert (alone["value"], alone["verdict"]) == (1.0, "undefined")
    assert "no batch after" in alone["note"]
    parts = [batch("a", [0] * 20), batch("b", [0] * 20, day=2)]
    none = cell(drift.drift(pd.concat(parts)), "e.process")
    assert math.isnan(none["value"])
    assert "no unit of the first batch agrees" in none["note"]


def test_no_history_has_no_rows() -> None:
    """An empty frame gives an empty frame."""
    assert len(drift.drift(batch("a", []))) == 0


def test_the_order_of_rows_changes_nothing() -> None:
    """Batches come by time, units by key."""
    parts = pd.concat([batch("a", agreeing(60, 50)), batch("b", agreeing(60, 40), day=2)])
    mixed = parts.sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(drift.drift(parts), drift.drift(mixed))


def test_histories_that_are_no_audit_are_refused() -> None:
    """A share instead of 0 or 1, a unit with two coders, a missing column."""
    with pytest.raises(TableError, match="does not"):
        drift.drift(batch("a", [0.5]))
    with pytest.raises(TableError, match="stands twice"):
        drift.drift(pd.concat([batch("a", [1]), batch("a", [0])]))
    with pytest.raises(TableError, match="no column 'unit'"):
        drift.drift(batch("a", [1]).drop(columns="unit"))


def test_units_drawn_unequally_are_thinned() -> None:
    """An enriched batch: agreement is .5 among the units drawn twice as often, .9 among others."""
    enriched = batch("a", agreeing(200, 100) + agreeing(200, 180))
    enriched["unit_probability"] = [0.4] * 200 + [0.2] * 200
    found = cell(drift.drift(enriched), "agreement")
    assert 260 < found["n"] < 340
    assert found["value"] == pytest.approx((50 + 180) / 300, abs=0.06)


@pytest.mark.parametrize("unknown", [math.nan, 0.0, 1.5])
def test_a_unit_without_a_probability_is_refused(unknown: float) -> None:
    """What was drawn with an unknown probability cannot be made even with the others."""
    drawn = batch("a", agreeing(4, 2)).assign(unit_probability=[0.4, 0.4, 0.4, unknown])
    with pytest.raises(TableError, match="1 coded units have no drawing probability"):
        drift.drift(drawn)


def test_alphas_by_batch() -> None:
    """The statistic of the same stream, undefined where there is but one alpha."""
    history = pd.concat([batch("a", agreeing(50, 45)), batch("b", agreeing(50, 45), day=2)])
    same = {"model": "model:m@1", "codebook": "k1", "variable": "mood"}
    alphas = pd.DataFrame(
        [
            {**same, "batch": "a", "value": 0.8, "se": 0.05},
            {**same, "batch": "b", "value": 0.7, "se": 0.05},
            {**same, "batch": "b", "value": 0.1, "se": 0.01, "variable": "other"},
        ]
    )
    found = cell(drift.drift(history, alphas=alphas), "alpha.homogeneity")
    assert found["value"] == pytest.approx(math.log(1.5) ** 2 / (1 / 16 + 1 / 36))
    assert found["verdict"] == "no difference shown"
    single = cell(drift.drift(history, alphas=alphas[:1]), "alpha.homogeneity")
    assert single["verdict"] == "undefined"


def test_the_mix_of_codes_only_flags() -> None:
    """Half good becomes 30%: a flag, without a word from a human; a single batch has no shift."""
    history = pd.concat([batch("a", agreeing(50, 45)), batch("b", agreeing(50, 45), day=2)])
    same = {"model": "model:m@1", "codebook": "k1", "variable": "mood"}
    mix = pd.DataFrame(
        [
            {**same, "batch": name, "created": f"2024-01-0{day}", "code": code, "n": n}
            for name, day, good in (("z", 1, 50), ("b", 2, 30))
            for code, n in (("good", good), ("bad", 100 - good))
        ]
    )
    rows = drift.drift(history, mix=mix)
    assert cell(rows, "mix.chi2")["value"] == pytest.approx(25 / 3)
    assert cell(rows, "mix.chi2")["verdict"] == "flag"
    assert cell(rows, "mix.psi")["verdict"] == "flag"
    assert "people must say" in cell(rows, "mix.psi")["note"]
    assert cell(rows, "e.process")["verdict"] == "no alarm"
    alone = cell(drift.drift(history, mix=mix[:2]), "mix.chi2")
    assert alone["verdict"] == "undefined"


def test_false_alarms_with_a_first_batch_of_luck() -> None:
    """Made-up studies at .85 throughout: 5% alarms at most, whatever the first batch's luck."""
    rng = np.random.default_rng(8)
    alarms, studies = 0, repetitions(300)
    for _ in range(studies):
        parts = [
            batch(f"b{day}", (rng.random(60) < 0.85).astype(int).tolist(), day=day)
            for day in range(1, 6)
        ]
        alarms += cell(drift.drift(pd.concat(parts)), "e.process")["verdict"] == "alarm"
    assert alarms <= binom.ppf(0.999, studies, 0.05)
