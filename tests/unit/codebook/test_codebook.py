"""The codebook: read, refused with path and reason, compared, fingerprinted. All made up."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from places import ROOT

from labeler.codebook import codebook
from labeler.codebook.codebook import HAS_SEGMENT, Codebook, Gate, Variable
from labeler.errors import CodebookError

FOLDER = ROOT / "codebook"
BUNDLED = ("llm-mental-health", "recipe-difficulty")

# Places are fixed, since the tests below name them: 0 topic, 1 tone, 2 score, 3 sides, 4 strength.
WEATHER: dict[str, Any] = {
    "codebook": "weather-talk",
    "version": "1",
    "title": "Talk about the weather",
    "about": "Made-up posts about made-up weather.",
    "include": ["Posts that speak of weather."],
    "exclude": ["Posts about climate."],
    "segments": {
        "segment": "remark",
        "label": "Remark",
        "definition": "A remark about weather.",
        "min_words": 2,
        "relates": ["topic"],
        "within": 2,
    },
    "variables": [
        {
            "variable": "topic",
            "of": "unit",
            "label": "Topic",
            "question": "Is it about weather?",
            "definition": "What the post is about.",
            "level": "nominal",
            "default": "off",
            "values": [
                {"code": "on", "label": "On", "definition": "Weather.", "cues": ["{segment}"]},
                {"code": "off", "label": "Off", "definition": "Anything else."},
            ],
        },
        {
            "variable": "tone",
            "of": "unit",
            "label": "Tone",
            "question": "How does it sound?",
            "level": "ordinal",
            "applies_when": {"topic": ["on"]},
            "values": [
                {"code": "sour", "label": "Sour", "definition": "Complains."},
                {"code": "even", "label": "Even", "definition": "Neither."},
                {"code": "sweet", "label": "Sweet", "definition": "Praises."},
            ],
        },
        {
            "variable": "score",
            "of": "unit",
            "label": "Score",
            "question": "How many degrees are named?",
            "level": "interval",
            "minimum": -50,
            "maximum": 60,
        },
        {
            "variable": "sides",
            "of": "segment",
            "label": "Sides",
            "question": "Which kinds of weather?",
            "level": "nominal",
            "multiple": True,
            "none": "nothing",
            "default": "nothing",
            "values": [
                {"code": "sun", "label": "Sun", "definition": "Sun.", "cues": ["sun*"]},
                {"code": "rain", "label": "Rain", "definition": "Rain.", "cues": ["rain*"]},
                {"code": "nothing", "label": "Nothing", "definition": "None of them."},
            ],
        },
        {
            "variable": "strength",
            "of": "segment",
            "label": "Strength",
            "question": "How strong?",
            "level": "interval",
            "values": [
                {"code": "weak", "label": "Weak", "definition": "Weak.", "number": 1},
                {"code": "strong", "label": "Strong", "definition": "Strong.", "number": 3},
            ],
        },
    ],
}

REMOVED = object()


def changed(*edits: tuple[str, Any]) -> dict[str, Any]:
    """WEATHER with each `path` (`variables.0.label`) set to a value, or taken out."""
    content = copy.deepcopy(WEATHER)
    for path, value in edits:
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        place: Any = content
        for step in way:
            place = place[step]
        if value is REMOVED:
            del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value
    return content


def read(content: dict[str, Any]) -> Codebook:
    """The codebook with this content, by way of YAML text."""
    return codebook.read(yaml.safe_dump(content, sort_keys=False), source="w.yaml")


def findings(text: str) -> list[str]:
    """What is found in a text that must be refused."""
    with pytest.raises(CodebookError) as caught:
        codebook.read(text, source="w.yaml")
    return caught.value.findings


def found(*edits: tuple[str, Any]) -> list[str]:
    """What is found in WEATHER after the edits."""
    return findings(yaml.safe_dump(changed(*edits), sort_keys=False))


def variable(name: str) -> Variable:
    """A variable of WEATHER."""
    return read(WEATHER).variable(name)


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_codebooks_read_clean(name: str) -> None:
    """Both bundled codebooks break no rule, carry their file's name and say what is made up."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    book = codebook.read(text, source=name)
    assert book.codebook == name
    assert "made up" in text.split("codebook:")[0]
    for each in book.variables:
        for value in each.values:
            assert value.definition and value.include and value.exclude and value.examples
            assert len(value.label) <= 28
            assert len(set(value.cues)) == len(value.cues)


