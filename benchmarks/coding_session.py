"""A coding room under load: eight coders at once, nothing stored twice, nothing older wins.

    python benchmarks/coding_session.py [--coders 8] [--seconds 30] [--pace 2] [--no-kills]

Starts a Label Studio as `labeler studio start` does, and a study with made-up posts whose first
batch is pushed. Each coder then does through the API what the browser sends: a draft, a change of
it, the submission of the draft; a later change, a deletion, a skip, a second submission. First at
a human's pace (`--pace` seconds between submissions on average), then at full speed, `--seconds`
each. Meanwhile `pull --watch` follows, a second batch with suggestions is pushed, readers ask for
pages of the report, and each of push, watch, Label Studio and `serve` is killed once and started
again.

Printed: submissions a second, their p50 and p95, the lag until the store knows one, copies at the
server, its lines on a locked database. Then every acknowledged operation is compared with the
store. Goals: no copy counts, nothing differs, no task of an assisted seat lacks its suggestion.
Exits 1 where one is not met. Seconds suffer on a machine that is busy with something else.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import string
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any, NamedTuple

import pandas as pd
import requests

from labeler.resources import folder
from labeler.store import database, tables
from labeler.studio.client.http import account
from labeler.studio.server import server as studio_server
from labeler.studio.server.server import Server

BATCHES = ("first", "second")
CODES = ("not_relevant", "unclear")
PHASES = ("a human's pace", "full speed")
SECONDS = 120  # after which a request is given up
PAGES = ("/", "/reliability?batch=first", "/disagreements?batch=first", "/runs")
SKIPPED = "(skipped)"
DRAFTED = 0.7  # of the submissions of an assisted or blind task that change their draft once more


class Options(NamedTuple):
    """What was asked for."""

    coders: int
    seconds: float
    pace: float
    tasks: int
    kills: bool


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


def main() -> None:
    """Read the options, hold the session, print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--coders", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30, help="of each of the two phases")
    parser.add_argument("--pace", type=float, default=2, help="seconds between submissions")
    parser.add_argument("--tasks", type=int, default=60, help="of each coder in the first batch")
    parser.add_argument("--no-kills", action="store_true")
    given = parser.parse_args()
    options = Options(given.coders, given.seconds, given.pace, given.tasks, not given.no_kills)
    with tempfile.TemporaryDirectory() as root, label_studio(Path(root) / "studio") as studio:
        room = Room(Path(root), studio, options)
        room.prepare()
        room.work()
        sys.exit(not room.compare())


@contextmanager
def label_studio(data: Path) -> Iterator[Server]:
    """A Label Studio of our own, ended by its process id."""
    try:
        yield started(data)
    finally:
        studio_server.stop(data)


def started(data: Path) -> Server:
    """The Label Studio of a folder, started where it does not run."""
    named = os.environ.get("LABELER_STUDIO_ENV")
    place = studio_server.environment(folder=Path(named) if named else None)
    return studio_server.start(data, environment=place)


# --- a coder ------------------------------------------------------------------------------------


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


# --- the room -----------------------------------------------------------------------------------


