"""`labeler codings import`."""

from __future__ import annotations

from pathlib import Path

import click

from labeler.coding.import_rows import FIELDS
from labeler.commands.coding_options import cell_options, conditions, listed
from labeler.commands.options import json_option, one, study_of
from labeler.commands.output import as_json, table, told
from labeler.sampling.import_batch import ImportSettings, import_codings
from labeler.workflow.import_model import ModelImport, import_model

NAMED = ("unit", "coder", "variable", "value")


def _columns(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    pairs = {}
    for text in given:
        ours, mark, theirs = text.partition("=")
        if not mark or ours not in FIELDS or not theirs:
            raise click.BadParameter(
                f"{text!r}: write NAME=COLUMN, NAME one of {', '.join(FIELDS)}"
            )
        pairs[ours] = theirs
    return pairs


@click.group("codings")
def command() -> None:
    """Codings that were made elsewhere."""


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--arm",
    type=click.Choice(["blind", "assisted", "file"]),
    help="Of people: did they see suggestions? `file`: its column `arm` says so, row by row.",
)
@click.option(
    "--batch",
    metavar="NAME",
    multiple=True,
    callback=one,
    help="The batch's name.  [default: a hash]",
)
@click.option("--unit", metavar="COLUMN", help="A post's key.  [default: unit]")
@click.option("--coder", metavar="COLUMN", help="Who coded.  [default: coder]")
@click.option(
    "--variable",
    metavar="COLUMN",
    help="Which variable, or one of the codebook that all are of.  [default: variable]",
)
@click.option("--value", metavar="COLUMN", help="Which value.  [default: value]")
@click.option(
    "--column",
    "columns",
    multiple=True,
    callback=_columns,
    metavar="NAME=COLUMN",
    help=f"Which column holds what; NAME is one of {', '.join(FIELDS)}.",
)
@click.option(
    "--where",
    multiple=True,
    callback=conditions,
    metavar="COLUMN=TEXT",
    help="Only rows with this text; may be repeated.",
)
@cell_options
@click.option(
    "--kind",
    type=click.Choice(["human", "model"]),
    help="All coders are people, also those who are called like a model; or all are models.",
)
@click.option(
    "--coders", callback=listed, metavar="A,B", help="Columns that are coders, where each is."
)
@click.option("--without", callback=listed, metavar="A,B", help="Columns that are none.")
@click.option("--sheet", default="", metavar="NAME", help="Which sheet of a workbook.")
@click.option("--suggester", metavar="CODER", help="The model to compare the coders with.")
@click.option("--replace", "again", is_flag=True, help="Let the file replace the batch's codings.")
@json_option
@click.pass_context
def import_(
    context: click.Context,
    /,
    file: Path,
    arm: str | None,
    batch: str | None,
    columns: dict[str, str],
    where: tuple[tuple[str, str], ...],
    missing: tuple[str, ...],
    recode: tuple[tuple[str, str], ...],
    separator: str,
    kind: str | None,
    coders: tuple[str, ...],
    without: tuple[str, ...],
    sheet: str,
    suggester: str | None,
    again: bool,
    machine: bool,
    **named: str | None,
) -> None:
    """Bring codings made elsewhere into the project: of people as a batch of its own, of models
    (--kind model) as answers of a model, which `labeler sample --suggester` can show.

    FILE is a long table (CSV, TSV, Excel, Parquet), a row a coding: which post (its key, or the
    columns platform and platform_id), who coded, which variable, which value. It may have a
    segment (its name, with start and end or its quote), a replicate (1, or 2 where a coder coded
    a post again), an arm, and the probability with which the post was drawn. Codes of a set are
    joined by + (or ; | , or a JSON list), the set without a code is +, an empty value is not coded.

    A wide table will do as well: a column for each variable beside one of coders, or, with
    --variable and a variable's name, a column for each coder. So will an export of Label Studio
    (CSV, JSON, JSON-MIN) whose tasks name the post; codes of regions are left out. Counts of coders
    per code say not who coded and are refused.

    The posts and the codebook must be in the project. One fault and nothing is written.
    """
    given = {**{name: column for name, column in named.items() if column}, **columns}
    if kind == "model" and (arm or batch or suggester or again):
        raise click.UsageError(
            "--kind model: a model's codings have no arm and are in no batch; leave --arm, "
            "--batch, --suggester and --replace out"
        )
    if kind != "model" and not arm:
        raise click.UsageError("say with --arm whether the coders saw suggestions")
    wish = ImportSettings(
        "" if arm in (None, "file") else str(arm),
        given,
        where,
        sheet,
        missing,
        recode,
        people=kind == "human",
        coders=coders,
        without=without,
        separator=separator,
    )
    if kind == "model":
        _show_model(import_model(study_of(context), file, wish), machine=machine)
        return
    done = import_codings(
        study_of(context), file, wish, batch=batch or "", suggester=suggester, again=again
    )
    if machine:
        as_json(done._asdict())
        return
    for coder in done.new_coders:
        told(f"{coder} is noted as a coder")
    table(
        ["batch", "coders#", "units#", "codings#", "segments#"],
        [(done.batch, len(done.coders), done.units, done.codings, done.segments)],
    )
    if done.silent:
        told(f"the file says nothing of {', '.join(done.silent)}: its coders count as not asked")
    told(f"next: labeler reliability --batch {done.batch}")


def _show_model(done: ModelImport, *, machine: bool) -> None:
    if machine:
        as_json(done._asdict())
        return
    for coder in done.new_coders:
        told(f"{coder} is noted as a coder")
    table(
        ["coders", "answers now#", "before#", "codings#", "segments#"],
        [(", ".join(done.coders), done.answered, done.before, done.codings, done.segments)],
    )
    for remark in done.remarks:
        told(remark)
    told(f"next: labeler sample --suggester {done.coders[0]}")
