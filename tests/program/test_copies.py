"""A submission that a real Label Studio holds several times counts once. All is made up."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from running import Labeler
from test_loop import answer
from test_results import goes_on, stopped
from test_sync import asked, drawn, study, texts

from labeler.store import tables
from labeler.studio.copies import EDITED
from labeler.studio.server import server
from labeler.studio.server.server import Server


class Coder:
    """Ada at her browser: what it sends, spoken to a real server."""

    def __init__(self, labeler: Labeler, studio: Server) -> None:
        self.studio = studio
        self.token = server.account(studio, email="ada@example.org", password="made-up-pass").token
        rows = labeler.table(tables.TASKS).sort_values("position")
        self.tasks = list(rows["studio_task"].map(int))
        self.units = list(rows["unit"])
        self.texts = texts(labeler)

    def body(self, place: int, impact: str = "positive", lead_time: float = 4.5) -> dict[str, Any]:
        return {
            "result": answer(self.texts[self.units[place]], impact),
            "lead_time": lead_time,
        }

    def submit(self, place: int, body: dict[str, Any]) -> int:
        """Keep a draft, then submit it; the annotation's number."""
        task = self.tasks[place]
        draft = self.asks("POST", f"api/tasks/{task}/drafts", json=body)["id"]
        return self.stored(place, {**body, "draft_id": draft})

    def stored(self, place: int, body: dict[str, Any]) -> int:
        """Submit, or have it stored once more as a retry does."""
        made = self.asks("POST", f"api/tasks/{self.tasks[place]}/annotations/", json=body)
        return int(made["id"])

    def change(self, number: int, body: dict[str, Any]) -> None:
        self.asks("PATCH", f"api/annotations/{number}/", json=body)

    def delete(self, number: int) -> None:
        self.asks("DELETE", f"api/annotations/{number}/")

    def asks(self, method: str, path: str, **given: Any) -> Any:
        return asked(self.studio, self.token, method, path, **given)


def impacts(labeler: Labeler) -> dict[str, str]:
    """Unit → the impact that ada coded."""
    codings = labeler.table(tables.CODINGS)
    own = codings[(codings["coder"] == "human:ada") & (codings["variable"] == "impact")]
    return dict(zip(own["unit"], own["value"], strict=True))


def test_one_of_several_copies_counts(studio: Server, tmp_path: Path) -> None:
    """Three copies; one of an older submission, that lands last; one deleted; one changed."""
    labeler = study(tmp_path, studio)
    drawn(labeler, "copies", blind=4, assisted=0)
    labeler("push")
    ada = Coder(labeler, studio)
    made: dict[int, list[int]] = {}
    for place in range(4):
        body = ada.body(place)
        made[place] = [ada.submit(place, body)]
        if place == 1:
            ada.stored(1, ada.body(1, "negative", 9.0))
        made[place] += [ada.stored(place, body) for _ in range(2 if place == 0 else 1)]
    done = labeler("pull", "--json").json
    told = sorted((one["kind"], one["unit"]) for one in done["findings"])
    assert told == sorted([("several", ada.units[1]), *(("copy", unit) for unit in ada.units)])
    details = {one["unit"]: one["detail"] for one in done["findings"] if one["kind"] == "copy"}
    assert details[ada.units[0]] == "stored 3 times by Label Studio; one counts"
    assert (done["coded"], done["withdrawn"]) == (4, 0)
    assert impacts(labeler) == dict(
        zip(ada.units, ["positive", "negative", "positive", "positive"], strict=True)
    )
    notes = labeler.table(tables.ANNOTATIONS)
    assert (notes["draft"] != "").sum() == 4
    assert notes["withdrawn"].sum() == 5

    time.sleep(EDITED.total_seconds() + 0.1)
    ada.delete(made[2][1])
    ada.change(made[3][1], ada.body(3, "neutral", 20.0))
    done = labeler("pull", "--json").json
    assert (done["coded"], done["withdrawn"]) == (3, 1)
    assert impacts(labeler) == dict(
        zip([*ada.units[:2], ada.units[3]], ["positive", "negative", "neutral"], strict=True)
    )
    assert labeler("pull", "--json").json["changed"] == 0


def test_the_slower_of_two_pulls_overwrites_nothing_newer(studio: Server, tmp_path: Path) -> None:
    """What was changed, deleted and added while a pull stood still is as the faster one found."""
    labeler = study(tmp_path, studio)
    drawn(labeler, "race", blind=4, assisted=0)
    labeler("push")
    ada = Coder(labeler, studio)
    first = [ada.submit(place, ada.body(place)) for place in range(3)]
    labeler("pull")

    slow = stopped(labeler, "pull", after="grounds")  # it has read what the server has
    ada.change(first[0], ada.body(0, "negative", 20.0))
    ada.delete(first[1])
    ada.stored(2, ada.body(2, "neutral", 30.0))
    ada.submit(3, ada.body(3))
    labeler("pull")
    found = dict(zip(ada.units, ["negative", None, "neutral", "positive"], strict=True))
    del found[ada.units[1]]
    assert impacts(labeler) == found
    before = labeler.rows(tables.ANNOTATIONS, tables.CODINGS, tables.SEGMENTS, tables.SEATS)
    goes_on(slow)
    assert slow.wait(120) == 0
    after = labeler.rows(tables.ANNOTATIONS, tables.CODINGS, tables.SEGMENTS, tables.SEATS)
    assert after == before

    slow = stopped(labeler, "pull", after="annotations")  # it has stored them and made codes
    ada.change(first[0], ada.body(0, "neutral", 40.0))
    labeler("pull")
    assert impacts(labeler) == found | {ada.units[0]: "neutral"}
    goes_on(slow)
    assert slow.wait(120) == 0
    assert impacts(labeler) == found | {ada.units[0]: "neutral"}
    assert labeler("pull", "--json").json["changed"] == 0
