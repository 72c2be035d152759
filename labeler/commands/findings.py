"""`labeler findings`."""

from __future__ import annotations

from itertools import groupby

import click
import pandas as pd

from labeler.coding.vocabulary import human, name_of
from labeler.commands.options import json_option, study_of
from labeler.commands.output import as_json, table, told
from labeler.errors import ProjectError
from labeler.results.formats.csv_files import csv_text
from labeler.store import tables
from labeler.store.sample_names import members
from labeler.studio.findings import TO_MEND
from labeler.study.study import Study, batch_row, coders
from labeler.text.names import unknown
from labeler.workflow.findings import TAB, findings, send_back


@click.command("findings")
@click.option(
    "--batch",
    "batches",
    metavar="NAME",
    multiple=True,
    help="Which batch; repeat it for several.  [default: all]",
)
@click.option("--coder", metavar="NAME", default="", help="Of one coder.  [default: all]")
@click.option(
    "--all", "every", is_flag=True, help="Also what no coder can mend: skips, comments, copies …"
)
@click.option(
    "--send",
    "sending",
    is_flag=True,
    help="Show each coder these tasks in Label Studio, as a tab of the project; when mended, none.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print a table as CSV.")
@json_option
@click.pass_context
def command(
    context: click.Context,
    batches: tuple[str, ...],
    coder: str,
    every: bool,
    sending: bool,
    as_csv: bool,
    machine: bool,
) -> None:
    """What came back and does not fit, by coder, with the address of each task: a list to send.

    Whoever opens an address may mend the task there and press Update; the next `labeler pull` then
    finds it mended. Until then it stays listed here, in `labeler status` and on the page.
    """
    if sending and (batches or coder or every or as_csv):
        raise click.UsageError("--send is about all tasks to be mended; give it alone")
    study = study_of(context)
    if sending:
        _send(study, machine=machine)
        return
    found = findings(
        study.engine,
        study.project,
        batches=_batches(study, batches),
        coder=_coder(study, coder),
        every=every,
    )
    if machine:
        as_json(found)
    elif as_csv:
        click.echo(csv_text(found), nl=False)
    elif found.empty:
        told("nothing is to be mended, as far as `labeler pull` has seen")
    else:
        _list(found)


def _send(study: Study, *, machine: bool) -> None:
    """Show coders what they are to mend, and say where."""
    done = send_back(study, report=told)
    if machine:
        as_json([seat._asdict() for seat in done])
    else:
        table(
            ["batch", "arm", "coder", "tasks#", f"tab {TAB!r}"],
            [(one.batch, one.arm, name_of(one.coder), one.tasks, one.address) for one in done],
        )


def _batches(study: Study, named: tuple[str, ...]) -> list[str] | None:
    """The batches named, those of study samples apart; ProjectError where one is unknown."""
    wanted = [one for name in named for one in members(name)]
    for name in wanted:
        batch_row(study, name)
    return wanted or None


def _coder(study: Study, named: str) -> str:
    """The coder of a name, '' for none; ProjectError where nobody is called so."""
    known = coders(study, "human")
    if named and human(named) not in known:
        raise ProjectError(unknown("coder", named, [name_of(coder) for coder in known]))
    return human(named) if named else ""


def _list(found: pd.DataFrame) -> None:
    """A paragraph for each coder, with a line for each task and one for each finding of it."""
    for place, (coder, own) in enumerate(groupby(tables.rows(found), lambda row: row.coder)):
        tasks = [list(each) for _, each in groupby(own, _task)]
        click.echo(f"{chr(10) if place else ''}{name_of(coder)}: {len(tasks)} tasks")
        for rows in tasks:
            first = rows[0]
            where = first.address or f"unit {first.unit}"
            click.echo(f"  {where}  (batch {first.batch}, {first.arm})")
            for row in rows:
                quote = f"quote {row.segment}: " if row.segment else ""
                click.echo(f"    {TO_MEND.get(row.kind, row.kind)}: {quote}{row.detail}")


def _task(row: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in ("batch", "arm", "unit", "studio_task"))
