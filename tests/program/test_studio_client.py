from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from places import ROOT
from waiting import SECONDS

from labeler.codebook import codebook
from labeler.errors import ProjectError, ServiceRejected, ServiceUnavailable
from labeler.store import tables
from labeler.studio import annotations, config
from labeler.studio.client.studio import Studio
from labeler.studio.server import server as studio_server
from labeler.studio.server.server import Server

CONFIG = """
<View><Text name="text" value="$text"/>
<Choices name="tone" toName="text" choice="single-radio">
<Choice value="Glad" alias="glad"/><Choice value="Sad" alias="sad"/></Choices></View>
"""
GLAD = [
    {
        "from_name": "tone",
        "to_name": "text",
        "type": "choices",
        "value": {"choices": ["glad"]},
    }
]


@pytest.fixture
def admin(studio: Server) -> Studio:
    return Studio(studio.url, studio.token, server="local")


def payload(*units: str, predicted: bool = False) -> list[dict[str, Any]]:
    shown = {"predictions": [{"model_version": "cues@1", "result": GLAD}]} if predicted else {}
    return [{"data": {"unit": unit, "text": f"A made-up post {unit}."}, **shown} for unit in units]


def seat(studio: Studio, key: str, *, suggestions: bool = False) -> int:
    project, _ = studio.project(
        key, title=f"made up {key}", config=CONFIG, instructions="Read.", suggestions=suggestions
    )
    return project


@contextmanager
def served(answer: Any) -> Iterator[str]:
    """A loopback server whose GET and POST are `answer(handler)`."""
    methods = {"do_GET": answer, "do_POST": answer, "log_message": lambda *_: None}
    handler = type("Handler", (BaseHTTPRequestHandler,), methods)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_server_says_its_version_and_who_we_are(admin: Studio, studio: Server) -> None:
    """Version, own e-mail and the e-mails of all accounts are read from the server."""
    coder = studio_server.account(studio, email="ada@example.org", password="made-up-pass")
    assert admin.version() == "1.23.2"
    assert admin.users()[coder.id] == "ada@example.org"
    assert admin.me() in admin.users().values()
    assert Studio(studio.url, coder.token, server="local").me() == "ada@example.org"


def test_project_of_a_seat_is_made_once(admin: Studio) -> None:
    """The same seat finds its project again, and blind ones do not show predictions."""
    project = seat(admin, "once")
    assert seat(admin, "once") == project
    assert seat(admin, "other", suggestions=True) != project
    found = admin.settings(project)
    assert found["show_collab_predictions"] is False
    assert (found["tasks"], found["annotations"], found["predictions"]) == (0, 0, 0)
    assert (found["maximum_annotations"], found["sampling"]) == (1, "Sequential sampling")


def test_units_are_imported_once(admin: Studio) -> None:
    """A second import of more units adds only those that were not there."""
    project = seat(admin, "import")
    first = admin.import_tasks(project, payload("a", "b"))
    again = admin.import_tasks(project, payload("a", "b", "c"))
    assert {unit: again[unit] for unit in ("a", "b")} == first
    assert sorted(again) == ["a", "b", "c"]
    assert admin.settings(project)["tasks"] == 3


def test_model_version_is_set_after_an_import(admin: Studio) -> None:
    """Predictions show under their version; a project without any is left alone."""
    project = seat(admin, "version", suggestions=True)
    admin.set_model_version(project, "cues@1")
    admin.import_tasks(project, payload("a", predicted=True))
    admin.set_model_version(project, "cues@1")
    found = admin.settings(project)
    assert (found["model_version"], found["predictions"]) == ("cues@1", 1)


def test_lost_answer_to_an_import_makes_no_second_task(studio: Server) -> None:
    """An import that was kept, but whose answer was lost, is looked up and not sent again."""
    lost: list[int] = []

    def forward(handler: Any) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        kept = {
            name: handler.headers[name]
            for name in ("Authorization", "Content-Type")
            if handler.headers[name]
        }
        address = studio.url + handler.path
        reply = requests.request(handler.command, address, data=body, headers=kept, timeout=SECONDS)
        if "/import" in handler.path and not lost:
            lost.append(reply.status_code)
            handler.connection.close()
            return
        handler.send_response(reply.status_code)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(reply.content)))
        handler.end_headers()
        handler.wfile.write(reply.content)

    with served(forward) as url:
        through = Studio(url, studio.token, server="local")
        project = seat(through, "lost")
        known = through.import_tasks(project, payload("a", "b", "c"))
    assert lost == [201]
    assert sorted(known) == ["a", "b", "c"]
    assert Studio(studio.url, studio.token, server="local").settings(project)["tasks"] == 3


