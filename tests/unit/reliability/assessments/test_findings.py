"""What assessments found, in words: the same for terminal, page and bundle."""

from __future__ import annotations

import pandas as pd
import pytest

from labeler.codebook import codebook as codebooks
from labeler.commands.verdicts import shown
from labeler.reliability.assessments.findings import findings
from labeler.reliability.reliability import ReliabilityResult
from labeler.store import tables

MODEL = "model:m@0a1b2c"
BOOK = codebooks.read(
    """
codebook: moods
version: "1"
title: Moods
about: Made-up moods.
variables:
  - {variable: zeal, of: unit, label: Zeal shown, question: How much, level: ratio,
     minimum: 0, maximum: 9}
  - {variable: mood, of: unit, label: The mood, question: Which one, level: nominal, values: [
      {code: good, label: Good, definition: Good.}, {code: bad, label: Bad, definition: Bad.}]}
""",
    source="here",
)


def stored(*rows: dict[str, object]) -> pd.DataFrame:
    """ASSESSMENTS rows of one batch; of the model where no coder is named."""
    same = {"batch": "b", "codebook": BOOK.fingerprint, "coder": MODEL, "code": ""}
    return tables.frame(tables.ASSESSMENTS, [same | row for row in rows])


def row(assessment: str, measure: str, variable: str, **rest: object) -> dict[str, object]:
    return {"assessment": assessment, "measure": measure, "variable": variable} | rest


def printed(rows: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What `labeler reliability` prints of the assessments."""
    empty = tables.frame(tables.RELIABILITY), tables.frame(tables.VERDICTS)
    shown(ReliabilityResult(*empty, rows), BOOK)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("kind", "words"),
    [("vote", "share of the replicates"), ("logprob", "probability of the tokens")],
)
def test_the_skip_rule_is_told_whichever_confidence_made_it(
    kind: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """From .9 on for mood, none for zeal, and nothing known of the unit as a whole."""
    rows = stored(
        row("skip", f"threshold.{kind}", "mood", value=0.9, verdict="skip", note="with certainty"),
        row("skip", f"threshold.{kind}", "zeal", verdict="none", note="the first was not kept"),
        row("skip", f"threshold.{kind}", "all", verdict="undefined", note="no unit was judged"),
        row("skip", f"threshold.{kind}", "mood", code="bad", value=0.5, verdict="skip"),
        row("skip", f"epsilon.{kind}", "mood", value=0.05),
    )
    assert printed(rows, capsys) == [
        f"Skipping review: by the {words}: no threshold keeps the error (zeal); review may be "
        "left out (mood from 0.9 on); undefined (all variables: no unit was judged)"
    ]


def test_what_is_undefined_is_told_in_one_line_with_its_reasons(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Variables of one reason together, in the order of the codebook."""
    rows = stored(
        row("drift", "e.process", "mood", verdict="undefined", note="a single batch"),
        row("drift", "e.process", "zeal", verdict="undefined", note="a single batch"),
    )
    assert printed(rows, capsys) == ["Drift: undefined (zeal, mood: a single batch)"]


def test_calibration_errors_are_told_by_kind(capsys: pytest.CaptureFixture[str]) -> None:
    """Both kinds; what has no number has its reason."""
    rows = stored(
        row("calibration", "ece.vote", "mood", value=0.045),
        row("calibration", "ece.logprob", "mood", value=0.2),
        row("calibration", "ece.vote", "zeal", verdict="undefined", note="no unit was judged"),
        row("calibration", "brier.vote", "mood", value=0.3),
    )
    told = "Calibration of the model's confidence: "
    assert printed(rows, capsys) == [
        f"{told}expected calibration error of the share of the replicates: mood 0.045",
        f"{told}expected calibration error of the probability of the tokens: mood 0.200",
        f"{told}undefined (zeal: no unit was judged)",
    ]


def test_anchoring_names_who_accepts_without_reading(capsys: pytest.CaptureFixture[str]) -> None:
    """The flagged are named, the others are not, and who could not be judged has a reason."""
    people = {"verdict": "undefined", "note": "3 assisted units"}
    rows = stored(
        row("anchoring", "agreement_inflation", "mood", coder="humans", verdict="anchored"),
        row("anchoring", "agreement_inflation", "zeal", coder="humans", verdict="not decided"),
        row("anchoring", "rubber_stamping", "all", coder="human:ada", verdict="flagged", note="x"),
        row("anchoring", "rubber_stamping", "all", coder="human:bo", verdict="not flagged"),
        row("anchoring", "rubber_stamping", "all", coder="human:cy", **people),
    )
    assert printed(rows, capsys) == [
        "Anchoring: anchored (mood); not decided (zeal)",
        "Anchoring: human:ada accepts suggestions without reading them: x",
        "Anchoring: accepting without reading: undefined (cy: 3 assisted units)",
    ]


def test_an_alarm_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """Drift names the variable and what its row advises."""
    rows = stored(row("drift", "e.process", "mood", verdict="alarm", note="validate anew"))
    assert printed(rows, capsys) == ["Drift: alarm (mood)", "Drift: mood: validate anew"]


def test_headlines_stand_in_the_order_of_the_codebook() -> None:
    """By measure, then as the codebook has its variables; codes are no headline."""
    rows = stored(
        row("calibration", "ece.logprob", "mood", value=0.2),
        row("calibration", "ece.vote", "mood", value=0.1),
        row("calibration", "ece.vote", "zeal", value=0.3),
        row("calibration", "ece.vote", "mood", code="bad", value=0.4),
        row("calibration", "ece.vote", "all", value=0.5),
    )
    (found,) = findings(rows, BOOK)
    assert found.headlines["value"].tolist() == [0.5, 0.3, 0.1, 0.2]
    assert len(found.rows) == 5


def test_sentences_call_variables_by_their_labels_where_asked() -> None:
    """A page says labels; without them it is the names."""
    rows = stored(row("drift", "e.process", "mood", verdict="no alarm"))
    (found,) = findings(rows, BOOK, labels={"mood": "The mood"})
    assert found.sentences == ["no alarm (The mood)"]
    assert findings(rows)[0].sentences == ["no alarm (mood)"]


def test_rows_that_nothing_declares_stand_last_by_their_name() -> None:
    """An assessment of another version keeps its rows, without words."""
    rows = stored(
        row("a-former-one", "m", "mood", verdict="pass"),
        row("drift", "e.process", "mood", verdict="no alarm"),
    )
    first, last = findings(rows, BOOK)
    assert first.assessment.title == "Drift"
    assert (last.assessment.title, last.sentences, len(last.rows)) == ("a-former-one", [], 1)
    assert findings(stored(), BOOK) == []
