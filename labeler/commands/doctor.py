"""`labeler doctor`."""

from __future__ import annotations

import click

from labeler.commands.options import json_option
from labeler.commands.output import as_json
from labeler.hints import Hint
from labeler.workflow.doctor import doctor

MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


@click.command("doctor")
@json_option
@click.pass_context
def command(context: click.Context, machine: bool) -> None:
    """Check Python, the disk, the store, Label Studio, each pushed project, the model server.

    Ends with exit code 1 where something fails.
    """
    checks = doctor(context.obj.project())
    if machine:
        as_json([check._asdict() | {"remedy": _worded(check.remedy)} for check in checks])
    else:
        for check in checks:
            click.echo(f"{MARKS[check.state]}  {check.check}: {check.seen}")
            if check.remedy:
                click.echo(f"      → {_worded(check.remedy)}")
    if any(check.state == "fail" for check in checks):
        context.exit(1)


def _worded(remedy: str | Hint) -> str:
    return remedy.terminal if isinstance(remedy, Hint) else remedy
