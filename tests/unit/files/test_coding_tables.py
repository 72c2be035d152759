"""From a table, a row a unit or a row a coding, to one coding a row. All codings are made up."""

from __future__ import annotations

import pandas as pd
import pytest

from labeler import hints
from labeler.errors import InputError
from labeler.files import coding_tables


def table(**columns: list[str]) -> pd.DataFrame:
    """A table as it is read from a file: texts, the first row on line 2."""
    frame = pd.DataFrame(columns, dtype="str")
    frame.index = pd.Index(range(2, len(frame) + 2), name="line")
    return frame


def codings(*values: str) -> pd.DataFrame:
    """Codings of one coder with these values, from line 2 on."""
    return coding_tables.wide(table(ada=list(values)), source="t.csv")


def test_a_row_a_unit() -> None:
    """Each filled cell is a coding, an empty one is none; units without names have their lines."""
    found = coding_tables.wide(table(ada=["a", ""], ben=["b", "a"]), source="t.csv")
    assert found.values.tolist() == [
        ["2", "ada", "a", 2, "ada"],
        ["2", "ben", "b", 2, "ben"],
        ["3", "ben", "a", 3, "ben"],
    ]


@pytest.mark.parametrize("name", ["id", "ID", "unit", "Unit_ID", "post id", "tweet_id", "index"])
def test_an_id_is_no_coder(name: str) -> None:
    """A column that is called like an id names the units, with or without --unit."""
    given = table(**{name: ["p1", "p2"], "ada": ["a", "b"]})
    found = coding_tables.wide(given, source="t.csv")
    assert set(found["coder"]) == {"ada"}
    assert list(found["unit"]) == ["p1", "p2"]
    pd.testing.assert_frame_equal(found, coding_tables.wide(given, unit=name, source="t.csv"))


def test_an_id_is_a_coder_where_that_is_said() -> None:
    """`coders` decides, whatever a column is called."""
    given = table(id=["a", "b"], ada=["a", "b"])
    found = coding_tables.wide(given, coders=["id", "ada"], source="t.csv")
    assert set(found["coder"]) == {"id", "ada"}


def test_two_ids_are_asked_about() -> None:
    """Which of two columns names the units is not guessed."""
    given = table(id=["1"], post_id=["p"], ada=["a"])
    with pytest.raises(InputError, match="'id', 'post_id' might each name the units"):
        coding_tables.wide(given, source="t.csv")


def test_a_column_of_texts_is_no_coder_silently() -> None:
    """Ten different texts beside a column of codes are refused, and both ways out are told."""
    given = table(said=[f"w{n}" for n in range(10)], ada=["a", "b"] * 5, ben=["a"] * 10)
    with pytest.raises(InputError, match="'said' holds another text in each row"):
        coding_tables.wide(given, source="t.csv")
    assert set(coding_tables.wide(given, unit="said", source="t.csv")["coder"]) == {"ada", "ben"}
    coders = ["ada", "ben"]
    assert set(coding_tables.wide(given, coders=coders, source="t.csv")["coder"]) == set(coders)


def test_ranks_are_codes_although_each_is_another() -> None:
    """Coders who rank ten units give ten different numbers each: no column is refused."""
    ranks = [str(rank) for rank in range(1, 11)]
    found = coding_tables.wide(table(ada=ranks, ben=ranks[::-1]), source="t.csv")
    assert len(found) == 20


def test_a_long_table_is_not_read_as_a_wide_one() -> None:
    """Columns `coder` and `value` without options are asked about, not counted as two coders."""
    given = table(unit=["p1"], coder=["ada"], value=["a"])
    with pytest.raises(InputError, match="look like a long table") as caught:
        coding_tables.wide(given, source="t.csv")
    assert caught.value.hint == hints.LOOKS_LONG.about(coder="coder", value="value")


def test_a_row_a_coding() -> None:
    """A long table keeps its lines; rows without a value are not coded."""
    given = table(post=["p1", "p1", "p2"], who=["ada", "ben", "ada"], code=["a", "", "b"])
    found = coding_tables.long(given, unit="post", coder="who", value="code", source="t.csv")
    assert found.values.tolist() == [
        ["p1", "ada", "a", 2, "code"],
        ["p2", "ada", "b", 4, "code"],
    ]


