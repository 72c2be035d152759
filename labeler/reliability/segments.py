"""Segments and their codings → RELIABILITY rows: how far coders marked the same words.

The main figure of a segment's variable is the presence of its codes in the unit, which needs no
alignment (see `reliability`). The rows here say whether the words are the same, too:

    span_f1.character, span_f1.token   pairwise F1 of the places marked, by code and for all
    segments.unmatched                 share of segments that the other coder did not mark
    segments.aligned_alpha             alpha of a variable on segments that both marked
    alpha_u                            Krippendorff's alpha of unitizing, by code and variable
    quotes.verbatim                    share of the model's quotes that stand in the post so

Humans among themselves and a model against humans are never one figure, and whoever coded a unit
and marked nothing gave an empty set. Offsets are code points. What is sampled is the unit.

Where units were drawn unequally each figure has a row weighted by 1/probability, which counts, and
one of the units coded, whose note says so. No verdict hangs on these rows: only the bounds of
`segments.aligned_alpha` are made for unequal drawing (see `statistics.agreement.unequal`); those
of the ratios and of alpha_U are the plain jackknife's, and narrow where few heavy units differ.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler.codebook.codebook import Codebook, Variable
from labeler.codebook.values import NUMBERS, Scale, domain_of
from labeler.coding.vocabulary import says_of_segments
from labeler.reliability.segment_arrays import (
    PanelArrays,
    UnitSampling,
    UnitTexts,
    Values,
    arrays_of,
    marked_of,
    panels,
    texts_of,
    unit_samplings,
    values_of,
)
from labeler.reliability.units_entered import ALIGNED
from labeler.reliability.weighting import OF_CODED, leads
from labeler.statistics.agreement import alpha, intervals
from labeler.statistics.agreement.distances import Floats, Level
from labeler.statistics.interval import Interval, joined_notes, undefined
from labeler.statistics.unitizing import ratios
from labeler.statistics.unitizing import spans as unitizing
from labeler.statistics.unitizing.alpha_u import Disagreement, alpha_u, disagreement
from labeler.statistics.unitizing.spans import Overlap, Rows, Spans
from labeler.text.coded_values import codes_of, number_text

MODEL_POST = "model-post"  # the kind of the row about the model's quotes
OF_SEGMENTS = ("span_f1", "segments.", "alpha_u", "quotes.")  # how their coefficients begin
ALL = "segment"  # stands for the segment itself, beside the names of variables, as in CHANGES
COLUMNS = [
    *("kind", "panel", "variable", "code", "coefficient", "weighting", "coders", "evidence"),
    *("value", "low", "high", "bound", "upper", "se", "method"),
    *("n_units", "n_pairable", "n_positive", "note"),
]
NO_EVIDENCE = "no evidence: suggestions were in view"
NOTHING = "no coder marked such a segment in a unit that two coders coded"
NO_ALIGNED = "no two coders marked the same segment and gave it a value"
NO_QUOTE = "the coder gave no quote"
FOUND = {
    "exact": "character by character",
    "normalised": "but for case, typographic characters and white space",
    "fuzzy": "nearly",
    "missing": "not in the post",
}  # the values of SEGMENTS.found of a model, and how a note calls them
NO_PAIR = "no pairable unit: no unit was coded by two coders of this panel"

Booleans = NDArray[np.bool_]


def segments_reliability(
    segments: pd.DataFrame,
    codings: pd.DataFrame,
    coded: pd.DataFrame,
    posts: pd.DataFrame,
    codebook: Codebook,
    *,
    suggester: str,
    groups: Mapping[str, str] | None = None,
    weights: Mapping[str, float] | None = None,
    clusters: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Columns COLUMNS, a row a panel, variable, code, coefficient and weighting.

    `segments` and `codings` are rows of SEGMENTS and CODINGS (first replicates count), `coded`
    (columns unit, coder, arm) says who coded which unit, with or without a segment to show for
    it, `posts` (columns unit, text) holds what the offsets count in. `suggester` is the model or
    the cues, '' for none; `groups` maps coders to their groups. `weights`, 1/inclusion probability
    by unit, add rows with the weighting 'design' for panels whose units all have one; `clusters`,
    such as the author by unit, are what is resampled in the units' place.

    `n_units` counts units coded by two coders of the panel, `n_pairable` codings of them,
    `n_positive` units in which somebody marked a segment with the code; on aligned segments
    `n_units` counts units with a pair, `n_pairable` the codings; of quotes, units and quotes.
    Empty where the codebook has no segments. Raises TableError for a unit without a post and for
    a segment that does not lie in it.
    """
    if codebook.segments is None:
        return pd.DataFrame(columns=COLUMNS)
    marked = marked_of(segments, coded)
    texts = texts_of(marked, coded, posts)
    values = values_of(marked, codings, codebook)
    rows: list[dict[str, Any]] = []
    for panel in panels(coded, suggester, groups):
        arrays = arrays_of(panel, marked, texts)
        about = {
            "kind": panel.kind,
            "panel": panel.name,
            "coders": ",".join(arrays.coders),
            "evidence": panel.evidence,
        }
        for sampling in unit_samplings(arrays.units, weights, clusters):
            for row in _compared(arrays, texts, values, codebook, sampling):
                if not panel.evidence:
                    row["note"] = "; ".join(text for text in (NO_EVIDENCE, row["note"]) if text)
                rows.append({**row, **about, "weighting": sampling.weighting})
    rows += _verbatim(marked, coded, suggester, weights, clusters)
    found = pd.DataFrame(rows, columns=COLUMNS)
    beside = [OF_CODED if aside else "" for aside in ~leads(found)]
    notes = zip(beside, found["note"].fillna(""), strict=True)
    return found.assign(note=[joined_notes(told, str(note)) for told, note in notes])


