"""`labeler init`."""

from __future__ import annotations

import click

from labeler.cli import Context
from labeler.commands.output import told
from labeler.workflow.init import init


@click.command("init")
@click.option("--name", default="llm-mental-health", help="Which bundled codebook to start from.")
@click.pass_obj
def command(context: Context, name: str) -> None:
    """Start a project in the folder given by --root: settings, a codebook, exports/.

    What is there already stays as it is.
    """
    for path in init(context.root, codebook=name):
        click.echo(f"made {path}")
    told("next: edit codebook/, then `labeler codebook check`, then `labeler ingest FILE`")
