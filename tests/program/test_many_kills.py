"""SIGKILL at twenty random moments: what is asked again is what was on its way, and no more.

Every post and answer is made up.
"""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import openai_server
from openai_server import KEY, MODEL, Server
from running import Labeler
from waiting import SECONDS, until

from labeler.coders.llm.client.completions import PORTION
from labeler.store import tables

POSTS, KILLS, CONCURRENCY = 3000, 20, 256
LATENCY, LONGEST = 0.5, 1.5


class Kill(NamedTuple):
    """A kill: what was in flight at the server, and what was lost: asked about and not stored."""

    flying: int
    lost: int


def stored(root: Path) -> int:
    """How many completions the store holds; it is whole, whatever happened to who wrote it."""
    with closing(sqlite3.connect(root / ".labeler" / "labeler.db")) as connection:
        assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
        (count,) = connection.execute("SELECT count(*) FROM completions").fetchone()
    return int(count)


def killed(process: subprocess.Popen[bytes], server: Server, moment: float) -> int:
    """SIGKILL so many seconds after the process's first request; what then flies at the server.

    A negative moment is so many seconds after the process began, whatever it does then.
    """
    asked = server.requests
    if moment >= 0:
        until(lambda: server.requests > asked, process, "the first request")
    time.sleep(abs(moment))
    flying = server.flying
    process.send_signal(signal.SIGKILL)
    process.wait(SECONDS)
    assert process.returncode == -signal.SIGKILL, "it ended before the moment came"
    return max(flying, server.flying)


def settled(server: Server) -> int:
    """How many requests came, once no more comes and all are answered."""
    until(lambda: not server.flying, what="the last answer")
    return server.requests


def test_twenty_kills_ask_again_what_was_on_its_way(tmp_path: Path) -> None:
    """Killed twenty times at 256 in flight, then run to the end, then once more for nothing.

    Every post is stored once, and asked again only for a kill that lost its request: one that was
    sent and whose answer was not stored yet, which are 256 and a portion of 64 at most; all kills
    together lose no more than 256 each.
    """
    labeler = Labeler(tmp_path, {"LABELER_LLM_MODEL": MODEL, "OPENAI_API_KEY": KEY})
    labeler("init")
    posts = [{"id": f"p{n}", "text": f"number {n}: the bot was kind."} for n in range(POSTS)]
    (tmp_path / "posts.jsonl").write_text("\n".join(map(json.dumps, posts)), "utf-8")
    labeler("ingest", tmp_path / "posts.jsonl")
    chance, kills = random.Random(20), list[Kill]()
    moments = [chance.uniform(0, LONGEST) for _ in range(KILLS - 3)]
    moments += [-chance.uniform(0.1, 3) for _ in range(3)]
    chance.shuffle(moments)
    command = ("prelabel", "--no-canary", "--concurrency", str(CONCURRENCY))
    server = Server(latency=LATENCY)
    with openai_server.serve(0, server):
        address = {"LABELER_LLM_URL": server.url}
        for moment in moments:
            flying = killed(labeler.begin(*command, **address), server, moment)
            lost = settled(server) - stored(tmp_path) - sum(kill.lost for kill in kills)
            kills.append(Kill(flying, lost))
        assert max(kill.flying for kill in kills) > CONCURRENCY / 2
        assert all(0 <= kill.lost <= CONCURRENCY + PORTION for kill in kills), kills
        before = stored(tmp_path)
        assert before < POSTS
        done = labeler(*command, "--json", **address).json
        assert (done["before"], done["answered"]) == (before, POSTS - before)
        assert done["requests"] == POSTS - before
        assert server.requests == POSTS + sum(kill.lost for kill in kills)
        assert server.requests <= POSTS + KILLS * CONCURRENCY
        assert labeler(*command, "--json", **address).json["requests"] == 0
        assert server.requests == POSTS + sum(kill.lost for kill in kills)
    rows = labeler.rows(tables.POSTS, tables.COMPLETIONS, tables.CODINGS, tables.CLAIMS)
    units = sorted(row["unit"] for row in rows["posts"])
    assert sorted(row["unit"] for row in rows["completions"]) == units
    assert sorted({row["unit"] for row in rows["codings"]}) == units
    assert rows["claims"] == []
    print(kills)
