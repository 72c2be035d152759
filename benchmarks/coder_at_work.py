"""A coder who does through Label Studio's API what the browser sends, and notes what was answered.

Used by `coding_session.py`.
"""

from __future__ import annotations

import random
import string
import threading
import time
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import requests

from labeler.studio.server.server import Server

CODES = ("not_relevant", "unclear")
PHASES = ("a human's pace", "full speed")
SECONDS = 120  # after which a request is given up
SKIPPED = "(skipped)"
DRAFTED = 0.7  # of the submissions: those whose draft is kept once more before


class Task(NamedTuple):
    """A task at a coder's seat."""

    batch: str
    arm: str
    unit: str
    number: int


@dataclass
class Record:
    """What the coders know to have done, and when."""

    answered: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in PHASES})
    acknowledged: dict[int, float] = field(default_factory=dict)  # annotation → when
    operations: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    pages: Counter[int] = field(default_factory=Counter)
    lags: list[float] = field(default_factory=list)


class Room(Protocol):
    """What coders share: the server, when to stop, and what they know to have done."""

    studio: Server
    over: threading.Event
    record: Record
    unknown: set[tuple[str, Task]]


class Coder:
    """A coder with an account, a queue of tasks, and what stands at the server for all we know."""

    def __init__(self, room: Room, name: str, token: str) -> None:
        self.room = room
        self.name = name
        self.chance = random.Random(name)
        self.queue: list[Task] = []
        self.notes: dict[Task, dict[int, str]] = {}  # task → annotation → value, newest last
        self.touched = Task("", "", "", 0)  # what the operation under way is about
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Token {token}"

    def work(self, phase: str, pace: float) -> None:
        """Submit, change, delete and skip until the phase is over."""
        while not self.room.over.is_set() and self.queue:
            done = [task for task, notes in self.notes.items() if notes]
            draw = self.chance.random()
            try:
                if draw < 0.12 and done:
                    self.change(self.chance.choice(done))
                elif draw < 0.17 and done:
                    self.delete(self.chance.choice(done))
                elif draw < 0.22 and done:
                    self.submit(self.chance.choice(done), phase)
                else:
                    self.submit(self.queue.pop(0), phase, skip=draw > 0.95)
            except requests.RequestException:
                self.room.record.unanswered += 1
                self.look()
            self.room.over.wait(pace * self.chance.uniform(0.5, 1.5))

    def submit(self, task: Task, phase: str, *, skip: bool = False) -> None:
        """A draft, kept once or twice, then the submission."""
        self.touched = task
        value = self.chance.choice(CODES)
        about = {"parent_prediction": None, "parent_annotation": None, "project": ""}
        body = {"lead_time": self.seconds(), "result": self.result(value), **about}
        path = f"api/tasks/{task.number}/drafts"
        draft = self.asks("POST", path, {**body, "draft_id": 0})["id"]
        if self.chance.random() < DRAFTED:
            value = self.chance.choice(CODES)
            body |= {"lead_time": self.seconds(), "result": self.result(value)}
            self.asks("PATCH", f"api/drafts/{draft}/", {**body, "draft_id": draft})
        body |= {"draft_id": draft, "unique_id": str(uuid.UUID(int=self.chance.getrandbits(128)))}
        if skip:
            body["was_cancelled"] = True
        began = time.monotonic()
        made = self.asks("POST", f"api/tasks/{task.number}/annotations", body)
        record = self.room.record
        record.answered[phase].append(time.monotonic() - began)
        record.acknowledged[int(made["id"])] = time.monotonic()
        record.operations["skips" if skip else "submissions"] += 1
        self.notes.setdefault(task, {})[int(made["id"])] = SKIPPED if skip else value

    def change(self, task: Task) -> None:
        """Open what was submitted last, change it, update it."""
        self.touched = task
        number = list(self.notes[task])[-1]
        value = self.chance.choice(CODES)
        body = {"lead_time": self.seconds(), "result": self.result(value), "was_cancelled": False}
        path = f"api/tasks/{task.number}/annotations/{number}/drafts"
        draft = self.asks("POST", path, {**body, "draft_id": 0})["id"]
        self.asks("PATCH", f"api/annotations/{number}/", {**body, "draft_id": draft})
        self.notes[task].pop(number)
        self.notes[task][number] = value
        self.room.record.operations["changes"] += 1

    def delete(self, task: Task) -> None:
        """Delete what was submitted last."""
        self.touched = task
        number = list(self.notes[task])[-1]
        self.asks("DELETE", f"api/annotations/{number}/")
        del self.notes[task][number]
        self.room.record.operations["deletions"] += 1

    def look(self) -> None:
        """After an operation without an answer: what the server has of the task, once it is back.

        Nobody was told that it was stored, so the server's word is what the store must follow.
        """
        while not self.room.over.is_set():
            with suppress(requests.RequestException):
                found = self.asks("GET", f"api/tasks/{self.touched.number}/")["annotations"]
                own = sorted(found, key=lambda note: note["updated_at"])
                self.notes[self.touched] = {int(note["id"]): value_of(note) for note in own}
                return
            time.sleep(0.5)
        self.room.unknown.add((self.name, self.touched))

    def asks(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """What the server answers; an error where it does not say that it is done."""
        url = f"{self.room.studio.url}/{path}"
        reply = self.http.request(method, url, json=body, timeout=SECONDS)
        reply.raise_for_status()
        return reply.json() if reply.text else None

    def result(self, value: str) -> list[dict[str, Any]]:
        region = "".join(self.chance.choices(string.ascii_letters, k=10))
        one = {"id": region, "from_name": "relevance", "to_name": "text", "type": "choices"}
        return [{**one, "value": {"choices": [value]}, "origin": "manual"}]

    def seconds(self) -> float:
        return round(self.chance.uniform(3, 60), 3)


def value_of(note: dict[str, Any]) -> str:
    """What an annotation says, as the coder would put it."""
    return SKIPPED if note["was_cancelled"] else str(note["result"][0]["value"]["choices"][0])
