"""Designs through a real Label Studio: nested, repeated, adjudicated, handed over. All made up."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
import requests
from places import ROOT
from running import Labeler, same
from test_loop import Desk, answer, desk
from waiting import SECONDS

from labeler.store import tables
from labeler.studio.server.server import Server

NESTED = ("--assisted", "9", "--blind", "6", "--overlap", "2", "--nested")


@pytest.fixture
def made(studio: Server, tmp_path: Path) -> Desk:
    """A study of 24 posts, pre-labelled by the cues, with four coders."""
    found = desk(studio, tmp_path / "study", "ada", "ben", "cy", "di")
    found.labeler("prelabel", "--coder", "cues")
    return found


def submit(made: Desk, arm: str, coder: str, impact: str = "positive", most: int = 99) -> int:
    """Let a coder submit what is pushed at a seat and not coded yet; how many tasks."""
    done = made.labeler.table(tables.ANNOTATIONS)
    own = done[(done["arm"] == arm) & (done["coder"] == f"human:{coder}")]
    open_ = [
        (unit, task)
        for unit, task in sorted(made.tasks(arm, coder).items())
        if task is not None and unit not in set(own["unit"])
    ]
    for unit, task in open_[:most]:
        made.coders[coder].submit(int(task), answer(made.text(unit), impact), lead_time=30.0)
    return len(open_[:most])


def test_a_nested_batch_is_judged_and_adjudicated(made: Desk) -> None:
    """Nested arms by a crossover; disagreed units go to a fourth coder, who sees nameless codes.

    Two of the three blind coders see one impact otherwise wherever they code: units where ada
    is among the blind coders are disagreed, the others are not.
    """
    labeler = made.labeler
    labeler("sample", "--batch", "one", "--coders", "ada,ben,cy", *NESTED)
    labeler("push")
    for name in ("ada", "ben", "cy"):
        submit(made, "blind", name, "negative" if name == "ada" else "positive")
        submit(made, "assisted", name)
    done = labeler("pull", "--json").json
    assert (done["coded"], done["findings"]) == (21, [])
    rows = labeler("reliability", "--json").json["reliability"]
    units = {
        (row["panel"], row["variable"]): row["n_units"]
        for row in rows
        if not row["code"] and row["coefficient"].startswith("krippendorff_alpha")
    }
    assert units["humans", "impact"] == 6
    tasks = labeler.table(tables.TASKS)
    blind = tasks[tasks["arm"] == "blind"]
    ours = set(blind.loc[blind["coder"] == "human:ada", "unit"])
    assert len(ours) == 4
    before = labeler.rows(tables.SEATS, tables.TASKS, tables.CODINGS)
    added = labeler("sample", "--batch", "one", "--from", "disagreed", "--coders", "di", "--json")
    drawn = [row for row in added.json["tasks"] if row["arm"] == "adjudication"]
    assert {row["unit"] for row in drawn} == ours
    chance = blind.set_index("unit")["unit_probability"].to_dict()
    assert {row["unit"]: row["unit_probability"] for row in drawn} == {
        unit: pytest.approx(chance[unit]) for unit in ours
    }
    after = labeler.rows(tables.SEATS, tables.TASKS, tables.CODINGS)
    for name, own in before.items():
        assert [row for row in after[name] if row.get("arm") != "adjudication"] == own
    again = labeler.rows()
    labeler("sample", "--batch", "one", "--from", "disagreed", "--coders", "di")
    same(again, labeler.rows())
    other = labeler("sample", "--batch", "one", "--from", "unresolved", "--coders", "di", code=1)
    assert "has an adjudication arm already" in other.err
    adjudicated(made, ours)


def coefficients(labeler: Labeler) -> list[dict[str, object]]:
    """What `reliability` finds, without the ground it names: that moves with every coding."""
    rows = labeler("reliability", "--json").json["reliability"]
    return [{name: row[name] for name in row if name != "computed_from"} for row in rows]


def adjudicated(made: Desk, ours: set[str]) -> None:
    """The page shows three codings a unit without a name; what is decided is a layer of its own."""
    labeler = made.labeler
    seats = labeler("push", "--json").json
    seat = next(seat for seat in seats if seat["arm"] == "adjudication")
    settings = made.admin.settings(seat["project"])
    assert (settings["tasks"], settings["predictions"]) == (len(ours), 0)
    assert 'value="$given"' in settings["label_config"]
    kept = labeler.table(tables.SHOWN_CODES)
    noted = dict(zip(kept["unit"], kept["text"], strict=True))
    assert set(noted) == ours
    with requests.Session() as http:
        http.headers["Authorization"] = f"Token {labeler.settings['LABEL_STUDIO_API_KEY']}"
        url = labeler.settings["LABELER_STUDIO_URL"]
        for task in made.tasks("adjudication", "di").values():
            answer = http.get(f"{url}/api/tasks/{int(task)}/", timeout=SECONDS)
            given = answer.json()["data"]["given"]
            assert given == noted[answer.json()["data"]["unit"]]
            assert [line for line in given.splitlines() if line.startswith("Coding ")] == [
                "Coding A", "Coding B", "Coding C",
            ]  # fmt: skip
            assert "Impact: Negative" in given
            codes = [line for line in given.lower().splitlines() if not line.startswith("“")]
            words = {word for line in codes for word in re.findall(r"[a-z]+", line)}
            assert not {"ada", "ben", "cy", "cues", "human", "model"} & words
    assert submit(made, "adjudication", "di") == len(ours)
    rows = coefficients(labeler)
    labeler("pull")
    assert coefficients(labeler) == rows
    codings = labeler.table(tables.CODINGS)
    assert set(codings.loc[codings["arm"] == "adjudication", "unit"]) == ours
    labeler("export")


def test_a_repeat_waits_for_others_and_is_a_second_replicate(made: Desk) -> None:
    """Two of six blind units come back once four others are coded after them, to the same coder."""
    labeler = made.labeler
    draw = ("--blind", "6", "--overlap", "1", "--repeat", "0.34", "--after", "4")
    labeler("sample", "--batch", "again", "--coders", "ada", *draw)
    tasks = labeler.table(tables.TASKS)
    back = set(tasks.loc[tasks["arm"] == "repeat", "unit"])
    assert len(back) == 2
    pushed = labeler("push", "--json").json
    assert [seat["arm"] for seat in pushed] == ["blind"]
    stages = {stage["stage"]: stage for stage in labeler("status", "--json").json["stages"]}
    assert (stages["push"]["pending"], stages["push"]["done"]) == (0, 6)
    first = made.tasks("blind", "ada")
    order = sorted(first, key=lambda unit: unit not in back)
    for unit in order[:4]:
        made.coders["ada"].submit(int(first[unit]), answer(made.text(unit)), lead_time=5.0)
    labeler("pull")
    assert [seat["arm"] for seat in labeler("push", "--json").json] == ["blind"]
    for unit in order[4:]:
        made.coders["ada"].submit(int(first[unit]), answer(made.text(unit)), lead_time=5.0)
    labeler("pull")
    assert labeler.following() == "labeler push --batch again"
    pushed = labeler("push", "--json").json
    assert {seat["arm"]: seat["tasks"] for seat in pushed} == {"blind": 6, "repeat": 2}
    assert submit(made, "repeat", "ada", "negative") == 2
    labeler("pull")
    codings = labeler.table(tables.CODINGS)
    own = codings[(codings["coder"] == "human:ada") & (codings["variable"] == "impact")]
    assert Counter(zip(own["arm"], own["replicate"], own["value"], strict=True)) == {
        ("blind", 1, "positive"): 6,
        ("repeat", 2, "negative"): 2,
    }
    rows = {
        (row["kind"], row["coefficient"]): row
        for row in labeler("reliability", "--json").json["reliability"]
        if row["variable"] == "impact" and not row["code"]
    }
    assert rows["human-human", "krippendorff_alpha.masi"]["n_pairable"] == 0
    own = rows["self", "percent_agreement.units"]
    assert (own["panel"], own["value"], own["n_units"]) == ("human:ada vs self", 0, 6)
    assert (own["evidence"], own["n_pairable"]) == (0, 4)
    labeler("export")
    exported = (labeler.root / "exports" / "again" / "codings.csv").read_text("utf-8")
    assert ",repeat,2," in exported


def test_reassign_moves_what_is_not_coded(made: Desk) -> None:
    """Potato #155-157: ada codes two of her four blind tasks and leaves; di gets the rest.

    One more is submitted and not pulled: it stays hers. Ben has each unit of hers that he shares,
    and gets only the others. Given again, nothing moves.
    """
    labeler = made.labeler
    labeler("sample", "--batch", "one", "--coders", "ada,ben,cy", *NESTED)
    labeler("push")
    assert submit(made, "blind", "ada", most=1) == 1
    labeler("pull")
    assert submit(made, "blind", "ada", most=1) == 1  # nobody has pulled it yet
    before = labeler.table(tables.TASKS).set_index(["arm", "coder", "unit"])
    done = labeler("reassign", "one", "--from", "ada", "--to", "di", "--json").json
    assert (done["moved"], done["refused"]) == ({"assisted": 3, "blind": 2}, [])
    tasks = labeler.table(tables.TASKS)
    mine = tasks[tasks["coder"] == "human:di"]
    assert sorted(zip(mine["arm"], mine["position"], strict=True)) == [
        ("assisted", 1), ("assisted", 2), ("assisted", 3), ("blind", 1), ("blind", 2),
    ]  # fmt: skip
    for row in mine.itertuples():
        was = before.loc[row.arm, "human:ada", row.unit]
        assert row.task_probability == was["task_probability"]
        assert not row.studio_task > 0
    hers = tasks[tasks["coder"] == "human:ada"]
    assert list(hers["arm"]) == ["blind", "blind"]
    again = labeler.rows()
    assert labeler("reassign", "one", "--from", "ada", "--to", "di", "--json").json["moved"] == {}
    same(again, labeler.rows())
    seats = labeler("push", "--json").json
    assert {(seat["arm"], seat["coder"]) for seat in seats} == {
        ("blind", "human:ada"),
        *((arm, f"human:{name}") for arm in ("blind", "assisted") for name in ("ben", "cy", "di")),
    }
    for seat in seats:
        there = {task.unit for task in made.admin.changes(seat["project"], since="")}
        assert there == set(made.tasks(seat["arm"], seat["coder"].removeprefix("human:")))
    shared = labeler("reassign", "one", "--from", "di", "--to", "ben")
    assert "ben has this unit in the" in shared.err
    units = labeler.table(tables.TASKS)
    assert not units.duplicated(["coder", "unit"]).any()


SETTINGS = {"LABELER_STUDIO_URL": "http://127.0.0.1:9", "LABEL_STUDIO_API_KEY": "made-up"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study without a Label Studio: pre-labelled posts, coders of a server that is not there."""
    labeler = Labeler(tmp_path_factory.mktemp("prepared"), SETTINGS)
    labeler("init")
    labeler("ingest", ROOT / "sample" / "made-up-posts.jsonl")
    labeler("prelabel", "--coder", "cues")
    for name in ("ada", "ben", "cy"):
        labeler("coders", "add", name, "--email", f"{name}@example.org")
    return labeler.root


