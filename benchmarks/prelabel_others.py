"""The ways that `prelabel.py` is compared with: openai alone, litellm, instructor.

    python benchmarks/prelabel_others.py WAY POSTS FLYING URL

Prints what was measured as one line of JSON. It imports nothing of labeler, so that an environment
of its own can run it: litellm and instructor want an older openai.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pydantic

KEY = "made-up-key"
SYSTEM = ("This is a made-up codebook of about 850 tokens. " * 80)[:3700]


def measured(run: Callable[[], int]) -> dict[str, Any]:
    """Seconds, CPU seconds, peak memory in MB, how many answers there are, and what went wrong."""
    said, stored = "", 0
    began, cpu = time.perf_counter(), time.process_time()
    try:
        stored = run()
    except openai.OpenAIError as error:
        said = str(error)
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "stored": stored,
        "said": said,
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
    "threads": threads,
    "readme": readme,
    "litellm": with_litellm,
    "instructor": with_instructor,
}


def main() -> None:
    """One way, measured; `missing` where its library is not installed."""
    way, posts, flying, url = sys.argv[1:]
    if way in ("litellm", "instructor"):
        os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        try:
            importlib.import_module(way)
        except ImportError:
            print(json.dumps({"missing": way}))
            return
    print(json.dumps(measured(lambda: WAYS[way](int(posts), int(flying), url))))


if __name__ == "__main__":
    main()
