"""What `--help` says of commands with many options fits on a screen."""

from __future__ import annotations

import click
import pytest

from labeler.cli import labeler
from labeler.commands import jobs, pilot, prelabel
from labeler.commands.request_options import SECTIONS

LINES, COLUMNS = 48, 80


def shown(name: str, command: click.Command) -> list[str]:
    """The lines of a command's help on a terminal of usual width."""
    context = click.Context(
        command, info_name=name, parent=click.Context(labeler, info_name="labeler"),
        terminal_width=COLUMNS,
    )  # fmt: skip
    return command.get_help(context).splitlines()


@pytest.mark.parametrize(
    ("name", "command"),
    [("prelabel", prelabel.command), ("pilot", pilot.command), ("submit", jobs.submit)],
)
def test_options_stand_in_sections_a_line_each(name: str, command: click.Command) -> None:
    """Every option is listed once, below a heading, and the whole is one screen."""
    lines = shown(name, command)
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= COLUMNS
    below = lines[
        min(lines.index(f"{heading}:") for heading in SECTIONS if f"{heading}:" in lines) :
    ]
    listed = [line.split()[0].rstrip(",") for line in below if line.startswith("  -")]
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert sorted(listed) == sorted([*(option.opts[0] for option in options), "--help"])
    assert "What is asked:" in lines and "Else:" in lines


def test_every_option_of_a_request_has_a_section() -> None:
    """An option of `prelabel` that no section names would stand at the end, among the rest."""
    named = {option for names in SECTIONS.values() for option in names}
    assert {option.name for option in prelabel.command.params} - named == {"machine"}
