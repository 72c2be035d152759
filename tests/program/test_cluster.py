"""`labeler prelabel --cluster` with a real Dask scheduler, two real workers and PostgreSQL.

Every post, key, password and answer is made up.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openai_server
import psycopg
import pytest
from openai_server import KEY, MODEL, Server
from running import PASSED, Labeler
from waiting import SECONDS, until

from labeler.coders.llm.cluster.worker import WorkerPortion
from labeler.keys import key
from labeler.store import tables

POSTS = 60
PASSWORD = "made-up-password-for-tests"
LINK = re.compile(r'href="([^"]+)"')


@dataclass
class Dask:
    """A scheduler and its workers, each a process of its own that writes a log."""

    folder: Path
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]
    address: str
    pages: str

    def logs(self) -> str:
        """All that the scheduler and the workers wrote."""
        return "\n".join(path.read_text("utf-8") for path in self.folder.glob("*.log"))

    def begin_worker(self, **settings: str) -> subprocess.Popen[bytes]:
        """One more worker."""
        number = len(self.workers)
        words = (
            self.address,
            "--nthreads",
            "2",
            "--no-nanny",
            "--dashboard-address",
            "127.0.0.1:0",
        )
        own = ("--local-directory", str(self.folder / f"worker{number}"))
        process = begin(self.folder, f"worker{number}", "dask_worker", *words, *own, **settings)
        self.workers.append(process)
        return process


def begin(folder: Path, name: str, program: str, *words: str, **settings: str):  # type: ignore[no-untyped-def]
    """A program of Dask, on loopback alone."""
    passed = {name: os.environ[name] for name in PASSED if name in os.environ}
    with (folder / f"{name}.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *words, "--host", "127.0.0.1"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=passed | {"NO_PROXY": "127.0.0.1", "OPENAI_API_KEY": KEY} | settings,
        )


@contextlib.contextmanager
def scheduling(folder: Path) -> Iterator[Dask]:
    """A scheduler without workers, ended by process id with all that were added."""
    told = folder / "scheduler.json"
    words = ("--port", "0", "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(told))
    scheduler = begin(folder, "scheduler", "dask_scheduler", *words)
    dask = Dask(folder, scheduler, [], "", "")
    try:
        until(
            lambda: told.is_file() and told.read_text("utf-8").endswith("}"), what="the scheduler"
        )
        about = json.loads(told.read_text("utf-8"))
        dask.address = about["address"]
        dask.pages = f"http://127.0.0.1:{about['services']['dashboard']}"
        yield dask
    finally:
        for process in (*dask.workers, scheduler):
            process.kill()
            process.wait(20)


@contextlib.contextmanager
def two_workers(folder: Path) -> Iterator[Dask]:
    """A scheduler and two workers; their key comes from their own environment."""
    with scheduling(folder) as running:
        running.begin_worker()
        running.begin_worker()
        until(lambda: running.logs().count("Registered to:") == 2, what="the workers")
        yield running


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    """A cluster of two workers that all tests here use, whatever study they work on."""
    with two_workers(tmp_path_factory.mktemp("dask")) as running:
        yield running


@pytest.fixture
def server() -> Iterator[Server]:
    """A loopback server that answers well until it is told otherwise."""
    with openai_server.serve() as running:
        yield running


@pytest.fixture
def database(postgresql_url: str) -> Iterator[str]:
    """The address, with a password, of an empty database."""
    name = f"labeler_{secrets.token_hex(6)}"
    door = postgresql_url.replace("+psycopg", "")
    with psycopg.connect(door, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        address = postgresql_url.removesuffix("postgres") + name
        yield address.replace("postgres@", f"postgres:{PASSWORD}@")
    finally:
        with psycopg.connect(door, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def labeler(database: str, server: Server, tmp_path: Path) -> Labeler:
    """`labeler` with some posts in PostgreSQL; it has no key of its own."""
    root = tmp_path / "study"
    root.mkdir()
    own = {"LABELER_LLM_MODEL": MODEL, "LABELER_LLM_URL": server.url, "LABELER_DATABASE": database}
    found = Labeler(root, own)
    found("init")
    posts = [
        {"id": f"p{number}", "platform": "x", "date": "2026-01-01", "author": f"made up {number}",
         "url": "", "text": f"number{number}x says the bot helped"}
        for number in range(POSTS)
    ]  # fmt: skip
    lines = "\n".join(json.dumps(post) for post in posts)
    (root / "posts.jsonl").write_text(f"{lines}\n", "utf-8")
    found("ingest", root / "posts.jsonl")
    return found


@contextlib.contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not outlive its test."""
    try:
        yield process
    finally:
        process.kill()
        process.wait(20)


