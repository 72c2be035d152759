"""`strings` over all that a study leaves behind finds no key, token or password.

Every post, key, token and password is made up.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import openai_server
from openai_server import MODEL, Fault, Server
from running import Ended, Labeler
from waiting import SECONDS, until

MARK = "zq7xv"
SECRETS = {
    "model": f"sk-{MARK}model/made+up=0123456789",
    "query": f"{MARK}query-made-up-0123456789",
    "studio": f"{MARK}studio0123456789abcdef",
    "store": f"{MARK}store-made-up",
}
POSTS = 24


def forms(secret: str) -> set[bytes]:
    """What `strings -e S`, `-e l` and somebody who decodes would recognise a secret by."""
    raw = secret.encode()
    plain = {raw, secret.encode("utf-16-le"), quote(secret, safe="").encode(), raw.hex().encode()}
    escaped = {json.dumps(secret)[1:-1].encode(), secret.replace("/", "\\/").encode()}
    coded = {base64.b64encode(b" " * shift + raw)[4:-4] for shift in range(3)}
    return plain | escaped | coded | {MARK.encode(), MARK.encode("utf-16-le")}


def found(data: bytes) -> list[str]:
    """The names of the secrets that some bytes hold."""
    return [name for name, secret in SECRETS.items() if any(one in data for one in forms(secret))]


def echoes() -> list[Fault]:
    """Rows that fail in every way, most of them in words that repeat the key and the address."""
    kinds = ("400", "context", "filter", "off-schema", "refusal", "length", "broken", "reset")
    faults = [Fault(kind=kind, match=f"number{n}x", times=1) for n, kind in enumerate(kinds)]
    repeated = json.dumps(
        {"rationale": f"headers: Bearer {SECRETS['model']}, ?key={SECRETS['query']}"}
    )
    return [*faults, Fault(kind="text", match="number9x", content=repeated)]


def dumped(url: str) -> bytes:
    """All that a PostgreSQL store holds, as pg_dump writes it."""
    program = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))[-1]
    address = url.replace("+psycopg", "")
    done = subprocess.run(
        [program, "--inserts", address], check=True, capture_output=True, timeout=SECONDS
    )
    return done.stdout


def killed(labeler: Labeler, server: Server, *words: str, **settings: str) -> None:
    """A run that is killed while answers come, so that a log of the store stays behind."""
    before = server.requests
    process = labeler.begin(*words, **settings)
    try:
        until(lambda: server.requests >= before + 6, process)
        time.sleep(0.3)
    finally:
        process.kill()
        process.wait(SECONDS)


def failing(labeler: Labeler, server: Server, url: str) -> list[Ended]:
    """Runs that end in an error of the run, each told with its traceback, which ends with it."""
    said, short = [], ("-v", "prelabel", "--no-canary", "--patience", "0.5")
    for kind, code in (("401", 1), ("400", 1), ("500", 75)):
        server.faults = [Fault(kind=kind)]
        said.append(labeler(*short, code=code, LABELER_LLM_URL=url))
        assert "Traceback" in said[-1].err
    server.faults.clear()
    for wrong in (
        f"http://127.0.0.1:9/v1?key={SECRETS['query']}",
        f"http://{SECRETS['query']}@127.0.0.1:9/v1",
        f"http://127.0.0.1:notaport/v1?key={SECRETS['query']}",
        f"//127.0.0.1/v1?key={SECRETS['query']}",
    ):
        said.append(attempted(labeler, *short, LABELER_LLM_URL=wrong))
    return said


def attempted(labeler: Labeler, *words: str, **settings: str) -> Ended:
    """A command that may end with an error or without."""
    done = subprocess.run(
        labeler.command(words),
        env=labeler.variables(settings),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    return Ended(done.stdout, done.stderr)


def test_strings_finds_no_secret(store_url: str, tmp_path: Path) -> None:
    """No file, row, log, export or word of any command holds a secret, whatever failed.

    The server repeats key and address in its errors, and once in an answer; runs end with every
    kind of error, with tracebacks; one is killed; a batch is drawn and exported.
    """
    url = store_url.replace("postgres@", f"postgres:{SECRETS['store']}@")
    labeler = Labeler(
        tmp_path / "study",
        {
            "LABELER_DATABASE": url,
            "OPENAI_API_KEY": SECRETS["model"],
            "LABEL_STUDIO_API_KEY": SECRETS["studio"],
            "LABELER_LLM_MODEL": MODEL,
        },
    )
    said = [labeler("init")]
    lines = [json.dumps({"id": f"{n}", "text": f"number{n}x the bot"}) for n in range(POSTS)]
    (tmp_path / "posts.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    said.append(labeler("ingest", tmp_path / "posts.jsonl"))
    seen = []
    with openai_server.serve() as server:
        server.key = SECRETS["model"]
        address = f"{server.url}?api-version=2024-10-21&key={SECRETS['query']}"
        asking = {"LABELER_LLM_URL": address}
        said += failing(labeler, server, address)
        server.faults, server.latency = echoes(), 0.2
        killed(labeler, server, "-v", "prelabel", "--concurrency", "4", **asking)
        seen += [path for path in tmp_path.rglob("*") if path.is_file() and found(read(path))]
        server.latency = 0.0
        said += [labeler("prelabel", **asking), labeler("prelabel", "--retry-errors", **asking)]
        said.append(labeler("prelabel", "--dry-run", **asking))
        there = {**asking, "LABELER_STUDIO_URL": server.url}
        said.append(labeler("doctor", **there))
        said.append(attempted(labeler, "-v", "coders", "add", "eve", "--email", "e@b.org", **there))
    said.append(
        labeler("coders", "add", "ada", "--email", "a@b.org", LABELER_STUDIO_URL="http://x")
    )
    draw = ("sample", "--batch", "b", "--coders", "ada", "--blind", "4", "--overlap", "1")
    said += [
        labeler(*draw),
        labeler("-v", "push", code=75, LABELER_STUDIO_URL="http://127.0.0.1:9"),
    ]
    said += [labeler("reliability"), labeler("export", "--with-quotes")]
    wrong = store_url.replace("127.0.0.1:", f"postgres:{SECRETS['store']}@127.0.0.1:9")
    said.append(attempted(labeler, "-v", "status", LABELER_DATABASE=wrong))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"manifest.json", "labeler.cfg", "secret.key"} <= {path.name for path in files}
    assert seen == []
    assert [path for path in files if found(read(path))] == []
    assert [(ended, names) for ended in said if (names := found(told(ended)))] == []
    if store_url.startswith("postgresql"):
        contents = dumped(store_url)
        assert contents.count(b"INSERT INTO public.completions") >= POSTS
        assert found(contents) == []
    elif program := shutil.which("strings"):
        database = str(store_url.removeprefix("sqlite:///"))
        listed = subprocess.run([program, "-a", database], check=True, capture_output=True).stdout
        assert b"number1x" in listed
        assert found(listed) == []


def read(path: Path) -> bytes:
    return path.read_bytes()


def told(ended: Ended) -> bytes:
    return (ended.out + ended.err).encode()
