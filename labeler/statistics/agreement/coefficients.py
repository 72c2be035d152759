"""Every coefficient of agreement of a panel of coders, each with its interval, or with a reason.

A coefficient that corrects for chance is undefined, with the reason in words, where pairable
codings do not vary; it is never 1 for saying nothing. Percent agreement needs no variation.
The interval speaks of further units coded by the same coders, not of further coders.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeler.errors import TableError
from labeler.statistics.agreement import kappas
from labeler.statistics.agreement.alpha import alpha_checked, reason_undefined
from labeler.statistics.agreement.column_patterns import (
    ColumnPatterns,
    Columns,
    check_columns,
    column_patterns,
)
from labeler.statistics.agreement.definitions import DEFINITIONS, WEIGHTED
from labeler.statistics.agreement.distances import (
    Domain,
    Floats,
    Level,
    check_domain,
    name_of,
    places_of,
)
from labeler.statistics.agreement.intervals import (
    jackknife,
    jackknife_of_many,
    rare_flag,
    rare_note,
)
from labeler.statistics.agreement.linearised import IntervalSettings, linearised
from labeler.statistics.agreement.many_values import (
    PaddedCodings,
    alpha_of_many,
    labelled_within,
    padded,
    rare_units,
)
from labeler.statistics.interval import Interval, check_confidence, undefined

__all__ = ["DEFINITIONS", "applicable", "coefficients"]

ORDERED: tuple[Level, ...] = ("ordinal", "interval", "ratio")
SETS: tuple[Level, ...] = ("masi", "jaccard")
VALUES = 400  # beyond, what needs a table of values x values is left out
PAIRS = ("cohen_kappa", "scott_pi")  # of two coders, of the units that both coded
FAMILIES: dict[str, Callable[[ColumnPatterns, Floats], kappas.Linearisation]] = {
    "cohen_kappa": kappas.cohen,
    "scott_pi": kappas.fleiss,
    "fleiss_kappa": kappas.fleiss,
    "conger_kappa": kappas.conger,
    "gwet_ac1": kappas.gwet,
    "gwet_ac2": kappas.gwet,
    "brennan_prediger": kappas.brennan_prediger,
    "krippendorff_gwet": kappas.krippendorff_gwet,
    "percent_agreement": kappas.agreeing,
}


class _Request(NamedTuple):
    """What is computed: the panel, all of it and its pairable units, and how.

    `many`: the codings of more values than VALUES; then the panel holds labels within units, of
    which only percent agreement can be made.
    """

    panel: ColumnPatterns
    paired: ColumnPatterns
    domain: Domain
    level: Level
    confidence: float
    flag: str
    n_coders: int
    columns: Columns
    many: PaddedCodings | None = None


def coefficients(
    columns: Columns,
    *,
    domain: Domain,
    level: Level,
    weights: Floats | None = None,
    clusters: NDArray[Any] | None = None,
    confidence: float = 0.95,
    names: Iterable[str] | None = None,
) -> dict[str, Interval]:
    """The coefficients of `columns`, shape (coders, units): positions in `domain`, -1 not coded.

    `domain` holds the declared values in their order, `level` how they are measured; `weights`,
    shape (units,), are 1/inclusion probability, `clusters`, shape (units,), ids such as authors.
    `names` are keys of DEFINITIONS; by default all that apply (see `applicable`). A name that
    does not apply gives nan with the reason. Raises TableError for an unknown name, and for
    columns, domain, weights or clusters that do not fit.
    """
    check_domain(domain)
    check_confidence(confidence)
    question = None
    if weights is None and clusters is None and level not in SETS and len(domain) > VALUES:
        question = _of_many(columns, domain, level, confidence)
    if question is None:
        panel = column_patterns(columns, len(domain), weights=weights, clusters=clusters)
        paired = kappas.pairable(panel)
        flag = rare_flag(panel.counts, domain, panel.times) if paired.times.size else ""
        coders = len(panel.given)
        question = _Request(panel, paired, domain, level, confidence, flag, coders, columns)
    asked = applicable(question.n_coders, level, len(domain)) if names is None else tuple(names)
    for name in asked:
        if name not in DEFINITIONS:
            raise TableError(f"no coefficient is called {name!r}: {', '.join(DEFINITIONS)}")
    return {name: _estimate(name, question) for name in asked}


def _of_many(columns: Columns, domain: Domain, level: Level, confidence: float) -> _Request | None:
    """The same for units drawn alike, without a table of units and values; None where too few
    values are seen in units with two codings, or nobody differs."""
    check_columns(columns, len(domain))
    many = padded(columns, domain)
    labels = labelled_within(many)
    if len(many.domain) <= VALUES or labels.max() == 0:
        return None
    panel = column_patterns(labels, len(labels))
    carrying, commonest = rare_units(many)
    flag = rare_note(carrying, many.m.size, commonest)
    coders = int((columns >= 0).any(axis=1).sum())
    return _Request(panel, panel, domain, level, confidence, flag, coders, columns, many)


def applicable(n_coders: int, level: Level, n_values: int) -> tuple[str, ...]:
    """The names of the coefficients that apply to so many coders and values of that level."""
    plain = ("percent_agreement", "percent_agreement.units", "percent_agreement.pairable")
    if level in SETS:
        return (*(f"krippendorff_alpha.{of}" for of in SETS), *plain)
    families = [name for name in FAMILIES if n_coders == 2 or name not in PAIRS]
    alphas = ("nominal", *ORDERED[: ORDERED.index(level) + 1]) if level in ORDERED else (level,)
    names = [f"krippendorff_alpha.{of}" for of in alphas]
    names += [name for name in families if name in DEFINITIONS and name not in plain]
    names += plain
    if n_values == 2:
        names += ["positive_agreement", "negative_agreement"]
    if level in ORDERED:
        named = [f"{family}.{of}" for of in WEIGHTED for family in families]
        names += [name for name in named if name in DEFINITIONS]
    return tuple(names)


def _estimate(name: str, question: _Request) -> Interval:
    family, _, kind = name.partition(".")
    reason = _undefined(name, question)
    if reason:
        return undefined(reason)
    if family == "krippendorff_alpha":
        return _alpha(kind, question)
    panel = question.panel
    if family in (*PAIRS, "krippendorff_gwet") or family.endswith("_agreement"):
        panel = question.paired
    if name == "percent_agreement.pairable":
        found = kappas.agreeing_pairable(panel)
    elif family in ("positive_agreement", "negative_agreement"):
        found = kappas.specific(panel, int(family == "positive_agreement"))
    elif family == "percent_agreement" and kind not in WEIGHTED:
        found = kappas.agreeing(panel, None)
    else:
        weighting: Any = kind if kind in WEIGHTED else "identity"
        places = places_of(question.level, question.domain)
        found = FAMILIES[family](panel, kappas.agreement_weights(weighting, places))
    if math.isnan(found.value):
        value = name_of(question.domain[int(family == "positive_agreement")])
        return undefined(f"no pairable coding is {value}")
    floor = 0.0 if family.endswith("_agreement") else -1.0
    how = IntervalSettings(question.confidence, family == "cohen_kappa", floor, question.flag)
    return linearised(found, panel, how)


def _undefined(name: str, question: _Request) -> str:
    """Why a coefficient cannot be had from these codings; empty if it can."""
    family, _, kind = name.partition(".")
    panel, paired, coders = question.panel, question.paired, question.n_coders
    if coders == 1:
        return "a single coder: there is nobody to compare with"
    if not paired.times.size:
        return reason_undefined(panel.counts, question.domain)
    if family in PAIRS and coders != 2:
        return f"{family} is for two coders, these are {coders}: see fleiss_kappa, conger_kappa"
    if kind in WEIGHTED and question.level not in ORDERED:
        return f"{kind} weights need an order of the values: level {question.level!r} has none"
    if family in ("positive_agreement", "negative_agreement"):
        many = len(question.domain)
        return "" if many == 2 else f"{family} is for two values, {many} are declared"
    if family == "percent_agreement" and kind not in WEIGHTED:
        return ""
    if family in FAMILIES and len(question.domain) > VALUES:
        return (
            f"{len(question.domain)} values, more than {VALUES}: not computed, since it compares "
            "each value with each; alpha does without"
        )
    if family == "percent_agreement":
        return ""
    varied = np.count_nonzero(paired.counts.any(axis=0)) > 1
    return "" if varied else reason_undefined(panel.counts, question.domain)


def _alpha(kind: str, question: _Request) -> Interval:
    panel, level = question.panel, question.level
    stronger = {"nominal": ("nominal", *ORDERED), "ordinal": ORDERED, "interval": ORDERED[1:]}
    stronger |= {"ratio": ("ratio",), "masi": SETS, "jaccard": SETS}
    if level not in stronger[kind]:
        return undefined(f"the {kind} alpha does not fit values of level {level!r}")
    measured: Any = kind
    if question.many is not None:
        point, without = alpha_of_many(question.many, measured)
        found = jackknife_of_many(
            point, without, confidence=question.confidence, flag=question.flag
        )
        if found is not None:
            return found
        panel = column_patterns(question.columns, len(question.domain))
    data: dict[str, Any] = {"weights": panel.weights, "times": panel.times}
    data |= {"level": measured, "domain": question.domain}
    alpha_checked(panel.counts, **data)
    return jackknife(panel.counts, clusters=panel.group, confidence=question.confidence, **data)