def asked(server: Server) -> dict[str, int]:
    """How often each post was asked, without the canary."""
    return {post: times for post, times in server.posts.items() if post.startswith("number")}


def machines(labeler: Labeler) -> list[str]:
    """The holders of the claims there are."""
    return [row["holder"] for row in labeler.rows(tables.CLAIMS)["claims"]]


def test_two_workers_ask_each_post_once(labeler: Labeler, server: Server, dask: Dask) -> None:
    """Two workers share the posts and the flights; the canary goes once; run and ledger are one."""
    server.alone, server.together = POSTS // 2, 4
    server.fail("length", times=1, match="number7x")
    done = labeler("prelabel", "--cluster", dask.address, "--concurrency", "6", "--json")
    assert (done.json["answered"], done.json["faults"]) == (POSTS, {})
    assert done.json["requests"] == server.requests == POSTS + 2
    assert set(asked(server).values()) == {1, 2}
    assert 4 <= server.most_flying <= 6
    assert f"{POSTS + 1} of {POSTS + 1} answers" in done.err  # one of them was cut off
    (row,) = labeler.rows(tables.LEDGER)["ledger"]
    runs = labeler.table(tables.RUNS)
    (run,) = runs[runs["command"] == "prelabel"].to_dict("records")
    assert (row["run"], row["posts"], run["outcome"]) == (run["run"], POSTS, "done")
    assert machines(labeler) == []
    again = labeler("prelabel", "--cluster", dask.address, "--json").json
    assert (again["answered"], again["requests"]) == (0, 0)


def test_killed_worker_costs_what_flew(labeler: Labeler, server: Server, tmp_path: Path) -> None:
    """SIGKILL of the worker at which a request hangs: another asks the rest, and that one again.

    Asked twice are besides it at most two more that flew there, and three that had landed and were
    not stored yet.
    """
    server.latency = 1.0
    server.fail("hang", match="number33x", times=1, seconds=100)
    units = {row["text"].split(" ")[0]: row["unit"] for row in labeler.rows(tables.POSTS)["posts"]}
    command = ("prelabel", "--no-canary", "--concurrency", "6", "--cluster")
    with two_workers(tmp_path) as dask, ended(labeler.begin(*command, dask.address)) as process:
        until(
            lambda: "number33x says the bot helped" in asked(server), what="the request that hangs"
        )
        (coder,) = labeler.rows(tables.CODERS)["coders"]
        (book,) = labeler.rows(tables.CODEBOOKS)["codebooks"]
        about = {"coder": coder["coder"], "codebook": book["codebook"], "replicate": 1}
        claim = key({**about, "unit": units["number33x"]})
        claims = {row["claim"]: row["holder"] for row in labeler.rows(tables.CLAIMS)["claims"]}
        (worker,) = (one for one in dask.workers if f" {one.pid} " in claims[claim])
        worker.send_signal(signal.SIGKILL)
        assert process.wait(SECONDS) == 0
    assert len(asked(server)) == POSTS
    assert asked(server)["number33x says the bot helped"] == 2
    assert POSTS + 1 <= server.requests <= POSTS + 6
    rows = labeler.rows(tables.COMPLETIONS, tables.CODINGS, tables.CLAIMS)
    assert len(rows["completions"]) == len({row["unit"] for row in rows["codings"]}) == POSTS
    assert rows["claims"] == []
    (row,) = labeler.rows(tables.LEDGER)["ledger"]
    assert row["posts"] >= POSTS


