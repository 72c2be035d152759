"""Exports of Label Studio read directly: JSON by hand, the others by its own converter. Made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from label_studio_sdk.converter import Converter

from labeler.errors import InputError
from labeler.files import spreadsheets
from labeler.files.coded_cells import read_cells
from labeler.files.spreadsheets import TableSettings
from labeler.reliability.files.agreement import agreement
from labeler.reliability.files.alttest import alternative
from labeler.reliability.files.anchoring import AnchoringSettings, anchoring

FORMS = ("JSON", "JSON-MIN", "CSV")
PAGE = """
<View>
  <Text name="words" value="$text"/>
  <Labels name="span" toName="words"><Label value="here"/></Labels>
  <Choices name="span_tone" toName="words" perRegion="true"><Choice value="soft"/></Choices>
  <Choices name="mood" toName="words"><Choice value="glad"/><Choice value="sad"/></Choices>
  <Choices name="themes" toName="words" choice="multiple"><Choice value="sun"/></Choices>
  <Taxonomy name="kind" toName="words"><Choice value="a"/></Taxonomy>
  <Rating name="stars" toName="words"/>
  <Number name="mentions" toName="words"/>
  <TextArea name="note" toName="words"/>
</View>
"""
KINDS = {"themes": "choices", "mood": "choices", "kind": "taxonomy", "stars": "rating"}
KINDS |= {"mentions": "number", "note": "text"}


def results(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Results as the annotation page sends them, with a segment that has a code of its own."""
    made = [
        {
            "from_name": name,
            "to_name": "words",
            "type": "textarea" if name == "note" else KINDS[name],
            "value": {KINDS[name]: value},
        }
        for name, value in given.items()
    ]
    place = {"start": 0, "end": 4, "text": "Post"}
    for name, kind, code in (("span", "labels", "here"), ("span_tone", "choices", "soft")):
        value = {**place, kind: [code]}
        region = {"id": "r1", "from_name": name, "to_name": "words", "type": kind, "value": value}
        made += [region, {**region, "id": "r2"}]
    return made


