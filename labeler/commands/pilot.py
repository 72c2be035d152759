"""`labeler pilot`."""

from __future__ import annotations

from typing import Any

import click

from labeler.coding.vocabulary import BETWEEN_MODELS
from labeler.commands.options import json_option, study_of
from labeler.commands.output import as_json, number, table
from labeler.commands.progress import ProgressDisplay
from labeler.commands.request_options import (
    COST,
    PROMPT,
    SECTIONS,
    SPEED,
    request_options,
    request_settings,
)
from labeler.commands.sections import SectionedCommand
from labeler.workflow.pilot import BOTH, PilotResult, pilot


@click.command("pilot", cls=SectionedCommand, sections=SECTIONS)
@click.option(
    "--posts",
    metavar="N",
    default=100,
    show_default=True,
    type=click.IntRange(10),
    help="Code N posts both ways.",
)
@request_options(PROMPT, COST, SPEED)
@json_option
@click.pass_context
def command(context: click.Context, /, **given: Any) -> None:
    """Code the same posts alone and --several a request; say what that costs in agreement.

    Several posts a request are cheaper, but codes change: `labeler prelabel --several` is refused
    until a pilot has shown how much. Adjudicated units come first.
    """
    settings = request_settings(given)
    if settings.several < 2:
        raise click.UsageError("--several: how many posts are to share a request?")
    study = study_of(context)
    with ProgressDisplay() as shown:
        found = pilot(
            study, settings, posts=given["posts"], report=shown.report, progress=shown.progress
        )
    as_json(found._asdict()) if given["machine"] else _show(found, settings.several)


def _show(found: PilotResult, several: int) -> None:
    click.echo(f"{found.posts} posts coded alone and {several} together")
    for name, rows in found.agreement.groupby("comparison", sort=False):
        click.echo(f"\n{name}")
        if name == BOTH:
            click.echo(f"  {BETWEEN_MODELS}")
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
