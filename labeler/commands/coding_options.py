"""Options of the commands that read a table of codings without a project."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import click

from labeler.commands.output import told
from labeler.statistics.agreement.distances import Level

Command = Callable[..., Any]


def table_options(*, level: str | None = "nominal") -> Callable[[Command], Command]:
    """FILE, and how any table of codings is read: level, domain, rows, gaps, sheet.

    `level` is the default; without one the option is required.
    """
    told = "How the values are measured; masi and jaccard: sets of codes joined by +."
    measured = click.Choice(get_args(Level))
    return _all(
        click.argument("file", type=click.Path(path_type=Path)),
        click.option("--level", type=measured, required=True, help=told)
        if level is None
        else click.option("--level", type=measured, default=level, show_default=True, help=told),
        click.option(
            "--domain",
            callback=listed,
            metavar="A,B,C",
            help="All values that could have been given, in order.  [default: those seen]",
        ),
        click.option(
            "--where",
            multiple=True,
            callback=conditions,
            metavar="COLUMN=TEXT",
            help="Only rows with this text, as of one variable; may be repeated.",
        ),
        cell_options,
        click.option("--sheet", default="", metavar="NAME", help="Which sheet of a workbook."),
    )


def cell_options(command: Command) -> Command:
    """How texts of cells are to be read: gaps, other names of codes."""
    return _all(
        click.option(
            "--missing",
            multiple=True,
            callback=listed_several,
            metavar="A,B",
            help="Further texts that mean 'not coded', as an empty cell does; may be repeated.",
        ),
        click.option(
            "--map",
            "recode",
            multiple=True,
            callback=conditions,
            metavar="TEXT=CODE",
            help="A text that stands for a code (TEXT=: not coded); may be repeated.",
        ),
        click.option(
            "--separator",
            default="",
            metavar="TEXT",
            help="What stands between the codes of a set.  [default: +, or one of ; | , alone]",
        ),
    )(command)


def column_options(coders: str) -> Callable[[Command], Command]:
    """Which columns hold what, in a wide or a long table; `coders` says what --coders names."""
    return _all(
        click.option(
            "--unit", default="", metavar="COLUMN", help="The column that names the units."
        ),
        click.option("--coder", default="", metavar="COLUMN", help="Of a long table: who coded."),
        click.option(
            "--value", default="", metavar="COLUMN", help="Of a long table: what was given."
        ),
        click.option("--coders", callback=listed, metavar="A,B", help=coders),
        click.option(
            "--without",
            callback=listed,
            metavar="A,B",
            help="Of a wide table: columns that are no coders.",
        ),
    )


def understood(remarks: list[str]) -> None:
    """Say what of a table was left out and how its cells were understood, and what to do else."""
    for remark in remarks:
        told(remark)
    if any("like metadata" in remark for remark in remarks):
        told("--coders names the coders, where one of them was left out")
    if any("count as sets without a code" in remark for remark in remarks):
        told("--map += counts them as not coded instead")


def _all(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """One decorator of several, in the order in which help shows them."""

    def decorated(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


def listed(_context: click.Context, _option: click.Parameter, given: str | None) -> tuple[str, ...]:
    """A list with commas; a text that holds one stands in double quotes."""
    if given is None:
        return ()
    parts = tuple(part.strip() for part in next(csv.reader([given], skipinitialspace=True), []))
    if not all(parts) or not parts:
        raise click.BadParameter(f"{given!r}: write A,B,C")
    return parts


def listed_several(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    """Lists with commas, one after the other."""
    return tuple(part for text in given for part in listed(context, option, text))


def conditions(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Conditions COLUMN=TEXT, as pairs."""
    pairs = [text.partition("=") for text in given]
    for name, mark, _ in pairs:
        if not (name and mark):
            raise click.BadParameter(f"{name!r}: write COLUMN=TEXT")
    return tuple((name, text) for name, _, text in pairs)
