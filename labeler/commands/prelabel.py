"""`labeler prelabel`."""

from __future__ import annotations

import click

from labeler.commands.options import json_option, study_of
from labeler.commands.output import as_json, told
from labeler.pipeline.prelabel import prelabel


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
@click.option(
    "--concurrency",
    default=8,
    show_default=True,
    type=click.IntRange(1, 2000),
    help="Requests in flight.",
)
@click.option("--limit", type=click.IntRange(1), help="Ask for this many posts at most.")
@click.option("--reparse", is_flag=True, help="Ask nothing; parse all stored answers again.")
@json_option
@click.pass_context
def command(
    context: click.Context,
    coder: str,
    llm_url: str | None,
    llm_model: str | None,
    concurrency: int,
    limit: int | None,
    reparse: bool,
    machine: bool,
) -> None:
    """Code each post once, by a model or by the codebook's cues.

    Only what has no answer is asked; the same command again goes on where this one ended. The
    key comes from OPENAI_API_KEY.
    """
    context.obj.options.update(llm_url=llm_url, llm_model=llm_model)
    study = study_of(context)
    done = prelabel(
        study,
        model=coder == "model",
        concurrency=concurrency,
        limit=limit,
        reparse=reparse,
        report=told,
    )
    if machine:
        as_json(done._asdict())
        return
    click.echo(f"{done.coder}: {done.answered} posts answered now, {done.before} before")
    click.echo(f"{done.codings} codings written")
    for kind, times in sorted(done.faults.items()):
        click.echo(f"{times} times {kind}")
