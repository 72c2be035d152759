"""`labeler agreement`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from labeler.coding.vocabulary import BETWEEN_MODELS, looks_like_model
from labeler.commands.coding_options import column_options, conditions, table_options, understood
from labeler.commands.output import as_json, number, table, told
from labeler.files.coded_cells import CellSettings
from labeler.files.spreadsheets import TableSettings
from labeler.reliability.any_table import Method
from labeler.reliability.files.agreement import AgreementReport, agreement, write_table
from labeler.statistics.agreement.distances import Level
from labeler.statistics.interval import Interval

ORDERED = ("ordinal", "interval", "ratio")
SHOWN = 7
CODES = 12


@click.command("agreement")
@table_options(level=None)
@column_options(
    "Of a wide table: the columns that are coders.  [default: all but the units' names]"
)
@click.option(
    "--interval",
    default="jackknife",
    show_default=True,
    type=click.Choice(get_args(Method)),
    help="How alpha's intervals are made; KALPHA's only to compare with what it printed.",
)
@click.option("--per-code", is_flag=True, help="A table of each code against the rest.")
@click.option("--pairs", is_flag=True, help="A table of each pair of coders.")
@click.option(
    "--group",
    "groups",
    multiple=True,
    callback=conditions,
    metavar="CODER=GROUP",
    help="The group of a coder: agreement within and between groups, too; may be repeated.",
)
@click.option(
    "--table",
    "out",
    type=click.Path(path_type=Path),
    help="Write the table behind the coefficients, as it was understood, to this CSV file.",
)
@click.option("--json", "machine", is_flag=True, help="Print all coefficients as JSON.")
def command(
    file: Path,
    level: Level,
    domain: tuple[str, ...],
    interval: Method,
    per_code: bool,
    pairs: bool,
    groups: tuple[tuple[str, str], ...],
    out: Path | None,
    machine: bool,
    separator: str,
    recode: tuple[tuple[str, str], ...],
    **columns: Any,
) -> None:
    """Every coefficient of agreement for a table of codings, without a project.

    FILE is CSV, TSV, Excel or Parquet: wide, with a row a unit and a column a coder, or long, with
    a row a coding (--unit --coder --value); or what Label Studio exports as JSON, JSON-MIN or CSV,
    where of several variables --value names one. In a wide table a column
    called like an id (id, unit, post_id, …) names the units; columns that are no coders are left
    out and named, or asked about. Cells are read as text, so that 10, 10.0 and "10" are one code;
    an empty cell is not coded. Codes are ordered by size where all are numbers; an order of words
    has to be told by --domain. A set without a code is written as +.
    """
    if columns["coder"] and not columns["value"]:
        raise click.UsageError("a long table needs all of --unit, --coder and --value")
    found = agreement(
        TableSettings(file, **columns),
        level=level,
        domain=domain,
        pairs=pairs,
        groups=dict(groups),
        method=interval,
        cells=CellSettings(separator, recode),
    )
    understood(found.remarks)
    for codes, value in found.apart.items():
        told(
            f"{' and '.join(map(repr, codes))} count as {len(codes)} codes, since one coder uses "
            f"both; as one code, alpha would be {number(value)} (--map {codes[1]}={codes[0]})"
        )
    for text, times in found.doubts.items():
        told(
            f"{text!r} counts as a code ({times} times): if it means 'not coded', give "
            f"--missing {text!r}; if it is a code, say so by --domain"
        )
    if out is not None:
        write_table(found.matrix, out)
        told(f"{out}: {len(found.matrix.units)} units x {len(found.matrix.coders)} coders")
    if machine:
        as_json(_plain(found))
        return
    _people(file, found)
    if per_code:
        _codes(found)
    if pairs:
        _pairs(found)
    if found.groups:
        _groups(found)


def _plain(found: AgreementReport) -> dict[str, object]:
    """The result for machines; `pairs` only where it was asked for."""
    agreed = found.agreed
    plain: dict[str, object] = {
        **agreed._asdict(),
        "coefficients": _all(agreed.coefficients),
        "per_code": {code: _all(estimates) for code, estimates in agreed.per_code.items()},
    }
    if _models_alone(found):
        plain["meaning"] = BETWEEN_MODELS
    if found.pairs:
        plain["pairs"] = [
            {**pair._asdict(), "coefficients": _all(pair.coefficients)} for pair in found.pairs
        ]
    if found.groups:
        plain["groups"] = [
            {**one._asdict(), "coefficients": _all(one.coefficients)} for one in found.groups
        ]
    return plain


def _all(estimates: dict[str, Interval]) -> dict[str, dict[str, object]]:
    return {name: _one(estimate) for name, estimate in estimates.items()}


def _one(estimate: Interval) -> dict[str, object]:
    """An estimate for machines; what is not a number is null."""
    names = ("value", "low", "high", "se", "method", "note")
    given = {name: getattr(estimate, name) for name in names}
    return {name: None if part != part else part for name, part in given.items()}


def _people(file: Path, found: AgreementReport) -> None:
    """Ten lines: what was read, the coefficients that matter at this level, the codes."""
    agreed, coders = found.agreed, found.matrix.coders
    who = ", ".join(coders) if len(coders) <= 6 else f"{', '.join(coders[:5])}, …"
    if _models_alone(found):
        click.echo(BETWEEN_MODELS)
    elif models := _models(found):
        told(
            f"{', '.join(models)}: called like a model. What people and models agree on together "
            "is neither the reliability of people nor a model's accuracy: --without leaves a "
            "coder out, --pairs tells them apart"
        )
    click.echo(
        f"{file.name}: {agreed.n_units} units, {agreed.n_coders} coders ({who}), "
        f"{agreed.n_pairable} pairable codings, {agreed.level}"
    )
    shown = {name: agreed.coefficients[name] for name in _important(found)}
    notes = list(dict.fromkeys(one.note for one in shown.values() if one.note))
    marks = {note: f"[{place}]" for place, note in enumerate(notes, start=1)}
    rows = [(f"  {name}", *_shown(one), marks.get(one.note, "")) for name, one in shown.items()]
    table(["  coefficient", "value#", "95% interval#", ""], rows)
    for note, mark in marks.items():
        click.echo(f"{mark} {note}")
    if agreed.per_code:
        of = "krippendorff_alpha.nominal"
        each = [f"{code} {number(own[of].value, 2)}" for code, own in agreed.per_code.items()]
        more = f", … ({len(each)} codes)" if len(each) > CODES else ""
        click.echo(f"each code against the rest, alpha: {', '.join(each[:CODES])}{more}")


def _models(found: AgreementReport) -> list[str]:
    """The coders that are called like a model."""
    return [coder for coder in found.matrix.coders if looks_like_model(coder)]


def _models_alone(found: AgreementReport) -> bool:
    """Whether no coder is a person, by what they are called: then this is no reliability."""
    return len(_models(found)) == len(found.matrix.coders)


def _important(found: AgreementReport) -> list[str]:
    """The coefficients that are shown to people, those of the level first; all are in the JSON."""
    level = found.agreed.level
    names = [f"krippendorff_alpha.{level}"]
    if level in ORDERED:
        names += ["krippendorff_alpha.nominal", "cohen_kappa.quadratic", "gwet_ac2.quadratic"]
    names += ["cohen_kappa", "scott_pi", "fleiss_kappa", "conger_kappa", "gwet_ac1"]
    names += ["brennan_prediger", "percent_agreement.units", "percent_agreement.pairable"]
    names += ["krippendorff_alpha.masi", "krippendorff_alpha.jaccard"]
    two = found.agreed.n_coders == 2
    hidden = {"fleiss_kappa", "conger_kappa", "percent_agreement.pairable"} if two else set()
    there = [name for name in names if name in found.agreed.coefficients and name not in hidden]
    return list(dict.fromkeys(there))[:SHOWN]


def _shown(estimate: Interval) -> tuple[str, str]:
    known = estimate.low == estimate.low
    spread = f"{estimate.low:.3f} to {estimate.high:.3f}" if known else "–"
    return number(estimate.value), spread


def _codes(found: AgreementReport) -> None:
    names = ("krippendorff_alpha.nominal", "gwet_ac1", "positive_agreement")
    click.echo()
    rows = [
        (f"  {code}", *_shown(own[names[0]]), number(own[names[1]].value), *_shown(own[names[2]]))
        for code, own in found.agreed.per_code.items()
    ]
    table(["  code", "alpha#", "95% interval#", "AC1#", "positive#", "95% interval#"], rows)


def _pairs(found: AgreementReport) -> None:
    click.echo()
    rows = []
    for pair in found.pairs:
        alpha, *others = pair.coefficients.values()
        kappa = number(others[0].value) if len(others) > 1 else "–"
        both = looks_like_model(pair.first) and looks_like_model(pair.second)
        mark = "" if not both else " [models]"
        row = (f"  {pair.first}, {pair.second}{mark}", pair.n_units, *_shown(alpha), kappa)
        rows.append((*row, number(others[-1].value)))
    table(["  coders", "units#", "alpha#", "95% interval#", "kappa#", "percent#"], rows)
    if any("[models]" in str(row[0]) for row in rows):
        click.echo(f"[models] {BETWEEN_MODELS}")


def _groups(found: AgreementReport) -> None:
    click.echo()
    rows = []
    for one in found.groups:
        alpha, percent = one.coefficients.values()
        row = (f"  {one.panel}", len(one.coders), one.n_units, f"{one.n_pairs:,}", *_shown(alpha))
        rows.append((*row, number(percent.value)))
    names = ["  group", "coders#", "units#", "pairs#", "alpha#", "95% interval#", "percent#"]
    table(names, rows)
