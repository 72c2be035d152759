"""`labeler studio start|stop|status`."""

from __future__ import annotations

import click

from labeler.cli import Context
from labeler.commands.output import told
from labeler.edges import studio_server
from labeler.pipeline.studio import start


@click.group("studio")
def command() -> None:
    """The Label Studio that labeler starts: on this machine, telemetry off, sign-up closed."""


@command.command("start")
@click.pass_obj
def begin(context: Context) -> None:
    """Install it where it is not, start it, and print its address."""
    project = context.project()
    server = start(project, report=told)
    click.echo(f"Label Studio: {server.url}")
    told(f"the administrator's login is in {project.studio_data / 'server.json'}")


@command.command("stop")
@click.pass_obj
def end(context: Context) -> None:
    """Stop it, by its process id."""
    stopped = studio_server.stop(context.project().studio_data)
    click.echo("stopped" if stopped else "it did not run")


@command.command("status")
@click.pass_obj
def show(context: Context) -> None:
    """Whether it runs, and where."""
    server = studio_server.status(context.project().studio_data)
    click.echo(f"runs at {server.url}, process {server.pid}" if server else "does not run")
