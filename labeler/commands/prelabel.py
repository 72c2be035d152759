"""`labeler prelabel`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from labeler.commands import uploads
from labeler.commands.options import json_option, study_of
from labeler.commands.output import as_json, told
from labeler.pipeline.asking import Asking
from labeler.pipeline.prelabel import Prelabelled, by_cues, by_model, dry_run


@click.command("prelabel")
@click.option(
    "--coder",
    type=click.Choice(["model", "cues"]),
    default="model",
    show_default=True,
    help="The project's model, or the cues coder: word lists, an honest baseline.",
)
@click.option("--llm-url", metavar="URL", help="Address of an OpenAI-compatible server, with /v1.")
@click.option("--llm-model", metavar="NAME", help="The model's name there.")
@click.option("--limit", type=click.IntRange(1), help="Ask about this many posts at most.")
@click.option(
    "--replicates",
    default=1,
    show_default=True,
    type=click.IntRange(1, 50),
    help="Ask about each post so many times, to see how stable the model is.",
)
@click.option("--retry-errors", is_flag=True, help="Ask again where an answer ended in an error.")
@click.option("--reparse", is_flag=True, help="Ask nothing; parse all stored answers again.")
@click.option("--dry-run", is_flag=True, help="Say what it would take and cost; send nothing.")
@click.option(
    "--budget", type=click.FloatRange(0, min_open=True), help="Stop before spending more in all."
)
@click.option(
    "--prices",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A price file of your own.  [default: the dated one that comes along]",
)
@click.option(
    "--concurrency",
    default=64,
    show_default=True,
    type=click.IntRange(1, 2000),
    help="Requests in flight at most.",
)
@click.option(
    "--requests-per-minute", type=click.FloatRange(0, min_open=True), help="The account's limit."
)
@click.option(
    "--tokens-per-minute", type=click.FloatRange(0, min_open=True), help="The account's limit."
)
@click.option(
    "--answer-limit",
    default=2000,
    show_default=True,
    type=click.IntRange(16),
    help="Tokens of an answer at most; one that is cut off is asked for again with four times.",
)
@click.option("--subreddits", is_flag=True, help="Hide names of subreddits as well.")
@click.option(
    "--canary/--no-canary",
    default=True,
    show_default=True,
    help="Send a made-up post that gives orders first, to see whether the model obeys posts.",
)
@click.option(
    "--patience",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds to wait for a server that is gone.",
)
@uploads.options
@json_option
@click.pass_context
def command(context: click.Context, /, **given: Any) -> None:
    """Code each post once, by a model or by the codebook's cues.

    Only what has no answer is asked; the same command again goes on where this one ended. What
    leads to an account or a person is hidden before a text leaves (names of persons cannot be
    found offline), and the ledger notes what left. The key comes from OPENAI_API_KEY.
    """
    context.obj.options.update(llm_url=given.pop("llm_url"), llm_model=given.pop("llm_model"))
    machine, reparse, dry = given.pop("machine"), given.pop("reparse"), given.pop("dry_run")
    batch = uploads.taken(given)
    cues = given.pop("coder") == "cues"
    if batch.action and (cues or reparse):
        raise click.UsageError("--batch asks a model: leave out --coder cues and --reparse")
    if batch.folder and not batch.action:
        raise click.UsageError("--batch-folder needs --batch submit, fetch or cancel")
    study = study_of(context)
    if cues:
        _show(by_cues(study, limit=given["limit"], reparse=reparse, report=told), machine=machine)
        return
    asking = Asking(**given)
    if batch.action and not dry:
        uploads.run(study, batch, asking, machine=machine)
        return
    if dry:
        for line in dry_run(study, asking):
            click.echo(line)
        return
    _show(by_model(study, asking, reparse=reparse, report=told), machine=machine)


def _show(done: Prelabelled, *, machine: bool) -> None:
    if machine:
        as_json(done._asdict())
        return
    click.echo(f"{done.coder}: {done.answered} posts answered now, {done.before} before")
    click.echo(f"{done.codings} codings written")
    for kind, times in sorted(done.faults.items()):
        click.echo(f"{times} times {kind}")
    if done.requests:
        click.echo(f"{done.requests} requests sent; this coder has cost {done.spent}")
    for remark in done.remarks:
        click.echo(remark)
