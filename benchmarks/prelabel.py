"""How close requests for completions come to what the server allows, and what they cost.

    python benchmarks/prelabel.py [--full] [--only WORD]

A loopback server (`model_server.py`, a process of its own) answers with fixed random latencies,
median 0.8 s. "of the ideal" is the time that a schedule without any cost would take with the very
same latencies and limits, first come first served, divided by the time taken: 1.00 cannot be
beaten. Posts and answers are made up; every answer of ours is stored in a SQLite of its own, and
CPU seconds are those of the whole client, storing included. Ratios and CPU suffer on a machine
that is busy with something else: the load is printed beside them.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import openai
import pydantic
from model_server import latencies
from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from labeler import tables
from labeler.edges import llm, store

HERE = Path(__file__).parent
RPM, SLOTS, QUEUE = 6000, 64, 32
KEY = "made-up-key"
NO_LIMITS = llm.Limits()
ADDED = sqlite.insert(tables.COMPLETIONS).on_conflict_do_nothing()
SYSTEM = ("This is a made-up codebook of about 850 tokens. " * 80)[:3700]


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
    yield Case("64 in flight", "ours", 3000 if full else 1500, 64, goal=".98")
    yield Case("256 in flight", "ours", 8000 if full else 2500, 256, goal=".96")
    yield Case("1,000 in flight", "ours", 16000 if full else 8000, 1000, goal=".85")
    yield Case("256 in flight, plain rows", "plain", 8000 if full else 2500, 256)
    yield Case("1,000 in flight, plain rows", "plain", 16000 if full else 8000, 1000)
    yield Case("4 threads, one after another", "threads", 200 if full else 60, 4)
    yield Case("AsyncOpenAI as its README has it", "readme", 2000 if full else 1000, 256)
    yield Case("litellm, acompletion", "litellm", 2000 if full else 600, 256)
    yield Case("instructor, AsyncOpenAI", "instructor", 2000 if full else 600, 256)
    refusing = f"--rpm {RPM}"
    posts = 6000 if full else 2000
    yield Case("6,000 a minute, given", "given", posts, 256, refusing, ".92, no 429")
    yield Case("6,000 a minute, learned", "learned", posts, 256, refusing + " --announce")
    yield Case("6,000 a minute, never told", "ours", posts // 2, 256, refusing)
    slots = f"--slots {SLOTS} --queue {QUEUE}"
    yield Case("64 slots, hidden", "ours", 4000 if full else 2000, 256, slots, ".93")
    yield Case("memory, few posts", "ours", 10_000 if full else 3000, 256, "--median 0.05")
    many = 100_000 if full else 20_000
    yield Case("memory, many posts", "ours", many, 256, "--median 0.05", "under 400 MB")


def main() -> None:
    """Read the options, or do one measurement in a child."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="larger sizes, 100,000 posts")
    parser.add_argument("--only", default="", help="only what holds this word in its title")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        way, posts, flying, url = options.measure
        print(json.dumps(measured(way, int(posts), int(flying), url)))
        return
    print(f"{'':34} {'posts':>7} {'flying':>6} {'seconds':>8} {'of ideal':>8} {'goal':>12} "
          f"{'CPU s/1,000':>11} {'peak MB':>8} {'sent':>7} {'429':>5} {'load':>5}")  # fmt: skip
    for case in cases(full=options.full):
        if options.only in case.title:
            show(case)


def show(case: Case) -> None:
    """Measure one case in a child, and print its line."""
    if case.way in ("litellm", "instructor") and importlib.util.find_spec(case.way) is None:
        print(f"{case.title:34} not installed", flush=True)
        return
    command = [sys.executable, str(HERE / "model_server.py"), *case.server.split()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
            found = child(case, url)
        finally:
            server.terminate()
    best = ideal(case)
    ratio = f"{best / found['seconds']:.3f}" if "median" not in case.server else "-"
    print(f"{case.title:34} {case.posts:>7,} {case.flying:>6,} {found['seconds']:>8.2f} "
          f"{ratio:>8} {case.goal:>12} {1000 * found['cpu'] / case.posts:>11.2f} "
          f"{found['peak']:>8.0f} {found['sent']:>7,} {found['refused']:>5} "
          f"{os.getloadavg()[0]:>5.1f}", flush=True)  # fmt: skip
    if found["stored"] != case.posts:
        print(f"{'':34} {case.posts - found['stored']} posts have no answer: {found['said']}")


def child(case: Case, url: str) -> dict[str, Any]:
    """The measurement, in a process of its own, and what the server counted."""
    arguments = [case.way, str(case.posts), str(case.flying), url]
    command = [sys.executable, __file__, "--measure", *arguments]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


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


def measured(way: str, posts: int, flying: int, url: str) -> dict[str, Any]:
    """Seconds, CPU seconds, peak memory in MB, and how many were stored."""
    run = WAYS[way]
    if way in ("litellm", "instructor"):
        os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        importlib.import_module(way)
    said, stored = "", 0
    began, cpu = time.perf_counter(), time.process_time()
    try:
        stored = run(posts, flying, url)
    except openai.OpenAIError as error:
        said = str(error)
    seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    with urllib.request.urlopen(url + "/stats") as answer:
        counts = json.load(answer)
    return {
        "seconds": seconds,
        "cpu": spent,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "stored": stored,
        "said": said,
        "sent": counts["requests"],
        "refused": counts.get("refused", 0),
    }


def body(number: int) -> dict[str, Any]:
    """A request: the codebook first, the n-th post last, a strict schema."""
    user = f"delimiter\n{json.dumps(f'Post {number}: the made-up bot was kind to me tonight.')}"
    text = {"type": "string"}
    answer = {
        "type": "object",
        "properties": {"rationale": text, "variables": {"type": "object"}},
        "required": ["rationale", "variables"],
        "additionalProperties": False,
    }
    form = {"name": "made_up", "strict": True, "schema": answer}
    return {
        "model": "made-up",
        "temperature": 0,
        "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": user}],
        "response_format": {"type": "json_schema", "json_schema": form},
    }


