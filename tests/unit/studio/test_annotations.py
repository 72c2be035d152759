from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from thorough import examples

from labeler.codebook import codebook
from labeler.coding.annotations import newest
from labeler.store import tables
from labeler.studio import annotations, config, findings, page

BOOK = codebook.read(
    """
codebook: parsed
version: "1.0"
title: A made-up codebook
about: Made-up posts.
segments: {segment: claim, label: Claim, definition: Words that claim.}
variables:
  - variable: relevance
    of: unit
    label: Relevance
    question: Relevant?
    level: nominal
    values:
      - {code: relevant, label: Relevant, definition: It is.}
      - {code: other, label: Other, definition: It is not.}
  - variable: strength
    of: unit
    label: Strength
    question: How strong?
    level: interval
    minimum: 0
    maximum: 10
    required: false
    applies_when: {relevance: [relevant]}
  - variable: tags
    of: unit
    label: Tags
    question: Which?
    level: nominal
    multiple: true
    required: false
    none: nothing
    values:
      - {code: red, label: Red, definition: Red.}
      - {code: blue, label: Blue, definition: Blue.}
      - {code: nothing, label: Nothing, definition: None of them.}
  - variable: stance
    of: segment
    label: Stance
    question: For or against?
    level: ordinal
    values:
      - {code: against, label: Against, definition: Against.}
      - {code: in_favour, label: In favour, definition: For.}
  - variable: grounds
    of: segment
    label: Grounds
    question: On which grounds?
    level: nominal
    multiple: true
    required: false
    applies_when: {stance: [against], relevance: [relevant]}
    values:
      - {code: cost, label: Cost, definition: Cost.}
      - {code: taste, label: Taste, definition: Taste.}
""",
    source="parsed",
)
TEXT = "👩‍👩‍👧 🇩🇪 made-up soup\nis too dear & dull"
TASK = {"batch": "b", "arm": "blind", "coder": "human:ada", "unit": "u"}
POSTS = tables.frame(tables.POSTS, [{"unit": "u", "text": TEXT}])
TASKS = tables.frame(tables.TASKS, [TASK])


def element(name: str, value: object, *, region: str = "", kind: str = "choices") -> dict[str, Any]:
    where = {"id": region, "start": 0, "end": 1} if region else {}
    return {
        "id": region or "x",
        "from_name": name,
        "to_name": "text",
        "type": kind,
        "value": {**where, kind: value},
    }


def claim(words: str, region: str) -> dict[str, Any]:
    start = TEXT.index(words)
    value = {"start": start, "end": start + len(words), "text": words, "labels": ["claim"]}
    return {"id": region, "from_name": "segment", "to_name": "text", "type": "labels"} | {
        "value": value
    }


def annotation(result: object, number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        **TASK,
        "annotation": f"local:{number}",
        "completed_by": "ada@example.org",
        "result": result if isinstance(result, str) else json.dumps(result),
        "cancelled": 0,
        "withdrawn": 0,
        "updated": f"2025-10-0{number}T00:00:00Z",
        **more,
    }


def parsed(
    *rows: dict[str, Any], emails: dict[str, str] | None = None
) -> annotations.ParsedAnnotations:
    frame = tables.frame(tables.ANNOTATIONS, rows)
    return annotations.parse(frame, TASKS, POSTS, BOOK, emails=emails)


def values(found: annotations.ParsedAnnotations) -> dict[tuple[str, str], str]:
    rows = found.codings[["segment", "variable", "value"]].itertuples(index=False, name=None)
    return {(segment, variable): value for segment, variable, value in rows}


def kinds(found: annotations.ParsedAnnotations) -> list[str]:
    return list(found.findings["kind"])


