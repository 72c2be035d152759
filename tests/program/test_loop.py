"""The whole loop through a real Label Studio, by the real command. Every post is made up."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
import requests
from running import Labeler, same, sample_posts
from waiting import SECONDS

from labeler.store import tables
from labeler.studio.client.studio import Studio
from labeler.studio.server import server
from labeler.studio.server.server import Server

CODERS = ("ada", "ben")
REASON = "a made-up reason: too few posts"
BLIND, ASSISTED = 12, 4


class Desk(NamedTuple):
    """A study at the shared Label Studio, and its coders, each with an account of their own."""

    labeler: Labeler
    admin: Studio
    coders: dict[str, Studio]

    def tasks(self, arm: str, coder: str) -> dict[str, int]:
        """Unit → the task in Label Studio, at one seat."""
        tasks = self.labeler.table(tables.TASKS)
        own = tasks[(tasks["arm"] == arm) & (tasks["coder"] == f"human:{coder}")]
        return dict(zip(own["unit"], own["studio_task"], strict=True))

    def text(self, unit: str) -> str:
        posts = self.labeler.table(tables.POSTS)
        return str(posts[posts["unit"] == unit]["text"].iloc[0])

    def codings(self, coder: str, arm: str) -> dict[tuple[str, str, str], str]:
        """(unit, segment, variable) → value, of one coder in one arm."""
        rows = self.labeler.table(tables.CODINGS)
        own = rows[(rows["coder"] == f"human:{coder}") & (rows["arm"] == arm)]
        return {(row.unit, row.segment, row.variable): row.value for row in own.itertuples()}


def choice(name: str, *codes: str, **region: Any) -> dict[str, Any]:
    value = {"choices": list(codes)} | region.pop("span", {})
    return {"from_name": name, "to_name": "text", "type": "choices", "value": value, **region}


def answer(text: str, impact: str = "positive") -> list[dict[str, Any]]:
    """A relevant post, whose first ten characters are a segment with all its codes."""
    span = {"start": 0, "end": 10, "text": text[:10]}
    region = {"id": "r1", "from_name": "segment", "to_name": "text", "type": "labels"}
    of_segment = {
        "impact": [impact],
        "condition": ["adhd", "anxiety"],
        "perspective": ["no_perspective"],
        "value": ["trust"],
        "product": ["gpt"],
    }
    return [
        choice("relevance", "relevant"),
        {**region, "value": {**span, "labels": ["use"]}},
        *(choice(name, *codes, id="r1", span=span) for name, codes in of_segment.items()),
    ]


def desk(studio: Server, root: Path, *names: str, **settings: str) -> Desk:
    """A new study with 24 posts and coders of these names, with accounts of their own."""
    own = {"LABELER_STUDIO_URL": studio.url, "LABEL_STUDIO_API_KEY": studio.token}
    labeler = Labeler(root, own | settings)
    labeler("init")
    labeler("ingest", sample_posts(root / "made-up.jsonl", 24))
    coders = {}
    for name in names:
        email = f"{name}@example.org"
        account = server.account(studio, email=email, password="made-up-pass")
        coders[name] = Studio(studio.url, account.token, server="local")
        labeler("coders", "add", name, "--email", email.title())
    return Desk(labeler, Studio(studio.url, studio.token, server="local"), coders)


def test_loop_twice_gives_the_same_rows(studio: Server, store_url: str, tmp_path: Path) -> None:
    """From the draw to the bundle, on both stores, each command twice: same rows, same bytes.

    Both stores use the same Label Studio with the same batch, coders and posts: two studies there
    never share a project.
    """
    made = desk(studio, tmp_path / "study", *CODERS, LABELER_DATABASE=store_url)
    labeler = made.labeler
    labeler("prelabel", "--coder", "cues")
    draw = ["--coders", ",".join(CODERS), "--blind", str(BLIND), "--assisted", str(ASSISTED)]
    labeler("sample", "--batch", "loop", *draw)
    pushed(made)
    submitted(made)
    pulled(made)
    judged(made)
    exported(made)
    stages = labeler("status", "--json").json
    assert stages["next"] == "labeler serve"
    assert not any(stage["pending"] for stage in stages["stages"])
    checks = labeler("doctor", "--json").json
    assert {check["state"] for check in checks if check["check"].startswith("loop ")} == {"ok"}
    doctored(made, studio)


def doctored(made: Desk, studio: Server) -> None:
    """Doctor names suggestions that a setting hides, and one that came into a blind project."""
    seats = made.labeler.table(tables.SEATS)
    assisted = int(seats.loc[seats["arm"] == "assisted", "project"].iloc[0])
    task = next(iter(made.tasks("blind", CODERS[0]).values()))
    with requests.Session() as http:
        http.headers["Authorization"] = f"Token {studio.token}"
        hidden = {"show_collab_predictions": False}
        assert http.patch(f"{studio.url}/api/projects/{assisted}/", json=hidden, timeout=SECONDS).ok
        given = {"task": int(task), "result": [], "model_version": "made up"}
        assert http.post(f"{studio.url}/api/predictions/", json=given, timeout=SECONDS).ok
    told = made.labeler("doctor", code=1).out
    assert "suggestions do not show" in told
    assert "1 suggestions in a blind project" in told


def pushed(made: Desk) -> None:
    """Push twice: each unit once on the server; no suggestion where it is blind."""
    seats = made.labeler("push", "--json").json
    assert sum(seat["new"] for seat in seats) == 2 * BLIND + ASSISTED
    before = made.labeler.rows()
    again = made.labeler("push", "--json").json
    assert again == [{**seat, "new": 0} for seat in seats]
    same(before, made.labeler.rows())
    cues = made.labeler.table(tables.BATCHES)["suggester"].iloc[0]
    for seat in seats:
        units = made.tasks(seat["arm"], seat["coder"].removeprefix("human:"))
        there = list(made.admin.changes(seat["project"], since=""))
        assert {task.unit: task.task for task in there} == units
        assert len(there) == seat["tasks"] == len(units)
        settings = made.admin.settings(seat["project"])
        assert settings["annotations"] == 0
        blind = seat["arm"] == "blind"
        assert settings["predictions"] == (0 if blind else len(units))
        assert settings["show_collab_predictions"] is (not blind)
        assert blind or settings["model_version"] == cues


def submitted(made: Desk) -> None:
    """Each coder codes what is theirs, with their own account; ben sees one impact differently."""
    for name, account in made.coders.items():
        for arm in ("blind", "assisted"):
            for place, (unit, task) in enumerate(sorted(made.tasks(arm, name).items())):
                impact = "negative" if (name, arm, place) == ("ben", "blind", 0) else "positive"
                account.submit(int(task), answer(made.text(unit), impact), lead_time=12.5)


def pulled(made: Desk) -> None:
    """Pull twice: every code that was given, with offsets and time; then nothing is new."""
    done = made.labeler("pull", "--json").json
    total = 2 * BLIND + ASSISTED
    assert (done["changed"], done["coded"], done["tasks"]) == (total, total, total)
    assert done["findings"] == []
    assert done["codings"] == total * 6
    before = made.labeler.rows()
    assert made.labeler("pull", "--json").json["changed"] == 0
    same(before, made.labeler.rows())
    notes = made.labeler.table(tables.ANNOTATIONS)
    assert set(notes["completed_by"]) == {"ada@example.org", "ben@example.org"}
    assert set(notes["lead_time"]) == {12.5}
    for name in CODERS:
        codings = made.codings(name, "blind")
        assert len(codings) == BLIND * 6
        values = {variable: value for (_, _, variable), value in sorted(codings.items())[-6:]}
        assert values["condition"] == "anxiety+adhd"
        assert (values["relevance"], values["impact"], values["value"]) == (
            "relevant",
            "positive",
            "trust",
        )
    spans = made.labeler.table(tables.SEGMENTS)
    human = spans[spans["found"] == "selected"]
    assert set(zip(human["start"], human["end"], strict=True)) == {(0, 10)}
    assert all(made.text(row.unit)[:10] == row.quote for row in human.itertuples())


def judged(made: Desk) -> None:
    """Reliability twice is the same; the gate is shut, and opens for a reason that then stands."""
    labeler = made.labeler
    rows = labeler("reliability", "--json").json["reliability"]
    assert labeler("reliability", "--json").json["reliability"] == rows
    alphas = [row for row in rows if row["coefficient"].startswith("krippendorff_alpha")]
    humans = {
        row["variable"]: row for row in alphas if row["panel"] == "humans" and not row["code"]
    }
    assert humans["relevance"]["verdict"] == "undefined"
    assert humans["impact"]["n_units"] == BLIND
    assert humans["impact"]["percent"] == pytest.approx((BLIND - 1) / BLIND)
    assert humans["impact"]["verdict"] != "pass"
    assert {row["evidence"] for row in rows if "assisted" in row["panel"]} == {0}
    shut = labeler("aggregate", code=3)
    assert shut.out == ""
    assert "impact: " in shut.err
    assert labeler.rows(tables.ESTIMATES)["estimates"] == []
    opened = labeler("aggregate", "--override", REASON)
    assert REASON in opened.err
    before = labeler.rows()
    labeler("aggregate", "--override", REASON)
    same(before, labeler.rows())
    assert {row["override"] for row in before["estimates"]} == {REASON}
    kept = labeler.table(tables.OVERRIDES)
    assert set(kept["reason"]) == {REASON}
    assert kept["run"].nunique() == 2
    assert "undefined" in set(kept.loc[kept["variable"] == "relevance", "verdict"])
    # 12 authors, all different: cells of fewer than 11 authors may not leave
    names = ("analysis", "measure", "estimator", "target", "code")
    figures = {tuple(row[name] for name in names): row for row in before["estimates"]}
    plain = ("share", "blind", "collection")
    gpt = figures["product in posts", *plain, "product:gpt"]
    assert (gpt["count"], gpt["units"], gpt["hidden"]) == (BLIND, BLIND, "")
    assert gpt["value"] == pytest.approx(1.0)
    negative = figures["impact in posts", *plain, "impact:negative"]
    assert negative["hidden"] == "fewer than 11 authors"


def words(path: Path) -> str:
    """What a file of a bundle says, also inside a workbook or a Parquet file."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path).to_csv()
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as package:
            return "".join(package.read(name).decode() for name in package.namelist())
    return path.read_text("utf-8")


