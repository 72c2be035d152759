"""`labeler ingest`."""

from __future__ import annotations

from pathlib import Path

import click

from labeler.commands.options import json_option, study_of
from labeler.commands.output import as_json, table, told
from labeler.posts.ingest import ingest
from labeler.posts.platforms import COLUMNS, FORMS


def _pairs(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    pairs = {}
    for text in given:
        ours, mark, theirs = text.partition("=")
        if not mark or ours not in COLUMNS or not theirs:
            raise click.BadParameter(
                f"{text!r}: write NAME=COLUMN, NAME one of {', '.join(COLUMNS)}"
            )
        pairs[ours] = theirs
    return pairs


@click.command("ingest")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--form", type=click.Choice(FORMS), help="What the records are.  [default: seen by their shape]"
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    callback=_pairs,
    metavar="NAME=COLUMN",
    help=f"For a table: which column holds what; NAME is one of {', '.join(COLUMNS)}.",
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    files: tuple[Path, ...],
    form: str | None,
    columns: dict[str, str],
    machine: bool,
) -> None:
    """Read posts from FILES: CSV, TSV, JSONL or Parquet, plain, .gz or .zst.

    Records of Reddit, X, YouTube, TikTok, Facebook and Bluesky and Brandwatch exports are known by
    their shape. A line that cannot be read is set aside with the reason, and the rest goes on.
    """
    study = study_of(context)
    done = ingest(study, files, form=form, columns=columns, report=told)
    if machine:
        rows = [
            {**row._asdict(), "file": str(row.file), "aside": row.aside and str(row.aside)}
            for row in done
        ]
        as_json(rows)
        return
    table(
        ["file", "records#", "new posts#", "set aside#", "where"],
        [(row.file.name, row.read, row.new, row.rejected, row.aside or "") for row in done],
    )
