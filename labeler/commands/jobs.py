"""`labeler jobs submit|status|fetch|cancel`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
import pandas as pd

from labeler.coders.llm.jobs.registry import JobLimits
from labeler.commands.options import Command, json_option, study_of
from labeler.commands.output import as_json, table, told
from labeler.commands.request_options import (
    COST,
    POSTS,
    PROMPT,
    SECTIONS,
    prices_option,
    request_options,
    request_settings,
)
from labeler.commands.sections import SectionedCommand
from labeler.store import tables

if TYPE_CHECKING:
    from labeler.coders.llm.jobs.fetch import FetchResult
    from labeler.coders.llm.jobs.submit import SubmitResult

# submit, fetch and the rest are loaded when used: the model server's SDK takes a second to load

SHOWN = ["job", "state", "requests#", "done#", "failed#", "submitted", "reserved#", "where"]
JOB = "What is in a job"
FILES = "Instead of a server"


def folder_option(command: Command) -> Command:
    """`--folder`: the jobs are files in a folder."""
    return click.option(
        "--folder",
        metavar="DIR",
        type=click.Path(path_type=Path, file_okay=False),
        help="Files in DIR, for `vllm run-batch`.",
    )(command)


@click.group("jobs")
def command() -> None:
    """Ask a model by jobs (OpenAI's batches): half the price, within a day.

    A job holds the requests of many posts. `submit` sends what is pending, `fetch` stores and
    parses what has ended; what a job did not answer is pending again. For a GPU without a server,
    `--folder DIR` writes files for `vllm run-batch` and reads X.out.jsonl beside X.jsonl.
    """


@command.command(
    "submit",
    cls=SectionedCommand,
    sections={**SECTIONS, JOB: ("max_requests", "max_bytes", "max_waiting"), FILES: ("folder",)},
)
@request_options(POSTS, PROMPT, COST)
@click.option(
    "--max-requests",
    metavar="N",
    default=50_000,
    show_default=True,
    type=click.IntRange(1),
    help="Requests a job.",
)
@click.option(
    "--max-bytes",
    metavar="N",
    default=200_000_000,
    show_default=True,
    type=click.IntRange(1),
    help="Bytes of its file.",
)
@click.option(
    "--max-waiting",
    metavar="TOKENS",
    type=click.IntRange(1),
    help="In all jobs that wait: the account's limit.",
)
@folder_option
@json_option
@click.pass_context
def submit(context: click.Context, /, **given: Any) -> None:
    """Send what is pending as jobs; what is in a job that is not yet fetched is not pending."""
    from labeler.coders.llm.jobs.submit import submit  # noqa: PLC0415

    limits = JobLimits(given["max_requests"], given["max_bytes"], given["max_waiting"])
    settings = request_settings(given)
    done = submit(study_of(context), settings, limits, folder=given["folder"], report=told)
    as_json(done._asdict()) if given["machine"] else _submitted(done)


@command.command("status")
@json_option
@click.pass_context
def status(context: click.Context, machine: bool) -> None:
    """Show every job and its state, after asking the server."""
    from labeler.coders.llm.jobs.status import status  # noqa: PLC0415

    rows = status(study_of(context))
    as_json(rows) if machine else _status(rows)


@command.command("fetch")
@folder_option
@prices_option
@json_option
@click.pass_context
def fetch(context: click.Context, folder: Path | None, prices: Path | None, machine: bool) -> None:
    """Store the answers of the jobs that have ended, and parse them."""
    from labeler.coders.llm.jobs.fetch import fetch  # noqa: PLC0415

    got = fetch(study_of(context), folder=folder, prices=prices, report=told)
    as_json(got._asdict()) if machine else _fetched(got)


@command.command("cancel")
@folder_option
@json_option
@click.pass_context
def cancel(context: click.Context, folder: Path | None, machine: bool) -> None:
    """Have the jobs that are out end; what they answered until then can be fetched."""
    from labeler.coders.llm.jobs.status import cancel  # noqa: PLC0415

    lines = cancel(study_of(context), folder=folder)
    as_json(lines) if machine else click.echo("\n".join(lines) or "no job is outstanding")


def _submitted(done: SubmitResult) -> None:
    click.echo(f"{done.coder}: {done.requests} requests submitted in {len(done.jobs)} jobs")
    if done.resumed:
        click.echo(f"{done.resumed} jobs of an earlier run submitted as well")
    for remark in done.remarks:
        click.echo(remark)


def _fetched(got: FetchResult) -> None:
    click.echo(f"{got.answered} answers stored of {got.jobs} jobs; {got.waiting} still wait")
    click.echo(f"{got.codings} codings written")
    for kind, times in sorted(got.faults.items()):
        click.echo(f"{times} times {kind}")
    if got.again:
        click.echo(f"{got.again} requests are pending again: submit once more")
    if got.elsewhere:
        click.echo(
            f"{got.elsewhere} answers are of another version of the codebook, and not parsed: name "
            "its file with --codebook and give `labeler prelabel --reparse`"
        )
    for remark in got.remarks:
        click.echo(remark)


def _status(rows: pd.DataFrame) -> None:
    if rows.empty:
        click.echo("no job was ever submitted")
        return
    table(SHOWN, [_line(row) for row in tables.rows(rows)])
    for row in tables.rows(rows[(rows["detail"] != "") & (rows["fetched"] == "")]):
        click.echo(f"{row.job}: {row.detail}")


def _line(row: Any) -> tuple[object, ...]:
    return (
        row.server_job or row.job,
        f"{row.state}, fetched" if row.fetched else row.state,
        row.requests,
        row.done,
        row.failed,
        row.created[:16].replace("T", " "),
        f"{row.reserved:.4f}" if row.reserved else "–",
        urlsplit(row.host).hostname or row.host,
    )
