"""The demo: the whole way once, twice the same, nothing left running; with 240 of its posts."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
from running import Labeler
from waiting import SECONDS

from labeler.studio.server import server

NAME = "demo-quick"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which `labeler demo --quick --once` ran, and what it printed."""
    root = tmp_path_factory.mktemp("demo")
    labeler = Labeler(root, program=(sys.executable, "-m", "labeler"))
    return root, demo(labeler, "--once", "--quick")


def demo(labeler: Labeler, *words: str) -> str:
    """Run the demo to its end, however slow the machine."""
    done = subprocess.run(
        labeler.command(["demo", *words]),
        env=labeler.variables({}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def kept(root: Path) -> dict[str, bytes]:
    """The files of the demo's bundle."""
    return {path.name: path.read_bytes() for path in (root / "exports" / "demo").iterdir()}


def test_demo_tells_its_story_and_fills_exports(shown: tuple[Path, str]) -> None:
    """One run ends with what was done, the verdicts, and a bundle that says made up."""
    root, out = shown
    assert re.search(
        r"^  ingest +240 posts by \d+ authors on 6 platforms, 2025-01 to 2025-10", out, re.M
    )
    assert re.search(r"made-up-model coded 23\d of 240 for 0\.\d+ USD \(made up\)", out)
    assert "submitted 300 codings" in out
    assert len(re.findall(r"^  \w+ +0\.\d+ +0\.\d+ +pass ", out, re.M)) >= 3
    assert re.search(r"^  the gate is open where the lower bound reaches 0.667", out, re.M)
    moved = r"^  value +value:human_welfare +\d+\.\d% +\d+\.\d% +\d+\.\d% +\d+\.\d% to \d+\.\d%$"
    assert re.search(moved, out, re.M)
    assert "Everything here is made up" in out
    manifest = json.loads(kept(root)["manifest.json"])
    assert manifest["made_up"] is True
    assert {"codings.csv", "reliability.csv", "codebook.yaml"} <= set(manifest["files"])
    assert server.status(root / ".labeler" / NAME / "studio") is None


def test_model_was_asked_as_in_a_study(shown: tuple[Path, str]) -> None:
    """The raw answers, what they cost, the ledger of what left and where to: all is kept."""
    root, _ = shown
    with closing(sqlite3.connect(root / ".labeler" / NAME / "labeler.db")) as held:
        asked = held.execute(
            "SELECT count(distinct unit), min(cost), min(currency) FROM completions "
            "WHERE coder LIKE 'model:made-up-model@%'"
        ).fetchone()
        left = held.execute("SELECT host, posts FROM ledger").fetchall()
        wrong = held.execute("SELECT error, count(*) FROM completions GROUP BY error").fetchall()
    assert asked[0] == 241  # with the post that tries the model
    assert asked[1] > 0
    assert asked[2] == "USD"
    assert left == [("127.0.0.1", 240)]
    assert dict(wrong)[""] > 230


def test_bundle_computes_itself_again(shown: tuple[Path, str]) -> None:
    """What the demo exports differs in nothing from what its own rows give."""
    root, _ = shown
    assert "batch demo: nothing differs" in Labeler(root)("verify", root / "exports" / "demo").out


def test_demo_is_nested(shown: tuple[Path, str]) -> None:
    """Every blind unit is an assisted one as well, coded blind by the two other coders."""
    root, _ = shown
    with closing(sqlite3.connect(root / ".labeler" / NAME / "labeler.db")) as held:
        tasks = held.execute("SELECT unit, arm, coder FROM tasks").fetchall()
    coders: dict[tuple[str, str], set[str]] = {}
    for unit, arm, coder in tasks:
        coders.setdefault((arm, unit), set()).add(coder)
    blind = {unit for arm, unit in coders if arm == "blind"}
    assert len(blind) == 90
    for unit in blind:
        who = coders["blind", unit], coders["assisted", unit]
        assert [len(one) for one in who] == [2, 1]
        assert not who[0] & who[1]


def test_demo_stays_up_until_interrupted_and_changes_nothing(shown: tuple[Path, str]) -> None:
    """A second run leaves bundle and verdicts as they are, answers at both addresses, and ends."""
    root, out = shown
    before = kept(root)
    labeler = Labeler(root)
    running = subprocess.Popen(
        labeler.command(["demo", "--quick"]),
        env=labeler.variables({"PYTHONUNBUFFERED": "1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert running.stdout is not None
        said = ""
        while "(made up)" not in said.partition("  model: ")[2]:
            line = running.stdout.readline()
            assert line, f"the demo ended early: {said}"
            said += line
        for name in ("report", "studio", "model"):
            found = re.search(rf"^  {name}: +(http://127\.0\.0\.1:\d+)", said, re.M)
            assert found, said
            page = f"{found.group(1)}/v1/models" if name == "model" else found.group(1)
            with urllib.request.urlopen(page, timeout=SECONDS) as answer:
                assert answer.status == 200
    finally:
        running.send_signal(signal.SIGINT)
        rest, _ = running.communicate(timeout=SECONDS)
    assert running.returncode == 0, rest
    assert server.status(root / ".labeler" / NAME / "studio") is None
    assert kept(root) == before
    assert out[out.index("What was done") : out.index("exports:")] in said


def test_killed_demo_goes_on(shown: tuple[Path, str], tmp_path: Path) -> None:
    """Killed while people submit, the next run ends with the same verdicts and leaves nothing."""
    labeler = Labeler(tmp_path, program=(sys.executable, "-m", "labeler"))
    with subprocess.Popen(
        labeler.command(["demo", "--quick", "--once"]),
        env=labeler.variables({"PYTHONUNBUFFERED": "1"}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if "100 of 300 tasks submitted" in line:
                running.kill()
                break
    assert running.returncode == -signal.SIGKILL
    assert server.status(tmp_path / ".labeler" / NAME / "studio") is not None
    out, whole = demo(labeler, "--quick", "--once"), shown[1]
    assert out[: out.index("exports:")] == whole[: whole.index("exports:")]
    assert server.status(tmp_path / ".labeler" / NAME / "studio") is None
