"""The wheel, in an environment of its own, away from the checkout.

To save time the environment does not install the libraries anew: a .pth file leads to those of
the running interpreter. Their folder holds no copy of labeler (the checkout is installed there
as a link, which a .pth file does not follow), and each test asserts whose copy it runs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest
from running import ROOT, Labeler
from waiting import SECONDS

from labeler import __version__

LEFT_OUT = shutil.ignore_patterns(
    ".*", "tests", "build", "dist", "exports", "docs", "*.egg-info", "__pycache__"
)
PAGE = """
import sys
from pathlib import Path
from labeler.project import load
from labeler.web import create_app
client = create_app(load(Path(sys.argv[1]), {}, {})).test_client()
for path in ("/", "/style.css"):
    answer = client.get(path, base_url="http://127.0.0.1")
    print(answer.status_code, len(answer.data), b"made up" in answer.data)
"""


class Installed(NamedTuple):
    """The wheel's environment, an empty folder to run it from, and the names in the wheel."""

    python: Path
    labeler: Labeler
    names: set[str]

    def say(self, program: str, *words: str) -> str:
        """What a Python program prints in the wheel's environment, from an empty folder."""
        command = [str(self.python), "-W", "error", "-c", program, *words]
        return subprocess.run(
            command,
            cwd=self.labeler.root,
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS,
        ).stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, built from a copy of the checkout and installed."""
    folder = tmp_path_factory.mktemp("wheel")
    source = shutil.copytree(ROOT, folder / "source", ignore=LEFT_OUT)
    run(sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(source))
    wheel = next(folder.glob("labeler-*.whl"))
    place = folder / "environment"
    venv.create(place)
    python = place / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    packages = next(place.glob("lib/python*/site-packages"))
    libraries = [path for path in sys.path if Path(path).name == "site-packages"]
    (packages / "libraries.pth").write_text("\n".join(libraries) + "\n", "utf-8")
    (folder / "empty").mkdir()
    labeler = Labeler(folder / "empty", program=(str(place / "bin" / "labeler"),))
    return Installed(python, labeler, set(zipfile.ZipFile(wheel).namelist()))


def run(*command: str) -> None:
    hidden = {"PYTHONPATH", "PYTHONHOME"}
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_wheel_brings_what_travels_with_it(installed: Installed) -> None:
    """Every module, template, codebook and sample file of the checkout is in the wheel."""
    modules = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "labeler").rglob("*.py")
        if "__pycache__" not in path.parts
    }
    assert modules <= installed.names
    for name in ("templates", "codebook", "sample"):
        there = {path.relative_to(ROOT) for path in (ROOT / name).rglob("*") if path.is_file()}
        assert there
        assert {f"labeler/resources/{path}" for path in there} <= installed.names
    assert "labeler/py.typed" in installed.names
    assert not [name for name in installed.names if name.startswith(("tests/", "benchmarks/"))]


def test_wheel_runs_from_an_empty_folder(installed: Installed) -> None:
    """Potato #118, #139 (wheels without their files): from init to the report's page with the
    bundled codebook, sample and templates."""
    labeler = installed.labeler
    told = installed.say("import labeler; print(labeler.__file__)")
    assert Path(told.strip()).is_relative_to(installed.python.parents[1])
    assert labeler("--version").out == f"labeler, version {__version__}\n"
    assert list(labeler.root.iterdir()) == []
    labeler("init")
    assert " holds, " in labeler("codebook", "check").out
    assert labeler("codebook", "config").out.startswith("<View")
    found = installed.say("from labeler import resources; print(resources.folder('sample'))")
    sample = Path(found.strip())
    assert sample.is_relative_to(installed.python.parents[1])
    assert labeler("ingest", sample / "made-up-posts.jsonl", "--json").json[0]["new"] == 240
    assert labeler("prelabel", "--coder", "cues", "--json").json["answered"] == 240
    pages = installed.say(PAGE, str(labeler.root)).splitlines()
    assert [page.split()[0] for page in pages] == ["200", "200"]
    assert pages[0].endswith("True")
    assert json.loads(labeler("status", "--json").out)["next"].startswith("labeler sample")
