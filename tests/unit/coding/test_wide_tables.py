"""Tables with a column a variable or a coder. The codebook and codings are made up."""

from __future__ import annotations

import pandas as pd
import pytest

from labeler.codebook import codebook
from labeler.coding.wide_tables import TableRoles, long_rows
from labeler.errors import InputError

BOOK = codebook.read(
    """
codebook: weather
version: "1"
title: Weather
about: Made-up posts about the weather.
variables:
  - {variable: about, of: unit, label: About, question: Weather?, level: nominal, values: [
      {code: "yes", label: "Yes", definition: It is.}, {code: "no", label: "No", definition: No.}]}
  - {variable: warmth, of: unit, label: Warmth, question: How?, level: ordinal, values: [
      {code: "1", label: Cold, definition: Cold.}, {code: "2", label: Warm, definition: Warm.}]}
""",
    source="weather.yaml",
)


def table(**columns: list[str]) -> pd.DataFrame:
    """A table as it is read: text, from line 2 on."""
    lines = range(2, 2 + len(next(iter(columns.values()))))
    return pd.DataFrame(columns, index=pd.Index(lines, name="line"), dtype="str")


def rows(
    given: pd.DataFrame, *, variable: str = "", coders: tuple[str, ...] = (), **columns: str
) -> list[tuple[object, ...]]:
    """Line, unit, coder, variable, value of each row."""
    there = {name: name for name in ("unit", "coder", "variable", "value", "probability")}
    named = {field: column for field, column in {**there, **columns}.items() if column in given}
    found = long_rows(given, TableRoles(named, variable, coders), BOOK, source="t.csv")
    columns_shown = ["unit", "coder", "variable", "value"]
    return [(line, *row) for line, *row in found[columns_shown].itertuples()]


def test_a_long_table_stays_as_it_is() -> None:
    given = table(unit=["u1"], coder=["ada"], variable=["about"], value=[""], other=["x"])
    assert rows(given) == [(2, "u1", "ada", "about", "")]


def test_a_column_a_variable() -> None:
    """Cells that are filled; other columns are nobody's codings."""
    given = table(
        unit=["u1", "u2"], coder=["ada"] * 2, about=["yes", "no"], warmth=["2", ""], age=["4", "5"]
    )
    assert rows(given) == [
        (2, "u1", "ada", "about", "yes"),
        (2, "u1", "ada", "warmth", "2"),
        (3, "u2", "ada", "about", "no"),
    ]


def test_a_column_a_coder_of_the_variable_that_is_told() -> None:
    """A column called like an id names the units; a probability stays with its row."""
    given = table(
        post_id=["u1", "u2", "u3"],
        Ada=["yes", "no", "yes"],
        ben=["no", "", "yes"],
        probability=["0.5", "1", "1"],
    )
    assert rows(given, variable="about") == [
        (2, "u1", "Ada", "about", "yes"),
        (2, "u1", "ben", "about", "no"),
        (3, "u2", "Ada", "about", "no"),
        (4, "u3", "Ada", "about", "yes"),
        (4, "u3", "ben", "about", "yes"),
    ]
    assert rows(given, variable="about", coders=("ben",)) == [
        (2, "u1", "ben", "about", "no"),
        (4, "u3", "ben", "about", "yes"),
    ]


def test_columns_that_may_be_no_coders_are_asked_about() -> None:
    given = table(
        unit=["u1", "u2", "u3"],
        ada=["yes", "no", "yes"],
        ben=["no", "no", "yes"],
        mood=["glad", "sad", "glad"],
    )
    with pytest.raises(InputError, match="which columns are coders"):
        rows(given, variable="about")


def test_one_variable_of_a_long_table_can_be_told() -> None:
    given = table(unit=["u1"], coder=["ada"], value=["yes"])
    assert rows(given, variable="about") == [(2, "u1", "ada", "about", "yes")]


@pytest.mark.parametrize("variable", ["about", ""])
def test_counts_of_coders_are_no_codings(variable: str) -> None:
    """How many coders gave each code: not by whom."""
    given = table(unit=["u1", "u2"], Yes=["3", "0"], no=["0", "3"])
    with pytest.raises(InputError, match="not by whom"):
        rows(given, variable=variable)


def test_coders_whose_names_are_codes_can_be_told() -> None:
    """Coders 1 and 2 of a variable with the codes 1 and 2."""
    given = table(**{"unit": ["u1", "u2"], "1": ["1", "2"], "2": ["1", "1"]})
    with pytest.raises(InputError, match="not by whom"):
        rows(given, variable="warmth")
    assert len(rows(given, variable="warmth", coders=("1", "2"))) == 4
