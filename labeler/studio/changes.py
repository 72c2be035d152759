"""What people did with the suggestions that were shown to them, variable by variable.

Values are compared, not the marks that Label Studio sets: a box that is unticked and ticked again
is marked as touched, though nothing changed. A code that is left out is the empty set, since the
page shows both alike.

    accepted   the coder's value is the suggested one
    edited     there is another value, or the segment has other ends
    added      the coder coded what was not suggested
    deleted    what was suggested is no longer there
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import pandas as pd

from labeler.store.tables import CHANGES, frame
from labeler.studio.page import ASK

Change = Literal["accepted", "edited", "added", "deleted"]

SEGMENT = "segment"  # stands for the segment itself, beside the names of variables

_Codes = dict[tuple[str, str], dict[str, str]]  # (unit, segment) → variable → value


class _Span(NamedTuple):
    start: int
    end: int


def compare(
    codings: pd.DataFrame,
    segments: pd.DataFrame,
    suggested_codings: pd.DataFrame,
    suggested_segments: pd.DataFrame,
) -> pd.DataFrame:
    """CHANGES of one coder's assisted CODINGS and SEGMENTS against the suggester's.

    A unit counts where the coder coded it and a suggestion was there. A suggested quote that the
    post does not hold was not shown and is left out, with its codes; what the coder asks the PI is
    no change of anything. Segments are paired one to
    one, those first that share most of their length (intersection over union), ties in order of
    place. Of a pair without equal ends the segment itself is edited; `value` and `suggested` of a
    segment are written `start-end`.
    """
    shown = suggested_segments[suggested_segments["found"] != "missing"]
    given, suggested = _codes(codings), _codes(suggested_codings)
    spans, suggested_spans = _spans(segments), _spans(shown)
    suggesters = {
        row["unit"]: row["coder"] for row in [*_records(suggested_codings), *_records(shown)]
    }
    columns = ["codebook", "unit", "coder", "arm", "replicate"]
    rows: list[dict[str, Any]] = []
    for common in _records(codings[columns].drop_duplicates()):
        unit = common["unit"]
        if unit not in suggesters:
            continue
        own, theirs = spans.get(unit, {}), suggested_spans.get(unit, {})
        for mine, other in [("", ""), *_pairs(own, theirs)]:
            values = given.get((unit, mine), {}) if mine or not other else {}
            offered = suggested.get((unit, other), {}) if other or not mine else {}
            if mine or other:
                values = {SEGMENT: _written(own.get(mine)), **values}
                offered = {SEGMENT: _written(theirs.get(other)), **offered}
            place = {"segment": mine, "suggested_segment": other, "suggester": suggesters[unit]}
            rows += [{**common, **place, **change} for change in _compared(values, offered)]
    return frame(CHANGES, rows)


def _compared(values: dict[str, str], suggested: dict[str, str]) -> Iterator[dict[str, str]]:
    """The columns of each variable at one place; an absent value is the empty one."""
    for variable in sorted({*values, *suggested}, key=lambda name: (name != SEGMENT, name)):
        value, offered = values.get(variable, ""), suggested.get(variable, "")
        yield {
            "variable": variable,
            "value": value,
            "suggested": offered,
            "change": _change(value, offered),
        }


def _change(value: str, suggested: str) -> Change:
    if value == suggested:
        return "accepted"
    if not suggested:
        return "added"
    return "edited" if value else "deleted"


def _pairs(own: dict[str, _Span], theirs: dict[str, _Span]) -> list[tuple[str, str]]:
    """Segments that overlap, paired; then those of one side alone, the other named ''."""
    overlaps = sorted(
        (-_shared(mine, other), mine, other, name, other_name)
        for name, mine in own.items()
        for other_name, other in theirs.items()
        if _shared(mine, other) > 0
    )
    left, right = dict.fromkeys(own), dict.fromkeys(theirs)
    pairs = []
    for *_, name, other_name in overlaps:
        if name in left and other_name in right:
            pairs.append((name, other_name))
            del left[name], right[other_name]
    return [*pairs, *((name, "") for name in left), *(("", name) for name in right)]


def _shared(one: _Span, other: _Span) -> float:
    """Intersection over union of two stretches, 0 to 1."""
    both = min(one.end, other.end) - max(one.start, other.start)
    return max(0, both) / (one.end - one.start + other.end - other.start - max(0, both))


def _written(span: _Span | None) -> str:
    return f"{span.start}-{span.end}" if span else ""


def _codes(codings: pd.DataFrame) -> _Codes:
    made: _Codes = {}
    for row in _records(codings[codings["variable"] != ASK]):
        made.setdefault((row["unit"], row["segment"]), {})[row["variable"]] = row["value"]
    return made


def _spans(segments: pd.DataFrame) -> dict[str, dict[str, _Span]]:
    """Unit → segment → where it stands."""
    made: dict[str, dict[str, _Span]] = {}
    for row in _records(segments):
        made.setdefault(row["unit"], {})[row["segment"]] = _Span(int(row["start"]), int(row["end"]))
    return made


def _records(given: pd.DataFrame) -> list[dict[Any, Any]]:
    return given.to_dict("records")
