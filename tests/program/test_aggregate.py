"""`labeler aggregate`: estimates of a recipe through the real command. Everything is made up."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest
from running import Labeler, sample_posts

from labeler.project import RECIPE
from labeler.store import tables

POSTS, CODED = 120, 80
WHY = ("--override", "a test")
TABLES = """
recipe: two tables
codebook: llm-mental-health
tables:
  - {table: relevance, of: relevance}
  - {table: relevance by platform, of: relevance, by: platform}
"""


def rows(labeler: Labeler) -> list[dict[Any, Any]]:
    return labeler.rows(tables.ESTIMATES)["estimates"]


def corrected(found: list[dict[Any, Any]], **which: object) -> dict[Any, Any]:
    """The only row of which this is true, of the corrected shares in the collection."""
    same = {"estimator": "corrected", "target": "collection", "measure": "share"}
    wanted = {**same, **which}
    own = [row for row in found if all(row[name] == value for name, value in wanted.items())]
    assert len(own) == 1, own
    return own[0]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Posts that the cues coded, of which two people coded the first ones blind: relevance."""
    labeler = Labeler(tmp_path_factory.mktemp("begun") / "study")
    labeler("init")
    labeler("ingest", sample_posts(labeler.root / "posts.jsonl", POSTS))
    labeler("prelabel", "--coder", "cues")
    units = sorted(row["unit"] for row in labeler.rows(tables.POSTS)["posts"])
    path = labeler.root / "codes.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("unit", "coder", "variable", "value"))
        for place, unit in enumerate(units[:CODED]):
            for coder in ("ada", "ben"):
                code = "relevant" if place % 2 else "not_relevant"
                writer.writerow((unit, coder, "relevance", code))
    labeler("codings", "import", path, "--arm", "blind", "--batch", "y1")
    labeler("reliability", "--batch", "y1")
    return labeler.root


@pytest.fixture
def labeler(begun: Path, tmp_path: Path) -> Labeler:
    return Labeler(Path(shutil.copytree(begun, tmp_path / "study")))


def test_a_recipe_is_one_command(labeler: Labeler) -> None:
    """Both targets and every estimator are stored; the terminal shows them side by side."""
    recipe = labeler.root / f"two{RECIPE}"
    recipe.write_text(TABLES, "utf-8")
    done = labeler("aggregate", "--recipe", recipe)
    found = rows(labeler)
    assert {row["analysis"] for row in found} == {"relevance", "relevance by platform"}
    assert {row["estimator"] for row in found} == {"model", "blind", "corrected"}
    assert {row["target"] for row in found} == {"collection", "population"}
    share = corrected(found, code="relevance:relevant", by="")
    assert share["low"] < share["value"] < share["high"]
    assert (share["count"], share["units"]) == (CODED // 2, CODED)
    blind = corrected(found, estimator="blind", code="relevance:relevant", by="")
    assert blind["value"] == pytest.approx(0.5)
    shown = done.out.splitlines()
    assert shown[0] == "Estimates for the posts there are, with 95% intervals."
    assert any(line.startswith("relevance  (corrected, 80 units coded blind)") for line in shown)
    line = next(line for line in shown if line.startswith("relevant "))
    assert f"{share['value']:.1%}" in line and "50.0%" in line
    assert f"coded blind: {CODED} of {CODED} drawn (100%) of {POSTS} posts" in done.err
    assert "nothing is known of how these units were drawn" in done.err
    before = found
    labeler("aggregate", "--recipe", recipe)
    assert rows(labeler) == before


def test_the_recipe_is_on_record(labeler: Labeler) -> None:
    """Its hash stands in the log of runs; another recipe makes another ground."""
    recipe = labeler.root / f"two{RECIPE}"
    recipe.write_text(TABLES, "utf-8")
    labeler("aggregate", "--recipe", recipe)
    run = labeler.rows(tables.RUNS)["runs"][-1]
    assert '"recipe_name": "two tables"' in run["settings"].replace('":"', '": "')
    first = {row["computed_from"] for row in rows(labeler)}
    labeler("aggregate", "--variable", "relevance")
    assert first.isdisjoint({row["computed_from"] for row in rows(labeler)})


def test_shares_by_a_column_of_posts_add_up(labeler: Labeler) -> None:
    """--by: one table more for each variable; the shares of a platform add up to 1."""
    labeler("aggregate", "--variable", "relevance", "--by", "platform")
    found = [
        row
        for row in rows(labeler)
        if row["analysis"] == "relevance by platform"
        and (row["measure"], row["estimator"], row["target"]) == ("share", "blind", "collection")
    ]
    of_platform: dict[str, float] = {}
    for row in found:
        of_platform[row["by"]] = of_platform.get(row["by"], 0.0) + row["value"]
    assert len(of_platform) > 1
    assert list(of_platform.values()) == pytest.approx([1.0] * len(of_platform))


def test_faults_are_told_with_their_place(labeler: Labeler) -> None:
    recipe = labeler.root / f"two{RECIPE}"
    recipe.write_text(TABLES.replace("of: relevance, by", "of: relevence, by"), "utf-8")
    told = labeler("aggregate", "--recipe", recipe, code=1).err
    assert "tables[1].of: no variable is called 'relevence' (did you mean 'relevance'?)" in told
    assert "did you mean 'platform'" in labeler("aggregate", "--by", "platfrm", code=1).err
    labeler("aggregate", "--recipe", recipe, "--by", "platform", code=2)
    assert rows(labeler) == []


def test_a_shut_gate_lets_through_what_passed(labeler: Labeler) -> None:
    """Nobody was asked the other variables: exit code 3, and relevance is written."""
    told = labeler("aggregate", code=3).err
    assert "the gate is shut for 5 of 6" in told
    assert "Aggregated: relevance." in told
    assert {row["code"].partition(":")[0] for row in rows(labeler)} == {"relevance"}
    opened = labeler("aggregate", *WHY)
    assert "left out: impact: nobody coded it blind" in opened.err
    assert {row["override"] for row in rows(labeler)} == {"a test"}


def test_codes_with_suggestions_in_view_are_no_measure(tmp_path: Path) -> None:
    """Where nobody coded blind nothing is estimated, whatever the reason that is given."""
    labeler = Labeler(tmp_path / "study")
    labeler("init")
    labeler("ingest", sample_posts(labeler.root / "posts.jsonl", 12))
    labeler("prelabel", "--coder", "cues")
    path = labeler.root / "codes.csv"
    lines = [f"{row['unit']},ada,relevance,relevant" for row in labeler.rows()["posts"]]
    path.write_text("\n".join(["unit,coder,variable,value", *lines]) + "\n", "utf-8")
    labeler("codings", "import", path, "--arm", "assisted", "--batch", "y1")
    labeler("reliability", "--batch", "y1")
    told = labeler("aggregate", *WHY, code=3).err
    assert "nobody coded it blind" in told
    assert "labeler sample --blind N" in told
    assert rows(labeler) == []


def test_pages_and_bundles_hold_them(labeler: Labeler) -> None:
    """estimates.csv has the rows; numbers of a cell that may not leave are not in it."""
    labeler("aggregate", "--variable", "relevance", "--by", "platform")
    folder = Path(labeler("export", "--batch", "y1", "--json").json["folder"])
    with (folder / "estimates.csv").open(encoding="utf-8", newline="") as file:
        bundled = list(csv.DictReader(file))
    assert len(bundled) == len(rows(labeler))
    hidden = [row for row in bundled if row["hidden"]]
    assert all(row["value"] == row["count"] == row["low"] == "" for row in hidden)
    assert (folder / "estimates-relevance.svg").is_file()
