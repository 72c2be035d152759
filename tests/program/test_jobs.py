"""`labeler jobs` against a loopback server: each request in one job, paid once.

Every post, answer, price and key is made up.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai_server
import pytest
import requests
from openai_server import KEY, MODEL, Server
from running import Ended, Labeler, same
from test_kills import killed
from test_prelabel import EACH, price_file
from waiting import SECONDS

from labeler.store import tables

POSTS = 12
HALF = EACH / 2  # the made-up price of a request in a job
HANDLE = "@made_up_handle"
NEVER = 600.0


def post(number: int) -> dict[str, str]:
    """A made-up post that nobody wrote."""
    return {
        "id": f"p{number}",
        "platform": "x",
        "date": "2026-01-01",
        "author": f"made_up_author_{number}",
        "url": f"https://example.org/made-up/{number}",
        "text": f"number{number}x 😀 {HANDLE}{number} says the bot helped",
    }


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a few posts, to be copied."""
    root = tmp_path_factory.mktemp("ingested") / "study"
    root.mkdir()
    labeler = Labeler(root)
    labeler("init")
    lines = [json.dumps(post(number)) for number in range(POSTS)]
    (root / "posts.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    labeler("ingest", root / "posts.jsonl")
    return root


@pytest.fixture
def server() -> Iterator[Server]:
    """A loopback server whose batches wait until they are told."""
    with openai_server.serve() as running:
        yield running


@pytest.fixture
def labeler(ingested: Path, server: Server, tmp_path: Path) -> Labeler:
    """`labeler` on a copy of the project, with the loopback server as its model."""
    return copied(ingested, tmp_path / "study", server)


def copied(ingested: Path, root: Path, server: Server, **settings: str) -> Labeler:
    """`labeler` on another copy."""
    own = {"LABELER_LLM_MODEL": MODEL, "LABELER_LLM_URL": server.url, "OPENAI_API_KEY": KEY}
    return Labeler(Path(shutil.copytree(ingested, root)), own | settings)


def submit(labeler: Labeler, *words: str | Path, code: int = 0) -> Ended:
    """Submit without a canary."""
    return labeler("jobs", "submit", "--no-canary", *words, code=code)


def fetch(labeler: Labeler, *words: str | Path) -> Any:
    """Fetch what has ended."""
    return labeler("jobs", "fetch", "--json", *words).json


def tell(server: Server, state: str, **how: Any) -> None:
    """Bring every open batch of the server to a state."""
    told = {"batches": {"state": state, **how}}
    requests.post(server.url.replace("/v1", "/control"), json=told, timeout=SECONDS)


def completions(labeler: Labeler) -> list[dict[Any, Any]]:
    """What is stored of the model's answers."""
    return labeler.rows(tables.COMPLETIONS)["completions"]


def living(server: Server) -> list[dict[str, Any]]:
    """The jobs at the server that were not told to end."""
    shown = server.desk.shown()["batches"]
    return [batch for batch in shown if batch["status"] not in ("cancelling", "cancelled")]


def in_jobs(server: Server) -> Counter[str]:
    """How many jobs at the server each request is in."""
    return Counter(asked for batch in living(server) for asked in batch["asked"])


def left_over(labeler: Labeler) -> list[Any]:
    """Claims, requests noted as in a job, and files of our own that hold posts."""
    rows = labeler.rows(tables.CLAIMS, tables.JOB_REQUESTS)
    folder = labeler.root / ".labeler" / "jobs"
    kept = (".output.jsonl", ".errors.jsonl", ".out.jsonl")  # what the server said
    files = [path for path in folder.glob("*") if not path.name.endswith(kept)]
    return [*rows["claims"], *rows["job_requests"], *files]


def test_a_job_brings_the_same_rows_for_half_the_price(
    ingested: Path, labeler: Labeler, server: Server, tmp_path: Path
) -> None:
    """Keys, requests, answers and codings are those of asking one by one; only the cost differs."""
    prices = price_file(tmp_path)
    done = submit(labeler, "--prices", prices, "--json").json
    assert (done["requests"], len(done["jobs"])) == (POSTS, 1)
    (row,) = labeler("jobs", "status", "--json").json
    assert (row["state"], row["requests"], row["fetched"]) == ("validating", POSTS, "")
    assert row["reserved"] > POSTS * HALF
    assert fetch(labeler)["waiting"] == 1
    assert labeler.following() == "labeler jobs fetch"
    tell(server, "completed")
    got = fetch(labeler, "--prices", prices)
    assert (got["answered"], got["jobs"], got["again"], got["remarks"]) == (POSTS, 1, 0, [])
    assert left_over(labeler) == []
    rows = labeler.rows()
    other = copied(ingested, tmp_path / "online", server)
    (other.root / ".labeler" / "secret.key").write_bytes(
        (labeler.root / ".labeler" / "secret.key").read_bytes()
    )
    other("prelabel", "--no-canary", "--prices", prices)
    online = other.rows()
    alike = ("completion", "unit", "replicate", "request", "answer", "served", "error")
    assert [[row[name] for name in alike] for row in rows["completions"]] == [
        [row[name] for name in alike] for row in online["completions"]
    ]
    assert rows["codings"] == online["codings"] != []
    assert rows["segments"] == online["segments"] != []
    assert [row["cost"] for row in rows["completions"]] == pytest.approx([HALF] * POSTS)
    assert [row["cost"] for row in online["completions"]] == pytest.approx([EACH] * POSTS)
    assert {row["seconds"] for row in rows["completions"]} == {None}
    assert set(server.desk.batches["batch_0"]["metadata"]) == {"labeler_job"}


def test_the_same_requests_leave_as_one_by_one_and_the_ledger_says_so(
    labeler: Labeler, server: Server
) -> None:
    """Under the completion's key goes, byte for byte, what is stored; no handle, no key leaves."""
    submit(labeler)
    (content,) = [text for name, text in server.desk.contents.items() if name.startswith("was")]
    sent = {line["custom_id"]: line for line in map(json.loads, content.splitlines())}
    assert {(line["method"], line["url"]) for line in sent.values()} == {
        ("POST", "/v1/chat/completions")
    }
    for secret in (b"made_up_handle", b"made_up_author", b"example.org", KEY.encode()):
        assert secret not in content
    (row,) = labeler.rows(tables.LEDGER)["ledger"]
    assert (row["host"], row["posts"], row["fields"]) == ("127.0.0.1", POSTS, "text")
    assert "De-identification rules" in row["rules"]
    tell(server, "completed")
    fetch(labeler)
    assert {row["completion"] for row in completions(labeler)} == set(sent)
    assert "file-1" not in server.desk.files  # the posts do not stay there
    kept = [path for path in labeler.root.rglob("*") if path.is_file()]
    assert not any(KEY.encode() in path.read_bytes() for path in kept)


def test_files_are_filled_to_their_limits(labeler: Labeler, server: Server) -> None:
    """Lines and bytes both bound a file; what one holds is as much as it may."""
    done = submit(labeler, "--max-requests", "5", "--json").json
    assert [len(batch["asked"]) for batch in living(server)] == [5, 5, 2]
    assert done["requests"] == POSTS
    sizes = [len(text) for name, text in server.desk.contents.items() if name.startswith("was")]
    labeler("jobs", "cancel")
    tell(server, "cancelled")
    assert fetch(labeler)["again"] == POSTS
    submit(labeler, "--max-bytes", str(max(sizes)))
    again = living(server)
    assert [len(batch["asked"]) for batch in again] == [5, 5, 2]
    assert all(server.desk.files[batch["input_file_id"]]["bytes"] <= max(sizes) for batch in again)
    tell(server, "completed")
    assert fetch(labeler)["answered"] == POSTS


def test_a_line_too_long_for_a_file_is_named(labeler: Labeler, server: Server) -> None:
    """Nothing leaves where a single request is longer than a file may be."""
    told = submit(labeler, "--max-bytes", "500", code=1).err
    assert "--max-bytes" in told
    assert "unit " in told
    assert server.desk.uploads == []
    assert labeler.rows(tables.CLAIMS)["claims"] == []


def test_the_quota_of_waiting_tokens_holds_back_the_rest(labeler: Labeler, server: Server) -> None:
    """No more than the quota waits at the server; when a job has ended, the next goes."""
    submit(labeler, "--limit", "1")
    (row,) = labeler.rows(tables.JOBS)["jobs"]
    quota = str(round(4.5 * row["tokens"]))
    done = submit(labeler, "--max-waiting", quota, "--json").json
    assert done["requests"] == 3
    assert any("quota" in remark for remark in done["remarks"])
    assert submit(labeler, "--max-waiting", quota, "--json").json["requests"] == 0
    tell(server, "completed")
    done = submit(labeler, "--max-waiting", quota, "--json").json
    assert done["requests"] == 4
    assert any("wait to be fetched" in remark for remark in done["remarks"])
    assert set(in_jobs(server).values()) == {1}
    assert in_jobs(server).total() == 8


def test_nothing_in_a_job_is_asked_elsewhere(labeler: Labeler, server: Server) -> None:
    """While a job is outstanding, neither another submission nor asking one by one repeats it."""
    submit(labeler, "--limit", "5")
    assert submit(labeler, "--limit", "5", "--json").json["requests"] == 0
    done = labeler("prelabel", "--no-canary", "--json").json
    assert done["requests"] == POSTS - 5
    assert any("a job" in remark for remark in done["remarks"])
    tell(server, "completed")
    assert fetch(labeler)["answered"] == 5
    assert set(server.posts.values()) == {1}
    assert len(completions(labeler)) == POSTS
    assert labeler("prelabel", "--no-canary", "--json").json["requests"] == 0


def test_an_expired_job_is_submitted_again_in_part(labeler: Labeler, server: Server) -> None:
    """What came before the end of the day is stored; the rest, and only that, goes again."""
    submit(labeler)
    tell(server, "expired", answered=5)
    got = fetch(labeler)
    assert (got["answered"], got["again"]) == (5, POSTS - 5)
    assert any("expired" in remark for remark in got["remarks"])
    before = completions(labeler)
    assert submit(labeler, "--json").json["requests"] == POSTS - 5
    second = set(living(server)[-1]["asked"])
    assert second.isdisjoint({row["completion"] for row in before})
    tell(server, "completed")
    fetch(labeler)
    assert set(server.posts.values()) == {1}
    assert [row for row in completions(labeler) if row in before] == before
    assert len(completions(labeler)) == POSTS
    assert submit(labeler, "--json").json["requests"] == 0


def test_a_failed_job_shows_the_servers_errors(labeler: Labeler, server: Server) -> None:
    """A file that the server does not take is told with its words, and all is pending again."""
    submit(labeler)
    errors = [
        {"code": "token_limit_exceeded", "message": "Enqueued token limit reached", "line": 7}
    ]
    tell(server, "failed", errors=errors)
    assert "Enqueued token limit reached" in labeler("jobs", "status").out
    got = fetch(labeler)
    assert (got["answered"], got["again"]) == (0, POSTS)
    assert any(
        "token_limit_exceeded Enqueued token limit reached (line 7)" in r for r in got["remarks"]
    )
    assert submit(labeler, "--json").json["requests"] == POSTS


def test_failures_of_lines_are_rows_or_asked_again(labeler: Labeler, server: Server) -> None:
    """Refused and rejected are errors of their rows, a fault of the server leaves none, and what
    was cut off is asked again with four times the limit."""
    bad = {"number1x": "refusal", "number2x": "400", "number3x": "500", "number4x": "length"}
    server.faults = [openai_server.Fault(kind=kind, match=text) for text, kind in bad.items()]
    submit(labeler, "--answer-limit", "100")
    tell(server, "completed")
    got = fetch(labeler)
    assert (got["answered"], got["again"]) == (POSTS - 1, 1)
    assert got["faults"] == {"refusal": 1, "rejected": 1, "truncated": 1}
    assert any("500 made-up failure" in remark for remark in got["remarks"])
    texts = {row["unit"]: row["text"].split(" ")[0] for row in labeler.rows(tables.POSTS)["posts"]}
    errors = {texts[row["unit"]]: row["error"] for row in completions(labeler) if row["error"]}
    assert errors == {"number1x": "refusal", "number2x": "rejected", "number4x": "truncated"}
    server.faults.clear()
    assert submit(labeler, "--answer-limit", "100", "--json").json["requests"] == 2
    limits = [
        line["body"]["max_tokens"]
        for line in server.desk.lines(living(server)[-1]["input_file_id"]).values()
    ]
    assert sorted(limits) == [100, 400]
    tell(server, "completed")
    assert fetch(labeler)["answered"] == 2
    assert submit(labeler, "--answer-limit", "100", "--json").json["requests"] == 0
    done = submit(labeler, "--answer-limit", "100", "--retry-errors", "--json").json
    assert done["requests"] >= 2


def test_lines_of_no_use_are_named_and_nothing_is_lost(labeler: Labeler, server: Server) -> None:
    """Broken, foreign and repeated lines are counted; of two answers the first counts."""
    submit(labeler)
    asked = next(iter(living(server)[0]["asked"]))
    body = {"choices": [], "usage": {}}
    later = {"custom_id": asked, "response": {"status_code": 200, "body": body}, "error": None}
    foreign = later | {"custom_id": "never-asked"}
    odd = ["{broken", "[]", {"custom_id": 5}, {"custom_id": "x", "response": {"body": {}}}]
    tell(server, "completed", more=[later, foreign, *odd, {"custom_id": "y"}])
    got = fetch(labeler)
    assert (got["answered"], got["again"]) == (POSTS, 0)
    told = "\n".join(got["remarks"])
    assert "5 lines cannot be read" in told
    assert "1 lines answer what was not asked" in told
    assert "never-asked" in told
    assert "1 lines repeat an answer" in told
    assert all(not row["error"] for row in completions(labeler))


@pytest.mark.parametrize("slow", ["upload", "file", "batch"])
@pytest.mark.parametrize("number", [1, 2])
def test_killed_submission_ends_with_each_request_in_one_job(
    labeler: Labeler, server: Server, slow: str, number: int
) -> None:
    """SIGKILL before a file is up, before its name is known, before its batch is noted."""
    desk = server.desk
    moments: dict[str, Callable[[], bool]] = {
        "upload": lambda: desk.calls["file"] == number,
        "file": lambda: len(desk.uploads) == number,
        "batch": lambda: len(desk.batches) == number,
    }
    words = ("jobs", "submit", "--no-canary", "--max-requests", "5")
    desk.slow, desk.slow_after = {slow: NEVER}, number - 1
    killed(labeler.begin(*words), moments[slow])
    desk.slow = {}
    noted = labeler.rows(tables.JOBS)["jobs"]
    assert len(noted) == 3
    submit(labeler, "--max-requests", "5")
    assert len(desk.batches) == 3
    assert set(in_jobs(server).values()) == {1}
    assert in_jobs(server).total() == POSTS
    assert len(desk.files) == 3
    assert labeler.rows(tables.JOBS)["jobs"] != noted
    tell(server, "completed")
    assert fetch(labeler)["answered"] == POSTS
    assert set(server.posts.values()) == {1}
    assert left_over(labeler) == []
    assert desk.calls["batch"] == 3


@pytest.mark.parametrize("slow", ["content", "delete"])
def test_killed_fetch_loses_and_repeats_nothing(
    labeler: Labeler, server: Server, slow: str
) -> None:
    """SIGKILL in the middle of the answers' bytes, and when all are stored and not settled."""
    submit(labeler, "--max-requests", "6")
    tell(server, "completed")
    server.desk.slow = {slow: NEVER}
    killed(labeler.begin("jobs", "fetch"), lambda: server.desk.calls[slow] == 1)
    server.desk.slow = {}
    before = completions(labeler)
    assert len(before) == (0 if slow == "content" else 6)
    assert fetch(labeler)["answered"] == POSTS - len(before)
    after = completions(labeler)
    assert [row for row in after if row in before] == before
    assert len(after) == POSTS
    assert {row["source"] for row in labeler.rows(tables.CODINGS)["codings"]} == {
        row["completion"] for row in after
    }
    assert submit(labeler, "--json").json["requests"] == 0
    assert left_over(labeler) == []
    assert fetch(labeler)["remarks"] == []


def test_fetch_parses_what_a_killed_one_stored(labeler: Labeler, server: Server) -> None:
    """Killed after the last answer, before parsing: the next fetch parses, and fetches nothing."""
    submit(labeler)
    tell(server, "completed")
    server.desk.slow = {"delete": NEVER}
    killed(labeler.begin("jobs", "fetch"), lambda: len(completions(labeler)) == POSTS)
    server.desk.slow = {}
    assert labeler.rows(tables.CODINGS)["codings"] == []
    content = server.desk.calls["content"]
    got = fetch(labeler)
    assert got["answered"] == 0
    assert got["codings"] > POSTS
    assert server.desk.calls["content"] == content


def test_two_submissions_at_once_share_the_work(labeler: Labeler, server: Server) -> None:
    """Two processes leave each request in one batch, and neither takes the other's for dead."""
    words = ("jobs", "submit", "--no-canary", "--max-requests", "3")
    server.desk.slow = {"file": 0.3}
    both = [labeler.begin(*words) for _ in range(2)]
    assert [process.wait(SECONDS) for process in both] == [0, 0]
    submit(labeler, "--max-requests", "3")
    assert set(in_jobs(server).values()) == {1}
    assert in_jobs(server).total() == POSTS
    tell(server, "completed")
    both = [labeler.begin("jobs", "fetch") for _ in range(2)]
    assert [process.wait(SECONDS) for process in both] == [0, 0]
    fetch(labeler)
    assert len(completions(labeler)) == POSTS
    assert set(server.posts.values()) == {1}
    assert left_over(labeler) == []


def test_of_two_batches_of_one_job_the_later_is_cancelled(labeler: Labeler, server: Server) -> None:
    """A request that was cut off and came through after all does not stay a second batch."""
    submit(labeler)
    first = server.desk.batches["batch_0"]
    told = {name: first[name] for name in ("endpoint", "completion_window", "metadata")}
    given = {"Authorization": f"Bearer {KEY}"}
    address = f"{server.url}/batches"
    told["input_file_id"] = first["input_file_id"]
    requests.post(address, json=told, headers=given, timeout=SECONDS)
    for number in range(3):  # foreign batches, so that the list has pages
        foreign = told | {"metadata": {"made-up": str(number)}}
        requests.post(address, json=foreign, headers=given, timeout=SECONDS)
    labeler("jobs", "status")
    states = [batch["status"] for batch in server.desk.batches.values()]
    assert states == ["validating", "cancelling", *["validating"] * 3]


def test_a_server_that_fails_is_asked_again_by_the_next_call(
    labeler: Labeler, server: Server
) -> None:
    """A failure while files or batches are made ends with 75, and the next call makes one each."""
    for what in ("file", "batch"):
        server.desk.fails = {what: 1}
        told = submit(labeler, "--max-requests", "6", code=75).err
        assert "run the same command again" in told
    submit(labeler, "--max-requests", "6")
    assert len(server.desk.batches) == 2
    assert len(server.desk.files) == 2
    assert set(in_jobs(server).values()) == {1}


def test_a_wrong_key_lets_no_post_out(labeler: Labeler, server: Server) -> None:
    """The key is tried before anything is noted or leaves, and is not shown."""
    server.key = "another"
    told = submit(labeler, code=1)
    assert "OPENAI_API_KEY" in told.err
    assert KEY not in told.err + told.out
    assert server.desk.calls["file"] == 0
    rows = labeler.rows(tables.JOBS, tables.CLAIMS, tables.LEDGER)
    assert not any(rows.values())


def test_a_budget_counts_what_is_submitted_and_not_fetched(
    labeler: Labeler, server: Server
) -> None:
    """Jobs reserve half the price, for other submissions and for asking one by one alike."""
    prices = price_file(labeler.root)
    words = ("--prices", prices, "--answer-limit", "16")
    submit(labeler, *words, "--limit", "1")
    (row,) = labeler("jobs", "status", "--json").json
    most = (row["tokens"] + 11) * 100 / 2e6 + 16 * 1000 / 2e6
    assert row["reserved"] == pytest.approx(most)
    budget = ("--budget", str(4.5 * most))
    done = submit(labeler, *words, *budget, "--json").json
    assert done["requests"] == 3
    assert any("budget" in remark for remark in done["remarks"])
    assert submit(labeler, *words, *budget, "--json").json["requests"] == 0
    online = labeler("prelabel", "--no-canary", *words, *budget, "--json").json
    assert online["requests"] == 0
    assert any("budget" in remark for remark in online["remarks"])
    tell(server, "completed")
    assert fetch(labeler, "--prices", prices)["answered"] == 4
    spent = sum(row["cost"] for row in completions(labeler))
    assert spent == pytest.approx(4 * HALF)
    assert submit(labeler, *words, "--budget", str(spent), "--json").json["requests"] == 0


def test_the_canary_goes_along_and_is_heard(labeler: Labeler, server: Server) -> None:
    """A model that obeys posts sets off the alarm when its job is fetched; it is no post."""
    server.fail("obey", match="NOTE TO THE SYSTEM")
    labeler("jobs", "submit", "--max-requests", "5")
    assert sum("NOTE TO THE SYSTEM" in text.decode() for text in server.desk.contents.values()) == 2
    tell(server, "completed")
    got = fetch(labeler)
    assert any("ALARM" in remark for remark in got["remarks"])
    assert (got["answered"], got["again"]) == (POSTS, 0)
    (heard,) = (row for row in completions(labeler) if row["unit"].startswith("canary:"))
    assert "obeys posts" in heard["detail"]
    assert len(completions(labeler)) == POSTS + 1
    assert labeler.rows(tables.LEDGER)["ledger"][0]["posts"] == POSTS
    assert left_over(labeler) == []


def test_a_job_that_the_server_does_not_know_is_kept_until_told(
    labeler: Labeler, server: Server
) -> None:
    """With a key of another account nothing is let go of by itself; `cancel` does, when told."""
    submit(labeler)
    server.desk.batches.clear()
    got = fetch(labeler)
    assert (got["waiting"], got["answered"]) == (1, 0)
    assert any("same account" in remark for remark in got["remarks"])
    assert submit(labeler, "--json").json["requests"] == 0
    labeler("jobs", "cancel")
    assert submit(labeler, "--json").json["requests"] == POSTS


def test_answers_of_an_earlier_codebook_are_stored_under_it(
    labeler: Labeler, server: Server
) -> None:
    """A codebook that is changed while a job is out loses no answer that was paid for."""
    submit(labeler)
    path = labeler.root / "codebook" / "llm-mental-health.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("title: Language", "title: Changed language", 1), "utf-8")
    tell(server, "completed")
    said = labeler("jobs", "fetch").out
    assert f"{POSTS} answers stored" in said
    (old,) = {row["codebook"] for row in completions(labeler)}
    assert "0 codings written" in said
    assert f"{POSTS} answers are of another version of the codebook" in said
    assert "--codebook and give `labeler prelabel --reparse`" in said
    assert len(labeler.rows(tables.CODEBOOKS)["codebooks"]) == 2
    path.write_text(text, "utf-8")
    labeler("prelabel", "--reparse")
    assert {row["codebook"] for row in labeler.rows(tables.CODINGS)["codings"]} == {old}


def run_batch(server: Server, path: Path, *, upto: int | None = None) -> None:
    """What `vllm run-batch -i X.jsonl -o X.out.jsonl` leaves, answered by the loopback server."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()][:upto]
    answers = []
    for line in lines:
        status, body = openai_server.in_job(server, line["body"])
        said = {"status_code": status, "request_id": "vllm-made-up"}
        good = status == 200
        error = None if good else {"object": "error", "message": "made-up", "code": status}
        response = said | {"body": body if good else None}
        one = {"id": "vllm-1", "custom_id": line["custom_id"], "response": response}
        answers.append(json.dumps(one | {"error": error}, ensure_ascii=False))
    out = path.with_name(path.name.replace(".jsonl", ".out.jsonl"))
    out.write_text("\n".join(answers) + "\n", "utf-8")


def test_files_for_vllm_are_written_and_their_answers_fetched(
    labeler: Labeler, server: Server, tmp_path: Path
) -> None:
    """Without a server: files go to a folder, answers come from it, the rows are the same."""
    folder = tmp_path / "offline"
    command = ("--folder", folder, "--max-requests", "7", "--json")
    done = submit(labeler, *command).json
    assert (done["requests"], len(done["jobs"])) == (POSTS, 2)
    first, second = sorted(folder.iterdir(), key=lambda path: -path.stat().st_size)
    assert submit(labeler, *command).json["requests"] == 0
    assert server.desk.calls.total() == 0
    (row,) = labeler.rows(tables.LEDGER)["ledger"]
    assert (row["host"], row["posts"]) == (f"files in {folder}", POSTS)
    server.fail("400", match="number3x")
    run_batch(server, first, upto=4)
    got = fetch(labeler)
    assert (got["answered"], got["waiting"], got["jobs"]) == (4, 2, 0)
    assert any("3 requests have no line yet" in remark for remark in got["remarks"])
    for path in (first, second):
        run_batch(server, path)
    got = fetch(labeler)
    assert (got["answered"], got["waiting"], got["again"]) == (POSTS - 4, 0, 0)
    assert sum(row["error"] == "rejected" for row in completions(labeler)) == 1
    assert labeler.rows(tables.CODINGS)["codings"]
    assert labeler.rows(tables.CLAIMS, tables.JOB_REQUESTS) == {"claims": [], "job_requests": []}
    assert submit(labeler, *command).json["requests"] == 0


def test_files_that_nobody_runs_are_taken_back(
    labeler: Labeler, server: Server, tmp_path: Path
) -> None:
    """`cancel` takes files away; their requests are pending again, but for what was answered."""
    folder = tmp_path / "offline"
    submit(labeler, "--folder", folder)
    assert len(list(folder.iterdir())) == 1
    cancel = ("jobs", "cancel", "--folder", folder)
    (path,) = folder.iterdir()
    run_batch(server, path, upto=2)
    assert "holds answers" in labeler(*cancel).out
    assert fetch(labeler)["answered"] == 2
    assert "taken away" in labeler(*cancel).out
    assert not path.exists()
    assert submit(labeler, "--json").json["requests"] == POSTS - 2


def test_jobs_on_postgresql(ingested: Path, server: Server, tmp_path: Path, store_url: str) -> None:
    """Either database holds jobs, claims and reservations; twice is as once."""
    labeler = copied(ingested, tmp_path / "study", server, LABELER_DATABASE=store_url)
    labeler("ingest", labeler.root / "posts.jsonl")
    words = ("--prices", price_file(labeler.root), "--budget", "1000")
    assert submit(labeler, *words, "--json").json["requests"] == POSTS
    assert labeler("jobs", "status", "--json").json[0]["reserved"] > 0
    assert submit(labeler, *words, "--json").json["requests"] == 0
    tell(server, "completed")
    assert fetch(labeler)["answered"] == POSTS
    rows = labeler.rows()
    assert fetch(labeler)["answered"] == 0
    same(rows, labeler.rows())


def test_jobs_ask_a_model_alone(labeler: Labeler) -> None:
    """What is for coders here, or for asking at once, is no option of a job."""
    for word in ("--coder", "--cluster", "--reparse", "--concurrency"):
        assert "No such option" in labeler("jobs", "submit", word, "x", code=2).err
    assert "No such option" in labeler("prelabel", "--folder", ".", code=2).err
