"""Agreement within and between groups of coders, with numbers made by hand."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from builders import book, choice

from labeler.coding.batch import BatchCodings
from labeler.reliability import gate
from labeler.reliability.coefficients import ACROSS, BatchCoefficients, reliability
from labeler.reliability.segments import ALL, segments_reliability
from labeler.store import tables

BOOK = book(
    choice("mood", "good bad"),
    choice("topic", "work home", of="segment"),
)
NURSES, PATIENTS = ("human:ada", "human:ben"), ("human:cy", "human:dan")
GROUPS = {**dict.fromkeys(NURSES, "nurses"), **dict.fromkeys(PATIENTS, "patients")}
ALPHA = "krippendorff_alpha.nominal"
# Of eight units the nurses find four good, the patients others: each group nearly as one.
DIFFERING = {
    "human:ada": "ggggbbbb",
    "human:ben": "ggggbbbg",
    "human:cy": "ggbbbbgg",
    "human:dan": "ggbbbbgb",
}


def computed(given: dict[str, str], groups: dict[str, str] = GROUPS) -> BatchCoefficients:
    """Of {coder: g, b or - for each unit}; `-`: has not coded it."""
    rows = [
        {"unit": f"u{unit}", "coder": coder, "arm": "blind", "replicate": 1, "value": value}
        for coder, values in given.items()
        for unit, value in enumerate(values)
        if value != "-"
    ]
    frame = pd.DataFrame(rows)
    named = frame["value"].map({"g": "good", "b": "bad"})
    codings = frame.assign(codebook="k", variable="mood", value=named)
    known = pd.DataFrame(list(groups.items()), columns=["coder", "coder_group"])
    batch = BatchCodings.of_tables(
        {"batch": "b", "suggester": "", "design": ""},
        BOOK,
        frame.drop(columns="value"),
        {"codings": tables.frame(tables.CODINGS, codings), "coders": known},
    )
    return reliability(batch)


def alphas(given: dict[str, str], groups: dict[str, str] = GROUPS) -> dict[str, float]:
    """Panel → alpha of the variable."""
    rows = computed(given, groups).rows
    own = rows[(rows["variable"] == "mood") & (rows["code"] == "") & (rows["coefficient"] == ALPHA)]
    return dict(zip(own["panel"], own["value"], strict=True))


def of_pairs(pairs: list[tuple[str, str]]) -> float:
    """Alpha of pairs of values, each pair once: 1 - Do/De by its definition."""
    values = [value for pair in pairs for value in pair]
    n, good = len(values), values.count("g")
    observed = np.mean([one != other for one, other in pairs])
    return 1 - observed / (2 * good * (n - good) / (n * (n - 1)))


def test_a_pooled_alpha_hides_that_each_group_agrees() -> None:
    """Within, each group differs on one unit of eight; between, half of the units are disputed.

    Within nurses: 16 values, 9 good; Do = 1/8, De = 2·9·7/(16·15); alpha = .762. Within patients
    7 of 16 good, the same. The pooled alpha lies at .354, that between the groups at .139.
    """
    found = alphas(DIFFERING)
    within = 1 - (1 / 8) / (2 * 9 * 7 / (16 * 15))
    assert found["within nurses"] == pytest.approx(within)
    assert found["within patients"] == pytest.approx(within)
    pairs = [
        (DIFFERING[one][unit], DIFFERING[other][unit])
        for one, other in product(NURSES, PATIENTS)
        for unit in range(8)
    ]
    assert found["between nurses and patients"] == pytest.approx(of_pairs(pairs))
    assert found["between nurses and patients"] == pytest.approx(0.139, abs=5e-4)
    assert found["humans"] == pytest.approx(0.354, abs=5e-4)


def test_between_one_coder_each_it_is_the_alpha_of_the_two() -> None:
    """A group of one has no panel within; between, the two are a pair as any other."""
    given = {coder: DIFFERING[coder] for coder in ("human:ada", "human:cy")}
    found = alphas(given)
    assert set(found) == {"humans", "between nurses and patients", "human:ada vs human:cy"}
    assert found["between nurses and patients"] == pytest.approx(found["humans"])


def test_a_pair_counts_once_wherever_its_unit_stands() -> None:
    """u0 was coded by all four, u1 by one of each: 4 + 1 pairs, of which 2 + 1 agree."""
    given = {"human:ada": "gb", "human:ben": "b-", "human:cy": "gb", "human:dan": "b-"}
    found = alphas(given)
    pairs = [("g", "g"), ("g", "b"), ("b", "g"), ("b", "b"), ("b", "b")]
    assert found["between nurses and patients"] == pytest.approx(of_pairs(pairs))


def test_rows_say_what_they_are_and_no_gate_judges_them() -> None:
    rows = computed(DIFFERING)
    own = rows.rows[rows.rows["kind"].isin(("within-group", "between-groups"))]
    assert set(own["panel"]) == {
        "within nurses",
        "within patients",
        "between nurses and patients",
    }
    assert set(own["evidence"]) == {1}
    across = own[own["kind"] == "between-groups"]
    assert across["note"].str.startswith(ACROSS).all()
    assert set(across["coders"]) == {",".join((*NURSES, *PATIENTS))}
    assert (across["n_pairs"].iloc[0], across["n_compared"].iloc[0]) == (32, 8)
    assert across["method"].str.contains("one-unit|over units", regex=True).any()
    assert set(rows.basis["panel"]) == {"humans"}
    assert set(gate.verdicts(rows.rows, rows.basis, run="r")["comparison"]) == {"human-human"}


def test_three_groups_meet_two_by_two() -> None:
    """Who has no group is in none of their panels."""
    groups = {"human:ada": "a", "human:ben": "b", "human:cy": "c"}
    assert {name for name in alphas(DIFFERING, groups) if " vs " not in name} == {
        "humans",
        "between a and b",
        "between a and c",
        "between b and c",
    }


def test_one_group_of_all_is_no_panel_of_its_own() -> None:
    """It would say what that of all humans says."""
    together = dict.fromkeys(DIFFERING, "nurses")
    assert not [name for name in alphas(DIFFERING, together) if name.startswith("within")]
    some = dict.fromkeys(NURSES, "nurses")
    assert [name for name in alphas(DIFFERING, some) if name.startswith("within")] == [
        "within nurses"
    ]


def test_segments_are_compared_within_and_between_groups() -> None:
    """One unit: the nurses mark [0, 4), the patients [5, 9): 1 within, 0 between, 4 of 12 pooled.

    Pooled: 2 pairs of 6 share all, so 2·2·4 of 6·8 characters.
    """
    who = pd.DataFrame([{"unit": "u", "coder": coder, "arm": "blind"} for coder in GROUPS])
    start = who["coder"].map(lambda coder: 0 if coder in NURSES else 5)
    marked = who.assign(codebook="k", replicate=1, segment="1", start=start, end=start + 4)
    rows = segments_reliability(
        tables.frame(tables.SEGMENTS, marked.assign(found="selected")),
        tables.frame(tables.CODINGS),
        who,
        pd.DataFrame([{"unit": "u", "text": "aaaa bbbb"}]),
        BOOK,
        suggester="",
        groups=GROUPS,
    )
    own = rows[(rows["variable"] == ALL) & (rows["coefficient"] == "span_f1.character")]
    values = dict(zip(own["panel"], own["value"], strict=True))
    assert values["within nurses"] == values["within patients"] == 1
    assert values["between nurses and patients"] == 0
    assert values["humans"] == pytest.approx(1 / 3)
    assert not math.isnan(own["n_units"].iloc[0])