def test_answers_become_codings_and_segments() -> None:
    """Codes in codebook order, numbers in decimal, segments numbered by place, not by arrival."""
    result = [
        claim("dull", "late"),
        claim("made-up soup\nis too dear", "early"),
        element("relevance", ["relevant"]),
        element("strength", 3.0, kind="number"),
        element("tags", ["blue", "red"]),
        element("stance", ["in_favour"], region="late"),
        element("stance", ["against"], region="early"),
        element("grounds", ["taste", "cost"], region="early"),
    ]
    found = parsed(annotation(result))
    assert values(found) == {
        ("", "relevance"): "relevant",
        ("", "strength"): "3",
        ("", "tags"): "red+blue",
        ("1", "stance"): "against",
        ("1", "grounds"): "cost+taste",
        ("2", "stance"): "in_favour",
    }
    assert kinds(found) == []
    [first, second] = found.segments.to_dict("records")
    assert (first["start"], first["end"], first["segment"]) == (9, 33, "1")
    assert first["quote"] == TEXT[9:33] == "made-up soup\nis too dear"
    assert (second["quote"], second["found"]) == ("dull", "selected")
    coding = found.codings.iloc[0]
    assert (coding["coder"], coding["arm"], coding["replicate"]) == ("human:ada", "blind", 1)
    assert (coding["source"], coding["codebook"]) == ("local:1", BOOK.fingerprint)


def test_missing_element_is_the_empty_set_or_no_row() -> None:
    """Nothing ticked: the empty set where several codes may apply, no row elsewhere."""
    found = parsed(annotation([element("relevance", ["other"]), claim("dull", "r")]))
    assert values(found) == {("", "relevance"): "other", ("", "tags"): ""}
    assert kinds(found) == ["missing"]
    assert found.findings["detail"][0] == "stance: required, not answered"


def test_a_finding_names_its_task_variable_and_quote() -> None:
    """Numbered within the task; the quote by its place, not by the order in which it came."""
    result = [
        claim("dull", "late"),
        claim("soup", "early"),
        element("relevance", ["relevant"]),
        element("tags", ["nothing", "red"]),
        element("stance", ["against"], region="early"),
    ]
    found = parsed(annotation(result, studio_task=7)).findings
    assert found.drop(columns=["batch", "arm", "coder", "unit", "annotation"]).to_dict(
        "records"
    ) == [
        {"studio_task": 7, "number": 1, "kind": "contradiction", "variable": "tags"}
        | {"segment": "", "detail": "tags: 'nothing' beside other codes does not count"},
        {"studio_task": 7, "number": 2, "kind": "missing", "variable": "stance"}
        | {"segment": "2", "detail": "stance: required, not answered"},
    ]


def test_empty_set_belongs_to_each_segment() -> None:
    """A question about segments is empty for one of them and answered for the other."""
    result = [
        element("relevance", ["relevant"]),
        claim("soup", "a"),
        element("stance", ["against"], region="a"),
        element("grounds", ["cost"], region="a"),
        claim("dull", "b"),
        element("stance", ["against"], region="b"),
    ]
    found = values(parsed(annotation(result)))
    assert (found["1", "grounds"], found["2", "grounds"]) == ("cost", "")


def test_answer_to_a_question_that_does_not_apply_is_dropped() -> None:
    """What a hidden question still holds is no coding; a chain of conditions holds as one."""
    result = [
        element("relevance", ["other"]),
        element("strength", 4, kind="number"),
        claim("dull", "r"),
        element("stance", ["against"], region="r"),
        element("grounds", ["cost"], region="r"),
    ]
    found = parsed(annotation(result))
    assert values(found) == {
        ("", "relevance"): "other",
        ("", "tags"): "",
        ("1", "stance"): "against",
    }
    assert kinds(found) == ["unmet", "unmet"]


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        (element("relevance", ["gone"]), "unknown-code", "relevance: 'gone'"),
        (element("relevance", ["relevant", "other"]), "bad-value", "takes one code, got 2"),
        (element("relevance", []), "bad-value", "takes one code"),
        (element("relevance", "relevant"), "unknown-code", "relevance: None"),
        (element("relevance", [{"a": 1}]), "unknown-code", "relevance: None"),
        (element("strength", 11, kind="number"), "bad-value", "outside 0 to 10"),
        (element("strength", True, kind="number"), "bad-value", "not a number"),
        (element("strength", float("nan"), kind="number"), "bad-value", "outside 0 to 10"),
        (element("mood", ["x"]), "unknown-variable", "'mood'"),
        (element("stance", ["against"], region="gone"), "no-segment", "stance"),
        ({"id": "r", "type": "choices"}, "unreadable", "lacks its name"),
        ("no element", "unreadable", "lacks its name"),
    ],
)
def test_what_does_not_fit_is_named(given: object, kind: str, words: str) -> None:
    """Each thing that does not fit becomes a finding; the rest of the annotation stays."""
    found = parsed(annotation([element("tags", ["red"]), given]))
    assert values(found)["", "tags"] == "red"
    [row] = found.findings[found.findings["kind"] == kind].to_dict("records")
    assert words in row["detail"]
    assert (row["annotation"], row["unit"], row["coder"]) == ("local:1", "u", "human:ada")


