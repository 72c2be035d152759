"""`labeler pull`."""

from __future__ import annotations

import click

from labeler import tables
from labeler.commands.options import batch_of, batch_option, json_option, study_of
from labeler.commands.output import as_json, told
from labeler.pipeline.pull import pull


@click.command("pull")
@batch_option
@json_option
@click.pass_context
def command(context: click.Context, batch: str | None, machine: bool) -> None:
    """Fetch what people coded since the last pull.

    What they withdrew is kept and marked; what does not fit the codebook is named. New codes make
    earlier verdicts and shares void: `labeler reliability` computes them anew.
    """
    study = study_of(context)
    done = pull(study, batch=batch_of(study, batch), report=told)
    if machine:
        as_json(done._asdict())
        return
    click.echo(f"{done.coded} of {done.tasks} tasks coded, {done.changed} changed since last time")
    for finding in tables.rows(done.findings):
        click.echo(f"{finding.kind}: {finding.coder}, unit {finding.unit[:12]}: {finding.detail}")