def test_repeated_keys_are_refused_with_both_lines() -> None:
    """A coder with two rows for a unit, and a wide table with a unit twice, whatever they say."""
    given = table(post=["p1", "p1", "", "p1"], who=["ada"] * 4, code=["a", "a", "a", ""])
    with pytest.raises(InputError) as told:
        coding_tables.long(given, unit="post", coder="who", value="code", source="t.csv")
    assert str(told.value).splitlines() == [
        "t.csv: line 3: coder 'ada', unit 'p1' stands already on line 2",
        "t.csv: line 4: no unit or no coder is named",
        "t.csv: line 5: coder 'ada', unit 'p1' stands already on line 2",
    ]
    with pytest.raises(InputError, match="line 4: unit 'p1' stands already on line 2"):
        coding_tables.wide(table(id=["p1", "p2", "p1"], ada=["a"] * 3), source="t.csv")


def test_only_the_first_faults_are_listed() -> None:
    """Twenty lines, and how many more there are."""
    given = table(id=["p"] * 31, ada=["a"] * 31)
    with pytest.raises(InputError) as told:
        coding_tables.wide(given, source="t.csv")
    lines = str(told.value).splitlines()
    assert (len(lines), lines[-1]) == (21, "… and 10 more")


def test_codes_are_ordered_by_size_or_by_text() -> None:
    """2 comes before 10; texts are sorted; a declared domain keeps its order."""
    assert coding_tables.checked(codings("10", "2", "2.0"), level="nominal", source="t")[1] == [
        "2",
        "10",
    ]
    assert coding_tables.checked(codings("b", "a"), level="nominal", source="t")[1] == ["a", "b"]
    found, order = coding_tables.checked(
        codings("10.0", "2"), level="ordinal", domain=["10", "2", "5"], source="t"
    )
    assert order == ["10", "2", "5"]
    assert list(found["value"]) == ["10", "2"]


def test_an_order_of_texts_is_not_guessed() -> None:
    """An ordinal level with codes that are no numbers needs a domain."""
    with pytest.raises(InputError, match="needs the order of its codes") as caught:
        coding_tables.checked(codings("low", "high"), level="ordinal", source="t")
    assert caught.value.hint == hints.ORDER_OF_CODES.about(codes="high,low")


def test_equal_numbers_are_one_value_where_numbers_count() -> None:
    """1.50 and 1.5 at interval level are one; as codes of a scheme they stay two."""
    found, order = coding_tables.checked(codings("1.50", "1.5", "-0"), level="interval", source="t")
    assert (list(found["value"]), order) == (["1.5", "1.5", "0"], ["0", "1.5"])
    assert coding_tables.checked(codings("1.50", "1.5"), level="nominal", source="t")[1] == [
        "1.5",
        "1.50",
    ]


def test_values_that_do_not_fit_are_refused_with_line_and_column() -> None:
    """Outside of the domain; no numbers; below the zero of a ratio: all of them at once."""
    with pytest.raises(InputError) as told:
        coding_tables.checked(codings("a", "x", "b", "y"), level="nominal", domain="ab", source="t")
    assert str(told.value).splitlines() == [
        "t: line 3, column 'ada': 'x' is not in the domain a,b",
        "t: line 5, column 'ada': 'y' is not in the domain a,b",
    ]
    with pytest.raises(InputError, match="line 3, column 'ada': '3,5' is no number"):
        coding_tables.checked(codings("1", "3,5", "inf"), level="interval", source="t")
    with pytest.raises(InputError, match="line 2, column 'ada': -1 lies below 0"):
        coding_tables.checked(codings("-1"), level="ratio", source="t")
    with pytest.raises(InputError, match="names '2' twice"):
        coding_tables.checked(codings("1"), level="nominal", domain=["2", "2.0"], source="t")


def test_sets_are_written_in_one_way() -> None:
    """Order and repeats of codes make no other set; `+` alone is the set without a code."""
    found, order = coding_tables.checked(codings("b+a", "a + b+a", "+"), level="masi", source="t")
    assert (list(found["value"]), order) == (["a+b", "a+b", ""], ["a", "b"])