@pytest.fixture
def alone(prepared: Path, tmp_path: Path) -> Labeler:
    """A copy of that study."""
    shutil.copytree(prepared, tmp_path / "study")
    return Labeler(tmp_path / "study", SETTINGS)


def test_a_plan_says_costs_and_widths_and_writes_nothing(alone: Labeler) -> None:
    """Codings and hours add up; nothing is drawn; nobody has to be known yet."""
    before = alone.rows()
    design = ("--coders", "a,b,c", *NESTED)
    found = alone("sample", "--plan", *design, "--json").json
    same(before, alone.rows())
    costs = {cost["arm"]: cost for cost in found["costs"]}
    assert (costs["blind"]["codings"], costs["assisted"]["codings"]) == (12, 9)
    assert found["each"] == pytest.approx((12 + 9) * 60 / 3600 / 3)
    widths = {width["variable"]: width for width in found["widths"]}
    assert set(widths) >= {"relevance", "impact"}
    assert widths["relevance"]["alpha_half"] > 0
    told = alone("sample", "--plan", *design)
    assert "a plan, nothing is drawn: 9 of 240 units, simple" in told.err
    assert "assumed" in told.out
    assert "under 10 with it" in told.out


@pytest.mark.parametrize(
    ("options", "strata"),
    [
        (("--by", "platform"), 6),
        (("--by", "relevance", "--allocation", "equal"), 2),
        (("--drawing", "enriched", "--by", "impact"), None),
    ],
)
def test_strata_by_platform_and_by_codes(
    alone: Labeler, options: tuple[str, ...], strata: int | None
) -> None:
    """The batch says what was drawn of what; weights 1/probability add up to the frame.

    The sum over the n units of N_h / n_h is the sum of the N_h: 240.
    """
    draw = ("sample", "--batch", "s", "--coders", "ada,ben,cy", "--blind", "40", *options)
    alone(*draw)
    tasks = alone.table(tables.TASKS).drop_duplicates("unit")
    assert sum(1 / tasks["unit_probability"]) == pytest.approx(240)
    design = json.loads(alone.table(tables.BATCHES)["design"].iloc[0])
    assert sum(n for _, n in design["strata"].values()) == 40
    assert strata is None or len(design["strata"]) == strata
    before = alone.rows()
    assert "unchanged" in alone(*draw).err
    same(before, alone.rows())
    assert "drawn already, by another design" in alone(*draw, "--seed", "2", code=1).err


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--drawing", "uncertain", "--blind", "9"), 1, "no unit has a confidence"),
        (("--by", "mood", "--blind", "9"), 1, "no variable is called 'mood'"),
        (("--drawing", "simple", "--by", "impact", "--blind", "9"), 2, "--by goes with"),
        (("--overlap", "all", "--nested", "--assisted", "9", "--blind", "9"), 1, "needs 4 coders"),
        (("--from", "disagreed", "--blind", "9"), 2, "takes units of a batch"),
        (("--from", "disagreed"), 1, "no batch is called 's'"),
        (("--size", "3", "--blind", "9"), 2, "go with --from"),
    ],
)
def test_what_does_not_go_together_is_named(
    alone: Labeler, options: tuple[str, ...], code: int, said: str
) -> None:
    """Each refusal names the option; nothing is drawn."""
    told = alone("sample", "--batch", "s", "--coders", "ada,ben,cy", *options, code=code).err
    assert said in " ".join(told.split())
    assert alone.table(tables.TASKS).empty