def test_copies_that_nobody_coded_are_deleted(admin: Studio, studio: Server) -> None:
    """Of a unit that came in twice the coded copy stays, also where it is the later one."""
    project = seat(admin, "twice")
    first = admin.import_tasks(project, payload("a", "b"))
    address = f"{studio.url}/api/projects/{project}/import?return_task_ids=true"
    headers = {"Authorization": f"Token {studio.token}"}
    reply = requests.post(address, json=payload("a", "b"), headers=headers, timeout=SECONDS)
    later_b = reply.json()["task_ids"][1]
    admin.submit(later_b, GLAD, 2.0)
    told: list[str] = []
    assert admin.import_tasks(project, payload("a", "b"), report=told.append) == {
        "a": first["a"],
        "b": later_b,
    }
    assert admin.settings(project)["tasks"] == 2
    assert len([line for line in told if "twice" in line]) == 2


def test_changes_come_with_all_annotations_of_a_task(admin: Studio, studio: Server) -> None:
    """A new annotation and a deleted one both bring their task back, and no other task."""
    coder = studio_server.account(studio, email="cleo@example.org", password="made-up-pass")
    own = Studio(studio.url, coder.token, server="local")
    project = seat(admin, "changes")
    known = admin.import_tasks(project, payload("a", "b", "c"))
    before = list(admin.changes(project, since=""))
    assert [task.unit for task in before] == ["a", "b", "c"]
    assert all(task.annotations == [] for task in before)

    def later(found: list[Any]) -> str:  # past the overlap
        newest = datetime.fromisoformat(max(task.updated for task in found))
        return (newest + timedelta(seconds=60)).isoformat()

    assert list(admin.changes(project, since=later(before))) == []
    made = own.submit(known["b"], GLAD, 7.5)
    [changed] = admin.changes(project, since=later(before))
    [annotation] = changed.annotations
    assert (changed.task, changed.unit) == (known["b"], "b")
    assert (annotation["id"], annotation["completed_by"]) == (made, coder.id)
    assert annotation["result"][0]["value"] == {"choices": ["glad"]}
    assert (annotation["lead_time"], annotation["was_cancelled"]) == (7.5, False)
    headers = {"Authorization": f"Token {studio.token}"}
    requests.delete(f"{studio.url}/api/annotations/{made}/", headers=headers, timeout=SECONDS)
    [withdrawn] = admin.changes(project, since=later([changed]))
    assert withdrawn.annotations == []


def test_changes_of_an_empty_project_are_none(admin: Studio) -> None:
    """A project without tasks has no changes."""
    assert list(admin.changes(seat(admin, "empty"), since="")) == []


@pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")  # the SDK's own
def test_both_kinds_of_token_open_the_door(studio: Server) -> None:
    """A personal access token works as the legacy token does."""
    headers = {"Authorization": f"Token {studio.token}"}
    reply = requests.post(f"{studio.url}/api/token/", headers=headers, timeout=SECONDS)
    personal = reply.json()["token"]
    assert "@" in Studio(studio.url, personal, server="local").me()


def test_refusals_say_what_to_do_and_hide_the_token(admin: Studio, studio: Server) -> None:
    """A wrong key, a missing project and a bad config are refused in words, without the key."""
    wrong = "wrong-token-0123456789"
    with pytest.raises(ServiceRejected, match="does not know this key") as refused:
        Studio(studio.url, wrong, server="local").me()
    assert refused.value.status == 401
    assert refused.value.hint and "LABEL_STUDIO_API_KEY" in refused.value.hint.terminal
    assert wrong not in str(refused.value)
    with pytest.raises(ServiceRejected, match="was it deleted") as refused:
        admin.settings(999_999)
    assert refused.value.status == 404
    with pytest.raises(ServiceRejected, match="finds the request wrong") as refused:
        admin.project("bad", title="made up", config="<View>", instructions="", suggestions=False)
    assert refused.value.status == 400
    assert studio.token not in f"{admin!r} {refused.value}"


