"""`labeler codings import`, run as a person runs it. Posts, coders and codings are made up."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from flask.testing import FlaskClient
from running import DERIVED, Labeler, same, sample_posts

from labeler.project import Project
from labeler.store import tables
from labeler.web import create_app
from labeler.web.report.selection import STORE

POSTS = 12
CODED = (tables.BATCHES, tables.SEATS, tables.TASKS, tables.ANNOTATIONS)
CODED = (*CODED, tables.CODINGS, tables.SEGMENTS, tables.CODERS)
HEADER = ("unit", "coder", "variable", "value", "segment", "quote")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with posts that the cues have coded, to be copied."""
    labeler = Labeler(tmp_path_factory.mktemp("begun") / "study")
    labeler("init")
    labeler("ingest", sample_posts(labeler.root / "posts.jsonl", POSTS))
    labeler("prelabel", "--coder", "cues")
    return labeler.root


@pytest.fixture
def labeler(begun: Path, tmp_path: Path) -> Labeler:
    """A project of one's own."""
    return Labeler(Path(shutil.copytree(begun, tmp_path / "study")))


def posts(labeler: Labeler) -> list[dict[Any, Any]]:
    return sorted(labeler.rows(tables.POSTS)["posts"], key=lambda row: row["unit"])


def put(labeler: Labeler, rows: list[tuple[str, ...]], header: tuple[str, ...] = HEADER) -> Path:
    """A file of codings; short rows are filled with empty cells."""
    path = labeler.root / "last-year.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([*row, *[""] * (len(header) - len(row))] for row in rows)
    return path


def last_year(labeler: Labeler) -> list[tuple[str, ...]]:
    """Two coders on every post: relevance, and in each third post a segment with two codes."""
    rows: list[tuple[str, ...]] = []
    for number, post in enumerate(posts(labeler)):
        for coder in ("ada", "human:ben"):
            code = "relevant" if number % 3 == 0 else "not_relevant"
            rows.append((post["unit"], coder, "relevance", code))
            if number % 3 == 0:
                quote = post["text"][:50].strip()
                rows.append((post["unit"], coder, "impact", "positive", "s", quote))
                rows.append((post["unit"], coder, "condition", "anxiety+depressive", "s"))
    return rows


def test_last_years_codings_are_a_batch_that_is_coded(labeler: Labeler) -> None:
    """Coders, seats, tasks, codings and segments come in, and reliability reads them."""
    path = put(labeler, last_year(labeler))
    done = labeler("codings", "import", path, "--arm", "blind", "--batch", "y1", "--json").json
    assert done["coders"] == done["new_coders"] == ["human:ada", "human:ben"]
    assert (done["units"], done["codings"], done["segments"], done["new"]) == (12, 40, 8, True)
    assert done["silent"] == ["perspective", "value", "product"]
    rows = labeler.rows()
    assert {row["coder"] for row in rows["seats"]} == {"human:ada", "human:ben"}
    assert {row["task_probability"] for row in rows["tasks"]} == {1.0}
    text = {post["unit"]: post["text"] for post in posts(labeler)}
    given = [row for row in rows["segments"] if row["coder"].startswith("human:")]
    assert all(text[row["unit"]][row["start"] : row["end"]] == row["quote"] for row in given)
    design = json.loads(rows["batches"][0]["design"])["imported"]
    assert design["file"] == path.name
    assert len(design["sha256"]) == 64
    ruled = labeler("reliability", "--batch", "y1", "--json").json
    people = [row for row in ruled["verdicts"] if row["comparison"] == "human-human"]
    blind = {row["variable"]: row for row in people if not row["code"]}
    assert blind["relevance"]["n_units"] == POSTS
    assert labeler.following() == "labeler export --batch y1"


