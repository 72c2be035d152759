"""`labeler verify`."""

from __future__ import annotations

from pathlib import Path

import click

from labeler import __version__
from labeler.commands.options import json_option
from labeler.commands.output import as_json, told
from labeler.results.bundle_check import BundleCheck
from labeler.results.verify import verify


@click.command("verify")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@json_option
@click.pass_context
def command(context: click.Context, folder: Path, machine: bool) -> None:
    """Compute every number of an exported bundle again, from its own rows, and compare.

    Needs nothing but the folder. Ends with exit code 1 where something differs, and names the first
    place in each file.
    """
    found = verify(folder)
    if machine:
        as_json({**found._asdict(), "differences": [own._asdict() for own in found.differences]})
    else:
        _print(found)
    if found.labeler != __version__:
        told(
            f"warning: the bundle was made by labeler {found.labeler}, and this is {__version__}: "
            "files may differ in how they are written"
        )
    if found.differences:
        context.exit(1)


def _print(found: BundleCheck) -> None:
    for one in found.differences:
        click.echo(f"DIFFERS  {one}")
    for name, rows in found.recomputed.items():
        click.echo(f"computed again  {name}: {rows:,} rows")
    click.echo(f"written again   {len(found.written)} files, compared byte by byte")
    for name, why in found.taken.items():
        click.echo(f"taken as given  {name}: {why}")
    if found.differences:
        click.echo(f"{len(found.differences)} of {len(found.written)} files differ")
    else:
        click.echo(f"batch {found.batch}: nothing differs")
