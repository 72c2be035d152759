"""ESTIMATES rows → lines with what each estimator says of the same figure. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from labeler.codebook.codebook import Codebook
from labeler.store import tables
from labeler.text.coded_values import named_parts

BEST = ("two-phase", "corrected", "blind", "model")  # estimators, the best of them first
PERCENT = ("share", "share of row", "share of column")
MEASURES = (
    *("mean", "difference", "ratio", "trend"),
    *("chi-square", "cramers v", "cramers v corrected", "share", "delta-pmi"),
    *("share of row", "share of column", "count", "rate", "residual", "pearson residual"),
)
"""In the order in which they are read."""

_PLACED = ("code", "by", "within")
_OF = ("analysis", "measure", *_PLACED)

Row = Mapping[str, Any]


class EstimateLine(NamedTuple):
    """One figure: the ESTIMATES row of the best estimator there is, and each one's by its name."""

    best: Row
    of: Mapping[str, Row]

    @property
    def naive(self) -> Row | None:
        """What the model alone says, where that is not the best there is."""
        return None if self.best["estimator"] == "model" else self.of.get("model")


class AnalysisLines(NamedTuple):
    """The lines of one table of the analysis, for one target."""

    analysis: str
    lines: list[EstimateLine]


def side_by_side(rows: pd.DataFrame, *, target: str) -> list[AnalysisLines]:
    """The figures of each table, in the order in which their rows stand."""
    found: dict[str, dict[tuple[str, ...], dict[str, Row]]] = {}
    for row in tables.records(rows[rows["target"] == target]):
        key = tuple(str(row[name]) for name in _OF)
        found.setdefault(key[0], {}).setdefault(key, {})[row["estimator"]] = row
    return [
        AnalysisLines(name, [EstimateLine(_best(own), own) for own in lines.values()])
        for name, lines in found.items()
    ]


def _best(of: Mapping[str, Row]) -> Row:
    return next(of[name] for name in BEST if name in of)


def in_book_order(rows: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """The rows with codes in codebook order within table and measure; the rest by its text."""
    if rows.empty:
        return rows
    places: dict[str, int] = {}
    for variable in codebook.variables:
        places.setdefault(variable.variable, len(places))
        for code in variable.codes:
            places.setdefault(f"{variable.variable}:{code}", len(places))
    end = len(places)
    keyed = rows.assign(
        **{f"{name}_place": [places.get(text, end) for text in rows[name]] for name in _PLACED}
    )
    of_variable = pd.Series([places.get(named_parts(text)[0], end) for text in rows["code"]])
    keyed["first"] = of_variable.groupby(rows["analysis"].to_numpy()).transform("min").to_numpy()
    keyed["measure_place"] = [MEASURES.index(own) for own in rows["measure"]]
    placed = [part for name in _PLACED for part in (f"{name}_place", name)]
    order = ["first", "analysis", "measure_place", *placed]
    return keyed.sort_values(order, kind="stable", ignore_index=True)[list(rows.columns)]


def variables_of(texts: Iterable[str]) -> list[str]:
    """The names in such texts as `impact:positive`, each once, in order."""
    return list(dict.fromkeys(named_parts(text)[0] for text in texts if text))