def test_every_unit_by_everybody(alone: Labeler) -> None:
    """`--overlap all` gives each blind unit to all three coders, surely."""
    alone("sample", "--batch", "s", "--coders", "ada,ben,cy", "--blind", "10", "--overlap", "all")
    tasks = alone.table(tables.TASKS)
    assert Counter(tasks["unit"]) == dict.fromkeys(tasks["unit"], 3)
    assert tasks["task_probability"].tolist() == pytest.approx([10 / 240] * 30)


def test_reassign_without_a_server_before_the_push(alone: Labeler) -> None:
    """Nothing is in Label Studio yet, so none is asked; each wrong name is told."""
    alone("sample", "--batch", "s", "--coders", "ada,ben", "--blind", "6", "--overlap", "1")
    alone("reassign", "s", "--from", "ada", "--to", "cy")
    assert Counter(alone.table(tables.TASKS)["coder"]) == {"human:ben": 3, "human:cy": 3}
    assert set(alone.table(tables.SEATS)["coder"]) == {"human:ben", "human:cy"}
    gone = alone("reassign", "s", "--from", "ada", "--to", "cy", code=1).err
    assert "'ada' has no seat in batch 's'; there are: ben, cy" in gone
    assert "has them" in alone("reassign", "s", "--from", "cy", "--to", "cy", code=1).err
    assert (
        "nobody is called 'eve'"
        in alone("reassign", "s", "--from", "cy", "--to", "eve", code=1).err
    )
