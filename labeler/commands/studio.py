"""`labeler studio start|stop|status`."""

from __future__ import annotations

import click

from labeler.cli import Context
from labeler.commands.output import told
from labeler.studio.accounts import start
from labeler.studio.server import server as studio_server


@click.group("studio")
def command() -> None:
    """The Label Studio that labeler starts: on this machine, telemetry off, sign-up closed."""


@command.command("start")
@click.option(
    "--hook",
    is_flag=True,
    help="Let it call this machine, for `labeler pull --watch --hook`. Each of its accounts can "
    "then make it ask addresses that only this machine reaches.",
)
@click.option(
    "--studio-database",
    metavar="URL",
    help="A PostgreSQL for it, better from some eight coders on: postgresql://USER@HOST/NAME.  "
    "[default: SQLite in the project]",
)
@click.pass_obj
def begin(context: Context, hook: bool, studio_database: str | None) -> None:
    """Install it where it is not, start it, and print its address.

    Before a newer version opens the data of an older one, its database is copied.
    """
    project = context._replace(
        options=context.options | {"studio_database": studio_database}
    ).project()
    server = start(project, report=told, hooks=hook)
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
    """Whether it runs, where, and where its log is."""
    data = context.project().studio_data
    server = studio_server.status(data)
    click.echo(f"runs at {server.url}, process {server.pid}" if server else "does not run")
    log = studio_server.log(data)
    if log.exists():
        click.echo(f"log: {log}")
