"""What does not fit stays told until it is mended: in the store, by `status`, by a list, on a page.

The study, its posts and codings are made up; Label Studio's answers are handed to what reads them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import book_text, choice
from click.testing import CliRunner

from labeler.cli import labeler
from labeler.project import Project
from labeler.store import database, results, tables
from labeler.studio import pull
from labeler.studio.client.studio import RawTask
from labeler.studio.findings import TO_MEND
from labeler.study.study import Study, add_coder, open_study
from labeler.web import create_app
from labeler.workflow.findings import findings, to_mend
from labeler.workflow.status import status

STUDIO = "http://studio.example:8080"
TEXT = "A made-up soup is dull."
WHOSE = {"batch": "b", "arm": "blind", "coder": "human:ada"}
UNITS = ("u1", "u2")


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    """One pushed seat with two tasks, 11 and 12, nobody has coded yet."""
    book = book_text(
        choice("mood", "good bad"),
        choice("tags", "red blue nothing", multiple=True, none="nothing", required=False),
        choice("topic", "work home", of="segment"),
        choice("tone", "calm loud", of="segment", applies_when={"topic": ["work"]}),
    )
    (tmp_path / "codebook.yaml").write_text(book, encoding="utf-8")
    project = Project(root=tmp_path, codebook=Path("codebook.yaml"), studio_url=STUDIO)
    opened = open_study(project)
    add_coder(opened, "human:ada", kind="human", spec={"email": "ada@team.example"})
    filling: dict[Any, list[dict[str, Any]]] = {
        tables.POSTS: [{"unit": unit, "text": TEXT} for unit in UNITS],
        tables.BATCHES: [
            {"batch": "b", "codebook": opened.codebook.fingerprint, "created": "2026-01-01"}
        ],
        tables.SEATS: [{**WHOSE, "server": "studio.example:8080", "project": 3}],
        tables.TASKS: [
            {**WHOSE, "unit": unit, "position": place, "studio_task": 11 + place}
            for place, unit in enumerate(UNITS)
        ],
    }
    for table, rows in filling.items():
        database.add(opened.engine, table, tables.frame(table, rows))
    yield opened
    opened.engine.dispose()


def choices(name: str, *codes: str, region: str = "") -> dict[str, Any]:
    where = {"start": 10, "end": 14} if region else {}
    return {"id": region or name, "from_name": name, "to_name": "text", "type": "choices"} | {
        "value": {**where, "choices": list(codes)}
    }


def quote(region: str) -> dict[str, Any]:
    value = {"start": 10, "end": 14, "text": "soup", "labels": ["part"]}
    return {"id": region, "from_name": "segment", "to_name": "text", "type": "labels"} | {
        "value": value
    }


LEFT_OPEN = [choices("mood", "good"), quote("r"), choices("topic", "work", region="r")]
MENDED = [*LEFT_OPEN, choices("tone", "calm", region="r")]
CONTRADICTING = [choices("mood", "good"), choices("tags", "red", "nothing")]


def read(study: Study, unit: str, *given: list[dict[str, Any]], gone: int = 0) -> None:
    """Pull a task that has these annotations, one after the other; `gone` of them were deleted."""
    [seat] = tables.rows(database.read(study.engine, tables.SEATS))
    notes = [
        {"id": 100 * UNITS.index(unit) + number, "completed_by": 1, "result": result}
        | {"was_cancelled": False, "lead_time": 1.0, "draft_created_at": None}
        | {"created_at": f"2026-01-0{number}", "updated_at": f"2026-01-0{number}"}
        for number, result in enumerate(given, start=1)
    ]
    raw = [RawTask(11 + UNITS.index(unit), unit, TEXT, "2026-01-09", notes[gone:])]
    begun = results.ground(study.engine, "b")
    pull._stored(study, seat, raw, {1: "ada@team.example"}, begun)
    pull._derived(study, seat, raw, "")


def standing(study: Study) -> list[tuple[str, str, str, str]]:
    """unit, kind, variable, segment of the findings in the store."""
    rows = database.read(study.engine, tables.FINDINGS).sort_values(["unit", "number"])
    return list(rows[["unit", "kind", "variable", "segment"]].itertuples(index=False, name=None))


def said(study: Study, *words: str, code: int = 0) -> str:
    """The output of a command."""
    root = ["--root", str(study.project.root), "--codebook", "codebook.yaml"]
    done = CliRunner().invoke(labeler, [*root, *words], env={"LABELER_STUDIO_URL": STUDIO})
    assert done.exit_code == code, done.output
    return done.output


def test_a_finding_stays_until_its_task_is_mended(study: Study) -> None:
    """Another task that is read, or the same one read again, takes nothing away; an answer does."""
    missing = ("u1", "missing", "tone", "1")
    read(study, "u1", LEFT_OPEN)
    assert standing(study) == [missing]
    read(study, "u2", CONTRADICTING)
    read(study, "u1", LEFT_OPEN)
    assert standing(study) == [missing, ("u2", "contradiction", "tags", "")]
    read(study, "u1", LEFT_OPEN, MENDED)
    assert standing(study) == [("u1", "several", "", ""), ("u2", "contradiction", "tags", "")]
    read(study, "u1", LEFT_OPEN, MENDED, gone=1)
    read(study, "u2", CONTRADICTING, gone=1)
    assert standing(study) == []


def test_a_finding_voids_no_result(study: Study) -> None:
    """It stands beside the codings; that it is noted again is no change of them."""
    read(study, "u1", LEFT_OPEN)
    ground = results.ground(study.engine, "b")
    read(study, "u1", LEFT_OPEN)
    assert results.ground(study.engine, "b") == ground


def test_status_names_the_tasks_and_goes_on(study: Study) -> None:
    """A stage with how many tasks and why; what comes next is not held up by it."""
    assert "findings" not in said(study, "status")
    read(study, "u1", LEFT_OPEN)
    read(study, "u2", CONTRADICTING)
    [stage] = [stage for stage in status(study) if stage.stage == "findings"]
    assert (stage.pending, stage.step) == (2, "findings")
    assert stage.what.endswith(f"{TO_MEND['missing']} (1), {TO_MEND['contradiction']} (1)")
    told = said(study, "status")
    assert "labeler findings lists them" in told
    assert "next: labeler reliability" in told
    machine = json.loads(said(study, "status", "--json"))
    assert machine["next"] == "labeler reliability --batch b"
    [row] = [row for row in machine["stages"] if row["stage"] == "findings"]
    assert row["command"] == "labeler findings"


def test_of_another_codebook_nothing_is_pending(study: Study) -> None:
    """A batch that no pull may touch any more is not told again and again."""
    read(study, "u1", LEFT_OPEN)
    assert to_mend(study.engine, study.codebook.fingerprint).tasks == 1
    assert to_mend(study.engine, "another").tasks == 0


def test_the_list_has_the_address_of_each_task(study: Study) -> None:
    """By coder, with words; nothing for another coder; as CSV and JSON the same rows."""
    assert "nothing is to be mended" in said(study, "findings")
    read(study, "u1", LEFT_OPEN)
    told = said(study, "findings", "--coder", "ada")
    assert told.splitlines() == [
        "ada: 1 tasks",
        f"  {STUDIO}/projects/3/data?task=11  (batch b, blind)",
        "    a required answer missing: quote 1: tone: required, not answered",
    ]
    assert said(study, "findings", "--batch", "b") == said(study, "findings")
    assert "no batch is called 'c'" in said_error(study, "findings", "--batch", "c")
    assert "no coder is called 'adda'" in said_error(study, "findings", "--coder", "adda")
    [row] = json.loads(said(study, "findings", "--json"))
    assert row["address"] == f"{STUDIO}/projects/3/data?task=11"
    head, line = said(study, "findings", "--csv").splitlines()
    assert head.split(",") == list(row)
    assert line.startswith("b,blind,human:ada,u1,11,1,")


def said_error(study: Study, *words: str) -> str:
    root = ["--root", str(study.project.root), "--codebook", "codebook.yaml"]
    done = CliRunner().invoke(labeler, [*root, *words])
    assert done.exit_code == 1
    return str(done.exception)


def test_what_no_coder_can_mend_is_listed_apart(study: Study) -> None:
    """An older annotation of the same task asks nobody for anything."""
    read(study, "u1", MENDED, MENDED)
    assert findings(study.engine, study.project).empty
    every = findings(study.engine, study.project, every=True)
    assert every["kind"].tolist() == ["several"]
    assert "several: the coder gave a newer one" in said(study, "findings", "--all")


def test_a_seat_at_another_studio_has_no_address(study: Study) -> None:
    """The project's own Label Studio has a task of that number too, of something else."""
    read(study, "u1", LEFT_OPEN)
    elsewhere = Project(root=study.project.root, studio_url="http://other.example")
    assert findings(study.engine, elsewhere)["address"].tolist() == [""]
    local = Project(root=study.project.root)
    assert findings(study.engine, local)["address"].tolist() == [""]


