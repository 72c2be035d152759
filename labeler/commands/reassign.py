"""`labeler reassign`."""

from __future__ import annotations

import click

from labeler.coding.vocabulary import human
from labeler.commands.options import json_option, study_of
from labeler.commands.output import as_json, table, told
from labeler.studio.reassign import reassign


@click.command("reassign")
@click.argument("batch")
@click.option("--from", "giver", required=True, metavar="NAME", help="Who has the tasks.")
@click.option("--to", "taker", required=True, metavar="NAME", help="Who gets them.")
@json_option
@click.pass_context
def command(context: click.Context, batch: str, giver: str, taker: str, machine: bool) -> None:
    """Move what a coder of a batch has not coded yet to another coder.

    What was coded stays, with its coder. A unit that the other coder has in any arm is refused by
    name: a third one has to take it. Afterwards `labeler push` brings the tasks to the new seat.
    """
    study = study_of(context)
    done = reassign(study, batch=batch, giver=human(giver), taker=human(taker), report=told)
    if machine:
        as_json(done._asdict())
        return
    for refused in done.refused.to_dict("records"):
        told(f"not moved: {refused['arm']} unit {refused['unit']}: {refused['why']}")
    if done.dropped:
        told(f"{done.dropped} repeats dropped: only {giver} could have coded them again")
    table(["arm", "moved#"], list(done.moved.items()) or [("–", 0)])
    if done.moved:
        told(f"next: labeler push --batch {batch}")
