"""`labeler alt-test`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, get_args

import click

from labeler.coding.vocabulary import name_of
from labeler.commands.coding_options import column_options, table_options, understood
from labeler.commands.options import json_option
from labeler.commands.output import as_json, number, probability, table
from labeler.files.coded_cells import CellSettings
from labeler.files.spreadsheets import TableSettings
from labeler.reliability.assessments.alttest import AnnotatorTest
from labeler.reliability.files.alttest import AnnotatorTestReport, alternative
from labeler.statistics.agreement.distances import Level
from labeler.statistics.experiment.alttest import Q, Score


@click.command("alt-test")
@table_options()
@click.option(
    "--model",
    "models",
    multiple=True,
    required=True,
    metavar="NAME",
    help="The coder that is the model: a column of a wide table, else a name; may be repeated.",
)
@column_options("Of a wide table: the columns that are humans.  [default: all others]")
@click.option(
    "--epsilon",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.2,
    show_default=True,
    help="What a human's work costs more: .2 for experts, .15 for skilled coders, .1 for crowds.",
)
@click.option(
    "--score",
    type=click.Choice(get_args(Score)),
    help="Nearness to the other humans.  [default: accuracy; numbers rmse; sets masi or jaccard]",
)
@click.option(
    "--wilcoxon",
    is_flag=True,
    help="Test humans with fewer than 30 units by Wilcoxon, instead of not at all.",
)
@json_option
def command(
    file: Path,
    models: tuple[str, ...],
    level: Level,
    domain: tuple[str, ...],
    epsilon: float,
    score: Score | None,
    wilcoxon: bool,
    machine: bool,
    separator: str,
    recode: tuple[tuple[str, str], ...],
    **columns: Any,
) -> None:
    """The alternative-annotator test: may a model stand in for one of the human coders?

    FILE is read as by `labeler agreement`. Each human is left out in turn: is the model as near to
    the other humans? The model passes where it wins against half of the humans or more. All humans
    must have coded blind. The test needs three humans, with 30 units each that others coded too.
    """
    if columns["coder"] and not columns["value"]:
        raise click.UsageError("a long table needs all of --unit, --coder and --value")
    if score in ("masi", "jaccard") and level not in ("masi", "jaccard"):
        raise click.UsageError(f"--score {score} is for sets: give --level {score}")
    if score == "rmse" and level not in ("interval", "ratio"):
        raise click.UsageError("--score rmse is for numbers: give --level interval")
    answer = alternative(
        TableSettings(file, **columns),
        models=models,
        level=level,
        domain=domain,
        epsilon=epsilon,
        score=score,
        small="wilcoxon" if wilcoxon else "refuse",
        cells=CellSettings(separator, recode),
    )
    understood(answer.remarks)
    if machine:
        as_json(_plain(answer, level=level, epsilon=epsilon))
        return
    for model, tested in answer.models.items():
        _people(file, model, tested, answer, level)


def _plain(answer: AnnotatorTestReport, *, level: str, epsilon: float) -> dict[str, object]:
    models: dict[str, object] = {}
    for model, (whole, *codes) in answer.models.items():
        models[model] = _test(whole)
        if codes:
            models[model] = {**_test(whole), "per_code": {one.code: _test(one) for one in codes}}
    return {
        "n_units": answer.n_units,
        "n_humans": len(answer.humans),
        "level": level,
        "epsilon": epsilon,
        "q": Q,
        "models": models,
    }


def _test(tested: AnnotatorTest) -> dict[str, object]:
    """One test for machines; what is not a number is null."""
    test = tested.test
    return {
        "winning_rate": _known(test.omega),
        "verdict": _verdict(tested),
        "advantage_probability": {
            "value": _known(test.rho.value),
            "low": _known(test.rho.low),
            "high": _known(test.rho.high),
            "method": test.rho.method,
        },
        "epsilon": test.epsilon,
        "n_units": test.n_units,
        "n_humans_tested": test.n_humans,
        "method": test.method,
        "note": _note(tested),
        "humans": {
            name_of(coder): {
                "n": human.n,
                "advantage_probability": _known(human.rho),
                "human_advantage_probability": _known(human.rho_human),
                "difference": _known(human.difference),
                "statistic": _known(human.statistic),
                "p": _known(human.p),
                "p_adjusted": _known(human.p_adjusted),
                "rejected": human.rejected,
                "method": human.method,
                "note": human.note,
            }
            for human, coder in zip(test.humans, tested.coders, strict=True)
        },
    }


def _known(value: float) -> float | None:
    return None if value != value else value


def _verdict(tested: AnnotatorTest) -> str:
    return "undefined" if tested.note else tested.test.verdict


def _note(tested: AnnotatorTest) -> str:
    return "; ".join(part for part in (tested.test.note, tested.note) if part)


def _people(
    file: Path, model: str, tested: list[AnnotatorTest], answer: AnnotatorTestReport, level: str
) -> None:
    """The verdict, what it comes from, a line a human; of sets a line of codes."""
    (whole, *codes), test = tested, tested[0].test
    won = sum(human.rejected for human in test.humans)
    click.echo(
        f"{file.name}: {model} against {len(answer.humans)} humans, {answer.n_units} units, {level}"
    )
    click.echo(
        f"{test.verdict}: winning rate {number(test.omega, 2)} ({won} of {test.n_humans} humans; "
        f"from 0.5 on the model passes), epsilon {test.epsilon:g}"
    )
    if test.note:
        click.echo(f"  {test.note}")
    if not math.isnan(test.rho.value):
        click.echo(
            f"advantage probability {test.rho.value:.3f}, 95% interval {test.rho.low:.3f} to "
            f"{test.rho.high:.3f}"
        )
    rows = []
    for human, coder in zip(test.humans, whole.coders, strict=True):
        name = f"  {name_of(coder)}"
        ruling = human.note if human.p != human.p else "won" if human.rejected else "not won"
        p = probability(human.p_adjusted)
        rows.append((name, human.n, number(human.rho), number(human.rho_human), p, ruling))
    table(["  human", "units#", "model as near#", "human as near#", "p#", ""], rows)
    click.echo(f"{test.method}; p is adjusted")
    if codes:
        shown = ", ".join(
            f"{one.code} {number(one.test.omega, 2)} {_verdict(one)}" for one in codes
        )
        click.echo(f"each code, its own family: {shown}")
