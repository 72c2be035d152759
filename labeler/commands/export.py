"""`labeler export`."""

from __future__ import annotations

import click

from labeler.commands.options import json_option, sample_option, study_of
from labeler.commands.output import as_json, told
from labeler.results.export import export
from labeler.store import results
from labeler.study.study import sample_of


@click.command("export")
@sample_option
@click.option("--with-quotes", is_flag=True, help="Keep verbatim quotes; do not publish them.")
@json_option
@click.pass_context
def command(
    context: click.Context, batches: tuple[str, ...], with_quotes: bool, machine: bool
) -> None:
    """Write exports/BATCH/: codings, reliability, consensus, shares, codebook, manifest."""
    study = study_of(context)
    name = sample_of(study, batches)
    done = export(study, batch=name, quotes=with_quotes)
    if done.outdated:
        told(f"warning: {results.warning(name, done.outdated)}")
        told(f"hint: {results.advice(name, done.outdated).terminal}")
    if machine:
        as_json({**done._asdict(), "folder": str(done.folder)})
        return
    for name in done.files:
        click.echo(f"{done.folder / name}{'' if name in done.written else '  (unchanged)'}")
    for name in done.removed:
        told(f"{done.folder / name}: removed, as the bundle has no such file any more")
    if with_quotes:
        told(
            "segments.csv holds verbatim quotes: anybody can find their authors, do not publish it"
        )
