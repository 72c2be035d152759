"""`labeler anchoring`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from labeler.coding.vocabulary import HUMANS, name_of
from labeler.commands.coding_options import table_options, understood
from labeler.commands.options import json_option
from labeler.commands.output import as_json, number, probability, table, told
from labeler.files.coded_cells import CellSettings
from labeler.reliability.assessments.anchoring import BOUND
from labeler.reliability.files.anchoring import AnchoringReport, AnchoringSettings, anchoring
from labeler.statistics.agreement.distances import Level

NUMBERS = ("value", "low", "high", "p", "n")
WORDS = ("method", "verdict", "note")
SHOWN = {
    "agreement_inflation": "agreement inflation",
    "agreement_inflation.further_coders": "  for further coders too",
    "adoption_share": "adoption share",
    "over_reliance": "over-reliance",
    "under_reliance": "under-reliance",
    "alpha_inflation": "alpha inflation",
    "pull_to_model": "pull to the model",
    "value_shift": "shift of the value",
    "lead_time.ratio": "lead time, ratio",
}
CODES = 12


@click.command("anchoring")
@table_options()
@click.option(
    "--model",
    default="",
    metavar="NAME",
    help="The coder whose codes were suggested, or a column that holds them beside each coding.  "
    "[default: the one coder without an arm]",
)
@click.option("--unit", default="unit", show_default=True, metavar="COLUMN", help="The unit.")
@click.option("--coder", default="coder", show_default=True, metavar="COLUMN", help="Who coded.")
@click.option("--arm", default="arm", show_default=True, metavar="COLUMN", help="The arm.")
@click.option("--value", default="value", show_default=True, metavar="COLUMN", help="The code.")
@click.option("--lead-time", default="", metavar="COLUMN", help="Seconds it took, if known.")
@click.option(
    "--blind", default="blind", show_default=True, metavar="TEXT", help="The arm without view."
)
@click.option(
    "--assisted", default="assisted", show_default=True, metavar="TEXT", help="The arm with it."
)
@click.option(
    "--bound",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=BOUND,
    show_default=True,
    help="Within ± this, agreement and shares count as equivalent.",
)
@click.option("--seed", default=1, show_default=True, help="For the random ways.")
@json_option
def command(
    file: Path,
    level: Level,
    domain: tuple[str, ...],
    bound: float,
    seed: int,
    machine: bool,
    separator: str,
    recode: tuple[tuple[str, str], ...],
    **columns: Any,
) -> None:
    """What seeing a suggestion does to a code: blind and assisted codings compared.

    FILE is a long table, a row a coding: unit, coder, arm, value, and the model's codings as those
    of a further coder; or an export of Label Studio whose tasks say the arm. Best, the same units
    are in both arms, by different coders. "No anchoring" is a claim of its own: two one-sided tests
    against --bound, not a missing star.
    """
    given = AnchoringSettings(file, **columns)
    cells = CellSettings(separator, recode)
    answer = anchoring(given, level=level, domain=domain, bound=bound, seed=seed, cells=cells)
    understood(answer.remarks)
    if answer.left_out:
        told(f"{answer.left_out} codings of other arms are left out")
    if machine:
        as_json(_plain(answer, level=level, bound=bound, seed=seed))
        return
    _people(file, answer, level=level, bound=bound)


def _plain(answer: AnchoringReport, **settings: object) -> dict[str, object]:
    measures: dict[str, object] = {}
    per_code: dict[str, dict[str, object]] = {}
    coders: dict[str, dict[str, object]] = {}
    for row in answer.rows:
        numbers: dict[str, object] = {name: _known(row.get(name)) for name in NUMBERS}
        numbers |= {name: row.get(name, "") for name in WORDS}
        if row["code"]:
            per_code.setdefault(row["code"], {})[row["measure"]] = numbers
        elif row["coder"] == HUMANS:
            measures[row["measure"]] = numbers
        else:
            coders.setdefault(name_of(row["coder"]), {})[row["measure"]] = numbers
    return {
        "n_units": answer.n_units,
        "n_units_in_both_arms": answer.n_both,
        "n_coders": answer.n_coders,
        "n_codings": answer.n_codings,
        "model": answer.model,
        **settings,
        "verdict": _whole(answer)["agreement_inflation"].get("verdict", ""),
        "measures": measures,
        "per_code": per_code,
        "coders": coders,
    }


def _known(value: float | None) -> float | None:
    """A number for machines: null where there is none, or no end."""
    return value if value is not None and math.isfinite(value) else None


def _whole(answer: AnchoringReport) -> dict[str, dict[str, Any]]:
    return {
        row["measure"]: row for row in answer.rows if not row["code"] and row["coder"] == HUMANS
    }


def _people(file: Path, answer: AnchoringReport, *, level: str, bound: float) -> None:
    """What was compared, the verdict with its bound, the measures, the codes that moved."""
    whole = _whole(answer)
    click.echo(
        f"{file.name}: {answer.n_units} units ({answer.n_both} in both arms), {answer.n_coders} "
        f"coders, {answer.n_codings} codings, {level}; suggestions of {answer.model}"
    )
    inflation = whole["agreement_inflation"]
    click.echo(f"{inflation['verdict']}: {_sentence(whole, bound)}")
    if inflation["verdict"] == "undefined":
        return
    rows = []
    notes: dict[str, str] = {}
    for measure, words in SHOWN.items():
        if measure not in whole:
            continue
        row = whole[measure]
        mark = notes.setdefault(row["note"], f"[{len(notes) + 1}]") if row["note"] else ""
        rows.append((f"  {words}", number(row["value"]), _interval(row), _p(row), mark))
    table(["  measure", "value#", "95% interval#", "p#", ""], rows)
    for note, mark in notes.items():
        click.echo(f"{mark} {note}")
    click.echo(f"inflation: {inflation['method']}; the methods of the others: --json")
    _codes(answer)
    _coders(answer, whole)


def _sentence(whole: dict[str, dict[str, Any]], bound: float) -> str:
    inflation = whole["agreement_inflation"]
    if inflation["verdict"] == "undefined":
        return str(inflation["note"])
    seen, blind = (whole[f"agreement.{arm}"]["value"] for arm in ("assisted", "blind"))
    shown = whole["equivalence"]
    where = "inside" if shown["verdict"] == "equivalent" else "not inside"
    return (
        f"{seen:.1%} agree with the suggestion in view, {blind:.1%} without; 90% interval of the "
        f"difference {shown['low']:.3f} to {shown['high']:.3f}, {where} ±{bound:g}"
    )


def _interval(row: dict[str, Any]) -> str:
    return f"{row['low']:.3f} to {row['high']:.3f}" if row["low"] == row["low"] else "–"


def _p(row: dict[str, Any]) -> str:
    return probability(row["p"])


def _codes(answer: AnchoringReport) -> None:
    shifts = [row for row in answer.rows if row["measure"] == "prevalence_shift"]
    moved = [row for row in shifts if row["verdict"].startswith("shifted")]
    if not shifts:
        return
    click.echo(f"codes whose share is shifted: {len(moved)} of {len(shifts)}")
    for row in moved[:CODES]:
        click.echo(f"  {row['code']} {row['value']:+.1%} ({_interval(row)}; {row['note']})")


def _coders(answer: AnchoringReport, whole: dict[str, dict[str, Any]]) -> None:
    if "lead_time.blind" in whole and "lead_time.assisted" in whole:
        seen, blind = (whole[f"lead_time.{arm}"] for arm in ("assisted", "blind"))
        click.echo(f"median lead time {seen['value']:.0f} s assisted, {blind['value']:.0f} s blind")
    stamps = [row for row in answer.rows if row["measure"] == "rubber_stamping"]
    flagged = [row for row in stamps if row.get("verdict") == "flagged"]
    judged = [row for row in stamps if row.get("verdict") != "undefined"]
    if judged:
        click.echo(f"accepting without reading: {len(flagged)} of {len(judged)} coders flagged")
    for row in flagged:
        click.echo(f"  {name_of(row['coder'])}: {row['note']}")
