"""`labeler demo`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import click

from labeler import resources
from labeler.cli import Context
from labeler.coding.vocabulary import PASS
from labeler.commands.output import number, table, told
from labeler.commands.progress import ProgressDisplay
from labeler.commands.serve import serving, until_interrupted
from labeler.project import Project
from labeler.reliability.gate import HUMAN, MODEL
from labeler.store import tables
from labeler.studio.server import server
from labeler.study.study import logged, open_study
from labeler.workflow.demo import model_server
from labeler.workflow.demo.demo import (
    CODERS,
    QUICK,
    WHOLE,
    DemoPosts,
    DemoResult,
    DemoSize,
    coded,
    model,
    others,
    prelabelled,
)
from labeler.workflow.demo.differences import differing_shares

SHARES = 8  # that are shown
WITHOUT_CODES = ("off-schema", "refusal", "truncated", "left-out")
MADE_UP = "Everything here is made up: the posts, the model, the coders, their codes."


@click.command("demo")
@click.option(
    "--once", is_flag=True, help="End when the report is made, and leave nothing running."
)
@click.option("--quick", is_flag=True, help="With 240 of the 3,000 posts.")
@click.option(
    "--port",
    default=0,
    type=click.IntRange(0, 65535),
    help="The report's port.  [default: a free one]",
)
@click.pass_obj
def command(context: Context, once: bool, quick: bool, port: int) -> None:
    """The whole way once, on bundled made-up posts: no key, no account, nothing sent anywhere.

    Starts a Label Studio and a made-up model, lets that pre-label the posts, draws units that are
    coded with suggestions, most of them blind as well by two other coders, lets three made-up
    coders submit their codes, and shows what the gate says and what the posts say then. A second
    run changes nothing; one that was killed goes on.
    """
    project, size = _project(context.project(), quick=quick), QUICK if quick else WHOLE
    told(MADE_UP)
    study = open_study(project)
    with logged(study, "demo", {"quick": quick}) as run:
        try:
            with (
                model_server.without_proxy(),
                model_server.serving(project.state, lambda: model(study.codebook)) as address,
            ):
                _run(_with_model(project, address), size, once=once, port=port)
        finally:
            if not others(study, run) and server.stop(project.studio_data):
                told("Label Studio stopped")


def _run(project: Project, size: DemoSize, *, once: bool, port: int) -> None:
    """Everything, and the report of it until Ctrl-C."""
    study = open_study(project)
    with serving(project, port=port) as page:
        if not once:
            told(f"The report fills while this runs: {page}")
        with ProgressDisplay() as display:
            posts = prelabelled(study, size, display.report, display.progress)
        done = coded(study, posts.model.coder, size, told)
        _show(posts, size, done)
        if not once:
            _addresses(done, page, project.llm_url)
        _next(once=once)
        click.echo(f"\n{MADE_UP}")
        if not once:
            told("Ctrl-C ends it")
            until_interrupted()


def _with_model(project: Project, address: str) -> Project:
    return dataclasses.replace(project, llm_url=address, llm_model=model_server.MODEL, llm_key="")


def _project(given: Project, *, quick: bool) -> Project:
    """The demo beside a study: the same folder, a store and a Label Studio of its own."""
    bundled = resources.folder("codebook") / "llm-mental-health.yaml"
    name = "demo-quick" if quick else "demo"
    return dataclasses.replace(
        given, name=name, database="", codebook=str(bundled), studio_url="", llm_model=""
    )


def _show(posts: DemoPosts, size: DemoSize, done: DemoResult) -> None:
    """The story of the run: what was done, what the gate says, what is in the bundle."""
    click.echo("\nWhat was done")
    for name, line in _steps(posts, size, done):
        click.echo(f"  {name:<10} {line}")
    click.echo("\nIs the coding good enough? Krippendorff's alpha, from blind codes alone")
    _verdicts(done)
    for line in _gate(done):
        click.echo(f"  {line}")
    _shares(done)
    click.echo(
        f"\nexports: {done.bundle.folder} ({len(done.bundle.files)} files, "
        f"{len(done.bundle.written)} new)\n"
        "         `labeler verify` with this folder computes its numbers again, from its own rows"
    )


def _steps(posts: DemoPosts, size: DemoSize, done: DemoResult) -> Iterator[tuple[str, str]]:
    """Name of each stage, and what it did."""
    first, last = posts.months
    asked = posts.model.answered + posts.model.before
    lost = {kind: n for kind, n in sorted(posts.model.faults.items()) if kind in WITHOUT_CODES}
    told_of = [f"{n} ended as {kind}" for kind, n in lost.items()]
    yield (
        "ingest",
        f"{posts.posts:,} posts by {posts.authors:,} authors on {posts.platforms} platforms, "
        f"{first} to {last}",
    )
    yield (
        "prelabel",
        f"{model_server.MODEL} coded {asked - sum(lost.values()):,} of {asked:,} for "
        f"{posts.model.spent} (made up);",
    )
    yield "", "; ".join([*told_of, f"{posts.unsupported} quotes stand in no post"])
    yield "sample", f"{size.assisted} posts at random, each coded once with suggestions in view,"
    yield "", f"{size.blind} of them also blind by two others: only blind codes are evidence"
    yield (
        "push, pull",
        f"{', '.join(CODERS[:-1])} and {CODERS[-1]} submitted {done.submitted:,} codings through "
        "Label Studio",
    )
    yield "aggregate", "what the gate lets through, below; `export` wrote it all down"


def _verdicts(done: DemoResult) -> None:
    """People among themselves and the model beside them, a line a variable."""
    whole = done.judged.verdicts[done.judged.verdicts["code"] == ""]
    found: dict[str, dict[str, Any]] = {}
    for row in tables.rows(whole):
        found.setdefault(row.comparison, {})[row.variable] = row
    lines = []
    for name, own in found[HUMAN].items():
        other = found.get(MODEL, {}).get(name)
        told_of = (
            (number(other.value), number(other.bound), other.verdict) if other else ("", "", "")
        )
        lines.append((f"  {name}", number(own.value), number(own.bound), own.verdict, *told_of))
    table(
        ["  variable", "people#", "at least#", "gate", "the model#", "at least#", "gate"],
        lines,
    )


def _gate(done: DemoResult) -> Iterator[str]:
    """What the verdicts mean."""
    rows = done.judged.verdicts
    people = rows[rows["comparison"] == HUMAN]
    whole, codes = people[people["code"] == ""], people[people["code"] != ""]
    open_ = int((whole["verdict"] == PASS).sum())
    lowest = float(whole["tentative"].iloc[0])
    yield (
        f"the gate is open where the lower bound reaches {lowest:g}: for {open_} of {len(whole)} "
        "variables,"
    )
    yield f"and for {int((codes['verdict'] == PASS).sum())} of {len(codes)} codes by themselves"
    shut = [f"{row.variable} ({row.verdict})" for row in tables.rows(whole) if row.verdict != PASS]
    if shut:
        yield f"the gate is shut for {', '.join(shut)}: nothing is aggregated of it"


def _shares(done: DemoResult) -> None:
    """Where the model alone would have told something else than it does once corrected."""
    found = differing_shares(done.estimates, most=SHARES)
    if not found:
        return
    click.echo("\nWhat the posts say: shares, where blind codes correct the model most")
    table(
        ["  table", "code", "the model#", "people#", "corrected#", "95% interval#"],
        [
            (
                f"  {one.analysis}",
                one.code,
                *(f"{part['value']:.1%}" for part in (one.model, one.blind, one.corrected)),
                f"{one.corrected['low']:.1%} to {one.corrected['high']:.1%}",
            )
            for one in found
        ],
    )


def _next(*, once: bool) -> None:
    """What to do next."""
    lines = {
        "labeler demo": "look around in this: all is there, so that it is quick",
        "labeler init": "in an empty folder: begin a study of your own",
        "labeler status": "there: what is pending, and which command comes next",
    }
    click.echo("\nNext")
    for command_, line in lines.items():
        if once or command_ != "labeler demo":
            click.echo(f"  {command_:<16} {line}")


def _addresses(done: DemoResult, page: str, model_address: str) -> None:
    """Where to look, and with which passwords."""
    click.echo("\nLook around")
    click.echo(f"  report:  {page}")
    click.echo(f"  studio:  {done.studio}")
    for login in done.logins:
        click.echo(f"           log in as {login.email}, password {login.password} (made up)")
    click.echo(f"  model:   {model_address} (made up)")
