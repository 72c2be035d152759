"""What hypothesis draws from: codebooks that are accepted, answers that fit a schema.

Everything drawn is made up.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml
from hypothesis import reject
from hypothesis import strategies as st

from labeler.codebook import codebook as codebooks
from labeler.codebook.codebook import Codebook, Variable
from labeler.errors import CodebookError
from labeler.text.coded_values import number_text

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,11}", fullmatch=True)
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="$"), min_size=1, max_size=20
)
LINES = st.lists(TEXTS, max_size=2)
WORDS = NAMES | st.sampled_from(["a", "b", "not", "a b", "*n't", "b*", "帮", "😀", "l'a", ","])
CUES = WORDS | st.builds(
    "{} ~{}{} {}".format, WORDS, st.integers(0, 3), st.sampled_from(["", ">"]), WORDS
)


class Coded(NamedTuple):
    """A post, where its segments stand, and (segment, variable) → value."""

    unit: str
    text: str
    places: list[tuple[int, int]]
    codes: dict[tuple[str, str], str]


TAKEN = ("unit", "segment", "coder", "arm", "replicate", "text")


@st.composite
def codebooks_accepted(draw: st.DrawFn, *, variables: int = 6) -> Codebook:
    """A codebook that `read` accepts: every level, sets, numbers, conditions, odd signs in texts.

    At least one variable and at most `variables`; of the unit, of the segment, or of both.
    """
    content: dict[str, Any] = {
        "codebook": draw(NAMES),
        "version": draw(TEXTS),
        "title": draw(TEXTS),
        "about": draw(TEXTS),
        "include": draw(LINES),
        "exclude": draw(LINES),
    }
    names = draw(
        st.lists(
            NAMES.filter(lambda name: name not in TAKEN),
            min_size=1,
            max_size=variables,
            unique=True,
        )
    )
    segmented = draw(st.booleans())
    rows: list[dict[str, Any]] = []
    for place, name in enumerate(names):
        last = segmented and place == len(names) - 1 and all(row["of"] == "unit" for row in rows)
        of = "segment" if last or (segmented and draw(st.booleans())) else "unit"
        rows.append({"variable": name, "of": of} | draw(_variable(of, rows)))
    content["variables"] = rows
    if segmented:
        content["segments"] = draw(_segments(names))
    content["cues"] = draw(_cues(rows))
    try:
        return codebooks.read(yaml.safe_dump(content), source="drawn.yaml")
    except CodebookError:  # conditions that no codes can meet
        reject()


@st.composite
def codings_valid(draw: st.DrawFn, codebook: Codebook, unit: str) -> Coded:
    """A made-up post and a coding of it that the codebook admits, as one coder would give it.

    Every question that applies is answered, but that a single one that need not be may be left.
    """
    signs = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
    text = draw(st.text(signs, min_size=1, max_size=40))
    ends = st.tuples(st.integers(0, len(text) - 1), st.integers(1, len(text)))
    some = st.lists(ends.filter(lambda one: one[0] < one[1]), max_size=3, unique=True)
    places = sorted(draw(some)) if codebook.segments else []
    codes: dict[tuple[str, str], str] = {}
    of_unit: dict[str, list[str]] = {}
    for number in range(len(places) + 1):
        given: dict[str, list[str]] = {}
        for variable in codebook.of_segment if number else codebook.of_unit:
            if variable.applies(of_unit | given):
                value = draw(_valid(variable))
                if value is not None:
                    given[variable.variable] = value.split("+")
                    codes[str(number) if number else "", variable.variable] = value
        of_unit = of_unit if number else given
    return Coded(unit, text, places, codes)


def _valid(variable: Variable) -> st.SearchStrategy[str | None]:
    """A value as codings have it; None for no answer."""
    valid: st.SearchStrategy[str]
    if not variable.values:
        assert variable.minimum is not None
        assert variable.maximum is not None
        numbers = st.floats(variable.minimum, variable.maximum)
        valid = numbers.map(number_text).filter(lambda text: not variable.fault(text))
    elif variable.multiple:
        others = [code for code in variable.codes if code != variable.none]
        sets = st.sets(st.sampled_from(others), min_size=int(variable.required))
        if variable.none is not None:
            sets |= st.just({variable.none})
        return sets.map(variable.written)
    else:
        valid = st.sampled_from(variable.codes)
    return valid if variable.required else valid | st.none()


def fitting(schema: dict[str, Any], *, quotes: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Anything that fits a schema of answers; texts are of any kind or drawn from `quotes`."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "object" in kinds:
        parts = schema["properties"].items()
        return st.fixed_dictionaries({name: fitting(part, quotes=quotes) for name, part in parts})
    if "array" in kinds:
        return st.lists(fitting(schema["items"], quotes=quotes), max_size=4)
    drawn: st.SearchStrategy[Any] = st.text(max_size=30) | quotes
    if "number" in kinds:
        low, high = schema["minimum"], schema["maximum"]
        drawn = st.floats(low, high)
        if -(-low // 1) <= high // 1:
            drawn |= st.integers(int(-(-low // 1)), int(high // 1))
    return drawn | st.none() if "null" in kinds else drawn


@st.composite
def _variable(draw: st.DrawFn, of: str, earlier: list[dict[str, Any]]) -> dict[str, Any]:
    variable: dict[str, Any] = {
        "label": draw(TEXTS),
        "question": draw(TEXTS),
        "definition": draw(TEXTS | st.just("")),
        "required": draw(st.booleans()),
        "level": draw(st.sampled_from(["nominal", "nominal", "ordinal", "interval", "ratio"])),
    }
    numeric = variable["level"] in ("interval", "ratio")
    if numeric and draw(st.booleans()):
        bounds = st.floats(-1e9, 1e9) | st.integers(-9, 9)
        low, high = sorted(draw(st.lists(bounds, min_size=2, max_size=2, unique=True)))
        variable |= {"minimum": low, "maximum": high}
    else:
        codes = draw(st.lists(NAMES, min_size=2, max_size=5, unique=True))
        variable["values"] = [draw(_value(code, numeric=numeric)) for code in codes]
        variable["multiple"] = variable["level"] == "nominal" and draw(st.booleans())
        if draw(st.booleans()):
            for value in variable["values"]:
                value["group"] = draw(st.sampled_from([None, "Group, one", "Group <two>"]))
        for role in ("none", "default"):
            variable[role] = draw(st.none() | st.sampled_from(codes))
    asked = [row for row in earlier if "values" in row and (of == "segment" or row["of"] == "unit")]
    for row in draw(st.lists(st.sampled_from(asked), max_size=2)) if asked else []:
        codes = [value["code"] for value in row["values"]]
        met = draw(st.lists(st.sampled_from(codes), min_size=1, max_size=2, unique=True))
        variable.setdefault("applies_when", {})[row["variable"]] = met
    return variable


@st.composite
def _value(draw: st.DrawFn, code: str, *, numeric: bool) -> dict[str, Any]:
    value: dict[str, Any] = {
        "code": code,
        "label": f"{draw(TEXTS)} {code}",
        "definition": draw(TEXTS),
        "include": draw(LINES),
        "exclude": draw(LINES),
        "examples": draw(LINES),
        "cues": draw(st.lists(CUES, max_size=3)),
    }
    return value | ({"number": draw(st.floats(-9, 9))} if numeric else {})


@st.composite
def _segments(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    return {
        "segment": draw(NAMES),
        "label": draw(TEXTS),
        "definition": draw(TEXTS),
        "include": draw(LINES),
        "exclude": draw(LINES),
        "min_words": draw(st.integers(1, 5)),
        "relates": draw(st.lists(st.sampled_from(names), max_size=2)),
        "within": draw(st.integers(1, 3)),
    }


@st.composite
def _cues(draw: st.DrawFn, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Rules for cues; some values of the variables that they negate get a code for that."""
    phrases = draw(st.lists(WORDS, max_size=6, unique=True))
    listed = {"negations": phrases[:3], "exceptions": phrases[3:4], "ends": phrases[4:]}
    drawn = {
        "reach": draw(st.integers(0, 3)),
        "ties": draw(st.sampled_from(["earliest", "abstain"])),
    }
    coded = [row for row in rows if "values" in row]
    if phrases and coded:
        chosen = draw(st.lists(st.sampled_from(coded), max_size=2))
        drawn["negates"] = [row["variable"] for row in chosen]
        for row in chosen or coded:
            codes = [value["code"] for value in row["values"]]
            for value in row["values"]:
                others = st.sampled_from([code for code in codes if code != value["code"]])
                value["negated"] = draw(st.none() | others)
    return listed | drawn
