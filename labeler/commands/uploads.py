"""`labeler prelabel --batch`: its options, and what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import click
import pandas as pd

from labeler.coders.llm.jobs.uploads import JobLimits
from labeler.coders.llm.model import RequestSettings
from labeler.commands.options import Command
from labeler.commands.output import as_json, table, told
from labeler.store import tables
from labeler.study.study import Study

if TYPE_CHECKING:
    from labeler.coders.llm.jobs.fetch import FetchResult
    from labeler.coders.llm.jobs.submit import SubmitResult

SHOWN = ["batch", "state", "requests#", "done#", "failed#", "submitted", "reserved#", "where"]


class Given(NamedTuple):
    """The options of `--batch`."""

    action: str | None
    folder: Path | None
    sharding: JobLimits


def options(command: Command) -> Command:
    """The options of `--batch`, in order."""
    for option in reversed(
        [
            click.option(
                "--batch",
                type=click.Choice(["submit", "status", "fetch", "cancel"]),
                help="Ask by OpenAI's batches, at half the price, within a day: submit what is "
                "pending, see how it stands, fetch what has ended, or have it end.",
            ),
            click.option(
                "--batch-folder",
                metavar="DIR",
                type=click.Path(path_type=Path, file_okay=False),
                help="Write the files of batches here instead, for `vllm run-batch`, and fetch "
                "the answers from X.out.jsonl beside X.jsonl.",
            ),
            click.option(
                "--batch-lines",
                default=50_000,
                show_default=True,
                type=click.IntRange(1),
                help="Requests in a batch at most.",
            ),
            click.option(
                "--batch-bytes",
                default=200_000_000,
                show_default=True,
                type=click.IntRange(1),
                help="Bytes of its file at most.",
            ),
            click.option(
                "--batch-tokens",
                type=click.IntRange(1),
                help="Tokens that may wait in all batches: the account's limit.",
            ),
        ]
    ):
        command = option(command)
    return command


def taken(given: dict[str, Any]) -> Given:
    """The options of `--batch`, taken out of a command's."""
    sharding = JobLimits(
        given.pop("batch_lines"), given.pop("batch_bytes"), given.pop("batch_tokens")
    )
    return Given(given.pop("batch"), given.pop("batch_folder"), sharding)


def run(study: Study, batch: Given, settings: RequestSettings, *, machine: bool) -> None:
    """Do what `--batch` says and show what came of it."""
    # here, since the SDK takes a second to load, which is only for batches
    from labeler.coders.llm.jobs.fetch import fetch  # noqa: PLC0415
    from labeler.coders.llm.jobs.status import cancel, status  # noqa: PLC0415
    from labeler.coders.llm.jobs.submit import submit  # noqa: PLC0415

    if batch.action == "submit":
        done = submit(study, settings, batch.sharding, folder=batch.folder, report=told)
        as_json(done._asdict()) if machine else _submitted(done)
    elif batch.action == "fetch":
        got = fetch(study, folder=batch.folder, prices=settings.prices, report=told)
        as_json(got._asdict()) if machine else _fetched(got)
    elif batch.action == "cancel":
        lines = cancel(study, folder=batch.folder)
        as_json(lines) if machine else click.echo("\n".join(lines) or "no batch is outstanding")
    else:
        rows = status(study)
        as_json(rows) if machine else _status(rows)


def _submitted(done: SubmitResult) -> None:
    click.echo(f"{done.coder}: {done.requests} requests submitted in {len(done.batches)} batches")
    if done.resumed:
        click.echo(f"{done.resumed} batches of an earlier run submitted as well")
    for remark in done.remarks:
        click.echo(remark)


def _fetched(got: FetchResult) -> None:
    click.echo(f"{got.answered} answers stored of {got.batches} batches; {got.waiting} still wait")
    click.echo(f"{got.codings} codings written")
    for kind, times in sorted(got.faults.items()):
        click.echo(f"{times} times {kind}")
    if got.again:
        click.echo(f"{got.again} requests are pending again: submit once more")
    for remark in got.remarks:
        click.echo(remark)


def _status(rows: pd.DataFrame) -> None:
    if rows.empty:
        click.echo("no batch was ever submitted")
        return
    table(SHOWN, [_line(row) for row in tables.rows(rows)])
    for row in tables.rows(rows[(rows["detail"] != "") & (rows["fetched"] == "")]):
        click.echo(f"{row.upload}: {row.detail}")


def _line(row: Any) -> tuple[object, ...]:
    return (
        row.server_batch or row.upload,
        f"{row.state}, fetched" if row.fetched else row.state,
        row.requests,
        row.done,
        row.failed,
        row.created[:16].replace("T", " "),
        f"{row.reserved:.4f}" if row.reserved else "–",
        urlsplit(row.host).hostname or row.host,
    )
