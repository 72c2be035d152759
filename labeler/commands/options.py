"""Options that several commands share, and the study they open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from labeler.cli import Context
from labeler.study.study import Study, newest_batch, open_study

Command = Callable[..., Any]


def json_option(command: Command) -> Command:
    """`--json`: the result for machines."""
    return click.option("--json", "machine", is_flag=True, help="Print the result as JSON.")(
        command
    )


def batch_option(command: Command) -> Command:
    """`--batch`: which batch; the newest where none is named."""
    return click.option("--batch", metavar="NAME", help="Which batch.  [default: the newest]")(
        command
    )


def study_of(context: click.Context) -> Study:
    """Open the study that the command line describes; its store is closed when the command ends."""
    given: Context = context.obj
    study = open_study(given.project())
    context.call_on_close(study.engine.dispose)
    return study


def batch_of(study: Study, named: str | None) -> str:
    """The batch that was named, or the newest."""
    return named or newest_batch(study)
