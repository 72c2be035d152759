from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import builders
import pandas as pd
import pytest
from jinja2 import UndefinedError
from label_studio_sdk.label_interface import LabelInterface
from places import ROOT

from labeler.codebook import codebook
from labeler.codebook.codebook import Codebook
from labeler.errors import CodebookError, TableError
from labeler.store import tables
from labeler.studio import config
from labeler.studio import page as studio_page

PAGE = (ROOT / "templates" / "studio" / "config.jinja").read_text("utf-8")
GUIDE = (ROOT / "templates" / "studio" / "instructions.jinja").read_text("utf-8")
BOOK = """
codebook: pages
version: "1.0"
title: Made-up <pages>
about: Made-up & odd posts.
segments: {segment: claim, label: 'A "claim"', definition: Words that claim.}
variables:
  - variable: relevance
    of: unit
    label: Relevance
    question: Is it <relevant> & *true*?
    level: nominal
    values:
      - {code: yes_it_is, label: "Yes, it is", definition: 'It says "so" & more.'}
      - code: no_it_is_not
        label: Not so
        definition: It does not.
        include: ["For $5 {{ x }} <i>"]
  - variable: strength
    of: unit
    label: Strength
    question: How strong?
    level: ratio
    minimum: 0
    maximum: 2.5
    applies_when: {relevance: [yes_it_is]}
  - variable: stance
    of: segment
    label: Stance
    question: For or against?
    level: ordinal
    values:
      - {code: against, label: Against, definition: Against it.}
      - {code: for_it, label: For, definition: For it.}
  - variable: grounds
    of: segment
    label: Grounds
    question: On which grounds?
    level: nominal
    multiple: true
    applies_when: {stance: [against, for_it], relevance: [yes_it_is]}
    values:
VALUES
"""


def book(grounds: int = 3, old: str = "", new: str = "") -> Codebook:
    row = "      - {{code: g{0}, label: Ground {0}, definition: The ground {0}.}}"
    values = "\n".join(row.format(number) for number in range(grounds))
    return codebook.read(BOOK.replace("VALUES", values).replace(old, new), source="pages")


def page(of: Codebook) -> ElementTree.Element:
    return ElementTree.fromstring(config.config(of, template=PAGE))


def control(of: Codebook, name: str) -> ElementTree.Element:
    [found] = page(of).findall(f".//*[@name='{name}']")
    return found


WHO = {"codebook": "k", "coder": "cues@1", "replicate": 1}