@pytest.mark.parametrize(
    ("name", "fingerprint"),
    [
        ("llm-mental-health", "7755cb67076b55bc79d1d0d2e6579c3a"),
        ("recipe-difficulty", "e893f670312bffc461a07843ba8b89e7"),
    ],
)
def test_bundled_fingerprints_stay(name: str, fingerprint: str) -> None:
    """Codings made before cues could be negated belong to the codebooks as they are now.

    Change these only together with something that a coder sees.
    """
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert codebook.read(text, source=name).fingerprint == fingerprint


def test_the_study_has_its_variables() -> None:
    """The study's codebook asks its six questions, with a code for none where several apply."""
    text = (FOLDER / "llm-mental-health.yaml").read_text(encoding="utf-8")
    book = codebook.read(text, source="llm-mental-health.yaml")
    assert {each.variable: len(each.codes) for each in book.variables} == {
        "relevance": 3,
        "impact": 4,
        "condition": 12,
        "perspective": 13,
        "value": 13,
        "product": 9,
    }
    nones = [each.none for each in book.variables if each.multiple]
    assert nones == ["no_condition", "no_perspective", "no_value", "unnamed"]
    assert [value.number for value in book.variable("impact").values] == [1, -1, 0, None]
    assert book.variable("relevance").value("relevant").cues == (HAS_SEGMENT,)
    assert [each.variable for each in book.of_unit] == ["relevance"]
    assert book.thresholds("product") == Gate(tentative=0.667, reliable=0.8)


def test_the_second_codebook_shares_nothing_with_the_first() -> None:
    """The recipe codebook is one ordinal variable of the unit, in rank order, without segments."""
    text = (FOLDER / "recipe-difficulty.yaml").read_text(encoding="utf-8")
    book = codebook.read(text, source="recipe-difficulty.yaml")
    (difficulty,) = book.variables
    assert book.segments is None and book.of_segment == ()
    assert difficulty.metric == "ordinal"
    assert difficulty.codes == ("very_easy", "easy", "hard", "very_hard")