def test_shares_of_a_rate_limit_never_exceed_it(
    labeler: Labeler, server: Server, dask: Dask
) -> None:
    """240 a minute for two workers: in no span does the server see more, but for a short burst."""
    command = ("prelabel", "--no-canary", "--cluster", dask.address)
    labeler(*command, "--requests-per-minute", "240", "--limit", "30")
    times = server.times
    assert len(times) == 30
    for first in range(len(times)):
        for last in range(first + 1, len(times)):
            most = (times[last] - times[first]) * 240 / 60 + 2  # a request of burst a worker
            assert last - first + 1 <= most + 1


def test_limit_that_the_server_names_is_shared(
    labeler: Labeler, server: Server, dask: Dask
) -> None:
    """A limit learned from headers is the whole account's: each worker keeps to its share of it."""
    server.headers = {"x-ratelimit-limit-requests": "240"}
    labeler("prelabel", "--no-canary", "--cluster", dask.address, "--limit", "30")
    taken = server.times[-1] - server.times[0]
    assert server.requests == 30
    assert taken >= (30 - 1 - 3) / 4


def test_wrong_key_is_told_once_and_lets_no_post_out(
    labeler: Labeler, server: Server, dask: Dask
) -> None:
    """The first worker's canary hears of a wrong key, and the run ends with the reason."""
    server.key = "another"
    told = labeler("prelabel", "--cluster", dask.address, code=1).err
    assert told.count("error:") == told.count("OPENAI_API_KEY") == 1
    assert "worker tcp://127.0.0.1:" in told
    assert asked(server) == {}
    assert labeler.rows(tables.LEDGER)["ledger"] == []


def test_key_that_is_revoked_stops_all_workers(
    labeler: Labeler, server: Server, dask: Dask
) -> None:
    """One worker hears that the key is gone: all stop, what came is stored, the next goes on."""
    server.latency = 0.1
    server.fail("401", after=20)
    told = labeler(
        "prelabel", "--no-canary", "--cluster", dask.address, "--concurrency", "4", code=1
    )
    assert told.err.count("error:") == 1
    assert server.requests <= 20 + 5
    stored = labeler.rows(tables.COMPLETIONS)["completions"]
    assert len(stored) == server.statuses["200"]
    assert machines(labeler) == []
    server.faults.clear()
    done = labeler("prelabel", "--no-canary", "--cluster", dask.address, "--json").json
    assert done["answered"] == POSTS - len(stored)


def test_server_that_is_gone_ends_in_75(labeler: Labeler, server: Server, dask: Dask) -> None:
    """A server that fails again and again: exit code 75, and the same command goes on."""
    server.fail("503")
    told = labeler("prelabel", "--no-canary", "--cluster", dask.address, "--patience", "0", code=75)
    assert "worker tcp://" in told.err
    server.faults.clear()
    done = labeler("prelabel", "--no-canary", "--cluster", dask.address, "--json").json
    assert done["answered"] == POSTS


def test_budget_is_shared(labeler: Labeler, server: Server, dask: Dask, tmp_path: Path) -> None:
    """Both workers together stay under the budget, and use nearly all of it."""
    price = f"in_job: 0.5\n    as_of: {time.strftime('%Y-%m-%d')}\n    source: made up\n"
    prices = tmp_path / "made-up-prices.yaml"
    prices.write_text(
        f"currency: EUR\nmodels:\n  {MODEL}:\n    input: 100.0\n    output: 1000.0\n    {price}"
        f"  local:\n    input: 0.0\n    output: 0.0\n    {price}",
        "utf-8",
    )
    each = (900 * 100 + 30 * 1000) / 1_000_000
    server.latency = 0.1
    command = ("prelabel", "--no-canary", "--cluster", dask.address, "--concurrency", "2", "--json",
               "--prices", prices, "--answer-limit", "16")  # fmt: skip
    done = labeler(*command, "--budget", str(30 * each)).json
    rows = labeler.rows(tables.COMPLETIONS)["completions"]
    spent = sum(row["cost"] for row in rows)
    assert spent <= 30 * each
    assert len(rows) >= 25
    assert any("budget" in remark for remark in done["remarks"])
    done = labeler(*command, "--budget", str(100 * each)).json
    assert (done["answered"], done["remarks"]) == (POSTS - len(rows), [])