def codings(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    names = ("unit", "segment", "variable", "value")
    return tables.frame(tables.CODINGS, [WHO | dict(zip(names, row, strict=True)) for row in rows])


def segments(*rows: tuple[str, str, int, int, str, str]) -> pd.DataFrame:
    names = ("unit", "segment", "start", "end", "quote", "found")
    return tables.frame(tables.SEGMENTS, [WHO | dict(zip(names, row, strict=True)) for row in rows])


def test_controls_follow_the_kind_of_variable() -> None:
    """One code is a radio, several are boxes, a number has bounds; codes are the aliases."""
    relevance = control(book(), "relevance")
    assert (relevance.tag, relevance.get("choice")) == ("Choices", "single-radio")
    assert [one.get("alias") for one in relevance] == ["yes_it_is", "no_it_is_not"]
    assert [one.get("value") for one in relevance] == ["Yes, it is", "Not so"]
    assert relevance[0].get("hint") == 'It says "so" & more.'
    assert relevance.get("perRegion") is None
    grounds = control(book(), "grounds")
    assert (grounds.get("choice"), grounds.get("perRegion")) == ("multiple", "true")
    strength = control(book(), "strength")
    assert (strength.tag, strength.get("min"), strength.get("max")) == ("Number", "0", "2.5")
    assert [one.get("alias") for one in control(book(), "stance")] == ["against", "for_it"]
    assert [one.get("alias") for one in control(book(), "segment")] == ["to-check", "claim"]


def test_many_codes_become_a_tree() -> None:
    """Up to 15 codes stand in rows; more stand in a tree to search, where several may be taken."""
    assert control(book(15), "grounds").tag == "Choices"
    tree = control(book(16), "grounds")
    assert (tree.tag, tree.get("leafsOnly"), tree.get("maxUsages")) == ("Taxonomy", "true", None)
    assert [one.get("alias") for one in tree] == [f"g{number}" for number in range(16)]
    assert {one.get("hotkey") for one in tree} == {None}


GROUPED = ("Against, definition: Against it.", "Against, group: 'No <', definition: Against it.")


def test_groups_become_a_tree() -> None:
    """A code with a group stands under its heading; of a variable of one code one is taken."""
    of = book(3, *GROUPED)
    tree = control(of, "stance")
    assert (tree.tag, tree.get("maxUsages")) == ("Taxonomy", "1")
    assert [(one.get("value"), one.get("alias")) for one in tree] == [
        ("No <", "group-0"),
        ("For", "for_it"),
    ]
    assert [one.get("alias") for one in tree[0]] == ["against"]
    made = config.predictions(
        codings(("u", "1", "stance", "against")),
        segments(("u", "1", 0, 3, "abc", "exact")),
        of,
        version="m",
    )
    answer = made["u"]["result"][1]
    assert answer["type"] == "taxonomy"
    assert answer["value"]["taxonomy"] == [["group-0", "against"]]
    assert of.fingerprint != book().fingerprint


def test_keys_do_not_collide() -> None:
    """Every code of the bundled codebook has a key of its own, none of them Label Studio's."""
    path = ROOT / "codebook" / "llm-mental-health.yaml"
    of = codebook.read(path.read_text("utf-8"), source="bundled")
    keys = [one.get("hotkey") for one in page(of).iter() if one.tag in ("Choice", "Label")]
    given = [key for key in keys if key]
    assert len(given) == len(set(given)) == 54 + len(["mark", "ask", "guard"])
    assert len(keys) - len(given) == len(["to-check"])
    assert not {"u", "shift+r", "shift+1", "shift+2"} & set(given)


def test_keys_run_out_without_harm() -> None:
    """Codes beyond the last key have none; no key stands twice."""
    many = {f"v{number}": book(15) for number in range(5)}
    of = book(15)
    variables = [
        variable.model_copy(update={"variable": f"{name}_{variable.variable}", "applies_when": {}})
        for name, one in many.items()
        for variable in one.of_segment
    ]
    keys = studio_page.hotkeys(of.model_copy(update={"variables": tuple(variables)}))
    assert list(keys.values()) == list(studio_page.KEYS)


def test_page_insists_only_where_a_question_shows() -> None:
    """Label Studio asks hidden questions of segments too, so these are not insisted on."""
    assert control(book(), "relevance").get("requiredMessage") == "Relevance: needs one code."
    assert control(book(), "strength").get("required") == "true"
    assert control(book(), "stance").get("required") == "true"
    assert control(book(), "grounds").get("required") is None


def shown_if(tree: ElementTree.Element, text: str) -> list[tuple[str, str, str]]:
    """The conditions of the views around a line, from within: kind, name, values."""
    parents = {child: parent for parent in tree.iter() for child in parent}
    [one] = tree.findall(f".//*[@value='{text}']")
    found = []
    while one in parents:
        one = parents[one]
        if one.get("visibleWhen", "").startswith("choice"):
            names = ("visibleWhen", "whenTagName", "whenChoiceValue")
            found.append(tuple(str(one.get(name)) for name in names))
    return found


def test_what_cannot_be_insisted_on_is_said_beside_the_question() -> None:
    """That a segment's question with a condition is open, that `none` stands beside others."""
    of = book(3, "    multiple: true\n", "    multiple: true\n    none: g0\n")
    asked = [
        ("choice-selected", "relevance", "yes_it_is"),
        ("choice-selected", "stance", "against,for_it"),
    ]
    assert shown_if(page(of), "Needs at least one code.") == [
        ("choice-unselected", "grounds", "g0,g1,g2"),
        *asked,
    ]
    told = "Ground 0 stands alone: take it away, or the other codes."
    assert shown_if(page(of), told) == [
        ("choice-selected", "grounds", "g1,g2"),
        ("choice-selected", "grounds", "g0"),
        *asked,
    ]
    assert not page(of).findall(".//TextArea[@name='grounds-alone']")


def test_none_beside_others_keeps_a_post_from_being_submitted() -> None:
    """Of a variable of the post: a hidden control is required while both stand there."""
    of = builders.book(
        builders.choice("tags", "red blue nothing", multiple=True, none="nothing", required=False)
    )
    tree = page(of)
    told = "Nothing stands alone: take it away, or the other codes."
    assert shown_if(tree, told) == [
        ("choice-selected", "tags", "red,blue"),
        ("choice-selected", "tags", "nothing"),
    ]
    parents = {child: parent for parent in tree.iter() for child in parent}
    [guard] = tree.findall(".//TextArea[@name='tags-alone']")
    assert (guard.get("required"), guard.get("requiredMessage")) == ("true", f"Tags: {told}")
    assert parents[guard].get("className") == "guard"
    assert parents[parents[guard]].get("whenChoiceValue") == "red,blue"
    LabelInterface(config.config(of, template=PAGE)).validate()


def test_conditions_are_nested_views() -> None:
    """Each condition of a question is a view around it that shows for the codes."""
    tree = page(book())
    parents = {child: parent for parent in tree.iter() for child in parent}
    [grounds] = tree.findall(".//*[@name='grounds']")
    inner = parents[parents[grounds]]
    outer = parents[inner]
    assert inner.attrib == {
        "visibleWhen": "choice-selected",
        "whenTagName": "relevance",
        "whenChoiceValue": "yes_it_is",
    }
    assert (outer.get("whenTagName"), outer.get("whenChoiceValue")) == ("stance", "against,for_it")


def test_text_cannot_become_markup() -> None:
    """Signs of XML, HTML, Markdown and Label Studio's own `$` are only shown."""
    text = config.config(book(), template=PAGE)
    texts = [one.get("value") or "" for one in page(book()).findall(".//Markdown")]
    assert any("<summary>Is it &lt;relevant&gt; &amp; *true*? " in one for one in texts)
    assert any("For &#36;5 {{ x }} &lt;i&gt;" in one for one in texts)
    assert not any("\n\n" in one for one in texts)
    assert text.count("$") == len(["$platform", "$date", "$text", "$note", "$todo"])


def test_label_studio_knows_the_page() -> None:
    """Label Studio's own reader finds the text, the segments and every variable."""
    interface = LabelInterface(config.config(book(), template=PAGE))
    names = {"segment", "relevance", "strength", "stance", "grounds", *studio_page.OWN}
    assert set(interface._controls) == names
    interface.validate()


def test_codebook_without_segments_makes_a_page() -> None:
    """Without segments there is neither a label nor a second column."""
    path = ROOT / "codebook" / "recipe-difficulty.yaml"
    of = codebook.read(path.read_text("utf-8"), source="recipe")
    assert page(of).findall(".//Labels") == []
    assert control(of, "difficulty").get("required") == "true"


def test_names_of_the_page_are_refused() -> None:
    """A variable called as the page's own parts would break it."""
    with pytest.raises(CodebookError, match=r"variables\[2\].variable: 'text'"):
        config.config(book(old="stance", new="text"), template=PAGE)


def test_template_that_asks_for_the_unknown_fails() -> None:
    """A misspelt name in a template is an error, not an empty place."""
    with pytest.raises(UndefinedError, match="nobody"):
        config.config(book(), template="<View>{{ nobody }}</View>")


def test_instructions_tell_the_same_in_every_arm() -> None:
    """The arms differ in a sentence or two; the codebook is all there, escaped."""
    blind = config.instructions(book(), template=GUIDE, arm="blind")
    assisted = config.instructions(book(), template=GUIDE, arm="assisted")
    assert "Made-up &lt;pages&gt;" in blind
    assert "A number from 0 to 2.5" in blind
    added = [line for line in assisted.splitlines() if line not in blind.splitlines()]
    assert len(added) == 1
    assert "A program has filled in codes" in added[0]
    assert "Code alone" in blind
    deciding = config.instructions(book(), template=GUIDE, arm="adjudication")
    assert "Code alone" not in deciding
    assert "Others have coded these posts before" in deciding
    assert "nothing tells which are the program’s" in deciding
    assert "Codes given with suggestions in view are left out" in deciding


def test_predictions_carry_codes_and_places() -> None:
    """A unit's answers stand alone, a segment's with its region; the empty set is left out."""
    made = config.predictions(
        codings(
            ("u", "", "relevance", "yes_it_is"),
            ("u", "", "strength", "2.0"),
            ("u", "1", "stance", "for_it"),
            ("u", "1", "grounds", "g0+g2"),
            ("u", "2", "grounds", ""),
        ),
        segments(("u", "2", 9, 11, "zw", "fuzzy"), ("u", "1", 0, 3, "abc", "exact")),
        book(),
        version="cues@1",
    )
    span = {"start": 0, "end": 3, "text": "abc"}
    other = {"start": 9, "end": 11, "text": "zw"}

    def of(name: str, kind: str, value: Any, **more: Any) -> dict[str, Any]:
        return {"from_name": name, "to_name": "text", "type": kind, "value": value, **more}

    assert made == {
        "u": {
            "model_version": "cues@1",
            "result": [
                of("segment", "labels", {**span, "labels": ["to-check"]}, id="s1"),
                of("segment", "labels", {**other, "labels": ["to-check"]}, id="s2"),
                of("relevance", "choices", {"choices": ["yes_it_is"]}),
                of("strength", "number", {"number": 2}),
                of("stance", "choices", {**span, "choices": ["for_it"]}, id="s1"),
                of("grounds", "choices", {**span, "choices": ["g0", "g2"]}, id="s1"),
            ],
        }
    }


def test_segment_that_was_not_found_is_not_shown() -> None:
    """A quote that is not in the post has no place; its codes stay away with it."""
    made = config.predictions(
        codings(("u", "1", "stance", "for_it")),
        segments(("u", "1", -1, -1, "not there", "missing")),
        book(),
        version="m",
    )
    assert made["u"]["result"] == []


def test_segment_that_was_not_found_is_told_of() -> None:
    """Its words and codes stand in a line of their own; a unit whose quotes stand has none."""
    lines = config.unsupported(
        codings(
            ("u", "1", "stance", "for_it"),
            ("u", "1", "grounds", "g0+g2"),
            ("u", "2", "stance", "for_it"),
            ("v", "1", "stance", "for_it"),
        ),
        segments(
            ("u", "1", -1, -1, "not\nthere", "missing"),
            ("u", "2", 0, 3, "yes", "exact"),
            ("v", "1", 0, 3, "yes", "exact"),
        ),
        book(),
    )
    grounds = ", ".join(book().variable("grounds").value(code).label for code in ("g0", "g2"))
    stance = book().variable("stance")
    told = f"{stance.label}: {stance.value('for_it').label}; "
    told += f"{book().variable('grounds').label}: {grounds}"
    assert lines == {"u": f"{config.UNSUPPORTED} “not there” ({told})"}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("u7", "", "relevance", "maybe"), "u7: relevance: code 'maybe'"),
        (("u7", "", "strength", "3"), "u7: strength: 3 lies outside"),
        (("u7", "", "mood", "x"), "u7: no variable is called 'mood'"),
        (("u7", "1", "relevance", "yes_it_is"), "u7: relevance is of the unit"),
        (("u7", "", "stance", "for_it"), "u7: stance is of the segment"),
        (("u7", "2", "stance", "for_it"), "u7: stance: segment '2' has no row"),
    ],
)
def test_what_does_not_fit_the_codebook_never_leaves(
    row: tuple[str, str, str, str], words: str
) -> None:
    """Label Studio checks nothing: a wrong coding is refused here, with unit and variable."""
    with pytest.raises(TableError, match=words):
        config.predictions(
            codings(row), segments(("u7", "1", 0, 1, "a", "exact")), book(), version="m"
        )


