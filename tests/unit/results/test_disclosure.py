"""Which estimates may leave: handmade rows."""

from __future__ import annotations

import pandas as pd
from builders import book

from labeler.results.disclosure import FEW, GUARD, withheld
from labeler.store import tables

CODES = [
    {"code": code, "label": code.title(), "definition": "Made up."}
    for code in ("good", "bad", "odd")
]


def variable(name: str, *, multiple: bool = False) -> dict[str, object]:
    return {
        "variable": name,
        "of": "unit",
        "label": name.title(),
        "question": "Which?",
        "definition": "Made up.",
        "level": "nominal",
        "multiple": multiple,
        "values": CODES,
    }


BOOK = book(variable("mood"), variable("topics", multiple=True))


def rows(*given: tuple[str, str, str, int | None], **more: str) -> pd.DataFrame:
    """ESTIMATES rows of code, by, within and authors."""
    fixed = {"batch": "b", "codebook": "k", "analysis": "a", "measure": "share"}
    fixed |= {"estimator": "blind", "target": "collection"} | more
    return tables.frame(
        tables.ESTIMATES,
        [
            {**fixed, "code": code, "by": by, "within": within, "authors": authors}
            for code, by, within, authors in given
        ],
    )


def test_a_code_among_exclusive_ones_takes_another_with_it() -> None:
    found = withheld(
        rows(("mood:good", "", "", 40), ("mood:bad", "", "", 5), ("mood:odd", "", "", 20)), BOOK
    )
    assert found == ["", FEW, GUARD]


def test_codes_that_go_together_do_not() -> None:
    found = withheld(
        rows(("topics:good", "", "", 40), ("topics:bad", "", "", 5), ("topics:odd", "", "", 20)),
        BOOK,
    )
    assert found == ["", FEW, ""]


def test_posts_of_one_platform_each_add_up_to_all() -> None:
    """The code in all, less what the other platforms show, is the platform with few."""
    found = withheld(
        rows(
            ("topics:good", "", "", 64),
            ("topics:good", "platform:x", "", 40),
            ("topics:good", "platform:reddit", "", 21),
            ("topics:good", "platform:bluesky", "", 3),
        ),
        BOOK,
    )
    assert found == ["", "", GUARD, FEW]


def test_what_one_table_hides_no_other_shows() -> None:
    """The same cell by another estimator, for another target, in another order of its parts."""
    first = rows(("mood:bad", "topics:odd", "", 4), ("mood:good", "topics:odd", "", 30))
    other = rows(
        ("topics:odd", "mood:bad", "", 4),
        ("topics:odd", "mood:good", "", 30),
        analysis="b",
        estimator="corrected",
        target="population",
    )
    assert withheld(pd.concat([first, other], ignore_index=True), BOOK) == [FEW, GUARD] * 2


def test_a_difference_goes_with_either_of_its_cells() -> None:
    shares = rows(("mood:good", "platform:x", "", 40), ("mood:good", "platform:y", "", 4))
    gap = rows(("mood:good", "platform:x", "platform:y", None), measure="difference")
    assert withheld(pd.concat([shares, gap], ignore_index=True), BOOK) == [GUARD, FEW, FEW]


def test_the_models_own_cells_are_others() -> None:
    """How many authors the model found says nothing of how many people found."""
    people = rows(("topics:bad", "", "", 5))
    model = rows(("topics:bad", "", "", 300), estimator="model")
    assert withheld(pd.concat([people, model], ignore_index=True), BOOK) == [FEW, ""]


def test_a_mean_is_no_code_of_its_variable() -> None:
    found = withheld(
        pd.concat(
            [
                rows(("mood:good", "", "", 40), ("mood:bad", "", "", 0)),
                rows(("mood", "", "", 40), measure="mean"),
            ],
            ignore_index=True,
        ),
        BOOK,
    )
    assert found == ["", "", ""]