def test_bad_predictions_are_refused_by_the_server(admin: Studio) -> None:
    """The local server checks predictions, and its words reach the message."""
    task = payload("a", predicted=True)
    task[0]["predictions"][0]["result"] = [{**GLAD[0], "from_name": "nobody"}]
    with pytest.raises(ServiceRejected, match="nobody"):
        admin.import_tasks(seat(admin, "bad predictions"), task)


def test_silence_is_told_from_refusal(studio: Server) -> None:
    """Nobody at the address: unavailable. Somebody else there: refused. No address: a setting."""
    with served(lambda handler: None) as url:
        pass
    with pytest.raises(ServiceUnavailable, match="after 2 attempts") as silent:
        Studio(url, studio.token, server="local", attempts=2).version()
    assert studio.token not in str(silent.value)

    def page(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "5")
        handler.end_headers()
        handler.wfile.write(b"hello")

    with served(page) as url, pytest.raises(ServiceRejected, match="address of a Label Studio"):
        Studio(url, studio.token, server="local").version()
    with pytest.raises(ProjectError, match="http://host:port"):
        Studio("localhost:8080", studio.token, server="local")


@pytest.mark.parametrize("name", ["llm-mental-health", "recipe-difficulty"])
def test_a_coding_comes_back_as_it_went(admin: Studio, name: str) -> None:
    """Codings that are predicted, checked and submitted come back as the same codings."""
    path = ROOT / "codebook" / f"{name}.yaml"
    book = codebook.read(path.read_text("utf-8"), source=name)
    template = (ROOT / "templates" / "studio" / "config.jinja").read_text("utf-8")
    guide = (ROOT / "templates" / "studio" / "instructions.jinja").read_text("utf-8")
    text = "👩‍👩‍👧 🇩🇪 I asked a chatbot\nabout my made-up worries."
    post = {"unit": "u1", "platform": "reddit", "created": "2025-10-03T10:00:00Z", "text": text}
    posts = tables.frame(tables.POSTS, [post])
    task = {"batch": "b", "arm": "assisted", "coder": "human:a", "unit": "u1", "position": 1}
    tasks = tables.frame(tables.TASKS, [task])
    who = {"codebook": book.fingerprint, "unit": "u1", "coder": "cues@1", "replicate": 1}
    spans = [("1", 6, 24), ("2", 25, len(text))] if book.segments else []
    segments = [
        {**who, "segment": number, "start": start, "end": end, "quote": text[start:end]}
        for number, start, end in spans
    ]
    given = [("", variable) for variable in book.of_unit]
    given += [(number, variable) for number, _, _ in spans for variable in book.of_segment]
    codings = [
        {**who, "segment": number, "variable": one.variable, "value": one.codes[0]}
        for number, one in given
    ]
    frames = tables.frame(tables.CODINGS, codings), tables.frame(tables.SEGMENTS, segments)
    shown = config.predictions(*frames, book, version="cues@1")
    checked = config.predictions(*frames, book, version="cues@1", checked=True)
    project, _ = admin.project(
        f"round {name}",
        title=f"made up: {name}",
        config=config.config(book, template=template),
        instructions=config.instructions(book, template=guide, arm="assisted"),
        suggestions=True,
    )
    known = admin.import_tasks(project, config.payload(tasks, posts, shown))
    admin.set_model_version(project, "cues@1")
    admin.submit(known["u1"], checked["u1"]["result"], 3.0)
    [changed] = admin.changes(project, since="")
    rows = [
        {
            "annotation": f"local:{one['id']}",
            **{column: task[column] for column in ("batch", "arm", "coder", "unit")},
            "completed_by": admin.users()[one["completed_by"]],
            "result": json.dumps(one["result"]),
            "cancelled": 0,
            "withdrawn": 0,
            "updated": one["updated_at"],
        }
        for one in changed.annotations
    ]
    parsed = annotations.parse(tables.frame(tables.ANNOTATIONS, rows), tasks, posts, book)
    assert parsed.findings.empty
    columns = ["segment", "variable", "value"]
    wanted = {tuple(row[column] for column in columns) for row in codings}
    assert set(parsed.codings[columns].itertuples(index=False, name=None)) == wanted
    assert list(parsed.segments["quote"]) == [row["quote"] for row in segments]