def ours(
    posts: int, flying: int, url: str, limits: llm.Limits = NO_LIMITS, plain: bool = False
) -> int:
    """`llm.complete`, every answer stored: by `store.add`, or as plain rows on one connection."""
    with tempfile.TemporaryDirectory() as folder:
        engine = store.connect(f"sqlite:///{folder}/store.db")

        def keep(answers: list[llm.Answer]) -> None:
            rows = [row(answer) for answer in answers]
            if plain:
                with store.writing(engine) as connection:
                    connection.execute(ADDED, rows)
                return
            store.add(engine, tables.COMPLETIONS, tables.frame(tables.COMPLETIONS, rows))

        stays = engine.connect()  # else each portion closes the last connection: a checkpoint
        stays.execute(select(tables.COMPLETIONS.c.unit).limit(1)).all()
        stays.rollback()
        llm.complete(
            ((f"{number:064x}", json.dumps(body(number))) for number in range(posts)),
            base_url=url,
            api_key=KEY,
            on_answers=keep,
            concurrency=flying,
            limits=limits,
            patience=60,
        )
        stays.close()
        stored = store.count(engine, tables.COMPLETIONS)
        engine.dispose()
    return stored


def row(answer: llm.Answer) -> dict[str, Any]:
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
    return ours(posts, flying, url, llm.Limits(RPM))


def ours_learned(posts: int, flying: int, url: str) -> int:
    """The limit stands in the headers, where the probe finds it."""
    return ours(posts, flying, url, llm.probe(url, KEY, "made-up").limits)


def ours_plain(posts: int, flying: int, url: str) -> int:
    """Stored without a frame."""
    return ours(posts, flying, url, plain=True)


def threads(posts: int, flying: int, url: str) -> int:
    """The sequential script of the paper: four threads, one client, one request after another."""
    client = openai.OpenAI(base_url=url, api_key=KEY)

    def one(number: int) -> bool:
        return bool(client.chat.completions.create(**body(number)).choices)

    with ThreadPoolExecutor(flying) as pool:
        return sum(pool.map(one, range(posts)))


def together(posts: int, flying: int, one: Callable[[int], Coroutine[Any, Any, Any]]) -> int:
    """All of them with `gather`, no more at once than a semaphore lets through."""

    async def run() -> int:
        room = asyncio.Semaphore(flying)

        async def guarded(number: int) -> bool:
            async with room:
                return bool(await one(number))

        return sum(await asyncio.gather(*(guarded(number) for number in range(posts))))

    return asyncio.run(run())


def readme(posts: int, flying: int, url: str) -> int:
    """`AsyncOpenAI` and `chat.completions.create`, nothing set."""
    client = openai.AsyncOpenAI(base_url=url, api_key=KEY)
    return together(posts, flying, lambda n: client.chat.completions.create(**body(n)))


def with_litellm(posts: int, flying: int, url: str) -> int:
    """litellm's `acompletion`."""
    litellm = importlib.import_module("litellm")

    def one(number: int) -> Coroutine[Any, Any, Any]:
        asked = body(number) | {"model": "openai/made-up"}
        found: Coroutine[Any, Any, Any] = litellm.acompletion(**asked, api_base=url, api_key=KEY)
        return found

    return together(posts, flying, one)


def with_instructor(posts: int, flying: int, url: str) -> int:
    """instructor around AsyncOpenAI, the answer as a pydantic model."""
    instructor = importlib.import_module("instructor")
    kind = pydantic.create_model("MadeUp", rationale=str, variables=dict[str, str])
    plain = openai.AsyncOpenAI(base_url=url, api_key=KEY)
    client = instructor.from_openai(plain, mode=instructor.Mode.JSON_SCHEMA)

    def one(number: int) -> Coroutine[Any, Any, Any]:
        messages = body(number)["messages"]
        found: Coroutine[Any, Any, Any] = client.chat.completions.create(
            model="made-up", messages=messages, response_model=kind, max_retries=1
        )
        return found

    return together(posts, flying, one)


WAYS: dict[str, Callable[[int, int, str], int]] = {
    "ours": ours,
    "plain": ours_plain,
    "given": ours_given,
    "learned": ours_learned,
    "threads": threads,
    "readme": readme,
    "litellm": with_litellm,
    "instructor": with_instructor,
}

if __name__ == "__main__":
    main()
