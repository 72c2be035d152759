"""Errors speak of things; what to do about them is worded once for the terminal, once for pages."""

from __future__ import annotations

import ast
import pickle
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import pytest

import labeler
from labeler import hints
from labeler.cli import labeler as program
from labeler.commands.status import COMMANDS
from labeler.errors import (
    AnswerError,
    CodebookError,
    LabelerError,
    ProjectError,
    ServiceUnavailable,
)
from labeler.hints import Hint
from labeler.project import Project
from labeler.web.app import create_app
from labeler.workflow.status import Step

ROOT = Path(labeler.__file__).parent
OPTION = re.compile(r"--[a-z]|`labeler |\blabeler [a-z-]+ --|LABELER_[A-Z_]*")
# who words things for people; the settings file that init writes names the variables
WORDED = ("commands/", "web/", "cli.py", "__main__.py", "hints.py", "workflow/init.py")
ARGUMENT = re.compile(r"--[a-z-]+")  # of another program, below studio/server/
ALLOWED = {
    "labeler/project.py": {"LABELER_", "LABELER_STUDIO_ENV"},  # where settings enter
    "labeler/coders/llm/cluster/worker.py": {"LABELER_DATABASE"},
    "labeler/studio/watch.py": {"pull --watch"},  # RUNS keep the command as it was given
    "labeler/studio/accounts.py": {"LABELER_STUDIO_URL", " / LABELER_BLIND_STUDIO_URL"},
}
ALL = {name: value for name, value in vars(hints).items() if isinstance(value, Hint)}


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each string, f-strings whole, of a module; docstrings are left out."""
    tree = ast.parse(path.read_text("utf-8"))
    parts = {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
        for part in node.values
    }  # fmt: skip
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in parts | told:
            continue
        if isinstance(node, ast.JoinedStr):
            constants = [part for part in node.values if isinstance(part, ast.Constant)]
            yield node.lineno, "".join(str(part.value) for part in constants)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def test_each_hint_has_a_name_of_its_own() -> None:
    """A second one of the same name would silently take the place of the first."""
    tree = ast.parse((ROOT / "hints.py").read_text("utf-8"))
    targets = [
        target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets
    ]
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    assert [name for name in names if names.count(name) > 1] == []


def test_below_the_commands_nobody_speaks_of_options() -> None:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(WORDED):
            continue
        allowed = ALLOWED.get(f"labeler/{name}", set())
        found += [
            f"{name}:{line}: {text}"
            for line, text in _texts(path)
            if OPTION.search(text)
            and text not in allowed
            and not (name.startswith("studio/server/") and ARGUMENT.fullmatch(text))
        ]
    assert not found


@pytest.mark.parametrize("name", ALL)
def test_a_hint_is_worded_for_terminal_and_page(name: str) -> None:
    hint = ALL[name]
    assert hint.terminal
    assert hint.page
    assert not OPTION.search(hint.page)
    for text in hint:
        assert not text.endswith((".", "\n"))


def _used() -> Iterator[tuple[str, frozenset[str]]]:
    """Each hint that a module gives, with the words that it fills in."""
    for path in ROOT.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        filled = set()
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Attribute(value=ast.Name(id="hints"), attr=name), attr="about"
                    ) as called
                ):
                    filled.add(id(called.value))
                    yield name, frozenset(str(word.arg) for word in node.keywords)
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(value=ast.Name(id="hints"), attr=name) if name.isupper():
                    if id(node) not in filled:
                        yield name, frozenset()


def test_every_hint_is_given_with_the_words_it_needs() -> None:
    used = dict(_used())
    assert set(used) == set(ALL)
    for name, words in _used():
        for text in ALL[name]:
            needed = {field for _, field, _, _ in string.Formatter().parse(text) if field}
            assert needed <= words, name


def test_a_hint_is_filled_in_twice() -> None:
    hint = Hint("--sheet {sheet}", "the sheet {sheet}").about(sheet="a{b}")
    assert hint == ("--sheet a{b}", "the sheet a{b}")


@pytest.mark.parametrize(
    "error",
    [
        ProjectError("no batch is drawn yet", hint=hints.DRAW_BATCH),
        CodebookError(["x: y"], hint=hints.DRAW_BATCH),
        ServiceUnavailable("gone", service="Label Studio", hint=hints.DRAW_BATCH),
        AnswerError("no", kind="refusal", hint=hints.DRAW_BATCH),
    ],
)
def test_an_error_carries_its_hint(error: LabelerError) -> None:
    assert error.hint == hints.DRAW_BATCH
    assert "labeler sample" not in str(error)


def test_an_error_without_a_hint_has_none() -> None:
    assert ProjectError("no").hint is None


def test_a_hint_travels_with_its_error() -> None:
    error = pickle.loads(pickle.dumps(ProjectError("no", hint=hints.DRAW_BATCH)))
    assert (str(error), error.hint) == ("no", hints.DRAW_BATCH)


def test_every_step_of_a_study_has_its_command() -> None:
    assert set(COMMANDS) == set(get_args(Step))
    assert not COMMANDS[""]
    assert all(text.startswith("labeler ") for step, text in COMMANDS.items() if step)


@pytest.mark.parametrize(
    ("hint", "advice"),
    [(hints.DRAW_BATCH, "Draw a batch."), (None, "")],
)
def test_a_page_words_the_hint_of_an_error_its_own_way(
    tmp_path: Path, hint: Hint | None, advice: str
) -> None:
    app = create_app(Project(root=tmp_path, database=f"sqlite:///{tmp_path / 'labeler.db'}"))

    @app.get("/broken")
    def broken() -> str:
        raise ProjectError("no batch is drawn yet", hint=hint)

    told = app.test_client().get("/broken")
    assert told.status_code == 503
    assert '<p class="lead">no batch is drawn yet</p>' in told.text
    assert (f"<p>{advice}</p>" in told.text) == bool(advice)
    assert "labeler sample" not in told.text


def options(command: click.Command) -> set[str]:
    """Every option of a command and of those below it."""
    found = {name for one in command.params for name in one.opts}
    if isinstance(command, click.Group):
        context = click.Context(command)
        below = (command.get_command(context, name) for name in command.list_commands(context))
        found = found.union(*(options(one) for one in below if one is not None))
    return found


def test_the_options_that_hints_name_are_there() -> None:
    """A hint for the terminal names no option that no command has (pip's own one apart)."""
    known = options(program) | {"--no-deps"}
    named = {
        option
        for one in vars(hints).values()
        if isinstance(one, hints.Hint)
        for option in re.findall(r"--[a-z][a-z-]+", one.terminal)
    }
    assert len(named) > 10
    assert named <= known
