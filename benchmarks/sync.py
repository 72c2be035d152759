"""How push and pull do beside the plainest way to move the same tasks, on a real Label Studio.

    python benchmarks/sync.py [--sizes 1000,10000] [--rounds 3] [--changed 200] [--url URL]

Starts a Label Studio in a temporary folder (or uses the one at --url with LABEL_STUDIO_API_KEY,
whose account then owns the projects), and prints ratios measured side by side in one run:

- push of a batch with suggestions, beside the fastest of two plain imports of the very same
  payload (requests of 1,000 tasks, and one request); goal 1.15. Both make a project and import
  into it; ours also makes the payload, looks up, notes and reads the counts back. Once as a call
  within a process, and once as the whole command, beside a whole process that reads the payload
  from a file and imports it by `requests`. Medians of the rounds, whose measurements take turns
- pull a minute later with nothing changed, and with some tasks changed, beside one full JSON
  export of the project
  (goals 0.02 and 0.05); every task carries an annotation
- the peak of memory of push and of a first pull at each size beside the smallest: "grows"

Each push and pull runs in a process of its own, whose start is counted where the line says
"command" and nowhere else. Posts are made up. Seconds suffer on a machine that is busy with
something else; the load is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import requests

from labeler.keys import key
from labeler.project import load
from labeler.resources import folder
from labeler.sampling.design import Design
from labeler.sampling.sample import sample
from labeler.store import database, tables
from labeler.studio import config
from labeler.studio.client.studio import OVERLAP, Studio
from labeler.studio.pull import pull
from labeler.studio.push import push
from labeler.studio.server import server as studio_server
from labeler.study.study import Study, add_coder, now, open_study
from labeler.workflow.prelabel import by_cues

CODER = "human:ada"
BATCH = "bench"
GOALS = {"push": 1.15, "idle": 0.02, "changed": 0.05}
SECONDS = 1800
PLAIN = """
import json, sys, requests
url, token, file, batch = sys.argv[1:]
with open(file, encoding="ascii") as given:
    wanted, payload = json.load(given)
http = requests.Session()
http.trust_env = False
http.headers["Authorization"] = f"Token {token}"
made = http.post(f"{url}/api/projects/", json=wanted)
made.raise_for_status()
for at in range(0, len(payload), int(batch)):
    tasks = payload[at : at + int(batch)]
    http.post(f"{url}/api/projects/{made.json()['id']}/import", json=tasks).raise_for_status()
"""


class Place(NamedTuple):
    """A Label Studio and a token of it."""

    url: str
    token: str


def main() -> None:
    """Read the options, or do one measurement in a child."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="1000,10000", help="tasks of the projects")
    parser.add_argument("--changed", type=int, default=200, help="tasks changed before a pull")
    parser.add_argument("--rounds", type=int, default=3, help="how often a push is measured")
    parser.add_argument("--only", choices=["push", "pull"], help="one of the two")
    parser.add_argument("--url", help="a Label Studio that runs already")
    parser.add_argument("--measure", nargs=2, metavar=("WHAT", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.measure[0], Path(options.measure[1]))))
        return
    with label_studio(options.url) as place, tempfile.TemporaryDirectory() as root:
        sizes = [int(size) for size in options.sizes.split(",")]
        compare(place, Path(root), sizes, options)


@contextmanager
def label_studio(url: str | None) -> Iterator[Place]:
    """The Label Studio at `url`, else one of our own, ended by its process id."""
    if url:
        yield Place(url, os.environ["LABEL_STUDIO_API_KEY"])
        return
    named = os.environ.get("LABELER_STUDIO_ENV")
    place = studio_server.environment(folder=Path(named) if named else None)
    with tempfile.TemporaryDirectory() as data:
        server = studio_server.start(Path(data), environment=place, timeout=600)
        try:
            yield Place(server.url, server.token)
        finally:
            studio_server.stop(Path(data))


def compare(place: Place, root: Path, sizes: list[int], options: argparse.Namespace) -> None:
    """Measure each size and print a table."""
    changed, only = int(options.changed), options.only
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; made-up posts")
    print(
        f"{'tasks':>7} {'':<26} {'ours s':>8} {'plain s':>8} "
        f"{'ratio':>7} {'goal':>5} {'peak MB':>8} {'grows':>6}"
    )
    first: dict[str, float] = {}
    for size in sizes:
        study, payload = prepared(root / str(size), size)
        if only != "pull":
            pushed(place, study, payload, options.rounds, first)
        if only == "push":
            continue
        project, began = annotated(place, study, payload)
        ours = in_child("pull", study, place)
        exporting = exported(place, project)
        shown(size, "first pull, all tasks", ours, exporting, "", first)
        time.sleep(max(0.0, OVERLAP.total_seconds() + 2 - (time.monotonic() - began)))
        in_child("pull", study, place)  # reads the last minute before the first pull once more
        ours = in_child("pull", study, place)
        if ours["changed"]:
            raise SystemExit(f"{ours['changed']} tasks changed, not 0")
        shown(size, "pull, nothing changed", ours, exporting, "idle", {})
        number = min(changed, size)
        patched(place, project, number)
        ours = in_child("pull", study, place)
        if ours["changed"] != number:
            raise SystemExit(f"{ours['changed']} tasks changed, not {number}")
        shown(size, f"pull, {number} changed", ours, exporting, "changed", {})


