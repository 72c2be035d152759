"""`labeler pull`."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from labeler.coding.vocabulary import name_of
from labeler.commands.options import batch_of, batch_option, json_option, study_of
from labeler.commands.output import as_json, told
from labeler.errors import ProjectError
from labeler.store import tables
from labeler.studio.pull import PullResult, pull
from labeler.studio.watch import watch


@click.command("pull")
@batch_option
@click.option("--watch", "watching", is_flag=True, help="Go on pulling, until Ctrl-C.")
@click.option(
    "--every",
    default=30.0,
    show_default=True,
    type=click.FloatRange(min=1),
    help="Seconds between two pulls of --watch.",
)
@click.option(
    "--hook",
    metavar="URL",
    default="",
    help="With --watch: where Label Studio tells of changes, http://127.0.0.1:8321/hook while "
    "`labeler serve` runs.",
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    batch: str | None,
    watching: bool,
    every: float,
    hook: str,
    machine: bool,
) -> None:
    """Fetch what people coded since the last pull.

    What they withdrew is kept and marked; what does not fit the codebook is named, and stays in
    `labeler findings` until it is mended. New codes make earlier verdicts and shares void: `labeler
    reliability` computes them again.
    """
    if hook and not watching:
        raise ProjectError("--hook: only a pull that watches takes hints; give --watch too")
    study = study_of(context)
    chosen = batch_of(study, batch)
    if not watching:
        _show(pull(study, batch=chosen, report=told), machine)
        return
    told(f"watching batch {chosen}, every {every:g} s; Ctrl-C ends it")
    with _until_interrupted() as asked:
        before: PullResult | None = None
        for done in watch(
            study, batch=chosen, every=every, hook=hook, ended=asked.is_set, report=told
        ):
            if before is None or done.changed:
                _show(done, machine)
            before = done
    told("ended: what was fetched is kept")


@contextmanager
def _until_interrupted() -> Iterator[threading.Event]:
    """An event that Ctrl-C or a polite request to end (SIGTERM) sets; either ends the block."""
    asked = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: asked.set())
    try:
        with suppress(KeyboardInterrupt):
            yield asked
        # A Ctrl-C that met text being evaluated (named tuples do that) would end the process by its
        # signal at the very end, though it was caught; the next text that ends well undoes that.
        eval("None")  # noqa: S307
    finally:
        signal.signal(signal.SIGTERM, before)


def _show(done: PullResult, machine: bool) -> None:
    if machine:
        as_json(done._asdict())
        return
    more = f", {done.skipped} skipped" if done.skipped else ""
    more += f", {done.withdrawn} withdrawn" if done.withdrawn else ""
    click.echo(
        f"{done.coded} of {done.tasks} tasks coded{more}, {done.changed} changed since last time"
    )
    if done.changes:
        counted = ", ".join(f"{number} {change}" for change, number in done.changes.items())
        click.echo(f"suggested codes: {counted}")
    for finding in tables.rows(done.findings):
        where = f", quote {finding.segment}" if finding.segment else ""
        click.echo(
            f"{finding.kind}: {finding.coder}, unit {finding.unit[:12]}{where}: {finding.detail}"
        )
    waiting = done.to_mend.drop_duplicates(["arm", "coder", "studio_task"])["coder"]
    if len(waiting):
        counted = ", ".join(f"{name_of(coder)} {n}" for coder, n in Counter(waiting).items())
        click.echo(f"tasks for their coders to mend: {counted}; `labeler findings` lists them")
