"""`labeler status`."""

from __future__ import annotations

import click

from labeler.commands.options import json_option, study_of
from labeler.commands.output import as_json, table
from labeler.store.sample_names import members
from labeler.workflow.status import OPTIONAL, Stage, Step, status

COMMANDS: dict[Step, str] = {
    "": "",
    "ingest": "labeler ingest FILE",
    "prelabel": "labeler prelabel",
    "prelabel by cues": "labeler prelabel --coder cues",
    "prelabel by embedding": "labeler prelabel --coder embed",
    "fetch jobs": "labeler jobs fetch",
    "sample": "labeler sample --batch NAME --coders A,B --blind N --assisted N",
    "push": "labeler push",
    "pull": "labeler pull",
    "findings": "labeler findings",
    "reliability": "labeler reliability",
    "aggregate": "labeler aggregate",
    "export": "labeler export",
}


@click.command("status")
@json_option
@click.pass_context
def command(context: click.Context, machine: bool) -> None:
    """What is done and pending at each stage, and the next command to give."""
    stages = status(study_of(context))
    usual = next((stage.batch for stage in stages if stage.stage == "reliability"), "")
    due = [stage for stage in stages if stage.step and stage.step not in OPTIONAL]
    following = _command(due[0], usual) if due else "labeler serve"
    if machine:
        told = [
            {"stage": row.stage, "done": row.done, "pending": row.pending, "what": row.what}
            | {"command": _command(row, usual)}
            for row in stages
        ]
        as_json({"stages": told, "next": following})
        return
    table(
        ["stage", "done#", "pending#", "what"],
        [(row.stage, row.done, row.pending or "–", row.what) for row in stages],
    )
    click.echo(f"\nnext: {following}")
    for stage in stages:
        if stage.step in OPTIONAL:
            click.echo(f"{stage.pending} {stage.what}: {_command(stage, usual)} lists them")


def _command(stage: Stage, usual: str) -> str:
    """The command that does a stage's next step; '' where there is none.

    Several batches are not named where they are the `usual` ones, which it takes by itself.
    """
    by_itself = stage.batch == usual and len(members(usual)) > 1
    about = f" --batch {stage.batch}" if stage.step and stage.batch and not by_itself else ""
    return COMMANDS[stage.step] + about