def pushed(
    place: Place,
    study: Path,
    payload: list[dict[str, Any]],
    rounds: int,
    first: dict[str, float],
) -> None:
    """Push, as a call and as a command, and the plain ways, in turns; the medians are shown."""
    size = len(payload)
    file = study.parent / f"{size}.json"
    file.write_text(json.dumps([wanted(f"plain {size}"), payload]), "ascii")
    ours: dict[str, list[dict[str, float]]] = {"push": [], "push, as a command": []}
    plain: dict[tuple[str, int], list[float]] = {}
    for turn in range(rounds):
        for what, measure in (("push", in_child), ("push, as a command", as_command)):
            ours[what].append(measure("push", again(study, f"{what} {turn}"), place))
        for batch in sorted({1000, size}):
            plain.setdefault(("push", batch), []).append(imported(place, payload, batch))
            seconds = plainly(place, file, batch)
            plain.setdefault(("push, as a command", batch), []).append(seconds)
    for what, found in ours.items():
        middle = sorted(found, key=lambda one: one["seconds"])[len(found) // 2]
        fastest = min(median(times) for (which, _), times in plain.items() if which == what)
        shown(size, what, middle, fastest, "push", first)


def again(root: Path, name: str) -> Path:
    """A copy of a study that is not pushed, whose batch another server project belongs to."""
    copy = root.parent / f"{root.name} {name}"
    shutil.copytree(root, copy)
    study = opened(copy)
    row = database.read(study.engine, tables.BATCHES, batch=BATCH).assign(created=now())
    database.mirror(study.engine, tables.BATCHES, row)
    study.engine.dispose()
    return copy


def shown(
    size: int, what: str, ours: dict[str, float], plain: float, goal: str, first: dict[str, float]
) -> None:
    """One line: seconds, their ratio and its goal, the peak of memory beside the first size's."""
    least = first.setdefault(what, ours["peak"])
    print(
        f"{size:>7,} {what:<26} {ours['seconds']:>8.2f} {plain:>8.2f} "
        f"{ours['seconds'] / plain:>7.3f} {GOALS.get(goal, ''):>5} {ours['peak']:>8.0f} "
        f"{ours['peak'] / least:>6.2f}",
        flush=True,
    )


def prepared(root: Path, size: int) -> tuple[Path, list[dict[str, Any]]]:
    """A study with a batch of assisted tasks, not pushed, and the payload of a plain import."""
    root.mkdir()
    study = opened(root)
    chance = random.Random(size)
    lines = (folder("sample") / "made-up-posts.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    rows = [
        {
            "unit": key([size, number]),
            "platform": "made-up",
            "platform_id": str(number),
            "created": "2025-01-01T00:00:00Z",
            "text": f"{number} {' '.join(chance.sample(texts, 2))}",
            "source": "made-up",
            "ingested": now(),
        }
        for number in range(size)
    ]
    database.add(study.engine, tables.POSTS, tables.frame(tables.POSTS, rows))
    coder = by_cues(study).coder
    add_coder(study, CODER, kind="human", spec={"email": ""})
    design = Design(blind=0, assisted=size, overlap=1, coders=(CODER,), seed=1)
    sample(study, design, batch=BATCH, suggester=coder)
    tasks = database.read(study.engine, tables.TASKS, batch=BATCH)
    posts = database.read(study.engine, tables.POSTS)
    which: dict[str, object] = {"coder": coder, "replicate": 1}
    codings = database.read(study.engine, tables.CODINGS, **which)
    segments = database.read(study.engine, tables.SEGMENTS, **which)
    made = config.predictions(codings, segments, study.codebook, version=coder)
    study.engine.dispose()
    return root, config.payload(tasks, posts, made)


def opened(root: Path, place: Place | None = None) -> Study:
    """The study at a folder, with the codebook of the bundled one."""
    book = folder("codebook") / "llm-mental-health.yaml"
    given: dict[str, str | None] = {"codebook": str(book)}
    keys: dict[str, str] = {}
    if place:
        given["studio_url"], keys["LABEL_STUDIO_API_KEY"] = place
    return open_study(load(root, given, keys))


def in_child(what: str, root: Path, place: Place) -> dict[str, float]:
    """What one process of its own measured."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), "--measure", what, str(root)],
        env={**os.environ, "LABELER_STUDIO_URL": place.url, "LABEL_STUDIO_API_KEY": place.token},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{what} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout))


def as_command(what: str, root: Path, place: Place) -> dict[str, float]:
    """Seconds of a whole command, from its start to its end; not its memory."""
    book = folder("codebook") / "llm-mental-health.yaml"
    here = {"LABELER_STUDIO_URL": place.url, "LABEL_STUDIO_API_KEY": place.token}
    began = time.perf_counter()
    command = [sys.executable, "-m", "labeler", "--root", str(root), "--codebook", str(book)]
    subprocess.run(
        [*command, what, "--batch", BATCH],
        env={**os.environ, **here},
        capture_output=True,
        check=True,
    )
    return {"seconds": time.perf_counter() - began, "peak": float("nan")}


def plainly(place: Place, file: Path, batch: int) -> float:
    """Seconds of a whole process that makes a project and imports a payload into it."""
    began = time.perf_counter()
    command = [sys.executable, "-c", PLAIN, place.url, place.token, str(file), str(batch)]
    subprocess.run(command, check=True)
    return time.perf_counter() - began


def measured(what: str, root: Path) -> dict[str, float]:
    """Push or pull once; seconds, the peak of memory (MB) of this process, tasks changed."""
    place = Place(os.environ["LABELER_STUDIO_URL"], os.environ["LABEL_STUDIO_API_KEY"])
    study = opened(root, place)
    began = time.perf_counter()
    changed = pull(study, batch=BATCH).changed if what == "pull" else 0
    if what == "push":
        push(study, batch=BATCH)
    seconds = time.perf_counter() - began
    study.engine.dispose()
    return {"seconds": seconds, "peak": peak(), "changed": changed}


def peak() -> float:
    """The most memory (MB) that this process held; not what it inherited from its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+)", status.read_text("ascii"))
        return int(found[1]) / 1e3 if found else float("nan")
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def imported(place: Place, payload: list[dict[str, Any]], batch: int) -> float:
    """Seconds of a plain import of the payload into a new project, in requests of `batch` tasks."""
    about = json.dumps(wanted(f"plain {len(payload)} {batch}"))
    began = time.perf_counter()
    project = int(asked(place, "POST", "api/projects/", data=about).json()["id"])
    for at in range(0, len(payload), batch):
        body = json.dumps(payload[at : at + batch])
        asked(place, "POST", f"api/projects/{project}/import", data=body)
    return time.perf_counter() - began


