"""Sentences whose numbers are those of the tables: change a row, and the sentence changes."""

from __future__ import annotations

import json

import pandas as pd
from builders import bundle_facts

from labeler.results.formats import methods_text
from labeler.store import tables

CODED = pd.DataFrame(
    [
        *(
            {"unit": f"u{number}", "coder": coder, "arm": "blind", "replicate": 1, "unasked": ""}
            for number in range(7)
            for coder in ("human:ada", "human:ben")
        ),
        *(
            {"unit": f"u{number}", "coder": "model:m@1", "arm": "", "replicate": 1, "unasked": ""}
            for number in range(9)
        ),
        {"unit": "u8", "coder": "human:ada", "arm": "assisted", "replicate": 1, "unasked": ""},
    ]
)
DESIGN = {"drawing": "simple", "frame": 1234, "nested": False, "blind": 7, "assisted": 1, "seed": 5}


def estimates(**changed: object) -> pd.DataFrame:
    """Two shares of one table, by people alone and corrected."""
    fixed = {"batch": "one", "codebook": "k", "analysis": "mood", "measure": "share"}
    fixed |= {"target": "collection", "units": 7, "method": "of posts: made up"}
    given = [
        {"estimator": "blind", "code": "mood:good", "value": 0.5, "low": 0.4, "high": 0.6},
        {"estimator": "corrected", "code": "mood:good", "value": 0.25, "low": 0.2, "high": 0.3},
        {"estimator": "corrected", "code": "mood:bad", "value": 0.75, "low": 0.7, "high": 0.8},
    ]
    given[-1] |= changed
    return tables.frame(tables.ESTIMATES, [{**fixed, **row} for row in given])


def verdicts(outcome: str) -> pd.DataFrame:
    same = {"batch": "one", "codebook": "k", "variable": "mood", "comparison": "human-human"}
    return tables.frame(tables.VERDICTS, [{**same, "tentative": 0.667, "verdict": outcome}])


def text(frames: dict[str, pd.DataFrame], **facts: object) -> str:
    about = bundle_facts(design=json.dumps(DESIGN), suggester="model:m@1", **facts)
    return methods_text.FORMAT.files(frames, about)["methods.md"].decode()


def test_what_was_coded_and_by_whom() -> None:
    told = text({"coded": CODED})
    assert "Of 1,234 posts 8 were drawn at random (seed 5)" in told
    assert "7 posts were coded without any suggestion in view (2 coders, 14 codings" in told
    assert "1 post was coded with the model's suggestions in view, which is no evidence" in told
    assert "model:m@1, which coded 9 of them" in told
    assert bundle_facts().codebook.fingerprint in told


def test_the_gate_in_words() -> None:
    assert "reaches 0.667. Among people 1 of 1 variables pass." in text(
        {"verdicts": verdicts("pass")}
    )
    told = text({"verdicts": verdicts("fail")}, override="for a poster")
    assert "Among people 0 of 1 variables pass. The gate was overridden" in told
    assert "for a poster" in told


def test_shares_are_the_rows() -> None:
    """The corrected ones where there are any, the largest first."""
    told = text({"estimates": estimates()})
    assert "bad 75.0% [70.0%, 80.0%]; good 25.0% [20.0%, 30.0%]." in told
    assert "7 posts coded blind" in told
    assert "50.0%" not in told
    assert "bad 12.3% [70.0%" in text({"estimates": estimates(value=0.123)})


def test_what_is_held_back_is_in_no_sentence() -> None:
    told = text({"estimates": estimates(hidden="fewer than 11 authors")})
    assert "75.0%" not in told
    assert "1 of 2 shares are held back or not estimable." in told


def test_a_bundle_without_results_has_a_text_all_the_same() -> None:
    assert "Methods and results of batch one" in text({})
