"""What is said of a name that is not there."""

from __future__ import annotations

from labeler.text.names import did_you_mean, unknown


def test_a_misspelled_name_is_guessed() -> None:
    assert unknown("batch", "frist", ["first", "pilot"]) == (
        "no batch is called 'frist' (did you mean 'first'?); there are: first, pilot"
    )


def test_a_strange_name_is_not_guessed() -> None:
    assert did_you_mean("xyz", ["first", "pilot"]) == ""


def test_case_does_not_count() -> None:
    assert did_you_mean("TONE", ["tone"]) == " (did you mean 'tone'?)"


def test_where_nothing_is_there_it_says_so() -> None:
    assert unknown("batch", "a", []) == "no batch is called 'a'; there are: none yet"


def test_a_long_list_is_cut() -> None:
    names = [f"v{number}" for number in range(60)]
    assert unknown("variable", "tone", names).endswith("v48, v49 and 10 more")
