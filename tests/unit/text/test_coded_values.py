"""Coded values as text: splitting, joining, one spelling of a number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.text.coded_values import (
    by_size,
    codes_of,
    is_number,
    joined,
    number_text,
    plain_code,
    typed_codes,
)


@pytest.mark.parametrize(
    ("value", "codes"), [("", []), ("a", ["a"]), ("a+b", ["a", "b"]), ("1.5", ["1.5"]), ("+", [])]
)
def test_the_codes_of_a_value(value: str, codes: list[str]) -> None:
    assert codes_of(value) == codes


def test_the_empty_set_is_the_empty_text() -> None:
    assert joined([]) == ""
    assert joined(["b", "a"]) == "b+a"


def test_a_typed_value_keeps_its_gaps() -> None:
    assert typed_codes(" b + a+") == ["b", "a", ""]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (2, "2"),
        (2.0, "2"),
        ("2.00", "2"),
        (-0.0, "0"),
        ("-0", "0"),
        (0.1 + 0.2, "0.3"),
        ("+1.50", "1.5"),
        (1e-7, "0.0000001"),
        (1e20, "100000000000000000000"),
        (100, "100"),
        (-1250.75, "-1250.75"),
    ],
)
def test_a_number_has_one_spelling(number: float | str, text: str) -> None:
    assert number_text(number) == text


def test_a_number_too_large_for_a_double_is_written_all_the_same() -> None:
    assert number_text(10**400) == "1" + 400 * "0"


@given(st.floats(-1e300, 1e300))
def test_the_spelling_is_the_number_and_holds_no_plus(number: float) -> None:
    text = number_text(number)
    assert is_number(text)
    assert "+" not in text
    assert "e" not in text
    assert number_text(text) == text
    assert math.isclose(float(text), number, rel_tol=1e-14, abs_tol=5e-324)


@given(st.lists(st.text(st.characters(exclude_characters="+"), min_size=1)))
def test_joined_codes_come_apart_again(codes: list[str]) -> None:
    assert codes_of(joined(codes)) == codes


def test_a_spreadsheets_code() -> None:
    assert [plain_code(text) for text in ("1.0", "-2.00", "1.5", "a", "1.")] == [
        *("1", "-2", "1.5", "a", "1.")
    ]


def test_numbers_stand_by_size() -> None:
    assert by_size(["10", "9", "-1", "2.5"]) == ["-1", "2.5", "9", "10"]
