"""Segments: panels, empty sets, tokens and signs, aligned codes, lost quotes; numbers by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from builders import book, choice, numeric
from hypothesis import given
from hypothesis import strategies as st
from thorough import examples

from labeler.errors import TableError
from labeler.reliability.segments import ALL, COLUMNS, segments_reliability
from labeler.store import tables

BOOK = book(
    choice("mood", "good bad", of="segment"),
    choice("topic", "work home art", of="segment", multiple=True),
    numeric("size", 0, 100, of="segment"),
    choice("grade", "low mid high", of="segment", level="ordinal"),
    choice("scored", {"none": 0, "some": 1, "much": 3}, of="segment", level="interval"),
)
A, B, C, D, MODEL = "human:a", "human:b", "human:c", "human:d", "model:x"
TEXT = "aaaa bbbb cccc dddd eeee"


def tables_of(given, *, texts=None, arms=None):
    """SEGMENTS, CODINGS, who coded, posts; `given`: {unit: {coder: [(start, end, codes)]}}.

    A start of -1 is a quote that the post does not hold; codes are {variable: value}.
    """
    segments, codings, who = [], [], []
    for unit, coders in given.items():
        for coder, marks in coders.items():
            human = coder.startswith("human:")
            arm = (arms or {}).get(coder, "blind") if human else ""
            key = {"unit": unit, "coder": coder, "arm": arm}
            who.append(key)
            for number, (start, end, codes) in enumerate(marks, start=1):
                found = "selected" if human else "missing" if start < 0 else "exact"
                row = {**key, "codebook": "k", "replicate": 1, "segment": str(number)}
                place = {"start": start, "end": end, "quote": "q", "found": found}
                segments.append({**row, **place})
                codings += [{**row, "variable": v, "value": value} for v, value in codes.items()]
    posts = [{"unit": unit, "text": (texts or {}).get(unit, TEXT)} for unit in given]
    return (
        tables.frame(tables.SEGMENTS, segments),
        tables.frame(tables.CODINGS, codings),
        pd.DataFrame(who, columns=["unit", "coder", "arm"]),
        pd.DataFrame(posts, columns=["unit", "text"]),
    )


def figures(given, *, suggester="", book=BOOK, weights=None, clusters=None, **rest):
    """The rows by panel, variable, code and coefficient, those without weighting."""
    found = segments_reliability(
        *tables_of(given, **rest), book, suggester=suggester, weights=weights, clusters=clusters
    )
    assert list(found.columns) == COLUMNS
    keys = ["panel", "variable", "code", "coefficient", "weighting"]
    assert not found.duplicated(keys).any()
    return found.set_index(keys).sort_index()


def figure(given, coefficient, *, panel="humans", variable=ALL, code="", weighting="", **rest):
    return figures(given, **rest).loc[(panel, variable, code, coefficient, weighting)]


def mark(start, end, **codes):
    return (start, end, codes)


def test_f1_by_hand_in_signs_and_in_tokens():
    """u1: [0, 9) "aaaa bbbb" and [5, 14) "bbbb cccc" share 4 signs of 18; one token of 4.

    u2: only b marked, [0, 4): 0 of 4 signs, 0 of 1 token. Signs 2·4/22, tokens 2·1/5.
    """
    given = {
        "u1": {A: [mark(0, 9)], B: [mark(5, 14)]},
        "u2": {A: [], B: [mark(0, 4)]},
    }
    signs = figure(given, "span_f1.character")
    assert signs["value"] == pytest.approx(8 / 22)
    assert (signs["n_units"], signs["n_pairable"], signs["n_positive"]) == (2, 4, 2)
    assert figure(given, "span_f1.token")["value"] == pytest.approx(2 / 5)


def test_who_marked_nothing_counts_and_who_did_not_code_does_not():
    """u1 agrees wholly (4 of 4 + 4). In u2 b marked nothing: 8/12; without b in u2: 1."""
    agreed = {"u1": {A: [mark(0, 4)], B: [mark(0, 4)]}}
    empty = {**agreed, "u2": {A: [mark(5, 9)], B: []}}
    alone = {**agreed, "u2": {A: [mark(5, 9)]}}
    assert figure(empty, "span_f1.character")["value"] == pytest.approx(8 / 12)
    row = figure(alone, "span_f1.character")
    assert (row["value"], row["n_units"]) == (1, 1)


def test_f1_of_a_code_takes_its_segments_alone():
    """a: [0, 4) work, [5, 9) work+art; b: [0, 4) home, [5, 9) work. work: 2·4/(8 + 4) = 2/3.

    home: nothing shared; art: marked by a alone.
    """
    given = {
        "u1": {
            A: [mark(0, 4, topic="work"), mark(5, 9, topic="work+art")],
            B: [mark(0, 4, topic="home"), mark(5, 9, topic="work")],
        }
    }
    by_code = figures(given).loc["humans", "topic"]["value"]
    assert by_code["work", "span_f1.character", ""] == pytest.approx(2 / 3)
    assert by_code["home", "span_f1.character", ""] == 0
    assert by_code["art", "span_f1.token", ""] == 0


def test_a_code_that_nobody_gave_is_undefined_with_the_reason():
    """Never 1 for marking nothing."""
    row = figure({"u1": {A: [], B: []}}, "span_f1.character", variable="mood", code="bad")
    assert math.isnan(row["value"])
    assert row["note"] == "no coder marked such a segment in a unit that two coders coded"


def test_nobody_to_compare_with_is_undefined_with_the_reason():
    """One coder a unit: no pair."""
    row = figure({"u1": {A: [mark(0, 4)]}, "u2": {B: [mark(0, 4)]}}, "alpha_u")
    assert math.isnan(row["value"])
    assert row["note"] == "no pairable unit: no unit was coded by two coders of this panel"


def test_a_pair_of_humans_never_enters_the_model_s_figure():
    """a and b agree on [0, 4); the model marked [5, 9): humans 1, model against them 0.

    Against a and against b alone 0 as well; the model's row counts three codings.
    """
    given = {"u1": {A: [mark(0, 4)], B: [mark(0, 4)], MODEL: [mark(5, 9)]}}
    found = figures(given, suggester=MODEL)
    values = found.xs((ALL, "", "span_f1.character", ""), level=[1, 2, 3, 4])
    assert values["value"].to_dict() == {
        "humans": 1,
        "model:x vs humans": 0,
        "model:x vs human:a": 0,
        "model:x vs human:b": 0,
    }
    assert values["kind"].to_dict()["model:x vs humans"] == "model-panel"
    assert values["coders"]["model:x vs humans"] == "human:a,human:b,model:x"
    assert values["n_pairable"]["model:x vs humans"] == 3


def test_the_model_against_the_panel_is_the_pool_of_its_pairs():
    """Model [0, 8); a [0, 4): 2·4 of 12; b [0, 8): 2·8 of 16. Pooled 24/28."""
    given = {"u1": {A: [mark(0, 4)], B: [mark(0, 8)], MODEL: [mark(0, 8)]}}
    row = figure(given, "span_f1.character", panel="model:x vs humans", suggester=MODEL)
    assert row["value"] == pytest.approx(24 / 28)


def test_assisted_codings_are_shown_apart_and_are_no_evidence():
    """c and d saw suggestions: in no blind panel, and marked as no evidence in their own.

    c marked what the model marked, d nothing: 2·4 of 8 + 4 signs.
    """
    marks = {A: [mark(0, 4)], B: [mark(0, 4)], C: [mark(5, 9)], D: [], MODEL: [mark(5, 9)]}
    found = figures({"u1": marks}, suggester=MODEL, arms={C: "assisted", D: "assisted"})
    values = found.xs((ALL, "", "span_f1.character", ""), level=[1, 2, 3, 4])
    assert values["value"]["humans"] == 1
    assert values["value"]["model:x vs humans"] == 0
    assert values["value"]["model:x vs humans, assisted"] == pytest.approx(8 / 12)
    shown = values[values["kind"] == "assisted"]
    assert set(shown.index) == {"humans, assisted", "model:x vs humans, assisted"}
    assert (shown["evidence"] == 0).all()
    assert (values[values["kind"] != "assisted"]["evidence"] == 1).all()
    assert shown["note"].str.startswith("no evidence: suggestions were in view").all()


def test_unmatched_segments_and_alpha_on_those_that_match():
    """Matches: [0, 9) with [0, 8) (good, good) in u1, [0, 4) twice (bad, good) in u2.

    u1 has one more of a's alone, u3 one of b's: 2 of 6 unmatched. Values gg, bg: n = 4, 3 good,
    1 bad; Do = 2/4; De = 2·3·1/(4·3); alpha = 1 - .5/.5 = 0.
    """
    given = {
        "u1": {A: [mark(0, 9, mood="good"), mark(20, 24)], B: [mark(0, 8, mood="good")]},
        "u2": {A: [mark(0, 4, mood="bad")], B: [mark(0, 4, mood="good")]},
        "u3": {A: [], B: [mark(5, 9, mood="good")]},
    }
    assert figure(given, "segments.unmatched")["value"] == pytest.approx(2 / 6)
    row = figure(given, "segments.aligned_alpha", variable="mood")
    assert row["value"] == pytest.approx(0)
    assert (row["n_units"], row["n_pairable"]) == (2, 4)
    undefined = figure(given, "segments.aligned_alpha", variable="topic")
    assert math.isnan(undefined["value"])
    reason = "no two coders marked the same segment and gave it a value"
    assert undefined["note"] == f"{reason}; alpha for level masi"


def test_sets_on_aligned_segments_are_compared_by_masi():
    """Pairs work|work+art and home|home: MASI of the first 1 - 2/3·1/2 = 2/3.

    n = 4 (work, work+art, home, home). Do = 2·(2/3)/4 = 1/3. De over ordered pairs: work and
    work+art 2·2/3; either with home, 1 each: 2·4 = 8; De = (4/3 + 8)/12 = 7/9. alpha = 4/7.
    """
    given = {
        "u1": {A: [mark(0, 4, topic="work")], B: [mark(0, 4, topic="work+art")]},
        "u2": {A: [mark(0, 4, topic="home")], B: [mark(0, 4, topic="home")]},
    }
    row = figure(given, "segments.aligned_alpha", variable="topic")
    assert row["value"] == pytest.approx(4 / 7)


def test_numbers_on_aligned_segments_are_compared_as_numbers():
    """Pairs 1|1.0, 3|3, 1|3: alpha 4/9 as among units (see test_reliability)."""
    given = {
        unit: {A: [mark(0, 4, size=one)], B: [mark(0, 4, size=other)]}
        for unit, one, other in (("u1", "1", "1.0"), ("u2", "3", "3"), ("u3", "1", "3"))
    }
    row = figure(given, "segments.aligned_alpha", variable="size")
    assert row["value"] == pytest.approx(4 / 9)


@pytest.mark.parametrize(
    ("variable", "pairs", "alpha"),
    [
        ("grade", "low low, mid mid, high high, low mid", 1 - (18 / 8) / (600 / 56)),
        ("scored", "none none, much much, none much", 1 - (2 * 9 / 6) / (2 * 9 * 9 / 30)),
    ],
)
def test_single_codes_on_aligned_segments_keep_their_level(variable, pairs, alpha):
    """Ranks in codebook order (as in test_reliability), and the numbers that codes stand for.

    scored: 0 0, 3 3, 0 3: n = 6, three of each; Do = 2·9/6, De = 2·3·3·9/30.
    """
    given = {
        f"u{n}": {
            coder: [mark(0, 4, **{variable: value})]
            for coder, value in zip((A, B), pair.split(), strict=True)
        }
        for n, pair in enumerate(pairs.split(", "))
    }
    row = figure(given, "segments.aligned_alpha", variable=variable)
    assert row["value"] == pytest.approx(alpha)


def test_alpha_u_of_a_variable_joins_its_codes():
    """A post of 4 signs: a marked [0, 2) good and [3, 4) bad, b marked [3, 4) bad.

    good by the formula 1 - 1/(32/54) (see test_alpha_u); bad: nothing observed. Expected of bad,
    two single signs: (2 - 1)(2 - 3 + 1)/3 = 0 each, gaps of 3 twice: 3 each, so 1·6 a span:
    2·12/(8·7 - 0) = 24/56. Together 1 - 1/(32/54 + 24/56).
    """
    given = {
        "u1": {
            A: [mark(0, 2, mood="good"), mark(3, 4, mood="bad")],
            B: [mark(3, 4, mood="bad")],
        }
    }
    by_code = figures(given, texts={"u1": "abcd"}).loc["humans", "mood"]["value"]
    assert by_code["good", "alpha_u", ""] == pytest.approx(1 - 54 / 32)
    assert by_code["bad", "alpha_u", ""] == 1
    assert by_code["", "alpha_u", ""] == pytest.approx(1 - 1 / (32 / 54 + 24 / 56))


def test_offsets_are_code_points():
    """😀 is one character, é of two characters is two; the word with the accent is one token.

    "😀 e\\u0301a b": a marked [2, 5) "éa", b [0, 5): 2·3/(3 + 5) characters, tokens 2·1/2. The post
    has 7 code points (8 UTF-16 units), so [6, 7) is its last character and [6, 8) does not exist.
    """
    texts = {"u1": "😀 e\u0301a b"}
    given = {"u1": {A: [mark(2, 5)], B: [mark(0, 5)]}}
    assert figure(given, "span_f1.character", texts=texts)["value"] == pytest.approx(6 / 8)
    assert figure(given, "span_f1.token", texts=texts)["value"] == 1
    figures({"u1": {A: [mark(6, 7)], B: []}}, texts=texts)
    with pytest.raises(TableError, match="unit u1: 6 to 8 does not lie in the post"):
        figures({"u1": {A: [mark(6, 8)], B: []}}, texts=texts)


def test_quotes_that_the_post_does_not_hold():
    """The model quoted [0, 4) and something of its own: half its quotes are verbatim.

    F1 takes the first alone (1); of segments, 2 pairs' ends of 3 match: 1/3 unmatched.
    """
    given = {"u1": {A: [mark(0, 4)], MODEL: [mark(0, 4), mark(-1, -1)]}}
    found = figures(given, suggester=MODEL)
    row = found.loc[(MODEL, ALL, "", "quotes.verbatim", "")]
    assert (row["value"], row["n_units"], row["n_pairable"]) == (0.5, 1, 2)
    assert "1 character by character" in row["note"]
    assert "1 not in the post" in row["note"]
    own = found.loc["model:x vs humans", ALL, ""].droplevel("weighting")
    assert own["value"]["span_f1.character"] == 1
    assert own["value"]["segments.unmatched"] == pytest.approx(1 / 3)
    assert "1 quote not found in the post counted as unmatched" in own["note"]["segments.unmatched"]
    assert "1 quote not found in the post left out" in own["note"]["span_f1.character"]


def test_a_lost_quote_is_told_once_however_many_humans_it_faces():
    """Two humans, one lost quote: the note says one."""
    given = {"u1": {A: [mark(0, 4)], B: [mark(0, 4)], MODEL: [mark(0, 4), mark(-1, -1)]}}
    row = figure(given, "span_f1.character", panel="model:x vs humans", suggester=MODEL)
    assert "1 quote not found" in row["note"]


def test_an_embedded_coder_says_nothing_of_segments():
    """It reads whole units: no panel with it, not an empty set."""
    given = {"u1": {A: [mark(0, 4)], B: [mark(0, 4)], "embed@1": []}}
    found = figures(given, suggester="embed@1")
    assert set(found["kind"]) == {"human-human"}


def test_each_human_faces_each_where_there_are_more_than_two():
    """Three humans make three pairs, two none beside their panel; one is all the model faces."""
    three = figures({"u1": {A: [mark(0, 4)], B: [mark(0, 4)], C: []}})["value"]
    pairs = three.xs((ALL, "", "span_f1.character", ""), level=[1, 2, 3, 4])
    assert pairs.to_dict() == {
        "humans": pytest.approx(8 / 16),
        "human:a vs human:b": 1,
        "human:a vs human:c": 0,
        "human:b vs human:c": 0,
    }
    one = figures({"u1": {A: [mark(0, 4)], MODEL: []}}, suggester=MODEL)
    assert set(one["kind"]) == {"human-human", "model-panel", "model-post"}


def test_design_weights_give_rows_of_their_own():
    """u1 agrees on 4 signs of 8, u2 (drawn with 1/3) on none of 8: 8/16, weighted 8/(8 + 3·8)."""
    given = {
        "u1": {A: [mark(0, 4)], B: [mark(0, 4)]},
        "u2": {A: [mark(0, 4)], B: [mark(5, 9)]},
    }
    weights = {"u1": 1.0, "u2": 3.0}
    assert figure(given, "span_f1.character", weights=weights)["value"] == 0.5
    row = figure(given, "span_f1.character", weights=weights, weighting="design")
    assert row["value"] == pytest.approx(8 / 32)
    assert not math.isnan(figure(given, "alpha_u", weights=weights, weighting="design")["value"])
    assert set(figures(given, weights={"u1": 1.0}).index.get_level_values("weighting")) == {""}


def test_posts_of_one_author_are_resampled_together():
    """Four units of two authors: the interval is over clusters; an author '' is a unit alone."""
    given = {f"u{n}": {A: [mark(0, 4 + n)], B: [mark(0, 4)]} for n in range(4)}
    clusters = {"u0": "x", "u1": "x", "u2": "y", "u3": ""}
    found = figures(given, clusters=clusters).loc["humans", ALL, ""]
    assert "one-cluster" in found["method"]["span_f1.character", ""]
    assert "one-cluster" in found["method"]["alpha_u", ""]
    assert "only 3 clusters" in found["note"]["span_f1.character", ""]


def test_a_codebook_without_segments_has_no_rows():
    """Nothing to say: an empty frame with the columns."""
    without = book(choice("mood", "good bad"))
    assert len(figures({"u1": {A: [], B: []}}, book=without)) == 0


def test_a_batch_that_nobody_coded_is_undefined_not_an_error():
    """No coder, no segment: the humans' rows stand there with their reason."""
    found = figures({})
    assert found["value"].isna().all()
    assert (found["note"] != "").all()