def test_no_secret_in_logs_and_pages(labeler: Labeler, server: Server, dask: Dask) -> None:
    """Neither key, password, secret nor post stands in what Dask logs, shows or keeps on the disk,
    even of a portion that failed."""
    server.latency = 0.3
    command = ("prelabel", "--no-canary", "--concurrency", "4", "--cluster", dask.address)
    with ended(labeler.begin(*command)) as process:
        until(lambda: server.requests >= 4)
        shown = "".join(pages(dask))
        assert process.wait(SECONDS) == 0
    secret = (labeler.root / ".labeler" / "secret.key").read_text("ascii")
    assert dask.address in shown
    kept = [
        path.read_bytes().decode("utf-8", "replace")
        for path in dask.folder.rglob("*")
        if path.is_file()
    ]
    assert kept
    for word in (KEY, PASSWORD, secret, str(bytes.fromhex(secret)), "number1x", "made up 1"):
        assert all(word not in text for text in (shown, *kept))
    runs = str(labeler.rows(tables.RUNS))
    assert all(word not in runs for word in (KEY, PASSWORD, secret))


def pages(dask: Dask) -> Iterator[str]:
    """Every page that the scheduler shows of itself, found by following its links."""
    seen, new = set[str](), ["info/main/workers.html", "json/counts.json", "json/identity.json"]
    while new:
        path = new.pop()
        seen.add(path)
        with (
            contextlib.suppress(urllib.error.HTTPError),
            urllib.request.urlopen(f"{dask.pages}/{path}") as page,
        ):
            text = page.read().decode("utf-8", "replace")
            links = [urllib.parse.urljoin(f"/{path}", link) for link in LINK.findall(text)]
            own = {link.lstrip("/") for link in links if link.startswith(("/info/", "/json/"))}
            new += own - seen - set(new)
            yield text


def test_sqlite_is_refused(labeler: Labeler, server: Server, tmp_path: Path) -> None:
    """A SQLite file is not reached from other machines: what, where, and what to do."""
    own = {"LABELER_DATABASE": f"sqlite:///{tmp_path / 'labeler.db'}"}
    labeler("ingest", labeler.root / "posts.jsonl", **own)
    told = labeler("prelabel", "--cluster", "tcp://127.0.0.1:9", code=1, **own).err
    assert "LABELER_DATABASE" in told
    assert "PostgreSQL" in told
    assert server.requests == 0


def test_no_scheduler_and_no_worker(labeler: Labeler, tmp_path: Path) -> None:
    """Nobody at the address, or a scheduler without workers: exit code 75 with what to start."""
    told = labeler("prelabel", "--cluster", "tcp://127.0.0.1:9", code=75).err
    assert "dask scheduler" in told
    assert "is no scheduler's address" in labeler("prelabel", "--cluster", "here", code=1).err
    with scheduling(tmp_path) as alone:
        told = labeler("prelabel", "--cluster", alone.address, "--patience", "1", code=75).err
        assert f"start `dask worker {alone.address}`" in " ".join(told.split())


def test_worker_with_another_store_is_refused(
    labeler: Labeler, server: Server, postgresql_url: str, tmp_path: Path
) -> None:
    """A worker whose LABELER_DATABASE names another study's store writes nothing there."""
    with scheduling(tmp_path) as one:
        one.begin_worker(LABELER_DATABASE=f"sqlite:///{tmp_path / 'other.db'}")
        told = labeler("prelabel", "--cluster", one.address, code=1).err
    assert "does not hold this run" in told
    assert server.requests == 0


def test_cluster_is_for_models_and_dask_is_loaded_only_then(labeler: Labeler) -> None:
    """The cues coder takes no cluster; without --cluster no module of Dask is loaded."""
    assert (
        "--cluster" in labeler("prelabel", "--coder", "cues", "--cluster", "tcp://x:1", code=2).err
    )
    asks = (
        "import sys, labeler.commands.prelabel; print({'dask', 'distributed'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)
    assert told.stdout == "set()\n"


def test_portion_hides_what_it_holds() -> None:
    """The repr of a portion names neither units nor anything of the project."""
    shown = {name for name, field in WorkerPortion.__dataclass_fields__.items() if field.repr}
    assert shown == {"name", "coder", "settings", "again", "version"}