def test_units_drawn_unequally_are_judged_by_their_weights(tmp_path: Path) -> None:
    """The smallest case: .5: 60 yes, 38 no, 2 differ; .01: 96 no, 4 differ.

    Unweighted its bound is .865 and would pass; weighted alpha is .352 and the share 3.2%.
    """
    labeler = Labeler(tmp_path / "study")
    labeler("init")
    labeler("ingest", sample_posts(labeler.root / "posts.jsonl", 200))
    yes, no = "relevant", "not_relevant"
    rows = []
    for place, post in enumerate(posts(labeler)):
        ada = yes if place < 60 or 98 <= place < 100 or place >= 196 else no
        ben = yes if place < 60 else no
        chance = "0.5" if place < 100 else "0.01"
        for coder, value in (("ada", ada), ("ben", ben)):
            rows.append((post["unit"], coder, "relevance", value, chance))
    path = put(labeler, rows, ("unit", "coder", "variable", "value", "probability"))
    labeler("codings", "import", path, "--arm", "blind", "--batch", "y1")
    told = labeler("reliability", "--batch", "y1", "--json").json
    verdict = next(v for v in told["verdicts"] if v["variable"] == "relevance" and not v["code"])
    assert verdict["verdict"] == "fail"
    assert verdict["value"] == pytest.approx(0.352, abs=5e-4)
    assert "of the units coded alpha is 0.9" in verdict["note"]
    assert "bound 0.864" in verdict["note"]
    shown = labeler("reliability", "--batch", "y1").out
    assert "0.352" in shown
    why = ("--variable", "relevance", "--override", "a test")
    labeler("aggregate", "--batch", "y1", *why)
    shares = {row["code"]: row for row in labeler.rows()["estimates"]}
    assert shares[f"relevance:{yes}"]["value"] == pytest.approx(644 / 20_400)


def test_who_was_not_asked_gave_nothing(labeler: Labeler) -> None:
    """A segment variable that the file is silent about is undefined, not "no code was given"."""
    path = put(labeler, last_year(labeler))
    words = ("--arm", "blind", "--batch", "y1")
    labeler("codings", "import", path, *words)
    found = labeler("reliability", "--batch", "y1", "--json").json["reliability"]
    plain = [row for row in found if row["coefficient"].startswith("krippendorff_alpha")]
    n = {(row["variable"], row["kind"]): row["n_units"] for row in plain if not row["code"]}
    assert n["impact", "human-human"] == n["impact", "model-panel"] == POSTS
    assert n["value", "human-human"] == n["value", "model-panel"] == 0


def test_pages_show_no_differences_with_who_was_not_asked(labeler: Labeler) -> None:
    """A file of relevance alone: of segments nobody is compared, and the post says "not asked".

    The cues marked segments; the two people were never asked for any.
    """
    whole = [row for row in last_year(labeler) if row[2] == "relevance"]
    labeler("codings", "import", put(labeler, whole), "--arm", "blind", "--batch", "y1")
    labeler("reliability", "--batch", "y1")
    stored = labeler.rows(tables.COMPARISONS, tables.DISAGREEMENTS, tables.SEGMENTS)
    compared = {(row["variable"], row["panel"]): row["compared"] for row in stored["comparisons"]}
    assert len(compared) == 2 * 6
    assert {n for (variable, _), n in compared.items() if variable != "relevance"} == {0}
    assert {n for (variable, _), n in compared.items() if variable == "relevance"} == {POSTS}
    marked = stored["segments"][0]
    app = create_app(Project(root=labeler.root))
    pages = app.test_client()
    assert {row["variable"] for row in read_csv(pages, "/disagreements")} <= {"relevance"}
    for variable in ("impact", "perspective"):
        page = pages.get(f"/disagreements?variable={variable}").text
        assert page.count("Nothing to compare: nobody else was asked, or nobody answered.") == 2
        assert not read_csv(pages, f"/disagreements?variable={variable}")
    lines = {
        line[0]: line[1:] for line in table_of(pages.get(f"/units/{marked['unit']}").text, "side")
    }
    assert lines["Impact"][:2] == ["not asked", "not asked"]
    assert lines["Impact"][2].startswith(f"C{marked['segment']}")
    assert "no segment" not in str(lines)
    app.extensions[STORE].dispose()


def read_csv(pages: FlaskClient, path: str) -> list[dict[str, str]]:
    """The rows of a page as CSV."""
    sign = "&" if "?" in path else "?"
    return list(csv.DictReader(io.StringIO(pages.get(f"{path}{sign}format=csv").text)))


