"""`labeler push`."""

from __future__ import annotations

import click

from labeler.commands.options import batch_of, batch_option, json_option, study_of
from labeler.commands.output import as_json, table, told
from labeler.studio.push import push


@click.command("push")
@batch_option
@json_option
@click.pass_context
def command(context: click.Context, batch: str | None, machine: bool) -> None:
    """Bring a batch to Label Studio: a project for each coder and arm.

    Blind projects never get a suggestion. What is there already is not sent again.
    """
    study = study_of(context)
    seats = push(study, batch=batch_of(study, batch), report=told)
    if machine:
        as_json([seat._asdict() for seat in seats])
        return
    table(
        ["arm", "coder", "tasks#", "new#", "project"],
        [(seat.arm, seat.coder, seat.tasks, seat.new, seat.url) for seat in seats],
    )
