"""Recipes: what a table is of, what it measures, and what is told of a fault."""

from __future__ import annotations

import pytest
import yaml
from builders import book, choice, numeric
from places import ROOT

from labeler.codebook import codebook as codebooks
from labeler.errors import RecipeError
from labeler.results import recipe as recipes

BOOK = book(
    choice("mood", {"good": 1, "bad": -1, "so_so": 0}, of="segment"),
    choice("topic", "work home none", of="segment", multiple=True, none="none"),
    choice("kind", "report advice"),
    numeric("age", 0, 100),
)
MOOD = {"table": "mood by topic", "of": "mood", "by": "topic"}


def read(*tables: dict, **more: object) -> recipes.Recipe:
    content = {"recipe": "made-up", "codebook": "made-up", "tables": list(tables), **more}
    return recipes.read(yaml.safe_dump(content, sort_keys=False), BOOK, source="r.yaml")


def faults(*tables: dict, **more: object) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        read(*tables, **more)
    return caught.value.findings


def test_the_studys_own_recipe_holds() -> None:
    """It is for its codebook; what it declares is what the study reports."""
    folder = ROOT / "codebook"
    own = codebooks.read((folder / "llm-mental-health.yaml").read_text("utf-8"), source="book")
    text = (folder / "llm-mental-health.analysis.yaml").read_text("utf-8")
    found = recipes.read(text, own, source="recipe")
    assert found.variables(own) == [variable.variable for variable in own.variables]
    assert {table.by for table in found.tables} >= {"product", "condition", "month"}
    assert found.targets == ("collection", "population")


def test_what_is_counted_and_measured_if_nothing_is_said() -> None:
    """Segments where a variable of segments is in it; means where there are numbers."""
    made = read(
        {"table": "kind", "of": "kind"},
        {"table": "mood", "of": "mood"},
        MOOD,
        {"table": "kind by month", "of": "kind", "by": "month"},
        {"table": "posts by month", "of": "posts", "by": "month"},
        {"table": "age", "of": "age"},
    )
    kind, mood, crossed, monthly, posts, age = made.tables
    assert recipes.counted(kind, BOOK) == recipes.counted(posts, BOOK) == "posts"
    assert recipes.counted(mood, BOOK) == recipes.counted(crossed, BOOK) == "segments"
    assert recipes.measures_of(kind, BOOK) == ("share", "count")
    assert recipes.measures_of(mood, BOOK) == ("share", "count", "rate", "mean")
    assert recipes.measures_of(crossed, BOOK) == ("share", "count", *recipes.CROSSED, "mean")
    assert recipes.measures_of(monthly, BOOK) == ("share", "count")
    assert recipes.measures_of(posts, BOOK) == ("count",)
    assert recipes.measures_of(age, BOOK) == ("mean",)


def test_the_hash_is_of_what_it_says() -> None:
    """Comments and order of keys do not change it; another table does."""
    text = "recipe: a\ncodebook: made-up\ntables: [{table: kind, of: kind}]\n"
    other = "# said\ncodebook: made-up\nrecipe: a\ntables: [{of: kind, table: kind}]\n"
    first, second = (recipes.read(own, BOOK, source="r") for own in (text, other))
    assert first.hash == second.hash
    third = recipes.read(text.replace("kind}", "mood}"), BOOK, source="r")
    assert third.hash != first.hash


def test_faults_say_where_and_what() -> None:
    """Every one is told, each with its place; a name that is nearly right is suggested."""
    assert faults({"table": "t", "of": "moood"}) == [
        "r.yaml: tables[0].of: no variable is called 'moood' (did you mean 'mood'?); there are: "
        "mood, topic, kind, age, posts, segments"
    ]
    assert faults({**MOOD, "by": "mnth"})[0].startswith(
        "r.yaml: tables[0].by: no variable or column of posts is called 'mnth' "
        "(did you mean 'month'?)"
    )
    twice = faults({"table": "t", "of": "mood"}, {"table": "t", "of": "kind", "mesures": []})
    assert twice == [
        "r.yaml: tables[1].mesures: unknown key; remove it or check its spelling",
    ]
    assert len(faults({"table": "t", "of": "mood"}, {"table": "t", "of": "kind"})) == 2
    assert faults(MOOD, codebook="other") == [
        "r.yaml: codebook: is for 'other', and the study's is 'made-up'"
    ]
    assert "share" in faults({"table": "t", "of": "kind", "measures": ["shares"]})[0]


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"of": "kind", "by": "kind"}, "not crossed with itself"),
        ({"of": "kind", "within": "topic"}, "needs a `by`"),
        ({"of": "kind", "by": "age"}, "a free number"),
        ({"of": "kind", "measures": ["mean"]}, "no numbers of which there is a mean"),
        ({"of": "kind", "measures": ["residual"]}, "two variables with codes"),
        ({"of": "kind", "measures": ["rate"]}, "a rate is of segments"),
        ({"of": "mood", "count": "posts", "measures": ["mean"]}, "one of segments"),
        ({"of": "topic", "measures": ["delta-pmi"]}, "needs of, by and within"),
        (
            {"of": "topic", "by": "kind", "within": "mood", "between": ["good", "bda"]},
            "did you mean 'bad'?",
        ),
    ],
)
def test_what_does_not_go_together(table: dict, fault: str) -> None:
    assert any(fault in line for line in faults({"table": "t", **table}))


def test_contrasts_and_trends_are_of_tables_that_are_there() -> None:
    """A group must be one of the table's; a mean has no code, a share needs one."""
    good = {"table": "mood by topic", "measure": "mean", "a": "topic:work", "b": "topic:home"}
    assert read(MOOD, contrasts=[good]).contrasts[0].kind == "difference"
    for change, fault in (
        ({"table": "mood by topc"}, "did you mean 'mood by topic'?"),
        ({"a": "topic:wrk"}, "did you mean 'work'?"),
        ({"a": "work"}, "write topic:…"),
        ({"code": "mood:good"}, "leave it out"),
        ({"measure": "share"}, "is no code of mood"),
    ):
        assert any(fault in line for line in faults(MOOD, contrasts=[{**good, **change}]))
    assert "stands twice" in faults(MOOD, contrasts=[good, good])[0]
    line = {"table": "mood by topic", "measure": "mean"}
    assert faults(MOOD, trends=[line]) == [
        "r.yaml: trends[0].table: table 'mood by topic' is not by month"
    ]


def test_the_default_recipe_has_every_variable_and_what_is_asked_by() -> None:
    """Of segments also the share of posts that hold one; a group adds a table to each."""
    made = recipes.default(BOOK, by=("platform",))
    names = [table.table for table in made.tables]
    assert names[:6] == ["mood", "mood in posts", "topic", "topic in posts", "kind", "age"]
    assert names[6:] == [f"{name} by platform" for name in ("mood", "topic", "kind", "age")]
    with pytest.raises(RecipeError, match=r"to divide by: .*did you mean 'platform'"):
        recipes.default(BOOK, by=("plattform",))