def test_readme_names_every_key() -> None:
    """The tables of codebook/README.md explain each key of the schema."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    schemas = (Codebook, codebook.Segments, codebook.Cues, Variable, codebook.Value, Gate)
    keys = {name for schema in schemas for name in schema.model_fields}
    assert [name for name in sorted(keys) if f"`{name}`" not in text] == []


def test_lookups_name_what_is_missing() -> None:
    """A variable or code that is not there is a KeyError with its name."""
    book = read(WEATHER)
    with pytest.raises(KeyError, match="mood"):
        book.variable("mood")
    with pytest.raises(KeyError, match="fog"):
        book.variable("sides").value("fog")


def test_metric_follows_level_and_sets() -> None:
    """Sets, and whatever is of a segment, compare by MASI; the rest by their level."""
    metrics = {each.variable: each.metric for each in read(WEATHER).variables}
    assert metrics == {
        "topic": "nominal",
        "tone": "ordinal",
        "score": "interval",
        "sides": "masi",
        "strength": "masi",
    }


def test_gate_of_a_variable_goes_before_the_codebooks() -> None:
    """A variable's own thresholds stand instead of the codebook's, which default to .667, .8."""
    book = read(changed(("variables.0.gate", {"tentative": 0.5, "reliable": 0.6})))
    assert book.thresholds("topic") == Gate(tentative=0.5, reliable=0.6)
    assert book.thresholds("tone") == Gate(tentative=0.667, reliable=0.8)


FIELD_RULES = [
    ("variables.0.lable", "x", "variables[0].lable: unknown key; remove it or check its spelling"),
    ("colour", "red", "colour: unknown key; remove it or check its spelling"),
    ("segments.widthin", 2, "segments.widthin: unknown key; remove it or check its spelling"),
    ("variables.1.level", REMOVED, "variables[1].level: missing; add it"),
    ("variables.0.values.1.definition", REMOVED, "variables[0].values[1].definition: missing; add"),
    ("variables.0.values.1.code", False, "variables[0].values[1].code: YAML reads this as false"),
    (
        "variables.0.values.0.label",
        5,
        "variables[0].values[0].label: YAML reads this as the number",
    ),
    ("version", 1.0, "version: YAML reads this as the number 1.0; put it in quotes"),
    (
        "variables.0.default",
        True,
        "variables[0].default: YAML reads this as true; put it in quotes",
    ),
    ("variables.0.values.0.cues", [False], "variables[0].values[0].cues[0]: YAML reads this as f"),
    ("variables.0.applies_when", {"topic": [True]}, "variables[0].applies_when.topic[0]: YAML re"),
    ("title", "", "title: String should have at least 1 character, got ''"),
    ("variables.1.level", "rank", "variables[1].level: Input should be 'nominal', 'ordinal',"),
    ("variables.0.of", "post", "variables[0].of: Input should be 'unit' or 'segment', got 'post'"),
    ("variables.2.minimum", float("nan"), "variables[2].minimum: Input should be a finite number"),
    ("variables.2.maximum", float("inf"), "variables[2].maximum: Input should be a finite number"),
    ("cues", {"reach": 21}, "cues.reach: Input should be less than or equal to 20, got 21"),
    ("cues", {"ties": "last"}, "cues.ties: Input should be 'earliest' or 'abstain', got 'last'"),
    ("cues", {"negations": [False]}, "cues.negations[0]: YAML reads this as false; put it in quo"),
    ("segments.within", 6, "segments.within: Input should be less than or equal to 5, got 6"),
    ("gate", {"tentative": 0}, "gate.tentative: Input should be greater than 0, got 0"),
    ("gate", {"reliable": 1}, "gate.reliable: Input should be less than 1, got 1"),
]


@pytest.mark.parametrize(("path", "value", "expected"), FIELD_RULES)
def test_a_field_that_breaks_its_rule(path: str, value: Any, expected: str) -> None:
    """One bad field gives one finding, with file, path and reason."""
    (finding,) = found((path, value))
    assert finding.startswith(f"w.yaml: {expected}")


RULES = [
    ("codebook", "Weather talk", "codebook: 'Weather talk' may only use a-z, 0-9 and _ and -"),
    ("variables.1.values.0.code", "Bad!", "variables[1].values[0].code: code 'Bad!' may only use"),
    ("variables.3.values.1.code", "sun", "variables[3].values[1].code: 'sun' stands twice in 'sid"),
    ("variables.3.values.1.label", "Sun", "variables[3].values[1].label: 'Sun' stands twice in 's"),
    ("variables.4.variable", "tone", "variables[4].variable: 'tone' stands twice"),
    ("variables.4.variable", "how-much", "variables[4].variable: 'how-much' may only use a-z, 0-9"),
    ("variables.4.variable", "text", "variables[4].variable: 'text' is a column of every table"),
    ("segments.segment", "a remark", "segments.segment: 'a remark' may only use a-z, 0-9 and _"),
    ("segments.relates", ["topic", "mood"], "segments.relates[1]: no variable is called 'mood'"),
    ("variables.0.label", "$opic", "variables[0].label: '$opic' holds a '$', which Label Studio"),
    ("variables.0.question", "5 $?", "variables[0].question: '5 $?' holds a '$'"),
    ("variables.0.definition", "in $", "variables[0].definition: 'in $' holds a '$'"),
    ("variables.0.values.0.label", "$on", "variables[0].values[0].label: '$on' holds a '$'"),
    ("variables.0.values.0.definition", "a $", "variables[0].values[0].definition: 'a $' holds a"),
    ("segments.label", "$", "segments.label: '$' holds a '$'"),
    ("segments.definition", "a $", "segments.definition: 'a $' holds a '$'"),
    ("variables.3.none", "nil", "variables[3].none: no value has the code 'nil'"),
    ("variables.3.default", "fog", "variables[3].default: no value has the code 'fog'"),
    ("variables.1.multiple", True, "variables[1].level: several codes at once are a set"),
    ("variables.2.multiple", True, "variables[2].multiple: a variable without values takes one"),
    ("variables.2.none", "zero", "variables[2].none: a variable without values has no code"),
    ("variables.2.default", "99", "variables[2].default: score: 99 lies outside -50 to 60"),
    ("variables.2.minimum", REMOVED, "variables[2].minimum: a variable without values needs minim"),
    ("variables.2.maximum", REMOVED, "variables[2].minimum: a variable without values needs minim"),
    ("variables.2.minimum", 60, "variables[2].minimum: lies not below maximum"),
    ("variables.2.level", "ratio", "variables[2].minimum: lies below 0, which a ratio cannot"),
    ("variables.2.level", "ordinal", "variables[2].values: a variable of level ordinal needs valu"),
    ("variables.4.values.0.number", REMOVED, "variables[4].values[0].number: a value of an interv"),
    ("variables.4.minimum", 0, "variables[4].minimum: is for a variable without values; remove it"),
    ("variables.4.values.1", REMOVED, "variables[4].values: needs at least two values, or nothing"),
    ("variables.3.values.0.cues.1", " * ", "variables[3].values[0].cues[1]: ' * ' would match ev"),
    ("variables.3.values.0.cues.1", "a ~ b", "variables[3].values[0].cues[1]: 'a ~ b': '~' joins"),
    ("variables.3.values.0.cues.1", "a~4 b", "variables[3].values[0].cues[1]: 'a~4 b': '~' joins"),
    ("variables.3.values.0.cues.1", "a ~4", "variables[3].values[0].cues[1]: 'a ~4': '~' joins"),
    ("variables.3.values.0.cues.1", "a ~2 b ~2 c", "variables[3].values[0].cues[1]: 'a ~2 b ~2 c'"),
    ("variables.3.values.0.cues.1", "a ~2 *", "variables[3].values[0].cues[1]: 'a ~2 *' would mat"),
    (
        "variables.3.values.0.cues.1",
        "a ~2 {segment}",
        "variables[3].values[0].cues[1]: 'a ~2 {segment}': '{segment}' stands alone",
    ),
    (
        "variables.3.values.0.negated",
        "rain",
        "variables[3].values[0].negated: needs the phrases th",
    ),
    (
        "variables.3.values.0.negated",
        "sun",
        "variables[3].values[0].negated: 'sun' is no other cod",
    ),
    (
        "variables.3.values.0.negated",
        "fog",
        "variables[3].values[0].negated: 'fog' is no other cod",
    ),
    ("cues", {"negations": ["not", " * "]}, "cues.negations[1]: ' * ' would match every post"),
    ("cues", {"negations": ["not ~2 a"]}, "cues.negations[0]: 'not ~2 a': '~' is for cues of a va"),
    (
        "cues",
        {"negations": ["not", "Not "]},
        "cues.negations[1]: 'Not ' stands also in cues.negations[0]",
    ),
    (
        "cues",
        {"negations": ["not"], "ends": ["not"]},
        "cues.ends[0]: 'not' stands also in cues.negations[0]",
    ),
    ("cues", {"ends": ["but"]}, "cues.ends: does nothing without cues.negations"),
    ("cues", {"exceptions": ["not only"]}, "cues.exceptions: does nothing without cues.negations"),
    ("cues", {"negates": ["sides"]}, "cues.negates: does nothing without cues.negations"),
    (
        "cues",
        {"negations": ["not"], "negates": ["sides", "score"]},
        "cues.negates[1]: no variable with values is called 'score'",
    ),
    ("gate", {"tentative": 0.9}, "gate.reliable: lies below gate.tentative"),
    ("variables.0.gate", {"reliable": 0.5}, "variables[0].gate.reliable: lies below variables[0]"),
]


@pytest.mark.parametrize(("path", "value", "expected"), RULES)
def test_a_rule_that_no_field_shows(path: str, value: Any, expected: str) -> None:
    """One broken rule gives one finding, with file, path and reason."""
    (finding,) = found((path, value))
    assert finding.startswith(f"w.yaml: {expected}")


def test_a_negated_code_of_a_variable_that_is_not_negated() -> None:
    """`negated` of a variable that cues.negates leaves out would do nothing, and is found."""
    assert found(
        ("cues", {"negations": ["not"], "negates": ["topic"]}),
        ("variables.3.values.0.negated", "rain"),
    ) == ["w.yaml: variables[3].values[0].negated: cues.negates does not name 'sides'"]


UNREACHABLE = [
    (1, {"mood": ["on"]}, ".mood: unreachable: no earlier variable is called 'mood'"),
    (1, {"tone": ["even"]}, ".tone: unreachable: no earlier variable is called 'tone'"),
    (0, {"tone": ["even"]}, ".tone: unreachable: no earlier variable is called 'tone'"),
    (1, {"topic": ["maybe"]}, ".topic: unreachable: 'topic' has no code 'maybe'"),
    (1, {"topic": ["on", "maybe"]}, ".topic: unreachable: 'topic' has no code 'maybe'"),
    (1, {"topic": []}, ".topic: unreachable: names no code"),
    (3, {"score": ["10"]}, ".score: unreachable: 'score' has no code '10'"),
    (4, {"tone": ["sour"], "topic": ["off"]}, ": unreachable: with what the named variables need"),
]


@pytest.mark.parametrize(("place", "condition", "expected"), UNREACHABLE)
def test_unreachable_applies_when(place: int, condition: Any, expected: str) -> None:
    """A condition that no coding can meet is found, whatever makes it so."""
    (finding,) = found((f"variables.{place}.applies_when", condition))
    assert finding.startswith(f"w.yaml: variables[{place}].applies_when{expected}")


def test_unit_cannot_depend_on_its_segments() -> None:
    """A variable of the unit that hangs on a variable of the segment is unreachable."""
    late = {**WEATHER["variables"][0], "variable": "late", "applies_when": {"sides": ["sun"]}}
    assert found(("variables.5", late)) == [
        "w.yaml: variables[5].applies_when.sides: unreachable: "
        "a variable of the unit cannot depend on one of its segments"
    ]


def test_contradiction_through_two_steps() -> None:
    """A condition is unreachable also where the contradiction stands two variables earlier."""
    (finding,) = found(
        ("variables.3.applies_when", {"tone": ["sweet"]}),
        ("variables.4.applies_when", {"sides": ["sun"], "topic": ["off"]}),
    )
    assert finding.startswith("w.yaml: variables[4].applies_when: unreachable")
    assert "no code of 'topic' is left" in finding


def test_reachable_conditions_pass() -> None:
    """A segment's variable may depend on the unit, and conditions that agree break no rule."""
    book = read(changed(("variables.4.applies_when", {"tone": ["sour"], "topic": ["on"]})))
    assert book.variable("strength").applies_when == {"tone": ("sour",), "topic": ("on",)}