@pytest.mark.parametrize(
    ("start", "end"), [(-1, 3), (3, 3), (0, len(TEXT) + 1), ("0", 3), (0.0, 3), (True, 3)]
)
def test_segment_outside_of_the_text_is_dropped_with_its_codes(start: Any, end: Any) -> None:
    """A place that is none makes one finding, however many codes it carries."""
    broken = claim("dull", "r")
    broken["value"] |= {"start": start, "end": end}
    result = [broken, element("stance", ["against"], region="r"), element("relevance", ["other"])]
    found = parsed(annotation(result))
    assert kinds(found) == ["outside"]
    assert found.segments.empty


def test_line_end_comes_back_as_two_signs() -> None:
    """Label Studio writes a marked line's end as a backslash and an n: these are the same words."""
    lines = claim("soup\nis too", "r")
    lines["value"]["text"] = "soup\\nis too"
    found = parsed(annotation([lines, element("stance", ["against"], region="r")]))
    assert list(found.segments["quote"]) == ["soup\nis too"]
    assert "text-differs" not in kinds(found)


def test_segment_with_other_words_is_kept_and_named() -> None:
    """The place counts; that the server showed other words there is a finding."""
    differs = claim("dull", "r")
    differs["value"]["text"] = "bright"
    found = parsed(
        annotation(
            [
                differs,
                element("stance", ["against"], region="r"),
                element("relevance", ["other"]),
            ]
        )
    )
    assert kinds(found) == ["text-differs"]
    assert list(found.segments["quote"]) == ["dull"]


def test_code_for_none_beside_others_does_not_count() -> None:
    """Ticking 'nothing' and a colour is a contradiction; the colour counts, as for models."""
    result = [element("tags", ["nothing", "red"]), element("relevance", ["other"])]
    found = parsed(annotation(result))
    assert values(found)["", "tags"] == "red"
    assert kinds(found) == ["contradiction"]


def test_end_of_a_path_is_the_code() -> None:
    """A taxonomy gives paths; their last step is the code."""
    result = [element("tags", [["colours", "red"], ["blue"]], kind="taxonomy")]
    assert values(parsed(annotation(result)))["", "tags"] == "red+blue"


def test_newest_annotation_counts() -> None:
    """Second thoughts replace first ones; the older annotation is a finding."""
    first = annotation([element("relevance", ["other"])], 1)
    second = annotation([element("relevance", ["relevant"])], 2)
    found = parsed(second, first)
    assert values(found)["", "relevance"] == "relevant"
    assert list(found.findings["kind"]) == ["several"]
    assert list(found.findings["annotation"]) == ["local:1"]


def test_skip_gives_no_coding_though_it_carries_codes() -> None:
    """A skip holds the prefilled codes; none of them counts, nor does what came before it."""
    first = annotation([element("relevance", ["other"])], 1)
    skip = annotation([element("relevance", ["relevant"])], 2, cancelled=1)
    found = parsed(first, skip)
    assert found.codings.empty
    assert sorted(kinds(found)) == ["several", "skipped"]


def test_withdrawn_annotation_is_silent() -> None:
    """A deleted annotation gives nothing; an older one that stands counts again."""
    first = annotation([element("relevance", ["other"])], 1)
    gone = annotation([element("relevance", ["relevant"])], 2, withdrawn=1)
    found = parsed(first, gone)
    assert values(found)["", "relevance"] == "other"
    assert kinds(found) == []


