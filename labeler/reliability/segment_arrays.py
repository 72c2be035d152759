"""Segments of the coders of a panel, as the arrays that `statistics.unitizing` compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labeler.codebook.codebook import Codebook
from labeler.coding.panels import grouped
from labeler.coding.vocabulary import (
    ASSISTED,
    BLIND,
    HUMANS,
    PanelKind,
    assisted,
    between,
    is_human,
    says_of_segments,
    versus,
    within,
)
from labeler.errors import TableError
from labeler.statistics.agreement.distances import Floats
from labeler.statistics.unitizing import spans as unitizing
from labeler.statistics.unitizing.spans import Ints, Overlap, Rows, Spans
from labeler.text.sentences import tokens

WHO = ["unit", "coder", "arm"]
Values = dict[str, NDArray[np.object_]]


class SegmentPanel(NamedTuple):
    """Whose segments are compared. `readers` has the columns row, unit, coder, arm.

    A row of it is a coder who coded a unit; the coders of one `row` are compared with each other.
    """

    kind: PanelKind
    name: str
    readers: pd.DataFrame

    @property
    def evidence(self) -> int:
        """1 where no suggestion was in view."""
        return int(self.kind != "assisted")


class UnitTexts(NamedTuple):
    """Units in order, how long their texts are, and where their tokens lie."""

    units: pd.Index[str]
    length: Ints
    tokens: unitizing.Tokens


class PanelArrays(NamedTuple):
    """A panel as arrays.

    units (units,): names of the units that two coders of the panel coded; unit (rows,) and text
    (rows,): the unit of a row among them, and its text; rows: in code points; spans, and `source`
    (spans,): which marked segment each span is; lost (rows,): quotes without a place, of all
    coders; coders: who took part.
    """

    units: NDArray[np.object_]
    unit: Ints
    text: Ints
    rows: Rows
    spans: Spans
    source: NDArray[np.intp]
    lost: Ints
    readings: int
    coders: list[str]

    def by_unit(self, sums: Overlap) -> Overlap:
        """Sums over the rows of each unit."""
        n = self.units.size
        return Overlap(*(np.bincount(self.unit, one, n).astype(float) for one in sums))


class UnitSampling(NamedTuple):
    """How units were drawn: weights and clusters of the units at hand, None where all alike."""

    weighting: str
    weights: Floats | None
    clusters: NDArray[np.object_] | None


def unit_samplings(
    units: NDArray[np.object_],
    weights: Mapping[str, float] | None,
    clusters: Mapping[str, str] | None,
) -> Iterator[UnitSampling]:
    """Without weights and, where each of the units has one, with them."""
    together = None
    if clusters is not None:
        together = np.array([clusters.get(unit) or unit for unit in units], object)
    yield UnitSampling("", None, together)
    if weights is not None and all(unit in weights for unit in units):
        yield UnitSampling("design", np.array([weights[unit] for unit in units], float), together)


def panels(
    coded: pd.DataFrame, suggester: str, groups: Mapping[str, str] | None = None
) -> Iterator[SegmentPanel]:
    """The panels of a batch; those with a model only where it says anything of segments.

    Two humans are no further pair, and one human is the whole panel that the model faces. With
    `groups` (coder → group) panels within and between groups, as those of `coding.panels`.
    """
    human = is_human(coded["coder"])
    who = {
        arm: coded.loc[human & (coded["arm"] == arm), WHO].drop_duplicates()
        for arm in (BLIND, ASSISTED)
    }
    blind, shown = who[BLIND], who[ASSISTED]
    names = sorted(set(blind["coder"]))
    yield SegmentPanel("human-human", HUMANS, _among(blind))
    yield from _by_group(blind, grouped(names, groups or {}))
    for one, other in combinations(names, 2) if len(names) > 2 else ():
        pair = blind[blind["coder"].isin((one, other))]
        yield SegmentPanel("human-pair", versus(one, other), _among(pair))
    if shown["coder"].nunique() > 1:
        yield SegmentPanel("assisted", assisted(HUMANS), _among(shown))
    model = coded.loc[coded["coder"] == suggester, WHO].drop_duplicates()
    if not suggester or not says_of_segments(suggester):
        return
    against = versus(suggester, HUMANS)
    yield SegmentPanel("model-panel", against, _against(model, blind))
    for name in names if len(names) > 1 else ():
        own = _against(model, blind[blind["coder"] == name])
        yield SegmentPanel("model-human", versus(suggester, name), own)
    if len(shown):
        yield SegmentPanel("assisted", assisted(against), _against(model, shown))


def _by_group(blind: pd.DataFrame, groups: Mapping[str, list[str]]) -> Iterator[SegmentPanel]:
    """Within each group of two coders or more, and between each two groups."""
    of = {name: blind[blind["coder"].isin(coders)] for name, coders in groups.items()}
    for name, coders in groups.items():
        if len(coders) > 1:
            yield SegmentPanel("within-group", within(name), _among(of[name]))
    for one, other in combinations(groups, 2):
        yield SegmentPanel("between-groups", between(one, other), _across(of[one], of[other]))


def _across(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """A row is a unit with one coder of each, so that no pair of one group enters."""
    met = ours.merge(theirs, on="unit", suffixes=("", "_other"))
    met["row"] = met["unit"] + " " + met["coder"] + " " + met["coder_other"]
    other = {"coder_other": "coder", "arm_other": "arm"}
    second = met[["unit", "row", *other]].rename(columns=other)
    return pd.concat([met[[*WHO, "row"]], second[[*WHO, "row"]]], ignore_index=True)


def _among(humans: pd.DataFrame) -> pd.DataFrame:
    """A row is a unit that two of them coded."""
    return humans[humans.duplicated("unit", keep=False)].assign(row=lambda frame: frame["unit"])


def _against(model: pd.DataFrame, humans: pd.DataFrame) -> pd.DataFrame:
    """A row is a unit with one of its humans, so that no pair of humans enters."""
    met = humans[humans["unit"].isin(set(model["unit"]))]
    met = met.assign(row=met["unit"] + " " + met["coder"])
    theirs = met[["unit", "row"]].merge(model, on="unit")
    return pd.concat([met, theirs[met.columns]], ignore_index=True)


def marked_of(segments: pd.DataFrame, coded: pd.DataFrame) -> pd.DataFrame:
    """The segments of those who coded: WHO, segment, start, end, placed; in a fixed order."""
    first = segments[segments["replicate"] == 1]
    marked = first.merge(coded[WHO].drop_duplicates(), on=WHO)
    marked["placed"] = marked["found"] != "missing"
    order = ["unit", "coder", "arm", "start", "end", "segment"]
    return marked.sort_values(order)[[*order, "placed", "found"]].reset_index(drop=True)


def texts_of(marked: pd.DataFrame, coded: pd.DataFrame, posts: pd.DataFrame) -> UnitTexts:
    """The texts of the units that were coded; tokens only where somebody marked a segment."""
    text = posts.drop_duplicates("unit").set_index("unit")["text"]
    units = pd.Index(sorted(set(coded["unit"])), dtype="str")
    lacking = units.difference(text.index)
    if len(lacking):
        raise TableError(f"no post has the unit {lacking[0]}; give the posts of all coded units")
    content = text.loc[units]
    length = content.str.len().to_numpy(np.int64)
    placed = marked[marked["placed"]]
    outside = (
        (placed["start"] < 0)
        | (placed["end"] <= placed["start"])
        | (placed["end"].to_numpy(np.int64) > length[units.get_indexer(placed["unit"])])
    )
    if outside.any():
        row = placed[outside].iloc[0]
        raise TableError(
            f"segment {row['segment']} of {row['coder']}, unit {row['unit']}: {row['start']} to "
            f"{row['end']} does not lie in the post; was its text changed? parse the answers again"
        )
    wanted = set(placed["unit"])
    found = [tokens(one) if unit in wanted else [] for unit, one in content.items()]
    ends = np.array([pair for one in found for pair in one], np.int64).reshape(-1, 2)
    first = np.concatenate([[0], np.cumsum([len(one) for one in found], dtype=np.int64)])
    return UnitTexts(units, length, unitizing.Tokens(ends[:, 0], ends[:, 1], first))


def arrays_of(panel: SegmentPanel, marked: pd.DataFrame, texts: UnitTexts) -> PanelArrays:
    """Who of the panel read which text, by number, and what was marked there (see PanelArrays)."""
    readers = panel.readers
    coders = sorted(set(readers["coder"]))
    row, names = pd.factorize(readers["row"], sort=True)
    of_row = pd.Series(readers["unit"].to_numpy(), index=row)
    of_row = of_row[~of_row.index.duplicated()].sort_index()
    unit, units = pd.factorize(of_row, sort=True)
    text = texts.units.get_indexer(pd.Index(of_row))
    who = readers[WHO].assign(
        row_number=row, coder_number=pd.Index(coders, dtype="str").get_indexer(readers["coder"])
    )
    own = marked.assign(source=np.arange(len(marked))).merge(who, on=WHO)
    own = own.sort_values(["row_number", "coder_number", "source"])
    placed = own[own["placed"]]
    spans = Spans(
        *(
            placed[name].to_numpy(np.int64)
            for name in ("row_number", "coder_number", "start", "end")
        )
    )
    return PanelArrays(
        units=np.asarray(units, object),
        unit=unit.astype(np.int64),
        text=text.astype(np.int64),
        rows=Rows(np.bincount(row, minlength=len(names)), texts.length[text]),
        spans=spans,
        source=placed["source"].to_numpy(np.intp),
        lost=np.bincount(own.loc[~own["placed"], "row_number"], minlength=len(names)),
        readings=len(readers.drop_duplicates(WHO)),
        coders=coders,
    )


def values_of(marked: pd.DataFrame, codings: pd.DataFrame, codebook: Codebook) -> Values:
    """Variable of the segment → its value of each marked segment, None where it has none."""
    keys = [*WHO, "segment"]
    first = codings[(codings["replicate"] == 1) & (codings["segment"] != "")]
    places = pd.MultiIndex.from_frame(marked[keys])
    found: Values = {}
    for variable in codebook.of_segment:
        own = first[first["variable"] == variable.variable].drop_duplicates(keys)
        at = places.get_indexer(pd.MultiIndex.from_frame(own[keys]))
        column = np.full(len(marked), None, object)
        column[at[at >= 0]] = own["value"].to_numpy(object)[at >= 0]
        found[variable.variable] = column
    return found
