"""The draw: who codes what, in which arm, with which probability."""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from thorough import examples, repetitions

from labeler.errors import InputError
from labeler.sampling import design as sampling
from labeler.sampling.design import Design, Strata
from labeler.store import tables

CODERS = ("human:ada", "human:bob", "human:cy", "human:di")


def names(size):
    return [f"unit{place:04}" for place in range(size)]


def drawn(units, design, suggester="cues@1"):
    return sampling.draw(
        units, design, batch="one", codebook="k", suggester=suggester, created="2024-01-01"
    )


@st.composite
def designs(draw):
    """A frame and a design that fits it."""
    coders = draw(st.integers(1, 4))
    blind = draw(st.integers(0, 25))
    assisted = draw(st.integers(0 if blind else 1, 25))
    spare = draw(st.integers(0, 30))
    overlap = draw(st.integers(1, coders))
    seed = draw(st.integers(0, 2**32))
    return names(blind + assisted + spare), Design(blind, assisted, overlap, CODERS[:coders], seed)


@examples(20)
@given(designs(), st.randoms())
def test_a_draw_depends_on_frame_and_seed_alone(case, chance):
    """The same units in any order, some of them twice, give the same batch, seats and tasks."""
    units, design = case
    turned = units + units[: len(units) // 2]
    chance.shuffle(turned)
    for one, other in zip(drawn(units, design), drawn(turned, design), strict=True):
        pd.testing.assert_frame_equal(one, other)


@examples(20)
@given(designs())
def test_arms_hold_their_sizes_and_share_no_unit(case):
    """As many units as asked in each arm, each with its number of coders, none in both arms."""
    units, design = case
    tasks = drawn(units, design).tasks
    of_arm = {arm: set(tasks.loc[tasks["arm"] == arm, "unit"]) for arm in ("blind", "assisted")}
    assert len(of_arm["blind"]) == design.blind
    assert len(of_arm["assisted"]) == design.assisted
    assert not of_arm["blind"] & of_arm["assisted"]
    times = tasks.groupby(["arm", "unit"]).size()
    assert set(times.get("blind", pd.Series(dtype=int))) <= {design.overlap}
    assert set(times.get("assisted", pd.Series(dtype=int))) <= {1}


@examples(20)
@given(designs())
def test_loads_differ_by_one_at_most(case):
    """In each arm the busiest coder has one task more than the least busy one, or none more."""
    units, design = case
    tasks = drawn(units, design).tasks
    for _, arm in tasks.groupby("arm"):
        loads = [int((arm["coder"] == coder).sum()) for coder in design.coders]
        assert max(loads) - min(loads) <= 1


@examples(20)
@given(designs())
def test_probabilities_add_up_to_the_sizes(case):
    """Over the frame, unit probabilities add up to the arm's size, task ones to a coder's load.

    Each of N units has the probability n/N; a coder's is that times the coders a unit / coders,
    so that over all units and coders it adds up to the arm's tasks.
    """
    units, design = case
    tasks = drawn(units, design).tasks
    for name, arm in tasks.groupby("arm"):
        size = design.blind if name == "blind" else design.assisted
        assert (arm["unit_probability"] * len(units)).tolist() == pytest.approx([size] * len(arm))
        total = arm["task_probability"] * len(units) * len(design.coders)
        assert total.tolist() == pytest.approx([len(arm)] * len(arm))


@examples(15)
@given(designs(), st.integers(1, 30))
def test_posts_that_come_later_keep_the_order_of_the_others(case, more):
    """With a larger frame, the old units that are still drawn blind are the first ones of before.

    The order of two units never depends on a third: a later post only pushes some out.
    """
    units, design = case
    if not design.blind:
        return
    larger = drawn([*units, *(f"late{place}" for place in range(more))], design).tasks
    still = set(larger.loc[larger["arm"] == "blind", "unit"]) & set(units)
    few = design._replace(blind=len(still), assisted=0)
    if not still:
        return
    before = drawn(units, few).tasks
    assert set(before["unit"]) == still


def test_positions_count_up_at_each_seat_in_orders_of_their_own():
    """Positions run from 1 at each seat; two coders of the same units meet them in other orders."""
    tasks = drawn(names(40), Design(30, 0, 2, CODERS[:2], 7)).tasks
    orders = []
    for _, seat in tasks.groupby("coder"):
        assert sorted(seat["position"]) == list(range(1, 31))
        orders.append(seat.sort_values("position")["unit"].tolist())
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])


def test_coders_meet_in_every_pair():
    """Over 240 units for two of four coders each, each of the six pairs meets near 40 times.

    With chance alone a count has a standard deviation below 6: between 20 and 60 is 3 of them.
    """
    tasks = drawn(names(240), Design(240, 0, 2, CODERS, 1)).tasks
    pairs = Counter(
        pair
        for _, coders in tasks.groupby("unit")["coder"]
        for pair in combinations(sorted(coders), 2)
    )
    assert len(pairs) == 6
    assert all(20 <= times <= 60 for times in pairs.values())