def test_the_page_leads_to_each_task(study: Study) -> None:
    """With the post, what is to be mended, and the task; as CSV all of it."""
    client = create_app(study.project).test_client()
    assert "no required answer is missing" in client.get("/findings").text
    read(study, "u1", LEFT_OPEN)
    read(study, "u2", MENDED, MENDED)
    for path in ("/findings", "/findings?batch=b"):
        page = client.get(path)
        assert page.status_code == 200
        assert f'href="{STUDIO}/projects/3/data?task=11"' in page.text
        assert "tone: required, not answered" in page.text
        assert 'href="/units/u1"' in page.text
        assert "several 1" in page.text
    assert client.get("/findings?batch=c").status_code == 404
    lines = client.get("/findings?format=csv").text.splitlines()
    assert [line.split(",")[3] for line in lines] == ["unit", "u1", "u2"]


def test_an_earlier_store_is_read_from_its_beginning(study: Study, tmp_path: Path) -> None:
    """What was pulled before findings were kept is found by the next pull: it begins anew."""
    seats = database.read(study.engine, tables.SEATS)
    database.mirror(study.engine, tables.SEATS, seats.assign(pulled="2026-01-01"))
    with database.writing(study.engine) as connection:
        tables.FINDINGS.drop(connection)
        connection.execute(
            tables.MIGRATIONS.delete().where(tables.MIGRATIONS.c.name == "0016-findings")
        )
    again = database.connect(study.project.database_url)
    assert database.read(again, tables.SEATS)["pulled"].tolist() == [""]
    assert database.read(again, tables.FINDINGS).empty
    again.dispose()