def test_a_unit_without_a_post_is_refused():
    """The message names the unit and says what to give."""
    segments, codings, who, posts = tables_of({"u1": {A: [mark(0, 4)]}})
    with pytest.raises(TableError, match="no post has the unit u1; give the posts"):
        segments_reliability(segments, codings, who, posts.iloc[:0], BOOK, suggester="")


def test_the_rows_fit_the_table():
    """With batch and codebook they are RELIABILITY rows, every figure with a method or a reason."""
    given = {
        f"u{n}": {A: [mark(n, 9, mood="good")], B: [mark(0, 9, mood="bad")], MODEL: [mark(0, 4)]}
        for n in range(5)
    }
    found = segments_reliability(*tables_of(given), BOOK, suggester=MODEL)
    rows = tables.frame(tables.RELIABILITY, found.assign(batch="b", codebook="k"))
    assert len(rows) == len(found)
    bare = rows[rows["value"].isna() | rows["low"].isna()]
    assert (bare["note"] != "").all()
    inside = rows.dropna(subset=["value", "low"])
    assert ((inside["low"] <= inside["value"]) & (inside["value"] <= inside["high"])).all()


MARKS = st.lists(
    st.tuples(st.integers(0, 19), st.integers(1, 5), st.sampled_from(["good", "bad"])), max_size=3
)


