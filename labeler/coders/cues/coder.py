"""The cues coder: deterministic codes from the cues that a codebook lists.

An honest baseline, named `cues` everywhere. It knows words, distances and the negations that the
codebook names, but no meanings: no irony, no "said to".
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from labeler.codebook.codebook import HAS_SEGMENT, Codebook, Segments, Ties, Variable
from labeler.coders.answers import Codes
from labeler.coders.cues.matching import (
    CueCode,
    Hit,
    PreparedText,
    VariableCues,
    cues_of,
    find,
    ready,
)
from labeler.coding.vocabulary import computed
from labeler.keys import canonical, key
from labeler.store.tables import COMPLETIONS, frame
from labeler.text.sentences import words

RULES = "2"
SHOWN = 3

AnsweredValue = str | float | list[str] | None


def answers(posts: pd.DataFrame, codebook: Codebook, *, coder: str, created: str) -> pd.DataFrame:
    """Completions of the cues coder for `posts` (columns unit and text): one row a unit.

    A segment is the shortest run of at most `segments.within` sentences, at least
    `segments.min_words` words long, in which each variable of `segments.relates` has a cue; runs
    do not overlap, and without `relates` there are none. A variable takes the code with the most
    cues, or every code with a cue where it is multiple; without a cue its `default`, else its
    `none`, else null, which is to abstain. Among equals the earliest wins, or with `ties: abstain`
    none. The rationale names the cues that decided, in the codebook's words alone.
    """
    sought = {variable.variable: cues_of(variable, codebook) for variable in codebook.variables}
    about, fingerprint = spec(codebook), codebook.fingerprint
    rows = []
    for unit, text in zip(posts["unit"], posts["text"], strict=True):
        content = {
            "coder": about,
            "codebook": fingerprint,
            "messages": {"unit": unit, "text": text},
            "replicate": 1,
        }
        rows.append(
            {
                "completion": key(content),
                "codebook": fingerprint,
                "coder": coder,
                "unit": unit,
                "replicate": 1,
                "answer": canonical(_answer(text, codebook, sought)),
                "created": created,
            }
        )
    return frame(COMPLETIONS, rows)


def spec(codebook: Codebook) -> dict[str, str]:
    """What makes this coder this one: the rules here, and all that they read in the codebook."""
    read = {
        "segments": codebook.segments
        and [
            list(codebook.segments.relates),
            codebook.segments.within,
            codebook.segments.min_words,
        ],
        "variables": [
            [
                *(variable.variable, variable.of, variable.multiple, variable.default),
                *(variable.none, variable.applies_when),
                [[value.code, list(value.cues), value.negated] for value in variable.values],
            ]
            for variable in codebook.variables
        ],
        "rules": codebook.cues.model_dump(mode="json"),
    }
    return {"kind": "cues", "rules": RULES, "cues": key(read)}


def coder(codebook: Codebook) -> str:
    """The name of the cues coder with the cues of this codebook: `cues@` and 6 digits."""
    return computed("cues", key(spec(codebook))[:6])


def _answer(text: str, codebook: Codebook, sought: Mapping[str, VariableCues]) -> dict[str, Any]:
    prepared = ready(text)
    hits = {name: find(cues, prepared) for name, cues in sought.items()}
    runs = _runs(prepared, codebook.segments, hits) if codebook.segments else []
    codes: Codes = {}
    variables: dict[str, AnsweredValue] = {}
    reasons: list[str] = []
    for variable in codebook.of_unit:
        found = hits[variable.variable]
        if runs:
            found = [*_of_having_segments(variable), *found]
        variables[variable.variable] = _coded(variable, found, codes, codebook.cues.ties)
        reasons += _reason(variable, found, codes)
    answer: dict[str, Any] = {"variables": variables}
    if codebook.segments is not None:
        answer["segments"] = []
        for start, end in runs:
            given, why = _of_run(start, end, codebook, hits, dict(codes))
            if given is not None:
                answer["segments"].append(
                    {"quote": text[start:end], "start": start, "codes": given}
                )
                number = len(answer["segments"])
                reasons += [f"{codebook.segments.segment} {number}: {each}" for each in why]
    return {"rationale": "\n".join(reasons), **answer}


def _of_run(
    start: int, end: int, codebook: Codebook, hits: Mapping[str, list[Hit]], codes: Codes
) -> tuple[dict[str, AnsweredValue] | None, list[str]]:
    """What each variable of the segment takes in a run, and why; None where none applies."""
    given: dict[str, AnsweredValue] = {}
    reasons: list[str] = []
    for variable in codebook.of_segment:
        inside = _inside(hits[variable.variable], start, end)
        given[variable.variable] = _coded(variable, inside, codes, codebook.cues.ties)
        reasons += _reason(variable, inside, codes)
    applied = any(variable.applies(codes) for variable in codebook.of_segment)
    return (given, reasons) if applied else (None, [])


def _coded(variable: Variable, hits: Sequence[Hit], codes: Codes, ties: Ties) -> AnsweredValue:
    """What the cues say of a variable, in the form of an answer; `codes` grows by it."""
    chosen = _chosen(variable, hits, ties) if variable.applies(codes) else ()
    if not chosen:
        return None
    codes[variable.variable] = chosen
    if not variable.values:
        return float(chosen[0])
    return list(chosen) if variable.multiple else chosen[0]


def _chosen(variable: Variable, hits: Sequence[Hit], ties: Ties) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for hit in hits:
        for code in dict.fromkeys(one.code for one in hit.cue_codes):
            counts[code] = counts.get(code, 0) + 1
    if not counts:
        fallback = variable.default or variable.none
        return (fallback,) if fallback else ()
    if variable.multiple:
        found = [code for code in variable.codes if code in counts]
        return tuple(code for code in found if code != variable.none) or tuple(found)
    most = [code for code, count in counts.items() if count == max(counts.values())]
    return tuple(most[:1]) if len(most) == 1 or ties == "earliest" else ()


def _reason(variable: Variable, hits: Sequence[Hit], codes: Codes) -> list[str]:
    """One line for each code taken by cues: variable, code and its first few different cues."""
    lines = []
    for code in codes.get(variable.variable, ()):
        cues = [one.cue for hit in hits for one in hit.cue_codes if one.code == code]
        shown = list(dict.fromkeys(cues))
        if shown:
            more = ", …" if len(shown) > SHOWN else ""
            lines.append(f"{variable.variable}: {code}: {', '.join(shown[:SHOWN])}{more}")
    return lines


def _of_having_segments(variable: Variable) -> list[Hit]:
    cue_codes = [
        CueCode(value.code, HAS_SEGMENT) for value in variable.values if HAS_SEGMENT in value.cues
    ]
    return [Hit(-1, -1, tuple(cue_codes))] if cue_codes else []


def _inside(hits: Sequence[Hit], start: int, end: int) -> Sequence[Hit]:
    """The hits that begin in a stretch; hits stand in the order of their starts."""
    first, last = (bisect_left(hits, place, key=lambda hit: hit.start) for place in (start, end))
    return hits[first:last]


def _runs(
    text: PreparedText, segments: Segments, hits: Mapping[str, Sequence[Hit]]
) -> list[tuple[int, int]]:
    """Start and end of each segment: the shortest runs of sentences, from left to right."""
    if not all(hits[name] for name in segments.relates) or not segments.relates:
        return []
    runs: list[tuple[int, int]] = []
    free = 0
    for last, (_, end) in enumerate(text.sentences):
        for first in range(last, max(free, last - segments.within + 1) - 1, -1):
            start = text.sentences[first][0]
            related = all(_inside(hits[name], start, end) for name in segments.relates)
            if related and words(text.plain, start, end) >= segments.min_words:
                runs.append((start, end))
                free = last + 1
                break
    return runs