def test_variables_of_the_segment_need_segments() -> None:
    """Without the section, each variable of the segment and the cue `{segment}` is named."""
    assert found(("segments", REMOVED)) == [
        "w.yaml: variables[0].values[0].cues[0]: '{segment}' needs the section 'segments'",
        "w.yaml: variables[3].of: a variable of the segment needs the section 'segments'",
        "w.yaml: variables[4].of: a variable of the segment needs the section 'segments'",
    ]


def test_segments_need_a_variable() -> None:
    """The section without any variable of the segment is found."""
    assert found(("variables", WEATHER["variables"][:3])) == [
        "w.yaml: segments: no variable is of the segment; add one or remove the section"
    ]


def test_a_codebook_needs_a_variable() -> None:
    """No variable at all is one finding."""
    assert found(("variables", []), ("segments", REMOVED)) == [
        "w.yaml: variables: a codebook needs at least one variable"
    ]


def test_all_findings_come_at_once() -> None:
    """Two broken rules are two findings, and the error's text holds both lines."""
    text = yaml.safe_dump(changed(("variables.0.default", "x"), ("variables.3.none", "y")))
    with pytest.raises(CodebookError) as caught:
        codebook.read(text, source="w.yaml")
    assert len(caught.value.findings) == 2
    assert str(caught.value).splitlines() == caught.value.findings


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("codebook: a\nversion: '1'\ncodebook: b\n", "key 'codebook' stands twice in"),
        ("a:\n  - {of: unit, of: segment}\n", "key 'of' stands twice in"),
        ("codebook: [a\n", "not readable as YAML"),
        ("{[a]: b}\n", "found unhashable key"),
        ("version: 2024-02-31\n", "not readable as YAML: day"),
        ("codebook: !!python/name:os.system\n", "could not determine a constructor"),
        ("- a\n- b\n", "a codebook is a mapping with the key 'codebook'"),
        ("", "a codebook is a mapping with the key 'codebook'"),
    ],
)
def test_yaml_that_is_no_codebook(text: str, reason: str) -> None:
    """Broken, doubled or foreign YAML is one finding that names the file, never another error."""
    (finding,) = findings(text)
    assert finding.startswith("w.yaml: ") and reason in finding


