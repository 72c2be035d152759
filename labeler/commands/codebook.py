"""`labeler codebook check|show|diff|config`."""

from __future__ import annotations

from pathlib import Path

import click

from labeler.codebook.codebook import Codebook, diff, read
from labeler.commands.options import json_option, study_of
from labeler.commands.output import as_json, table
from labeler.files import records
from labeler.workflow.codebook import config, touched


def _read(path: Path) -> Codebook:
    return read(records.read_text(path), source=str(path))


@click.group("codebook")
def command() -> None:
    """Check, show and compare codebooks."""


@command.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.pass_context
def check(context: click.Context, paths: tuple[Path, ...]) -> None:
    """Find what breaks a rule in the codebooks PATHS, with path and reason.

    Without PATHS, the project's own.
    """
    for path in paths or (context.obj.project().codebook_path,):
        book = _read(path)
        codes = sum(len(variable.values) for variable in book.variables)
        click.echo(
            f"{path}: {book.codebook} {book.version} holds, {len(book.variables)} variables, "
            f"{codes} codes, fingerprint {book.fingerprint[:12]}"
        )


@command.command("show")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.pass_context
def show(context: click.Context, path: Path | None) -> None:
    """Print a codebook for reading."""
    book = _read(path or context.obj.project().codebook_path)
    click.echo(f"{book.title}  ({book.codebook} {book.version})\n\n{book.about.strip()}\n")
    for variable in book.variables:
        several = ", several codes" if variable.multiple else ""
        click.echo(
            f"{variable.variable}: {variable.question}  [{variable.of}, {variable.level}{several}]"
        )
        if variable.values:
            table(
                ["  code", "label", "definition"],
                [(f"  {v.code}", v.label, v.definition) for v in variable.values],
            )
        else:
            click.echo(f"  a number from {variable.minimum:g} to {variable.maximum:g}")
        click.echo()


@command.command("diff")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def compare(context: click.Context, before: Path, after: Path, machine: bool) -> None:
    """Say what changed from BEFORE to AFTER, and which codings in the store that touches."""
    changes = diff(_read(before), _read(after))
    counts = touched(study_of(context), _read(before), changes) if changes else {}
    if machine:
        as_json({"changes": [change._asdict() for change in changes], "codings": counts})
        return
    if not changes:
        click.echo("the two say the same")
        return
    for change in changes:
        click.echo(f"{change.kind} {change.path}")
        for mark, text in (("-", change.before), ("+", change.after)):
            if text:
                click.echo(f"  {mark} {text}")
    if counts:
        click.echo("\ncodings made under BEFORE that this touches:")
        table(["variable", "codings#"], counts.items())
    else:
        click.echo("\nno coding in the store is touched")


@command.command("config")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.pass_context
def show_config(context: click.Context, path: Path | None) -> None:
    """Print the annotation page that a codebook makes, as Label Studio reads it."""
    click.echo(config(_read(path or context.obj.project().codebook_path)))