def made(place: Place, title: str) -> int:
    """A new project with the page of the study."""
    body = json.dumps(wanted(title))
    return int(asked(place, "POST", "api/projects/", data=body).json()["id"])


def wanted(title: str) -> dict[str, object]:
    """What a new project is made of."""
    return {"title": title, "label_config": page(), "show_collab_predictions": True}


def page() -> str:
    """The annotation page of the bundled codebook."""
    with tempfile.TemporaryDirectory() as root:
        study = opened(Path(root))
        study.engine.dispose()
    template = (folder("templates") / "studio" / "config.jinja").read_text("utf-8")
    return config.config(study.codebook, template=template)


def annotated(place: Place, root: Path, payload: list[dict[str, Any]]) -> tuple[int, float]:
    """Let the seat's project be one whose every task is annotated; its number, and when."""
    project = made(place, f"annotated {len(payload)}")
    me = asked(place, "GET", "api/current-user/whoami").json()
    for at in range(0, len(payload), 1000):
        body = []
        for task in payload[at : at + 1000]:
            result = task.get("predictions", [{"result": []}])[0]["result"]
            note = {"result": result, "completed_by": me["id"], "lead_time": 20.0}
            body.append({"data": task["data"], "annotations": [note]})
        asked(place, "POST", f"api/projects/{project}/import", data=json.dumps(body))
    study = opened(root, place)
    [seat] = database.read(study.engine, tables.SEATS, batch=BATCH).to_dict("records")
    here = {"server": study.project.server, "project": project, "pulled": ""}
    moved = tables.frame(tables.SEATS, [{**seat, **here}])
    database.mirror(study.engine, tables.SEATS, moved)
    study.engine.dispose()
    return project, time.monotonic()


def exported(place: Place, project: int) -> float:
    """Seconds of a full export."""
    began = time.perf_counter()
    asked(place, "GET", f"api/projects/{project}/export?exportType=JSON")
    return time.perf_counter() - began


def patched(place: Place, project: int, number: int) -> None:
    """Change the annotation of so many tasks."""
    studio = Studio(place.url, place.token, server="bench")
    for at, task in enumerate(studio.changes(project, since="")):
        if at == number:
            return
        [note] = task.annotations
        body = json.dumps({"result": note["result"][:-1], "lead_time": 30.0})
        asked(place, "PATCH", f"api/annotations/{note['id']}/", data=body)


def asked(place: Place, method: str, path: str, **given: Any) -> requests.Response:
    """The answer to a request that must not fail."""
    headers = {"Authorization": f"Token {place.token}", "Content-Type": "application/json"}
    with requests.Session() as http:
        http.trust_env = False
        answer = http.request(
            method, f"{place.url}/{path}", headers=headers, timeout=SECONDS, **given
        )
    answer.raise_for_status()
    return answer


if __name__ == "__main__":
    main()
