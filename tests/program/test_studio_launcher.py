"""The managed Label Studio stores each submission once, and may keep its data in PostgreSQL.

On SQLite as Label Studio opens it, a submission that meets another writer is stored again by its
own retry. Here a writer stands in the way for longer than Label Studio's own patience (5 s).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from test_loop import answer
from test_sync import account as client
from test_sync import asked, drawn, study, texts
from waiting import SECONDS

from labeler.errors import ProjectError
from labeler.store import tables
from labeler.studio.client.http import Server, account
from labeler.studio.client.password import set_password
from labeler.studio.client.studio import Studio
from labeler.studio.server import server as studio_server
from labeler.studio.server.program import surroundings

PAGE = (
    '<View><Text name="text" value="$text"/><Choices name="mood" toName="text">'
    '<Choice value="calm"/><Choice value="loud"/></Choices></View>'
)
RESULT = [
    {"from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": ["calm"]}}
]
CODERS = 4
PATIENCE = 5  # seconds that Django waits for SQLite unless told otherwise


class Desk:
    """A project of Label Studio with a post for each coder, spoken to as a browser does."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.admin = {"Authorization": f"Token {server.token}"}
        self.project = self.sent("projects", {"title": name, "label_config": PAGE})["id"]
        posts = [{"text": f"Made up, number {number}."} for number in range(CODERS)]
        self.sent(f"projects/{self.project}/import", posts)
        self.tasks = [int(task["id"]) for task in self.listed("id")]
        tokens = [
            account(server, email=f"{name}-{number}@example.org", password="made-up-pass-1").token
            for number in range(CODERS)
        ]
        self.coders = [{"Authorization": f"Token {token}"} for token in tokens]

    def sent(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
        """What the server answers to a POST, which it takes."""
        answer = requests.post(
            f"{self.server.url}/api/{path}",
            json=body,
            headers=headers or self.admin,
            timeout=SECONDS,
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    def listed(self, fields: str) -> list[dict[str, Any]]:
        """The tasks of the project."""
        which = {"project": self.project, "page_size": 100, "fields": "all", "include": fields}
        answer = requests.get(
            f"{self.server.url}/api/tasks", params=which, headers=self.admin, timeout=SECONDS
        )
        found: list[dict[str, Any]] = answer.json()["tasks"]
        return found

    def drafts(self) -> list[int]:
        """A draft of each coder at the own task, as the page saves one after some seconds."""
        body = {"result": RESULT, "lead_time": 3.1, "draft_id": 0, "parent_prediction": None}
        return [
            int(self.sent(f"tasks/{task}/drafts?project={self.project}", body, coder)["id"])
            for task, coder in zip(self.tasks, self.coders, strict=True)
        ]

    def submit(self, number: int, draft: int) -> None:
        """Submit the draft of a coder."""
        body = {"result": RESULT, "lead_time": 4.2, "draft_id": draft}
        path = f"tasks/{self.tasks[number]}/annotations?project={self.project}"
        self.sent(path, body, self.coders[number])


def test_a_submission_that_meets_another_writer_is_stored_once(studio: Server) -> None:
    """Four coders submit their drafts while somebody else writes for six seconds."""
    desk = Desk(studio, "waiting")
    drafts = desk.drafts()
    before = (studio.data / "label-studio.log").read_text()
    with (
        closing(sqlite3.connect(studio.data / "label_studio.sqlite3", timeout=60)) as writer,
        ThreadPoolExecutor(CODERS) as coders,
    ):
        writer.isolation_level = None
        writer.execute("BEGIN IMMEDIATE")
        sent = [coders.submit(desk.submit, n, draft) for n, draft in enumerate(drafts)]
        time.sleep(PATIENCE + 1)
        writer.execute("COMMIT")
        for one in sent:
            one.result()
    assert [len(task["annotations"]) for task in desk.listed("id,annotations")] == [1] * CODERS
    log = (studio.data / "label-studio.log").read_text()[len(before) :]
    assert "locked" not in log


def test_the_database_is_named(studio: Server) -> None:
    """A server on SQLite is known by what it says, though no address of it tells."""
    assert Studio(studio.url, studio.token, server="local").on_sqlite()


@pytest.fixture(scope="module")
def on_postgresql(
    postgresql_url: str, studio_environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, str]]:
    """A Label Studio that keeps its data in PostgreSQL, and the database's address."""
    address = postgresql_url.replace("postgres@", "postgres:unasked@")
    data = tmp_path_factory.mktemp("postgresql") / "data"
    try:
        yield studio_server.start(data, environment=studio_environment, database=address), address
    finally:
        studio_server.stop(data)


def test_its_data_may_lie_in_postgresql(
    on_postgresql: tuple[Server, str], studio_environment: Path
) -> None:
    """It answers, stores once, takes a new password, notes no password, and stays where it is."""
    server, address = on_postgresql
    desk = Desk(server, "postgresql")
    with ThreadPoolExecutor(CODERS) as coders:
        list(coders.map(desk.submit, range(CODERS), desk.drafts()))
    assert [len(task["annotations"]) for task in desk.listed("id,annotations")] == [1] * CODERS
    assert not Studio(server.url, server.token, server="local").on_sqlite()
    set_password(
        server,
        environment=studio_environment,
        email="postgresql-0@example.org",
        password="another-made-up-1",
        database=address,
    )
    account(server, email="postgresql-0@example.org", password="another-made-up-1")
    kept = [path.read_bytes() for path in server.data.rglob("*") if path.is_file()]
    assert not any(b"unasked" in content for content in kept)
    with pytest.raises(ProjectError, match=r"keeps its data in postgresql://127\.0\.0\.1"):
        studio_server.start(server.data, environment=studio_environment)


@pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")  # the SDK's own
def test_a_server_on_postgresql_with_a_personal_token(
    on_postgresql: tuple[Server, str], tmp_path: Path
) -> None:
    """Push, codes and pull at a server on PostgreSQL, with an access token that is renewed."""
    studio, _ = on_postgresql
    personal = asked(studio, studio.token, "POST", "api/token/")["token"]
    labeler = study(tmp_path, studio)
    drawn(labeler, "pg", blind=3, assisted=3)
    key = {"LABEL_STUDIO_API_KEY": personal, "PYTHONWARNINGS": "error,ignore:The `parse_obj`"}
    seats = labeler("push", "--json", **key).json
    assert sum(seat["new"] for seat in seats) == 6
    own = client(studio, "ada")
    text = texts(labeler)
    for row in labeler.table(tables.TASKS).itertuples():
        own.submit(int(row.studio_task), answer(text[row.unit]), 4.0)
    done = labeler("pull", "--json", **key).json
    assert (done["coded"], done["findings"]) == (6, [])
    assert labeler("pull", "--json", **key).json["changed"] == 0
    assert [seat["new"] for seat in labeler("push", "--json", **key).json] == [0, 0]
    assert personal not in repr(labeler.rows(tables.RUNS))


@pytest.mark.parametrize("address", ["mysql://u@h/n", "postgresql://h", "postgresql://h:x/n", "x"])
def test_another_kind_of_address_is_refused(address: str, tmp_path: Path) -> None:
    """The message says how an address is written, and does not repeat what may hold a password."""
    with pytest.raises(ProjectError, match="postgresql://USER") as refused:
        surroundings(tmp_path, database=address)
    assert address not in str(refused.value) or address == "x"
