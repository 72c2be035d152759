"""`labeler aggregate`."""

from __future__ import annotations

import click
import pandas as pd

from labeler.commands.options import json_option, sample_option, study_of
from labeler.commands.output import as_json, number, table, told
from labeler.results.results import aggregate, of_model
from labeler.store import tables
from labeler.study.study import sample_of


@click.command("aggregate")
@sample_option
@click.option("--variable", "variables", multiple=True, help="Only this one; may be repeated.")
@click.option(
    "--override",
    default="",
    metavar="REASON",
    help="Open the gate; the reason will stand on every result.",
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    batches: tuple[str, ...],
    variables: tuple[str, ...],
    override: str,
    machine: bool,
) -> None:
    """Shares per code among blind human codes, for the variables that the gate lets through.

    Ends with exit code 3 where the gate held one of them shut; those that passed are written.
    """
    study, override = study_of(context), override.strip()
    name = sample_of(study, batches)
    rows = aggregate(study, batch=name, variables=variables, override=override)
    model = {variable: ruling for variable, ruling in of_model(study, name).items() if variable}
    if model:
        said = ", ".join(f"{variable} {ruling}" for variable, ruling in model.items())
        told(f"the model against blind humans: {said}")
    if machine:
        as_json(rows)
        return
    if override:
        told(f"the gate was overridden: {override}")
    table(
        ["code", "carry it#", "units#", "share#", "95% interval#", "gate", "may not leave"],
        [
            (
                row["code"],
                row["count"],
                row["units"],
                "–" if pd.isna(row["value"]) else f"{row['value']:.1%}",
                "–"
                if pd.isna(row["low"])
                else f"{number(100 * row['low'], 1)} to {number(100 * row['high'], 1)}%",
                row["verdict"],
                row["hidden"],
            )
            for row in tables.records(rows)
        ],
    )