def test_another_account_does_not_count() -> None:
    """Who else codes at a seat is named, and does not replace the seat's own coder."""
    own = annotation([element("relevance", ["other"])], 1, completed_by="Ada@example.org")
    alien = annotation([element("relevance", ["relevant"])], 2, completed_by="bob@example.org")
    found = parsed(own, alien, emails={"human:ada": "ada@example.org"})
    assert values(found)["", "relevance"] == "other"
    assert list(found.findings["detail"]) == ["given by bob@example.org"]
    assert kinds(parsed(own, alien)) == ["several"]


def test_text_that_changed_on_the_server_is_named() -> None:
    """A unit whose text is shown otherwise is a finding; one without a post is none here."""
    shown = [
        {**TASK, "unit": unit, "studio_task": task, "text": text}
        for task, (unit, text) in enumerate((("stranger", "x"), ("u", TEXT + " more")))
    ]
    found = findings.numbered(findings.altered(shown, POSTS))
    assert found[["unit", "studio_task", "coder", "kind"]].to_dict("records") == [
        {"unit": "u", "studio_task": 1, "coder": "human:ada", "kind": "text-changed"}
    ]
    assert findings.altered([{**shown[1], "text": TEXT}], POSTS) == []


def test_skips_are_among_the_last_but_do_not_stand() -> None:
    """Of a coder's annotations the newest is the last one, also a skip, which does not stand."""
    rows = [annotation([], 1), annotation([], 2, cancelled=1), annotation([], 3, withdrawn=1)]
    notes = tables.frame(tables.ANNOTATIONS, rows)
    emails = {"human:ada": "ada@example.org"}
    assert list(newest(notes, emails)["annotation"]) == ["local:2"]
    assert newest(notes, emails)["cancelled"].eq(1).all()


def test_annotation_without_task_or_post_is_named() -> None:
    """What belongs to no task, or to no post, is a finding."""
    notes = tables.frame(tables.ANNOTATIONS, [annotation([], arm="assisted")])
    assert kinds(annotations.parse(notes, TASKS, POSTS, BOOK)) == ["no-task"]
    notes = tables.frame(tables.ANNOTATIONS, [annotation([])])
    assert kinds(annotations.parse(notes, TASKS, POSTS[:0], BOOK)) == ["no-task"]


@pytest.mark.parametrize("result", ["", "nonsense", "{}", "3", "[" * 100_000, "9" * 5000])
def test_unreadable_result_is_named(result: str) -> None:
    """A result that is no list of results gives no coding and one finding."""
    found = parsed(annotation(result))
    assert found.codings.empty
    assert kinds(found) == ["unreadable"]


def test_relations_are_passed_over() -> None:
    """A relation between segments is neither a coding nor a fault."""
    relation = {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"}
    found = parsed(annotation([relation, element("relevance", ["other"])]))
    assert kinds(found) == []


def test_nothing_gives_empty_tables() -> None:
    """No annotation gives three empty frames with their columns."""
    found = parsed()
    assert [len(one) for one in found] == [0, 0, 0]
    assert list(found.findings.columns) == tables.columns(tables.FINDINGS)


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ANY = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
NAMES = st.sampled_from([variable.variable for variable in BOOK.variables] + ["segment", "x"])
VALUES = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("start", "end", "text", "choices", "number", "labels"), ANY)
)
ELEMENTS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["a", "b"]) | ANY,
        "from_name": NAMES | ANY,
        "type": st.sampled_from(["labels", "choices", "number", "relation"]) | ANY,
        "value": VALUES | ANY,
    },
)


@examples(150)
@given(result=st.lists(ELEMENTS | ANY, max_size=6) | ANY)
def test_no_json_ends_the_run(result: object) -> None:
    """Whatever the server sends, codings fit the codebook and the rest is a finding."""
    found = parsed(annotation(json.dumps(result)))
    for row in found.codings.to_dict("records"):
        assert BOOK.variable(row["variable"]).fault(row["value"]) == ""
    for row in found.segments.to_dict("records"):
        assert TEXT[row["start"] : row["end"]] == row["quote"] != ""