def test_repeated_key_says_where() -> None:
    """The finding of a repeated key gives the line of its second place."""
    (finding,) = findings("codebook: a\nversion: '1'\ncodebook: b\n")
    assert "line 3, column 1" in finding


def test_unquoted_words_in_a_file() -> None:
    """The plain YAML words no and 1.10 are named as what YAML makes of them."""
    text = yaml.safe_dump(changed(("variables.0.values.1.code", "CODE"), ("version", "VERSION")))
    text = text.replace("code: CODE", "code: no").replace("VERSION", "1.10")
    assert findings(text) == [
        "w.yaml: version: YAML reads this as the number 1.1; put it in quotes",
        "w.yaml: variables[0].values[1].code: YAML reads this as false; put it in quotes",
    ]


def test_merge_keys_may_be_overridden() -> None:
    """A YAML merge whose key is given again is no repeated key."""
    text = yaml.safe_dump({**WEATHER, "variables": ["HERE"]}, sort_keys=False)
    values = "values: [{code: a, label: A, definition: a}, {code: b, label: B, definition: b}]"
    first = f"&one {{variable: v, of: segment, label: V, question: v, level: nominal, {values}}}"
    text = text.replace("- HERE", f"- {first}\n- {{<<: *one, variable: topic}}")
    assert [each.variable for each in codebook.read(text, source="w").variables] == ["v", "topic"]


