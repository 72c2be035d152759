"""The demo: the whole way once, twice the same, nothing left running."""

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

PANEL = r"humans \(blind\)\n.*variable.*verdict"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which `labeler demo --once` ran, and what it printed."""
    root = tmp_path_factory.mktemp("demo")
    labeler = Labeler(root, program=(sys.executable, "-m", "labeler"))
    return root, demo(labeler, "--once")


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


def test_demo_shows_verdicts_and_fills_exports(shown: tuple[Path, str]) -> None:
    """One run ends with verdicts, what the gate held shut, and a bundle that says made up."""
    root, out = shown
    assert re.search(PANEL, out)
    assert len(re.findall(r"^  \w+ .* pass *$", out, re.M)) >= 3
    assert re.search(r"^  \w+ .* inconclusive +[\d,]+ *$", out, re.M)
    assert "the gate is shut for" in out
    assert "made up" in out
    manifest = json.loads(kept(root)["manifest.json"])
    assert manifest["made_up"] is True
    assert {"codings.csv", "reliability.csv", "codebook.yaml"} <= set(manifest["files"])
    assert server.status(root / ".labeler" / "demo" / "studio") is None


def test_demo_is_nested(shown: tuple[Path, str]) -> None:
    """Every blind unit is an assisted one as well, coded blind by the two other coders."""
    root, _ = shown
    with closing(sqlite3.connect(root / ".labeler" / "demo" / "labeler.db")) as held:
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
        labeler.command(["demo"]),
        env=labeler.variables({"PYTHONUNBUFFERED": "1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert running.stdout is not None
        said = ""
        while said.count("password") < 3:
            line = running.stdout.readline()
            assert line, f"the demo ended early: {said}"
            said += line
        for name in ("report", "studio"):
            found = re.search(rf"^{name}: +(http://127\.0\.0\.1:\d+)", said, re.M)
            assert found, said
            with urllib.request.urlopen(found.group(1), timeout=SECONDS) as answer:
                assert answer.status == 200
    finally:
        running.send_signal(signal.SIGINT)
        rest, _ = running.communicate(timeout=SECONDS)
    assert running.returncode == 0, rest
    assert server.status(root / ".labeler" / "demo" / "studio") is None
    assert kept(root) == before
    verdicts = out[out.index("humans (blind)") : out.index("exports:")]
    assert verdicts in said