def test_each_unit_is_as_likely_as_another():
    """Over 100 seeds, a unit of 20 is drawn into an arm of 5 about 25 times (sd 4.3).

    S seeds: S / 4 times, with a standard deviation of sqrt(3 S / 16), of which 4 are allowed.
    """
    seeds = repetitions(100)
    times = Counter(
        unit
        for seed in range(seeds)
        for unit in drawn(names(20), Design(5, 0, 1, CODERS[:1], seed)).tasks["unit"]
    )
    allowed = 4 * (3 * seeds / 16) ** 0.5
    assert sum(times.values()) == 5 * seeds
    assert all(abs(drawn_times - seeds / 4) <= allowed for drawn_times in times.values())


def test_batch_and_seats_describe_the_draw():
    """The batch keeps its design and the size of its frame; a seat is a coder in an arm."""
    batches, seats, _ = drawn(names(9), Design(2, 1, 2, CODERS[:2], 3))
    assert json.loads(batches["design"].iloc[0]) == {
        "blind": 2,
        "assisted": 1,
        "overlap": 2,
        "coders": ["human:ada", "human:bob"],
        "seed": 3,
        "nested": False,
        "drawing": "simple",
        "by": [],
        "allocation": "proportional",
        "floor": 0.2,
        "repeat": 0.0,
        "after": 10,
        "frame": 9,
        "strata": {"": [9, 3]},
    }
    assert sorted(zip(seats["arm"], seats["coder"], strict=True))[1:] == [
        ("blind", "human:ada"),
        ("blind", "human:bob"),
    ]
    assert seats["project"].isna().all()
    assert list(seats.columns) == tables.columns(tables.SEATS)


@pytest.mark.parametrize(
    ("design", "suggester", "said"),
    [
        (Design(0, 0, 1, CODERS, 1), "c", "asks for no unit"),
        (Design(-1, 5, 1, CODERS, 1), "c", "asks for no unit"),
        (Design(8, 3, 1, CODERS, 1), "c", "asks for 11 units, but 10 are free"),
        (Design(2, 0, 1, (), 1), "c", "coders of different names"),
        (Design(2, 0, 1, ("a", "a"), 1), "c", "coders of different names"),
        (Design(2, 0, 5, CODERS, 1), "c", "overlap of 5 does not fit 4 coders"),
        (Design(2, 0, 0, CODERS, 1), "c", "overlap of 0 does not fit"),
        (Design(2, 1, 1, CODERS, 1), "", "the assisted arm needs suggestions"),
    ],
)
def test_a_design_that_does_not_fit_says_why(design, suggester, said):
    """Each impossible wish is named with the option to change."""
    with pytest.raises(InputError, match=said):
        drawn(names(10), design, suggester)


def test_a_blind_batch_needs_no_suggester():
    """Without an assisted arm, nobody has to have pre-labelled."""
    assert len(drawn(names(3), Design(3, 0, 1, CODERS[:1], 1), suggester="").tasks) == 3


@st.composite
def nested_designs(draw):
    """A frame and a nested design: blind units among the assisted ones, by other coders."""
    coders = draw(st.integers(2, 4))
    assisted = draw(st.integers(1, 40))
    blind = draw(st.integers(1, assisted))
    overlap = draw(st.integers(1, coders - 1))
    seed = draw(st.integers(0, 2**32))
    plan = Design(blind, assisted, overlap, CODERS[:coders], seed, nested=True)
    return names(assisted + draw(st.integers(0, 30))), plan


@examples(30)
@given(nested_designs())
def test_a_nested_design_is_a_crossover(case):
    """Blind units are among the assisted; nobody has a unit twice; loads in each arm differ by one.

    So each coder works in both arms, unless there are fewer units than coders.
    """
    units, design = case
    tasks = drawn(units, design).tasks
    of_arm = {arm: set(own["unit"]) for arm, own in tasks.groupby("arm")}
    assert len(of_arm["assisted"]) == design.assisted
    assert len(of_arm["blind"]) == design.blind
    assert of_arm["blind"] <= of_arm["assisted"]
    assert not tasks.duplicated(["coder", "unit"]).any()
    assert set(tasks.groupby(["arm", "unit"]).size()["blind"]) == {design.overlap}
    for arm in ("blind", "assisted"):
        loads = [
            int(((tasks["arm"] == arm) & (tasks["coder"] == coder)).sum())
            for coder in design.coders
        ]
        assert max(loads) - min(loads) <= 1


@examples(20)
@given(nested_designs())
def test_nested_probabilities_are_those_of_two_phases(case):
    """Assisted: pi1 = n/N. Blind: pi1 pi2 = n/N m/n = m/N; pi2 is their ratio."""
    units, design = case
    tasks = drawn(units, design).tasks
    first = tasks.loc[tasks["arm"] == "assisted", "unit_probability"]
    both = tasks.loc[tasks["arm"] == "blind", "unit_probability"]
    assert set(first) == {design.assisted / len(units)}
    assert both.tolist() == pytest.approx([design.blind / len(units)] * len(both))