def test_diff_of_equal_codebooks_is_empty() -> None:
    """Nothing changed, nothing said."""
    assert codebook.diff(read(WEATHER), read(WEATHER)) == []


def test_diff_says_changed() -> None:
    """A changed definition gives before and after, and the variable whose codings it touches."""
    after = read(changed(("variables.3.values.1.definition", "Rain or snow.")))
    path = "variables[sides].values[rain].definition"
    assert codebook.diff(read(WEATHER), after) == [
        codebook.Change(path, "changed", "Rain.", "Rain or snow.", "sides")
    ]


def test_diff_says_added_and_removed() -> None:
    """A new value is added entry by entry, the same seen backwards is removed."""
    before = read(WEATHER)
    after = read(
        changed(("variables.1.values.3", {"code": "odd", "label": "Odd", "definition": "Odd."}))
    )
    forth, back = codebook.diff(before, after), codebook.diff(after, before)
    assert ("variables[tone].values[odd].code", "added", "", "odd", "tone") in forth
    assert ("variables[tone].values[odd].code", "removed", "odd", "", "tone") in back
    assert {change.kind for change in forth} == {"added"}
    assert {change.kind for change in back} == {"removed"}


def test_diff_of_a_new_variable_touches_no_other() -> None:
    """A variable put before the others touches its own codings alone."""
    new = {**WEATHER["variables"][1], "variable": "mood", "applies_when": {}}
    after = read({**WEATHER, "variables": [new, *WEATHER["variables"]]})
    changes = codebook.diff(read(WEATHER), after)
    assert {change.kind for change in changes} == {"added"}
    assert {change.variable for change in changes} == {"mood", ""}