def table_of(page: str, name: str) -> list[list[str]]:
    """The cells of a page's table of a class, in words; of a line's head the first words alone."""
    body = re.search(rf'<table class="{name}">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    assert body
    lines = re.findall(r"<tr[^>]*>(.*?)</tr>", body[1], re.DOTALL)
    heads = [re.findall(r"<th[^>]*>([^<]*)", line) for line in lines]
    cells = [re.findall(r"<td>(.*?)</td>", line, re.DOTALL) for line in lines]
    return [
        [head[0].strip(), *(" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in own)]
        for head, own in zip(heads, cells, strict=True)
    ]


def test_who_was_not_asked_differs_from_nobody(labeler: Labeler) -> None:
    """Every page, CSV and file of a bundle that says who coded: no empty set of who was not asked.

    The cues give some unit each of the variables that the file is silent about, so that whoever
    had been asked and marked nothing would differ from them.
    """
    words = ("--batch", "y1")
    labeler("codings", "import", put(labeler, last_year(labeler)), "--arm", "blind", *words)
    labeler("reliability", *words)
    labeler("aggregate", *words, "--override", "made up")
    labeler("export", *words)
    silent = {"perspective", "value", "product"}
    rows = labeler.rows(*DERIVED, tables.DISAGREEMENTS, tables.COMPARISONS)
    of_cues = {r["variable"] for r in rows["codings"] if r["coder"].startswith("cues@")}
    assert of_cues & silent
    compared = {(row["panel"], row["variable"]): row["compared"] for row in rows["comparisons"]}
    assert {n for (_, name), n in compared.items() if name in silent} <= {0}
    assert {n for (_, name), n in compared.items() if name == "impact"} == {POSTS}
    named = {row["code"].partition(":")[0] for row in rows["estimates"] if row["count"] != 0}
    assert not silent & named
    for name in ("disagreements", "consensus"):
        assert not silent & {row["variable"] for row in rows[name] if row.get("count") != 0}, name
    drift = [row for row in rows["assessments"] if row["assessment"] == "drift"]
    assert {row["variable"] for row in drift} == {"relevance", "impact", "condition"}
    folder = labeler.root / "exports" / "y1"
    with (folder / "coded.csv").open(encoding="utf-8", newline="") as file:
        told = {row["coder"]: row["unasked"] for row in csv.DictReader(file)}
    people = {told[coder] for coder in told if coder.startswith("human:")}
    assert people == {"perspective+value+product"}
    assert {told[coder] for coder in told if coder.startswith("cues@")} == {""}
    app = create_app(Project(root=labeler.root)).test_client()
    page = app.get("/disagreements?format=csv").get_data(as_text=True)
    assert not silent & {row["variable"] for row in csv.DictReader(io.StringIO(page))}
    for name in sorted(silent):
        assert "human:" not in app.get(f"/disagreements?variable={name}").get_data(as_text=True)
    one = app.get(f"/units/{posts(labeler)[1]['unit']}").get_data(as_text=True)
    assert one.count("not asked") >= 2 * len(silent)


def test_what_stood_in_the_file_is_kept(labeler: Labeler) -> None:
    """Each coding names an annotation, which holds the cells of its rows with their lines."""
    labeler("codings", "import", put(labeler, last_year(labeler)), "--arm", "blind")
    rows = labeler.rows()
    raw = {row["annotation"]: json.loads(row["result"]) for row in rows["annotations"]}
    assert sum(map(len, raw.values())) == 40
    for row in rows["codings"]:
        if row["coder"].startswith("human:"):
            stood = {cells["variable"]: cells for cells in raw[row["source"]]}
            assert set(stood[row["variable"]]["value"].split("+")) == set(row["value"].split("+"))
    assert len({line["line"] for lines in raw.values() for line in lines}) == 40


def test_the_same_file_twice_is_the_same_rows(labeler: Labeler) -> None:
    """A second import writes what is there; another file is refused under the name, or replaces."""
    rows = last_year(labeler)
    words = ("--arm", "blind", "--batch", "y1")
    labeler("codings", "import", put(labeler, rows), *words)
    before = labeler.rows(*CODED)
    labeler("codings", "import", put(labeler, rows), *words)
    same(before, labeler.rows(*CODED))
    shorter = put(labeler, rows[:1])
    assert "was made of another file" in labeler("codings", "import", shorter, *words, code=1).err
    same(before, labeler.rows(*CODED))
    labeler("reliability", "--batch", "y1")
    labeler("codings", "import", shorter, *words, "--replace")
    after = labeler.rows()
    assert len(after["tasks"]) == len(after["annotations"]) == 1
    assert sum(row["coder"].startswith("human:") for row in after["codings"]) == 1
    assert sum(row["coder"].startswith("human:") for row in after["segments"]) == 0
    told = {row["stage"]: row for row in labeler("status", "--json").json["stages"]}
    assert told["reliability"]["command"] == "labeler reliability --batch y1"
    assert "outdated" in told["reliability"]["what"]


def test_push_and_pull_leave_it_alone(labeler: Labeler) -> None:
    """Nothing of an imported batch goes to Label Studio or comes from there."""
    path = put(labeler, last_year(labeler))
    labeler("codings", "import", path, "--arm", "blind", "--batch", "y1")
    before = labeler.rows(*CODED)
    assert "was imported" in labeler("push", "--batch", "y1", code=1).err
    assert "was imported" in labeler("pull", "--batch", "y1", code=1).err
    same(before, labeler.rows(*CODED))


def test_one_fault_and_nothing_is_written(labeler: Labeler) -> None:
    """All faults are listed with their lines, and the store is as it was."""
    first, second = (post["unit"] for post in posts(labeler)[:2])
    path = put(
        labeler,
        [
            (first, "ada", "relevance", "relevant"),
            ("no-such-unit", "ada", "relevance", "relevant"),
            (first, "a/da", "relevance", "relevant"),
            (first, "ada", "relevanz", "relevant"),
            (second, "ada", "relevance", "1"),
            (first, "ada", "relevance", "relevant"),
            (first, "ada", "impact", "positive"),
            (first, "ada", "relevance", "relevant", "s", "x"),
            (first, "ben", "impact", "positive", "s", "not in this post"),
            (first, "cy", "condition", "anxiety+anxiety", "s"),
        ],
    )
    before = labeler.rows()
    told = labeler("codings", "import", path, "--arm", "blind", code=1)
    lines = [line.split(": ", 2)[1:] for line in told.err.removeprefix("error: ").splitlines()]
    assert [number for number, _ in lines] == [f"line {n}" for n in range(3, 12)]
    said = [words for _, words in lines]
    wanted = [
        "no post of this project has the key 'no-such-unit'",
        "coder 'a/da' may only use",
        "no variable is called 'relevanz' (did you mean 'relevance'?)",
        "relevance: code '1' is not in the codebook",
        "stands already on line 2",
        "impact is of segments",
        "relevance is of the whole unit",
        "its quote stands 0 times in the post",
        "'anxiety+anxiety' repeats a code",
    ]
    assert [one for one, given in zip(wanted, said, strict=True) if one not in given] == []
    same(before, labeler.rows())


def test_only_the_first_twenty_faults_are_listed(labeler: Labeler) -> None:
    """A file that fits nowhere fills no screen."""
    path = put(labeler, [(f"u{n}", "ada", "relevance", "relevant") for n in range(30)])
    lines = labeler("codings", "import", path, "--arm", "blind", code=1).err.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 10 more"


def test_the_arm_has_to_be_said(labeler: Labeler) -> None:
    """Blind is nobody's default; a column may say it row by row, but no unit is in both arms."""
    unit = posts(labeler)[0]["unit"]
    header = ("unit", "coder", "variable", "value", "arm")
    both = [(unit, "ada", "relevance", "relevant", arm) for arm in ("blind", "assisted")]
    path = put(labeler, both, header)
    assert "--arm" in labeler("codings", "import", path, code=2).err
    told = labeler("codings", "import", path, "--arm", "file", code=1).err
    assert "line 3: human:ada has unit" in told
    assert "in both arms" in told
    rows = [both[0], (unit, "ben", *both[1][2:])]
    labeler("codings", "import", put(labeler, rows, header), "--arm", "file", "--batch", "y1")
    held = {(row["coder"], row["arm"]) for row in labeler.rows(tables.TASKS)["tasks"]}
    assert held == {("human:ada", "blind"), ("human:ben", "assisted")}


def test_posts_by_platform_and_id_columns_by_name_and_a_workbook(labeler: Labeler) -> None:
    """Columns may be called as they are; posts may be named as their platform names them."""
    post = posts(labeler)[0]
    frame = pd.DataFrame(
        {
            "site": [post["platform"]],
            "nr": [post["platform_id"]],
            "who": ["ada"],
            "question": ["relevance"],
            "code": ["relevant"],
            "drawn": [0.25],
        }
    )
    path = labeler.root / "last-year.xlsx"
    frame.to_excel(path, index=False)
    words = ["--coder", "who", "--variable", "question", "--value", "code", "--column"]
    words += ["platform=site", "--column", "platform_id=nr", "--column", "probability=drawn"]
    labeler("codings", "import", path, "--arm", "blind", *words)
    (task,) = labeler.rows(tables.TASKS)["tasks"]
    assert (task["unit"], task["unit_probability"]) == (post["unit"], 0.25)


def test_a_second_replicate_is_a_repeat(labeler: Labeler) -> None:
    """Who coded a unit again has both codings, in the arm of repeats the second; no third one."""
    unit = posts(labeler)[0]["unit"]
    header = ("unit", "coder", "variable", "value", "replicate")
    rows = [(unit, "ada", "relevance", "relevant", "1"), (unit, "ada", "relevance", "unclear", "2")]
    labeler("codings", "import", put(labeler, rows, header), "--arm", "blind")
    codings = labeler.rows(tables.CODINGS)["codings"]
    own = [row for row in codings if row["coder"] == "human:ada"]
    assert {(row["arm"], row["replicate"], row["value"]) for row in own} == {
        ("blind", 1, "relevant"),
        ("repeat", 2, "unclear"),
    }
    for number, words in (("3", "replicate '3'"), ("2", "no replicate 1")):
        path = put(labeler, [(*rows[0][:4], number)], header)
        command = ("codings", "import", path, "--arm", "blind", "--batch", "other")
        assert words in labeler(*command, code=1).err


def test_a_unit_that_its_coder_has_elsewhere_is_refused(labeler: Labeler) -> None:
    """Two batches would hold two codes of one coder, and nobody could say which one counts."""
    unit = posts(labeler)[0]["unit"]
    path = put(labeler, [(unit, "ada", "relevance", "relevant")])
    labeler("codings", "import", path, "--arm", "blind", "--batch", "y1")
    told = labeler("codings", "import", path, "--arm", "blind", "--batch", "y2", code=1).err
    assert f"line 2: human:ada has unit {unit!r} in batch 'y1' already (blind)" in told


def test_an_imported_coder_can_get_an_account(labeler: Labeler) -> None:
    """Who came with a file has no account; `coders add` notes the e-mail, as for anybody else."""
    unit = posts(labeler)[0]["unit"]
    path = put(labeler, [(unit, "ada", "relevance", "relevant")])
    labeler("codings", "import", path, "--arm", "blind")
    own = {"LABELER_STUDIO_URL": "http://127.0.0.1:9", "LABEL_STUDIO_API_KEY": "made-up-0123"}
    labeler("coders", "add", "ada", "--email", "Ada@Example.org", **own)
    assert labeler("coders", "list", "--json").json["human"]["human:ada"]["email"] == (
        "ada@example.org"
    )


def test_imports_on_either_database(labeler: Labeler, store_url: str) -> None:
    """SQLite and PostgreSQL hold the same rows, and a second import changes none of them."""
    other = Labeler(labeler.root, {"LABELER_DATABASE": store_url})
    other("ingest", labeler.root / "posts.jsonl")
    path = put(labeler, last_year(labeler))
    words = ("codings", "import", path, "--arm", "blind", "--batch", "y1")
    other(*words)
    before = other.rows(*CODED)
    other(*words)
    same(before, other.rows(*CODED))
    assert len(before["codings"]) == 40


def test_a_models_codings_are_a_models_and_can_be_suggested(labeler: Labeler) -> None:
    """No arm, no batch, no person; what was read before stays; a batch goes by them."""
    rows = [(row[0], "gpt-x", *row[2:]) for row in last_year(labeler) if row[1] == "ada"]
    # the codebook asks five questions of segments and these codings answer two: of units alone
    whole = [row for row in rows if row[2] == "relevance"]
    path = put(labeler, whole)
    told = labeler("codings", "import", path, "--arm", "blind", code=1).err
    assert "called like a model" in told
    assert "--kind model" in told
    of_model = ("codings", "import", path, "--kind", "model")
    assert "--arm" in labeler(*of_model, "--arm", "blind", code=2).err
    put(labeler, rows)
    assert "says nothing of" in labeler(*of_model, code=1).err
    path = put(labeler, whole[:5])
    given = ("codings", "import", path, "--kind", "model", "--json")
    first = labeler(*given).json
    put(labeler, whole)
    second, third = labeler(*given).json, labeler(*given).json
    assert [one["answered"] for one in (first, second, third)] == [5, POSTS - 5, 0]
    model = "model:gpt-x@import-units"
    assert second["coders"] == first["new_coders"] == [model]
    assert (third["before"], third["codings"], third["new_coders"]) == (POSTS, POSTS, [])
    codings = [row for row in labeler.rows(tables.CODINGS)["codings"] if row["coder"] == model]
    assert {(row["arm"], row["variable"]) for row in codings} == {("", "relevance")}
    assert labeler.rows(tables.BATCHES)["batches"] == []
    changed = [(*whole[0][:3], "not_relevant"), *whole[1:]]
    told = labeler("codings", "import", put(labeler, changed), "--kind", "model", code=1).err
    assert "line 2: gpt-x has answered unit" in told
    people = put(labeler, last_year(labeler))
    come = ("codings", "import", people, "--arm", "blind", "--batch", "y1", "--suggester", model)
    labeler(*come)
    ruled = labeler("reliability", "--batch", "y1", "--json").json
    of_model = [
        row
        for row in ruled["verdicts"]
        if row["comparison"] == "human-model" and row["variable"] == "relevance" and not row["code"]
    ]
    assert [(row["n_units"], row["value"]) for row in of_model] == [(POSTS, 1)]
    panels = {row["panel"] for row in ruled["reliability"] if row["kind"] == "model-panel"}
    assert panels == {f"{model} vs humans"}


def test_a_batch_is_drawn_with_the_suggestions_of_an_imported_model(labeler: Labeler) -> None:
    """Only from posts that its file holds."""
    some = posts(labeler)[:8]
    path = put(labeler, [(post["unit"], "my llm", "relevance", "relevant") for post in some])
    labeler("codings", "import", path, "--kind", "model")
    labeler(
        "codings",
        "import",
        put(labeler, last_year(labeler)[-2:]),
        "--arm",
        "blind",
        "--batch",
        "y0",
        "--suggester",
        "model:my-llm@import-units",
    )
    args = ("--suggester", "model:my-llm@import-units", "--assisted", "4", "--blind", "3")
    labeler("sample", "--batch", "b1", "--coders", "ada,ben", *args)
    tasks = labeler.rows(tables.TASKS)["tasks"]
    drawn = {row["unit"] for row in tasks if row["batch"] == "b1"}
    assert len(drawn) == 7
    assert drawn <= {post["unit"] for post in some}


def test_wide_tables_and_tables_of_counts(labeler: Labeler) -> None:
    """A column a coder: each coding has a source of its own. Counts are refused."""
    header = ("unit", "ada", "ben")
    rows = [
        (post["unit"], "relevant" if place % 2 else "not_relevant", "relevant" if place % 3 else "")
        for place, post in enumerate(posts(labeler))
    ]
    given = ("--arm", "blind", "--batch", "y1", "--variable", "relevance")
    labeler("codings", "import", put(labeler, rows, header), *given)
    made = labeler.rows(tables.CODINGS, tables.ANNOTATIONS)
    own = [row for row in made["codings"] if row["coder"].startswith("human:")]
    assert {(row["unit"], row["coder"], row["value"]) for row in own} == {
        (row[0], f"human:{coder}", value)
        for row in rows
        for coder, value in zip(header[1:], row[1:], strict=True)
        if value
    }
    assert len({row["source"] for row in own}) == len(own) == len(made["annotations"])
    told = labeler(
        "codings",
        "import",
        labeler.root / "last-year.csv",
        *given,
        "--where",
        "ada=relevant",
        code=1,
    ).err
    assert "other rows or columns of this file" in told
    counts = [(row[0], "2", "0") for row in rows]
    path = put(labeler, counts, ("unit", "relevant", "not_relevant"))
    told = labeler("codings", "import", path, *given[:2], *given[4:], code=1).err
    assert "not by whom" in told
    assert "labeler agreement" in told


def test_an_export_of_label_studio_is_read_directly(labeler: Labeler) -> None:
    """JSON-MIN: tasks name their posts, annotators become coders by their address."""
    rows = [
        {
            "text": post["text"],
            "unit": post["unit"],
            "id": number,
            "relevance": "relevant" if (number + place) % 3 else "not_relevant",
            "impact": ["positive", "negative"],
            "annotator": f"{who}@example.org",
            "annotation_id": 2 * number + place,
            "created_at": "2026-03-01T10:00:00Z",
            "updated_at": "2026-03-01T10:00:00Z",
            "lead_time": 4.5,
        }
        for number, post in enumerate(posts(labeler))
        for place, who in enumerate(("Ada.B", "cy"))
    ]
    path = labeler.root / "export.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    done = labeler("codings", "import", path, "--arm", "blind", "--batch", "y1", "--json").json
    assert done["coders"] == ["human:Ada-B", "human:cy"]
    assert (done["units"], done["codings"]) == (POSTS, 2 * POSTS)
    made = labeler.rows(tables.CODINGS)["codings"]
    own = {(row["unit"], row["value"]) for row in made if row["coder"] == "human:cy"}
    assert own == {(row["unit"], row["relevance"]) for row in rows[1::2]}