def _scopes(
    arrays: PanelArrays, values: Values, codebook: Codebook
) -> Iterator[tuple[str, str, Booleans]]:
    """Variable, code and which spans carry it: all segments, then each code of each variable."""
    yield ALL, "", np.ones(arrays.source.size, bool)
    for variable in codebook.of_segment:
        given = values[variable.variable][arrays.source]
        number, distinct = pd.factorize(given)  # -1: no value
        sets = [set(codes_of(str(value))) for value in distinct]
        for code in variable.codes:
            holds = np.array([code in one for one in sets] + [False])
            yield variable.variable, code, holds[number]


def _compared(
    arrays: PanelArrays,
    texts: UnitTexts,
    values: Values,
    codebook: Codebook,
    sampling: UnitSampling,
) -> Iterator[dict[str, Any]]:
    """The figures of one panel, without what all its rows share."""
    counted = {"n_units": arrays.units.size, "n_pairable": arrays.readings}
    categories: dict[str, list[Disagreement]] = {}
    carrying: dict[str, set[int]] = {}
    for variable, code, holds in _scopes(arrays, values, codebook):
        spans = arrays.spans.take(holds)
        positive = set(arrays.unit[spans.row].tolist())
        about = {"variable": variable, "code": code, **counted, "n_positive": len(positive)}
        category = _category(arrays, spans, sampling)
        for name, measured in _overlaps(arrays, spans, texts, sampling):
            yield {**about, "coefficient": name, **_figures(measured, _lost(arrays))}
        yield {**about, "coefficient": "alpha_u", **_unitized(arrays, [category], sampling)}
        if variable == ALL:
            yield {**about, "coefficient": "segments.unmatched", **_unmatched(arrays, sampling)}
        else:
            categories.setdefault(variable, []).append(category)
            carrying.setdefault(variable, set()).update(positive)
    for variable, given in categories.items():
        about = {"variable": variable, "code": "", **counted}
        about["n_positive"] = len(carrying[variable])
        yield {**about, "coefficient": "alpha_u", **_unitized(arrays, given, sampling)}
    yield from _aligned(arrays, values, codebook, sampling)


def _category(arrays: PanelArrays, spans: Spans, sampling: UnitSampling) -> Disagreement:
    """What the spans of one code contribute to alpha_U."""
    things = arrays.unit
    if sampling.clusters is not None:
        things = pd.factorize(sampling.clusters)[0].astype(np.int64)[arrays.unit]
    weights = None if sampling.weights is None else sampling.weights[arrays.unit]
    return disagreement(spans, arrays.rows, things, weights=weights)


def _unitized(
    arrays: PanelArrays, categories: list[Disagreement], sampling: UnitSampling
) -> dict[str, Any]:
    measured = alpha_u(
        categories,
        one="unit" if sampling.clusters is None else "cluster",
        empty=NOTHING if arrays.units.size else NO_PAIR,
    )
    met = sum(category.joined for category in categories)
    joined = f"{met} overlapping segments of one coder and code joined to another" if met else ""
    return _figures(measured, "; ".join(text for text in (joined, _lost(arrays)) if text))


def _overlaps(
    arrays: PanelArrays, spans: Spans, texts: UnitTexts, sampling: UnitSampling
) -> Iterator[tuple[str, Interval]]:
    """F1 of the places that `spans` mark, counted in code points and in tokens."""
    held = np.diff(texts.tokens.first)[arrays.text]
    in_tokens = unitizing.on_tokens(spans, texts.tokens, arrays.text)
    yield "span_f1.character", _f1(arrays, spans, arrays.rows, sampling)
    yield "span_f1.token", _f1(arrays, in_tokens, arrays.rows._replace(length=held), sampling)


def _f1(arrays: PanelArrays, spans: Spans, rows: Rows, sampling: UnitSampling) -> Interval:
    return _share(arrays, *unitizing.overlap(spans, rows), sampling)


def _share(arrays: PanelArrays, part: Floats, whole: Floats, sampling: UnitSampling) -> Interval:
    """The pooled ratio of sums over rows, with an interval over units or clusters."""
    sums = arrays.by_unit(Overlap(part, whole))
    return ratios.ratio(
        *sums,
        clusters=sampling.clusters,
        weights=sampling.weights,
        empty=NOTHING if arrays.units.size else NO_PAIR,
    )