class Room:
    """The study, the programs around it, and the coders."""

    def __init__(self, root: Path, studio: Server, options: Options) -> None:
        self.root, self.studio, self.options = root / "study", studio, options
        self.record = Record()
        self.over, self.closed = threading.Event(), threading.Event()
        self.unknown: set[tuple[str, Task]] = set()
        self.coders: list[Coder] = []
        self.programs: dict[str, subprocess.Popen[bytes]] = {}
        with socket.socket() as ask:
            ask.bind(("127.0.0.1", 0))
            self.port = int(ask.getsockname()[1])

    def labeler(self, *words: str) -> subprocess.Popen[bytes]:
        """A command of the study, begun."""
        own = {"LABELER_STUDIO_URL": self.studio.url, "LABEL_STUDIO_API_KEY": self.studio.token}
        command = [sys.executable, "-m", "labeler", "--root", str(self.root), *words]
        with (self.root.parent / "programs.log").open("ab") as log:
            return subprocess.Popen(command, env=os.environ | own, stdout=log, stderr=log)

    def done(self, *words: str) -> None:
        """A command of the study, from its start to its end."""
        if self.labeler(*words).wait():
            raise SystemExit(f"{words} failed:\n{self.told()}")

    def told(self) -> str:
        return (self.root.parent / "programs.log").read_text("utf-8", "replace")[-2000:]

    def prepare(self) -> None:
        """Posts, coders with accounts, two batches, of which the first is pushed."""
        many = self.options.coders * self.options.tasks
        self.root.mkdir()
        self.done("init")
        lines = (folder("sample") / "made-up-posts.jsonl").read_text("utf-8").splitlines()
        texts = [json.loads(line)["text"] for line in lines]
        posts = [
            {"id": str(number), "platform": "reddit", "text": f"{number} {texts[number % 50]}"}
            for number in range(many * 2)
        ]
        path = self.root / "posts.jsonl"
        path.write_text("\n".join(map(json.dumps, posts)), "utf-8")
        self.done("ingest", str(path))
        self.done("prelabel", "--coder", "cues")
        names = [f"coder{number}" for number in range(self.options.coders)]
        for name in names:
            email = f"{name}@example.org"
            self.done("coders", "add", name, "--email", email)
            made = account(self.studio, email=email, password="made-up-pass-1")
            self.coders.append(Coder(self, name, made.token))
        wanted = ("--coders", ",".join(names), "--overlap", "1")
        blind = many // 3
        counts = ("--blind", str(blind), "--assisted", str(many - blind))
        self.done("sample", "--batch", "first", *wanted, *counts)
        self.done("sample", "--batch", "second", *wanted, "--assisted", str(many // 2))
        self.done("push", "--batch", "first")
        self.handed_out("first")

    def handed_out(self, batch: str) -> None:
        """Put the tasks of a pushed batch into the coders' queues, those of both arms mixed."""
        rows = self.read(tables.TASKS, batch=batch)
        for coder in self.coders:
            own = rows[rows["coder"] == f"human:{coder.name}"]
            tasks = [
                Task(batch, row.arm, row.unit, int(row.studio_task)) for row in tables.rows(own)
            ]
            coder.chance.shuffle(tasks)
            coder.queue += tasks

    def read(self, table: Any, **equals: object) -> pd.DataFrame:
        engine = database.connect(f"sqlite:///{self.root}/.labeler/labeler.db")
        try:
            return database.read(engine, table, **equals)
        finally:
            engine.dispose()

    # --- the session ----------------------------------------------------------------------------

    def work(self) -> None:
        """Both phases, with everything around them; afterwards the watches follow to the end."""
        self.begin("serve", "serve", "--port", str(self.port))
        self.begin("watch", "pull", "--batch", "first", "--watch", "--every", "2")
        aside = [threading.Thread(target=work) for work in (self.read_pages, self.measure_lag)]
        for thread in aside:
            thread.start()
        events = ((self.second_batch, self.watch_killed), (self.studio_killed, self.serve_killed))
        for phase, happening in zip(PHASES, events, strict=True):
            self.over.clear()
            pace = self.options.pace if phase == PHASES[0] else 0.0
            with ThreadPoolExecutor(self.options.coders + len(happening)) as pool:
                began = time.monotonic()
                coding = [pool.submit(coder.work, phase, pace) for coder in self.coders]
                meanwhile = [
                    pool.submit(self.later, share * self.options.seconds, event)
                    for share, event in zip((0.2, 0.6), happening, strict=True)
                ]
                time.sleep(self.options.seconds)
                for one in meanwhile:
                    one.result()
                self.over.set()
                for one in coding:
                    one.result()
                self.shown(phase, time.monotonic() - began)
        time.sleep(5)  # the watches see the last of it
        self.closed.set()
        for thread in aside:
            thread.join()
        for program in self.programs.values():
            program.send_signal(signal.SIGTERM)
            program.wait(SECONDS)

    def begin(self, name: str, *words: str) -> None:
        self.programs[name] = self.labeler(*words)

    def later(self, seconds: float, event: Callable[[], None]) -> None:
        time.sleep(seconds)
        event()

    def second_batch(self) -> None:
        """Push more, killed on the way once; then watch it too."""
        push = self.labeler("push", "--batch", "second")
        if self.options.kills:
            time.sleep(2.5)
            push.kill()
            print(f"push killed after 2.5 s: {push.wait()}")
            push = self.labeler("push", "--batch", "second")
        if push.wait():
            raise SystemExit(f"the push of the second batch failed:\n{self.told()}")
        self.handed_out("second")
        self.begin("second watch", "pull", "--batch", "second", "--watch", "--every", "2")

    def watch_killed(self) -> None:
        """The watch goes, and another comes."""
        if self.options.kills:
            self.killed("watch", "pull", "--batch", "first", "--watch", "--every", "2")

    def serve_killed(self) -> None:
        """The report goes, and comes again."""
        if self.options.kills:
            self.killed("serve", "serve", "--port", str(self.port))

    def killed(self, name: str, *words: str) -> None:
        self.programs[name].kill()
        self.programs[name].wait()
        self.begin(name, *words)
        print(f"{name} killed and started again")

    def studio_killed(self) -> None:
        """Label Studio goes, with what it was doing, and comes again."""
        if not self.options.kills:
            return
        os.kill(self.studio.pid, signal.SIGKILL)
        began = time.monotonic()
        while studio_server.status(self.studio.data):
            time.sleep(0.05)
        self.studio = started(self.studio.data)
        print(f"label studio killed; it answered again after {time.monotonic() - began:.1f} s")

    def read_pages(self) -> None:
        """A reader of the report; what is asked while it is away is not counted."""
        with requests.Session() as http:
            http.trust_env = False
            while not self.closed.wait(0.5):
                page = random.choice(PAGES)
                with suppress(requests.RequestException):
                    reply = http.get(f"http://127.0.0.1:{self.port}{page}", timeout=SECONDS)
                    self.record.pages[reply.status_code] += 1

    def measure_lag(self) -> None:
        """How long until the store knows a submission that was acknowledged."""
        seen: set[int] = set()
        engine = database.connect(f"sqlite:///{self.root}/.labeler/labeler.db")
        while not self.closed.wait(0.2):
            names = database.distinct(engine, tables.ANNOTATIONS.c.annotation)
            now = time.monotonic()
            new = {number_of(name) for name in names} - seen
            known = self.record.acknowledged
            self.record.lags += [max(0.0, now - known[one]) for one in new if one in known]
            seen |= {one for one in new if one in known}
        engine.dispose()

    def shown(self, phase: str, seconds: float) -> None:
        took = self.record.answered[phase]
        print(
            f"{phase}: {len(took)} submissions in {seconds:.0f} s, {len(took) / seconds:.1f} a "
            f"second; p50 {share(took, 50):.2f} s, p95 {share(took, 95):.2f} s",
            flush=True,
        )

    # --- what came of it ------------------------------------------------------------------------

    def compare(self) -> bool:
        """Print how the store differs from what was acknowledged; whether the goals are met."""
        for batch in BATCHES:
            self.done("pull", "--batch", batch)
        notes, codings = self.read(tables.ANNOTATIONS), self.read(tables.CODINGS)
        record = self.record
        print(f"operations acknowledged: {dict(record.operations)}, unanswered {record.unanswered}")
        print(f"lag: p50 {share(record.lags, 50):.1f} s, p95 {share(record.lags, 95):.1f} s")
        print(f"pages: {dict(record.pages)}")
        log = studio_server.log(self.studio.data).read_text("utf-8", "replace")
        print(f"lines on a locked database: {log.count('database is locked')}")
        copies = int((notes["copy_of"] != "").sum())
        standing = notes[notes["withdrawn"] == 0].assign(
            submission=notes["copy_of"].where(notes["copy_of"] != "", notes["annotation"])
        )
        counted = int(standing.duplicated("submission").sum())
        differing = list(self.differing(notes, codings))
        blank = self.without_suggestion()
        print(f"copies: {copies}, of which count beside another {counted}; goal 0")
        print(f"tasks whose codes differ from what was acknowledged: {len(differing)}; goal 0")
        for line in differing[:10]:
            print(f"  {line}")
        print(f"tasks of assisted seats without their suggestion: {blank}; goal 0")
        return not (counted or differing or blank)

    def differing(self, notes: pd.DataFrame, codings: pd.DataFrame) -> Iterator[str]:
        """A line for each task whose code in the store is not the coder's last word."""
        own = codings[codings["variable"] == "relevance"]
        where = zip(own["coder"], own["arm"], own["unit"], strict=True)
        stored = dict(zip(where, own["value"], strict=True))
        there = {number_of(name) for name in notes.loc[notes["withdrawn"] == 0, "annotation"]}
        for coder in self.coders:
            for task, acknowledged in coder.notes.items():
                if (coder.name, task) in self.unknown:
                    continue
                last = [SKIPPED, *acknowledged.values()][-1]
                wanted = None if last == SKIPPED else last
                found = stored.get((f"human:{coder.name}", task.arm, task.unit))
                if found != wanted or not set(acknowledged) <= there:
                    yield f"{coder.name} {task}: {wanted} was acknowledged, {found} is stored"

    def without_suggestion(self) -> int:
        """How many assisted tasks hold none at the server, of those that the cues suggest for."""
        headers = {"Authorization": f"Token {self.studio.token}"}
        seats, tasks = self.read(tables.SEATS), self.read(tables.TASKS)
        coded = set(self.read(tables.CODINGS, arm="")["unit"])
        lacking = 0
        for seat in tables.rows(seats[seats["arm"] == "assisted"]):
            own = tasks[(tasks["batch"] == seat.batch) & (tasks["coder"] == seat.coder)]
            due = own.loc[(own["arm"] == "assisted") & own["unit"].isin(coded)]
            url = f"{self.studio.url}/api/projects/{int(seat.project)}/"
            found = requests.get(url, headers=headers, timeout=SECONDS).json()
            there = int(found["total_predictions_number"])
            lacking += max(0, len(due) - there, int((due["suggested"] != 1).sum()))
        return lacking


def number_of(annotation: str) -> int:
    """The server's own number of an annotation."""
    return int(annotation.rpartition(":")[2])


def share(values: list[float], percent: int) -> float:
    """A percentile; NaN of fewer than two values."""
    return quantiles(values, n=100)[percent - 1] if len(values) > 1 else float("nan")


if __name__ == "__main__":
    main()
