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
    """`--batch`: which batch; the newest where none is named. UsageError where several are."""
    return click.option(
        "--batch",
        metavar="NAME",
        multiple=True,
        callback=one,
        help="Which batch.  [default: the newest]",
    )(command)


def sample_option(command: Command) -> Command:
    """`--batch`, repeatable: the batches that are judged together as one study sample."""
    return click.option(
        "--batch",
        "batches",
        metavar="NAME",
        multiple=True,
        help="Which batch; repeat it for several together.  [default: the newest one coded, with "
        "all of its codebook and suggester]",
    )(command)


def one(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> str | None:
    """What an option was given, None for nothing; UsageError where it was given several times."""
    if len(given) > 1:
        raise click.BadParameter(
            f"one batch at a time, not {len(given)}: {', '.join(given)}", context, option
        )
    return given[0] if given else None


def study_of(context: click.Context) -> Study:
    """Open the study that the command line describes; its store is closed when the command ends."""
    given: Context = context.obj
    study = open_study(given.project())
    context.call_on_close(study.engine.dispose)
    return study


def batch_of(study: Study, named: str | None) -> str:
    """The batch that was named, or the newest."""
    return named or newest_batch(study)
