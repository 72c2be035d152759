"""What is computed stands on codings: written once they changed, it is outdated and says so.

Posts, coders and codings are made up.
"""

from __future__ import annotations

import ast
import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import stopping
from running import ROOT, Labeler, sample_posts
from sqlalchemy import Engine, Table, event, update

from labeler.errors import ProjectError
from labeler.project import Project
from labeler.store import database, results, tables
from labeler.web import create_app
from labeler.web.report.selection import STORE

BOOK, MODEL = "k1", "m@1"
RULED = [table.name for table, by in results.RESULTS.items() if by == "reliability"]
RELIABILITY = {"panel": "humans", "variable": "mood", "coefficient": "alpha"}
POSTS = 24


# --- the store -------------------------------------------------------------------------------


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    """A store with the batches a and b of one suggester, and c under another codebook."""
    engine = database.connect(store_url)
    for batch, book, units in (("a", BOOK, "12"), ("b", BOOK, "34"), ("c", "k2", "12")):
        row = {"batch": batch, "codebook": book, "suggester": MODEL, "created": batch}
        seats = [(arm, coder) for arm in ("blind", "assisted") for coder in ("human:ada",)]
        tasks = [
            {"batch": batch, "arm": arm, "coder": coder, "unit": f"u{unit}"}
            for arm, coder in seats
            for unit in units
        ]
        database.add(engine, tables.BATCHES, tables.frame(tables.BATCHES, [row]))
        database.add(engine, tables.TASKS, tables.frame(tables.TASKS, tasks))
    try:
        yield engine
    finally:
        engine.dispose()


def coding(unit: str, value: str = "sad", **other: object) -> dict[str, object]:
    row = {"codebook": BOOK, "unit": unit, "coder": MODEL, "replicate": 1, "variable": "mood"}
    return {**row, "value": value, **other}


def put(engine: Engine, table: Table, *rows: dict[str, object]) -> None:
    """Write rows as a coder's slice of these units."""
    which: dict[str, object] = {
        name: rows[0][name] for name in ("codebook", "coder", "arm") if name in rows[0]
    }
    units = sorted({str(row["unit"]) for row in rows})
    results.replace(engine, (table, {**which, "unit": units}, tables.frame(table, rows)))


def grounds(engine: Engine) -> str:
    """The grounds of a, b and c."""
    return "".join(results.standing(engine, batch)["reliability"] for batch in "abc")


def computed(engine: Engine, batch: str) -> None:
    """Something is computed of a batch, first as `reliability`, then as `aggregate` does."""
    for by in ("reliability", "aggregate"):
        now = standing(engine, batch)
        found = {table: filled(table, batch) for table, who in results.RESULTS.items() if who == by}
        assert results.keep(engine, batch, now, found)


def standing(engine: Engine, batch: str) -> results.Standing:
    """What stands now, the stored verdicts included."""
    ruled = database.read(engine, tables.VERDICTS, batch=batch)
    return results.upon(results.standing(engine, batch), ruled)


def filled(table: Table, batch: str, **other: object) -> pd.DataFrame:
    """A row of a result table."""
    own = dict.fromkeys(tables.keys(table), "x")
    return tables.frame(table, [{**own, "batch": batch, **other}])


def test_the_list_is_whole() -> None:
    """Every table with `computed_from` is on the one list of results, and every one has a batch."""
    named = {t.name for t in tables.METADATA.sorted_tables if "computed_from" in t.c}
    assert {table.name for table in results.RESULTS} == named
    assert all("batch" in table.c for table in results.RESULTS)