def exported(made: Desk) -> None:
    """Export twice: the second writes nothing; the hashes are those of the files."""
    done = made.labeler("export", "--json").json
    assert sorted(done["written"]) == sorted(done["files"])
    folder = Path(done["folder"])
    assert sorted(path.name for path in folder.iterdir()) == sorted(done["files"])
    assert made.labeler("export", "--json").json["written"] == []
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert set(manifest["files"]) | {"manifest.json"} == set(done["files"])
    for name, entry in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == entry["sha256"]
    assert manifest["override"] == REASON
    assert manifest["made_up"] is True
    assert REASON in (folder / "README.txt").read_text("utf-8")
    texts = "".join(map(words, folder.iterdir()))
    hidden = {row["author"] for row in made.labeler.rows(tables.POSTS)["posts"]} - {""}
    assert hidden
    assert not any(author in texts for author in hidden)
    assert "example.org/made-up" not in texts
    assert "quote" not in (folder / "segments.csv").read_text("utf-8").splitlines()[0]


def test_pull_follows_what_people_take_back(studio: Server, tmp_path: Path) -> None:
    """A deleted annotation stays as withdrawn and gives no codings; a corrected one replaces."""
    made = desk(studio, tmp_path / "study", "ada")
    labeler = made.labeler
    labeler("sample", "--batch", "loop", "--coders", "ada", "--blind", "3", "--overlap", "1")
    labeler("push")
    own = made.coders["ada"]
    notes = {
        unit: own.submit(int(task), answer(made.text(unit)), lead_time=1.0)
        for unit, task in made.tasks("blind", "ada").items()
    }
    labeler("pull")
    labeler("reliability")
    deleted, corrected, kept = sorted(notes)
    account = server.account(studio, email="ada@example.org", password="made-up-pass")
    with requests.Session() as http:
        http.headers["Authorization"] = f"Token {account.token}"
        at = f"{studio.url}/api/annotations"
        assert http.delete(f"{at}/{notes[deleted]}/", timeout=SECONDS).ok
        given = answer(made.text(corrected), "negative")
        assert http.patch(f"{at}/{notes[corrected]}/", json={"result": given}, timeout=SECONDS).ok
    done = labeler("pull", "--json").json
    assert (done["changed"], done["coded"], done["tasks"]) == (2, 2, 3)
    stages = {row["stage"]: row for row in labeler("status", "--json").json["stages"]}
    assert stages["reliability"]["command"] == "labeler reliability --batch loop"
    assert "outdated" in stages["reliability"]["what"]
    assert "verdicts are outdated" in labeler("aggregate", code=3).err
    assert labeler.following() == "labeler pull --batch loop"
    codings = made.codings("ada", "blind")
    impacts = {unit: value for (unit, _, name), value in codings.items() if name == "impact"}
    assert impacts == {corrected: "negative", kept: "positive"}
    assert {unit for unit, _, _ in codings} == {corrected, kept}
    rows = labeler.table(tables.ANNOTATIONS).set_index("unit")
    assert rows["withdrawn"].to_dict() == {deleted: 1, corrected: 0, kept: 0}
    assert json.loads(rows["result"][deleted])
    before = labeler.rows()
    assert labeler("pull", "--json").json["changed"] == 0
    told = "hint: `labeler reliability --batch loop` computes it\n"
    assert labeler("aggregate", code=3).err.endswith(told)
    same(before, labeler.rows())
    elsewhere = labeler("pull", code=1, LABELER_STUDIO_URL="http://127.0.0.1:9").err
    assert "127.0.0.1:9" in elsewhere
    same(before, labeler.rows())