def test_diff_says_when_the_order_changes() -> None:
    """Values in another order touch their variable, variables in another order touch all."""
    values = WEATHER["variables"][1]["values"]
    ranks = read(changed(("variables.1.values", values[::-1])))
    assert codebook.diff(read(WEATHER), ranks) == [
        codebook.Change(
            "variables[tone].values.order", "changed", "sour even sweet", "sweet even sour", "tone"
        )
    ]
    first, second, score, *rest = WEATHER["variables"]
    (change,) = codebook.diff(
        read(WEATHER), read({**WEATHER, "variables": [score, first, second, *rest]})
    )
    assert (change.path, change.variable) == ("variables.order", "*")


UNSEEN = [
    ("version", "2"),
    ("gate", {"tentative": 0.5, "reliable": 0.7}),
    ("variables.0.gate", {"tentative": 0.5, "reliable": 0.7}),
    ("variables.0.default", "on"),
    ("variables.3.values.0.cues", ["sunny", "bright"]),
    ("variables.4.values.0.number", 2),
    ("segments.relates", ["sides"]),
    ("segments.within", 1),
    ("variables.3.values.0.cues", ["sun ~2 shine", "*shine"]),
    ("cues", {"negations": ["not"], "exceptions": ["not only"], "ends": ["but"], "reach": 1}),
    ("cues", {"negations": ["not"], "negates": ["sides"], "ties": "abstain"}),
    ("cues", {"ties": "abstain"}),
]
SEEN = [
    ("codebook", "other-talk", "*"),
    ("title", "Weather", "*"),
    ("about", "Other posts.", "*"),
    ("include", ["Everything."], "*"),
    ("segments.definition", "Anything.", "*"),
    ("segments.min_words", 3, "*"),
    ("variables.0.question", "Weather?", "topic"),
    ("variables.0.required", False, "topic"),
    ("variables.0.values.0.definition", "Weather or season.", "topic"),
    ("variables.0.values.0.examples", ["Made up."], "topic"),
    ("variables.0.values.0.group", "Of the sky", "topic"),
    ("variables.1.applies_when", {"topic": ["off"]}, "tone"),
    ("variables.2.maximum", 70, "score"),
    ("variables.3.values.1.code", "wet", "sides"),
    ("variables.3.none", None, "sides"),
]


@pytest.mark.parametrize(("path", "value"), UNSEEN)
def test_what_no_coder_sees(path: str, value: Any) -> None:
    """Version, cues, numbers, defaults and thresholds: a change, but of no coding."""
    before, after = read(WEATHER), read(changed((path, value)))
    assert after.fingerprint == before.fingerprint
    assert {change.variable for change in codebook.diff(before, after)} == {""}


def test_the_code_of_negated_cues_is_not_seen() -> None:
    """`negated` is for the cues coder: no other fingerprint, and no coding touched."""
    negations = ("cues", {"negations": ["not"]})
    before = read(changed(negations))
    after = read(changed(negations, ("variables.3.values.0.negated", "rain")))
    assert after.fingerprint == before.fingerprint == read(WEATHER).fingerprint
    assert codebook.diff(before, after) == [
        codebook.Change("variables[sides].values[sun].negated", "added", "", "rain", "")
    ]


@pytest.mark.parametrize(("path", "value", "touched"), SEEN)
def test_what_a_coder_sees(path: str, value: Any, touched: str) -> None:
    """Whatever a coder is told makes another fingerprint and touches codings."""
    before, after = read(WEATHER), read(changed((path, value)))
    assert after.fingerprint != before.fingerprint
    assert touched in {change.variable for change in codebook.diff(before, after)}


def test_fingerprint_is_of_content_not_of_spelling() -> None:
    """Comments, the order of keys and the style of the YAML leave the fingerprint as it is."""
    text = "# a comment\n" + yaml.safe_dump(WEATHER, sort_keys=True, default_flow_style=True)
    assert codebook.read(text, source="w").fingerprint == read(WEATHER).fingerprint


