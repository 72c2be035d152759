"""What a command holds in memory hangs on its batch, not on what the store has besides."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from made_studies import made_study
from running import PROGRAM

MEGABYTE = 1 << 20
MORE = 20 * MEGABYTE
CODES = 80 * MEGABYTE  # of 20,000 posts, as numbers
UNITS = 30
# A process of its own starts the command: the peak of a child begins at that of its parent.
MEASURED = """
import json, resource, subprocess, sys
ended = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([ended.returncode, peak * (1 if sys.platform == "darwin" else 1024)]))
"""


def peak(root: Path, *words: str) -> int:
    """The most bytes that `labeler` on a project holds at once."""
    command = [sys.executable, "-c", MEASURED, *PROGRAM, "--root", str(root), *words]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    code, most = json.loads(ended.stdout)
    assert code == 0, ended.stderr
    return int(most)


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Answers → a study with one batch of 30 units, and so many stored answers of 5 kB."""
    roots = {}
    for answers in (UNITS, 20_000):
        root = tmp_path_factory.mktemp("made") / str(answers)
        root.mkdir()
        made_study.made(root, made_study.Size(answers, batches=1, units=UNITS, runs=1))
        roots[answers] = root
    return roots


def test_answers_that_are_not_of_the_batch_take_no_memory(studies: dict[int, Path]) -> None:
    """Within 20 MB of the same batch in a store that holds no other answers.

    Estimates are of all posts: the codes of 20,000 enter, but not the 100 MB of their answers.
    """
    commands = {
        ("reliability",): MORE,
        ("aggregate", "--override", "made up"): CODES,
        ("export",): MORE,
    }
    for command, most in commands.items():
        few, many = (peak(root, *command, "--batch", "batch00") for root in studies.values())
        assert many - few < most, command
