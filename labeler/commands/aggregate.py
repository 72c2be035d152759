"""`labeler aggregate`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from labeler.commands.estimate_tables import shown
from labeler.commands.options import json_option, sample_option, study_of
from labeler.commands.output import as_json, told
from labeler.results import recipe as recipes
from labeler.results.aggregate import Aggregation, aggregate, of_model, recipe_of
from labeler.study.study import sample_of


@click.command("aggregate")
@sample_option
@click.option(
    "--recipe",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What to compute, declared in a file.  [default: the share of every code]",
)
@click.option(
    "--by",
    multiple=True,
    metavar="NAME",
    help="Divide every share by a column of posts (platform, month, year) or a variable, too; "
    "may be repeated.",
)
@click.option("--variable", "variables", multiple=True, help="Only this one; may be repeated.")
@click.option(
    "--override",
    default="",
    metavar="REASON",
    help="Open the gate; the reason will stand on every result.",
)
@click.option(
    "--population",
    is_flag=True,
    help="Show what the stream would give that the posts came from, not the posts there are.",
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    batches: tuple[str, ...],
    file: Path | None,
    by: tuple[str, ...],
    variables: tuple[str, ...],
    override: str,
    population: bool,
    machine: bool,
) -> None:
    """Estimates for all posts: the model's codes, corrected by blind human codes.

    Of the variables that the gate lets through. Beside each corrected figure stand the model's own
    and that of the blind codes alone, its interval, and how far the model was of use. Both targets
    (the posts there are; the stream they came from) are computed and stored. Ends with exit code 3
    where the gate held a variable shut; tables of those that passed are written.
    """
    study, override = study_of(context), override.strip()
    if file and by:
        raise click.UsageError("--by adds to the default tables; with --recipe, name them there.")
    recipe = recipe_of(study, file) if file else recipes.default(study.codebook, by=by)
    name = sample_of(study, batches)
    made = aggregate(study, batch=name, recipe=recipe, variables=variables, override=override)
    model = {variable: ruling for variable, ruling in of_model(study, name).items() if variable}
    if model:
        said = ", ".join(f"{variable} {ruling}" for variable, ruling in model.items())
        told(f"the model against blind humans: {said}")
    for line in _remarks(made):
        told(line)
    if override:
        told(f"the gate was overridden: {override}")
    if machine:
        as_json(made.rows)
        return
    shown(made.rows, target="population" if population else made.recipe.targets[0])


def _remarks(made: Aggregation) -> Iterator[str]:
    """What the figures stand on: who coded of those drawn, and what could not be estimated."""
    for one in made.response:
        if one.drawn:
            rate = one.coded / one.drawn
            where = f"of {one.posts:,} posts ({one.stratum})" if len(made.response) > 1 else ""
            where = where or f"of {one.posts:,} posts"
            rest = "" if one.coded == one.drawn else "; the others are taken to be like these"
            yield f"coded blind: {one.coded} of {one.drawn} drawn ({rate:.0%}) {where}{rest}"
    if made.facts.unanswered:
        yield f"{made.facts.unanswered:,} posts without an answer of the model are not spoken of"
    if made.facts.draw_unknown:
        yield "nothing is known of how these units were drawn: they are taken as drawn at random"
    if made.facts.unnamed:
        yield f"by their probabilities the units stand for {made.facts.unnamed:,} posts more"
    for left in made.left_out:
        yield f"left out: {left.what}: {left.why}"
