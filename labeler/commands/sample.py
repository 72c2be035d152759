"""`labeler sample`."""

from __future__ import annotations

from collections import Counter

import click

from labeler.commands.options import json_option, study_of
from labeler.commands.output import as_json, table, told
from labeler.pipeline.sample import sample
from labeler.stages.sampling import Design

SIZE = click.IntRange(0)


@click.command("sample")
@click.option("--batch", required=True, metavar="NAME", help="The new batch's name.")
@click.option("--coders", required=True, metavar="A,B,…", help="Who codes.")
@click.option("--blind", default=0, type=SIZE, help="Units coded without a suggestion.")
@click.option("--assisted", default=0, type=SIZE, help="Other units, coded with suggestions.")
@click.option("--overlap", default=2, show_default=True, help="Coders for each blind unit.")
@click.option("--seed", default=1, show_default=True, help="The same seed draws the same units.")
@click.option(
    "--suggester", metavar="CODER", help="Whose codes are suggested.  [default: the only one]"
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    batch: str,
    coders: str,
    blind: int,
    assisted: int,
    overlap: int,
    seed: int,
    suggester: str | None,
    machine: bool,
) -> None:
    """Draw a batch: which units are coded, by whom, blind or with suggestions.

    Only blind codes are evidence of reliability. No unit is in both arms, and the probability of
    each draw is kept.
    """
    names = tuple(f"human:{name.strip()}" for name in coders.split(",") if name.strip())
    design = Design(blind=blind, assisted=assisted, overlap=overlap, coders=names, seed=seed)
    done = sample(study_of(context), design, batch=batch, suggester=suggester)
    counts = Counter(zip(done.tasks["arm"], done.tasks["coder"], strict=True))
    if machine:
        as_json({"batch": batch, "new": done.new, "tasks": done.tasks})
        return
    told(
        f"batch {batch!r}: drawn from {done.frame} units"
        if done.new
        else f"batch {batch!r}: drawn already, unchanged"
    )
    table(["arm", "coder", "tasks#"], [(arm, coder, size) for (arm, coder), size in counts.items()])
