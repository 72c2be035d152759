"""`labeler sample`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import click

from labeler.coding.vocabulary import human
from labeler.commands.options import json_option, one, study_of
from labeler.commands.output import as_json, number, table, told
from labeler.sampling.adjudicate import adjudicate
from labeler.sampling.adjudication import AdjudicationDraw
from labeler.sampling.design import Design
from labeler.sampling.plan import Plan, plan
from labeler.sampling.sample import SampleResult, sample

SIZE = click.IntRange(0)
DRAWINGS = ["simple", "stratified", "enriched", "uncertain"]
SOURCES = ["disagreed", "unresolved", "uncertain"]


class Overlap(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A number of coders, or `all`."""

    name = "n or all"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        """The number, or the word."""
        if value == "all":
            return "all"
        number: int = click.INT.convert(value, param, ctx)
        return number


@click.command("sample")
@click.option(
    "--batch",
    metavar="NAME",
    multiple=True,
    callback=one,
    help="The new batch's name; with --from, which batch.",
)
@click.option("--coders", required=True, metavar="A,B,…", help="Who codes.")
@click.option("--blind", default=0, type=SIZE, help="Units coded without a suggestion.")
@click.option("--assisted", default=0, type=SIZE, help="Units coded with suggestions.")
@click.option("--nested", is_flag=True, help="Draw the blind units from the assisted ones.")
@click.option(
    "--overlap", default=2, show_default=True, type=Overlap(), help="Coders for each blind unit."
)
@click.option("--drawing", type=click.Choice(DRAWINGS), help="How.  [default: simple]")
@click.option(
    "--by", multiple=True, metavar="VARIABLE", help="Stratify by it, or by `platform`; repeatable."
)
@click.option(
    "--allocation",
    default="proportional",
    show_default=True,
    type=click.Choice(["proportional", "equal"]),
    help="How strata share the units.",
)
@click.option(
    "--floor", default=0.2, show_default=True, help="Share that `uncertain` draws evenly."
)
@click.option("--repeat", default=0.0, help="Share of a coder's blind units that comes back.")
@click.option("--after", default=10, show_default=True, help="… after that many others.")
@click.option("--from", "source", type=click.Choice(SOURCES), help="Adjudicate units of --batch.")
@click.option(
    "--variable", "variables", multiple=True, help="With --from: on this one; repeatable."
)
@click.option("--size", type=click.IntRange(1), help="With --from: so many.  [default: all]")
@click.option("--own", is_flag=True, help="With --from: also units the adjudicator coded.")
@click.option("--plan", "planned", is_flag=True, help="Say what it costs and buys; draw nothing.")
@click.option("--alpha", default=0.8, show_default=True, help="With --plan: agreement assumed.")
@click.option("--seed", default=1, show_default=True, help="The same seed draws the same units.")
@click.option(
    "--suggester", metavar="CODER", help="Whose codes are suggested.  [default: the only one]"
)
@json_option
@click.pass_context
def command(context: click.Context, /, machine: bool, **given: Any) -> None:
    """Draw a batch: which units are coded, by whom, blind or with suggestions.

    Only blind codes are evidence of reliability. Nobody gets a unit in both arms, and the
    probability of each draw is kept. With --nested, some of the assisted units are coded blind as
    well, by other coders: what corrected shares are made from.

    `--drawing stratified` (the default where --by is given) draws from each platform or value of
    the model's codes, `enriched` more of its rare codes, `uncertain` more where it is unsure.

    With --from, units of a coded batch go to adjudicators, who see without names the blind codes
    and, unmarked among them, those of the batch's suggester; assisted codes are left out.
    """
    names = tuple(human(name.strip()) for name in given["coders"].split(",") if name.strip())
    if given["batch"] is None and not given["planned"]:
        raise click.UsageError("--batch: give the batch a name")
    if given["source"]:
        _adjudicated(context, names, given, machine=machine)
        return
    if given["variables"] or given["size"] or given["own"]:
        raise click.UsageError("--variable, --size and --own go with --from")
    design = _design(names, given)
    study, suggester = study_of(context), given["suggester"]
    if given["planned"]:
        found = plan(study, design, suggester=suggester, alpha=given["alpha"])
        _planned(found, design, machine=machine)
        return
    done = sample(study, design, batch=given["batch"], suggester=suggester)
    what = "drawn from" if done.new else "drawn already, unchanged"
    _drawn(done, f"{what} {done.frame} units" if done.new else what, machine=machine)


