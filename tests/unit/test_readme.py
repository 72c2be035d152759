"""README and program say the same."""

from __future__ import annotations

import re
import shlex

import click
import pytest
from places import ROOT

from labeler.cli import COMMANDS, labeler

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.S))
NAMED = re.findall(r"^labeler .*", SHELL, re.M) + re.findall(r"`(labeler [^`]+)`", README)


def words(line: str) -> list[str]:
    """The words of a command line, without its comment."""
    return shlex.split(line, comments=True)[1:]


@pytest.mark.parametrize("line", NAMED)
def test_each_command_of_the_readme_is_one(line: str) -> None:
    """Every `labeler …` in the README is a command, with options that it has."""
    given = words(line)
    context = click.Context(labeler)
    command: click.Command = labeler
    while given and isinstance(command, click.Group) and not given[0].startswith("-"):
        found = command.get_command(context, given.pop(0))
        assert found is not None, line
        command = found
    options = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    assert {word for word in given if word.startswith("--")} <= options


def test_each_command_is_in_the_readme_or_its_help() -> None:
    """The README leads through every command that a study needs; help lists them all."""
    told = {words(line)[0] for line in NAMED}
    assert set(COMMANDS) - told <= {"demo"}
    help_text = labeler.get_help(click.Context(labeler, terminal_width=100))
    for name, what in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(what[:30])}", help_text, re.M), name


def test_make_has_the_commands_of_the_readme() -> None:
    """`make demo` and `make test` are the first two commands, and targets of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", README, re.S)
    assert [block.strip() for block in blocks[:2]] == ["make demo", "make test"]
    for target in ("demo", "test", "lint", "bench"):
        assert re.search(rf"^{target}:", makefile, re.M)


def test_pictures_of_the_readme_are_there() -> None:
    """Every picture and page that the README leads to is in the repository."""
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", README)
    assert len(links) >= 5
    assert [link for link in links if not (ROOT / link).is_file()] == []
