"""RELIABILITY and VERDICTS rows, grouped as the pages show them."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

from labeler.codebook.codebook import Codebook
from labeler.coding.vocabulary import GROUPED
from labeler.reliability.weighting import leading
from labeler.results.figures import reliability
from labeler.store.tables import records

KINDS = {"human-human": "human-human", "model-panel": "human-model"}  # of a panel: its comparison
TITLES = {
    "human-human": "Humans among themselves, blind",
    "human-model": "The model against the blind humans",
}
ENTERED = ("n_compared", "n_pairs", "n_there", "left_out")
AFTER_ALPHA = ("gwet_ac1", "positive_agreement", "negative_agreement")

Row = dict[str, Any]


class GroupPanel(NamedTuple):
    """Alpha within a group of coders, or between two: `rows`, one a variable."""

    title: str
    coders: str
    rows: list[Row]


class ComparisonVerdicts(NamedTuple):
    """The verdicts of one comparison: `rows`, one a variable, each with its `codes`."""

    comparison: str
    title: str
    coders: str
    rows: list[Row]


def verdicts(
    judged: pd.DataFrame, rows: pd.DataFrame, book: Codebook | None
) -> list[ComparisonVerdicts]:
    """Humans among themselves, then the model: never in one table.

    Each row is a VERDICTS row with the interval, and for codes the other coefficients beside.
    """
    if book is None or judged.empty:
        return []
    plain = leading(rows[rows["kind"].isin(KINDS)])
    beside: dict[tuple[str, str, str], Row] = {}
    coders: dict[str, str] = {}
    for row in records(plain):
        comparison = KINDS[row["kind"]]
        coders[comparison] = row["coders"]
        own = beside.setdefault((comparison, row["variable"], row["code"]), {})
        own[row["coefficient"]] = row
    found = []
    for comparison, title in TITLES.items():
        of_it = judged[judged["comparison"] == comparison]
        listed = [_with_codes(of_it, name, beside) for name in _order(of_it, book)]
        if listed:
            found.append(ComparisonVerdicts(comparison, title, coders.get(comparison, ""), listed))
    return found


def by_group(rows: pd.DataFrame, book: Codebook | None) -> list[GroupPanel]:
    """The panels within groups of coders, then those between them; alpha of whole variables."""
    alpha = rows["coefficient"].str.startswith("krippendorff_alpha")
    own = leading(rows[rows["kind"].isin(GROUPED) & alpha & (rows["code"] == "")])
    order = [v.variable for v in book.variables] if book else []
    found = []
    for kind in GROUPED:
        for panel, of_it in own[own["kind"] == kind].groupby("panel"):
            known = [row for row in records(of_it) if row["variable"] in order]
            known.sort(key=lambda row: order.index(row["variable"]))
            title = reliability.panel_title(str(panel), 1)
            found.append(GroupPanel(title, of_it["coders"].iloc[0], known))
    return found


def coefficients(
    rows: pd.DataFrame, book: Codebook | None
) -> list[tuple[str, list[tuple[str, int, str, list[Row]]]]]:
    """(variable, its panels as (title, evidence, coders, rows)); of whole variables only."""
    of_panel: dict[str, dict[tuple[str, int], list[Row]]] = {}
    for row in records(rows[rows["code"] == ""]):
        panels = of_panel.setdefault(row["variable"], {})
        panels.setdefault((row["panel"], int(row["evidence"])), []).append(row)
    known = [v.variable for v in book.variables] if book else []
    others = sorted(set(of_panel) - set(known))
    groups = []
    for name in [*(name for name in known if name in of_panel), *others]:
        panels = of_panel[name]
        ordered = sorted(panels, key=lambda panel: reliability.panel_order(*panel))
        groups.append((name, [_panel(*panel, panels[panel]) for panel in ordered]))
    return groups


def _panel(panel: str, evidence: int, rows: list[Row]) -> tuple[str, int, str, list[Row]]:
    listed = sorted(rows, key=lambda row: (_place(row["coefficient"]), not row["weighting"]))
    title = reliability.panel_title(panel, evidence, rows[0]["kind"])
    return title, evidence, rows[0]["coders"], listed


def _with_codes(judged: pd.DataFrame, name: str, beside: dict[tuple[str, str, str], Row]) -> Row:
    own = [_whole(row, beside) for row in records(judged[judged["variable"] == name])]
    first = next(row for row in own if not row["code"])
    return {**first, "codes": [row for row in own if row["code"]]}


def _whole(row: Row, beside: dict[tuple[str, str, str], Row]) -> Row:
    """A verdict with its interval, its counts and what stands beside alpha."""
    found = beside.get((row["comparison"], row["variable"], row["code"]), {})
    alpha = found.get(row["coefficient"], {})
    nothing = float("nan")
    extra = {name: found.get(name, {}).get("value", nothing) for name in AFTER_ALPHA}
    kept = ("low", "high", "percent", "n_pairable", "n_positive", "method", *ENTERED)
    return {**row, **{name: alpha.get(name, nothing) for name in kept}, **extra}


def _order(rows: pd.DataFrame, book: Codebook) -> list[str]:
    there = set(rows.loc[rows["code"] == "", "variable"])
    return [v.variable for v in book.variables if v.variable in there]


def _place(coefficient: str) -> tuple[bool, bool, str]:
    alpha = coefficient.startswith("krippendorff_alpha")
    return not alpha, coefficient.startswith("percent"), coefficient
