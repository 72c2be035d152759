"""`labeler reliability`."""

from __future__ import annotations

import click

from labeler.codebook import Gate
from labeler.commands.options import batch_of, batch_option, json_option, study_of
from labeler.commands.output import as_json, verdicts
from labeler.pipeline.results import reliability


@click.command("reliability")
@batch_option
@click.option(
    "--tentative",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="The bound that opens the gate.  [default: the codebook's]",
)
@click.option(
    "--reliable",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="The bound that counts as reliable.  [default: the codebook's]",
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    batch: str | None,
    tentative: float | None,
    reliable: float | None,
    machine: bool,
) -> None:
    """Krippendorff's alpha with its interval for each variable and panel, and the gate's verdicts.

    The gate decides on the one-sided lower 95% bound among blind humans. Humans among themselves
    and the model against humans are never one figure.
    """
    study = study_of(context)
    gate = None
    if tentative is not None or reliable is not None:
        own = study.codebook.gate
        low = own.tentative if tentative is None else tentative
        high = max(low, own.reliable) if reliable is None else reliable
        if high < low:
            raise click.UsageError(f"--reliable {high} lies below --tentative {low}")
        gate = Gate(tentative=low, reliable=high)
    rows = reliability(study, batch=batch_of(study, batch), gate=gate)
    if machine:
        as_json(rows)
        return
    verdicts(rows)
