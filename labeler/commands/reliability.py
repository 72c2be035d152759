"""`labeler reliability`."""

from __future__ import annotations

import click

from labeler.codebook.codebook import Gate
from labeler.coding.read import seen_before
from labeler.commands.options import json_option, sample_option, study_of
from labeler.commands.output import as_json, told
from labeler.commands.verdicts import shown
from labeler.reliability.gate import MEANING, Family
from labeler.reliability.reliability import reliability
from labeler.store import tables
from labeler.study.study import sample_of


@click.command("reliability")
@sample_option
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
@click.option(
    "--family",
    type=click.Choice(list(MEANING)),
    default="all",
    show_default=True,
    help="What verdicts mean together: all must pass, or which passed (Holm).",
)
@click.option("--codes", is_flag=True, help="Show the verdict on each code, too.")
@json_option
@click.pass_context
def command(
    context: click.Context,
    batches: tuple[str, ...],
    tentative: float | None,
    reliable: float | None,
    family: Family,
    codes: bool,
    machine: bool,
) -> None:
    """Agreement for each variable and code, with intervals, and the gate's verdicts.

    The gate decides on the one-sided lower bound of Krippendorff's alpha among blind humans.
    Several batches are judged together, weighted by the chance to come in by any of their draws.
    Each look at other codings has a level of its own, so that all looks together pass wrongly in
    5% at most. Humans among themselves and the model against humans are never one figure. All
    panels and coefficients: --json, `labeler serve` or `labeler export`.
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
    batch = sample_of(study, batches)
    judged = reliability(study, batch=batch, gate=gate, family=family)
    for row in tables.rows(seen_before(study.engine, batch)):
        told(
            f"{row.coder}: {row.units} units coded blind after their texts had been in view with "
            "codes: no evidence, left out"
        )
    if machine:
        as_json(judged._asdict())
        return
    shown(judged, study.codebook, codes=codes)
