"""`labeler status`."""

from __future__ import annotations

import click

from labeler.commands.options import json_option, study_of
from labeler.commands.output import as_json, table
from labeler.workflow.status import status


@click.command("status")
@json_option
@click.pass_context
def command(context: click.Context, machine: bool) -> None:
    """What is done and pending at each stage, and the next command to give."""
    stages = status(study_of(context))
    following = next((stage.command for stage in stages if stage.command), "labeler serve")
    if machine:
        as_json({"stages": [stage._asdict() for stage in stages], "next": following})
        return
    table(
        ["stage", "done#", "pending#", "what"],
        [(row.stage, row.done, row.pending or "–", row.what) for row in stages],
    )
    click.echo(f"\nnext: {following}")
