"""What enters a figure, and why the rest fell out, counted by hand."""

from __future__ import annotations

import pandas as pd
from builders import book, choice

from labeler.coding.annotations import BARE, LEFT_OUT, SEEN, SKIPPED
from labeler.coding.batch import BatchCodings
from labeler.reliability.units_entered import UnitsEntered, sentence, unit_tasks, units_entered
from labeler.store import tables

BOOK = book(
    choice("mood", "good bad"),
    choice("why", "this that", applies_when={"mood": ["bad"]}),
    choice("topic", "work home", of="segment"),
)
ADA, BEN, CY, MODEL = "human:ada", "human:ben", "human:cy", "model:x@1"
LEFT = ["n_single", "n_pending", "n_skipped", "n_seen", "n_unasked", "n_open", "n_unsuggested"]


def entered(
    units: dict[str, dict[str, str]],
    panel: str = "humans",
    *,
    variable: str = "mood",
    arm: str = "blind",
    groups: dict[str, str] | None = None,
    design: str = "",
) -> UnitsEntered:
    """{unit: {coder: what became of the task}}: a value, coded (no value), to do, or a reason."""
    codings, who, drawn, out = [], [], [], []
    for unit, coders in units.items():
        for coder, became in coders.items():
            own = {"unit": unit, "coder": coder, "arm": arm if coder != MODEL else ""}
            if coder != MODEL:
                drawn.append(own)
            if became in (SKIPPED, SEEN, BARE):
                out.append({**own, "batch": "b", "why": became})
            elif became != "to do":
                who.append({**own, "replicate": 1})
                if became != "coded":
                    coding = {"codebook": "k", "variable": variable, "value": became}
                    codings.append({**own, **coding, "replicate": 1})
    row = {"batch": "b", "suggester": MODEL, "design": design}
    known = pd.DataFrame(list((groups or {}).items()), columns=["coder", "coder_group"])
    batch = BatchCodings.of_tables(
        row,
        BOOK,
        pd.DataFrame(who, columns=["unit", "coder", "arm", "replicate"]),
        {"codings": tables.frame(tables.CODINGS, codings), "coders": known},
    )
    tasks = unit_tasks(
        batch,
        pd.DataFrame(drawn, columns=["unit", "coder", "arm"]),
        pd.DataFrame(out, columns=LEFT_OUT),
    )
    named = {panel.name: panel for panel in batch.panels}
    return units_entered(tasks.of(batch, variable), named[panel])


def counts(found: UnitsEntered) -> dict[str, int]:
    """The reasons that hold of some unit."""
    left = {name: getattr(found, name) for name in LEFT}
    assert found.n_compared + sum(left.values()) == found.n_there
    return {name: number for name, number in left.items() if number}


def test_every_unit_that_fell_out_has_one_reason() -> None:
    """Of ten units two are compared, one by three coders: 1 + 3 pairs; each other lacks something.

    A unit that one coder skipped and another has still to code is a skipped one.
    """
    found = entered(
        {
            "u0": {ADA: "good", BEN: "bad"},
            "u1": {ADA: "good", BEN: "good", CY: "bad"},
            "u2": {ADA: "good", BEN: "to do"},
            "u3": {ADA: SKIPPED, BEN: "good"},
            "u4": {ADA: "good"},
            "u5": {ADA: "to do", BEN: "to do"},
            "u6": {ADA: SKIPPED, BEN: "to do"},
            "u7": {ADA: SEEN, BEN: SKIPPED},
            "u8": {ADA: "coded", BEN: "coded"},
            "u9": {ADA: SEEN, BEN: "bad"},
        }
    )
    assert (found.n_compared, found.n_pairs, found.n_there) == (2, 1 + 3, 10)
    assert counts(found) == {
        "n_single": 4,
        "n_pending": 1,
        "n_skipped": 1,
        "n_seen": 1,
        "n_open": 1,
    }
    assert found.left_out == (
        "4 coded by one (1 not yet by another, 1 skipped by another, 1 excluded of another, who "
        "had seen the text with codes in view, 1 given to nobody else); 1 not yet coded; "
        "1 skipped by a coder; 1 excluded, since the coder had seen the text with codes in view; "
        "1 without a value (not applicable or left open)"
    )
    assert sentence(found) == (
        f"2 of 10 units entered (4 pairs of codes); left out: {found.left_out}"
    )


def test_one_reason_of_what_one_coded_stands_without_its_number() -> None:
    found = entered({"u0": {ADA: "good", BEN: "to do"}, "u1": {ADA: "bad", BEN: "to do"}})
    assert found.left_out == "2 coded by one (not yet by another)"


def test_all_enter_and_nothing_is_said() -> None:
    found = entered({"u0": {ADA: "good", BEN: "bad"}})
    assert (counts(found), found.left_out) == ({}, "")
    assert sentence(found) == "1 of 1 unit entered (1 pair of codes)"


def test_what_the_model_lacks_is_no_fault_of_people() -> None:
    """u0: two humans face the model, two pairs; u1: no answer; u2: nobody coded; u3: no value."""
    found = entered(
        {
            "u0": {ADA: "good", BEN: "bad", MODEL: "good"},
            "u1": {ADA: "good", BEN: "good"},
            "u2": {ADA: "to do", BEN: SKIPPED, MODEL: "good"},
            "u3": {ADA: "good", BEN: "good", MODEL: "coded"},
        },
        f"{MODEL} vs humans",
    )
    assert (found.n_compared, found.n_pairs, found.n_there) == (1, 2, 4)
    assert counts(found) == {"n_skipped": 1, "n_open": 1, "n_unsuggested": 1}
    assert found.left_out == (
        "1 without a suggestion; 1 skipped by a coder; "
        "1 without a value (not applicable or left open)"
    )


def test_an_assisted_task_without_a_suggestion_is_one_without() -> None:
    found = entered(
        {"u0": {ADA: "good", MODEL: "good"}, "u1": {ADA: BARE}},
        f"{MODEL} vs humans, assisted",
        arm="assisted",
    )
    assert (found.n_compared, counts(found)) == (1, {"n_unsuggested": 1})


def test_who_was_not_asked_left_nothing_open() -> None:
    """The file of an imported batch is silent about one variable: not asked, of both coders."""
    found = entered(
        {"u0": {ADA: "coded", BEN: "coded"}},
        variable="why",
        design='{"imported": {"variables": ["mood"]}}',
    )
    assert counts(found) == {"n_unasked": 1}
    assert found.left_out == "1 not asked"


def test_an_empty_set_of_segments_is_a_value() -> None:
    """Both read the unit and marked nothing: compared."""
    found = entered({"u0": {ADA: "coded", BEN: "coded"}}, variable="topic")
    assert (found.n_compared, found.n_pairs) == (1, 1)


def test_between_groups_a_unit_needs_a_coder_of_each() -> None:
    """u0: one of each, and one more: two pairs; u1: two of one group alone."""
    found = entered(
        {
            "u0": {ADA: "good", BEN: "bad", CY: "bad"},
            "u1": {ADA: "good", BEN: "good", CY: "to do"},
        },
        "between clinicians and patients",
        groups={ADA: "clinicians", BEN: "clinicians", CY: "patients"},
    )
    assert (found.n_compared, found.n_pairs, found.n_there) == (1, 2, 2)
    assert found.left_out == "1 coded by one group alone (not yet by another)"


def test_nothing_is_nothing() -> None:
    """No coder, no unit."""
    found = entered({})
    assert found == (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "")
