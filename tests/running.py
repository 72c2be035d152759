"""How the tests run `labeler`: as a person does, in a process of its own, warnings as errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from places import ROOT
from waiting import SECONDS
from warm import warm

from labeler.store import database, results, tables

SAMPLE = ROOT / "sample" / "made-up-posts.jsonl"
PASSED = ("PATH", "HOME", "XDG_CACHE_HOME", "TMPDIR", "LABELER_STUDIO_ENV")
FACTS = (tables.CODEBOOKS, tables.CODERS, tables.POSTS, tables.COMPLETIONS)
MIRRORS = (tables.BATCHES, tables.SEATS, tables.TASKS, tables.ANNOTATIONS)
DERIVED = (tables.SEGMENTS, tables.CODINGS, *results.RESULTS)
PROGRAM = (sys.executable, "-m", "labeler")


class Ended(NamedTuple):
    """A command that ended: what it wrote."""

    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Labeler:
    """`labeler` on the project folder `root`, with these variables and no others of its own."""

    root: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = PROGRAM

    def __call__(self, *words: str | Path, code: int = 0, **settings: str) -> Ended:
        """Run a command that is to end with `code` and, whatever it is, without a traceback."""
        ended, out, err = self._run(self.command(words), self.variables(settings))
        assert ended == code, f"{words}: {ended}\n{out}{err}"
        assert "-v" in words or "Traceback" not in err, err
        return Ended(out, err)

    def _run(self, command: list[str], given: dict[str, str]) -> tuple[int, str, str]:
        """Exit code, output and errors of a command; see `warm` for how most are run."""
        folder = self.root if self.root.is_dir() else Path.cwd()
        with (
            Path(os.devnull).open() as nothing,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            files = (nothing.fileno(), out, err)
            if self.program == PROGRAM and given["PYTHONWARNINGS"] == "error":
                words = command[len(PROGRAM) :]
                ended = warm().run(words, given, str(folder), files, SECONDS)
            else:
                ended = subprocess.run(
                    command,
                    env=given,
                    cwd=folder,
                    stdin=nothing,
                    stdout=out,
                    stderr=err,
                    timeout=SECONDS,
                ).returncode
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode("utf-8"))
        return ended, *texts

    def begin(self, *words: str | Path, **settings: str) -> subprocess.Popen[bytes]:
        """Begin a command; whoever begins it ends it."""
        quiet = subprocess.DEVNULL
        return subprocess.Popen(
            self.command(words),
            env=self.variables(settings),
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
        )

    def following(self) -> str:
        """The command that `status` says comes next."""
        following = self("status", "--json").json["next"]
        assert isinstance(following, str)
        return following

    def rows(self, *wanted: Any) -> dict[str, list[dict[Any, Any]]]:
        """The rows of some tables (all but the logs) as the store has them now; None: missing."""
        url = self.settings.get("LABELER_DATABASE") or f"sqlite:///{self.root}/.labeler/labeler.db"
        engine = database.connect(url)
        try:
            read = {
                table.name: database.read(engine, table).astype(object)
                for table in wanted or (*FACTS, *MIRRORS, *DERIVED)
            }
            return {
                name: rows.where(rows.notna(), None).to_dict("records")
                for name, rows in read.items()
            }
        finally:
            engine.dispose()

    def table(self, table: Any) -> pd.DataFrame:
        """One table as it is now."""
        return pd.DataFrame(self.rows(table)[table.name], columns=tables.columns(table))

    def command(self, words: tuple[str | Path, ...]) -> list[str]:
        return [*self.program, "--root", str(self.root), *map(str, words)]

    def variables(self, settings: Mapping[str, str]) -> dict[str, str]:
        passed = {name: os.environ[name] for name in PASSED if name in os.environ}
        strict = {"PYTHONWARNINGS": "error", "LANG": "C.UTF-8", "NO_PROXY": "127.0.0.1"}
        return passed | strict | dict(self.settings) | settings


def same(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Assert that two readings of the store hold the same rows, table by table."""
    assert before.keys() == after.keys()
    for name, rows in before.items():
        columns = tables.columns(tables.METADATA.tables[name])
        pd.testing.assert_frame_equal(
            pd.DataFrame(rows, columns=columns), pd.DataFrame(after[name], columns=columns)
        )


def sample_posts(path: Path, count: int) -> Path:
    """A file with the first so many of the bundled made-up posts."""
    lines = SAMPLE.read_text("utf-8").splitlines()[:count]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path
