"""`labeler prelabel`."""

from __future__ import annotations

from typing import Any

import click

from labeler.commands.options import json_option, study_of
from labeler.commands.output import as_json, told
from labeler.commands.progress import ProgressDisplay
from labeler.commands.request_options import (
    COST,
    POSTS,
    PROMPT,
    SECTIONS,
    SPEED,
    request_options,
    request_settings,
)
from labeler.commands.sections import SectionedCommand
from labeler.workflow.prelabel import PrelabelResult, by_cues, by_embedding, by_model, dry_run


@click.command("prelabel", cls=SectionedCommand, sections=SECTIONS)
@click.option(
    "--coder",
    type=click.Choice(["model", "cues", "embed"]),
    default="model",
    show_default=True,
    help="Who codes.",
)
@request_options(POSTS)
@click.option("--reparse", is_flag=True, help="Ask nothing; parse stored answers again.")
@request_options(PROMPT)
@click.option("--dry-run", is_flag=True, help="Say what it would cost; send nothing.")
@request_options(COST, SPEED)
@click.option("--cluster", metavar="URL", default="", help="Dask scheduler whose workers ask.")
@json_option
@click.pass_context
def command(context: click.Context, /, **given: Any) -> None:
    """Code each post once: by the project's model (llm_url and llm_model in labeler.cfg, or
    LABELER_LLM_URL and LABELER_LLM_MODEL), by the codebook's cues, or by a classifier taught with
    adjudicated units (`embed`).

    Only what has no answer is asked; the same command goes on where this one ended. Accounts and
    persons are hidden before a text leaves (names of persons cannot be found offline), and the
    ledger notes what left. The key comes from OPENAI_API_KEY.
    """
    coder, reparse, dry, cluster = (
        given[name] for name in ("coder", "reparse", "dry_run", "cluster")
    )
    if cluster and (coder != "model" or dry or reparse):
        raise click.UsageError("--cluster is for asking a model: leave it out here")
    settings = request_settings(given)
    study = study_of(context)
    if coder != "model":
        here = by_cues if coder == "cues" else by_embedding
        done = here(study, limit=settings.limit, reparse=reparse, report=told)
    elif dry:
        for line in dry_run(study, settings):
            click.echo(line)
        return
    else:
        with ProgressDisplay() as shown:
            done = by_model(
                study,
                settings,
                reparse=reparse,
                cluster=cluster,
                report=shown.report,
                progress=shown.progress,
            )
    as_json(done._asdict()) if given["machine"] else _show(done)


def _show(done: PrelabelResult) -> None:
    click.echo(f"{done.coder}: {done.answered} posts answered now, {done.before} before")
    click.echo(f"{done.codings} codings written")
    for kind, times in sorted(done.faults.items()):
        click.echo(f"{times} times {kind}")
    if done.requests:
        click.echo(f"{done.requests} requests sent; this coder has cost {done.spent}")
    for remark in done.remarks:
        click.echo(remark)
