"""Push and pull through real Label Studios: what is named, where it lies, what people changed.

Every post, code and account is made up.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import requests
from running import Labeler, same, sample_posts
from spare_studio import Spare
from test_loop import answer
from waiting import SECONDS

from labeler.store import tables
from labeler.studio.client.studio import Studio
from labeler.studio.server import server
from labeler.studio.server.server import Server


def answers(address: str) -> bool:
    """Whether a server is there and says that all is well."""
    try:
        return requests.get(address, timeout=SECONDS).ok
    except requests.RequestException:
        return False


def study(root: Path, studio: Server, *, posts: int = 16, **settings: str) -> Labeler:
    """A study at a Label Studio, with posts that the cues have coded and one coder, ada."""
    own = {"LABELER_STUDIO_URL": studio.url, "LABEL_STUDIO_API_KEY": studio.token}
    labeler = Labeler(root, own | settings)
    labeler("init")
    labeler("ingest", sample_posts(root / "made-up.jsonl", posts))
    labeler("prelabel", "--coder", "cues")
    labeler("coders", "add", "ada", "--email", "ada@example.org")
    return labeler


def drawn(labeler: Labeler, batch: str, *, blind: int, assisted: int) -> None:
    design = ["--overlap", "1", "--blind", str(blind), "--assisted", str(assisted)]
    labeler("sample", "--batch", batch, "--coders", "ada", *design)


def account(studio: Server, name: str) -> Studio:
    """The Label Studio as the account of this name sees it."""
    made = server.account(studio, email=f"{name}@example.org", password="made-up-pass")
    return Studio(studio.url, made.token, server="local")


def asked(studio: Server, token: str, method: str, path: str, **given: Any) -> Any:
    headers = {"Authorization": f"Token {token}"}
    reply = requests.request(
        method, f"{studio.url}/{path}", headers=headers, timeout=SECONDS, **given
    )
    assert reply.ok, reply.text
    return reply.json() if reply.text else None


def texts(labeler: Labeler) -> dict[str, str]:
    posts = labeler.table(tables.POSTS)
    return dict(zip(posts["unit"], posts["text"], strict=True))


def test_what_does_not_fit_is_named_and_changes_are_told(studio: Server, tmp_path: Path) -> None:
    """Each oddity of the server is a finding by name; skips are counted, drafts are no codings."""
    labeler = study(tmp_path, studio)
    drawn(labeler, "odd", blind=0, assisted=8)
    labeler("push")
    own, eve = account(studio, "ada"), account(studio, "eve")
    token = server.account(studio, email="ada@example.org", password="made-up-pass").token
    rows = labeler.table(tables.TASKS).sort_values("position")
    number, unit = list(rows["studio_task"].map(int)), list(rows["unit"])
    text = texts(labeler)
    shown = {
        task: asked(studio, token, "GET", f"api/tasks/{task}/")["predictions"][0]["result"]
        for task in number
    }
    own.submit(number[0], shown[number[0]], 11.5)  # as suggested
    unknown = answer(text[unit[1]])
    unknown[0]["value"]["choices"] = ["nobody_knows"]
    own.submit(number[1], unknown, 1.0)
    eve.submit(number[2], answer(text[unit[2]]), 1.0)
    own.submit(number[3], answer(text[unit[3]]), 1.0)
    own.submit(number[3], answer(text[unit[3]], "negative"), 1.0)
    data = asked(studio, token, "GET", f"api/tasks/{number[4]}/")["data"]
    changed = {"data": {**data, "text": "another made-up text"}}
    asked(studio, token, "PATCH", f"api/tasks/{number[4]}/", json=changed)
    skip = {"result": shown[number[5]], "was_cancelled": True, "lead_time": 2.0}
    asked(studio, token, "POST", f"api/tasks/{number[5]}/annotations/", json=skip)
    draft = {"result": shown[number[6]], "lead_time": 2.0}
    asked(studio, token, "POST", f"api/tasks/{number[6]}/drafts", json=draft)
    done = labeler("pull", "--json").json
    found = {(finding["kind"], finding["unit"]) for finding in done["findings"]}
    assert found >= {
        ("unknown-code", unit[1]),
        ("other-coder", unit[2]),
        ("several", unit[3]),
        ("text-changed", unit[4]),
        ("skipped", unit[5]),
    }
    assert {one for _, one in found} == set(unit[1:6])
    assert (done["coded"], done["skipped"], done["tasks"]) == (3, 1, 8)
    codings = labeler.table(tables.CODINGS)
    people = codings[codings["coder"] == "human:ada"]
    assert set(people["unit"]) == {unit[0], unit[1], unit[3]}
    notes = labeler.table(tables.ANNOTATIONS)
    assert set(notes[notes["unit"] == unit[0]]["lead_time"]) == {11.5}
    changes = labeler.table(tables.CHANGES)
    assert set(changes[changes["unit"] == unit[0]]["change"]) == {"accepted"}
    assert len(changes[changes["unit"] == unit[0]]) >= len(shown[number[0]])
    last = changes[(changes["unit"] == unit[3]) & (changes["value"] == "negative")]
    assert set(last["change"]) <= {"added", "edited"}
    assert len(last) == 1
    assert done["changes"] == changes["change"].value_counts().to_dict()
    said = labeler("pull").out
    assert "3 of 8 tasks coded, 1 skipped" in said
    assert re.search(r"suggested codes: .*\d+ accepted", said)
    assert "tasks for their coders to mend: ada 1" in said
    [seat] = labeler("findings", "--send", "--json").json
    assert labeler("findings", "--send", "--json").json == [seat]
    assert shown_in(studio, token, seat["address"]) == [number[1]]
    own.submit(number[1], answer(text[unit[1]]), 2.0)
    assert "to mend" not in labeler("pull").out
    assert labeler("findings", "--send", "--json").json == []
    project = labeler.table(tables.SEATS)["project"][0]
    views = asked(studio, token, "GET", f"api/dm/views/?project={int(project)}")
    assert [view["data"].get("title") for view in views] == ["Default"]


def shown_in(studio: Server, token: str, address: str) -> list[int]:
    """The tasks that a tab of Label Studio shows."""
    view = address.rpartition("?tab=")[2]
    tasks = asked(studio, token, "GET", f"api/tasks/?view={view}")["tasks"]
    return [int(task["id"]) for task in tasks]


def test_new_codebook_is_a_new_project(studio: Server, tmp_path: Path) -> None:
    """An edited codebook refuses the old batch; a new batch gets projects of its own."""
    labeler = study(tmp_path, studio)
    drawn(labeler, "old", blind=2, assisted=0)
    [old] = labeler("push", "--json").json
    admin = Studio(studio.url, studio.token, server="local")
    before = admin.settings(old["project"])
    book = tmp_path / "codebook" / "llm-mental-health.yaml"
    text = book.read_text("utf-8")
    book.write_text(text.replace("title: ", "title: New ", 1), "utf-8")
    assert "another version of the codebook" in labeler("push", "--batch", "old", code=1).err
    assert "another version of the codebook" in labeler("pull", "--batch", "old", code=1).err
    drawn(labeler, "new", blind=2, assisted=0)
    [new] = labeler("push", "--json").json
    assert new["project"] != old["project"]
    assert admin.settings(old["project"]) == before


def test_blind_arm_lies_on_a_server_of_its_own(
    studio: Server, spare: Spare, tmp_path: Path
) -> None:
    """Two servers: each arm's projects, accounts and pulls are at its own, for doctor too."""
    other = spare.server
    blind = {"LABEL_STUDIO_BLIND_API_KEY": other.token}
    labeler = study(tmp_path, studio, **blind)
    drawn(labeler, "two", blind=3, assisted=2)
    told = labeler("--blind-studio", other.url, "coders", "add", "mia", "--email", "mia@x.example")
    invitations = re.findall(r"invitation: (\S+)", told.out)
    assert len(invitations) == 2
    assert invitations[0].startswith(studio.url)
    assert invitations[1].startswith(other.url)
    signed_up(invitations[1], "mia@x.example")
    again = labeler("--blind-studio", other.url, "coders", "add", "mia")
    assert re.findall(r"invitation: (\S+)", again.out) == invitations[:1]
    seats = labeler("--blind-studio", other.url, "push", "--json").json
    assert {seat["arm"]: seat["url"].partition("/projects")[0] for seat in seats} == {
        "assisted": studio.url,
        "blind": other.url,
    }
    tasks = labeler.table(tables.TASKS)
    text = texts(labeler)
    for arm, place in (("assisted", studio), ("blind", other)):
        own = account(place, "ada")
        for row in tasks[tasks["arm"] == arm].itertuples():
            own.submit(int(row.studio_task), answer(text[row.unit]), 1.0)
    setting = {"LABELER_BLIND_STUDIO_URL": other.url}
    done = labeler("pull", "--json", **setting).json
    assert (done["coded"], done["findings"]) == (5, [])
    assert len(set(labeler.table(tables.SEATS)["server"])) == 2
    checks = labeler("doctor", "--json", **setting).json
    states = {check["check"]: check["state"] for check in checks}
    assert states["label studio, blind arm"] == "ok"
    assert {state for name, state in states.items() if name.startswith("two ")} == {"ok"}
    before = labeler.rows()
    assert "LABELER_BLIND_STUDIO_URL" in labeler("pull", code=1).err
    keyless = {"LABEL_STUDIO_BLIND_API_KEY": ""}
    assert "LABEL_STUDIO_BLIND_API_KEY" in labeler("pull", code=1, **setting, **keyless).err
    same(before, labeler.rows())
    shown = told.out + told.err + repr(labeler.rows(tables.RUNS))
    assert studio.token not in shown


def signed_up(invitation: str, email: str) -> None:
    """Make an account as a person does who opens an invitation."""
    with requests.Session() as http:
        http.get(invitation, timeout=SECONDS)
        form = {
            "csrfmiddlewaretoken": http.cookies["csrftoken"],
            "email": email,
            "password": "made-up-pass",
        }
        reply = http.post(invitation, data=form, allow_redirects=False, timeout=SECONDS)
        assert reply.is_redirect