def test_misplaced_quote_is_refused() -> None:
    """A segment whose quote is not as long as its place would be shown elsewhere."""
    with pytest.raises(TableError, match="segment '1': 0 to 5 is not where"):
        config.predictions(
            codings(), segments(("u", "1", 0, 5, "abc", "exact")), book(), version="m"
        )


def test_two_coders_cannot_make_one_suggestion() -> None:
    """Suggestions come from one coder and one replicate."""
    row = {"unit": "u", "variable": "relevance", "value": "yes_it_is"}
    rows = [WHO | row | {"coder": coder} for coder in ("cues@1", "cues@2")]
    with pytest.raises(TableError, match="relevance stands twice"):
        config.predictions(tables.frame(tables.CODINGS, rows), segments(), book(), version="m")


def seat(arm: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    tasks = [
        {"batch": "b", "coder": "human:a", "unit": unit, "arm": arm, "position": 3 - place}
        for place, unit in enumerate("abc")
    ]
    posts = [
        {
            "unit": unit,
            "platform": "bluesky",
            "created": "2025-10-03T10:11:12Z",
            "text": unit * 3,
            "author": "hidden-author",
            "url": "https://hidden.example.org",
        }
        for unit in "abc"
    ]
    return tables.frame(tables.TASKS, tasks), tables.frame(tables.POSTS, posts)


def test_payload_follows_the_positions_and_hides_the_author() -> None:
    """Tasks stand in order; author and address never leave; blind ones have no prediction."""
    made = config.payload(*seat("blind"), None)
    data = {"unit": "c", "text": "ccc", "platform": "bluesky", "date": "2025-10-03"}
    assert made[0] == {"data": {**data, "note": "", "todo": ""}}
    assert [task["data"]["unit"] for task in made] == ["c", "b", "a"]
    assert "hidden" not in str(made)


def test_assisted_payload_carries_its_predictions() -> None:
    """A unit without a suggestion is imported without one."""
    region = {"type": "labels", "value": {"start": 0, "end": 2, "text": "bb"}}
    given = {"b": {"model_version": "m", "result": [region, {"type": "choices", "value": {}}]}}
    made = config.payload(*seat("assisted"), given, {"b": "told"})
    assert [task["data"]["todo"] for task in made] == ["", f"{config.UNCHECKED} 1", ""]
    assert [len(task.get("predictions", [])) for task in made] == [0, 1, 0]
    assert [task["data"]["note"] for task in made] == ["", "told", ""]


def test_quote_that_the_post_does_not_hold_there_never_leaves() -> None:
    """A suggested place whose words are not those of the post is refused, with its unit."""
    value = {"start": 0, "end": 2, "text": "bx", "labels": ["claim"]}
    given = {"b": {"model_version": "m", "result": [{"type": "labels", "value": value}]}}
    with pytest.raises(TableError, match="unit b: 0 to 2 of the post"):
        config.payload(*seat("assisted"), given)


@pytest.mark.parametrize("sign", ["\x00", "\ud83d"])
def test_text_that_breaks_the_page_never_leaves(sign: str) -> None:
    """NUL moves every offset, half a character breaks the project's list: both are refused."""
    tasks, posts = seat("blind")
    posts["text"] = posts["text"].astype(object).where(posts["unit"] != "b", f"b{sign}b")
    with pytest.raises(TableError, match="unit b: its text holds"):
        config.payload(tasks, posts, None)


def test_no_note_without_suggestions() -> None:
    """What a note tells is a suggestion too: a blind task gets none, whatever is given."""
    made = config.payload(*seat("blind"), None, {"b": "told"})
    assert {task["data"]["note"] for task in made} == {""}


@pytest.mark.parametrize("arm", ["blind", "adjudication"])
def test_no_other_arm_gets_a_prediction(arm: str) -> None:
    """Even an empty set of suggestions is refused for an arm that must not see any."""
    with pytest.raises(TableError, match=f"arm '{arm}' must never"):
        config.payload(*seat(arm), {})


def test_task_without_a_post_is_refused() -> None:
    """A task whose post is not given cannot be shown."""
    tasks, posts = seat("blind")
    with pytest.raises(TableError, match="unit c has no post"):
        config.payload(tasks, posts[:2], None)