def test_who_writes_codings_makes_results_void() -> None:
    """Nobody writes what results are computed from past `store.results`."""
    ways = {"database.replace", "database.mirror", "database.add"}
    seen = []
    for path in sorted((ROOT / "labeler").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ways:
                words = ast.unparse(node)
                seen += [
                    f"{path.name}: {table.name}"
                    for table in results.COUNTING
                    if f"tables.{table.name.upper()}" in words
                    and table not in (tables.BATCHES, tables.TASKS)  # drawing and pushing them
                ]
    assert seen == []


def test_a_write_concerns_batches_with_the_unit_and_the_coder(engine: Engine) -> None:
    """Not those of other units, of another codebook, of another suggester, nor of new posts."""
    put(engine, tables.CODINGS, coding("u9"))
    put(engine, tables.CODINGS, coding("u1", coder="m@2"))
    put(engine, tables.CODINGS, coding("u1", coder="human:bob", arm="blind"))
    put(engine, tables.CODINGS, coding("u1", coder="human:ada", arm="repeat"))
    assert grounds(engine) == "000"
    put(engine, tables.CODINGS, coding("u1"), coding("u9"))
    assert grounds(engine) == "100"
    put(engine, tables.CODINGS, coding("u4", coder="human:ada", arm="blind"))
    assert grounds(engine) == "110"
    put(engine, tables.CODINGS, coding("u2", codebook="k2"))
    assert grounds(engine) == "111"


def test_the_same_rows_again_change_nothing(engine: Engine) -> None:
    """Only what differs counts: not a raw answer's name, nor a write that writes what is there."""
    put(engine, tables.CODINGS, coding("u1"), coding("u2"))
    put(engine, tables.CODINGS, coding("u1", source="other"), coding("u2"))
    assert grounds(engine) == "100"
    put(engine, tables.CODINGS, coding("u1"), coding("u2", "glad"))
    assert grounds(engine) == "200"
    which = {"codebook": BOOK, "coder": MODEL, "unit": ["u1", "u2"]}
    results.replace(engine, (tables.CODINGS, which, []))
    assert grounds(engine) == "300"
    results.replace(engine, (tables.CODINGS, which, []))
    assert grounds(engine) == "300"


def test_every_table_that_results_are_computed_from_counts(engine: Engine) -> None:
    """Segments, confidence, changes, annotations, and answers that hold codes."""
    own = {"codebook": BOOK, "unit": "u1", "coder": MODEL}
    put(engine, tables.SEGMENTS, {**own, "replicate": 1, "segment": "1", "start": 0, "end": 3})
    assert grounds(engine) == "100"
    sure = {**own, "variable": "mood", "code": "sad", "kind": "vote", "confidence": 1 / 3}
    for _again in range(2):
        put(engine, tables.CONFIDENCE, sure)
        assert grounds(engine) == "200"
    note = {"annotation": "s:1", "batch": "b", "arm": "blind", "coder": "human:ada", "unit": "u3"}
    for lead_time in (1.5, 1.5, float("nan"), float("nan")):
        frame = tables.frame(tables.ANNOTATIONS, [{**note, "lead_time": lead_time}])
        results.mirror(engine, tables.ANNOTATIONS, frame)
    assert grounds(engine) == "220"
    answer = {**own, "completion": "c1", "replicate": 1, "error": "refusal"}
    results.add(engine, tables.COMPLETIONS, tables.frame(tables.COMPLETIONS, [answer]))
    assert grounds(engine) == "220"
    good = tables.frame(tables.COMPLETIONS, [{**answer, "error": ""}])
    results.add(engine, tables.COMPLETIONS, good)  # it is there: it stays as it is
    assert grounds(engine) == "220"
    results.mirror(engine, tables.COMPLETIONS, good)
    assert grounds(engine) == "320"
    results.mirror(engine, tables.COMPLETIONS, tables.frame(tables.COMPLETIONS, [answer]))
    assert grounds(engine) == "420"


def test_what_is_merged_is_written_as_it_was_read(engine: Engine) -> None:
    """Rows are made of those there, with the batch's ground; codes of rows that changed are not."""
    note = {"annotation": "s:1", "batch": "b", "arm": "blind", "coder": "human:ada", "unit": "u3"}
    first = tables.frame(tables.ANNOTATIONS, [{**note, "result": "first"}])
    here: dict[str, object] = {"batch": "b", "unit": ["u3"]}
    seen = []

    def merged(known: pd.DataFrame, ground: int) -> pd.DataFrame:
        seen.append((list(known["result"]), ground))
        return first

    for _again in range(2):
        rows = results.merge(engine, tables.ANNOTATIONS, here, merged, batch="b")
    assert seen == [([], 0), (["first"], 1)]
    pd.testing.assert_frame_equal(rows.before, rows.after)
    assert (grounds(engine), results.ground(engine, "b")) == ("010", 1)
    codes = (tables.CODINGS, {"unit": ["u3"]}, tables.frame(tables.CODINGS, [coding("u3")]))
    stale = (tables.ANNOTATIONS, here, first.assign(result="older"))
    assert not results.replace(engine, codes, upon=stale)
    assert database.count(engine, tables.CODINGS) == 0
    assert results.replace(engine, codes, upon=(tables.ANNOTATIONS, here, first))
    assert database.count(engine, tables.CODINGS) == 1


def test_a_suggestion_that_was_not_in_view_makes_results_void(engine: Engine) -> None:
    """Which tasks are assisted decides what counts."""
    which: dict[str, object] = {"batch": "a", "arm": "assisted", "unit": ["u1"]}
    for suggested in (0, 0, 1):
        task = {"batch": "a", "arm": "assisted", "coder": "human:ada", "unit": "u1"}
        rows = tables.frame(tables.TASKS, [{**task, "suggested": suggested}])
        results.replace(engine, (tables.TASKS, which, rows))
    assert grounds(engine) == "200"


def test_what_was_computed_before_is_outdated_after(engine: Engine) -> None:
    """Of the batch concerned, and computed anew it no longer is; another batch is untouched."""
    computed(engine, "a")
    computed(engine, "b")
    assert results.outdated(engine, "a") == results.outdated(engine, "b") == []
    put(engine, tables.CODINGS, coding("u3"))
    assert results.outdated(engine, "a") == []
    assert results.outdated(engine, "b") == [table.name for table in results.RESULTS]
    warning = results.warning("b", results.outdated(engine, "b"))
    assert warning.startswith("batch 'b': outdated, since codes changed: reliability, verdicts")
    advice = results.advice("b", results.outdated(engine, "b"))
    assert "`labeler reliability --batch b`" in advice.terminal
    assert results.advice("b", ["estimates"]).terminal.startswith("`labeler aggregate --batch b`")
    computed(engine, "b")
    assert results.outdated(engine, "b") == []


def test_assessments_follow_a_suggester_over_its_batches(engine: Engine) -> None:
    """Drift looks back: codes of an earlier batch outdate a later one's, not the reverse."""
    computed(engine, "a")
    computed(engine, "b")
    put(engine, tables.CODINGS, coding("u1"))
    assert results.outdated(engine, "b") == ["assessments"]
    computed(engine, "a")
    put(engine, tables.CODINGS, coding("u3"))
    assert results.outdated(engine, "a") == []


def test_estimates_stand_on_verdicts(engine: Engine) -> None:
    """Other verdicts on the same codings outdate the estimates that the first let through."""
    computed(engine, "a")
    now = standing(engine, "a")
    strict = filled(tables.VERDICTS, "a", verdict="fail", computed_from="other thresholds")
    assert results.keep(engine, "a", now, {tables.VERDICTS: strict})
    assert results.outdated(engine, "a") == ["estimates"]
    assert not results.keep(
        engine, "a", now, {tables.ESTIMATES: filled(tables.ESTIMATES, "a", value=0.5)}
    )
    rows = database.read(engine, tables.ESTIMATES, batch="a")
    assert rows["value"].isna().all()


def test_a_table_without_rows_is_as_old_as_the_reliability(engine: Engine) -> None:
    """No consensus is a result too; what was never computed is not outdated."""
    assert results.outdated(engine, "a") == []
    now = results.standing(engine, "a")
    found = {table: filled(table, "a") for table in (tables.RELIABILITY, tables.VERDICTS)}
    assert results.keep(engine, "a", now, found)
    assert results.outdated(engine, "a") == []
    put(engine, tables.CODINGS, coding("u1"))
    assert results.outdated(engine, "a") == RULED


def test_results_of_an_older_program_are_outdated(engine: Engine) -> None:
    """Nobody knows what rows without `computed_from` were computed from."""
    database.add(engine, tables.RELIABILITY, filled(tables.RELIABILITY, "a"))
    assert results.outdated(engine, "a") == RULED


def test_what_changes_while_it_is_computed_is_computed_again(engine: Engine) -> None:
    """Old numbers are not written; where codes keep changing nothing is, and that is said."""
    values = iter([1.0, 2.0])

    def once(before: results.Standing) -> dict[Table, pd.DataFrame] | None:
        value = next(values)
        if value == 1.0:
            put(engine, tables.CODINGS, coding("u1"))
        found = {tables.RELIABILITY: filled(tables.RELIABILITY, "a", value=value)}
        return results.keep(engine, "a", before, found)

    results.steadily(engine, "a", once)
    assert database.read(engine, tables.RELIABILITY)["value"].tolist() == [2.0]
    assert results.outdated(engine, "a") == []
    many = iter(range(10))

    def always(before: results.Standing) -> dict[Table, pd.DataFrame] | None:
        put(engine, tables.CODINGS, coding("u1", f"v{next(many)}"))
        found = {tables.RELIABILITY: filled(tables.RELIABILITY, "a", value=3.0)}
        return results.keep(engine, "a", before, found)

    with pytest.raises(ProjectError, match="'a': its codes changed while they were read, 3 times"):
        results.steadily(engine, "a", always)
    assert next(many) == results.ATTEMPTS
    assert database.read(engine, tables.RELIABILITY)["value"].tolist() == [2.0]
    assert "reliability" in results.outdated(engine, "a")


# --- the commands ----------------------------------------------------------------------------


@pytest.fixture
def labeler(tmp_path: Path, store_url: str) -> Labeler:
    """Posts coded by the cues; of two imported batches the verdicts, and estimates of one."""
    labeler = Labeler(tmp_path / "study", {"LABELER_DATABASE": store_url})
    labeler("init")
    labeler("ingest", sample_posts(labeler.root / "posts.jsonl", POSTS))
    labeler("prelabel", "--coder", "cues")
    units = [row["unit"] for row in labeler.rows(tables.POSTS)["posts"]]
    brought(labeler, "y1", units[: POSTS // 2])
    brought(labeler, "y2", units[POSTS // 2 :])
    labeler("aggregate", "--batch", "y2", "--override", "a made-up reason")
    labeler("export", "--batch", "y2")
    return labeler


def brought(labeler: Labeler, batch: str, units: list[str], last: str = "not_relevant") -> None:
    """Two people's codes of some posts as a batch, and its reliability; the last post as given."""
    imported(labeler, batch, units, last)
    labeler("reliability", "--batch", batch)


def imported(labeler: Labeler, batch: str, units: list[str], last: str) -> None:
    path = labeler.root / f"{batch}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["unit", "coder", "variable", "value"])
        for number, unit in enumerate(units):
            code = last if number == len(units) - 1 else ("relevant", "not_relevant")[number % 2]
            writer.writerows([unit, coder, "relevance", code] for coder in ("ada", "ben"))
    words = ["--arm", "blind", "--batch", batch, "--replace"]
    labeler("codings", "import", path, *words)


def units_of(labeler: Labeler, batch: str) -> list[str]:
    tasks = labeler.table(tables.TASKS)
    return sorted(set(tasks.loc[tasks["batch"] == batch, "unit"]))


def otherwise(labeler: Labeler, units: list[str]) -> None:
    """Some stored answers of the cues say the opposite."""
    engine = database.connect(labeler.settings["LABELER_DATABASE"])
    made = tables.COMPLETIONS
    for row in labeler.rows(made)["completions"]:
        if row["unit"] in units:
            answer = row["answer"]
            turned = answer.replace('"not_relevant"', '"@"').replace('"relevant"', '"not_relevant"')
            with database.writing(engine) as connection:
                here = made.c.completion == row["completion"]
                said = turned.replace('"@"', '"relevant"')
                assert said != answer
                connection.execute(update(made).where(here).values(answer=said))
    engine.dispose()


def stages(labeler: Labeler) -> dict[tuple[str, str], str]:
    """Stage and what it says → the command that it names."""
    rows = labeler("status", "--json").json["stages"]
    return {(row["stage"], row["what"]): row["command"] for row in rows}


def alphas(labeler: Labeler, batch: str) -> list[tuple[str, float]]:
    """Panel and value of alpha of `relevance`."""
    rows = labeler.table(tables.RELIABILITY)
    own = rows[
        (rows["batch"] == batch)
        & (rows["variable"] == "relevance")
        & (rows["code"] == "")
        & rows["coefficient"].str.startswith("krippendorff_alpha")
        & (rows["weighting"] == "")
        & (rows["kind"] == "model-panel")
    ]
    assert len(own)
    return sorted(zip(own["panel"], own["value"], strict=True))


def test_reparsed_answers_outdate_what_was_computed(labeler: Labeler) -> None:
    """Ten stored answers changed and parsed again: every reader says so, and none goes on."""
    labeler("prelabel", "--coder", "cues", "--reparse")
    assert labeler.following() == "labeler serve"
    before = alphas(labeler, "y2")
    otherwise(labeler, units_of(labeler, "y2")[:10])
    labeler("prelabel", "--coder", "cues", "--reparse")
    told = stages(labeler)
    assert [what for stage, what in told if "outdated" in what and stage == "reliability"] == [
        f"coefficients; outdated: {', '.join(RULED)}"
    ]
    assert not any("y1" in what for _, what in told)
    assert labeler.following() == "labeler reliability --batch y2"
    assert alphas(labeler, "y2") == before
    refused = labeler("aggregate", "--batch", "y2", "--override", "again", code=3).err
    assert "its verdicts are outdated" in refused
    assert "labeler reliability --batch y2" in refused
    exported_outdated(labeler)
    shown_outdated(labeler)
    labeler("reliability", "--batch", "y2")
    assert alphas(labeler, "y2") != before
    assert "labeler aggregate --batch y2" in stages(labeler).values()
    labeler("aggregate", "--batch", "y2", "--override", "again")
    done = labeler("export", "--batch", "y2", "--json")
    assert done.json["outdated"] == []
    assert "warning" not in done.err
    assert not any("outdated" in what for _, what in stages(labeler))


def exported_outdated(labeler: Labeler) -> None:
    """The bundle is written and says in four places what is outdated."""
    done = labeler("export", "--batch", "y2", "--json")
    assert done.json["outdated"] == [*RULED, "estimates"]
    assert "warning: batch 'y2': outdated, since codes changed: reliability, verdicts" in done.err
    assert "hint: `labeler reliability --batch y2` computes them again" in done.err
    folder = Path(done.json["folder"])
    assert json.loads((folder / "manifest.json").read_text("utf-8"))["outdated"][0] == "reliability"
    assert "than those here: reliability, verdicts" in (folder / "README.txt").read_text("utf-8")
    assert "Outdated, since computed" in (folder / "reliability.svg").read_text("utf-8")


def shown_outdated(labeler: Labeler) -> None:
    """Each page about the batch, each file of its results and each figure; no other batch's."""
    project = Project(root=labeler.root, database=labeler.settings["LABELER_DATABASE"])
    app = create_app(project)
    client = app.test_client()
    for page in ("/", "/reliability", "/assessments", "/disagreements", "/estimates"):
        assert "<b>Outdated.</b>" in client.get(f"{page}?batch=y2").text
        assert "<b>Outdated.</b>" not in client.get(f"{page}?batch=y1").text
    for page, name in (("reliability", "reliability"), ("estimates", "estimates")):
        for batch, ending in (("y2", "-outdated.csv"), ("y1", ".csv")):
            answer = client.get(f"/{page}?batch={batch}&format=csv")
            assert answer.headers["Content-Disposition"].endswith(f'{name}{ending}"')
    figure = "/figures/reliability.json?batch={}"
    assert "outdated" in client.get(figure.format("y2")).text
    assert "outdated" not in client.get(figure.format("y1")).text
    app.extensions[STORE].dispose()


def test_another_import_under_the_name_outdates(labeler: Labeler) -> None:
    """The same file again does not. Of a later batch only what looks back to it is outdated."""
    units = units_of(labeler, "y1")
    imported(labeler, "y1", units, "not_relevant")
    assert labeler.following() == "labeler serve"
    imported(labeler, "y1", units, "relevant")
    told = stages(labeler)
    assert told["reliability", "outdated tables of batch y1"] == "labeler reliability --batch y1"
    assert told["reliability", "coefficients; outdated: assessments"].endswith("--batch y2")
    labeler("reliability", "--batch", "y1")
    labeler("reliability", "--batch", "y2")
    assert not any("outdated" in what for _, what in stages(labeler))


# --- two at once -----------------------------------------------------------------------------


def stopped(
    labeler: Labeler, *words: str, stops: int = 1, after: str = "codings"
) -> subprocess.Popen[bytes]:
    """A command that has read a table and has stopped before it writes what it computed."""
    program = (sys.executable, str(Path(stopping.__file__)))
    own = Labeler(labeler.root, labeler.settings, program=program)
    process = own.begin(*words, LABELER_STOPS=str(stops), LABELER_STOPS_AFTER=after)
    has_stopped(process)
    return process


def has_stopped(process: subprocess.Popen[bytes]) -> None:
    _, state = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(state), f"it ended: {state}"


def goes_on(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGCONT)


def test_verdicts_do_not_outlive_their_codes_in_a_race(labeler: Labeler) -> None:
    """Codes that came between reading and writing are computed with, not written over."""
    units = units_of(labeler, "y2")
    process = stopped(labeler, "reliability", "--batch", "y2")
    imported(labeler, "y2", units, "relevant")
    goes_on(process)
    assert process.wait(120) == 0
    after = alphas(labeler, "y2")
    assert labeler.following() == "labeler aggregate --batch y2"
    labeler("reliability", "--batch", "y2")
    assert alphas(labeler, "y2") == after
    assert labeler.table(tables.RELIABILITY)["computed_from"].str.startswith("2 ").any()


def test_estimates_do_not_outlive_their_verdicts_in_a_race(labeler: Labeler) -> None:
    """What was being aggregated when its verdicts became outdated is not written."""
    before = labeler.rows(tables.ESTIMATES)
    process = stopped(labeler, "aggregate", "--batch", "y2", "--override", "another reason")
    imported(labeler, "y2", units_of(labeler, "y2"), "relevant")
    goes_on(process)
    assert process.wait(120) == 3
    assert labeler.rows(tables.ESTIMATES) == before


def test_codes_that_keep_changing_are_said(labeler: Labeler) -> None:
    """After three times the command ends with an error; nothing is written."""
    units = units_of(labeler, "y2")
    before = labeler.rows(tables.RELIABILITY)
    process = stopped(labeler, "reliability", "--batch", "y2", stops=results.ATTEMPTS)
    for turn, last in enumerate(("relevant", "not_relevant", "relevant"), start=1):
        imported(labeler, "y2", units, last)
        goes_on(process)
        if turn < results.ATTEMPTS:
            has_stopped(process)
    assert process.wait(120) == 1
    assert labeler.rows(tables.RELIABILITY) == before
    outcomes = labeler.table(tables.RUNS)["outcome"]
    assert outcomes.str.startswith("ProjectError: batch 'y2': its codes changed").sum() == 1


def test_a_killed_run_ends_as_killed(labeler: Labeler) -> None:
    """The next command notes it; one that only stands still goes on running."""
    process = stopped(labeler, "reliability", "--batch", "y2")
    labeler("reliability", "--batch", "y1")
    assert last_outcomes(labeler, 2) == ["running", "done"]
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    assert last_outcomes(labeler, 2) == ["running", "done"]
    labeler("reliability", "--batch", "y1")
    assert last_outcomes(labeler, 3) == ["killed", "done", "done"]
    runs = labeler.table(tables.RUNS).sort_values("started")
    assert (runs["ended"] != "").all()
    assert set(runs["pid"].notna()) == {True}


def last_outcomes(labeler: Labeler, number: int) -> list[Any]:
    return list(labeler.table(tables.RUNS).sort_values("started")["outcome"].tail(number))


def test_asking_what_is_outdated_reads_few_rows(labeler: Labeler) -> None:
    """Of each result table one row at most, whatever the batch holds; no coding."""
    engine = database.connect(labeler.settings["LABELER_DATABASE"])
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    results.outdated(engine, "y2")
    engine.dispose()
    assert not any("FROM codings" in text or "FROM annotations" in text for text in asked)
    assert sum(text.count("LIMIT") for text in asked) == len(results.RESULTS)
    assert len(asked) <= len(results.RESULTS) + 4
