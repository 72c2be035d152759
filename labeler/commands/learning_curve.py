"""`labeler learning-curve`."""

from __future__ import annotations

import click

from labeler.coders.embedding import learning_curve, train
from labeler.commands.options import json_option, study_of
from labeler.commands.output import as_json, told


@click.command("learning-curve")
@json_option
@click.pass_context
def command(context: click.Context, machine: bool) -> None:
    """How well `labeler prelabel --coder embed` does with more and more adjudicated units.

    Beside it, on the same held-out units: the cues coder, and always giving the most frequent
    code. Nothing is coded or written.
    """
    study = study_of(context)
    trained = train.trained_coder(study)
    curves = train.learning_curves(study, trained)
    if machine:
        as_json(learning_curve.table(curves))
        return
    for line in learning_curve.lines(curves):
        click.echo(line)
    for remark in train.remarks(trained):
        told(remark)
