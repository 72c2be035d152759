"""`labeler alt-test FILE` and `labeler anchoring FILE`, as a person runs them. All made up."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from running import Labeler


@pytest.fixture
def labeler(tmp_path: Path) -> Labeler:
    """No project: an empty folder."""
    return Labeler(tmp_path)


def write(path: Path, rows: list[tuple[object, ...]]) -> Path:
    """A CSV file; the first row is its header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def wide(path: Path, units: int) -> Path:
    """Three humans and two models: one says what they say, the other always 'no'."""
    codes = ["yes", "maybe"] * (units // 2)
    rows = [(f"p{place}", code, code, code, code, "no") for place, code in enumerate(codes)]
    return write(path, [("post_id", "ada", "ben", "cyn", "good", "bad"), *rows])


def nested(path: Path, units: int) -> Path:
    """Suggested 'warm': all who see it say so, of the two blind coders one does."""
    coders = ["ada", "ben", "cyn"]
    rows: list[tuple[object, ...]] = []
    for unit in range(units):
        for seat, value in enumerate(["warm", "warm", "cold"]):
            arm, seconds = ("blind", 60) if seat else ("assisted", 6)
            rows.append((f"p{unit}", coders[(unit + seat) % 3], arm, value, seconds))
        rows.append((f"p{unit}", "gpt", "", "warm", ""))
    return write(path, [("unit", "coder", "arm", "value", "seconds"), *rows])


def test_a_wide_table_of_models_and_humans(labeler: Labeler) -> None:
    """The model that agrees passes, the one that never does fails; epsilon is stated."""
    file = wide(labeler.root / "codes.csv", 40)
    found = labeler("alt-test", file, "--model", "good", "--model", "bad", "--json").json
    assert (found["n_units"], found["n_humans"], found["epsilon"]) == (40, 3, 0.2)
    good, bad = found["models"]["good"], found["models"]["bad"]
    assert (good["winning_rate"], good["verdict"]) == (1.0, "pass")
    assert (bad["winning_rate"], bad["verdict"]) == (0.0, "fail")
    assert set(good["humans"]) == {"ada", "ben", "cyn"}
    assert good["humans"]["ada"]["p"] == pytest.approx(0.8**40)
    assert good["advantage_probability"]["value"] == 1.0
    told = labeler("alt-test", file, "--model", "good", "--coders", "ada,ben,cyn").out
    assert "pass: winning rate 1.00 (3 of 3 humans" in told
    assert "epsilon 0.2" in told
    assert len(told.splitlines()) <= 10


def test_a_long_table_with_few_units(labeler: Labeler) -> None:
    """20 units are refused with the reason, and tested by Wilcoxon where that is asked for."""
    rows = [
        (f"p{unit}", coder, "yes") for unit in range(20) for coder in ("ada", "ben", "cyn", "gpt")
    ]
    file = write(labeler.root / "long.csv", [("unit", "coder", "value"), *rows])
    words = ("alt-test", file, "--unit", "unit", "--coder", "coder", "--value", "value")
    told = labeler(*words, "--model", "gpt").out
    assert "undefined" in told
    assert "20 units shared with other humans, fewer than 30" in told
    asked = labeler(*words, "--model", "gpt", "--wilcoxon", "--json").json["models"]["gpt"]
    assert asked["verdict"] == "pass"
    assert "Wilcoxon" in asked["humans"]["ada"]["method"]


def test_wrong_words_are_told(labeler: Labeler) -> None:
    """An unknown model, a score that does not fit: what is wrong, and what there is."""
    file = wide(labeler.root / "codes.csv", 40)
    assert (
        "there are: ada, bad, ben, cyn, good"
        in labeler("alt-test", file, "--model", "best", code=1).err
    )
    labeler("alt-test", file, "--model", "good", "--score", "masi", code=2)
    labeler("alt-test", file, "--model", "good", "--epsilon", "1.5", code=2)


def test_anchoring_of_a_long_table(labeler: Labeler) -> None:
    """The model is found by having no arm; D = 1/2, and hurried acceptance is flagged."""
    file = nested(labeler.root / "arms.csv", 30)
    found = labeler("anchoring", file, "--lead-time", "seconds", "--json").json
    assert (found["model"], found["n_units"], found["n_units_in_both_arms"]) == ("gpt", 30, 30)
    assert found["verdict"] == "anchored"
    assert found["bound"] == 0.05
    inflation = found["measures"]["agreement_inflation"]
    assert inflation["value"] == pytest.approx(0.5)
    assert inflation["low"] < 0.5 < inflation["high"] <= 1
    assert inflation["p"] == pytest.approx(0.001)
    assert found["per_code"]["cold"]["prevalence_shift"]["value"] == pytest.approx(-0.5)
    assert found["coders"]["ada"]["rubber_stamping"]["verdict"] == "flagged"
    told = labeler("anchoring", file, "--lead-time", "seconds", "--bound", "0.9").out
    assert "anchored, but within ±0.9: 100.0% agree with the suggestion in view" in told
    assert "3 of 3 coders flagged" in told
    again = labeler("anchoring", file, "--lead-time", "seconds", "--json").json
    assert again == found


def test_the_model_beside_each_coding(labeler: Labeler) -> None:
    """The suggestions may stand in a column, and columns and arms may have other names."""
    rows = [
        (f"p{unit}", who, arm, code, "warm")
        for unit in range(8)
        for who, arm, code in (
            (f"c{unit % 2}", "with", "warm"),
            (f"c{1 - unit % 2}", "without", "cold"),
        )
    ]
    file = write(labeler.root / "t.csv", [("id", "who", "view", "code", "gpt"), *rows])
    words = ["--unit", "id", "--coder", "who", "--arm", "view", "--value", "code"]
    words += ["--blind", "without", "--assisted", "with", "--model", "gpt"]
    found = labeler("anchoring", file, *words, "--json").json
    assert found["measures"]["agreement_inflation"]["value"] == 1
    assert found["measures"]["agreement_inflation"]["p"] == pytest.approx(2 / 2**8)
    assert found["measures"]["over_reliance"]["value"] is None
    assert "nobody independent judges" in found["measures"]["over_reliance"]["note"]


def test_what_is_missing_is_told(labeler: Labeler) -> None:
    """No such column, no model to be found, one arm alone, a lead time in words."""
    file = nested(labeler.root / "arms.csv", 6)
    assert "no column is called 'way'" in labeler("anchoring", file, "--arm", "way", code=1).err
    rows = [("unit", "coder", "arm", "value", "s"), ("p", "ada", "blind", "x", "long")]
    alone = write(labeler.root / "alone.csv", rows)
    assert "--model NAME says it" in labeler("anchoring", alone, code=1).err
    both = write(labeler.root / "both.csv", [*rows, ("p", "gpt", "", "x", "")])
    assert "undefined: nothing to compare: no assisted coding" in labeler("anchoring", both).out
    words = labeler("anchoring", both, "--lead-time", "s", code=1).err
    assert "line 2, column 's': 'long' is no number of seconds" in words