def _unmatched(arrays: PanelArrays, sampling: UnitSampling) -> dict[str, Any]:
    """Segments without a partner among those of the other coder; a lost quote has none."""
    same = unitizing.matched(arrays.spans, arrays.rows)
    every = same.total + arrays.lost * (arrays.rows.coders - 1.0)
    note = ""
    if arrays.lost.any():
        note = f"{_quotes(arrays)} not found in the post counted as unmatched"
    return _figures(_share(arrays, every - same.shared, every, sampling), note)


def _aligned(
    arrays: PanelArrays,
    values: Values,
    codebook: Codebook,
    sampling: UnitSampling,
) -> Iterator[dict[str, Any]]:
    """Alpha of each variable on pairs of segments that both coders marked and gave a value."""
    first, second = unitizing.aligned(arrays.spans)
    unit = arrays.unit[arrays.spans.row[first]]
    for variable in codebook.of_segment:
        given = values[variable.variable][arrays.source]
        pairs = pd.DataFrame({"one": given[first], "other": given[second], "unit": unit}).dropna()
        yield {
            "variable": variable.variable,
            "code": "",
            "coefficient": ALIGNED,
            "n_units": pairs["unit"].nunique(),
            "n_pairable": 2 * len(pairs),
            "n_positive": math.nan,
            **_figures(_alpha(pairs, variable, sampling), f"alpha for level {_level(variable)}"),
        }


def _level(variable: Variable) -> Level:
    return "masi" if variable.multiple else variable.level


def _alpha(pairs: pd.DataFrame, variable: Variable, sampling: UnitSampling) -> Interval:
    """Alpha of the columns one and other; sets by MASI, single codes at the variable's level."""
    level = _level(variable)
    both = pairs[["one", "other"]]
    if not variable.values:
        both = both.map(number_text)
    domain = domain_of(Scale(level, variable.codes), both.to_numpy().ravel())
    if not len(pairs):
        return undefined(NO_ALIGNED)
    counts = alpha.count_values(both.to_numpy(object).T, domain)
    scale = domain
    if level in NUMBERS and variable.values:
        scale = [str(variable.value(code).number) for code in domain]
    place = pairs["unit"].to_numpy(np.int64)
    weights = None if sampling.weights is None else sampling.weights[place]
    together = place if sampling.clusters is None else sampling.clusters[place]
    alpha.alpha_checked(counts, level=level, domain=scale, weights=weights)
    return intervals.jackknife(
        counts, level=level, domain=scale, clusters=together, weights=weights
    )


def _verbatim(
    marked: pd.DataFrame,
    coded: pd.DataFrame,
    suggester: str,
    weights: Mapping[str, float] | None,
    clusters: Mapping[str, str] | None,
) -> Iterator[dict[str, Any]]:
    """The share of the suggester's quotes that stand in their posts character by character."""
    if not suggester or not says_of_segments(suggester):
        return
    own = marked[marked["coder"] == suggester]
    unit, units = pd.factorize(own["unit"])
    ways = [f"{(own['found'] == way).sum()} {words}" for way, words in FOUND.items()]
    for sampling in unit_samplings(np.asarray(units, object), weights, clusters):
        exact = np.bincount(unit, own["found"] == "exact", len(units)).astype(float)
        every = np.bincount(unit, minlength=len(units)).astype(float)
        measured = ratios.ratio(
            exact, every, clusters=sampling.clusters, weights=sampling.weights, empty=NO_QUOTE
        )
        yield {
            "kind": MODEL_POST,
            "panel": suggester,
            "variable": ALL,
            "code": "",
            "coefficient": "quotes.verbatim",
            "weighting": sampling.weighting,
            "coders": suggester,
            "evidence": 1,
            **_figures(measured, ", ".join(ways) if len(own) else ""),
            "n_units": int((coded["coder"] == suggester).sum()),
            "n_pairable": len(own),
            "n_positive": len(units),
        }


def _figures(measured: Interval, note: str) -> dict[str, Any]:
    """The columns that hold a figure; `note` comes after what the interval says."""
    return {
        "value": measured.value,
        "low": measured.low,
        "high": measured.high,
        "bound": measured.lower_one_sided,
        "upper": measured.upper_one_sided,
        "se": measured.se,
        "method": measured.method,
        "note": joined_notes(measured.note, note),
    }


def _lost(arrays: PanelArrays) -> str:
    """What F1 and alpha_U leave out: a quote that the post does not hold marks no place."""
    if not arrays.lost.any():
        return ""
    return f"{_quotes(arrays)} not found in the post left out, all codes taken together"


def _quotes(arrays: PanelArrays) -> str:
    """How many quotes have no place, each counted once however many humans it faces."""
    per_unit = np.zeros(arrays.units.size, np.int64)
    np.maximum.at(per_unit, arrays.unit, arrays.lost)
    n = int(per_unit.sum())
    return f"{n} quote{'s' if n != 1 else ''}"