@examples(30)
@given(st.lists(st.lists(MARKS, min_size=3, max_size=3), min_size=1, max_size=4), st.randoms())
def test_order_of_rows_and_names_of_coders_change_nothing(drawn, chance):
    """Shuffled tables and renamed coders: the same figures of the humans."""
    units = {
        f"u{n}": [[mark(s, s + size, mood=mood) for s, size, mood in marks] for marks in coders]
        for n, coders in enumerate(drawn)
    }
    one = {unit: dict(zip((A, B, C), marks, strict=True)) for unit, marks in units.items()}
    other = {unit: dict(zip((C, A, B), marks, strict=True)) for unit, marks in units.items()}
    frames = [
        frame.sample(frac=1, random_state=chance.randrange(1000)) for frame in tables_of(other)
    ]
    measures = ["span_f1.character", "span_f1.token", "alpha_u", "segments.unmatched"]
    first, second = (
        rows[(rows["panel"] == "humans") & rows["coefficient"].isin(measures)]
        for rows in (
            segments_reliability(*tables_of(one), BOOK, suggester=""),
            segments_reliability(*frames, BOOK, suggester=""),
        )
    )
    for column in ("value", "low", "high"):
        left, right = first[column].tolist(), second[column].tolist()
        assert left == pytest.approx(right, nan_ok=True)
