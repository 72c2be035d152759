"""How close requests for completions come to what the server allows, and what they cost.

    python benchmarks/prelabel.py [--full] [--only WORD] [--others PYTHON]

A loopback server (`model_server.py`, a process of its own) answers with fixed random latencies,
median 0.8 s. "of ideal" is the time that a schedule without any cost would take with the very
same latencies and limits, first come first served, divided by the time taken: 1.00 cannot be
beaten. Posts and answers are made up. "engine" is `edges.llm` with every answer stored in a SQLite
as the command stores it; "command" is `labeler prelabel` itself on a project with so many posts:
its time is from the server's first request to its last answer, its CPU and memory those of the
whole process, its start and the parsing of all answers included (a line below says what a run
costs that asks nothing). Ratios and CPU suffer on a machine that is busy with something else: the
load is printed beside them.

The ways of others are in `prelabel_others.py`. litellm and instructor want an older openai: name
by `--others` the Python of an environment in which they are installed.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from model_server import latencies
from prelabel_others import KEY, body
from prelabel_others import WAYS as OTHERS
from prelabel_others import measured as measured_alone

from labeler.coders.llm.client import complete
from labeler.store import database, tables

HERE = Path(__file__).parent
RPM, SLOTS, QUEUE = 6000, 64, 32
NO_LIMITS = complete.RateLimits()
POST = "Post {number}: these words are made up, the bot was kind to me tonight."
CODEBOOK = """\
codebook: made-up
version: "1"
title: Made up
about: A codebook for a benchmark, whose answers are those of model_server.py.
segments: {segment: use, label: Use, definition: A stretch that tells of a use., min_words: 1}
variables:
"""
VARIABLE = """\
  - variable: {name}
    of: {of}
    label: {name}
    question: Which one is it?
    definition: Made up.
    level: nominal
    values:
      - {{code: {first}, label: {first}, definition: Made up.}}
      - {{code: other, label: other, definition: Made up.}}
"""


class Case(NamedTuple):
    """One measurement: a title, a way, how many posts, how many in flight, the server, a goal."""

    title: str
    way: str
    posts: int
    flying: int
    server: str = ""
    goal: str = ""


def cases(*, full: bool) -> Iterator[Case]:
    """What is measured, in order."""
    yield Case("engine, 64 in flight", "ours", 3000 if full else 1500, 64, goal=".98")
    yield Case("engine, 256 in flight", "ours", 8000 if full else 2500, 256, goal=".96")
    yield Case("engine, 1,000 in flight", "ours", 16000 if full else 8000, 1000, goal=".85")
    yield Case("command, 64 in flight", "command", 3000 if full else 1500, 64, goal=".98")
    yield Case("command, 256 in flight", "command", 8000 if full else 2500, 256, goal=".96")
    yield Case("command, 1,000 in flight", "command", 16000 if full else 8000, 1000, goal=".85")
    yield Case("4 threads, one after another", "threads", 200 if full else 60, 4)
    yield Case("AsyncOpenAI as its README has it", "readme", 2000 if full else 1000, 256)
    yield Case("litellm, acompletion", "litellm", 2000 if full else 600, 256)
    yield Case("instructor, AsyncOpenAI", "instructor", 2000 if full else 600, 256)
    refusing = f"--rpm {RPM}"
    posts = 6000 if full else 2000
    yield Case("6,000 a minute, given", "given", posts, 256, refusing, ".92, no 429")
    yield Case("6,000 a minute, given, command", "command", posts, 256, refusing, ".92, no 429")
    yield Case("6,000 a minute, learned", "learned", posts, 256, refusing + " --announce")
    yield Case("6,000 a minute, never told", "ours", posts // 2, 256, refusing)
    slots = f"--slots {SLOTS} --queue {QUEUE}"
    yield Case("64 slots, hidden", "ours", 4000 if full else 2000, 256, slots, ".93")
    yield Case("memory, few posts, command", "command", 10_000 if full else 3000, 256, FAST)
    many = 100_000 if full else 20_000
    yield Case("memory, many posts, command", "command", many, 256, FAST, "under 400 MB")


FAST = "--median 0.05"


def main() -> None:
    """Read the options, or do one measurement in a child."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="larger sizes, 100,000 posts")
    parser.add_argument("--only", default="", help="only what holds this word in its title")
    parser.add_argument(
        "--others", default=sys.executable, help="a Python with litellm, instructor"
    )
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        way, posts, flying, url = options.measure
        print(json.dumps(measured_alone(lambda: WAYS[way](int(posts), int(flying), url))))
        return
    print(f"{'':34} {'posts':>7} {'flying':>6} {'seconds':>8} {'of ideal':>8} {'goal':>12} "
          f"{'CPU s/1,000':>11} {'peak MB':>8} {'sent':>7} {'429':>5} {'load':>5}")  # fmt: skip
    for case in cases(full=options.full):
        if options.only in case.title:
            show(case, options.others)


def show(case: Case, others: str) -> None:
    """Measure one case in a child, and print its line."""
    command = [sys.executable, str(HERE / "model_server.py"), *case.server.split()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
            found = by_command(case, url) if case.way == "command" else child(case, url, others)
            with urllib.request.urlopen(url + "/stats") as answer:
                counts = json.load(answer)
        finally:
            server.terminate()
    if "missing" in found:
        print(f"{case.title:34} not installed (see --others)", flush=True)
        return
    if case.way == "command":
        found["seconds"] = counts["last"] - counts["first"]
    best = ideal(case)
    ratio = f"{best / found['seconds']:.3f}" if case.server != FAST else "-"
    print(f"{case.title:34} {case.posts:>7,} {case.flying:>6,} {found['seconds']:>8.2f} "
          f"{ratio:>8} {case.goal:>12} {1000 * found['cpu'] / case.posts:>11.2f} "
          f"{found['peak']:>8.0f} {counts['requests']:>7,} {counts.get('refused', 0):>5} "
          f"{os.getloadavg()[0]:>5.1f}", flush=True)  # fmt: skip
    if "idle" in found:
        print(f"{'':34} of that CPU, {found['idle']:.2f} s are those of a run that asks nothing")
    if found["stored"] != case.posts:
        print(f"{'':34} {case.posts - found['stored']} posts have no answer: {found['said']}")


def child(case: Case, url: str, others: str) -> dict[str, Any]:
    """The measurement of one way, in a process of its own."""
    arguments = [case.way, str(case.posts), str(case.flying), url]
    command = [sys.executable, __file__, "--measure", *arguments]
    if case.way in OTHERS:
        command = [others, str(HERE / "prelabel_others.py"), *arguments]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


def by_command(case: Case, url: str) -> dict[str, Any]:
    """`labeler prelabel` on a project with so many posts, and again when nothing is to be asked."""
    own = {"LABELER_LLM_URL": url, "LABELER_LLM_MODEL": "made-up", "OPENAI_API_KEY": KEY}
    limit = ["--requests-per-minute", str(RPM)] if "--rpm" in case.server else []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "codebook").mkdir()
        (root / "codebook" / "made-up.yaml").write_text(codebook(), encoding="utf-8")
        with (root / "posts.jsonl").open("w", encoding="utf-8") as file:
            for number in range(case.posts):
                post = {"id": str(number), "text": POST.format(number=number)}
                file.write(json.dumps(post) + "\n")
        labeler = [sys.executable, "-m", "labeler", "--root", folder]
        subprocess.run([*labeler, "ingest", root / "posts.jsonl"], check=True, capture_output=True)
        words = [*labeler, "prelabel", "--no-canary", "--json", "--concurrency", str(case.flying)]
        done = process([*words, *limit], own)
        idle = process([*words, *limit], own)
    said = json.loads(done["out"]) if done["code"] == 0 else {"answered": 0, "faults": {}}
    return done | {
        "stored": said["answered"] - sum(said["faults"].values()),
        "said": done["err"][-300:],
        "idle": idle["cpu"],
    }


