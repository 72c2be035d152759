"""Schemas of answers keep the limits of strict servers. Codebooks are made up or bundled."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st
from made_up_talk import CODES, ROOT, TALK, TALK_BOOK, book
from thorough import examples

from labeler.codebook import codebook as codebooks
from labeler.coders.schema import (
    CHARACTERS,
    LEVELS,
    LONG_ENUM,
    LONG_ENUM_CHARACTERS,
    PROPERTIES,
    check,
    form,
    schema,
)
from labeler.coders.schema import CODES as MOST_CODES
from labeler.errors import AnswerError

FORBIDDEN = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "$ref", "patternProperties")


def parts(part: dict[str, Any], level: int = 1) -> list[tuple[int, dict[str, Any]]]:
    """Every object, list and value of a schema, with the level of nesting that it makes."""
    found = [(level, part)]
    inside = [part["items"]] if "items" in part else []
    for inner in [*part.get("properties", {}).values(), *inside]:
        found += parts(inner, level + (inner["type"] in ("object", "array")))
    return found


def strict_faults(whole: dict[str, Any]) -> list[str]:
    """What breaks the limits of a strict schema, in words."""
    faults = [] if whole["type"] == "object" else ["the root is no object"]
    names, codes = [], []
    for level, part in parts(whole):
        faults += [f"level {level}"] if level > LEVELS else []
        faults += [word for word in FORBIDDEN if word in part]
        if part["type"] == "object":
            names += list(part["properties"])
            faults += [] if part["required"] == list(part["properties"]) else ["not all required"]
            faults += [] if part["additionalProperties"] is False else ["open object"]
        enum = part.get("enum", [])
        faults += ["an empty enum"] if "enum" in part and not enum else []
        codes += enum
        if len(enum) > LONG_ENUM and sum(len(code or "") for code in enum) > LONG_ENUM_CHARACTERS:
            faults.append("a long enum of long codes")
    faults += ["too many properties"] if len(names) > PROPERTIES else []
    faults += ["too many codes"] if len(codes) > MOST_CODES else []
    characters = sum(map(len, names)) + sum(len(code or "") for code in codes)
    return faults + (["too many characters"] if characters > CHARACTERS else [])


@pytest.mark.parametrize("several", [False, True])
def test_schemas_of_the_codebooks_that_come_along(several: bool) -> None:
    """The bundled codebooks keep the strict limits, and so does the smallest."""
    every = (ROOT / "codebook").glob("*.yaml")
    paths = sorted(path for path in every if not path.name.endswith(".analysis.yaml"))
    assert paths
    for path in paths:
        codebook = codebooks.read(path.read_text(encoding="utf-8"), source=path.name)
        assert strict_faults(schema(codebook, several=several)) == []
    assert strict_faults(schema(TALK_BOOK, several=several)) == []
    assert max(level for level, _ in parts(schema(TALK_BOOK, several=several))) == LEVELS


@examples(100)
@given(strategies.codebooks_accepted(), st.booleans())
def test_schema_of_any_codebook(codebook: codebooks.Codebook, several: bool) -> None:
    """Any codebook that `check` accepts: within the limits, and every code is listed."""
    made = schema(codebook, several=several)
    assert strict_faults(made) == []
    listed = sum(len([c for c in part.get("enum", []) if c]) for _, part in parts(made))
    assert listed == sum(len(variable.codes) for variable in codebook.variables)
    assert json.loads(json.dumps(made)) == made


def many(sizes: dict[str, int], *, length: int = 1, multiple: bool = False) -> codebooks.Codebook:
    """A codebook whose variables have so many codes, each so many characters long at least."""
    content = json.loads(json.dumps(TALK))
    content.pop("segments")
    content["variables"] = [
        {
            "variable": name,
            "of": "unit",
            "level": "nominal",
            "multiple": multiple,
            "values": [
                {"code": f"c{n:0{length}}", "label": f"C{n}", "definition": "Made up."}
                for n in range(size)
            ],
        }
        for name, size in sizes.items()
    ]
    return book(content)


@pytest.mark.parametrize("multiple", [False, True])
def test_more_codes_than_an_enum_may_have(multiple: bool) -> None:
    """The variable with the most codes takes any text then; the others keep their enums."""
    codebook = many({"few": 3, "most": 990, "some": 20}, multiple=multiple)
    made = schema(codebook)
    assert strict_faults(made) == []
    variables = made["properties"]["variables"]["properties"]
    inner = {name: part.get("items", part) for name, part in variables.items()}
    assert {name: "enum" in part for name, part in inner.items()} == {
        "few": True,
        "most": False,
        "some": True,
    }


def test_long_codes() -> None:
    """251 codes of 60 characters pass the limit of a long enum; 250 of them do not."""
    made = schema(many({"long": 251, "near": 250}, length=60))
    assert strict_faults(made) == []
    variables = made["properties"]["variables"]["properties"]
    assert ("enum" in variables["long"], "enum" in variables["near"]) == (False, True)


def test_null_only_where_a_question_may_stay_open() -> None:
    """Null is a code of those that may not apply; a list says it by being empty."""
    made = schema(TALK_BOOK)["properties"]
    assert made["variables"]["properties"]["on_topic"] == {"type": "string", "enum": ["a", "b"]}
    assert made["variables"]["properties"]["tone"]["enum"] == ["a", "b", "c", None]
    codes = made["segments"]["items"]["properties"]["codes"]["properties"]
    assert codes["needs"]["items"]["enum"] == [code["code"] for code in CODES]
    assert codes["nights"] == {"type": ["number", "null"], "minimum": 0.0, "maximum": 7.0}


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from([0.5, 7.5, "", "a", "z"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=3,
)


def instances(part: dict[str, Any]) -> st.SearchStrategy[Any]:
    """JSON of a form; now and then anything in the place of a part, or a member too many."""
    kinds = part["type"] if isinstance(part["type"], list) else [part["type"]]
    made: st.SearchStrategy[Any]
    if kinds[0] == "object":
        required = {name: instances(part["properties"][name]) for name in part["required"]}
        rest = [name for name in part["properties"] if name not in required]
        optional = {name: instances(part["properties"][name]) for name in rest}
        made = st.fixed_dictionaries(required, optional=optional)
        made = made | st.fixed_dictionaries(required, optional={"more": JUNK})
    elif kinds[0] == "array":
        made = st.lists(instances(part["items"]), max_size=2)
    elif kinds[0] == "string":
        made = st.sampled_from(part.get("enum", ["", "x"]))
    else:
        made = st.integers(0, 7)
    made = made | st.none() if "null" in kinds else made
    return st.integers(0, 19).flatmap(lambda turn: made if turn else JUNK)


@examples(300)
@given(st.data(), st.booleans(), st.booleans())
def test_an_answer_is_checked_by_the_schema_that_is_sent(
    data: st.DataObject, several: bool, abstains: bool
) -> None:
    """`check` and the package jsonschema come to the same verdict on any JSON."""
    made = form(TALK_BOOK, several=several, abstains=abstains)
    answer = data.draw(instances(made))
    try:
        check(answer, made)
    except AnswerError:
        found = False
    else:
        found = True
    assert found == jsonschema.Draft202012Validator(made).is_valid(answer)


def test_the_form_is_what_is_sent_where_no_limit_is_met() -> None:
    """One source: the schema is the form itself; only codes beyond the limits become any text."""
    assert schema(TALK_BOOK) == form(TALK_BOOK)
    assert schema(TALK_BOOK, several=True) == form(TALK_BOOK, several=True)
    long = many({"few": 3, "most": 1200})
    assert "enum" not in schema(long)["properties"]["variables"]["properties"]["most"]
    with pytest.raises(AnswerError, match=r"variables\.most: expected one of c0, .*got 'other'"):
        check({"rationale": "", "variables": {"few": "c0", "most": "other"}}, form(long))