def task(key: int, *coded: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A task with an annotation by ada, by ben, … of what each gave; None is a skip."""
    made = [
        {
            "id": 10 * key + place,
            "completed_by": {"id": place, "email": f"{who}@example.org"},
            "result": results(given or {}),
            "was_cancelled": given is None,
            "lead_time": 3.5 * key,
            "created_at": f"2026-03-0{place + 1}T10:00:0{key % 10}.000000Z",
            "updated_at": f"2026-03-0{place + 1}T10:00:0{key % 10}.000000Z",
        }
        for place, (who, given) in enumerate(zip(("ada", "ben", "cyn"), coded, strict=False))
    ]
    data = {"text": f"Post {key}", "url": f"https://example.org/{key}", **more.pop("data", {})}
    return {"id": key, "data": data, "annotations": made, "predictions": [], **more}


def exported(folder: Path, form: str, *tasks: dict[str, Any]) -> Path:
    """The tasks as Label Studio writes them."""
    whole = folder / "whole.json"
    whole.write_text(json.dumps(tasks), encoding="utf-8")
    if form == "JSON":
        return whole
    converter = Converter(config=PAGE, project_dir=str(folder))
    if form == "CSV":
        converter.convert_to_csv(str(whole), str(folder / "out"), is_dir=False, sep=",")
        return folder / "out" / "result.csv"
    converter.convert_to_json_min(str(whole), str(folder / "out"), is_dir=False)
    return folder / "out" / "result.json"


def codings(path: Path, **given: Any) -> tuple[list[tuple[str, ...]], list[str]]:
    """Unit, coder and value of each coding, in order; and what was understood."""
    read = spreadsheets.codings(TableSettings(path, **given))
    level = "masi" if given.get("sets") else "nominal"
    cells = read_cells(read.codings, level=level, source="x").codings
    rows = cells[["unit", "coder", "value"]].itertuples(index=False, name=None)
    return sorted(rows), read.remarks


@pytest.mark.parametrize("form", FORMS)
def test_one_variable_needs_no_column_named(tmp_path: Path, form: str) -> None:
    """Units are tasks; skips, untouched tasks, segments, notes and data are no codings."""
    glad, sad = {"mood": ["glad"], "note": ["Not sure about this one"]}, {"mood": ["sad"]}
    tasks = [task(1, glad, sad), task(2, sad, sad), task(3, glad, None), task(4)]
    found, remarks = codings(exported(tmp_path, form, *tasks))
    assert found == [
        ("1", "ada@example.org", "glad"),
        ("1", "ben@example.org", "sad"),
        ("2", "ada@example.org", "sad"),
        ("2", "ben@example.org", "sad"),
        ("3", "ada@example.org", "glad"),
    ]
    assert remarks[0].endswith("units 'id', coders 'annotator', values 'mood'")
    assert remarks[1:] == (
        [] if form == "JSON" else ["left out, as nobody annotated them: 1 tasks"]
    )


@pytest.mark.parametrize("form", FORMS)
def test_of_several_variables_one_is_named(tmp_path: Path, form: str) -> None:
    """What is asked names the columns; an answer in whatever control is a code, or codes."""
    one = {"mood": ["glad"], "stars": 2, "mentions": 7, "kind": [["a"], ["b", "c"]]}
    other = {"mood": ["sad"], "stars": 4, "mentions": 8, "kind": [["a"]]}
    path = exported(tmp_path, form, task(1, one, other), task(2, other, other))
    with pytest.raises(InputError, match="which variable is meant") as told:
        codings(path)
    assert all(f"'{name}'" in str(told.value) for name in one)
    assert not any(f"'{name}'" in str(told.value) for name in ("span", "span_tone", "url"))
    read = {name: [row[2] for row in codings(path, value=name)[0]] for name in one}
    assert read["mood"] == ["glad", "sad", "sad", "sad"]
    assert read["stars"] == ["2", "4", "4", "4"]
    assert read["mentions"] == ["7", "8", "8", "8"]
    assert [row[2] for row in codings(path, value="kind", sets=True)[0]] == ["a+c", "a", "a", "a"]


@pytest.mark.parametrize("form", FORMS)
def test_no_ticked_box_is_the_empty_set(tmp_path: Path, form: str) -> None:
    """Sets equal those of a table written by hand, the empty one among them, alpha and all."""
    ada = [["sun"], ["sun", "rain"], [], ["rain"], []]
    ben = [["sun"], ["sun"], [], ["rain"], ["sun"]]
    given = [
        task(key, *({"themes": codes} if codes else {} for codes in pair))
        for key, pair in enumerate(zip(ada, ben, strict=True), start=1)
    ]
    found = agreement(TableSettings(exported(tmp_path, form, *given)), level="masi")
    assert "3 annotations without a code of 'themes' count as sets without a code" in found.remarks
    by_hand = [
        "ada,ben",
        *(f"{'+'.join(a) or '+'},{'+'.join(b) or '+'}" for a, b in zip(ada, ben, strict=True)),
    ]
    (tmp_path / "hand.csv").write_text("\n".join(by_hand), encoding="utf-8")
    same = agreement(TableSettings(tmp_path / "hand.csv"), level="masi")
    assert (found.agreed.n_units, found.agreed.n_pairable) == (5, 10)
    assert found.agreed.coefficients == same.agreed.coefficients


@pytest.mark.parametrize("form", FORMS)
def test_a_key_in_the_data_names_the_unit(tmp_path: Path, form: str) -> None:
    """What was pushed with a column `unit` is counted by it, whatever the task's number."""
    data = [{"data": {"unit": f"p{key}", "mood": "data, no code"}} for key in (1, 2)]
    tasks = [task(8, {"mood": ["glad"]}, {"mood": ["sad"]}, **data[0])]
    tasks += [task(9, {"mood": ["sad"]}, {"mood": ["sad"]}, **data[1])]
    found, _ = codings(exported(tmp_path, form, *tasks))
    assert [(unit, value) for unit, _, value in found] == [
        ("p1", "glad"),
        ("p1", "sad"),
        ("p2", "sad"),
        ("p2", "sad"),
    ]


def test_a_task_coded_twice_by_one_coder_is_refused(tmp_path: Path) -> None:
    """Which of the two counts is nothing to guess."""
    twice = task(1, {"mood": ["glad"]}, {"mood": ["sad"]})
    twice["annotations"][1]["completed_by"] = twice["annotations"][0]["completed_by"]
    with pytest.raises(InputError, match=r"line 2: coder 'ada@example\.org', unit '1' stands"):
        codings(exported(tmp_path, "JSON", twice, task(2, {"mood": ["sad"]})))


def suggested(key: int, code: str, *coded: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = {"model_version": "moody-1", "result": results({"mood": [code]})}
    return task(key, *coded, predictions=[made], **more)


def test_suggestions_are_codings_of_a_model_that_is_named(tmp_path: Path) -> None:
    """Agreement leaves them out and says so; the alternative-annotator test takes them."""
    codes = ["glad" if key % 3 else "sad" for key in range(1, 41)]
    given = [suggested(key, code, *3 * [{"mood": [code]}]) for key, code in enumerate(codes, 1)]
    path = exported(tmp_path, "JSON", *given)
    found = agreement(TableSettings(path), level="nominal")
    assert found.agreed.n_coders == 3
    assert "left out, as suggestions and no codings: 40 of moody-1" in found.remarks
    tested = alternative(TableSettings(path), models=["moody-1"], level="nominal", epsilon=0.2)
    assert tested.models["moody-1"][0].test.verdict == "pass"
    assert len(tested.humans) == 3
    with pytest.raises(InputError, match=r"there are: ada@example\.org, ben@example\.org"):
        alternative(TableSettings(path), models=["gpt"], level="nominal", epsilon=0.2)


def test_anchoring_takes_arm_model_and_times_from_an_export(tmp_path: Path) -> None:
    """Assisted coders follow the suggestion, blind ones never do."""
    given = [
        suggested(
            key,
            "glad",
            *2 * [{"mood": ["glad" if arm == "assisted" else "sad"]}],
            data={"unit": f"p{key // 2}", "arm": arm},
        )
        for key in range(40)
        for arm in [("blind", "assisted")[key % 2]]
    ]
    for place, one in enumerate(given):
        for annotation in one["annotations"]:
            annotation["completed_by"] = {"email": f"{annotation['id'] % 10}{place % 2}@x.org"}
        one["predictions"] = one["predictions"] if place % 2 else []
    path = exported(tmp_path, "JSON", *given)
    found = anchoring(AnchoringSettings(path), level="nominal", bound=0.05, seed=1)
    assert (found.model, found.n_units, found.n_both, found.n_coders) == ("moody-1", 20, 20, 4)
    whole = {row["measure"]: row["value"] for row in found.rows if not row["code"]}
    assert whole["agreement_inflation"] == pytest.approx(1)
    assert "lead_time.ratio" in whole
    wrong = AnchoringSettings(path, value="mod")
    with pytest.raises(InputError, match="no column is called 'mod'"):
        anchoring(wrong, level="nominal", bound=0.05, seed=1)


def test_a_table_with_a_column_less_is_no_export(tmp_path: Path) -> None:
    """A table that merely has annotators is asked about, as any."""
    table = pd.DataFrame({"id": ["1", "1"], "annotator": ["a", "b"], "mood": ["x", "y"]})
    table.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match="'annotator' looks like a long table"):
        codings(tmp_path / "t.csv")
