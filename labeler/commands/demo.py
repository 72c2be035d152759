"""`labeler demo`."""

from __future__ import annotations

import dataclasses

import click

from labeler import resources
from labeler.cli import Context
from labeler.commands.output import told
from labeler.commands.serve import serving, until_interrupted
from labeler.commands.verdicts import shown
from labeler.project import Project
from labeler.studio.server import server
from labeler.study.study import open_study
from labeler.workflow.demo import DemoResult, demonstrate

MADE_UP = "Everything here is made up: the posts, the coders, their codes."


@click.command("demo")
@click.option(
    "--once", is_flag=True, help="End when the report is made, and leave nothing running."
)
@click.option(
    "--port",
    default=0,
    type=click.IntRange(0, 65535),
    help="The report's port.  [default: a free one]",
)
@click.pass_obj
def command(context: Context, once: bool, port: int) -> None:
    """The whole way once, on bundled made-up posts: no key, no account, nothing sent anywhere.

    Starts a Label Studio, pre-labels by cues, draws units that are coded with suggestions, most of
    them blind as well by two other coders, lets three made-up coders submit their codes, and shows
    what the gate says. A second run changes nothing.
    """
    project = _project(context.project())
    told(MADE_UP)
    ours = server.status(project.studio_data) is None
    try:
        done = demonstrate(open_study(project), told)
        with serving(project, port=port) as address:
            _show(done, address, once=once)
            if not once:
                until_interrupted()
    finally:
        if ours:
            server.stop(project.studio_data)
            told("Label Studio stopped")


def _project(given: Project) -> Project:
    """The demo beside a study: the same folder, a store and a Label Studio of its own."""
    bundled = resources.folder("codebook") / "llm-mental-health.yaml"
    return dataclasses.replace(
        given, name="demo", database="", codebook=str(bundled), studio_url="", llm_model=""
    )


def _show(done: DemoResult, address: str, *, once: bool) -> None:
    click.echo()
    shown(done.judged)
    if done.shut:
        click.echo(done.shut)
        click.echo()
    click.echo(
        f"exports: {done.bundle.folder} ({len(done.bundle.files)} files, "
        f"{len(done.bundle.written)} new)"
    )
    if not once:
        click.echo(f"report:  {address}")
        click.echo(f"studio:  {done.studio}")
        for login in done.logins:
            click.echo(f"         log in as {login.email}, password {login.password} (made up)")
    click.echo(MADE_UP)
    if not once:
        told("Ctrl-C ends it")