def _design(names: tuple[str, ...], given: dict[str, Any]) -> Design:
    drawing = given["drawing"] or ("stratified" if given["by"] else "simple")
    if (drawing == "simple" and given["by"]) or (drawing == "stratified" and not given["by"]):
        raise click.UsageError(f"--drawing {drawing}: --by goes with `stratified`, which needs it")
    everybody = given["overlap"] == "all"
    return Design(
        blind=given["blind"],
        assisted=given["assisted"],
        overlap=len(names) if everybody else given["overlap"],
        coders=names,
        seed=given["seed"],
        nested=given["nested"],
        drawing=drawing,
        by=given["by"],
        allocation=given["allocation"],
        floor=given["floor"],
        repeat=given["repeat"],
        after=given["after"],
    )


def _adjudicated(
    context: click.Context, names: tuple[str, ...], given: dict[str, Any], *, machine: bool
) -> None:
    if given["blind"] or given["assisted"] or given["planned"]:
        raise click.UsageError("--from takes units of a batch that is there: no --blind, --plan …")
    wish = AdjudicationDraw(
        given["source"], given["variables"], names, given["size"], given["own"], given["seed"]
    )
    done = adjudicate(study_of(context), wish, batch=given["batch"])
    what = f"{done.frame} {given['source']} units"
    _drawn(done, f"{what}, added" if done.new else f"{what}, nothing new", machine=machine)


def _drawn(done: SampleResult, what: str, *, machine: bool) -> None:
    if machine:
        as_json({"batch": done.batch, "new": done.new, "tasks": done.tasks})
        return
    told(f"batch {done.batch!r}: {what}")
    for line in _seen(done.coded, done.left_out):
        told(line)
    counts = Counter(zip(done.tasks["arm"], done.tasks["coder"], strict=True))
    table(["arm", "coder", "tasks#"], [(arm, coder, size) for (arm, coder), size in counts.items()])


def _seen(coded: int, left_out: int) -> Iterator[str]:
    """What cannot be avoided, since there are too few fresh posts."""
    if coded:
        yield (
            f"{coded} of these units are in batches of earlier versions of the codebook: too few "
            "fresh ones are left"
        )
    if left_out:
        yield (
            f"{left_out} further units are left out: too many of these coders have seen their "
            "texts with codes in view, and would not code them blind"
        )


def _planned(found: Plan, design: Design, *, machine: bool) -> None:
    if machine:
        parts = {
            "costs": [cost._asdict() for cost in found.costs],
            "widths": [_finite(width._asdict()) for width in found.widths],
        }
        as_json(found._asdict() | parts)
        return
    drawing = design.drawing + (f", {found.strata} strata" if found.strata > 1 else "")
    told(f"a plan, nothing is drawn: {design.drawn} of {found.frame} units, {drawing}")
    for line in _seen(found.coded, found.left_out):
        told(line)
    table(
        ["arm", "posts#", "coders each#", "codings#", "seconds each#", "", "hours#"],
        [
            (
                cost.arm,
                cost.units,
                cost.coders,
                cost.codings,
                f"{cost.seconds:.0f}",
                f"median of {cost.measured}" if cost.measured else "assumed",
                f"{cost.hours:.1f}",
            )
            for cost in found.costs
        ],
    )
    click.echo(f"hours for each of {len(design.coders)} coders: {found.each:.1f}\n")
    if not found.widths:
        click.echo("no blind units: no reliability, and no corrected share")
        return
    click.echo(f"blind units, 95%, if alpha is {found.alpha:g} and people code as the model does:")
    table(
        ["  variable", "rarest code", "with it#", "alpha ±#", "bound#", "needs#", "share ±#", ""],
        [
            (
                f"  {width.variable}",
                width.rarest or "–",
                number(width.carrying, 1),
                number(width.alpha_half),
                number(width.bound),
                f"{math.ceil(width.units_needed)}" if math.isfinite(width.units_needed) else "–",
                f"{100 * width.share_half:.1f} pp" if width.share_half >= 0 else "–",
                width.note,
            )
            for width in found.widths
        ],
    )
    click.echo(
        "bound: the lower bound to expect, on which the gate decides; needs: blind units after\n"
        "which it passes with a power of 80%; share ±: of the code nearest to a half, by blind\n"
        "codes alone"
    )


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }
