"""`labeler --log FILE` against loopback servers: every call is noted, no text and no key.

Every post, key and token is made up.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import openai_server
import requests
from openai_server import MODEL, Fault
from running import Labeler

KEY = "sk-zq7xv-made-up-0123456789"
QUERY = "zq7xv-query-0123456789"
TOKEN = "zq7xvstudio0123456789abcdef"
WORD = "marigold"  # in every post
POSTS = 6
LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (GET|POST|DELETE) http://127\.0\.0\.1:\d+(/\S*) "
    r"(\d{3}|[A-Z]\w+) \d+\.\d{3} s attempt (\d+)"
)


def noted(path: Path) -> list[tuple[str, str, str, int]]:
    """Method, path, status and attempt of each line; a line of another form fails."""
    found = [LINE.fullmatch(line) for line in path.read_text("utf-8").splitlines()]
    assert all(found)
    return [(m[1], m[2], m[3], int(m[4])) for m in found if m]


def test_calls_are_noted_without_texts_and_keys(tmp_path: Path) -> None:
    """Asking, jobs and Label Studio: method, path, status, seconds, attempt, and nothing else."""
    log = tmp_path / "calls.log"
    labeler = Labeler(
        tmp_path / "study",
        {"OPENAI_API_KEY": KEY, "LABELER_LLM_MODEL": MODEL, "LABEL_STUDIO_API_KEY": TOKEN},
    )
    labeler("init")
    lines = [json.dumps({"id": f"{n}", "text": f"number{n}x the bot {WORD}"}) for n in range(POSTS)]
    (tmp_path / "posts.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    labeler("ingest", tmp_path / "posts.jsonl")
    with openai_server.serve() as server:
        server.key = KEY
        own = {"LABELER_LLM_URL": f"{server.url}?api-version=1&key={QUERY}"}
        repeats = f"{KEY} {QUERY} {WORD}"
        server.faults = [
            Fault(kind="500", match="number1x", times=1),
            Fault(kind="reset", match="number2x", times=1),
            Fault(kind="text", match="number3x", content=repeats),
        ]
        labeler("--log", log, "prelabel", **own)
        asked = noted(log)
        labeler("jobs", "submit", "--replicates", "2", LABELER_LOG=str(log), **own)
        told = {"batches": {"state": "completed"}}
        requests.post(server.url.replace("/v1", "/control"), json=told, timeout=20)
        labeler("--log", log, "jobs", "fetch", **own)
        jobs = noted(log)[len(asked) :]
        there = server.url.removesuffix("/v1").replace("://", f"://ada:{QUERY}@")
        labeler("--log", log, "doctor", LABELER_STUDIO_URL=there, **own)
        studio = noted(log)[len(asked) + len(jobs) :]
    posts = [line for line in asked if line[:2] == ("POST", "/v1/chat/completions")]
    assert ("POST", "/v1/chat/completions", "500", 1) in posts
    assert any(status.isalpha() for _, _, status, _ in posts)  # the connection that was cut
    assert [status for _, _, status, attempt in posts if attempt == 2] == ["200", "200"]
    assert ("POST", "/v1/files", "200", 1) in jobs
    assert ("POST", "/v1/batches", "200", 1) in jobs
    assert any(path.endswith("/content") for _, path, _, _ in jobs)
    assert any(path == "/api/version" for _, path, _, _ in studio)
    whole = log.read_text("utf-8")
    for secret in (KEY, QUERY, TOKEN, WORD, "zq7xv", "number", "Bearer"):
        assert secret not in whole
    assert "?" not in whole


def test_without_the_option_nothing_is_noted(tmp_path: Path) -> None:
    """No file, no line on the terminal; a file that cannot be written is named."""
    labeler = Labeler(tmp_path / "study", {"LABELER_LLM_MODEL": MODEL, "OPENAI_API_KEY": KEY})
    labeler("init")
    with openai_server.serve() as server:
        server.key = KEY
        said = labeler("doctor", LABELER_LLM_URL=server.url)
    assert "attempt" not in said.out + said.err
    told = labeler("--log", tmp_path / "no" / "calls.log", "status", code=1)
    assert "--log or LABELER_LOG" in told.err and "calls.log" in told.err