def test_ask_the_pi_is_a_code_of_its_own() -> None:
    """The box becomes a coding beside the others and a finding; a comment is only a finding."""
    comment = element(page.COMMENT, ["two uses?\n", "or \x1b[31mone"], kind="text")
    ask = element(page.ASK, ["unclear"])
    found = parsed(annotation([element("relevance", ["relevant"]), ask, comment]))
    assert values(found) == {
        ("", "relevance"): "relevant",
        ("", "tags"): "",
        ("", "ask-the-pi"): "unclear",
    }
    [told] = found.findings.to_dict("records")
    assert (told["kind"], told["detail"]) == ("ask-the-pi", "two uses? or [31mone")
    silent = parsed(annotation([element("relevance", ["relevant"]), ask]))
    assert list(silent.findings["detail"]) == ["without a comment"]
    spoken = parsed(annotation([element("relevance", ["relevant"]), comment]))
    assert kinds(spoken) == ["comment"]
    assert ("", "ask-the-pi") not in values(spoken)


@pytest.mark.parametrize("value", [None, 5, {}, {"choices": 5}, {"choices": [5]}, {"text": {}}])
def test_odd_remarks_do_no_harm(value: object) -> None:
    """What is neither a tick nor a text is no remark."""
    results = [{"from_name": name, "value": value} for name in page.OWN]
    assert page.remark([*results, None, 5, "text"]) == page.Remark(False, "")


def test_suggested_segment_that_nobody_checked_is_named() -> None:
    """It counts, as it was handed in; the page lets none through."""
    region = claim("too dear", "r")
    region["value"]["labels"] = [page.TO_CHECK]
    stance = element("stance", ["against"], region="r")
    found = parsed(annotation([element("relevance", ["relevant"]), region, stance]))
    assert kinds(found) == ["unchecked"]
    assert values(found)["1", "stance"] == "against"


@st.composite
def coded(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Codings and segments of one unit that the codebook admits."""
    who = {"codebook": BOOK.fingerprint, "unit": "u", "coder": "human:ada", "replicate": 1}
    bounds = st.tuples(st.integers(0, len(TEXT) - 1), st.integers(1, len(TEXT)))
    places = draw(st.lists(bounds.filter(lambda one: one[0] < one[1]), max_size=3, unique=True))
    rows: list[dict[str, Any]] = []
    given_unit: dict[str, str] = {}
    for number in range(len(places) + 1):
        answers = dict(given_unit)
        for variable in BOOK.of_segment if number else BOOK.of_unit:
            name = variable.variable
            conditions = variable.applies_when.items()
            if not all(answers.get(other) in codes for other, codes in conditions):
                continue
            if not variable.values:
                answers[name] = str(draw(st.integers(0, 10)))
            elif variable.multiple:
                codes = [code for code in variable.codes if code != variable.none]
                answers[name] = variable.written(draw(st.sets(st.sampled_from(codes))))
            else:
                answers[name] = draw(st.sampled_from(variable.codes))
            where = {"segment": str(number) if number else "", "variable": name}
            rows.append(who | where | {"value": answers[name]})
        given_unit = given_unit or answers
    spans = [
        who | {"segment": str(number), "start": start, "end": end, "quote": TEXT[start:end]}
        for number, (start, end) in enumerate(sorted(places), start=1)
    ]
    return tables.frame(tables.CODINGS, rows), tables.frame(tables.SEGMENTS, spans)


@examples(60)
@given(made=coded())
def test_prediction_comes_back_as_the_same_codings(
    made: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    """What is suggested and submitted unchanged is parsed to the codings it was made from."""
    codings, segments = made
    shown = config.predictions(codings, segments, BOOK, version="m", checked=True)
    found = parsed(annotation(shown["u"]["result"]))
    columns = ["segment", "variable", "value"]
    before = codings[columns].itertuples(index=False, name=None)
    assert set(found.codings[columns].itertuples(index=False, name=None)) == set(before)
    place = ["segment", "start", "end", "quote"]
    assert found.segments[place].values.tolist() == segments[place].values.tolist()
    assert found.findings.empty