def test_fingerprint_without_segments() -> None:
    """A codebook without segments has a fingerprint, and gaining the section changes it."""
    content = changed(
        ("segments", REMOVED),
        ("variables", WEATHER["variables"][:3]),
        ("variables.0.values.0.cues", REMOVED),
    )
    assert len(read(content).fingerprint) == 32
    assert read(content).fingerprint != read(WEATHER).fingerprint


def test_single_codes() -> None:
    """A variable of one code takes exactly one that the codebook knows."""
    tone = variable("tone")
    assert tone.written(["even"]) == "even"
    assert tone.fault("even") == ""
    assert tone.fault("") == "tone: takes one code, got 0"
    assert tone.fault("sour+even") == "tone: takes one code, got 2"
    assert tone.fault("bitter") == "tone: code 'bitter' is not in the codebook"


def test_sets_of_codes() -> None:
    """Several codes stand in codebook order, once each; none stands alone; '' is the empty set."""
    sides = variable("sides")
    assert sides.written(["rain", "sun", "rain"]) == "sun+rain"
    assert sides.written([]) == ""
    assert [sides.fault(value) for value in ("", "sun", "sun+rain", "nothing")] == [""] * 4
    assert sides.fault("rain+sun") == (
        "sides: 'rain+sun' is not in codebook order, or repeats a code"
    )
    assert sides.fault("sun+sun") == "sides: 'sun+sun' is not in codebook order, or repeats a code"
    assert sides.fault("sun+nothing") == "sides: 'nothing' excludes every other code"
    assert sides.fault("sun+fog") == "sides: code 'fog' is not in the codebook"
    assert sides.fault("sun+") == "sides: code '' is not in the codebook"


def test_a_foreign_code_is_not_lost_on_the_way() -> None:
    """A code outside the codebook is written down, so that it can be refused."""
    sides = variable("sides")
    assert sides.written(["fog", "rain"]) == "rain+fog"
    assert sides.fault(sides.written(["fog"])) == "sides: code 'fog' is not in the codebook"


def test_numbers() -> None:
    """A variable without values takes a number within its bounds, both included."""
    score = variable("score")
    assert [score.fault(value) for value in ("-50", "0", "21.5", "60")] == [""] * 4
    assert score.fault("61") == "score: 61 lies outside -50 to 60"
    assert score.fault("-50.1") == "score: -50.1 lies outside -50 to 60"
    assert score.fault("nan") == "score: nan lies outside -50 to 60"
    assert score.fault("inf") == "score: inf lies outside -50 to 60"
    assert score.fault("warm") == "score: 'warm' is not a number"
    assert score.fault("") == "score: '' is not a number"


@settings(deadline=None)
@given(st.lists(st.sampled_from(["sun", "rain"])))
def test_written_sets_have_no_fault(codes: list[str]) -> None:
    """Whatever the order and repetition of known codes, what is written is a coding."""
    sides = variable("sides")
    assert sides.fault(sides.written(codes)) == ""
    assert sides.written(reversed(codes)) == sides.written(codes)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes `read` fail in another way than by its findings."""
    with pytest.raises(CodebookError):
        codebook.read(text, source="any")


@pytest.mark.parametrize(
    ("level", "numbers", "finding"),
    [
        ("interval", (1, 1), "variables[0].values[1].number: 1 stands twice in 'mood'"),
        ("ratio", (-1, 1), "variables[0].values[0].number: lies below 0, which a ratio cannot"),
    ],
)
def test_numbers_of_values_must_give_distances(level, numbers, finding):
    """Two codes at one number have no distance, and a ratio has none below zero."""
    first, second = numbers
    text = f"""
codebook: numbers
version: "1"
title: Numbers
about: Made up.
variables:
  - variable: mood
    of: unit
    label: Mood
    question: Which mood?
    level: {level}
    values:
      - {{code: low, label: Low, definition: Low., number: {first}}}
      - {{code: high, label: High, definition: High., number: {second}}}
"""
    with pytest.raises(CodebookError) as caught:
        codebook.read(text, source="x.yaml")
    assert caught.value.findings == [f"x.yaml: {finding}"]
