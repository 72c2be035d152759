"""Which columns are coders, and what is asked or said of the others. All codings are made up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler import hints
from labeler.errors import InputError
from labeler.files.coder_columns import coder_columns, without_totals

ADA = ["sun", "rain", "sun", "fog", "rain", "sun", "fog", "rain", "sun", "sun", "fog", "rain"]
BEN = [*ADA[:9], "rain", "sun", "rain"]
N = len(ADA)


def table(**columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame({name.replace("__", " "): own for name, own in columns.items()})
    frame.index = pd.Index(range(2, len(frame) + 2), name="line")
    return frame.astype("str")


def found(**columns: list[str]) -> tuple[list[str], list[str]]:
    made = coder_columns(table(**columns), source="t.csv")
    return made.coders, made.remarks


def asked(**columns: list[str]) -> str:
    with pytest.raises(InputError) as told:
        coder_columns(table(**columns), source="t.csv")
    return str(told.value)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("platform", ["reddit", "x"] * 6),
        ("where", ["Reddit", "TikTok"] * 6),  # its values are platforms, whatever it is called
        ("confidence", ["0.9", "0.4", "0.7"] * 4),
        ("ada_comment", ["", "hm", *[""] * 10]),
        ("created_at", [f"2024-01-{day:02}" for day in range(1, 13)]),
        ("post_text", [f"Post {number}" for number in range(12)]),
        ("lead_time", [f"{number}.5" for number in range(12)]),
    ],
)
def test_metadata_is_left_out_and_named(name: str, values: list[str]) -> None:
    """What no coder is like and is called like metadata is no coder, and that is said."""
    coders, (remark,) = found(id=[f"p{n}" for n in range(N)], ada=ADA, **{name: values}, ben=BEN)
    assert coders == ["ada", "ben"]
    assert f"{name!r}" in remark
    assert remark.startswith("left out")


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("mood", ["glad", "sad"] * 6, "shares no value with the others"),
        ("depth", ["1", "2", "3"] * 4, "shares no value with the others"),
        ("said", [f"Post {number}" for number in range(12)], "holds another text in each row"),
        ("consensus", ADA, "is called like metadata"),
    ],
)
def test_what_may_be_a_coder_or_not_is_asked(name: str, values: list[str], reason: str) -> None:
    """Either a strange value or a strange name: the column is named with the reason."""
    columns = table(id=[f"p{n}" for n in range(N)], ada=ADA, ben=BEN, **{name: values})
    with pytest.raises(InputError) as told:
        coder_columns(columns, source="t.csv")
    assert f"column {name!r} {reason}" in str(told.value)
    assert told.value.hint == hints.NO_CODER.about(columns=name, coders="ada,ben")
    assert coder_columns(columns, coders=["ada", name], source="t.csv").coders == ["ada", name]


def test_confidence_beside_codes_that_are_numbers_is_asked_about() -> None:
    """Where metadata could be codes, nothing but its name speaks: who codes is asked."""
    numbers = ["1", "2", "3"] * 4
    told = asked(ada=numbers, ben=numbers, confidence=["3", "1", "2"] * 4)
    assert "column 'confidence' is called like metadata" in told


def test_two_groups_of_columns_are_asked_about() -> None:
    """Two coders of two variables: which variable is meant is not guessed."""
    mood = ["glad", "sad"] * 6
    told = asked(ada_sky=ADA, ben_sky=BEN, ada_mood=mood, ben_mood=mood)
    assert told.count("shares no value") == 4


def test_coders_who_differ_are_coders() -> None:
    """Capitals, sets, a lazy coder, ratings that never repeat: all of them are coders."""
    assert found(ada=ADA, ben=[code.title() for code in BEN])[0] == ["ada", "ben"]
    assert found(ada=["sun;rain"] * 6, ben=["rain"] * 6)[0] == ["ada", "ben"]
    assert found(ada=ADA, ben=BEN, cyn=["sun"] * N)[0] == ["ada", "ben", "cyn"]
    ratings = np.random.default_rng(1).normal(50, 9, (2, 40)).round(3).astype(str)
    assert found(ada=ratings[0].tolist(), ben=ratings[1].tolist())[0] == ["ada", "ben"]


def test_a_column_of_coders_means_a_row_a_coding() -> None:
    """A column that is called `coder` is never one of the coders."""
    told = asked(coder=["ada", "ben"] * 6, tone=ADA, topic=BEN)
    assert "'coder' looks like a long table" in told
    assert "'rater_id'" in asked(post=[f"p{n // 2}" for n in range(N)], rater_id=ADA, tone=BEN)


@pytest.mark.parametrize(
    ("first", "rows", "columns"),
    [
        ("coder", ["ada", "ben"], [f"post{n}" for n in range(12)]),
        ("who", ["rater 1", "rater 2"], [f"{n}x" for n in range(12)]),
        ("name", ["ada", "ben"], [f"u{n}" for n in range(12)]),
        ("name", ["ada", "ben"], [str(n) for n in range(12)]),
    ],
)
def test_a_table_on_its_side_is_asked_about(
    first: str, rows: list[str], columns: list[str]
) -> None:
    """A row a coder and a column a unit, as R's packages want it."""
    lying = {first: rows, **{name: [ADA[n], BEN[n]] for n, name in enumerate(columns)}}
    told = asked(**lying)
    assert f"2 rows and 13 columns ('{first}'" in told


def test_many_coders_of_few_units_do_not_lie_on_their_side() -> None:
    """Thirty coders of five posts are thirty coders."""
    crowd = {f"coder{n}": ADA[n % 5 : n % 5 + 5] for n in range(30)}
    assert len(found(id=[f"p{n}" for n in range(5)], **crowd)[0]) == 30


def test_rows_of_totals_are_no_units() -> None:
    """Totals stand at the end and are called so; a code `mean` that others give is a code."""
    whole = table(id=["p1", "p2", "Total", "kappa"], ada=["a", "b", "2", "0.9"], ben=list("abcd"))
    kept, (remark,) = without_totals(whole, unit="id", columns=["ada", "ben"])
    assert list(kept["id"]) == ["p1", "p2"]
    assert "line 4 (Total), line 5 (kappa)" in remark
    bare = table(ada=["a", "b", "total"], ben=["a", "b", "2"])
    assert len(without_totals(bare, unit="", columns=["ada", "ben"])[0]) == 2
    codes = table(ada=["mean", "kind", "mean"], ben=["mean", "kind", "kind"])
    assert without_totals(codes, unit="", columns=["ada", "ben"]) == (codes, [])


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 6), st.integers(2, 5), st.integers(0, 10_000))
def test_metadata_beside_any_coders_never_counts(coders: int, codes: int, seed: int) -> None:
    """Whoever codes whatever: a column of platforms and one of comments are no coders."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, codes, 40)
    given = {
        f"k{place}": np.where(chance.random(40) < 0.7, truth, chance.integers(0, codes, 40))
        for place in range(coders)
    }
    columns = {name: [f"code{code}" for code in own] for name, own in given.items()}
    platform = chance.choice(["reddit", "x", "youtube"], 40).tolist()
    comment = chance.choice(["", "unsure", "see above"], 40).tolist()
    made = coder_columns(table(**columns, platform=platform, comment=comment), source="t")
    assert made.coders == list(columns)