def codebook() -> str:
    """One that the answers of the loopback server fit."""
    asked = [("relevance", "unit", "relevant"), ("sentiment", "unit", "positive")]
    asked.append(("impact", "segment", "positive"))
    return CODEBOOK + "".join(
        VARIABLE.format(name=name, of=of, first=first) for name, of, first in asked
    )


def process(command: list[str], settings: dict[str, str]) -> dict[str, Any]:
    """A program's words, CPU seconds, and peak memory in MB."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        running = subprocess.Popen(command, stdout=out, stderr=err, env=os.environ | settings)
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        for file in (out, err):
            file.seek(0)
        return {
            "code": running.returncode,
            "out": out.read().decode(),
            "err": err.read().decode(),
            "seconds": time.perf_counter() - began,
            "cpu": used.ru_utime + used.ru_stime,
            "peak": used.ru_maxrss / 1024,
        }


def ideal(case: Case) -> float:
    """Seconds of the schedule without cost: slots, or a bucket of one second that fills."""
    took = latencies(case.posts)
    if "--rpm" in case.server:
        rate = RPM / 60
        return max(max(0.0, n - rate) / rate + each for n, each in enumerate(took))
    free = [0.0] * min(case.flying, SLOTS if "--slots" in case.server else case.flying)
    last = 0.0
    for each in took:
        done = heapq.heappop(free) + each
        last = max(last, done)
        heapq.heappush(free, done)
    return last


def ours(posts: int, flying: int, url: str, limits: complete.RateLimits = NO_LIMITS) -> int:
    """`llm.complete`, every answer stored as the command stores it."""
    with tempfile.TemporaryDirectory() as folder:
        engine = database.connect(f"sqlite:///{folder}/store.db")

        def keep(answers: list[complete.Completion]) -> None:
            rows = [row(answer) for answer in answers]
            names = [one["completion"] for one in rows]
            database.replace(
                engine,
                (tables.COMPLETIONS, {"completion": names}, rows),
                (tables.CLAIMS, {"claim": names}, []),
            )

        with database.kept_open(engine):
            complete.complete(
                ((f"{number:064x}", json.dumps(body(number))) for number in range(posts)),
                base_url=url,
                api_key=KEY,
                on_answers=keep,
                concurrency=flying,
                limits=limits,
                patience=60,
            )
        stored = database.count(engine, tables.COMPLETIONS)
        engine.dispose()
    return stored


def row(answer: complete.Completion) -> dict[str, Any]:
    """An answer as it is stored."""
    return {
        "completion": answer.completion,
        "codebook": "0" * 64,
        "coder": "model:made-up@000000",
        "unit": answer.completion[-16:],
        "replicate": 1,
        "request": json.dumps({"prompt": "0" * 64, "user": "x" * 200, "limit": None}),
        "answer": answer.body,
        "error": answer.error,
        "detail": answer.detail,
        "served": answer.served,
        "prompt_tokens": answer.prompt_tokens,
        "answer_tokens": answer.answer_tokens,
        "seconds": answer.seconds,
        "created": "2026-01-01T00:00:00+00:00",
        "cached_tokens": answer.cached_tokens,
        "cost": None,
        "currency": "",
        "cost_note": "",
    }


def ours_given(posts: int, flying: int, url: str) -> int:
    """The limit is told."""
    return ours(posts, flying, url, complete.RateLimits(RPM))


def ours_learned(posts: int, flying: int, url: str) -> int:
    """The limit stands in the headers, where the probe finds it."""
    return ours(posts, flying, url, complete.probe(url, KEY, "made-up").limits)


WAYS: dict[str, Callable[[int, int, str], int]] = {
    "ours": ours,
    "given": ours_given,
    "learned": ours_learned,
}

if __name__ == "__main__":
    main()