STRATA = Strata(
    of={unit: "rare" if place < 4 else "some" if place < 12 else "many"
        for place, unit in enumerate(names(40))},
    weight={"rare": 4.0, "some": 2.0, "many": 1.0},
)  # fmt: skip
SCHEMES = {
    "simple": (Design(4, 8, 1, CODERS[:2], 0), None),
    "simple, nested": (Design(4, 12, 2, CODERS[:3], 0, nested=True), None),
    "strata": (Design(4, 8, 2, CODERS[:3], 0, drawing="enriched"), STRATA),
    "strata, nested": (Design(4, 12, 2, CODERS[:3], 0, True, "enriched"), STRATA),
    "with repeats": (Design(9, 3, 1, CODERS[:1], 0, repeat=0.34, after=3), None),
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_frequencies_are_the_probabilities_that_were_stored(scheme):
    """Over 400 seeds, each unit and each task comes as often as its stored probability says.

    A frequency among S seeds has the standard deviation sqrt(p (1 - p) / S). With k frequencies
    compared, one beyond z of them has a probability below k exp(-z^2 / 2) sqrt(2 / pi) / z: for
    z = 5 and k = 560 below 1e-4.
    """
    design, strata = SCHEMES[scheme]
    units, seeds = names(40), repetitions(400)
    times, stored = Counter(), {}
    for seed in range(seeds):
        tasks = sampling.draw(
            units, design._replace(seed=seed), batch="one", codebook="k", suggester="cues@1",
            created="", strata=strata,
        ).tasks  # fmt: skip
        for row in tasks.itertuples():
            times[row.arm, row.coder, row.unit] += 1
            stored.setdefault((row.arm, row.coder, row.unit), row.task_probability)
            assert stored[row.arm, row.coder, row.unit] == pytest.approx(row.task_probability)
        for row in tasks[tasks["arm"] != "repeat"].drop_duplicates(["arm", "unit"]).itertuples():
            times[row.arm, row.unit] += 1
            stored.setdefault((row.arm, row.unit), row.unit_probability)
    for which, chance in stored.items():
        spread = (chance * (1 - chance) / seeds) ** 0.5
        assert abs(times[which] / seeds - chance) <= 5 * spread + 1e-9, which


def test_strata_get_what_their_weight_says():
    """12 of 40 units: sizes 4, 8, 28 with weights 4, 2, 1 claim 16 : 16 : 28 of 60: 3, 3 and 6.

    The weights of the strata stand in the design with N_h and n_h, the stratum beside the task.
    """
    design = SCHEMES["strata"][0]
    batches, _, tasks = sampling.draw(
        names(40), design, batch="one", codebook="k", suggester="c", created="", strata=STRATA
    )
    told = json.loads(batches["design"].iloc[0])["strata"]
    assert told == {"rare": [4, 3], "some": [8, 3], "many": [28, 6]}
    drawn_units = tasks.drop_duplicates("unit")["stratum"].value_counts().to_dict()
    assert drawn_units == {"rare": 3, "some": 3, "many": 6}


def test_repeats_come_back_after_others():
    """A fifth of 20 blind units comes back, each with 8 others behind its first place."""
    design = Design(20, 0, 2, CODERS[:2], 5, repeat=0.2, after=8)
    tasks = drawn(names(30), design).tasks
    for coder in design.coders:
        own = tasks[tasks["coder"] == coder].set_index("unit")
        again = own[own["arm"] == "repeat"]
        first = own[own["arm"] == "blind"].loc[again.index]
        assert len(again) == 4
        assert sorted(again["position"]) == [1, 2, 3, 4]
        assert (first["position"] <= 12).all()
        assert again["task_probability"].tolist() == pytest.approx([20 / 30 * 4 / 20] * 4)


@pytest.mark.parametrize(
    ("design", "said"),
    [
        (Design(3, 2, 1, CODERS, 1, nested=True), "their number 3 must lie between 1 and 2"),
        (
            Design(2, 4, 4, CODERS, 1, nested=True),
            "nested design with an overlap of 4 needs 5 coders",
        ),
        (Design(6, 0, 1, CODERS[:1], 1, repeat=0.5, after=4), "so 2 can come back"),
        (Design(6, 0, 1, CODERS[:1], 1, repeat=2), "repeats are a share"),
    ],
)
def test_further_designs_that_do_not_fit_say_why(design, said):
    """Nested, repeated: each impossible wish is named with the option to change."""
    with pytest.raises(InputError, match=said):
        drawn(names(10), design)


def test_more_strata_than_units_are_refused():
    """A stratum without a unit would be out of reach for ever."""
    strata = Strata({unit: unit for unit in names(5)}, dict.fromkeys(names(5), 1.0))
    with pytest.raises(InputError, match="5 strata, but 3 units to draw"):
        sampling.draw(
            names(5), Design(3, 0, 1, CODERS, 1), batch="b", codebook="k", suggester="c",
            created="", strata=strata,
        )  # fmt: skip
